/* gemm.h: the matrix product on raw memory.
 *
 *     c[i][j] = Σ_p a[i][p] · b[p][j]      0 ≤ i < m, 0 ≤ j < n, 0 ≤ p < k
 *
 *         plan ─▶ tiles of c, memory one thread needs        run ─▶ some of the tiles
 *
 * Invariant: the order in which an element's products are added depends on the shape and the strides of the whole product,
 * never on the tile, the thread or the batch it is computed in: its k products are cut into blocks of `depth`, each is summed
 * from zero (so that the error does not grow with k), and the sums are added to 0, or to the old c, in turn. */
#ifndef OPS_KERNELS_GEMM_H
#define OPS_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

/* Element (i, j) lies at data + i row + j col, in elements; any strides. */
typedef struct ag__matrix {
    const void *data;
    int64_t row, col;
} ag__matrix;

typedef struct ag__product {
    int64_t m, n, k;
    ag__matrix a, b;
    void *c; /* unit column stride; overlaps neither a nor b */
    int64_t c_row;
    bool add;  /* to the old c */
    bool lean; /* work shall be at most 2 l1; a or its transpose has unit column stride */

    /* What plan adds. It may exchange a and b, and with them m and n: */
    bool turned; /* the rows below are columns of c: cᵀ = bᵀ aᵀ */
    bool dots;   /* elements are scalar products, both operands read along k */
    bool row;    /* c is a single wide row, past which the rows of b stream */
    bool direct; /* b is read where it lies */
    bool strips; /* a is copied first, tile by tile */
    int64_t depth;
    int64_t rows, cols, down, across; /* of a tile; tiles below and beside each other */
    int64_t tiles;
    int64_t work; /* bytes that one thread needs, often 0 */
} ag__product;

/* Bytes of data in the caches of one core. */
typedef struct ag__caches {
    int64_t l1, l2;
} ag__caches;

typedef struct ag__gemm {
    void (*plan)(ag__product *p, const ag__caches *caches);
    void (*run)(const ag__product *p, int64_t begin, int64_t end, void *work); /* tiles; work aligned to 64 bytes */
} ag__gemm;

/* The same product of other matrices. */
static inline void ag__product_set(ag__product *p, const void *a, const void *b, void *c) {
    p->a.data = p->turned ? b : a;
    p->b.data = p->turned ? a : b;
    p->c = c;
}

#endif
