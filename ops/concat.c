/* concat.c: tensors joined along one axis. Seen along it, each is outer × n_k × inner, and a row of y is theirs in turn:
 *
 *     y:  │ x0 row 0 │ x1 row 0 │ x2 row 0 │ x0 row 1 │ …      a row of x_k has n_k · inner elements
 *
 * The gradient of each is a slice of g. */
#include <string.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static bool concat_shape(ag_tensor *y) {
    ag_shape s = ag_shape_of(ag_in(y, 0));
    int axis;
    if (!ag_need_rank(y, 0, 1, AG_MAX_RANK) || !ag_need_axis(y, ag__axis_of(y), s.rank, &axis)) return false;
    for (int k = 1; k < ag_in_count(y); k++) {
        ag_shape next = ag_shape_of(ag_in(y, k)), expected = s;
        if (!ag_need_same_dtype(y, 0, k)) return false;
        expected.dim[axis] = next.dim[axis];
        if (!ag__same_shape(next, expected)) {
            char first[AG__TEXT], other[AG__TEXT];
            return ag_op_fail(y, AG_ERR_SHAPE, "%s and %s (input %d) differ in more than axis %d",
                              ag_shape_text(ag_in(y, 0), first, sizeof first),
                              ag_shape_text(ag_in(y, k), other, sizeof other), k, axis);
        }
        if (__builtin_add_overflow(s.dim[axis], next.dim[axis], &s.dim[axis])) {
            return ag_op_fail(y, AG_ERR_SHAPE, "axis %d grows beyond what an index can count", axis);
        }
    }
    return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s);
}

static bool concat_run(ag_tensor *y) {
    size_t element = ag_dtype_size(ag_dtype_of(y));
    char *out = ag_out_data(y, 0);
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag_need_axis(y, ag__axis_of(y), ag_rank(y), &axis)) return false;
    ag__along whole = ag__along_axis(ag_shape_of(y), axis);
    size_t row = (size_t)(whole.n * whole.inner) * element;
    for (int k = 0; k < ag_in_count(y); k++) {
        size_t part = (size_t)(ag_dim(ag_in(y, k), axis) * whole.inner) * element;
        if (part == 0) continue;
        const char *x = ag_op_dense(y, k);
        if (!x) return false;
        for (int64_t o = 0; o < whole.outer; o++) memcpy(out + (size_t)o * row, x + (size_t)o * part, part);
        out += part;
    }
    return true;
}

static bool concat_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    int64_t start = 0;
    for (int k = 0; k < ag_in_count(y); k++) {
        int64_t stop = start + ag_dim(ag_in(y, k), ag__axis_of(y));
        if (ag_wants(y, k) && !(d[k] = ag_slice(g[0], ag__axis_of(y), start, stop, 1))) return false;
        start = stop;
    }
    return true;
}

const ag_op ag__op_concat = {
    .size = sizeof(ag_op),
    .name = "concat",
    .arity = -1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_first,
    .formula = "x0, x1, … joined along axis",
    .shape = concat_shape,
    .run = concat_run,
    .grad = concat_grad,
};

ag_tensor *ag_concat(ag_tensor *const xs[], int n, int axis) {
    return ag_apply(&ag__op_concat, xs, xs ? n : 0, &(ag__axis_attrs){axis});
}
