/* var.c: variance and standard deviation, alone or with the mean.
 *
 *     var = Σ (x − mean)² / f,  f = max(n − correction, 0)     ∂var/∂x = 2 (x − mean) / f,  ∂mean/∂x = 1 / n
 *
 * Deviations are taken from the mean of each piece and the pieces merged, never as E[x²] − E[x]²: nothing cancels. */
#include <math.h>
#include <stddef.h>

#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/pairs.h"
#include "ops/reduce.h"
#include "ops/table.h"

typedef struct var_attrs {
    ag__over over;
    double correction;
} var_attrs;

static const ag_attr_field var_fields[] = {
    AG__OVER_FIELDS, {"correction", AG_ATTR_F64, offsetof(var_attrs, correction), "1"}, {0}};

static double freedom(const ag_tensor *y) {
    return fmax(ag__reduce_terms(y) - ((const var_attrs *)ag_attrs(y))->correction, 0);
}

static bool var_shape(ag_tensor *y) { return ag_need_float(y, 0) && ag__reduce_shape(y); }

static bool pair_shape(ag_tensor *y) {
    return var_shape(y) && ag_out_shape(y, 1, ag_dtype_of(ag_in(y, 0)), ag_shape_of(ag_out(y, 0)));
}

static bool run(ag_tensor *y, bool root, bool with_mean) {
    bool reduced[AG_MAX_RANK];
    double *mean, *squares, divisor = freedom(y);
    if (!ag__reduced_axes(y, reduced) || !ag__fold_pairs(y, reduced, ag__kernel()->pairs->moments, NULL, &mean, &squares))
        return false;
    for (int64_t i = 0; i < ag_size(ag_out(y, 0)); i++) {
        squares[i] /= divisor;
        if (root) squares[i] = sqrt(squares[i]);
    }
    ag__put_doubles(y, 0, squares);
    if (with_mean) ag__put_doubles(y, 1, mean);
    return true;
}

static bool var_run(ag_tensor *y) { return run(y, false, false); }
static bool std_run(ag_tensor *y) { return run(y, true, false); }
static bool var_mean_run(ag_tensor *y) { return run(y, false, true); }
static bool std_mean_run(ag_tensor *y) { return run(y, true, true); }

/* x − mean; the mean is an output of some of these ops, but its own path to x must stay: it is taken again. What rounding it was
 * off by is the mean of what is left, which is 0 but for that: a constant. */
static ag_tensor *deviation(ag_tensor *y) {
    ag_axes axes = ((const var_attrs *)ag_attrs(y))->over.axes;
    ag_tensor *x = ag_in(y, 0), *mean = ag_mean(x, axes, true), *rest = ag_mean(ag_sub(x, mean), axes, true);
    return ag_sub(ag_sub(x, mean), ag_detach(rest)); /* subtracted twice, which a chain does on the way */
}

static ag_tensor *of_var(ag_tensor *y, ag_tensor *g) {
    return ag_mul(ag_scale(ag__spread(y, g), 2 / freedom(y)), deviation(y));
}

/* g / std (x − mean) / f; 0 where std is 0 */
static ag_tensor *of_std(ag_tensor *y, ag_tensor *g) {
    ag_tensor *std = ag_out(y, 0), *zero = ag_scalar(ag_tape_of(y), ag_dtype_of(std), 0),
              *one = ag_scalar(ag_tape_of(y), ag_dtype_of(std), 1), *flat = ag_eq(std, zero);
    ag_tensor *ratio = ag_div(ag_where(flat, zero, g), ag_where(flat, one, std));
    return ag_mul(ag_scale(ag__spread(y, ratio), 1 / freedom(y)), deviation(y));
}

static bool var_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return (d[0] = of_var(y, g[0])) != NULL; }
static bool std_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return (d[0] = of_std(y, g[0])) != NULL; }

/* `first`: the gradient through output 0, NULL if that is unused; and g / n for the mean. */
static bool with_mean(ag_tensor *y, ag_tensor *const g[], ag_tensor *first, ag_tensor *d[]) {
    ag_tensor *second = g[1] ? ag_scale(ag__spread(y, g[1]), 1 / ag__reduce_terms(y)) : NULL;
    d[0] = g[0] && g[1] ? ag_add(first, second) : g[0] ? first : second;
    return d[0] || (!g[0] && !g[1]);
}

static bool var_mean_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return with_mean(y, g, g[0] ? of_var(y, g[0]) : NULL, d);
}

static bool std_mean_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return with_mean(y, g, g[0] ? of_std(y, g[0]) : NULL, d);
}

/* The mean, and Σ (x − mean)² */
static double var_flops(const ag_tensor *y) { return 4 * ag__reduce_flops(y); }

#define RECORD(op, outputs, text, shape_fn, run_fn, grad_fn)   \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),          \
                               .name = #op,                    \
                               .arity = 1,                     \
                               .nout = outputs,                \
                               .attr_size = sizeof(var_attrs), \
                               .attrs = var_fields,            \
                               .formula = text,                \
                               .shape = shape_fn,              \
                               .run = run_fn,                  \
                               .grad = grad_fn,                \
                               .flops = var_flops};
RECORD(var, 1, "Σ (x − mean)² / max(n − correction, 0) over axes", var_shape, var_run, var_grad)
RECORD(std, 1, "√ of var over axes", var_shape, std_run, std_grad)
RECORD(var_mean, 2, "var, and the mean it is taken around", pair_shape, var_mean_run, var_mean_grad)
RECORD(std_mean, 2, "std, and the mean it is taken around", pair_shape, std_mean_run, std_mean_grad)

ag_tensor *ag_var(ag_tensor *x, ag_axes axes, double correction, bool keepdim) {
    return ag_apply(&ag__op_var, &x, 1, &(var_attrs){{axes, keepdim}, correction});
}

ag_tensor *ag_std(ag_tensor *x, ag_axes axes, double correction, bool keepdim) {
    return ag_apply(&ag__op_std, &x, 1, &(var_attrs){{axes, keepdim}, correction});
}

ag_tensor *ag_var_mean(ag_tensor *x, ag_axes axes, double correction, bool keepdim, ag_tensor **mean) {
    return ag__parts(ag_apply(&ag__op_var_mean, &x, 1, &(var_attrs){{axes, keepdim}, correction}), mean);
}

ag_tensor *ag_std_mean(ag_tensor *x, ag_axes axes, double correction, bool keepdim, ag_tensor **mean) {
    return ag__parts(ag_apply(&ag__op_std_mean, &x, 1, &(var_attrs){{axes, keepdim}, correction}), mean);
}
