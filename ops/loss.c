/* loss.c: losses of a prediction x and a target of its shape: how far apart, element by element.
 *
 *     d = x − target      mse  d²        l1  |d|
 *                         huber, smooth l1:  a parabola near 0, straight beyond, joined without a kink */
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

const ag_attr_field ag__reduced_fields[] = {AG__REDUCTION(ag__reduced), {0}};

ag_tensor *ag__loss_reduce(ag_tensor *each, int reduction) {
    if (!each || reduction == AG_NONE) return each;
    if (reduction == AG_SUM) return ag_sum(each, AG_ALL, false);
    if (reduction == AG_MEAN) return ag_mean(each, AG_ALL, false);
    return ag_tape_fail(ag_tape_of(each), AG_ERR_ARGUMENT, "reduction",
                        reduction == AG_BATCH_MEAN ? "only kl_div has AG_BATCH_MEAN" : "no reduction has the number %d",
                        reduction);
}

bool ag__need_targets(ag_tensor *y) {
    if (!ag_need_float(y, 0)) return false;
    for (int i = 1; i < ag_in_count(y); i++) {
        if (ag_in(y, i) && !ag_need_same_dtype(y, 0, i)) return false;
    }
    return ag_need_same_shape(y, 0, 1);
}

ag_tensor *ag__constant(ag_tensor *x, double value) {
    return x ? ag_full(ag_tape_of(x), ag_dtype_of(x), AG_SHAPE(), value) : NULL;
}

ag_tensor *ag__positive_part(ag_tensor *v) {
    ag_tensor *zero = ag__constant(v, 0);
    return zero ? ag_where(ag_lt(v, zero), zero, v) : NULL;
}

static ag_tensor *apart(ag_tensor *y) { return ag__need_targets(y) ? ag_sub(ag_in(y, 0), ag_in(y, 1)) : NULL; }

static ag_tensor *mse_loss(ag_tensor *y) {
    ag_tensor *d = apart(y);
    return d ? ag__loss_reduce(ag_square(d), ((const ag__reduced *)ag_attrs(y))->reduction) : NULL;
}

static ag_tensor *l1_loss(ag_tensor *y) {
    ag_tensor *d = apart(y);
    return d ? ag__loss_reduce(ag_abs(d), ((const ag__reduced *)ag_attrs(y))->reduction) : NULL;
}

AG__COMPOSED(mse_loss, 2, ag__reduced, ag__reduced_fields, "(x − target)²", mse_loss, .inputs = "x target");
AG__COMPOSED(l1_loss, 2, ag__reduced, ag__reduced_fields, "|x − target|", l1_loss, .inputs = "x target");

ag_tensor *ag_mse_loss(ag_tensor *x, ag_tensor *target) { return ag_mse_loss_with(x, target, AG_MEAN); }

ag_tensor *ag_mse_loss_with(ag_tensor *x, ag_tensor *target, ag_reduction reduction) {
    return ag_apply(&ag__op_mse_loss, (ag_tensor *[]){x, target}, 2, &(ag__reduced){reduction});
}

ag_tensor *ag_l1_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction) {
    return ag_apply(&ag__op_l1_loss, (ag_tensor *[]){x, target}, 2, &(ag__reduced){reduction});
}

typedef struct bend_attrs {
    int reduction;
    double at; /* where the parabola ends */
} bend_attrs;

static const ag_attr_field huber_fields[] = {
    AG__REDUCTION(bend_attrs), {"delta", AG_ATTR_F64, offsetof(bend_attrs, at), "1"}, {0}};
static const ag_attr_field smooth_fields[] = {
    AG__REDUCTION(bend_attrs), {"beta", AG_ATTR_F64, offsetof(bend_attrs, at), "1"}, {0}};

/* ½ d² for |d| < at (or =, if `closed`), at (|d| − ½ at) beyond; each branch sees only the d that are its own. */
static ag_tensor *bent(ag_tensor *d, double at, bool closed) {
    ag_tensor *size = ag_abs(d), *limit = ag__constant(d, at), *zero = ag__constant(d, 0);
    ag_tensor *near = closed ? ag_le(size, limit) : ag_lt(size, limit);
    ag_tensor *curved = ag_scale(ag_square(ag_where(near, d, zero)), 0.5);
    ag_tensor *straight = ag_scale(ag_add_scalar(ag_where(near, zero, size), -0.5 * at), at);
    return ag_where(near, curved, straight);
}

static ag_tensor *huber_loss(ag_tensor *y) {
    const bend_attrs *a = ag_attrs(y);
    if (!(a->at > 0)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "delta is %g; it must be greater than 0", a->at);
        return NULL;
    }
    ag_tensor *d = apart(y);
    return d ? ag__loss_reduce(bent(d, a->at, true), a->reduction) : NULL;
}

static ag_tensor *smooth_l1_loss(ag_tensor *y) {
    const bend_attrs *a = ag_attrs(y);
    if (!(a->at >= 0)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "beta is %g; it must not be less than 0", a->at);
        return NULL;
    }
    ag_tensor *d = apart(y);
    if (!d) return NULL;
    return ag__loss_reduce(a->at == 0 ? ag_abs(d) : ag_scale(bent(d, a->at, false), 1 / a->at), a->reduction);
}

AG__COMPOSED(huber_loss, 2, bend_attrs, huber_fields, "½ d² for |d| ≤ delta, else delta (|d| − ½ delta)", huber_loss,
             .inputs = "x target");
AG__COMPOSED(smooth_l1_loss, 2, bend_attrs, smooth_fields, "½ d² / beta for |d| < beta, else |d| − ½ beta",
             smooth_l1_loss, .inputs = "x target");

ag_tensor *ag_huber_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction, double delta) {
    return ag_apply(&ag__op_huber_loss, (ag_tensor *[]){x, target}, 2, &(bend_attrs){reduction, delta});
}

ag_tensor *ag_smooth_l1_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction, double beta) {
    return ag_apply(&ag__op_smooth_l1_loss, (ag_tensor *[]){x, target}, 2, &(bend_attrs){reduction, beta});
}
