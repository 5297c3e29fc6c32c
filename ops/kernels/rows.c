/* rows.c: one loop per row of elementwise.def and float type. */
#include "ops/kernels/kernels.h"

#include "ops/kernels/math_f32.h"
#include "ops/kernels/math_f64.h"
#include "ops/kernels/math_normal.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define APART static __attribute__((noinline))

/* No vectors, and no code of its own for each width: special.h. */
#define SPECIAL1(name)                                                       \
    static double m_##name(double x) { return HALF_TABLE(special).name(x); } \
    static float m_##name##f(float x) { return (float)m_##name((double)x); }
#define SPECIAL2(name)                                                                    \
    static double m_##name(double x, double n) { return HALF_TABLE(special).name(x, n); } \
    static float m_##name##f(float x, float n) { return (float)m_##name((double)x, (double)n); }
SPECIAL1(digamma)
SPECIAL1(erfinv)
SPECIAL2(polygamma)
SPECIAL2(iv)
SPECIAL2(ive)
SPECIAL2(spherical_jn)
static double m_gamma_slope(double a, double x, double n) { return HALF_TABLE(special).gamma_slope(a, x, n); }
static float m_gamma_slopef(float a, float x, float n) { return (float)m_gamma_slope((double)a, (double)x, (double)n); }

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
#define W3 F1
const ag__rows TABLE(rows) = {{
#include "ops/elementwise.def"
}};
