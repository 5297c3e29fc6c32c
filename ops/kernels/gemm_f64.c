/* gemm_f64.c: the table of gemm.h for f64, from gemm_tmpl.h. */
#include "ops/kernels/kernels.h"

#define BITS 64
#include "ops/kernels/gemm_tmpl.h"

const ag__gemm TABLE(gemm_f64) = {plan, run};
