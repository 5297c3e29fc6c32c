/* gemm_dots.h: the scalar products of gemm_dot_tmpl.h, 1 … 4 rows by 1 or 2 columns, as far as sums fit the registers;
 * compiled for size, 1 or 2 rows by 1 column. */

/* The sum over the lanes: halves onto halves. Never inlined: that would be once for each element of each tile. */
static __attribute__((noinline)) REAL lanes_of(vec v) {
    REAL x[LANES];
    store(x, v);
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) x[i] += x[i + half];
    }
    return x[0];
}

#define TILE TILE_NAME(dot, HIGH, BROAD)
#define BROAD 1
#define HIGH 1
#include "ops/kernels/gemm_dot_tmpl.h"
#undef HIGH
#define HIGH 2
#include "ops/kernels/gemm_dot_tmpl.h"
#undef HIGH
#ifndef __OPTIMIZE_SIZE__
#define HIGH 3
#include "ops/kernels/gemm_dot_tmpl.h"
#undef HIGH
#define HIGH 4
#include "ops/kernels/gemm_dot_tmpl.h"
#undef HIGH
#undef BROAD
#define BROAD 2
#define HIGH 1
#include "ops/kernels/gemm_dot_tmpl.h"
#undef HIGH
#define HIGH 2
#include "ops/kernels/gemm_dot_tmpl.h"
#undef HIGH
#define HIGH 3
#include "ops/kernels/gemm_dot_tmpl.h"
#undef HIGH
#define HIGH 4
#include "ops/kernels/gemm_dot_tmpl.h"
#undef HIGH
#endif
#undef BROAD
#undef TILE

#ifdef __OPTIMIZE_SIZE__
enum { DOT_ROWS = 2, DOT_COLS = 1 };
static kernel *const dots[DOT_ROWS][DOT_COLS] = {{dot_1_1}, {dot_2_1}};
#else
enum { DOT_ROWS = 4, DOT_COLS = 2 };
static kernel *const dots[DOT_ROWS][DOT_COLS] = {
    {dot_1_1, dot_1_2}, {dot_2_1, dot_2_2}, {dot_3_1, dot_3_2}, {dot_4_1, dot_4_2}};
#endif
