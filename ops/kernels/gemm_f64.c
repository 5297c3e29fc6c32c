/* gemm_f64.c: ag__gemm_f64, from gemm_tmpl.h. */
#include "ops/kernels/gemm.h"

#define REAL double
#define GEMM ag__gemm_f64
#include "ops/kernels/gemm_tmpl.h"
