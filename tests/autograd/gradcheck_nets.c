/* gradcheck_nets.c: no false alarm. Networks such as the examples train, before, during and after; every op with its samples. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "autograd/inspect.h"
#include "make.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "ops/sample.h"
#include "optim/optim.h"

static char text[8192];

/* In all modes and both orders, as a whole and node by node. */
static void expect_healthy(ag_tensor *loss, const char *what) {
    for (int k = 0; k < 8; k++) {
        ag_check_options o = ag_check_defaults();
        ag_check_report r;
        o.mode = (ag_check_mode)(k / 2);
        o.order = 1 + k % 2;
        o.seed = (uint64_t)k;
        cr_assert(loss && ag_gradcheck(loss, NULL, 0, &o, &r), "%s, mode %d, order %d: %s\n%s", what, k / 2, o.order,
                  ag_last_message(), ag_check_text(&r, text, sizeof text));
        cr_assert(ag_gradcheck_nodes(loss, &o, &r), "%s, nodes, mode %d, order %d: %s\n%s", what, k / 2, o.order,
                  ag_last_message(), ag_check_text(&r, text, sizeof text));
    }
}

/* Networks */

typedef struct net {
    ag_tape *t;
    ag_module *m;
    ag_tensor *x, *target; /* target i64: classes */
} net;

static ag_module *layers(ag_tape *t, const int *width, ag_module *(*activation)(ag_tape *t)) {
    ag_module *m = ag_nn_sequential(t, NULL, 0);
    for (int i = 0; width[i + 1]; i++) {
        if (i) ag_nn_append(m, activation(t));
        ag_nn_append(m, ag_nn_linear(t, width[i], width[i + 1], true));
    }
    return m;
}

static ag_tensor *loss_of(const net *n) {
    ag_tensor *y = ag_module_forward(n->m, n->x);
    return ag_dtype_of(n->target) == AG_I64 ? ag_cross_entropy(y, n->target) : ag_mse_loss(y, n->target);
}

static void train(const net *n, int steps, double lr) {
    ag_adam_options o = ag_adam_defaults();
    o.lr = lr;
    ag_optimizer *adam = ag_optim_adam(n->t, ag_module_parameters(n->m), ag_module_parameter_count(n->m), &o);
    ag_mark here = ag_tape_mark(n->t);
    for (int i = 0; i < steps; i++) {
        ag_tensor *loss = loss_of(n);
        ag_optim_zero_grad(adam);
        cr_assert(ag_backward(loss), "%s", ag_tape_message(n->t));
        ag_optim_step(adam);
        ag_tape_rewind(n->t, here);
    }
}

static void check_while_training(net n, const char *what, int steps, double lr) {
    char at[96];
    for (int i = 0; i < 3; i++) {
        ag_mark here = ag_tape_mark(n.t);
        snprintf(at, sizeof at, "%s after %d steps", what, i * steps / 2);
        expect_healthy(loss_of(&n), at);
        ag_tape_rewind(n.t, here);
        train(&n, steps / 2, lr);
    }
    assert_ok(n.t);
    ag_tape_free(n.t);
}

static net blobs(int rows, const int *width, ag_module *(*activation)(ag_tape *t)) {
    net n = {.t = ag_tape_new()};
    uint64_t random = 5;
    int classes = 0;
    for (int i = 0; width[i]; i++) classes = width[i];
    ag_seed(n.t, 7);
    n.m = layers(n.t, width, activation);
    n.x = check_leaf(n.t, AG_F32, AG_SHAPE(rows, width[0]), 0, -2, 2, &random);
    n.target = check_leaf(n.t, AG_I64, AG_SHAPE(rows), 0, 0, classes, &random);
    return n;
}

Test(slow_gradcheck_nets, a_scalar_expression) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_scalar(t, AG_F32, 2), *w = ag_param(t, AG_F32, AG_SHAPE()), *b = ag_param(t, AG_F32, AG_SHAPE());
    ag_fill(w, -3);
    ag_fill(b, 6.8813735870195432);
    expect_healthy(ag_tanh(ag_add(ag_mul(a, w), b)), "a scalar expression");
    ag_tape_free(t);
}

Test(slow_gradcheck_nets, logistic_regression) {
    net n = blobs(40, (const int[]){2, 2, 0}, ag_nn_tanh);
    check_while_training(n, "logistic regression", 400, 0.05);
}

Test(slow_gradcheck_nets, exclusive_or) {
    static ag_module *(*const activation[])(ag_tape * t) = {ag_nn_tanh, ag_nn_sigmoid, ag_nn_relu, ag_nn_gelu};
    for (int i = 0; i < COUNT_OF(activation); i++) {
        net n = {.t = ag_tape_new()};
        ag_seed(n.t, 2);
        n.m = layers(n.t, (const int[]){2, 4, 1, 0}, activation[i]);
        n.x = ag_from_f32(n.t, (const float[]){0, 0, 0, 1, 1, 0, 1, 1}, AG_SHAPE(4, 2));
        n.target = ag_from_f32(n.t, (const float[]){0, 1, 1, 0}, AG_SHAPE(4, 1));
        check_while_training(n, "exclusive or", 1000, 0.05);
    }
}

Test(slow_gradcheck_nets, a_classifier) {
    net n = blobs(50, (const int[]){4, 16, 16, 3, 0}, ag_nn_tanh);
    check_while_training(n, "a classifier", 600, 0.02);
}

Test(slow_gradcheck_nets, a_classifier_with_relu) {
    net n = blobs(50, (const int[]){4, 16, 16, 3, 0}, ag_nn_relu);
    check_while_training(n, "a classifier with relu", 600, 0.02);
}

/* At its minimum: the loss is large and the gradient next to nothing. */
Test(slow_gradcheck_nets, a_minimum_of_large_value) {
    net n = {.t = ag_tape_new()};
    uint64_t random = 3;
    n.m = layers(n.t, (const int[]){3, 5, 1, 0}, ag_nn_tanh);
    n.x = check_leaf(n.t, AG_F32, AG_SHAPE(30, 3), 0, -1, 1, &random);
    n.target = check_leaf(n.t, AG_F32, AG_SHAPE(30, 1), 0, -300, 300, &random);
    train(&n, 2000, 0.3);
    expect_healthy(loss_of(&n), "a minimum of large value");
    ag_tape_free(n.t);
}

/* All weights 0: every unit sits at ReLU's kink, with slopes of both signs on either side. */
Test(slow_gradcheck_nets, all_weights_zero) {
    net n = blobs(12, (const int[]){3, 6, 6, 3, 0}, ag_nn_relu);
    for (int i = 0; i < ag_module_parameter_count(n.m); i++) ag_fill(ag_module_parameters(n.m)[i], 0);
    expect_healthy(loss_of(&n), "all weights zero");
    for (int layer = 1; layer < 3; layer++) {
        ag_nn_normal(ag_module_parameters(n.m)[2 * layer], 0, 1);
        expect_healthy(loss_of(&n), "the first weights zero");
    }
    ag_tape_free(n.t);
}

/* Ops */

static ag_tensor *loss_of_sample(const sample *s, ag_tape *t, ag_dtype dtype) {
    ag_tensor *in[SAMPLE_INPUTS], *out[SAMPLE_INPUTS], *loss = NULL;
    uint64_t random = 1;
    if (!sample_tensors(s, t, dtype, AG_REQUIRES_GRAD, in)) return NULL;
    ag_tensor *y = sample_call(s, t, in);
    int n = y ? sample_outputs(y, out, SAMPLE_INPUTS) : 0;
    for (int i = 0; i < n; i++) {
        if (ag_dtype_of(out[i]) > AG_F64) continue;
        ag_tensor *w = check_leaf(t, ag_dtype_of(out[i]), ag_shape_of(out[i]), 0, 0.5, 1.5, &random);
        ag_tensor *part = ag_cast(SUM(ag_mul(out[i], w)), AG_F64);
        loss = loss ? ag_add(loss, part) : part;
    }
    return loss;
}

static void check_sample(const sample *s, ag_dtype dtype) {
    ag_tape *t = ag_tape_new();
    ag_tensor *loss = loss_of_sample(s, t, dtype);
    ag_check_options o = ag_check_defaults();
    ag_check_report r;
    o.order = 2;
    need(s, !ag_tape_status(t), "%s", ag_tape_message(t));
    if (loss && ag_requires_grad(loss)) {
        need(s, ag_gradcheck(loss, NULL, 0, &o, &r), "%s%s", ag_tape_message(t), ag_check_text(&r, text, 500));
        need(s, ag_gradcheck_nodes(loss, &o, &r), "%s%s", ag_tape_message(t), ag_check_text(&r, text, 500));
    }
    ag_tape_free(t);
}

Test(slow_gradcheck_nets, every_op) {
    for (int i = 0; i < listed_op_count(); i++) {
        sample s;
        for (const char *p = listed_ops[i].samples; (p = sample_next(p, listed_ops[i].name, &s));) {
            check_sample(&s, AG_F32);
            check_sample(&s, AG_F64);
        }
    }
}
