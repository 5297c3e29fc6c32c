/* gather.c: single elements picked along one axis by an index of the same rank, and their adjoint.
 *
 *     axis 0:   y[i][j] = x[index[i][j]][j]          gather
 *               y[index[i][j]][j] += g[i][j]         scatter_add, in row-major order of the index
 *
 * Both walk the index a line (its last axis) at a time. In the large, row-major tensor of strides s, element j of a line lies at
 * base + index[j] · s[axis] + j · step, with step 0 if the axis is the last, else 1. */
#include <stddef.h>
#include <string.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct lines {
    ag_shape shape; /* of the index */
    int64_t stride[AG_MAX_RANK], at[AG_MAX_RANK];
    int64_t base, length, count, by_index, step;
} lines;

static lines lines_of(ag_shape index, ag_shape large, int axis) {
    int last = index.rank - 1;
    lines l = {.shape = index, .length = index.dim[last], .count = 1, .step = axis != last};
    int64_t stride = 1;
    for (int i = last; i >= 0; i--) {
        l.stride[i] = i == axis ? 0 : stride;
        if (i == axis) l.by_index = stride;
        if (i < last) l.count *= index.dim[i];
        stride *= large.dim[i];
    }
    return l;
}

static void lines_next(lines *l) {
    for (int i = l->shape.rank - 2; i >= 0; i--) {
        l->base += l->stride[i];
        if (++l->at[i] < l->shape.dim[i]) return;
        l->base -= l->at[i] * l->stride[i];
        l->at[i] = 0;
    }
}

/* One line: between n elements of `line` and the places of `large` that belong to them. */
typedef void line_fn(void *to, const void *from, const int64_t *index, const lines *l);

#define GATHER(NAME, T)                                                                                   \
    static void NAME(void *line, const void *large, const int64_t *index, const lines *l) {               \
        const T *x = (const T *)large + l->base;                                                          \
        for (int64_t j = 0; j < l->length; j++) ((T *)line)[j] = x[index[j] * l->by_index + j * l->step]; \
    }
GATHER(gather_f32, float)
GATHER(gather_f64, double)
GATHER(gather_i64, int64_t)
GATHER(gather_bool, bool)

#define SCATTER(NAME, T)                                                                                         \
    static void NAME(void *large, const void *line, const int64_t *index, const lines *l) {                      \
        T *y = (T *)large + l->base;                                                                             \
        for (int64_t j = 0; j < l->length; j++) y[index[j] * l->by_index + j * l->step] += ((const T *)line)[j]; \
    }
SCATTER(scatter_f32, float)
SCATTER(scatter_f64, double)
SCATTER(scatter_i64, uint64_t)

/* The index must have the rank of the large shape and fit into it, the axis aside. */
static bool need_fit(ag_tensor *y, ag_shape large, int wanted, int *axis) {
    ag_shape index = ag_shape_of(ag_in(y, 1));
    if (!ag_need_dtype(y, 1, AG_I64) || !ag_need_axis(y, wanted, large.rank, axis)) return false;
    bool fits = index.rank == large.rank;
    for (int i = 0; fits && i < index.rank; i++) fits = i == *axis || index.dim[i] <= large.dim[i];
    if (fits) return true;
    char small[AG__TEXT], big[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "index %s must have as many axes as %s and, but for axis %d, not be larger",
                      ag_shape_text(ag_in(y, 1), small, sizeof small), ag__dims_text(large, big), *axis);
}

typedef struct gather_attrs {
    int axis;
} gather_attrs;

static const ag_attr_field gather_fields[] = {{"axis", AG_ATTR_INT, offsetof(gather_attrs, axis), NULL}, {0}};

static bool gather_shape(ag_tensor *y) {
    const gather_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    return need_fit(y, ag_shape_of(x), a->axis, &axis) && ag_out_shape(y, 0, ag_dtype_of(x), ag_shape_of(ag_in(y, 1)));
}

static bool gather_run(ag_tensor *y) {
    static line_fn *const gathers[AG_DTYPE_COUNT] = {gather_f32, gather_f64, gather_i64, gather_bool};
    const gather_attrs *a = ag_attrs(y);
    ag_shape large = ag_shape_of(ag_in(y, 0));
    char *out = ag_out_data(y, 0);
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag_need_axis(y, a->axis, large.rank, &axis)) return false;
    const int64_t *index = ag__indices(y, 1, large.dim[axis]);
    const void *x = index ? ag_op_dense(y, 0) : NULL;
    if (!x) return false;
    lines l = lines_of(ag_shape_of(y), large, axis);
    size_t row = (size_t)l.length * ag_dtype_size(ag_dtype_of(y));
    for (int64_t i = 0; i < l.count; i++, lines_next(&l)) {
        gathers[ag_dtype_of(y)](out + (size_t)i * row, x, index + i * l.length, &l);
    }
    return true;
}

static bool gather_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const gather_attrs *a = ag_attrs(y);
    return (d[0] = ag_scatter_add(g[0], a->axis, ag_in(y, 1), ag_shape_of(ag_in(y, 0)))) != NULL;
}

const ag_op ag__op_gather = {
    .size = sizeof(ag_op),
    .name = "gather",
    .arity = 2,
    .flags = AG_LINEAR,
    .attr_size = sizeof(gather_attrs),
    .attrs = gather_fields,
    .formula = "x[index[i][j]][j] (axis 0)",
    .shape = gather_shape,
    .run = gather_run,
    .grad = gather_grad,
};

ag_tensor *ag_gather(ag_tensor *x, int axis, ag_tensor *index) {
    gather_attrs a = {axis};
    return ag_apply(&ag__op_gather, (ag_tensor *[]){x, index}, 2, &a);
}

typedef struct scatter_attrs {
    int axis;
    ag_shape shape;
} scatter_attrs;

static const ag_attr_field scatter_fields[] = {{"axis", AG_ATTR_INT, offsetof(scatter_attrs, axis), NULL},
                                               {"shape", AG_ATTR_SHAPE, offsetof(scatter_attrs, shape), NULL},
                                               {0}};

static bool scatter_shape(ag_tensor *y) {
    const scatter_attrs *a = ag_attrs(y);
    int axis;
    return ag__need_number(y, 0) && ag_need_same_shape(y, 0, 1) && ag__need_shape(y, a->shape) &&
           need_fit(y, a->shape, a->axis, &axis) && ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), a->shape);
}

static bool scatter_run(ag_tensor *y) {
    static line_fn *const scatters[AG_DTYPE_COUNT] = {scatter_f32, scatter_f64, scatter_i64};
    const scatter_attrs *a = ag_attrs(y);
    ag_tensor *in = ag_in(y, 0);
    size_t element = ag_dtype_size(ag_dtype_of(y));
    int axis;
    void *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * element);
    if (ag_size(in) == 0) return true;
    if (!ag_need_axis(y, a->axis, a->shape.rank, &axis)) return false;
    const int64_t *index = ag__indices(y, 1, a->shape.dim[axis]);
    const char *g = index ? ag_op_dense(y, 0) : NULL;
    if (!g) return false;
    lines l = lines_of(ag_shape_of(in), a->shape, axis);
    size_t row = (size_t)l.length * element;
    for (int64_t i = 0; i < l.count; i++, lines_next(&l)) {
        scatters[ag_dtype_of(y)](out, g + (size_t)i * row, index + i * l.length, &l);
    }
    return true;
}

static bool scatter_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const scatter_attrs *a = ag_attrs(y);
    return (d[0] = ag_gather(g[0], a->axis, ag_in(y, 1))) != NULL;
}

const ag_op ag__op_scatter_add = {
    .size = sizeof(ag_op),
    .name = "scatter_add",
    .arity = 2,
    .flags = AG_LINEAR,
    .attr_size = sizeof(scatter_attrs),
    .attrs = scatter_fields,
    .formula = "zeros with g added at index[i][j], j (axis 0)",
    .shape = scatter_shape,
    .run = scatter_run,
    .grad = scatter_grad,
};

ag_tensor *ag_scatter_add(ag_tensor *g, int axis, ag_tensor *index, ag_shape shape) {
    scatter_attrs a = {axis, shape};
    return ag_apply(&ag__op_scatter_add, (ag_tensor *[]){g, index}, 2, &a);
}
