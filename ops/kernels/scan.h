/* scan.h: a state that runs along an axis, on raw memory. */
#ifndef OPS_KERNELS_SCAN_H
#define OPS_KERNELS_SCAN_H

#include <stdint.h>

enum { AG__SCAN_TILE = 256 };

/* Columns of n rows, `step` elements apart (negative: from the last to the first), `width` ≤ AG__SCAN_TILE side by side. a:
 * the coefficients that belong to the second row, read by `linear`; of `others` a row that scales all, or NULL. */
typedef void ag__scan_fn(const void *a, const void *x, int64_t n, int64_t step, int64_t width, void *y);

/* By dtype: f32 and f64, which run in f64, and i64, which wraps around. */
typedef struct ag__scan {
    ag__scan_fn *sum[3], *product[3];
    ag__scan_fn *log_sum[2]; /* ln(e^y + e^x) */
    ag__scan_fn *linear[3];  /* a y + x */
    ag__scan_fn *others[3];  /* a times the product of all rows but this one */
} ag__scan;

#endif
