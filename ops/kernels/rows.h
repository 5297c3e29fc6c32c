/* rows.h: the loops of the elementwise rows. in[] and out are row-major runs of n elements; p and q are the scalar
 * attributes. */
#ifndef AUTOGRAD_OPS_KERNELS_ROWS_H
#define AUTOGRAD_OPS_KERNELS_ROWS_H

#include <stdint.h>

typedef void ag__row_fn(int64_t n, const void *const in[], void *out, double p, double q);

typedef struct ag__row {
    ag__row_fn *loop[2]; /* by the dtype of the last input; NULL: not for this dtype */
} ag__row;

enum {
#define F1(name, ...) AG__ROW_##name,
#define N1 F1
#define P1 F1
#define Q1 F1
#define S1 F1
#define B1 F1
#define I1 F1
#define F2 F1
#define N2 F1
#define P2 F1
#define Q2 F1
#define S2 F1
#define C2 F1
#define I2 F1
#define J2 F1
#define F3 F1
#define X1 F1
#define Y1 F1
#define X2 F1
#define Y2 F1
#define W3 F1
#include "ops/elementwise.def"
    AG__ROW_COUNT
};

/* Of f32 and f64, or of i64 and bool */
typedef struct ag__rows {
    ag__row row[AG__ROW_COUNT];
} ag__rows;

#endif
