/* others_tmpl.h: the product of all elements of a column but one, for each. Given: T, STATE (what products run in) and NAME.
 * n rows, `step` elements apart, of `width` ≤ SCAN_TILE columns. */
static void NAME(const void *unused, const void *in, int64_t n, int64_t step, int64_t width, void *out) {
    const T *x = in;
    (void)unused;
    T *y = out;
    STATE run[SCAN_TILE];
    for (int64_t j = 0; j < width; j++) run[j] = 1;
    for (int64_t k = 0; k < n; k++) {
        for (int64_t j = 0; j < width; j++) {
            y[k * step + j] = (T)run[j];
            run[j] *= (STATE)x[k * step + j];
        }
    }
    for (int64_t j = 0; j < width; j++) run[j] = 1;
    for (int64_t k = n - 1; k >= 0; k--) {
        for (int64_t j = 0; j < width; j++) {
            y[k * step + j] = (T)((STATE)y[k * step + j] * run[j]);
            run[j] *= (STATE)x[k * step + j];
        }
    }
}

#undef T
#undef STATE
#undef NAME
