/* window.c: windows that slide along an axis, as a view, and their adjoint, which adds them up where they overlap.
 *
 *     x (7), size 3, step 2:   0 1 2 3 4 5 6        unfold: (3,3)   [0 1 2]
 *                              └─0─┘                                [2 3 4]    strides (2, 1): 2 and 4 are seen twice
 *                                  └─1─┘                            [4 5 6]
 *                                      └─2─┘
 *
 * unfold and unfold_add are each other's gradients. */
#include <stddef.h>
#include <string.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct window_attrs {
    int axis;
    int64_t size, step, dilation; /* a window's elements lie dilation apart */
} window_attrs;

static const ag_attr_field unfold_fields[] = {{"axis", AG_ATTR_INT, offsetof(window_attrs, axis), NULL},
                                              {"size", AG_ATTR_I64, offsetof(window_attrs, size), NULL},
                                              {"step", AG_ATTR_I64, offsetof(window_attrs, step), NULL},
                                              {"dilation", AG_ATTR_I64, offsetof(window_attrs, dilation), "1"},
                                              {0}};

/* A tensor of shape `whole` in windows. A scalar is a line of one element. */
static bool windows_of(ag_tensor *y, ag_shape whole, const window_attrs *a, int *axis, ag_shape *out) {
    *out = whole;
    int64_t n = 1;
    if (!ag_need_axis(y, a->axis, whole.rank ? whole.rank : 1, axis)) return false;
    if (whole.rank == AG_MAX_RANK)
        return ag_op_fail(y, AG_ERR_SHAPE, "the windows would have %d axes; at most %d are possible", whole.rank + 1,
                          AG_MAX_RANK);
    if (whole.rank) n = whole.dim[*axis];
    if (a->dilation < 1)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "dilation is %lld; it must be at least 1", (long long)a->dilation);
    if (a->size < 0 || a->size > n || a->step < 1) {
        char text[AG__TEXT];
        return ag_op_fail(
            y, AG_ERR_ARGUMENT, "a window of size %lld and step %lld along axis %d of %s; size goes from 0 to its %lld elements, step from 1",
            (long long)a->size, (long long)a->step, *axis, ag__dims_text(whole, text), (long long)n);
    }
    if (a->size > 1 && a->dilation > (n - 1) / (a->size - 1))
        return ag_op_fail(y, AG_ERR_ARGUMENT, "a window of %lld elements, %lld apart, reaches beyond the %lld of axis %d",
                          (long long)a->size, (long long)a->dilation, (long long)n, *axis);
    int64_t reach = a->size ? (a->size - 1) * a->dilation + 1 : 0;
    if (whole.rank) out->dim[*axis] = (n - reach) / a->step + 1;
    out->dim[out->rank++] = a->size;
    return true;
}

static bool unfold_shape(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    const window_attrs *a = ag_attrs(y);
    int64_t stride[AG_MAX_RANK] = {0};
    ag_shape s;
    int axis;
    if (!windows_of(y, ag_shape_of(x), a, &axis, &s)) return false;
    for (int i = 0; i < ag_rank(x); i++) stride[i] = ag_stride(x, i);
    stride[s.rank - 1] = ag_rank(x) ? stride[axis] : 1;
    if (s.dim[s.rank - 1] > 1) stride[s.rank - 1] *= a->dilation;
    if (ag_rank(x) && s.dim[axis] > 1) stride[axis] *= a->step;
    return ag_out_view(y, s, stride, 0);
}

static bool unfold_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const window_attrs *a = ag_attrs(y);
    d[0] = ag_unfold_add_dilated(g[0], ag_shape_of(ag_in(y, 0)), a->axis, a->size, a->step, a->dilation);
    return d[0] != NULL;
}

const ag_op ag__op_unfold = {
    .size = sizeof(ag_op),
    .name = "unfold",
    .arity = 1,
    .flags = AG_VIEW | AG_LINEAR,
    .attr_size = sizeof(window_attrs),
    .attrs = unfold_fields,
    .formula = "x[…, step i + dilation j, …], i along axis, j along a new last axis",
    .shape = unfold_shape,
    .grad = unfold_grad,
};

ag_tensor *ag_unfold_dilated(ag_tensor *x, int axis, int64_t size, int64_t step, int64_t dilation) {
    return ag_apply(&ag__op_unfold, &x, 1, &(window_attrs){axis, size, step, dilation});
}

ag_tensor *ag_unfold(ag_tensor *x, int axis, int64_t size, int64_t step) {
    return ag_unfold_dilated(x, axis, size, step, 1);
}

typedef struct add_attrs {
    ag_shape shape;
    window_attrs at;
} add_attrs;

static const ag_attr_field add_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(add_attrs, shape), NULL},
                                           {"axis", AG_ATTR_INT, offsetof(add_attrs, at.axis), NULL},
                                           {"size", AG_ATTR_I64, offsetof(add_attrs, at.size), NULL},
                                           {"step", AG_ATTR_I64, offsetof(add_attrs, at.step), NULL},
                                           {"dilation", AG_ATTR_I64, offsetof(add_attrs, at.dilation), "1"},
                                           {0}};

static bool add_shape(ag_tensor *y) {
    const add_attrs *a = ag_attrs(y);
    const ag_tensor *g = ag_in(y, 0);
    ag_shape s;
    int axis;
    if (!ag__need_number(y, 0) || !ag__need_shape(y, a->shape) || !windows_of(y, a->shape, &a->at, &axis, &s))
        return false;
    if (ag__same_shape(s, ag_shape_of(g))) return ag_out_shape(y, 0, ag_dtype_of(g), a->shape);
    char have[AG__TEXT], want[AG__TEXT], whole[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "%s does not fit: these windows of %s are %s",
                      ag_shape_text(g, have, sizeof have), ag__dims_text(a->shape, whole), ag__dims_text(s, want));
}

typedef struct sliding {
    const void *g;
    void *out;
    int64_t n, inner, count, size, step, row; /* row: from one element of a window to the next */
} sliding;

/* Outer parts [begin, end), their windows in order; of one window, g is (inner, size) and y (size, inner). */
#define SLIDE(NAME, T)                                                                             \
    static void NAME(void *context, int64_t begin, int64_t end) {                                  \
        const sliding *s = context;                                                                \
        for (int64_t o = begin; o < end; o++) {                                                    \
            for (int64_t k = 0; k < s->count; k++) {                                               \
                const T *g = (const T *)s->g + (o * s->count + k) * s->inner * s->size;            \
                T *y = (T *)s->out + (o * s->n + k * s->step) * s->inner;                          \
                for (int64_t i = 0; i < s->inner; i++) {                                           \
                    for (int64_t j = 0; j < s->size; j++) y[j * s->row + i] += g[i * s->size + j]; \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
SLIDE(slide_f32, float)
SLIDE(slide_f64, double)
SLIDE(slide_i64, uint64_t)

static bool add_run(ag_tensor *y) {
    enum { GRAIN = 16384 }; /* additions worth waking a thread for */
    static void (*const slides[AG_DTYPE_COUNT])(void *, int64_t, int64_t) = {slide_f32, slide_f64, slide_i64};
    const add_attrs *a = ag_attrs(y);
    sliding s = {.out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * ag_dtype_size(ag_dtype_of(y)))};
    ag_shape windows;
    int axis;
    if (ag_size(ag_in(y, 0)) == 0) return true;
    if (!(s.g = ag_op_dense(y, 0)) || !windows_of(y, a->shape, &a->at, &axis, &windows)) return false;
    ag__along all = a->shape.rank ? ag__along_axis(a->shape, axis) : (ag__along){1, 1, 1};
    s.n = all.n;
    s.inner = all.inner;
    s.size = a->at.size;
    s.step = a->at.step;
    s.row = a->at.dilation * all.inner;
    s.count = a->shape.rank ? windows.dim[axis] : 1;
    ag_parallel_for(all.outer, 1 + GRAIN / (s.count * s.size * s.inner), slides[ag_dtype_of(y)], &s);
    return true;
}

static bool add_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const window_attrs *a = &((const add_attrs *)ag_attrs(y))->at;
    return (d[0] = ag_unfold_dilated(g[0], a->axis, a->size, a->step, a->dilation)) != NULL;
}

const ag_op ag__op_unfold_add = {
    .size = sizeof(ag_op),
    .name = "unfold_add",
    .arity = 1,
    .inputs = "g",
    .flags = AG_LINEAR,
    .attr_size = sizeof(add_attrs),
    .attrs = add_fields,
    .formula = "zeros with the windows g added where they lie",
    .shape = add_shape,
    .run = add_run,
    .grad = add_grad,
};

ag_tensor *ag_unfold_add_dilated(ag_tensor *g, ag_shape shape, int axis, int64_t size, int64_t step, int64_t dilation) {
    return ag_apply(&ag__op_unfold_add, &g, 1, &(add_attrs){shape, {axis, size, step, dilation}});
}

ag_tensor *ag_unfold_add(ag_tensor *g, ag_shape shape, int axis, int64_t size, int64_t step) {
    return ag_unfold_add_dilated(g, shape, axis, size, step, 1);
}
