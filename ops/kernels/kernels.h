/* kernels.h: one source, several instruction sets.
 *
 *     rows.c ─┬─ -DAG__ISA=baseline ──────────────▶ ag__kernels_rows_baseline
 *             ├─ -DAG__ISA=avx2 -mavx2 -mfma ─────▶ ag__kernels_rows_avx2         isa.c chooses once, at start
 *             └─ -DAG__ISA=avx512 -mavx512f … ────▶ ag__kernels_rows_avx512
 *
 * Every source beside this header is compiled once for each instruction set, and each object exports one symbol: a constant
 * table of functions, TABLE(file). Everything else in it is static, so that the linker never shares a wide instruction with
 * baseline code. A new file is one line in AG__KERNEL_FILES and a header that declares the type of its table. */
#ifndef OPS_KERNELS_KERNELS_H
#define OPS_KERNELS_KERNELS_H

#include "ops/kernels/best.h"
#include "ops/kernels/conv.h"
#include "ops/kernels/gemm.h"
#include "ops/kernels/integral.h"
#include "ops/kernels/linalg.h"
#include "ops/kernels/lu.h"
#include "ops/kernels/norm.h"
#include "ops/kernels/pairs.h"
#include "ops/kernels/pool.h"
#include "ops/kernels/random.h"
#include "ops/kernels/reduce.h"
#include "ops/kernels/row_norm.h"
#include "ops/kernels/rows.h"
#include "ops/kernels/scan.h"
#include "ops/kernels/softmax.h"
#include "ops/kernels/special.h"

/* What gains little from vectors of 512 bits is not compiled for them: the table that stands in for it is AVX2's. */
#define AG__HALF_2(isa) AG__HALF_##isa
#define AG__HALF(isa) AG__HALF_2(isa)
#define AG__HALF_avx512 avx2
#define AG__HALF_avx2 avx2
#define AG__HALF_baseline baseline
#define AG__HALF_neon neon
#define AG__HALF_

/* What calls libm and branches for each number gains nothing from vectors at all: it is compiled once. */
#define AG__ONCE_2(isa) AG__ONCE_##isa
#define AG__ONCE(isa) AG__ONCE_2(isa)
#define AG__ONCE_avx512 baseline
#define AG__ONCE_avx2 baseline
#define AG__ONCE_baseline baseline
#define AG__ONCE_neon neon
#define AG__ONCE_

/* X(isa, file, type of its table) */
#define AG__KERNEL_FILES(X, isa)             \
    X(isa, best, ag__bests)                  \
    X(AG__HALF(isa), conv_f32, ag__conv)     \
    X(AG__HALF(isa), conv_f64, ag__conv)     \
    X(isa, gemm_f32, ag__gemm)               \
    X(isa, gemm_f64, ag__gemm)               \
    X(AG__HALF(isa), integral, ag__integral) \
    X(AG__HALF(isa), linalg_f32, ag__linalg) \
    X(AG__HALF(isa), linalg_f64, ag__linalg) \
    X(AG__HALF(isa), lu, ag__lu)             \
    X(AG__HALF(isa), norm_f32, ag__norm)     \
    X(AG__HALF(isa), norm_f64, ag__norm)     \
    X(isa, pairs, ag__pairs)                 \
    X(AG__HALF(isa), pool, ag__pool)         \
    X(isa, random, ag__random)               \
    X(isa, reduce, ag__reduce)               \
    X(isa, row_norm_f32, ag__row_norm)       \
    X(isa, row_norm_f64, ag__row_norm)       \
    X(isa, rows, ag__rows)                   \
    X(AG__HALF(isa), rows_whole, ag__rows)   \
    X(AG__HALF(isa), scan, ag__scan)         \
    X(isa, softmax, ag__softmax)             \
    X(AG__ONCE(isa), special, ag__special)

/* The tables of one instruction set. */
typedef struct ag__kernels {
#define AG__FIELD(isa, file, type) const type *file;
    AG__KERNEL_FILES(AG__FIELD, )
#undef AG__FIELD
} ag__kernels;

#define AG__TABLE_2(file, isa) ag__kernels_##file##_##isa
#define AG__TABLE_1(file, isa) AG__TABLE_2(file, isa)

#ifdef AG__ISA /* inside a kernel */
#define TABLE(file) AG__TABLE_1(file, AG__ISA)
#define HALF_TABLE(file) AG__TABLE_1(file, AG__HALF(AG__ISA))
#define ONCE_TABLE(file) AG__TABLE_1(file, AG__ONCE(AG__ISA))
#define AG__DECLARE(isa, file, type) extern const type AG__TABLE_1(file, isa);
AG__KERNEL_FILES(AG__DECLARE, AG__ISA)
#undef AG__DECLARE

/* Before a loop whose output overlaps no input: no second copy of it for when it does. */
#ifdef __clang__
#define INDEPENDENT
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

/* a b + c of two floats or doubles, rounded once where the instruction set can. The compiler never contracts by itself. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FMA(a, b, c) _Generic((a) + (b) + (c), float : __builtin_fmaf, default : __builtin_fma)(a, b, c)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
#endif

#endif
