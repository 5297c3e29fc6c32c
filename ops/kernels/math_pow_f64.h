/* math_pow_f64.h: a^b = e^(b ln a), with ln a in two doubles, since its error is multiplied by up to 700. */
#ifndef OPS_KERNELS_MATH_POW_F64_H
#define OPS_KERNELS_MATH_POW_F64_H

#include "ops/kernels/math_log_f64.h"

/* a b = the result + *low, exactly */
INLINE double f64_product(double a, double b, double *low) {
    double p = a * b;
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    *low = f64_mad(a, b, -p);
#else
    double s = a * 0x1.0000002p27, t = b * 0x1.0000002p27, x = s - (s - a), y = t - (t - b), v = a - x, w = b - y;
    *low = ((x * y - p) + x * w + v * y) + v * w;
#endif
    return p;
}

/* ln x for finite x > 0:  s (1 + s²/3 + s⁴/5 + …), everything but the tail from s⁴/5 on in two parts */
INLINE double f64_log_exactly(double x, double *low) {
    double e, f = f64_split(x, &e) - 1, d = 2 + f, d_low = (2 - d) + f, s = f / d, p_low, z_low, q_low, a_low;
    double p = f64_product(s, d, &p_low), s_low = (((f - p) - p_low) - s * d_low) / d;
    double z = f64_product(s, s, &z_low);
    z_low = f64_mad(2 * s, s_low, z_low);
    double w = z * POLY7(f64_mad, z, 0.2, 0.14285714285714682, 0.11111111110828116, 0.09090909167657202,
                         0.07692297485447729, 0.06667402119112673, 0.05853124270461193, 0.058615255140488765);
    double t = 0x1.5555555555555p-2 + w, t_low = ((0x1.5555555555555p-2 - t) + w) + 0x1.5555555555555p-56;
    double q = f64_product(z, t, &q_low);
    q_low += z * t_low + z_low * t;
    double a = f64_product(s, q, &a_low);
    a_low += s * q_low + s_low * q;
    double l = s + a, l_low = ((s - l) + a) + (a_low + s_low);
    double first = e * LN2_HIGH, sum = first + 2 * l, rest = ((first - sum) + 2 * l) + (e * LN2_LOW + 2 * l_low);
    double y = sum + rest;
    *low = (sum - y) + rest;
    return y;
}

/* a^b where |a|^b = y; 1^NaN = 1. Above 2⁵² all b are whole, above 2⁵³ even. Masks, where a chain of conditions would keep
 * gcc from making vectors. */
INLINE double f64_pow_end(double a, double b, double y) {
    uint64_t below = 0 - (f64_bits(a) >> 63);
    double c = m_fabs(b), half = 0.5 * c;
    double odd = c < 0x1p53 ? m_fabs(half - ((half + 0x1p52) - 0x1p52)) : 0; /* ½: b is odd */
    double part = c < 0x1p52 ? c - ((c + 0x1p52) - 0x1p52) : 0;              /* not 0: b is not whole */
    part = a + a == a ? 0 : part;                                            /* ±0, ±∞ take any b */
    y = f64_from(f64_bits(part) & below) != 0 ? NAN_F64 : y;
    y = f64_from(f64_bits(y) ^ (f64_bits(odd == 0.5 ? -0.0 : 0.0) & below));
    return a == 1 ? 1 : y;
}

INLINE double m_pow(double a, double b) {
    double x = b == 0 ? 1 : m_fabs(a), l_low, p_low, l = f64_log_exactly(x, &l_low);
    l = x < INF_F64 ? l : x;
    l = x == 0 ? -INF_F64 : l;
    double c = f64_clamp(b, -1e20, 1e20), p = f64_product(c, l, &p_low);
    p_low = m_fabs(p) < 1000 ? f64_mad(c, l_low, p_low) : 0;
    return f64_pow_end(a, b, f64_exp_of(p, p_low, 0));
}

#endif
