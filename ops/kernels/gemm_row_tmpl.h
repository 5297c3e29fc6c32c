/* gemm_row_tmpl.h: the micro-kernels of HIGH rows; the highest ones also as copying ones. */
#define BROAD 1
#include "ops/kernels/gemm_width_tmpl.h"
#if VECS > 1
#define BROAD 2
#include "ops/kernels/gemm_width_tmpl.h"
#endif
#if VECS > 2
#define BROAD 3
#include "ops/kernels/gemm_width_tmpl.h"
#endif
#undef HIGH
