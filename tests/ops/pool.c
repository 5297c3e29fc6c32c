/* pool.c: the largest of a window where several elements could be: the first has the place and the gradient; padding never is. */
#include <math.h>

#include "ops/ops.h"
#include "check.h"
#include "ops/every_isa.h"

Test(ops, max_pool_gives_the_first_of_equals_the_gradient) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){0, 2, 2, 2, 1, 1}, AG_SHAPE(1, 6)), *index = NULL;
    ag_set_requires_grad(x, true);
    ag_pool_options o = ag_pool_defaults();
    o.stride = AG_SHAPE(1);
    ag_tensor *y = ag_max_pool1d(x, AG_SHAPE(3), &o, &index);
    assert_values(y, 0, 2, 2, 2, 2);
    assert_values(index, 0, 1, 1, 2, 3);
    cr_assert(ag_backward(ag_sum(y, AG_ALL, false)));
    assert_values(ag_grad(x), 0, 0, 2, 1, 1, 0, 0);
    ag_tape_free(t);
}

/* All −∞: the padding, which counts as −∞ too, does not come first. A NaN is the largest. */
Test(ops, max_pool_of_infinities_and_nans) {
    ag_tape *t = ag_tape_new();
    double low = -(double)INFINITY, nan = (double)NAN;
    ag_tensor *x = ag_from_f64(t, (const double[]){low, low, 3, low, low, nan}, AG_SHAPE(1, 2, 3)), *index = NULL;
    ag_pool_options o = ag_pool_defaults();
    o.padding = AG_SHAPE(1), o.stride = AG_SHAPE(1, 2);
    assert_values(ag_max_pool2d(x, AG_SHAPE(2), &o, &index), 0, low, 3, low, nan, low, nan);
    assert_values(index, 0, 0, 2, 0, 5, 3, 5);
    ag_tape_free(t);
}

/* Windows 0–1, 1–3 and 3–4 of five share pixels, and a short one has its last pixel twice in memory: both gradients of pixel 3 are
 * its own, of what ties the first has it, and a NaN is the largest. */
Test(ops, adaptive_max_pool_of_ties_and_nans) {
    ag_tape *t = ag_tape_new();
    double nan = (double)NAN;
    ag_tensor *x = ag_from_f64(t, (const double[]){2, 2, 1, 5, 0, nan, 1, 1, 0, 1}, AG_SHAPE(2, 5)), *index = NULL;
    ag_set_requires_grad(x, true);
    ag_tensor *y = ag_adaptive_max_pool1d(x, AG_SHAPE(3), &index);
    assert_values(y, 0, 2, 5, 5, nan, 1, 1);
    assert_values(index, 0, 0, 3, 3, 0, 1, 4);
    cr_assert(ag_backward(ag_sum(y, AG_ALL, false)));
    assert_values(ag_grad(x), 0, 1, 0, 0, 2, 0, 1, 1, 0, 0, 1);
    ag_tape_free(t);
}

/* A window of zeros: √ has slope ∞ there, and the gradient is 0. */
Test(ops, lp_pool_of_zeros_has_no_gradient) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){0, 0, 3, 4}, AG_SHAPE(1, 4));
    ag_set_requires_grad(x, true);
    ag_tensor *y = ag_lp_pool1d(x, 2, AG_SHAPE(2), AG_SHAPE(), false);
    assert_values(y, 1e-15, 0, 5);
    cr_assert(ag_backward(ag_sum(y, AG_ALL, false)));
    assert_values(ag_grad(x), 1e-15, 0, 0, 0.6, 0.8);
    ag_tape_free(t);
}

/* Wide enough for vectors: of each window's elements the first of the largest, or the first NaN, found one by one. */
TestEveryISA(ops, max_pool_of_many_ties) {
    enum { N = 83, SIZE = 5 };
    for (int64_t stride = 1; stride <= 3; stride++) {
        ag_tape *t = ag_tape_new();
        float v[N];
        for (int i = 0; i < N; i++) v[i] = i % 29 == 7 ? NAN : (float)(i * i % 3);
        ag_pool_options o = ag_pool_defaults();
        o.stride = AG_SHAPE(stride), o.padding = AG_SHAPE(2);
        ag_tensor *index, *y = ag_max_pool1d(ag_from_f32(t, v, AG_SHAPE(1, N)), AG_SHAPE(SIZE), &o, &index);
        cr_assert_not_null(y, "%s", ag_tape_message(t));
        for (int64_t k = 0; k < ag_size(y); k++) {
            int64_t first = k * stride - 2, end = first + SIZE < N ? first + SIZE : N, best = first < 0 ? 0 : first;
            for (int64_t i = best + 1; i < end && !isnan(v[best]); i++) best = v[i] > v[best] || isnan(v[i]) ? i : best;
            cr_assert_eq(ag_i64(index)[k], best, "stride %d, window %d: %d, not %d", (int)stride, (int)k,
                         (int)ag_i64(index)[k], (int)best);
            cr_assert(ag_f32(y)[k] == v[best] || isnan(v[best]));
        }
        ag_tape_free(t);
    }
}

/* A window that sticks out behind the padding counts what lies within: of 7, windows of 3 at −1, 2 and 5. */
Test(ops, avg_pool_counts_what_windows_hold) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){3, 6, 9, 12, 15, 18, 21}, AG_SHAPE(1, 7));
    ag_pool_options o = ag_pool_defaults();
    o.padding = AG_SHAPE(1), o.ceil_mode = true;
    assert_values(ag_avg_pool1d(x, AG_SHAPE(3), &o), 1e-15, 3, 12, 13);
    o.count_include_pad = false;
    assert_values(ag_avg_pool1d(x, AG_SHAPE(3), &o), 1e-15, 4.5, 12, 19.5);
    o.count_include_pad = true, o.stride = AG_SHAPE(4);
    assert_values(ag_avg_pool1d(x, AG_SHAPE(3), &o), 1e-15, 3, 15);
    o.stride = AG_SHAPE(5), o.padding = AG_SHAPE(0);
    assert_values(ag_avg_pool1d(x, AG_SHAPE(3), &o), 1e-15, 6, 19.5);
    ag_tape_free(t);
}
