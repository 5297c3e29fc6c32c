/* ulp.c: how far the elementwise functions are from the truth, in units in the last place, and what an element costs.
 *
 *     ulp [--stride N] [--samples N] [OP …]
 *
 * An f32 function of one operand is tried at every N-th of all 2³² bit patterns (1: all of them) against libm's double function,
 * f64 and functions of two operands at N random values against libm's long double function. It measures one instruction set,
 * which AG_ISA chooses, and fails where a function is further off than its row allows. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "autograd/op.h"
#include "ops/ops.h"

typedef long double longer; /* 64 bits of mantissa or more, so that its own error shows only in the third digit */

typedef struct function {
    const char *op;
    int arity;
    double (*f64)(double a, double b);
    longer (*exact)(longer a, longer b);
    double limit[2];  /* f32, f64: in units in the last place */
    double low, high; /* where it is timed */
} function;

#define ONE(name)                                                            \
    static double name##_of(double a, double b) { return (void)b, name(a); } \
    static longer name##_exactly(longer a, longer b) { return (void)b, name##l(a); }
#define TWO(name)                                                      \
    static double name##_of(double a, double b) { return name(a, b); } \
    static longer name##_exactly(longer a, longer b) { return name##l(a, b); }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static longer sigmoidl(longer x) { return 1 / (1 + expl(-x)); }
static double gelu(double x) { return x * (0.5 * erfc(x * -0.70710678118654752)); }
static longer gelul(longer x) { /* erfc(z + e) = erfc z − 2 e^(−z²) e / √π, e what rounding took from z */
    longer h = 0.70710678118654752440084436210485L, z = -x * h, e = fmal(-x, h, -z);
    return x * (0.5L * (erfcl(z) - (e == e ? 1.1283791670955125739L * expl(-z * z) * e : 0)));
}
ONE(exp)
ONE(exp2)
ONE(expm1)
ONE(log)
ONE(log2)
ONE(log10)
ONE(log1p)
ONE(sqrt)
ONE(cbrt)
ONE(sin)
ONE(cos)
ONE(tan)
ONE(asin)
ONE(acos)
ONE(atan)
ONE(sinh)
ONE(cosh)
ONE(tanh)
ONE(asinh)
ONE(acosh)
ONE(atanh)
ONE(erf)
ONE(erfc)
ONE(sigmoid)
ONE(gelu)
TWO(pow)
TWO(atan2)
TWO(hypot)

#define ROW(name, arity, f32, f64, low, high) \
    { #name, arity, name##_of, name##_exactly, {f32, f64 }, low, high }
static const function functions[] = {
    ROW(exp, 1, 1.5, 1.5, -3, 3),     ROW(exp2, 1, 1.5, 1.5, -3, 3),    ROW(expm1, 1, 1.5, 1.5, -3, 3),
    ROW(log, 1, 1, 1, 0.1, 5),        ROW(log2, 1, 1, 1, 0.1, 5),       ROW(log10, 1, 1, 1, 0.1, 5),
    ROW(log1p, 1, 1.5, 1.5, -0.5, 5), ROW(sqrt, 1, 0.51, 0.51, 0.1, 5), ROW(cbrt, 1, 0.51, 1, -3, 3),
    ROW(sin, 1, 1.6, 1, -3, 3),       ROW(cos, 1, 1.6, 1, -3, 3),       ROW(tan, 1, 0.51, 2.3, -3, 3),
    ROW(asin, 1, 0.51, 2, -1, 1),     ROW(acos, 1, 0.51, 2, -1, 1),     ROW(atan, 1, 0.51, 2, -3, 3),
    ROW(sinh, 1, 0.51, 2, -3, 3),     ROW(cosh, 1, 0.51, 2, -3, 3),     ROW(tanh, 1, 2.5, 2.5, -3, 3),
    ROW(asinh, 1, 0.51, 2, -3, 3),    ROW(acosh, 1, 0.51, 2, 1, 4),     ROW(atanh, 1, 0.51, 2, -0.9, 0.9),
    ROW(erf, 1, 1.5, 1.5, -3, 3),     ROW(erfc, 1, 2.8, 3, -3, 3),      ROW(sigmoid, 1, 2.2, 2.2, -3, 3),
    ROW(gelu, 1, 3.4, 5, -3, 3),      ROW(pow, 2, 0.51, 1.2, 0.5, 3),   ROW(atan2, 2, 0.51, 2, -3, 3),
    ROW(hypot, 2, 0.51, 1.5, -3, 3),
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, BLOCK = 4096 };

static const double specials[] = {
    0,    -0.0,  1,      -1,     HUGE_VAL, -HUGE_VAL, (double)NAN, 2,      -2,  3,    -3,     0.5, -0.5, 1e-40, -1e-40,
    1e30, -1e30, 1e-310, 5e-324, 0x1p53,   0x1p-149,  88.8,        -104.5, 710, -746, 0x1p23, 33,  -33,  1e308, 1e5};
enum { SPECIALS = sizeof specials / sizeof *specials };

/* |y − truth| over the distance of neighbours at the truth; a wrong class or sign of zero is infinitely far. */
static double distance(double y, longer truth, bool single) {
    double nearest = single ? (double)(float)truth : (double)truth;
    if (isnan(y) || isnan(nearest)) return isnan(y) && isnan(nearest) ? 0 : HUGE_VAL;
    if (isinf(nearest) && isinf(y)) return (y > 0) == (nearest > 0) ? 0 : HUGE_VAL;
    if (isinf(y) || isinf(nearest)) {
        longer beyond = scalbnl(1, single ? 128 : 1024), last = scalbnl(1, single ? 104 : 971);
        longer u = isinf(y) ? (y > 0 ? beyond : -beyond) : (longer)y,
               v = isinf(nearest) && isinf(truth) ? (truth > 0 ? beyond : -beyond) : truth;
        return (double)(fabsl(u - v) / last);
    }
    if (nearest == 0 && y == 0 && !signbit(y) != !signbit(nearest)) return HUGE_VAL;
    int e;
    frexp(nearest, &e);
    int least = single ? -125 : -1021, digits = single ? 24 : 53;
    return (double)(fabsl((longer)y - truth) / scalbnl(1, (e < least ? least : e) - digits));
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t next(void) {
    static uint64_t s = 88172645463325252u;
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    return s * 0x9e3779b97f4a7c15u;
}

/* Any bit pattern, or one whose exponent is near that of 1. */
static double draw(bool single, bool near) {
    uint64_t b = next();
    if (single) {
        uint32_t u = (uint32_t)(b >> 32);
        float x;
        if (near) u = (u & 0x807fffff) | (uint32_t)(117 + (b & 15)) << 23;
        memcpy(&x, &u, sizeof x);
        return (double)x;
    }
    double x;
    if (near) b = (b & 0x800fffffffffffff) | (uint64_t)(1013 + (next() & 15)) << 52;
    memcpy(&x, &b, sizeof x);
    return x;
}

static union {
    float f32[BLOCK];
    double f64[BLOCK];
} operand[2];

typedef struct found {
    double worst, at[2];
} found;

/* Runs the op over `n` pairs and keeps the worst. */
static bool compare(const function *f, bool single, int n, const double *a, const double *b, found *worst) {
    ag_tape *t = ag_tape_new();
    ag_dtype dtype = single ? AG_F32 : AG_F64;
    for (int i = 0; i < n; i++) {
        if (single) {
            operand[0].f32[i] = (float)a[i], operand[1].f32[i] = (float)b[i];
        } else {
            operand[0].f64[i] = a[i], operand[1].f64[i] = b[i];
        }
    }
    ag_tensor *in[2] = {ag_wrap(t, dtype, &operand[0], AG_SHAPE(n), NULL, NULL),
                        ag_wrap(t, dtype, &operand[1], AG_SHAPE(n), NULL, NULL)};
    ag_tensor *y = ag_apply(ag_find_op(f->op), in, f->arity, NULL);
    for (int i = 0; y && i < n; i++) {
        longer truth = single && f->arity == 1 ? (longer)f->f64(a[i], b[i]) : f->exact((longer)a[i], (longer)b[i]);
        double d = distance(ag_at(y, i), truth, single);
        if (d > worst->worst) *worst = (found){d, {a[i], b[i]}};
    }
    if (!y) fprintf(stderr, "ulp: %s\n", ag_tape_message(t));
    ag_tape_free(t);
    return y != NULL;
}

/* Nanoseconds per element of a block that fits the first cache, the cost of a node included. */
static double cost(const function *f, bool single) {
    double best = HUGE_VAL;
    for (int i = 0; i < BLOCK; i++) {
        double x = f->low + (f->high - f->low) * i / BLOCK, y = f->high - (f->high - f->low) * i / BLOCK;
        if (single) {
            operand[0].f32[i] = (float)x, operand[1].f32[i] = (float)y;
        } else {
            operand[0].f64[i] = x, operand[1].f64[i] = y;
        }
    }
    ag_tape *t = ag_tape_new();
    ag_dtype dtype = single ? AG_F32 : AG_F64;
    ag_tensor *in[2] = {ag_wrap(t, dtype, &operand[0], AG_SHAPE(BLOCK), NULL, NULL),
                        ag_wrap(t, dtype, &operand[1], AG_SHAPE(BLOCK), NULL, NULL)};
    ag_mark here = ag_tape_mark(t);
    const ag_op *op = ag_find_op(f->op);
    for (int k = 0; k < 1000; k++) {
        double start = now();
        ag_apply(op, in, f->arity, NULL);
        double seconds = now() - start;
        if (seconds < best) best = seconds;
        ag_tape_rewind(t, here);
    }
    ag_tape_free(t);
    return 1e9 * best / BLOCK;
}

static bool try_all(const function *f, bool single, uint64_t stride, int64_t samples, found *worst) {
    static double a[BLOCK], b[BLOCK];
    int n = 0;
    bool good = true;
    for (int i = 0; i < SPECIALS * (f->arity == 1 ? 1 : SPECIALS); i++) {
        a[n] = specials[i % SPECIALS], b[n] = specials[i / SPECIALS];
        if (single) a[n] = (double)(float)a[n], b[n] = (double)(float)b[n];
        n++;
    }
    good = compare(f, single, n, a, b, worst);
    if (single && f->arity == 1) {
        for (uint64_t u = 0; good && u <= UINT32_MAX;) {
            for (n = 0; n < BLOCK && u <= UINT32_MAX; n++, u += stride) {
                float x;
                memcpy(&x, &(uint32_t){(uint32_t)u}, sizeof x);
                a[n] = (double)x, b[n] = 0;
            }
            good = compare(f, single, n, a, b, worst);
        }
        return good;
    }
    for (int64_t k = 0; good && k < samples; k += BLOCK) {
        for (n = 0; n < BLOCK; n++) a[n] = draw(single, n & 1), b[n] = draw(single, n & 2);
        good = compare(f, single, n, a, b, worst);
    }
    return good;
}

static bool wanted(const char *op, int n, char **names) {
    for (int i = 0; i < n; i++) {
        if (!strcmp(names[i], op)) return true;
    }
    return n == 0;
}

int main(int argc, char **argv) {
    uint64_t stride = 1;
    int64_t samples = 1 << 20;
    int at = 1, failures = 0;
    for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2) {
        if (!strcmp(argv[at], "--stride")) stride = strtoull(argv[at + 1], NULL, 10);
        if (!strcmp(argv[at], "--samples")) samples = strtoll(argv[at + 1], NULL, 10);
    }
    if (!stride) stride = 1;
    printf("| %-8s | f32: ulp | ns    | f64: ulp | ns    |\n|---|---|---|---|---|\n", ag_isa());
    for (int i = 0; i < FUNCTIONS; i++) {
        const function *f = &functions[i];
        if (!wanted(f->op, argc - at, argv + at)) continue;
        printf("| %-8s |", f->op);
        found worst[2] = {{0, {0, 0}}, {0, {0, 0}}};
        for (int k = 0; k < 2; k++) {
            bool good = try_all(f, k == 0, stride, samples, &worst[k]) && worst[k].worst <= f->limit[k];
            failures += !good;
            printf(" %8.3f | %5.2f |", worst[k].worst, cost(f, k == 0));
            if (!good)
                fprintf(stderr, "ulp: %s in %s is %g off at (%.17g, %.17g); %g is allowed\n", f->op, k ? "f64" : "f32",
                        worst[k].worst, worst[k].at[0], worst[k].at[1], f->limit[k]);
        }
        printf("\n");
        fflush(stdout);
    }
    return failures > 0;
}
