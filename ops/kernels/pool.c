/* pool.c: the functions of pool.h for each dtype, from pool_tmpl.h. */
#include "ops/kernels/kernels.h"

#define T float
#define NAME(x) x##_f32
#include "ops/kernels/pool_tmpl.h"
#define T double
#define NAME(x) x##_f64
#include "ops/kernels/pool_tmpl.h"

const ag__pool TABLE(pool) = {.largest = {largest_f32, largest_f64}};
