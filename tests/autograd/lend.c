/* Gradients that are computed in the memory of their handles: nobody can tell, whatever the rule returns. */
#include <math.h>
#include <string.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

enum { N = 96 }; /* N × N elements: more than are copied */

static ag_tensor *matrix(ag_tape *t, int64_t rows, int64_t columns, double seed) {
    ag_tensor *x = ag_param(t, AG_F64, AG_SHAPE(rows, columns));
    double *to = ag_mutable(x);
    for (int64_t i = 0; i < rows * columns; i++) to[i] = (double)((i * 37 + (int64_t)seed * 11) % 101) / 50 - 1;
    return x;
}

/* w and v are N × N. */
static ag_tensor *product(ag_tensor *w, ag_tensor *v) { return SUM(ag_square(ag_matmul(w, v))); }
static ag_tensor *itself(ag_tensor *w, ag_tensor *v) { return SUM(ag_mul(ag_matmul(w, w), v)); }
static ag_tensor *one_for_both(ag_tensor *w, ag_tensor *v) { return SUM(ag_square(ag_add(w, v))); }
static ag_tensor *turned(ag_tensor *w, ag_tensor *v) { return SUM(ag_mul(ag_transpose(w, 0, 1), ag_square(v))); }
static ag_tensor *chain(ag_tensor *w, ag_tensor *v) { return SUM(ag_tanh(ag_mul(ag_mul(w, v), v))); }
static ag_tensor *rival(ag_tensor *w, ag_tensor *v) { return SUM(ag_square(ag_matmul(ag_tanh(v), w))); }
static ag_tensor *expanded(ag_tensor *w, ag_tensor *v) { return ag_add(SUM(w), SUM(ag_square(v))); }
static ag_tensor *often(ag_tensor *w, ag_tensor *v) {
    return SUM(ag_mul(ag_matmul(w, v), ag_add(ag_mul(w, v), ag_transpose(w, 0, 1))));
}

typedef ag_tensor *function(ag_tensor *w, ag_tensor *v);
static function *const functions[] = {product, itself, one_for_both, turned, chain, rival, expanded, often};

Test(lend, gradients_are_those_of_the_pure_form) {
    for (int i = 0; i < COUNT_OF(functions); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x[] = {matrix(t, N, N, 1), matrix(t, N, N, 2)}, *d[2];
        char text[CHECK_TEXT];
        for (int pass = 0; pass < 3; pass++) {
            ag_mark m = ag_tape_mark(t);
            ag_tensor *y = functions[i](x[0], x[1]);
            cr_assert(ag_gradients(&y, NULL, 1, x, 2, d), "%d: %s", i, ag_tape_message(t));
            const void *before[] = {ag_data(ag_grad(x[0])), ag_data(ag_grad(x[1]))};
            cr_assert(ag_backward(y), "%d: %s", i, ag_tape_message(t));
            for (int k = 0; k < 2; k++) {
                cr_assert(check_near(ag_grad(x[k]), d[k], 1e-13, text), "%d, pass %d, x %d: %s", i, pass, k, text);
                cr_assert_eq(ag_data(ag_grad(x[k])), before[k], "the gradient's memory has moved");
            }
            cr_assert(ag_backward(y));
            for (int k = 0; k < 2; k++) {
                cr_assert(check_near(ag_grad(x[k]), ag_scale(d[k], 2), 1e-13, text), "%d, added up: %s", i, text);
                ag_zero_grad(x[k]);
                cr_assert_eq(ag_at(ag_grad(x[k]), N), 0);
            }
            cr_assert(ag_tape_rewind(t, m));
        }
        ag_tape_free(t);
    }
}

/* A leaf lends its memory to its own gradient alone. Here ∂w finds a second term and moves elsewhere; x and v, which have
 * gradients already, then share what has arrived, so that the next term of ∂x needs memory too, which must not be w's. */
Test(lend, what_was_lent_is_not_taken_by_another) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = matrix(t, N, N, 1), *x = matrix(t, N, N, 2), *v = matrix(t, N, N, 3), *c = matrix(t, N, N, 4);
    ag_set_requires_grad(c, false);
    cr_assert(ag_backward(ag_add(SUM(x), SUM(v))));
    ag_tensor *a = ag_mul(x, c), *e = ag_add(x, v), *b = ag_mul(w, w);
    cr_assert(ag_backward(ag_add(ag_add(SUM(ag_tanh(a)), SUM(ag_square(e))), SUM(ag_tanh(b)))), "%s", ag_tape_message(t));
    for (int64_t i = 0; i < N * N; i++) {
        double ta = tanh(ag_at(a, i)), tb = tanh(ag_at(b, i));
        assert_close(ag_at(ag_grad(w), i), (1 - tb * tb) * 2 * ag_at(w, i), 1e-13);
        assert_close(ag_at(ag_grad(v), i), 1 + 2 * ag_at(e, i), 1e-13);
        assert_close(ag_at(ag_grad(x), i), 1 + 2 * ag_at(e, i) + (1 - ta * ta) * ag_at(c, i), 1e-13);
    }
    ag_tape_free(t);
}

/* An op whose rule fails, so that the pass ends after w's gradient has been computed. */
static bool same_shape(ag_tensor *y) { return ag_out_like(y, 0, ag_in(y, 0)); }
static bool copy(ag_tensor *y) { return ag_read(ag_in(y, 0), ag_out_data(y, 0)); }
static bool refuse(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (void)g, (void)d, ag_op_fail(y, AG_ERR_VALUE, "refused");
}
static const ag_op refusing = {
    .size = sizeof(ag_op), .name = "refusing", .arity = 1, .shape = same_shape, .run = copy, .grad = refuse};

Test(lend, a_failed_pass_leaves_zeros) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = matrix(t, N, 2 * N, 1), *v = matrix(t, N, N, 2);
    ag_tensor *a = ag_apply(&refusing, &v, 1, NULL);
    cr_assert(!ag_backward(SUM(ag_square(ag_matmul(a, w)))));
    ag_tape_clear(t);
    cr_assert(!ag_has_grad(w) && !ag_has_grad(v));
    for (int64_t i = 0; i < 2 * N * N; i++) cr_assert_eq(ag_at(ag_grad(w), i), 0);
    ag_tape_free(t);
}

Test(lend, a_gradient_that_the_graph_uses_keeps_its_zeros_until_the_end) {
    for (int view = 0; view < 2; view++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *w = matrix(t, N, N, 1), *v = matrix(t, N, N, 2), *g = ag_grad(w);
        if (view) g = ag_transpose(g, 0, 1);
        /* ∂v = 2 v + g, g zeros, although ∂w = 1 is known by the time this is computed */
        ag_tensor *inner = ag_add(ag_square(v), ag_mul(v, g));
        cr_assert(ag_backward(ag_add(SUM(inner), SUM(ag_scale(w, 1)))), "%s", ag_tape_message(t));
        for (int64_t i = 0; i < N * N; i++) {
            cr_assert_eq(ag_at(ag_grad(v), i), 2 * ag_at(v, i));
            cr_assert_eq(ag_at(ag_grad(w), i), 1);
        }
        ag_tape_free(t);
    }
}

static bool peek(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)g, (void)d;
    return ag_data(ag_grad(ag_in(y, 1))) != NULL;
}
static bool use(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)g, (void)d;
    return ag_sum(ag_grad(ag_in(y, 1)), AG_ALL, false) != NULL;
}
static const ag_op peeking[] = {
    {.size = sizeof(ag_op), .name = "peeking", .arity = 2, .shape = same_shape, .run = copy, .grad = peek},
    {.size = sizeof(ag_op), .name = "using", .arity = 2, .shape = same_shape, .run = copy, .grad = use},
};

Test(lend, a_rule_that_looks_at_an_unfinished_gradient_is_told) {
    for (int i = 0; i < COUNT_OF(peeking); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *w = matrix(t, N, 2 * N, 1), *v = matrix(t, N, N, 2);
        ag_tensor *a = ag_apply(&peeking[i], (ag_tensor *[]){v, w}, 2, NULL);
        cr_assert(!ag_backward(SUM(ag_square(ag_matmul(a, w)))));
        cr_assert(strstr(ag_tape_message(t), "read while backward computes it"), "%s", ag_tape_message(t));
        ag_tape_clear(t);
        cr_assert_eq(ag_at(ag_grad(w), 0), 0);
        ag_tape_free(t);
    }
}

static ag_tensor *look(void *context, ag_tensor *x, ag_tensor *g) {
    (void)x;
    cr_assert_eq(ag_at(context, 5), 0, "a hook sees no gradient that is not committed");
    return g;
}

Test(lend, hooks_see_committed_gradients_alone) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = matrix(t, N, 2 * N, 1), *v = matrix(t, N, N, 2), *a = ag_tanh(v);
    cr_assert(ag_hook_grad(a, look, ag_grad(w)));
    cr_assert(ag_backward(SUM(ag_square(ag_matmul(a, w)))), "%s", ag_tape_message(t));
    cr_assert_neq(ag_at(ag_grad(w), 5), 0);
    ag_tape_free(t);
}

/* A step holds a gradient once: what it needs beside parameters and handles is less than another copy of them. */
Test(lend, gradients_are_not_held_twice) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = matrix(t, 1000, 500, 1), *x = ag_buffer(t, AG_F64, AG_SHAPE(1, 1000));
    for (int i = 0; i < 3; i++) {
        ag_mark m = ag_tape_mark(t);
        cr_assert(ag_zero_grad(w) && ag_backward(SUM(ag_matmul(x, w))) && ag_tape_rewind(t, m));
    }
    size_t one = 1000 * 500 * sizeof(double);
    cr_assert_lt(ag_tape_peak_bytes(t), 3 * one, "%zu bytes", ag_tape_peak_bytes(t));
    ag_tape_free(t);
}
