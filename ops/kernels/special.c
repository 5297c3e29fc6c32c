/* special.c: the table of special.h. */
#include "ops/kernels/kernels.h"

/* One copy of what is called in several places. */
#define APART static __attribute__((noinline))

#include "ops/kernels/special_bessel.h"
#include "ops/kernels/special_gamma.h"
#include "ops/kernels/special_normal.h"

#define EACH(T, type)                                                                                       \
    static void each1_##type(int64_t count, const void *const in[], void *out, double n, ag__special1 *f) { \
        const T *x = in[0];                                                                                 \
        T *y = out;                                                                                         \
        for (int64_t i = 0; i < count; i++) y[i] = (T)f((double)x[i], n);                                   \
    }                                                                                                       \
    static void each2_##type(int64_t count, const void *const in[], void *out, double n, ag__special2 *f) { \
        const T *a = in[0], *b = in[1];                                                                     \
        T *y = out;                                                                                         \
        for (int64_t i = 0; i < count; i++) y[i] = (T)f((double)a[i], (double)b[i], n);                     \
    }
EACH(float, f32)
EACH(double, f64)

static double special_digamma(double x, double n) { return (void)n, m_digamma(x); }
static double special_lgamma(double x, double n) { return (void)n, m_lgamma(x); }

/* The float or double next to a on the way to b */
static double neighbour(double a, double b, double n) {
    return n == sizeof(float) ? (double)nextafterf((float)a, (float)b) : nextafter(a, b);
}

const ag__special TABLE(special) = {
    each1_f32,      each1_f64, each2_f32, each2_f64, special_digamma, m_polygamma, special_lgamma, m_iv,      m_ive,
    m_spherical_jn, m_jv,      m_yv,      m_erfinv,  m_ierfcx,        m_log_ndtr,  m_ndtri,        neighbour,
};
