/* logsumexp.c: ln Σ eˣ over any axes, without overflow; its gradient is softmax's weights. */
#include <math.h>

#include "ops/isa.h"
#include "ops/ops.h"
#include "ops/pairs.h"
#include "ops/reduce.h"
#include "ops/table.h"

static bool logsumexp_shape(ag_tensor *y) { return ag_need_float(y, 0) && ag__reduce_shape(y); }

static bool logsumexp_run(ag_tensor *y) {
    bool reduced[AG_MAX_RANK];
    double *most, *sum;
    ag__log_sum_fn *first = ag__kernel()->softmax->log_sum[ag_dtype_of(y)];
    if (!ag__reduced_axes(y, reduced) || !ag__fold_pairs(y, reduced, ag__kernel()->pairs->log_sum, first, &most, &sum))
        return false;
    for (int64_t i = 0; i < ag_size(y); i++) sum[i] = log(sum[i]) + (isfinite(most[i]) ? most[i] : 0);
    ag__put_doubles(y, 0, sum);
    return true;
}

/* ∂y/∂x = e^(x − y) = w / Σ w, w = e^(x − y'), for y' as y was rounded: dividing takes out what that was off by, which is a part
 * |y| ε of all weights. The quotient is the same for any y', a constant therefore. An infinite y divides by 1: w is 0, or NaN where x is y. */
static bool logsumexp_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *rounded = ag_detach(ag__spread(y, y)), *w = ag_exp(ag_sub(ag_in(y, 0), rounded));
    ag_tensor *sum = ag_sum(w, ((const ag__over *)ag_attrs(y))->axes, true);
    if (!sum) return false;
    sum = ag_where(ag_isfinite(rounded), sum, ag_ones_like(sum));
    return (d[0] = ag_mul(ag_div(ag__spread(y, g[0]), sum), w)) != NULL;
}

const ag_op ag__op_logsumexp = {
    .size = sizeof(ag_op),
    .name = "logsumexp",
    .arity = 1,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "ln Σ e^x over axes",
    .shape = logsumexp_shape,
    .run = logsumexp_run,
    .grad = logsumexp_grad,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_logsumexp(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_logsumexp, &x, 1, &(ag__over){axes, keepdim});
}
