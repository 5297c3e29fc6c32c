/* linalg_f64.c: the table of linalg.h for f64, from linalg_tmpl.h. */
#include "ops/kernels/kernels.h"

#define REAL double
#define SQRT sqrt
#include "ops/kernels/linalg_tmpl.h"

const ag__linalg TABLE(linalg_f64) = {cholesky, cholesky_back, solve};
