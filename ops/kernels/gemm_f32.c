/* gemm_f32.c: ag__gemm_f32, from gemm_tmpl.h. */
#include "ops/kernels/gemm.h"

#define REAL float
#define GEMM ag__gemm_f32
#include "ops/kernels/gemm_tmpl.h"
