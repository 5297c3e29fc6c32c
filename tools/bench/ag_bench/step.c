/* step.c: "step:c1" is one whole training step: forward, loss, backward, update, all nodes dropped.
 *
 *   a          XOR, 2-4-1, tanh, batch 4, mean squared error, SGD
 *   b          iris, 4-16-16-3, ReLU, batch 150, cross-entropy, SGD
 *   c1         784-128-10, ReLU, batch 64, cross-entropy, Adam
 *   c2         784-512-512-10, ReLU, batch 128, cross-entropy, SGD
 *   h          Σ tanh(x w + b) σ(x) over 1e6 elements, forward and backward
 *   i          a chain of 1000 multiplications and additions of one element by constants, forward and backward, per node
 *   i:wanted   the same, gradients wanted of both operands
 *   i:cold     a chain of 1e6 on a new tape, per node
 *
 * Nets are checked by ag_gradcheck along a direction, and must learn what they are shown. */
#include <math.h>
#include <string.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "bench.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

typedef struct net {
    const char *name;
    int64_t batch, width[5]; /* ended by 0 */
    ag_tensor *(*activation)(ag_tensor *);
    bool classes, adam;
} net;

static const net nets[] = {{"a", 4, {2, 4, 1}, ag_tanh, false, false},
                           {"b", 150, {4, 16, 16, 3}, ag_relu, true, false},
                           {"c1", 64, {784, 128, 10}, ag_relu, true, true},
                           {"c2", 128, {784, 512, 512, 10}, ag_relu, true, false}};

/* x[0] input, x[1] target, x[2] the last loss */
typedef struct trained {
    ag_module *model;
    ag_optimizer *optimizer;
    const net *net;
} trained;

static ag_tensor *loss_of(bench *b) {
    const trained *w = b->own;
    ag_tensor *y = ag_module_forward(w->model, b->x[0]);
    return w->net->classes ? ag_cross_entropy(y, b->x[1]) : ag_mse_loss(y, b->x[1]);
}

static bool train(bench *b) {
    const trained *w = b->own;
    return ag_optim_zero_grad(w->optimizer) && ag_backward(loss_of(b)) && ag_optim_step(w->optimizer) &&
           ag_tape_rewind(b->tape, b->mark);
}

static double current_loss(bench *b) {
    double loss = ag_item(loss_of(b));
    ag_tape_rewind(b->tape, b->mark);
    return loss;
}

static bool verify_net(bench *b) {
    ag_check_options o = ag_check_defaults();
    ag_check_report report;
    char text[4096];
    o.mode = AG_CHECK_DIRECTIONAL;
    if (!ag_gradcheck(loss_of(b), NULL, 0, &o, &report))
        return bench_fail(b, "the gradient is wrong: %s", ag_check_text(&report, text, sizeof text));
    if (!ag_tape_rewind(b->tape, b->mark)) return false;
    double first = current_loss(b);
    for (int i = 0; i < 20; i++) {
        if (!train(b)) return false;
    }
    double last = current_loss(b);
    return last < first || bench_fail(b, "the loss went from %g to %g", first, last);
}

static ag_tensor *labels(bench *b, int64_t n, int64_t classes) {
    ag_tensor *leaf = ag_buffer(b->tape, AG_I64, AG_SHAPE(n));
    int64_t *to = ag_mutable(leaf);
    for (int64_t i = 0; to && i < n; i++) to[i] = i * 7 % classes;
    return leaf;
}

static bool open_net(bench *b, const net *n) {
    trained *w = ag_tape_alloc(b->tape, sizeof *w);
    int layers = 0;
    if (!w) return false;
    while (n->width[layers + 1]) layers++;
    *w = (trained){ag_nn_sequential(b->tape, NULL, 0), NULL, n};
    for (int i = 0; i < layers; i++) {
        ag_nn_append(w->model, ag_nn_linear(b->tape, n->width[i], n->width[i + 1], true));
        if (i + 1 < layers) ag_nn_append(w->model, ag_nn_function(b->tape, "activation", n->activation));
    }
    ag_tensor *const *p = ag_module_parameters(w->model);
    int count = ag_module_parameter_count(w->model);
    w->optimizer = n->adam ? ag_optim_adam(b->tape, p, count, NULL) : ag_optim_sgd(b->tape, p, count, NULL);
    b->own = w;
    b->x[0] = bench_leaf(b, AG_F32, AG_SHAPE(n->batch, n->width[0]), -1, 1, 0);
    b->x[1] = n->classes ? labels(b, n->batch, n->width[layers])
                         : bench_leaf(b, AG_F32, AG_SHAPE(n->batch, n->width[layers]), -1, 1, 0);
    b->mark = ag_tape_mark(b->tape);
    b->run = train;
    for (int i = 0; i < layers; i++) /* forward, and both gradients but that of the data */
        b->flops += (i ? 6.0 : 4.0) * (double)n->batch * (double)n->width[i] * (double)n->width[i + 1];
    return verify_net(b);
}

/* h: x[0] x, x[1] w, x[2] b */
static bool run_h(bench *b) {
    ag_tensor *x = b->x[0];
    ag_tensor *y = ag_sum(ag_mul(ag_tanh(ag_add(ag_mul(x, b->x[1]), b->x[2])), ag_sigmoid(x)), AG_ALL, false);
    for (int i = 0; i < 3; i++) ag_zero_grad(b->x[i]);
    return ag_backward(y) && ag_tape_rewind(b->tape, b->mark);
}

static bool open_h(bench *b) {
    int64_t n = 1000000;
    for (int i = 0; i < 3; i++) b->x[i] = bench_leaf(b, AG_F32, AG_SHAPE(n), -2, 2, AG_REQUIRES_GRAD);
    b->mark = ag_tape_mark(b->tape);
    b->bytes = 4.0 * (double)n * 13; /* three inputs read twice; the gradients zeroed, read and written */
    if (!run_h(b)) return false;
    for (int64_t i = 0; i < n; i += 997) {
        double x = ag_at(b->x[0], i), w = ag_at(b->x[1], i), t = tanh(x * w + ag_at(b->x[2], i)), s = 1 / (1 + exp(-x));
        double db = (1 - t * t) * s;
        if (!bench_near(b, "dx", ag_at(ag_grad(b->x[0]), i), db * w + t * s * (1 - s), 1e-5) ||
            !bench_near(b, "dw", ag_at(ag_grad(b->x[1]), i), db * x, 1e-5) ||
            !bench_near(b, "db", ag_at(ag_grad(b->x[2]), i), db, 1e-5))
            return false;
    }
    b->run = run_h;
    return true;
}

/* i: x[0] x, x[1] p; y ← p (… p (p x + p) + p …) + p; n[0] nodes, n[1] 1: a new tape each time */
static ag_tensor *chain(ag_tensor *x, ag_tensor *p, int64_t n) {
    for (int64_t i = 0; i < n / 2; i++) x = ag_add(ag_mul(x, p), p);
    return x;
}

static bool run_i(bench *b) {
    return ag_backward(chain(b->x[0], b->x[1], b->n[0])) && ag_zero_grad(b->x[0]) && ag_zero_grad(b->x[1]) &&
           ag_tape_rewind(b->tape, b->mark);
}

static bool run_cold(bench *b) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_param(t, AG_F32, AG_SHAPE()), *p = ag_buffer(t, AG_F32, AG_SHAPE());
    ag_fill(x, 0.5);
    ag_fill(p, 1);
    bool right = ag_backward(chain(x, p, b->n[0])) && ag_item(ag_grad(x)) == 1;
    ag_tape_free(t);
    return right || bench_fail(b, "the cold chain's gradient is not 1");
}

static bool open_i(bench *b) {
    const char *kind = b->word[2] ? b->word[2] : "constants";
    bool cold = strcmp(kind, "cold") == 0, wanted = strcmp(kind, "wanted") == 0;
    if (!cold && !wanted && strcmp(kind, "constants") != 0)
        return bench_fail(b, "'%s' is not constants, wanted or cold", kind);
    b->n[0] = cold ? 1000000 : 1000;
    b->units = (double)b->n[0];
    b->unit = "node";
    b->run = cold ? run_cold : run_i;
    if (cold) return true;
    double p = 1.0009765625;
    b->x[0] = ag_param(b->tape, AG_F32, AG_SHAPE());
    b->x[1] = wanted ? ag_param(b->tape, AG_F32, AG_SHAPE()) : ag_buffer(b->tape, AG_F32, AG_SHAPE());
    ag_fill(b->x[0], 0.5);
    ag_fill(b->x[1], p);
    b->mark = ag_tape_mark(b->tape);
    if (!ag_backward(chain(b->x[0], b->x[1], b->n[0]))) return false;
    double slope = ag_item(ag_grad(b->x[0]));
    return bench_near(b, "the slope", slope, pow(p, (double)b->n[0] / 2), 1e-4) && ag_zero_grad(b->x[0]) &&
           ag_zero_grad(b->x[1]) && ag_tape_rewind(b->tape, b->mark);
}

bool bench_step(bench *b) {
    const char *which = b->word[1] ? b->word[1] : "";
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        if (strcmp(which, nets[i].name) == 0) return open_net(b, &nets[i]);
    }
    if (strcmp(which, "h") == 0) return open_h(b);
    if (strcmp(which, "i") == 0) return open_i(b);
    return bench_fail(b, "'%s' is no step: a, b, c1, c2, h, i", which);
}
