/* cross_entropy_tmpl.h: the cross-entropy of rows of c logits, and its gradient, for one type.
 * After exp_sum_tmpl.h. Given: T, NAME(x) and F(function). */

/* ln Σ eˣ − x[label] of `rows` short rows, at most a tile */
static void NAME(loss_tile)(const T *x, int64_t rows, int64_t c, const int64_t *label, int64_t ignored, double *loss) {
    T tile[NAME(TILE)], most[NAME(TILE)];
    NAME(exp_short)(x, rows, c, most, tile, loss);
    for (int64_t i = 0; i < rows; i++) loss[i] = m_log(loss[i]);
    for (int64_t i = 0; i < rows; i++) {
        loss[i] = label[i] == ignored ? 0 : loss[i] - (double)(x[i * c + label[i]] - most[i]);
    }
}

static double NAME(loss_row)(const T *x, int64_t c, int64_t label) {
    T m = NAME(largest)(x, c);
    return m_log(NAME(exp_sum)(x, c, m, NULL)) - (double)(x[label] - m);
}

static void NAME(loss)(const void *in, int64_t rows, int64_t c, const int64_t *label, int64_t ignored, double *loss) {
    const T *x = in;
    int64_t some = NAME(lines_at_once)(c);
    for (int64_t i = 0; i < rows; i += some) {
        int64_t count = rows - i < some ? rows - i : some;
        if (some > 1) {
            NAME(loss_tile)(x + i * c, count, c, label + i, ignored, loss + i);
        } else {
            loss[i] = label[i] == ignored ? 0 : NAME(loss_row)(x + i * c, c, label[i]);
        }
    }
}

/* d = (eˣ / Σ eˣ − [j = label]) · a, where d holds eˣ */
INLINE void NAME(slope)(T *d, int64_t c, int64_t label, int64_t ignored, T s, T a) {
    if (label == ignored) {
        for (int64_t j = 0; j < c; j++) d[j] = 0;
        return;
    }
    for (int64_t j = 0; j < c; j++) d[j] = d[j] / s * a;
    d[label] -= a;
}

static void NAME(loss_grad)(const void *in, int64_t rows, int64_t c, const int64_t *label, int64_t ignored,
                            double scale, void *out) {
    const T *x = in;
    T *d = out, a = (T)scale, most[NAME(TILE)];
    double sum[NAME(TILE)];
    int64_t some = NAME(lines_at_once)(c);
    for (int64_t i = 0; i < rows; i += some) {
        int64_t count = rows - i < some ? rows - i : some;
        if (some > 1) {
            NAME(exp_short)(x + i * c, count, c, most, d + i * c, sum);
        } else {
            sum[0] = NAME(exp_sum)(x + i * c, c, NAME(largest)(x + i * c, c), d + i * c);
        }
        for (int64_t k = 0; k < count; k++) NAME(slope)(d + (i + k) * c, c, label[i + k], ignored, (T)sum[k], a);
    }
}

#undef T
#undef NAME
#undef F
