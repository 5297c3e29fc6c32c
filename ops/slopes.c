/* slopes.c: derivatives along an axis of values at places in a row, by differences of neighbours: NumPy's and PyTorch's gradient.
 *
 *     places d and e apart, slopes s and t between them:   x ──s── x ──t── x      (e s + d t) / (d + e) in the middle
 *                                                            d       e
 *     at an end the straight line through two places, s, or the parabola through three, s + (s − t) d / (d + e)
 *
 * The middle is exact for parabolas. Places one distance h apart give (x[k+1] − x[k−1]) / 2h, without the element in the middle. */
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct gradient_attrs {
    double spacing;
    ag_axes axes;
    int edge_order;
    int64_t part; /* which of the axes */
} gradient_attrs;

static const ag_attr_field fields[] = {{"spacing", AG_ATTR_F64, offsetof(gradient_attrs, spacing), "1"},
                                       {"axes", AG_ATTR_AXES, offsetof(gradient_attrs, axes), "all"},
                                       {"edge_order", AG_ATTR_INT, offsetof(gradient_attrs, edge_order), "1"},
                                       {"part", AG_ATTR_I64, offsetof(gradient_attrs, part), "0"},
                                       {0}};

/* Differences of neighbours; a scalar is one already, for all of them. */
static ag_tensor *steps(ag_tensor *at, int axis) { return ag_rank(at) ? ag_diff(at, 1, axis, NULL, NULL) : at; }

/* One of `slopes` and the steps below them, from the front or the end. */
static ag_tensor *one(ag_tensor *of, int axis, int64_t k) { return ag_rank(of) ? ag_narrow(of, axis, k, 1) : of; }

static ag_tensor *edge(ag_tensor *slope, ag_tensor *step, int axis, bool first, int order) {
    ag_tensor *s = one(slope, axis, first ? 0 : -1), *d = one(step, axis, first ? 0 : -1);
    if (order == 1) return s;
    ag_tensor *t = one(slope, axis, first ? 1 : -2), *e = one(step, axis, first ? 1 : -2);
    return ag_add(s, ag_mul(ag_sub(s, t), ag_div(d, ag_add(d, e))));
}

static ag_tensor *middle(ag_tensor *x, ag_tensor *slope, ag_tensor *step, int axis) {
    if (ag_rank(step) == 0) {
        ag_tensor *apart = ag_sub(ag_slice(x, axis, 2, AG_END, 1), ag_slice(x, axis, 0, -2, 1));
        return ag_div(apart, ag_add(step, step));
    }
    ag_tensor *d = ag_slice(step, axis, 0, -1, 1), *e = ag_slice(step, axis, 1, AG_END, 1);
    ag_tensor *s = ag_slice(slope, axis, 0, -1, 1), *t = ag_slice(slope, axis, 1, AG_END, 1);
    return ag_div(ag_add(ag_mul(e, s), ag_mul(d, t)), ag_add(d, e));
}

/* The spacing along an axis: a scalar, or the places, with x's rank. NULL after an error. */
static ag_tensor *places(ag_tensor *y, int given, int axis) {
    const gradient_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int i = given == 1 && ag_rank(ag_in(y, 1)) == 0 ? 1 : 1 + (int)a->part;
    if (given == 0) return ag__constant(x, a->spacing);
    if (!ag_need_same_dtype(y, 0, i) || !ag_need_rank(y, i, 0, 1)) return NULL;
    ag_tensor *h = ag_in(y, i);
    ag_shape beside = {.rank = ag_rank(x)};
    if (ag_rank(h) == 0) return h;
    if (ag_size(h) != ag_dim(x, axis)) {
        ag_op_fail(y, AG_ERR_SHAPE, "there are %lld places for the %lld elements along axis %d", (long long)ag_size(h),
                   (long long)ag_dim(x, axis), axis);
        return NULL;
    }
    for (int k = 0; k < beside.rank; k++) beside.dim[k] = k == axis ? ag_size(h) : 1;
    return ag_reshape(h, beside);
}

/* Which of x's axes; what else is wrong. */
static bool need_axis(ag_tensor *y, int given, int *axis) {
    const gradient_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    bool chosen[AG_MAX_RANK], all = a->axes.count < 0;
    int64_t count = all ? ag_rank(x) : a->axes.count;
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 1, AG_MAX_RANK)) return false;
    if (!ag_need_axes(y, a->axes, ag_rank(x), chosen)) return false;
    if (a->part < 0 || a->part >= count)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "part is %lld; there is one for each of %lld axes", (long long)a->part,
                          (long long)count);
    if (given && given != count && (given > 1 || ag_rank(ag_in(y, 1))))
        return ag_op_fail(y, AG_ERR_ARGUMENT, "there are %d spacings for %lld axes", given, (long long)count);
    if (a->edge_order != 1 && a->edge_order != 2)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "edge_order is %d; it is 1 or 2", a->edge_order);
    if (!ag_need_axis(y, all ? (int)a->part : a->axes.axis[a->part], ag_rank(x), axis)) return false;
    return ag_dim(x, *axis) > a->edge_order ||
           ag_op_fail(y, AG_ERR_SHAPE, "axis %d has %lld elements; edge_order %d needs %d", *axis,
                      (long long)ag_dim(x, *axis), a->edge_order, a->edge_order + 1);
}

static ag_tensor *gradient(ag_tensor *y) {
    int axis = 0, given = ag_in_count(y) - 1, order = ((const gradient_attrs *)ag_attrs(y))->edge_order;
    ag_tensor *x = ag_in(y, 0), *h = need_axis(y, given, &axis) ? places(y, given, axis) : NULL;
    if (!h) return NULL;
    ag_tensor *step = steps(h, axis), *slope = ag_div(steps(x, axis), step);
    ag_tensor *part[] = {edge(slope, step, axis, true, order), middle(x, slope, step, axis),
                         edge(slope, step, axis, false, order)};
    return part[0] && part[1] && part[2] ? ag_concat(part, 3, axis) : NULL;
}

AG__COMPOSED(gradient, -1, gradient_attrs, fields, "differences of neighbours by their distance, along one axis",
             gradient, .inputs = "x spacing");

ag_tensor **ag_gradient(ag_tensor *x, ag_tensor *const places[], double spacing, ag_axes axes, int edge_order,
                        ag_tensor *out[], int n) {
    ag_tensor *in[1 + AG_MAX_RANK] = {x}, *found = NULL;
    ag_tape *t = x ? ag_tape_of(x) : NULL;
    if (!out || n < 1 || n > AG_MAX_RANK)
        return ag_tape_fail(t, AG_ERR_ARGUMENT, "gradient", out ? "n is %d; there is one for each axis" : "out is NULL", n);
    for (int i = 0; i < n && places; i++) in[1 + i] = places[i];
    for (int i = 0; i < n; i++) {
        found = ag_apply(&ag__op_gradient, in, places ? 1 + n : 1, &(gradient_attrs){spacing, axes, edge_order, i});
        if (!found) return NULL;
        out[i] = found;
    }
    return out;
}
