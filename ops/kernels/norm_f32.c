/* norm_f32.c: ag__batch_norm_f32, from norm_tmpl.h. */
#include "ops/kernels/norm.h"

#define REAL float
#define BATCH_NORM ag__batch_norm_f32
#include "ops/kernels/norm_tmpl.h"
