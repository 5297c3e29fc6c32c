/* math_exp_f64.h: e^x and the functions made of it, for doubles.
 *
 *     x = n ln 2 + r, |r| ≤ ½ ln 2        e^x = 2^n e^r
 *
 * n is rounded by adding 1.5·2⁵², after which the low bits of the sum hold n + 2048. 2^n is multiplied in two steps, so that
 * the result may be subnormal. ln 2 is split so that n times its high part is exact. */
#ifndef OPS_KERNELS_MATH_EXP_F64_H
#define OPS_KERNELS_MATH_EXP_F64_H

#include "ops/kernels/math.h"

#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 0x1.a39ef35793c76p-33
#define SHIFT_F64 (0x1.8p52 + 2048)

/* n ≈ x / ln 2, and where its bits are found. */
INLINE double f64_exponent(double x, uint64_t *k) {
    double t = f64_mad(x, 0x1.71547652b82fep0, SHIFT_F64);
    *k = f64_bits(t) & 0xfff;
    return t - SHIFT_F64;
}

/* p 2^n for k = n + 2048 */
INLINE double f64_times_power(double p, uint64_t k) {
    uint64_t half = k >> 1;
    return p * f64_from((half - 1) << 52) * f64_from((k - half - 1) << 52);
}

INLINE double f64_clamp(double x, double low, double high) {
    x = x > high ? high : x;
    return x < low ? low : x;
}

/* e^r − 1 − r for |r| ≤ ½ ln 2 */
INLINE double f64_exp_tail(double r) {
    return r * r *
           POLY9(f64_mad, r, 0.5, 0.16666666666666669, 0.041666666666624094, 0.00833333333333006, 0.0013888888917230724,
                 0.00019841269863066696, 2.4801521269532122e-05, 2.7557268439678e-06, 2.7620101012098e-07,
                 2.5100395159429243e-08);
}

/* e^(x + low) / 2^halvings, low far below x */
INLINE double f64_exp_of(double x, double low, uint64_t halvings) {
    uint64_t k;
    x = f64_clamp(x, -746, 711);
    double n = f64_exponent(x, &k), high = f64_mad(n, -LN2_HIGH, x), r = high - f64_mad(n, LN2_LOW, -low);
    return f64_times_power(1 + (r + f64_exp_tail(r)), k - halvings);
}

INLINE double m_exp(double x) { return f64_exp_of(x, 0, 0); }

INLINE double m_exp2(double x) {
    double c = f64_clamp(x, -1080, 1030), t = c + SHIFT_F64, r = (c - (t - SHIFT_F64)) * 0x1.62e42fefa39efp-1;
    return f64_times_power(1 + (r + f64_exp_tail(r)), f64_bits(t) & 0xfff);
}

/* 2^n r + (2^n − 1), and what r − and its tail − leaves, with 2^(n−1) in place of 2^n so that it does not overflow early. */
INLINE double m_expm1(double x) {
    uint64_t k;
    double c = f64_clamp(x, -60, 710), n = f64_exponent(c, &k), high = f64_mad(n, -LN2_HIGH, c), low = n * LN2_LOW;
    double r = high - low, tail = (high - r) - low;
    tail += r * r *
            f64_mad(r,
                    POLY8(f64_mad, r, 0.16666666666666666, 0.04166666666665134, 0.008333333333332155,
                          0.0013888888905891745, 0.00019841269854346458, 2.480153636831133e-05, 2.7557280051344567e-06,
                          2.761381816969184e-07, 2.5095563373394485e-08),
                    0.5);
    double s = f64_from((k - 2048 + 1022) << 52), a = s - 0.5, whole = f64_mad(s, r, a);
    double y = whole + f64_mad(s, tail, f64_mad(s, r, a - whole));
    return m_fabs(x) < 0x1p-54 ? x : 2 * y;
}

INLINE double m_sigmoid(double x) {
    double e = m_exp(-m_fabs(x));
    return (x >= 0 ? 1 : x < 0 ? e : x) / (1 + e);
}

/* t / (2 + t), t = e^(2|x|) − 1; where that is large, as 1 − 2 / (2 + t) */
INLINE double m_tanh(double x) {
    double a = m_fabs(x), t = m_expm1(2 * (a > 30 ? 30 : a)), q = (a < 0.5 ? t : 2) / (2 + t);
    return a < 0x1p-30 ? x : f64_sign(a < 0.5 ? q : 1 - q, x);
}

/* ½ e^|x| ∓ ¼ / (½ e^|x|), and a series near 0 */
INLINE double m_sinh(double x) {
    double a = m_fabs(x), e = f64_exp_of(a, 0, 1), z = x * x;
    double near = POLY7(f64_mad, z, 0.16666666666666666, 0.008333333333333333, 0.00019841269841269773, 2.755731922404061e-06,
                        2.5052108363972185e-08, 1.6059048410081293e-10, 7.646624280324513e-13, 2.8445596736423237e-15);
    return a < 1 ? f64_mad(x * z, near, x) : f64_sign(e - 0.25 / e, x);
}

INLINE double m_cosh(double x) {
    double e = f64_exp_of(m_fabs(x), 0, 1);
    return e + 0.25 / e;
}

#endif
