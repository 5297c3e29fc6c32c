/* rows_float.h: template of the float loops: T, NAME(row) and F(function) are set by the file that includes it. */
#define K(v) ((T)(v))

/* Cheap rows end with a loop of single elements. In the others, of many instructions, that would be a second copy of all of them:
 * what is left after whole steps is done as one more step that ends where the run does, or on a copy of a run shorter than it. */
enum { NAME(STEP) = 64 / sizeof(T) };
#define WHOLE(n) ((n) & ~(int64_t)(NAME(STEP) - 1))

#define LOOP1(name, value, R)                                                                  \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const T *u = in[0];                                                                    \
        R *y = out;                                                                            \
        (void)p, (void)q;                                                                      \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                          \
            const T x = u[i];                                                                  \
            y[i] = (value);                                                                    \
        }                                                                                      \
    }
#define LOOP2(name, value, R)                                                                  \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const T *u = in[0], *v = in[1];                                                        \
        R *y = out;                                                                            \
        (void)p, (void)q;                                                                      \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                          \
            const T a = u[i], b = v[i];                                                        \
            y[i] = (value);                                                                    \
        }                                                                                      \
    }

/* Sine and its kin note that they met an element too large for the loop's arithmetic, and those are done once more by
 * themselves. out overlaps no input. */
#define STEPS1(name, value)                                                                    \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const T *u = in[0];                                                                    \
        T *y = out, few[NAME(STEP)];                                                           \
        unsigned any = 0;                                                                      \
        int64_t whole = WHOLE(n);                                                              \
        (void)p, (void)q;                                                                      \
        for (bool more = whole < n;; more = false, whole = NAME(STEP)) {                       \
            INDEPENDENT for (int64_t i = 0; i < whole; i++) {                                  \
                unsigned *const wild = &any;                                                   \
                const T x = u[i];                                                              \
                (void)wild;                                                                    \
                y[i] = (value);                                                                \
            }                                                                                  \
            if (!more) break;                                                                  \
            if (n < NAME(STEP)) u = NAME(take)(u, n, few), y = few;                            \
            else u += n - NAME(STEP), y += n - NAME(STEP);                                     \
        }                                                                                      \
        if (y == few) NAME(give)(few, n, out);                                                 \
        u = in[0], y = out;                                                                    \
        for (int64_t i = 0; any && i < n; i++) {                                               \
            unsigned one = 0, *wild = &one;                                                    \
            const T x = u[i];                                                                  \
            (void)wild;                                                                        \
            (void)(value);                                                                     \
            wild = NULL;                                                                       \
            if (one) y[i] = (value);                                                           \
        }                                                                                      \
    }
#define STEPS2(name, value)                                                                             \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) {          \
        const T *u = in[0], *v = in[1];                                                                 \
        T *y = out, few[2][NAME(STEP)];                                                                 \
        int64_t whole = WHOLE(n);                                                                       \
        (void)p, (void)q;                                                                               \
        for (bool more = whole < n;; more = false, whole = NAME(STEP)) {                                \
            INDEPENDENT for (int64_t i = 0; i < whole; i++) {                                           \
                const T a = u[i], b = v[i];                                                             \
                y[i] = (value);                                                                         \
            }                                                                                           \
            if (!more) break;                                                                           \
            if (n < NAME(STEP)) u = NAME(take)(u, n, few[0]), v = NAME(take)(v, n, few[1]), y = few[0]; \
            else u += n - NAME(STEP), v += n - NAME(STEP), y += n - NAME(STEP);                         \
        }                                                                                               \
        if (y == few[0]) NAME(give)(few[0], n, out);                                                    \
    }
#define LOOP3(name, value, C, chosen)                                                          \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const C *w = in[0];                                                                    \
        const T *u = in[1], *v = in[2];                                                        \
        T *y = out;                                                                            \
        (void)p, (void)q;                                                                      \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                          \
            const T a = u[i], b = v[i];                                                        \
            const C c = chosen(w[i]);                                                          \
            y[i] = (value);                                                                    \
        }                                                                                      \
    }
#define AS_IS(v) (v)
#define AS_BOOL(v) ((v) != 0) /* a bool of foreign memory may be any byte */

/* Fewer elements than a step, as a step: a single one everywhere, so that it is written as it will be read. */
static const T *NAME(take)(const T *x, int64_t n, T *few) {
    for (int k = 0; k < NAME(STEP); k++) few[k] = x[0];
    if (n > 1) memcpy(few, x, (size_t)n * sizeof(T));
    return few;
}

static void NAME(give)(const T *few, int64_t n, T *y) {
    if (n == 1) *y = *few;
    else memcpy(y, few, (size_t)n * sizeof(T));
}

#include "activation.h"

#define m_sin(x) f64_sin_noting(x, wild)
#define m_cos(x) f64_cos_noting(x, wild)
#define m_tan(x) f64_tan_noting(x, wild)
#define m_sinf(x) f32_sin_noting(x, wild)
#define m_cosf(x) f32_cos_noting(x, wild)
#define m_tanf(x) f32_tan_noting(x, wild)

#define F1(name, value, ...) STEPS1(name, value)
#define N1(name, value, ...) LOOP1(name, value, T)
#define P1(name, attribute, preset, other, value, ...) STEPS1(name, value)
#define Q1(name, first, preset, other, second, preset2, other2, value, ...) STEPS1(name, value)
#define S1(name, value, ...) LOOP1(name, value, T)
#define B1(name, value, ...) LOOP1(name, value, bool)
#define I1(...)
#define F2(name, value, ...) STEPS2(name, value)
#define N2(name, value, ...) LOOP2(name, value, T)
#define P2(name, attribute, preset, other, value, ...) STEPS2(name, value)
#define Q2(name, first, preset, other, second, preset2, other2, value, ...) STEPS2(name, value)
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
#undef STEPS1
#undef STEPS2
#undef WHOLE
#undef AS_IS
#undef AS_BOOL
#undef K
#undef T
#undef NAME
#undef F
