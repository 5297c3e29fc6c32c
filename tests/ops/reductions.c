/* reductions.c: reductions and scans where elements are NaN, infinite, missing or tied: what ops.h states. */
#include <math.h>

#include "every_isa.h"
#include "ops/ops.h"
#include "ops/property.h"

#define F64(t, ...)                                   \
    ag_leaf(t, AG_F64, (const double[]){__VA_ARGS__}, \
            AG_SHAPE(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)), AG_REQUIRES_GRAD)
#define I64(t, ...) \
    ag_from_i64(t, (const int64_t[]){__VA_ARGS__}, AG_SHAPE(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

static ag_tensor *gradient(ag_tensor *y, ag_tensor *x) {
    ag_tensor *d;
    cr_assert(y && ag_gradients(&y, NULL, 1, &x, 1, &d), "%s", ag_tape_message(ag_tape_of(x)));
    return d;
}

Test(ops, extremes_of_special_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 3, 1, 1, 3, 3);
    assert_values(ag_min(F64(t, 1, NAN, 3), AG_ALL, false), 0, NAN);
    assert_values(ag_min(F64(t, INFINITY, INFINITY), AG_ALL, false), 0, INFINITY);
    assert_values(ag_min(I64(t, INT64_MAX, INT64_MIN), AG_ALL, false), 0, (double)INT64_MIN);
    assert_values(gradient(ag_min(x, AG_ALL, false), x), 0, 0, 0.5, 0.5, 0, 0);
    assert_values(gradient(ag_amax(x, AG_ALL, false), x), 1e-16, 1. / 3, 0, 0, 1. / 3, 1. / 3);
    x = F64(t, NAN, 1, NAN);
    assert_values(gradient(ag_max(x, AG_ALL, false), x), 0, 0, 0, 0);
    ag_tape_free(t);
}

/* 2 min + max */
static ag_tensor *both(ag_tensor *x, ag_axes axes) {
    ag_tensor *max, *min = ag_aminmax(x, axes, false, &max);
    return ag_add(ag_scale(min, 2), max);
}

Test(ops, aminmax_shares_among_ties) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 3, 1, 1, 3, 3), *same = F64(t, 4, 4), *y = ag_reshape(F64(t, 1, 2, 7, 7), AG_SHAPE(2, 2)), *max;
    assert_values(gradient(both(x, AG_ALL), x), 1e-16, 1. / 3, 1, 1, 1. / 3, 1. / 3);
    assert_values(gradient(both(same, AG_ALL), same), 0, 1.5, 1.5);
    assert_values(gradient(both(y, AG_AXES(1)), y), 0, 2, 1, 1.5, 1.5);
    assert_values(gradient(ag_aminmax(x, AG_ALL, false, &max), x), 0, 0, 0.5, 0.5, 0, 0);
    ag_aminmax(x, AG_ALL, false, &max);
    assert_values(gradient(max, x), 1e-16, 1. / 3, 0, 0, 1. / 3, 1. / 3);
    x = F64(t, NAN, 1, NAN);
    assert_values(gradient(both(x, AG_ALL), x), 0, 0, 0, 0);
    ag_tape_free(t);
}

TestEveryISA(ops, aminmax_grad_shares_among_ties) {
    sample s;
    for (const char *rest =
             "f(2,3)=1,2,2,0,0,5 f(2,1)=1,0 f(2,1)=2,5 f(2,1) f(2,1) ;"
             "f(2,2,3)=1,3,2,1,1,2,3,2,2,3,3,1 f(1,2,1)=1,1 f(1,2,1)=3,3 f(1,2,1) f(1,2,1) ;"
             "f(2,3)=1,2,2,1,1,2 f()=1 f()=2 f() f() ; f(2,3)=4,4,4,4,4,4 f(3)=4,4,4 f(3)=4,4,4 f(3) f(3)";
         (rest = sample_next(rest, "aminmax_grad", &s));)
        values(&s);
}

/* Many ties, over any axes: the sum of what min and max give alone, whatever the number of threads. */
TestEveryISA(ops, aminmax_of_large_tensors_shares_as_min_and_max_do) {
    static const ag_axes over[] = {{-1, {0}}, {1, {0}}, {1, {1}}, {1, {2}}, {2, {0, 2}}, {2, {1, 2}}, {3, {0, 1, 2}}};
    uint64_t random = 4;
    char text[CHECK_TEXT];
    for (int k = 0; k < 14; k++) {
        ag_axes axes = over[k / 2];
        ag_tape *t = ag_tape_new();
        ag_tensor *x = check_leaf(t, k % 2 ? AG_F32 : AG_F64, AG_SHAPE(37, 40, 29), AG_REQUIRES_GRAD, -9, 9, &random),
                  *d[3];
        x = ag_round(x);
        for (int threads = 1; threads <= 3; threads += 2) {
            ag_set_threads(threads);
            d[threads / 2] = gradient(both(x, axes), x);
        }
        d[2] = gradient(ag_add(ag_scale(ag_min(x, axes, false), 2), ag_max(x, axes, false)), x);
        cr_assert(check_same(d[0], d[1], text), "axes %d, 3 threads: %s", k / 2, text);
        cr_assert(check_near(d[0], d[2], 1e-6, text), "axes %d: %s", k / 2, text);
        ag_tape_free(t);
    }
    ag_set_threads(0);
}

Test(ops, truths_of_special_values) {
    ag_tape *t = ag_tape_new();
    static unsigned char foreign[4] = {0, 2, 0, 64};
    ag_tensor *odd = ag_wrap(t, AG_BOOL, foreign, AG_SHAPE(4), NULL, NULL);
    assert_values(ag_any(odd, AG_ALL, false), 0, 1);
    assert_values(ag_count_nonzero(odd, AG_ALL, false), 0, 2);
    assert_values(ag_all(ag_slice(odd, 0, 1, AG_END, 2), AG_ALL, false), 0, 1);
    assert_values(ag_any(F64(t, 0, -0.0), AG_ALL, false), 0, 0);
    assert_values(ag_all(F64(t, NAN, INFINITY, 5e-324), AG_ALL, false), 0, 1);
    assert_values(ag_any(ag_buffer(t, AG_F32, AG_SHAPE(0, 2)), AG_AXES(0), false), 0, 0, 0);
    assert_values(ag_all(ag_buffer(t, AG_F32, AG_SHAPE(0, 2)), AG_AXES(0), false), 0, 1, 1);
    ag_tape_free(t);
}

Test(ops, nan_is_passed_over) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 1, NAN, 2, NAN, INFINITY);
    assert_values(ag_nansum(x, AG_ALL, false), 0, INFINITY);
    assert_values(gradient(ag_nansum(x, AG_ALL, false), x), 0, 1, 0, 1, 0, 1);
    assert_values(gradient(ag_nanmean(x, AG_ALL, false), x), 1e-16, 1. / 3, 0, 1. / 3, 0, 1. / 3);
    x = F64(t, NAN, NAN);
    assert_values(ag_nansum(x, AG_ALL, false), 0, 0);
    assert_values(ag_nanmean(x, AG_ALL, false), 0, NAN);
    ag_tape_free(t);
}

Test(ops, products_of_special_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 0, 3, 2);
    assert_values(ag_prod(ag_buffer(t, AG_F64, AG_SHAPE(0, 2)), AG_AXES(0), false), 0, 1, 1);
    assert_values(ag_prod(F64(t, INFINITY, 0), AG_ALL, false), 0, NAN);
    assert_values(ag_prod(I64(t, INT64_MAX, 2), AG_ALL, false), 0, -2);
    assert_values(gradient(ag_prod(x, AG_ALL, false), x), 0, 6, 0, 0);
    x = F64(t, 0, 3, 0);
    assert_values(gradient(ag_prod(x, AG_ALL, false), x), 0, 0, 0, 0);
    ag_tensor *first = gradient(ag_prod(x, AG_ALL, false), x), *weight = F64(t, 1, 10, 100), *second;
    cr_assert(ag_gradients(&first, &weight, 1, &x, 1, &second));
    assert_values(second, 0, 300, 0, 3); /* only both zeros together leave anything: 3 */
    ag_tape_free(t);
}

Test(ops, logcumsumexp_of_special_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, -INFINITY, -INFINITY, 1, 2);
    assert_values(ag_logcumsumexp(x, 0), 1e-15, -INFINITY, -INFINITY, 1, 2.3132616875182228);
    assert_values(gradient(ag_logcumsumexp(x, 0), x), 1e-15, NAN, NAN, 1.2689414213699952, 0.73105857863000487);
    x = F64(t, 0, INFINITY, 1, 2);
    assert_values(ag_logcumsumexp(x, 0), 0, 0, INFINITY, INFINITY, INFINITY);
    assert_values(gradient(ag_logcumsumexp(x, 0), x), 0, 1, NAN, 0, 0);
    assert_values(ag_logcumsumexp(F64(t, 1000, 1000, -1000), 0), 1e-15, 1000, 1000.6931471805599, 1000.6931471805599);
    x = F64(t, 1000, -1000, 1000);
    assert_values(gradient(ag_logcumsumexp(x, 0), x), 1e-13, 2.5, 0, 0.5); /* y is rounded at 1000 */
    assert_values(ag_logcumsumexp(F64(t, 0, NAN, 1), 0), 0, 0, NAN, NAN);
    ag_tape_free(t);
}

Test(ops, places_of_special_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *index;
    assert_values(ag_argmax(F64(t, 1, 3, NAN, NAN, 3), AG_ALL, false), 0, 2);
    assert_values(ag_argmin(F64(t, 1, -3, NAN, NAN, -3), AG_AXES(0), false), 0, 2);
    assert_values(ag_argmax(F64(t, 1, 3, 3), AG_ALL, false), 0, 1);
    assert_values(ag_argmin(F64(t, -0.0, 0.0, 0.0), AG_ALL, false), 0, 0);
    assert_values(ag_argmax(F64(t, -INFINITY, -INFINITY), AG_ALL, false), 0, 0);
    assert_values(ag_argmax(I64(t, INT64_MAX - 1, INT64_MAX), AG_ALL, false), 0, 1); /* not as doubles */
    ag_tensor *columns = ag_reshape(F64(t, 1, NAN, 3, NAN, 3, 2), AG_SHAPE(3, 2));
    assert_values(ag_argmax(columns, AG_AXES(0), false), 0, 1, 0);
    assert_values(ag_cummax(F64(t, 1, 3, 3, NAN, 5, NAN, 2), 0, &index), 0, 1, 3, 3, NAN, NAN, NAN, NAN);
    assert_values(index, 0, 0, 1, 2, 3, 3, 5, 5);
    ag_tensor *low = ag_cummin(F64(t, 3, 1, 1, -0.0, 0.0, NAN, 2), 0, &index);
    assert_values(low, 0, 3, 1, 1, 0, 0, NAN, NAN);
    assert_values(index, 0, 0, 1, 2, 3, 4, 5, 5);
    cr_assert_null(ag_argmax(columns, AG_AXES(0, 1), false));
    assert_error(t, AG_ERR_ARGUMENT, "argmax: takes one axis, or all of them together, not 2");
    ag_tape_free(t);
}

Test(ops, variances_of_special_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 1, 1, 1), *mean;
    assert_values(ag_var(F64(t, 3), AG_ALL, 1, false), 0, NAN);
    assert_values(ag_var(F64(t, 1, 2), AG_ALL, 3, false), 0, INFINITY);
    assert_values(ag_std(ag_buffer(t, AG_F32, AG_SHAPE(0)), AG_ALL, 0, false), 0, NAN);
    assert_values(ag_var(F64(t, INFINITY, 1), AG_ALL, 1, false), 0, NAN);
    assert_values(gradient(ag_std(x, AG_ALL, 1, false), x), 0, 0, 0, 0);
    ag_tensor *few = F64(t, 1, 3); /* no degree of freedom is left, nor fewer than none */
    for (int correction = 2; correction <= 3; correction++)
        assert_values(gradient(ag_var(few, AG_ALL, correction, false), few), 0, -INFINITY, INFINITY);
    assert_values(gradient(gradient(ag_std(x, AG_ALL, 1, false), x), x), 0, 0, 0, 0);
    assert_values(ag_std_mean(F64(t, 1, 2, 3), AG_ALL, 1, true, &mean), 1e-16, 1);
    assert_values(mean, 0, 2);
    ag_tape_free(t);
}

/* A small spread on a large mean, where E[x²] − E[x]² would have lost all digits. */
Test(ops, variance_does_not_cancel) {
    enum { N = 100000 };
    static double wide[N];
    static float single[N];
    double deviation = 0;
    for (int i = 0; i < N; i++) {
        wide[i] = 1e9 + i % 7 - 3;
        single[i] = (float)(16777216 - 16 + i % 7);
        deviation += (double)((i % 7 - 3) * (i % 7 - 3));
    }
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, wide, AG_SHAPE(100, 1000)), *s = ag_from_f32(t, single, AG_SHAPE(1000, 100));
    double expected = deviation / (N - 1);
    cr_assert_lt(fabs(ag_item(ag_var(x, AG_ALL, 1, false)) / expected - 1), 1e-9);
    cr_assert_lt(fabs(ag_item(ag_var(s, AG_ALL, 1, false)) / expected - 1), 1e-7);
    cr_assert_lt(fabs(ag_item(ag_var(ag_transpose(x, 0, 1), AG_ALL, 1, false)) / expected - 1), 1e-9);
    ag_tape_free(t);
}

Test(ops, logsumexp_of_special_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, -INFINITY, 0, 0);
    assert_values(ag_logsumexp(F64(t, -INFINITY, -INFINITY), AG_ALL, false), 0, -INFINITY);
    assert_values(ag_logsumexp(F64(t, INFINITY, 1, -INFINITY), AG_ALL, false), 0, INFINITY);
    assert_values(ag_logsumexp(F64(t, NAN, INFINITY), AG_ALL, false), 0, NAN);
    assert_values(ag_logsumexp(F64(t, 1000, 1000), AG_ALL, false), 1e-15, 1000.6931471805599);
    assert_values(ag_logsumexp(F64(t, -1e300, -1e300), AG_ALL, false), 0, -1e300);
    assert_values(ag_logsumexp(ag_buffer(t, AG_F64, AG_SHAPE(0, 2)), AG_AXES(0), false), 0, -INFINITY, -INFINITY);
    assert_values(gradient(ag_logsumexp(x, AG_ALL, false), x), 1e-15, 0, 0.5, 0.5);
    x = F64(t, INFINITY, 1);
    assert_values(gradient(ag_logsumexp(x, AG_ALL, false), x), 0, NAN, 0);
    ag_tape_free(t);
}

typedef struct norm_row {
    double p, x[3], y, d[3];
} norm_row;

/* Values and gradients of PyTorch's linalg.vector_norm, which are 0 where no direction is better than another. */
static const norm_row norms[] = {
    {0, {0, 3, -4}, 2, {0, 0, 0}},
    {1, {0, 3, -4}, 7, {0, 1, -1}},
    {2, {0, 3, -4}, 5, {0, 0.6, -0.8}},
    {2, {0, 0, 0}, 0, {0, 0, 0}},
    {1, {0, 0, 0}, 0, {0, 0, 0}},
    {3, {0, 0, 0}, 0, {0, 0, 0}},
    {1.5, {0, 0, 0}, 0, {0, 0, 0}},
    {0.5, {0, 4, 9}, 25, {0, 2.5, 5. / 3}},
    {0.5, {0, 0, 0}, 0, {0, 0, 0}},
    {-1, {0, 3, 4}, 0, {0, 0, 0}},
    {INFINITY, {2, -4, 4}, 4, {0, -0.5, 0.5}},
    {INFINITY, {0, 0, 0}, 0, {0, 0, 0}},
    {-INFINITY, {2, -2, 4}, 2, {0.5, -0.5, 0}},
    {INFINITY, {NAN, 1, 2}, NAN, {NAN, 0, 0}},
    {2, {INFINITY, 1, 2}, INFINITY, {NAN, 0, 0}},
};

Test(ops, norms_of_special_values) {
    for (size_t k = 0; k < sizeof norms / sizeof *norms; k++) {
        const norm_row *r = &norms[k];
        char text[CHECK_TEXT];
        ag_tape *t = ag_tape_new();
        ag_tensor *x = ag_leaf(t, AG_F64, r->x, AG_SHAPE(3), AG_REQUIRES_GRAD), *y = ag_norm(x, r->p, AG_ALL, false);
        cr_assert(check_values(y, &r->y, 1, 1e-15, text), "row %d: %s", (int)k, text);
        cr_assert(check_values(gradient(y, x), r->d, 3, 1e-15, text), "gradient of row %d: %s", (int)k, text);
        ag_tape_free(t);
    }
}
