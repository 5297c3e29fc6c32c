/* best.c: where the largest and the smallest elements are, along an axis or in all, and the best so far.
 *
 *     argmax, argmin   the first of those that tie        cummax, cummin   the latest of those that tie: PyTorch's choices
 *
 * NaN is larger and smaller than every number. Along the last axis the best value is folded first and then looked for, which
 * both run in vectors; along others a tile of columns keeps its bests and their places. */
#include "ops/fold.h"
#include "ops/isa.h"
#include "ops/ops.h"
#include "ops/order.h"
#include "ops/reduce.h"
#include "ops/table.h"

enum { TILE = AG__BEST_TILE, GRAIN = 16384 };

typedef struct job {
    const ag__best *best;
    int dtype;
    const char *x, *value; /* value: the best of each line, for find */
    char *y;
    int64_t *place;
    size_t element;
    ag__along s;
    int64_t tiles;
} job;

static void find_places(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    for (int64_t i = begin; i < end; i++) {
        j->place[i] =
            j->best->find[j->dtype](j->x + (size_t)(i * j->s.n) * j->element, j->s.n, j->value + (size_t)i * j->element);
    }
}

static void place_tiles(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    const ag__along *s = &j->s;
    for (int64_t i = begin; i < end; i++) {
        int64_t o = i / j->tiles, column = i % j->tiles * TILE, left = s->inner - column, width = left < TILE ? left : TILE;
        const char *x = j->x + (size_t)(o * s->n * s->inner + column) * j->element;
        j->best->place[j->dtype](x, s->n, s->inner, width, j->place + o * s->inner + column);
    }
}

static bool arg_shape(ag_tensor *y) {
    return ag__need_number(y, 0) && ag__reduce_one_axis(y) && ag__reduce_shape_to(y, AG_I64) && ag__reduce_needs_some(y);
}

/* All axes together are one line. */
static ag__along lines_of(ag_tensor *y, const bool reduced[]) {
    const ag__over *a = ag_attrs(y);
    int axis = 0;
    if (a->axes.count < 0) return (ag__along){1, ag_size(ag_in(y, 0)), 1};
    while (!reduced[axis]) axis++;
    return ag__along_axis(ag_shape_of(ag_in(y, 0)), axis);
}

static bool arg_run(ag_tensor *y, const ag__best *best, ag__fold_kind kind) {
    ag_tensor *in = ag_in(y, 0);
    bool reduced[AG_MAX_RANK];
    if (ag_size(y) == 0) return true;
    if (!ag__reduced_axes(y, reduced)) return false;
    job j = {best,
             (int)ag_dtype_of(in),
             .x = ag_op_dense(y, 0),
             .place = ag_out_data(y, 0),
             .element = ag_dtype_size(ag_dtype_of(in)),
             .s = lines_of(y, reduced)};
    if (!j.x) return false;
    if (j.s.inner == 1) {
        void *value = ag_op_workspace(y, (size_t)ag_size(y) * j.element);
        if (!value || !ag__fold_loaded(y, reduced, kind, ag_dtype_of(in), NULL, 0, value)) return false;
        j.value = value;
        ag_parallel_for(j.s.outer, GRAIN / j.s.n + 1, find_places, &j);
        return true;
    }
    j.tiles = (j.s.inner - 1) / TILE + 1;
    ag_parallel_for(j.s.outer * j.tiles, GRAIN / (j.s.n * (j.s.inner < TILE ? j.s.inner : TILE)) + 1, place_tiles, &j);
    return true;
}

static bool argmax_run(ag_tensor *y) { return arg_run(y, &ag__kernel()->best->most, AG__MAX); }
static bool argmin_run(ag_tensor *y) { return arg_run(y, &ag__kernel()->best->least, AG__MIN); }

const ag_op ag__op_argmax = {
    .size = sizeof(ag_op),
    .name = "argmax",
    .arity = 1,
    .flags = AG_FLAT,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "where the largest x is, along one axis or in all",
    .shape = arg_shape,
    .run = argmax_run,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_argmax(ag_tensor *x, ag_axes axis, bool keepdim) {
    return ag_apply(&ag__op_argmax, &x, 1, &(ag__over){axis, keepdim});
}

const ag_op ag__op_argmin = {
    .size = sizeof(ag_op),
    .name = "argmin",
    .arity = 1,
    .flags = AG_FLAT,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "where the smallest x is, along one axis or in all",
    .shape = arg_shape,
    .run = argmin_run,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_argmin(ag_tensor *x, ag_axes axis, bool keepdim) {
    return ag_apply(&ag__op_argmin, &x, 1, &(ag__over){axis, keepdim});
}

static bool running_shape(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    int axis;
    return ag__need_number(y, 0) && ag__need_line(y, ag__axis_of(y), ag_rank(x), &axis) && ag_out_like(y, 0, x) &&
           ag_out_shape(y, 1, AG_I64, ag_shape_of(x));
}

static void running_tiles(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    const ag__along *s = &j->s;
    for (int64_t i = begin; i < end; i++) {
        int64_t column = i % j->tiles * TILE, left = s->inner - column, at = i / j->tiles * s->n * s->inner + column;
        size_t bytes = (size_t)at * j->element;
        j->best->running[j->dtype](j->x + bytes, s->n, s->inner, left < TILE ? left : TILE, j->y + bytes, j->place + at);
    }
}

static bool running_run(ag_tensor *y, const ag__best *best) {
    ag_tensor *in = ag_in(y, 0);
    int axis;
    if (ag_size(in) == 0) return true;
    if (!ag__need_line(y, ag__axis_of(y), ag_rank(in), &axis)) return false;
    job j = {best,
             (int)ag_dtype_of(in),
             .x = ag_op_dense(y, 0),
             .y = ag_out_data(y, 0),
             .place = ag_out_data(y, 1),
             .element = ag_dtype_size(ag_dtype_of(in)),
             .s = ag__along_axis(ag_shape_of(in), axis)};
    if (!j.x) return false;
    j.tiles = (j.s.inner - 1) / TILE + 1;
    ag_parallel_for(j.s.outer * j.tiles, GRAIN / (j.s.n * (j.s.inner < TILE ? j.s.inner : TILE)) + 1, running_tiles, &j);
    return true;
}

static bool cummax_run(ag_tensor *y) { return running_run(y, &ag__kernel()->best->most); }
static bool cummin_run(ag_tensor *y) { return running_run(y, &ag__kernel()->best->least); }

/* Each value goes back to the place it was taken from. */
static bool running_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return ag__to_places(y, g[0], ag__axis_of(y), true, d);
}

static bool running_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    return ag__from_places(y, tangent[0], ag__axis_of(y), true, out);
}

const ag_op ag__op_cummax = {
    .size = sizeof(ag_op),
    .name = "cummax",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_given,
    .formula = "the largest of x[0] … x[k] along axis, and where it is",
    .shape = running_shape,
    .run = cummax_run,
    .grad = running_grad,
    .jvp = running_jvp,
};

ag_tensor *ag_cummax(ag_tensor *x, int axis, ag_tensor **index) {
    return ag__parts(ag_apply(&ag__op_cummax, &x, 1, &(ag__axis_attrs){axis}), index);
}

const ag_op ag__op_cummin = {
    .size = sizeof(ag_op),
    .name = "cummin",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_given,
    .formula = "the smallest of x[0] … x[k] along axis, and where it is",
    .shape = running_shape,
    .run = cummin_run,
    .grad = running_grad,
    .jvp = running_jvp,
};

ag_tensor *ag_cummin(ag_tensor *x, int axis, ag_tensor **index) {
    return ag__parts(ag_apply(&ag__op_cummin, &x, 1, &(ag__axis_attrs){axis}), index);
}
