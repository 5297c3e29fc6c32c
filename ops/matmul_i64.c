/* matmul_i64.c: the matrix product of integers, exact modulo 2⁶⁴ as all arithmetic of i64 is.
 *
 *     c[i, j] += a[i, p] b[p, j]     a task: ROWS rows of one matrix of c        b by blocks of DEEP × WIDE, which its rows share
 *
 * Where rows of b are runs of memory, the innermost loop adds a multiple of one to a row of c; else (b is turned) it adds up a
 * row of a times a column of b. Sums of integers do not depend on their order. */
#include "ops/batch.h"
#include "ops/matmul.h"

enum { ROWS = 16, DEEP = 64, WIDE = 256, WORK = 4096 /* multiplications worth sharing, about 4 µs */ };

typedef struct job {
    const uint64_t *a, *b;
    uint64_t *c;
    int64_t a_row, a_col, b_row, b_col; /* strides */
    int64_t m, n, k, tasks;             /* tasks of one pair */
    ag__batch batch;
    bool add; /* to what c holds */
} job;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Rows [i, last) of c, of b the block from (p, j). */
static void add_block(const job *w, const uint64_t *a, const uint64_t *b, uint64_t *c, int64_t i, int64_t last,
                      int64_t p, int64_t j) {
    int64_t deep = least(w->k - p, DEEP), wide = least(w->n - j, WIDE);
    b += p * w->b_row + j * w->b_col;
    for (; i < last; i++) {
        const uint64_t *row = a + i * w->a_row + p * w->a_col;
        uint64_t *to = c + i * w->n + j;
        for (int64_t q = 0; w->b_col == 1 && q < deep; q++) {
            uint64_t times = row[q * w->a_col];
            const uint64_t *from = b + q * w->b_row;
            for (int64_t l = 0; l < wide; l++) to[l] += times * from[l];
        }
        for (int64_t l = 0; w->b_col != 1 && l < wide; l++) {
            const uint64_t *column = b + l * w->b_col;
            uint64_t sum = 0;
            for (int64_t q = 0; q < deep; q++) sum += row[q * w->a_col] * column[q * w->b_row];
            to[l] += sum;
        }
    }
}

static void run_tasks(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    for (; begin < end; begin++) {
        int64_t pair = begin / w->tasks, first = begin % w->tasks * ROWS, last = least(first + ROWS, w->m), a, b;
        ag__batch_at(&w->batch, pair, &a, &b);
        uint64_t *c = w->c + pair * w->m * w->n;
        for (int64_t i = first * w->n; !w->add && i < last * w->n; i++) c[i] = 0;
        for (int64_t p = 0; p < w->k; p += DEEP) {
            for (int64_t j = 0; j < w->n; j += WIDE) add_block(w, w->a + a, w->b + b, c, first, last, p, j);
        }
    }
}

/* A 1-d operand is a row or a column: both its strides are that of its elements. */
bool ag__matmul_i64(ag_tensor *y, bool turned, bool add) {
    const ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    bool row = ag_rank(a) == 1, column = ag_rank(b) == 1;
    job w = {.a = ag_data(a), .b = ag_data(b), .c = ag_out_data(y, 0), .add = add};
    w.a_row = ag_stride(a, row ? -1 : -2), w.a_col = ag_stride(a, -1);
    w.b_row = ag_stride(b, turned || column ? -1 : -2), w.b_col = ag_stride(b, turned && !column ? -2 : -1);
    w.m = row ? 1 : ag_dim(a, -2), w.k = ag_dim(a, -1);
    w.n = column ? 1 : ag_dim(b, turned ? -2 : -1);
    w.tasks = (w.m - 1) / ROWS + 1;
    double each = 1 + (double)least(w.m, ROWS) * (double)w.n * (double)w.k;
    ag__batch_start(&w.batch, a, b, y, ag_rank(y) - !row - !column);
    ag_parallel_for(w.batch.count * w.tasks, 1 + (int64_t)(WORK / each), run_tasks, &w);
    return true;
}
