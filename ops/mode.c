/* mode.c: the value that occurs most often along an axis: of several the smallest, at the last place where it is, as in PyTorch.
 *
 *     x 2 5 2 7 5:   in order 2 2 5 5 7, places 0 2 1 4 3   ─▶   2 at place 2
 *
 * NaN equals NaN here, as in sorting. The gradient goes to that place. */
#include <stddef.h>

#include "ops/order.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

typedef struct mode_attrs {
    int axis;
    bool keepdim;
} mode_attrs;

static const ag_attr_field mode_fields[] = {{"axis", AG_ATTR_INT, offsetof(mode_attrs, axis), "-1"},
                                            {"keepdim", AG_ATTR_BOOL, offsetof(mode_attrs, keepdim), "false"},
                                            {0}};

static bool mode_shape(ag_tensor *y) {
    const mode_attrs *a = ag_attrs(y);
    return ag__chosen_shape(y, a->axis, a->keepdim) && ag__reduce_needs_some(y);
}

typedef struct job {
    const char *x;
    char *value;
    int64_t *index;
    ag_dtype dtype;
    size_t element, sorting; /* bytes of scratch: first for sorting, then the keys; behind them the places */
    ag__along s;
} job;

static void mode_of_line(void *context, int64_t line, void *scratch) {
    const job *j = context;
    int64_t n = j->s.n, step = j->s.inner, most = 0, best = 0, run = 0;
    const char *x = j->x + (size_t)(line / step * n * step + line % step) * j->element;
    int64_t *place = (int64_t *)((char *)scratch + j->sorting);
    uint64_t *key = scratch;
    ag__order_sort(x, j->dtype, n, step, false, scratch, place);
    ag__order_keys(x, j->dtype, n, step, false, key);
    for (int64_t k = 0; k < n; k++) {
        run = k && key[place[k]] == key[place[k - 1]] ? run + 1 : 1;
        bool last = k + 1 == n || key[place[k + 1]] != key[place[k]];
        if (!last || run <= most) continue;
        most = run;
        best = place[k];
    }
    j->index[line] = best;
    ag__copy_slab(j->value + (size_t)line * j->element, x + (size_t)(best * step) * j->element, j->element);
}

static bool mode_run(ag_tensor *y) {
    const mode_attrs *a = ag_attrs(y);
    ag_tensor *in = ag_in(y, 0);
    ag_dtype dtype = ag_dtype_of(in);
    int axis;
    if (ag_size(ag_out(y, 0)) == 0) return true;
    if (!ag__need_line(y, a->axis, ag_rank(in), &axis)) return false;
    job j = {ag_op_dense(y, 0),
             ag_out_data(y, 0),
             ag_out_data(y, 1),
             dtype,
             ag_dtype_size(dtype),
             0,
             ag__along_axis(ag_shape_of(in), axis)};
    if (!j.x) return false;
    j.sorting = ag__order_bytes(dtype, j.s.n);
    size_t bytes = j.sorting + (size_t)j.s.n * sizeof *j.index;
    return ag__each_line(y, j.s.outer * j.s.inner, j.s.n, bytes, mode_of_line, &j);
}

static bool mode_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const mode_attrs *a = ag_attrs(y);
    return ag__to_places(y, g[0], a->axis, a->keepdim, d);
}

static bool mode_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const mode_attrs *a = ag_attrs(y);
    return ag__from_places(y, tangent[0], a->axis, a->keepdim, out);
}

const ag_op ag__op_mode = {
    .size = sizeof(ag_op),
    .name = "mode",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(mode_attrs),
    .attrs = mode_fields,
    .formula = "the value that occurs most often along axis, and its last place",
    .shape = mode_shape,
    .run = mode_run,
    .grad = mode_grad,
    .jvp = mode_jvp,
};

ag_tensor *ag_mode(ag_tensor *x, int axis, bool keepdim, ag_tensor **index) {
    return ag__parts(ag_apply(&ag__op_mode, &x, 1, &(mode_attrs){axis, keepdim}), index);
}
