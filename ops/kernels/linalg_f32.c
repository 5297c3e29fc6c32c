/* linalg_f32.c: ag__linalg_f32, from linalg_tmpl.h. */
#include "ops/kernels/linalg.h"

#define REAL float
#define SQRT sqrtf
#define LINALG ag__linalg_f32
#include "ops/kernels/linalg_tmpl.h"
