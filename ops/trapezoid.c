/* trapezoid.c: integrals of samples by the trapezoidal rule: Σ (y[k] + y[k+1]) / 2 · (x[k+1] − x[k]), x the places of the
 * samples, or dx between them. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct rule_attrs {
    double dx;
    int axis;
} rule_attrs;

static const ag_attr_field rule_fields[] = {
    {"dx", AG_ATTR_F64, offsetof(rule_attrs, dx), "1"}, {"axis", AG_ATTR_INT, offsetof(rule_attrs, axis), "-1"}, {0}};

/* The area between each sample and the next. x may be a line, for every line of y. */
static ag_tensor *areas(ag_tensor *node, int *axis) {
    const rule_attrs *a = ag_attrs(node);
    ag_tensor *y = ag_in(node, 0), *x = ag_in(node, 1), *width;
    char ys[AG__TEXT], xs[AG__TEXT];
    if (!ag_need_float(node, 0) || !ag_need_rank(node, 0, 1, AG_MAX_RANK) || !ag_need_axis(node, a->axis, ag_rank(y), axis))
        return NULL;
    if (ag_dim(y, *axis) == 0) return ag_alias(y);
    ag_tensor *height = ag_add(ag_slice(y, *axis, 1, AG_END, 1), ag_slice(y, *axis, 0, -1, 1));
    if (!x) return ag_scale(height, 0.5 * a->dx);
    if (!ag_need_same_dtype(node, 0, 1) || !ag_need_rank(node, 1, 1, ag_rank(y))) return NULL;
    if (ag_rank(x) == 1) {
        ag_shape s = {.rank = ag_rank(y)};
        for (int i = 0; i < s.rank; i++) s.dim[i] = i == *axis ? ag_dim(x, 0) : 1;
        if (!(x = ag_reshape(x, s))) return NULL;
    } else if (!ag_need_rank(node, 1, ag_rank(y), ag_rank(y))) {
        return NULL;
    }
    if (ag_dim(x, *axis) != ag_dim(y, *axis)) {
        ag_op_fail(node, AG_ERR_SHAPE, "%s needs a place x for each of the %lld samples along axis %d, not %s",
                   ag_shape_text(y, ys, sizeof ys), (long long)ag_dim(y, *axis), *axis,
                   ag_shape_text(ag_in(node, 1), xs, sizeof xs));
        return NULL;
    }
    width = ag_sub(ag_slice(x, *axis, 1, AG_END, 1), ag_slice(x, *axis, 0, -1, 1));
    return ag_scale(ag_mul(height, width), 0.5);
}

static ag_tensor *trapezoid(ag_tensor *node) {
    int axis;
    ag_tensor *each = areas(node, &axis);
    return each ? ag_sum(each, AG_AXES(axis), false) : NULL;
}

static ag_tensor *cumulative_trapezoid(ag_tensor *node) {
    int axis;
    ag_tensor *each = areas(node, &axis);
    return each ? ag_cumsum(each, axis) : NULL;
}

AG__COMPOSED(trapezoid, 1, rule_attrs, rule_fields, "Σ (y[k] + y[k+1]) / 2 (x[k+1] − x[k]) along axis", trapezoid,
             .optional = 1, .inputs = "y x");
AG__COMPOSED(cumulative_trapezoid, 1, rule_attrs, rule_fields, "the integrals up to each sample but the first",
             cumulative_trapezoid, .optional = 1, .inputs = "y x");

ag_tensor *ag_trapezoid(ag_tensor *y, ag_tensor *x, double dx, int axis) {
    return ag_apply(&ag__op_trapezoid, (ag_tensor *[]){y, x}, 2, &(rule_attrs){dx, axis});
}
ag_tensor *ag_cumulative_trapezoid(ag_tensor *y, ag_tensor *x, double dx, int axis) {
    return ag_apply(&ag__op_cumulative_trapezoid, (ag_tensor *[]){y, x}, 2, &(rule_attrs){dx, axis});
}
