/* gemm_row_tmpl.h: the micro-kernels of HIGH rows; the highest ones also as copying ones. */
#define BROAD 1
#include "ops/kernels/gemm_width_tmpl.h"
#define BROAD 2
#include "ops/kernels/gemm_width_tmpl.h"
#if VECS == 3
#define BROAD 3
#include "ops/kernels/gemm_width_tmpl.h"
#endif
#undef HIGH
