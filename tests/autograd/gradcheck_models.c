/* gradcheck_models.c: the models of gradcheck_models.h. Each holds what checkers stumble over: ReLU at exact zeros, winners of
 * a maximum, masks, broadcasts, shared weights, values that saturate. */
#include "gradcheck_models.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "ops/ops.h"

typedef struct maker {
    ag_tape *t;
    plant *p;
    uint64_t random;
} maker;

static maker *current; /* of the model being made: tests run one at a time */

static ag_tensor *call(const char *op, const char *attributes, ag_tensor *a, ag_tensor *b, ag_tensor *c) {
    ag_tensor *in[] = {a, b, c};
    plant *p = current->p;
    int n = c ? 3 : b ? 2 : 1;
    ag_tensor *y = ag_call(current->t, op, in, n, attributes);
    if (!y || !p || !p->op || strcmp(op, p->op) != 0 || p->seen++ != p->call) return y;
    p->node = ag_apply(p->record, in, n, ag_attrs(y));
    return p->node;
}

static ag_tensor *op(const char *name, ag_tensor *x) { return call(name, "", x, NULL, NULL); }
static ag_tensor *op2(const char *name, ag_tensor *a, ag_tensor *b) { return call(name, "", a, b, NULL); }
static ag_tensor *with(const char *name, ag_tensor *x, const char *attributes) {
    return call(name, attributes, x, NULL, NULL);
}
static ag_tensor *conv2d(ag_tensor *x, ag_tensor *w, const char *attributes) {
    return call("conv2d", attributes, x, w, NULL);
}

static ag_tensor *named(ag_shape s, unsigned flags, double size, const char *name) {
    ag_tensor *x = check_leaf(current->t, AG_F32, s, flags, -size, size, &current->random);
    return ag_set_name(x, name);
}
static ag_tensor *param(ag_shape s, double size, const char *name) { return named(s, AG_REQUIRES_GRAD, size, name); }
static ag_tensor *data(ag_shape s, double size, const char *name) { return named(s, 0, size, name); }

static ag_tensor *labels(int64_t n, int64_t classes) {
    return check_leaf(current->t, AG_I64, AG_SHAPE(n), 0, 0, (double)classes, &current->random);
}

static ag_tensor *linear(ag_tensor *x, int64_t in, int64_t out, const char *name) {
    char part[64];
    snprintf(part, sizeof part, "%s.weight", name);
    ag_tensor *w = param(AG_SHAPE(in, out), 0.8, part);
    snprintf(part, sizeof part, "%s.bias", name);
    ag_scope_push(current->t, name);
    ag_tensor *y = op2("add", op2("matmul", x, w), param(AG_SHAPE(out), 0.5, part));
    ag_scope_pop(current->t);
    return y;
}

static ag_tensor *zeros(ag_shape s, const char *name) { return param(s, 0, name); }

/* The first row of x is 0, and so are the biases it meets: ReLU and abs are at their kinks. */
static ag_tensor *mlp(ag_tape *t, plant *p) {
    (void)t, (void)p;
    ag_tensor *x = data(AG_SHAPE(6, 5), 1, "x");
    float *row = ag_mutable(x);
    for (int i = 0; row && i < 5; i++) row[i] = 0;
    ag_tensor *first = op2("matmul", x, param(AG_SHAPE(5, 7), 0.8, "w0"));
    ag_tensor *h = op("relu", op2("add", first, zeros(AG_SHAPE(7), "b0")));
    h = op("gelu", linear(h, 7, 7, "1"));
    ag_tensor *value = op("tanh", linear(h, 7, 7, "2")), *gate = op("sigmoid", linear(h, 7, 7, "3"));
    h = op2("add", h, op2("mul", value, gate));
    ag_tensor *fold = op2("add", op2("matmul", x, param(AG_SHAPE(5, 7), 0.8, "w4")), zeros(AG_SHAPE(7), "b4"));
    fold = op("abs", op2("sub", fold, op2("mul", first, param(AG_SHAPE(7), 1, "gain"))));
    h = op2("maximum", h, fold);
    ag_tensor *score = with("log_softmax", linear(h, 7, 3, "5"), "axis=-1");
    ag_tensor *decay = with("scale", with("mean", op("square", fold), ""), "factor=0.01");
    ag_tensor *likely = with("sum", op2("mul", score, data(AG_SHAPE(6, 3), 1, "target")), "");
    return op2("add", with("scale", likely, "factor=-0.2"), decay);
}

/* Two convolutions, pooling by max and by mean. The left of the picture is 0 and so is the first bias: many units are at
 * ReLU's kink at once, and many windows have several winners. */
static ag_tensor *convnet(ag_tape *t, plant *p) {
    (void)t, (void)p;
    ag_tensor *x = data(AG_SHAPE(2, 2, 8, 8), 1, "picture");
    float *pixel = ag_mutable(x);
    for (int i = 0; pixel && i < 256; i++) pixel[i] = i % 8 < 3 ? 0 : pixel[i];
    ag_tensor *h = conv2d(x, param(AG_SHAPE(3, 2, 3, 3), 0.5, "conv0"), "padding=1,1");
    h = op2("add", h, zeros(AG_SHAPE(3, 1, 1), "bias0"));
    h = with("max", with("reshape", h, "shape=2,3,4,2,4,2"), "axes=3,5");
    h = op2("add", op("relu", h), with("scale", h, "factor=0.2"));
    h = conv2d(h, param(AG_SHAPE(4, 3, 2, 2), 0.5, "conv1"), "stride=1,1");
    h = op2("add", h, param(AG_SHAPE(4, 1, 1), 0.5, "bias1"));
    ag_tensor *moved = op2("sub", h, with("mean", h, "axes=0,2,3 keepdim=true"));
    ag_tensor *variance = with("mean", op("square", moved), "axes=0,2,3 keepdim=true");
    h = op2("div", moved, op("sqrt", with("add_scalar", variance, "term=0.1")));
    h = op("sigmoid", op2("mul", h, param(AG_SHAPE(4, 1, 1), 1.5, "gain1")));
    return op2("cross_entropy", linear(with("mean", h, "axes=2,3"), 4, 3, "head"), labels(2, 3));
}

/* A gated cell over four steps; its weights are shared by all. It begins at abs' kink. */
static ag_tensor *recurrent(ag_tape *t, plant *p) {
    (void)p;
    enum { STEPS = 4 };
    ag_tensor *x = data(AG_SHAPE(3, STEPS, 4), 1, "x");
    ag_tensor *u = param(AG_SHAPE(4, 5), 0.8, "u"), *v = param(AG_SHAPE(5, 5), 0.8, "v"), *b = param(AG_SHAPE(5), 0.5, "b");
    ag_tensor *gu = param(AG_SHAPE(4, 5), 0.8, "gate.u"), *gv = param(AG_SHAPE(5, 5), 0.8, "gate.v");
    ag_tensor *h = op("abs", zeros(AG_SHAPE(3, 5), "h0")), *total = NULL;
    for (int i = 0; i < STEPS; i++) {
        char at[64];
        snprintf(at, sizeof at, "axis=1 start=%d stop=%d", i, i + 1);
        ag_scope_push(t, "cell");
        ag_tensor *now = with("reshape", with("slice", x, at), "shape=3,4");
        ag_tensor *gate = op("sigmoid", op2("add", op2("matmul", now, gu), op2("matmul", h, gv)));
        ag_tensor *proposal = op("tanh", op2("add", op2("add", op2("matmul", now, u), op2("matmul", h, v)), b));
        h = op2("add", h, op2("mul", gate, op2("sub", proposal, h)));
        ag_scope_pop(t);
        ag_tensor *cost = op2("mse_loss", h, data(AG_SHAPE(3, 5), 1, "target"));
        total = total ? op2("add", total, op2("div", cost, op("exp", with("scale", cost, "factor=0.5")))) : cost;
    }
    return total;
}

/* Two heads over five places, a causal mask, residuals and a norm. */
static ag_tensor *attention(ag_tape *t, plant *p) {
    (void)p;
    ag_tensor *x = data(AG_SHAPE(5, 6), 1, "x"), *mask = ag_tril(ag_full(t, AG_F32, AG_SHAPE(5, 5), 1), 0);
    ag_scope_push(t, "attention");
    ag_tensor *q = with("permute", with("reshape", linear(x, 6, 6, "query"), "shape=5,2,3"), "axes=1,0,2");
    ag_tensor *k = with("permute", with("reshape", linear(x, 6, 6, "key"), "shape=5,2,3"), "axes=1,2,0");
    ag_tensor *v = with("permute", with("reshape", linear(x, 6, 6, "value"), "shape=5,2,3"), "axes=1,0,2");
    ag_tensor *score = with("scale", op2("matmul", q, k), "factor=0.57735026918962573");
    score = ag_where(ag_gt(mask, ag_scalar(t, AG_F32, 0.5)), score, ag_scalar(t, AG_F32, -1e9));
    ag_tensor *mixed = op2("matmul", with("softmax", score, "axis=-1"), v);
    ag_scope_pop(t);
    ag_tensor *h = op2("add", x, linear(with("reshape", with("permute", mixed, "axes=1,0,2"), "shape=5,6"), 6, 6, "out"));
    ag_tensor *moved = op2("sub", h, with("mean", h, "axes=-1 keepdim=true"));
    ag_tensor *variance = with("mean", op("square", moved), "axes=-1 keepdim=true");
    h = op2("div", moved, op("sqrt", with("add_scalar", variance, "term=1e-5")));
    h = op2("mul", h, param(AG_SHAPE(6), 1.5, "norm.gain"));
    h = op2("add", h, op2("mul", op("relu", zeros(AG_SHAPE(6), "skip.gain")), x));
    h = op("gelu", linear(h, 6, 8, "up"));
    ag_tensor *rows = with("sum", op("square", op2("sub", h, data(AG_SHAPE(5, 8), 1, "target"))), "axes=1");
    return with("mean", rows, "");
}

const model models[MODELS] = {{"mlp", mlp}, {"convnet", convnet}, {"recurrent", recurrent}, {"attention", attention}};

ag_tensor *model_loss(const model *m, ag_tape *t, plant *p) {
    maker make = {t, p, 11};
    current = &make;
    ag_tensor *loss = m->loss(t, p);
    current = NULL;
    return loss;
}
