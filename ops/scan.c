/* scan.c: running sums and products along an axis, and the linear recurrence that is the gradient of most scans.
 *
 *     outer × n × inner, from the other end if reversed:
 *
 *     cumsum        y[k] = y[k−1] + x[k]                  ∂L/∂x = cumsum of g from the other end
 *     cumprod       y[k] = y[k−1] x[k]                    ∂L/∂x[k] = y[k−1] s[k],  s = linear scan of g by x from the other end
 *     logcumsumexp  y[k] = ln(e^y[k−1] + e^x[k])          ∂L/∂x[k] = e^(x[k] − y[k]) s[k],  s by e^(y[k−1] − y[k])
 *     linear_scan   y[k] = a[k] y[k−1] + b[k]             ∂L/∂b = λ = linear scan of g by a from the other end, ∂L/∂a[k] = λ[k] y[k−1]
 *
 * No gradient divides, so zeros are nothing special, at any order; and no exponent is positive, so nothing overflows. Each line is
 * run through from its start, so results do not depend on threads; f32 runs in f64. */
#include <stddef.h>

#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { GRAIN = 16384 };

typedef struct scan_attrs {
    int axis;
    bool reverse; /* from the last element to the first */
} scan_attrs;

typedef struct job {
    ag__scan_fn *scan;
    const char *a, *x;
    char *y;
    size_t element;
    ag__along s;
    int64_t tiles;
    bool reverse;
} job;

static void run_tiles(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    const ag__along *s = &j->s;
    int64_t first = j->reverse ? s->n - 1 : 0, second = j->reverse || s->n == 1 ? s->n - 1 : 1;
    for (int64_t i = begin; i < end; i++) {
        int64_t column = i % j->tiles * AG__SCAN_TILE, base = i / j->tiles * s->n * s->inner + column;
        int64_t width = s->inner - column < AG__SCAN_TILE ? s->inner - column : AG__SCAN_TILE;
        size_t at = (size_t)(base + first * s->inner) * j->element, beside = (size_t)(base + second * s->inner) * j->element;
        j->scan(j->a + beside, j->x + at, s->n, j->reverse ? -s->inner : s->inner, width, j->y + at);
    }
}

static bool run(ag_tensor *y, ag__scan_fn *const kernel[]) {
    const scan_attrs *a = ag_attrs(y);
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag__need_line(y, a->axis, ag_rank(y), &axis)) return false;
    job j = {.scan = kernel[ag_dtype_of(y)],
             .a = ag_op_dense(y, 0),
             .x = ag_op_dense(y, ag_in_count(y) - 1),
             .y = ag_out_data(y, 0),
             .element = ag_dtype_size(ag_dtype_of(y)),
             .s = ag__along_axis(ag_shape_of(y), axis),
             .reverse = a->reverse};
    if (!j.a || !j.x) return false;
    j.tiles = (j.s.inner - 1) / AG__SCAN_TILE + 1;
    int64_t cost = j.s.n * (j.s.inner < AG__SCAN_TILE ? j.s.inner : AG__SCAN_TILE);
    ag_parallel_for(j.s.outer * j.tiles, GRAIN / cost + 1, run_tiles, &j);
    return true;
}

static bool scan_shape(ag_tensor *y) {
    const scan_attrs *a = ag_attrs(y);
    int axis;
    return ag__need_number(y, 0) && ag__need_line(y, a->axis, ag_rank(ag_in(y, 0)), &axis) &&
           ag_out_like(y, 0, ag_in(y, 0));
}

static const ag_attr_field scan_fields[] = {{"axis", AG_ATTR_INT, offsetof(scan_attrs, axis), NULL},
                                            {"reverse", AG_ATTR_BOOL, offsetof(scan_attrs, reverse), "false"},
                                            {0}};

static bool cumsum_run(ag_tensor *y) { return run(y, ag__kernel()->scan->sum); }

/* ∂L/∂x[k] = Σ_{j ≥ k} g[j] */
static bool cumsum_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const scan_attrs *a = ag_attrs(y);
    return (d[0] = ag_apply(ag_op_of(y), &g[0], 1, &(scan_attrs){a->axis, !a->reverse})) != NULL;
}

const ag_op ag__op_cumsum = {
    .size = sizeof(ag_op),
    .name = "cumsum",
    .arity = 1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(scan_attrs),
    .attrs = scan_fields,
    .formula = "y[k] = x[0] + … + x[k] along axis; reverse: x[k] + … + x[n−1]",
    .shape = scan_shape,
    .run = cumsum_run,
    .grad = cumsum_grad,
};

ag_tensor *ag_cumsum(ag_tensor *x, int axis) { return ag_apply(&ag__op_cumsum, &x, 1, &(scan_attrs){axis, false}); }

static bool linear_shape(ag_tensor *y) {
    int axis;
    return ag_need_axis(y, ((const scan_attrs *)ag_attrs(y))->axis, ag_rank(ag_in(y, 0)), &axis) &&
           ag_need_same_dtype(y, 0, 1) && ag_need_same_shape(y, 0, 1) && scan_shape(y);
}

static bool linear_run(ag_tensor *y) { return run(y, ag__kernel()->scan->linear); }

static bool linear_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const scan_attrs *a = ag_attrs(y);
    ag_tensor *back = ag_linear_scan(ag_in(y, 0), g[0], a->axis, !a->reverse);
    if (!back) return false;
    if (ag_wants(y, 0)) d[0] = ag_mul_shifted(a->reverse ? y : back, a->reverse ? back : y, a->axis, 0, -1, false);
    d[1] = back;
    return !ag_wants(y, 0) || d[0];
}

const ag_op ag__op_linear_scan = {
    .size = sizeof(ag_op),
    .name = "linear_scan",
    .arity = 2,
    .attr_size = sizeof(scan_attrs),
    .attrs = scan_fields,
    .formula = "y[k] = a[k] y[k−1] + b[k] along axis; reverse: a[k+1] y[k+1] + b[k]",
    .shape = linear_shape,
    .run = linear_run,
    .grad = linear_grad,
};

ag_tensor *ag_linear_scan(ag_tensor *a, ag_tensor *b, int axis, bool reverse) {
    return ag_apply(&ag__op_linear_scan, (ag_tensor *[]){a, b}, 2, &(scan_attrs){axis, reverse});
}

static const ag_attr_field axis_fields[] = {{"axis", AG_ATTR_INT, offsetof(scan_attrs, axis), NULL}, {0}};

static bool cumprod_run(ag_tensor *y) { return run(y, ag__kernel()->scan->product); }

/* ∂y[j]/∂x[k] = y[k−1] x[k+1] … x[j] */
static bool cumprod_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    int axis = ((const scan_attrs *)ag_attrs(y))->axis;
    if (ag_rank(y) == 0) return (d[0] = g[0]) != NULL;
    ag_tensor *back = ag_linear_scan(ag_in(y, 0), g[0], axis, true);
    return (d[0] = ag_mul_shifted(back, y, axis, 0, -1, true)) != NULL;
}

const ag_op ag__op_cumprod = {
    .size = sizeof(ag_op),
    .name = "cumprod",
    .arity = 1,
    .attr_size = sizeof(scan_attrs),
    .attrs = axis_fields,
    .formula = "y[k] = x[0] · … · x[k] along axis",
    .shape = scan_shape,
    .run = cumprod_run,
    .grad = cumprod_grad,
};

ag_tensor *ag_cumprod(ag_tensor *x, int axis) { return ag_apply(&ag__op_cumprod, &x, 1, &(scan_attrs){axis, false}); }

static bool logcumsumexp_shape(ag_tensor *y) { return ag_need_float(y, 0) && scan_shape(y); }

static bool logcumsumexp_run(ag_tensor *y) { return run(y, ag__kernel()->scan->log_sum); }

/* ∂y[j]/∂x[k] = e^(x[k] − y[k]) e^(y[k] − y[k+1]) … e^(y[j−1] − y[j]); between two infinities e⁰ */
static bool logcumsumexp_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    int axis = ((const scan_attrs *)ag_attrs(y))->axis;
    if (ag_rank(y) == 0) return (d[0] = ag_mul(ag_exp(ag_sub(ag_in(y, 0), y)), g[0])) != NULL;
    ag_tensor *step = ag_sub(ag_slice(y, axis, 0, -1, 1), ag_slice(y, axis, 1, AG_END, 1));
    ag_tensor *usual = ag_where(ag_eq(step, step), step, ag_scalar(ag_tape_of(y), ag_dtype_of(y), 0));
    ag_tensor *ratio = ag_unslice(ag_exp(usual), ag_shape_of(y), axis, 1, AG_END, 1);
    return (d[0] = ag_mul(ag_exp(ag_sub(ag_in(y, 0), y)), ag_linear_scan(ratio, g[0], axis, true))) != NULL;
}

const ag_op ag__op_logcumsumexp = {
    .size = sizeof(ag_op),
    .name = "logcumsumexp",
    .arity = 1,
    .attr_size = sizeof(scan_attrs),
    .attrs = axis_fields,
    .formula = "y[k] = ln(e^x[0] + … + e^x[k]) along axis",
    .shape = logcumsumexp_shape,
    .run = logcumsumexp_run,
    .grad = logcumsumexp_grad,
};

ag_tensor *ag_logcumsumexp(ag_tensor *x, int axis) {
    return ag_apply(&ag__op_logcumsumexp, &x, 1, &(scan_attrs){axis, false});
}
