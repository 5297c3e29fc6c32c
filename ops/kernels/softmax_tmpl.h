/* softmax_tmpl.h: softmax, log-softmax and their gradients along lines of n elements, one after the other, and the sums that
 * logsumexp starts from, for one type.
 * After exp_sum_tmpl.h. Given: T, NAME(x) and F(function). Sums are taken in double. */

/* One line, and as many short ones as make a tile. */
typedef void NAME(line)(const T *a, const T *b, int64_t n, T *y);
typedef void NAME(short_lines)(const T *a, int64_t lines, int64_t n, T *y);

/* One by one, or by tiles where they are short and that is worth while. */
static void NAME(lines)(const void *in, const void *other, int64_t lines, int64_t n, void *out, NAME(line) * line,
                        NAME(short_lines) * tile) {
    const T *a = in, *b = other;
    T *y = out;
    int64_t some = tile ? NAME(lines_at_once)(n) : 1;
    for (int64_t i = 0; i < lines; i += some) {
        int64_t at = i * n;
        if (some > 1) tile(a + at, lines - i < some ? lines - i : some, n, y + at);
        else line(a + at, b + at, n, y + at);
    }
}

static void NAME(softmax_line)(const T *x, const T *unused, int64_t n, T *y) {
    T s = (T)NAME(exp_sum)(x, n, NAME(largest)(x, n), y);
    (void)unused;
    for (int64_t i = 0; i < n; i++) y[i] /= s;
}

static void NAME(softmax_tile)(const T *x, int64_t lines, int64_t n, T *y) {
    T most[NAME(TILE)];
    double sum[NAME(TILE)];
    NAME(exp_short)(x, lines, n, most, y, sum);
    for (int64_t k = 0; k < lines; k++) {
        for (int64_t j = 0; j < n; j++) y[k * n + j] /= (T)sum[k];
    }
}

static void NAME(log_softmax_line)(const T *x, const T *unused, int64_t n, T *y) {
    T m = NAME(largest)(x, n), l = (T)m_log(NAME(exp_sum)(x, n, m, NULL));
    (void)unused;
    for (int64_t i = 0; i < n; i++) y[i] = x[i] - m - l;
}

static void NAME(log_softmax_tile)(const T *x, int64_t lines, int64_t n, T *y) {
    T most[NAME(TILE)], tile[NAME(TILE)];
    double sum[NAME(TILE)];
    NAME(exp_short)(x, lines, n, most, tile, sum);
    for (int64_t k = 0; k < lines; k++) sum[k] = m_log(sum[k]);
    for (int64_t k = 0; k < lines; k++) {
        for (int64_t j = 0; j < n; j++) y[k * n + j] = x[k * n + j] - most[k] - (T)sum[k];
    }
}

static void NAME(softmax_grad_line)(const T *g, const T *y, int64_t n, T *d) {
    T s = (T)NAME(dot)(g, y, n);
    for (int64_t i = 0; i < n; i++) d[i] = y[i] * (g[i] - s);
}

static void NAME(log_softmax_grad_line)(const T *g, const T *y, int64_t n, T *d) {
    T s = (T)NAME(sum)(g, n), tile[NAME(TILE)];
    for (int64_t i = 0; i < n; i += NAME(TILE)) {
        int64_t count = n - i < NAME(TILE) ? n - i : NAME(TILE);
        NAME(exp_tile)(y + i, count, 0, tile);
        for (int64_t j = 0; j < count; j++) d[i + j] = g[i + j] - tile[j] * s;
    }
}

#define LINES(name, tile)                                                                       \
    static void NAME(name)(const void *a, const void *b, int64_t lines, int64_t n, void *out) { \
        NAME(lines)(a, b, lines, n, out, NAME(name##_line), tile);                              \
    }
LINES(softmax, NAME(softmax_tile))
LINES(log_softmax, NAME(log_softmax_tile))
LINES(softmax_grad, NULL)
LINES(log_softmax_grad, NULL)
#undef LINES

static void NAME(log_sum)(const void *in, int64_t n, int64_t stride, int64_t width, double *most, double *sum) {
    const T *x = in;
    T m[AG__LOG_SUM_TILE], s[AG__LOG_SUM_TILE];
    if (stride == 1) {
        m[0] = NAME(largest)(x, n);
        most[0] = (double)m[0];
        sum[0] = NAME(exp_sum)(x, n, m[0] - m[0] == 0 ? m[0] : 0, NULL);
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
