/* product.c: products over any axes, and the products of all but one element that are their gradient.
 *
 *     prod_others:   y[k] = x[0] … x[k−1] · x[k+1] … x[n−1]      from the left, then from the right: no division,
 *                                                                so that any number of zeros is nothing special
 *
 * prod_others has no rule of its own: its compose says the same by cumprod, and is differentiated instead. */
#include "ops/fold.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

static bool prod_run(ag_tensor *y) {
    bool reduced[AG_MAX_RANK];
    return ag__reduced_axes(y, reduced) && ag__fold(y, reduced, AG__PROD);
}

/* ∂L/∂x[k] = g Π_{j ≠ k} x[j] */
static bool prod_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const ag__over *a = ag_attrs(y);
    ag_tensor *others = a->axes.count == 1 ? ag_prod_others(ag_in(y, 0), a->axes.axis[0])
                                           : ag__reduce_line_back(y, ag_prod_others(ag__reduce_line_up(y), -1));
    return (d[0] = ag_mul(ag__spread(y, g[0]), others)) != NULL;
}

const ag_op ag__op_prod = {
    .size = sizeof(ag_op),
    .name = "prod",
    .arity = 1,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "Π x over axes",
    .shape = ag__reduce_shape,
    .run = prod_run,
    .grad = prod_grad,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_prod(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_prod, &x, 1, &(ag__over){axes, keepdim});
}

enum { TILE = AG__SCAN_TILE, GRAIN = 16384 };

typedef struct job {
    ag__scan_fn *kernel;
    const char *x;
    char *y;
    size_t element;
    ag__along s;
    int64_t tiles;
} job;

static void run_tiles(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t column = i % j->tiles * TILE, left = j->s.inner - column;
        size_t at = (size_t)(i / j->tiles * j->s.n * j->s.inner + column) * j->element;
        j->kernel(NULL, j->x + at, j->s.n, j->s.inner, left < TILE ? left : TILE, j->y + at);
    }
}

static bool others_shape(ag_tensor *y) {
    int axis;
    return ag__need_number(y, 0) && ag__need_line(y, ag__axis_of(y), ag_rank(ag_in(y, 0)), &axis) &&
           ag_out_like(y, 0, ag_in(y, 0));
}

static bool others_run(ag_tensor *y) {
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag__need_line(y, ag__axis_of(y), ag_rank(y), &axis)) return false;
    job j = {ag__kernel()->scan->others[ag_dtype_of(y)],
             ag_op_dense(y, 0),
             ag_out_data(y, 0),
             ag_dtype_size(ag_dtype_of(y)),
             ag__along_axis(ag_shape_of(y), axis),
             0};
    if (!j.x) return false;
    j.tiles = (j.s.inner - 1) / TILE + 1;
    ag_parallel_for(j.s.outer * j.tiles, GRAIN / (j.s.n * (j.s.inner < TILE ? j.s.inner : TILE)) + 1, run_tiles, &j);
    return true;
}

/* Before each element, the product of those before it: 1, x[0], x[0] x[1], … */
static ag_tensor *before(ag_tensor *x, int axis) {
    ag_shape first = ag_shape_of(x);
    first.dim[axis] = first.dim[axis] > 0;
    ag_tensor *one = ag_full(ag_tape_of(x), ag_dtype_of(x), first, 1);
    return ag_concat((ag_tensor *[]){one, ag_slice(ag_cumprod(x, axis), axis, 0, -1, 1)}, 2, axis);
}

static ag_tensor *flipped(ag_tensor *x, int axis) { return ag_slice(x, axis, -1, AG_END, -1); }

static ag_tensor *others_compose(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    int axis = ag__axis_of(y);
    if (ag_rank(x) == 0) return ag_ones_like(x);
    if (axis < 0) axis += ag_rank(x);
    return ag_mul(before(x, axis), flipped(before(flipped(x, axis), axis), axis));
}

static double others_flops(const ag_tensor *y) { return 3 * (double)ag_size(y); }

/* Its gradient costs more than three times as much (tests/ops/cost.c): it goes through compose, for second derivatives only. */
const ag_op ag__op_prod_others = {
    .size = sizeof(ag_op),
    .name = "prod_others",
    .arity = 1,
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_given,
    .formula = "y[k] = Π x[j] over j ≠ k along axis",
    .shape = others_shape,
    .run = others_run,
    .compose = others_compose,
    .flops = others_flops,
};

ag_tensor *ag_prod_others(ag_tensor *x, int axis) {
    return ag_apply(&ag__op_prod_others, &x, 1, &(ag__axis_attrs){axis});
}
