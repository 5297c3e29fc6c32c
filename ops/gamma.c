/* gamma.c: random numbers of the gamma distribution, as the quantiles of uniform ones:
 *
 *     F(x; α) = u          so dx/dα = −(∂F/∂α) / f(x): standard_gamma_grad, a function of α and x alone
 *
 * (implicit reparameterisation: Figurnov, Mohamed, Mnih 2018). A draw of fixed u is a smooth function of α, so that a replay, a
 * numerical check and the gradient agree, which they would not had a number been drawn by rejection. */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/draw.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct gamma_attrs {
    int64_t draw;
} gamma_attrs;

static const ag_attr_field gamma_fields[] = {{"draw", AG_ATTR_I64, offsetof(gamma_attrs, draw), "-1"}, {0}};

static bool gamma_shape(ag_tensor *y) {
    return ag_need_float(y, 0) && ag__need_key(y) && ag_out_like(y, 0, ag_in(y, 0));
}

static bool gamma_run(ag_tensor *y) {
    const void *alpha = ag_op_dense(y, 0);
    return alpha && ag__fill_each(y, ag__kernel()->random->gamma, alpha);
}

static bool gamma_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    if (ag_wants(y, 0)) d[0] = ag_mul(g[0], ag_standard_gamma_grad(ag_in(y, 0), y, 1));
    return !ag_wants(y, 0) || d[0];
}

const ag_op ag__op_standard_gamma = {
    .size = sizeof(ag_op),
    .name = "standard_gamma",
    .arity = 2,
    .inputs = "alpha",
    .flags = AG_RANDOM,
    .attr_size = sizeof(gamma_attrs),
    .attrs = gamma_fields,
    .formula = "x with F(x; alpha) = u, F the integral of x^(alpha-1) e^-x / gamma(alpha)",
    .lo = 0.5,
    .hi = 4,
    .shape = gamma_shape,
    .run = gamma_run,
    .grad = gamma_grad,
};

ag_tensor *ag_standard_gamma(ag_tensor *alpha) { return ag_apply(&ag__op_standard_gamma, &alpha, 1, NULL); }

static ag_tensor *gamma(ag_tensor *y) {
    ag_tensor *alpha = ag_in(y, 0), *rate = ag_in(y, 1);
    ag_shape shape;
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 1, 0) || !ag_broadcast(y, alpha, rate, &shape)) return NULL;
    if (!ag__same_shape(shape, ag_shape_of(alpha))) alpha = ag_expand(alpha, shape);
    return ag_div(ag_standard_gamma(alpha), rate);
}

AG__COMPOSED_BARE(gamma, 2, "standard_gamma(concentration) / rate", gamma, .lo = 0.5, .hi = 4,
                  .inputs = "concentration rate");

ag_tensor *ag_gamma(ag_tensor *concentration, ag_tensor *rate) {
    return ag_apply(&ag__op_gamma, (ag_tensor *[]){concentration, rate}, 2, NULL);
}
