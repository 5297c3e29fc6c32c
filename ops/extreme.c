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
