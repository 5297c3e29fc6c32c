/* 03_xor.c: what one perceptron can learn, and what takes a hidden layer.
 *
 *     x1   x2    AND  OR  XOR          1 │ 1     0        One perceptron, σ(w1 x1 + w2 x2 + b), divides the plane
 *      0    0     0    0   0             │                by one line. AND and OR can be divided so; XOR, drawn at
 *      0    1     0    1   1           0 │ 0     1        the left, cannot (Minsky, Papert 1969). With a hidden
 *      1    0     0    1   1             └─────────       layer the last perceptron looks at two others, which
 *      1    1     1    1   0               0     1        move the points to where one line is enough. */
#include "autograd/autograd.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"
#include "show.h"

enum { CASES = 4, EPOCHS = 1500, TASKS = 4 };

static const float inputs[CASES][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};

static const struct {
    const char *name;
    float target[CASES];
    bool hidden; /* with a hidden layer? */
    int right;   /* how many cases it can learn */
} task[TASKS] = {
    {"AND", {0, 0, 0, 1}, false, 4},
    {"OR", {0, 1, 1, 1}, false, 4},
    {"XOR", {0, 1, 1, 0}, false, 3}, /* at most */
    {"XOR, hidden", {0, 1, 1, 0}, true, 4},
};

/* 2 → 1, or 2 → 2 → 1 */
static ag_module *make_network(ag_tape *t, bool hidden) {
    ag_module *net = ag_nn_sequential(t, NULL, 0);
    if (hidden) {
        ag_nn_append(net, ag_nn_linear(t, 2, 2, true));
        ag_nn_append(net, ag_nn_tanh(t));
    }
    ag_nn_append(net, ag_nn_linear(t, 2, 1, true));
    return ag_nn_append(net, ag_nn_sigmoid(t));
}

/* Returns the last loss; negative after an error. */
static double train(ag_tape *t, ag_module *net, ag_tensor *x, ag_tensor *target) {
    ag_adam_options o = ag_adam_defaults();
    o.lr = 0.03;
    ag_optimizer *adam = ag_optim_adam(t, ag_module_parameters(net), ag_module_parameter_count(net), &o);
    ag_mark here = ag_tape_mark(t);
    double last = -1;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        ag_tensor *loss = ag_mse_loss(ag_module_forward(net, x), target);
        ag_optim_zero_grad(adam);
        if (!ag_backward(loss)) return -1;
        last = ag_item(loss);
        ag_optim_step(adam);
        ag_tape_rewind(t, here);
    }
    return last;
}

/* Where the hidden layer moves the four points to. */
static void show_hidden(ag_module *net, ag_tensor *x) {
    ag_tensor *h = ag_module_forward(ag_module_child(net, 1), ag_module_forward(ag_module_child(net, 0), x));
    ag_tensor *w = ag_module_find(net, "2.weight"), *b = ag_module_find(net, "2.bias");
    SAY("\nThe hidden layer, h = tanh(W x + b), moves the points (h1 is OR, h2 is NAND); one line divides them "
        "there:\n\n");
    SAY("    x1 x2       h1      h2     %.1f h1 %+.1f h2 %+.1f\n", ag_at(w, 0), ag_at(w, 1), ag_item(b));
    for (int i = 0; i < CASES; i++) {
        double z = ag_at(w, 0) * ag_at(h, 2 * i) + ag_at(w, 1) * ag_at(h, 2 * i + 1) + ag_item(b);
        SAY("     %g  %g   %6.2f  %6.2f     %13.2f → %d\n", (double)inputs[i][0], (double)inputs[i][1], ag_at(h, 2 * i),
            ag_at(h, 2 * i + 1), z, z > 0);
    }
}

static void show_outputs(double output[TASKS][CASES], const int right[TASKS]) {
    SAY("    x1 x2");
    for (int k = 0; k < TASKS; k++) SAY("%15s", task[k].name);
    for (int i = 0; i < CASES; i++) {
        SAY("\n     %g  %g", (double)inputs[i][0], (double)inputs[i][1]);
        for (int k = 0; k < TASKS; k++) {
            bool wrong = (output[k][i] > 0.5) != (task[k].target[i] > 0.5f);
            SAY("%9.3f → %d %s", output[k][i], output[k][i] > 0.5, wrong ? "✗" : " ");
        }
    }
    SAY("\n    right");
    for (int k = 0; k < TASKS; k++) SAY("%11d of %d", right[k], CASES);
    SAY("\n");
}

/* The loss once more, after training, with the gradients of inner nodes kept. */
static bool draw_loss(ag_module *net, ag_tensor *x, ag_tensor *target) {
    ag_tape_retain_grads(ag_tape_of(x), true);
    for (int i = 0; i < ag_module_parameter_count(net); i++) ag_zero_grad(ag_module_parameters(net)[i]);
    ag_tensor *loss = ag_set_name(ag_mse_loss(ag_set_name(ag_module_forward(net, x), "output"), target), "loss");
    if (!ag_backward(loss)) return false;
    draw(loss, picture);
    return true;
}

int main(int argc, char **argv) {
    int code = options(argc, argv, "Perceptrons learn AND and OR; XOR takes a hidden layer.", true);
    if (code >= 0) return code;
    ag_tape *t = ag_tape_new();
    ag_seed(t, 3); /* with two hidden units about half of all starts get stuck; this one does not */
    ag_tensor *x = ag_from_f32(t, &inputs[0][0], AG_SHAPE(CASES, 2));
    ag_set_name(x, "x");
    ag_module *net = NULL;
    ag_tensor *target = NULL;
    double output[TASKS][CASES] = {{0}};
    int right[TASKS] = {0};
    bool good = true;
    for (int k = 0; k < TASKS; k++) {
        target = ag_set_name(ag_from_f32(t, task[k].target, AG_SHAPE(CASES, 1)), "target");
        net = make_network(t, task[k].hidden);
        good = train(t, net, x, target) >= 0 && good;
        ag_tensor *y = ag_module_forward(net, x);
        for (int i = 0; y && i < CASES; i++) {
            output[k][i] = ag_at(y, i);
            right[k] += (output[k][i] > 0.5) == (task[k].target[i] > 0.5f);
        }
        good = good && (task[k].right == CASES ? right[k] == CASES : right[k] <= task[k].right);
    }
    if (ag_tape_status(t) == AG_OK) {
        show_outputs(output, right);
        show_hidden(net, x);
    }
    if (good && picture) good = draw_loss(net, x, target);
    return finish(t, "03_xor", good, "of XOR's four cases one perceptron gets %d, a hidden layer %d", right[2], right[3]);
}
