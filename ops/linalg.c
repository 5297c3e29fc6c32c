/* linalg.c: triangles and what is made of them: tril, the Cholesky factor, triangular systems.
 *
 *     tril x      Cholesky: ½ (a + aᵀ) = L Lᵀ      solve: T x = b, T one triangle of a, or its transpose
 *     ■ · ·       The symmetric part is factored, not one triangle: for a symmetric a that is a itself, and the
 *     ■ ■ ·       gradient is then the symmetric matrix that an optimizer expects and that single elements of a
 *     ■ ■ ■       confirm when they are moved.
 *
 * Invariant: no rule reads a triangle that its op ignores, and none writes a gradient there. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ops/batch.h"
#include "ops/kernels/linalg.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { GRAIN = 1 << 16 }; /* multiplications worth waking a thread for */

static int64_t grain_of(double work) { return (int64_t)(GRAIN / (work + 1)) + 1; }

static const ag__linalg *kernels(const ag_tensor *y) {
    return ag_dtype_of(y) == AG_F64 ? ag__kernel()->linalg_f64 : ag__kernel()->linalg_f32;
}

/* tril */

typedef struct tril_attrs {
    int64_t diagonal;
} tril_attrs;

static const ag_attr_field tril_fields[] = {{"diagonal", AG_ATTR_I64, offsetof(tril_attrs, diagonal), "0"}, {0}};

static bool tril_shape(ag_tensor *y) {
    return ag__need_number(y, 0) && ag_need_rank(y, 0, 2, AG_MAX_RANK) && ag_out_like(y, 0, ag_in(y, 0));
}

static bool tril_run(ag_tensor *y) {
    int64_t rows = ag_dim(y, -2), cols = ag_dim(y, -1), diagonal = ((const tril_attrs *)ag_attrs(y))->diagonal;
    size_t element = ag_dtype_size(ag_dtype_of(y)), row = (size_t)cols * element;
    if (ag_size(y) == 0) return true;
    const char *x = ag_op_dense(y, 0);
    char *out = ag_out_data(y, 0);
    if (!x) return false;
    diagonal = diagonal < -rows ? -rows : diagonal > cols ? cols : diagonal;
    for (int64_t i = 0; i < ag_size(y) / cols; i++, x += row, out += row) {
        int64_t kept = i % rows + diagonal + 1;
        size_t bytes = (size_t)(kept < 0 ? 0 : kept > cols ? cols : kept) * element;
        memcpy(out, x, bytes);
        memset(out + bytes, 0, row - bytes);
    }
    return true;
}

static bool tril_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_tril(g[0], ((const tril_attrs *)ag_attrs(y))->diagonal)) != NULL;
}

const ag_op ag__op_tril = {
    .size = sizeof(ag_op),
    .name = "tril",
    .arity = 1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(tril_attrs),
    .attrs = tril_fields,
    .formula = "x[i][j] where j ≤ i + diagonal, else 0",
    .shape = tril_shape,
    .run = tril_run,
    .grad = tril_grad,
};

ag_tensor *ag_tril(ag_tensor *x, int64_t diagonal) {
    tril_attrs a = {diagonal};
    return ag_apply(&ag__op_tril, &x, 1, &a);
}

/* The lower triangle of p qᵀ, both (…,n,m). The upper right quarter of a large one is not multiplied. */
static ag_tensor *lower_product(ag_tensor *p, ag_tensor *q) {
    enum { LARGE = 16 };
    int64_t n = ag_dim(p, -2), half = n / 2;
    q = ag_transpose(q, -1, -2);
    if (n < LARGE) return ag_tril(ag_matmul(p, q), 0);
    ag_tensor *above = ag_matmul(ag_slice(p, -2, 0, half, 1), ag_slice(q, -1, 0, half, 1)),
              *below = ag_matmul(ag_slice(p, -2, half, AG_END, 1), q);
    if (!above || !below) return NULL;
    ag_shape s = ag_shape_of(above);
    s.dim[s.rank - 1] = n;
    return ag_tril(ag_concat((ag_tensor *[]){ag_unslice(above, s, -1, 0, half, 1), below}, 2, -2), 0);
}

/* cholesky */

typedef struct cholesky_attrs {
    bool upper;
} cholesky_attrs;

static const ag_attr_field cholesky_fields[] = {{"upper", AG_ATTR_BOOL, offsetof(cholesky_attrs, upper), "false"}, {0}};

static bool cholesky_plain(const ag_tensor *y) { return !((const cholesky_attrs *)ag_attrs(y))->upper; }

static ag_tensor *cholesky_compose(ag_tensor *y) {
    ag_tensor *l = ag_cholesky(ag_in(y, 0));
    return l && !cholesky_plain(y) ? ag_transpose(l, -1, -2) : l;
}

typedef struct factoring {
    const ag__linalg *kernels;
    const char *a;
    char *l;
    int64_t n, bytes; /* of one matrix */
    int64_t *reached; /* by each matrix: n, or its bad pivot */
} factoring;

static void factor(void *context, int64_t begin, int64_t end) {
    const factoring *f = context;
    for (int64_t i = begin; i < end; i++)
        f->reached[i] = f->kernels->cholesky(f->n, f->a + i * f->bytes, f->l + i * f->bytes);
}

static bool fail_pivot(ag_tensor *y, int64_t matrix, int64_t pivot) {
    int64_t n = ag_dim(y, -1), at = (matrix * n + pivot) * n + pivot;
    const void *l = ag_out_data(y, 0);
    double value = ag_dtype_of(y) == AG_F64 ? ((const double *)l)[at] : (double)((const float *)l)[at];
    char text[AG__TEXT], which[48] = "";
    if (ag_rank(y) > 2) snprintf(which, sizeof which, "matrix %lld of ", (long long)matrix);
    return ag_op_fail(y, AG_ERR_VALUE,
                      "%s%s is not positive definite: pivot %lld is %g; a multiple of the identity added to it helps",
                      which, ag_shape_text(ag_in(y, 0), text, sizeof text), (long long)pivot, value);
}

static bool cholesky_shape(ag_tensor *y) {
    return ag_need_float(y, 0) && ag__need_square(y, 0) && ag_out_like(y, 0, ag_in(y, 0));
}

static bool cholesky_run(ag_tensor *y) {
    if (ag_size(y) == 0) return true;
    factoring f = {.kernels = kernels(y), .a = ag_op_dense(y, 0), .l = ag_out_data(y, 0), .n = ag_dim(y, -1)};
    int64_t count = ag_size(y) / (f.n * f.n);
    f.bytes = f.n * f.n * (int64_t)ag_dtype_size(ag_dtype_of(y));
    f.reached = ag_op_workspace(y, (size_t)count * sizeof *f.reached);
    if (!f.a || !f.reached) return false;
    ag_parallel_for(count, grain_of((double)f.n * (double)f.n * (double)f.n / 3), factor, &f);
    for (int64_t i = 0; i < count; i++) {
        if (f.reached[i] < f.n) return fail_pivot(y, i, f.reached[i]);
    }
    return true;
}

static bool cholesky_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_cholesky_grad(g[0], y)) != NULL;
}

static double cholesky_flops(const ag_tensor *y) { return (double)ag_size(y) * (double)ag_dim(y, -1) / 3; }

const ag_op ag__op_cholesky = {
    .size = sizeof(ag_op),
    .name = "cholesky",
    .arity = 1,
    .inputs = "a",
    .attr_size = sizeof(cholesky_attrs),
    .attrs = cholesky_fields,
    .formula = "lower L with L Lᵀ = ½ (a + aᵀ); upper: Lᵀ",
    .compose = cholesky_compose,
    .plain = cholesky_plain,
    .shape = cholesky_shape,
    .run = cholesky_run,
    .grad = cholesky_rule,
    .flops = cholesky_flops,
};

ag_tensor *ag_cholesky(ag_tensor *a) { return ag_apply(&ag__op_cholesky, &a, 1, &(cholesky_attrs){false}); }

typedef struct passing_back {
    const ag__linalg *kernels;
    const char *g, *l;
    char *d;
    int64_t n, bytes; /* of one matrix */
} passing_back;

static void pass_back(void *context, int64_t begin, int64_t end) {
    const passing_back *p = context;
    for (int64_t i = begin; i < end; i++)
        p->kernels->cholesky_back(p->n, p->l + i * p->bytes, p->g + i * p->bytes, p->d + i * p->bytes);
}

static bool cholesky_grad_shape(ag_tensor *y) {
    return ag_need_float(y, 1) && ag__need_square(y, 1) && ag_need_same_dtype(y, 0, 1) && ag_need_same_shape(y, 0, 1) &&
           ag_out_like(y, 0, ag_in(y, 1));
}

static bool cholesky_grad_run(ag_tensor *y) {
    if (ag_size(y) == 0) return true;
    passing_back p = {kernels(y), ag_op_dense(y, 0), ag_op_dense(y, 1), ag_out_data(y, 0), .n = ag_dim(y, -1)};
    if (!p.g || !p.l) return false;
    p.bytes = p.n * p.n * (int64_t)ag_dtype_size(ag_dtype_of(y));
    ag_parallel_for(ag_size(y) / (p.n * p.n), grain_of((double)p.n * (double)p.n * (double)p.n / 3), pass_back, &p);
    return true;
}

/* Murray (2016), "Differentiation of the Cholesky decomposition": with X = Lᵀ tril(g),
 * ∂a = ½ L⁻ᵀ (Φ + Φᵀ) L⁻¹, Φ the lower triangle of X with its diagonal halved. Symmetric, so L⁻ᵀ may be applied twice. */
static ag_tensor *cholesky_grad_compose(ag_tensor *y) {
    ag_tensor *g = ag_in(y, 0), *l = ag_tril(ag_in(y, 1), 0);
    ag_tensor *x = lower_product(ag_transpose(l, -1, -2), ag_transpose(ag_tril(g, 0), -1, -2));
    ag_tensor *both = ag_add(x, ag_transpose(ag_tril(x, -1), -1, -2));
    ag_tensor *half = ag_solve_triangular(l, both, false, true);
    return ag_scale(ag_solve_triangular(l, ag_transpose(half, -1, -2), false, true), 0.5);
}

static double cholesky_grad_flops(const ag_tensor *y) { return 2 * cholesky_flops(y); }

/* Its gradient costs more than three times as much (tests/ops/cost.c): it goes through compose, for second derivatives only. */
const ag_op ag__op_cholesky_grad = {
    .size = sizeof(ag_op),
    .name = "cholesky_grad",
    .arity = 2,
    .inputs = "g l",
    .formula = "½ L⁻ᵀ (Φ + Φᵀ) L⁻¹, Φ the lower triangle of Lᵀ g with its diagonal halved",
    .shape = cholesky_grad_shape,
    .run = cholesky_grad_run,
    .compose = cholesky_grad_compose,
    .flops = cholesky_grad_flops,
};

ag_tensor *ag_cholesky_grad(ag_tensor *g, ag_tensor *l) {
    return ag_apply(&ag__op_cholesky_grad, (ag_tensor *[]){g, l}, 2, NULL);
}

/* solve_triangular */

typedef struct solve_attrs {
    bool upper, transpose;
    bool left, unitriangular; /* false: x T = b; true: the diagonal is not looked at, it counts as 1 */
} solve_attrs;

static const ag_attr_field solve_fields[] = {{"upper", AG_ATTR_BOOL, offsetof(solve_attrs, upper), "false"},
                                             {"transpose", AG_ATTR_BOOL, offsetof(solve_attrs, transpose), "false"},
                                             {"left", AG_ATTR_BOOL, offsetof(solve_attrs, left), "true"},
                                             {"unitriangular", AG_ATTR_BOOL, offsetof(solve_attrs, unitriangular), "false"},
                                             {0}};

static bool solve_plain(const ag_tensor *y) {
    const solve_attrs *s = ag_attrs(y);
    return s->left && !s->unitriangular;
}

/* x T = b is Tᵀ xᵀ = bᵀ. */
static ag_tensor *solve_compose(ag_tensor *y) {
    const solve_attrs *s = ag_attrs(y);
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    if (!ag_need_float(y, 0) || !ag__need_square(y, 0) || !ag_need_same_dtype(y, 0, 1) ||
        !ag_need_rank(y, 1, 2, AG_MAX_RANK))
        return NULL;
    if (s->unitriangular) {
        ag_tensor *one = ag_eye(ag_tape_of(a), ag_dtype_of(a), ag_dim(a, -1), -1);
        a = ag_add(s->upper ? ag_triu(a, 1) : ag_tril(a, -1), one);
    }
    if (s->left) return ag_solve_triangular(a, b, s->upper, s->transpose);
    return ag_transpose(ag_solve_triangular(a, ag_transpose(b, -1, -2), s->upper, !s->transpose), -1, -2);
}

typedef struct solving {
    const ag__linalg *kernels;
    const ag_tensor *b;
    const char *a;
    char *x;
    int64_t n, m, row, col, element;
    bool upper;
    ag__batch batch;
} solving;

static void solve(void *context, int64_t begin, int64_t end) {
    const solving *s = context;
    int64_t row = ag_stride(s->b, -2), col = ag_stride(s->b, -1), a, b;
    for (int64_t i = begin; i < end; i++) {
        ag__batch_at(&s->batch, i, &a, &b);
        char *x = s->x + i * s->n * s->m * s->element;
        const char *from = (const char *)ag_data(s->b) + b * s->element;
        for (int64_t p = 0; p < s->n; p++) {
            for (int64_t q = 0; q < s->m; q++) {
                ag__copy_slab(x + (p * s->m + q) * s->element, from + (p * row + q * col) * s->element, (size_t)s->element);
            }
        }
        s->kernels->solve(s->n, s->m, s->a + a * s->element, s->row, s->col, s->upper, x);
    }
}

static bool solve_shape(ag_tensor *y) {
    const ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    char left[AG__TEXT], right[AG__TEXT];
    ag_shape s;
    if (!ag_need_float(y, 0) || !ag__need_square(y, 0) || !ag__batch_shape(y, 2, &s)) return false;
    if (ag_dim(a, -1) != ag_dim(b, -2)) {
        return ag_op_fail(y, AG_ERR_SHAPE, "a x = b needs as many rows in b as in a: %s, %s",
                          ag_shape_text(a, left, sizeof left), ag_shape_text(b, right, sizeof right));
    }
    s.dim[s.rank - 2] = ag_dim(b, -2);
    s.dim[s.rank - 1] = ag_dim(b, -1);
    return ag_out_shape(y, 0, ag_dtype_of(b), s);
}

static bool solve_run(ag_tensor *y) {
    const ag_tensor *a = ag_in(y, 0);
    const solve_attrs *attrs = ag_attrs(y);
    if (ag_size(y) == 0) return true;
    solving s = {.kernels = kernels(y), .a = ag_data(a), .b = ag_in(y, 1), .x = ag_out_data(y, 0)};
    s.n = ag_dim(y, -2), s.m = ag_dim(y, -1);
    s.element = (int64_t)ag_dtype_size(ag_dtype_of(y));
    s.row = ag_stride(a, attrs->transpose ? -1 : -2), s.col = ag_stride(a, attrs->transpose ? -2 : -1);
    s.upper = attrs->upper != attrs->transpose;
    ag__batch_start(&s.batch, a, s.b, y, ag_rank(y) - 2);
    ag_parallel_for(s.batch.count, grain_of((double)s.n * (double)s.n * (double)s.m / 2), solve, &s);
    return true;
}

/* T y = b: ∂b = T⁻ᵀ g and ∂T = −∂b yᵀ, of which T's triangle counts; for T = aᵀ both are turned over. Written so that the
 * triangle is always the lower one of p qᵀ. */
static bool solve_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const solve_attrs *s = ag_attrs(y);
    ag_tensor *db = ag_solve_triangular(ag_in(y, 0), g[0], s->upper, !s->transpose);
    if (ag_wants(y, 1)) d[1] = db;
    if (!ag_wants(y, 0)) return db != NULL;
    bool turned = s->transpose != s->upper;
    ag_tensor *p = turned ? y : db, *q = turned ? db : y;
    ag_tensor *triangle = lower_product(ag_neg(p), q);
    return (d[0] = s->upper ? ag_transpose(triangle, -1, -2) : triangle) != NULL;
}

static double solve_flops(const ag_tensor *y) { return (double)ag_size(y) * (double)ag_dim(y, -2); }

const ag_op ag__op_solve_triangular = {
    .size = sizeof(ag_op),
    .name = "solve_triangular",
    .arity = 2,
    .attr_size = sizeof(solve_attrs),
    .attrs = solve_fields,
    .formula = "x with T x = b, T a triangle of a (or of a, transposed); x T = b unless left",
    .compose = solve_compose,
    .plain = solve_plain,
    .shape = solve_shape,
    .run = solve_run,
    .grad = solve_grad,
    .flops = solve_flops,
};

ag_tensor *ag_solve_triangular(ag_tensor *a, ag_tensor *b, bool upper, bool transpose) {
    solve_attrs s = {upper, transpose, true, false};
    return ag_apply(&ag__op_solve_triangular, (ag_tensor *[]){a, b}, 2, &s);
}
