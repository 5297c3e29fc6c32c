/* blend.c: sums of inputs with weights: lerp, addcmul, addcdiv. The row of lerp is mix, whose weight is a tensor. */
#include <math.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct lerp_attrs {
    double weight; /* by name NaN: it is input 2 */
    bool given;    /* from C a NaN is a number, too */
} lerp_attrs;

static const ag_attr_field lerp_fields[] = {{"weight", AG_ATTR_F64, offsetof(lerp_attrs, weight), "nan"}, {0}};

static ag_tensor *lerp(ag_tensor *y) {
    const lerp_attrs *a = ag_attrs(y);
    ag_tensor *weight = ag_in(y, 2);
    bool given = a->given || !isnan(a->weight);
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || (weight && !ag_need_same_dtype(y, 0, 2))) return NULL;
    if (given == (weight != NULL)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "give the weight either as the third input or as weight=number");
        return NULL;
    }
    return ag_mix(ag_in(y, 0), ag_in(y, 1), weight ? weight : ag__constant(ag_in(y, 0), a->weight));
}

AG__COMPOSED(lerp, 2, lerp_attrs, lerp_fields, "a + weight (b − a)", lerp, .optional = 1, .inputs = "a b weight");

ag_tensor *ag_lerp(ag_tensor *a, ag_tensor *b, ag_tensor *weight) {
    if (a && b && !weight) return ag_mix(a, b, weight); /* which says what is missing */
    return ag_apply(&ag__op_lerp, (ag_tensor *[]){a, b, weight}, 3, &(lerp_attrs){(double)NAN, false});
}

ag_tensor *ag_lerp_scalar(ag_tensor *a, ag_tensor *b, double weight) {
    return ag_apply(&ag__op_lerp, (ag_tensor *[]){a, b}, 2, &(lerp_attrs){weight, true});
}

typedef struct value_attrs {
    double value;
} value_attrs;

static const ag_attr_field value_fields[] = {{"value", AG_ATTR_F64, offsetof(value_attrs, value), "1"}, {0}};

/* value a, as the first factor: the order of operations is PyTorch's */
static ag_tensor *weighted(ag_tensor *y) {
    double value = ((const value_attrs *)ag_attrs(y))->value;
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2)) return NULL;
    return value == 1 ? ag_in(y, 1) : ag_scale(ag_in(y, 1), value);
}

static ag_tensor *addcmul(ag_tensor *y) {
    ag_tensor *a = weighted(y);
    return a ? ag_add(ag_in(y, 0), ag_mul(a, ag_in(y, 2))) : NULL;
}

static ag_tensor *addcdiv(ag_tensor *y) {
    ag_tensor *a = weighted(y);
    return a ? ag_add(ag_in(y, 0), ag_div(a, ag_in(y, 2))) : NULL;
}

AG__COMPOSED(addcmul, 3, value_attrs, value_fields, "x + value a b", addcmul, .inputs = "x a b");
AG__COMPOSED_ON(addcdiv, 3, value_attrs, value_fields, "x + value a / b", addcdiv, 0.5, 2, .inputs = "x a b");

ag_tensor *ag_addcmul(ag_tensor *x, ag_tensor *a, ag_tensor *b, double value) {
    return ag_apply(&ag__op_addcmul, (ag_tensor *[]){x, a, b}, 3, &(value_attrs){value});
}

ag_tensor *ag_addcdiv(ag_tensor *x, ag_tensor *a, ag_tensor *b, double value) {
    return ag_apply(&ag__op_addcdiv, (ag_tensor *[]){x, a, b}, 3, &(value_attrs){value});
}
