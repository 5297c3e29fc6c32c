/* norm_f64.c: ag__batch_norm_f64, from norm_tmpl.h. */
#include "ops/kernels/norm.h"

#define REAL double
#define BATCH_NORM ag__batch_norm_f64
#include "ops/kernels/norm_tmpl.h"
