/* random.c: the fills of random.h: a batch of words, then a line of arithmetic on each.
 *
 * A word w stands for u = w 2⁻³², or for the middle u = (w/2 + ½) 2⁻³¹ of its interval where u must be neither 0 nor 1. Normal
 * numbers are Box and Muller's (1958): r = √(−2 ln u), φ = 2π v give two independent ones, r cos φ and r sin φ; their words are
 * 16 places apart. φ is never reduced: v in quarter turns is the word's first two bits and the signed rest. */
#include "ops/kernels/kernels.h"

#undef FMA /* one more rounding, the same everywhere */
#define FMA(a, b, c) ((a) * (b) + (c))

#include "ops/kernels/math_f32.h"
#include "ops/kernels/random_words.h"
#include "ops/kernels/special_quantile.h"

#define HALF_PI 1.57079632679489662

/* [0, 1) by 24 and by 53 bits */

INLINE float unit_f32(uint32_t w) { return (float)(int32_t)(w >> 8) * 0x1p-24f; }

INLINE double unit_f64(uint64_t w) { /* 52 bits and a last one */
    return f64_number(w >> 12, 0) * 0x1p-52 + f64_number(w >> 11 & 1, 0) * 0x1p-53;
}

static void uniform_f32(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out) {
    float *y = out, last = nextafterf((float)b, (float)a);
    for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n) {
        uint32_t w[BATCH * GROUP];
        n = GROUP * batch_words(d, first, groups, w);
        if (a == 0 && b == 1) {
            for (int64_t i = 0; i < n; i++) y[i] = unit_f32(w[i]);
        } else {
            for (int64_t i = 0; i < n; i++) {
                float v = (float)(a + (b - a) * (double)unit_f32(w[i]));
                y[i] = (double)v < b ? v : last;
            }
        }
    }
}

static void uniform_f64(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out) {
    double *y = out, last = nextafter(b, a);
    for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n) {
        uint64_t w[BATCH * GROUP];
        n = GROUP * batch_long_words(d, first, groups, w);
        for (int64_t i = 0; i < n; i++) {
            double v = a + (b - a) * unit_f64(w[i]);
            y[i] = v < b ? v : last;
        }
    }
}

/* −ln u. Where u is near 1, and a float has few digits of it, 1 − u has all of them. */

INLINE float minus_log_f32(uint32_t w) {
    float u = ((float)(int32_t)(w >> 1) + 0.5f) * 0x1p-31f, rest = ((float)(int32_t)(~w >> 1) + 0.5f) * 0x1p-31f;
    uint32_t k;
    float m = f32_mantissa(u, &k);
    return -f32_log_sum(k == 127 ? -rest : m - 1, (float)(int32_t)k - 127);
}

INLINE double minus_log_f64(uint64_t w) {
    uint64_t k;
    double m = f64_mantissa((f64_number(w >> 12, 0) + 0.5) * 0x1p-52, &k);
    return -f64_log_sum(m - 1, f64_number(k, 1023));
}

static void exponential_f32(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out) {
    float *y = out, rate = (float)a;
    (void)b;
    for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n) {
        uint32_t w[BATCH * GROUP];
        n = GROUP * batch_words(d, first, groups, w);
        for (int64_t i = 0; i < n; i++) y[i] = minus_log_f32(w[i]) / rate;
    }
}

static void exponential_f64(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out) {
    double *y = out;
    (void)b;
    for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n) {
        uint64_t w[BATCH * GROUP];
        n = GROUP * batch_long_words(d, first, groups, w);
        for (int64_t i = 0; i < n; i++) y[i] = minus_log_f64(w[i]) / a;
    }
}

/* Normal: words w and v give r cos φ and r sin φ */

INLINE void normal_pair_f32(uint32_t w, uint32_t v, float *x, float *y) {
    uint32_t n = (v + (UINT32_C(1) << 29)) >> 30;
    float angle = (float)(int32_t)(v << 2) * ((float)HALF_PI * 0x1p-32f), r = m_sqrtf(2 * minus_log_f32(w));
    float s = f32_sin_part(angle), c = f32_cos_part(angle);
    *x = r * f32_quadrant(n + 1, s, c);
    *y = r * f32_quadrant(n, s, c);
}

INLINE void normal_pair_f64(uint64_t w, uint64_t v, double *x, double *y) {
    uint64_t n = (v + (UINT64_C(1) << 61)) >> 62;
    double angle = f64_number((v << 2 ^ UINT64_C(1) << 63) >> 12, 0x1p51) * (HALF_PI * 0x1p-52);
    double r = m_sqrt(2 * minus_log_f64(w)), s = f64_sin_part(angle, 0), c = f64_cos_part(angle, 0);
    *x = r * f64_quadrant(n + 1, s, c);
    *y = r * f64_quadrant(n, s, c);
}

static void normal_f32(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out) {
    float *y = out, mean = (float)a, deviation = (float)b;
    for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n) {
        uint32_t w[BATCH * GROUP];
        n = GROUP * batch_words(d, first, groups, w);
        for (int64_t half = 0; half < n; half += 2 * BLOCKS) {
            for (int64_t i = half; i < half + BLOCKS; i++) {
                float z0, z1;
                normal_pair_f32(w[i], w[i + BLOCKS], &z0, &z1);
                y[i] = mean + deviation * z0;
                y[i + BLOCKS] = mean + deviation * z1;
            }
        }
    }
}

static void normal_f64(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out) {
    double *y = out;
    for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n) {
        uint64_t w[BATCH * GROUP];
        n = GROUP * batch_long_words(d, first, groups, w);
        for (int64_t half = 0; half < n; half += 2 * BLOCKS) {
            for (int64_t i = half; i < half + BLOCKS; i++) {
                double z0, z1;
                normal_pair_f64(w[i], w[i + BLOCKS], &z0, &z1);
                y[i] = a + b * z0;
                y[i + BLOCKS] = a + b * z1;
            }
        }
    }
}

/* Yes or no: by one word in either dtype, so that both say the same */

/* The least word that is no longer below p, to 2³², which no word is. */
static int64_t words_below(double p) { return (int64_t)ceil(p * 0x1p32); }

#define YES_OR_NO(T, name)                                                                                          \
    static void choose_##name(const ag__draw *d, int64_t first, int64_t groups, double p, T below, T above, T *y) { \
        const int64_t least = words_below(p);                                                                       \
        const uint32_t last = (uint32_t)(least - 1);                                                                \
        const T none = least ? below : above;                                                                       \
        for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n) {                                      \
            uint32_t w[BATCH * GROUP];                                                                              \
            n = GROUP * batch_words(d, first, groups, w);                                                           \
            for (int64_t i = 0; i < n; i++) y[i] = w[i] <= last ? none : above;                                     \
        }                                                                                                           \
    }                                                                                                               \
    static void mask_##name(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out) {      \
        choose_##name(d, first, groups, a, 0, (T)b, out);                                                           \
    }                                                                                                               \
    static void yes_##name(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out) {       \
        (void)b;                                                                                                    \
        choose_##name(d, first, groups, a, 1, 0, out);                                                              \
    }                                                                                                               \
    static void chance_##name(const ag__draw *d, int64_t first, int64_t groups, const void *in, void *out) {        \
        const T *p = in;                                                                                            \
        T *y = out;                                                                                                 \
        for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n, p += n) {                              \
            uint32_t w[BATCH * GROUP];                                                                              \
            n = GROUP * batch_words(d, first, groups, w);                                                           \
            for (int64_t i = 0; i < n; i++) y[i] = (double)w[i] * 0x1p-32 < (double)p[i] ? 1 : 0;                   \
        }                                                                                                           \
    }
YES_OR_NO(float, f32)
YES_OR_NO(double, f64)

/* Quantiles, in double, of words that both tails have as they are */
#define GAMMA(T, name, least, near)                                                                            \
    static void gamma_##name(const ag__draw *d, int64_t first, int64_t groups, const void *in, void *out) {    \
        const T *a = in;                                                                                       \
        T *y = out;                                                                                            \
        for (int64_t n; groups > 0; first += BATCH, groups -= BATCH, y += n, a += n) {                         \
            uint64_t w[BATCH * GROUP];                                                                         \
            n = GROUP * batch_long_words(d, first, groups, w);                                                 \
            for (int64_t i = 0; i < n; i++) {                                                                  \
                y[i] = (T)gamma_quantile((double)a[i], (f64_number(w[i] >> 12, 0) + 0.5) * 0x1p-52,            \
                                         (f64_number(~w[i] >> 12, 0) + 0.5) * 0x1p-52, (double)(least), near); \
            }                                                                                                  \
        }                                                                                                      \
    }
GAMMA(float, f32, FLT_MIN, 0.05)
GAMMA(double, f64, DBL_MIN, 0.01)

static void words(const ag__draw *d, int64_t first, int64_t groups, uint64_t *out) {
    for (; groups > 0; first += BATCH, groups -= BATCH, out += BATCH * GROUP) batch_long_words(d, first, groups, out);
}

const ag__random TABLE(random) = {
    .uniform = {uniform_f32, uniform_f64},
    .normal = {normal_f32, normal_f64},
    .exponential = {exponential_f32, exponential_f64},
    .mask = {mask_f32, mask_f64},
    .yes = {yes_f32, yes_f64},
    .chance = {chance_f32, chance_f64},
    .gamma = {gamma_f32, gamma_f64},
    .words = words,
};
