/* ag_backward and ag_gradients: what they compute, accumulate, keep and refuse. */
#include <math.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

/* Both forms agree */

static ag_tensor *affine(ag_tensor *a, ag_tensor *b) { return SUM(ag_add(ag_mul(a, b), ag_scale(b, 3))); }
static ag_tensor *twice(ag_tensor *a, ag_tensor *b) { return SUM(ag_mul(ag_add(a, a), ag_mul(b, b))); }
static ag_tensor *shared(ag_tensor *a, ag_tensor *b) {
    ag_tensor *h = ag_tanh(ag_mul(a, b));
    return SUM(ag_add(ag_mul(h, h), ag_sub(h, ag_exp(h))));
}
static ag_tensor *only_second(ag_tensor *a, ag_tensor *b) { return (void)a, SUM(ag_square(b)); }
static ag_tensor *broadcast(ag_tensor *a, ag_tensor *b) {
    return SUM(ag_mul(ag_reshape(a, AG_SHAPE(3, 1)), ag_square(b)));
}
static ag_tensor *views(ag_tensor *a, ag_tensor *b) {
    ag_tensor *e = ag_expand(ag_reshape(a, AG_SHAPE(1, 3)), AG_SHAPE(4, 3));
    return SUM(ag_mul(ag_slice(e, 1, AG_END, AG_END, -1), b));
}
static ag_tensor *tuple(ag_tensor *a, ag_tensor *b) {
    ag_tensor *index, *top = ag_topk(ag_mul(a, b), 2, 0, &index); /* 4 at 0 and 1.5 at 2 */
    return SUM(ag_mul(top, ag_cast(index, AG_F64)));
}

static const struct {
    const char *name;
    ag_tensor *(*f)(ag_tensor *a, ag_tensor *b);
    double a[3], b[3]; /* gradients at a = (1, 2, 3), b = (4, −5, 0.5); NaN: only compared with each other */
} rows[] = {
    {"affine", affine, {4, -5, 0.5}, {4, 5, 6}},
    {"twice", twice, {32, 50, 0.5}, {16, -40, 6}},
    {"shared", shared, {NAN, NAN, NAN}, {NAN, NAN, NAN}},
    {"only second", only_second, {0, 0, 0}, {8, -10, 1}},
    {"broadcast", broadcast, {41.25, 41.25, 41.25}, {48, -60, 6}},
    {"views", views, {2, -20, 16}, {12, 8, 4}},
    {"tuple", tuple, {0, 0, 1}, {0, 0, 6}},
};

Test(gradients, both_forms_agree) {
    for (int i = 0; i < COUNT_OF(rows); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x[] = {PARAM(t, 1, 2, 3), PARAM(t, 4, -5, 0.5)}, *d[2];
        ag_tensor *y = rows[i].f(x[0], x[1]);
        cr_assert(ag_gradients(&y, NULL, 1, x, 2, d), "%s: %s", rows[i].name, ag_tape_message(t));
        int64_t size = ag_tape_size(t);
        cr_assert(ag_backward(y), "%s: %s", rows[i].name, ag_tape_message(t));
        cr_assert_eq(ag_tape_size(t), size, "%s: backward left nodes on the tape", rows[i].name);
        for (int k = 0; k < 2; k++) {
            const double *expected = k ? rows[i].b : rows[i].a;
            char text[CHECK_TEXT];
            cr_assert(check_near(ag_grad(x[k]), d[k], 1e-14, text), "%s, x %d: %s", rows[i].name, k, text);
            if (isnan(expected[0])) continue;
            cr_assert(check_values(d[k], expected, 3, 1e-14, text), "%s, x %d: %s", rows[i].name, k, text);
        }
        ag_tape_free(t);
    }
}

/* Accumulating */

Test(gradients, they_add_up_until_zeroed) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *y = SUM(ag_square(w)), *z = SUM(ag_scale(w, 10));
    cr_assert(!ag_has_grad(w));
    cr_assert(ag_backward(y));
    cr_assert(ag_backward(y), "the same graph again");
    assert_values(ag_grad(w), 0, 4, 8);
    cr_assert(ag_backward(z));
    assert_values(ag_grad(w), 0, 14, 18);
    cr_assert(ag_has_grad(w));
    cr_assert(ag_zero_grad(w));
    cr_assert(!ag_has_grad(w));
    assert_values(ag_grad(w), 0, 0, 0);
    cr_assert(ag_backward(z));
    assert_values(ag_grad(w), 0, 10, 10);
    ag_tape_free(t);
}

Test(gradients, cotangents_weigh_the_outputs) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2, 3), *ys[] = {ag_square(w), ag_scale(w, 10), w};
    ag_tensor *gys[] = {DATA(t, 1, 0, -1), NULL, DATA(t, 100, 200, 300)}, *d;
    cr_assert(ag_backward_from(ys, gys, 3));
    assert_values(ag_grad(w), 0, 112, 210, 304);
    cr_assert(ag_gradients(ys, gys, 3, &w, 1, &d));
    assert_values(d, 0, 112, 210, 304);
    ag_zero_grad(w);
    cr_assert(ag_backward_from((ag_tensor *[]){ys[0], ys[0]}, NULL, 2), "the same tensor twice");
    assert_values(ag_grad(w), 0, 4, 8, 12);
    ag_tape_free(t);
}

Test(gradients, a_loss_may_be_a_leaf) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = number(t, 5), *d;
    cr_assert(ag_backward(w));
    cr_assert(ag_backward(w));
    assert_values(ag_grad(w), 0, 2);
    cr_assert(ag_gradients(&w, NULL, 1, &w, 1, &d));
    assert_values(d, 0, 1);
    ag_tensor *one = ag_leaf(t, AG_F64, (double[]){3}, AG_SHAPE(1, 1), AG_RECORDED | AG_REQUIRES_GRAD);
    cr_assert(ag_backward(one), "one element of any rank will do");
    assert_values(ag_grad(one), 0, 1);
    ag_tape_free(t);
}

/* Which gradients are kept */

Test(gradients, inner_ones_are_kept_when_asked_for) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *h = ag_square(w), *k = ag_scale(h, 3), *y = SUM(k);
    cr_assert_null(ag_grad(h));
    assert_error(t, AG_ERR_STATE, "call ag_retain_grad");
    cr_assert(ag_retain_grad(h));
    ag_tensor *handle = ag_grad(h);
    assert_values(handle, 0, 0, 0);
    cr_assert(ag_backward(y));
    assert_values(handle, 0, 3, 3);
    cr_assert(ag_has_grad(h));
    cr_assert(!ag_has_grad(k));
    cr_assert(ag_backward(y));
    assert_values(handle, 0, 6, 6);
    cr_assert_eq(ag_grad(h), handle);
    cr_assert(ag_zero_grad(h));
    assert_values(handle, 0, 0, 0);
    ag_tape_retain_grads(t, true);
    cr_assert(ag_backward(y));
    assert_values(handle, 0, 3, 3);
    assert_values(ag_grad(k), 0, 1, 1);
    assert_values(ag_grad(y), 0, 1);
    ag_tape_retain_grads(t, false);
    cr_assert(ag_backward(y));
    assert_values(ag_grad(k), 0, 1, 1);
    assert_values(handle, 0, 6, 6);
    ag_tensor *used = SUM(ag_mul(handle, w)); /* a handle is a tensor like any other */
    assert_values(used, 0, 18);
    ag_tape_free(t);
}

Test(gradients, of_parts_are_kept_too) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 3, 1, 2), *top = ag_topk(w, 2, 0, NULL);
    cr_assert(ag_retain_grad(top));
    cr_assert(ag_backward(SUM(ag_square(top))));
    assert_values(ag_grad(top), 0, 6, 4);
    assert_values(ag_grad(w), 0, 6, 0, 4);
    ag_tape_free(t);
}

Test(gradients, what_cannot_be_kept_is_an_error) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 3, 1, 2), *x = DATA(t, 1, 2, 3), *index;
    ag_topk(w, 2, 0, &index);
    ag_tensor *const none[] = {ag_neg(x), ag_detach(w), ag_gt(w, x), index};
    for (int i = 0; i < COUNT_OF(none); i++) {
        cr_assert(!ag_retain_grad(none[i]), "row %d", i);
        assert_error(t, AG_ERR_STATE, "does not depend");
    }
    cr_assert_null(ag_grad(x));
    assert_error(t, AG_ERR_STATE, "does not require a gradient");
    cr_assert(!ag_set_requires_grad(none[0], true));
    assert_error(t, AG_ERR_ARGUMENT, "not a leaf");
    cr_assert(!ag_set_requires_grad(ag_buffer(t, AG_I64, AG_SHAPE()), true));
    assert_error(t, AG_ERR_DTYPE, "i64");
    cr_assert_null(ag_leaf(t, AG_BOOL, NULL, AG_SHAPE(), AG_REQUIRES_GRAD));
    assert_error(t, AG_ERR_DTYPE, "bool");
    cr_assert_null(ag_grad(NULL));
    cr_assert(!ag_zero_grad(NULL) && !ag_retain_grad(NULL) && !ag_set_requires_grad(NULL, true));
    ag_tape_free(t);
}

/* Where gradients do not flow */

Test(gradients, a_frozen_leaf_gets_none) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = PARAM(t, 1, 2), *b = PARAM(t, 3, 4), *y = SUM(ag_mul(a, b));
    cr_assert(ag_set_requires_grad(a, false)); /* after the fact */
    cr_assert(ag_backward(y));
    cr_assert(!ag_has_grad(a));
    assert_values(ag_grad(b), 0, 1, 2);
    cr_assert(ag_set_requires_grad(b, false));
    ag_tensor *z = SUM(ag_mul(a, b));
    cr_assert(!ag_requires_grad(z));
    cr_assert(!ag_backward(z));
    assert_error(t, AG_ERR_STATE, "does not depend on a leaf that requires a gradient");
    ag_tensor *d; /* the pure form asks no one */
    cr_assert(ag_gradients(&z, NULL, 1, &a, 1, &d));
    assert_values(d, 0, 3, 4);
    cr_assert(ag_set_requires_grad(a, true));
    cr_assert(ag_backward(SUM(ag_mul(a, b))));
    assert_values(ag_grad(a), 0, 3, 4);
    assert_values(ag_grad(b), 0, 1, 2);
    ag_tape_free(t);
}

Test(gradients, detach_and_no_recording_cut) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *d;
    cr_assert(ag_set_recording(t, false));
    ag_tensor *h = ag_square(w);
    cr_assert(!ag_set_recording(t, true));
    ag_tensor *cut[] = {h, ag_detach(ag_square(w))};
    for (int i = 0; i < 2; i++) {
        assert_values(cut[i], 0, 1, 4);
        cr_assert(!ag_requires_grad(cut[i]));
        ag_tensor *y = SUM(ag_mul(cut[i], w));
        ag_zero_grad(w);
        cr_assert(ag_backward(y));
        assert_values(ag_grad(w), 0, 1, 4);
        cr_assert(ag_gradients(&y, NULL, 1, &w, 1, &d));
        assert_values(d, 0, 1, 4);
        cr_assert(ag_gradients(&y, NULL, 1, &cut[i], 1, &d), "an inner tensor may be asked for, cut or not");
        assert_values(d, 0, 1, 2);
    }
    ag_tape_free(t);
}

/* Gradients of op chains that are derived through a composition, while nothing is recorded for differentiation. */
Test(gradients, they_can_be_taken_while_recording_is_off) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 0.1, 0.7, -0.3), *weights = DATA(t, 1, 2, 4), *d, *dd, *jvp;
    ag_tensor *y = SUM(ag_mul(ag_softmax(w, 0), weights));
    cr_assert(ag_gradients(&y, NULL, 1, &w, 1, &d));
    ag_tensor *s = SUM(ag_mul(d, weights)), *on, *jvp_on;
    cr_assert(ag_gradients(&s, NULL, 1, &w, 1, &on));
    cr_assert(ag_jvp(&s, 1, &w, &weights, 1, &jvp_on));
    ag_set_recording(t, false);
    cr_assert(ag_gradients(&s, NULL, 1, &w, 1, &dd));
    cr_assert(ag_jvp(&s, 1, &w, &weights, 1, &jvp));
    ag_set_recording(t, true);
    assert_near(dd, on, 0);
    assert_near(jvp, jvp_on, 0);
    cr_assert(fabs(ag_at(dd, 0)) > 0.01);
    cr_assert(!ag_requires_grad(dd));
    cr_assert(!ag_requires_grad(jvp));
    cr_assert(ag_requires_grad(on));
    ag_tape_free(t);
}

Test(gradients, what_is_unreachable_is_zero) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = PARAM(t, 1, 2), *b = PARAM(t, 3), *late = NULL, *d[4];
    ag_tensor *y = SUM(ag_square(a));
    late = ag_neg(b);
    cr_assert(ag_gradients(&y, NULL, 1, (ag_tensor *[]){b, late, a, a}, 4, d));
    assert_values(d[0], 0, 0);
    assert_values(d[1], 0, 0);
    assert_values(d[2], 0, 2, 4);
    assert_values(d[3], 0, 2, 4);
    cr_assert(ag_backward(y));
    cr_assert(!ag_has_grad(b));
    assert_values(ag_grad(b), 0, 0);
    cr_assert(ag_gradients(&y, NULL, 1, NULL == late ? NULL : &late, 0, d), "no xs at all");
    ag_tape_free(t);
}

/* Bad input */

Test(gradients, bad_ends_are_errors) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *y = SUM(w), *foreign = PARAM(other, 1, 2), *d[2], *whole, *index;
    ag_topk(w, 1, 0, &index);
    whole = ag_input(index, 0);
    cr_assert(!ag_backward(ag_square(w)));
    assert_error(t, AG_ERR_SHAPE, "square (2) must have one element");
    cr_assert(!ag_backward(SUM(DATA(t, 1))));
    assert_error(t, AG_ERR_STATE, "does not depend");
    cr_assert(!ag_backward(NULL));
    cr_assert(!ag_backward_from(NULL, NULL, 1) && !ag_backward_from(&y, NULL, 0) && !ag_backward_from(&y, NULL, -1));
    cr_assert(!ag_gradients(NULL, NULL, 1, &w, 1, d) && !ag_gradients(&y, NULL, 1, NULL, 1, d) &&
              !ag_gradients(&y, NULL, 1, &w, 1, NULL) && !ag_gradients(&y, NULL, 0, &w, 1, d));
    assert_ok(t);
    const struct {
        ag_tensor *y, *g, *x;
        ag_status status;
    } bad[] = {{y, NULL, NULL, AG_ERR_ARGUMENT},
               {y, NULL, foreign, AG_ERR_ARGUMENT},
               {y, NULL, index, AG_ERR_DTYPE},
               {y, NULL, whole, AG_ERR_DTYPE},
               {index, NULL, w, AG_ERR_DTYPE},
               {whole, NULL, w, AG_ERR_DTYPE},
               {y, w, w, AG_ERR_SHAPE},
               {w, foreign, w, AG_ERR_SHAPE},
               {w, ag_cast(w, AG_F32), w, AG_ERR_SHAPE},
               {ag_slice(w, 0, 0, 1, 1), whole, w, AG_ERR_SHAPE}};
    for (int i = 0; i < COUNT_OF(bad); i++) {
        ag_tensor *ys[] = {w, bad[i].y}, *gys[] = {NULL, bad[i].g}, *xs[] = {w, bad[i].x};
        cr_assert(!ag_gradients(ys, gys, 2, xs, 2, d), "row %d", i);
        cr_assert_eq(ag_tape_status(t), bad[i].status, "row %d: %s", i, ag_tape_message(t));
        ag_tape_clear(t);
        if (bad[i].x == w) {
            cr_assert(!ag_backward_from(ys, gys, 2), "row %d", i);
            ag_tape_clear(t);
        }
    }
    cr_assert(!ag_has_grad(w));
    cr_assert(ag_backward(y));
    assert_values(ag_grad(w), 0, 1, 1);
    ag_tape_free(t);
    ag_tape_free(other);
}
