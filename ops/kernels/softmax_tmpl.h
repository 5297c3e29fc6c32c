/* softmax_tmpl.h: softmax, log-softmax and their gradients along one line of n elements, `step` apart, for one type.
 * Given: T, NAME(x) and EXP(x). The largest element is subtracted first, so exp never overflows; sums are taken in double. */

static T NAME(largest)(const T *x, int64_t n, int64_t step) {
    T m = (T)-INFINITY;
    for (int64_t i = 0; i < n; i++) m = x[i * step] > m ? x[i * step] : m;
    return m;
}

static void NAME(softmax)(const void *in, const void *unused, int64_t n, int64_t step, void *out) {
    const T *x = in;
    T *y = out, m = NAME(largest)(x, n, step);
    double s = 0;
    (void)unused;
    for (int64_t i = 0; i < n; i++) {
        y[i * step] = EXP(x[i * step] - m);
        s += (double)y[i * step];
    }
    for (int64_t i = 0; i < n; i++) y[i * step] /= (T)s;
}

static void NAME(log_softmax)(const void *in, const void *unused, int64_t n, int64_t step, void *out) {
    const T *x = in;
    T *y = out, m = NAME(largest)(x, n, step);
    double s = 0;
    (void)unused;
    for (int64_t i = 0; i < n; i++) s += (double)EXP(x[i * step] - m);
    T l = (T)log(s);
    for (int64_t i = 0; i < n; i++) y[i * step] = x[i * step] - m - l;
}

static void NAME(softmax_grad)(const void *gradient, const void *value, int64_t n, int64_t step, void *out) {
    const T *g = gradient, *y = value;
    T *d = out;
    double s = 0;
    for (int64_t i = 0; i < n; i++) s += (double)g[i * step] * (double)y[i * step];
    for (int64_t i = 0; i < n; i++) d[i * step] = y[i * step] * (g[i * step] - (T)s);
}

static void NAME(log_softmax_grad)(const void *gradient, const void *value, int64_t n, int64_t step, void *out) {
    const T *g = gradient, *y = value;
    T *d = out;
    double s = 0;
    for (int64_t i = 0; i < n; i++) s += (double)g[i * step];
    for (int64_t i = 0; i < n; i++) d[i * step] = g[i * step] - EXP(y[i * step]) * (T)s;
}

#undef T
#undef NAME
#undef EXP
