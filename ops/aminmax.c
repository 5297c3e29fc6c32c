/* aminmax.c: the smallest and the largest element over any axes, both in one op, and the gradient of both in another.
 *
 *     d = (x = least ? g / count : 0) + (x = most ? h / count : 0)        counts: how many elements tie, which share
 *
 * An element that is both, where all are alike, has both shares. Nothing is as large as a NaN. */
#include <string.h>

#include "ops/compose.h"
#include "ops/fold.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

enum { GRAIN = 16384, FACTS = 4, PART = 256 /* columns worth a walk over all rows */ };

/* The gradient: least, most and what arrives at them have one shape, x's with extents of 1 over what was reduced. */

typedef struct sharing {
    const void *x, *fact[FACTS]; /* least, most, g, h */
    void *ties[2], *share[2];    /* of each fact */
    void *d;
    ag__runs runs;
    int64_t step[AG_MAX_RANK], fact_step[AG_MAX_RANK]; /* elements, of a run */
    int split; /* the run that tasks share, one that is not folded; −1: none */
} sharing;

/* A row of x, its last run, and the elements that belong to it: one, or as many. */
typedef struct row {
    int64_t at, fact, n;
    bool one;
} row;

/* Row i of those with index [begin, end) of the run that is split. */
static row row_of(const sharing *s, int64_t i, int64_t begin, int64_t end) {
    int last = s->runs.count - 1;
    row r = {.n = s->split == last ? end - begin : s->runs.extent[last], .one = s->runs.folded[last]};
    if (s->split >= 0) r.at = begin * s->step[s->split], r.fact = begin * s->fact_step[s->split];
    for (int k = last - 1; k >= 0; k--) {
        int64_t extent = k == s->split ? end - begin : s->runs.extent[k], index = i % extent;
        i /= extent;
        r.at += index * s->step[k], r.fact += index * s->fact_step[k];
    }
    return r;
}

static void each_row(const sharing *s, int64_t begin, int64_t end, void (*one)(const sharing *, row)) {
    int64_t rows = 1;
    for (int k = 0; k < s->runs.count - 1; k++) rows *= k == s->split ? end - begin : s->runs.extent[k];
    for (int64_t i = 0; i < rows; i++) one(s, row_of(s, i, begin, end));
}

#define T float
#define COUNT uint32_t
#define NAME(of) of##_f32
#include "ops/aminmax_tmpl.h"
#define T double
#define COUNT uint64_t
#define NAME(of) of##_f64
#include "ops/aminmax_tmpl.h"

static void reduced_of(ag_tensor *y, bool reduced[AG_MAX_RANK]) {
    ag_tensor *x = ag_in(y, 0), *fact = ag_in(y, 1);
    int lead = ag_rank(x) - ag_rank(fact);
    for (int k = 0; k < ag_rank(x); k++) reduced[k] = k < lead || ag_dim(fact, k - lead) != ag_dim(x, k);
}

static bool share_run(ag_tensor *y) {
    sharing s = {.x = ag_op_dense(y, 0), .d = ag_out_data(y, 0), .split = -1};
    bool reduced[AG_MAX_RANK];
    int64_t step = 1, fact_step = 1, size = ag_size(ag_in(y, 1));
    if (ag_size(y) == 0) return true;
    reduced_of(y, reduced);
    s.runs = ag__runs_of(ag_shape_of(y), reduced);
    if (s.runs.count == 0) s.runs = (ag__runs){.count = 1, .extent = {1}};
    for (int k = s.runs.count - 1; k >= 0; k--) {
        s.step[k] = step, s.fact_step[k] = s.runs.folded[k] ? 0 : fact_step;
        step *= s.runs.extent[k];
        if (!s.runs.folded[k]) fact_step *= s.runs.extent[k], s.split = k;
    }
    for (int k = 0; k < FACTS; k++) {
        if (!(s.fact[k] = ag_op_dense(y, k + 1))) return false;
    }
    size_t bytes = (size_t)size * ag_dtype_size(ag_dtype_of(y));
    char *work = ag_op_workspace(y, 4 * bytes);
    if (!s.x || !work) return false;
    for (int k = 0; k < 2; k++) s.ties[k] = work + (size_t)k * bytes, s.share[k] = work + (size_t)(k + 2) * bytes;
    memset(work, 0, 2 * bytes);
    int64_t tasks = s.split < 0 ? 1 : s.runs.extent[s.split], grain = GRAIN / (ag_size(y) / tasks) + 1;
    if (s.split == s.runs.count - 1 && grain < PART) grain = PART;
    ag_parallel_for(tasks, grain, ag_dtype_of(y) == AG_F64 ? share_f64 : share_f32, &s);
    return true;
}

static bool share_shape(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *fact = ag_in(y, 1);
    char have[AG__TEXT], want[AG__TEXT];
    int lead = ag_rank(x) - ag_rank(fact);
    bool fits = lead >= 0;
    if (!ag_need_float(y, 0)) return false;
    for (int k = 1; k <= FACTS; k++) {
        if (!ag_need_same_dtype(y, 0, k) || !ag_need_same_shape(y, 1, k)) return false;
    }
    for (int k = 0; fits && k < ag_rank(fact); k++)
        fits = ag_dim(fact, k) == 1 || ag_dim(fact, k) == ag_dim(x, k + lead);
    if (fits && ag_dtype_of(x) == AG_F32 && ag_size(x) > UINT32_MAX)
        return ag_op_fail(y, AG_ERR_SHAPE, "%s has more elements in f32 than are counted, 2^32 - 1",
                          ag_shape_text(x, have, sizeof have));
    if (fits) return ag_out_like(y, 0, x);
    return ag_op_fail(y, AG_ERR_SHAPE, "%s must be %s with extents of 1 over what was reduced",
                      ag_shape_text(fact, have, sizeof have), ag_shape_text(x, want, sizeof want));
}

/* What becomes of 1 at the extreme, and of v at x, added up over what has it. */
static ag_tensor *mean_of_ties(ag_tensor *y, ag_tensor *extreme, ag_tensor *v) {
    ag_tensor *x = ag_in(y, 0), *tied = ag_eq(x, extreme), *zero = ag_scalar(ag_tape_of(y), ag_dtype_of(x), 0);
    ag_axes axes = {.count = 0};
    bool reduced[AG_MAX_RANK];
    reduced_of(y, reduced);
    for (int k = 0; k < ag_rank(x); k++) {
        if (reduced[k]) axes.axis[axes.count++] = k;
    }
    ag_tensor *sum = ag_where(tied, v, zero);
    if (axes.count == 0) return sum;
    ag_tensor *count = ag_cast(ag_count_nonzero(tied, axes, true), ag_dtype_of(x));
    sum = ag_where(ag_eq(count, zero), zero, ag_div(ag_sum(sum, axes, true), count));
    return ag_reshape(sum, ag_shape_of(extreme));
}

/* Linear in g and h; in the others it only jumps. */
static bool share_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    for (int i = 0; i < 2; i++) {
        if (ag_wants(y, 3 + i) && !(d[3 + i] = mean_of_ties(y, ag_in(y, 1 + i), g[0]))) return false;
    }
    return true;
}

static double share_flops(const ag_tensor *y) { return 6 * (double)ag_size(y); }

const ag_op ag__op_aminmax_grad = {
    .size = sizeof(ag_op),
    .name = "aminmax_grad",
    .arity = 5,
    .inputs = "x least most g h",
    .formula = "g in equal shares where x = least, and h where x = most",
    .shape = share_shape,
    .run = share_run,
    .grad = share_grad,
    .flops = share_flops,
};

ag_tensor *ag_aminmax_grad(ag_tensor *x, ag_tensor *least, ag_tensor *most, ag_tensor *g, ag_tensor *h) {
    return ag_apply(&ag__op_aminmax_grad, (ag_tensor *[]){x, least, most, g, h}, 5, NULL);
}

/* aminmax */

static bool both_shape(ag_tensor *y) {
    return ag__reduce_shape(y) && ag__reduce_needs_some(y) && ag_out_like(y, 1, ag_out(y, 0));
}

static bool both_run(ag_tensor *y) {
    bool reduced[AG_MAX_RANK];
    ag_dtype dtype = ag_dtype_of(ag_in(y, 0));
    return ag__reduced_axes(y, reduced) && ag__fold_loaded(y, reduced, AG__MIN, dtype, NULL, 0, ag_out_data(y, 0)) &&
           ag__fold_loaded(y, reduced, AG__MAX, dtype, NULL, 0, ag_out_data(y, 1));
}

/* v shared among those that are as large as output i */
static ag_tensor *share_of(ag_tensor *y, int i, ag_tensor *v) {
    return ag__share_ties(y, ag_eq(ag_in(y, 0), ag__spread(y, ag_out(y, i))), v);
}

static bool both_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    if (!g[0] || !g[1]) {
        int i = g[0] ? 0 : 1;
        return (d[0] = share_of(y, i, ag__spread(y, g[i]))) != NULL;
    }
    return (d[0] = ag_aminmax_grad(ag_in(y, 0), ag__spread(y, ag_out(y, 0)), ag__spread(y, ag_out(y, 1)),
                                   ag__spread(y, g[0]), ag__spread(y, g[1]))) != NULL;
}

static bool both_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const ag__over *a = ag_attrs(y);
    for (int i = 0; i < 2; i++) out[i] = ag_sum(share_of(y, i, tangent[0]), a->axes, a->keepdim);
    return out[0] && out[1];
}

static double both_flops(const ag_tensor *y) { return 2 * ag__reduce_flops(y); }

const ag_op ag__op_aminmax = {
    .size = sizeof(ag_op),
    .name = "aminmax",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "smallest and largest x over axes",
    .shape = both_shape,
    .run = both_run,
    .grad = both_grad,
    .flops = both_flops,
    .jvp = both_jvp,
};

ag_tensor *ag_aminmax(ag_tensor *x, ag_axes axes, bool keepdim, ag_tensor **max) {
    return ag__parts(ag_apply(&ag__op_aminmax, &x, 1, &(ag__over){axes, keepdim}), max);
}
