/* loss.h: what losses share: how the losses of a batch become one, and the hinge. */
#ifndef OPS_LOSS_H
#define OPS_LOSS_H

#include <stddef.h>

#include "autograd/op.h"
#include "ops/ops.h"

/* The attribute of struct `type`, whose member `reduction` is an int that holds an ag_reduction. */
#define AG__REDUCTION(type) \
    { "reduction", AG_ATTR_CHOICE, offsetof(type, reduction), "mean|sum|none" }

typedef struct ag__reduced {
    int reduction;
} ag__reduced;
extern const ag_attr_field ag__reduced_fields[];

ag_tensor *ag__loss_reduce(ag_tensor *each, int reduction);
/* Inputs 0 and 1 float, of one dtype and shape; the optional ones behind them of the same dtype. */
bool ag__need_targets(ag_tensor *y);
ag_tensor *ag__constant(ag_tensor *x, double value); /* a scalar of x's dtype */
ag_tensor *ag__positive_part(ag_tensor *v);          /* v, or 0 where v < 0; gradient 1 at 0, as clamp's at its bound */

/* label.c: which labels are not ignored, as bools; labels with 0 in the place of ignored ones. */
ag_tensor *ag__labels_count(ag_tensor *label, int64_t ignored);
ag_tensor *ag__labels_in_range(ag_tensor *label, ag_tensor *counts);
bool ag__need_class_weight(ag_tensor *y, int i); /* input i, if given: one value for each class of input 0 */
/* Cross-entropy of any kind: input 0 logits, input 1 labels or class probabilities, input 2, if given, class weights. */
ag_tensor *ag__cross_entropy_compose(ag_tensor *y, const ag_cross_entropy_options *options);

#endif
