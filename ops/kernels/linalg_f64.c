/* linalg_f64.c: ag__linalg_f64, from linalg_tmpl.h. */
#include "ops/kernels/linalg.h"

#define REAL double
#define SQRT sqrt
#define LINALG ag__linalg_f64
#include "ops/kernels/linalg_tmpl.h"
