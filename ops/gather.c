/* gather.c: single elements picked along one axis by an index of the same rank, and their adjoint.
 *
 *     axis 0:   y[i][j] = x[index[i][j]][j]          gather
 *               y[index[i][j]][j] += g[i][j]         gather_add, in row-major order of the index: the same sum at every run
 *
 * They are each other's gradients. */
#include <stddef.h>
#include <string.h>

#include "ops/lines.h"
#include "ops/ops.h"
#include "ops/table.h"

static bool gather_shape(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    int axis;
    return ag__need_index(y, 1, ag_shape_of(x), ag__axis_of(y), &axis) &&
           ag_out_shape(y, 0, ag_dtype_of(x), ag_shape_of(ag_in(y, 1)));
}

static bool gather_run(ag_tensor *y) {
    ag_shape large = ag_shape_of(ag_in(y, 0));
    size_t element = ag_dtype_size(ag_dtype_of(y));
    int axis;
    ag__lines l;
    if (!ag__need_index(y, 1, large, ag__axis_of(y), &axis) || !ag__lines_start(y, 1, large, axis, &l)) return false;
    const void *x = ag_op_dense(y, 0);
    if (!x && l.count) return false;
    ag__lines_walk(&l, AG__ANY_ORDER, ag__line_get(element), &(ag__move){ag_out_data(y, 0), x});
    return true;
}

static bool gather_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_gather_add(g[0], ag__axis_of(y), ag_in(y, 1), ag_shape_of(ag_in(y, 0)))) != NULL;
}

const ag_op ag__op_gather = {
    .size = sizeof(ag_op),
    .name = "gather",
    .arity = 2,
    .inputs = "x index",
    .flags = AG_LINEAR,
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_given,
    .formula = "x[index[i][j]][j] (axis 0)",
    .shape = gather_shape,
    .run = gather_run,
    .grad = gather_grad,
};

ag_tensor *ag_gather(ag_tensor *x, int axis, ag_tensor *index) {
    return ag_apply(&ag__op_gather, (ag_tensor *[]){x, index}, 2, &(ag__axis_attrs){axis});
}

typedef struct gather_add_attrs {
    int axis;
    ag_shape shape;
} gather_add_attrs;

static const ag_attr_field gather_add_fields[] = {{"axis", AG_ATTR_INT, offsetof(gather_add_attrs, axis), NULL},
                                                  {"shape", AG_ATTR_SHAPE, offsetof(gather_add_attrs, shape), NULL},
                                                  {0}};

static bool gather_add_shape(ag_tensor *y) {
    const gather_add_attrs *a = ag_attrs(y);
    int axis;
    return ag__need_number(y, 0) && ag_need_same_shape(y, 0, 1) && ag__need_shape(y, a->shape) &&
           ag__need_index(y, 1, a->shape, a->axis, &axis) && ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), a->shape);
}

#define ADD(NAME, T)                                                                                      \
    static void NAME(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base) { \
        const ag__move *m = context;                                                                      \
        T *y = m->to;                                                                                     \
        const T *g = (const T *)m->from + at;                                                             \
        for (int64_t j = 0; j < l->length; j++) y[ag__line_at(l, index, base, j)] += g[j];                \
    }
ADD(add_f32, float)
ADD(add_f64, double)
ADD(add_i64, uint64_t)

static bool gather_add_run(ag_tensor *y) {
    static ag__line_fn *const adds[AG_DTYPE_COUNT] = {add_f32, add_f64, add_i64};
    const gather_add_attrs *a = ag_attrs(y);
    size_t element = ag_dtype_size(ag_dtype_of(y));
    int axis;
    ag__lines l;
    void *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * element);
    if (!ag__need_index(y, 1, a->shape, a->axis, &axis) || !ag__lines_start(y, 1, a->shape, axis, &l)) return false;
    const void *g = ag_op_dense(y, 0);
    if (!g && l.count) return false;
    ag__lines_walk(&l, AG__FORWARDS, adds[ag_dtype_of(y)], &(ag__move){out, g});
    return true;
}

static bool gather_add_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const gather_add_attrs *a = ag_attrs(y);
    return (d[0] = ag_gather(g[0], a->axis, ag_in(y, 1))) != NULL;
}

const ag_op ag__op_gather_add = {
    .size = sizeof(ag_op),
    .name = "gather_add",
    .arity = 2,
    .inputs = "g index",
    .flags = AG_LINEAR,
    .attr_size = sizeof(gather_add_attrs),
    .attrs = gather_add_fields,
    .formula = "zeros with g added at index[i][j], j (axis 0)",
    .shape = gather_add_shape,
    .run = gather_add_run,
    .grad = gather_add_grad,
};

ag_tensor *ag_gather_add(ag_tensor *g, int axis, ag_tensor *index, ag_shape shape) {
    gather_add_attrs a = {axis, shape};
    return ag_apply(&ag__op_gather_add, (ag_tensor *[]){g, index}, 2, &a);
}
