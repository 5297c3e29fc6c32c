/* math_f32.h: the functions m_namef(x) by which rows are written, for floats; within 2.5 units in the last place, most 1
 * (erfc and gelu where there is no FMA: math_normal.h).
 *
 * The frequent ones are worked out in floats; what would take tricks there is worked out in doubles, which leaves little but
 * the last rounding. */
#ifndef OPS_KERNELS_MATH_F32_H
#define OPS_KERNELS_MATH_F32_H

#include "ops/kernels/math_f64.h"

/* The exponential family: see math_exp_f64.h. */

#define SHIFT_F32 (0x1.8p23f + 256) /* after adding it, the low bits hold n + 256 */

INLINE float f32_clamp(float x, float low, float high) {
    x = x > high ? high : x;
    return x < low ? low : x;
}

/* n ≈ x / ln 2, r = x − n ln 2 */
INLINE float f32_reduce_exp(float x, float *n, uint32_t *k) {
    float t = f32_mad(x, 0x1.715476p0f, SHIFT_F32);
    *k = f32_bits(t) & 0xfff;
    *n = t - SHIFT_F32;
    return f32_mad(*n, -0x1.7f7d1cp-20f, f32_mad(*n, -0x1.62e4p-1f, x));
}

/* e^r for |r| ≤ ½ ln 2 */
INLINE float f32_exp_near(float r) {
    return f32_mad(r * r, POLY4(f32_mad, r, 0.5f, 0.16666577f, 0.0416665546f, 0.00836318503f, 0.00139261911f), r) + 1;
}

INLINE float f32_times_power(float p, uint32_t k) {
    uint32_t half = k >> 1;
    return p * f32_from((half - 1) << 23) * f32_from((k - half - 1) << 23);
}

INLINE float m_expf(float x) {
    uint32_t k;
    float n, r = f32_reduce_exp(f32_clamp(x, -104, 89), &n, &k);
    return f32_times_power(f32_exp_near(r), k);
}

INLINE float m_exp2f(float x) {
    float c = f32_clamp(x, -151, 129), t = c + SHIFT_F32, r = (c - (t - SHIFT_F32)) * 0x1.62e43p-1f;
    return f32_times_power(f32_exp_near(r), f32_bits(t) & 0xfff);
}

INLINE float m_expm1f(float x) {
    uint32_t k;
    float n, r = f32_reduce_exp(f32_clamp(x, -30, 89), &n, &k);
    float tail = r * r * f32_mad(r, POLY3(f32_mad, r, 0.166666308f, 0.0416666218f, 0.00835720971f, 0.00139187256f), 0.5f);
    float s = f32_from((k - 256 + 126) << 23), a = s - 0.5f, whole = f32_mad(s, r, a);
    float y = whole + f32_mad(s, tail, f32_mad(s, r, a - whole));
    return m_fabsf(x) < 0x1p-25f ? x : 2 * y;
}

INLINE float m_sigmoidf(float x) {
    float e = m_expf(-m_fabsf(x));
    return (x >= 0 ? 1 : x < 0 ? e : x) / (1 + e);
}

INLINE float m_tanhf(float x) {
    float a = m_fabsf(x), t = m_expm1f(2 * (a > 15 ? 15 : a)), q = (a < 0.5f ? t : 2) / (2 + t);
    return a < 0x1p-13f ? x : f32_sign(a < 0.5f ? q : 1 - q, x);
}

/* Logarithms: ln (1 + f) = f − ½ f² + f³ p(f) */

#define ROOT_HALF_F32 0x3f3504f3u

INLINE float f32_mantissa(float x, uint32_t *k) {
    uint32_t u = f32_bits(x) + (0x3f800000 - ROOT_HALF_F32);
    *k = u >> 23;
    return f32_from((u & 0x007fffff) + ROOT_HALF_F32);
}

INLINE float f32_log_sum(float f, float e) {
    float z = f * f, p = POLY8(f32_mad, f, 0.333333312f, -0.24999997f, 0.200007157f, -0.166678023f, 0.142490576f,
                               -0.124256873f, 0.116854199f, -0.114797338f, 0.0697161147f);
    float tail = f32_mad(-0.5f, z, f32_mad(f * z, p, e * 0x1.7f7d1cp-20f));
    return f32_mad(e, 0x1.62e4p-1f, f + tail);
}

INLINE float f32_log_ends(float x, float y) {
    y = x < INFINITY ? y : x;
    return x > 0 ? y : x == 0 ? -INFINITY : NAN;
}

INLINE float m_logf(float x) {
    uint32_t k;
    bool small = x < 0x1p-126f;
    float m = f32_mantissa(small ? x * 0x1p24f : x, &k), e = (float)(int32_t)k - (small ? 127 + 24 : 127);
    return f32_log_ends(x, f32_log_sum(m - 1, e));
}

INLINE float m_log1pf(float x) {
    uint32_t k;
    float u = 1 + x, m = f32_mantissa(u, &k), s = f32_from((254 - k) << 23);
    float y = f32_log_ends(u, f32_log_sum(x < 0x1p25f ? (s - 1) + s * x : m - 1, (float)(int32_t)k - 127));
    return m_fabsf(x) < 0x1p-25f ? x : y;
}

/* ln x in a double, to 32 bits */
INLINE double f64_log_short(double x) {
    double e, m = f64_split(x, &e), f = m - 1, h = 0.5 * f * f, s = f / (2 + f), z = s * s;
    double r = z * POLY3(f64_mad, z, 0.6666666655449709, 0.40000121839806124, 0.28550820815960665, 0.23330467216303835);
    return f64_log_ends(x, f64_mad(e, 0x1.62e42fefa39efp-1, f - (h - s * (h + r))));
}

INLINE float m_log2f(float x) { return (float)(f64_log_short((double)x) * 0x1.71547652b82fep0); }
INLINE float m_log10f(float x) { return (float)(f64_log_short((double)x) * 0x1.bcb7b1526e50ep-2); }

/* e^x in a double, to 30 bits, for results that a float holds */
INLINE double f64_exp_short(double x) {
    uint64_t k;
    double c = f64_clamp(x, -150, 150), n = f64_exponent(c, &k), r = f64_mad(n, -0x1.62e42fefa39efp-1, c);
    double p = POLY5(f64_mad, r, 0.5000000013473895, 0.1666666668163221, 0.041666464844507485, 0.00833331091651024,
                     0.0013933658961533572, 0.00019891000780597316);
    return f64_mad(r * r, p, r + 1) * f64_from((k - 2048 + 1023) << 52);
}

INLINE float m_powf(float a, float b) {
    double s = (double)a, d = (double)b, l = f64_log_short(d == 0 ? 1 : m_fabs(s));
    return (float)f64_pow_end(s, d, f64_exp_short(f64_clamp(d, -1e20, 1e20) * l));
}

/* Trigonometry: the angle is reduced in doubles, see math_trig_f64.h. */

INLINE uint32_t f32_reduce(float x, double *r) {
    double v = (double)x, t = f64_mad(v, 0x1.45f306dc9c883p-1, 0x1.8p52), n = t - 0x1.8p52;
    *r = f64_mad(n, -0x1.0b4611a626331p-34, f64_mad(n, -0x1.921fb544p0, v));
    return (uint32_t)f64_bits(t);
}

INLINE float f32_sin_part(float r) {
    float z = r * r;
    return f32_mad(z * r, POLY2(f32_mad, z, -0.166666647f, 0.00833274804f, -0.000195878405f), r);
}

INLINE float f32_cos_part(float r) {
    float z = r * r;
    return f32_mad(z * z, POLY2(f32_mad, z, 0.0416666647f, -0.00138883028f, 2.45478916e-05f), f32_mad(-0.5f, z, 1));
}

INLINE float f32_quadrant(uint32_t n, float sine, float cosine) {
    uint32_t odd = 0 - (n & 1);
    return f32_from(((f32_bits(cosine) & odd) | (f32_bits(sine) & ~odd)) ^ (n & 2) << 30);
}

INLINE float f32_tangent(uint32_t n, double r) {
    double z = r * r, p = POLY3(f64_mad, z, -0.16666666663853044, 0.008333331873837089, -0.00019840086263755443,
                                2.7249864655139585e-06);
    double c = f64_mad(
        z * z,
        POLY3(f64_mad, z, 0.04166666666431933, -0.0013888887671288108, 2.480059998353171e-05, -2.7300908167996537e-07),
        1 - 0.5 * z);
    return (float)f64_tangent(n, f64_mad(z * r, p, r), c);
}

#define TRIG_F32(name, result)                                  \
    INLINE float f32_##name##_noting(float x, uint32_t *wild) { \
        double r, low;                                          \
        uint32_t n;                                             \
        if (wild) {                                             \
            *wild |= m_fabsf(x) > (float)TAME_F64;              \
            n = f32_reduce(x, &r);                              \
        } else if (m_fabsf(x) > (float)TAME_F64) {              \
            if (m_fabsf(x) == INFINITY) return NAN;             \
            n = (uint32_t)f64_reduce_wild((double)x, &r, &low); \
        } else {                                                \
            n = f32_reduce(x, &r);                              \
        }                                                       \
        return result;                                          \
    }                                                           \
    INLINE float m_##name##f(float x) { return f32_##name##_noting(x, NULL); }
TRIG_F32(sin, m_fabsf(x) < 0x1p-12f ? x : f32_quadrant(n, f32_sin_part((float)r), f32_cos_part((float)r)))
TRIG_F32(cos, f32_quadrant(n + 1, f32_sin_part((float)r), f32_cos_part((float)r)))
TRIG_F32(tan, m_fabsf(x) < 0x1p-12f ? x : f32_tangent(n, r))

/* Near 0 a series; beyond, 1 − e^(−a q(a)), where a q(a) = −ln erfc a. */
INLINE float m_erff(float x) {
    uint32_t k;
    float a = m_fabsf(x), z = x * x, n;
    float near = f32_mad(x,
                         POLY6(f32_mad, z, 0.128379167f, -0.376126364f, 0.112837382f, -0.0268618926f, 0.00520757325f,
                               -0.000822129018f, 8.72240447e-05f),
                         x);
    float c = a > 4 ? 4 : a, q = POLY8(f32_mad, c, 1.12868567f, 0.635028633f, 0.106356341f, -0.0237369799f, 0.00351371469f,
                                       -0.000223700399f, -2.36038329e-05f, 5.73689615e-06f, -3.37892875e-07f);
    float r = f32_reduce_exp(-c * q, &n, &k);
    float far = f32_mad(-f32_exp_near(r), f32_from((k - 256 + 127) << 23), 1);
    return a < 0.86f ? near : f32_sign(far, x);
}

/* In doubles, of the same name; more of them are rows D1 and D2 of elementwise.def. These lose a tenth or more there. */
#define BY_F64(name) \
    INLINE float m_##name##f(float x) { return (float)m_##name((double)x); }
BY_F64(sinh)
BY_F64(asinh)
BY_F64(acosh)
BY_F64(atanh)
#undef BY_F64

INLINE float m_hypotf(float a, float b) {
    double x = (double)a, y = (double)b, r = m_sqrt(f64_mad(x, x, y * y));
    return m_fabsf(a) == INFINITY || m_fabsf(b) == INFINITY ? INFINITY : (float)r;
}

#endif
