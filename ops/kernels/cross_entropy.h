/* cross_entropy.h: the cross-entropy of one row of c logits and its gradient, on raw memory. */
#ifndef OPS_KERNELS_CROSS_ENTROPY_H
#define OPS_KERNELS_CROSS_ENTROPY_H

#include <stdint.h>

typedef double ag__loss_fn(const void *row, int64_t c, int64_t label);
typedef void ag__loss_grad_fn(const void *row, int64_t c, int64_t label, double scale, void *out);

/* By dtype: f32, f64. */
typedef struct ag__cross_entropy {
    ag__loss_fn *loss[2];      /* ln Σ eˣ − x[label] */
    ag__loss_grad_fn *grad[2]; /* (eˣ / Σ eˣ − [j = label]) · scale */
} ag__cross_entropy;

#endif
