/* product.c: products over any axes, and the products of all but one element that are their gradient.
 *
 *     prod_others:   y[k] = x[0] … x[k−1] · x[k+1] … x[n−1] g    from the left, then from the right: no division,
 *                                                                so that any number of zeros is nothing special
 *
 * prod_others has no rule of its own: its compose says the same by cumprod, and is differentiated instead. */
#include "ops/fold.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

/* Are the reduced axes neighbours, so that x is outer × n × inner and the product one over n? */
static bool plain(const ag_tensor *y) {
    const ag_axes *axes = &((const ag__over *)ag_attrs(y))->axes;
    int rank = ag_rank(ag_in(y, 0));
    bool reduced[AG_MAX_RANK] = {false};
    for (int k = 0; k < axes->count; k++) {
        int i = axes->axis[k] < 0 ? axes->axis[k] + rank : axes->axis[k];
        if (i < 0 || i >= rank) return true; /* which shape refuses, but of a scalar */
        reduced[i] = true;
    }
    return axes->count < 0 || ag__runs_of(ag_shape_of(ag_in(y, 0)), reduced).folds < 2;
}

/* Else over the last of them that are, then over the rest: a product of products, the same to the last bit. */
static ag_tensor *apart(ag_tensor *y) {
    const ag__over *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_axes last = {0};
    bool reduced[AG_MAX_RANK];
    int k = ag_rank(x) - 1;
    if (!ag__reduced_axes(y, reduced)) return NULL;
    while (k >= 0 && (!reduced[k] || ag_dim(x, k) == 1)) k--;
    for (; k >= 0 && (reduced[k] || ag_dim(x, k) == 1); k--) {
        if (reduced[k]) last.axis[last.count++] = k;
    }
    return ag_prod(ag_prod(x, last, true), a->axes, a->keepdim);
}

static bool prod_run(ag_tensor *y) {
    bool reduced[AG_MAX_RANK];
    return ag__reduced_axes(y, reduced) && ag__fold(y, reduced, AG__PROD);
}

/* ∂L/∂x[k] = g Π_{j ≠ k} x[j], of x as outer × n × inner */
static bool prod_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0);
    bool reduced[AG_MAX_RANK];
    if (!ag__reduced_axes(y, reduced)) return false;
    ag__runs r = ag__runs_of(ag_shape_of(x), reduced);
    ag_shape lines = {3, {1, 1, 1}};
    for (int i = 0, place = 0; i < r.count; i++) {
        if (r.folded[i]) place = 1;
        lines.dim[place] = r.extent[i];
        if (r.folded[i]) place = 2;
    }
    ag_shape thin = {3, {lines.dim[0], 1, lines.dim[2]}};
    ag_tensor *each = ag_prod_others_with(ag_reshape(x, lines), ag_reshape(g[0], thin), 1);
    return (d[0] = ag_reshape(each, ag_shape_of(x))) != NULL;
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
    .compose = apart,
    .plain = plain,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_prod(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_prod, &x, 1, &(ag__over){axes, keepdim});
}

enum { TILE = AG__SCAN_TILE, GRAIN = 16384 };

typedef struct job {
    ag__scan_fn *kernel;
    const char *x, *g;
    char *y;
    size_t element;
    ag__along s;
    int64_t tiles;
} job;

static void run_tiles(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t column = i % j->tiles * TILE, left = j->s.inner - column;
        int64_t outer = i / j->tiles;
        size_t at = (size_t)(outer * j->s.n * j->s.inner + column) * j->element;
        const char *g = j->g ? j->g + (size_t)(outer * j->s.inner + column) * j->element : NULL;
        j->kernel(g, j->x + at, j->s.n, j->s.inner, left < TILE ? left : TILE, j->y + at);
    }
}

static bool has_g(const ag_tensor *y) { return ag_in_count(y) > 1 && ag_in(y, 1); }

/* g is as x, but of extent 1 along the axis. */
static bool need_row(ag_tensor *y, int axis) {
    char have[AG__TEXT], want[AG__TEXT];
    ag_shape row = ag_shape_of(ag_in(y, 0));
    if (!ag_need_same_dtype(y, 0, 1)) return false;
    if (row.rank) row.dim[axis] = 1;
    return ag__same_shape(ag_shape_of(ag_in(y, 1)), row) ||
           ag_op_fail(y, AG_ERR_SHAPE, "g %s must be %s: x, with one element along axis %d",
                      ag_shape_text(ag_in(y, 1), have, sizeof have), ag__dims_text(row, want), axis);
}

static bool others_shape(ag_tensor *y) {
    int axis;
    return ag__need_number(y, 0) && ag__need_line(y, ag__axis_of(y), ag_rank(ag_in(y, 0)), &axis) &&
           (!has_g(y) || need_row(y, axis)) && ag_out_like(y, 0, ag_in(y, 0));
}

static bool others_run(ag_tensor *y) {
    int axis;
    if (ag_size(y) == 0) return true;
    if (!ag__need_line(y, ag__axis_of(y), ag_rank(y), &axis)) return false;
    job j = {ag__kernel()->scan->others[ag_dtype_of(y)],
             ag_op_dense(y, 0),
             has_g(y) ? ag_op_dense(y, 1) : NULL,
             ag_out_data(y, 0),
             ag_dtype_size(ag_dtype_of(y)),
             ag__along_axis(ag_shape_of(y), axis),
             0};
    if (!j.x || (has_g(y) && !j.g)) return false;
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
    if (ag_rank(x) == 0) return has_g(y) ? ag_alias(ag_in(y, 1)) : ag_ones_like(x);
    if (axis < 0) axis += ag_rank(x);
    ag_tensor *others = ag_mul(before(x, axis), flipped(before(flipped(x, axis), axis), axis));
    return has_g(y) ? ag_mul(ag_in(y, 1), others) : others;
}

static double others_flops(const ag_tensor *y) { return 3 * (double)ag_size(y); }

/* Its gradient costs more than three times as much (tests/ops/cost.c): it goes through compose, for second derivatives only. */
const ag_op ag__op_prod_others = {
    .size = sizeof(ag_op),
    .name = "prod_others",
    .arity = 1,
    .optional = 1,
    .inputs = "x g",
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_given,
    .formula = "y[k] = g Π x[j] over j ≠ k along axis",
    .shape = others_shape,
    .run = others_run,
    .compose = others_compose,
    .flops = others_flops,
};

ag_tensor *ag_prod_others(ag_tensor *x, int axis) {
    return ag_apply(&ag__op_prod_others, &x, 1, &(ag__axis_attrs){axis});
}

ag_tensor *ag_prod_others_with(ag_tensor *x, ag_tensor *g, int axis) {
    if (!g)
        return ag_tape_fail(x ? ag_tape_of(x) : NULL, AG_ERR_ARGUMENT, "prod_others",
                            "g is NULL; ag_prod_others needs none");
    return ag_apply(&ag__op_prod_others, (ag_tensor *[]){x, g}, 2, &(ag__axis_attrs){axis});
}
