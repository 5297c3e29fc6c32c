/* svd.c: what no small sample shows of singular values: large matrices, small values beside large ones, none of full rank, and
 * gradients where values are equal. */
#include <math.h>

#include "ops/ops.h"
#include "check.h"

static ag_tensor *turned(ag_tensor *x) { return ag_transpose(x, -1, -2); }

/* max |x − y| */
static double apart(ag_tensor *x, ag_tensor *y) { return ag_item(ag_max(ag_abs(ag_sub(x, y)), AG_ALL, false)); }

/* a = U diag(S) Vᵀ with orthonormal columns, to rounding */
static void check_factors(ag_tensor *a) {
    ag_tape *t = ag_tape_of(a);
    ag_tensor *s, *vh, *u = ag_svd(a, &s, &vh);
    cr_assert_not_null(u, "%s", ag_tape_message(t));
    ag_tensor *one = ag_eye(t, AG_F64, ag_dim(s, -1), -1), *largest = ag_max(s, AG_ALL, false);
    cr_assert_leq(apart(ag_matmul(ag_mul(u, ag_unsqueeze(s, -2)), vh), a), 2e-14 * ag_item(largest));
    cr_assert_leq(apart(ag_matmul(turned(u), u), one), 2e-14);
    cr_assert_leq(apart(ag_matmul(vh, turned(vh)), one), 2e-14);
}

Test(svd, makes_larger_matrices_again) {
    enum { N = 61, M = 37 };
    ag_tape *t = ag_tape_new();
    uint64_t random = 5;
    ag_tensor *a = check_leaf(t, AG_F64, AG_SHAPE(3, N, M), 0, -1, 1, &random);
    check_factors(a);
    check_factors(turned(a));
    check_factors(ag_scale(a, 1e200));
    ag_tape_free(t);
}

/* Ranks 0, 1 and 2: the columns for singular values of 0 are orthonormal all the same. */
Test(svd, completes_what_lacks_rank) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a =
        ag_from_f64(t, (const double[]){0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 2, 0, 0, 0, 3}, AG_SHAPE(3, 2, 3));
    for (int k = 0; k < 2; k++) {
        ag_tensor *x = k ? turned(a) : a;
        check_factors(x);
        assert_values(ag_matrix_rank(x, (double)NAN, (double)NAN), 0, 0, 1, 2);
        assert_values(ag_svdvals(x), 1e-15, 0, 0, sqrt(6), 0, 3, 2);
    }
    ag_tape_free(t);
}

/* Orthogonal columns of length 1, 2⁻⁴⁰ and 2⁻⁸⁰: the last is far below the rounding of the first, and right to its own last digits. */
Test(svd, gives_small_values_exactly) {
    ag_tape *t = ag_tape_new();
    double v[] = {1, 2, 2, 2, 1, -2, 2, -2, 1};
    for (int i = 0; i < 9; i++) v[i] = ldexp(v[i] / 3, -40 * (i % 3));
    ag_tensor *s = ag_svdvals(ag_from_f64(t, v, AG_SHAPE(3, 3)));
    for (int i = 0; i < 3; i++) cr_assert_leq(fabs(ldexp(ag_at(s, i), 40 * i) - 1), 1e-15, "%d: %.17g", i, ag_at(s, i));
    ag_tape_free(t);
}

Test(svd, of_what_is_no_number_is_none) {
    ag_tape *t = ag_tape_new();
    double nan = (double)NAN;
    ag_tensor *s, *vh, *u = ag_svd(ag_from_f64(t, (const double[]){1, (double)INFINITY, 3, 4}, AG_SHAPE(2, 2)), &s, &vh);
    assert_values(u, 0, nan, nan, nan, nan);
    assert_values(s, 0, nan, nan);
    assert_values(vh, 0, nan, nan, nan, nan);
    ag_tape_free(t);
}

/* Σ s at I: the gradient is U Vᵀ = I; along X = (0 −1; 1 0) the values are √(1 + t²), twice, so that H X = X. Order two meets equal
 * singular values, which the choice of vectors must not show. */
Test(svd, nuclear_norm_is_smooth_where_values_are_equal) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_from_f64(t, (const double[]){1, 0, 0, 1}, AG_SHAPE(2, 2)), *d, *dd;
    ag_set_requires_grad(a, true);
    ag_tensor *y = ag_matrix_norm(a, "nuc", AG_ALL, false),
              *x = ag_from_f64(t, (const double[]){0, -1, 1, 0}, AG_SHAPE(2, 2));
    assert_values(y, 1e-15, 2);
    cr_assert(ag_gradients(&y, NULL, 1, &a, 1, &d), "%s", ag_tape_message(t));
    assert_values(d, 1e-15, 1, 0, 0, 1);
    cr_assert(ag_gradients(&d, &x, 1, &a, 1, &dd), "%s", ag_tape_message(t));
    assert_values(dd, 1e-15, 0, -1, 1, 0);
    ag_tape_free(t);
}

/* |a|₂ with two largest values shares the gradient among their vectors. */
Test(svd, spectral_norm_of_equal_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_from_f64(t, (const double[]){0, 2, 0, 0, 0, 2}, AG_SHAPE(2, 3)), *d;
    ag_set_requires_grad(a, true);
    ag_tensor *y = ag_call(t, "norm", &a, 1, "ord=2");
    cr_assert(ag_gradients(&y, NULL, 1, &a, 1, &d), "%s", ag_tape_message(t));
    assert_values(y, 1e-15, 2);
    assert_values(d, 1e-15, 0, 0.5, 0, 0, 0, 0.5);
    ag_tape_free(t);
}

Test(svd, condition_numbers_of_other_norms) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_from_f64(t, (const double[]){2, 0, 0, 0.5}, AG_SHAPE(2, 2));
    assert_values(ag_cond(a, "fro"), 1e-15, 4.25);
    assert_values(ag_cond(a, "1"), 1e-15, 4);
    assert_values(ag_cond(a, "nuc"), 1e-15, 6.25);
    assert_values(ag_cond(a, "-2"), 1e-15, 0.25);
    ag_tape_free(t);
}
