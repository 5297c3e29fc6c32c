/* instance_norm.c: normalisation of each channel of each example by itself (Ulyanov, Vedaldi, Lempitsky 2016): group norm of
 * groups of one channel. Running statistics, where there are some, move towards the mean over the examples of theirs. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/row_norm.h"
#include "ops/table.h"

typedef struct norm_attrs {
    bool use_input_stats; /* false: by the running statistics */
    double momentum, eps;
} norm_attrs;

static const ag_attr_field norm_fields[] = {{"use_input_stats", AG_ATTR_BOOL, offsetof(norm_attrs, use_input_stats), "true"},
                                            {"momentum", AG_ATTR_F64, offsetof(norm_attrs, momentum), "0.1"},
                                            {"eps", AG_ATTR_F64, offsetof(norm_attrs, eps), "1e-5"},
                                            {0}};

/* running ← running + momentum (mean over the examples of v (n, c) − running) */
static bool move(ag_tensor *running, ag_tensor *v, double momentum) {
    return !running || ag_lerp_into(running, ag_mean(v, AG_AXES(0), false), momentum);
}

/* As in batch_norm the running variance is the unbiased one, 0 for a single element. */
static bool move_running(ag_tensor *x, ag_tensor *running_mean, ag_tensor *running_var, double momentum) {
    ag_shape s = {3, {ag_dim(x, 0), ag_dim(x, 1), 1}};
    for (int i = 2; i < ag_rank(x); i++) s.dim[2] *= ag_dim(x, i);
    if (ag_size(x) == 0 || (!running_mean && !running_var)) return true;
    ag_tensor *mean, *var = ag_var_mean(ag_detach(ag_reshape(x, s)), AG_AXES(2), s.dim[2] > 1, false, &mean);
    return var && move(running_mean, mean, momentum) && move(running_var, var, momentum);
}

static ag_tensor *instance_norm(ag_tensor *y) {
    const norm_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *weight = ag_in(y, 1), *bias = ag_in(y, 2), *mean = ag_in(y, 3), *var = ag_in(y, 4);
    if (!a->use_input_stats) return ag_batch_norm(x, weight, bias, mean, var, false, a->momentum, a->eps);
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 2, AG_MAX_RANK) || !ag__need_running(x, mean, var, "instance_norm"))
        return NULL;
    if (ag_dim(x, 1) == 0) return ag_alias(x);
    ag_tensor *out = ag_group_norm(x, ag_dim(x, 1), weight, bias, a->eps);
    return out && move_running(x, mean, var, a->momentum) ? out : NULL;
}

AG__COMPOSED(instance_norm, 1, norm_attrs, norm_fields,
             "(x − mean) / √(var + eps) weight + bias; mean and var over all axes but 0 and 1", instance_norm,
             .optional = 4, .inputs = "x weight bias running_mean running_var");

ag_tensor *ag_instance_norm(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, ag_tensor *running_mean,
                            ag_tensor *running_var, bool use_input_stats, double momentum, double eps) {
    ag_tensor *in[] = {x, weight, bias, running_mean, running_var};
    return ag_apply(&ag__op_instance_norm, in, 5, &(norm_attrs){use_input_stats, momentum, eps});
}
