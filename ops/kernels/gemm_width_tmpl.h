/* gemm_width_tmpl.h: the micro-kernels of HIGH rows and BROAD vectors. Where masks cost nothing, all are PART ones. */
#define COPY 0
#define PART MASKS
#define TILE TILE_NAME(plain, HIGH, BROAD)
#include "ops/kernels/gemm_tile_tmpl.h"
#undef TILE
#undef PART
#if LOADS_PART && !MASKS
#define PART 1
#define TILE TILE_NAME(part, HIGH, BROAD)
#include "ops/kernels/gemm_tile_tmpl.h"
#undef TILE
#undef PART
#endif
#undef COPY
#if HIGH == ROWS
#define COPY 1
#define PART MASKS
#define TILE TILE_NAME(copy, HIGH, BROAD)
#include "ops/kernels/gemm_tile_tmpl.h"
#undef TILE
#undef PART
#undef COPY
#endif
#undef BROAD
