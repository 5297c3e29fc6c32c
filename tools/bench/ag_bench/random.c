/* random.c: "random:uniform:f32:1e6" makes so many random numbers: recorded, computed into recycled memory, dropped. Verified by their
 * mean and variance. */
#include <math.h>
#include <string.h>

#include "bench.h"
#include "ops/ops.h"

typedef ag_tensor *maker(bench *b, ag_dtype dtype, int64_t n);

static ag_tensor *uniform(bench *b, ag_dtype d, int64_t n) { return ag_rand(b->tape, d, AG_SHAPE(n)); }
static ag_tensor *normal(bench *b, ag_dtype d, int64_t n) { return ag_randn(b->tape, d, AG_SHAPE(n)); }
static ag_tensor *exponential(bench *b, ag_dtype d, int64_t n) { return ag_exponential(b->tape, d, AG_SHAPE(n), 1); }
static ag_tensor *gamma_of_two(bench *b, ag_dtype d, int64_t n) {
    (void)d, (void)n;
    return ag_standard_gamma(b->x[0]);
}
static ag_tensor *bernoulli(bench *b, ag_dtype d, int64_t n) {
    (void)d, (void)n;
    return ag_bernoulli_scalar(b->x[0], 0.25);
}
static ag_tensor *dropout(bench *b, ag_dtype d, int64_t n) {
    (void)d, (void)n;
    return ag_dropout(b->x[0], 0.5);
}
static ag_tensor *randint(bench *b, ag_dtype d, int64_t n) {
    (void)d;
    return ag_randint(b->tape, 0, 10, AG_SHAPE(n));
}
static ag_tensor *randperm(bench *b, ag_dtype d, int64_t n) {
    (void)d;
    return ag_randperm(b->tape, n);
}

/* Mean and variance; randperm's are those of 0 … n − 1. */
static const struct known {
    const char *name;
    maker *make;
    double mean, variance;
} known[] = {{"uniform", uniform, 0.5, 1 / 12.},     {"normal", normal, 0, 1},
             {"exponential", exponential, 1, 1},     {"gamma", gamma_of_two, 2, 2},
             {"bernoulli", bernoulli, 0.25, 0.1875}, {"dropout", dropout, 2, 4},
             {"randint", randint, 4.5, 8.25},        {"randperm", randperm, -1, -1}};

static bool forward(bench *b) {
    const struct known *k = b->own;
    return k->make(b, (ag_dtype)b->n[1], b->n[0]) && ag_tape_rewind(b->tape, b->mark);
}

static bool verify(bench *b, const ag_tensor *y, double mean, double variance) {
    double n = (double)ag_size(y), m = 0, v = 0;
    for (int64_t i = 0; i < ag_size(y); i++) m += ag_at(y, i) / n;
    for (int64_t i = 0; i < ag_size(y); i++) v += pow(ag_at(y, i) - m, 2) / n;
    double off = 20 / sqrt(n);
    return bench_near(b, "the mean", m, mean, off * sqrt(variance) / fmax(fabs(mean), 1)) &&
           bench_near(b, "the variance", v, variance, off);
}

bool bench_random_ops(bench *b) {
    const struct known *k = NULL;
    ag_dtype dtype;
    if (!b->word[3]) return bench_fail(b, "say random:uniform:f32:1e6");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) k = strcmp(known[i].name, b->word[1]) ? k : &known[i];
    if (!k) return bench_fail(b, "no random operation '%s'", b->word[1]);
    if (!bench_dtype(b, b->word[2], &dtype) || !bench_dims(b, b->word[3], 1, b->n)) return false;
    double n = (double)b->n[0];
    b->n[1] = dtype;
    b->x[0] = bench_leaf(b, dtype, AG_SHAPE(b->n[0]), 2, 2, 0);
    b->mark = ag_tape_mark(b->tape);
    b->own = (void *)(uintptr_t)k;
    ag_tensor *y = k->make(b, dtype, b->n[0]);
    bool all = k->mean < 0;
    if (!y || !verify(b, y, all ? (n - 1) / 2 : k->mean, all ? (n * n - 1) / 12 : k->variance)) return false;
    b->run = forward;
    b->bytes = (double)ag_dtype_size(ag_dtype_of(y)) * n;
    b->units = n;
    b->unit = "number";
    return ag_tape_rewind(b->tape, b->mark);
}
