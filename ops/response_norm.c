/* response_norm.c: elements measured against their neighbours, slabs against a largest length.
 *
 *     local_response_norm   y[c] = x[c] / (k + alpha mean x²)^beta, the mean over `size` channels around c, 0 beyond the
 *                           first and the last (Krizhevsky, Sutskever, Hinton 2012)
 *     renorm                slabs x[i] along axis longer than maxnorm are shortened to it */
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct response_attrs {
    int64_t size;
    double alpha, beta, k;
} response_attrs;

static const ag_attr_field response_fields[] = {{"size", AG_ATTR_I64, offsetof(response_attrs, size), NULL},
                                                {"alpha", AG_ATTR_F64, offsetof(response_attrs, alpha), "1e-4"},
                                                {"beta", AG_ATTR_F64, offsetof(response_attrs, beta), "0.75"},
                                                {"k", AG_ATTR_F64, offsetof(response_attrs, k), "1"},
                                                {0}};

/* x (n, c, …) as (n, c, rest); windows of `size` channels lie along a fourth axis. */
static ag_tensor *local_response_norm(ag_tensor *y) {
    const response_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 3, AG_MAX_RANK)) return NULL;
    if (a->size < 1) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "size is %lld; it must be 1 or more", (long long)a->size);
        return NULL;
    }
    if (ag_size(x) == 0) return ag_alias(x);
    ag_tensor *v = ag_flatten(x, 2, -1);
    ag_tensor *squares = ag_pad(ag_square(v), AG_SHAPE(0, 0, a->size / 2, (a->size - 1) / 2), AG_PAD_CONSTANT, 0);
    ag_tensor *mean = ag_mean(ag_unfold(squares, 1, a->size, 1), AG_AXES(-1), false);
    ag_tensor *base = ag_add_scalar(ag_scale(mean, a->alpha), a->k);
    return ag_reshape(ag_div(v, ag_pow_scalar(base, a->beta)), ag_shape_of(x));
}

AG__COMPOSED(local_response_norm, 1, response_attrs, response_fields, "x / (k + alpha mean of near channels' x²)^beta",
             local_response_norm);

ag_tensor *ag_local_response_norm(ag_tensor *x, int64_t size, double alpha, double beta, double k) {
    return ag_apply(&ag__op_local_response_norm, &x, 1, &(response_attrs){size, alpha, beta, k});
}

typedef struct renorm_attrs {
    double p;
    int axis;
    double maxnorm;
} renorm_attrs;

static const ag_attr_field renorm_fields[] = {{"p", AG_ATTR_F64, offsetof(renorm_attrs, p), NULL},
                                              {"axis", AG_ATTR_INT, offsetof(renorm_attrs, axis), NULL},
                                              {"maxnorm", AG_ATTR_F64, offsetof(renorm_attrs, maxnorm), NULL},
                                              {0}};

/* As PyTorch's, a little shorter than maxnorm: times maxnorm / (length + 1e-7). */
static ag_tensor *renorm(ag_tensor *y) {
    const renorm_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_axes others = {0};
    int axis;
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 2, AG_MAX_RANK) || !ag_need_axis(y, a->axis, ag_rank(x), &axis))
        return NULL;
    if (!(a->p > 0) || !(a->maxnorm >= 0)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "p is %g and maxnorm %g; they must be more than 0, and 0 or more", a->p, a->maxnorm);
        return NULL;
    }
    for (int i = 0; i < ag_rank(x); i++) {
        if (i != axis) others.axis[others.count++] = i;
    }
    if (ag_size(x) == 0) return ag_alias(x);
    ag_tensor *most = ag__constant(x, a->maxnorm), *one = ag__constant(x, 1), *zero = ag__constant(x, 0);
    ag_tensor *far = ag_gt(ag_norm(x, a->p, others, true), most);
    ag_tensor *over = ag_norm(ag_where(far, x, zero), a->p, others, true); /* of no other slab, which may hold NaN */
    ag_tensor *safe = ag_add_scalar(ag_where(far, over, one), 1e-7);
    return ag_mul(x, ag_where(far, ag_div(most, safe), one));
}

AG__COMPOSED(renorm, 1, renorm_attrs, renorm_fields, "x, slabs along axis of a p-norm above maxnorm scaled to it", renorm);

ag_tensor *ag_renorm(ag_tensor *x, double p, int axis, double maxnorm) {
    return ag_apply(&ag__op_renorm, &x, 1, &(renorm_attrs){p, axis, maxnorm});
}
