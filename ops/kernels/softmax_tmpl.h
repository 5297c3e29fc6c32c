/* softmax_tmpl.h: softmax, log-softmax and their gradients along one line of n elements, `step` apart, and the sums that
 * logsumexp starts from, for one type.
 * Given: T, NAME(x) and F(function). Sums are taken in double. */
#include "ops/kernels/exp_sum_tmpl.h"

static void NAME(softmax)(const void *in, const void *unused, int64_t n, int64_t step, void *out) {
    const T *x = in;
    T *y = out, s = (T)NAME(exp_sum)(x, n, step, NAME(largest)(x, n, step), y);
    (void)unused;
    if (step == 1) {
        for (int64_t i = 0; i < n; i++) y[i] /= s;
    } else {
        for (int64_t i = 0; i < n; i++) y[i * step] /= s;
    }
}

static void NAME(log_softmax)(const void *in, const void *unused, int64_t n, int64_t step, void *out) {
    const T *x = in;
    T *y = out, m = NAME(largest)(x, n, step), l = (T)m_log(NAME(exp_sum)(x, n, step, m, NULL));
    (void)unused;
    if (step == 1) {
        for (int64_t i = 0; i < n; i++) y[i] = x[i] - m - l;
    } else {
        for (int64_t i = 0; i < n; i++) y[i * step] = x[i * step] - m - l;
    }
}

static void NAME(softmax_grad)(const void *gradient, const void *value, int64_t n, int64_t step, void *out) {
    const T *g = gradient, *y = value;
    T *d = out, s = (T)NAME(dot)(g, y, n, step);
    if (step == 1) {
        for (int64_t i = 0; i < n; i++) d[i] = y[i] * (g[i] - s);
    } else {
        for (int64_t i = 0; i < n; i++) d[i * step] = y[i * step] * (g[i * step] - s);
    }
}

static void NAME(log_softmax_grad)(const void *gradient, const void *value, int64_t n, int64_t step, void *out) {
    const T *g = gradient, *y = value;
    T *d = out, s = (T)NAME(sum)(g, n, step), tile[NAME(TILE)];
    for (int64_t i = 0; i < n; i += NAME(TILE)) {
        int64_t count = n - i < NAME(TILE) ? n - i : NAME(TILE), at = i * step;
        NAME(exp_tile)(y + at, count, step, 0, tile);
        for (int64_t j = 0; j < count; j++) d[at + j * step] = g[at + j * step] - tile[j] * s;
    }
}

static void NAME(log_sum)(const void *in, int64_t n, int64_t stride, int64_t width, double *most, double *sum) {
    const T *x = in;
    T m[AG__LOG_SUM_TILE], s[AG__LOG_SUM_TILE];
    if (stride == 1) {
        m[0] = NAME(largest)(x, n, 1);
        most[0] = (double)m[0];
        sum[0] = NAME(exp_sum)(x, n, 1, m[0] - m[0] == 0 ? m[0] : 0, NULL);
        return;
    }
    for (int64_t j = 0; j < width; j++) m[j] = -(T)INFINITY;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < width; j++) m[j] = x[i * stride + j] > m[j] ? x[i * stride + j] : m[j];
    }
    for (int64_t j = 0; j < width; j++) {
        most[j] = (double)m[j];
        m[j] = m[j] - m[j] == 0 ? m[j] : 0;
        s[j] = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < width; j++) s[j] += F(exp)(x[i * stride + j] - m[j]);
    }
    for (int64_t j = 0; j < width; j++) sum[j] = (double)s[j];
}

#undef T
#undef NAME
#undef F
