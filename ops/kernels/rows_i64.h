/* rows_i64.h: the integer loops, where a row has them. Arithmetic wraps around. */
#define I1(name, value)                                                              \
    static void name##_i64(int64_t n, const void *const in[], void *out, double p) { \
        const int64_t *u = in[0];                                                    \
        int64_t *y = out;                                                            \
        (void)p;                                                                     \
        for (int64_t i = 0; i < n; i++) {                                            \
            const int64_t x = u[i];                                                  \
            y[i] = (int64_t)(value);                                                 \
        }                                                                            \
    }
#define I2(name, value, R)                                                           \
    static void name##_i64(int64_t n, const void *const in[], void *out, double p) { \
        const int64_t *u = in[0], *v = in[1];                                        \
        R *y = out;                                                                  \
        (void)p;                                                                     \
        for (int64_t i = 0; i < n; i++) {                                            \
            const int64_t a = u[i], b = v[i];                                        \
            y[i] = (R)(value);                                                       \
        }                                                                            \
    }
#define I3(name, value)                                                                \
    static void name##_i64(int64_t n, const void *const in[], void *out, double p) {   \
        const unsigned char *w = in[0]; /* a bool of foreign memory may be any byte */ \
        const int64_t *u = in[1], *v = in[2];                                          \
        int64_t *y = out;                                                              \
        (void)p;                                                                       \
        for (int64_t i = 0; i < n; i++) {                                              \
            const bool c = w[i] != 0;                                                  \
            const int64_t a = u[i], b = v[i];                                          \
            y[i] = (value);                                                            \
        }                                                                              \
    }

#define F1(...)
#define P1(...)
#define F2(...)
#define N1(name, value, integer, ...) I1(name, integer)
#define N2(name, value, integer, ...) I2(name, integer, int64_t)
#define S1(name, value, integer, ...) I1(name, integer)
#define C2(name, value, ...) I2(name, value, bool)
#define W3(name, value, ...) I3(name, value)
#include "ops/elementwise.def"
#undef I1
#undef I2
#undef I3
