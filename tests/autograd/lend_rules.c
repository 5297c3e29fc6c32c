/* Rules that a lender cannot foresee: results in another order, of another shape or dtype, turned, for another input, or none.
 * Each rule is an op's own, of two inputs of one shape whose "gradients" are whatever it makes: 2 G and 3 H, with G = g gᵀ and
 * H = gᵀ g, matrix products, so that memory is taken at once. */
#include "autograd/node.h"
#include "make.h"
#include "ops/ops.h"

enum { N = 80 /* N × N elements: more than are copied */ };

static int lenders; /* when the last rule began */

static bool like_first(ag_tensor *y) { return ag_out_like(y, 0, ag_in(y, 0)); }
static bool copy_first(ag_tensor *y) { return ag_read(ag_in(y, 0), ag_out_data(y, 0)); }
static ag_tensor *two_g(ag_tensor *g) { return ag_matmul(g, ag_transpose(ag_scale(g, 2), 0, 1)); }
static ag_tensor *three_h(ag_tensor *g) { return ag_matmul(ag_transpose(g, 0, 1), ag_scale(g, 3)); }

static bool in_order(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    lenders = ag_tape_of(y)->lenders;
    if (ag_wants(y, 0)) d[0] = two_g(g[0]);
    if (ag_wants(y, 1)) d[1] = three_h(g[0]);
    return true;
}

static bool last_first(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    d[1] = three_h(g[0]);
    d[0] = two_g(g[0]);
    return d[0] && d[1];
}

static bool only_the_second(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (void)y, (d[1] = three_h(g[0])) != NULL;
}

static bool turned(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    d[0] = ag_transpose(ag_matmul(g[0], g[0]), 0, 1);
    d[1] = three_h(g[0]);
    return d[0] && d[1];
}

static bool mirrored(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    d[0] = ag_matmul(g[0], g[0]);
    d[1] = ag_transpose(d[0], 0, 1);
    return d[0] && d[1];
}

static bool through_a_larger_one(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    ag_tensor *tall = ag_matmul(ag_concat((ag_tensor *[]){g[0], g[0]}, 2, 0), ag_transpose(g[0], 0, 1));
    d[0] = ag_slice(tall, 0, 0, N, 1);
    d[1] = ag_slice(tall, 0, N, 2 * N, 1);
    return d[0] && d[1];
}

static bool in_double(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    ag_tensor *wide = ag_cast(g[0], AG_F64);
    d[0] = ag_cast(two_g(wide), AG_F32);
    d[1] = ag_cast(three_h(wide), AG_F32);
    return d[0] && d[1];
}

#define RULE(rule) \
    { .size = sizeof(ag_op), .name = #rule, .arity = 2, .shape = like_first, .run = copy_first, .grad = rule }
static const ag_op ops[] = {RULE(in_order), RULE(last_first),           RULE(only_the_second), RULE(turned),
                            RULE(mirrored), RULE(through_a_larger_one), RULE(in_double)};

static ag_tensor *matrix(ag_tape *t, ag_dtype dtype, int64_t seed) {
    ag_tensor *x = ag_param(t, dtype, AG_SHAPE(N, N));
    void *to = ag_mutable(x);
    for (int64_t i = 0; i < N * N; i++) {
        double v = (double)((i * 37 + seed * 11) % 101) / 50 - 1;
        if (dtype == AG_F32) ((float *)to)[i] = (float)v;
        else ((double *)to)[i] = v;
    }
    return x;
}

static ag_tensor *apply(const ag_op *op, ag_tensor *a, ag_tensor *b) {
    return ag_apply(op, (ag_tensor *[]){a, b}, 2, NULL);
}

/* Of the loss Σ c ⊙ op(a, b), where what arrives at op is c. */
static void need_gradients(const ag_op *op, ag_tensor *a, ag_tensor *b, ag_tensor *c) {
    char text[CHECK_TEXT];
    ag_tensor *x[] = {a, b}, *y = SUM(ag_mul(c, apply(op, a, b))), *d[2];
    int n = a == b ? 1 : 2;
    cr_assert(ag_gradients(&y, NULL, 1, x, n, d), "%s: %s", op->name, ag_tape_message(ag_tape_of(a)));
    cr_assert(ag_backward(y), "%s: %s", op->name, ag_tape_message(ag_tape_of(a)));
    for (int k = 0; k < n; k++)
        cr_assert(check_near(ag_grad(x[k]), d[k], 1e-6, text), "%s, input %d: %s", op->name, k, text);
}

Test(lend, rules_may_make_what_they_like) {
    for (int i = 0; i < COUNT_OF(ops); i++) {
        for (int same = 0; same < 2; same++) { /* the same leaf twice: its two gradients add up */
            ag_tape *t = ag_tape_new();
            ag_tensor *a = matrix(t, AG_F32, 1), *b = same ? a : matrix(t, AG_F32, 2), *c = matrix(t, AG_F32, 3);
            ag_set_requires_grad(c, false);
            need_gradients(&ops[i], a, b, c);
            ag_tape_free(t);
        }
    }
}

/* Nobody's memory is lent where results could be mistaken for another's, or somebody might look. */
Test(lend, memory_is_lent_where_nobody_looks) {
    const ag_op *op = &ops[0];
    ag_tape *t = ag_tape_new();
    ag_tensor *a = matrix(t, AG_F32, 1), *b = matrix(t, AG_F32, 2);
    cr_assert(ag_backward(SUM(apply(op, a, b))));
    cr_assert_eq(lenders, 2);
    cr_assert(ag_backward(SUM(apply(op, a, b))));
    cr_assert_eq(lenders, 0, "there are gradients to add to");
    ag_zero_grad(a), ag_zero_grad(b);
    cr_assert(ag_backward(SUM(apply(op, a, ag_tanh(b)))));
    cr_assert_eq(lenders, 0, "the second result, of the same shape, is no leaf's");
    ag_zero_grad(a), ag_zero_grad(b);
    ag_tensor *use = ag_scale(ag_grad(a), 2);
    cr_assert(ag_backward(SUM(apply(op, a, b))));
    cr_assert_eq(lenders, 1, "a node has used the gradient of a");
    assert_near(use, ag_zeros_like(use), 0);
    ag_zero_grad(a), ag_zero_grad(b);
    cr_assert(ag_backward(SUM(apply(op, a, b))));
    cr_assert_eq(lenders, 2, "it has been written since");
    ag_scale(ag_grad(a), 2);
    ag_zero_grad(a), ag_zero_grad(b);
    cr_assert(ag_backward(SUM(apply(op, a, b))));
    cr_assert_eq(lenders, 2, "and zeroed since");
    ag_zero_grad(a), ag_zero_grad(b);
    ag_tensor *y = apply(op, a, b);
    cr_assert(ag_backward(ag_add(SUM(y), SUM(ag_add(a, b)))));
    cr_assert_eq(lenders, 0, "something has arrived at both");
    ag_tape_free(t);
}
