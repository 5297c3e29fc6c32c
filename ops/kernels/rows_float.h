/* rows_float.h: template of the float loops: T, NAME(row) and F(function) are set by the file that includes it. */
#define K(v) ((T)(v))

#define LOOP1(name, value)                                                           \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p) { \
        const T *u = in[0];                                                          \
        T *y = out;                                                                  \
        (void)p;                                                                     \
        for (int64_t i = 0; i < n; i++) {                                            \
            const T x = u[i];                                                        \
            y[i] = (value);                                                          \
        }                                                                            \
    }
#define LOOP2(name, value, R)                                                        \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p) { \
        const T *u = in[0], *v = in[1];                                              \
        R *y = out;                                                                  \
        (void)p;                                                                     \
        for (int64_t i = 0; i < n; i++) {                                            \
            const T a = u[i], b = v[i];                                              \
            y[i] = (value);                                                          \
        }                                                                            \
    }
#define LOOP3(name, value)                                                             \
    static void NAME(name)(int64_t n, const void *const in[], void *out, double p) {   \
        const unsigned char *w = in[0]; /* a bool of foreign memory may be any byte */ \
        const T *u = in[1], *v = in[2];                                                \
        T *y = out;                                                                    \
        (void)p;                                                                       \
        for (int64_t i = 0; i < n; i++) {                                              \
            const bool c = w[i] != 0;                                                  \
            const T a = u[i], b = v[i];                                                \
            y[i] = (value);                                                            \
        }                                                                              \
    }

#define F1(name, value, ...) LOOP1(name, value)
#define N1(name, value, ...) LOOP1(name, value)
#define P1(name, attribute, value, ...) LOOP1(name, value)
#define F2(name, value, ...) LOOP2(name, value, T)
#define N2(name, value, ...) LOOP2(name, value, T)
#define S1(name, value, ...) LOOP1(name, value)
#define C2(name, value, ...) LOOP2(name, value, bool)
#define W3(name, value, ...) LOOP3(name, value)
#include "ops/elementwise.def"
#undef LOOP1
#undef LOOP2
#undef LOOP3
#undef K
#undef T
#undef NAME
#undef F
