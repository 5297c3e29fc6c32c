/* math_log_f64.h: logarithms and what is made of them, for doubles.
 *
 *     x = 2^e m, √½ ≤ m < √2, f = m − 1, s = f / (2 + f)        ln m = 2 atanh s = f − (½ f² − s (½ f² + R(s²)))
 *
 * Subnormal numbers are scaled first. Zero, infinity, NaN and numbers below zero are put right at the end. */
#ifndef OPS_KERNELS_MATH_LOG_F64_H
#define OPS_KERNELS_MATH_LOG_F64_H

#include "ops/kernels/math_exp_f64.h"

#define ROOT_HALF_F64 UINT64_C(0x3fe6a09e667f3bcd)

/* m, with the bits of e + 1023 in k */
INLINE double f64_mantissa(double x, uint64_t *k) {
    uint64_t u = f64_bits(x) + (UINT64_C(0x3ff0000000000000) - ROOT_HALF_F64);
    *k = u >> 52;
    return f64_from((u & UINT64_C(0x000fffffffffffff)) + ROOT_HALF_F64);
}

/* k as a double, less `bias` */
INLINE double f64_number(uint64_t k, double bias) {
    return f64_from(k | UINT64_C(0x4330000000000000)) - (0x1p52 + bias);
}

/* m and e of any x > 0 */
INLINE double f64_split(double x, double *e) {
    uint64_t k;
    double small = x < 0x1p-1022 ? 0x1p54 : 1, m = f64_mantissa(x * small, &k);
    *e = f64_number(k, x < 0x1p-1022 ? 1023 + 54 : 1023);
    return m;
}

/* s (½ f² + R), which added to f − ½ f² makes ln (1 + f) */
INLINE double f64_log_tail(double f, double half_square) {
    double s = f / (2 + f), z = s * s;
    return s * f64_mad(z,
                       POLY6(f64_mad, z, 0.666666666666667, 0.39999999999899505, 0.28571428625975487,
                             0.2222221113479508, 0.18182889125261723, 0.15331721600556042, 0.14616449685043406),
                       half_square);
}

INLINE double f64_log_ends(double x, double y) {
    y = x < INF_F64 ? y : x;
    return x > 0 ? y : x == 0 ? -INF_F64 : NAN_F64;
}

/* ln(1 + f) + e ln 2 */
INLINE double f64_log_sum(double f, double e) {
    double h = 0.5 * f * f;
    return f64_mad(e, LN2_HIGH, -((h - f64_mad(e, LN2_LOW, f64_log_tail(f, h))) - f));
}

INLINE double m_log(double x) {
    double e, m = f64_split(x, &e);
    return f64_log_ends(x, f64_log_sum(m - 1, e));
}

/* u = 1 + x gives the exponent, f = (1 + x) / 2^e − 1 loses nothing that x had. */
INLINE double m_log1p(double x) {
    uint64_t k;
    double u = 1 + x, m = f64_mantissa(u, &k), s = f64_from((2046 - k) << 52);
    double y = f64_log_ends(u, f64_log_sum(x < 0x1p54 ? (s - 1) + s * x : m - 1, f64_number(k, 1023)));
    return m_fabs(x) < 0x1p-54 ? x : y;
}

/* (ln m) / ln b + e / log₂ b with both reciprocals in two parts, the first short enough for exact products. */
INLINE double f64_log_in_base(double x, double high, double low, double per_e_high, double per_e_low) {
    double e, f = f64_split(x, &e) - 1, h = 0.5 * f * f;
    double a = f64_from(f64_bits(f - h) & ~UINT64_C(0xffffffff)), b = ((f - a) - h) + f64_log_tail(f, h);
    double first = e * per_e_high, main = a * high, sum = first + main;
    double rest = f64_mad(b, high, f64_mad(a + b, low, f64_mad(e, per_e_low, (first - sum) + main)));
    return f64_log_ends(x, sum + rest);
}

INLINE double m_log2(double x) { return f64_log_in_base(x, 0x1.71547p0, 0x1.94ae0bf85ddf4p-22, 1, 0); }
INLINE double m_log10(double x) {
    return f64_log_in_base(x, 0x1.bcb7bp-2, 0x1.526e50e32a6abp-26, 0x1.34413508p-2, 0x1.f79fef311f12bp-34);
}

INLINE double m_asinh(double x) {
    double a = m_fabs(x), y = m_log1p(a > 0x1p28 ? a - 1 : a + a * a / (1 + m_sqrt(1 + a * a)));
    y = a > 0x1p28 ? y + 0x1.62e42fefa39efp-1 : y;
    return a < 0x1p-28 ? x : f64_sign(y, x);
}

INLINE double m_acosh(double x) {
    double t = x - 1, y = m_log1p(x > 0x1p28 ? t : t + m_sqrt(t < 0 ? t : t * (t + 2)));
    return x > 0x1p28 ? y + 0x1.62e42fefa39efp-1 : y;
}

INLINE double m_atanh(double x) {
    double a = m_fabs(x), y = 0.5 * m_log1p(a < 0.5 ? 2 * a + 2 * a * a / (1 - a) : 2 * a / (1 - a));
    return a < 0x1p-28 ? x : f64_sign(y, x);
}

#endif
