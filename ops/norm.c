/* norm.c: batch normalisation (Ioffe, Szegedy 2015).
 *
 *     x (n, c, …) ─▶ batch_norm_own ─▶ y     (n, c, …)    ŷ = (x − mean) / √(var + eps), y = ŷ weight + bias
 *                          ├──────▶ mean  (c)          over all axes but 1
 *                          └──────▶ var   (c)          the biased one
 *
 * Mean and variance are outputs because the gradient needs them, the running statistics want them, and because a gradient
 * of any order must find its way through them. */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/row_norm.h"
#include "ops/table.h"

enum { GRAIN = 1 << 15 }; /* elements worth waking a thread for */

typedef struct norm_attrs {
    double eps;
} norm_attrs;

static const ag_attr_field norm_fields[] = {{"eps", AG_ATTR_F64, offsetof(norm_attrs, eps), "1e-5"}, {0}};

typedef struct job {
    ag__batch_norm_fn *kernel;
    int64_t n, c, inner;
    const void *x, *weight, *bias;
    void *y, *mean, *var;
    double eps;
} job;

static void normalize(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    j->kernel(j->n, j->c, j->inner, begin, end, j->x, j->weight, j->bias, j->eps, j->y, j->mean, j->var);
}

static bool batch_norm_run(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    ag__along axis = ag__along_axis(ag_shape_of(x), 1);
    const ag__norm *kernels = ag_dtype_of(x) == AG_F64 ? ag__kernel()->norm_f64 : ag__kernel()->norm_f32;
    job j = {.kernel = kernels->batch_norm, .n = axis.inner ? axis.outer : 0, .c = axis.n, .inner = axis.inner};
    if (!ag__dense(y, 0, &j.x) || !ag__dense(y, 1, &j.weight) || !ag__dense(y, 2, &j.bias)) return false;
    j.y = ag_out_data(y, 0), j.mean = ag_out_data(y, 1), j.var = ag_out_data(y, 2);
    j.eps = ((const norm_attrs *)ag_attrs(y))->eps;
    ag_parallel_for(j.c, (int64_t)(GRAIN / ((double)j.n * (double)j.inner + 1)) + 1, normalize, &j);
    return true;
}

/* p, where given, must be (c): one value for each channel of x. */
static bool need_channels(ag_tensor *x, ag_tensor *p, const char *name, const char *op) {
    char whole[AG__TEXT], part[AG__TEXT];
    if (ag_rank(x) < 2) {
        return ag_tape_fail(ag_tape_of(x), AG_ERR_SHAPE, op, "x has its channels on axis 1, which %s lacks",
                            ag_shape_text(x, whole, sizeof whole)) != NULL;
    }
    if (!p || (ag_rank(p) == 1 && ag_dim(p, 0) == ag_dim(x, 1))) return true;
    return ag_tape_fail(ag_tape_of(x), AG_ERR_SHAPE, op,
                        "%s must hold one value for each of the %lld channels of %s, not %s", name, (long long)ag_dim(x, 1),
                        ag_shape_text(x, whole, sizeof whole), ag_shape_text(p, part, sizeof part)) != NULL;
}

static bool need_statistic(ag_tensor *x, ag_tensor *p, const char *name, const char *op) {
    if (!need_channels(x, p, name, op)) return false;
    return !p || ag_dtype_of(p) == ag_dtype_of(x) ||
           ag_tape_fail(ag_tape_of(x), AG_ERR_DTYPE, op, "%s is %s, where x is %s", name, ag_dtype_name(ag_dtype_of(p)),
                        ag_dtype_name(ag_dtype_of(x))) != NULL;
}

bool ag__need_running(ag_tensor *x, ag_tensor *mean, ag_tensor *var, const char *op) {
    return need_statistic(x, mean, "running_mean", op) && need_statistic(x, var, "running_var", op);
}

static bool batch_norm_shape(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    double eps = ((const norm_attrs *)ag_attrs(y))->eps;
    if (!ag_need_float(y, 0)) return false;
    for (int i = 1; i < ag_in_count(y); i++) {
        if (!ag_need_same_dtype(y, 0, i)) return false;
    }
    if (!need_channels(x, ag_in(y, 1), "weight", "batch_norm") || !need_channels(x, ag_in(y, 2), "bias", "batch_norm"))
        return false;
    if (!(eps >= 0)) return ag_op_fail(y, AG_ERR_ARGUMENT, "eps is %g; it must be 0 or more", eps);
    ag_shape c = {.rank = 1, .dim = {ag_dim(x, 1)}};
    return ag_out_like(y, 0, x) && ag_out_shape(y, 1, ag_dtype_of(x), c) && ag_out_shape(y, 2, ag_dtype_of(x), c);
}

/* (c) as (c,1,…,1), which broadcasts with x (n,c,…). */
static ag_tensor *beside(ag_tensor *p, const ag_tensor *x) {
    ag_shape s = {.rank = ag_rank(x) - 1, .dim = {ag_dim(x, 1), 1, 1, 1, 1, 1, 1}};
    return ag_reshape(p, s);
}

static ag_tensor *rstd_of(ag_tensor *var, double eps) { return ag_rsqrt(ag_add_scalar(var, eps)); }

/* Σ over all axes but 1, as (1,c,1,…). */
static ag_tensor *sum_channels(ag_tensor *x) {
    ag_axes axes = {0};
    for (int i = 0; i < ag_rank(x); i++) {
        if (i != 1) axes.axis[axes.count++] = i;
    }
    return ag_sum(x, axes, true);
}

static ag_tensor *plus(ag_tensor *a, ag_tensor *b) { return a ? ag_add(a, b) : b; }

/* With r = 1 / √(var + eps), x̂ = (x − mean) r and N elements a channel:
 *     ∂bias = Σ g, ∂weight = Σ g x̂, ∂x = weight r (g − (Σ g + x̂ Σ g x̂) / N) + g_mean / N + 2 (x − mean) g_var / N */
static bool batch_norm_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0), *weight = ag_in(y, 1), *centred = ag_sub(x, beside(ag_out(y, 1), x));
    ag_shape c = ag_shape_of(ag_out(y, 1));
    double count = (double)ag_size(x) / (double)ag_dim(x, 1), part = count > 0 ? 1 / count : 0;
    if (!centred) return false;
    if (g[0]) {
        ag_tensor *r = beside(rstd_of(ag_out(y, 2), ((const norm_attrs *)ag_attrs(y))->eps), x), *hat = ag_mul(centred, r);
        ag_tensor *sum = sum_channels(g[0]), *moment = sum_channels(ag_mul(g[0], hat));
        if (weight && ag_wants(y, 1)) d[1] = ag_reshape(moment, c);
        if (ag_in(y, 2) && ag_wants(y, 2)) d[2] = ag_reshape(sum, c);
        if (ag_wants(y, 0)) {
            ag_tensor *mean = ag_scale(ag_add(sum, ag_mul(hat, moment)), part);
            d[0] = ag_mul(weight ? ag_mul(beside(weight, x), r) : r, ag_sub(g[0], mean));
        }
        if (!sum || !moment) return false;
    }
    if (g[1] && ag_wants(y, 0)) d[0] = plus(d[0], ag_scale(beside(g[1], x), part));
    if (g[2] && ag_wants(y, 0)) d[0] = plus(d[0], ag_mul(ag_scale(centred, 2 * part), beside(g[2], x)));
    return ag_tape_status(ag_tape_of(y)) == AG_OK;
}

/* A bias alone: the weight is 1. */
static ag_tensor *batch_norm_compose(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *weight = ag_in(y, 1), *bias = ag_in(y, 2);
    if (!weight && bias)
        weight = ag_full(ag_tape_of(x), ag_dtype_of(x), AG_SHAPE(ag_rank(x) > 1 ? ag_dim(x, 1) : 0), 1);
    return ag_apply(&ag__op_batch_norm_own, (ag_tensor *[]){x, weight, bias}, 3, ag_attrs(y));
}

const ag_op ag__op_batch_norm_own = {
    .size = sizeof(ag_op),
    .name = "batch_norm_own",
    .arity = 1,
    .optional = 2,
    .inputs = "x weight bias",
    .nout = 3,
    .attr_size = sizeof(norm_attrs),
    .attrs = norm_fields,
    .formula = "(x − mean) / √(var + eps) weight + bias; mean and var over all axes but 1",
    .shape = batch_norm_shape,
    .run = batch_norm_run,
    .grad = batch_norm_grad,
    .compose = batch_norm_compose,
    .plain = ag__norm_plain,
    .flops = ag__norm_flops,
};

ag_tensor *ag_batch_norm_own(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, double eps, ag_tensor **mean,
                             ag_tensor **var) {
    ag_tensor *y = ag_apply(&ag__op_batch_norm_own, (ag_tensor *[]){x, weight, bias}, 3, &(norm_attrs){eps});
    if (var) *var = ag_part(y, 2);
    return ag__parts(y, mean);
}

typedef struct running_attrs {
    bool training; /* false: by the running statistics */
    double momentum, eps;
} running_attrs;

static const ag_attr_field running_fields[] = {{"training", AG_ATTR_BOOL, offsetof(running_attrs, training), "false"},
                                               {"momentum", AG_ATTR_F64, offsetof(running_attrs, momentum), "0.1"},
                                               {"eps", AG_ATTR_F64, offsetof(running_attrs, eps), "1e-5"},
                                               {0}};

static const char unknown_running[] = "running_mean and running_var are needed when not training";

static ag_tensor *with_running(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *weight = ag_in(y, 1), *bias = ag_in(y, 2), *mean = ag_in(y, 3), *var = ag_in(y, 4);
    if (!mean || !var) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "%s", unknown_running);
        return NULL;
    }
    if (!need_channels(x, weight, "weight", "batch_norm") || !need_channels(x, bias, "bias", "batch_norm")) return NULL;
    ag_tensor *r = rstd_of(var, ((const running_attrs *)ag_attrs(y))->eps), *scale = weight ? ag_mul(weight, r) : r;
    ag_tensor *out = ag_mul(ag_sub(x, beside(mean, x)), beside(scale, x));
    return bias ? ag_add(out, beside(bias, x)) : out;
}

/* The running statistics, where given, move towards those of `own`, a batch_norm of x. */
static bool move_running(ag_tensor *y, ag_tensor *own) {
    ag_tensor *x = ag_in(y, 0), *mean = ag_in(y, 3), *var = ag_in(y, 4);
    double momentum = ((const running_attrs *)ag_attrs(y))->momentum;
    double count = ag_size(ag_out(own, 1)) ? (double)ag_size(x) / (double)ag_dim(x, 1) : 0;
    if (count > 0 && mean && !ag_lerp_into(mean, ag_part(own, 1), momentum)) return false;
    if (count == 0 || !var) return true;
    /* a single element has the unbiased variance 0 here, where 0 / 0 would spoil the average */
    return ag_lerp_into(var, ag_scale(ag_part(own, 2), count > 1 ? count / (count - 1) : 1), momentum) != NULL;
}

static ag_tensor *batch_norm(ag_tensor *y) {
    const running_attrs *a = ag_attrs(y);
    if (!ag_need_float(y, 0) || !ag__need_running(ag_in(y, 0), ag_in(y, 3), ag_in(y, 4), "batch_norm"))
        return NULL; /* before the first of them moves */
    if (!a->training && (ag_in(y, 3) || ag_in(y, 4))) return with_running(y);
    ag_tensor *in[] = {ag_in(y, 0), ag_in(y, 1), ag_in(y, 2)};
    ag_tensor *own = ag_apply(&ag__op_batch_norm_own, in, 3, &(norm_attrs){a->eps});
    return own && move_running(y, own) ? ag_part(own, 0) : NULL;
}

AG__COMPOSED_ON(batch_norm, 1, running_attrs, running_fields,
                "(x − mean) / √(var + eps) weight + bias, by the running mean and var unless training", batch_norm, 0.5,
                2, .optional = 4, .inputs = "x weight bias running_mean running_var");

ag_tensor *ag_batch_norm(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, ag_tensor *running_mean,
                         ag_tensor *running_var, bool training, double momentum, double eps) {
    ag_tensor *in[] = {x, weight, bias, running_mean, running_var};
    if (x && !training && !running_mean && !running_var)
        return ag_tape_fail(ag_tape_of(x), AG_ERR_ARGUMENT, "batch_norm", "%s", unknown_running);
    return ag_apply(&ag__op_batch_norm, in, 5, &(running_attrs){training, momentum, eps});
}
