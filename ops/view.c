/* view.c: operations that only change how memory is read: a new shape, new strides, the same data.
 *
 *     x (2,3), strides (3,1)   ─ permute 1,0 ─▶  (3,2), strides (1,3)
 *                              ─ reshape 6 ───▶  (6),   strides (1)
 *                              ─ expand 4,2,3 ▶  (4,2,3), strides (0,3,1)
 *
 * Each is linear, and its gradient is another change of shape, or, for expand, a sum. */
#include <stddef.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static bool same_view(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    int64_t stride[AG_MAX_RANK];
    for (int i = 0; i < ag_rank(x); i++) stride[i] = ag_stride(x, i);
    return ag_out_view(y, ag_shape_of(x), stride, 0);
}

static bool grad_is_g(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    d[0] = g[0];
    return true;
}

typedef struct shape_attrs {
    ag_shape shape;
} shape_attrs;

static const ag_attr_field shape_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(shape_attrs, shape), NULL}, {0}};

/* NumPy's rule for reshaping without a copy. Neighbouring axes of x that are walked as one make a run; x can be seen as s if
 * every run is a product of neighbouring extents of s. */
static bool restride(const ag_tensor *x, ag_shape s, int64_t stride[AG_MAX_RANK]) {
    int64_t extent[AG_MAX_RANK], step[AG_MAX_RANK];
    int runs = 0;
    for (int i = 0; i < ag_rank(x); i++) {
        int64_t n = ag_dim(x, i), by = ag_stride(x, i);
        if (n == 1) continue;
        if (runs && step[runs - 1] == n * by) {
            extent[runs - 1] *= n;
        } else {
            extent[runs++] = n;
        }
        step[runs - 1] = by;
    }
    int64_t left = 1, by = 1; /* of the present run: elements not yet given to an axis, and their distance */
    for (int i = s.rank - 1; i >= 0; i--) {
        if (left == 1 && s.dim[i] != 1) {
            left = extent[--runs];
            by = step[runs];
        }
        if (left % s.dim[i]) return false;
        stride[i] = by;
        by *= s.dim[i];
        left /= s.dim[i];
    }
    return true;
}

static bool reshape_shape(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    ag_shape s = ((const shape_attrs *)ag_attrs(y))->shape;
    if (!ag__complete_shape(&s, ag_size(x))) {
        char from[AG__TEXT], to[AG__TEXT];
        return ag_op_fail(y, AG_ERR_SHAPE, "%s, of %lld element(s), does not go into the shape %s",
                          ag_shape_text(x, from, sizeof from), (long long)ag_size(x), ag__dims_text(s, to));
    }
    int64_t stride[AG_MAX_RANK];
    if (ag_size(x) == 0) return ag_out_view(y, s, NULL, 0);
    return restride(x, s, stride) ? ag_out_view(y, s, stride, 0) : ag_out_shape(y, 0, ag_dtype_of(x), s);
}

static bool reshape_run(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    return ag_data(y) == ag_data(x) || ag_read(x, ag_out_data(y, 0));
}

static bool reshape_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_reshape(g[0], ag_shape_of(ag_in(y, 0)))) != NULL;
}

const ag_op ag__op_reshape = {
    .size = sizeof(ag_op),
    .name = "reshape",
    .arity = 1,
    .flags = AG_VIEW | AG_LINEAR,
    .attr_size = sizeof(shape_attrs),
    .attrs = shape_fields,
    .formula = "x in another shape",
    .shape = reshape_shape,
    .run = reshape_run,
    .grad = reshape_grad,
};

ag_tensor *ag_reshape(ag_tensor *x, ag_shape shape) {
    shape_attrs a = {shape};
    ag__complete_shape(&a.shape, ag_size(x));
    return ag_apply(&ag__op_reshape, &x, 1, &a);
}

typedef struct permute_attrs {
    ag_axes axes;
} permute_attrs;

static const ag_attr_field permute_fields[] = {{"axes", AG_ATTR_AXES, offsetof(permute_attrs, axes), NULL}, {0}};

static bool permute_shape(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    const permute_attrs *a = ag_attrs(y);
    bool chosen[AG_MAX_RANK];
    ag_shape s = {.rank = ag_rank(x)};
    int64_t stride[AG_MAX_RANK];
    if (a->axes.count != s.rank) {
        char text[AG__TEXT];
        return ag_op_fail(y, AG_ERR_ARGUMENT, "axes must name each axis of %s once", ag_shape_text(x, text, sizeof text));
    }
    if (!ag_need_axes(y, a->axes, s.rank, chosen)) return false;
    for (int i = 0; i < s.rank; i++) {
        s.dim[i] = ag_dim(x, a->axes.axis[i]);
        stride[i] = ag_stride(x, a->axes.axis[i]);
    }
    return ag_out_view(y, s, stride, 0);
}

static bool permute_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const permute_attrs *a = ag_attrs(y);
    ag_axes back = {.count = a->axes.count};
    for (int i = 0; i < back.count; i++) {
        int from = a->axes.axis[i];
        back.axis[from < 0 ? from + back.count : from] = i;
    }
    return (d[0] = ag_permute(g[0], back)) != NULL;
}

const ag_op ag__op_permute = {
    .size = sizeof(ag_op),
    .name = "permute",
    .arity = 1,
    .flags = AG_VIEW | AG_LINEAR,
    .attr_size = sizeof(permute_attrs),
    .attrs = permute_fields,
    .formula = "axis i of y is axis axes[i] of x",
    .shape = permute_shape,
    .grad = permute_grad,
};

ag_tensor *ag_permute(ag_tensor *x, ag_axes axes) {
    permute_attrs a = {axes};
    return ag_apply(&ag__op_permute, &x, 1, &a);
}

static bool expand_shape(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    ag_shape s = ((const shape_attrs *)ag_attrs(y))->shape;
    int64_t stride[AG_MAX_RANK] = {0};
    int lead = s.rank - ag_rank(x);
    bool fits = lead >= 0;
    for (int i = 0; fits && i < ag_rank(x) && s.rank <= AG_MAX_RANK; i++) {
        if (s.dim[lead + i] == -1) s.dim[lead + i] = ag_dim(x, i);
    }
    if (!ag__need_shape(y, s)) return false;
    for (int i = 0; fits && i < ag_rank(x); i++) {
        int64_t n = ag_dim(x, i);
        fits = n == 1 || n == s.dim[lead + i];
        stride[lead + i] = n == 1 ? 0 : ag_stride(x, i);
    }
    if (fits) return ag_out_view(y, s, stride, 0);
    char from[AG__TEXT], to[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "%s does not broadcast to %s: extents, from the last, must be equal or 1",
                      ag_shape_text(x, from, sizeof from), ag__dims_text(s, to));
}

static bool expand_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_sum_to(g[0], ag_shape_of(ag_in(y, 0)))) != NULL;
}

const ag_op ag__op_expand = {
    .size = sizeof(ag_op),
    .name = "expand",
    .arity = 1,
    .flags = AG_VIEW | AG_LINEAR,
    .attr_size = sizeof(shape_attrs),
    .attrs = shape_fields,
    .formula = "x repeated to a shape it broadcasts to",
    .shape = expand_shape,
    .grad = expand_grad,
};

ag_tensor *ag_expand(ag_tensor *x, ag_shape shape) {
    shape_attrs a = {shape};
    return ag_apply(&ag__op_expand, &x, 1, &a);
}

static bool contiguous_shape(ag_tensor *y) { return ag_out_like(y, 0, ag_in(y, 0)); }

static bool contiguous_run(ag_tensor *y) { return ag_read(ag_in(y, 0), ag_out_data(y, 0)); }

const ag_op ag__op_contiguous = {
    .size = sizeof(ag_op),
    .name = "contiguous",
    .arity = 1,
    .flags = AG_LINEAR,
    .formula = "x, row-major without gaps",
    .shape = contiguous_shape,
    .run = contiguous_run,
    .grad = grad_is_g,
};

ag_tensor *ag_contiguous(ag_tensor *x) { return ag_is_contiguous(x) ? x : ag_apply(&ag__op_contiguous, &x, 1, NULL); }

const ag_op ag__op_alias = {
    .size = sizeof(ag_op),
    .name = "alias",
    .arity = 1,
    .flags = AG_VIEW | AG_LINEAR,
    .formula = "x",
    .shape = same_view,
    .grad = grad_is_g,
};

ag_tensor *ag_alias(ag_tensor *x) { return ag_apply(&ag__op_alias, &x, 1, NULL); }

const ag_op ag__op_detach = {
    .size = sizeof(ag_op),
    .name = "detach",
    .arity = 1,
    .flags = AG_VIEW | AG_FLAT | AG_DETACH,
    .formula = "x, taken as a constant",
    .shape = same_view,
};

ag_tensor *ag_detach(ag_tensor *x) { return ag_apply(&ag__op_detach, &x, 1, NULL); }
