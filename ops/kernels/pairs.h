/* pairs.h: folds of elements that carry two numbers each, on raw memory. */
#ifndef OPS_KERNELS_PAIRS_H
#define OPS_KERNELS_PAIRS_H

#include <stdint.h>

enum { AG__PAIR_TILE = 16 };

/* n rows, `stride` elements apart, of `width` ≤ AG__PAIR_TILE pairs into one row; stride 1 means width 1. b NULL: plain elements.
 * A pair stands for `count` elements, one in the last row for `last`. */
typedef void ag__pair_fn(const double *a, const double *b, int64_t n, int64_t stride, int64_t width, double count,
                         double last, double *ra, double *rb);

typedef struct ag__pairs {
    ag__pair_fn *moments; /* (mean, Σ (x − mean)²); b = 0 for plain elements */
    ag__pair_fn *log_sum; /* (m, Σ e^(x − m)), m the largest x, for infinite m Σ eˣ; b = 1 for plain elements */
} ag__pairs;

#endif
