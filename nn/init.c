/* init.c: starting values. A layer y = W x keeps the variance of what passes it when Var W = 1 / fan_in, that of the
 * gradients when Var W = 1 / fan_out. Glorot and Bengio take the mean of both fans; He et al. double 1 / fan_in,
 * because ReLU removes half of the variance. A uniform distribution in ±a has variance a² / 3. */
#include <math.h>

#include "autograd/op.h"
#include "nn/nn.h"

typedef struct fans {
    double in, out;
} fans;

static bool fans_of(ag_tensor *w, const char *where, fans *f) {
    if (ag_rank(w) < 2) {
        char text[160];
        if (!w) return ag_tape_fail(NULL, AG_ERR_ARGUMENT, where, "the leaf is NULL") != NULL;
        return ag_tape_fail(ag_tape_of(w), AG_ERR_SHAPE, where, "%s should have two axes or more (out, in, …)",
                            ag_shape_text(w, text, sizeof text)) != NULL;
    }
    double receptive = 1;
    for (int i = 2; i < ag_rank(w); i++) receptive *= (double)ag_dim(w, i);
    *f = (fans){(double)ag_dim(w, 1) * receptive, (double)ag_dim(w, 0) * receptive};
    return true;
}

/* √(c / n); 0 for a weight without elements */
static double spread(double c, double n) { return n > 0 ? sqrt(c / n) : 0; }

ag_tensor *ag_nn_uniform(ag_tensor *w, double lo, double hi) { return ag_fill_uniform(w, lo, hi) ? w : NULL; }

ag_tensor *ag_nn_normal(ag_tensor *w, double mean, double deviation) {
    return ag_fill_normal(w, mean, deviation) ? w : NULL;
}

ag_tensor *ag_nn_constant(ag_tensor *w, double value) { return ag_fill(w, value) ? w : NULL; }

ag_tensor *ag_nn_xavier_uniform(ag_tensor *w) {
    fans f;
    if (!fans_of(w, "nn_xavier_uniform", &f)) return NULL;
    double a = spread(6, f.in + f.out);
    return ag_nn_uniform(w, -a, a);
}

ag_tensor *ag_nn_xavier_normal(ag_tensor *w) {
    fans f;
    return fans_of(w, "nn_xavier_normal", &f) ? ag_nn_normal(w, 0, spread(2, f.in + f.out)) : NULL;
}

ag_tensor *ag_nn_he_uniform(ag_tensor *w) {
    fans f;
    if (!fans_of(w, "nn_he_uniform", &f)) return NULL;
    double a = spread(6, f.in);
    return ag_nn_uniform(w, -a, a);
}

ag_tensor *ag_nn_he_normal(ag_tensor *w) {
    fans f;
    return fans_of(w, "nn_he_normal", &f) ? ag_nn_normal(w, 0, spread(2, f.in)) : NULL;
}
