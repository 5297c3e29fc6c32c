/* gemm_width_tmpl.h: the micro-kernels of HIGH rows and BROAD vectors. */
#define COPY 0
#define TILE TILE_NAME(plain, HIGH, BROAD)
#include "ops/kernels/gemm_tile_tmpl.h"
#undef TILE
#undef COPY
#if HIGH == ROWS
#define COPY 1
#define TILE TILE_NAME(copy, HIGH, BROAD)
#include "ops/kernels/gemm_tile_tmpl.h"
#undef TILE
#undef COPY
#endif
#undef BROAD
