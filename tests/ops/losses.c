/* losses.c: losses at their edges: certain probabilities, huge logits, nothing that counts, corners. */
#include <math.h>

#include "ops/ops.h"
#include "ops/property.h"

#define F64(t, ...)                                   \
    ag_leaf(t, AG_F64, (const double[]){__VA_ARGS__}, \
            AG_SHAPE(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)), AG_REQUIRES_GRAD)
#define I64(t, ...) \
    ag_from_i64(t, (const int64_t[]){__VA_ARGS__}, AG_SHAPE(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

static ag_tensor *slope(ag_tensor *y, ag_tensor *x) {
    ag_tensor *d;
    cr_assert(ag_gradients(&y, NULL, 1, &x, 1, &d), "%s", ag_tape_message(ag_tape_of(x)));
    return d;
}

Test(losses, certain_probabilities) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 0, 0, 1, 1), *target = F64(t, 0, 1, 0, 1);
    ag_tensor *y = ag_binary_cross_entropy(x, target, NULL, AG_NONE);
    assert_values(y, 0, 0, 100, 100, 0);
    assert_values(slope(y, x), 1e-12, 0, -1e12, 1e12, 0);
    ag_tape_free(t);
}

Test(losses, huge_logits) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 1e4, 1e4, -1e4, -1e4, 1e-20), *target = F64(t, 1, 0, 1, 0, 0.5);
    ag_tensor *y = ag_binary_cross_entropy_with_logits(x, target, NULL, NULL, AG_NONE);
    assert_values(y, 1e-15, 0, 1e4, 1e4, 0, log(2));
    assert_values(slope(y, x), 1e-15, 0, 1, -1, 0, 0);
    y = ag_binary_cross_entropy_with_logits(x, target, NULL, ag_scalar(t, AG_F64, 3), AG_NONE);
    assert_values(y, 1e-15, 0, 1e4, 3e4, 0, 2 * log(2));
    ag_tape_free(t);
}

Test(losses, nothing_counts) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_leaf(t, AG_F64, (const double[]){1, 2, 3, 4}, AG_SHAPE(2, 2), AG_REQUIRES_GRAD);
    ag_tensor *label = I64(t, -100, -100), *y = ag_cross_entropy(x, label);
    assert_values(y, 0, NAN);
    assert_values(slope(y, x), 0, 0, 0, 0, 0);
    ag_cross_entropy_options o = ag_cross_entropy_defaults();
    o.reduction = AG_SUM;
    assert_values(ag_cross_entropy_with(x, label, NULL, &o), 0, 0);
    ag_tensor *none = ag_param(t, AG_F64, AG_SHAPE(2, 0)), *w = ag_param(t, AG_F64, AG_SHAPE(0)); /* of no classes */
    y = ag_cross_entropy(none, label);
    assert_values(y, 0, NAN);
    assert_shape(slope(slope(y, none), none), 2, 0);
    y = ag_nll_loss(none, label, w, AG_SUM, -100);
    assert_values(y, 0, 0);
    assert_shape(slope(y, none), 2, 0);
    ag_tape_free(t);
}

Test(losses, what_is_ignored_may_be_nan) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_leaf(t, AG_F64, (const double[]){NAN, 1, 2, 2}, AG_SHAPE(2, 2), AG_REQUIRES_GRAD);
    ag_tensor *d = slope(ag_cross_entropy(x, I64(t, -100, 1)), x);
    assert_values(d, 1e-15, 0, 0, 0.5, -0.5);
    assert_values(slope(ag_mul(d, F64(t, 1, 0)), x), 1e-15, 0, 0, 0.25, -0.25);
    ag_tape_free(t);
}

Test(losses, probability_zero_of_minus_infinity) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, -INFINITY, 0), *p = F64(t, 0, 1), *log_p = F64(t, -INFINITY, 0);
    assert_values(ag_kl_div(x, p, AG_NONE, false), 0, 0, 0);
    assert_values(slope(ag_kl_div(x, p, AG_NONE, false), x), 0, 0, -1);
    assert_values(ag_kl_div(x, log_p, AG_NONE, true), 0, 0, 0);
    assert_values(slope(ag_kl_div(x, log_p, AG_NONE, true), x), 0, 0, -1);
    ag_tape_free(t);
}

Test(losses, corners_and_distance_zero) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = F64(t, 1, 2), *b = F64(t, 1, 2), *one = F64(t, 1, 1), *rows = ag_unsqueeze(a, 0);
    assert_values(slope(ag_l1_loss(a, b, AG_SUM), a), 0, 0, 0);
    assert_values(slope(ag_margin_ranking_loss(a, b, one, AG_NONE, 0), a), 0, -1, -1);
    for (int k = 0; k < 5; k++) {
        double p = ((const double[]){0.5, 1, 2, 3, INFINITY})[k];
        assert_values(ag_cdist(rows, ag_unsqueeze(b, 0), p), 0, 0);
        assert_values(slope(ag_cdist(rows, ag_unsqueeze(b, 0), p), a), 0, 0, 0);
    }
    ag_tape_free(t);
}
