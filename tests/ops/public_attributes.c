/* public_attributes.c: functions of one tensor, elementwise ones and reductions, whose attributes C gives by place. Each is
 * called with attributes that are not the default and, where there are two numbers, not each other's. */
#include "autograd/op.h"
#include "ops/ops.h"
#include "ops/public.h"

static void rows(ag_tape *t, operands o) {
    ag_tensor *p = ag_sigmoid(o.x);
    SAME(clamp, ag_clamp(o.x, -0.5, 0.25), "min=-0.5 max=0.25", o.x);
    SAME(clamp_grad, ag_clamp_grad(o.y, o.x, -0.5, 0.25), "min=-0.5 max=0.25", o.y, o.x);
    SAME(logit, ag_logit(p, 0.3), "eps=0.3", p);
    SAME(ierfcx, ag_ierfcx(o.x, 2), "n=2", o.x);
    SAME(polygamma, ag_polygamma(o.positive, 2), "n=2", o.positive);
    SAME(iv, ag_iv(o.x, 2), "n=2", o.x);
    SAME(ive, ag_ive(o.x, 2), "n=2", o.x);
    SAME(jv, ag_jv(o.x, 3), "n=3", o.x);
    SAME(yv, ag_yv(o.positive, 3), "n=3", o.positive);
    SAME(spherical_jn, ag_spherical_jn(o.x, 2), "n=2", o.x);
    SAME(standard_gamma_grad, ag_standard_gamma_grad(o.positive, p, 2), "n=2", o.positive, p);
    SAME(softplus, ag_softplus(o.x, 2, 1.5), "beta=2 threshold=1.5", o.x);
    SAME(leaky_relu, ag_leaky_relu(o.x, 0.3), "negative_slope=0.3", o.x);
    SAME(leaky_relu_grad, ag_leaky_relu_grad(o.y, o.x, 0.3), "negative_slope=0.3", o.y, o.x);
    SAME(hardtanh, ag_hardtanh(o.x, -0.5, 0.25), "min_val=-0.5 max_val=0.25", o.x);
    SAME(hardtanh_grad, ag_hardtanh_grad(o.y, o.x, -0.5, 0.25), "min_val=-0.5 max_val=0.25", o.y, o.x);
    SAME(threshold, ag_threshold(o.x, 0.5, -3), "threshold=0.5 value=-3", o.x);
    SAME(threshold_grad, ag_threshold_grad(o.y, o.x, 0.5), "threshold=0.5", o.y, o.x);
    SAME(softshrink, ag_softshrink(o.x, 0.25), "lambd=0.25", o.x);
    SAME(hardshrink, ag_hardshrink(o.x, 0.25), "lambd=0.25", o.x);
    SAME(shrink_grad, ag_shrink_grad(o.y, o.x, 0.25), "lambd=0.25", o.y, o.x);
    SAME(elu, ag_elu(o.x, 1.5), "alpha=1.5", o.x);
    SAME(elu_grad, ag_elu_grad(o.y, o.x, 1.5), "alpha=1.5", o.y, o.x);
    SAME(celu, ag_celu(o.x, 1.5), "alpha=1.5", o.x);
    SAME(activation_bend, ag_activation_bend(o.x, 2), "which=2", o.x);
    SAME(celu_grad, ag_celu_grad(o.y, o.x, 1.5), "alpha=1.5", o.y, o.x);
    SAME(full_like, ag_full_like(o.x, 2.5), "fill_value=2.5", o.x);
}

static void shapes(ag_tape *t, operands o) {
    ag_tensor *counts = ag_from_i64(t, (const int64_t[]){2, 0, 3}, AG_SHAPE(3)), *all = ag_eq(o.x, o.x);
    SAME(select, ag_select(o.cube, 1, 2), "axis=1 index=2", o.cube);
    SAME(narrow, ag_narrow(o.cube, 2, 1, 2), "axis=2 start=1 length=2", o.cube);
    SAME(flip, ag_flip(o.cube, AG_AXES(0, 2)), "axes=0,2", o.cube);
    SAME(diag, ag_diag(o.x, -1), "diagonal=-1", o.x);
    SAME(diagflat, ag_diagflat(o.label, -1), "offset=-1", o.label);
    SAME(triu, ag_triu(o.x, -1), "diagonal=-1", o.x);
    SAME(repeat, ag_repeat(o.x, AG_SHAPE(2, 1, 3)), "repeats=2,1,3", o.x);
    SAME(repeat_index, ag_repeat_index(counts, 5), "output_size=5", counts);
    SAME(flatnonzero, ag_flatnonzero(o.definite, 7), "count=7", o.definite);
    SAME(nonzero, ag_nonzero(o.definite, 7), "count=7", o.definite);
    SAME(mask_rank, ag_mask_rank(all, 12), "limit=12", all);
}

/* Over the last axis but one, kept, and over two, not kept */
#define REDUCED(op)                                                               \
    SAME(op, ag_##op(o.cube, AG_AXES(-2), true), "axes=-2 keepdim=true", o.cube); \
    SAME(op, ag_##op(o.cube, AG_AXES(0, 2), false), "axes=0,2", o.cube)
#define SPREAD(op)                                                                                    \
    SAME(op, ag_##op(o.cube, AG_AXES(-2), 0.5, true), "axes=-2 keepdim=true correction=0.5", o.cube); \
    SAME(op, ag_##op(o.cube, AG_AXES(0, 2), 0, false), "axes=0,2 correction=0", o.cube)
#define PAIRED(op)                                                                                           \
    SAME(op, ag_##op(o.cube, AG_AXES(-2), 0.5, true, &mean), "axes=-2 keepdim=true correction=0.5", o.cube); \
    assert_near(mean, ag_mean(o.cube, AG_AXES(-2), true), 1e-15)

static void reductions(ag_tape *t, operands o) {
    ag_tensor *mean;
    REDUCED(sum);
    REDUCED(mean);
    REDUCED(prod);
    REDUCED(max);
    REDUCED(min);
    REDUCED(amax);
    REDUCED(amin);
    REDUCED(nansum);
    REDUCED(nanmean);
    REDUCED(any);
    REDUCED(all);
    REDUCED(count_nonzero);
    REDUCED(logsumexp);
    SPREAD(var);
    SPREAD(std);
    PAIRED(var_mean);
    PAIRED(std_mean);
    SAME(argmax, ag_argmax(o.cube, AG_AXES(-2), true), "axes=-2 keepdim=true", o.cube);
    SAME(argmin, ag_argmin(o.cube, AG_AXES(0), false), "axes=0", o.cube);
    SAME(norm, ag_norm(o.cube, 3, AG_AXES(-2), true), "p=3 axes=-2 keepdim=true", o.cube);
    SAME(vector_norm, ag_vector_norm(o.cube, 3, AG_AXES(-2), true), "ord=3 axes=-2 keepdim=true", o.cube);
}

static void scans(ag_tape *t, operands o) {
    ag_tensor *index;
    SAME(cumsum, ag_cumsum(o.cube, 1), "axis=1", o.cube);
    SAME(cumprod, ag_cumprod(o.cube, 1), "axis=1", o.cube);
    SAME(logcumsumexp, ag_logcumsumexp(o.cube, 1), "axis=1", o.cube);
    SAME(cummin, ag_cummin(o.cube, 1, &index), "axis=1", o.cube);
    assert_same(index, ag_part(ag_call(t, "cummin", &o.cube, 1, "axis=1"), 1));
    SAME(prod_others, ag_prod_others(o.cube, 1), "axis=1", o.cube);
}

void public_attributes(ag_tape *t, operands o) {
    rows(t, o);
    shapes(t, o);
    reductions(t, o);
    scans(t, o);
}
