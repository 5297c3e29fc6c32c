/* After the first training step nothing is allocated: counted, for each kind of training loop. */
#include <criterion/criterion.h>
#include <math.h>

#include "count.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

typedef struct model {
    ag_tape *t;
    ag_module *net;
    ag_tensor *x, *label, *target, *gain, *bias, *mean, *var;
    ag_optimizer *optimizer;
} model;

static ag_optimizer *make_sgd(ag_tape *t, ag_tensor *const params[], int n) {
    ag_sgd_options o = ag_sgd_defaults();
    o.momentum = 0.9;
    o.lr = 0.05;
    return ag_optim_sgd(t, params, n, &o);
}

static ag_optimizer *make_adam(ag_tape *t, ag_tensor *const params[], int n) {
    return ag_optim_adam(t, params, n, NULL);
}

/* 4 → 16 → 16 → 3 with tanh and dropout, and a batch norm in front. */
static model make(ag_optimizer *(*optimizer)(ag_tape *t, ag_tensor *const params[], int n)) {
    model m = {.t = ag_tape_new()};
    ag_seed(m.t, 1);
    m.net = ag_nn_sequential(m.t, NULL, 0);
    ag_nn_append(m.net, ag_nn_linear(m.t, 4, 16, true));
    ag_nn_append(m.net, ag_nn_tanh(m.t));
    ag_nn_append(m.net, ag_nn_dropout(m.t, 0.2));
    ag_nn_append(m.net, ag_nn_linear(m.t, 16, 16, true));
    ag_nn_append(m.net, ag_nn_relu(m.t));
    ag_nn_append(m.net, ag_nn_linear(m.t, 16, 3, true));
    m.x = ag_buffer(m.t, AG_F32, AG_SHAPE(32, 4));
    ag_fill_normal(m.x, 0, 1);
    m.label = ag_buffer(m.t, AG_I64, AG_SHAPE(32));
    for (int i = 0; i < 32; i++) ((int64_t *)ag_mutable(m.label))[i] = i % 3;
    m.target = ag_buffer(m.t, AG_F32, AG_SHAPE(32, 3));
    m.gain = ag_nn_constant(ag_param(m.t, AG_F32, AG_SHAPE(4)), 1);
    m.bias = ag_param(m.t, AG_F32, AG_SHAPE(4));
    m.mean = ag_buffer(m.t, AG_F32, AG_SHAPE(4));
    m.var = ag_buffer(m.t, AG_F32, AG_SHAPE(4));
    m.optimizer = optimizer(m.t, ag_module_parameters(m.net), ag_module_parameter_count(m.net));
    return m;
}

static ag_tensor *forward(const model *m) {
    ag_tensor *h = ag_batch_norm(m->x, m->gain, m->bias, m->mean, m->var, true, 0.1, 1e-5);
    return ag_module_forward(m->net, h);
}

static ag_tensor *classify(const model *m) { return ag_cross_entropy(forward(m), m->label); }
static ag_tensor *regress(const model *m) { return ag_mse_loss(forward(m), m->target); }

static ag_tensor *penalize(const model *m) { /* a gradient in the loss */
    ag_tensor *loss = classify(m), *w = ag_module_parameters(m->net)[0], *d;
    return ag_gradients(&loss, NULL, 1, &w, 1, &d) ? ag_add(loss, ag_mean(ag_square(d), AG_ALL, false)) : NULL;
}

static ag_tensor *batch(const model *m) { /* a recorded leaf a step, names, scopes, kept gradients */
    static float data[32 * 4];
    ag_scope_push(m->t, "batch");
    ag_tensor *x =
        ag_set_name(ag_leaf(m->t, AG_F32, data, AG_SHAPE(32, 4), AG_RECORDED), "a rather long name of a batch");
    ag_tensor *y = ag_module_forward(m->net, ag_add(x, m->x));
    ag_retain_grad(y);
    ag_scope_pop(m->t);
    return ag_cross_entropy(y, m->label);
}

static ag_tensor *tangent(const model *m) {
    ag_tensor *loss = classify(m), *w = ag_module_parameters(m->net)[0], *d;
    return ag_jvp(&loss, 1, &w, &w, 1, &d) ? ag_add(loss, ag_square(d)) : NULL;
}

static ag_tensor *by_name(const model *m) {
    ag_tensor *y = forward(m), *s = ag_call(m->t, "log_softmax", &y, 1, "axis=1");
    return ag_neg(ag_mean(ag_gather(s, 1, ag_reshape(m->label, AG_SHAPE(32, 1))), AG_ALL, false));
}

static const struct {
    const char *name;
    ag_optimizer *(*optimizer)(ag_tape *t, ag_tensor *const params[], int n);
    ag_tensor *(*loss)(const model *m);
} loops[] = {
    {"sgd, cross-entropy", make_sgd, classify}, {"adam, cross-entropy", make_adam, classify},
    {"adam, mse", make_adam, regress},          {"adam, gradient penalty", make_adam, penalize},
    {"sgd, batches", make_sgd, batch},          {"adam, tangents", make_adam, tangent},
    {"adam, by name", make_adam, by_name},
};

static bool step(const model *m, ag_tensor *(*loss)(const model *m), double *value) {
    ag_mark here = ag_tape_mark(m->t);
    ag_tensor *l = loss(m);
    if (!ag_optim_zero_grad(m->optimizer) || !ag_backward(l) || !ag_optim_step(m->optimizer)) return false;
    *value = ag_item(l);
    return ag_tape_rewind(m->t, here);
}

Test(alloc, nothing_after_the_first_step) {
#ifdef AG_POISON
    cr_skip_test("a poisoning tape gives every node memory of its own");
#endif
    for (int threads = 1; threads <= 2; threads++) {
        ag_set_threads(threads);
        for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
            model m = make(loops[i].optimizer);
            double loss = NAN, first = NAN;
            cr_assert(step(&m, loops[i].loss, &first), "%s: %s", loops[i].name, ag_tape_message(m.t));
            size_t bytes = ag_tape_bytes(m.t);
            long calls = memory.calls, live = memory.live;
            for (int k = 0; k < 30; k++) cr_assert(step(&m, loops[i].loss, &loss));
            cr_assert_eq(memory.calls - calls, 0, "%s: %ld calls after the first step", loops[i].name, memory.calls - calls);
            cr_assert_eq(memory.live, live, "%s: blocks were freed", loops[i].name);
            cr_assert_eq(ag_tape_bytes(m.t), bytes);
            cr_assert_eq(ag_tape_peak_bytes(m.t), bytes);
            cr_assert(isfinite(loss) && loss < first, "%s: it learns, %g to %g", loops[i].name, first, loss);
            ag_tape_free(m.t);
        }
    }
}

/* Trimming gives memory back to the system, and the next step asks for it again. */
Test(alloc, trim_frees_blocks) {
    model m = make(make_adam);
    double loss;
    cr_assert(step(&m, classify, &loss));
    long live = memory.live;
    ag_tape_trim(m.t);
    cr_assert_lt(memory.live, live);
    cr_assert(step(&m, classify, &loss));
    ag_tape_free(m.t);
}

Test(alloc, a_freed_tape_leaves_nothing) {
    long live = memory.live;
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        model m = make(loops[i].optimizer);
        double loss;
        cr_assert(step(&m, loops[i].loss, &loss));
        ag_tape_free(m.t); /* without a rewind, too */
        m = make(loops[i].optimizer);
        cr_assert(ag_backward(loops[i].loss(&m)));
        ag_tape_free(m.t);
        cr_assert_eq(memory.live, live, "%s: %ld blocks are left", loops[i].name, memory.live - live);
    }
}
