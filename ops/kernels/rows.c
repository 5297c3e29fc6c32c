/* rows.c: one loop per row of elementwise.def and dtype. */
#include "ops/kernels/kernels.h"

#include "ops/kernels/math_f32.h"
#include "ops/kernels/math_f64.h"
#include "ops/kernels/math_normal.h"
#include "ops/kernels/special_bessel.h"
#include "ops/kernels/special_erfinv.h"
#include "ops/kernels/special_gamma.h"
#include "ops/kernels/special_quantile.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define APART static __attribute__((noinline))
#define W(v) ((uint64_t)(v))

/* Before a loop whose output overlaps no input: no second copy of it for when it does. */
#ifdef __clang__
#define INDEPENDENT
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

#define T float
#define NAME(row) row##_f32
#define F(fn) m_##fn##f
#include "rows_float.h"

#define T double
#define NAME(row) row##_f64
#define F(fn) m_##fn
#include "rows_float.h"

#include "rows_i64.h"

#include "rows_bool.h"

#define F1(name, ...) [AG__ROW_##name] = {{name##_f32, name##_f64}},
#define P1 F1
#define Q1 F1
#define F2 F1
#define P2 F1
#define Q2 F1
#define F3 F1
#define N1(name, ...) [AG__ROW_##name] = {{name##_f32, name##_f64, name##_i64}},
#define N2 N1
#define S1 N1
#define S2 N1
#define B1(name, ...) [AG__ROW_##name] = {{name##_f32, name##_f64, name##_i64, name##_bool}},
#define C2 B1
#define W3 B1
#define I1(name, ...) [AG__ROW_##name] = {{NULL, NULL, name##_i64, name##_bool}},
#define I2 I1
const ag__rows TABLE(rows) = {{
#include "ops/elementwise.def"
}};
