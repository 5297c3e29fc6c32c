/* lu.c: systems of equations, inverses and determinants of square matrices, by P a = L U with the largest pivot of each column.
 *
 *     a ─copy─▶ doubles ─factor─▶ L below the diagonal, U on and above it, in place; rows in the order `order`
 *
 * Single precision is factored in double as well, so that a result is off by the rounding of a and b alone. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ops/batch.h"
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { GRAIN = 1 << 16 }; /* multiplications worth waking a thread for */

static int64_t grain_of(double work) { return (int64_t)(GRAIN / (work + 1)) + 1; }

/* A matrix (n,m) at `from`, strides in elements, as rows of doubles. */
static void widen(const void *from, bool f64, int64_t n, int64_t m, int64_t row, int64_t col, double *to) {
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            int64_t at = i * row + j * col;
            *to++ = f64 ? ((const double *)from)[at] : (double)((const float *)from)[at];
        }
    }
}

/* P a = L U in place; order[i] is the row of a that came to row i. Returns n, or the first column without a pivot but zeros, at
 * which a determinant may go on; *odd: an odd number of rows changed places. */
static int64_t factor(double *a, int64_t n, int64_t *order, bool *odd) {
    int64_t reached = n;
    *odd = false;
    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k + 1; i < n; i++) {
            if (fabs(a[i * n + k]) > fabs(a[best * n + k])) best = i;
        }
        if (best != k) {
            int64_t row = order[k];
            order[k] = order[best], order[best] = row;
            for (int64_t j = 0; j < n; j++) {
                double v = a[k * n + j];
                a[k * n + j] = a[best * n + j], a[best * n + j] = v;
            }
            *odd = !*odd;
        }
        const double *restrict pivot = a + k * n;
        if (pivot[k] == 0) {
            if (reached == n) reached = k;
            continue;
        }
        for (int64_t i = k + 1; i < n; i++) {
            double *restrict row = a + i * n, f = row[k] /= pivot[k];
            for (int64_t j = k + 1; j < n; j++) row[j] -= f * pivot[j];
        }
    }
    return reached;
}

/* x (n,m): L U x = x in place */
static void substitute(const double *lu, int64_t n, int64_t m, double *x) {
    for (int64_t i = 1; i < n; i++) {
        for (int64_t k = 0; k < i; k++) {
            for (int64_t j = 0; j < m; j++) x[i * m + j] -= lu[i * n + k] * x[k * m + j];
        }
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < n; k++) {
            for (int64_t j = 0; j < m; j++) x[i * m + j] -= lu[i * n + k] * x[k * m + j];
        }
        for (int64_t j = 0; j < m; j++) x[i * m + j] /= lu[i * n + i];
    }
}

/* solve */

typedef struct solving {
    const ag_tensor *a, *b;
    char *x;
    double *lu, *right; /* for each pair: a, and b in the order of the factors */
    int64_t *order, *reached;
    int64_t n, m, row, col; /* row, col: b's strides */
    bool f64;
    ag__batch batch;
} solving;

static void solve_pairs(void *context, int64_t begin, int64_t end) {
    const solving *s = context;
    int64_t n = s->n, m = s->m, a, b;
    size_t element = s->f64 ? sizeof(double) : sizeof(float);
    for (int64_t i = begin; i < end; i++) {
        double *lu = s->lu + i * n * n, *right = s->right + i * n * m;
        int64_t *order = s->order + i * n;
        bool odd;
        ag__batch_at(&s->batch, i, &a, &b);
        const char *from = (const char *)ag_data(s->b) + b * (int64_t)element;
        widen((const char *)ag_data(s->a) + a * (int64_t)element, s->f64, n, n, ag_stride(s->a, -2),
              ag_stride(s->a, -1), lu);
        s->reached[i] = factor(lu, n, order, &odd);
        for (int64_t k = 0; k < n; k++)
            widen(from + order[k] * s->row * (int64_t)element, s->f64, 1, m, 0, s->col, right + k * m);
        substitute(lu, n, m, right);
        for (int64_t k = 0; k < n * m; k++) {
            if (s->f64) ((double *)(void *)s->x)[i * n * m + k] = right[k];
            else ((float *)(void *)s->x)[i * n * m + k] = (float)right[k];
        }
    }
}

/* b holds vectors if it has one axis, or all of a's but the last. */
static bool of_vectors(const ag_tensor *y) {
    ag_shape a = ag_shape_of(ag_in(y, 0)), b = ag_shape_of(ag_in(y, 1));
    a.rank--;
    return b.rank == 1 || ag__same_shape(a, b);
}

/* Pairs of a's matrices and vectors of b, one for all or one for each. */
static void start_vectors(ag__batch *s, const ag_tensor *a, const ag_tensor *b) {
    *s = (ag__batch){.count = 1};
    for (int i = 0; i < ag_rank(a) - 2; i++) {
        s->dim[s->rank] = ag_dim(a, i);
        s->a[s->rank] = ag_stride(a, i);
        s->b[s->rank++] = ag_rank(b) == 1 ? 0 : ag_stride(b, i);
        s->count *= ag_dim(a, i);
    }
}

static bool solve_run(ag_tensor *y) {
    solving s = {.a = ag_in(y, 0), .b = ag_in(y, 1), .x = ag_out_data(y, 0), .n = ag_dim(ag_in(y, 0), -1), .m = 1};
    char text[AG__TEXT], which[48] = "";
    bool vectors = of_vectors(y);
    if (ag_size(y) == 0) return true;
    s.f64 = ag_dtype_of(y) == AG_F64;
    s.row = ag_stride(s.b, vectors ? -1 : -2), s.col = vectors ? 0 : ag_stride(s.b, -1);
    if (!vectors) s.m = ag_dim(y, -1);
    if (vectors) start_vectors(&s.batch, s.a, s.b);
    else ag__batch_start(&s.batch, s.a, s.b, y, ag_rank(y) - 2);
    size_t count = (size_t)s.batch.count, n = (size_t)s.n;
    s.lu = ag_op_workspace(y, count * n * n * sizeof *s.lu);
    s.right = ag_op_workspace(y, count * n * (size_t)s.m * sizeof *s.right);
    s.order = ag_op_workspace(y, count * n * sizeof *s.order);
    s.reached = ag_op_workspace(y, count * sizeof *s.reached);
    if (!s.lu || !s.right || !s.order || !s.reached) return false;
    ag_parallel_for(s.batch.count, grain_of((double)s.n * (double)s.n * ((double)s.n / 3 + (double)s.m)), solve_pairs, &s);
    for (int64_t i = 0; i < s.batch.count; i++) {
        if (s.reached[i] == s.n) continue;
        if (s.batch.count > 1) snprintf(which, sizeof which, "matrix %lld of ", (long long)i);
        return ag_op_fail(y, AG_ERR_VALUE, "%s%s is singular: pivot %lld is 0", which,
                          ag_shape_text(s.a, text, sizeof text), (long long)s.reached[i]);
    }
    return true;
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

static ag_tensor *inv(ag_tensor *y) {
    ag_tensor *a = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !ag__need_square(y, 0)) return NULL;
    return ag_solve(a, ag_expand(ag_eye(ag_tape_of(a), ag_dtype_of(a), ag_dim(a, -1), -1), ag_shape_of(a)));
}

AG__COMPOSED_BARE(inv, 1, "a⁻¹", inv, .inputs = "a");

ag_tensor *ag_inv(ag_tensor *a) { return ag_apply(&ag__op_inv, &a, 1, NULL); }

/* Determinants: ± Π of the pivots, or the sign and Σ ln |pivot| */

typedef struct determining {
    const char *a;
    double *lu, *sign, *size; /* of each matrix; size: what is beside the sign, or its logarithm */
    int64_t *order;
    int64_t n;
    bool f64, logarithm;
} determining;

static void determine(void *context, int64_t begin, int64_t end) {
    const determining *d = context;
    int64_t n = d->n, element = (int64_t)(d->f64 ? sizeof(double) : sizeof(float));
    for (int64_t i = begin; i < end; i++) {
        double *lu = d->lu + i * n * n, sign, size = d->logarithm ? 0 : 1;
        bool odd;
        widen(d->a + i * n * n * element, d->f64, n, n, n, 1, lu);
        factor(lu, n, d->order + i * n, &odd);
        sign = odd ? -1 : 1;
        for (int64_t k = 0; k < n; k++) {
            double p = lu[k * n + k];
            sign *= isnan(p) ? p : (p > 0) - (p < 0);
            size = d->logarithm ? size + log(fabs(p)) : size * fabs(p);
        }
        d->sign[i] = sign, d->size[i] = size;
    }
}

static void put(ag_tensor *y, int i, const double *v, const double *times) {
    void *out = ag_out_data(y, i);
    for (int64_t k = 0; k < ag_size(ag_out(y, i)); k++) {
        double value = times ? v[k] * times[k] : v[k];
        if (ag_dtype_of(ag_out(y, i)) == AG_F64) ((double *)out)[k] = value;
        else ((float *)out)[k] = (float)value;
    }
}

static bool determine_all(ag_tensor *y, bool logarithm) {
    ag_tensor *a = ag_in(y, 0);
    int64_t count = ag_size(ag_out(y, 0));
    determining d = {.n = ag_dim(a, -1), .f64 = ag_dtype_of(a) == AG_F64, .logarithm = logarithm};
    if (count == 0) return true;
    d.a = d.n ? ag_op_dense(y, 0) : "";
    d.lu = ag_op_workspace(y, (size_t)(ag_size(a) + 1) * sizeof *d.lu);
    d.order = ag_op_workspace(y, (size_t)(count * d.n + 1) * sizeof *d.order);
    d.sign = ag_op_workspace(y, (size_t)count * sizeof *d.sign);
    d.size = ag_op_workspace(y, (size_t)count * sizeof *d.size);
    if (!d.a || !d.lu || !d.order || !d.sign || !d.size) return false;
    ag_parallel_for(count, grain_of((double)d.n * (double)d.n * (double)d.n / 3), determine, &d);
    put(y, 0, d.sign, logarithm ? NULL : d.size);
    if (logarithm) put(y, 1, d.size, NULL);
    return true;
}

static bool det_run(ag_tensor *y) { return determine_all(y, false); }
static bool slogdet_run(ag_tensor *y) { return determine_all(y, true); }

static bool det_shape(ag_tensor *y) {
    if (!ag_need_float(y, 0) || !ag__need_square(y, 0)) return false;
    ag_shape s = ag_shape_of(ag_in(y, 0));
    s.rank -= 2;
    return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s) &&
           (y == ag_out(y, 0) || ag_out_shape(y, 1, ag_dtype_of(ag_in(y, 0)), s));
}

/* g a⁻ᵀ, g a number for each matrix */
static bool det_rule(ag_tensor *y, ag_tensor *g, ag_tensor *d[]) {
    ag_tensor *inverse = ag_transpose(ag_inv(ag_in(y, 0)), -1, -2);
    return (d[0] = ag_mul(ag_unsqueeze(ag_unsqueeze(g, -1), -1), inverse)) != NULL;
}

static bool det_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return det_rule(y, ag_mul(g[0], y), d); }
static bool slogdet_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return !g[1] || det_rule(y, g[1], d); }

static double det_flops(const ag_tensor *y) {
    return (double)ag_size(ag_in(y, 0)) * (double)ag_dim(ag_in(y, 0), -1) * 2 / 3;
}

const ag_op ag__op_det = {
    .size = sizeof(ag_op),
    .name = "det",
    .arity = 1,
    .inputs = "a",
    .formula = "the determinant of a",
    .shape = det_shape,
    .run = det_run,
    .grad = det_grad,
    .flops = det_flops,
};

const ag_op ag__op_slogdet = {
    .size = sizeof(ag_op),
    .name = "slogdet",
    .arity = 1,
    .nout = 2,
    .inputs = "a",
    .formula = "the sign of det a, and ln |det a|",
    .shape = det_shape,
    .run = slogdet_run,
    .grad = slogdet_grad,
    .flops = det_flops,
};

ag_tensor *ag_det(ag_tensor *a) { return ag_apply(&ag__op_det, &a, 1, NULL); }

ag_tensor *ag_slogdet(ag_tensor *a, ag_tensor **logabsdet) {
    return ag__parts(ag_apply(&ag__op_slogdet, &a, 1, NULL), logabsdet);
}

static ag_tensor *logdet(ag_tensor *y) {
    ag_tensor *size, *sign = ag_slogdet(ag_in(y, 0), &size);
    return ag_where(ag_lt(sign, ag__constant(sign, 0)), ag__constant(sign, (double)NAN), size);
}

AG__COMPOSED_BARE(logdet, 1, "ln det a, NaN where that is negative", logdet, .inputs = "a");

ag_tensor *ag_logdet(ag_tensor *a) { return ag_apply(&ag__op_logdet, &a, 1, NULL); }
