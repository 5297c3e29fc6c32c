/* reference_rows.c: elementwise operations, element by element, by libm in double. v holds the inputs, p the
 * attribute. */
#include <math.h>

#include "ops/reference.h"

#define ROW(name, expression)                              \
    static double row_##name(const double v[], double p) { \
        (void)p;                                           \
        return (expression);                               \
    }

static double larger(double a, double b) { return isnan(a) || isnan(b) ? NAN : a > b ? a : b; }

static double phi(double x) { return 0.5 * erfc(-x / sqrt(2)); } /* the normal distribution function */

ROW(add, v[0] + v[1])
ROW(sub, v[0] - v[1])
ROW(mul, v[0] * v[1])
ROW(div, v[0] / v[1])
ROW(neg, -v[0])
ROW(scale, v[0] * p)
ROW(add_scalar, v[0] + p)
ROW(maximum, larger(v[0], v[1]))
ROW(minimum, -larger(-v[0], -v[1]))
ROW(exp, exp(v[0]))
ROW(log, log(v[0]))
ROW(sqrt, sqrt(v[0]))
ROW(square, v[0] * v[0])
ROW(reciprocal, 1 / v[0])
ROW(pow, pow(v[0], v[1]))
ROW(pow_scalar, pow(v[0], p))
ROW(abs, fabs(v[0]))
ROW(sign, isnan(v[0]) ? NAN : v[0] > 0 ? 1 : v[0] < 0 ? -1 : 0)
ROW(sin, sin(v[0]))
ROW(cos, cos(v[0]))
ROW(erf, erf(v[0]))
ROW(erfc, erfc(v[0]))
ROW(atan2, atan2(v[0], v[1]))
ROW(tanh, tanh(v[0]))
ROW(sigmoid, v[0] < 0 ? exp(v[0]) / (1 + exp(v[0])) : 1 / (1 + exp(-v[0])))
ROW(relu, isnan(v[0]) ? NAN : fmax(v[0], 0))
ROW(relu_grad, isnan(v[1]) || v[1] > 0 ? v[0] : 0)
ROW(gelu, v[0] * phi(v[0]))
ROW(eq, v[0] == v[1])
ROW(ne, v[0] != v[1])
ROW(lt, v[0] < v[1])
ROW(le, v[0] <= v[1])
ROW(gt, v[0] > v[1])
ROW(ge, v[0] >= v[1])
ROW(where, v[0] != 0 ? v[1] : v[2])

#define ENTRY(name) \
    { #name, NULL, false, row_##name, NULL }
#define EXACT(name) \
    { #name, NULL, true, row_##name, NULL }
const reference references_rows[] = {
    ENTRY(add),
    ENTRY(sub),
    ENTRY(mul),
    ENTRY(div),
    EXACT(neg),
    {"scale", NULL, false, row_scale, "factor"},
    {"add_scalar", NULL, false, row_add_scalar, "term"},
    EXACT(maximum),
    EXACT(minimum),
    ENTRY(exp),
    ENTRY(log),
    ENTRY(sqrt),
    ENTRY(square),
    ENTRY(reciprocal),
    ENTRY(pow),
    {"pow_scalar", NULL, false, row_pow_scalar, "exponent"},
    EXACT(abs),
    EXACT(sign),
    ENTRY(sin),
    ENTRY(cos),
    ENTRY(erf),
    ENTRY(erfc),
    ENTRY(atan2),
    ENTRY(tanh),
    ENTRY(sigmoid),
    EXACT(relu),
    EXACT(relu_grad),
    ENTRY(gelu),
    EXACT(eq),
    EXACT(ne),
    EXACT(lt),
    EXACT(le),
    EXACT(gt),
    EXACT(ge),
    EXACT(where),
    {NULL, NULL, false, NULL, NULL},
};
