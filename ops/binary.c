/* binary.c: losses of yes or no: targets in [0, 1], or labels −1 and 1.
 *
 *     of logits          bce_logits(x, t) = (1 − t) x + ln(1 + e^−x)      a row of elementwise.def, exact for any x
 *     of probabilities   bce(x, t) = −t ln x − (1 − t) ln(1 − x)          a row too, its logarithms at least −100 */
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static ag_tensor *weighted(ag_tensor *y, ag_tensor *each, ag_tensor *w) {
    const ag__reduced *a = ag_attrs(y);
    if (w && each) each = ag_mul(each, ag_expand(w, ag_shape_of(each)));
    return each ? ag__loss_reduce(each, a->reduction) : NULL;
}

static ag_tensor *binary_cross_entropy(ag_tensor *y) {
    return ag__need_targets(y) ? weighted(y, ag_bce(ag_in(y, 0), ag_in(y, 1)), ag_in(y, 2)) : NULL;
}

/* ln(1 + eˣ) */
static ag_tensor *softplus(ag_tensor *x) { return ag_bce_logits(x, ag__constant(x, 0)); }

/* With p = pos_weight: (1 − t) x + (1 + (p − 1) t) ln(1 + e^−x) */
static ag_tensor *binary_cross_entropy_with_logits(ag_tensor *y) {
    if (!ag__need_targets(y)) return NULL;
    ag_tensor *x = ag_in(y, 0), *t = ag_in(y, 1), *p = ag_in(y, 3);
    if (!p) return weighted(y, ag_bce_logits(x, t), ag_in(y, 2));
    ag_tensor *much = ag_add_scalar(ag_mul(ag_add_scalar(ag_expand(p, ag_shape_of(x)), -1), t), 1);
    ag_tensor *left = ag_mul(ag_add_scalar(ag_neg(t), 1), x);
    return weighted(y, ag_add(left, ag_mul(much, softplus(ag_neg(x)))), ag_in(y, 2));
}

AG__COMPOSED_ON(binary_cross_entropy, 2, ag__reduced, ag__reduced_fields, "weight (−t ln x − (1 − t) ln(1 − x))",
                binary_cross_entropy, 0.1, 0.9, .inputs = "x target weight", .optional = 1);
AG__COMPOSED_ON(binary_cross_entropy_with_logits, 2, ag__reduced, ag__reduced_fields,
                "weight ((1 − t) x + (1 + (pos_weight − 1) t) ln(1 + e^−x))", binary_cross_entropy_with_logits, -2, 2,
                .inputs = "x target weight pos_weight", .optional = 2);

ag_tensor *ag_binary_cross_entropy(ag_tensor *x, ag_tensor *target, ag_tensor *weight, ag_reduction reduction) {
    return ag_apply(&ag__op_binary_cross_entropy, (ag_tensor *[]){x, target, weight}, 3, &(ag__reduced){reduction});
}

ag_tensor *ag_binary_cross_entropy_with_logits(ag_tensor *x, ag_tensor *target, ag_tensor *weight,
                                               ag_tensor *pos_weight, ag_reduction reduction) {
    return ag_apply(&ag__op_binary_cross_entropy_with_logits, (ag_tensor *[]){x, target, weight, pos_weight}, 4,
                    &(ag__reduced){reduction});
}

static ag_tensor *soft_margin_loss(ag_tensor *y) {
    if (!ag__need_targets(y)) return NULL;
    return weighted(y, softplus(ag_neg(ag_mul(ag_in(y, 1), ag_in(y, 0)))), NULL);
}

/* The mean over classes, the last axis; then the reduction. */
static ag_tensor *multilabel_soft_margin_loss(ag_tensor *y) {
    if (!ag__need_targets(y) || !ag_need_rank(y, 0, 1, AG_MAX_RANK)) return NULL;
    ag_tensor *each = ag_bce_logits(ag_in(y, 0), ag_in(y, 1));
    if (ag_in(y, 2)) each = ag_mul(each, ag_expand(ag_in(y, 2), ag_shape_of(ag_in(y, 0))));
    return weighted(y, ag_mean(each, AG_AXES(-1), false), NULL);
}

AG__COMPOSED_ON(soft_margin_loss, 2, ag__reduced, ag__reduced_fields, "ln(1 + e^(−t x)), t −1 or 1", soft_margin_loss,
                -2, 2, .inputs = "x target");
AG__COMPOSED_ON(multilabel_soft_margin_loss, 2, ag__reduced, ag__reduced_fields,
                "mean over the last axis of weight ((1 − t) x + ln(1 + e^−x))", multilabel_soft_margin_loss, -2, 2,
                .inputs = "x target weight", .optional = 1);

ag_tensor *ag_soft_margin_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction) {
    return ag_apply(&ag__op_soft_margin_loss, (ag_tensor *[]){x, target}, 2, &(ag__reduced){reduction});
}

ag_tensor *ag_multilabel_soft_margin_loss(ag_tensor *x, ag_tensor *target, ag_tensor *weight, ag_reduction reduction) {
    return ag_apply(&ag__op_multilabel_soft_margin_loss, (ag_tensor *[]){x, target, weight}, 3, &(ag__reduced){reduction});
}
