/* einsum.c: the order in which einsum and multi_dot multiply, and what many or strange operands make of it. */
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"
#include "ops/property.h"

/* The largest tensor on the tape. */
static int64_t largest(ag_tape *t) {
    int64_t most = 0;
    for (int64_t i = 0; i < ag_tape_size(t); i++) {
        ag_tensor *x = ag_tape_node(t, i);
        if (ag_size(x) > most) most = ag_size(x);
    }
    return most;
}

static ag_tensor *leaf(ag_tape *t, ag_shape s, uint64_t *state) { return check_leaf(t, AG_F64, s, 0, -1, 1, state); }

Test(einsum, chains_take_the_cheapest_order) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 1;
    ag_tensor *x[4] = {leaf(t, AG_SHAPE(2, 30), &state), leaf(t, AG_SHAPE(30, 40), &state),
                       leaf(t, AG_SHAPE(40, 3), &state), leaf(t, AG_SHAPE(3, 30), &state)};
    ag_tensor *y = ag_multi_dot(x, 4);
    cr_assert_eq(largest(t), 80, "%d: not ((ab)c)d", (int)largest(t));
    ag_tensor *z = ag_einsum("ij,jk,kl,lm", x, 4);
    assert_near(z, y, 1e-13);
    assert_near(ag_matmul(x[0], ag_matmul(x[1], ag_matmul(x[2], x[3]))), y, 1e-13);
    ag_tape_free(t);
}

Test(einsum, no_product_is_larger_than_it_need_be) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 2;
    ag_tensor *x[3] = {leaf(t, AG_SHAPE(4, 4, 4, 4), &state), leaf(t, AG_SHAPE(4, 4, 4, 4), &state),
                       leaf(t, AG_SHAPE(4, 4, 4, 4), &state)};
    cr_assert(ag_einsum("abcd,efgh,abef->cdgh", x, 3), "%s", ag_tape_message(t));
    cr_assert_eq(largest(t), 256, "%d", (int)largest(t));
    ag_tape_free(t);
}

/* Three operands of 3 axes whose every pair of labels is summed but once: in the wrong order a product has 9 axes. */
Test(einsum, products_of_nine_axes_are_avoided) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 3;
    ag_tensor *x[3] = {leaf(t, AG_SHAPE(2, 2, 2, 2, 2), &state), leaf(t, AG_SHAPE(2, 2, 2, 2), &state),
                       leaf(t, AG_SHAPE(2, 2, 2, 2, 2, 2, 2), &state)};
    ag_tensor *y = ag_einsum("abcde,fghi,abcdfgh->ei", x, 3);
    cr_assert(y, "%s", ag_tape_message(t));
    assert_shape(y, 2, 2);
    cr_assert_null(ag_einsum("abcde,fghi", x, 2));
    assert_error(t, AG_ERR_ARGUMENT, "more than 8 axes");
    ag_tape_free(t);
}

Test(einsum, many_operands) {
    enum { N = 14 };
    ag_tape *t = ag_tape_new();
    uint64_t state = 4;
    ag_tensor *x[N];
    char equation[4 * N], *to = equation;
    for (int i = 0; i < N; i++) {
        x[i] = leaf(t, AG_SHAPE(2 + i % 3, 2 + (i + 1) % 3), &state);
        to += sprintf(to, "%s%c%c", i ? ", " : "", 'a' + i, 'b' + i);
    }
    ag_tensor *y = ag_einsum(equation, x, N);
    cr_assert(y, "%s", ag_tape_message(t));
    assert_near(y, ag_multi_dot(x, N), 1e-12);
    cr_assert_leq(largest(t), 16);
    ag_tensor *scalars[65];
    for (int i = 0; i < 65; i++) scalars[i] = ag_scalar(t, AG_F64, 2);
    char commas[65] = "";
    memset(commas, ',', 63);
    assert_values(ag_einsum(commas, scalars, 64), 0, 0x1p64);
    cr_assert_null(ag_einsum(commas, scalars, 65));
    assert_error(t, AG_ERR_ARGUMENT, "einsum: takes at most 64 operands");
    cr_assert_null(ag_multi_dot(scalars, 33));
    assert_error(t, AG_ERR_ARGUMENT, "multi_dot: takes at most 32 matrices");
    ag_tape_free(t);
}

Test(einsum, all_letters_and_cases) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){1, 2, 3, 4, 5, 6}, AG_SHAPE(2, 3));
    assert_values(ag_einsum("aB", &x, 1), 0, 1, 4, 2, 5, 3, 6); /* capitals come first */
    assert_values(ag_einsum("zA->zA", &x, 1), 0, 1, 2, 3, 4, 5, 6);
    ag_tape_free(t);
}

/* A product of 2^100 elements is not tried. */
Test(einsum, huge_extents_are_an_error) {
    ag_tape *t = ag_tape_new();
    ag_tensor *one = ag_scalar(t, AG_F32, 1), *huge = ag_expand(one, AG_SHAPE(INT64_C(1) << 25, INT64_C(1) << 25));
    ag_tensor *both[2] = {huge, huge};
    assert_ok(t);
    cr_assert_null(ag_einsum("ab,cd->abcd", both, 2));
    cr_assert_neq(ag_tape_status(t), AG_OK);
    ag_tape_clear(t);
    cr_assert_null(ag_kron(huge, huge));
    cr_assert_neq(ag_tape_status(t), AG_OK);
    ag_tape_clear(t);
    cr_assert_null(ag_tensordot(huge, huge, 0));
    cr_assert_neq(ag_tape_status(t), AG_OK);
    ag_tape_free(t);
}
