/* masked.c: means and deviations of what a mask leaves in. Other reductions take as many neutral numbers in place of what it leaves
 * out (names.def); these have to know how many are left. */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct over_attrs {
    ag_axes axes;
    bool keepdim;
    double correction;
} over_attrs;

#define OVER                                                            \
    {"axes", AG_ATTR_AXES, offsetof(over_attrs, axes), "all"}, {        \
        "keepdim", AG_ATTR_BOOL, offsetof(over_attrs, keepdim), "false" \
    }
static const ag_attr_field mean_fields[] = {OVER, {0}};
static const ag_attr_field var_fields[] = {OVER, {"correction", AG_ATTR_F64, offsetof(over_attrs, correction), "1"}, {0}};

/* x without what the mask leaves out, and how many of it are left along the axes. */
static ag_tensor *left_in(ag_tensor *y, ag_tensor *x, bool keepdim, ag_tensor **count) {
    const over_attrs *a = ag_attrs(y);
    ag_tensor *mask = ag_expand(ag_in(y, 1), ag_shape_of(x));
    *count = ag_sum(ag_cast(mask, ag_dtype_of(x)), a->axes, keepdim);
    return ag_where(mask, x, ag__constant(x, 0));
}

static ag_tensor *masked_mean(ag_tensor *y) {
    const over_attrs *a = ag_attrs(y);
    ag_tensor *count, *x;
    if (!ag_need_float(y, 0) || !ag_need_dtype(y, 1, AG_BOOL)) return NULL;
    x = left_in(y, ag_in(y, 0), a->keepdim, &count);
    return ag_div(ag_sum(x, a->axes, a->keepdim), count);
}

/* Σ (x − mean)² / max(n − correction, 0) of the n that are left */
static ag_tensor *masked_var(ag_tensor *y) {
    const over_attrs *a = ag_attrs(y);
    ag_tensor *count, *n, *x = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !ag_need_dtype(y, 1, AG_BOOL)) return NULL;
    ag_tensor *left = left_in(y, x, true, &count);
    x = ag_sub(x, ag_div(ag_sum(left, a->axes, true), count));
    ag_tensor *rest =
        ag_div(ag_sum(left_in(y, x, true, &count), a->axes, true), count); /* 0, but for how the mean was rounded */
    ag_tensor *apart = left_in(y, ag_sub(x, ag_detach(rest)), a->keepdim, &n);
    n = ag_maximum(ag_add_scalar(n, -a->correction), ag__constant(n, 0));
    return ag_div(ag_sum(ag_square(apart), a->axes, a->keepdim), n);
}

static ag_tensor *masked_std(ag_tensor *y) { return ag_sqrt(masked_var(y)); }

AG__COMPOSED(masked_mean, 2, over_attrs, mean_fields, "the mean of the x whose mask is set", masked_mean,
             .inputs = "x mask");
AG__COMPOSED(masked_var, 2, over_attrs, var_fields, "the variance of the x whose mask is set", masked_var,
             .inputs = "x mask");
AG__COMPOSED(masked_std, 2, over_attrs, var_fields, "√ of masked_var", masked_std, .inputs = "x mask");

ag_tensor *ag_masked_mean(ag_tensor *x, ag_tensor *mask, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_masked_mean, (ag_tensor *[]){x, mask}, 2, &(over_attrs){axes, keepdim, 0});
}
ag_tensor *ag_masked_var(ag_tensor *x, ag_tensor *mask, ag_axes axes, double correction, bool keepdim) {
    return ag_apply(&ag__op_masked_var, (ag_tensor *[]){x, mask}, 2, &(over_attrs){axes, keepdim, correction});
}
ag_tensor *ag_masked_std(ag_tensor *x, ag_tensor *mask, ag_axes axes, double correction, bool keepdim) {
    return ag_apply(&ag__op_masked_std, (ag_tensor *[]){x, mask}, 2, &(over_attrs){axes, keepdim, correction});
}
