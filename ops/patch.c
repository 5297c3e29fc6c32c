/* patch.c: elements put in the place of others: by a mask, where a number is not finite, or beyond a bound. What is not chosen
 * is put aside before it is multiplied, so that an infinity there makes no NaN in a gradient. */
#include <float.h>
#include <math.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct fill_attrs {
    double value;
} fill_attrs;

static const ag_attr_field fill_fields[] = {{"value", AG_ATTR_F64, offsetof(fill_attrs, value), NULL}, {0}};

static ag_tensor *masked_fill(ag_tensor *y) {
    double value = ((const fill_attrs *)ag_attrs(y))->value;
    if (!ag_need_dtype(y, 1, AG_BOOL)) return NULL;
    return ag_where(ag_in(y, 1), ag__constant(ag_in(y, 0), value), ag_in(y, 0));
}

AG__COMPOSED(masked_fill, 2, fill_attrs, fill_fields, "value where the mask is set, else x", masked_fill,
             .inputs = "x mask");

ag_tensor *ag_masked_fill(ag_tensor *x, ag_tensor *mask, double value) {
    return ag_apply(&ag__op_masked_fill, (ag_tensor *[]){x, mask}, 2, &(fill_attrs){value});
}

static ag_tensor *masked_fill_tensor(ag_tensor *y) {
    if (!ag_need_dtype(y, 1, AG_BOOL) || !ag_need_same_dtype(y, 0, 2) || !ag_need_rank(y, 2, 0, 0)) return NULL;
    return ag_where(ag_in(y, 1), ag_in(y, 2), ag_in(y, 0));
}

AG__COMPOSED_BARE(masked_fill_tensor, 3, "value where the mask is set, else x", masked_fill_tensor,
                  .inputs = "x mask value");

ag_tensor *ag_masked_fill_tensor(ag_tensor *x, ag_tensor *mask, ag_tensor *value) {
    return ag_apply(&ag__op_masked_fill_tensor, (ag_tensor *[]){x, mask, value}, 3, NULL);
}

typedef struct finite_attrs {
    double nan, posinf, neginf; /* posinf, neginf NaN: the largest and smallest number of x's dtype */
} finite_attrs;

static const ag_attr_field finite_fields[] = {{"nan", AG_ATTR_F64, offsetof(finite_attrs, nan), "0"},
                                              {"posinf", AG_ATTR_F64, offsetof(finite_attrs, posinf), "nan"},
                                              {"neginf", AG_ATTR_F64, offsetof(finite_attrs, neginf), "nan"},
                                              {0}};

static ag_tensor *nan_to_num(ag_tensor *y) {
    const finite_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    if (!ag__need_number(y, 0)) return NULL;
    if (ag_dtype_of(x) == AG_I64) return ag_alias(x);
    double most = ag_dtype_of(x) == AG_F32 ? (double)FLT_MAX : DBL_MAX;
    ag_tensor *above = ag__constant(x, isnan(a->posinf) ? most : a->posinf);
    ag_tensor *below = ag__constant(x, isnan(a->neginf) ? -most : a->neginf);
    ag_tensor *rest = ag_where(ag_isneginf(x), below, ag_where(ag_isposinf(x), above, x));
    return ag_where(ag_isnan(x), ag__constant(x, a->nan), rest);
}

AG__COMPOSED(nan_to_num, 1, finite_attrs, finite_fields, "x, with numbers for NaN and the infinities", nan_to_num);

ag_tensor *ag_nan_to_num(ag_tensor *x, double nan, double posinf, double neginf) {
    return ag_apply(&ag__op_nan_to_num, &x, 1, &(finite_attrs){nan, posinf, neginf});
}

typedef struct bound_attrs {
    double bound; /* by name NaN: it is input 1 */
    bool given;   /* from C a NaN is a bound, too */
} bound_attrs;

static const ag_attr_field min_fields[] = {{"min", AG_ATTR_F64, offsetof(bound_attrs, bound), "nan"}, {0}};
static const ag_attr_field max_fields[] = {{"max", AG_ATTR_F64, offsetof(bound_attrs, bound), "nan"}, {0}};

/* The bound that input 1 or the attribute says, as a tensor; the number alone stays one for floats, unless it is NaN. */
static bool bound_of(ag_tensor *y, const char *name, double *number, ag_tensor **bound) {
    const bound_attrs *a = ag_attrs(y);
    *number = a->bound;
    *bound = ag_in(y, 1);
    if (!ag__need_number(y, 0)) return false;
    bool given = a->given || !isnan(a->bound), whole = ag_dtype_of(ag_in(y, 0)) == AG_I64;
    if (given == (*bound != NULL))
        return ag_op_fail(y, AG_ERR_ARGUMENT, "give the bound either as the second input or as %s=number", name);
    if (!*bound && !ag__need_factor(y, name, *number)) return false;
    if (!*bound && (whole || isnan(*number))) *bound = ag__constant(ag_in(y, 0), *number);
    return true;
}

static ag_tensor *clamp_min(ag_tensor *y) {
    double number;
    ag_tensor *bound;
    if (!bound_of(y, "min", &number, &bound)) return NULL;
    return bound ? ag_clamp_between(ag_in(y, 0), bound, NULL) : ag_clamp(ag_in(y, 0), number, (double)INFINITY);
}

static ag_tensor *clamp_max(ag_tensor *y) {
    double number;
    ag_tensor *bound;
    if (!bound_of(y, "max", &number, &bound)) return NULL;
    return bound ? ag_clamp_between(ag_in(y, 0), NULL, bound) : ag_clamp(ag_in(y, 0), -(double)INFINITY, number);
}

AG__COMPOSED(clamp_min, 1, bound_attrs, min_fields, "x, at least min", clamp_min, .optional = 1, .inputs = "x min");
AG__COMPOSED(clamp_max, 1, bound_attrs, max_fields, "x, at most max", clamp_max, .optional = 1, .inputs = "x max");

ag_tensor *ag_clamp_min(ag_tensor *x, double min) {
    return ag_apply(&ag__op_clamp_min, &x, 1, &(bound_attrs){min, true});
}
ag_tensor *ag_clamp_max(ag_tensor *x, double max) {
    return ag_apply(&ag__op_clamp_max, &x, 1, &(bound_attrs){max, true});
}

/* weight: of one element, or one for each channel, axis 1 of x */
static ag_tensor *prelu(ag_tensor *y) {
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_rank(y, 1, 0, 1)) return NULL;
    ag_tensor *x = ag_in(y, 0), *weight = ag_in(y, 1), *zero = ag__constant(x, 0);
    int64_t channels = ag_rank(x) > 1 ? ag_dim(x, 1) : 1;
    ag_shape s = {.rank = ag_rank(x) > 1 ? ag_rank(x) - 1 : 0};
    if (ag_size(weight) != 1 && ag_size(weight) != channels) {
        char xs[AG__TEXT], ws[AG__TEXT];
        ag_op_fail(y, AG_ERR_SHAPE, "the weight %s needs 1 element, or %lld, one for each channel on axis 1 of %s",
                   ag_shape_text(weight, ws, sizeof ws), (long long)channels, ag_shape_text(x, xs, sizeof xs));
        return NULL;
    }
    for (int k = 0; k < s.rank; k++) s.dim[k] = k ? 1 : channels;
    weight = ag_reshape(weight, ag_size(weight) == 1 ? AG_SHAPE() : s);
    ag_tensor *positive = ag_gt(x, zero);
    return ag_where(positive, x, ag_mul(weight, ag_where(positive, zero, x)));
}

AG__COMPOSED_BARE(prelu, 2, "x where x > 0, else weight x", prelu, .inputs = "x weight");

ag_tensor *ag_prelu(ag_tensor *x, ag_tensor *weight) {
    return ag_apply(&ag__op_prelu, (ag_tensor *[]){x, weight}, 2, NULL);
}

typedef struct close_attrs {
    double rtol, atol;
    bool equal_nan;
} close_attrs;

static const ag_attr_field close_fields[] = {{"rtol", AG_ATTR_F64, offsetof(close_attrs, rtol), "1e-5"},
                                             {"atol", AG_ATTR_F64, offsetof(close_attrs, atol), "1e-8"},
                                             {"equal_nan", AG_ATTR_BOOL, offsetof(close_attrs, equal_nan), "false"},
                                             {0}};

/* |a − b| of integers in f64, rounded once: the difference is taken as the integer it is unless that could overflow. */
static ag_tensor *whole_apart(ag_tensor *a, ag_tensor *b) {
    ag_tensor *rough = ag_abs(ag_sub(ag_cast(a, AG_F64), ag_cast(b, AG_F64)));
    ag_tensor *fits = ag_lt(rough, ag__constant(rough, 0x1p62));
    return ag_where(fits, ag_cast(ag_abs(ag_sub(a, b)), AG_F64), rough);
}

/* a = b, for infinities, or |a − b| finite and at most atol + rtol |b| */
static ag_tensor *isclose(ag_tensor *y) {
    const close_attrs *c = ag_attrs(y);
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    if (!(c->rtol >= 0) || !(c->atol >= 0)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "rtol and atol must be at least 0, not %g and %g", c->rtol, c->atol);
        return NULL;
    }
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    bool whole = ag_dtype_of(a) == AG_I64;
    ag_tensor *equal = ag_eq(a, b), *apart = whole ? whole_apart(a, b) : ag_abs(ag_sub(a, b));
    ag_tensor *size = ag_abs(whole ? ag_cast(b, AG_F64) : b);
    ag_tensor *near = ag_le(apart, ag_add_scalar(ag_scale(size, c->rtol), c->atol));
    near = ag_logical_or(equal, ag_logical_and(ag_isfinite(apart), near));
    return c->equal_nan ? ag_logical_or(near, ag_logical_and(ag_isnan(a), ag_isnan(b))) : near;
}

AG__COMPOSED_FLAT(isclose, 2, sizeof(close_attrs), close_fields, "|a − b| <= atol + rtol |b|", isclose);

ag_tensor *ag_isclose(ag_tensor *a, ag_tensor *b, double rtol, double atol, bool equal_nan) {
    return ag_apply(&ag__op_isclose, (ag_tensor *[]){a, b}, 2, &(close_attrs){rtol, atol, equal_nan});
}

static ag_tensor *allclose(ag_tensor *y) {
    const close_attrs *c = ag_attrs(y);
    return ag_all(ag_isclose(ag_in(y, 0), ag_in(y, 1), c->rtol, c->atol, c->equal_nan), AG_ALL, false);
}

AG__COMPOSED_FLAT(allclose, 2, sizeof(close_attrs), close_fields, "isclose of every element", allclose);

ag_tensor *ag_allclose(ag_tensor *a, ag_tensor *b, double rtol, double atol, bool equal_nan) {
    return ag_apply(&ag__op_allclose, (ag_tensor *[]){a, b}, 2, &(close_attrs){rtol, atol, equal_nan});
}

static ag_tensor *equal(ag_tensor *y) {
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    if (!ag_need_same_dtype(y, 0, 1)) return NULL;
    if (!ag__same_shape(ag_shape_of(a), ag_shape_of(b))) return ag_scalar(ag_tape_of(y), AG_BOOL, 0);
    return ag_all(ag_eq(a, b), AG_ALL, false);
}

AG__COMPOSED_BARE(equal, 2, "are shapes and all elements equal", equal, .flags = AG_FLAT);

ag_tensor *ag_equal(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_equal, (ag_tensor *[]){a, b}, 2, NULL); }
