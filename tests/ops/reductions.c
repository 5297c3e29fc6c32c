/* reductions.c: reductions and scans where elements are NaN, infinite, missing or tied: what ops.h states. */
#include <math.h>

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
