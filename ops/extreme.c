/* extreme.c: the largest and the smallest element over any axes.
 *
 * Elements that tie share the gradient equally, as in PyTorch's amax, amin and its max and min of a whole tensor:
 *
 *     ∂L/∂x = g / count where x = y, else 0         count: how many elements are as large */
#include "ops/compose.h"
#include "ops/fold.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

static bool extreme_shape(ag_tensor *y) { return ag__reduce_shape(y) && ag__reduce_needs_some(y); }

static bool run(ag_tensor *y, ag__fold_kind kind) {
    bool reduced[AG_MAX_RANK];
    return ag__reduced_axes(y, reduced) && ag__fold(y, reduced, kind);
}

static bool max_run(ag_tensor *y) { return run(y, AG__MAX); }
static bool min_run(ag_tensor *y) { return run(y, AG__MIN); }

/* v shared among those that are as large as an extreme of y */
static ag_tensor *share(ag_tensor *y, ag_tensor *extreme, ag_tensor *v) {
    return ag__share_ties(y, ag_eq(ag_in(y, 0), ag__spread(y, extreme)), v);
}

static bool extreme_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = share(y, y, ag__spread(y, g[0]))) != NULL;
}

static bool extreme_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const ag__over *a = ag_attrs(y);
    return (out[0] = ag_sum(share(y, y, tangent[0]), a->axes, a->keepdim)) != NULL;
}

const ag_op ag__op_max = {
    .size = sizeof(ag_op),
    .name = "max",
    .arity = 1,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "largest x over axes",
    .shape = extreme_shape,
    .run = max_run,
    .grad = extreme_grad,
    .flops = ag__reduce_flops,
    .jvp = extreme_jvp,
};

ag_tensor *ag_max(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_max, &x, 1, &(ag__over){axes, keepdim});
}

const ag_op ag__op_min = {
    .size = sizeof(ag_op),
    .name = "min",
    .arity = 1,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "smallest x over axes",
    .shape = extreme_shape,
    .run = min_run,
    .grad = extreme_grad,
    .flops = ag__reduce_flops,
    .jvp = extreme_jvp,
};

ag_tensor *ag_min(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_min, &x, 1, &(ag__over){axes, keepdim});
}

static ag_tensor *amax_compose(ag_tensor *y) {
    const ag__over *a = ag_attrs(y);
    return ag_max(ag_in(y, 0), a->axes, a->keepdim);
}

AG__COMPOSED(amax, 1, ag__over, ag__over_fields, "max by another name", amax_compose);

ag_tensor *ag_amax(ag_tensor *x, ag_axes axes, bool keepdim) { return ag_max(x, axes, keepdim); }

static ag_tensor *amin_compose(ag_tensor *y) {
    const ag__over *a = ag_attrs(y);
    return ag_min(ag_in(y, 0), a->axes, a->keepdim);
}

AG__COMPOSED(amin, 1, ag__over, ag__over_fields, "min by another name", amin_compose);

ag_tensor *ag_amin(ag_tensor *x, ag_axes axes, bool keepdim) { return ag_min(x, axes, keepdim); }

static bool both_shape(ag_tensor *y) { return extreme_shape(y) && ag_out_like(y, 1, ag_out(y, 0)); }

static bool both_run(ag_tensor *y) {
    bool reduced[AG_MAX_RANK];
    ag_dtype dtype = ag_dtype_of(ag_in(y, 0));
    return ag__reduced_axes(y, reduced) && ag__fold_loaded(y, reduced, AG__MIN, dtype, NULL, 0, ag_out_data(y, 0)) &&
           ag__fold_loaded(y, reduced, AG__MAX, dtype, NULL, 0, ag_out_data(y, 1));
}

/* g of output i divided by how many elements are as large, of y's kept shape, and which those are */
static ag_tensor *both_share(ag_tensor *y, int i, ag_tensor *g, ag_tensor **tied) {
    ag_tensor *x = ag_in(y, 0);
    *tied = ag_eq(x, ag__spread(y, ag_out(y, i)));
    return ag_div(ag__spread(y, g), ag__count_ties(y, *tied));
}

/* An element that is both has both shares: where the smallest is the largest, they are added up before they are given out. */
static bool both_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *zero = ag_scalar(ag_tape_of(y), ag_dtype_of(ag_in(y, 0)), 0), *tied[2], *least, *most;
    if (!g[0] || !g[1]) {
        int i = g[0] ? 0 : 1;
        least = both_share(y, i, g[i], tied);
        return (d[0] = ag_where(tied[0], least, zero)) != NULL;
    }
    least = both_share(y, 0, g[0], tied);
    most = both_share(y, 1, g[1], tied + 1);
    least = ag_where(ag__spread(y, ag_eq(ag_out(y, 0), ag_out(y, 1))), ag_add(least, most), least);
    return (d[0] = ag_where(tied[0], least, ag_where(tied[1], most, zero))) != NULL;
}

static bool both_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const ag__over *a = ag_attrs(y);
    for (int i = 0; i < 2; i++) out[i] = ag_sum(share(y, ag_out(y, i), tangent[0]), a->axes, a->keepdim);
    return out[0] && out[1];
}

static double both_flops(const ag_tensor *y) { return 2 * ag__reduce_flops(y); }

const ag_op ag__op_aminmax = {
    .size = sizeof(ag_op),
    .name = "aminmax",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "smallest and largest x over axes",
    .shape = both_shape,
    .run = both_run,
    .grad = both_grad,
    .flops = both_flops,
    .jvp = both_jvp,
};

ag_tensor *ag_aminmax(ag_tensor *x, ag_axes axes, bool keepdim, ag_tensor **max) {
    return ag__parts(ag_apply(&ag__op_aminmax, &x, 1, &(ag__over){axes, keepdim}), max);
}
