/* frexp.c: numbers taken apart, x = mantissa 2^exponent with ½ ≤ |mantissa| < 1, and put together again. What is 0 or not finite is
 * its own mantissa, with exponent 0. */
#include <math.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static bool frexp_shape(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    return ag_need_float(y, 0) && ag_out_like(y, 0, x) && ag_out_shape(y, 1, AG_I64, ag_shape_of(x));
}

static bool frexp_run(ag_tensor *y) {
    const void *x = ag_op_dense(y, 0);
    void *mantissa = ag_out_data(y, 0);
    int64_t *exponent = ag_out_data(y, 1), n = ag_size(ag_in(y, 0));
    bool single = ag_dtype_of(ag_in(y, 0)) == AG_F32;
    if (!x) return false;
    for (int64_t i = 0; i < n; i++) {
        int e;
        double v = single ? (double)((const float *)x)[i] : ((const double *)x)[i], m = frexp(v, &e);
        if (single) ((float *)mantissa)[i] = (float)m;
        else ((double *)mantissa)[i] = m;
        exponent[i] = isfinite(v) ? e : 0;
    }
    return true;
}

/* 2^−exponent, a constant between the powers of two */
static bool frexp_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *exponent = ag_cast(ag_out(y, 1), ag_dtype_of(ag_in(y, 0)));
    return !g[0] || (d[0] = ag_mul(g[0], ag_exp2(ag_neg(exponent)))) != NULL;
}

const ag_op ag__op_frexp = {
    .size = sizeof(ag_op),
    .name = "frexp",
    .arity = 1,
    .nout = 2,
    .formula = "mantissa and exponent, x = mantissa 2^exponent",
    .lo = 1.05,
    .hi = 1.95,
    .shape = frexp_shape,
    .run = frexp_run,
    .grad = frexp_grad,
};

ag_tensor *ag_frexp(ag_tensor *x, ag_tensor **exponent) {
    return ag__parts(ag_apply(&ag__op_frexp, &x, 1, NULL), exponent);
}

/* The power in three factors, for it may leave the range where the product does not; beyond them any product is 0 or infinite. */
static ag_tensor *ldexp_of(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *other = ag_in(y, 1);
    if (!ag_need_float(y, 0)) return NULL;
    if (ag_dtype_of(other) == AG_I64) other = ag_cast(other, ag_dtype_of(x));
    else if (!ag_need_same_dtype(y, 0, 1)) return NULL;
    double most = ag_dtype_of(x) == AG_F32 ? 120 : 1000;
    for (int k = 0; k < 3; k++) {
        ag_tensor *within = ag_clamp(other, -most, most);
        x = ag_mul(x, ag_exp2(within));
        other = ag_sub(other, within);
    }
    return x;
}

AG__COMPOSED_BARE(ldexp, 2, "x 2^other", ldexp_of, .inputs = "x other");

ag_tensor *ag_ldexp(ag_tensor *x, ag_tensor *other) {
    return ag_apply(&ag__op_ldexp, (ag_tensor *[]){x, other}, 2, NULL);
}
