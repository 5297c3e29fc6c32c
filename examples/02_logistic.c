/* 02_logistic.c: logistic regression, the smallest classifier.
 *
 * Two clouds of points x in the plane, of class 0 and 1. The model says p = σ(w·x + b): how likely x is of class 1.
 * Let s be +1 for class 1 and −1 for class 0; then the probability of the class that a point really has is σ(s (w·x +
 * b)), and the loss is the mean of its −ln. Where p = ½ lies a line, and learning turns and shifts it. */
#include <math.h>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"
#include "show.h"

enum { POINTS = 120, EPOCHS = 200, WIDTH = 64, HEIGHT = 22 };
static const double RATE = 0.5;

typedef struct data {
    ag_tensor *x, *s; /* (POINTS, 2), (POINTS, 1) */
} data;

typedef struct model {
    ag_tensor *w, *b; /* (2, 1), (1) */
} model;

/* Even points are of class 0 around (−1, −0.7), odd ones of class 1 around (1, 0.7). */
static data make_data(ag_tape *t) {
    data d = {.x = ag_nn_normal(ag_buffer(t, AG_F32, AG_SHAPE(POINTS, 2)), 0, 0.8),
              .s = ag_buffer(t, AG_F32, AG_SHAPE(POINTS, 1))};
    ag_set_name(d.x, "x");
    ag_set_name(d.s, "s");
    float *x = ag_mutable(d.x), *s = ag_mutable(d.s);
    for (int i = 0; x && s && i < POINTS; i++) {
        s[i] = i % 2 ? 1 : -1;
        x[2 * i] += s[i];
        x[2 * i + 1] += 0.7f * s[i];
    }
    return d;
}

static ag_tensor *score(model m, data d) { return ag_set_name(ag_add(ag_matmul(d.x, m.w), m.b), "score"); }

static ag_tensor *loss_of(model m, data d) {
    ag_tensor *likely = ag_set_name(ag_sigmoid(ag_mul(d.s, score(m, d))), "likely");
    return ag_set_name(ag_neg(ag_mean(ag_log(likely), AG_ALL, false)), "loss");
}

/* The gradient by formula, ∂loss/∂w = mean of (p − y) x with y = 1 or 0. Returns the distance from ag_backward's. */
static double formula_differs(model m, data d) {
    double g[2] = {0}, worst = 0;
    for (int i = 0; i < POINTS; i++) {
        double z = ag_item(m.b);
        for (int j = 0; j < 2; j++) z += ag_at(d.x, 2 * i + j) * ag_at(m.w, j);
        double p = 1 / (1 + exp(-z)), y = ag_at(d.s, i) > 0 ? 1 : 0;
        for (int j = 0; j < 2; j++) g[j] += (p - y) * ag_at(d.x, 2 * i + j) / POINTS;
    }
    for (int j = 0; j < 2; j++) worst = fmax(worst, fabs(g[j] - ag_at(ag_grad(m.w), j)));
    return worst;
}

/* Trains; returns the last loss, or a negative number when something went wrong. */
static double train(ag_tape *t, model m, data d) {
    ag_tensor *params[] = {m.w, m.b};
    ag_sgd_options o = ag_sgd_defaults();
    o.lr = RATE;
    ag_optimizer *sgd = ag_optim_sgd(t, params, 2, &o);
    ag_mark here = ag_tape_mark(t);
    double loss = -1;
    SAY("    epoch     loss      w                   b\n");
    for (int epoch = 0; epoch <= EPOCHS; epoch++) {
        ag_tensor *l = loss_of(m, d);
        ag_optim_zero_grad(sgd);
        if (!ag_backward(l)) return -1;
        loss = ag_item(l);
        if (formula_differs(m, d) > 1e-6) return -1;
        if (epoch < 3 || epoch % 50 == 0) {
            SAY("    %5d   %.4f    (%6.3f, %6.3f)    %6.3f\n", epoch, loss, ag_at(m.w, 0), ag_at(m.w, 1), ag_item(m.b));
        }
        ag_optim_step(sgd);
        ag_tape_rewind(t, here);
    }
    return loss;
}

static int count_right(model m, data d) {
    ag_tensor *z = score(m, d);
    int right = 0;
    for (int i = 0; i < POINTS; i++) right += ag_at(z, i) * ag_at(d.s, i) > 0;
    return right;
}

/* The plane from −3.2 to 3.2 by −2.75 to 2.75: points o and +, dots where p > ½. */
static void show_plane(model m, data d) {
    char plane[HEIGHT][WIDTH + 1] = {{0}};
    for (int row = 0; row < HEIGHT; row++) {
        for (int column = 0; column < WIDTH; column++) {
            double x = (column + 0.5) * 0.1 - 3.2, y = 2.75 - (row + 0.5) * 0.25;
            plane[row][column] = ag_at(m.w, 0) * x + ag_at(m.w, 1) * y + ag_item(m.b) > 0 ? '.' : ' ';
        }
    }
    for (int i = 0; i < POINTS; i++) {
        int column = (int)floor((ag_at(d.x, 2 * i) + 3.2) / 0.1), row = (int)floor((2.75 - ag_at(d.x, 2 * i + 1)) / 0.25);
        if (row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH)
            plane[row][column] = ag_at(d.s, i) > 0 ? '+' : 'o';
    }
    SAY("\n");
    for (int row = 0; row < HEIGHT; row++) SAY("    %s\n", plane[row]);
    SAY("\n    o class 0   + class 1   dots: the model says 1\n");
}

/* The loss once more, after training, with the gradients of inner nodes kept. */
static bool draw_loss(model m, data d) {
    ag_tape_retain_grads(ag_tape_of(m.w), true);
    ag_tensor *loss = loss_of(m, d);
    bool good = ag_zero_grad(m.w) && ag_zero_grad(m.b) && ag_backward(loss);
    if (good) draw(loss, picture);
    return good;
}

int main(int argc, char **argv) {
    int code = options(argc, argv, "Finds the line between two clouds of points.", true);
    if (code >= 0) return code;
    ag_tape *t = ag_tape_new();
    ag_seed(t, 1);
    data d = make_data(t);
    model m = {ag_set_name(ag_param(t, AG_F32, AG_SHAPE(2, 1)), "w"), ag_set_name(ag_param(t, AG_F32, AG_SHAPE(1)), "b")};
    SAY("Logistic regression: p = σ(w·x + b), %d points, gradient descent with η = %.1f\n\n", POINTS, RATE);
    int right = 0;
    double loss = train(t, m, d);
    if (loss >= 0) {
        show_plane(m, d);
        right = count_right(m, d);
    }
    bool good = loss >= 0 && loss < 0.25 && right >= 0.9 * POINTS;
    if (good && picture) good = draw_loss(m, d);
    return finish(t, "02_logistic", good, "%d of %d points right, loss %.4f", right, POINTS, loss);
}
