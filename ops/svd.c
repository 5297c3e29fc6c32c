/* svd.c: singular values and vectors, by rotations of pairs of columns (one-sided Jacobi: Hestenes 1958; Demmel, Veselić 1992).
 *
 *     a, of a wide one aᵀ, (r,k) ─copy─▶ w, by columns ─ rotate pairs until all columns are orthogonal ─▶ w = U diag(S)
 *     the identity (k,k)         ────── v ────────────── the same rotations ────────────────────────────▶ V, a V = w
 *
 * Small singular values come out as exactly as the columns determine them, not relative to the largest. Single precision is worked
 * on in double. A singular value determines its two vectors up to a common sign, equal ones only the space of theirs: each column
 * of U has its largest component positive, what belongs to a singular value of 0 is any orthonormal completion. */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { SWEEPS = 60, GRAIN = 1 << 16 }; /* ten times what matrices take; multiplications worth waking a thread for */

/* One matrix: k columns of w (r) and v (k), unit vectors in the end but those of w that are 0, with their lengths. */
typedef struct factors {
    int64_t r, k;
    double *w, *v, *length;
} factors;

static double dot(const double *restrict a, const double *restrict b, int64_t n) {
    double sum[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (int j = 0; j < 4; j++) sum[j] += a[i + j] * b[i + j];
    }
    for (; i < n; i++) sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* a, b = c a − s b, s a + c b with τ = s / (1 + c): what is added is as small as the angle, and so is its rounding. */
static void rotate(double *restrict a, double *restrict b, int64_t n, double s, double tau) {
    for (int64_t i = 0; i < n; i++) {
        double x = a[i], y = b[i];
        a[i] = x - s * (y + tau * x), b[i] = y + s * (x - tau * y);
    }
}

/* All pairs of columns once: t is the tangent of the smaller angle that makes two orthogonal. Was any pair rotated? */
static bool sweep(const factors *f) {
    double small = DBL_EPSILON * sqrt((double)f->r), *square = f->length;
    bool any = false;
    for (int64_t p = 0; p < f->k; p++) square[p] = dot(f->w + p * f->r, f->w + p * f->r, f->r);
    for (int64_t p = 0; p < f->k; p++) {
        for (int64_t q = p + 1; q < f->k; q++) {
            double *a = f->w + p * f->r, *b = f->w + q * f->r, along = dot(a, b, f->r);
            if (fabs(along) <= small * sqrt(square[p]) * sqrt(square[q]) || square[p] == 0 || square[q] == 0) continue;
            double zeta = (square[q] - square[p]) / (2 * along);
            double t = copysign(1, zeta) / (fabs(zeta) + hypot(1, zeta)), c = 1 / sqrt(1 + t * t), s = c * t;
            rotate(a, b, f->r, s, s / (1 + c));
            rotate(f->v + p * f->k, f->v + q * f->k, f->k, s, s / (1 + c));
            square[p] = dot(a, a, f->r), square[q] = dot(b, b, f->r);
            any = true;
        }
    }
    return any;
}

/* Column j of w, which is 0, becomes a unit vector orthogonal to the others: of the axes' unit vectors the one furthest from them, less
 * its parts along them, twice, so that it is orthogonal to the last digit. */
static void complete(const factors *f, int64_t j) {
    double *x = f->w + j * f->r, most = -1;
    int64_t best = 0;
    for (int64_t axis = 0; axis < f->r; axis++) {
        double left = 1;
        for (int64_t i = 0; i < f->k; i++) left -= f->w[i * f->r + axis] * f->w[i * f->r + axis];
        if (left > most) most = left, best = axis;
    }
    x[best] = 1;
    for (int64_t i = 0; i < 2 * f->k; i++) {
        const double *u = f->w + i % f->k * f->r;
        double along = u == x ? 0 : dot(x, u, f->r);
        for (int64_t l = 0; l < f->r && along != 0; l++) x[l] -= along * u[l];
    }
    double length = sqrt(dot(x, x, f->r));
    for (int64_t l = 0; l < f->r; l++) x[l] /= length;
}

/* Are all finite? Then they are divided by 2^*exponent, so that squares neither overflow nor, of what matters, vanish. */
static bool scale(double *w, int64_t n, int *exponent) {
    double most = 0, none = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(w[i])), none += w[i] * 0;
    frexp(most, exponent);
    for (int64_t i = 0; i < n; i++) w[i] = ldexp(w[i], -*exponent);
    return none == 0;
}

static void factor(const factors *f) {
    int exponent = 0, sweeps = 0; /* frexp need not set that of an infinity */
    bool finite = scale(f->w, f->r * f->k, &exponent);
    for (int64_t i = 0; i < f->k * f->k; i++) f->v[i] = i % (f->k + 1) == 0;
    while (finite && sweep(f) && ++sweeps < SWEEPS) continue;
    for (int64_t j = 0; j < f->k; j++) {
        double *x = f->w + j * f->r, length = finite ? sqrt(dot(x, x, f->r)) : (double)NAN;
        f->length[j] = ldexp(length, exponent);
        for (int64_t i = 0; i < f->r && length != 0; i++) x[i] /= length;
        for (int64_t i = 0; i < f->k && !finite; i++) f->v[j * f->k + i] = length;
    }
    for (int64_t j = 0; j < f->k; j++) {
        if (f->length[j] == 0) complete(f, j);
    }
}

typedef struct job {
    const void *a;
    void *u, *s, *vh;
    int64_t m, n;
    bool f64;
    factors all; /* one behind the other */
} job;

static double load(const job *j, int64_t i) {
    return j->f64 ? ((const double *)j->a)[i] : (double)((const float *)j->a)[i];
}

static void store(const job *j, void *out, int64_t i, double v) {
    if (j->f64) ((double *)out)[i] = v;
    else ((float *)out)[i] = (float)v;
}

/* The place of the longest column, which then counts as no longer there; NaN, of all, in order. */
static int64_t longest(const factors *f, double *left) {
    int64_t best = 0;
    for (int64_t i = 1; i < f->k; i++) {
        if (left[i] > left[best] || left[best] == -1) best = i;
    }
    left[best] = -1;
    return best;
}

/* Matrix i: its results, longest columns first. */
static void write(const job *j, const factors *f, int64_t i) {
    bool wide = j->m < j->n;
    const double *us = wide ? f->v : f->w, *vs = wide ? f->w : f->v;
    for (int64_t c = 0; c < f->k; c++) {
        double length, sign = 1, most = 0;
        int64_t of = longest(f, f->length + f->k);
        const double *u = us + of * j->m, *v = vs + of * j->n;
        length = f->length[of];
        for (int64_t l = 0; l < j->m; l++) {
            if (fabs(u[l]) > most) most = fabs(u[l]), sign = copysign(1, u[l]);
        }
        store(j, j->s, i * f->k + c, length);
        for (int64_t l = 0; l < j->m; l++) store(j, j->u, (i * j->m + l) * f->k + c, sign * u[l]);
        for (int64_t l = 0; l < j->n; l++) store(j, j->vh, (i * f->k + c) * j->n + l, sign * v[l]);
    }
}

static void run_some(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    for (int64_t i = begin; i < end; i++) {
        factors f = j->all;
        f.w += i * f.r * f.k, f.v += i * f.k * f.k, f.length += i * 2 * f.k;
        for (int64_t l = 0; l < j->m * j->n; l++) {
            int64_t row = l / j->n, column = l % j->n;
            f.w[j->m < j->n ? row * f.r + column : column * f.r + row] = load(j, i * j->m * j->n + l);
        }
        factor(&f);
        memcpy(f.length + f.k, f.length, (size_t)f.k * sizeof *f.length);
        write(j, &f, i);
    }
}

static bool run(ag_tensor *y) {
    const ag_tensor *a = ag_in(y, 0);
    size_t k = (size_t)ag_dim(ag_out(y, 1), -1), values = (size_t)ag_size(ag_out(y, 1));
    if (values == 0) return true;
    job j = {.m = ag_dim(a, -2), .n = ag_dim(a, -1), .f64 = ag_dtype_of(a) == AG_F64, .a = ag_op_dense(y, 0)};
    j.u = ag_out_data(y, 0), j.s = ag_out_data(y, 1), j.vh = ag_out_data(y, 2);
    j.all = (factors){j.m < j.n ? j.n : j.m, (int64_t)k, NULL, NULL, NULL};
    j.all.w = ag_op_workspace(y, (size_t)ag_size(a) * sizeof(double));
    j.all.v = ag_op_workspace(y, values * k * sizeof(double));
    j.all.length = ag_op_workspace(y, 2 * values * sizeof(double));
    if (!j.a || !j.all.w || !j.all.v || !j.all.length) return false;
    double work = 30 * (double)j.all.r * (double)k * (double)k;
    ag_parallel_for((int64_t)(values / k), (int64_t)(GRAIN / work) + 1, run_some, &j);
    return true;
}

typedef struct svd_attrs {
    bool full_matrices;
} svd_attrs;

static const ag_attr_field fields[] = {{"full_matrices", AG_ATTR_BOOL, offsetof(svd_attrs, full_matrices), "false"}, {0}};

static bool shape(ag_tensor *y) {
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 2, AG_MAX_RANK)) return false;
    if (((const svd_attrs *)ag_attrs(y))->full_matrices)
        return ag_op_fail(y, AG_ERR_ARGUMENT,
                          "full_matrices is true; U has min(m, n) columns and Vᵀ as many rows: say false");
    ag_shape u = ag_shape_of(ag_in(y, 0)), s = u, vh = u;
    ag_dtype dtype = ag_dtype_of(ag_in(y, 0));
    int last = --s.rank;
    int64_t k = u.dim[last] < u.dim[last - 1] ? u.dim[last] : u.dim[last - 1];
    u.dim[last] = vh.dim[last - 1] = s.dim[last - 1] = k;
    return ag_out_shape(y, 0, dtype, u) && ag_out_shape(y, 1, dtype, s) && ag_out_shape(y, 2, dtype, vh);
}

static ag_tensor *turned(ag_tensor *x) { return ag_transpose(x, -1, -2); }

/* q / of, and 0 where both are: on the diagonal, and where equal singular values leave nothing undetermined. */
static ag_tensor *quotient(ag_tensor *q, ag_tensor *of) {
    ag_tensor *zero = ag__constant(q, 0), *none = ag_logical_and(ag_eq(q, zero), ag_eq(of, zero));
    return ag_div(q, ag_where(none, ag__constant(q, 1), of));
}

/* g − gᵀ of what arrives at a rotation of columns: uᵀ g less its transpose, NULL without g */
static ag_tensor *turning(ag_tensor *u, ag_tensor *g) {
    ag_tensor *along = g ? ag_matmul(turned(u), g) : NULL;
    return along ? ag_sub(along, turned(along)) : NULL;
}

/* What of g (n,k), at the columns of u, is orthogonal to them, divided by the singular values: (I − u uᵀ) g / s */
static ag_tensor *beyond(ag_tensor *u, ag_tensor *g, ag_tensor *s) {
    return ag_div(ag_sub(g, ag_matmul(u, ag_matmul(turned(u), g))), s);
}

/* With A = skew(Uᵀ gU), B = skew(Vᵀ gV), skew(X) = X − Xᵀ, and s_i, s_j a column and a row of singular values (Townsend 2016):
 *
 *     ∂a = U (A_ij s_j + s_i B_ij) / (s_j² − s_i²) Vᵀ + U diag(gS) Vᵀ + (I − U Uᵀ) gU / s Vᵀ + U ((I − V Vᵀ) gV / s)ᵀ
 *
 * Halves of A + B and A − B, p and q, make of the first fraction p / (s_j − s_i) + q / (s_j + s_i). p is 0 for whatever does not change
 * with the choice of signs and bases, such as a function of the singular values: then equal ones do no harm. */
static bool grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *u = ag_out(y, 0), *s = ag_unsqueeze(ag_out(y, 1), -2), *vh = ag_out(y, 2), *v = turned(vh);
    int64_t k = ag_dim(s, -1), m = ag_dim(u, -2), n = ag_dim(vh, -1);
    ag_tensor *a = turning(u, g[0]), *b = turning(v, g[2] ? turned(g[2]) : NULL), *inner = NULL, *sum = NULL;
    if (a || b) {
        ag_tensor *p = ag_scale(a && b ? ag_add(a, b) : a ? a : b, 0.5);
        ag_tensor *q = a && b ? ag_scale(ag_sub(a, b), 0.5) : a ? p : ag_neg(p), *column = turned(s);
        inner = ag_add(quotient(p, ag_sub(s, column)), quotient(q, ag_add(s, column)));
    }
    if (g[1]) sum = ag_matmul(ag_mul(u, ag_unsqueeze(g[1], -2)), vh);
    if (inner) inner = ag_matmul(u, ag_matmul(inner, vh));
    sum = sum && inner ? ag_add(sum, inner) : sum ? sum : inner;
    if (g[0] && m > k) sum = ag_add(sum, ag_matmul(beyond(u, g[0], s), vh));
    if (g[2] && n > k) sum = ag_add(sum, ag_matmul(u, turned(beyond(v, turned(g[2]), s))));
    return (d[0] = sum) != NULL;
}

/* About eight sweeps of rotations */
static double flops(const ag_tensor *y) {
    double k = (double)ag_dim(ag_out(y, 1), -1);
    return 40 * (double)ag_size(ag_in(y, 0)) * k;
}

const ag_op ag__op_svd = {
    .size = sizeof(ag_op),
    .name = "svd",
    .arity = 1,
    .nout = 3,
    .inputs = "a",
    .attr_size = sizeof(svd_attrs),
    .attrs = fields,
    .formula = "U, S, Vᵀ with a = U diag(S) Vᵀ, S descending",
    .shape = shape,
    .run = run,
    .grad = grad,
    .flops = flops,
};

ag_tensor *ag_svd(ag_tensor *a, ag_tensor **s, ag_tensor **vh) {
    ag_tensor *y = ag_apply(&ag__op_svd, &a, 1, &(svd_attrs){false});
    if (s) *s = y ? ag_part(y, 1) : NULL;
    if (vh) *vh = y ? ag_part(y, 2) : NULL;
    return y ? ag_part(y, 0) : NULL;
}

static ag_tensor *svdvals(ag_tensor *y) {
    ag_tensor *s = NULL;
    return ag_svd(ag_in(y, 0), &s, NULL) ? s : NULL;
}

AG__COMPOSED_BARE(svdvals, 1, "singular values, descending", svdvals, .inputs = "a");

ag_tensor *ag_svdvals(ag_tensor *a) { return ag_apply(&ag__op_svdvals, &a, 1, NULL); }

typedef struct rank_attrs {
    double atol, rtol; /* NaN: not given */
} rank_attrs;

static const ag_attr_field rank_fields[] = {{"atol", AG_ATTR_F64, offsetof(rank_attrs, atol), "nan"},
                                            {"rtol", AG_ATTR_F64, offsetof(rank_attrs, rtol), "nan"},
                                            {0}};

static ag_tensor *matrix_rank(ag_tensor *y) {
    const rank_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *s = ag_svdvals(x);
    double most = fmax((double)ag_dim(x, -1), (double)ag_dim(x, -2));
    double eps = ag_dtype_of(x) == AG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    double rtol = !isnan(a->rtol) ? a->rtol : isnan(a->atol) ? most * eps : 0;
    if (s && ag_dim(s, -1) > 0) {
        ag_tensor *least = ag_maximum(ag_scale(ag_max(s, AG_AXES(-1), true), rtol), ag__constant(s, fmax(a->atol, 0)));
        s = ag_gt(s, least);
    }
    return ag_count_nonzero(s, AG_AXES(-1), false);
}

AG__COMPOSED_FLAT(matrix_rank, 1, sizeof(rank_attrs), rank_fields,
                  "how many singular values exceed max(atol, rtol times the largest)", matrix_rank, .inputs = "a");

ag_tensor *ag_matrix_rank(ag_tensor *a, double atol, double rtol) {
    return ag_apply(&ag__op_matrix_rank, &a, 1, &(rank_attrs){atol, rtol});
}
