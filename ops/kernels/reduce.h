/* reduce.h: folds of many elements into one, on raw memory. */
#ifndef OPS_KERNELS_REDUCE_H
#define OPS_KERNELS_REDUCE_H

#include <stdint.h>

/* Folds n rows, `stride` elements apart, of `width` elements each into one; stride 1 means width 1. */
typedef void ag__fold_fn(const void *x, int64_t n, int64_t stride, int64_t width, void *out);

/* By dtype: f32, f64, i64, bool; NULL: not for this dtype. */
typedef struct ag__reduce {
    ag__fold_fn *sum[4]; /* i64 wraps */
    ag__fold_fn *max[4]; /* NaN if any is */
} ag__reduce;

#endif
