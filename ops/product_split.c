/* product_split.c: a product of long sums and a small result, which is one tile, shared by threads along k.
 *
 *       k ─▶                          sum 0   sum 1   sum 2
 *     ┌──┬──┬──┐   ┌──┐ ┐
 *   m │  │  │  │ · ├──┤ │ k    ─▶     ┌──┐    ┌──┐    ┌──┐    ─▶    c = ((sum 0 + sum 1) + sum 2) …
 *     └──┴──┴──┘   ├──┤ │             └──┘    └──┘    └──┘
 *                  └──┘ ┘
 *
 * The kernel adds the sums of blocks of `depth` products in turn (kernels/gemm.h). Here each block's sum is written to a place
 * of its own, by whichever thread, and then they are added in the same turn: the result has the same bits. */
#include <stdatomic.h>

#include "autograd/node.h"
#include "ops/matmul.h"

enum { MOST = 1 << 20 /* elements of all sums */, GRAIN = 1 << 15 };

typedef struct job {
    const ag__gemm *gemm;
    const ag__product *p;
    int64_t element, size, blocks; /* bytes of an element; elements of c; blocks of k */
    char *sums, *work;
    atomic_llong next; /* first block that no lane has taken */
} job;

static void run_lanes(void *context, int64_t begin, int64_t end) {
    job *j = context;
    for (int64_t lane = begin; lane < end; lane++) {
        for (int64_t i; (i = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < j->blocks;) {
            ag__product p = *j->p;
            int64_t from = i * p.depth;
            p.a.data = (const char *)p.a.data + from * p.a.col * j->element;
            p.b.data = (const char *)p.b.data + from * p.b.row * j->element;
            p.k = p.k - from < p.depth ? p.k - from : p.depth;
            p.c = j->sums + i * j->size * j->element;
            p.add = false;
            j->gemm->run(&p, 0, p.tiles, j->work + lane * p.work);
        }
    }
}

#define ADD(T)                                                              \
    T *c = j->p->c;                                                         \
    const T *sum = (const T *)(const void *)j->sums;                        \
    for (int64_t e = begin; e < end && !j->p->add; e++) c[e] = sum[e];      \
    for (int64_t i = j->p->add ? 0 : 1; i < j->blocks; i++) {               \
        for (int64_t e = begin; e < end; e++) c[e] += sum[i * j->size + e]; \
    }

static void add_f32(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    ADD(float)
}

static void add_f64(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    ADD(double)
}

bool ag__product_splits(const ag__product *p) {
    int64_t blocks = (p->k - 1) / p->depth + 1;
    return p->tiles == 1 && blocks >= 4 && p->m * p->n <= MOST / blocks && ag_threads() > 1;
}

bool ag__product_split(ag_tensor *y, const ag__gemm *gemm, const ag__product *p, double work) {
    job j = {.gemm = gemm, .p = p, .element = (int64_t)ag_dtype_size(ag_dtype_of(y)), .size = p->m * p->n};
    j.blocks = (p->k - 1) / p->depth + 1;
    int64_t lanes = j.blocks < ag_threads() ? j.blocks : ag_threads();
    j.sums = ag_op_workspace(y, (size_t)(j.blocks * j.size * j.element));
    j.work = j.sums && p->work ? ag_op_workspace(y, (size_t)(lanes * p->work)) : j.sums;
    if (!j.work) return false;
    ag__parallel_lanes((int)lanes, work, run_lanes, &j);
    ag_parallel_for(j.size, GRAIN / j.blocks + 1, ag_dtype_of(y) == AG_F32 ? add_f32 : add_f64, &j);
    return true;
}
