/* lu.c: systems of equations and inverses of square matrices, by P a = L U with the largest pivot of each column.
 *
 * Single precision is factored in double as well, so that a result is off by the rounding of a and b alone. */
#include <stddef.h>

#include "ops/batch.h"
#include "ops/factor.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct solving {
    const ag_tensor *a, *b; /* b NULL: the identity */
    void *x;
    int64_t n, m, row, col; /* strides of b */
    bool f64;
    ag__batch batch;
} solving;

static void put(const solving *s, int64_t at, double v) {
    if (s->f64) ((double *)s->x)[at] = v;
    else ((float *)s->x)[at] = (float)v;
}

static double get(const solving *s, int64_t at) {
    return s->f64 ? ((const double *)ag_data(s->b))[at] : (double)((const float *)ag_data(s->b))[at];
}

/* x = U⁻¹ L⁻¹ P b; without b the columns are put in order last. */
static bool solve_pair(const void *context, ag__factors *f, int64_t i) {
    const solving *s = context;
    int64_t n = s->n, m = s->m, a, b;
    ag__batch_at(&s->batch, i, &a, &b);
    ag__factor_load(f, s->a, a, ag_stride(s->a, -2), ag_stride(s->a, -1));
    ag__factor(f);
    if (f->reached < n) return false;
    ag__factor_turn(f);
    if (!s->b) ag__factor_identity(f);
    for (int64_t k = 0; k < n && s->b; k++) {
        for (int64_t j = 0; j < m; j++) f->x[k * f->x_row + j] = get(s, b + f->rows[k] * s->row + j * s->col);
    }
    ag__factor_apply(f, false, !s->b);
    ag__factor_apply(f, true, false);
    for (int64_t k = 0; k < n; k++) {
        for (int64_t j = 0; j < m; j++) put(s, (i * n + k) * m + (s->b ? j : f->rows[j]), f->x[k * f->x_row + j]);
    }
    return true;
}

/* b holds vectors if it has one axis, or all of a's but the last. */
static bool of_vectors(const ag_tensor *y) {
    ag_shape a = ag_shape_of(ag_in(y, 0)), b = ag_shape_of(ag_in(y, 1));
    a.rank--;
    return b.rank == 1 || ag__same_shape(a, b);
}

static bool solve_all(ag_tensor *y, solving *s) {
    double n = (double)s->n, work = n * n * (n / 3 + (double)s->m);
    ag__factors f = {.n = s->n, .m = s->m};
    s->x = ag_out_data(y, 0), s->f64 = ag_dtype_of(y) == AG_F64;
    return ag__factor_each(y, s->a, s->batch.count, f, work, solve_pair, s);
}

static bool solve_run(ag_tensor *y) {
    solving s = {.a = ag_in(y, 0), .b = ag_in(y, 1), .n = ag_dim(ag_in(y, 0), -1), .m = 1};
    bool vectors = of_vectors(y);
    if (ag_size(y) == 0) return true;
    s.row = ag_stride(s.b, vectors ? -1 : -2), s.col = vectors ? 0 : ag_stride(s.b, -1);
    if (!vectors) s.m = ag_dim(y, -1);
    if (vectors) ag__batch_same(&s.batch, s.a, ag_rank(s.b) > 1 ? s.b : NULL);
    else ag__batch_start(&s.batch, s.a, s.b, y, ag_rank(y) - 2);
    return solve_all(y, &s);
}

static bool solve_shape(ag_tensor *y) {
    const ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    char left[AG__TEXT], right[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag__need_square(y, 0) || !ag_need_same_dtype(y, 0, 1) ||
        !ag_need_rank(y, 1, 1, AG_MAX_RANK))
        return false;
    bool vectors = of_vectors(y);
    ag_shape s = ag_shape_of(a);
    if (ag_dim(a, -1) != ag_dim(b, vectors ? -1 : -2)) {
        return ag_op_fail(y, AG_ERR_SHAPE, "a x = b needs as many rows in b as in a: %s, %s",
                          ag_shape_text(a, left, sizeof left), ag_shape_text(b, right, sizeof right));
    }
    if (vectors) s.rank--;
    else if (!ag__batch_shape(y, 2, &s)) return false;
    if (!vectors) s.dim[s.rank - 2] = ag_dim(b, -2), s.dim[s.rank - 1] = ag_dim(b, -1);
    return ag_out_shape(y, 0, ag_dtype_of(b), s);
}

/* a x = b: ∂b = a⁻ᵀ g, ∂a = −∂b xᵀ */
static bool solve_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *db = ag_solve(ag_transpose(ag_in(y, 0), -1, -2), g[0]);
    bool vectors = of_vectors(y);
    if (ag_wants(y, 1)) d[1] = db;
    ag_tensor *column = vectors ? ag_unsqueeze(db, -1) : db;
    if (ag_wants(y, 0)) d[0] = ag_neg(ag_matmul(column, vectors ? ag_unsqueeze(y, -2) : ag_transpose(y, -1, -2)));
    return db && (!ag_wants(y, 0) || d[0]);
}

static double solve_flops(const ag_tensor *y) {
    double n = (double)ag_dim(ag_in(y, 0), -1), m = of_vectors(y) ? 1 : (double)ag_dim(y, -1);
    return m > 0 ? (double)ag_size(y) / m * n * (n * 2 / 3 + 2 * m) : 0;
}

const ag_op ag__op_solve = {
    .size = sizeof(ag_op),
    .name = "solve",
    .arity = 2,
    .formula = "x with a x = b",
    .shape = solve_shape,
    .run = solve_run,
    .grad = solve_grad,
    .flops = solve_flops,
};

ag_tensor *ag_solve(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_solve, (ag_tensor *[]){a, b}, 2, NULL); }

/* inv */

static bool inv_shape(ag_tensor *y) {
    return ag_need_float(y, 0) && ag__need_square(y, 0) && ag_out_like(y, 0, ag_in(y, 0));
}

static bool inv_run(ag_tensor *y) {
    solving s = {.a = ag_in(y, 0), .n = ag_dim(y, -1), .m = ag_dim(y, -1)};
    if (ag_size(y) == 0) return true;
    ag__batch_same(&s.batch, s.a, NULL);
    return solve_all(y, &s);
}

/* −a⁻ᵀ g a⁻ᵀ */
static bool inv_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *turned = ag_transpose(y, -1, -2);
    return (d[0] = ag_neg(ag_matmul(turned, ag_matmul(g[0], turned)))) != NULL;
}

static double inv_flops(const ag_tensor *y) { return 2 * (double)ag_size(y) * (double)ag_dim(y, -1); }

const ag_op ag__op_inv = {
    .size = sizeof(ag_op),
    .name = "inv",
    .arity = 1,
    .inputs = "a",
    .formula = "a⁻¹",
    .shape = inv_shape,
    .run = inv_run,
    .grad = inv_grad,
    .flops = inv_flops,
};

ag_tensor *ag_inv(ag_tensor *a) { return ag_apply(&ag__op_inv, &a, 1, NULL); }
