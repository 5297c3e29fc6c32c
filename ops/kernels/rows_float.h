/* rows_float.h: template of the float loops: T, WORD (unsigned, as wide as T), NAME(row) and F(function) are
 * set by the file that includes it. */
#define K(v) ((T)(v))

/* Cheap rows end with a loop of single elements. In the others, of many instructions, that would be a second copy of all of them:
 * their loops take whole steps only. Any other run they hand, with themselves, to NAME(steps), which does what is left as one more
 * step that ends where the run does, or on a copy of a run shorter than it. Compiled for size, loops are no vectors, and a step is
 * one element. */
#ifdef __OPTIMIZE_SIZE__
enum { NAME(STEP) = 1 };
#else
enum { NAME(STEP) = 64 / sizeof(T) };
#endif
#define WHOLE(n) ((n) & ~(int64_t)(NAME(STEP) - 1))

/* One element, as a step that has it everywhere: written as it will be read. */
APART void NAME(one)(const void *const in[], void *out, double p, double q, int inputs, ag__row_fn *row) {
    T few[3][NAME(STEP)];
    const void *const at[] = {few[0], few[1]};
    for (int k = 0; k < inputs; k++) {
        const T x = *(const T *)in[k];
        for (int j = 0; j < NAME(STEP); j++) few[k][j] = x;
    }
    row(NAME(STEP), at, few[2], p, q);
    *(T *)out = few[2][0];
}

/* Fewer elements than a step, as a step that has the first one beside them. */
APART void NAME(few)(int64_t n, const void *const in[], void *out, double p, double q, int inputs, ag__row_fn *row) {
    T few[3][NAME(STEP)];
    const void *const at[] = {few[0], few[1]};
    for (int k = 0; k < inputs; k++) {
        const T x = *(const T *)in[k];
        for (int j = 0; j < NAME(STEP); j++) few[k][j] = x;
        memcpy(few[k], in[k], (size_t)n * sizeof(T));
    }
    row(NAME(STEP), at, few[2], p, q);
    memcpy(out, few[2], (size_t)n * sizeof(T));
}

/* A run of n elements by a row of `inputs` inputs whose loop takes whole steps. out overlaps no input. */
APART void NAME(steps)(int64_t n, const void *const in[], void *out, double p, double q, int inputs, ag__row_fn *row) {
    const int64_t last = n - NAME(STEP);
    if (n == 1) {
        NAME(one)(in, out, p, q, inputs, row);
    } else if (last < 0) {
        NAME(few)(n, in, out, p, q, inputs, row);
    } else {
        const void *const at[] = {(const T *)in[0] + last, inputs > 1 ? (const T *)in[1] + last : NULL};
        row(WHOLE(n), in, out, p, q);
        row(NAME(STEP), at, (T *)out + last, p, q);
    }
}

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

/* Sine and its kin note that they met an element too large for the loop's arithmetic, and then all are done once more, each by
 * itself. */
#define STEPS1(name, value)                                                                    \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const T *u = in[0];                                                                    \
        T *y = out;                                                                            \
        if (WHOLE(n) != n) {                                                                   \
            NAME(steps)(n, in, out, p, q, 1, NAME(name));                                      \
            return;                                                                            \
        }                                                                                      \
        WORD any = 0;                                                                          \
        INDEPENDENT for (int64_t i = 0; i < WHOLE(n); i++) {                                   \
            WORD *const wild = &any;                                                           \
            const T x = u[i];                                                                  \
            (void)wild;                                                                        \
            y[i] = (value);                                                                    \
        }                                                                                      \
        for (int64_t i = 0; any && i < n; i++) {                                               \
            WORD *const wild = NULL;                                                           \
            const T x = u[i];                                                                  \
            (void)wild;                                                                        \
            y[i] = (value);                                                                    \
        }                                                                                      \
    }
#define STEPS2(name, value)                                                                    \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p, double q) { \
        const T *u = in[0], *v = in[1];                                                        \
        T *y = out;                                                                            \
        if (WHOLE(n) != n) {                                                                   \
            NAME(steps)(n, in, out, p, q, 2, NAME(name));                                      \
            return;                                                                            \
        }                                                                                      \
        INDEPENDENT for (int64_t i = 0; i < WHOLE(n); i++) {                                   \
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
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                          \
            const T a = u[i], b = v[i];                                                        \
            const C c = chosen(w[i]);                                                          \
            y[i] = (value);                                                                    \
        }                                                                                      \
    }
#define EACH(name, each, n, function)                                                              \
    static void NAME(name)(int64_t count, const void *const in[], void *out, double p, double q) { \
        (void)p, (void)q;                                                                          \
        ONCE_TABLE(special).NAME(each)(count, in, out, n, function);                               \
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
#define J2(...)
#define T2(name, row, ...) IN_TURN(NAME(name), NAME(row))
#define F3(name, value, ...) LOOP3(name, value, T, AS_IS)
#define W3(name, value, ...) LOOP3(name, value, unsigned char, AS_BOOL)
#define X1(name, function, n, ...) EACH(name, each1, n, function)
#define Y1(name, attribute, preset, other, function, ...) EACH(name, each1, p, function)
#define X2(name, function, n, ...) EACH(name, each2, n, function)
#define Y2(name, attribute, preset, other, function, ...) EACH(name, each2, p, function)
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
#undef EACH
#undef WHOLE
#undef AS_IS
#undef AS_BOOL
#undef K
#undef T
#undef NAME
#undef F
#undef WORD
