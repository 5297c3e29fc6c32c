/* softmax.h: softmax, log-softmax and their gradients along lines of n > 0 elements that follow one another, on raw memory;
 * what logsumexp starts from; and the cross-entropy of rows of logits and its gradient. */
#ifndef OPS_KERNELS_SOFTMAX_H
#define OPS_KERNELS_SOFTMAX_H

#include <stdint.h>

/* Inputs a and b (the gradient and the value; softmax itself reads a alone), and the output. */
typedef void ag__softmax_fn(const void *a, const void *b, int64_t lines, int64_t n, void *out);

/* Of each of `width` ≤ AG__LOG_SUM_TILE columns of n > 0 rows, `stride` elements apart (stride 1: of one row of n): the largest
 * element m and Σ e^(x − m); where m is infinite, Σ eˣ. NaN is passed over by m and makes the sum NaN. */
enum { AG__LOG_SUM_TILE = 256 };
typedef void ag__log_sum_fn(const void *x, int64_t n, int64_t stride, int64_t width, double *most, double *sum);

/* Of rows of c > 0 logits; one whose label is `ignored` counts 0. */
typedef void ag__loss_fn(const void *x, int64_t rows, int64_t c, const int64_t *label, int64_t ignored, double *loss);
typedef void ag__loss_grad_fn(const void *x, int64_t rows, int64_t c, const int64_t *label, int64_t ignored,
                              double scale, void *out);

/* By dtype: f32, f64. */
typedef struct ag__softmax {
    ag__log_sum_fn *log_sum[2];
    ag__softmax_fn *softmax[2], *log_softmax[2];
    ag__softmax_fn *softmax_grad[2];     /* y (g − Σ g y) */
    ag__softmax_fn *log_softmax_grad[2]; /* g − e^y Σ g */
    ag__loss_fn *loss[2];                /* ln Σ eˣ − x[label] */
    ag__loss_grad_fn *loss_grad[2];      /* (eˣ / Σ eˣ − [j = label]) · scale */
} ag__softmax;

#endif
