/* reduce.h: folds of many elements into one, on raw memory. */
#ifndef OPS_KERNELS_REDUCE_H
#define OPS_KERNELS_REDUCE_H

#include <stdint.h>

/* Folds n rows, `stride` elements apart, of `width` elements each into one; stride 1 means width 1. */
typedef void ag__fold_fn(const void *x, int64_t n, int64_t stride, int64_t width, void *out);

/* What is put between the elements, and what stands where there are none: 0, −∞, ∞, 1, false, true. i64 wraps around (its
 * smallest and largest number stand for the infinities); max and min are NaN if an element is. */
typedef enum ag__fold_kind { AG__SUM, AG__MAX, AG__MIN, AG__PROD, AG__ANY, AG__ALL, AG__FOLDS } ag__fold_kind;

typedef struct ag__reduce {
    ag__fold_fn *fold[AG__FOLDS][4]; /* by dtype: f32, f64, i64, bool; NULL: not for this dtype */
} ag__reduce;

#endif
