/* rows.c: one loop per row of elementwise.def and float type. */
#include "ops/kernels/kernels.h"

#include "ops/kernels/math_f32.h"
#include "ops/kernels/math_f64.h"
#include "ops/kernels/math_normal.h"
#include "ops/kernels/rows_turn.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define APART static __attribute__((noinline))

/* Functions without vectors, and code of their own for each width: special.h, integral.h. */
#define ONCE(function) ONCE_TABLE(special).function
#define HALF(function) HALF_TABLE(integral).function

#define T double
#define WORD uint64_t
#define NAME(row) row##_f64
#define F(fn) m_##fn
#include "rows_float.h"

/* A row of floats that is worked out in doubles: the loop of doubles, a tile at a time. */
APART void in_doubles(int64_t n, const void *const in[], void *out, int inputs, ag__row_fn *row) {
    enum { TILE = 128 };
    double wide[3][TILE];
    const void *const at[] = {wide[0], wide[1]};
    for (int64_t i = 0; i < n; i += TILE) {
        const int64_t count = n - i < TILE ? n - i : TILE;
        float *y = (float *)out + i;
        for (int k = 0; k < inputs; k++) {
            const float *x = (const float *)in[k] + i;
            for (int64_t j = 0; j < count; j++) wide[k][j] = (double)x[j];
        }
        row(count, at, wide[2], 0, 0);
        for (int64_t j = 0; j < count; j++) y[j] = (float)wide[2][j];
    }
}
#define IN_DOUBLES(name, inputs)                                                               \
    static void name##_f32(int64_t n, const void *const in[], void *out, double p, double q) { \
        (void)p, (void)q;                                                                      \
        in_doubles(n, in, out, inputs, name##_f64);                                            \
    }

#define T float
#define WORD uint32_t
#define NAME(row) row##_f32
#define F(fn) m_##fn##f
#define D1(name, ...) IN_DOUBLES(name, 1)
#define D2(name, ...) IN_DOUBLES(name, 2)
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
#define J2(...)
#define F3 F1
#define X1 F1
#define Y1 F1
#define X2 F1
#define Y2 F1
#define W3 F1
const ag__rows TABLE(rows) = {{
#include "ops/elementwise.def"
}};
