/* softmax.c: softmax, softmin and log-softmax along an axis, and the gradients as fast ops of their own.
 *
 *     y = eˣ / Σ eˣ           ∂L/∂x = y (g − Σ g y)      softmax_grad(g, y)
 *     y = x − ln Σ eˣ         ∂L/∂x = g − e^y Σ g        log_softmax_grad(g, y)
 *
 * A line of −∞ alone gives NaN, as PyTorch's does.
 *
 * Lines lie side by side in memory, or, along an inner axis, as columns; of columns, as many as a cache line holds are turned
 * into lines in a block, and what comes of them is turned back. */
#include "ops/compose.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { LINE = 64, GRAIN = 8192, SHARES = 32 }; /* bytes of a cache line; elements worth a share; blocks */

typedef uint64_t __attribute__((may_alias)) word64;
typedef uint32_t __attribute__((may_alias)) word32;

typedef struct job {
    ag__softmax_fn *lines;
    const char *a, *b;
    char *out;
    size_t element;
    ag__along s;
    int64_t side, sides; /* of columns: how many are turned at once, and how often for one outer index */
    char *blocks;        /* of columns of a, b and out, in each share of the work, which has `grain` sides or more */
    int64_t grain;
} job;

static void run_lines(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    size_t at = (size_t)(begin * w->s.n) * w->element;
    w->lines(w->a + at, w->b + at, end - begin, w->s.n, w->out + at);
}

/* to[i][j] = from[i][j] for i < n, j < columns, each with its own steps */
static void turn(size_t element, int64_t n, int64_t columns, const char *from, const int64_t by[2], char *to,
                 const int64_t onto[2]) {
    for (int64_t i = 0; i < n; i++) {
        const char *x = from + (size_t)(i * by[0]) * element;
        char *y = to + (size_t)(i * onto[0]) * element;
        if (element == sizeof(word32)) {
            for (int64_t j = 0; j < columns; j++)
                ((word32 *)y)[j * onto[1]] = ((const word32 *)(const void *)x)[j * by[1]];
        } else {
            for (int64_t j = 0; j < columns; j++)
                ((word64 *)y)[j * onto[1]] = ((const word64 *)(const void *)x)[j * by[1]];
        }
    }
}

static void run_columns(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    const int64_t n = w->s.n, across[2] = {w->s.inner, 1}, along[2] = {1, n};
    size_t part = (size_t)(w->side * n) * w->element;
    char *a = w->blocks + (size_t)(begin / w->grain) * 3 * part, *b = w->b == w->a ? a : a + part, *out = a + 2 * part;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i % w->sides * w->side, left = w->s.inner - first, columns = left < w->side ? left : w->side;
        size_t at = (size_t)(i / w->sides * n * w->s.inner + first) * w->element;
        turn(w->element, n, columns, w->a + at, across, a, along);
        if (b != a) turn(w->element, n, columns, w->b + at, across, b, along);
        w->lines(a, b, columns, n, out);
        turn(w->element, n, columns, out, along, w->out + at, across);
    }
}

static bool share_columns(ag_tensor *y, job *w) {
    w->side = LINE / (int64_t)w->element;
    w->sides = (w->s.inner - 1) / w->side + 1;
    int64_t all = w->s.outer * w->sides;
    w->grain = 1 + (GRAIN / w->side / w->s.n > all / SHARES ? GRAIN / w->side / w->s.n : all / SHARES);
    w->blocks = ag_op_workspace(y, (size_t)((all - 1) / w->grain + 1) * 3 * (size_t)(w->side * w->s.n) * w->element);
    if (!w->blocks) return false;
    ag_parallel_for(all, w->grain, run_columns, w);
    return true;
}

static bool run(ag_tensor *y, ag__softmax_fn *const kernel[2]) {
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag__need_line(y, ag__axis_of(y), ag_rank(y), &axis)) return false;
    job w = {kernel[ag_dtype_of(y)],
             .a = ag_op_dense(y, 0),
             .b = ag_op_dense(y, ag_in_count(y) - 1),
             .out = ag_out_data(y, 0),
             .element = ag_dtype_size(ag_dtype_of(y)),
             .s = ag__along_axis(ag_shape_of(y), axis)};
    if (!w.a || !w.b) return false;
    if (w.s.inner > 1) return share_columns(y, &w);
    ag_parallel_for(w.s.outer, 1 + GRAIN / w.s.n, run_lines, &w);
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
