/* layer_norm.c: normalisation of each example by itself; how it is done: row_norm.c.
 *
 *     layer norm   over the last axes, those of normalized_shape (Ba, Kiros, Hinton 2016)
 *     rms norm     the same without the mean: x / √(mean x² + eps) (Zhang, Sennrich 2019)
 *     group norm   over groups of channels (Wu, He 2018) */
#include <float.h>
#include <math.h>
#include <stddef.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/row_norm.h"
#include "ops/table.h"

typedef struct shape_attrs {
    ag_shape normalized_shape;
    double eps;
} shape_attrs;

#define SHAPE \
    { "normalized_shape", AG_ATTR_SHAPE, offsetof(shape_attrs, normalized_shape), NULL }
static const ag_attr_field layer_fields[] = {SHAPE, {"eps", AG_ATTR_F64, offsetof(shape_attrs, eps), "1e-5"}, {0}};
static const ag_attr_field rms_fields[] = {SHAPE, {"eps", AG_ATTR_F64, offsetof(shape_attrs, eps), "nan"}, {0}};

static ag__norm_kind layer_kind(const ag_tensor *y) {
    const shape_attrs *a = ag_attrs(y);
    return (ag__norm_kind){.axes = a->normalized_shape.rank, .eps = a->eps, .centred = true};
}

/* NaN: the distance from 1 to the next number. */
static ag__norm_kind rms_kind(const ag_tensor *y) {
    const shape_attrs *a = ag_attrs(y);
    double epsilon = ag_dtype_of(ag_in(y, 0)) == AG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    return (ag__norm_kind){.axes = a->normalized_shape.rank, .eps = isnan(a->eps) ? epsilon : a->eps};
}

/* normalized_shape must be how x's shape ends. */
static bool need_ends(ag_tensor *y, ag_shape s) {
    ag_tensor *x = ag_in(y, 0);
    char is[AG__TEXT], wanted[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag__need_shape(y, s)) return false;
    bool ends = s.rank >= 1 && s.rank <= ag_rank(x);
    for (int i = 0; ends && i < s.rank; i++) ends = ag_dim(x, i - s.rank) == s.dim[i];
    return ends || ag_op_fail(y, AG_ERR_SHAPE, "normalized_shape %s must have an axis or more and be how %s ends",
                              ag__dims_text(s, wanted), ag_shape_text(x, is, sizeof is));
}

static bool fits(ag_tensor *y, ag__norm_kind kind) { return ag__norm_fits(y, ag_in(y, 0), kind, 1); }

static bool layer_shape(ag_tensor *y) {
    return need_ends(y, ((const shape_attrs *)ag_attrs(y))->normalized_shape) && fits(y, layer_kind(y)) &&
           ag_out_like(y, 0, ag_in(y, 0));
}

static bool layer_run(ag_tensor *y) { return ag__norm_run(y, layer_kind(y)); }

static bool layer_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return ag__norm_grad(y, layer_kind(y), g[0], d);
}

static bool layer_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    return ag__norm_jvp(y, layer_kind(y), tangent, out);
}

static ag_tensor *layer_compose(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *bias = ag_in(y, 2);
    const shape_attrs *a = ag_attrs(y);
    if (!need_ends(y, a->normalized_shape) || !fits(y, layer_kind(y))) return NULL;
    if (!ag__norm_plain(y)) return ag_add(ag_layer_norm(x, a->normalized_shape, NULL, NULL, a->eps), bias);
    return ag__norm_compose(x, ag_in(y, 1), bias, layer_kind(y));
}

const ag_op ag__op_layer_norm = {
    .size = sizeof(ag_op),
    .name = "layer_norm",
    .arity = 1,
    .optional = 2,
    .inputs = "x weight bias",
    .attr_size = sizeof(shape_attrs),
    .attrs = layer_fields,
    .formula = "(x − mean) / √(var + eps) weight + bias; mean and var over the last axes",
    .shape = layer_shape,
    .run = layer_run,
    .grad = layer_grad,
    .compose = layer_compose,
    .plain = ag__norm_plain,
    .jvp = layer_jvp,
    .flops = ag__norm_flops,
};

ag_tensor *ag_layer_norm(ag_tensor *x, ag_shape normalized_shape, ag_tensor *weight, ag_tensor *bias, double eps) {
    return ag_apply(&ag__op_layer_norm, (ag_tensor *[]){x, weight, bias}, 3, &(shape_attrs){normalized_shape, eps});
}

static bool rms_shape(ag_tensor *y) {
    return need_ends(y, ((const shape_attrs *)ag_attrs(y))->normalized_shape) && fits(y, rms_kind(y)) &&
           ag_out_like(y, 0, ag_in(y, 0));
}

static bool rms_run(ag_tensor *y) { return ag__norm_run(y, rms_kind(y)); }

static bool rms_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return ag__norm_grad(y, rms_kind(y), g[0], d);
}

static bool rms_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    return ag__norm_jvp(y, rms_kind(y), tangent, out);
}

const ag_op ag__op_rms_norm = {
    .size = sizeof(ag_op),
    .name = "rms_norm",
    .arity = 1,
    .optional = 1,
    .inputs = "x weight",
    .attr_size = sizeof(shape_attrs),
    .attrs = rms_fields,
    .formula = "x / √(mean x² + eps) weight; mean over the last axes",
    .shape = rms_shape,
    .run = rms_run,
    .grad = rms_grad,
    .jvp = rms_jvp,
    .flops = ag__norm_flops,
};

ag_tensor *ag_rms_norm(ag_tensor *x, ag_shape normalized_shape, ag_tensor *weight, double eps) {
    return ag_apply(&ag__op_rms_norm, (ag_tensor *[]){x, weight}, 2, &(shape_attrs){normalized_shape, eps});
}

typedef struct group_attrs {
    int64_t num_groups;
    double eps;
} group_attrs;

static const ag_attr_field group_fields[] = {{"num_groups", AG_ATTR_I64, offsetof(group_attrs, num_groups), NULL},
                                             {"eps", AG_ATTR_F64, offsetof(group_attrs, eps), "1e-5"},
                                             {0}};

static ag__norm_kind group_kind(const ag_tensor *y) {
    const group_attrs *a = ag_attrs(y);
    return (ag__norm_kind){.groups = a->num_groups, .eps = a->eps, .centred = true};
}

static bool need_groups(ag_tensor *y) {
    int64_t groups = ((const group_attrs *)ag_attrs(y))->num_groups;
    if (!ag_need_float(y, 0)) return false;
    if (groups < 1)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "num_groups is %lld; it must be 1 or more", (long long)groups);
    return fits(y, group_kind(y));
}

static bool group_shape(ag_tensor *y) { return need_groups(y) && ag_out_like(y, 0, ag_in(y, 0)); }

static bool group_run(ag_tensor *y) { return ag__norm_run(y, group_kind(y)); }

static bool group_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return ag__norm_grad(y, group_kind(y), g[0], d);
}

static bool group_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    return ag__norm_jvp(y, group_kind(y), tangent, out);
}

static ag_tensor *group_compose(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *bias = ag_in(y, 2);
    const group_attrs *a = ag_attrs(y);
    if (!need_groups(y)) return NULL;
    if (ag__norm_plain(y)) return ag__norm_compose(x, ag_in(y, 1), bias, group_kind(y));
    ag_shape s = {.rank = ag_rank(x) - 1, .dim = {ag_dim(x, 1), 1, 1, 1, 1, 1, 1}};
    return ag_add(ag_group_norm(x, a->num_groups, NULL, NULL, a->eps), ag_reshape(bias, s));
}

const ag_op ag__op_group_norm = {
    .size = sizeof(ag_op),
    .name = "group_norm",
    .arity = 1,
    .optional = 2,
    .inputs = "x weight bias",
    .attr_size = sizeof(group_attrs),
    .attrs = group_fields,
    .formula = "(x − mean) / √(var + eps) weight + bias; mean and var over groups of channels",
    .shape = group_shape,
    .run = group_run,
    .grad = group_grad,
    .compose = group_compose,
    .plain = ag__norm_plain,
    .jvp = group_jvp,
    .flops = ag__norm_flops,
};

ag_tensor *ag_group_norm(ag_tensor *x, int64_t num_groups, ag_tensor *weight, ag_tensor *bias, double eps) {
    return ag_apply(&ag__op_group_norm, (ag_tensor *[]){x, weight, bias}, 3, &(group_attrs){num_groups, eps});
}
