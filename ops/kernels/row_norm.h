/* row_norm.h: rows brought to mean 0 and variance 1, then scaled and shifted, and the way back, on raw memory. */
#ifndef OPS_KERNELS_ROW_NORM_H
#define OPS_KERNELS_ROW_NORM_H

#include <stdbool.h>
#include <stdint.h>

/* Rows of n = k inner elements; element j of row r has the weight and the bias (r % period) k + j / inner:
 *
 *     layer norm, period 1, inner 1:  ▒▒▒▒▒▒▒▒ ← w[0] … w[n−1]     group norm:  row 0  ▒▒▒▒ ← w[0] │ ▒▒▒▒ ← w[1]
 *                                     ▒▒▒▒▒▒▒▒ ← the same          (period 2)   row 1  ▒▒▒▒ ← w[2] │ ▒▒▒▒ ← w[3]
 *                                                                               row 2  ▒▒▒▒ ← w[0] │ …            */
typedef struct ag__row_norm_job {
    int64_t rows, n, inner, period;
    const void *x, *g, *weight, *bias; /* weight, bias: NULL for 1 and 0 */
    void *out;                         /* y, or the gradient of x */
    double eps;
    bool centred; /* false: the mean counts as 0 (rms norm) */
    /* What `backward` adds the gradients of weight and bias to, k period elements each; NULL: unwanted. `scratch` has as
     * many bytes again. */
    double *dweight, *dbias, *scratch;
} ag__row_norm_job;

/* Of rows first ≤ r < last. Sums run in REAL over at most 1024 elements or 64 rows, then in double: their error does not grow
 * with n. f32 rows whose squares do not fit are done in double. */
typedef void ag__row_norm_fn(const ag__row_norm_job *j, int64_t first, int64_t last);

typedef struct ag__row_norm {
    ag__row_norm_fn *forward, *backward;
} ag__row_norm;

#endif
