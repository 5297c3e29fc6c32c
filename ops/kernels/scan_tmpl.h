/* scan_tmpl.h: a running state along an axis, for one type. Given: T, NAME, STATE, FIRST(x) and NEXT(s, a, x), the state after
 * one more element x, with a its coefficient (linear scans). T comes from the state by a cast.
 *
 *     n rows, `step` elements apart (negative: from the end), of `width` elements, at most SCAN_TILE; a: the coefficients of
 *     the second row */
static void NAME(const void *coefficients, const void *in, int64_t n, int64_t step, int64_t width, void *out) {
    const T *a = coefficients, *x = in;
    T *y = out;
    STATE state[SCAN_TILE];
    (void)a;
    if (width == 1) {
        STATE s = FIRST(x[0]);
        y[0] = (T)s;
        for (int64_t k = 1; k < n; k++) {
            s = NEXT(s, a[(k - 1) * step], x[k * step]);
            y[k * step] = (T)s;
        }
        return;
    }
    for (int64_t j = 0; j < width; j++) {
        state[j] = FIRST(x[j]);
        y[j] = (T)state[j];
    }
    for (int64_t k = 1; k < n; k++, a += step) {
        x += step;
        y += step;
        for (int64_t j = 0; j < width; j++) {
            state[j] = NEXT(state[j], a[j], x[j]);
            y[j] = (T)state[j];
        }
    }
}

#undef T
#undef NAME
#undef STATE
#undef FIRST
#undef NEXT
