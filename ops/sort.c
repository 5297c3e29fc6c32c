/* sort.c: the elements along an axis in order, with the places they come from. The gradient goes back to those places. */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/order.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct sort_attrs {
    int axis;
    bool descending, stable; /* it is always stable: the attribute may be given, as in PyTorch */
} sort_attrs;

static const ag_attr_field sort_fields[] = {{"axis", AG_ATTR_INT, offsetof(sort_attrs, axis), "-1"},
                                            {"descending", AG_ATTR_BOOL, offsetof(sort_attrs, descending), "false"},
                                            {"stable", AG_ATTR_BOOL, offsetof(sort_attrs, stable), "false"},
                                            {0}};

static bool sort_shape(ag_tensor *y) {
    const sort_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    return ag__need_line(y, a->axis, ag_rank(x), &axis) && ag_out_like(y, 0, x) &&
           ag_out_shape(y, 1, AG_I64, ag_shape_of(x));
}

typedef struct job {
    const char *x;
    char *value;
    int64_t *index;
    ag_dtype dtype;
    size_t element, sorting; /* bytes: of an element; of scratch that sorting needs, behind which the places are */
    ag__along s;
    bool descending;
} job;

static void sort_line(void *context, int64_t line, void *scratch) {
    const job *j = context;
    int64_t at = line / j->s.inner * j->s.n * j->s.inner + line % j->s.inner, step = j->s.inner;
    int64_t *place = step == 1 ? j->index + at : (int64_t *)((char *)scratch + j->sorting);
    const char *x = j->x + (size_t)at * j->element;
    char *value = j->value + (size_t)at * j->element;
    ag__order_sort(x, j->dtype, j->s.n, step, j->descending, scratch, place);
    for (int64_t k = 0; k < j->s.n; k++) {
        ag__copy_slab(value + (size_t)(k * step) * j->element, x + (size_t)(place[k] * step) * j->element, j->element);
        j->index[at + k * step] = place[k];
    }
}

static bool sort_run(ag_tensor *y) {
    const sort_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    if (ag_size(x) == 0) return true;
    if (!ag__need_line(y, a->axis, ag_rank(x), &axis)) return false;
    job j = {ag_op_dense(y, 0),
             ag_out_data(y, 0),
             ag_out_data(y, 1),
             ag_dtype_of(x),
             ag_dtype_size(ag_dtype_of(x)),
             0,
             ag__along_axis(ag_shape_of(x), axis),
             a->descending};
    if (!j.x) return false;
    j.sorting = ag__order_bytes(j.dtype, j.s.n);
    size_t bytes = j.sorting + (j.s.inner == 1 ? 0 : (size_t)j.s.n * sizeof *j.index);
    return ag__each_line(y, j.s.outer * j.s.inner, j.s.n, bytes, sort_line, &j);
}

static bool sort_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return ag__to_places(y, g[0], ((const sort_attrs *)ag_attrs(y))->axis, true, d);
}

static bool sort_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    return ag__from_places(y, tangent[0], ((const sort_attrs *)ag_attrs(y))->axis, true, out);
}

const ag_op ag__op_sort = {
    .size = sizeof(ag_op),
    .name = "sort",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(sort_attrs),
    .attrs = sort_fields,
    .formula = "x in order along axis, and the places its elements come from",
    .shape = sort_shape,
    .run = sort_run,
    .grad = sort_grad,
    .jvp = sort_jvp,
};

ag_tensor *ag_sort(ag_tensor *x, int axis, bool descending, ag_tensor **index) {
    return ag__parts(ag_apply(&ag__op_sort, &x, 1, &(sort_attrs){axis, descending, true}), index);
}

static ag_tensor *argsort(ag_tensor *y) {
    const sort_attrs *a = ag_attrs(y);
    ag_tensor *index = NULL;
    return ag_sort(ag_in(y, 0), a->axis, a->descending, &index) ? index : NULL;
}

AG__COMPOSED_FLAT(argsort, 1, sizeof(sort_attrs), sort_fields, "the places of x's elements in order along axis", argsort);

ag_tensor *ag_argsort(ag_tensor *x, int axis, bool descending) {
    return ag_apply(&ag__op_argsort, &x, 1, &(sort_attrs){axis, descending, true});
}

static ag_tensor *msort(ag_tensor *y) { return ag_sort(ag_in(y, 0), 0, false, NULL); }

AG__COMPOSED_BARE(msort, 1, "x in order along axis 0", msort);

ag_tensor *ag_msort(ag_tensor *x) { return ag_apply(&ag__op_msort, &x, 1, NULL); }
