/* scatter_scan.c: a linear recurrence at every place of a tensor at once, that takes its steps where an index says.
 *
 *     axis 0:   s = x;  for i, j in row-major order of the index:   y[i][j] = s[p][j],  s[p][j] = a[i][j] s[p][j] + b[i][j]
 *               with p = index[i][j];  in the end  last = s                                    reverse: from the last i, j
 *
 *     b ──▶ s ──▶ y                     ∂L/∂b ◀── λ ◀── ∂L/∂y          the same, backwards: λ = ∂L/∂last at first, ∂L/∂x in the
 *           ↺ a                                   ↺ a                  end, and ∂L/∂a = λ y
 *
 * Without b, last is the product of all that meets, x first. No gradient divides, so that zeros are nothing special, at any
 * order; and places have nothing to do with each other, so that no infinity reaches another. */
#include <stddef.h>

#include "ops/lines.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct scan_attrs {
    int axis;
    bool reverse;
} scan_attrs;

static const ag_attr_field fields[] = {{"axis", AG_ATTR_INT, offsetof(scan_attrs, axis), NULL},
                                       {"reverse", AG_ATTR_BOOL, offsetof(scan_attrs, reverse), "false"},
                                       {0}};

static bool has_b(const ag_tensor *y) { return ag_in_count(y) > 3 && ag_in(y, 3); }

static bool scan_shape(ag_tensor *y) {
    const scan_attrs *s = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    if (has_b(y) && (!ag_need_same_dtype(y, 0, 3) || !ag_need_same_shape(y, 1, 3))) return false;
    return ag__need_number(y, 0) && ag_need_same_dtype(y, 0, 2) && ag_need_same_shape(y, 1, 2) &&
           ag__need_index(y, 1, ag_shape_of(x), s->axis, &axis) && ag_out_like(y, 0, ag_in(y, 2)) && ag_out_like(y, 1, x);
}

typedef struct walk {
    void *s, *y;
    const void *a, *b;
    bool reverse;
} walk;

#define STEP(NAME, T, NEXT)                                                                               \
    static void NAME(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base) { \
        const walk *w = context;                                                                          \
        T *state = w->s, *y = (T *)w->y + at;                                                             \
        const T *a = (const T *)w->a + at, *b = w->b ? (const T *)w->b + at : a;                          \
        int64_t by = w->reverse ? -1 : 1, j = w->reverse ? l->length - 1 : 0;                             \
        for (int64_t k = 0; k < l->length; k++, j += by) {                                                \
            T *s = state + ag__line_at(l, index, base, j);                                                \
            y[j] = *s;                                                                                    \
            *s = NEXT(*s, a[j], b[j]);                                                                    \
        }                                                                                                 \
    }
#define PRODUCT(s, a, b) ((void)(b), (a) * (s))
#define LINEAR(s, a, b) (a) * (s) + (b)
STEP(product_f32, float, PRODUCT)
STEP(product_f64, double, PRODUCT)
STEP(product_i64, uint64_t, PRODUCT)
STEP(linear_f32, float, LINEAR)
STEP(linear_f64, double, LINEAR)
STEP(linear_i64, uint64_t, LINEAR)

static bool scan_run(ag_tensor *y) {
    static ag__line_fn *const steps[2][3] = {{product_f32, product_f64, product_i64}, {linear_f32, linear_f64, linear_i64}};
    const scan_attrs *s = ag_attrs(y);
    ag_shape large = ag_shape_of(ag_in(y, 0));
    walk w = {.s = ag_out_data(y, 1), .y = ag_out_data(y, 0), .reverse = s->reverse};
    int axis;
    ag__lines l;
    if (!ag__need_index(y, 1, large, s->axis, &axis) || !ag__lines_start(y, 1, large, axis, &l) ||
        !ag_read(ag_in(y, 0), w.s)) {
        return false;
    }
    if (l.count == 0) return true;
    if (!(w.a = ag_op_dense(y, 2)) || (has_b(y) && !(w.b = ag_op_dense(y, 3)))) return false;
    ag__lines_walk(&l, s->reverse ? AG__BACKWARDS : AG__FORWARDS, steps[has_b(y)][ag_dtype_of(ag_in(y, 0))], &w);
    return true;
}

static bool scan_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const scan_attrs *s = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *start = g[1] ? g[1] : ag_full(ag_tape_of(y), ag_dtype_of(x), ag_shape_of(x), 0);
    ag_tensor *back = ag_scatter_scan(start, s->axis, ag_in(y, 1), ag_in(y, 2), g[0], !s->reverse, &d[0]);
    if (!back || (ag_wants(y, 2) && !(d[2] = ag_mul(back, ag_out(y, 0))))) return false;
    if (has_b(y)) d[3] = back;
    return true;
}

static double scan_flops(const ag_tensor *y) { return (double)ag_size(ag_in(y, 2)) * (has_b(y) ? 2 : 1); }

const ag_op ag__op_scatter_scan = {
    .size = sizeof(ag_op),
    .name = "scatter_scan",
    .arity = 3,
    .optional = 1,
    .nout = 2,
    .inputs = "x index a b",
    .attr_size = sizeof(scan_attrs),
    .attrs = fields,
    .formula = "y[i][j] = s[p][j], s[p][j] = a[i][j] s[p][j] + b[i][j], p = index[i][j] (axis 0), s = x at first; and "
               "s in the end",
    .shape = scan_shape,
    .run = scan_run,
    .grad = scan_grad,
    .flops = scan_flops,
};

ag_tensor *ag_scatter_scan(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *a, ag_tensor *b, bool reverse,
                           ag_tensor **last) {
    return ag__parts(
        ag_apply(&ag__op_scatter_scan, (ag_tensor *[]){x, index, a, b}, b ? 4 : 3, &(scan_attrs){axis, reverse}), last);
}
