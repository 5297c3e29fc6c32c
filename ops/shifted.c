/* shifted.c: products of elements that lie apart along an axis.
 *
 *     a_shift 0, b_shift −1:    a    a₀ a₁ a₂ a₃           beyond the ends a is 0, and b is 1 or 0, as `ones` says
 *                               b  1 b₀ b₁ b₂ b₃
 *                               y    a₀ a₁b₀ a₂b₁ a₃b₂
 *
 * Its gradients are such products: ∂L/∂a[m] = g[m − i] b[m − i + j], ∂L/∂b[m] = g[m − j] a[m − j + i]. */
#include <stddef.h>

#include "ops/map.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { GRAIN = 16384 };

typedef struct shift_attrs {
    int axis;
    int64_t a_shift, b_shift;
    bool ones;
} shift_attrs;

static const ag_attr_field fields[] = {{"axis", AG_ATTR_INT, offsetof(shift_attrs, axis), NULL},
                                       {"a_shift", AG_ATTR_I64, offsetof(shift_attrs, a_shift), "0"},
                                       {"b_shift", AG_ATTR_I64, offsetof(shift_attrs, b_shift), "0"},
                                       {"ones", AG_ATTR_BOOL, offsetof(shift_attrs, ones), "false"},
                                       {0}};

static bool shifted_shape(ag_tensor *y) {
    int axis;
    return ag__need_number(y, 0) && ag_need_same_dtype(y, 0, 1) && ag_need_same_shape(y, 0, 1) &&
           ag__need_line(y, ((const shift_attrs *)ag_attrs(y))->axis, ag_rank(ag_in(y, 0)), &axis) &&
           ag_out_like(y, 0, ag_in(y, 0));
}

/* All of an axis of n is as far as there is to go. */
static int64_t within(int64_t shift, int64_t n) { return shift < -n ? -n : shift > n ? n : shift; }

typedef struct job {
    ag__row_fn *mul;
    const char *a, *b;
    char *y;
    int64_t n, row, a_shift, b_shift; /* row: bytes */
    size_t element;
    bool ones;
} job;

static int64_t clamp(int64_t v, int64_t lo, int64_t hi) { return v < lo ? lo : v > hi ? hi : v; }

/* Rows [k, end) of the outer part that begins with row `first`; b is within its ends, or beyond. */
static void put(const job *j, int64_t first, int64_t k, int64_t end, bool within_b) {
    if (k >= end) return;
    const char *a = j->a + (first + k + j->a_shift) * j->row;
    char *y = j->y + (first + k) * j->row;
    size_t bytes = (size_t)((end - k) * j->row);
    if (within_b) {
        const char *b = j->b + (first + k + j->b_shift) * j->row;
        j->mul((int64_t)(bytes / j->element), (const void *const[]){a, b}, y, 0, 0);
    } else if (j->ones) {
        memcpy(y, a, bytes);
    } else {
        memset(y, 0, bytes);
    }
}

static void run_rows(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    for (int64_t i = begin; i < end;) {
        int64_t first = i / j->n * j->n, from = i - first, to = end - first < j->n ? end - first : j->n;
        int64_t a_from = clamp(-j->a_shift, from, to), a_to = clamp(j->n - j->a_shift, a_from, to);
        int64_t b_from = clamp(-j->b_shift, a_from, a_to), b_to = clamp(j->n - j->b_shift, b_from, a_to);
        memset(j->y + i * j->row, 0, (size_t)((a_from - from) * j->row));
        put(j, first, a_from, b_from, false);
        put(j, first, b_from, b_to, true);
        put(j, first, b_to, a_to, false);
        memset(j->y + (first + a_to) * j->row, 0, (size_t)((to - a_to) * j->row));
        i = first + to;
    }
}

static bool shifted_run(ag_tensor *y) {
    const shift_attrs *a = ag_attrs(y);
    ag_dtype dtype = ag_dtype_of(y);
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag__need_line(y, a->axis, ag_rank(y), &axis)) return false;
    ag__along s = ag__along_axis(ag_shape_of(y), axis);
    job j = {.mul = ag__row_loop(AG__ROW_mul, (int)dtype),
             .a = ag_op_dense(y, 0),
             .b = ag_op_dense(y, 1),
             .y = ag_out_data(y, 0),
             .n = s.n,
             .row = s.inner * (int64_t)ag_dtype_size(dtype),
             .a_shift = within(a->a_shift, s.n),
             .b_shift = within(a->b_shift, s.n),
             .element = ag_dtype_size(dtype),
             .ones = a->ones};
    if (!j.a || !j.b) return false;
    ag_parallel_for(s.outer * s.n, GRAIN / s.inner + 1, run_rows, &j);
    return true;
}

static bool shifted_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const shift_attrs *s = ag_attrs(y);
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    int64_t n = ag_rank(a) ? ag_dim(a, s->axis) : 1, i = within(s->a_shift, n), k = within(s->b_shift, n);
    if (ag_wants(y, 0) && !(d[0] = ag_mul_shifted(g[0], b, s->axis, -i, k - i, s->ones))) return false;
    return !ag_wants(y, 1) || (d[1] = ag_mul_shifted(g[0], a, s->axis, -k, i - k, false));
}

const ag_op ag__op_mul_shifted = {
    .size = sizeof(ag_op),
    .name = "mul_shifted",
    .arity = 2,
    .inputs = "a b",
    .attr_size = sizeof(shift_attrs),
    .attrs = fields,
    .formula = "y[k] = a[k + a_shift] b[k + b_shift] along axis; beyond the ends a is 0 and b 0, or 1 with ones",
    .shape = shifted_shape,
    .run = shifted_run,
    .grad = shifted_grad,
};

ag_tensor *ag_mul_shifted(ag_tensor *a, ag_tensor *b, int axis, int64_t a_shift, int64_t b_shift, bool ones) {
    return ag_apply(&ag__op_mul_shifted, (ag_tensor *[]){a, b}, 2, &(shift_attrs){axis, a_shift, b_shift, ones});
}
