/* lu.h: what of P a = L U no product of matrices does, on raw memory and in one thread. */
#ifndef OPS_KERNELS_LU_H
#define OPS_KERNELS_LU_H

#include <stdbool.h>
#include <stdint.h>

enum { AG__LU_NARROW = 8 }; /* columns that are eliminated one by one */

typedef struct ag__lu {
    /* Columns k to k + AG__LU_NARROW of the n rows at t, `row` apart: each pivot is the largest below it, and its whole row of n
     * trades places, in `order` too; below it lies −L. Unless n is less, columns past n are left alone but looked at. Returns k + how
     * many, or the first column without a pivot but zeros, at which it went on; *odd changes with each trade. */
    int64_t (*panel)(double *t, int64_t n, int64_t row, int64_t k, int64_t *order, bool *odd);
    /* x (n,m), rows x_row apart: solved in place by the triangle of which −L is at t, with ones on the diagonal, or, upper, by
     * that of which the diagonal and minus the rest are. */
    void (*triangle)(int64_t n, int64_t m, const double *t, int64_t row, bool upper, double *x, int64_t x_row);
} ag__lu;

#endif
