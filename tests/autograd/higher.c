/* Derivatives of derivatives, and forward mode. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

/* Order by order: f at 0.7 and its derivatives in closed form */

static ag_tensor *fifth(ag_tensor *x) { return ag_mul(ag_square(ag_square(x)), x); }
static ag_tensor *fifth_pow(ag_tensor *x) { return ag_pow_scalar(x, 5); }
static ag_tensor *fifth_summed(ag_tensor *x) { /* through views, a sum and a broadcast */
    ag_tensor *e = ag_expand(x, AG_SHAPE(2, 3));
    return ag_scale(SUM(ag_mul(ag_transpose(ag_square(ag_square(e)), 0, 1), ag_reshape(x, AG_SHAPE(1, 1)))), 1 / 6.);
}
static ag_tensor *exponential(ag_tensor *x) { return ag_exp(x); }
static ag_tensor *quotient(ag_tensor *x) { return ag_div(ag_mul(x, x), ag_square(ag_square(x))); } /* x⁻² */

#define X 0.7
#define X5 \
    { X *X *X *X *X, 5 * X *X *X *X, 20 * X *X *X, 60 * X *X, 120 * X }
static const struct {
    const char *name;
    ag_tensor *(*f)(ag_tensor *x);
    double derivative[5];
} functions[] = {
    {"x^5", fifth, X5},
    {"pow", fifth_pow, X5},
    {"x^5 summed", fifth_summed, X5},
    {"exp", exponential, {2.0137527074704766, 2.0137527074704766, 2.0137527074704766, 2.0137527074704766, 2.0137527074704766}},
    {"x^-2",
     quotient,
     {1 / (X * X), -2 / (X * X * X), 6 / (X * X * X * X), -24 / (X * X * X * X * X), 120 / (X * X * X * X * X * X)}},
    {"tanh", ag_tanh, {0}}, /* below */
};

/* Of y = tanh x: 1 - y^2 = s, -2 y s, (6 y^2 - 2) s, (16 - 24 y^2) y s. */
static void derivatives(int i, double d[5]) {
    memcpy(d, functions[i].derivative, sizeof functions[i].derivative);
    double y = tanh(X), s = 1 - y * y, of_tanh[] = {y, s, -2 * y * s, (6 * y * y - 2) * s, (16 - 24 * y * y) * y * s};
    if (functions[i].f == ag_tanh) memcpy(d, of_tanh, sizeof of_tanh);
}

Test(gradients, of_order_four) {
    for (int i = 0; i < COUNT_OF(functions); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = number(t, X), *y = functions[i].f(x);
        double d[5];
        derivatives(i, d);
        for (int order = 0;; order++) {
            char text[CHECK_TEXT];
            cr_assert(check_close(ag_item(y), d[order], 1e-13, text), "%s, order %d: %s", functions[i].name, order, text);
            if (order == 4) break;
            cr_assert(ag_gradients(&y, NULL, 1, &x, 1, &y), "%s: %s", functions[i].name, ag_tape_message(t));
        }
        cr_assert(ag_backward(y), "and once more");
        cr_assert(isfinite(ag_item(ag_grad(x))));
        ag_tape_free(t);
    }
}

Test(gradients, forward_mode_agrees_to_order_four) {
    for (int i = 0; i < COUNT_OF(functions); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = number(t, X), *one = ag_scalar(t, AG_F64, 1), *y = functions[i].f(x);
        double d[5];
        derivatives(i, d);
        for (int order = 1; order <= 4; order++) {
            char text[CHECK_TEXT];
            cr_assert(ag_jvp(&y, 1, &x, &one, 1, &y), "%s: %s", functions[i].name, ag_tape_message(t));
            cr_assert(check_close(ag_item(y), d[order], 1e-13, text), "%s, order %d: %s", functions[i].name, order, text);
        }
        ag_tape_free(t);
    }
}

/* f = x² y³: every mixed partial, in both orders. */
Test(gradients, mixed_partials_commute) {
    ag_tape *t = ag_tape_new();
    ag_tensor *v[] = {number(t, 2), number(t, 3)}, *d[2], *of_dx[2], *of_dy[2];
    ag_tensor *f = ag_mul(ag_square(v[0]), ag_mul(ag_square(v[1]), v[1]));
    cr_assert(ag_gradients(&f, NULL, 1, v, 2, d));
    assert_values(d[0], 0, 2 * 2 * 27);
    assert_values(d[1], 0, 4 * 3 * 9);
    cr_assert(ag_gradients(&d[0], NULL, 1, v, 2, of_dx));
    cr_assert(ag_gradients(&d[1], NULL, 1, v, 2, of_dy));
    assert_values(of_dx[0], 0, 2 * 27);
    assert_values(of_dx[1], 0, 4 * 27);
    assert_values(of_dy[0], 0, 4 * 27);
    assert_values(of_dy[1], 0, 4 * 6 * 3);
    ag_tape_free(t);
}

/* With respect to inner tensors */

Test(gradients, inner_tensors_may_be_asked_for) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *a = ag_scale(w, 3), *b = ag_square(a), *y = SUM(b), *d[5];
    ag_tensor *xs[] = {b, w, a, y, a};
    cr_assert(ag_gradients(&y, NULL, 1, xs, 5, d));
    assert_values(d[0], 0, 1, 1);
    assert_values(d[1], 0, 18, 36);
    assert_values(d[2], 0, 6, 12);
    assert_values(d[3], 0, 1);
    assert_values(d[4], 0, 6, 12);
    cr_assert(ag_gradients((ag_tensor *[]){b, a}, NULL, 2, &a, 1, d), "x among the ys, and behind another y");
    assert_values(d[0], 0, 7, 13);
    cr_assert(ag_gradients((ag_tensor *[]){a, a}, NULL, 2, &a, 1, d));
    assert_values(d[0], 0, 2, 2);
    cr_assert(ag_gradients(&y, NULL, 1, xs, 5, xs), "the results may take the place of the xs");
    assert_values(xs[1], 0, 18, 36);
    cr_assert(ag_backward(y));
    assert_values(ag_grad(w), 0, 18, 36);
    ag_tape_free(t);
}

/* Gradient penalty: L = f(w) + |∇f(w)|², f = Σ w³, ∇L = 3w² + 36w³ */

Test(gradients, a_gradient_may_be_part_of_the_loss) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, -2, 0.5), *d;
    ag_mark m = ag_tape_mark(t);
    for (int i = 0; i < 3; i++) {
        ag_tensor *f = SUM(ag_mul(ag_square(w), w));
        cr_assert(ag_gradients(&f, NULL, 1, &w, 1, &d));
        ag_zero_grad(w);
        cr_assert(ag_backward(ag_add(f, SUM(ag_square(d)))));
        assert_values(ag_grad(w), 1e-14, 3 + 36, 12 - 36 * 8, 0.75 + 4.5);
        cr_assert(ag_tape_rewind(t, m));
    }
    ag_tape_free(t);
}

/* Forward over reverse: f = Σ (A x)² / 2 + Σ eˣ, H v = Aᵀ A v + eˣ v */

Test(gradients, hessian_vector_products) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 0.5, -1, 2), *v = DATA(t, 1, 10, -3), *d, *hv, *hv_reverse, *inner;
    ag_tensor *a = ag_from_f64(t, (double[]){1, 2, 3, 0, -1, 4}, AG_SHAPE(2, 3));
    ag_tensor *f = ag_add(ag_scale(SUM(ag_square(ag_matmul(a, x))), 0.5), SUM(ag_exp(x)));
    cr_assert(ag_gradients(&f, NULL, 1, &x, 1, &d));
    cr_assert(ag_jvp(&d, 1, &x, &v, 1, &hv));
    inner = SUM(ag_mul(d, v));
    cr_assert(ag_gradients(&inner, NULL, 1, &x, 1, &hv_reverse));
    /* A v = (12, −22), Aᵀ A v = (12, 46, −52) */
    assert_values(hv, 1e-14, 12 + exp(0.5), 46 + 10 * exp(-1.), -52 - 3 * exp(2.));
    assert_near(hv_reverse, hv, 1e-14);
    ag_tape_free(t);
}

/* Forward mode: its own corners */

Test(gradients, forward_mode_of_many) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = PARAM(t, 1, 2), *b = DATA(t, 3, 5), *one = ag_full(t, AG_F64, AG_SHAPE(2), 1), *d[4];
    ag_tensor *p = ag_mul(a, b), *y = SUM(p), *z = ag_neg(b);
    ag_tensor *ys[] = {y, p, z, a}, *xs[] = {a, b, a}, *us[] = {one, NULL, one};
    cr_assert(ag_jvp(ys, 4, xs, us, 3, d), "%s", ag_tape_message(t));
    assert_values(d[0], 0, 16); /* a is among the xs twice: tangents add up */
    assert_values(d[1], 0, 6, 10);
    assert_values(d[2], 0, 0, 0); /* no tangent for b */
    assert_values(d[3], 0, 2, 2);
    ag_tensor *inner[] = {a, p}, *vs[] = {one, one};
    cr_assert(ag_jvp(&y, 1, inner, vs, 2, d), "an inner tensor gets its own tangent on top");
    assert_values(d[0], 0, 10);
    cr_assert(ag_jvp(xs, 2, xs, us, 2, xs), "out may be ys");
    assert_values(xs[0], 0, 1, 1);
    assert_values(xs[1], 0, 0, 0);
    cr_assert(ag_backward(y), "no slot was left behind");
    assert_values(ag_grad(a), 0, 3, 5);
    ag_tape_free(t);
}

Test(gradients, forward_mode_refuses_bad_input) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *y = ag_square(w), *wrong = PARAM(t, 1, 2, 3), *foreign = PARAM(other, 1, 2), *d;
    ag_tensor *index = NULL;
    ag_topk(w, 1, 0, &index);
    const struct {
        ag_tensor *y, *x, *u;
        ag_status status;
    } rows[] = {{y, w, wrong, AG_ERR_SHAPE},
                {y, w, foreign, AG_ERR_SHAPE},
                {y, foreign, w, AG_ERR_ARGUMENT},
                {y, NULL, w, AG_ERR_ARGUMENT},
                {index, w, w, AG_ERR_DTYPE},
                {y, index, index, AG_ERR_DTYPE},
                {ag_input(index, 0), w, w, AG_ERR_DTYPE}};
    for (int i = 0; i < COUNT_OF(rows); i++) {
        cr_assert(!ag_jvp(&rows[i].y, 1, &rows[i].x, &rows[i].u, 1, &d), "row %d", i);
        cr_assert_eq(ag_tape_status(t), rows[i].status, "row %d: %s", i, ag_tape_message(t));
        ag_tape_clear(t);
    }
    cr_assert(!ag_jvp(NULL, 1, &w, &w, 1, &d) && !ag_jvp(&y, 0, &w, &w, 1, &d) && !ag_jvp(&y, 1, &w, NULL, 1, &d));
    ag_write(w, (double[]){5, 6});
    cr_assert(!ag_jvp(&y, 1, &w, &w, 1, &d), "w was overwritten after square used it");
    assert_error(t, AG_ERR_STATE, "overwritten");
    ag_tape_free(t);
    ag_tape_free(other);
}

/* Nodes with several outputs */

/* y = batch_norm(x) has three: the normalised x, and each channel's mean and variance. */
static ag_tensor *normalised(ag_tensor *x, ag_tensor **mean) {
    ag_tape *t = ag_tape_of(x);
    ag_tensor *y =
        ag_batch_norm(x, ag_full(t, AG_F64, AG_SHAPE(1), 1), ag_full(t, AG_F64, AG_SHAPE(1), 0), NULL, NULL, true, 0, 0);
    if (mean) *mean = ag_part(ag_input(y, 0), 1);
    return y;
}

Test(gradients, flow_into_each_output_alone_and_into_several) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_leaf(t, AG_F64, (double[]){1, 2, 6}, AG_SHAPE(3, 1), AG_REQUIRES_GRAD), *mean, *d;
    ag_tensor *y = normalised(x, &mean), *first = ag_slice(y, 0, 0, 1, 1);
    cr_assert(ag_backward(SUM(mean)));
    assert_values(ag_grad(x), 1e-15, 1 / 3., 1 / 3., 1 / 3.);
    cr_assert(ag_gradients(&first, NULL, 1, &x, 1, &d));
    cr_assert(ag_backward(SUM(ag_add(first, mean))));
    for (int i = 0; i < 3; i++) assert_close(ag_at(ag_grad(x), i), ag_at(d, i) + 2 / 3., 1e-14);
    cr_assert(ag_gradients(&first, NULL, 1, &y, 1, &d), "an output itself may be asked for");
    assert_values(d, 0, 1, 0, 0);
    ag_tape_free(t);
}

/* Slots of the outputs that were not asked for must be empty again, or the next pass adds to them. */
Test(gradients, passes_leave_no_trace_in_unused_outputs) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *x = ag_leaf(t, AG_F64, (double[]){1, 2, 6}, AG_SHAPE(3, 1), AG_REQUIRES_GRAD), *d, *again;
    ag_tensor *y = normalised(x, NULL), *u = ag_from_f64(t, (double[]){1, 0, 0}, AG_SHAPE(3, 1)), *copy;
    cr_assert(ag_gradients(&y, &u, 1, &x, 1, &d));
    cr_assert(ag_jvp(&y, 1, &x, &u, 1, &again));
    cr_assert(ag_clone(other, &y, 1, AG_F32, 0, &copy));
    cr_assert(ag_gradients(&y, &u, 1, &x, 1, &again));
    assert_near(again, d, 0);
    cr_assert(ag_backward_from(&y, &u, 1));
    assert_near(ag_grad(x), d, 1e-15);
    ag_tape_free(t);
    ag_tape_free(other);
}
