/* norm_f32.c: the table of norm.h for f32, from norm_tmpl.h. */
#include "ops/kernels/kernels.h"

#define REAL float
#include "ops/kernels/norm_tmpl.h"

const ag__norm TABLE(norm_f32) = {batch_norm};
