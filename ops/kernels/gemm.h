/* gemm.h: the matrix product on raw memory.
 *
 *     c[i][j] = Σ_p a[i][p] · b[p][j]      0 ≤ i < m, 0 ≤ j < n, 0 ≤ p < k
 *
 * Invariant: every element is 0 (or the old c, with `add`), to which its k products are added one after another in the
 * order of p. So its bits depend on neither the size of the matrix, nor its strides, nor where it was cut for threads. */
#ifndef OPS_KERNELS_GEMM_H
#define OPS_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

/* Element (i, j) lies at data + i row + j col, in elements; any strides. */
typedef struct ag__matrix {
    const void *data;
    int64_t row, col;
} ag__matrix;

/* c has unit column stride and overlaps neither a nor b. One thread; no memory but 7 KB of stack. */
typedef void ag__gemm_fn(int64_t m, int64_t n, int64_t k, ag__matrix a, ag__matrix b, void *c, int64_t row, bool add);

typedef struct ag__gemm {
    ag__gemm_fn *run;
} ag__gemm;

#endif
