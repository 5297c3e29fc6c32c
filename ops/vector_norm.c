/* vector_norm.c: norms of any order over any axes.
 *
 *     p = 0  how many x ≠ 0       p = ∞  max |x|      p = −∞  min |x|      else  (Σ |x|ᵖ)^(1/p)
 *
 *     ∂y/∂x = sign(x) (|x| / y)^(p−1), and 0 where x = 0 or y = 0; ±∞: the elements that tie share sign(x)
 *
 * Sums run in f64 for f32 too. The ratio |x| / y is at most 1 for p ≥ 1, so the gradient does not overflow where y has not. */
#include <math.h>

#include "ops/compose.h"
#include "ops/fold.h"
#include "ops/ops.h"
#include "ops/pairs.h"
#include "ops/reduce.h"
#include "ops/table.h"

typedef struct norm_attrs {
    ag__over over;
    double p;
} norm_attrs;

static const ag_attr_field p_fields[] = {{"p", AG_ATTR_F64, offsetof(norm_attrs, p), "2"}, AG__OVER_FIELDS, {0}};

static double order(const ag_tensor *y) { return ((const norm_attrs *)ag_attrs(y))->p; }

/* What is added up, or compared, for each order: f64 of either float. */
#define LOAD(NAME, T, value)                                           \
    static void NAME(const void *in, int64_t n, double p, void *out) { \
        double *v = out;                                               \
        (void)p;                                                       \
        for (int64_t i = 0; i < n; i++) {                              \
            double x = (double)((const T *)in)[i];                     \
            v[i] = value;                                              \
        }                                                              \
    }
LOAD(count_f32, float, x != 0)
LOAD(count_f64, double, x != 0)
LOAD(size_f32, float, fabs(x))
LOAD(size_f64, double, fabs(x))
LOAD(square_f32, float, x *x)
LOAD(square_f64, double, x *x)
LOAD(power_f32, float, pow(fabs(x), p))
LOAD(power_f64, double, pow(fabs(x), p))

static double root(double sum, double p) {
    return p == 0 || p == 1 || isinf(p) ? sum : p == 2 ? sqrt(sum) : pow(sum, 1 / p);
}

static bool norm_shape(ag_tensor *y) {
    double p = order(y);
    if (!ag_need_float(y, 0)) return false;
    if (isnan(p)) return ag_op_fail(y, AG_ERR_ARGUMENT, "the order of a norm is a number or infinite, not nan");
    return ag__reduce_shape(y) && ((p >= 0 && !isinf(p)) || ag__reduce_needs_some(y));
}

static bool norm_run(ag_tensor *y) {
    double p = order(y), *v = ag_op_workspace(y, (size_t)ag_size(y) * sizeof *v);
    bool reduced[AG_MAX_RANK], single = ag_dtype_of(y) == AG_F32;
    ag__fold_kind kind = !isinf(p) ? AG__SUM : p > 0 ? AG__MAX : AG__MIN;
    ag__load_fn *load = p == 0               ? (single ? count_f32 : count_f64)
                        : p == 1 || isinf(p) ? (single ? size_f32 : size_f64)
                        : p == 2             ? (single ? square_f32 : square_f64)
                                             : (single ? power_f32 : power_f64);
    if (!v || !ag__reduced_axes(y, reduced) || !ag__fold_loaded(y, reduced, kind, AG_F64, load, p, v)) return false;
    for (int64_t i = 0; i < ag_size(y); i++) v[i] = root(v[i], p);
    ag__put_doubles(y, 0, v);
    return true;
}

static ag_tensor *number(ag_tensor *like, double v) { return ag_scalar(ag_tape_of(like), ag_dtype_of(like), v); }

/* sign(x) g, shared among those with |x| = y */
static ag_tensor *share(ag_tensor *y, ag_tensor *g) {
    ag_tensor *x = ag_in(y, 0);
    return ag_mul(ag_sign(x), ag__share_ties(y, ag_eq(ag_abs(x), ag__spread(y, y)), g));
}

static bool norm_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    double p = order(y);
    ag_tensor *x = ag_in(y, 0), *v = ag__spread(y, g[0]), *whole = ag__spread(y, y);
    if (p == 0) return true;
    if (p == 1) return (d[0] = ag_mul(ag_sign(x), v)) != NULL;
    if (isinf(p)) return (d[0] = share(y, v)) != NULL;
    ag_tensor *none = ag_eq(whole, number(x, 0)), *seed = ag_where(none, number(x, 0), v);
    ag_tensor *ratio = ag_div(x, ag_where(none, number(x, 1), whole));
    if (p == 2) return (d[0] = ag_mul(seed, ratio)) != NULL;
    ag_tensor *size = ag_abs(ag_where(ag_eq(x, number(x, 0)), number(x, 1), ratio));
    d[0] = ag_mul(seed, ag_mul(ag_sign(x), ag_pow_scalar(size, p - 1)));
    return d[0] != NULL;
}

/* In f64, |x| or its square, and the sum; a power counts as 32. */
static double norm_flops(const ag_tensor *y) {
    double p = order(y);
    return (p == 0 || p == 1 || p == 2 || isinf(p) ? 3 : 34) * ag__reduce_flops(y);
}

const ag_op ag__op_norm = {
    .size = sizeof(ag_op),
    .name = "norm",
    .arity = 1,
    .attr_size = sizeof(norm_attrs),
    .attrs = p_fields,
    .formula = "(Σ |x|^p)^(1/p) over axes; inf: max |x|, -inf: min |x|, 0: how many are not 0",
    .shape = norm_shape,
    .run = norm_run,
    .grad = norm_grad,
    .flops = norm_flops,
};

ag_tensor *ag_norm(ag_tensor *x, double p, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_norm, &x, 1, &(norm_attrs){{axes, keepdim}, p});
}

static const ag_attr_field ord_fields[] = {{"ord", AG_ATTR_F64, offsetof(norm_attrs, p), "2"}, AG__OVER_FIELDS, {0}};

/* What a mask leaves out counts as 0, to the smallest as ∞. */
static ag_tensor *vector_norm_compose(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *mask = ag_in(y, 1);
    if (!ag_need_float(y, 0) || (mask && !ag_need_dtype(y, 1, AG_BOOL))) return NULL;
    if (mask && order(y) < 0 && !isinf(order(y))) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "ord is %g; with a mask it is at least 0, or -inf", order(y));
        return NULL;
    }
    if (mask) x = ag_where(mask, x, number(x, order(y) < 0 ? (double)INFINITY : 0));
    return ag_apply(&ag__op_norm, (ag_tensor *[]){x}, 1, ag_attrs(y));
}

AG__COMPOSED(vector_norm, 1, norm_attrs, ord_fields, "norm by another name, its p called ord", vector_norm_compose,
             .optional = 1, .inputs = "x mask");

ag_tensor *ag_vector_norm(ag_tensor *x, double ord, ag_axes axes, bool keepdim) {
    return ag_norm(x, ord, axes, keepdim);
}
