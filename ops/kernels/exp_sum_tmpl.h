/* exp_sum_tmpl.h: Σ e^(x − m) along a line, for softmax and cross-entropy. Given: T, NAME(x), F(function).
 *
 *     x ─ 256 elements ─▶ e^(x − m) in vectors ─▶ out, if wanted, else a tile
 *                                     └─▶ sixteen interleaved sums in double
 *
 * m is the largest element, so exp never overflows. The order of additions depends on n alone: lines shorter than the lanes,
 * a few classes or heads, are added up one by one. */

enum { NAME(TILE) = 256, NAME(LANES) = 16 };

static T NAME(largest)(const T *x, int64_t n) {
    T lane[NAME(LANES)], m = -(T)INFINITY;
    int64_t i = 0;
    if (n < NAME(LANES)) {
        for (; i < n; i++) m = x[i] > m ? x[i] : m;
        return m;
    }
    for (int k = 0; k < NAME(LANES); k++) lane[k] = m;
    for (; i + NAME(LANES) <= n; i += NAME(LANES)) {
        for (int k = 0; k < NAME(LANES); k++) lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
    }
    for (; i < n; i++) m = x[i] > m ? x[i] : m;
    for (int k = 0; k < NAME(LANES); k++) m = lane[k] > m ? lane[k] : m;
    return m;
}

/* Σ x y, or Σ x without y */
INLINE double NAME(dot)(const T *x, const T *y, int64_t n) {
    double lane[NAME(LANES)] = {0}, few = 0;
    int64_t i = 0;
    if (n < NAME(LANES)) {
        for (; i < n; i++) few += (double)x[i] * (y ? (double)y[i] : 1);
        return few;
    }
    for (; i + NAME(LANES) <= n; i += NAME(LANES)) {
        for (int k = 0; k < NAME(LANES); k++) lane[k] += (double)x[i + k] * (y ? (double)y[i + k] : 1);
    }
    for (int k = 0; i < n; i++, k++) lane[k] += (double)x[i] * (y ? (double)y[i] : 1);
    for (int width = NAME(LANES) / 2; width; width /= 2) {
        for (int k = 0; k < width; k++) lane[k] += lane[k + width];
    }
    return lane[0];
}

static double NAME(sum)(const T *x, int64_t n) { return NAME(dot)(x, NULL, n); }

/* y[i] = e^(x[i] − m). y is x, or apart from it. */
static __attribute__((noinline)) void NAME(exp_tile)(const T *x, int64_t n, T m, T *y) {
    INDEPENDENT for (int64_t i = 0; i < n; i++) y[i] = F(exp)(x[i] - m);
}

static double NAME(exp_sum)(const T *x, int64_t n, T m, T *out) {
    T tile[NAME(TILE)];
    double s = 0;
    for (int64_t i = 0; i < n; i += NAME(TILE)) {
        int64_t count = n - i < NAME(TILE) ? n - i : NAME(TILE);
        T *e = out ? out + i : tile;
        NAME(exp_tile)(x + i, count, m, e);
        s += NAME(sum)(e, count);
    }
    return s;
}

/* Lines shorter than the lanes, a few classes or heads, would leave most of a vector empty alone: they go through exp a tile
 * at a time. Their numbers are the same either way. Of other lines, one at a time. */
INLINE int64_t NAME(lines_at_once)(int64_t n) { return n < NAME(LANES) ? NAME(TILE) / n : 1; }

/* Of that many short lines: each one's largest element m, e^(x − m), and Σ e^(x − m) */
static void NAME(exp_short)(const T *x, int64_t lines, int64_t n, T *most, T *e, double *sum) {
    for (int64_t i = 0; i < lines; i++) {
        most[i] = NAME(largest)(x + i * n, n);
        for (int64_t j = 0; j < n; j++) e[i * n + j] = x[i * n + j] - most[i];
    }
    NAME(exp_tile)(e, lines * n, 0, e);
    for (int64_t i = 0; i < lines; i++) sum[i] = NAME(sum)(e + i * n, n);
}
