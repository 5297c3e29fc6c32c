/* best_tmpl.h: the place of the best element, for one type. Given: T, NAME(x), IS_NAN(x) and BETTER(x, m): does x beat m, which
 * came first? NaN beats all numbers. */

/* Rows `step` elements apart, of `width` ≤ AG__BEST_TILE columns: where each column's best is. */
static void NAME(place)(const void *in, int64_t n, int64_t step, int64_t width, int64_t *place) {
    const T *x = in;
    T best[AG__BEST_TILE];
    for (int64_t j = 0; j < width; j++) {
        best[j] = x[j];
        place[j] = 0;
    }
    for (int64_t k = 1; k < n; k++) {
        x += step;
        for (int64_t j = 0; j < width; j++) {
            int better = BETTER(x[j], best[j]);
            best[j] = better ? x[j] : best[j];
            place[j] = better ? k : place[j];
        }
    }
}

/* Running bests: values and places of each column so far; the latest of those that tie, as PyTorch's cummax says. */
static void NAME(running)(const void *in, int64_t n, int64_t step, int64_t width, void *value, int64_t *place) {
    const T *x = in;
    T best[AG__BEST_TILE], *y = value;
    int64_t at[AG__BEST_TILE];
    for (int64_t j = 0; j < width; j++) {
        best[j] = x[j];
        at[j] = 0;
    }
    for (int64_t k = 0; k < n; k++) {
        for (int64_t j = 0; j < width; j++) {
            T v = x[k * step + j];
            int better = !(BETTER(best[j], v));
            best[j] = better ? v : best[j];
            at[j] = better ? k : at[j];
            y[k * step + j] = best[j];
            place[k * step + j] = at[j];
        }
    }
}

/* The first of n neighbours that equals m, or, if m is NaN, is NaN; one does. */
static int64_t NAME(find)(const void *in, int64_t n, const void *wanted) {
    enum { STRIDE = 64 };
    const T *x = in, m = *(const T *)wanted;
    int64_t i = 0;
    for (; i + STRIDE <= n; i += STRIDE) {
        int found = 0;
        for (int k = 0; k < STRIDE; k++) found |= x[i + k] == m || (IS_NAN(m) && IS_NAN(x[i + k]));
        if (found) break;
    }
    while (i + 1 < n && !(x[i] == m || (IS_NAN(m) && IS_NAN(x[i])))) i++;
    return i;
}

#undef T
#undef NAME
#undef IS_NAN
#undef BETTER
