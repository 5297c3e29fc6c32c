/* rows_i64.h: the integer loops, where a row has them. Arithmetic wraps around. */
#define LOOP1(name, value, R)                                                                  \
    static void name##_i64(int64_t n, const void *const in[], void *out, double p, double q) { \
        const int64_t *u = in[0];                                                              \
        R *y = out;                                                                            \
        (void)p, (void)q;                                                                      \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                          \
            const int64_t x = u[i];                                                            \
            (void)x;                                                                           \
            y[i] = (R)(value);                                                                 \
        }                                                                                      \
    }
#define LOOP2(name, value, R)                                                                  \
    static void name##_i64(int64_t n, const void *const in[], void *out, double p, double q) { \
        const int64_t *u = in[0], *v = in[1];                                                  \
        R *y = out;                                                                            \
        (void)p, (void)q;                                                                      \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                          \
            const int64_t a = u[i], b = v[i];                                                  \
            y[i] = (R)(value);                                                                 \
        }                                                                                      \
    }
#define LOOP3(name, value)                                                                     \
    static void name##_i64(int64_t n, const void *const in[], void *out, double p, double q) { \
        const unsigned char *w = in[0]; /* a bool of foreign memory may be any byte */         \
        const int64_t *u = in[1], *v = in[2];                                                  \
        int64_t *y = out;                                                                      \
        (void)p, (void)q;                                                                      \
        INDEPENDENT for (int64_t i = 0; i < n; i++) {                                          \
            const bool c = w[i] != 0;                                                          \
            const int64_t a = u[i], b = v[i];                                                  \
            y[i] = (value);                                                                    \
        }                                                                                      \
    }

/* What is left of a divided by b, with the sign of a; the quotient, rounded down. Both 0 for b = 0; b = −1 would overflow. */
static inline int64_t mod_i64(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
static inline int64_t floor_div_i64(int64_t a, int64_t b) {
    if (b == 0 || b == -1) return b ? (int64_t)(0 - W(a)) : 0;
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* a / 2ᵇ, 0 ≤ b < 64, rounded down: C leaves open what >> makes of a sign. */
static inline uint64_t shift_right_i64(int64_t a, int64_t b) { return a < 0 ? ~(~W(a) >> b) : W(a) >> b; }

/* The size of the smallest number, 2⁶³, and a multiple too large wrap around. */
static inline uint64_t size_i64(int64_t a) { return a < 0 ? 0 - W(a) : W(a); }
static inline uint64_t divisor_i64(int64_t a, int64_t b) {
    uint64_t m = size_i64(a), n = size_i64(b);
    while (n) {
        const uint64_t left = m % n;
        m = n;
        n = left;
    }
    return m;
}
static inline uint64_t multiple_i64(int64_t a, int64_t b) {
    return a ? size_i64(a) / divisor_i64(a, b) * size_i64(b) : 0;
}

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
#define N1(name, value, integer, ...) LOOP1(name, integer, int64_t)
#define S1(name, value, integer, ...) LOOP1(name, integer, int64_t)
#define B1(name, value, integer, ...) LOOP1(name, integer, bool)
#define I1(name, integer, ...) LOOP1(name, integer, int64_t)
#define N2(name, value, integer, ...) LOOP2(name, integer, int64_t)
#define S2(name, value, integer, ...) LOOP2(name, integer, int64_t)
#define C2(name, value, ...) LOOP2(name, value, bool)
#define T2(name, row, ...) IN_TURN(name##_i64, row##_i64)
#define I2(name, integer, ...) LOOP2(name, integer, int64_t)
#define J2 I2
#define W3(name, value, ...) LOOP3(name, value)
#include "ops/elementwise.def"
#undef LOOP1
#undef LOOP2
#undef LOOP3
