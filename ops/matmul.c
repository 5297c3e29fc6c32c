/* matmul.c: the matrix product, over the last two axes of its operands and in batches over the others.
 *
 *     a (…, m, k) · b (…, k, n) → y (…, m, n)          y = Σ_p a[…, :, p] ⊗ b[…, p, :]
 *
 * Operands are read through their strides, so a transposed view costs no copy. y is cut into tiles that threads share;
 * the kernel's invariant (kernels/gemm.h) makes every element independent of the cut. Leading axes that walk through a while
 * b stands still are further rows of one larger product: (batch, time, k) · (k, n) is a single one. As in NumPy, a 1-d a is a
 * row and a 1-d b a column, whose axis of extent 1 the result does not have. */
#include <stdatomic.h>

#include "autograd/node.h"
#include "ops/batch.h"
#include "ops/caches.h"
#include "ops/isa.h"
#include "ops/matmul.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { CHUNK = 1 << 18 /* multiplications worth asking for another task, about 4 µs */ };

typedef struct job {
    const ag__gemm *gemm;
    ag__product product; /* of the first pair of matrices */
    ag__batch batch;
    const char *a, *b;
    char *y;
    int64_t element, matrix; /* bytes of an element, and of one matrix of y */
    int64_t tasks, chunk;    /* tiles of all pairs; how many a lane takes at once */
    char *work;
    atomic_llong next; /* first task that no lane has taken */
} job;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Innermost leading axes become rows where the next matrix of a begins one row below the last and b is the same. */
static void fold_rows(ag__product *p, ag__batch *s) {
    while (s->rank && s->b[s->rank - 1] == 0 && (p->m == 1 || s->a[s->rank - 1] == p->m * p->a.row)) {
        int axis = --s->rank;
        if (p->m == 1) p->a.row = s->a[axis];
        p->m *= s->dim[axis];
        s->count /= s->dim[axis];
    }
}

static void run_tasks(const job *j, int64_t begin, int64_t end, char *work) {
    ag__product p = j->product;
    for (int64_t last; begin < end; begin = last) {
        int64_t pair = begin / p.tiles, first = pair * p.tiles, a, b;
        last = least(first + p.tiles, end);
        ag__batch_at(&j->batch, pair, &a, &b);
        ag__product_set(&p, j->a + a * j->element, j->b + b * j->element, j->y + pair * j->matrix);
        j->gemm->run(&p, begin - first, last - first, work);
    }
}

/* A lane is a thread's share of memory. */
static void run_lanes(void *context, int64_t begin, int64_t end) {
    job *j = context;
    for (int64_t lane = begin; lane < end; lane++) {
        for (int64_t i; (i = atomic_fetch_add_explicit(&j->next, j->chunk, memory_order_relaxed)) < j->tasks;) {
            run_tasks(j, i, least(i + j->chunk, j->tasks), j->work + lane * j->product.work);
        }
    }
}

/* A 1-d x is a row or a column: both its strides are that of its elements. */
static ag__matrix matrix_of(const ag_tensor *x) {
    int last = x->shape->rank - 1;
    return (ag__matrix){x->data, ag__stride(x, last ? last - 1 : 0), ag__stride(x, last)};
}

static bool is_row(const ag_tensor *y) { return ag_rank(ag_in(y, 0)) == 1; }
static bool is_column(const ag_tensor *y) { return ag_rank(ag_in(y, 1)) == 1; }

/* Of the first pair of matrices. */
static void product_of(ag__product *p, ag_tensor *y, bool turned) {
    const ag_tensor *a = ag__in(y)[0], *b = ag__in(y)[1];
    const ag__shape *as = a->shape, *bs = b->shape;
    p->a = matrix_of(a), p->b = matrix_of(b), p->c = ag_out_data(y, 0);
    if (turned) p->b = (ag__matrix){p->b.data, p->b.col, p->b.row};
    p->m = as->rank > 1 ? as->dim[as->rank - 2] : 1, p->k = as->dim[as->rank - 1];
    p->n = p->c_row = bs->rank > 1 ? bs->dim[bs->rank - 1 - turned] : 1;
}

/* A single tile, as of every small product, where each step shows. */
static bool run_tile(ag_tensor *y, const ag__gemm *gemm, const ag__product *p) {
    double work = (double)p->m * (double)p->n * (double)p->k / CHUNK;
    void *own = NULL;
    if (work >= 2 && ag__product_splits(p)) return ag__product_split(y, gemm, p, work);
    if (p->work && !(own = ag_op_workspace(y, (size_t)p->work))) return false;
    gemm->run(p, 0, 1, own);
    return true;
}

static bool run_tiles(ag_tensor *y, job *j) {
    ag__product *p = &j->product;
    double each = (double)p->m * (double)p->n * (double)p->k;
    j->work = NULL;
    j->element = (int64_t)ag_dtype_size(ag_dtype_of(y)), j->matrix = p->m * p->n * j->element;
    j->chunk = each < CHUNK ? (int64_t)(CHUNK / (each + 1)) + 1 : 1;
    int64_t lanes = j->tasks <= j->chunk ? 1 : least((j->tasks - 1) / j->chunk + 1, ag_threads());
    if (p->work && !(j->work = ag_op_workspace(y, (size_t)lanes * (size_t)p->work))) return false;
    if (lanes == 1) {
        run_tasks(j, 0, j->tasks, j->work);
        return true;
    }
    atomic_init(&j->next, 0);
    ag__parallel_lanes((int)lanes, each * (double)j->batch.count / CHUNK, run_lanes, j);
    return true;
}

bool ag__matmul_into(ag_tensor *y, bool turned, bool add) {
    job j; /* not cleared: for the smallest matrices that would show */
    ag__product *p = &j.product;
    if (y->shape->size == 0) return true;
    if (y->dtype == AG_I64) return ag__matmul_i64(y, turned, add);
    j.gemm = y->dtype == AG_F64 ? ag__kernel()->gemm_f64 : ag__kernel()->gemm_f32;
    product_of(p, y, turned);
    p->add = add, p->lean = false;
    j.a = p->a.data, j.b = p->b.data, j.y = p->c; /* before the plan, which may turn the product round */
    ag__batch_start(&j.batch, ag__in(y)[0], ag__in(y)[1], y, y->shape->rank - !is_row(y) - !is_column(y));
    fold_rows(p, &j.batch);
    j.gemm->plan(p, ag__caches_here());
    p->work = (p->work + 63) / 64 * 64; /* a lane's begins with a cache line */
    j.tasks = j.batch.count * p->tiles;
    return j.tasks == 1 ? run_tile(y, j.gemm, p) : run_tiles(y, &j);
}

static bool matmul_run(ag_tensor *y) { return ag__matmul_into(y, false, false); }

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
