/* What a gradient rule may do besides calling operations: differentiate what it has recomputed. What it may not is an error. */
#include <stdlib.h>
#include <string.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

/* checkpoint: keeps only its inputs; its rule computes tanh(x)² e^w anew and takes the gradient of that */

static ag_tensor *inside(ag_tensor *x, ag_tensor *w) { return ag_mul(ag_square(ag_tanh(x)), ag_softmax(w, 0)); }

static bool like_x(ag_tensor *y) { return ag_out_like(y, 0, ag_in(y, 0)); }

static bool zeros(ag_tensor *y) { /* the value does not matter here */
    memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * ag_dtype_size(ag_dtype_of(y)));
    return true;
}

static bool checkpoint_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x[] = {ag_alias(ag_in(y, 0)), ag_alias(ag_in(y, 1))}, *again = inside(x[0], x[1]);
    return ag_gradients(&again, &g[0], 1, x, 2, d);
}

static const ag_op checkpoint = {
    .size = sizeof(ag_op), .name = "checkpoint", .arity = 2, .shape = like_x, .run = zeros, .grad = checkpoint_grad};

Test(gradients, a_rule_may_differentiate_what_it_recomputes) {
    for (int both = 0; both < 2; both++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x[] = {PARAM(t, 0.5, -1, 2), PARAM(t, 1, 0, -1)}, *weights = DATA(t, 1, 2, 3), *d[2], *e[2], *dd[2],
                  *ee[2];
        ag_tensor *known = SUM(ag_mul(inside(x[0], x[1]), weights)),
                  *y = SUM(ag_mul(ag_apply(&checkpoint, x, 2, NULL), weights));
        int m = 1 + both;
        cr_assert(ag_gradients(&known, NULL, 1, x, m, d));
        cr_assert(ag_gradients(&y, NULL, 1, x, m, e), "%s", ag_tape_message(t));
        for (int i = 0; i < m; i++) assert_near(e[i], d[i], 1e-15);
        ag_tensor *s = SUM(ag_square(d[0])), *z = SUM(ag_square(e[0]));
        cr_assert(ag_gradients(&s, NULL, 1, x, m, dd));
        cr_assert(ag_gradients(&z, NULL, 1, x, m, ee), "%s", ag_tape_message(t));
        for (int i = 0; i < m; i++) assert_near(ee[i], dd[i], 1e-14);
        cr_assert(ag_backward(y), "%s", ag_tape_message(t));
        for (int i = 0; i < m; i++) assert_near(ag_grad(x[i]), d[i], 1e-15);
        ag_zero_grad(x[0]);
        cr_assert(ag_backward(z), "the composition of softmax's gradient inside a rule: %s", ag_tape_message(t));
        assert_near(ag_grad(x[0]), dd[0], 1e-14);
        ag_tape_free(t);
    }
}

/* The same around an op whose gradient is taken through its composition. */
static ag_tensor *composed_inside(ag_tensor *g, ag_tensor *y) { return ag_softmax_grad(g, y, 0); }

static bool recompute_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x[] = {ag_alias(ag_in(y, 0)), ag_alias(ag_in(y, 1))}, *again = composed_inside(x[0], x[1]);
    return ag_gradients(&again, &g[0], 1, x, 2, d);
}

static const ag_op recompute = {
    .size = sizeof(ag_op), .name = "recompute", .arity = 2, .shape = like_x, .run = zeros, .grad = recompute_grad};

Test(gradients, a_rule_may_differentiate_compositions) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x[] = {PARAM(t, 0.5, -1, 2), PARAM(t, 1, 0, -1)}, *weights = DATA(t, 1, 2, 3), *d[2];
    ag_tensor *known = SUM(ag_mul(composed_inside(x[0], x[1]), weights)),
              *y = SUM(ag_mul(ag_apply(&recompute, x, 2, NULL), weights));
    cr_assert(ag_gradients(&known, NULL, 1, x, 2, d));
    for (int k = 0; k < 3; k++) { /* again and again, on a warm tape */
        ag_zero_grad(x[0]), ag_zero_grad(x[1]);
        cr_assert(ag_backward(y), "%s", ag_tape_message(t));
        for (int i = 0; i < 2; i++) assert_near(ag_grad(x[i]), d[i], 1e-15);
    }
    ag_tape_free(t);
}

/* An op of many inputs that states its composition only */

static ag_tensor *polynomial(ag_tensor *y) { /* in₀ + in₁ (in₂ + in₃ in₀) */
    return ag_add(ag_in(y, 0), ag_mul(ag_in(y, 1), ag_add(ag_in(y, 2), ag_mul(ag_in(y, 3), ag_in(y, 0)))));
}
static ag_tensor *first(ag_tensor *y) { return ag_in(y, 0); }

static const ag_op four = {
    .size = sizeof(ag_op), .name = "four", .arity = 4, .shape = like_x, .run = zeros, .compose = polynomial};
static const ag_op identity = {
    .size = sizeof(ag_op), .name = "identity", .arity = 2, .shape = like_x, .run = zeros, .compose = first};
static const ag_op nine = {.size = sizeof(ag_op), .name = "nine", .arity = 9, .shape = like_x, .run = zeros, .compose = first};

Test(gradients, go_through_a_composition) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x[9], *d[4], *dd;
    for (int i = 0; i < 9; i++) x[i] = PARAM(t, i + 1, 10);
    ag_set_requires_grad(x[2], false);
    ag_tensor *y = SUM(ag_apply(&four, x, 4, NULL));
    cr_assert(ag_backward(y) && ag_backward(y), "%s", ag_tape_message(t));
    assert_values(ag_grad(x[0]), 0, 2 * (1 + 2 * 4), 2 * (1 + 100)); /* 1 + in₁ in₃ */
    assert_values(ag_grad(x[3]), 0, 2 * 2, 2 * 100);                 /* in₁ in₀ */
    cr_assert(!ag_has_grad(x[2]));
    cr_assert(ag_gradients(&y, NULL, 1, x, 4, d), "%s", ag_tape_message(t));
    assert_values(d[1], 0, 3 + 4, 10 + 100); /* in₂ + in₃ in₀ */
    assert_values(d[2], 0, 2, 10);
    ag_tensor *s = SUM(d[1]);
    cr_assert(ag_gradients(&s, NULL, 1, &x[3], 1, &dd));
    assert_values(dd, 0, 1, 10);
    y = SUM(ag_apply(&identity, x, 2, NULL)); /* its composition is one of the inputs itself */
    cr_assert(ag_gradients(&y, NULL, 1, x, 2, d), "%s", ag_tape_message(t));
    assert_values(d[0], 0, 1, 1);
    assert_values(d[1], 0, 0, 0);
    y = SUM(ag_apply(&nine, x, 9, NULL)); /* however many inputs there are */
    cr_assert(ag_gradients(&y, NULL, 1, x, 2, d), "%s", ag_tape_message(t));
    assert_values(d[0], 0, 1, 1);
    assert_values(d[1], 0, 0, 0);
    ag_tape_free(t);
}

/* What the rule takes in without an alias is a constant to its inner gradients, whatever the outer ones ask for. */
static bool captures_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_alias(ag_in(y, 0)), *w = ag_in(y, 1), *product = ag_mul(ag_mul(x, w), w);
    d[1] = ag_scale(ag_mul(g[0], ag_mul(ag_in(y, 0), w)), 2);
    return d[1] && ag_gradients(&product, &g[0], 1, &x, 1, &d[0]);
}

static const ag_op captures = {
    .size = sizeof(ag_op), .name = "captures", .arity = 2, .shape = like_x, .run = zeros, .grad = captures_grad};

Test(gradients, a_rule_may_capture_its_inputs) { /* y = x w² */
    ag_tape *t = ag_tape_new();
    ag_tensor *v[] = {PARAM(t, 2, 3), PARAM(t, 5, 7)}, *x[] = {ag_scale(v[0], 1), v[1]}, *d[2], *e[2];
    ag_tensor *y = SUM(ag_apply(&captures, x, 2, NULL));
    cr_assert(ag_gradients(&y, NULL, 1, v, 2, d) && ag_gradients(&y, NULL, 1, x, 2, e), "%s", ag_tape_message(t));
    for (int i = 0; i < 2; i++) {
        assert_values(i ? e[0] : d[0], 0, 25, 49);
        assert_values(i ? e[1] : d[1], 0, 20, 42);
    }
    cr_assert(ag_backward(y));
    assert_values(ag_grad(v[0]), 0, 25, 49);
    assert_values(ag_grad(v[1]), 0, 20, 42);
    ag_tensor *s = SUM(ag_mul(d[0], d[1])); /* 2 x w³ */
    cr_assert(ag_gradients(&s, NULL, 1, v, 2, d));
    assert_values(d[0], 0, 250, 686);
    assert_values(d[1], 0, 300, 882);
    ag_tape_free(t);
}

/* What a rule may not do: it would pull the rug from under the loop that calls it */

static ag_mark start;

static bool differentiates_inputs(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0), *again = ag_square(x);
    return ag_gradients(&again, g, 1, &x, 1, d);
}
static bool differentiates_itself(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0), *out = ag_out(y, 0);
    return ag_gradients(&out, g, 1, &x, 1, d);
}
static bool goes_backward(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)d;
    return ag_backward_from((ag_tensor *[]){ag_mul(g[0], ag_in(y, 0))}, NULL, 1);
}
static bool goes_forward(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0), *again = ag_square(x);
    return ag_jvp(&again, 1, &x, g, 1, d);
}
static bool rewinds(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)g, (void)d;
    return ag_tape_rewind(ag_tape_of(y), start);
}

static bool checks(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)g, (void)d;
    ag_tensor *x = ag_in(y, 0);
    return ag_gradcheck(SUM(x), &x, 1, NULL, NULL);
}

static bool replays(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (void)g, (void)d, ag_replay(ag_tape_of(y));
}

static bool clones(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)g;
    ag_tape *other = ag_tape_new();
    bool done = ag_clone(other, (ag_tensor *[]){ag_in(y, 0)}, 1, AG_F32, 0, d);
    if (!done) ag_op_fail(y, ag_tape_status(other), "%s", ag_tape_message(other));
    ag_tape_free(other);
    return done;
}

static const ag_op forbidden[] = {
    {.size = sizeof(ag_op), .name = "of_inputs", .arity = 1, .shape = like_x, .run = zeros, .grad = differentiates_inputs},
    {.size = sizeof(ag_op), .name = "of_itself", .arity = 1, .shape = like_x, .run = zeros, .grad = differentiates_itself},
    {.size = sizeof(ag_op), .name = "backward", .arity = 1, .shape = like_x, .run = zeros, .grad = goes_backward},
    {.size = sizeof(ag_op), .name = "forward", .arity = 1, .shape = like_x, .run = zeros, .grad = goes_forward},
    {.size = sizeof(ag_op), .name = "rewind", .arity = 1, .shape = like_x, .run = zeros, .grad = rewinds},
    {.size = sizeof(ag_op), .name = "check", .arity = 1, .shape = like_x, .run = zeros, .grad = checks},
    {.size = sizeof(ag_op), .name = "replay", .arity = 1, .shape = like_x, .run = zeros, .grad = replays},
    {.size = sizeof(ag_op), .name = "clone", .arity = 1, .shape = like_x, .run = zeros, .grad = clones},
};

Test(gradients, what_a_rule_may_not_do_is_an_error) {
    for (int i = 0; i < COUNT_OF(forbidden); i++) {
        ag_tape *t = ag_tape_new();
        start = ag_tape_mark(t);
        ag_tensor *w = PARAM(t, 1, 2), *h = ag_square(w);
        for (int k = 0; k < 100; k++) h = ag_neg(h); /* so that its place is past the end of scratch */
        ag_tensor *y = SUM(ag_add(ag_apply(&forbidden[i], &h, 1, NULL), h));
        cr_assert(!ag_backward(y), "%s", forbidden[i].name);
        assert_error(t, AG_ERR_STATE, "inside a gradient rule");
        ag_tensor *d;
        cr_assert(!ag_gradients(&y, NULL, 1, &w, 1, &d), "%s", forbidden[i].name);
        assert_error(t, AG_ERR_STATE, "inside a gradient rule");
        cr_assert(!ag_has_grad(w));
        cr_assert(ag_backward(SUM(h)));
        assert_values(ag_grad(w), 0, 2, 4);
        ag_tape_free(t);
    }
}
