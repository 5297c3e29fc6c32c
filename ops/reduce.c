/* reduce.c: sum, mean and max over any axes, and sum_to, the adjoint of broadcasting. How the adding is done: fold.c. */
#include <stddef.h>

#include "ops/fold.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct reduce_attrs {
    ag_axes axes;
    bool keepdim;
} reduce_attrs;

static const ag_attr_field reduce_fields[] = {{"axes", AG_ATTR_AXES, offsetof(reduce_attrs, axes), "all"},
                                              {"keepdim", AG_ATTR_BOOL, offsetof(reduce_attrs, keepdim), "false"},
                                              {0}};

/* x's shape with the reduced axes as extents of 1 (kept) or left out. */
static bool reduced_shape(ag_tensor *y, bool keepdim, bool reduced[AG_MAX_RANK], ag_shape *s) {
    const reduce_attrs *a = ag_attrs(y);
    ag_shape x = ag_shape_of(ag_in(y, 0));
    *s = (ag_shape){0};
    if (!ag_need_axes(y, a->axes, x.rank, reduced)) return false;
    for (int i = 0; i < x.rank; i++) {
        if (!reduced[i] || keepdim) s->dim[s->rank++] = reduced[i] ? 1 : x.dim[i];
    }
    return true;
}

static bool reduce_shape(ag_tensor *y) {
    const reduce_attrs *a = ag_attrs(y);
    bool reduced[AG_MAX_RANK];
    ag_shape s;
    return ag__need_number(y, 0) && reduced_shape(y, a->keepdim, reduced, &s) &&
           ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s);
}

/* v, of y's shape, with the reduced axes back as extents of 1, so that it broadcasts with x. */
static ag_tensor *spread(ag_tensor *y, ag_tensor *v) {
    const reduce_attrs *a = ag_attrs(y);
    bool reduced[AG_MAX_RANK];
    ag_shape s;
    if (!v || a->keepdim || ag_rank(v) == 0) return v;
    return reduced_shape(y, true, reduced, &s) ? ag_reshape(v, s) : NULL;
}

static bool sum_run(ag_tensor *y) {
    bool reduced[AG_MAX_RANK];
    ag_shape s;
    return reduced_shape(y, false, reduced, &s) && ag__fold_sum(y, reduced);
}

static bool sum_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return (d[0] = spread(y, g[0])) != NULL; }

/* One addition or comparison for each element that goes in. */
static double reduce_flops(const ag_tensor *y) { return (double)ag_size(ag_in(y, 0)); }

const ag_op ag__op_sum = {
    .size = sizeof(ag_op),
    .name = "sum",
    .arity = 1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(reduce_attrs),
    .attrs = reduce_fields,
    .formula = "Σ x over axes",
    .shape = reduce_shape,
    .run = sum_run,
    .grad = sum_grad,
    .flops = reduce_flops,
};

ag_tensor *ag_sum(ag_tensor *x, ag_axes axes, bool keepdim) {
    reduce_attrs a = {axes, keepdim};
    return ag_apply(&ag__op_sum, &x, 1, &a);
}

/* How many elements of x make one of y. */
static double terms(const ag_tensor *y) {
    const reduce_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    double n = 1;
    if (a->axes.count < 0) return (double)ag_size(x);
    for (int i = 0; i < a->axes.count; i++) n *= (double)ag_dim(x, a->axes.axis[i]);
    return n;
}

static bool mean_shape(ag_tensor *y) { return ag_need_float(y, 0) && reduce_shape(y); }

static bool mean_run(ag_tensor *y) {
    if (!sum_run(y)) return false;
    double n = terms(y), *f64 = ag_out_data(y, 0);
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
    return (d[0] = ag_scale(spread(y, g[0]), 1 / terms(y))) != NULL;
}

const ag_op ag__op_mean = {
    .size = sizeof(ag_op),
    .name = "mean",
    .arity = 1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(reduce_attrs),
    .attrs = reduce_fields,
    .formula = "Σ x / n over axes",
    .shape = mean_shape,
    .run = mean_run,
    .grad = mean_grad,
    .flops = reduce_flops,
};

ag_tensor *ag_mean(ag_tensor *x, ag_axes axes, bool keepdim) {
    reduce_attrs a = {axes, keepdim};
    return ag_apply(&ag__op_mean, &x, 1, &a);
}

static bool max_shape(ag_tensor *y) {
    if (!reduce_shape(y)) return false;
    char text[AG__TEXT];
    if (ag_size(ag_in(y, 0)) || ag_size(y) == 0) return true;
    return ag_op_fail(y, AG_ERR_SHAPE, "%s: nothing has no largest element", ag_shape_text(ag_in(y, 0), text, sizeof text));
}

static bool max_run(ag_tensor *y) {
    bool reduced[AG_MAX_RANK];
    ag_shape s;
    return reduced_shape(y, false, reduced, &s) && ag__fold_max(y, reduced);
}

/* v / count where x = y, else 0: each of the `count` largest elements gets an equal share of v. */
static ag_tensor *share(ag_tensor *y, ag_tensor *v) {
    const reduce_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *largest = ag_eq(x, spread(y, y));
    ag_tensor *count = ag_sum(ag_cast(largest, ag_dtype_of(x)), a->axes, true);
    return ag_where(largest, ag_div(v, count), ag_scalar(ag_tape_of(y), ag_dtype_of(x), 0));
}

static bool max_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = share(y, spread(y, g[0]))) != NULL;
}

static bool max_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const reduce_attrs *a = ag_attrs(y);
    return (out[0] = ag_sum(share(y, tangent[0]), a->axes, a->keepdim)) != NULL;
}

const ag_op ag__op_max = {
    .size = sizeof(ag_op),
    .name = "max",
    .arity = 1,
    .attr_size = sizeof(reduce_attrs),
    .attrs = reduce_fields,
    .formula = "largest x over axes",
    .shape = max_shape,
    .run = max_run,
    .grad = max_grad,
    .flops = reduce_flops,
    .jvp = max_jvp,
};

ag_tensor *ag_max(ag_tensor *x, ag_axes axes, bool keepdim) {
    reduce_attrs a = {axes, keepdim};
    return ag_apply(&ag__op_max, &x, 1, &a);
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
    return ag__fold_sum(y, reduced);
}

static bool sum_to_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_expand(g[0], ag_shape_of(ag_in(y, 0)))) != NULL;
}

const ag_op ag__op_sum_to = {
    .size = sizeof(ag_op),
    .name = "sum_to",
    .arity = 1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(sum_to_attrs),
    .attrs = sum_to_fields,
    .formula = "Σ x over what broadcasting shape repeats",
    .shape = sum_to_shape,
    .run = sum_to_run,
    .grad = sum_to_grad,
    .flops = reduce_flops,
};

ag_tensor *ag_sum_to(ag_tensor *x, ag_shape shape) {
    sum_to_attrs a = {shape};
    return ag_apply(&ag__op_sum_to, &x, 1, &a);
}
