/* node_cost.c: what a node costs, forward and backward, when its arithmetic is one multiplication or addition.
 *
 *     node_cost             warm chains of 1000 nodes, constants and wanted operands; cold chains of 1,000,000
 *
 * Each chain's gradient is checked against the closed form before it is timed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "autograd/autograd.h"
#include "ops/ops.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* y ← p (… p (p x + p) + p …) + p with n nodes. */
static ag_tensor *chain(ag_tensor *x, ag_tensor *p, int n) {
    ag_tensor *y = x;
    for (int i = 0; i < n / 2; i++) y = ag_add(ag_mul(y, p), p);
    return y;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *seconds, int runs, int nodes) {
    qsort(seconds, (size_t)runs, sizeof *seconds, by_value);
    printf("%-44s %7.1f ns median %7.1f ns minimum\n", what, 1e9 * seconds[runs / 2] / nodes, 1e9 * seconds[0] / nodes);
}

static ag_tensor *leaf(ag_tape *t, bool wanted, double value) {
    ag_tensor *x = wanted ? ag_param(t, AG_F32, AG_SHAPE()) : ag_buffer(t, AG_F32, AG_SHAPE());
    ag_fill(x, value);
    return x;
}

static void fail(ag_tape *t, const char *what) {
    fprintf(stderr, "node_cost: %s: %s\n", what, ag_tape_status(t) ? ag_tape_message(t) : "the gradient is wrong");
    exit(1);
}

static void warm(bool wanted) {
    enum { RUNS = 2001, NODES = 1000 };
    static double seconds[RUNS];
    ag_tape *t = ag_tape_new();
    ag_tensor *x = leaf(t, true, 0.5), *p = leaf(t, wanted, 1.0009765625);
    ag_mark here = ag_tape_mark(t);
    for (int run = -100; run < RUNS; run++) {
        double start = now();
        bool done = ag_backward(chain(x, p, NODES));
        if (run >= 0) seconds[run] = now() - start;
        if (!done) fail(t, "backward");
        if (run == -100 && fabs(ag_item(ag_grad(x)) / pow(1.0009765625, NODES / 2) - 1) > 1e-4) fail(t, "check");
        ag_zero_grad(x);
        ag_zero_grad(p);
        ag_tape_rewind(t, here);
    }
    report(wanted ? "warm chain of 1000, both operands wanted" : "warm chain of 1000, constants", seconds, RUNS, NODES);
    ag_tape_free(t);
}

static void cold(void) {
    enum { RUNS = 7, NODES = 1000000 };
    double seconds[RUNS];
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        ag_tape *t = ag_tape_new();
        ag_tensor *x = leaf(t, true, 0.5), *p = leaf(t, false, 1);
        bool done = ag_backward(chain(x, p, NODES));
        seconds[run] = now() - start;
        if (!done || ag_item(ag_grad(x)) != 1) fail(t, "cold chain");
        ag_tape_free(t);
    }
    double first = seconds[0];
    report("new tape, chain of 1,000,000", seconds, RUNS, NODES);
    printf("%-44s %7.1f ns\n", "  the first of them, memory new to the process", 1e9 * first / NODES);
}

int main(void) {
    puts("per node, forward and backward, one-element f32");
    warm(false);
    warm(true);
    cold();
    return 0;
}
