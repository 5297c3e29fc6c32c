/* linalg.h: factor one matrix, solve with one triangle, on raw memory and in one thread. */
#ifndef OPS_KERNELS_LINALG_H
#define OPS_KERNELS_LINALG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ag__linalg {
    /* l (n,n), row-major: lower, with l lᵀ = ½ (a + aᵀ) of the row-major a. Returns n, or the first pivot that is not
     * positive; its value then lies on the diagonal of l. */
    int64_t (*cholesky)(int64_t n, const void *a, void *l);
    /* d (n,n), row-major and symmetric: the gradient to a, of g's lower triangle, which arrived at l's. */
    void (*cholesky_back)(int64_t n, const void *l, const void *g, void *d);
    /* x (n,m), row-major: b on entry, t x = b after. t is the upper or lower triangle of the matrix at a, strides in elements. */
    void (*solve)(int64_t n, int64_t m, const void *a, int64_t row, int64_t col, bool upper, void *x);
} ag__linalg;

#endif
