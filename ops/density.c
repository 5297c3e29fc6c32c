/* density.c: losses that compare with a distribution: Kullback-Leibler, and the negative log-likelihoods of Poisson's and
 * Gauss's. What is infinite and counts nothing (0 ln 0, a probability 0 of −∞) is put aside before it is multiplied. */
#include <math.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct kl_attrs {
    int reduction;
    bool log_target;
} kl_attrs;

static const ag_attr_field kl_fields[] = {
    {"reduction", AG_ATTR_CHOICE, offsetof(kl_attrs, reduction), "mean|sum|none|batchmean"},
    {"log_target", AG_ATTR_BOOL, offsetof(kl_attrs, log_target), "false"},
    {0}};

/* t (ln t − x), 0 where t = 0; of ln t: e^t (t − x), 0 where t = −∞ */
static ag_tensor *kl_div(ag_tensor *y) {
    const kl_attrs *a = ag_attrs(y);
    if (!ag__need_targets(y)) return NULL;
    ag_tensor *x = ag_in(y, 0), *t = ag_in(y, 1), *zero = ag__constant(x, 0);
    ag_tensor *none = ag_eq(t, a->log_target ? ag__constant(x, (double)-INFINITY) : zero);
    ag_tensor *own = ag_where(none, zero, x), *each;
    if (a->log_target) {
        each = ag_mul(ag_exp(t), ag_sub(ag_where(none, zero, t), own));
    } else {
        ag_tensor *p = ag_where(none, ag__constant(x, 1), t);
        each = ag_mul(p, ag_sub(ag_log(p), own));
    }
    if (a->reduction != AG_BATCH_MEAN) return ag__loss_reduce(each, a->reduction);
    return ag_scale(ag_sum(each, AG_ALL, false), 1 / (ag_rank(x) ? (double)ag_dim(x, 0) : 1));
}

AG__COMPOSED_ON(kl_div, 2, kl_attrs, kl_fields, "t (ln t − x), x log-probabilities", kl_div, 0.2, 2, .inputs = "x target");

ag_tensor *ag_kl_div(ag_tensor *x, ag_tensor *target, ag_reduction reduction, bool log_target) {
    return ag_apply(&ag__op_kl_div, (ag_tensor *[]){x, target}, 2, &(kl_attrs){(int)reduction, log_target});
}

typedef struct poisson_attrs {
    int reduction;
    bool log_input, full;
    double eps;
} poisson_attrs;

static const ag_attr_field poisson_fields[] = {AG__REDUCTION(poisson_attrs),
                                               {"log_input", AG_ATTR_BOOL, offsetof(poisson_attrs, log_input), "true"},
                                               {"full", AG_ATTR_BOOL, offsetof(poisson_attrs, full), "false"},
                                               {"eps", AG_ATTR_F64, offsetof(poisson_attrs, eps), "1e-8"},
                                               {0}};

/* Stirling's ln t! ≈ t ln t − t + ½ ln 2πt, for t > 1 */
static ag_tensor *stirling(ag_tensor *t) {
    ag_tensor *one = ag__constant(t, 1), *large = ag_gt(t, one), *s = ag_where(large, t, one), *ln = ag_log(s);
    ag_tensor *sum = ag_add(ag_sub(ag_mul(s, ln), s), ag_scale(ag_add_scalar(ln, 1.8378770664093453), 0.5));
    return ag_where(large, sum, ag__constant(t, 0));
}

static ag_tensor *poisson_nll_loss(ag_tensor *y) {
    const poisson_attrs *a = ag_attrs(y);
    if (!ag__need_targets(y)) return NULL;
    ag_tensor *x = ag_in(y, 0), *t = ag_in(y, 1);
    ag_tensor *each =
        a->log_input ? ag_sub(ag_exp(x), ag_mul(t, x)) : ag_sub(x, ag_mul(t, ag_log(ag_add_scalar(x, a->eps))));
    return ag__loss_reduce(a->full ? ag_add(each, stirling(t)) : each, a->reduction);
}

AG__COMPOSED_ON(poisson_nll_loss, 2, poisson_attrs, poisson_fields, "eˣ − t x, or x − t ln(x + eps)", poisson_nll_loss,
                1.2, 3, .inputs = "x target");

ag_poisson_nll_loss_options ag_poisson_nll_loss_defaults(void) {
    return (ag_poisson_nll_loss_options){.size = sizeof(ag_poisson_nll_loss_options), .log_input = true, .eps = 1e-8};
}

ag_tensor *ag_poisson_nll_loss(ag_tensor *x, ag_tensor *target, const ag_poisson_nll_loss_options *options) {
    ag_poisson_nll_loss_options o = ag_poisson_nll_loss_defaults();
    if (!ag__take_options(x, "poisson_nll_loss", &o, sizeof o, options)) return NULL;
    poisson_attrs a = {(int)o.reduction, o.log_input, o.full, o.eps};
    return ag_apply(&ag__op_poisson_nll_loss, (ag_tensor *[]){x, target}, 2, &a);
}

typedef struct gauss_attrs {
    int reduction;
    bool full;
    double eps;
} gauss_attrs;

static const ag_attr_field gauss_fields[] = {AG__REDUCTION(gauss_attrs),
                                             {"full", AG_ATTR_BOOL, offsetof(gauss_attrs, full), "false"},
                                             {"eps", AG_ATTR_F64, offsetof(gauss_attrs, eps), "1e-6"},
                                             {0}};

/* var in x's shape, or without its last axis, or with 1 there; at least eps, which the gradient does not see. */
static ag_tensor *variance_of(ag_tensor *y, double eps) {
    ag_tensor *x = ag_in(y, 0), *var = ag_in(y, 2);
    ag_shape s = ag_shape_of(x);
    if (!ag_need_same_dtype(y, 0, 2)) return NULL;
    if (s.rank > 0 && ag_rank(var) == s.rank - 1) {
        s.rank--;
        if (ag__same_shape(s, ag_shape_of(var))) var = ag_unsqueeze(var, -1);
        s.rank++;
    }
    ag_tensor *whole = var ? ag_expand(var, s) : NULL, *least = whole ? ag__constant(x, eps) : NULL;
    return least ? ag_add(whole, ag_detach(ag_sub(ag_maximum(whole, least), whole))) : NULL;
}

static ag_tensor *gaussian_nll_loss(ag_tensor *y) {
    const gauss_attrs *a = ag_attrs(y);
    ag_shape s;
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_broadcast(y, ag_in(y, 0), ag_in(y, 1), &s))
        return NULL;
    ag_tensor *var = variance_of(y, a->eps);
    if (!var) return NULL;
    ag_tensor *square = ag_square(ag_sub(ag_in(y, 0), ag_in(y, 1)));
    ag_tensor *each = ag_scale(ag_add(ag_log(var), ag_div(square, var)), 0.5);
    return ag__loss_reduce(a->full ? ag_add_scalar(each, 0.91893853320467274) : each, a->reduction);
}

AG__COMPOSED_ON(gaussian_nll_loss, 3, gauss_attrs, gauss_fields, "½ (ln var + (x − t)² / var)", gaussian_nll_loss, 0.2,
                2, .inputs = "x target var");

ag_gaussian_nll_loss_options ag_gaussian_nll_loss_defaults(void) {
    return (ag_gaussian_nll_loss_options){.size = sizeof(ag_gaussian_nll_loss_options), .eps = 1e-6};
}

ag_tensor *ag_gaussian_nll_loss(ag_tensor *x, ag_tensor *target, ag_tensor *var,
                                const ag_gaussian_nll_loss_options *options) {
    ag_gaussian_nll_loss_options o = ag_gaussian_nll_loss_defaults();
    if (!ag__take_options(x, "gaussian_nll_loss", &o, sizeof o, options)) return NULL;
    gauss_attrs a = {(int)o.reduction, o.full, o.eps};
    return ag_apply(&ag__op_gaussian_nll_loss, (ag_tensor *[]){x, target, var}, 3, &a);
}
