/* aminmax_tmpl.h: aminmax_grad of elements T, ties being counted in COUNT, which is as wide. Included once for each. */

/* How many elements of a row are as large as the extremes. */
static void NAME(count)(const sharing *s, row r) {
    const T *x = (const T *)s->x + r.at, *least = (const T *)s->fact[0] + r.fact, *most = (const T *)s->fact[1] + r.fact;
    COUNT *restrict low = (COUNT *)s->ties[0] + r.fact, *restrict high = (COUNT *)s->ties[1] + r.fact;
    if (!r.one) {
        for (int64_t j = 0; j < r.n; j++) low[j] += x[j] == least[j];
        for (int64_t j = 0; j < r.n; j++) high[j] += x[j] == most[j];
        return;
    }
    T a = *least, b = *most;
    COUNT lows = 0, highs = 0;
    for (int64_t j = 0; j < r.n; j++) lows += x[j] == a, highs += x[j] == b;
    *low += lows, *high += highs;
}

static void NAME(divide)(const sharing *s, int64_t begin, int64_t end) {
    for (int k = 0; k < 2; k++) {
        for (int64_t i = begin; i < end; i++)
            ((T *)s->share[k])[i] = ((const T *)s->fact[k + 2])[i] / (T)((const COUNT *)s->ties[k])[i];
    }
}

static void NAME(give)(const sharing *s, row r) {
    const T *x = (const T *)s->x + r.at, *least = (const T *)s->fact[0] + r.fact, *most = (const T *)s->fact[1] + r.fact;
    const T *g = (const T *)s->share[0] + r.fact, *h = (const T *)s->share[1] + r.fact;
    T *restrict d = (T *)s->d + r.at;
    if (!r.one) {
        for (int64_t j = 0; j < r.n; j++) {
            T v = x[j], a = g[j], b = h[j]; /* read in any case, so that the loop has no branch */
            d[j] = (v == least[j] ? a : 0) + (v == most[j] ? b : 0);
        }
        return;
    }
    T low = *least, high = *most, a = *g, b = *h;
    for (int64_t j = 0; j < r.n; j++) d[j] = (x[j] == low ? a : 0) + (x[j] == high ? b : 0);
}

/* Rows with index [begin, end) of the run that is split, and the facts that are theirs alone. */
static void NAME(share)(void *context, int64_t begin, int64_t end) {
    const sharing *s = context;
    int64_t by = s->split < 0 ? 1 : s->fact_step[s->split];
    each_row(s, begin, end, NAME(count));
    NAME(divide)(s, begin * by, end * by);
    each_row(s, begin, end, NAME(give));
}

#undef T
#undef COUNT
#undef NAME
