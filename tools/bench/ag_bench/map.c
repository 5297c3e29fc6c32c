/* map.c: "map:tanh:f32:1e6" is an elementwise operation of that name on so many elements, forward, result included: recorded,
 * computed into recycled memory, dropped. "map:gelu:f32:1e6:backward": and its gradient, of one operand, too. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "bench.h"

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double relu(double x) { return x > 0 ? x : 0; }
static double gelu(double x) { return 0.5 * x * erfc(-x * sqrt(0.5)); }
static double silu(double x) { return x * sigmoid(x); }
static double softplus(double x) { return log1p(exp(x)); }
static double square(double x) { return x * x; }
static double reciprocal(double x) { return 1 / x; }
static double rsqrt(double x) { return 1 / sqrt(x); }
static double neg(double x) { return -x; }

/* What the result is held against. */
static const struct known {
    const char *name;
    double (*f)(double);
    double lo, hi;
} known[] = {
    {"exp", exp, -5, 5},
    {"exp2", exp2, -5, 5},
    {"expm1", expm1, -2, 2},
    {"log", log, 0.01, 100},
    {"log1p", log1p, -0.5, 9},
    {"log2", log2, 0.01, 9},
    {"log10", log10, 0.01, 9},
    {"sqrt", sqrt, 0, 9},
    {"cbrt", cbrt, -9, 9},
    {"sin", sin, -9, 9},
    {"cos", cos, -9, 9},
    {"tan", tan, -1.5, 1.5},
    {"asin", asin, -1, 1},
    {"acos", acos, -1, 1},
    {"atan", atan, -9, 9},
    {"sinh", sinh, -4, 4},
    {"cosh", cosh, -4, 4},
    {"tanh", tanh, -4, 4},
    {"asinh", asinh, -9, 9},
    {"acosh", acosh, 1, 9},
    {"atanh", atanh, -1, 1},
    {"erf", erf, -3, 3},
    {"erfc", erfc, -3, 3},
    {"sigmoid", sigmoid, -5, 5},
    {"relu", relu, -1, 1},
    {"gelu", gelu, -4, 4},
    {"silu", silu, -5, 5},
    {"softplus", softplus, -5, 5},
    {"abs", fabs, -1, 1},
    {"neg", neg, -1, 1},
    {"reciprocal", reciprocal, 0.1, 9},
    {"rsqrt", rsqrt, 0.1, 9},
    {"lgamma", lgamma, 0.1, 9},
    {"square", square, -1, 1},
    {"floor", floor, -9, 9},
    {"round", nearbyint, -9, 9},
};

static const struct known2 {
    const char *name;
    double (*f)(double, double);
} known2[] = {{"pow", pow}, {"atan2", atan2}, {"hypot", hypot}};

static bool forward(bench *b) {
    const ag_op *op = b->own;
    return ag_apply(op, b->x, (int)b->n[1], NULL) && ag_tape_rewind(b->tape, b->mark);
}

static bool verify(bench *b, const ag_tensor *y, const struct known *one, const struct known2 *two) {
    int64_t step = b->n[0] > 1000 ? b->n[0] / 1000 : 1;
    for (int64_t i = 0; i < b->n[0]; i += step) {
        double x = ag_at(b->x[0], i), expected = one ? one->f(x) : two->f(x, ag_at(b->x[1], i));
        if (!bench_near(b, "an element", ag_at(y, i), expected, ag_dtype_of(y) == AG_F32 ? 1e-5 : 1e-12)) return false;
    }
    return true;
}

static bool backward(bench *b) {
    ag_tensor *y = ag_apply(b->own, b->x, 1, NULL);
    ag_zero_grad(b->x[0]);
    return y && ag_backward_from(&y, &b->x[1], 1) && ag_tape_rewind(b->tape, b->mark);
}

/* The gradient of b->x[0], where b->x[1] is what arrives at y, against differences. */
static bool verify_backward(bench *b, const struct known *one) {
    const double h = 1e-4;
    int64_t step = b->n[0] > 1000 ? b->n[0] / 1000 : 1;
    if (!backward(b)) return bench_fail(b, "%s", ag_tape_message(b->tape));
    for (int64_t i = 0; i < b->n[0]; i += step) {
        double x = ag_at(b->x[0], i), slope = (one->f(x + h) - one->f(x - h)) / (2 * h), g = ag_at(b->x[1], i);
        if (!bench_near(b, "a gradient", ag_at(ag_grad(b->x[0]), i), g * slope, 1e-5)) return false;
    }
    return true;
}

bool bench_map(bench *b) {
    const struct known *one = NULL;
    const struct known2 *two = NULL;
    ag_dtype dtype;
    if (!b->word[3]) return bench_fail(b, "say map:tanh:f32:1e6");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) one = strcmp(known[i].name, b->word[1]) ? one : &known[i];
    for (size_t i = 0; i < sizeof known2 / sizeof *known2; i++)
        two = strcmp(known2[i].name, b->word[1]) ? two : &known2[i];
    const ag_op *op = ag_find_op(b->word[1]);
    if (!op || !(one || two)) return bench_fail(b, "no way to verify an operation '%s'", b->word[1]);
    if (!bench_dtype(b, b->word[2], &dtype) || !bench_dims(b, b->word[3], 1, b->n)) return false;
    bool back = b->word[4] && !strcmp(b->word[4], "backward");
    if (b->word[4] && (!back || !one))
        return bench_fail(b, "nothing but backward may follow, for operations of one operand");
    b->n[1] = op->arity;
    for (int i = 0; i < op->arity; i++)
        b->x[i] =
            bench_leaf(b, dtype, AG_SHAPE(b->n[0]), one ? one->lo : 0.1, one ? one->hi : 4, back ? AG_REQUIRES_GRAD : 0);
    if (back) b->x[1] = bench_leaf(b, dtype, AG_SHAPE(b->n[0]), -1, 1, 0);
    b->mark = ag_tape_mark(b->tape);
    b->own = (void *)(uintptr_t)op;
    ag_tensor *y = ag_apply(op, b->x, op->arity, NULL);
    if (!y || !verify(b, y, one, two)) return false;
    if (back && !(ag_tape_rewind(b->tape, b->mark) && verify_backward(b, one))) return false;
    b->run = back ? backward : forward;
    b->bytes = (double)ag_dtype_size(dtype) * (double)b->n[0] * (op->arity + 1 + 3 * back);
    b->units = (double)b->n[0];
    b->unit = "element";
    return ag_tape_rewind(b->tape, b->mark);
}
