/* softmax_tmpl.h: softmax, log-softmax and their gradients along neighbouring lines of n elements, `step` apart, and the sums
 * that logsumexp starts from, for one type.
 * Given: T, NAME(x) and F(function). Sums are taken in double. */
#include "ops/kernels/exp_sum_tmpl.h"

static void NAME(softmax_line)(const T *x, int64_t n, int64_t step, T *y) {
    T s = (T)NAME(exp_sum)(x, n, step, NAME(largest)(x, n, step), y);
    if (step == 1) {
        for (int64_t i = 0; i < n; i++) y[i] /= s;
    } else {
        for (int64_t i = 0; i < n; i++) y[i * step] /= s;
    }
}

static void NAME(softmax)(const void *in, const void *unused, int64_t lines, int64_t n, int64_t step, void *out) {
    const T *x = in;
    T *y = out, most[NAME(TILE)];
    double sum[NAME(TILE)];
    int64_t some = NAME(lines_at_once)(n, step), next = step == 1 ? n : 1;
    (void)unused;
    for (int64_t i = 0; i < lines; i += some) {
        int64_t count = lines - i < some ? lines - i : some;
        if (some == 1) {
            NAME(softmax_line)(x + i * next, n, step, y + i * next);
            continue;
        }
        NAME(exp_short)(x + i * n, count, n, most, y + i * n, sum);
        for (int64_t k = 0; k < count; k++) {
            for (int64_t j = 0; j < n; j++) y[(i + k) * n + j] /= (T)sum[k];
        }
    }
}

static void NAME(log_softmax_line)(const T *x, int64_t n, int64_t step, T *y) {
    T m = NAME(largest)(x, n, step), l = (T)m_log(NAME(exp_sum)(x, n, step, m, NULL));
    if (step == 1) {
        for (int64_t i = 0; i < n; i++) y[i] = x[i] - m - l;
    } else {
        for (int64_t i = 0; i < n; i++) y[i * step] = x[i * step] - m - l;
    }
}

static void NAME(log_softmax)(const void *in, const void *unused, int64_t lines, int64_t n, int64_t step, void *out) {
    const T *x = in;
    T *y = out, most[NAME(TILE)], tile[NAME(TILE)];
    double sum[NAME(TILE)];
    int64_t some = NAME(lines_at_once)(n, step), next = step == 1 ? n : 1;
    (void)unused;
    for (int64_t i = 0; i < lines; i += some) {
        int64_t count = lines - i < some ? lines - i : some;
        if (some == 1) {
            NAME(log_softmax_line)(x + i * next, n, step, y + i * next);
            continue;
        }
        NAME(exp_short)(x + i * n, count, n, most, tile, sum);
        for (int64_t k = 0; k < count; k++) sum[k] = m_log(sum[k]);
        for (int64_t k = 0; k < count; k++) {
            for (int64_t j = 0; j < n; j++) y[(i + k) * n + j] = x[(i + k) * n + j] - most[k] - (T)sum[k];
        }
    }
}

static void NAME(softmax_grad_line)(const T *g, const T *y, int64_t n, int64_t step, T *d) {
    T s = (T)NAME(dot)(g, y, n, step);
    if (step == 1) {
        for (int64_t i = 0; i < n; i++) d[i] = y[i] * (g[i] - s);
    } else {
        for (int64_t i = 0; i < n; i++) d[i * step] = y[i * step] * (g[i * step] - s);
    }
}

static void NAME(softmax_grad)(const void *g, const void *y, int64_t lines, int64_t n, int64_t step, void *d) {
    int64_t next = step == 1 ? n : 1;
    for (int64_t i = 0; i < lines * next; i += next) {
        NAME(softmax_grad_line)((const T *)g + i, (const T *)y + i, n, step, (T *)d + i);
    }
}

static void NAME(log_softmax_grad_line)(const T *g, const T *y, int64_t n, int64_t step, T *d) {
    T s = (T)NAME(sum)(g, n, step), tile[NAME(TILE)];
    for (int64_t i = 0; i < n; i += NAME(TILE)) {
        int64_t count = n - i < NAME(TILE) ? n - i : NAME(TILE), at = i * step;
        NAME(exp_tile)(y + at, count, step, 0, tile);
        for (int64_t j = 0; j < count; j++) d[at + j * step] = g[at + j * step] - tile[j] * s;
    }
}

static void NAME(log_softmax_grad)(const void *g, const void *y, int64_t lines, int64_t n, int64_t step, void *d) {
    int64_t next = step == 1 ? n : 1;
    for (int64_t i = 0; i < lines * next; i += next) {
        NAME(log_softmax_grad_line)((const T *)g + i, (const T *)y + i, n, step, (T *)d + i);
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
