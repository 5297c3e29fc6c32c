/* norm_f64.c: the table of norm.h for f64, from norm_tmpl.h. */
#include "ops/kernels/kernels.h"

#define REAL double
#include "ops/kernels/norm_tmpl.h"

const ag__norm TABLE(norm_f64) = {batch_norm};
