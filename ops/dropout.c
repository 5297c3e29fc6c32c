/* dropout.c: elements or whole channels left out. The mask is a node of its own, so that its gradient is nothing but
 * multiplication; a mask over channels has extents of 1 and is broadcast.
 *
 *     x (n,c,h,w)  dropout: mask (n,c,h,w)   dropout2d: mask (n,c,1,1) */
#include <math.h>
#include <stddef.h>

#include "ops/compose.h"
#include "ops/draw.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static bool need_probability(ag_tensor *y, double p) {
    return (p >= 0 && p <= 1) || ag_op_fail(y, AG_ERR_ARGUMENT, "p is %g; a probability lies between 0 and 1", p);
}

static const ag_attr_field mask_fields[] = {AG__FILL_FIELDS, {"p", AG_ATTR_F64, offsetof(ag__fill_attrs, a), "0.5"}, {0}};

static bool mask_shape(ag_tensor *y) {
    const ag__fill_attrs *x = ag_attrs(y);
    return need_probability(y, x->a) && ag__fill_shape(y);
}

static bool mask_run(ag_tensor *y) {
    double p = ((const ag__fill_attrs *)ag_attrs(y))->a;
    return ag__fill_run(y, ag__kernel()->random->mask, p, p < 1 ? 1 / (1 - p) : 0);
}

const ag_op ag__op_dropout_mask = {
    .size = sizeof(ag_op),
    .name = "dropout_mask",
    .arity = 1,
    .flags = AG_RANDOM | AG_FLAT,
    .attr_size = sizeof(ag__fill_attrs),
    .attrs = mask_fields,
    .formula = "0 with probability p, else 1/(1−p)",
    .shape = mask_shape,
    .run = mask_run,
};

ag_tensor *ag_dropout_mask(ag_tape *tape, ag_dtype dtype, ag_shape shape, double p) {
    return ag_apply_on(tape, &ag__op_dropout_mask, NULL, 0, &(ag__fill_attrs){-1, dtype, shape, p, 0});
}

typedef struct dropout_attrs {
    double p;
    bool training;
} dropout_attrs;

static const ag_attr_field dropout_fields[] = {{"p", AG_ATTR_F64, offsetof(dropout_attrs, p), "0.5"},
                                               {"training", AG_ATTR_BOOL, offsetof(dropout_attrs, training), "true"},
                                               {0}};

/* Is anything left out? */
static bool draws(const ag_tensor *y) {
    const dropout_attrs *a = ag_attrs(y);
    return a->training && a->p != 0;
}

/* x times a mask that varies along the first `axes` axes. */
static ag_tensor *masked(ag_tensor *y, int axes) {
    const dropout_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_shape shape = ag_shape_of(x);
    if (!ag_need_float(y, 0) || !need_probability(y, a->p)) return NULL;
    if (!draws(y)) return ag_alias(x);
    for (int i = axes; i < shape.rank; i++) shape.dim[i] = 1;
    return ag_mul(x, ag_dropout_mask(ag_tape_of(x), ag_dtype_of(x), shape, a->p));
}

/* A mask over the first two axes of x (n,c,…), or over the first where x (c,…) is one sample. Where nothing is left out, x may be
 * anything, as in PyTorch. */
static ag_tensor *channels(ag_tensor *y, int axes) {
    return !draws(y) || ag_need_rank(y, 0, axes, AG_MAX_RANK) ? masked(y, axes) : NULL;
}

static ag_tensor *dropout(ag_tensor *y) { return masked(y, AG_MAX_RANK); }
static ag_tensor *dropout1d(ag_tensor *y) {
    return ag_need_rank(y, 0, 2, 3) ? masked(y, ag_rank(ag_in(y, 0)) - 1) : NULL;
}
static ag_tensor *dropout2d(ag_tensor *y) { return channels(y, 2); }
static ag_tensor *dropout3d(ag_tensor *y) { return channels(y, ag_rank(ag_in(y, 0)) == 5 ? 2 : 1); }

/* Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks" (2017): what is left out becomes −α, SELU's limit
 * far below 0, then a v + b keeps mean 0 and variance 1: a = 1/√((1 − p)(1 + p α²)), b = p α a. */
static ag_tensor *alpha_masked(ag_tensor *y, int axes) {
    const double alpha = 1.7580993408473766;
    double p = ((const dropout_attrs *)ag_attrs(y))->p, a = 1 / sqrt((alpha * alpha * p + 1) * (1 - p));
    ag_tensor *x = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !need_probability(y, p)) return NULL;
    if (!draws(y)) return ag_alias(x);
    if (p == 1) return ag_scale(x, 0);
    ag_shape shape = ag_shape_of(x);
    for (int i = axes; i < shape.rank; i++) shape.dim[i] = 1;
    ag_tensor *kept = ag_scale(ag_dropout_mask(ag_tape_of(x), ag_dtype_of(x), shape, p), 1 - p); /* 0 or 1 */
    return ag_add(ag_mul(x, ag_scale(kept, a)), ag_add_scalar(ag_scale(kept, alpha * a), alpha * a * (p - 1)));
}

static ag_tensor *alpha_dropout(ag_tensor *y) { return alpha_masked(y, AG_MAX_RANK); }
static ag_tensor *feature_alpha_dropout(ag_tensor *y) {
    return !draws(y) || ag_need_rank(y, 0, 2, AG_MAX_RANK) ? alpha_masked(y, 2) : NULL;
}

AG__COMPOSED(dropout, 1, dropout_attrs, dropout_fields, "x · dropout_mask", dropout);
AG__COMPOSED(dropout1d, 1, dropout_attrs, dropout_fields, "x · dropout_mask of the channels of (n,c,l)", dropout1d);
AG__COMPOSED(dropout2d, 1, dropout_attrs, dropout_fields, "x · dropout_mask of the channels of (n,c,h,w)", dropout2d);
AG__COMPOSED(dropout3d, 1, dropout_attrs, dropout_fields, "x · dropout_mask of the channels of (n,c,d,h,w)", dropout3d);
AG__COMPOSED(alpha_dropout, 1, dropout_attrs, dropout_fields, "a (x or -alpha) + b, mean and variance kept", alpha_dropout);
AG__COMPOSED(feature_alpha_dropout, 1, dropout_attrs, dropout_fields, "alpha_dropout of the channels of (n,c,…)",
             feature_alpha_dropout);

static ag_tensor *drop(const ag_op *op, ag_tensor *x, double p) {
    return ag_apply(op, &x, 1, &(dropout_attrs){p, true});
}

ag_tensor *ag_dropout(ag_tensor *x, double p) { return drop(&ag__op_dropout, x, p); }
ag_tensor *ag_dropout1d(ag_tensor *x, double p) { return drop(&ag__op_dropout1d, x, p); }
ag_tensor *ag_dropout2d(ag_tensor *x, double p) { return drop(&ag__op_dropout2d, x, p); }
ag_tensor *ag_dropout3d(ag_tensor *x, double p) { return drop(&ag__op_dropout3d, x, p); }
ag_tensor *ag_alpha_dropout(ag_tensor *x, double p) { return drop(&ag__op_alpha_dropout, x, p); }
ag_tensor *ag_feature_alpha_dropout(ag_tensor *x, double p) { return drop(&ag__op_feature_alpha_dropout, x, p); }

/* Xu, Wang, Chen, Li, "Empirical evaluation of rectified activations in convolutional network" (2015) */
typedef struct rrelu_attrs {
    double lower, upper;
    bool training;
} rrelu_attrs;

static const ag_attr_field rrelu_fields[] = {{"lower", AG_ATTR_F64, offsetof(rrelu_attrs, lower), "0.125"},
                                             {"upper", AG_ATTR_F64, offsetof(rrelu_attrs, upper), "0.3333333333333333"},
                                             {"training", AG_ATTR_BOOL, offsetof(rrelu_attrs, training), "false"},
                                             {0}};

static ag_tensor *rrelu(ag_tensor *y) {
    const rrelu_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    if (!ag_need_float(y, 0)) return NULL;
    if (!(a->lower <= a->upper) || !isfinite(a->upper - a->lower)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "from lower %g to upper %g there is no interval of finite numbers", a->lower,
                   a->upper);
        return NULL;
    }
    if (!a->training) return ag_leaky_relu(x, (a->lower + a->upper) / 2);
    ag_tensor *slope = ag_uniform(ag_tape_of(x), ag_dtype_of(x), ag_shape_of(x), a->lower, a->upper);
    return ag_mul(x, ag_where(ag_le(x, ag_zeros_like(x)), slope, ag_ones_like(x)));
}

AG__COMPOSED(rrelu, 1, rrelu_attrs, rrelu_fields, "x where x > 0, else a x, a uniform in [lower, upper)", rrelu);

ag_tensor *ag_rrelu(ag_tensor *x, double lower, double upper, bool training) {
    return ag_apply(&ag__op_rrelu, &x, 1, &(rrelu_attrs){lower, upper, training});
}
