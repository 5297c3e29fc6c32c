/* math_normal.h: Φ, the normal distribution function, far below 0 too: erfc of a float, and gelu and its slope.
 *
 *     Φ(−a) = e^(−a²/2) R(a)        erfc x = 2 Φ(−√2 x)        gelu x = x Φ(x)        gelu′ x = Φ(x) + x φ(x)
 *
 * For a of some size both factors need care: e^(−a²/2) magnifies what rounding takes from its argument by a², so that the
 * square enters unrounded; and 1 + erf would cancel, so that Φ is worked out on the side where it is small. Over all floats
 * erfc and gelu are off by at most 2.4 units in the last place, without FMA by 2.8 and 3.4. */
#ifndef OPS_KERNELS_MATH_NORMAL_H
#define OPS_KERNELS_MATH_NORMAL_H

#include "ops/kernels/math_f32.h"

/* a b + c, rounded once */
INLINE float f32_exactly(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return f32_mad(a, b, c);
#else
    return (float)((double)a * (double)b + (double)c);
#endif
}

/* t and s with e^(−h a²) = 2⁻⁶⁴ s (1 + t), h = 1 or ½, a ≤ LAST(h): s = 2^(n + 64), and 0 at LAST, where n = −191.
 *     −h a² = n ln 2 − h r, |h r| ≤ ½ ln 2        t = e^(−h r) − 1 */
#define LAST(h) ((h) == 1 ? 11.506f : 16.272f)
INLINE float f32_exp_square(float a, float h, float *s) {
    const float shift = 0x1.8p23f + 64 + 127, g = 1 / h;
    float u = f32_mad(a * a, h * -0x1.715476p0f, shift), n = u - shift;
    float r = f32_mad(n, g * 0x1.7f7d1cp-20f, f32_exactly(a, a, n * (g * 0x1.62e4p-1f)));
    float q = r * r, third = f32_mad(r, -h * h * h * 0.16666577f, h * h * 0.5f);
    float fifth = f32_mad(r, -h * h * h * h * h * 0.00836318503f, h * h * h * h * 0.0416665546f);
    *s = f32_from(f32_bits(u) << 23);
    return f32_mad(q, f32_mad(q, f32_mad(q, h * h * h * h * h * h * 0.00139261911f, fifth), third), -h * r);
}

/* Where a is near 0, a < BORDER, R(a) / 2⁶⁴ in v = a − MIDDLE; beyond, a R(a) / 2⁶⁴ in v = 1 / a, up to a = 14.6: the power may then
 * be as small as 2^−150. Least squares of the relative error, 2^−27.4 and 2^−26.3 at most: the coefficients were rounded one after
 * the other and the rest fitted again, those beyond with a small weight on their own squares, for the best ones are large and
 * cancel. R(MIDDLE) is a float but for 2^−33. *lost: what rounding took from the last sum. */
#define MIDDLE 0.861328125f
#define BORDER 1.8f
#define EITHER(close, beyond) (0x1p-64f * (near ? close : beyond))
INLINE float f32_mills(float v, bool near, float *lost) {
    float first = EITHER(0.281891614f, 0.398947418f);
    float rest = POLY9(f32_mad, v, EITHER(-0.156141117f, -0.000272694131f), EITHER(0.0737014264f, -0.392898768f),
                       EITHER(-0.0308864061f, -0.0726509541f), EITHER(0.0117746992f, 1.70346618f),
                       EITHER(-0.00415064581f, -1.91132212f), EITHER(0.00136600784f, -4.19934225f),
                       EITHER(-0.000419929624f, 16.1397533f), EITHER(0.00012597641f, -22.9852409f),
                       EITHER(-4.08832093e-05f, 16.3895779f), EITHER(9.78842945e-06f, -4.85450077f));
    float p = f32_mad(v, rest, first);
    *lost = f32_mad(v, rest, first - p);
    return p;
}

/* With what rounding took from p, from w and, beyond BORDER, from v = 1 / (√2 a), where 1 / √2 = 0.7071067… + 1.2e-8 */
INLINE float m_erfcf(float x) {
    float a = m_fabsf(x), c = a > LAST(1) ? LAST(1) : a, s, low;
    bool near = a < 0.707106781f * BORDER;
    float v = near ? f32_mad(c, 1.41421356f, -MIDDLE) : 0.707106781f / c, k = near ? 2 : 2 * v;
    float p = f32_mills(v, near, &low), w = p * k, lost = f32_mad(low, k, f32_exactly(p, k, -w));
    float lack = f32_exactly(-v, c, 0.707106781f) + 1.2e-8f, rest = near ? lost : f32_mad(1.41421356f * w, lack, lost);
    float t = f32_exp_square(c, 1, &s), y = (w + f32_mad(w, t, rest)) * s;
    return x < 0 ? 2 - y : y;
}

/* −a Φ(−a) for x = −a, and x − a Φ(−a) for x = a; 0 x, so that −∞ gives the NaN that x Φ(x) is there */
INLINE float m_geluf(float x) {
    float a = m_fabsf(x), c = a < LAST(0.5f) ? a : LAST(0.5f), s, low;
    bool near = a < BORDER;
    float p = f32_mills(near ? a - MIDDLE : 1 / a, near, &low), t = f32_exp_square(c, 0.5f, &s);
    float y = f32_mad(p, t, p) * s;
    return (x < 0 ? 0 * x : x) - (near ? a : 1) * y;
}

/* y = e^(−a²/2) (R(a) − a / √(2π)) for x = −a, and 1 − y for x = a */
INLINE float m_gelu_slopef(float x) {
    float a = m_fabsf(x), c = a < LAST(0.5f) ? a : LAST(0.5f), s, low;
    bool near = a < BORDER;
    float v = near ? a - MIDDLE : 1 / a;
    float w = f32_mad(a, -0x1p-64f * 0.398942280f, f32_mills(v, near, &low) * (near ? 1 : v));
    float t = f32_exp_square(c, 0.5f, &s), y = f32_mad(w, t, w) * s;
    return x < 0 ? y : 1 - y;
}
#undef MIDDLE
#undef BORDER
#undef EITHER
#undef LAST

/* erfc(m / √2) / 2^(k − 2048), 0 ≤ m. Far out erfc magnifies the rounding of its argument z by 2 z², so that what was rounded off,
 * e, is put back to first order: erfc(z + e) ≈ erfc(z) (1 − 2 z e). */
INLINE double f64_normal_tail(double m, uint64_t *k) {
    double low, z = f64_product(m, 0x1.6a09e667f3bcdp-1, &low), e = f64_mad(m, -0x1.bdd3413b26456p-55, low);
    double v = f64_erfc_scaled(z, k);
    return v - v * (2 * z * e);
}

/* As in floats; beyond 40 all digits are 0 or 1. */
INLINE double m_gelu(double x) {
    uint64_t k;
    double a = m_fabs(x), m = a > 40 ? 40 : a, v = f64_normal_tail(m, &k);
    return (x < 0 ? 0 * x : x) - f64_times_power(0.5 * m * v, k);
}

/* Φ(−m) − m φ(m), φ with what m² rounds off */
INLINE double m_gelu_slope(double x) {
    uint64_t k;
    double a = m_fabs(x), m = a > 40 ? 40 : a, v = f64_normal_tail(m, &k), low, square = f64_product(m, m, &low);
    double bell = m_exp(-0.5 * square), slope = a * ((bell - bell * (0.5 * low)) * 0.39894228040143268);
    double y = f64_times_power(0.5 * v, k) - slope;
    return x < 0 ? y : 1 - y;
}

#endif
