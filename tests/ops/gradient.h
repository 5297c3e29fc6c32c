/* gradient.h: gradients against differences: a checker that gives a verdict, so that it can be checked itself.
 *
 *     xs ─ recorded ─▶ ys          L = ⟨w, y⟩ with random w, so that no error cancels in a sum of ones
 *
 *     order 1    ∂L/∂x by ag_gradients          against five points of L, each a write to x and a replay
 *     order 2    ∂⟨v, ∂L/∂x⟩/∂x by the same     against five points of ⟨v, ∂L/∂x⟩
 *
 * n = [8 (f(x+d) − f(x−d)) − (f(x+2d) − f(x−2d))] / 12d passes when
 * |a − n| ≤ r max(|a|, |n|) + 1e-10 max|a| + 8 ε |f| / d, with r = 1e-7 for order 1, 1e-6 for order 2, max|a| over all
 * elements, |f| the sum of the magnitudes of f's terms. Where the one-sided slopes disagree, a kink, a may lie
 * between them. */
#ifndef TESTS_OPS_GRADIENT_H
#define TESTS_OPS_GRADIENT_H

#include "autograd/autograd.h"

enum { FUNCTION_XS = 8, FUNCTION_YS = 3, VERDICT_TEXT = 320 };

/* ys are made of xs, persistent f64 leaves that require gradients, on a tape with nothing else recorded. */
typedef struct function {
    ag_tape *tape;
    ag_tensor *x[FUNCTION_XS], *y[FUNCTION_YS], *w[FUNCTION_YS], *v[FUNCTION_XS];
    int n, m;
    bool positive; /* x > 0: steps are relative to x */
    uint64_t random;
} function;

typedef struct verdict {
    int order;        /* of the first check that failed; 0: both passed */
    int kinks;        /* elements where a kink was met */
    int64_t elements; /* compared, both orders */
    char text[VERDICT_TEXT];
} verdict;

/* Makes w and v, random magnitudes in [½, 3/2] with random signs. */
bool function_weights(function *f);

/* ∂⟨w, ys⟩/∂xs by five points, for all elements of xs and both orders. True if all pass. */
bool gradient_check(function *f, verdict *out);

/* The step for x, and the five-point slope of values at −2d, −d, d, 2d. */
double gradient_step(const function *f, double x);
double gradient_slope(const double at[4], double d);

#endif
