/* others_tmpl.h: the product of all elements of a column but one, for each. Given: T, STATE (what products run in) and NAME.
 * n rows, `step` elements apart, of `width` ≤ SCAN_TILE columns, each times its element of the row `scale`, or 1 if that is NULL. */
static void NAME(const void *scale, const void *in, int64_t n, int64_t step, int64_t width, void *out) {
    const T *x = in, *g = scale;
    T *y = out;
    STATE run[SCAN_TILE], state = 1;
    if (width == 1) { /* the state stays in a register */
        for (int64_t k = 0; k < n; k++, x += step, y += step) {
            *y = (T)state;
            state *= (STATE)*x;
        }
        state = g ? (STATE)*g : 1;
        for (int64_t k = 0; k < n; k++) {
            x -= step;
            y -= step;
            *y = (T)((STATE)*y * state);
            state *= (STATE)*x;
        }
        return;
    }
    for (int64_t j = 0; j < width; j++) run[j] = 1;
    for (int64_t k = 0; k < n; k++) {
        for (int64_t j = 0; j < width; j++) {
            y[k * step + j] = (T)run[j];
            run[j] *= (STATE)x[k * step + j];
        }
    }
    for (int64_t j = 0; j < width; j++) run[j] = g ? (STATE)g[j] : 1;
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
