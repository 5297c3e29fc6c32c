/* matmul.c: the matrix product, over the last two axes of its operands and in batches over the others.
 *
 *     a (…, m, k) · b (…, k, n) → y (…, m, n)          y = Σ_p a[…, :, p] ⊗ b[…, p, :]
 *
 * Operands are read through their strides, so a transposed view costs no copy. y is cut into blocks that threads share;
 * the kernel's invariant (kernels/gemm.h) makes every element independent of the cut. Leading axes that walk through a while
 * b stands still are further rows of one larger product: (batch, time, k) · (k, n) is a single one. */
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

static ag__matrix matrix_of(const ag_tensor *x) { return (ag__matrix){ag_data(x), ag_stride(x, -2), ag_stride(x, -1)}; }

static bool matmul_run(ag_tensor *y) {
    const ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    if (ag_size(y) == 0) return true;
    product p; /* not cleared: for the smallest matrices that would show */
    p.gemm = ag_dtype_of(y) == AG_F64 ? ag__kernel()->gemm_f64->run : ag__kernel()->gemm_f32->run;
    p.a = matrix_of(a), p.b = matrix_of(b), p.y = ag_out_data(y, 0);
    p.m = ag_dim(y, -2), p.n = ag_dim(y, -1), p.k = ag_dim(a, -1);
    p.element = (int64_t)ag_dtype_size(ag_dtype_of(y));
    ag__batch_start(&p.batch, a, b, y);
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
    if (!ag__batch_shape(y, &s)) return false;
    if (ag_dim(a, -1) != ag_dim(b, -2)) {
        return ag_op_fail(y, AG_ERR_SHAPE, "inner sizes differ: %s · %s", ag_shape_text(a, left, sizeof left),
                          ag_shape_text(b, right, sizeof right));
    }
    s.dim[s.rank - 2] = ag_dim(a, -2);
    s.dim[s.rank - 1] = ag_dim(b, -1);
    return ag_out_shape(y, 0, ag_dtype_of(a), s);
}

/* (…, m, k) as one matrix of all its rows. */
static ag_tensor *rows_of(ag_tensor *x) {
    if (ag_rank(x) <= 2) return x;
    int64_t rows = 1;
    for (int i = 0; i < ag_rank(x) - 1; i++) rows *= ag_dim(x, i);
    return ag_reshape(x, AG_SHAPE(rows, ag_dim(x, -1)));
}

/* ∂a = g bᵀ, ∂b = aᵀ g. Where b is one matrix, its sum over the batch is the product of all rows at once. */
static bool matmul_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1), *gy = g[0];
    if (ag_wants(y, 0) && !(d[0] = ag_matmul(gy, ag_transpose(b, -1, -2)))) return false;
    if (!ag_wants(y, 1)) return true;
    if (ag_rank(b) == 2) {
        a = rows_of(a);
        gy = rows_of(gy);
    }
    return (d[1] = ag_matmul(ag_transpose(a, -1, -2), gy)) != NULL;
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

/* Would a and b, 1-d ones promoted, multiply? What else may be wrong with them the op itself says, of the operands as given. */
static bool promotes(const ag_tensor *a, const ag_tensor *b) {
    char left[AG__TEXT], right[AG__TEXT];
    if (!a || !b || ag_rank(a) < 1 || ag_rank(b) < 1 || ag_tape_of(a) != ag_tape_of(b)) return false;
    if (ag_dtype_of(a) != ag_dtype_of(b) || ag_dtype_of(a) > AG_F64) return false;
    if (ag_dim(a, -1) == ag_dim(b, ag_rank(b) == 1 ? 0 : -2)) return true;
    ag_tape_fail(ag_tape_of(a), AG_ERR_SHAPE, "matmul", "inner sizes differ: %s · %s",
                 ag_shape_text(a, left, sizeof left), ag_shape_text(b, right, sizeof right));
    return false;
}

/* NumPy's rule: a 1-d operand is a row (a) or a column (b), and its axis of extent 1 leaves the result again. */
ag_tensor *ag_matmul(ag_tensor *a, ag_tensor *b) {
    bool row = ag_rank(a) == 1, column = ag_rank(b) == 1;
    if ((row || column) && promotes(a, b)) {
        if (row) a = ag_reshape(a, AG_SHAPE(1, ag_dim(a, 0)));
        if (column) b = ag_reshape(b, AG_SHAPE(ag_dim(b, 0), 1));
    }
    ag_tensor *y = ag_apply(&ag__op_matmul, (ag_tensor *[]){a, b}, 2, NULL);
    if (!y || (!row && !column)) return y;
    ag_shape s = ag_shape_of(y);
    if (row) s.dim[s.rank - 2] = s.dim[s.rank - 1];
    s.rank -= row + column;
    return ag_reshape(y, s);
}
