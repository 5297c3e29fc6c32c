/* forms.c: forms of elementwise rows that one more attribute or input asks for. By name they are called as the row is: ag_call
 * "add" with alpha=2 is add_scaled (names.def).
 *
 *     add, sub  alpha     div  rounding_mode     round  decimals     gelu  approximate     clamp  bounds that are tensors */
#include <math.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct scaled_attrs {
    double alpha;
} scaled_attrs;

static const ag_attr_field scaled_fields[] = {{"alpha", AG_ATTR_F64, offsetof(scaled_attrs, alpha), "1"}, {0}};

/* alpha b */
static ag_tensor *scaled(ag_tensor *y) {
    double alpha = ((const scaled_attrs *)ag_attrs(y))->alpha;
    ag_tensor *b = ag_in(y, 1);
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    if (!ag__need_factor(y, "alpha", alpha)) return NULL;
    return alpha == 1 ? b : ag_mul(b, ag__constant(b, alpha));
}

static ag_tensor *add_scaled(ag_tensor *y) {
    ag_tensor *b = scaled(y);
    return b ? ag_add(ag_in(y, 0), b) : NULL;
}

static ag_tensor *sub_scaled(ag_tensor *y) {
    ag_tensor *b = scaled(y);
    return b ? ag_sub(ag_in(y, 0), b) : NULL;
}

/* alpha a, taken from b */
static ag_tensor *rsub(ag_tensor *y) {
    double alpha = ((const scaled_attrs *)ag_attrs(y))->alpha;
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    return ag_apply(&ag__op_sub_scaled, (ag_tensor *[]){b, a}, 2, &(scaled_attrs){alpha});
}

AG__COMPOSED(rsub, 2, scaled_attrs, scaled_fields, "b − alpha a", rsub);
AG__COMPOSED(add_scaled, 2, scaled_attrs, scaled_fields, "a + alpha b", add_scaled);
AG__COMPOSED(sub_scaled, 2, scaled_attrs, scaled_fields, "a − alpha b", sub_scaled);

ag_tensor *ag_add_scaled(ag_tensor *a, ag_tensor *b, double alpha) {
    return ag_apply(&ag__op_add_scaled, (ag_tensor *[]){a, b}, 2, &(scaled_attrs){alpha});
}

ag_tensor *ag_sub_scaled(ag_tensor *a, ag_tensor *b, double alpha) {
    return ag_apply(&ag__op_sub_scaled, (ag_tensor *[]){a, b}, 2, &(scaled_attrs){alpha});
}

ag_tensor *ag_rsub(ag_tensor *a, ag_tensor *b, double alpha) {
    return ag_apply(&ag__op_rsub, (ag_tensor *[]){a, b}, 2, &(scaled_attrs){alpha});
}

/* The gated linear unit (Dauphin et al. 2017) */
static ag_tensor *glu(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    char text[AG__TEXT];
    int axis;
    if (!ag_need_float(y, 0) || !ag_need_axis(y, ag__axis_of(y), ag_rank(x), &axis)) return NULL;
    int64_t n = ag_dim(x, axis) / 2;
    if (ag_dim(x, axis) % 2) {
        ag_op_fail(y, AG_ERR_SHAPE, "axis %d of %s does not split in two halves", axis, ag_shape_text(x, text, sizeof text));
        return NULL;
    }
    return ag_mul(ag_narrow(x, axis, 0, n), ag_sigmoid(ag_narrow(x, axis, n, n)));
}

AG__COMPOSED(glu, 1, ag__axis_attrs, ag__axis_last, "the first half of x along axis times sigmoid of the second", glu);

ag_tensor *ag_glu(ag_tensor *x, int axis) { return ag_apply(&ag__op_glu, &x, 1, &(ag__axis_attrs){axis}); }

typedef struct dist_attrs {
    double p;
} dist_attrs;

static const ag_attr_field dist_fields[] = {{"p", AG_ATTR_F64, offsetof(dist_attrs, p), "2"}, {0}};

static ag_tensor *dist(ag_tensor *y) {
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    return ag_norm(ag_sub(ag_in(y, 0), ag_in(y, 1)), ((const dist_attrs *)ag_attrs(y))->p, AG_ALL, false);
}

AG__COMPOSED(dist, 2, dist_attrs, dist_fields, "|a − b|ₚ of all elements", dist);

ag_tensor *ag_dist(ag_tensor *a, ag_tensor *b, double p) {
    return ag_apply(&ag__op_dist, (ag_tensor *[]){a, b}, 2, &(dist_attrs){p});
}

typedef struct rounding_attrs {
    int rounding_mode;
} rounding_attrs;

static const ag_attr_field rounding_fields[] = {
    {"rounding_mode", AG_ATTR_CHOICE, offsetof(rounding_attrs, rounding_mode), "trunc|floor"}, {0}};

/* i64: a − fmod(a, b) is a multiple of b, or b is 0 and so is the quotient */
static ag_tensor *div_rounded(ag_tensor *y) {
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    if (((const rounding_attrs *)ag_attrs(y))->rounding_mode == AG_ROUND_FLOOR) return ag_floor_divide(a, b);
    return ag_dtype_of(a) == AG_I64 ? ag_floor_divide(ag_sub(a, ag_fmod(a, b)), b) : ag_trunc(ag_div(a, b));
}

AG__COMPOSED_FLAT(div_rounded, 2, sizeof(rounding_attrs), rounding_fields,
                  "a / b without its fraction, or rounded down", div_rounded);

ag_tensor *ag_div_rounded(ag_tensor *a, ag_tensor *b, ag_rounding_mode rounding_mode) {
    return ag_apply(&ag__op_div_rounded, (ag_tensor *[]){a, b}, 2, &(rounding_attrs){(int)rounding_mode});
}

typedef struct decimals_attrs {
    int64_t decimals;
} decimals_attrs;

static const ag_attr_field decimals_fields[] = {{"decimals", AG_ATTR_I64, offsetof(decimals_attrs, decimals), "0"}, {0}};

static ag_tensor *round_decimals(ag_tensor *y) {
    int64_t decimals = ((const decimals_attrs *)ag_attrs(y))->decimals;
    ag_tensor *x = ag_in(y, 0);
    if (decimals == 0) return ag_round(x);
    if (!ag_need_float(y, 0)) return NULL;
    ag_tensor *power = ag__constant(x, pow(10, fabs((double)decimals)));
    return decimals > 0 ? ag_div(ag_round(ag_mul(x, power)), power) : ag_mul(ag_round(ag_div(x, power)), power);
}

AG__COMPOSED_FLAT(round_decimals, 1, sizeof(decimals_attrs), decimals_fields,
                  "nearest multiple of 10^-decimals, halves to the even one", round_decimals);

ag_tensor *ag_round_decimals(ag_tensor *x, int64_t decimals) {
    return ag_apply(&ag__op_round_decimals, &x, 1, &(decimals_attrs){decimals});
}

typedef struct gelu_attrs {
    int approximate;
} gelu_attrs;

static const ag_attr_field gelu_fields[] = {
    {"approximate", AG_ATTR_CHOICE, offsetof(gelu_attrs, approximate), "none|tanh"}, {0}};

static ag_tensor *gelu_approximate(ag_tensor *y) {
    return ((const gelu_attrs *)ag_attrs(y))->approximate ? ag_gelu_tanh(ag_in(y, 0)) : ag_gelu(ag_in(y, 0));
}

AG__COMPOSED(gelu_approximate, 1, gelu_attrs, gelu_fields, "gelu, or gelu_tanh", gelu_approximate);

ag_tensor *ag_gelu_approximate(ag_tensor *x, bool tanh) {
    return ag_apply(&ag__op_gelu_approximate, &x, 1, &(gelu_attrs){tanh});
}

/* v where it lies on the right side of the bound, or is NaN; else, or where the bound is NaN, the bound. */
static ag_tensor *bounded(ag_tensor *v, ag_tensor *bound, bool below) {
    if (!v || !bound) return v;
    return ag_where(ag_logical_or(below ? ag_lt(v, bound) : ag_gt(v, bound), ag_isnan(bound)), bound, v);
}

/* min or max may be missing, not both */
static ag_tensor *clamp_between(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *least = ag_in(y, 1), *most = ag_in(y, 2);
    if (!ag__need_number(y, 0) || (least && !ag_need_same_dtype(y, 0, 1)) || (most && !ag_need_same_dtype(y, 0, 2)))
        return NULL;
    if (!least && !most) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "needs min, max or both");
        return NULL;
    }
    return bounded(bounded(x, least, true), most, false);
}

AG__COMPOSED_BARE(clamp_between, 1, "x, at least min and at most max", clamp_between, .optional = 2, .inputs = "x min max");

ag_tensor *ag_clamp_between(ag_tensor *x, ag_tensor *min, ag_tensor *max) {
    return ag_apply(&ag__op_clamp_between, (ag_tensor *[]){x, min, max}, 3, NULL);
}
