/* cross_entropy_tmpl.h: the cross-entropy of one row of c logits, and its gradient, for one type. Given: T, NAME(x) and EXP(x).
 * The largest logit is subtracted first, so exp never overflows; sums are taken in double. */

static T NAME(highest)(const T *x, int64_t c) {
    T m = (T)-INFINITY;
    for (int64_t j = 0; j < c; j++) m = x[j] > m ? x[j] : m;
    return m;
}

/* ln Σ eˣ − x[label] */
static double NAME(loss)(const void *row, int64_t c, int64_t label) {
    const T *x = row, m = NAME(highest)(x, c);
    double s = 0;
    for (int64_t j = 0; j < c; j++) s += (double)EXP(x[j] - m);
    return log(s) - (double)(x[label] - m);
}

/* d = (eˣ / Σ eˣ − [j = label]) · scale */
static void NAME(loss_grad)(const void *row, int64_t c, int64_t label, double scale, void *out) {
    const T *x = row, m = NAME(highest)(x, c);
    T *d = out;
    double s = 0;
    for (int64_t j = 0; j < c; j++) {
        d[j] = EXP(x[j] - m);
        s += (double)d[j];
    }
    T a = (T)scale;
    for (int64_t j = 0; j < c; j++) d[j] = d[j] / (T)s * a;
    d[label] -= a;
}

#undef T
#undef NAME
#undef EXP
