/* reference_reduce.c: reductions: every input element finds the output element it belongs to. */
#include <math.h>

#include "ops/reference.h"

/* Which axes go, and the output's shape, with them as extents of 1 (kept) or without. */
static ag_shape reduced(const problem *p, bool keepdim, bool gone[AG_MAX_RANK]) {
    ag_shape x = p->in[0].shape, s = {0};
    int64_t axes[AG_MAX_RANK];
    int n = reference_list(p, "axes", axes);
    for (int k = 0; k < x.rank; k++) gone[k] = n < 0;
    for (int k = 0; k < n && x.rank > 0; k++) gone[axes[k] < 0 ? axes[k] + x.rank : axes[k]] = true;
    for (int k = 0; k < x.rank; k++) {
        if (!gone[k] || keepdim) s.dim[s.rank++] = gone[k] ? 1 : x.dim[k];
    }
    return s;
}

/* The output element, counted row-major, that element i of x is folded into. */
static int64_t target(const problem *p, const bool gone[], int64_t i) {
    ag_shape x = p->in[0].shape;
    int64_t at[AG_MAX_RANK], to = 0;
    reference_place(x, i, at);
    for (int k = 0; k < x.rank; k++) to = gone[k] ? to : to * x.dim[k] + at[k];
    return to;
}

static void sum(problem *p) {
    bool gone[AG_MAX_RANK];
    ag_shape s = reduced(p, reference_flag(p, "keepdim"), gone);
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    for (int64_t i = 0; i < p->in[0].size; i++) y[target(p, gone, i)] += p->in[0].v[i];
}

static void mean(problem *p) {
    bool gone[AG_MAX_RANK];
    double n = 1;
    sum(p);
    reduced(p, false, gone);
    for (int k = 0; k < p->in[0].shape.rank; k++) n *= gone[k] ? (double)p->in[0].shape.dim[k] : 1;
    for (int64_t i = 0; i < p->out[0].size; i++) p->out[0].v[i] /= n;
}

static void max(problem *p) {
    bool gone[AG_MAX_RANK];
    ag_shape s = reduced(p, reference_flag(p, "keepdim"), gone);
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = -INFINITY;
    for (int64_t i = 0; i < p->in[0].size; i++) {
        double *to = &y[target(p, gone, i)], v = p->in[0].v[i];
        if (isnan(v) || v > *to) *to = v;
    }
}

static void min(problem *p) {
    for (int64_t i = 0; i < p->in[0].size; i++) p->in[0].v[i] *= -1;
    max(p);
    for (int64_t i = 0; i < p->out[0].size; i++) p->out[0].v[i] *= -1;
}

static void aminmax(problem *p) {
    array x = p->in[0];
    max(p);
    p->out[1] = p->out[0];
    p->nout = 2;
    p->in[0].v = reference_scratch(x.size);
    for (int64_t i = 0; i < x.size; i++) p->in[0].v[i] = x.v[i];
    min(p);
}

/* The elements that tie are counted anew for each. */
static void aminmax_grad(problem *p) {
    const array *x = &p->in[0];
    double *d = reference_out(p, 0, x->dtype, x->shape);
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK], other[AG_MAX_RANK];
        reference_place(x->shape, i, at);
        for (int k = 1; k <= 2; k++) {
            ag_shape s = p->in[k].shape;
            int lead = x->shape.rank - s.rank, ties = 0;
            for (int64_t j = 0; j < x->size; j++) {
                bool together = true;
                reference_place(x->shape, j, other);
                for (int a = 0; a < s.rank; a++)
                    together = together && (s.dim[a] == 1 || at[lead + a] == other[lead + a]);
                ties += together && x->v[j] == reference_at(&p->in[k], at, x->shape.rank);
            }
            if (x->v[i] == reference_at(&p->in[k], at, x->shape.rank))
                d[i] += reference_at(&p->in[k + 2], at, x->shape.rank) / ties;
        }
    }
}

static void prod(problem *p) {
    bool gone[AG_MAX_RANK];
    ag_shape s = reduced(p, reference_flag(p, "keepdim"), gone);
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = 1;
    for (int64_t i = 0; i < p->in[0].size; i++) y[target(p, gone, i)] *= p->in[0].v[i];
}

/* How many x there are for which is(x), for each output element. */
static double *count_of(problem *p, ag_dtype dtype, bool (*is)(double)) {
    bool gone[AG_MAX_RANK];
    ag_shape s = reduced(p, reference_flag(p, "keepdim"), gone);
    double *y = reference_out(p, 0, dtype, s);
    for (int64_t i = 0; i < p->in[0].size; i++) y[target(p, gone, i)] += is(p->in[0].v[i]);
    return y;
}

static bool not_zero(double x) { return x != 0; }
static bool zero(double x) { return x == 0; }
static bool not_nan(double x) { return !isnan(x); }

static void count_nonzero(problem *p) { count_of(p, AG_I64, not_zero); }

static void any(problem *p) {
    double *y = count_of(p, AG_BOOL, not_zero);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = y[i] > 0;
}

static void all(problem *p) {
    double *y = count_of(p, AG_BOOL, zero);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = y[i] < 1;
}

static void nansum(problem *p) {
    for (int64_t i = 0; i < p->in[0].size; i++) p->in[0].v[i] = isnan(p->in[0].v[i]) ? 0 : p->in[0].v[i];
    sum(p);
}

static void nanmean(problem *p) {
    double *n = count_of(p, p->in[0].dtype, not_nan);
    nansum(p);
    for (int64_t i = 0; i < p->out[0].size; i++) p->out[0].v[i] /= n[i];
}

/* y[o] = f(all x that belong to o, in order, how many, the number of the named attribute); a second input is a mask, which leaves
 * out what it does not set */
static void by_group(problem *p, int o, ag_dtype dtype, const char *name, double preset,
                     double (*f)(const double *x, int64_t n, double attribute)) {
    bool gone[AG_MAX_RANK];
    ag_shape s = reduced(p, reference_flag(p, "keepdim"), gone);
    double *y = reference_out(p, o, dtype, s), *x = reference_scratch(p->in[0].size),
           *used = reference_scratch(sample_size(s));
    int64_t groups = p->out[o].size, n = groups ? p->in[0].size / groups : 0;
    for (int64_t i = 0; i < p->in[0].size; i++) {
        int64_t to = target(p, gone, i), at[AG_MAX_RANK];
        reference_place(p->in[0].shape, i, at);
        if (p->n > 1 && reference_at(&p->in[1], at, p->in[0].shape.rank) == 0) continue;
        x[to * n + (int64_t)used[to]++] = p->in[0].v[i];
    }
    double attribute = *name ? reference_number(p, name, preset) : preset;
    for (int64_t i = 0; i < groups; i++) y[i] = f(x + i * n, (int64_t)used[i], attribute);
}

static double mean_of(const double *x, int64_t n, double unused) {
    long double sum = 0;
    (void)unused;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return (double)(sum / n);
}

static double var_of(const double *x, int64_t n, double correction) {
    long double sum = 0, m = mean_of(x, n, 0);
    for (int64_t i = 0; i < n; i++) sum += (x[i] - m) * (x[i] - m);
    return (double)sum / fmax((double)n - correction, 0);
}

static double std_of(const double *x, int64_t n, double correction) { return sqrt(var_of(x, n, correction)); }

static double norm_of(const double *x, int64_t n, double p) {
    long double sum = p == -INFINITY ? INFINITY : 0;
    for (int64_t i = 0; i < n; i++) {
        double v = fabs(x[i]);
        if (isinf(p)) sum = (p > 0) == (v > sum) ? v : sum;
        else sum += p == 0 ? x[i] != 0 : powl(v, p);
    }
    return (double)(p == 0 || isinf(p) ? sum : powl(sum, 1 / (long double)p));
}

static double logsumexp_of(const double *x, int64_t n, double unused) {
    long double sum = 0;
    (void)unused;
    for (int64_t i = 0; i < n; i++) sum += expl(x[i]);
    return (double)logl(sum);
}

static double argmax_of(const double *x, int64_t n, double sign) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++) best = sign * x[i] > sign * x[best] ? i : best;
    return (double)best;
}

static void var(problem *p) { by_group(p, 0, p->dtype, "correction", 1, var_of); }
static void std(problem *p) { by_group(p, 0, p->dtype, "correction", 1, std_of); }
static void norm(problem *p) { by_group(p, 0, p->dtype, "p", 2, norm_of); }
static void vector_norm(problem *p) { by_group(p, 0, p->dtype, "ord", 2, norm_of); }
static void logsumexp(problem *p) { by_group(p, 0, p->dtype, "", 0, logsumexp_of); }
static void argmax(problem *p) { by_group(p, 0, AG_I64, "", 1, argmax_of); }
static void argmin(problem *p) { by_group(p, 0, AG_I64, "", -1, argmax_of); }

static void masked_mean(problem *p) { by_group(p, 0, p->dtype, "", 0, mean_of); }

static void var_mean(problem *p) {
    var(p);
    by_group(p, 1, p->dtype, "", 0, mean_of);
}

static void std_mean(problem *p) {
    std(p);
    by_group(p, 1, p->dtype, "", 0, mean_of);
}

static void sum_to(problem *p) {
    const array *x = &p->in[0];
    ag_shape s = reference_shape(p, "shape");
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK], to[AG_MAX_RANK];
        reference_place(x->shape, i, at);
        for (int k = 0; k < s.rank; k++) to[k] = s.dim[k] == 1 ? 0 : at[x->shape.rank - s.rank + k];
        y[reference_index(s, to)] += x->v[i];
    }
}

const reference references_reduce[] = {
    {"sum", sum, false, NULL, NULL},
    {"mean", mean, false, NULL, NULL},
    {"max", max, true, NULL, NULL},
    {"min", min, true, NULL, NULL},
    {"amax", max, true, NULL, NULL},
    {"amin", min, true, NULL, NULL},
    {"aminmax", aminmax, true, NULL, NULL},
    {"aminmax_grad", aminmax_grad, false, NULL, NULL},
    {"prod", prod, false, NULL, NULL},
    {"var", var, false, NULL, NULL},
    {"std", std, false, NULL, NULL},
    {"masked_mean", masked_mean, false, NULL, NULL},
    {"masked_var", var, false, NULL, NULL},
    {"masked_std", std, false, NULL, NULL},
    {"var_mean", var_mean, false, NULL, NULL},
    {"std_mean", std_mean, false, NULL, NULL},
    {"norm", norm, false, NULL, NULL},
    {"vector_norm", vector_norm, false, NULL, NULL},
    {"logsumexp", logsumexp, false, NULL, NULL},
    {"argmax", argmax, true, NULL, NULL},
    {"argmin", argmin, true, NULL, NULL},
    {"any", any, true, NULL, NULL},
    {"all", all, true, NULL, NULL},
    {"count_nonzero", count_nonzero, true, NULL, NULL},
    {"nansum", nansum, false, NULL, NULL},
    {"nanmean", nanmean, false, NULL, NULL},
    {"sum_to", sum_to, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
