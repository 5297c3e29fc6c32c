/* random.c: tensors of random numbers. What is made of a shape alone is a node with the draw and the tape's key; what depends on
 * tensors is arithmetic on such nodes, so that gradients pass through it to the parameters (reparameterised: Kingma, Welling,
 * "Auto-encoding variational Bayes", 2014). */
#include <math.h>
#include <stddef.h>

#include "ops/compose.h"
#include "ops/draw.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static const ag_attr_field uniform_fields[] = {AG__FILL_FIELDS,
                                               {"low", AG_ATTR_F64, offsetof(ag__fill_attrs, a), "0"},
                                               {"high", AG_ATTR_F64, offsetof(ag__fill_attrs, b), "1"},
                                               {0}};
static const ag_attr_field randn_fields[] = {AG__FILL_FIELDS,
                                             {"mean", AG_ATTR_F64, offsetof(ag__fill_attrs, a), "0"},
                                             {"std", AG_ATTR_F64, offsetof(ag__fill_attrs, b), "1"},
                                             {0}};
static const ag_attr_field exponential_fields[] = {
    AG__FILL_FIELDS, {"lambd", AG_ATTR_F64, offsetof(ag__fill_attrs, a), "1"}, {0}};

static bool uniform_shape(ag_tensor *y) {
    const ag__fill_attrs *x = ag_attrs(y);
    if (!(x->a <= x->b) || !isfinite(x->b - x->a)) {
        return ag_op_fail(y, AG_ERR_ARGUMENT, "from low %g to high %g there is no interval of finite numbers", x->a, x->b);
    }
    return ag__fill_shape(y);
}

static bool need_deviation(ag_tensor *y, double std) {
    return std >= 0 || ag_op_fail(y, AG_ERR_ARGUMENT, "std is %g; it must not be negative", std);
}

static bool randn_shape(ag_tensor *y) {
    const ag__fill_attrs *x = ag_attrs(y);
    return need_deviation(y, x->b) && ag__fill_shape(y);
}

static bool exponential_shape(ag_tensor *y) {
    const ag__fill_attrs *x = ag_attrs(y);
    if (!(x->a > 0)) return ag_op_fail(y, AG_ERR_ARGUMENT, "lambd is %g; it must be positive", x->a);
    return ag__fill_shape(y);
}

static bool run_with(ag_tensor *y, ag__draw_fn *const fill[2]) {
    const ag__fill_attrs *x = ag_attrs(y);
    return ag__fill_run(y, fill, x->a, x->b);
}

static bool uniform_run(ag_tensor *y) { return run_with(y, ag__kernel()->random->uniform); }
static bool randn_run(ag_tensor *y) { return run_with(y, ag__kernel()->random->normal); }
static bool exponential_run(ag_tensor *y) { return run_with(y, ag__kernel()->random->exponential); }

/* Philox takes about fifty operations for four words, functions of them some tens. */
static double uniform_flops(const ag_tensor *y) { return 15 * (double)ag_size(y); }
static double function_flops(const ag_tensor *y) { return 45 * (double)ag_size(y); }

#define FILL(op, text, function, cost)       \
    const ag_op ag__op_##op = {              \
        .size = sizeof(ag_op),               \
        .name = #op,                         \
        .arity = 1,                          \
        .flags = AG_RANDOM | AG_FLAT,        \
        .attr_size = sizeof(ag__fill_attrs), \
        .attrs = op##_fields,                \
        .formula = text,                     \
        .shape = op##_shape,                 \
        .run = function,                     \
        .flops = cost,                       \
    }
FILL(uniform, "low + (high - low) u, u uniform in [0, 1)", uniform_run, uniform_flops);
FILL(randn, "mean + std z, z normal", randn_run, function_flops);
FILL(exponential, "-ln(u) / lambd", exponential_run, function_flops);

static ag_tensor *fill_by(const ag_op *op, ag_tape *t, ag_dtype dtype, ag_shape shape, double a, double b) {
    return ag_apply_on(t, op, NULL, 0, &(ag__fill_attrs){-1, dtype, shape, a, b});
}

ag_tensor *ag_uniform(ag_tape *tape, ag_dtype dtype, ag_shape shape, double low, double high) {
    return fill_by(&ag__op_uniform, tape, dtype, shape, low, high);
}
ag_tensor *ag_randn(ag_tape *tape, ag_dtype dtype, ag_shape shape) {
    return fill_by(&ag__op_randn, tape, dtype, shape, 0, 1);
}
ag_tensor *ag_exponential(ag_tape *tape, ag_dtype dtype, ag_shape shape, double lambd) {
    return fill_by(&ag__op_exponential, tape, dtype, shape, lambd, 0);
}

/* Compositions */

typedef struct shape_attrs {
    ag_dtype dtype;
    ag_shape shape;
    double mean, std; /* normal */
} shape_attrs;

#define SHAPE_FIELDS(preset)                                         \
    {"dtype", AG_ATTR_DTYPE, offsetof(shape_attrs, dtype), "f32"}, { \
        "shape", AG_ATTR_SHAPE, offsetof(shape_attrs, shape), preset \
    }
static const ag_attr_field rand_fields[] = {SHAPE_FIELDS(NULL), {0}};
static const ag_attr_field normal_fields[] = {SHAPE_FIELDS("()"),
                                              {"mean", AG_ATTR_F64, offsetof(shape_attrs, mean), "0"},
                                              {"std", AG_ATTR_F64, offsetof(shape_attrs, std), "1"},
                                              {0}};

static ag_tensor *rand_of(ag_tensor *y) {
    const shape_attrs *a = ag_attrs(y);
    return ag_uniform(ag_tape_of(y), a->dtype, a->shape, 0, 1);
}

static ag_tensor *rand_like(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    return ag_need_float(y, 0) ? ag_uniform(ag_tape_of(x), ag_dtype_of(x), ag_shape_of(x), 0, 1) : NULL;
}

static ag_tensor *randn_like(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    return ag_need_float(y, 0) ? ag_randn(ag_tape_of(x), ag_dtype_of(x), ag_shape_of(x)) : NULL;
}

/* What the two have in common, of which one may be missing. */
static bool parameters(ag_tensor *y, const ag_tensor *mean, const ag_tensor *std, ag_shape *shape) {
    if (mean && !ag_need_float(y, 0)) return false;
    if (std && !ag_need_float(y, 1)) return false;
    if (mean && std) return ag_need_same_dtype(y, 0, 1) && ag_broadcast(y, mean, std, shape);
    *shape = ag_shape_of(mean ? mean : std);
    return true;
}

static ag_tensor *normal(ag_tensor *y) {
    const shape_attrs *a = ag_attrs(y);
    ag_tape *t = ag_tape_of(y);
    ag_tensor *mean = ag_in(y, 0), *std = ag_in(y, 1);
    ag_shape shape;
    if (!mean && !std) return fill_by(&ag__op_randn, t, a->dtype, a->shape, a->mean, a->std);
    if (!need_deviation(y, a->std) || !parameters(y, mean, std, &shape)) return NULL;
    if ((mean && a->mean != 0) || (std && a->std != 1)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "the %s is given both as a tensor and as a number",
                   mean && a->mean != 0 ? "mean" : "std");
        return NULL;
    }
    if (a->shape.rank) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "the shape is that of the tensors; give no other");
        return NULL;
    }
    ag_dtype dtype = ag_dtype_of(mean ? mean : std);
    ag_tensor *z = fill_by(&ag__op_randn, t, dtype, shape, 0, std ? 1 : a->std);
    if (std) z = ag_mul(z, std);
    return mean ? ag_add(z, mean) : ag_add_scalar(z, a->mean);
}

AG__COMPOSED_FLAT(rand, 0, sizeof(shape_attrs), rand_fields, "uniform in [0, 1)", rand_of);
AG__COMPOSED_FLAT(rand_like, 1, 0, NULL, "rand in x's shape and dtype", rand_like);
AG__COMPOSED_FLAT(randn_like, 1, 0, NULL, "randn in x's shape and dtype", randn_like);

AG__COMPOSED_ON(normal, 0, shape_attrs, normal_fields, "mean + std z, z normal", normal, 0.5, 2, .optional = 2,
                .inputs = "mean std");

ag_tensor *ag_rand(ag_tape *tape, ag_dtype dtype, ag_shape shape) {
    return ag_apply_on(tape, &ag__op_rand, NULL, 0, &(shape_attrs){dtype, shape, 0, 0});
}
ag_tensor *ag_normal(ag_tape *tape, ag_dtype dtype, ag_shape shape, double mean, double std) {
    return ag_apply_on(tape, &ag__op_normal, NULL, 0, &(shape_attrs){dtype, shape, mean, std});
}
ag_tensor *ag_normal_with(ag_tensor *mean, ag_tensor *std) {
    return ag_apply(&ag__op_normal, (ag_tensor *[]){mean, std}, 2, NULL);
}
ag_tensor *ag_rand_like(ag_tensor *x) { return ag_apply(&ag__op_rand_like, &x, 1, NULL); }
ag_tensor *ag_randn_like(ag_tensor *x) { return ag_apply(&ag__op_randn_like, &x, 1, NULL); }
