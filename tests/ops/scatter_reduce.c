/* scatter_reduce.c: which elements count and share when several meet at one place, NaN, infinities, zeros in a product. */
#include <math.h>

#include "check.h"
#include "ops/ops.h"

typedef struct meeting {
    ag_reduce reduce;
    bool include_self;
    double x[3], src[3], y[3], dx[3], dsrc[3]; /* index 0 0 1 */
} meeting;

/* As PyTorch's, but for the last two. */
static const meeting meetings[] = {
    {AG_REDUCE_SUM, true, {1, 5, 3}, {4, 5, 0}, {10, 5, 3}, {1, 1, 1}, {1, 1, 1}},
    {AG_REDUCE_SUM, false, {1, 5, 3}, {4, 5, 0}, {9, 0, 3}, {0, 0, 1}, {1, 1, 1}},
    {AG_REDUCE_PROD, true, {1, 5, 3}, {4, 5, 0}, {20, 0, 3}, {20, 0, 1}, {5, 4, 5}},
    {AG_REDUCE_PROD, false, {1, 5, 3}, {4, 5, 0}, {20, 0, 3}, {0, 0, 1}, {5, 4, 1}},
    {AG_REDUCE_MEAN, true, {1, 5, 3}, {3, 5, 0}, {3, 2.5, 3}, {1. / 3, 0.5, 1}, {1. / 3, 1. / 3, 0.5}},
    {AG_REDUCE_MEAN, false, {1, 5, 3}, {4, 5, 0}, {4.5, 0, 3}, {0, 0, 1}, {0.5, 0.5, 1}},
    {AG_REDUCE_AMAX, true, {1, 5, 3}, {4, 5, 0}, {5, 5, 3}, {0, 1, 1}, {0, 1, 0}},
    {AG_REDUCE_AMAX, false, {1, 5, 3}, {4, 5, 0}, {5, 0, 3}, {0, 0, 1}, {0, 1, 1}},
    {AG_REDUCE_AMIN, true, {1, 5, 3}, {4, 5, 0}, {1, 0, 3}, {1, 0, 1}, {0, 0, 1}},
    {AG_REDUCE_AMAX, true, {2, 5, 3}, {2, 2, 5}, {2, 5, 3}, {1. / 3, 0.5, 1}, {1. / 3, 1. / 3, 0.5}},
    {AG_REDUCE_AMAX, false, {2, 5, 3}, {2, 2, 5}, {2, 5, 3}, {0, 0, 1}, {0.5, 0.5, 1}},
    {AG_REDUCE_AMIN, false, {2, -5, 3}, {INFINITY, INFINITY, 5}, {INFINITY, 5, 3}, {0, 0, 1}, {0.5, 0.5, 1}},
    {AG_REDUCE_PROD, true, {0, 5, 3}, {0, 7, 2}, {0, 10, 3}, {0, 2, 1}, {0, 0, 5}},
    {AG_REDUCE_AMAX, true, {NAN, 5, NAN}, {0, 7, NAN}, {NAN, NAN, NAN}, {0, 0, 1}, {0, 0, 0}},
    {AG_REDUCE_AMAX, false, {NAN, NAN, NAN}, {0, 7, -INFINITY}, {7, -INFINITY, NAN}, {0, 0, 1}, {0, 1, 1}},
};

static ag_tensor *three(ag_tape *t, const double v[3]) { return ag_leaf(t, AG_F64, v, AG_SHAPE(3), AG_REQUIRES_GRAD); }

static void need_values(const ag_tensor *have, const double want[3], size_t row, const char *what) {
    char text[CHECK_TEXT];
    cr_assert(check_values(have, want, 3, 1e-15, text), "row %zu, %s: %s", row, what, text);
}

Test(scatter_reduce, meetings) {
    for (size_t k = 0; k < sizeof meetings / sizeof *meetings; k++) {
        const meeting *m = &meetings[k];
        ag_tape *t = ag_tape_new();
        ag_tensor *x[2] = {three(t, m->x), three(t, m->src)}, *d[2];
        ag_tensor *index = ag_from_i64(t, (const int64_t[]){0, 0, 1}, AG_SHAPE(3));
        ag_tensor *y[2] = {ag_scatter_reduce(x[0], 0, index, x[1], m->reduce, m->include_self),
                           ag_index_reduce(x[0], 0, index, x[1], m->reduce, m->include_self)};
        for (int i = 0; i < 2; i++) {
            need_values(y[i], m->y, k, "value");
            cr_assert(ag_gradients(&y[i], NULL, 1, x, 2, d), "%s", ag_tape_message(t));
            need_values(d[0], m->dx, k, "gradient to x");
            need_values(d[1], m->dsrc, k, "gradient to src");
        }
        ag_tape_free(t);
    }
}

/* ∂²(x Π src)/∂src_i ∂src_j = x Π of the others, also where one or two of them, or these themselves, are 0. */
Test(scatter_reduce, second_gradients_of_a_product_with_zeros) {
    static const double src[][3] = {{2, 3, 5}, {0, 3, 5}, {0, 0, 5}, {0, 0, 0}};
    ag_tape *t = ag_tape_new();
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){0, 0, 0}, AG_SHAPE(3));
    for (size_t k = 0; k < sizeof src / sizeof *src; k++) {
        ag_tensor *x[2] = {ag_leaf(t, AG_F64, (const double[]){7}, AG_SHAPE(1), AG_REQUIRES_GRAD), three(t, src[k])},
                  *d[2], *dd[2];
        ag_tensor *y = ag_scatter_reduce(x[0], 0, index, x[1], AG_REDUCE_PROD, true);
        cr_assert(ag_gradients(&y, NULL, 1, x, 2, d), "%s", ag_tape_message(t));
        for (int i = 0; i < 3; i++) {
            double want[3] = {0};
            for (int j = 0; j < 3; j++) want[j] = i == j ? 0 : 7 * src[k][3 - i - j];
            ag_tensor *di = ag_select(d[1], 0, i);
            cr_assert(ag_gradients(&di, NULL, 1, x, 2, dd), "%s", ag_tape_message(t));
            need_values(dd[1], want, k, "second gradient");
            assert_values(dd[0], 1e-15, src[k][(i + 1) % 3] * src[k][(i + 2) % 3]);
        }
    }
    ag_tape_free(t);
}

/* ∂³(x Π src)/∂src_i ∂src_j ∂src_k = x times the fourth, with as many zeros among the others as can be. */
Test(scatter_reduce, third_gradients_of_a_product_with_zeros) {
    static const double src[][4] = {{2, 3, 5, 0.5}, {0, 3, 0, 5}, {0, 0, 0, 5}, {0, 0, 0, 0}};
    ag_tape *t = ag_tape_new();
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){1, 1, -1, 1}, AG_SHAPE(4));
    for (size_t row = 0; row < sizeof src / sizeof *src; row++) {
        ag_tensor *x = ag_from_f64(t, (const double[]){3, 7}, AG_SHAPE(2)), *d, *dd, *ddd;
        ag_tensor *s = ag_leaf(t, AG_F64, src[row], AG_SHAPE(4), AG_REQUIRES_GRAD);
        ag_tensor *y = ag_scatter_reduce(x, 0, index, s, AG_REDUCE_PROD, true);
        cr_assert(ag_gradients(&y, NULL, 1, &s, 1, &d), "%s", ag_tape_message(t));
        for (int i = 0; i < 4; i++) {
            ag_tensor *di = ag_select(d, 0, i);
            cr_assert(ag_gradients(&di, NULL, 1, &s, 1, &dd), "%s", ag_tape_message(t));
            for (int j = 0; j < 4; j++) {
                ag_tensor *dij = ag_select(dd, 0, j);
                cr_assert(ag_gradients(&dij, NULL, 1, &s, 1, &ddd), "%s", ag_tape_message(t));
                double want[4] = {0};
                for (int k = 0; k < 4; k++) want[k] = i == j || j == k || k == i ? 0 : 7 * src[row][6 - i - j - k];
                assert_values(ddd, 1e-15, want[0], want[1], want[2], want[3]);
            }
        }
    }
    ag_tape_free(t);
}

/* What overflows or is no number at one place stays there, in gradients of both orders, too. */
Test(scatter_reduce, places_have_nothing_to_do_with_each_other) {
    ag_tape *t = ag_tape_new();
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){0, 1, 0, 1, 2}, AG_SHAPE(5));
    ag_tensor *src = ag_leaf(t, AG_F64, (const double[]){1e300, 2, 1e300, 3, NAN}, AG_SHAPE(5), AG_REQUIRES_GRAD);
    ag_tensor *x = ag_leaf(t, AG_F64, (const double[]){INFINITY, 5, 7}, AG_SHAPE(3), AG_REQUIRES_GRAD), *d, *dd;
    ag_tensor *y = ag_scatter_reduce(x, 0, index, src, AG_REDUCE_PROD, true);
    cr_assert(ag_gradients(&y, NULL, 1, &src, 1, &d), "%s", ag_tape_message(t));
    assert_values(d, 0, INFINITY, 15, INFINITY, 10, 7);
    ag_tensor *w = ag_from_f64(t, (const double[]){0, 1, 0, 10, 0}, AG_SHAPE(5));
    cr_assert(ag_gradients(&d, &w, 1, &x, 1, &dd), "%s", ag_tape_message(t));
    assert_values(ag_slice(dd, 0, 1, 2, 1), 0, 23);
    ag_tape_free(t);
}

/* A product that underflows has a gradient all the same: the others are multiplied, the product is not divided. */
Test(scatter_reduce, gradients_of_a_product_that_underflows) {
    ag_tape *t = ag_tape_new();
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){0, 0}, AG_SHAPE(2));
    ag_tensor *src = ag_leaf(t, AG_F64, (const double[]){1e-200, 3e-200}, AG_SHAPE(2), AG_REQUIRES_GRAD), *d;
    ag_tensor *y = ag_scatter_reduce(ag_from_f64(t, (const double[]){2}, AG_SHAPE(1)), 0, index, src, AG_REDUCE_PROD, true);
    cr_assert(ag_gradients(&y, NULL, 1, &src, 1, &d), "%s", ag_tape_message(t));
    assert_values(d, 1e-15, 6e-200, 2e-200);
    ag_tape_free(t);
}

Test(scatter_reduce, integers) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_i64(t, (const int64_t[]){1, 2, 3}, AG_SHAPE(3)),
              *index = ag_from_i64(t, (const int64_t[]){0, 0, 1}, AG_SHAPE(3));
    ag_tensor *src = ag_from_i64(t, (const int64_t[]){4, 5, -6}, AG_SHAPE(3));
    assert_values(ag_scatter_reduce(x, 0, index, src, AG_REDUCE_MEAN, true), 0, 3, -2, 3); /* rounded down, as in PyTorch */
    assert_values(ag_scatter_reduce(x, 0, index, src, AG_REDUCE_AMIN, false), 0, 4, -6, 3);
    assert_values(ag_scatter_reduce(x, 0, index, src, AG_REDUCE_PROD, true), 0, 20, -12, 3);
    ag_tape_free(t);
}
