/* ag_find_nonfinite: the op that made the first NaN or infinity, forward or backward, and nothing where there is none. */
#include <math.h>
#include <string.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

/* Makes a graph on t; *culprit is the tensor that should be named. */
typedef ag_tensor *story(ag_tape *t, ag_tensor **culprit);

static ag_tensor *log_of_zero(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *x = ag_set_name(PARAM(t, 1, 2, 0.5, 0), "x");
    ag_scope_push(t, "loss");
    *culprit = ag_set_name(ag_log(x), "p");
    ag_tensor *y = SUM(ag_mul(*culprit, x));
    ag_scope_pop(t);
    return y;
}

static ag_tensor *broadcast_quotient(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *a = ag_reshape(PARAM(t, 1, 2, 3, 0, 5, 6), AG_SHAPE(2, 3)), *b = ag_set_name(DATA(t, 0, 4, 4), "b");
    return SUM(*culprit = ag_div(a, ag_abs(b)));
}

static ag_tensor *overflow_in_a_product(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *a = ag_set_name(ag_full(t, AG_F32, AG_SHAPE(2, 3), 1e30), "a"),
              *b = ag_full(t, AG_F32, AG_SHAPE(3, 2), -1e10);
    ag_tensor *given = ag_full(t, AG_F32, AG_SHAPE(2, 2), INFINITY); /* recorded before the product, by every compiler */
    return SUM(ag_tanh(*culprit = ag_scale(ag_add(ag_matmul(a, b), given), 1)));
}

static ag_tensor *matmul_overflow(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *a = ag_set_name(ag_full(t, AG_F32, AG_SHAPE(2, 3), 1e30), "a"),
              *b = ag_full(t, AG_F32, AG_SHAPE(3, 2), -1e10);
    return SUM(*culprit = ag_matmul(a, b));
}

static ag_tensor *power(ag_tape *t, ag_tensor **culprit) { return SUM(*culprit = ag_pow_scalar(PARAM(t, 2, 0), -1.5)); }

static ag_tensor *bad_data(ag_tape *t, ag_tensor **culprit) {
    *culprit = ag_set_name(DATA(t, 1, NAN, 3), "data");
    return SUM(ag_mul(*culprit, PARAM(t, 1, 2, 3)));
}

static ag_tensor *bad_y(ag_tape *t, ag_tensor **culprit) { return *culprit = DATA(t, INFINITY); }

/* log(0) · 0: both are made of finite values, log came first. */
static ag_tensor *two_sources(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *x = PARAM(t, 0, 1);
    *culprit = ag_log(x);
    return ag_add(SUM(*culprit), SUM(ag_reciprocal(x)));
}

static ag_tensor *of_a_part(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *x = PARAM(t, 1, 2), *best = ag_topk(ag_log(ag_sub(x, x)), 1, 0, NULL);
    *culprit = ag_input(ag_input(ag_input(best, 0), 0), 0);
    *culprit = ag_input(ag_input(best, 0), 0);
    return SUM(best);
}

static ag_tensor *sqrt_at_zero(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *x = ag_set_name(PARAM(t, 1, 2, 0), "x");
    return SUM(*culprit = ag_sqrt(x));
}

static ag_tensor *norm_of_nothing(ag_tape *t, ag_tensor **culprit) {
    ag_scope_push(t, "norm");
    ag_tensor *y = *culprit = ag_sqrt(SUM(ag_square(PARAM(t, 0, 0))));
    ag_scope_pop(t);
    return ag_scale(y, 3);
}

/* Values of zero, and a gradient that arrives finite and leaves beyond f32. */
static ag_tensor *growing_gradient(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *x = ag_leaf(t, AG_F32, (float[]){1e-30f, 0}, AG_SHAPE(2), AG_REQUIRES_GRAD);
    *culprit = ag_scale(ag_square(x), 1e30);
    return SUM(ag_scale(*culprit, 1e20));
}

static ag_tensor *sum_of_gradients(ag_tape *t, ag_tensor **culprit) {
    ag_tensor *x = *culprit = ag_set_name(ag_leaf(t, AG_F32, (float[]){0}, AG_SHAPE(), AG_REQUIRES_GRAD), "x");
    return ag_add(ag_scale(x, 2e38), ag_scale(x, 2e38));
}

static ag_tensor *hidden(ag_tape *t, ag_tensor **culprit) {
    *culprit = ag_exp(DATA(t, 1, 1000));
    return SUM(ag_mul(ag_reciprocal(*culprit), PARAM(t, 1, 2)));
}

static const struct {
    story *make;
    bool backward;
    int64_t index;
    double value;
    const char *text;
} stories[] = {
    {log_of_zero, false, 3, -INFINITY, "log at 'p' [in loss]: element 3 is -inf, from 'x' = 0"},
    {broadcast_quotient, false, 0, INFINITY, "element 0 is inf, from a = 1, b = 0"},
    {overflow_in_a_product, false, 0, INFINITY, "a leaf (2,2): element 0 is inf, as it was given"},
    {matmul_overflow, false, 0, -INFINITY, "matmul at #2: element 0 is -inf, from 'a' 1e+30 everywhere, b -1e+10 everywhere"},
    {power, false, 1, INFINITY, "pow_scalar at #0: element 1 is inf, from x = 0, exponent=-1.5"},
    {bad_data, false, 1, NAN, "'data' (3): element 1 is nan, as it was given"},
    {bad_y, false, 0, INFINITY, "a leaf (1): the value is inf, as it was given"},
    {two_sources, false, 0, -INFINITY, "log at #0: element 0 is -inf, from x = 0"},
    {of_a_part, false, 0, -INFINITY, "log at #1: element 0 is -inf, from x = 0"},
    {sqrt_at_zero, true, 2, INFINITY,
     "backward of sqrt at #0: element 2 of the gradient it gives 'x' is inf, from 'x' = 0, g = 1"},
    {norm_of_nothing, true, 0, INFINITY,
     "backward of sqrt at #2 [in norm]: the value of the gradient it gives x is inf, from x = 0, g = 3"},
    {growing_gradient, true, 0,
     INFINITY, "backward of scale at #1: element 0 of the gradient it gives x is inf, from x = 0, factor=1e+30, g = 1.00000002e+20"},
    {sum_of_gradients, true, 0, INFINITY,
     "backward to 'x' (): the gradients that arrive there are finite, but the value of their sum is inf"},
    {hidden, false, 1, INFINITY, "exp at #0: element 1 is inf, from x = 1000"},
};

Test(nonfinite, each_story_has_its_culprit) {
    for (int i = 0; i < COUNT_OF(stories); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *culprit = NULL, *y = stories[i].make(t, &culprit);
        ag_origin o;
        cr_assert(y, "story %d: %s", i, ag_tape_message(t));
        int64_t size = ag_tape_size(t);
        cr_assert(ag_find_nonfinite(y, &o), "story %d", i);
        cr_assert(strstr(o.text, stories[i].text), "story %d: \"%s\" is not in \"%s\"", i, stories[i].text, o.text);
        cr_assert_eq(o.backward, stories[i].backward, "story %d", i);
        if (stories[i].make != overflow_in_a_product) cr_assert_eq(o.node, culprit, "story %d: %s", i, o.text);
        cr_assert_eq(o.index, stories[i].index, "story %d: %s", i, o.text);
        assert_close(o.value, stories[i].value, 0);
        cr_assert_eq(ag_tape_size(t), size, "asking records nothing");
        assert_ok(t);
        ag_tape_free(t);
    }
}

static ag_tensor *net(ag_tape *t, ag_tensor *w) {
    ag_tensor *h = ag_tanh(ag_matmul(ag_full(t, AG_F64, AG_SHAPE(2, 3), 0.5), w));
    return ag_cross_entropy(h, ag_from_i64(t, (int64_t[]){0, 1}, AG_SHAPE(2)));
}

/* A mask of −∞, and the infinities that come of it, are no fault: what leaves the softmax is finite. */
static ag_tensor *masked(ag_tape *t, ag_tensor *w) {
    ag_tensor *mask = DATA(t, 0, -INFINITY, 0, 0);
    return SUM(ag_mul(ag_softmax(ag_add(ag_reshape(w, AG_SHAPE(4)), mask), 0), DATA(t, 1, 2, 3, 4)));
}

Test(nonfinite, a_healthy_graph_has_no_culprit) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_reshape(PARAM(t, 1, 2, 3, 4, 5, 6), AG_SHAPE(3, 2)), *v = PARAM(t, 1, 2, 3, 4);
    ag_tensor *ys[] = {net(t, w),
                       masked(t, v),
                       SUM(ag_relu(ag_sub(v, v))),
                       DATA(t, 1, 2),
                       ag_from_i64(t, NULL, AG_SHAPE(3)),
                       ag_exp(ag_full(t, AG_F32, AG_SHAPE(0, 3), 1000))};
    ag_origin o = {.backward = true};
    for (int i = 0; i < COUNT_OF(ys); i++) {
        cr_assert_not(ag_find_nonfinite(ys[i], &o), "graph %d: %s", i, o.text);
        cr_assert(!o.node && !o.backward && o.index == -1 && !*o.text);
        cr_assert_not(ag_find_nonfinite(ys[i], NULL));
    }
    cr_assert_not(ag_has_grad(v), "the backward pass ran aside");
    assert_ok(t);
    ag_tape_free(t);
}

Test(nonfinite, a_masked_net_still_shows_its_bad_gradient) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 0, 2, 3, 4), *root = ag_sqrt(w);
    ag_origin o;
    cr_assert(ag_find_nonfinite(ag_add(masked(t, w), SUM(root)), &o));
    cr_assert(o.backward && o.node == root, "%s", o.text);
    ag_tape_free(t);
}

Test(nonfinite, works_while_an_error_stands_and_refuses_what_has_no_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = ag_log(PARAM(t, 0)), *best = ag_topk(PARAM(t, 1, 2), 1, 0, NULL);
    ag_origin o;
    cr_assert_not(ag_find_nonfinite(NULL, &o));
    cr_assert_not(ag_find_nonfinite(ag_input(best, 0), &o));
    cr_assert(ag_find_nonfinite(y, &o));
    assert_error(t, AG_ERR_ARGUMENT, "find_nonfinite: topk has several outputs; take one with ag_part");
    ag_tape_free(t);
}

/* Deep graphs: no recursion, and no work that grows with the square of the depth. */
Test(nonfinite, is_found_below_a_hundred_thousand_nodes) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = ag_sqrt(number(t, 0));
    ag_tensor *root = y;
    for (int i = 0; i < 100000; i++) y = ag_add_scalar(y, 1e-3);
    ag_origin o;
    cr_assert(ag_find_nonfinite(y, &o));
    cr_assert(o.backward && o.node == root, "%s", o.text);
    ag_tape_free(t);
}
