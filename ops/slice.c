/* slice.c: every step-th slab along one axis, and its adjoint, which puts the slabs back among zeros.
 *
 *     x[1:6:2]     0 [1] 2 [3] 4 [5] 6     a view: offset 1, stride 2; a negative step walks backwards
 *     unslice      0 [g] 0 [g] 0 [g] 0
 *
 * Start and stop are clamped as NumPy's are, so every pair is a valid slice, an empty one perhaps. */
#include <stddef.h>
#include <string.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct slice_attrs {
    int axis;
    int64_t start, stop, step;
} slice_attrs;

static const ag_attr_field slice_fields[] = {{"axis", AG_ATTR_INT, offsetof(slice_attrs, axis), NULL},
                                             {"start", AG_ATTR_I64, offsetof(slice_attrs, start), "0"},
                                             {"stop", AG_ATTR_I64, offsetof(slice_attrs, stop), "end"},
                                             {"step", AG_ATTR_I64, offsetof(slice_attrs, step), "1"},
                                             {0}};

/* The slice of an axis of n elements: `count` of them, from `first` on, `step` apart. */
typedef struct range {
    int64_t first, count, step;
} range;

/* Python's rule: count from the end if negative, then into [0, n] forwards or [−1, n − 1] backwards. */
static int64_t clamp(int64_t i, int64_t n, bool backwards) {
    int64_t least = backwards ? -1 : 0, most = backwards ? n - 1 : n;
    if (i < 0) i += n;
    return i < least ? least : i > most ? most : i;
}

static bool range_of(ag_tensor *y, int64_t start, int64_t stop, int64_t step, int64_t n, range *r) {
    if (step == 0) return ag_op_fail(y, AG_ERR_ARGUMENT, "step is 0");
    bool backwards = step < 0;
    int64_t first = clamp(start, n, backwards);
    int64_t last = stop == AG_END && backwards ? -1 : clamp(stop, n, backwards);
    int64_t span = backwards ? first - last : last - first;
    uint64_t size = backwards ? 0 - (uint64_t)step : (uint64_t)step;
    *r = (range){first, span > 0 ? (int64_t)(((uint64_t)span - 1) / size) + 1 : 0, step};
    if (r->count <= 1) r->step = 1; /* so that a huge step is never multiplied with a stride */
    if (r->count == 0) r->first = 0;
    return true;
}

static bool slice_shape(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    const slice_attrs *a = ag_attrs(y);
    ag_shape s = ag_shape_of(x);
    int64_t stride[AG_MAX_RANK];
    int axis;
    range r;
    if (!ag_need_axis(y, a->axis, s.rank, &axis)) return false;
    if (!range_of(y, a->start, a->stop, a->step, s.dim[axis], &r)) return false;
    for (int i = 0; i < s.rank; i++) stride[i] = ag_stride(x, i);
    s.dim[axis] = r.count;
    int64_t offset = r.first * stride[axis];
    stride[axis] *= r.step;
    return ag_out_view(y, s, stride, offset);
}

static bool slice_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const slice_attrs *a = ag_attrs(y);
    bool whole = ag_dim(y, a->axis) == ag_dim(ag_in(y, 0), a->axis) && ag_dim(y, a->axis) > 1; /* as it is, or backwards */
    if (whole && a->step > 0) return (d[0] = g[0]) != NULL;
    if (whole) return (d[0] = ag_slice(g[0], a->axis, AG_END, AG_END, -1)) != NULL;
    return (d[0] = ag_unslice(g[0], ag_shape_of(ag_in(y, 0)), a->axis, a->start, a->stop, a->step)) != NULL;
}

const ag_op ag__op_slice = {
    .size = sizeof(ag_op),
    .name = "slice",
    .arity = 1,
    .flags = AG_VIEW | AG_LINEAR,
    .attr_size = sizeof(slice_attrs),
    .attrs = slice_fields,
    .formula = "x[start:stop:step] along axis",
    .shape = slice_shape,
    .grad = slice_grad,
};

ag_tensor *ag_slice(ag_tensor *x, int axis, int64_t start, int64_t stop, int64_t step) {
    slice_attrs a = {axis, start, stop, step};
    return ag_apply(&ag__op_slice, &x, 1, &a);
}

typedef struct unslice_attrs {
    ag_shape shape;
    int axis;
    int64_t start, stop, step;
} unslice_attrs;

static const ag_attr_field unslice_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(unslice_attrs, shape), NULL},
                                               {"axis", AG_ATTR_INT, offsetof(unslice_attrs, axis), NULL},
                                               {"start", AG_ATTR_I64, offsetof(unslice_attrs, start), "0"},
                                               {"stop", AG_ATTR_I64, offsetof(unslice_attrs, stop), "end"},
                                               {"step", AG_ATTR_I64, offsetof(unslice_attrs, step), "1"},
                                               {0}};

static bool unslice_shape(ag_tensor *y) {
    const ag_tensor *g = ag_in(y, 0);
    const unslice_attrs *a = ag_attrs(y);
    int axis;
    range r;
    if (!ag__need_shape(y, a->shape) || !ag_need_axis(y, a->axis, a->shape.rank, &axis)) return false;
    if (!range_of(y, a->start, a->stop, a->step, a->shape.dim[axis], &r)) return false;
    ag_shape part = a->shape;
    part.dim[axis] = r.count;
    if (!ag__same_shape(part, ag_shape_of(g))) {
        char have[AG__TEXT], want[AG__TEXT], whole[AG__TEXT];
        return ag_op_fail(y, AG_ERR_SHAPE, "%s does not fit: that slice of %s is %s",
                          ag_shape_text(g, have, sizeof have), ag__dims_text(a->shape, whole), ag__dims_text(part, want));
    }
    return ag_out_shape(y, 0, ag_dtype_of(g), a->shape);
}

static bool unslice_run(ag_tensor *y) {
    const unslice_attrs *a = ag_attrs(y);
    size_t element = ag_dtype_size(ag_dtype_of(y));
    char *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * element);
    int axis;
    range r;
    if (ag_size(ag_in(y, 0)) == 0) return true;
    const char *g = ag_op_dense(y, 0);
    if (!g || !ag_need_axis(y, a->axis, a->shape.rank, &axis)) return false;
    ag__along whole = ag__along_axis(a->shape, axis);
    if (!range_of(y, a->start, a->stop, a->step, whole.n, &r)) return false;
    size_t slab = (size_t)whole.inner * element;
    for (int64_t o = 0; o < whole.outer; o++) {
        for (int64_t i = 0; i < r.count; i++, g += slab) {
            ag__copy_slab(out + (size_t)(o * whole.n + r.first + i * r.step) * slab, g, slab);
        }
    }
    return true;
}

static bool unslice_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const unslice_attrs *a = ag_attrs(y);
    return (d[0] = ag_slice(g[0], a->axis, a->start, a->stop, a->step)) != NULL;
}

const ag_op ag__op_unslice = {
    .size = sizeof(ag_op),
    .name = "unslice",
    .arity = 1,
    .inputs = "g",
    .flags = AG_LINEAR,
    .attr_size = sizeof(unslice_attrs),
    .attrs = unslice_fields,
    .formula = "zeros with g in the slice [start:stop:step]",
    .shape = unslice_shape,
    .run = unslice_run,
    .grad = unslice_grad,
};

ag_tensor *ag_unslice(ag_tensor *g, ag_shape shape, int axis, int64_t start, int64_t stop, int64_t step) {
    unslice_attrs a = {shape, axis, start, stop, step};
    return ag_apply(&ag__op_unslice, &g, 1, &a);
}
