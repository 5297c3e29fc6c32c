/* effect.c: operations that write a persistent leaf. Replay and clone skip them; the result is a view of the leaf.
 *
 * The value may be the leaf itself or a view of it: a strided one is copied before anything is written, and the only dense view
 * of the leaf's shape is the leaf. */
#include <stddef.h>
#include <string.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static bool assign_shape(ag_tensor *y) {
    ag_tensor *leaf = ag_in(y, 0);
    return ag_need_same_dtype(y, 0, 1) && ag_need_same_shape(y, 0, 1) && ag_out_view(y, ag_shape_of(leaf), NULL, 0);
}

static bool assign_run(ag_tensor *y) {
    if (ag_size(y) == 0) return true;
    const void *value = ag_op_dense(y, 1);
    if (!value) return false;
    memmove(ag_op_write(y, 0), value, (size_t)ag_size(y) * ag_dtype_size(ag_dtype_of(y)));
    return true;
}

const ag_op ag__op_assign = {
    .size = sizeof(ag_op),
    .name = "assign",
    .arity = 2,
    .inputs = "leaf value",
    .flags = AG_EFFECT | AG_FLAT | AG_VIEW,
    .writes = 1,
    .formula = "leaf ← value",
    .shape = assign_shape,
    .run = assign_run,
};

ag_tensor *ag_assign(ag_tensor *leaf, ag_tensor *value) {
    return ag_apply(&ag__op_assign, (ag_tensor *[]){leaf, value}, 2, NULL);
}

typedef struct lerp_attrs {
    double a;
} lerp_attrs;

static const ag_attr_field lerp_fields[] = {{"a", AG_ATTR_F64, offsetof(lerp_attrs, a), NULL}, {0}};

static bool lerp_shape(ag_tensor *y) { return ag_need_float(y, 0) && assign_shape(y); }

static bool lerp_run(ag_tensor *y) {
    const lerp_attrs *attrs = ag_attrs(y);
    int64_t n = ag_size(y);
    if (n == 0) return true;
    const void *value = ag_op_dense(y, 1);
    if (!value) return false;
    if (ag_dtype_of(y) == AG_F32) {
        const float *v = value, a = (float)attrs->a;
        float *x = ag_op_write(y, 0);
        for (int64_t i = 0; i < n; i++) x[i] += a * (v[i] - x[i]);
    } else {
        const double *v = value, a = attrs->a;
        double *x = ag_op_write(y, 0);
        for (int64_t i = 0; i < n; i++) x[i] += a * (v[i] - x[i]);
    }
    return true;
}

const ag_op ag__op_lerp_into = {
    .size = sizeof(ag_op),
    .name = "lerp_into",
    .arity = 2,
    .inputs = "leaf value",
    .flags = AG_EFFECT | AG_FLAT | AG_VIEW,
    .writes = 1,
    .attr_size = sizeof(lerp_attrs),
    .attrs = lerp_fields,
    .formula = "leaf ← leaf + a (value − leaf)",
    .shape = lerp_shape,
    .run = lerp_run,
};

ag_tensor *ag_lerp_into(ag_tensor *leaf, ag_tensor *value, double a) {
    lerp_attrs attrs = {a};
    return ag_apply(&ag__op_lerp_into, (ag_tensor *[]){leaf, value}, 2, &attrs);
}
