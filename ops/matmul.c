/* matmul.c: the matrix product, over the last two axes of its operands and in batches over the others.
 *
 *     a (…, m, k) · b (…, k, n) → y (…, m, n)          y = Σ_p a[…, :, p] ⊗ b[…, p, :]
 *
 * Operands are read through their strides, so a transposed view costs no copy. y is cut into blocks that threads share;
 * the kernel's invariant (kernels/gemm.h) makes every element independent of the cut. Leading axes that walk through a while
 * b stands still are further rows of one larger product: (batch, time, k) · (k, n) is a single one. As in NumPy, a 1-d a is a
 * row and a 1-d b a column, whose axis of extent 1 the result does not have. */
#include "ops/batch.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum {
    BLOCK_ROWS = 64,
    BLOCK_COLS = 256,
    GRAIN = 1 << 17 /* multiplications worth waking a thread for, about 10 µs */
};

typedef struct product {
    ag__gemm_fn *gemm;
    ag__matrix a, b;
    char *y;
    int64_t m, n, k, element;
    int64_t across, blocks; /* of one matrix of y: side by side, and all */
    ag__batch batch;
} product;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static ag__matrix part_of(ag__matrix x, int64_t elements, int64_t element) {
    x.data = (const char *)x.data + elements * element;
    return x;
}

static void multiply(void *context, int64_t begin, int64_t end) {
    const product *p = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t pair = i / p->blocks, block = i % p->blocks, a, b;
        int64_t row = block / p->across * BLOCK_ROWS, col = block % p->across * BLOCK_COLS;
        ag__batch_at(&p->batch, pair, &a, &b);
        p->gemm(least(BLOCK_ROWS, p->m - row), least(BLOCK_COLS, p->n - col), p->k,
                part_of(p->a, a + row * p->a.row, p->element), part_of(p->b, b + col * p->b.col, p->element),
                p->y + ((pair * p->m + row) * p->n + col) * p->element, p->n, false);
    }
}

/* Innermost leading axes become rows where the next matrix of a begins one row below the last and b is the same. */
static void fold_rows(product *p) {
    ag__batch *s = &p->batch;
    while (s->rank && s->b[s->rank - 1] == 0 && (p->m == 1 || s->a[s->rank - 1] == p->m * p->a.row)) {
        int axis = --s->rank;
        if (p->m == 1) p->a.row = s->a[axis];
        p->m *= s->dim[axis];
        s->count /= s->dim[axis];
    }
}

/* A 1-d x is a row or a column: both its strides are that of its elements. */
static ag__matrix matrix_of(const ag_tensor *x) {
    return (ag__matrix){ag_data(x), ag_stride(x, ag_rank(x) > 1 ? -2 : -1), ag_stride(x, -1)};
}

static bool is_row(const ag_tensor *y) { return ag_rank(ag_in(y, 0)) == 1; }
static bool is_column(const ag_tensor *y) { return ag_rank(ag_in(y, 1)) == 1; }

static bool matmul_run(ag_tensor *y) {
    const ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    if (ag_size(y) == 0) return true;
    product p; /* not cleared: for the smallest matrices that would show */
    p.gemm = ag_dtype_of(y) == AG_F64 ? ag__kernel()->gemm_f64->run : ag__kernel()->gemm_f32->run;
    p.a = matrix_of(a), p.b = matrix_of(b), p.y = ag_out_data(y, 0);
    p.m = is_row(y) ? 1 : ag_dim(a, -2), p.n = is_column(y) ? 1 : ag_dim(b, -1), p.k = ag_dim(a, -1);
    p.element = (int64_t)ag_dtype_size(ag_dtype_of(y));
    ag__batch_start(&p.batch, a, b, y, ag_rank(y) - !is_row(y) - !is_column(y));
    fold_rows(&p);
    p.across = (p.n - 1) / BLOCK_COLS + 1;
    p.blocks = ((p.m - 1) / BLOCK_ROWS + 1) * p.across;
    int64_t tasks = p.batch.count * p.blocks;
    if (tasks == 1) {
        p.gemm(p.m, p.n, p.k, p.a, p.b, p.y, p.n, false);
        return true;
    }
    double work = (double)least(p.m, BLOCK_ROWS) * (double)least(p.n, BLOCK_COLS) * (double)p.k;
    ag_parallel_for(tasks, (int64_t)(GRAIN / (work + 1)) + 1, multiply, &p);
    return true;
}

static bool matmul_shape(ag_tensor *y) {
    const ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    char left[AG__TEXT], right[AG__TEXT];
    ag_shape s;
    if (!ag__batch_shape(y, 1, &s)) return false;
    if (ag_dim(a, -1) != ag_dim(b, is_column(y) ? 0 : -2)) {
        return ag_op_fail(y, AG_ERR_SHAPE, "inner sizes differ: %s · %s", ag_shape_text(a, left, sizeof left),
                          ag_shape_text(b, right, sizeof right));
    }
    s.rank -= 2;
    if (!is_row(y)) s.dim[s.rank++] = ag_dim(a, -2);
    if (!is_column(y)) s.dim[s.rank++] = ag_dim(b, -1);
    return ag_out_shape(y, 0, ag_dtype_of(a), s);
}

/* (…, m, k) as one matrix of all its rows. */
static ag_tensor *rows_of(ag_tensor *x) {
    if (ag_rank(x) <= 2) return x;
    int64_t rows = 1;
    for (int i = 0; i < ag_rank(x) - 1; i++) rows *= ag_dim(x, i);
    return ag_reshape(x, AG_SHAPE(rows, ag_dim(x, -1)));
}

/* A vector with a vector or one matrix: ∂a = g b, b g or g ⊗ b, ∂b = g a, a ⊗ g or aᵀ g. */
static bool vector_grad(ag_tensor *y, ag_tensor *g, ag_tensor *d[]) {
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    bool row = is_row(y), column = is_column(y);
    if (ag_wants(y, 0)) {
        d[0] = row && column ? ag_mul(g, b)
               : row         ? ag_matmul(b, g)
                             : ag_mul(ag_reshape(g, AG_SHAPE(ag_dim(a, 0), 1)), b);
        if (!d[0]) return false;
    }
    if (!ag_wants(y, 1)) return true;
    d[1] = row && column ? ag_mul(g, a)
           : row         ? ag_mul(ag_reshape(a, AG_SHAPE(ag_dim(b, 0), 1)), g)
                         : ag_matmul(ag_transpose(a, 0, 1), g);
    return d[1] != NULL;
}

/* g with the axes of extent 1 that y lacks. */
static ag_tensor *as_matrices(ag_tensor *y, ag_tensor *g) {
    ag_shape s = ag_shape_of(g);
    int64_t m = is_row(y) ? 1 : ag_dim(ag_in(y, 0), -2), n = is_column(y) ? 1 : ag_dim(ag_in(y, 1), -1);
    if (!is_row(y) && !is_column(y)) return g;
    s.rank += is_row(y) + is_column(y);
    s.dim[s.rank - 2] = m;
    s.dim[s.rank - 1] = n;
    return ag_reshape(g, s);
}

/* ∂a = g bᵀ, ∂b = aᵀ g. Where b is one matrix, its sum over the batch is the product of all rows at once. */
static bool matmul_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    if ((is_row(y) || is_column(y)) && ag_rank(ag_in(y, 0)) <= 2 && ag_rank(ag_in(y, 1)) <= 2)
        return vector_grad(y, g[0], d);
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1), *gy = as_matrices(y, g[0]);
    if (gy && is_row(y)) a = ag_reshape(a, AG_SHAPE(1, ag_dim(a, 0)));
    if (gy && is_column(y)) b = ag_reshape(b, AG_SHAPE(ag_dim(b, 0), 1));
    if (!a || !b || !gy) return false;
    if (ag_wants(y, 0) && !(d[0] = ag_matmul(gy, ag_transpose(b, -1, -2)))) return false;
    if (!ag_wants(y, 1)) return true;
    if (ag_rank(b) == 2) {
        a = rows_of(a);
        gy = rows_of(gy);
    }
    d[1] = a && gy ? ag_matmul(ag_transpose(a, -1, -2), gy) : NULL;
    if (d[1] && is_column(y)) d[1] = ag_reshape(d[1], AG_SHAPE(ag_dim(b, 0)));
    return d[1] != NULL;
}

static double matmul_flops(const ag_tensor *y) { return 2 * (double)ag_size(y) * (double)ag_dim(ag_in(y, 0), -1); }

const ag_op ag__op_matmul = {
    .size = sizeof(ag_op),
    .name = "matmul",
    .arity = 2,
    .flags = AG_MULTILINEAR,
    .formula = "a b",
    .shape = matmul_shape,
    .run = matmul_run,
    .grad = matmul_grad,
    .flops = matmul_flops,
};

ag_tensor *ag_matmul(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_matmul, (ag_tensor *[]){a, b}, 2, NULL); }
