/* cross_entropy.h: the cross-entropy of rows of c > 0 logits and its gradient, on raw memory. A row whose label is `ignored`
 * counts 0. */
#ifndef OPS_KERNELS_CROSS_ENTROPY_H
#define OPS_KERNELS_CROSS_ENTROPY_H

#include <stdint.h>

typedef void ag__loss_fn(const void *x, int64_t rows, int64_t c, const int64_t *label, int64_t ignored, double *loss);
typedef void ag__loss_grad_fn(const void *x, int64_t rows, int64_t c, const int64_t *label, int64_t ignored,
                              double scale, void *out);

/* By dtype: f32, f64. */
typedef struct ag__cross_entropy {
    ag__loss_fn *loss[2];      /* ln Σ eˣ − x[label] */
    ag__loss_grad_fn *grad[2]; /* (eˣ / Σ eˣ − [j = label]) · scale */
} ag__cross_entropy;

#endif
