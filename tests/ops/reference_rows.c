/* reference_rows.c: arithmetic, steps and logic, element by element, in double. v holds the inputs, p and q the
 * attributes. */
#include <math.h>

#include "ops/reference.h"

#define ROW(name, expression)                                        \
    static double row_##name(const double v[], double p, double q) { \
        (void)v, (void)p, (void)q;                                   \
        return (expression);                                         \
    }
#define ENTRY(name) \
    { #name, NULL, false, row_##name, NULL }
#define EXACT(name) \
    { #name, NULL, true, row_##name, NULL }
#define WITH(name, attributes) \
    { #name, NULL, false, row_##name, attributes }

static double larger(double a, double b) { return isnan(a) || isnan(b) ? (double)NAN : a > b ? a : b; }

/* The largest integer whose product with b is not beyond a, by what dividing exactly leaves. */
static double floor_quotient(double a, double b) {
    long double left = fmodl(a, b), whole = rintl((a - left) / b);
    if (b == 0) return a / b;
    if (isinf(b) && isfinite(a)) return a == 0 || (a < 0) == (b < 0) ? 0 : -1;
    return (double)(left != 0 && (left < 0) != (b < 0) ? whole - 1 : whole);
}

static double modulo(double a, double b) {
    double left = fmod(a, b);
    return left != 0 && (left < 0) != (b < 0) ? left + b : left;
}

static double half_to_even(double x) {
    double down = floor(x), half = x - down;
    return half > 0.5 || (half == 0.5 && fmod(down, 2) != 0) ? down + 1 : down;
}

ROW(add, v[0] + v[1])
ROW(sub, v[0] - v[1])
ROW(mul, v[0] * v[1])
ROW(div, v[0] / v[1])
ROW(neg, -v[0])
ROW(scale, v[0] * p)
ROW(add_scalar, v[0] + p)
ROW(maximum, larger(v[0], v[1]))
ROW(minimum, -larger(-v[0], -v[1]))
ROW(maximum_grad, v[1] < v[2] ? 0 : v[1] == v[2] ? v[0] / 2 : v[0])
ROW(fmax, isnan(v[0]) ? v[1] : isnan(v[1]) ? v[0] : larger(v[0], v[1]))
ROW(fmin, isnan(v[0]) ? v[1] : isnan(v[1]) ? v[0] : -larger(-v[0], -v[1]))
ROW(floor_divide, floor_quotient(v[0], v[1]))
ROW(remainder, modulo(v[0], v[1]))
ROW(fmod, fmod(v[0], v[1]))
ROW(copysign, signbit(v[1]) ? -fabs(v[0]) : fabs(v[0]))
ROW(hypot,
    isinf(v[0]) || isinf(v[1]) ? (double)INFINITY : (double)sqrtl((long double)v[0] * v[0] + (long double)v[1] * v[1]))
ROW(abs, fabs(v[0]))
ROW(sign, isnan(v[0]) ? (double)NAN : v[0] > 0 ? 1 : v[0] < 0 ? -1 : 0)
ROW(floor, floor(v[0]))
ROW(ceil, -floor(-v[0]))
ROW(round, half_to_even(v[0]))
ROW(trunc, v[0] < 0 ? -floor(-v[0]) : floor(v[0]))
ROW(frac, isinf(v[0]) ? (double)NAN : fmod(v[0], 1))
ROW(heaviside, v[0] == 0 ? v[1] : v[0] > 0 ? 1 : 0)
ROW(clamp, isnan(v[0]) ? v[0] : fmin(fmax(v[0], p), q))
ROW(clamp_grad, v[1] >= p && v[1] <= q ? v[0] : 0)
ROW(bce, -(v[1] * larger(log(v[0]), -100) + (1 - v[1]) * larger(log1p(-v[0]), -100)))
ROW(bce_logits, (v[0] > 0 ? (1 - v[1]) * v[0] : -v[0] * v[1]) + log1p(exp(-fabs(v[0]))))
ROW(eq, v[0] == v[1])
ROW(ne, v[0] != v[1])
ROW(lt, v[0] < v[1])
ROW(le, v[0] <= v[1])
ROW(gt, v[0] > v[1])
ROW(ge, v[0] >= v[1])
ROW(same, isnan(v[0]) ? isnan(v[1]) != 0 : v[0] == v[1])
ROW(logical_and, v[0] != 0 ? v[1] != 0 : 0)
ROW(logical_or, v[0] != 0 ? 1 : v[1] != 0)
ROW(logical_xor, v[0] != 0 ? v[1] == 0 : v[1] != 0)
ROW(logical_not, v[0] == 0)
ROW(isnan, isnan(v[0]) != 0)
ROW(isinf, isinf(v[0]) != 0)
ROW(isfinite, isfinite(v[0]) != 0)
ROW(isposinf, v[0] > 0 && isinf(v[0]))
ROW(isneginf, v[0] < 0 && isinf(v[0]))
ROW(signbit, signbit(v[0]) != 0)
/* bools turn over, integers too, in two's complement */
static void run_bitwise_not(problem *p) {
    double *y = reference_out(p, 0, p->in[0].dtype, p->in[0].shape);
    for (int64_t i = 0; i < p->in[0].size; i++) y[i] = (p->in[0].dtype == AG_BOOL ? 1 : -1) - p->in[0].v[i];
}

ROW(bitwise_and, (double)((int64_t)v[0] & (int64_t)v[1]))
ROW(bitwise_or, (double)((int64_t)v[0] | (int64_t)v[1]))
ROW(bitwise_xor, (double)((int64_t)v[0] ^ (int64_t)v[1]))
ROW(bitwise_left_shift, v[0] * exp2(v[1]))
ROW(bitwise_right_shift, floor(v[0] / exp2(v[1])))
/* By trying all */
static double gcd(double a, double b) {
    double most = a > b ? a : b;
    for (double d = most; d > 0; d--) {
        if (fmod(a, d) == 0 && fmod(b, d) == 0) return d;
    }
    return 0;
}

ROW(gcd, gcd(v[0], v[1]))
ROW(lcm, v[0] * v[1] == 0 ? 0 : v[0] * v[1] / gcd(v[0], v[1]))
ROW(nextafter, nextafter(v[0], v[1]))
ROW(where, v[0] != 0 ? v[1] : v[2])

const reference references_rows[] = {
    ENTRY(add),
    ENTRY(bce),
    ENTRY(bce_logits),
    ENTRY(sub),
    ENTRY(mul),
    ENTRY(div),
    EXACT(neg),
    WITH(scale, "factor"),
    WITH(add_scalar, "term"),
    EXACT(maximum),
    EXACT(minimum),
    EXACT(maximum_grad),
    EXACT(fmax),
    EXACT(fmin),
    ENTRY(floor_divide),
    ENTRY(remainder),
    ENTRY(fmod),
    EXACT(copysign),
    ENTRY(hypot),
    EXACT(abs),
    EXACT(sign),
    EXACT(floor),
    EXACT(ceil),
    EXACT(round),
    EXACT(trunc),
    EXACT(frac),
    EXACT(heaviside),
    WITH(clamp, "min max"),
    WITH(clamp_grad, "min max"),
    EXACT(eq),
    EXACT(ne),
    EXACT(lt),
    EXACT(le),
    EXACT(gt),
    EXACT(ge),
    EXACT(same),
    EXACT(logical_and),
    EXACT(logical_or),
    EXACT(logical_xor),
    EXACT(logical_not),
    EXACT(isnan),
    EXACT(isinf),
    EXACT(isfinite),
    EXACT(isposinf),
    EXACT(isneginf),
    EXACT(signbit),
    {"bitwise_not", run_bitwise_not, true, NULL, NULL},
    EXACT(bitwise_and),
    EXACT(bitwise_or),
    EXACT(bitwise_xor),
    EXACT(bitwise_left_shift),
    EXACT(bitwise_right_shift),
    EXACT(gcd),
    EXACT(lcm),
    ENTRY(nextafter),
    EXACT(where),
    {NULL, NULL, false, NULL, NULL},
};
