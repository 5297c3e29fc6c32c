/* row_norm.h: what layer norm, rms norm and group norm share: each sees x as rows, every row brought to mean 0 and variance 1.
 *
 *     layer, rms norm   (…, 3, 4) over its last two axes:      rows of 12, weight (3,4), the same for all rows
 *     group norm        (n, 6, 5) in 2 groups of channels:     2n rows of 15, weight (6), one for each 5 of a row
 *
 * Their gradients are two ops of their own (row_norm.c), whose attributes are the fields of ag__norm_kind. */
#ifndef OPS_ROW_NORM_H
#define OPS_ROW_NORM_H

#include "autograd/op.h"

typedef struct ag__norm_kind {
    int axes;       /* how many of the last axes make a row: layer and rms norm */
    int64_t groups; /* 0, or into how many groups the channels on axis 1 are cut: group norm */
    double eps;
    bool centred; /* false: the mean counts as 0 */
} ag__norm_kind;

/* Optional inputs x, weight, bias as run takes them: a bias not without a weight. */
bool ag__norm_plain(const ag_tensor *y);
/* In shape: weight and bias, inputs i and i + 1, where given, hold what the kind wants of them for x, a float. */
bool ag__norm_fits(ag_tensor *y, const ag_tensor *x, ag__norm_kind kind, int i);
/* Running statistics, where given, hold a number of x's dtype for each of its channels; else an error of `op`. */
bool ag__need_running(ag_tensor *x, ag_tensor *mean, ag_tensor *var, const char *op);
/* In run: y from inputs x, weight, bias. */
bool ag__norm_run(ag_tensor *y, ag__norm_kind kind);
/* In grad, of inputs x, weight, bias. */
bool ag__norm_grad(ag_tensor *y, ag__norm_kind kind, ag_tensor *g, ag_tensor *d[]);
/* ẏ = w ẋ's part + ẇ x̂ + ḃ */
bool ag__norm_jvp(ag_tensor *y, ag__norm_kind kind, ag_tensor *const tangent[], ag_tensor *out[]);
/* The same value from basic ops; weight and bias may be NULL. */
ag_tensor *ag__norm_compose(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, ag__norm_kind kind);
double ag__norm_flops(const ag_tensor *y);

#endif
