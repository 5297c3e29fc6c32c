/* reference_smooth.c: powers, angles and activations, element by element, by libm in double. v holds the inputs, p and q the
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

static double phi(double x) { return 0.5 * erfc(-x / sqrt(2)); } /* the normal distribution function */
static double logistic(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double ramp(double x) { return isnan(x) ? x : fmin(fmax(x + 3, 0), 6) / 6; }
static double log_odds(double x) { return (double)(logl(x) - log1pl(-(long double)x)); }

/* log to the base e^ln of base^a + base^b */
static double log_sum(double a, double b, double ln) {
    double most = a > b ? a : b;
    return a == b ? a + log(2) / ln : most + log1p(exp(-fabs(a - b) * ln)) / ln;
}

/* x − tanh x = (x cosh x − sinh x) / cosh x, the first term by term: 2 k x^(2 k + 1) / (2 k + 1)! */
static double small_shrink(double x) {
    double term = x, sum = 0;
    for (int k = 1; k < 20; k++) {
        term *= x * x / (2 * k * (2 * k + 1));
        sum += 2 * k * term;
    }
    return sum / cosh(x);
}

static double bent(double x) { return sqrt(8 / acos(-1)) * x * (1 + 0.044715 * x * x); }
static double bent_slope(double x) {
    double v = bent(x), s = logistic(v);
    return s + (fabs(v) > 800 ? 0 : s * logistic(-v) * x * sqrt(8 / acos(-1)) * (1 + 3 * 0.044715 * x * x));
}

/* x w(v), w = (1 + tanh z) / 2 of z = v / 2, or tanh z of z = ln(1 + eˣ):  2 w′ + x w″ */
static double bent_twice(double x, double scale, double z, double first, double second) {
    double w = scale / cosh(z) / cosh(z);
    return fabs(z) > 400 ? (isinf(x) ? (double)NAN : 0) : w * (2 * first + x * (second - 2 * first * first * tanh(z)));
}
static double activation_bend(double x, double which) {
    double k = sqrt(2 / acos(-1)), c = 0.044715 * k, s = logistic(x);
    if (which == 1) return bent_twice(x, 1, log_sum(x, 0, 1), s, s * logistic(-x));
    if (which == 2) return bent_twice(x, 0.5, bent(x) / 2, k + 3 * c * x * x, 6 * c * x);
    return bent_twice(x, 0.5, x / 2, 0.5, 0);
}

ROW(exp, exp(v[0]))
ROW(exp2, pow(2, v[0]))
ROW(expm1, expm1(v[0]))
ROW(log, log(v[0]))
ROW(log2, (double)log2l(v[0]))
ROW(log10, (double)log10l(v[0]))
ROW(log1p, log1p(v[0]))
ROW(sqrt, sqrt(v[0]))
ROW(rsqrt, 1 / sqrt(v[0]))
ROW(cbrt, cbrt(v[0]))
ROW(square, v[0] * v[0])
ROW(reciprocal, 1 / v[0])
ROW(pow, pow(v[0], v[1]))
ROW(pow_scalar, pow(v[0], p))
ROW(logaddexp, log_sum(v[0], v[1], 1))
ROW(logaddexp2, log_sum(v[0], v[1], log(2)))
ROW(logaddexp_weight, v[0] == v[1] ? 0.5 : logistic(v[0] - v[1]))
ROW(xlogy, v[0] == 0 && !isnan(v[1]) ? 0 : v[0] * log(v[1]))
ROW(xlog1py, v[0] == 0 && !isnan(v[1]) ? 0 : v[0] * log1p(v[1]))
ROW(entr, v[0] == 0 ? 0 : v[0] < 0 ? -(double)INFINITY : -v[0] * log(v[0]))
ROW(logit, log_odds(p < 0 || isnan(v[0]) ? v[0] : fmin(fmax(v[0], p), 1 - p)))
ROW(mix, v[0] + v[2] * (v[1] - v[0]))
ROW(sin, sin(v[0]))
ROW(cos, cos(v[0]))
ROW(tan, tan(v[0]))
ROW(asin, asin(v[0]))
ROW(acos, acos(v[0]))
ROW(atan, atan(v[0]))
ROW(atan2, atan2(v[0], v[1]))
ROW(sinh, sinh(v[0]))
ROW(cosh, cosh(v[0]))
ROW(tanh, tanh(v[0]))
ROW(asinh, asinh(v[0]))
ROW(acosh, acosh(v[0]))
ROW(atanh, atanh(v[0]))
ROW(rad2deg, v[0] / acos(-1) * 180)
ROW(deg2rad, v[0] / 180 * acos(-1))
ROW(erf, erf(v[0]))
ROW(erfc, erfc(v[0]))
ROW(sigmoid, logistic(v[0]))
ROW(logsigmoid, v[0] < 0 ? v[0] - log1p(exp(v[0])) : -log1p(exp(-v[0])))
ROW(softplus, p *v[0] > q ? v[0] : log_sum(p * v[0], 0, 1) / p)
ROW(softsign, v[0] / (1 + fabs(v[0])))
ROW(tanhshrink, fabs(v[0]) < 1 ? small_shrink(v[0]) : isinf(v[0]) ? v[0] : v[0] - tanh(v[0]))
ROW(relu, isnan(v[0]) ? v[0] : fmax(v[0], 0))
ROW(relu_grad, isnan(v[1]) || v[1] > 0 ? v[0] : 0)
ROW(relu6, isnan(v[0]) ? v[0] : fmin(fmax(v[0], 0), 6))
ROW(leaky_relu, v[0] > 0 ? v[0] : p * v[0])
ROW(leaky_relu_grad, v[1] > 0 ? v[0] : p * v[0])
ROW(hardtanh, isnan(v[0]) ? v[0] : fmin(fmax(v[0], p), q))
ROW(hardtanh_grad, v[1] <= p || v[1] >= q ? 0 : v[0])
ROW(hardsigmoid, ramp(v[0]))
ROW(hardswish, v[0] * ramp(v[0]))
ROW(hardswish_grad, v[1] <= -3 ? 0 : v[1] >= 3 ? v[0] : v[0] * (v[1] / 3 + 0.5))
ROW(threshold, v[0] <= p ? q : v[0])
ROW(threshold_grad, v[1] <= p ? 0 : v[0])
ROW(softshrink, v[0] > p ? v[0] - p : v[0] < -p ? v[0] + p : 0 * v[0])
ROW(hardshrink, fabs(v[0]) <= p ? 0 : v[0])
ROW(shrink_grad, fabs(v[1]) <= p ? 0 : v[0])
ROW(elu, v[0] <= 0 ? p * expm1(v[0]) : v[0])
ROW(elu_grad, v[1] > 0 ? v[0] : v[0] * (p * exp(v[1])))
ROW(celu, v[0] <= 0 ? p * expm1(v[0] / p) : v[0])
ROW(celu_grad, v[1] > 0 ? v[0] : v[0] * exp(v[1] / p))
ROW(selu, 1.0507009873554805 * (v[0] <= 0 ? 1.6732632423543772 * expm1(v[0]) : v[0]))
ROW(gelu, v[0] * phi(v[0]))
ROW(gelu_grad, v[0] * (phi(v[1]) + v[1] * (exp(-v[1] * v[1] / 2) / sqrt(2 * acos(-1)))))
ROW(gelu_tanh, v[0] * logistic(bent(v[0])))
ROW(gelu_tanh_grad, v[0] * bent_slope(v[1]))
ROW(silu, v[0] * logistic(v[0]))
ROW(silu_grad, v[0] * (logistic(v[1]) * (1 + v[1] * logistic(-v[1]))))
ROW(mish, v[0] * tanh(log_sum(v[0], 0, 1)))
ROW(mish_grad, v[0] * (tanh(log_sum(v[1], 0, 1)) + v[1] * (logistic(v[1]) / pow(cosh(log_sum(v[1], 0, 1)), 2))))
ROW(activation_bend, activation_bend(v[0], p))

const reference references_smooth[] = {
    ENTRY(exp),
    ENTRY(exp2),
    ENTRY(expm1),
    ENTRY(log),
    ENTRY(log2),
    ENTRY(log10),
    ENTRY(log1p),
    ENTRY(sqrt),
    ENTRY(rsqrt),
    ENTRY(cbrt),
    ENTRY(square),
    ENTRY(reciprocal),
    ENTRY(pow),
    WITH(pow_scalar, "exponent"),
    ENTRY(logaddexp),
    ENTRY(logaddexp2),
    ENTRY(logaddexp_weight),
    ENTRY(xlogy),
    ENTRY(xlog1py),
    ENTRY(entr),
    WITH(logit, "eps"),
    ENTRY(mix),
    ENTRY(sin),
    ENTRY(cos),
    ENTRY(tan),
    ENTRY(asin),
    ENTRY(acos),
    ENTRY(atan),
    ENTRY(atan2),
    ENTRY(sinh),
    ENTRY(cosh),
    ENTRY(tanh),
    ENTRY(asinh),
    ENTRY(acosh),
    ENTRY(atanh),
    ENTRY(rad2deg),
    ENTRY(deg2rad),
    ENTRY(erf),
    ENTRY(erfc),
    ENTRY(sigmoid),
    ENTRY(logsigmoid),
    WITH(softplus, "beta threshold"),
    ENTRY(softsign),
    ENTRY(tanhshrink),
    EXACT(relu),
    EXACT(relu_grad),
    EXACT(relu6),
    WITH(leaky_relu, "negative_slope"),
    WITH(leaky_relu_grad, "negative_slope"),
    WITH(hardtanh, "min_val max_val"),
    WITH(hardtanh_grad, "min_val max_val"),
    ENTRY(hardsigmoid),
    ENTRY(hardswish),
    ENTRY(hardswish_grad),
    WITH(threshold, "threshold value"),
    WITH(threshold_grad, "threshold"),
    WITH(softshrink, "lambd"),
    WITH(hardshrink, "lambd"),
    WITH(shrink_grad, "lambd"),
    WITH(elu, "alpha"),
    WITH(elu_grad, "alpha"),
    WITH(celu, "alpha"),
    WITH(celu_grad, "alpha"),
    ENTRY(selu),
    ENTRY(gelu),
    ENTRY(gelu_grad),
    ENTRY(gelu_tanh),
    ENTRY(gelu_tanh_grad),
    ENTRY(silu),
    ENTRY(silu_grad),
    ENTRY(mish),
    ENTRY(mish_grad),
    WITH(activation_bend, "which"),
    {NULL, NULL, false, NULL, NULL},
};
