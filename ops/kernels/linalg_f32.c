/* linalg_f32.c: the table of linalg.h for f32, from linalg_tmpl.h. */
#include "ops/kernels/kernels.h"

#define REAL float
#define SQRT sqrtf
#include "ops/kernels/linalg_tmpl.h"

const ag__linalg TABLE(linalg_f32) = {cholesky, cholesky_back, solve};
