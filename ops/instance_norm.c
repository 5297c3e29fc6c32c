/* instance_norm.c: normalisation of each channel of each example by itself (Ulyanov, Vedaldi, Lempitsky 2016): group norm of
 * groups of one channel. Running statistics, where there are some, move towards the mean over the examples of theirs. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/row_norm.h"
#include "ops/table.h"

typedef struct norm_attrs {
    double eps;
} norm_attrs;

static const ag_attr_field norm_fields[] = {{"eps", AG_ATTR_F64, offsetof(norm_attrs, eps), "1e-5"}, {0}};

static ag_tensor *instance_norm(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 2, AG_MAX_RANK)) return NULL;
    if (ag_dim(x, 1) == 0) return ag_alias(x);
    return ag_group_norm(x, ag_dim(x, 1), ag_in(y, 1), ag_in(y, 2), ((const norm_attrs *)ag_attrs(y))->eps);
}

AG__COMPOSED(instance_norm, 1, norm_attrs, norm_fields,
             "(x − mean) / √(var + eps) weight + bias; mean and var over all axes but 0 and 1", instance_norm,
             .optional = 2, .inputs = "x weight bias");

/* running ← running + momentum (mean over the examples of v (n, c) − running) */
static bool move(ag_tensor *running, ag_tensor *v, double momentum) {
    return !running || ag_lerp_into(running, ag_mean(v, AG_AXES(0), false), momentum);
}

/* As in batch_norm the running variance is the unbiased one, 0 for a single element. */
static bool move_running(ag_tensor *x, ag_tensor *running_mean, ag_tensor *running_var, double momentum) {
    ag_shape s = {3, {ag_dim(x, 0), ag_dim(x, 1), 1}};
    for (int i = 2; i < ag_rank(x); i++) s.dim[2] *= ag_dim(x, i);
    if (ag_size(x) == 0) return true;
    ag_tensor *mean, *var = ag_var_mean(ag_detach(ag_reshape(x, s)), AG_AXES(2), s.dim[2] > 1, false, &mean);
    return var && move(running_mean, mean, momentum) && move(running_var, var, momentum);
}

ag_tensor *ag_instance_norm(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, ag_tensor *running_mean,
                            ag_tensor *running_var, bool use_input_stats, double momentum, double eps) {
    if (x && !use_input_stats) return ag_batch_norm(x, weight, bias, running_mean, running_var, false, momentum, eps);
    bool runs = running_mean || running_var;
    if (x && runs && !ag__need_running(x, running_mean, running_var, "instance_norm")) return NULL;
    ag_tensor *y = ag_apply(&ag__op_instance_norm, (ag_tensor *[]){x, weight, bias}, 3, &(norm_attrs){eps});
    return y && (!runs || move_running(x, running_mean, running_var, momentum)) ? y : NULL;
}
