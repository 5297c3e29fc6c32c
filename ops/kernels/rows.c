/* rows.c: one loop per row of elementwise.def and float type. */
#include "ops/kernels/kernels.h"

#include "ops/kernels/math_f32.h"
#include "ops/kernels/math_f64.h"
#include "ops/kernels/math_normal.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define APART static __attribute__((noinline))

/* Functions without vectors, and code of their own for each width: special.h, integral.h. */
#define ONCE(function) ONCE_TABLE(special).function
#define HALF(function) HALF_TABLE(integral).function

#define T float
#define WORD uint32_t
#define NAME(row) row##_f32
#define F(fn) m_##fn##f
#include "rows_float.h"

#define T double
#define WORD uint64_t
#define NAME(row) row##_f64
#define F(fn) m_##fn
#include "rows_float.h"

#define F1(name, ...) [AG__ROW_##name] = {{name##_f32, name##_f64}},
#define N1 F1
#define P1 F1
#define Q1 F1
#define S1 F1
#define B1 F1
#define I1(...)
#define F2 F1
#define N2 F1
#define P2 F1
#define Q2 F1
#define S2 F1
#define C2 F1
#define I2(...)
#define F3 F1
#define X1 F1
#define Y1 F1
#define X2 F1
#define Y2 F1
#define W3 F1
const ag__rows TABLE(rows) = {{
#include "ops/elementwise.def"
}};
