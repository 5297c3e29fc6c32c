/* lu.c: systems too large for the reference, by what is left of them: a x − b; no pivot stands on the diagonal to begin with. And
 * determinants where they are 0, or nearly. */
#include <math.h>

#include "every_isa.h"
#include "ops/ops.h"
#include "ops/property.h"
#include "check.h"

static ag_tensor *hollow(ag_tape *t, ag_shape s, uint64_t *random) {
    ag_tensor *a = check_leaf(t, AG_F64, s, 0, -1, 1, random);
    return ag_sub(a, ag_mul(a, ag_eye(t, AG_F64, s.dim[s.rank - 1], -1)));
}

static void assert_small(ag_tensor *rest, ag_tensor *beside, const char *what, int n) {
    ag_tensor *size = ag_max(ag_abs(beside), AG_ALL, false);
    rest = ag_max(ag_abs(rest), AG_ALL, false);
    cr_assert(rest && ag_item(rest) <= 2e-15 * n * (1 + ag_item(size)), "%s of %d: %g is left beside %g: %s", what, n,
              rest ? ag_item(rest) : NAN, size ? ag_item(size) : NAN, ag_tape_message(ag_tape_of(beside)));
}

/* Sizes about those of blocks and stripes; one matrix and many. */
TestEveryISA(ops, lu_leaves_nothing_of_larger_systems) {
    static const int sizes[] = {7, 8, 9, 17, 64, 67, 130, 321};
    uint64_t random = 5;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int n = sizes[k];
        ag_tape *t = ag_tape_new();
        ag_tensor *a = hollow(t, n < 321 ? AG_SHAPE(3, n, n) : AG_SHAPE(n, n), &random);
        ag_tensor *one = ag_eye(t, AG_F64, n, -1), *size, *b = check_leaf(t, AG_F64, AG_SHAPE(n, 5), 0, -1, 1, &random);
        ag_tensor *x = ag_solve(a, b), *inverse = ag_inv(a);
        assert_small(ag_sub(ag_matmul(a, x), b), x, "solve", n);
        assert_small(ag_sub(ag_matmul(a, inverse), one), inverse, "inv", n);
        /* Σ a C along a row is the determinant */
        ag_tensor *small = ag_scale(a, 1 / sqrt(n)), *det = ag_det(small), *ones = ag_ones_like(det);
        ag_tensor *sign = ag_slogdet(small, &size), *cofactors = ag_det_grad(ones, small);
        assert_small(ag_sub(ag_matmul(small, ag_transpose(cofactors, -1, -2)),
                            ag_mul(ag_unsqueeze(ag_unsqueeze(det, -1), -1), one)),
                     cofactors, "det_grad", n);
        assert_small(ag_sub(ag_mul(sign, ag_exp(size)), det), det, "slogdet", n);
        /* the second derivative along a itself is n − 1 times the first */
        assert_small(ag_sub(ag_det_bend(small, small), ag_scale(cofactors, n - 1)), ag_scale(cofactors, n), "det_bend", n);
        ag_tape_free(t);
    }
}

TestEveryISA(ops, lu_is_independent_of_threads) {
    enum { N = 600 };
    char text[CHECK_TEXT];
    ag_tape *t = ag_tape_new();
    uint64_t random = 8;
    ag_tensor *a = hollow(t, AG_SHAPE(N, N), &random), *y[2][3];
    for (int many = 0; many < 2; many++) {
        ag_set_threads(many ? 5 : 1);
        y[many][0] = ag_inv(a), y[many][1] = ag_solve(a, a),
        y[many][2] = ag_det_grad(ag_scalar(t, AG_F64, 1), ag_scale(a, 0.1));
    }
    for (int i = 0; i < 3; i++) cr_assert(check_same(y[1][i], y[0][i], text), "%d: %s", i, text);
    ag_tape_free(t);
}

/* Of rank n − 1, and nearly; of rank n − 2, 1 and 0; with pivots that come to nothing first. */
static const struct {
    const char *op, *samples;
} singular[] = {
    {"det_grad",
     "f() f(2,2)=1,2,2,4 ; f(2) f(2,3,3)=1,2,3,4,5,6,7,8,9,2,-1,4,4,-2,8,-2,1,-4 ; f() f(3,3)=0,0,1,0,0,2,3,1,2 ;"
     "f() f(4,4)=1,0,2,3,0,1,1,1,1,1,3,4,2,1,5,7 ; f() f(1,1)=0 ; f() f(2,2)=0,0,0,0 ; f() f(3,3)=0,0,0,0,2,1,0,1,3 ;"
     "f() f(3,3)=1,2,3,4,5,6,7,8,9.000000001"},
    {"det_bend",
     "f(2,2)=1,2,2,4 f(2,2) ; f(3,3)=1,2,3,4,5,6,7,8,9 f(3,3) ; f(3,3)=2,-1,4,4,-2,8,-2,1,-4 f(3,3) ; f(2,2)=0,0,0,0 "
     "f(2,2) ;"
     "f(4,4)=1,0,2,3,0,1,1,1,1,1,3,4,2,1,5,7 f(4,4) ; f(4,4)=1,0,2,3,0,1,1,1,2,1,5,7,1,1,3,4 f(4,4) ; f(1,1)=0 f(1,1) ;"
     "f(3,3)=0,0,1,0,0,2,3,1,2 f(3,3) ; f(3,3)=1,2,3,4,5,6,7,8,9.000000001 f(3,3) ; f(3,3)=0,0,0,0,0,0,0,0,0 f(3,3)"},
};

TestEveryISA(ops, determinants_have_gradients_where_they_are_zero) {
    sample s;
    for (size_t k = 0; k < sizeof singular / sizeof *singular; k++) {
        for (const char *rest = singular[k].samples; (rest = sample_next(rest, singular[k].op, &s));) values(&s);
    }
}

/* To second order by ag_gradients, as a user meets them */
Test(ops, det_is_differentiated_twice_where_it_is_zero) {
    ag_tape *t = ag_tape_new();
    const double rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    ag_tensor *a = ag_from_f64(t, rows, AG_SHAPE(3, 3)), *y, *c, *h;
    ag_set_requires_grad(a, true);
    y = ag_det(a);
    cr_assert(ag_gradients(&y, NULL, 1, &a, 1, &c), "%s", ag_tape_message(t));
    ag_tensor *corner = ag_sum(ag_slice(ag_slice(c, 0, 0, 1, 1), 1, 0, 1, 1), AG_ALL, false); /* a₁₁ a₂₂ − a₁₂ a₂₁ */
    cr_assert(ag_gradients(&corner, NULL, 1, &a, 1, &h), "%s", ag_tape_message(t));
    static const double first[] = {-3, 6, -3, 6, -12, 6, -3, 6, -3}, second[] = {0, 0, 0, 0, 9, -8, 0, -6, 5};
    for (int i = 0; i < 9; i++) {
        cr_assert_lt(fabs(((const double *)ag_data(c))[i] - first[i]), 1e-13, "%d", i);
        cr_assert_lt(fabs(((const double *)ag_data(h))[i] - second[i]), 1e-13, "%d", i);
    }
    ag_tape_free(t);
}

Test(ops, products_of_pivots_may_leave_the_range_on_the_way) {
    ag_tape *t = ag_tape_new();
    const double pivots[] = {1e200, 1e-200, 1e200, 1e-200}, cofactors[] = {1e-200, 1e200, 1e-200, 1e200};
    ag_tensor *a = ag_diag(ag_from_f64(t, pivots, AG_SHAPE(4)), 0), *c = ag_det_grad(ag_scalar(t, AG_F64, 1), a), *size;
    cr_assert_lt(fabs(ag_item(ag_det(a)) - 1), 1e-14);
    cr_assert(ag_slogdet(a, &size) && fabs(ag_item(size)) < 1e-12);
    for (int i = 0; i < 4; i++)
        cr_assert_lt(fabs(((const double *)ag_data(c))[i * 5] / cofactors[i] - 1), 1e-14, "%d", i);
    ag_tape_free(t);
}
