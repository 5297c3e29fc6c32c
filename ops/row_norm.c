/* row_norm.c: normalised rows and their gradients; see row_norm.h. With r = 1 / √(var + eps), x̂ = (x − mean) r, h = g w,
 * means over the n elements of a row:
 *
 *     y = x̂ w + b     ∂x = r (h − mean h − x̂ mean(h x̂))     ∂w = Σ g x̂,  ∂b = Σ g over what shares them
 *
 *     row_norm_input(g, x, w) = ∂x         row_norm_grad(g, x, w) = (∂x, ∂w, ∂b), g and x read but once
 *
 * Where the mean counts as 0 (rms norm), mean h falls away. Mean and variance are taken again on the way back: a row is in the
 * nearest cache anyway, and no node needs to keep them. The map ẋ → ∂x is symmetric, so that it serves forward mode too. */
#include "ops/row_norm.h"

#include <math.h>
#include <stddef.h>

#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { GRAIN = 8192, CHUNK = 16, CHUNKS = 64 }; /* elements worth waking a thread for; rows that share column sums */

typedef struct plan {
    int64_t rows, n, inner, period;
    ag_shape affine; /* of weight and bias */
} plan;

/* Of a shape that was found to fit. */
static plan plan_of(ag_shape s, ag__norm_kind kind) {
    plan p = {1, 1, 1, 1, {0}};
    if (kind.groups) {
        p.affine = AG_SHAPE(s.dim[1]);
        p.period = kind.groups;
        for (int i = 2; i < s.rank; i++) p.inner *= s.dim[i];
        p.rows = s.dim[1] ? s.dim[0] * kind.groups : 0; /* no channels go into any number of groups */
        p.n = s.dim[1] / kind.groups * p.inner;
        return p;
    }
    p.affine.rank = kind.axes;
    for (int i = 0; i < s.rank; i++) {
        int k = i - (s.rank - kind.axes);
        if (k >= 0) p.affine.dim[k] = s.dim[i];
        *(k < 0 ? &p.rows : &p.n) *= s.dim[i];
    }
    return p;
}

static bool need_affine(ag_tensor *y, int i, ag_shape wanted, bool channels) {
    ag_tensor *p = ag_in(y, i);
    char name[32], is[AG__TEXT], should[AG__TEXT];
    if (!p) return true;
    if (!ag_need_same_dtype(y, i, 0)) return false;
    if (ag__same_shape(ag_shape_of(p), wanted)) return true;
    return ag_op_fail(y, AG_ERR_SHAPE, "%s %s must have the shape %s, %s",
                      ag_op_input_name(ag_op_of(y), i, name, sizeof name), ag_shape_text(p, is, sizeof is),
                      ag__dims_text(wanted, should),
                      channels ? "one value for each channel" : "that of what is normalised");
}

bool ag__norm_plain(const ag_tensor *y) { return ag_in(y, 1) || !ag_in(y, 2); }

bool ag__norm_fits(ag_tensor *y, const ag_tensor *x, ag__norm_kind kind, int i) {
    char text[AG__TEXT];
    if (ag_dtype_of(x) > AG_F64) return ag_need_float(y, i - 1);
    if (isnan(kind.eps)) return ag_op_fail(y, AG_ERR_ARGUMENT, "eps is not a number");
    if (kind.groups < 0) return ag_op_fail(y, AG_ERR_ARGUMENT, "there cannot be %lld groups", (long long)kind.groups);
    if (kind.groups && (ag_rank(x) < 2 || ag_dim(x, 1) % kind.groups)) {
        return ag_op_fail(y, AG_ERR_SHAPE, "%s needs channels on axis 1 that can be cut into %lld groups",
                          ag_shape_text(x, text, sizeof text), (long long)kind.groups);
    }
    if (!kind.groups && (kind.axes < 1 || kind.axes > ag_rank(x))) {
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%d axes cannot be normalised of %s, only 1 to %d", kind.axes,
                          ag_shape_text(x, text, sizeof text), ag_rank(x));
    }
    ag_shape affine = plan_of(ag_shape_of(x), kind).affine;
    return need_affine(y, i, affine, kind.groups) && need_affine(y, i + 1, affine, kind.groups);
}

typedef struct job {
    ag__row_norm_job kernel;
    ag__row_norm_fn *run;
    int64_t chunk, columns; /* rows that share column sums; columns of all rows together */
    double *sums;           /* chunks of dweight, dbias, scratch */
    void *dweight, *dbias;
    bool f32;
} job;

static const ag__row_norm *kernels(const ag_tensor *x) {
    return ag_dtype_of(x) == AG_F64 ? ag__kernel()->row_norm_f64 : ag__kernel()->row_norm_f32;
}

static job job_of(plan p, ag__norm_kind kind) {
    job j = {.kernel = {p.rows, p.n, p.inner, p.period, .eps = kind.eps, .centred = kind.centred}};
    j.columns = p.inner ? p.n / p.inner * p.period : 0;
    return j;
}

static void run_rows(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    j->run(&j->kernel, begin, end);
}

static bool by_rows(const job *j) {
    ag_parallel_for(j->kernel.rows, 1 + GRAIN / j->kernel.n, run_rows, (void *)(uintptr_t)j);
    return true;
}

bool ag__norm_run(ag_tensor *y, ag__norm_kind kind) {
    job j = job_of(plan_of(ag_shape_of(y), kind), kind);
    if (ag_size(y) == 0) return true;
    if (!ag__dense(y, 0, &j.kernel.x) || !ag__dense(y, 1, &j.kernel.weight) || !ag__dense(y, 2, &j.kernel.bias))
        return false;
    j.kernel.out = ag_out_data(y, 0);
    j.run = kernels(y)->forward;
    return by_rows(&j);
}

/* Way back */

typedef struct grad_attrs {
    int axes;
    int64_t num_groups;
    double eps;
    bool centred;
} grad_attrs;

static const ag_attr_field grad_fields[] = {{"axes", AG_ATTR_INT, offsetof(grad_attrs, axes), "1"},
                                            {"num_groups", AG_ATTR_I64, offsetof(grad_attrs, num_groups), "0"},
                                            {"eps", AG_ATTR_F64, offsetof(grad_attrs, eps), "1e-5"},
                                            {"centred", AG_ATTR_BOOL, offsetof(grad_attrs, centred), "true"},
                                            {0}};

static ag__norm_kind kind_of(const ag_tensor *y) {
    const grad_attrs *a = ag_attrs(y);
    return (ag__norm_kind){a->axes, a->num_groups, a->eps, a->centred};
}

static bool input_shape(ag_tensor *y) {
    return ag_need_float(y, 0) && ag_need_same_dtype(y, 0, 1) && ag_need_same_shape(y, 0, 1) &&
           ag__norm_fits(y, ag_in(y, 1), kind_of(y), 2) && ag_out_like(y, 0, ag_in(y, 1));
}

static bool grad_shape(ag_tensor *y) {
    if (!input_shape(y)) return false;
    ag_shape affine = plan_of(ag_shape_of(ag_in(y, 1)), kind_of(y)).affine;
    return ag_out_shape(y, 1, ag_dtype_of(ag_in(y, 1)), affine) && ag_out_shape(y, 2, ag_dtype_of(ag_in(y, 1)), affine);
}

static bool start_back(ag_tensor *y, job *j) {
    *j = job_of(plan_of(ag_shape_of(ag_in(y, 1)), kind_of(y)), kind_of(y));
    j->run = kernels(ag_in(y, 1))->backward;
    j->f32 = ag_dtype_of(ag_in(y, 1)) == AG_F32;
    j->kernel.out = ag_out_data(y, 0);
    return ag__dense(y, 0, &j->kernel.g) && ag__dense(y, 1, &j->kernel.x) && ag__dense(y, 2, &j->kernel.weight);
}

static bool input_run(ag_tensor *y) {
    job j;
    if (ag_size(y) == 0) return true;
    return start_back(y, &j) && by_rows(&j);
}

/* A chunk of rows adds into sums of its own: dweight, dbias and scratch. */
static void run_chunks(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    for (int64_t i = begin; i < end; i++) {
        ag__row_norm_job k = j->kernel;
        int64_t last = (i + 1) * j->chunk;
        k.dweight = j->sums + 4 * i * j->columns;
        k.dbias = k.dweight + j->columns;
        k.scratch = k.dbias + j->columns;
        memset(k.dweight, 0, (size_t)(2 * j->columns) * sizeof *k.dweight);
        j->run(&k, i * j->chunk, last < k.rows ? last : k.rows);
    }
}

/* Columns [begin, end) of dweight, then dbias, of all chunks, in order. */
static void add_chunks(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    int64_t chunks = (j->kernel.rows - 1) / j->chunk + 1;
    for (int64_t i = 1; i < chunks; i++) {
        const double *more = j->sums + 4 * i * j->columns;
        for (int64_t k = begin; k < end; k++) j->sums[k] += more[k];
    }
    for (int64_t k = begin; k < end; k++) {
        void *out = k < j->columns ? j->dweight : j->dbias;
        int64_t at = k % j->columns;
        if (j->f32) ((float *)out)[at] = (float)j->sums[k];
        else ((double *)out)[at] = j->sums[k];
    }
}

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Chunks are fixed by the shape alone, and no more than their sums are worth. */
static bool grad_run(ag_tensor *y) {
    job j;
    for (int o = 1; o < 3; o++) {
        ag_tensor *out = ag_out(y, o);
        memset(ag_out_data(y, o), 0, (size_t)ag_size(out) * ag_dtype_size(ag_dtype_of(out)));
    }
    if (ag_size(ag_in(y, 1)) == 0) return true;
    if (!start_back(y, &j)) return false;
    int64_t rows = most((j.kernel.rows - 1) / CHUNKS + 1, 4 * GRAIN / j.kernel.n);
    j.chunk = (most(rows, 1) + CHUNK - 1) / CHUNK * CHUNK;
    int64_t chunks = (j.kernel.rows - 1) / j.chunk + 1;
    j.dweight = ag_out_data(y, 1), j.dbias = ag_out_data(y, 2);
    j.sums = ag_op_workspace(y, (size_t)(4 * chunks * j.columns) * sizeof *j.sums);
    if (!j.sums) return false;
    ag_parallel_for(chunks, 1, run_chunks, &j);
    ag_parallel_for(2 * j.columns, 1 + GRAIN / chunks, add_chunks, &j);
    return true;
}

/* In basic ops */

/* (c) as (c,1,…,1), which broadcasts with x (n,c,…); a weight of last axes broadcasts as it is. */
static ag_tensor *beside(ag_tensor *p, const ag_tensor *x, ag__norm_kind kind) {
    ag_shape s = {.rank = ag_rank(x) - 1, .dim = {ag_dim(x, 1), 1, 1, 1, 1, 1, 1}};
    return kind.groups ? ag_reshape(p, s) : p;
}

/* (rows, n) */
static ag_tensor *lines(ag_tensor *x, ag_shape s, ag__norm_kind kind) {
    plan p = plan_of(s, kind);
    return ag_reshape(x, AG_SHAPE(p.rows, p.n));
}

static ag_tensor *row_mean(ag_tensor *x) { return ag_mean(x, AG_AXES(1), true); }

/* x̂ and r, as lines. */
static ag_tensor *hat_of(ag_tensor *x, ag__norm_kind kind, ag_tensor **r) {
    ag_tensor *d = lines(x, ag_shape_of(x), kind);
    if (kind.centred) d = ag_sub(d, row_mean(d));
    *r = ag_rsqrt(ag_add_scalar(row_mean(ag_square(d)), kind.eps));
    return ag_mul(d, *r);
}

static ag_tensor *input_compose(ag_tensor *y) {
    ag_tensor *g = ag_in(y, 0), *x = ag_in(y, 1), *w = ag_in(y, 2), *r, *hat = hat_of(x, kind_of(y), &r);
    ag_tensor *h = lines(w ? ag_mul(g, beside(w, x, kind_of(y))) : g, ag_shape_of(x), kind_of(y));
    ag_tensor *left = ag_sub(h, ag_mul(hat, row_mean(ag_mul(h, hat))));
    if (kind_of(y).centred) left = ag_sub(left, row_mean(h));
    return ag_reshape(ag_mul(left, r), ag_shape_of(x));
}

/* Σ v over what shares a weight. */
static ag_tensor *columns(ag_tensor *v, ag_shape affine, ag__norm_kind kind) {
    ag_axes axes = {0};
    for (int i = 0; i < ag_rank(v); i++) {
        if (i != 1) axes.axis[axes.count++] = i;
    }
    return kind.groups ? ag_sum(v, axes, false) : ag_sum_to(v, affine);
}

static bool grad_expand(ag_tensor *y, ag_tensor *out[]) {
    ag_tensor *g = ag_in(y, 0), *x = ag_in(y, 1), *r, *hat = hat_of(x, kind_of(y), &r);
    ag_shape affine = plan_of(ag_shape_of(x), kind_of(y)).affine;
    out[0] = input_compose(y);
    out[1] = columns(ag_mul(g, ag_reshape(hat, ag_shape_of(x))), affine, kind_of(y));
    out[2] = columns(g, affine, kind_of(y));
    return out[0] && out[1] && out[2];
}

/* The gradients of these two cost more than three times as much (tests/ops/cost.c): they go through compose and expand, for second
 * derivatives only. */
const ag_op ag__op_row_norm_input = {
    .size = sizeof(ag_op),
    .name = "row_norm_input",
    .arity = 2,
    .optional = 1,
    .inputs = "g x weight",
    .attr_size = sizeof(grad_attrs),
    .attrs = grad_fields,
    .formula = "r (h − mean h − x̂ mean(h x̂)), h = g weight",
    .shape = input_shape,
    .run = input_run,
    .compose = input_compose,
    .flops = ag__norm_flops,
};

ag_tensor *ag_row_norm_input(ag_tensor *g, ag_tensor *x, ag_tensor *weight, int axes, int64_t num_groups, double eps,
                             bool centred) {
    return ag_apply(&ag__op_row_norm_input, (ag_tensor *[]){g, x, weight}, 3, &(grad_attrs){axes, num_groups, eps, centred});
}

const ag_op ag__op_row_norm_grad = {
    .size = sizeof(ag_op),
    .name = "row_norm_grad",
    .arity = 2,
    .optional = 1,
    .inputs = "g x weight",
    .nout = 3,
    .attr_size = sizeof(grad_attrs),
    .attrs = grad_fields,
    .formula = "row_norm_input, and Σ g x̂ and Σ g over what shares a weight",
    .shape = grad_shape,
    .run = grad_run,
    .flops = ag__norm_flops,
    .expand = grad_expand,
};

ag_tensor *ag_row_norm_grad(ag_tensor *g, ag_tensor *x, ag_tensor *weight, int axes, int64_t num_groups, double eps,
                            bool centred, ag_tensor **dweight, ag_tensor **dbias) {
    ag_tensor *y =
        ag_apply(&ag__op_row_norm_grad, (ag_tensor *[]){g, x, weight}, 3, &(grad_attrs){axes, num_groups, eps, centred});
    if (dbias) *dbias = ag_part(y, 2);
    return ag__parts(y, dweight);
}

/* For the forward ops */

bool ag__norm_grad(ag_tensor *y, ag__norm_kind kind, ag_tensor *g, ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0), *w = ag_in(y, 1), *dw, *db;
    bool wants_weight = w && ag_wants(y, 1), wants_bias = ag_in(y, 2) && ag_wants(y, 2);
    if (!wants_weight && !wants_bias)
        return (d[0] = ag_row_norm_input(g, x, w, kind.axes, kind.groups, kind.eps, kind.centred)) != NULL;
    ag_tensor *dx = ag_row_norm_grad(g, x, w, kind.axes, kind.groups, kind.eps, kind.centred, &dw, &db);
    if (ag_wants(y, 0)) d[0] = dx;
    if (wants_weight) d[1] = dw;
    if (wants_bias) d[2] = db;
    return dx != NULL;
}

static ag_tensor *plus(ag_tensor *a, ag_tensor *b) { return a ? ag_add(a, b) : b; }

bool ag__norm_jvp(ag_tensor *y, ag__norm_kind kind, ag_tensor *const tangent[], ag_tensor *out[]) {
    ag_tensor *x = ag_in(y, 0), *w = ag_in(y, 1), *r;
    if (tangent[0]) {
        out[0] = ag_row_norm_input(tangent[0], x, NULL, kind.axes, kind.groups, kind.eps, kind.centred);
        if (w) out[0] = ag_mul(out[0], beside(w, x, kind));
    }
    if (w && tangent[1]) {
        ag_tensor *hat = ag_reshape(hat_of(x, kind, &r), ag_shape_of(x));
        out[0] = plus(out[0], ag_mul(hat, beside(tangent[1], x, kind)));
    }
    if (ag_in(y, 2) && tangent[2]) out[0] = plus(out[0], ag_expand(beside(tangent[2], x, kind), ag_shape_of(x)));
    return ag_tape_status(ag_tape_of(y)) == AG_OK;
}

ag_tensor *ag__norm_compose(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, ag__norm_kind kind) {
    ag_tensor *r, *y = ag_reshape(hat_of(x, kind, &r), ag_shape_of(x));
    if (weight) y = ag_mul(y, beside(weight, x, kind));
    return bias ? ag_add(y, beside(bias, x, kind)) : y;
}

double ag__norm_flops(const ag_tensor *y) { return 10 * (double)ag_size(ag_out(y, 0)); }
