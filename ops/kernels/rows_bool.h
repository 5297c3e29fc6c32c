/* rows_bool.h: the loops over bools, where a row has them. A bool of foreign memory may be any byte. */
#define LOOP1(name, value)                                                                      \
    static void name##_bool(int64_t n, const void *const in[], void *out, double p, double q) { \
        const unsigned char *u = in[0];                                                         \
        bool *y = out;                                                                          \
        (void)p, (void)q;                                                                       \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                           \
            const bool x = u[i] != 0;                                                           \
            (void)x;                                                                            \
            y[i] = (value);                                                                     \
        }                                                                                       \
    }
#define LOOP2(name, value)                                                                      \
    static void name##_bool(int64_t n, const void *const in[], void *out, double p, double q) { \
        const unsigned char *u = in[0], *v = in[1];                                             \
        bool *y = out;                                                                          \
        (void)p, (void)q;                                                                       \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                           \
            const bool a = u[i] != 0, b = v[i] != 0;                                            \
            y[i] = (value);                                                                     \
        }                                                                                       \
    }
#define LOOP3(name, value)                                                                      \
    static void name##_bool(int64_t n, const void *const in[], void *out, double p, double q) { \
        const unsigned char *w = in[0], *u = in[1], *v = in[2];                                 \
        bool *y = out;                                                                          \
        (void)p, (void)q;                                                                       \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                           \
            const bool c = w[i] != 0, a = u[i] != 0, b = v[i] != 0;                             \
            y[i] = (value);                                                                     \
        }                                                                                       \
    }

#define F1(...)
#define N1(...)
#define P1(...)
#define Q1(...)
#define S1(...)
#define F2(...)
#define N2(...)
#define P2(...)
#define Q2(...)
#define S2(...)
#define F3(...)
#define J2(...)
#define X1(...)
#define Y1(...)
#define X2(...)
#define Y2(...)
#define B1(name, value, integer, boolean, ...) LOOP1(name, boolean)
#define I1(name, integer, boolean, ...) LOOP1(name, boolean)
#define C2(name, value, ...) LOOP2(name, value)
#define T2(name, row, ...) IN_TURN(name##_bool, row##_bool)
#define I2(name, integer, boolean, ...) LOOP2(name, boolean)
#define W3(name, value, ...) LOOP3(name, value)
#include "ops/elementwise.def"
#undef LOOP1
#undef LOOP2
#undef LOOP3
