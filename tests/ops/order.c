/* order.c: what sorting and choosing promise of equal elements, NaN, signed zeros, and lines that are hard to sort. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "ops/ops.h"

#define F64(t, ...) \
    ag_from_f64(t, (const double[]){__VA_ARGS__}, AG_SHAPE(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))
#define PARAM(t, ...)                                 \
    ag_leaf(t, AG_F64, (const double[]){__VA_ARGS__}, \
            AG_SHAPE(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)), AG_REQUIRES_GRAD)

Test(order, equal_elements_stay_in_order) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 3, 1, 3, 3, NAN, -NAN, 2, 1), *index;
    assert_values(ag_sort(x, 0, false, &index), 0, 1, 1, 2, 3, 3, 3, NAN, NAN);
    assert_values(index, 0, 1, 7, 6, 0, 2, 3, 4, 5);
    assert_values(ag_sort(x, 0, true, &index), 0, NAN, NAN, 3, 3, 3, 2, 1, 1);
    assert_values(index, 0, 4, 5, 0, 2, 3, 6, 1, 7);
    ag_tensor *zeros = F64(t, 0.0, -0.0, 0.0, -0.0), *sorted = ag_sort(zeros, -1, false, &index);
    assert_values(index, 0, 0, 1, 2, 3);
    for (int i = 0; i < 4; i++) cr_assert_eq(signbit(ag_at(sorted, i)) != 0, i % 2); /* each as it was */
    assert_values(ag_argsort(zeros, 0, true), 0, 0, 1, 2, 3);
    assert_values(ag_sort(F64(t, INFINITY, NAN, -INFINITY, -5e-324, 5e-324), 0, false, &index), 0, -INFINITY, -5e-324,
                  5e-324, INFINITY, NAN);
    ag_tape_free(t);
}

Test(order, any_dtype) {
    ag_tape *t = ag_tape_new();
    ag_tensor *index, *yes = ag_from_bool(t, (const bool[]){true, false, true, false}, AG_SHAPE(4));
    ag_tensor *i = ag_from_i64(t, (const int64_t[]){INT64_MAX, INT64_MIN, -1, INT64_MAX - 1}, AG_SHAPE(4));
    assert_values(ag_sort(yes, 0, false, &index), 0, 0, 0, 1, 1);
    assert_values(index, 0, 1, 3, 0, 2);
    assert_values(ag_argsort(yes, 0, true), 0, 0, 2, 1, 3);
    assert_values(ag_mode(yes, 0, false, &index), 0, 0);
    assert_values(index, 0, 3);
    assert_values(ag_argsort(i, 0, false), 0, 1, 2, 3, 0); /* not as doubles */
    ag_topk_with(i, 2, 0, false, true, &index);
    assert_values(index, 0, 1, 2);
    ag_tape_free(t);
}

Test(order, what_is_chosen_among_equals) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 3, 1, 3, 3), *index;
    assert_values(ag_median(x, AG_AXES(0), false, &index), 0, 3);
    assert_values(index, 0, 0);
    assert_values(ag_median(F64(t, 1, 1, 1, 1, 1), AG_AXES(0), false, &index), 0, 1);
    assert_values(index, 0, 2);
    assert_values(ag_kthvalue(x, 3, 0, true, &index), 0, 3);
    assert_values(index, 0, 2);
    assert_values(ag_mode(F64(t, 1, 2, 2, 1, 0), 0, false, &index), 0, 1);
    assert_values(index, 0, 3);
    assert_values(ag_mode(F64(t, 5, 4, 3), 0, false, &index), 0, 3);
    assert_values(index, 0, 2);
    assert_values(ag_topk_with(x, 2, 0, false, true, &index), 0, 1, 3);
    assert_values(index, 0, 1, 0);
    ag_tape_free(t);
}

Test(order, nan_is_the_largest) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 2, NAN, 1, NAN, 2, 4), *index, *nans = F64(t, NAN, NAN);
    assert_values(ag_median(x, AG_AXES(0), false, &index), 0, NAN);
    assert_values(index, 0, 1);
    assert_values(ag_nanmedian(x, AG_AXES(0), false, &index), 0, 2);
    assert_values(index, 0, 0);
    assert_values(ag_nanmedian(x, AG_ALL, false, &index), 0, 2);
    assert_values(ag_nanmedian(nans, AG_AXES(0), false, &index), 0, NAN);
    assert_values(index, 0, 0);
    assert_values(ag_kthvalue(x, 5, 0, false, &index), 0, NAN);
    assert_values(index, 0, 1);
    assert_values(ag_mode(x, 0, false, &index), 0, 2);
    assert_values(index, 0, 4);
    assert_values(ag_mode(F64(t, NAN, 1, NAN), 0, false, &index), 0, NAN);
    assert_values(index, 0, 2);
    assert_values(ag_topk_with(x, 2, 0, false, true, &index), 0, 1, 2);
    assert_values(index, 0, 2, 0);
    ag_tensor *narrow = ag_cast(x, AG_F32);
    assert_values(ag_median(narrow, AG_ALL, true, &index), 0, NAN);
    assert_values(index, 0, 1);
    ag_tape_free(t);
}

Test(order, of_nothing) {
    ag_tape *t = ag_tape_new();
    ag_tensor *none = ag_param(t, AG_F64, AG_SHAPE(0, 3)), *index, *d;
    ag_tensor *y = ag_median(none, AG_ALL, true, &index);
    assert_values(y, 0, NAN);
    assert_values(index, 0, -1);
    cr_assert(ag_gradients(&y, NULL, 1, &none, 1, &d), "%s", ag_tape_message(t));
    cr_assert_eq(ag_size(d), 0);
    cr_assert_eq(ag_size(ag_mode(none, 1, false, NULL)), 0);
    ag_tape_free(t);
}

static void need_gradient(ag_tape *t, ag_tensor *y, ag_tensor *x, const double expected[]) {
    ag_tensor *d;
    char text[CHECK_TEXT];
    cr_assert(ag_gradients(&y, NULL, 1, &x, 1, &d), "%s", ag_tape_message(t));
    cr_assert(check_values(d, expected, ag_size(x), 1e-15, text), "%s: %s", ag_op_name(y), text);
}

#define GRADIENT(y, ...) need_gradient(t, y, x, (const double[]){__VA_ARGS__})

Test(order, gradients_go_where_values_come_from) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 3, 1, 3, 3);
    ag_tensor *w = F64(t, 1, 2, 3, 4), *y = ag_mul(ag_sort(x, 0, true, NULL), w);
    GRADIENT(y, 1, 4, 2, 3);
    GRADIENT(ag_median(x, AG_AXES(0), false, NULL), 1, 0, 0, 0);
    GRADIENT(ag_median(x, AG_ALL, false, NULL), 1. / 3, 0, 1. / 3, 1. / 3);
    GRADIENT(ag_nanmedian(x, AG_ALL, true, NULL), 1. / 3, 0, 1. / 3, 1. / 3);
    GRADIENT(ag_kthvalue(x, 3, 0, false, NULL), 0, 0, 1, 0);
    GRADIENT(ag_mode(x, 0, false, NULL), 0, 0, 0, 1);
    GRADIENT(ag_topk_with(x, 2, 0, false, true, NULL), 1, 1, 0, 0);
    x = PARAM(t, NAN, 1, NAN);
    GRADIENT(ag_median(x, AG_ALL, false, NULL), 0.5, 0, 0.5);
    GRADIENT(ag_median(x, AG_AXES(0), false, NULL), 1, 0, 0);
    GRADIENT(ag_nanmedian(x, AG_ALL, false, NULL), 0, 1, 0);
    ag_tape_free(t);
}

Test(order, quantiles) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, 3, 1, NAN, 2), *q = F64(t, 0, 0.5, 0.75, 1),
              *p[2] = {PARAM(t, 3, 1, 4, 2, 7), PARAM(t, 0.3, 0.6)}, *d[2];
    assert_values(ag_quantile(x, q, AG_ALL, false, AG_QUANTILE_LINEAR), 0, NAN, NAN, NAN, NAN);
    assert_values(ag_nanquantile(x, q, AG_AXES(0), false, AG_QUANTILE_LINEAR), 0, 1, 2, 2.5, 3);
    assert_values(ag_nanquantile_scalar(F64(t, NAN, NAN), 0.5, AG_ALL, false, AG_QUANTILE_LINEAR), 0, NAN);
    q = F64(t, 0, 0.125, 0.375, 0.625, 1);
    assert_values(ag_quantile(p[0], q, AG_ALL, false, AG_QUANTILE_LINEAR), 0, 1, 1.5, 2.5, 3.5, 7);
    assert_values(ag_quantile(p[0], q, AG_ALL, false, AG_QUANTILE_LOWER), 0, 1, 1, 2, 3, 7);
    assert_values(ag_quantile(p[0], q, AG_ALL, false, AG_QUANTILE_HIGHER), 0, 1, 2, 3, 4, 7);
    assert_values(ag_quantile(p[0], q, AG_ALL, false, AG_QUANTILE_MIDPOINT), 0, 1, 1.5, 2.5, 3.5, 7);
    assert_values(ag_quantile(p[0], q, AG_ALL, false, AG_QUANTILE_NEAREST), 0, 1, 1, 3, 3, 7); /* halves to even ranks */
    ag_tensor *y = ag_quantile(p[0], p[1], AG_ALL, false, AG_QUANTILE_LINEAR);
    cr_assert(ag_gradients(&y, NULL, 1, p, 2, d), "%s", ag_tape_message(t));
    assert_values(d[0], 1e-15, 0.8, 0, 0.4, 0.8, 0);
    assert_values(d[1], 1e-15, 4, 4);
    x = PARAM(t, 3, 1, NAN, 2);
    GRADIENT(ag_quantile_scalar(x, 0.5, AG_ALL, false, AG_QUANTILE_LINEAR), 0, 0, 1, 0);
    y = ag_nanquantile((p[0] = PARAM(t, NAN, NAN)), p[1], AG_ALL, false, AG_QUANTILE_LINEAR);
    cr_assert(ag_gradients(&y, NULL, 1, p, 2, d), "%s", ag_tape_message(t));
    assert_values(d[0], 0, 2, 0);
    assert_values(d[1], 0, 0, 0);
    x = PARAM(t, INFINITY, 1, 2, -INFINITY);
    assert_values(ag_quantile_scalar(x, 0, AG_ALL, false, AG_QUANTILE_LINEAR), 0, NAN); /* lerp of infinities, as in PyTorch */
    assert_values(ag_quantile_scalar(x, 0, AG_ALL, false, AG_QUANTILE_NEAREST), 0, -INFINITY);
    assert_values(ag_quantile_scalar(x, 1, AG_ALL, false, AG_QUANTILE_LOWER), 0, INFINITY);
    ag_tape_free(t);
}

/* Lines on which a careless sort is slow or wrong, against the C library's. */
enum { LONG = 1 << 17 };
static double line[LONG];
static int64_t place[LONG];

static int in_order(const void *a, const void *b) {
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    return line[i] != line[j] ? (line[i] > line[j] ? 1 : -1) : (i > j) - (i < j);
}

static double rising(int64_t i) { return (double)i; }
static double falling(int64_t i) { return -(double)i; }
static double constant(int64_t i) { return 7 + 0 * (double)i; }
static double few(int64_t i) { return (double)(i * 7919 % 5) - 2; }
static double pipes(int64_t i) { return (double)(i < LONG / 2 ? i : LONG - i); }
static double saw(int64_t i) { return (double)(i * 40503 % 65536) * (i % 2 ? 1e-300 : -1e300); }

Test(order, hard_lines) {
    static double (*const shapes[])(int64_t) = {rising, falling, constant, few, pipes, saw};
    static const int64_t sizes[] = {1, 2, 3, 39, 40, 41, 42, 63, 64, 65, 66, 257, LONG};
    ag_tape *t = ag_tape_new();
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes * 2; k++) {
        ag_dtype dtype = k % 2 ? AG_F64 : AG_F32;
        for (size_t m = 0; m < sizeof sizes / sizeof *sizes; m++) {
            int64_t n = sizes[m];
            ag_mark here = ag_tape_mark(t);
            for (int64_t i = 0; i < n; i++) {
                line[i] = dtype == AG_F32 ? (double)(float)shapes[k / 2](i) : shapes[k / 2](i);
                place[i] = i;
            }
            ag_tensor *x = ag_cast(ag_from_f64(t, line, AG_SHAPE(n)), dtype), *index, *middle;
            qsort(place, (size_t)n, sizeof *place, in_order);
            cr_assert(ag_sort(x, 0, false, &index) && ag_median(x, AG_AXES(0), false, &middle), "%s", ag_tape_message(t));
            for (int64_t i = 0; i < n; i++)
                cr_assert_eq(((const int64_t *)ag_data(index))[i], place[i], "shape %zu, %lld elements, place %lld",
                             k / 2, (long long)n, (long long)i);
            cr_assert_eq((int64_t)ag_item(middle), place[(n - 1) / 2], "shape %zu, %lld elements", k / 2, (long long)n);
            ag_tape_rewind(t, here);
        }
    }
    ag_tape_free(t);
}
