/* softmax.c: softmax, softmin and log-softmax along an axis, and the gradients as fast ops of their own.
 *
 *     y = eˣ / Σ eˣ           ∂L/∂x = y (g − Σ g y)      softmax_grad(g, y)
 *     y = x − ln Σ eˣ         ∂L/∂x = g − e^y Σ g        log_softmax_grad(g, y)
 *
 * A line of −∞ alone gives NaN, as PyTorch's does. */
#include "ops/compose.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct job {
    ag__softmax_fn *lines;
    const char *a, *b;
    char *out;
    size_t element;
    ag__along s;
} job;

/* Lines begin … end − 1; those of one outer index are neighbours. */
static void run_lines(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    int64_t inner = w->s.inner, n = w->s.n;
    if (inner == 1) {
        size_t at = (size_t)(begin * n) * w->element;
        w->lines(w->a + at, w->b + at, end - begin, n, 1, w->out + at);
        return;
    }
    for (int64_t i = begin, lines; i < end; i += lines) {
        size_t at = (size_t)(i / inner * n * inner + i % inner) * w->element;
        lines = inner - i % inner < end - i ? inner - i % inner : end - i;
        w->lines(w->a + at, w->b + at, lines, n, inner, w->out + at);
    }
}

static bool run(ag_tensor *y, ag__softmax_fn *const kernel[2]) {
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag__need_line(y, ag__axis_of(y), ag_rank(y), &axis)) return false;
    job w = {kernel[ag_dtype_of(y)],
             ag_op_dense(y, 0),
             ag_op_dense(y, ag_in_count(y) - 1),
             ag_out_data(y, 0),
             ag_dtype_size(ag_dtype_of(y)),
             ag__along_axis(ag_shape_of(y), axis)};
    if (!w.a || !w.b) return false;
    ag_parallel_for(w.s.outer * w.s.inner, 1 + 8192 / w.s.n, run_lines, &w);
    return true;
}

static bool softmax_shape(ag_tensor *y) {
    int axis;
    return ag_need_float(y, 0) && ag__need_line(y, ag__axis_of(y), ag_rank(ag_in(y, 0)), &axis) &&
           ag_out_like(y, 0, ag_in(y, 0));
}

static bool grad_shape(ag_tensor *y) {
    return ag_need_same_dtype(y, 0, 1) && ag_need_same_shape(y, 0, 1) && softmax_shape(y);
}

/* Σ v along the op's axis, which stays as an extent of 1. */
static ag_tensor *total(ag_tensor *y, ag_tensor *v) {
    return ag_sum(v, ag_axes_list((int[]){0, ag__axis_of(y)}, 2), true);
}

static bool softmax_run(ag_tensor *y) { return run(y, ag__kernel()->softmax->softmax); }

static bool softmax_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_softmax_grad(g[0], y, ag__axis_of(y))) != NULL;
}

/* ẏ = y (ẋ − Σ ẋ y) */
static bool softmax_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    ag_tensor *t = tangent[0];
    return (out[0] = ag_mul(y, ag_sub(t, total(y, ag_mul(t, y))))) != NULL;
}

const ag_op ag__op_softmax = {
    .size = sizeof(ag_op),
    .name = "softmax",
    .arity = 1,
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_last,
    .formula = "eˣ / Σ eˣ along axis",
    .shape = softmax_shape,
    .run = softmax_run,
    .grad = softmax_rule,
    .jvp = softmax_jvp,
};

ag_tensor *ag_softmax(ag_tensor *x, int axis) { return ag_apply(&ag__op_softmax, &x, 1, &(ag__axis_attrs){axis}); }

static bool softmax_grad_run(ag_tensor *y) { return run(y, ag__kernel()->softmax->softmax_grad); }

static ag_tensor *softmax_grad_compose(ag_tensor *y) {
    ag_tensor *g = ag_in(y, 0), *p = ag_in(y, 1);
    return ag_mul(p, ag_sub(g, total(y, ag_mul(g, p))));
}

/* With u for what arrives, s = Σ g y and t = Σ u y:  ∂g = y (u − t),  ∂y = u (g − s) − g t */
static bool softmax_grad_rule(ag_tensor *y, ag_tensor *const up[], ag_tensor *d[]) {
    ag_tensor *u = up[0], *g = ag_in(y, 0), *p = ag_in(y, 1), *t = total(y, ag_mul(u, p));
    if (ag_wants(y, 0)) d[0] = ag_mul(p, ag_sub(u, t));
    if (ag_wants(y, 1)) d[1] = ag_sub(ag_mul(u, ag_sub(g, total(y, ag_mul(g, p)))), ag_mul(g, t));
    return (!ag_wants(y, 0) || d[0]) && (!ag_wants(y, 1) || d[1]);
}

static double softmax_grad_flops(const ag_tensor *y) { return 4 * (double)ag_size(y); }

const ag_op ag__op_softmax_grad = {
    .size = sizeof(ag_op),
    .name = "softmax_grad",
    .arity = 2,
    .inputs = "g y",
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_last,
    .formula = "y (g − Σ g y) along axis",
    .shape = grad_shape,
    .run = softmax_grad_run,
    .grad = softmax_grad_rule,
    .compose = softmax_grad_compose,
    .flops = softmax_grad_flops,
};

ag_tensor *ag_softmax_grad(ag_tensor *g, ag_tensor *y, int axis) {
    return ag_apply(&ag__op_softmax_grad, (ag_tensor *[]){g, y}, 2, &(ag__axis_attrs){axis});
}

static ag_tensor *softmin(ag_tensor *y) { return ag_softmax(ag_neg(ag_in(y, 0)), ag__axis_of(y)); }

AG__COMPOSED(softmin, 1, ag__axis_attrs, ag__axis_last, "e^(−x) / Σ e^(−x) along axis", softmin);

ag_tensor *ag_softmin(ag_tensor *x, int axis) { return ag_apply(&ag__op_softmin, &x, 1, &(ag__axis_attrs){axis}); }

static bool log_softmax_run(ag_tensor *y) { return run(y, ag__kernel()->softmax->log_softmax); }

static bool log_softmax_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_log_softmax_grad(g[0], y, ag__axis_of(y))) != NULL;
}

/* ẏ = ẋ − Σ e^y ẋ */
static bool log_softmax_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    ag_tensor *t = tangent[0];
    return (out[0] = ag_sub(t, total(y, ag_mul(ag_exp(y), t)))) != NULL;
}

const ag_op ag__op_log_softmax = {
    .size = sizeof(ag_op),
    .name = "log_softmax",
    .arity = 1,
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_last,
    .formula = "x − ln Σ eˣ along axis",
    .shape = softmax_shape,
    .run = log_softmax_run,
    .grad = log_softmax_rule,
    .jvp = log_softmax_jvp,
};

ag_tensor *ag_log_softmax(ag_tensor *x, int axis) {
    return ag_apply(&ag__op_log_softmax, &x, 1, &(ag__axis_attrs){axis});
}

static bool log_softmax_grad_run(ag_tensor *y) { return run(y, ag__kernel()->softmax->log_softmax_grad); }

static ag_tensor *log_softmax_grad_compose(ag_tensor *y) {
    ag_tensor *g = ag_in(y, 0), *l = ag_in(y, 1);
    return ag_sub(g, ag_mul(ag_exp(l), total(y, g)));
}

/* With u for what arrives:  ∂g = u − Σ u e^y,  ∂y = −u e^y Σ g */
static bool log_softmax_grad_rule(ag_tensor *y, ag_tensor *const up[], ag_tensor *d[]) {
    ag_tensor *u = up[0], *each = ag_mul(u, ag_exp(ag_in(y, 1)));
    if (ag_wants(y, 0)) d[0] = ag_sub(u, total(y, each));
    if (ag_wants(y, 1)) d[1] = ag_mul(each, ag_neg(total(y, ag_in(y, 0))));
    return (!ag_wants(y, 0) || d[0]) && (!ag_wants(y, 1) || d[1]);
}

const ag_op ag__op_log_softmax_grad = {
    .size = sizeof(ag_op),
    .name = "log_softmax_grad",
    .arity = 2,
    .inputs = "g y",
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_last,
    .formula = "g − e^y Σ g along axis",
    .shape = grad_shape,
    .run = log_softmax_grad_run,
    .grad = log_softmax_grad_rule,
    .compose = log_softmax_grad_compose,
};

ag_tensor *ag_log_softmax_grad(ag_tensor *g, ag_tensor *y, int axis) {
    return ag_apply(&ag__op_log_softmax_grad, (ag_tensor *[]){g, y}, 2, &(ag__axis_attrs){axis});
}
