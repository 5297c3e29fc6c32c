/* gamma.c: the gamma distribution's quantiles and their derivatives: against mpmath, against F itself in long double, and at
 * the ends. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "autograd/inspect.h"
#include "ops/every_isa.h"
#include "ops/golden_gamma.h"
#include "ops/ops.h"

TestEveryISA(ops, gamma_slopes) {
    ag_tape *t = ag_tape_new();
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        ag_tensor *a = ag_scalar(t, AG_F64, golden[i].a), *x = ag_scalar(t, AG_F64, golden[i].x);
        double d = ag_item(ag_standard_gamma_grad(a, x, golden[i].n));
        cr_assert(fabs(d / golden[i].slope - 1) < (golden[i].n > 1 ? 1e-9 : 1e-11),
                  "a %g, x %g, order %d: %.17g, not %.17g", golden[i].a, golden[i].x, golden[i].n, d, golden[i].slope);
    }
    ag_tape_free(t);
}

/* F by its series or, where that would cancel, 1 − F by the continued fraction (DLMF 8.7.1, 8.9.2) */
static long double cdf(long double a, long double x, long double *above) {
    long double scale = expl(a * logl(x) - x - lgammal(a)), term = 1 / a, sum = term;
    if (x < a + 1) {
        for (int k = 1; k < 100000 && term > sum * 1e-22L; k++) sum += term *= x / (a + k);
        *above = 1 - scale * sum;
        return scale * sum;
    }
    long double c = 1e300L, d = 1 / (x + 1 - a), h = d;
    for (int k = 1; k < 100000; k++) {
        long double n = -k * (k - a), b = x + 2 * k + 1 - a;
        d = 1 / (n * d + b);
        c = b + n / c;
        h *= d * c;
        if (fabsl(d * c - 1) < 1e-19L) break;
    }
    *above = scale * h;
    return 1 - *above;
}

static const double alphas[] = {1e-3, 0.01, 0.1, 0.3, 0.7, 1, 1.001, 1.7, 2.5, 3, 7, 15.9, 16.1, 40, 300, 1e3, 1e4};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

/* F(x) = u, u the middle of the place's 52-bit interval; an error of x by one part in 1e11 moves F by x f 1e-11. */
TestEveryISA(digits_ops, gamma_quantiles) {
    enum { GROUPS = 8, N = GROUPS * AG__DRAW_GROUP };
    for (int k = 0; k < ALPHAS; k++) {
        ag_tape *t = ag_tape_new();
        ag_seed(t, (uint64_t)k);
        uint64_t word[N];
        ag__kernel()->random->words(&(ag__draw){.key = (uint64_t)k, .draw = 0}, 0, GROUPS, word);
        const double *x = ag_f64(ag_standard_gamma(ag_full(t, AG_F64, AG_SHAPE(N), alphas[k])));
        for (int i = 0; i < N; i++) {
            long double a = alphas[k], u = ((long double)(word[i] >> 12) + 0.5L) * 0x1p-52L, above;
            if (x[i] == DBL_MIN) { /* F(x) ≥ u */
                cr_assert(a * logl(DBL_MIN) - lgammal(a + 1) >= logl(u) - 1e-9L);
                continue;
            }
            long double f = cdf(a, x[i], &above), rest = (0x1p52L - 0.5L - (word[i] >> 12)) * 0x1p-52L;
            long double slope = expl(a * logl(x[i]) - x[i] - lgammal(a)), off = u < 0.5L ? f - u : rest - above;
            cr_assert(fabsl(off) <= 1e-11L * slope, "a %g, u %.17Lg: x = %.17g is off by one part in %Lg", alphas[k], u,
                      x[i], slope / off);
        }
        ag_tape_free(t);
    }
}

/* The mean and variance are α; f32 is f64, rounded. */
Test(ops, gamma_moments) {
    enum { N = 40000 };
    ag_tape *t = ag_tape_new();
    for (int k = 2; k < ALPHAS; k++) {
        double a = alphas[k], mean = 0, variance = 0;
        const double *x = ag_f64(ag_standard_gamma(ag_full(t, AG_F64, AG_SHAPE(N), a)));
        for (int i = 0; i < N; i++) mean += x[i] / N;
        for (int i = 0; i < N; i++) variance += (x[i] - mean) * (x[i] - mean) / N;
        cr_assert(fabs(mean - a) < 5 * sqrt(a / N), "a %g: mean %g", a, mean);
        cr_assert(fabs(variance - a) < 6 * sqrt((2 * a * a + 6 * a) / N), "a %g: variance %g", a, variance);
    }
    for (int k = 0; k < 2; k++) { /* two seeds, two dtypes each */
        ag_seed(t, 5);
        ag_tensor *y = ag_standard_gamma(ag_full(t, AG_F32, AG_SHAPE(1000), k ? 0.5 : 8));
        ag_seed(t, 5);
        ag_tensor *z = ag_standard_gamma(ag_full(t, AG_F64, AG_SHAPE(1000), k ? 0.5 : 8));
        for (int i = 0; i < 1000; i++) assert_ulps_f32((float)ag_at(y, i), (float)ag_at(z, i), 1);
    }
    ag_tape_free(t);
}

Test(ops, gamma_at_the_ends) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_from_f64(t, (const double[]){0, -1, NAN, INFINITY, 1e-300, 1e15}, AG_SHAPE(6)),
              *x = ag_standard_gamma(a);
    assert_values(ag_slice(x, 0, 0, 5, 1), 0, DBL_MIN, NAN, NAN, INFINITY, DBL_MIN);
    cr_assert(fabs(ag_at(x, 5) / 1e15 - 1) < 1e-6);
    assert_values(ag_standard_gamma(ag_from_f32(t, (const float[]){0, 1e-30F}, AG_SHAPE(2))), 0, (double)FLT_MIN,
                  (double)FLT_MIN);
    static const double bad[][3] = {{0, 1, 1},   {-1, 1, 1},       {1, 0, 1},  {1, -1, 1},  {NAN, 1, 1},
                                    {1, NAN, 1}, {INFINITY, 1, 1}, {1, 1, 25}, {1, 1, 1.5}, {1, 1, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ag_tensor *d = ag_standard_gamma_grad(ag_scalar(t, AG_F64, bad[i][0]), ag_scalar(t, AG_F64, bad[i][1]), bad[i][2]);
        cr_assert(isnan(ag_item(d)), "row %zu: %g", i, ag_item(d));
    }
    ag_tape_free(t);
}

/* Both tails to their last digits, where one of them is all but 1, too; by mpmath */
TestEveryISA(ops, incomplete_gamma_functions) {
    static const double golden_tails[][4] = {
        {1e-10, 1e-300, 0.99999993098017116, 6.9019828841470948e-8},
        {1e-10, 0.5, 0.99999999994402264, 5.5977359480549881e-11},
        {1e-10, 3.0, 0.99999999999869516, 1.3048381096671612e-12},
        {2.5e-07, 5e-08, 0.99999594150138017, 4.0584986198305562e-6},
        {0.3, 0.69, 0.86471036451748087, 0.13528963548251913},
        {0.9, 0.5, 0.44440649596102709, 0.55559350403897291},
        {0.5, 0.71, 0.76659659692561306, 0.23340340307438694},
        {0.99, 1.3, 0.73110703599255385, 0.26889296400744615},
        {5.0, 1e-60, 8.3333333333333321e-303, 1.0},
        {31.0, 0.002, 2.6065535524035271e-118, 1.0},
        {104.0, 0.8, 3.6681630855859578e-177, 1.0},
        {15.9, 60.0, 0.99999999999636788, 3.6321175583082644e-12},
        {16.1, 60.0, 0.99999999999521839, 4.781605675216439e-12},
        {300.0, 500.0, 1.0, 1.6933836864708698e-22},
        {10000.0, 10000.0, 0.5013298083399552, 0.4986701916600448},
        {12.0, 720.0, 1.0, 1.3936430627194523e-289},
    };
    ag_tape *t = ag_tape_new();
    for (size_t i = 0; i < sizeof golden_tails / sizeof *golden_tails; i++) {
        const double *r = golden_tails[i];
        ag_tensor *a = ag_scalar(t, AG_F64, r[0]), *x = ag_scalar(t, AG_F64, r[1]);
        double p = ag_item(ag_igamma(a, x)), q = ag_item(ag_igammac(a, x));
        cr_assert(fabs(p - r[2]) <= 1e-13 * r[2], "P(%g, %g) is %.17g, not %.17g", r[0], r[1], p, r[2]);
        cr_assert(fabs(q - r[3]) <= 1e-13 * r[3], "Q(%g, %g) is %.17g, not %.17g", r[0], r[1], q, r[3]);
    }
    ag_tape_free(t);
}

/* From far on one side to far on the other, and the slope to x between */
TestEveryISA(digits_ops, incomplete_gamma_functions_on_either_side) {
    for (int k = 0; k < ALPHAS; k++) {
        for (int i = -40; i <= 40; i++) {
            const double alpha = alphas[k], at = alpha + i * 0.25 * sqrt(alpha);
            if (at <= 0) continue;
            ag_tape *t = ag_tape_new();
            ag_tensor *a = ag_scalar(t, AG_F64, alpha), *x = ag_leaf(t, AG_F64, &at, AG_SHAPE(), AG_REQUIRES_GRAD), *slope;
            ag_tensor *p = ag_igamma(a, x), *q = ag_igammac(a, x);
            cr_assert(ag_gradients(&q, NULL, 1, &x, 1, &slope), "%s", ag_tape_message(t));
            long double above, below = cdf(alpha, at, &above);
            long double f = expl((alpha - 1) * logl(at) - at - lgammal(alpha));
            cr_assert(fabsl(ag_item(p) - below) <= 1e-12L * fabsl(below), "P(%g, %g) %g", alpha, at, ag_item(p));
            cr_assert(fabsl(ag_item(q) - above) <= 1e-12L * fabsl(above) + 1e-18L, "Q(%g, %g) %g", alpha, at, ag_item(q));
            cr_assert(fabsl(ag_item(slope) + f) <= 1e-12L * f, "f(%g, %g) %g", alpha, at, ag_item(slope));
            ag_tape_free(t);
        }
    }
}

TestEveryISA(ops, incomplete_gamma_functions_at_the_ends) {
    static const double ends[][4] = {
        /* a, x, P, f */
        {0, 0, NAN, NAN},
        {0, 1, 1, 0},
        {0, INFINITY, 1, 0},
        {-1, 1, NAN, NAN},
        {1, -1e-300, NAN, NAN},
        {NAN, 1, NAN, NAN},
        {1, NAN, NAN, NAN},
        {-0.0, -0.0, NAN, NAN},
        {INFINITY, 5, 0, 0},
        {5, INFINITY, 1, 0},
        {INFINITY, INFINITY, NAN, 0},
        {0.5, 0, 0, INFINITY},
        {1, 0, 0, 1},
        {1.5, -0.0, 0, 0},
        {200, 0, 0, 0},
        {1e300, 1, 0, 0},
        {1, 1e300, 1, 0},
        {5e-324, 1, 1, 0},
        {1, 5e-324, 5e-324, 1},
    };
    ag_tape *t = ag_tape_new();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        ag_tensor *a = ag_scalar(t, AG_F64, ends[i][0]), *x = ag_scalar(t, AG_F64, ends[i][1]);
        assert_values(ag_igamma(a, x), 0, ends[i][2]);
        assert_values(ag_igammac(a, x), 1e-300, 1 - ends[i][2]);
        if (i > 0) assert_values(ag_gamma_density(a, x), 1e-300, ends[i][3]);
    }
    ag_tape_free(t);
}

/* A gradient check holds the draw, whatever the graph's dtype; a replay repeats it. */
Test(ops, gradcheck_of_random_ops) {
    ag_tape *t = ag_tape_new();
    ag_check_report report;
    ag_tensor *a = ag_leaf(t, AG_F32, (const float[]){0.3F, 1, 4, 50}, AG_SHAPE(4), AG_REQUIRES_GRAD);
    ag_tensor *b = ag_leaf(t, AG_F32, (const float[]){0.5F, 2, 1, 7}, AG_SHAPE(4), AG_REQUIRES_GRAD);
    ag_tensor *chosen = ag_gumbel_softmax(ag_mul(a, b), 0.7, true, 0), *h = ag_normal_with(ag_gamma(a, b), b);
    ag_tensor *loss = ag_sum(ag_mul(ag_mul(h, chosen), ag_alpha_dropout(ag_square(h), 0.4)), AG_ALL, false);
    char text[2000];
    cr_assert(loss && ag_gradcheck(loss, NULL, 0, NULL, &report), "%s %s", ag_tape_message(t),
              ag_check_text(&report, text, sizeof text));
    double before = ag_item(loss);
    cr_assert(ag_replay(t));
    cr_assert_eq(ag_item(loss), before);
    ag_tape_free(t);
}
