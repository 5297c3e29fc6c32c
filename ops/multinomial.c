/* multinomial.c: places drawn by weight.
 *
 *     with replacement      weights 1 0 2 1, their sums 1 1 3 4: the first sum above u · 4
 *     without               the places of the smallest eᵢ / wᵢ, e exponential (Efraimidis, Spirakis 2006): the least of them is at i
 *                           with probability wᵢ / Σ w, the next likewise among the others, … */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "ops/draw.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct multinomial_attrs {
    int64_t draw, num_samples;
    bool replacement;
} multinomial_attrs;

static const ag_attr_field multinomial_fields[] = {
    {"draw", AG_ATTR_I64, offsetof(multinomial_attrs, draw), "-1"},
    {"num_samples", AG_ATTR_I64, offsetof(multinomial_attrs, num_samples), NULL},
    {"replacement", AG_ATTR_BOOL, offsetof(multinomial_attrs, replacement), "false"},
    {0}};

static bool multinomial_shape(ag_tensor *y) {
    const multinomial_attrs *a = ag_attrs(y);
    if (!ag_need_float(y, 0) || !ag__need_key(y) || !ag_need_rank(y, 0, 1, 2)) return false;
    ag_shape s = ag_shape_of(ag_in(y, 0));
    int64_t c = s.dim[s.rank - 1];
    if (a->num_samples < 1)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "num_samples is %lld; it must be at least 1", (long long)a->num_samples);
    if (!a->replacement && a->num_samples > c) {
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%lld places cannot be drawn from %lld without replacement",
                          (long long)a->num_samples, (long long)c);
    }
    s.dim[s.rank - 1] = a->num_samples;
    return ag__need_shape(y, s) && ag_out_shape(y, 0, AG_I64, s);
}

typedef struct urn {
    ag_tensor *y;
    const void *weights; /* of this row */
    int64_t row, c, count;
    bool single;
} urn;

static double weight(const urn *u, int64_t i) {
    return u->single ? (double)((const float *)u->weights)[i] : ((const double *)u->weights)[i];
}

static bool check(const urn *u, int64_t needed) {
    double sum = 0;
    int64_t positive = 0;
    for (int64_t i = 0; i < u->c; i++) {
        double w = weight(u, i);
        if (!(w >= 0) || !isfinite(w)) {
            return ag_op_fail(u->y, AG_ERR_VALUE, "weight %lld of row %lld is %g; weights must be finite and not negative",
                              (long long)i, (long long)u->row, w);
        }
        sum += w;
        positive += w > 0;
    }
    if (positive < needed || !isfinite(sum)) {
        return ag_op_fail(u->y, AG_ERR_VALUE,
                          "row %lld has %lld positive weights of sum %g; %lld are needed, and a finite sum",
                          (long long)u->row, (long long)positive, sum, (long long)needed);
    }
    return true;
}

/* sums: room for c numbers. */
static void with_replacement(const urn *u, const double *uniform, double *sums, int64_t *out) {
    int64_t last = 0; /* of those with a weight */
    double sum = 0;
    for (int64_t i = 0; i < u->c; i++) {
        sums[i] = sum += weight(u, i);
        if (weight(u, i) > 0) last = i;
    }
    for (int64_t k = 0; k < u->count; k++) {
        int64_t low = 0, high = last;
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (sums[middle] > uniform[k] * sum) high = middle;
            else low = middle + 1;
        }
        out[k] = low;
    }
}

typedef struct place {
    double key;
    int64_t index;
} place;

static int by_key(const void *a, const void *b) {
    const place *x = a, *y = b;
    int order = (x->key > y->key) - (x->key < y->key);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void without_replacement(const urn *u, const double *exponential, place *places, int64_t *out) {
    double most = 0; /* weights are measured by it, lest quotients of small ones overflow */
    for (int64_t i = 0; i < u->c; i++) most = fmax(most, weight(u, i));
    for (int64_t i = 0; i < u->c; i++) {
        double w = weight(u, i);
        places[i] = (place){w > 0 ? fmin(exponential[i] * (most / w), DBL_MAX) : (double)INFINITY, i};
    }
    qsort(places, (size_t)u->c, sizeof *places, by_key);
    for (int64_t k = 0; k < u->count; k++) out[k] = places[k].index;
}

static bool multinomial_run(ag_tensor *y) {
    const multinomial_attrs *a = ag_attrs(y);
    const ag__random *kernel = ag__kernel()->random;
    ag_tensor *x = ag_in(y, 0);
    ag__draw d;
    urn u = {.y = y, .c = ag_dim(x, -1), .count = a->num_samples, .single = ag_dtype_of(x) == AG_F32};
    int64_t rows = ag_size(y) / u.count, each = a->replacement ? u.count : u.c;
    const char *weights = ag_op_dense(y, 0);
    int64_t *out = ag_out_data(y, 0);
    double *numbers = ag_op_workspace(y, (size_t)(rows * each) * sizeof(double) + (size_t)u.c * sizeof(place));
    if (!weights || !numbers || !ag__draw_of(y, &d)) return false;
    void *room = numbers + rows * each;
    ag__fill_memory(&d, a->replacement ? kernel->uniform[AG_F64] : kernel->exponential[AG_F64], a->replacement ? 0 : 1,
                    1, rows * each, sizeof *numbers, numbers);
    for (; u.row < rows; u.row++, numbers += each, out += u.count) {
        u.weights = weights + (size_t)(u.row * u.c) * ag_dtype_size(ag_dtype_of(x));
        if (!check(&u, a->replacement ? 1 : u.count)) return false;
        if (a->replacement) with_replacement(&u, numbers, room, out);
        else without_replacement(&u, numbers, room, out);
    }
    return true;
}

const ag_op ag__op_multinomial = {
    .size = sizeof(ag_op),
    .name = "multinomial",
    .arity = 2,
    .inputs = "weights",
    .flags = AG_RANDOM | AG_FLAT,
    .attr_size = sizeof(multinomial_attrs),
    .attrs = multinomial_fields,
    .formula = "places, drawn with probability weights / sum",
    .lo = 0.1,
    .hi = 2,
    .shape = multinomial_shape,
    .run = multinomial_run,
};

ag_tensor *ag_multinomial(ag_tensor *weights, int64_t num_samples, bool replacement) {
    return ag_apply(&ag__op_multinomial, &weights, 1, &(multinomial_attrs){-1, num_samples, replacement});
}
