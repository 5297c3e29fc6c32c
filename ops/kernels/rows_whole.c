/* rows_whole.c: one loop per row of elementwise.def for i64 and for bool. */
#include "ops/kernels/kernels.h"

#include "ops/kernels/rows_turn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define W(v) ((uint64_t)(v))

#include "rows_i64.h"

#include "rows_bool.h"

#define F1(...)
#define P1(...)
#define Q1(...)
#define F2(...)
#define P2(...)
#define Q2(...)
#define F3(...)
#define X1(...)
#define Y1(...)
#define X2(...)
#define Y2(...)
#define N1(name, ...) [AG__ROW_##name] = {{name##_i64}},
#define N2 N1
#define S1 N1
#define S2 N1
#define J2 N1
#define B1(name, ...) [AG__ROW_##name] = {{name##_i64, name##_bool}},
#define C2 B1
#define I1 B1
#define I2 B1
#define W3 B1
const ag__rows TABLE(rows_whole) = {{
#include "ops/elementwise.def"
}};
