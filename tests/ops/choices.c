/* choices.c: whether what is chosen by weight is chosen as often as the weights say. */
#include <math.h>
#include <string.h>

#include "ops/every_isa.h"
#include "ops/ops.h"

enum { N = 100000 };

/* χ² of counts against probabilities, in its deviations */
static double off(const double *count, const double *p, int classes) {
    double sum = 0, total = 0, left = 0;
    for (int i = 0; i < classes; i++) total += count[i];
    for (int i = 0; i < classes; i++) {
        if (p[i] == 0) cr_assert_eq(count[i], 0);
        left += p[i] > 0;
        sum += p[i] > 0 ? pow(count[i] - total * p[i], 2) / (total * p[i]) : 0;
    }
    return (sum - (left - 1)) / sqrt(2 * (left - 1));
}

TestEveryISA(choices, bernoulli) {
    static const double p[] = {0, 1e-3, 0.25, 0.5, 0.9, 1};
    ag_tape *t = ag_tape_new();
    for (int d = AG_F32; d <= AG_F64; d++) {
        for (int k = 0; k < 12; k++) {
            double q = p[k % 6], sum = 0;
            ag_tensor *x = ag_full(t, (ag_dtype)d, AG_SHAPE(N), k < 6 ? q : 7);
            ag_tensor *y = k < 6 ? ag_bernoulli(x) : ag_bernoulli_scalar(x, q);
            for (int i = 0; i < N; i++) {
                cr_assert(ag_at(y, i) == 0 || ag_at(y, i) == 1);
                sum += ag_at(y, i);
            }
            cr_assert(fabs(sum - q * N) <= 5 * sqrt(q * (1 - q) * N), "p %g: %g of %d", q, sum, N);
        }
    }
    cr_assert_null(ag_bernoulli_scalar(ag_full(t, AG_F32, AG_SHAPE(2), 0.5), (double)NAN));
    assert_error(t, AG_ERR_ARGUMENT, "bernoulli");
    ag_tape_free(t);
}

TestEveryISA(choices, multinomial_with_replacement) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_from_f64(t, (const double[]){0, 3, 1, 0, 4, 2, 0}, AG_SHAPE(7));
    const double p[] = {0, 0.3, 0.1, 0, 0.4, 0.2, 0};
    double count[7] = {0};
    const int64_t *x = ag_i64(ag_multinomial(w, N, true));
    for (int i = 0; i < N; i++) count[x[i]]++;
    cr_assert_lt(off(count, p, 7), 5);
    ag_tape_free(t);
}

/* Pairs (i, j) come with probability pᵢ pⱼ / (1 − pᵢ). */
TestEveryISA(choices, multinomial_without_replacement) {
    ag_tape *t = ag_tape_new();
    const double p[] = {0.5, 0.25, 0.15, 0.1};
    double pairs[16] = {0}, count[16] = {0};
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) pairs[4 * i + j] = i == j ? 0 : p[i] * p[j] / (1 - p[i]);
    }
    ag_tensor *w = ag_expand(ag_from_f64(t, p, AG_SHAPE(4)), AG_SHAPE(N / 4, 4));
    const int64_t *x = ag_i64(ag_multinomial(w, 2, false));
    for (int i = 0; i < N / 4; i++) count[4 * x[2 * i] + x[2 * i + 1]]++;
    cr_assert_lt(off(count, pairs, 16), 5);
    ag_tape_free(t);
}

/* Of all places all come, those without a weight never. */
Test(choices, multinomial_takes_every_weight) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_from_f32(t, (const float[]){0, 1e-30F, 2, 0, 1e30F}, AG_SHAPE(5));
    for (int k = 0; k < 50; k++) {
        const int64_t *x = ag_i64(ag_multinomial(w, 3, false));
        cr_assert_eq(1 << x[0] | 1 << x[1] | 1 << x[2], 1 << 1 | 1 << 2 | 1 << 4);
    }
    w = ag_from_f64(t, (const double[]){0, 5e-324, 2, 0, 1e300}, AG_SHAPE(5)); /* whose quotients overflow */
    const int64_t *x = ag_i64(ag_multinomial(w, 3, false));
    cr_assert_eq(1 << x[0] | 1 << x[1] | 1 << x[2], 1 << 1 | 1 << 2 | 1 << 4);
    ag_tape_free(t);
}

/* The largest of x + gumbel is class i with probability softmax(x)[i]; hard choices are one-hot, with the soft gradient. */
Test(choices, gumbel_softmax) {
    ag_tape *t = ag_tape_new();
    const double logits[] = {0.5, -1, 2, 0};
    ag_tensor *x = ag_leaf(t, AG_F64, logits, AG_SHAPE(1, 4), AG_REQUIRES_GRAD), *all = ag_expand(x, AG_SHAPE(N, 4));
    double p[4], count[4] = {0};
    cr_assert(ag_read(ag_softmax(x, 1), p));
    ag_tensor *hard = ag_gumbel_softmax(all, 0.5, true, -1), *d, *e, *w = ag_randn(t, AG_F64, AG_SHAPE(N, 4));
    const double *v = ag_f64(hard);
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < 4; j++) {
            double one = v[4 * i + j];
            cr_assert(one == 0 || fabs(one - 1) < 1e-15);
            count[j] += one > 0.5;
            sum += one;
        }
        cr_assert(fabs(sum - 1) < 1e-15);
    }
    cr_assert_lt(off(count, p, 4), 5);
    ag_seed(t, 9);
    ag_tensor *soft = ag_gumbel_softmax(all, 0.5, false, -1);
    cr_assert(ag_gradients(&soft, &w, 1, &x, 1, &d));
    ag_seed(t, 9);
    hard = ag_gumbel_softmax(all, 0.5, true, -1);
    cr_assert(ag_gradients(&hard, &w, 1, &x, 1, &e));
    assert_near(e, d, 1e-12);
    ag_tape_free(t);
}
