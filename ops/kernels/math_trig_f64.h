/* math_trig_f64.h: sine and its kin, for doubles.
 *
 *     x = n π/2 + r, |r| ≤ π/4        n mod 4 = 0: sin r   1: cos r   2: −sin r   3: −cos r
 *
 * π/2 is subtracted in three parts, of which two are short enough for exact products while |n| < 2²⁰. Larger x are wild:
 * the loop only notes that it met one, and such elements are done again with π/2 to 1280 bits. */
#ifndef OPS_KERNELS_MATH_TRIG_F64_H
#define OPS_KERNELS_MATH_TRIG_F64_H

#include "ops/kernels/math_pow_f64.h"

#define TAME_F64 0x1p20
#define PIO2_F64 0x1.921fb54442d18p0
#define PIO2_LOW_F64 0x1.1a62633145c07p-54

/* r + *low = x − n π/2; returns n mod 4 in the last two bits. */
INLINE uint64_t f64_reduce(double x, double *r, double *low) {
    double t = f64_mad(x, 0x1.45f306dc9c883p-1, 0x1.8p52), n = t - 0x1.8p52;
    double a = x - n * 0x1.921fb544p0, w = n * 0x1.0b4611a6p-34, b = a - w;
    double rest = ((a - b) - w) - n * 0x1.3198a2e037073p-69;
    *r = b + rest;
    *low = (b - *r) + rest;
    return f64_bits(t);
}

/* The same for any finite x, |x| ≥ 1: the 192 bits of 2/π that matter, times the mantissa, modulo 4. */
__attribute__((noinline, unused, cold)) static uint64_t f64_reduce_wild(double x, double *r, double *low) {
    static const uint64_t bits[] = {0, /* of 2/π; before the point */
                                    0xa2f9836e4e441529,
                                    0xfc2757d1f534ddc0,
                                    0xdb6295993c439041,
                                    0xfe5163abdebbc561,
                                    0xb7246e3a424dd2e0,
                                    0x06492eea09d1921c,
                                    0xfe1deb1cb129a73e,
                                    0xe88235f52ebb4484,
                                    0xe99c7026b45f7e41,
                                    0x3991d639835339f4,
                                    0x9c845f8bbdf9283b,
                                    0x1ff897ffde05980f,
                                    0xef2f118b5a0a6d1f,
                                    0x6d367ecf27cb09b7,
                                    0x4f463f669e5fea2d,
                                    0x7527bac7ebe5f17b,
                                    0x3d0739f78a5292ea,
                                    0x6bfb5fb11f8d5d08,
                                    0x56033046fc7b6bab,
                                    0xf0cfbc209af4361d};
    __extension__ typedef unsigned __int128 wide;
    __extension__ typedef __int128 signed_wide;
    uint64_t u = f64_bits(x), m = (u & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x0010000000000000);
    int at = (int)(u >> 52 & 0x7ff) - 1075 + 62, word = at / 64, shift = at % 64; /* 64 + exponent − 2 bits are dropped */
    uint64_t v[3];
    for (int i = 0; i < 3; i++) { v[i] = bits[word + i] << shift | (shift ? bits[word + i + 1] >> (64 - shift) : 0); }
    wide f = ((wide)(m * v[0]) << 64) + (wide)m * v[1] + ((wide)m * v[2] >> 64); /* x 2/π / 4, modulo 1 */
    uint64_t n = (uint64_t)((f + ((wide)1 << 125)) >> 126);
    signed_wide g = (signed_wide)(f - ((wide)n << 126));
    double high = (double)g, rest = (double)(g - (signed_wide)high), product_low;
    double y = f64_product(high, PIO2_F64, &product_low);
    product_low += high * PIO2_LOW_F64 + rest * PIO2_F64;
    *r = (y + product_low) * 0x1p-126;
    *low = ((y - (y + product_low)) + product_low) * 0x1p-126;
    if (!(u >> 63)) return n;
    *r = -*r;
    *low = -*low;
    return 4 - (n & 3);
}

INLINE double f64_sin_part(double r, double low) {
    double z = r * r, p = POLY5(f64_mad, z, -0.16666666666666666, 0.008333333333330946, -0.0001984126983675497,
                                2.755731610068303e-06, -2.5051131455427946e-08, 1.591810123027412e-10);
    return r + f64_mad(z * r, p, f64_mad(-0.5 * z, low, low));
}

INLINE double f64_cos_part(double r, double low) {
    double z = r * r, h = 0.5 * z, w = 1 - h;
    double p = POLY5(f64_mad, z, 0.041666666666666664, -0.0013888888888887395, 2.4801587298763433e-05,
                     -2.7557317270560326e-07, 2.0876146024689747e-09, -1.1382614868556325e-11);
    return w + (((1 - w) - h) + f64_mad(z * z, p, -r * low));
}

/* sin r or cos r by the last bit of n, the sign by the bit before it */
INLINE double f64_quadrant(uint64_t n, double sine, double cosine) {
    uint64_t odd = 0 - (n & 1);
    return f64_from(((f64_bits(cosine) & odd) | (f64_bits(sine) & ~odd)) ^ (n & 2) << 62);
}

INLINE double f64_tangent(uint64_t n, double s, double c) {
    uint64_t odd = 0 - (n & 1), a = f64_bits(s), b = f64_bits(c);
    double top = f64_from((b & odd) | (a & ~odd)), bottom = f64_from((a & odd) | (b & ~odd));
    return f64_from(f64_bits(top / bottom) ^ (odd & UINT64_C(1) << 63));
}

/* With a place for the note, as wide as x, wild x give anything; without, all are right. */
#define TRIG_F64(name, result)                                     \
    INLINE double f64_##name##_noting(double x, uint64_t *wild) {  \
        double r, low;                                             \
        uint64_t n;                                                \
        if (wild) {                                                \
            *wild |= m_fabs(x) > TAME_F64;                         \
            n = f64_reduce(x, &r, &low);                           \
        } else if (m_fabs(x) > TAME_F64) {                         \
            if (m_fabs(x) == INF_F64) return NAN_F64;              \
            n = f64_reduce_wild(x, &r, &low);                      \
        } else {                                                   \
            n = f64_reduce(x, &r, &low);                           \
        }                                                          \
        double s = f64_sin_part(r, low), c = f64_cos_part(r, low); \
        return result;                                             \
    }                                                              \
    INLINE double m_##name(double x) { return f64_##name##_noting(x, NULL); }
TRIG_F64(sin, m_fabs(x) < 0x1p-27 ? x : f64_quadrant(n, s, c))
TRIG_F64(cos, f64_quadrant(n + 1, s, c))
TRIG_F64(tan, m_fabs(x) < 0x1p-27 ? x : f64_tangent(n, s, c))

/* atan t for |t| ≤ ½ */
INLINE double f64_atan_near(double t) {
    double z = t * t;
    return f64_mad(t * z,
                   POLY13(f64_mad, z, -0.3333333333333333, 0.19999999999999968, -0.1428571428570617,
                          0.11111111110275738, -0.09090909045918692, 0.07692306236122758, -0.06666636006378057,
                          0.05881912329940367, -0.052587105453944225, 0.04729905909510771, -0.04183153509510544,
                          0.033981740133639804, -0.021675579976416733, 0.0076520459271551605),
                   t);
}

/* The angle of (b, a), both ≥ 0 and not both zero or infinite: a / b, or that turned by π/4 or π/2. */
INLINE double f64_angle(double a, double b) {
    bool near = a<0.5 * b, far = 0.5 * a> b;
    double top = near ? a : far ? -b : a - b, bottom = near ? b : far ? a : a + b, t = top / bottom;
    double base = near ? 0 : far ? PIO2_F64 : 0.5 * PIO2_F64, low = near ? 0 : far ? PIO2_LOW_F64 : 0.5 * PIO2_LOW_F64;
    return base + (f64_atan_near(t) + low);
}

INLINE double m_atan(double x) {
    double a = m_fabs(x);
    return f64_sign(f64_angle(a > 0x1p60 ? 0x1p60 : a, 1), x);
}

/* Both are scaled so that neither their sum overflows nor a small quotient loses bits. */
INLINE double m_atan2(double y, double x) {
    double a = m_fabs(y), b = m_fabs(x);
    bool both = a == INF_F64 && b == INF_F64, none = a == 0 && b == 0;
    double shrink = a > 0x1p1000 || b > 0x1p1000 ? 0x1p-200 : a < 0x1p-700 && b < 0x1p-700 ? 0x1p200 : 1;
    double c = both ? 1 : a * shrink, d = both || none ? 1 : b * shrink;
    c = c > 0x1p1023 ? 0x1p1023 : c; /* one infinite */
    double r = f64_angle(c, d);
    r = b == INF_F64 && !both && a == a ? 0 : r;
    r = f64_bits(x) >> 63 ? 2 * PIO2_F64 - (r - 2 * PIO2_LOW_F64) : r;
    r = x == x ? r : x;
    return y == y ? f64_sign(r, y) : y;
}

/* asin s / s − 1 over s², z = s² ≤ ¼ */
INLINE double f64_asin_tail(double z) {
    return z * POLY12(f64_mad, z, 0.16666666666666669, 0.07499999999998425, 0.04464285714637338, 0.030381944137085216,
                      0.022372173002005596, 0.017352391265909227, 0.013971235301124539, 0.011478952690257387,
                      0.010324318288744113, 0.00545087818772055, 0.017419357964884856, -0.014881409392818066,
                      0.02877844261259304);
}

/* Beyond ½: asin a = π/2 − 2 asin √(½ (1 − a)) */
INLINE double m_asin(double x) {
    double a = m_fabs(x);
    bool far = a > 0.5;
    double z = far ? 0.5 * (1 - a) : a * a, s = far ? m_sqrt(z) : a, t = s * f64_asin_tail(z);
    double y = far ? PIO2_F64 - (2 * s + (2 * t - PIO2_LOW_F64)) : s + t;
    return x == x ? f64_sign(y, x) : x;
}

INLINE double m_acos(double x) {
    double a = m_fabs(x);
    bool far = a > 0.5;
    double z = far ? 0.5 * (1 - a) : a * a, s = far ? m_sqrt(z) : x, t = s * f64_asin_tail(z);
    double near = PIO2_F64 - (s - (PIO2_LOW_F64 - t)), small = 2 * (s + t);
    return far ? (x > 0 ? small : 2 * PIO2_F64 - (small - 2 * PIO2_LOW_F64)) : near;
}

#endif
