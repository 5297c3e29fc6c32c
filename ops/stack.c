/* stack.c: tensors joined along a new axis, or each raised to two or three axes first; and tensors spread over a common
 * shape.
 *
 *     a (3), b (3):   stack 0: (2,3)   hstack: (6)   vstack: (2,3)   column_stack: (3,2)   dstack: (1,3,2)
 *     a (2), b (3):   meshgrid: two of (2,3), a[i] and b[j] */
#include "autograd/node.h"
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef ag_tensor *raise_fn(ag_tensor *x, int axis);

/* Does input k, raised, go with input 0 along axis? */
static bool need_neighbour(ag_tensor *y, ag_tensor *const part[], int k, int axis) {
    char first[AG__TEXT], other[AG__TEXT];
    ag_shape s = ag_shape_of(part[0]), r = ag_shape_of(part[k]);
    if (axis < s.rank && axis < r.rank) s.dim[axis] = r.dim[axis];
    return ag__same_shape(s, r) || ag_op_fail(y, AG_ERR_SHAPE, "%s and %s (input %d) cannot be joined along axis %d",
                                              ag_shape_text(ag_in(y, 0), first, sizeof first),
                                              ag_shape_text(ag_in(y, k), other, sizeof other), k, axis);
}

/* All inputs, of one dtype, raised, then joined. */
static ag_tensor *join(ag_tensor *y, raise_fn *raised, int axis) {
    int n = ag_in_count(y);
    ag_tensor **part = ag__temp(ag_tape_of(y), (size_t)n * sizeof *part), *joined = NULL;
    bool done = part != NULL;
    for (int k = 1; done && k < n; k++) done = ag_need_same_dtype(y, 0, k);
    for (int k = 0; done && k < n; k++) {
        done = (part[k] = raised(ag_in(y, k), axis)) != NULL && need_neighbour(y, part, k, axis);
    }
    if (done) joined = ag_concat(part, n, axis);
    ag__temp_free(ag_tape_of(y), part);
    return joined;
}

static ag_tensor *stack(ag_tensor *y) {
    ag_shape s = ag_shape_of(ag_in(y, 0));
    int axis;
    if (!ag_need_rank(y, 0, 0, AG_MAX_RANK - 1)) return NULL;
    if (!ag_need_axis(y, ag__axis_of(y), s.rank + 1, &axis)) return NULL;
    for (int k = 1; k < ag_in_count(y); k++) {
        if (!ag_need_same_shape(y, 0, k)) return NULL;
    }
    return join(y, ag_unsqueeze, axis);
}

static ag_tensor *a_line(ag_tensor *x, int axis) {
    (void)axis;
    return ag_rank(x) ? x : ag_reshape(x, AG_SHAPE(1));
}

static ag_tensor *a_row(ag_tensor *x, int axis) {
    (void)axis;
    return ag_rank(x) < 2 ? ag_reshape(x, AG_SHAPE(1, ag_size(x))) : x;
}

static ag_tensor *a_column(ag_tensor *x, int axis) {
    (void)axis;
    return ag_rank(x) < 2 ? ag_reshape(x, AG_SHAPE(ag_size(x), 1)) : x;
}

static ag_tensor *a_sheet(ag_tensor *x, int axis) {
    (void)axis;
    x = a_row(x, 0);
    return ag_rank(x) == 2 ? ag_unsqueeze(x, 2) : x;
}

static ag_tensor *hstack(ag_tensor *y) { return join(y, a_line, ag_rank(ag_in(y, 0)) > 1); }
static ag_tensor *vstack(ag_tensor *y) { return join(y, a_row, 0); }
static ag_tensor *column_stack(ag_tensor *y) { return join(y, a_column, 1); }
static ag_tensor *dstack(ag_tensor *y) { return join(y, a_sheet, 2); }

AG__COMPOSED(stack, -1, ag__axis_attrs, ag__axis_first, "x0, x1, … along a new axis", stack);
AG__COMPOSED_BARE(hstack, -1, "x0, x1, … side by side: along axis 1, lines along axis 0", hstack);
AG__COMPOSED_BARE(vstack, -1, "x0, x1, … below each other: along axis 0, lines as rows", vstack);
AG__COMPOSED_BARE(column_stack, -1, "x0, x1, … side by side, lines as columns", column_stack);
AG__COMPOSED_BARE(dstack, -1, "x0, x1, … behind each other: along axis 2", dstack);

ag_tensor *ag_stack(ag_tensor *const xs[], int n, int axis) {
    return ag_apply(&ag__op_stack, xs, xs ? n : 0, &(ag__axis_attrs){axis});
}
ag_tensor *ag_hstack(ag_tensor *const xs[], int n) { return ag_apply(&ag__op_hstack, xs, xs ? n : 0, NULL); }
ag_tensor *ag_vstack(ag_tensor *const xs[], int n) { return ag_apply(&ag__op_vstack, xs, xs ? n : 0, NULL); }
ag_tensor *ag_column_stack(ag_tensor *const xs[], int n) {
    return ag_apply(&ag__op_column_stack, xs, xs ? n : 0, NULL);
}
ag_tensor *ag_dstack(ag_tensor *const xs[], int n) { return ag_apply(&ag__op_dstack, xs, xs ? n : 0, NULL); }

typedef struct spread_attrs {
    int64_t part;
    int indexing; /* 0: ij, 1: xy */
} spread_attrs;

static const ag_attr_field broadcast_fields[] = {{"part", AG_ATTR_I64, offsetof(spread_attrs, part), "0"}, {0}};
static const ag_attr_field meshgrid_fields[] = {{"part", AG_ATTR_I64, offsetof(spread_attrs, part), "0"},
                                                {"indexing", AG_ATTR_CHOICE, offsetof(spread_attrs, indexing), "ij|xy"},
                                                {0}};

/* Input `part`, all being of one dtype; NULL after an error. */
static ag_tensor *input_of_part(ag_tensor *y, int64_t part) {
    for (int k = 1; k < ag_in_count(y); k++) {
        if (!ag_need_same_dtype(y, 0, k)) return NULL;
    }
    if (part >= 0 && part < ag_in_count(y)) return ag_in(y, (int)part);
    ag_op_fail(y, AG_ERR_ARGUMENT, "part %lld: there are %d", (long long)part, ag_in_count(y));
    return NULL;
}

static ag_tensor *broadcast_part(ag_tensor *y) {
    ag_tensor *x = input_of_part(y, ((const spread_attrs *)ag_attrs(y))->part);
    ag_shape s;
    return x && ag_broadcast_inputs(y, &s) ? ag_expand(x, s) : NULL;
}

static ag_tensor *grid_part(ag_tensor *y) {
    const spread_attrs *a = ag_attrs(y);
    int n = ag_in_count(y), along = (int)a->part;
    ag_tensor *x = input_of_part(y, a->part);
    ag_shape thin = {.rank = n}, s = {.rank = n};
    if (!x) return NULL;
    if (n > AG_MAX_RANK) {
        ag_op_fail(y, AG_ERR_SHAPE, "%d inputs span more than %d axes", n, AG_MAX_RANK);
        return NULL;
    }
    for (int k = 0; k < n; k++) {
        int axis = a->indexing == 1 && n > 1 && k < 2 ? 1 - k : k;
        if (!ag_need_rank(y, k, 0, 1)) return NULL;
        s.dim[axis] = ag_size(ag_in(y, k));
        thin.dim[axis] = k == along ? s.dim[axis] : 1;
    }
    return ag_expand(ag_reshape(x, thin), s);
}

AG__COMPOSED(broadcast_tensors, -1, spread_attrs, broadcast_fields, "each of x0, x1, … expanded to the shape of all",
             broadcast_part);
AG__COMPOSED(meshgrid, -1, spread_attrs, meshgrid_fields, "each of x0, x1, … along an axis of its own of one grid",
             grid_part);

static ag_tensor **spread(const ag_op *op, ag_tensor *const xs[], int n, int indexing, ag_tensor *out[]) {
    spread_attrs a = {0, indexing};
    if (!xs || !out || n < 1)
        return ag_tape_fail(NULL, AG_ERR_ARGUMENT, op->name, "takes one input or more, and an array for as many");
    for (a.part = 0; a.part < n; a.part++) {
        ag_tensor *part = ag_apply(op, xs, n, &a);
        if (!part) return NULL;
        out[a.part] = part;
    }
    return out;
}

ag_tensor **ag_broadcast_tensors(ag_tensor *const xs[], int n, ag_tensor *out[]) {
    return spread(&ag__op_broadcast_tensors, xs, n, 0, out);
}

ag_tensor **ag_meshgrid(ag_tensor *const xs[], int n, ag_indexing indexing, ag_tensor *out[]) {
    return spread(&ag__op_meshgrid, xs, n, (int)indexing, out);
}
