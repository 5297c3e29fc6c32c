/* norm.h: batch normalisation on raw memory, in one thread. */
#ifndef OPS_KERNELS_NORM_H
#define OPS_KERNELS_NORM_H

#include <stdint.h>

/* x and y are (n, c, inner), row-major; weight and bias (NULL for 1 and 0),
 * mean and var (c). Channels first ≤ j < last:
 *     mean = Σ x / (n inner), var = Σ (x − mean)² / (n inner), y = (x − mean) weight / √(var + eps) + bias
 * Sums are taken in double, in an order that n and inner alone decide. Without elements mean and var are 0. */
typedef void ag__batch_norm_fn(int64_t n, int64_t c, int64_t inner, int64_t first, int64_t last, const void *x,
                               const void *weight, const void *bias, double eps, void *y, void *mean, void *var);

typedef struct ag__norm {
    ag__batch_norm_fn *batch_norm;
} ag__norm;

#endif
