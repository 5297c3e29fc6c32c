/* reduce.c: sum and mean over any axes, sum_to, the adjoint of broadcasting, and what reductions share. How the adding is
 * done: fold.c. */
#include "ops/reduce.h"

#include "autograd/node.h"
#include "ops/fold.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

const ag_attr_field ag__over_fields[] = {AG__OVER_FIELDS, {0}};

bool ag__reduced_axes(ag_tensor *y, bool reduced[AG_MAX_RANK]) {
    const ag__over *a = ag_attrs(y);
    int rank = ag_rank(ag_in(y, 0));
    return ag_need_axes(y, a->axes, rank ? rank : 1, reduced); /* as PyTorch, a scalar has an axis to be reduced */
}

/* x's shape with the reduced axes as extents of 1 (kept) or left out. */
static bool reduced_shape(ag_tensor *y, bool keepdim, ag_shape *s) {
    bool reduced[AG_MAX_RANK];
    ag_shape x = ag_shape_of(ag_in(y, 0));
    *s = (ag_shape){0};
    if (!ag__reduced_axes(y, reduced)) return false;
    for (int i = 0; i < x.rank; i++) {
        if (!reduced[i] || keepdim) s->dim[s->rank++] = reduced[i] ? 1 : x.dim[i];
    }
    return true;
}

bool ag__reduce_shape_to(ag_tensor *y, ag_dtype dtype) {
    const ag__over *a = ag_attrs(y);
    ag_shape s;
    return reduced_shape(y, a->keepdim, &s) && ag_out_shape(y, 0, dtype, s);
}

bool ag__reduce_shape(ag_tensor *y) {
    return ag__need_number(y, 0) && ag__reduce_shape_to(y, ag_dtype_of(ag_in(y, 0)));
}

bool ag__reduce_needs_some(ag_tensor *y) {
    char text[AG__TEXT];
    if (ag_size(ag_in(y, 0)) || ag_size(ag_out(y, 0)) == 0) return true;
    return ag_op_fail(y, AG_ERR_SHAPE, "%s: there is no element to choose", ag_shape_text(ag_in(y, 0), text, sizeof text));
}

bool ag__reduce_one_axis(ag_tensor *y) {
    int count = ((const ag__over *)ag_attrs(y))->axes.count;
    return count < 0 || count == 1 ||
           ag_op_fail(y, AG_ERR_ARGUMENT, "takes one axis, or all of them together, not %d", count);
}

ag_tensor *ag__spread(ag_tensor *y, ag_tensor *v) {
    const ag__over *a = ag_attrs(y);
    ag_shape s;
    if (!v || a->keepdim || ag_rank(v) == 0) return v;
    return reduced_shape(y, true, &s) ? ag_reshape(v, s) : NULL;
}

ag_tensor *ag__count_ties(ag_tensor *y, ag_tensor *tied) {
    return ag_cast(ag_count_nonzero(tied, ((const ag__over *)ag_attrs(y))->axes, true), ag_dtype_of(ag_in(y, 0)));
}

ag_tensor *ag__share_ties(ag_tensor *y, ag_tensor *tied, ag_tensor *v) {
    ag_tensor *zero = ag_scalar(ag_tape_of(y), ag_dtype_of(ag_in(y, 0)), 0);
    return ag_where(tied, ag_div(v, ag__count_ties(y, tied)), zero);
}

double ag__reduce_terms(const ag_tensor *y) {
    const ag__over *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    double n = 1;
    if (a->axes.count < 0 || ag_rank(x) == 0) return (double)ag_size(x);
    for (int i = 0; i < a->axes.count; i++) n *= (double)ag_dim(x, a->axes.axis[i]);
    return n;
}

double ag__reduce_flops(const ag_tensor *y) { return (double)ag_size(ag_in(y, 0)); }

static bool sum_run(ag_tensor *y) {
    bool reduced[AG_MAX_RANK];
    return ag__reduced_axes(y, reduced) && ag__fold(y, reduced, AG__SUM);
}

static bool sum_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag__spread(y, g[0])) != NULL;
}

const ag_op ag__op_sum = {
    .size = sizeof(ag_op),
    .name = "sum",
    .arity = 1,
    .flags = AG_LINEAR | AG__STREAMS,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "Σ x over axes",
    .shape = ag__reduce_shape,
    .run = sum_run,
    .grad = sum_grad,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_sum(ag_tensor *x, ag_axes axes, bool keepdim) {
    ag__over a = {axes, keepdim};
    return ag_apply(&ag__op_sum, &x, 1, &a);
}

static bool mean_shape(ag_tensor *y) { return ag_need_float(y, 0) && ag__reduce_shape(y); }

static bool mean_run(ag_tensor *y) {
    if (!sum_run(y)) return false;
    double n = ag__reduce_terms(y), *f64 = ag_out_data(y, 0);
    float *f32 = ag_out_data(y, 0);
    int64_t size = ag_size(y);
    if (ag_dtype_of(y) == AG_F32) {
        for (int64_t i = 0; i < size; i++) f32[i] /= (float)n;
    } else {
        for (int64_t i = 0; i < size; i++) f64[i] /= n;
    }
    return true;
}

static bool mean_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_scale(ag__spread(y, g[0]), 1 / ag__reduce_terms(y))) != NULL;
}

const ag_op ag__op_mean = {
    .size = sizeof(ag_op),
    .name = "mean",
    .arity = 1,
    .flags = AG_LINEAR | AG__STREAMS,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "Σ x / n over axes",
    .shape = mean_shape,
    .run = mean_run,
    .grad = mean_grad,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_mean(ag_tensor *x, ag_axes axes, bool keepdim) {
    ag__over a = {axes, keepdim};
    return ag_apply(&ag__op_mean, &x, 1, &a);
}

typedef struct sum_to_attrs {
    ag_shape shape;
} sum_to_attrs;

static const ag_attr_field sum_to_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(sum_to_attrs, shape), NULL}, {0}};

static bool sum_to_shape(ag_tensor *y) {
    ag_shape x = ag_shape_of(ag_in(y, 0)), s = ((const sum_to_attrs *)ag_attrs(y))->shape;
    if (!ag__need_number(y, 0) || !ag__need_shape(y, s)) return false;
    int lead = x.rank - s.rank;
    bool fits = lead >= 0;
    for (int i = 0; fits && i < s.rank; i++) fits = s.dim[i] == 1 || s.dim[i] == x.dim[lead + i];
    if (fits) return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s);
    char from[AG__TEXT], to[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "the shape %s does not broadcast to that of %s", ag__dims_text(s, to),
                      ag_shape_text(ag_in(y, 0), from, sizeof from));
}

static bool sum_to_run(ag_tensor *y) {
    int rank = ag_rank(ag_in(y, 0)), lead = rank - ag_rank(y);
    bool reduced[AG_MAX_RANK];
    for (int i = 0; i < rank; i++) reduced[i] = i < lead || ag_dim(y, i - lead) == 1;
    return ag__fold(y, reduced, AG__SUM);
}

static bool sum_to_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_expand(g[0], ag_shape_of(ag_in(y, 0)))) != NULL;
}

const ag_op ag__op_sum_to = {
    .size = sizeof(ag_op),
    .name = "sum_to",
    .arity = 1,
    .flags = AG_LINEAR | AG__STREAMS,
    .attr_size = sizeof(sum_to_attrs),
    .attrs = sum_to_fields,
    .formula = "Σ x over what broadcasting shape repeats",
    .shape = sum_to_shape,
    .run = sum_to_run,
    .grad = sum_to_grad,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_sum_to(ag_tensor *x, ag_shape shape) {
    sum_to_attrs a = {shape};
    return ag_apply(&ag__op_sum_to, &x, 1, &a);
}
