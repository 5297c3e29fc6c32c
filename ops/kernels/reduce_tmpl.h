/* reduce_tmpl.h: a fold of many elements into one, for one type. Given: T, NAME(x), IDENTITY and COMBINE(a, b).
 *
 * Elements are combined in a tree that depends on their number alone: eight at a time in a balanced tree, the eights in turn.
 * The caller folds pieces of bounded length and then the results, so rounding errors grow with the logarithm of the number. */

#define FOLD8(x, by)                                                                  \
    COMBINE(COMBINE(COMBINE((x)[0], (x)[by]), COMBINE((x)[2 * (by)], (x)[3 * (by)])), \
            COMBINE(COMBINE((x)[4 * (by)], (x)[5 * (by)]), COMBINE((x)[6 * (by)], (x)[7 * (by)])))

/* The lines that are read 4 KB later: processors look ahead within a page only. */
#define AHEAD(x, n) \
    for (size_t b = 0; b < (n) * sizeof *(x); b += 64) __builtin_prefetch((const char *)(x) + 4096 + b);

/* out[j] = x[0][j] ∘ … ∘ x[n−1][j] for j < width, rows `stride` elements apart. */
static void NAME(columns)(const T *x, int64_t n, int64_t stride, int64_t width, T *restrict out) {
    int64_t i = 0;
    for (int64_t j = 0; j < width; j++) out[j] = IDENTITY;
    for (; i + 8 <= n; i += 8, x += 8 * stride) {
        for (int64_t j = 0; j < width; j++) out[j] = COMBINE(out[j], FOLD8(x + j, stride));
    }
    for (; i < n; i++, x += stride) {
        for (int64_t j = 0; j < width; j++) out[j] = COMBINE(out[j], x[j]);
    }
}

/* x[0] ∘ … ∘ x[n−1] of neighbours: sixteen interleaved lanes, so that the loops run in vectors. */
static T NAME(row)(const T *x, int64_t n) {
    enum { LANES = 16 };
    T lane[LANES], all = IDENTITY;
    int64_t i = 0;
    if (n >= LANES) {
        for (int k = 0; k < LANES; k++) lane[k] = IDENTITY;
        for (; i + 8 * LANES <= n; i += 8 * LANES) {
            AHEAD(x + i, 8 * LANES)
            for (int k = 0; k < LANES; k++) lane[k] = COMBINE(lane[k], FOLD8(x + i + k, LANES));
        }
        for (; i + LANES <= n; i += LANES) {
            for (int k = 0; k < LANES; k++) lane[k] = COMBINE(lane[k], x[i + k]);
        }
        for (int w = LANES / 2; w; w /= 2) {
            for (int k = 0; k < w; k++) lane[k] = COMBINE(lane[k], lane[k + w]);
        }
        all = lane[0];
    }
    for (; i < n; i++) all = COMBINE(all, x[i]);
    return all;
}

static void NAME(fold)(const void *x, int64_t n, int64_t stride, int64_t width, void *out) {
    if (stride == 1) {
        *(T *)out = NAME(row)(x, n);
    } else {
        NAME(columns)(x, n, stride, width, out);
    }
}

#undef FOLD8
#undef AHEAD
#undef T
#undef NAME
#undef IDENTITY
#undef COMBINE
