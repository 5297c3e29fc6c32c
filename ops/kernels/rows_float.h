/* rows_float.h: template of the float loops: T, NAME(row) and F(function) are set by the file that includes it. */
#define K(v) ((T)(v))

/* Sine and its kin note that they met an element too large for the loop's arithmetic, and those are done once more by
 * themselves. out overlaps no input. */
#define LOOP1(name, value, R)                                                                  \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const T *u = in[0];                                                                    \
        R *y = out;                                                                            \
        unsigned any = 0;                                                                      \
        (void)p, (void)q;                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                      \
            unsigned *const wild = &any;                                                       \
            const T x = u[i];                                                                  \
            (void)wild;                                                                        \
            y[i] = (value);                                                                    \
        }                                                                                      \
        for (int64_t i = 0; any && i < n; i++) {                                               \
            unsigned one = 0, *wild = &one;                                                    \
            const T x = u[i];                                                                  \
            (void)wild;                                                                        \
            (void)(value);                                                                     \
            wild = NULL;                                                                       \
            if (one) y[i] = (value);                                                           \
        }                                                                                      \
    }
#define LOOP2(name, value, R)                                                                  \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const T *u = in[0], *v = in[1];                                                        \
        R *y = out;                                                                            \
        (void)p, (void)q;                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                      \
            const T a = u[i], b = v[i];                                                        \
            y[i] = (value);                                                                    \
        }                                                                                      \
    }
#define LOOP3(name, value, C, chosen)                                                          \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const C *w = in[0];                                                                    \
        const T *u = in[1], *v = in[2];                                                        \
        T *y = out;                                                                            \
        (void)p, (void)q;                                                                      \
        for (int64_t i = 0; i < n; i++) {                                                      \
            const T a = u[i], b = v[i];                                                        \
            const C c = chosen(w[i]);                                                          \
            y[i] = (value);                                                                    \
        }                                                                                      \
    }
#define AS_IS(v) (v)
#define AS_BOOL(v) ((v) != 0) /* a bool of foreign memory may be any byte */

#include "activation.h"

#define m_sin(x) f64_sin_noting(x, wild)
#define m_cos(x) f64_cos_noting(x, wild)
#define m_tan(x) f64_tan_noting(x, wild)
#define m_sinf(x) f32_sin_noting(x, wild)
#define m_cosf(x) f32_cos_noting(x, wild)
#define m_tanf(x) f32_tan_noting(x, wild)

#define F1(name, value, ...) LOOP1(name, value, T)
#define N1(name, value, ...) LOOP1(name, value, T)
#define P1(name, attribute, preset, other, value, ...) LOOP1(name, value, T)
#define Q1(name, first, preset, other, second, preset2, other2, value, ...) LOOP1(name, value, T)
#define S1(name, value, ...) LOOP1(name, value, T)
#define B1(name, value, ...) LOOP1(name, value, bool)
#define I1(...)
#define F2(name, value, ...) LOOP2(name, value, T)
#define N2(name, value, ...) LOOP2(name, value, T)
#define P2(name, attribute, preset, other, value, ...) LOOP2(name, value, T)
#define Q2(name, first, preset, other, second, preset2, other2, value, ...) LOOP2(name, value, T)
#define S2(name, value, ...) LOOP2(name, value, T)
#define C2(name, value, ...) LOOP2(name, value, bool)
#define I2(...)
#define F3(name, value, ...) LOOP3(name, value, T, AS_IS)
#define W3(name, value, ...) LOOP3(name, value, unsigned char, AS_BOOL)
#include "ops/elementwise.def"
#undef m_sin
#undef m_cos
#undef m_tan
#undef m_sinf
#undef m_cosf
#undef m_tanf
#undef LOOP1
#undef LOOP2
#undef LOOP3
#undef AS_IS
#undef AS_BOOL
#undef K
#undef T
#undef NAME
#undef F
