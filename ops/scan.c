/* scan.c: running sums along an axis.
 *
 *     outer × n × inner:   y[o][k][i] = x[o][0][i] + … + x[o][k][i]
 *
 * Each line is added up from its start, so sums do not depend on threads; f32 is added up in f64. The gradient is the running
 * sum from the other end: flip, cumsum, flip. */
#include <stddef.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { GRAIN = 16384 };

typedef struct cumsum_attrs {
    int axis;
} cumsum_attrs;

static const ag_attr_field cumsum_fields[] = {{"axis", AG_ATTR_INT, offsetof(cumsum_attrs, axis), NULL}, {0}};

typedef void line_fn(const void *x, void *y, int64_t n, int64_t step);

typedef struct job {
    line_fn *line;
    const char *x;
    char *y;
    size_t element;
    ag__along s;
} job;

#define LINE(name, T, Sum)                                                          \
    static void name(const void *from, void *to, int64_t n, int64_t step) {         \
        const T *x = from;                                                          \
        T *y = to;                                                                  \
        Sum sum = 0;                                                                \
        for (int64_t k = 0; k < n; k++) y[k * step] = (T)(sum += (Sum)x[k * step]); \
    }
LINE(line_f32, float, double)
LINE(line_f64, double, double)
LINE(line_i64, int64_t, uint64_t)

static void run_lines(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i / j->s.inner * j->s.n * j->s.inner + i % j->s.inner;
        j->line(j->x + (size_t)first * j->element, j->y + (size_t)first * j->element, j->s.n, j->s.inner);
    }
}

static bool cumsum_shape(ag_tensor *y) {
    const cumsum_attrs *a = ag_attrs(y);
    int axis;
    return ag__need_number(y, 0) && ag_need_axis(y, a->axis, ag_rank(ag_in(y, 0)), &axis) && ag_out_like(y, 0, ag_in(y, 0));
}

static bool cumsum_run(ag_tensor *y) {
    static line_fn *const line[AG_DTYPE_COUNT] = {line_f32, line_f64, line_i64};
    const cumsum_attrs *a = ag_attrs(y);
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag_need_axis(y, a->axis, ag_rank(y), &axis)) return false;
    job j = {line[ag_dtype_of(y)], ag_op_dense(y, 0), ag_out_data(y, 0), ag_dtype_size(ag_dtype_of(y)),
             ag__along_axis(ag_shape_of(y), axis)};
    if (!j.x) return false;
    ag_parallel_for(j.s.outer * j.s.inner, GRAIN / j.s.n + 1, run_lines, &j);
    return true;
}

static ag_tensor *flip(ag_tensor *x, int axis) { return ag_slice(x, axis, -1, AG_END, -1); }

/* ∂L/∂x[k] = Σ_{j ≥ k} g[j] */
static bool cumsum_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    int axis = ((const cumsum_attrs *)ag_attrs(y))->axis;
    d[0] = flip(ag_cumsum(flip(g[0], axis), axis), axis);
    return d[0] != NULL;
}

const ag_op ag__op_cumsum = {
    .size = sizeof(ag_op),
    .name = "cumsum",
    .arity = 1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(cumsum_attrs),
    .attrs = cumsum_fields,
    .formula = "y[k] = x[0] + … + x[k] along axis",
    .shape = cumsum_shape,
    .run = cumsum_run,
    .grad = cumsum_grad,
};

ag_tensor *ag_cumsum(ag_tensor *x, int axis) { return ag_apply(&ag__op_cumsum, &x, 1, &(cumsum_attrs){axis}); }
