/* cross_entropy_tmpl.h: the cross-entropy of one row of c logits, and its gradient, for one type.
 * Given: T, NAME(x) and F(function). */
#include "ops/kernels/exp_sum_tmpl.h"

/* ln Σ eˣ − x[label] */
static double NAME(loss)(const void *row, int64_t c, int64_t label) {
    const T *x = row, m = NAME(largest)(x, c, 1);
    return m_log(NAME(exp_sum)(x, c, 1, m, NULL)) - (double)(x[label] - m);
}

/* d = (eˣ / Σ eˣ − [j = label]) · scale */
static void NAME(loss_grad)(const void *row, int64_t c, int64_t label, double scale, void *out) {
    const T *x = row, m = NAME(largest)(x, c, 1);
    T *d = out, s = (T)NAME(exp_sum)(x, c, 1, m, d), a = (T)scale;
    for (int64_t j = 0; j < c; j++) d[j] = d[j] / s * a;
    d[label] -= a;
}

#undef T
#undef NAME
#undef F
