/* quantile.c: what lies a given part of the way through a line in order, made of sort and gather.
 *
 *     x 3 1 4 2 7, q = 0.375:   in order 1 2 3 4 7, rank q (n − 1) = 1.5   ─▶   2 + 0.5 (3 − 2), linear interpolation
 *                               lower 2, higher 3, midpoint 2.5, nearest: of rank 1.5 rounded to even, 3
 *
 * A line with a NaN gives NaN; nanquantile counts n without them. q is one number, or a line that becomes y's first axis. */
#include <math.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

typedef struct quantile_attrs {
    ag__over over;
    double q; /* NaN: the second input */
    int interpolation;
} quantile_attrs;

static const ag_attr_field fields[] = {
    {"q", AG_ATTR_F64, offsetof(quantile_attrs, q), "nan"},
    AG__OVER_FIELDS,
    {"interpolation", AG_ATTR_CHOICE, offsetof(quantile_attrs, interpolation), "linear|lower|higher|midpoint|nearest"},
    {0}};

/* q as a tensor, each of its numbers checked; NULL after an error. */
static ag_tensor *parts_of(ag_tensor *y) {
    double number = ((const quantile_attrs *)ag_attrs(y))->q;
    ag_tensor *x = ag_in(y, 0), *q = ag_in(y, 1);
    if ((q != NULL) != !!isnan(number)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "give q either as the second input or as q=number");
        return NULL;
    }
    if (!q) q = ag_scalar(ag_tape_of(y), ag_dtype_of(x), number);
    else if (!ag_need_same_dtype(y, 0, 1) || !ag_need_rank(y, 1, 0, 1)) return NULL;
    for (int64_t i = 0; i < ag_size(q); i++) {
        if (ag_at(q, i) >= 0 && ag_at(q, i) <= 1) continue;
        ag_op_fail(y, AG_ERR_VALUE, "q is %g; it must lie between 0 and 1", ag_at(q, i));
        return NULL;
    }
    return q;
}

/* x in order along axis 0, to which the axis has moved; of all axes as one line. */
static ag_tensor *in_order(ag_tensor *y) {
    ag_axes axes = ((const quantile_attrs *)ag_attrs(y))->over.axes;
    ag_tensor *x = ag_in(y, 0);
    char text[AG__TEXT];
    int axis = 0;
    if (!ag__reduce_one_axis(y) || (axes.count == 1 && !ag__need_line(y, axes.axis[0], ag_rank(x), &axis))) return NULL;
    if (axes.count < 0 || ag_rank(x) == 0) x = ag_reshape(x, AG_SHAPE(ag_size(x)));
    if (x && ag_dim(x, axis) == 0) {
        ag_op_fail(y, AG_ERR_SHAPE, "%s: there is no element to choose", ag_shape_text(ag_in(y, 0), text, sizeof text));
        return NULL;
    }
    return ag_movedim(ag_sort(x, axis, false, NULL), AG_AXES(axis), AG_AXES(0));
}

/* q (n − 1), in f64 where f32 could not tell ranks apart; a NaN is last in its line, and so is then the rank. Of
 * nothing but NaN that are passed over it is 0, and q has no say. */
static ag_tensor *rank_of(ag_tensor *q, ag_tensor *sorted, bool passes_nan) {
    ag_shape column = {.rank = ag_rank(sorted)};
    int64_t n = ag_dim(sorted, 0);
    ag_dtype dtype = n > 1 << 24 ? AG_F64 : ag_dtype_of(q);
    ag_tensor *last = ag_scalar(ag_tape_of(q), dtype, (double)(n - 1)), *zero = ag_scalar(ag_tape_of(q), dtype, 0);
    for (int i = 0; i < column.rank; i++) column.dim[i] = i ? 1 : ag_size(q);
    q = ag_reshape(ag_cast(q, dtype), column);
    if (!passes_nan) return ag_where(ag_isnan(ag_select(sorted, 0, n - 1)), last, ag_mul(q, last));
    last = ag_sub(last, ag_sum(ag_cast(ag_isnan(sorted), dtype), AG_AXES(0), false));
    return ag_where(ag_lt(last, zero), zero, ag_mul(q, last));
}

static ag_tensor *at(ag_tensor *sorted, ag_tensor *rank) { return ag_gather(sorted, 0, ag_cast(rank, AG_I64)); }

static ag_tensor *between(ag_tensor *sorted, ag_tensor *rank, int interpolation) {
    ag_tensor *below = ag_floor(rank), *above = ag_ceil(rank);
    ag_dtype dtype = ag_dtype_of(sorted);
    switch (interpolation) {
    case AG_QUANTILE_LOWER: return at(sorted, below);
    case AG_QUANTILE_HIGHER: return at(sorted, above);
    case AG_QUANTILE_NEAREST: return at(sorted, ag_round(rank));
    case AG_QUANTILE_MIDPOINT: return ag_lerp_scalar(at(sorted, below), at(sorted, above), 0.5);
    default: return ag_lerp(at(sorted, below), at(sorted, above), ag_cast(ag_sub(rank, below), dtype));
    }
}

/* q's axis, if it has one, in front of x's, of which what goes may stay as extents of 1. */
static bool result_shape(ag_tensor *y, const ag_tensor *q, ag_shape *s) {
    const quantile_attrs *a = ag_attrs(y);
    bool reduced[AG_MAX_RANK];
    ag_shape x = ag_shape_of(ag_in(y, 0));
    *s = ag_shape_of(q);
    if (!ag__reduced_axes(y, reduced)) return false;
    if (a->over.keepdim && s->rank + x.rank > AG_MAX_RANK)
        return ag_op_fail(y, AG_ERR_SHAPE, "the result would have %d axes; at most %d are possible", s->rank + x.rank,
                          AG_MAX_RANK);
    for (int i = 0; i < x.rank; i++) {
        if (!reduced[i] || a->over.keepdim) s->dim[s->rank++] = reduced[i] ? 1 : x.dim[i];
    }
    return true;
}

static ag_tensor *compose(ag_tensor *y, bool passes_nan) {
    ag_shape s;
    if (!ag_need_float(y, 0)) return NULL;
    ag_tensor *q = parts_of(y), *sorted = q ? in_order(y) : NULL;
    if (!sorted || !result_shape(y, q, &s)) return NULL;
    int interpolation = ((const quantile_attrs *)ag_attrs(y))->interpolation;
    return ag_reshape(between(sorted, rank_of(q, sorted, passes_nan), interpolation), s);
}

static ag_tensor *quantile(ag_tensor *y) { return compose(y, false); }
static ag_tensor *nanquantile(ag_tensor *y) { return compose(y, true); }

AG__COMPOSED(quantile, 1, quantile_attrs, fields, "what is q of the way through x in order, over one axis or all",
             quantile, .inputs = "x q", .optional = 1, .lo = 0.05, .hi = 0.95);
AG__COMPOSED(nanquantile, 1, quantile_attrs, fields, "quantile of what is not NaN", nanquantile, .inputs = "x q",
             .optional = 1, .lo = 0.05, .hi = 0.95);

static ag_tensor *apply(const ag_op *op, ag_tensor *x, ag_tensor *q, quantile_attrs a) {
    if (x && !q) return ag_tape_fail(ag_tape_of(x), AG_ERR_ARGUMENT, op->name, "q is NULL");
    return ag_apply(op, (ag_tensor *[]){x, q}, 2, &a);
}

ag_tensor *ag_quantile(ag_tensor *x, ag_tensor *q, ag_axes axis, bool keepdim, ag_quantile_method interpolation) {
    return apply(&ag__op_quantile, x, q, (quantile_attrs){{axis, keepdim}, (double)NAN, (int)interpolation});
}

ag_tensor *ag_quantile_scalar(ag_tensor *x, double q, ag_axes axis, bool keepdim, ag_quantile_method interpolation) {
    return ag_apply(&ag__op_quantile, &x, 1, &(quantile_attrs){{axis, keepdim}, q, (int)interpolation});
}

ag_tensor *ag_nanquantile(ag_tensor *x, ag_tensor *q, ag_axes axis, bool keepdim, ag_quantile_method interpolation) {
    return apply(&ag__op_nanquantile, x, q, (quantile_attrs){{axis, keepdim}, (double)NAN, (int)interpolation});
}

ag_tensor *ag_nanquantile_scalar(ag_tensor *x, double q, ag_axes axis, bool keepdim, ag_quantile_method interpolation) {
    return ag_apply(&ag__op_nanquantile, &x, 1, &(quantile_attrs){{axis, keepdim}, q, (int)interpolation});
}
