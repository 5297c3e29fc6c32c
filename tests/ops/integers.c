/* integers.c: products of i64 against loops: exact modulo 2⁶⁴, whatever the strides, the batches and the threads. */
#include <stdlib.h>

#include "check.h"
#include "ops/ops.h"

/* Any 64 bits: products and sums wrap around. */
static ag_tensor *integers(ag_tape *t, ag_shape shape, uint64_t *state) {
    ag_tensor *x = ag_buffer(t, AG_I64, shape);
    uint64_t *to = ag_mutable(x);
    for (int64_t i = 0; i < ag_size(x); i++) to[i] = (uint64_t)(check_random(state) * 0x1p53) * 0x5851f42d4c957f2d;
    return x;
}

/* Row-major; the caller frees it. */
static uint64_t *elements(const ag_tensor *x) {
    uint64_t *values = malloc((size_t)(x ? ag_size(x) : 1) * sizeof *values + 1);
    cr_assert(values && (!x || ag_read(x, values)));
    return values;
}

/* y[…, i, j] = more[i, j] + Σ_p a[…, i, p] b[…, p, j], a and b of one matrix or as many as y */
static void need_product(const ag_tensor *y, const ag_tensor *a, const ag_tensor *b, const ag_tensor *more,
                         const char *what) {
    int64_t m = ag_dim(a, -2), k = ag_dim(a, -1), n = ag_dim(b, -1), batch = ag_size(y) / (m * n);
    uint64_t *av = elements(a), *bv = elements(b), *mv = elements(more);
    cr_assert(ag_dtype_of(y) == AG_I64 && ag_size(y) == batch * m * n, "%s", what);
    for (int64_t e = 0; e < ag_size(y); e++) {
        int64_t at = e / (m * n), i = e / n % m, j = e % n;
        const uint64_t *row = av + (at * m * k) % ag_size(a) + i * k, *column = bv + (at * k * n) % ag_size(b) + j;
        uint64_t sum = more ? mv[i * n + j] : 0;
        for (int64_t p = 0; p < k; p++) sum += row[p] * column[p * n];
        cr_assert_eq((uint64_t)ag_i64(y)[e], sum, "%s: element %lld", what, (long long)e);
    }
    free(av), free(bv), free(mv);
}

/* As many as the blocks of matmul_i64.c hold, one fewer and one more. */
static const int64_t sizes[][3] = {{1, 1, 1},   {2, 3, 4},   {15, 63, 7},  {16, 64, 3},
                                   {17, 65, 5}, {3, 2, 255}, {2, 66, 257}, {33, 1, 2}};

Test(integers, products_of_matrices) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 1;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int64_t m = sizes[s][0], k = sizes[s][1], n = sizes[s][2];
        ag_tensor *a = integers(t, AG_SHAPE(m, k), &state), *b = integers(t, AG_SHAPE(k, n), &state);
        ag_tensor *turned = integers(t, AG_SHAPE(n, k), &state), *at = integers(t, AG_SHAPE(k, m), &state),
                  *x = integers(t, AG_SHAPE(m, n), &state), *bias = integers(t, AG_SHAPE(n), &state);
        ag_tensor *left = ag_transpose(at, 0, 1), *right = ag_transpose(turned, 0, 1),
                  *apart = ag_slice(b, 1, 0, AG_END, 2);
        need_product(ag_matmul(a, b), a, b, NULL, "matmul");
        need_product(ag_mm(left, right), left, right, NULL, "mm of views");
        need_product(ag_matmul(a, apart), a, apart, NULL, "every second column");
        need_product(ag_linear(a, turned, bias), a, right, ag_expand(bias, AG_SHAPE(m, n)), "linear");
        need_product(ag_addmm(x, a, b, 1, 1), a, b, x, "addmm");
        need_product(ag_einsum("ij,kj->ik", (ag_tensor *[]){a, turned}, 2), a, right, NULL, "einsum");
        need_product(ag_inner(a, turned), a, right, NULL, "inner");
        need_product(ag_multi_dot((ag_tensor *[]){a, b}, 2), a, b, NULL, "multi_dot");
        assert_ok(t);
    }
    ag_tape_free(t);
}

Test(integers, products_in_batches_and_of_vectors) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 2;
    ag_tensor *a = integers(t, AG_SHAPE(3, 4, 5), &state), *b = integers(t, AG_SHAPE(3, 5, 2), &state);
    ag_tensor *one = ag_select(b, 0, 0), *row = integers(t, AG_SHAPE(5), &state);
    need_product(ag_bmm(a, b), a, b, NULL, "bmm");
    need_product(ag_matmul(a, one), a, ag_unsqueeze(one, 0), NULL, "one matrix for all");
    need_product(ag_matmul(ag_select(a, 0, 1), b), ag_unsqueeze(ag_select(a, 0, 1), 0), b, NULL, "one on the left");
    need_product(ag_matmul(row, one), ag_unsqueeze(row, 0), one, NULL, "a row");
    need_product(ag_mv(ag_select(a, 0, 2), row), ag_select(a, 0, 2), ag_unsqueeze(row, 1), NULL, "a column");
    need_product(ag_dot(row, row), ag_unsqueeze(row, 0), ag_unsqueeze(row, 1), NULL, "dot");
    need_product(ag_outer(row, row), ag_unsqueeze(row, 1), ag_unsqueeze(row, 0), NULL, "outer");
    assert_same(ag_matmul(a, row), ag_squeeze(ag_matmul(a, ag_unsqueeze(row, 1)), AG_AXES(-1)));
    ag_tensor *none = ag_buffer(t, AG_I64, AG_SHAPE(5, 0)), *empty = ag_matmul(none, ag_transpose(none, 0, 1));
    assert_shape(empty, 5, 5);
    for (int i = 0; i < 25; i++) cr_assert_eq(ag_i64(empty)[i], 0, "a sum of nothing");
    assert_shape(ag_matmul(ag_transpose(none, 0, 1), none), 0, 0);
    assert_ok(t);
    ag_tape_free(t);
}

/* Minus the most negative number is itself; 2^32 squared is gone. */
Test(integers, wrap_around) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_from_i64(t, (const int64_t[]){INT64_MIN, INT64_C(1) << 32, INT64_MAX}, AG_SHAPE(3));
    ag_tensor *b = ag_from_i64(t, (const int64_t[]){-1, INT64_C(1) << 32, 2}, AG_SHAPE(3));
    cr_assert_eq(ag_i64(ag_dot(a, b))[0], INT64_MAX - 1);
    ag_tape_free(t);
}

/* Several tasks of several threads. */
Test(integers, do_not_depend_on_threads) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 3;
    ag_tensor *a = integers(t, AG_SHAPE(5, 70, 90), &state), *b = integers(t, AG_SHAPE(90, 130), &state);
    ag_set_threads(1);
    ag_tensor *alone = ag_matmul(a, b);
    ag_set_threads(4);
    assert_same(ag_matmul(a, b), alone);
    ag_tape_free(t);
}

Test(integers, have_no_gradient_and_whole_factors) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_from_i64(t, (const int64_t[]){1, 2, 3, 4}, AG_SHAPE(2, 2)), *w = ag_param(t, AG_F64, AG_SHAPE(2, 2));
    cr_assert(!ag_requires_grad(ag_matmul(a, a)));
    assert_values(ag_addmm(a, a, a, -2, 3), 0, 19, 26, 39, 58);
    assert_values(ag_matrix_power(a, 3), 0, 37, 54, 81, 118);
    cr_assert(ag_backward(ag_sum(ag_mul(w, ag_cast(ag_matmul(a, a), AG_F64)), AG_ALL, false)));
    assert_values(ag_grad(w), 0, 7, 10, 15, 22);
    cr_assert_null(ag_addmm(a, a, a, 0.5, 1));
    assert_error(t, AG_ERR_ARGUMENT, "addmm: beta is 0.5; for i64 it must be a whole number");
    cr_assert_null(ag_addr(a, ag_select(a, 0, 0), ag_select(a, 0, 0), 1, 1.5));
    assert_error(t, AG_ERR_ARGUMENT, "addr: alpha is 1.5; for i64 it must be a whole number");
    cr_assert_null(ag_matmul(a, w));
    assert_error(t, AG_ERR_DTYPE, "matmul: dtypes differ: a leaf (2,2) is i64, a leaf (2,2) is f64");
    cr_assert_null(ag_matmul(ag_eq(a, a), ag_eq(a, a)));
    assert_error(t, AG_ERR_DTYPE, "is bool; f32, f64 or i64 is needed");
    ag_tape_free(t);
}
