/* difference.h: every gradient of a network against a difference quotient of five points,
 *
 *     g ≈ [8 (f(x + d) − f(x − d)) − (f(x + 2d) − f(x − 2d))] / 12 d        with d = 3.7e-4 max(1, |x|)
 *
 * (½ ε^⅕, where the error of the formula, d⁴, and that of rounding, ε / d, are alike). This is done on a copy of the
 * graph in f64: in f32 the rounding of f would leave two digits to compare. */
#ifndef EXAMPLES_DIFFERENCE_H
#define EXAMPLES_DIFFERENCE_H

#include <float.h>
#include <math.h>

#include "autograd/autograd.h"
#include "show.h"

enum { MAX_LEAVES = 31, WORST = 5 };

typedef struct difference {
    const char *name;
    int64_t index;
    double f32, analytic, numeric;
    double error; /* |analytic − numeric|, 1 being what is allowed */
} difference;

/* f with element i of x set to `value` */
static inline double value_at(ag_tensor *f, ag_tensor *x, int64_t i, double value) {
    double *to = ag_mutable(x);
    if (to) to[i] = value;
    return to && ag_replay(ag_tape_of(f)) ? ag_item(f) : (double)NAN;
}

/* largest: the largest gradient of all, the scale of what counts as nothing */
static inline void compare(ag_tensor *f, ag_tensor *x, int64_t i, double largest, difference *r) {
    double at = ag_at(x, i), d = 3.7e-4 * fmax(1, fabs(at)), y[4];
    d = (at + d) - at; /* the step that the format can really make */
    for (int k = 0; k < 4; k++) y[k] = value_at(f, x, i, at + (k < 2 ? k - 2 : k - 1) * d);
    double here = value_at(f, x, i, at);
    r->analytic = ag_at(ag_grad(x), i);
    r->numeric = (8 * (y[2] - y[1]) - (y[3] - y[0])) / (12 * d);
    double allowed = 1e-7 * fmax(fabs(r->analytic), fabs(r->numeric)) + 1e-10 * largest + 8 * DBL_EPSILON * fabs(here) / d;
    r->error = fabs(r->analytic - r->numeric) / allowed;
    if (isnan(r->error)) r->error = DBL_MAX;
}

/* Keeps the worst five in order. */
static inline void rank(difference worst[WORST], difference r) {
    for (int k = 0; k < WORST; k++) {
        if (!worst[k].name || r.error > worst[k].error) {
            difference moved = worst[k];
            worst[k] = r;
            r = moved;
        }
    }
}

static inline int64_t compare_all(ag_tensor *copy[], ag_tensor *const x[], int n, difference worst[WORST]) {
    double largest = 0;
    int64_t total = 0;
    for (int k = 0; k < n; k++) {
        for (int64_t i = 0; i < ag_size(x[k]); i++) largest = fmax(largest, fabs(ag_at(ag_grad(copy[1 + k]), i)));
    }
    for (int k = 0; k < n; k++) {
        for (int64_t i = 0; i < ag_size(x[k]); i++, total++) {
            difference r = {.name = ag_name(x[k]), .index = i, .f32 = ag_at(ag_grad(x[k]), i)};
            compare(copy[0], copy[1 + k], i, largest, &r);
            rank(worst, r);
        }
    }
    return total;
}

/* Checks the gradients, which a backward pass has filled, of f to all elements of x[0..n). Prints the five worst;
 * true if all are within what is allowed. */
static inline bool check_gradients(ag_tensor *f, ag_tensor *const x[], int n) {
    ag_tensor *from[1 + MAX_LEAVES] = {f}, *copy[1 + MAX_LEAVES] = {NULL};
    if (n > MAX_LEAVES) return false;
    for (int k = 0; k < n; k++) from[1 + k] = x[k];
    ag_tape *t = ag_tape_new();
    difference worst[WORST] = {{0}};
    int64_t total = 0;
    if (ag_clone(t, from, 1 + n, AG_F64, 0, copy) && ag_backward(copy[0])) total = compare_all(copy, x, n, worst);
    SAY("     the worst of %lld         recorded (f32)      analytic (f64)      numeric (f64)        error / allowed\n",
        (long long)total);
    for (int k = 0; k < WORST && worst[k].name; k++) {
        SAY("     %-9s[%3lld]   %18.10e  %18.10e  %18.10e        %.1e\n", worst[k].name, (long long)worst[k].index,
            worst[k].f32, worst[k].analytic, worst[k].numeric, worst[k].error);
    }
    bool good = ag_tape_status(t) == AG_OK && total > 0 && worst[0].error <= 1;
    if (ag_tape_status(t)) fprintf(stderr, "%s\n", ag_tape_message(t));
    ag_tape_free(t);
    return good;
}

#endif
