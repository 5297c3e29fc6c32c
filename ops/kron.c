/* kron.c: a ⊗ b, all products of an element of a with one of b, and its gradient.
 *
 *     a (m, p) ⊗ b (n, q):   y (m n, p q) is, row-major,  (m, n, p, q) of alternating places:   a's  b's  a's  b's
 *
 *     outer places, by an odometer ─▶ where a and b stand ─▶ a block of the last two: p ⊗ q
 *
 * The gradient reads g once for both operands. As y is linear in each, kron and kron_grad are what its own gradient is made of. */
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { PLACES = 2 * AG_MAX_RANK, PIECES = 8, GRAIN = 1 << 15 };

#define T float
#define NAME(f) f##_f32
#define PRODUCT(a, b) ((a) * (b))
#include "ops/kron_tmpl.h"
#define T double
#define NAME(f) f##_f64
#define PRODUCT(a, b) ((a) * (b))
#include "ops/kron_tmpl.h"
#define WHOLE
#define T int64_t
#define NAME(f) f##_i64
#define PRODUCT(a, b) ((int64_t)((uint64_t)(a) * (uint64_t)(b)))
#include "ops/kron_tmpl.h"

typedef struct walk {
    int count; /* outer places, the first outermost */
    bool of_b[PLACES];
    int64_t extent[PLACES], step[PLACES]; /* step: in the operand that the place is of */
    int64_t outer, rows, cols;
    bool turned; /* the columns are a's */
    ag_shape y;
} walk;

/* Neighbouring places of one operand are one place. */
static void add_place(walk *w, int64_t extent, bool of_b) {
    if (extent == 1) return;
    if (w->count && w->of_b[w->count - 1] == of_b) {
        w->extent[w->count - 1] *= extent;
        return;
    }
    w->extent[w->count] = extent;
    w->of_b[w->count++] = of_b;
}

static walk walk_of(const ag_tensor *a, const ag_tensor *b) {
    walk w = {.y = {.rank = ag_rank(ag_rank(a) > ag_rank(b) ? a : b)}, .outer = 1, .rows = 1, .cols = 1};
    int64_t beside[2] = {1, 1};
    for (int i = 0; i < w.y.rank; i++) {
        int p = i - (w.y.rank - ag_rank(a)), q = i - (w.y.rank - ag_rank(b));
        int64_t m = p < 0 ? 1 : ag_dim(a, p), n = q < 0 ? 1 : ag_dim(b, q);
        if (__builtin_mul_overflow(m, n, &w.y.dim[i])) w.y.dim[i] = INT64_MAX; /* which no tensor can have */
        add_place(&w, m, false);
        add_place(&w, n, true);
    }
    w.turned = w.count && !w.of_b[w.count - 1];
    if (w.count) w.cols = w.extent[--w.count];
    if (w.count) w.rows = w.extent[--w.count];
    beside[!w.turned] = w.cols, beside[w.turned] = w.rows;
    for (int i = w.count - 1; i >= 0; i--) {
        w.step[i] = beside[w.of_b[i]];
        beside[w.of_b[i]] *= w.extent[i];
        w.outer *= w.extent[i];
    }
    return w;
}

/* Where a and b stand in block i. */
static void stand(const walk *w, int64_t i, int64_t at[2]) {
    at[0] = at[1] = 0;
    for (int k = w->count - 1; k >= 0; k--) {
        at[w->of_b[k]] += i % w->extent[k] * w->step[k];
        i /= w->extent[k];
    }
}

typedef struct job {
    walk w;
    const char *a, *b, *g;
    char *y;
    double *d; /* of each piece: what a gets, then b */
    int64_t element, a_size, b_size, pieces;
    ag_dtype dtype;
} job;

static void multiply(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    int64_t block = j->w.rows * j->w.cols * j->element, at[2];
    for (int64_t i = begin; i < end; i++) {
        stand(&j->w, i, at);
        const char *a = j->a + at[0] * j->element, *b = j->b + at[1] * j->element;
        (j->dtype == AG_F32 ? multiply_f32
         : j->dtype == AG_F64
             ? multiply_f64
             : multiply_i64)(j->w.rows, j->w.cols, j->w.turned ? b : a, j->w.turned ? a : b, j->y + i * block);
    }
}

static void pass_back(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    int64_t block = j->w.rows * j->w.cols * j->element, size = j->a_size + j->b_size, at[2];
    for (int64_t piece = begin; piece < end; piece++) {
        double *d = j->d + piece * size;
        for (int64_t i = 0; i < size; i++) d[i] = 0;
        for (int64_t i = j->w.outer * piece / j->pieces; i < j->w.outer * (piece + 1) / j->pieces; i++) {
            stand(&j->w, i, at);
            const char *a = j->a + at[0] * j->element, *b = j->b + at[1] * j->element;
            double *da = d + at[0], *db = d + j->a_size + at[1];
            (j->dtype == AG_F32 ? pass_back_f32 : pass_back_f64)(j->w.rows, j->w.cols, j->g + i * block,
                                                                 j->w.turned ? b : a, j->w.turned ? a : b,
                                                                 j->w.turned ? db : da, j->w.turned ? da : db);
        }
    }
}

static job job_of(ag_tensor *y, int first) {
    ag_tensor *a = ag_in(y, first), *b = ag_in(y, first + 1);
    return (job){.w = walk_of(a, b),
                 .a = ag_op_dense(y, first),
                 .b = ag_op_dense(y, first + 1),
                 .dtype = ag_dtype_of(a),
                 .element = (int64_t)ag_dtype_size(ag_dtype_of(a)),
                 .a_size = ag_size(a),
                 .b_size = ag_size(b)};
}

static bool kron_shape(ag_tensor *y) {
    return ag__need_number(y, 0) && ag_need_same_dtype(y, 0, 1) &&
           ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), walk_of(ag_in(y, 0), ag_in(y, 1)).y);
}

static bool kron_run(ag_tensor *y) {
    if (ag_size(y) == 0) return true;
    job j = job_of(y, 0);
    j.y = ag_out_data(y, 0);
    if (!j.a || !j.b) return false;
    ag_parallel_for(j.w.outer, GRAIN / (j.w.rows * j.w.cols) + 1, multiply, &j);
    return true;
}

static bool kron_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_kron_grad(g[0], ag_in(y, 0), ag_in(y, 1), &d[1])) != NULL;
}

const ag_op ag__op_kron = {
    .size = sizeof(ag_op),
    .name = "kron",
    .arity = 2,
    .flags = AG_MULTILINEAR,
    .formula = "a[i] b[j] at [i n + j], on every axis",
    .shape = kron_shape,
    .run = kron_run,
    .grad = kron_rule,
};

ag_tensor *ag_kron(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_kron, (ag_tensor *[]){a, b}, 2, NULL); }

static bool kron_grad_shape(ag_tensor *y) {
    char g[AG__TEXT], a[AG__TEXT], b[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2)) return false;
    if (ag__same_shape(ag_shape_of(ag_in(y, 0)), walk_of(ag_in(y, 1), ag_in(y, 2)).y))
        return ag_out_like(y, 0, ag_in(y, 1)) && ag_out_like(y, 1, ag_in(y, 2));
    return ag_op_fail(y, AG_ERR_SHAPE, "%s is not the shape of %s ⊗ %s", ag_shape_text(ag_in(y, 0), g, sizeof g),
                      ag_shape_text(ag_in(y, 1), a, sizeof a), ag_shape_text(ag_in(y, 2), b, sizeof b));
}

/* The pieces' sums, in turn */
static void put_sums(const job *j, int64_t from, int64_t n, void *out) {
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < j->pieces; k++) sum += j->d[k * (j->a_size + j->b_size) + from + i];
        if (j->dtype == AG_F64) ((double *)out)[i] = sum;
        else ((float *)out)[i] = (float)sum;
    }
}

static bool kron_grad_run(ag_tensor *y) {
    job j = job_of(y, 1);
    bool none = ag_size(ag_in(y, 0)) == 0;
    int64_t most = ag_size(ag_in(y, 0)) / GRAIN + 1;
    if (none) j.w.outer = 0; /* sums of nothing: pass_back leaves the zeros */
    j.pieces = most < PIECES ? most : PIECES;
    j.g = none ? "" : ag_op_dense(y, 0);
    j.d = ag_op_workspace(y, (size_t)(j.pieces * (j.a_size + j.b_size) + 1) * sizeof *j.d);
    if (!j.d || !j.g || (!none && (!j.a || !j.b))) return false;
    ag_parallel_for(j.pieces, 1, pass_back, &j);
    put_sums(&j, 0, j.a_size, ag_out_data(y, 0));
    put_sums(&j, j.a_size, j.b_size, ag_out_data(y, 1));
    return true;
}

static ag_tensor *sum_of(ag_tensor *a, ag_tensor *b) { return a && b ? ag_add(a, b) : a ? a : b; }

/* u and v arrive at the gradients to a and b, G b and Gᵀ a for a matrix G of g's elements: ∂g = u ⊗ b + a ⊗ v, ∂a = G v,
 * ∂b = Gᵀ u. */
static bool kron_grad_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *a = ag_in(y, 1), *b = ag_in(y, 2), *u = g[0], *v = g[1];
    if (ag_wants(y, 0) && !(d[0] = sum_of(u ? ag_kron(u, b) : NULL, v ? ag_kron(a, v) : NULL))) return false;
    if (!ag_wants(y, 1) && !ag_wants(y, 2)) return true;
    ag_tensor *da = ag_kron_grad(ag_in(y, 0), u ? u : ag_zeros_like(a), v ? v : ag_zeros_like(b), &d[2]);
    if (v) d[1] = da;
    if (!u) d[2] = NULL;
    return da != NULL;
}

static double kron_grad_flops(const ag_tensor *y) { return 4 * (double)ag_size(ag_in(y, 0)); }

const ag_op ag__op_kron_grad = {
    .size = sizeof(ag_op),
    .name = "kron_grad",
    .arity = 3,
    .nout = 2,
    .inputs = "g a b",
    .formula = "the sums of g b to a, and of g a to b, over kron's products",
    .shape = kron_grad_shape,
    .run = kron_grad_run,
    .grad = kron_grad_rule,
    .flops = kron_grad_flops,
};

ag_tensor *ag_kron_grad(ag_tensor *g, ag_tensor *a, ag_tensor *b, ag_tensor **db) {
    return ag__parts(ag_apply(&ag__op_kron_grad, (ag_tensor *[]){g, a, b}, 3, NULL), db);
}
