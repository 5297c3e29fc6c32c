/* gemm_f32.c: the table of gemm.h for f32, from gemm_tmpl.h. */
#include "ops/kernels/kernels.h"

#define BITS 32
#include "ops/kernels/gemm_tmpl.h"

const ag__gemm TABLE(gemm_f32) = {plan, run};
