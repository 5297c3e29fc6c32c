/* reference_other.c: batch normalisation, and the ops that write leaves. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* Batch normalisation */

/* Channel of element i of x (n, c, …). */
static int64_t channel(const array *x, int64_t i) {
    int64_t at[AG_MAX_RANK];
    reference_place(x->shape, i, at);
    return at[1];
}

static void batch_norm_own(problem *p) {
    const array *x = &p->in[0], *weight = p->n > 1 ? &p->in[1] : NULL, *bias = p->n > 2 ? &p->in[2] : NULL;
    ag_shape c = {1, {x->shape.dim[1]}};
    double eps = reference_number(p, "eps", 1e-5), count = (double)x->size / (double)x->shape.dim[1];
    double *y = reference_out(p, 0, p->dtype, x->shape), *mean = reference_out(p, 1, p->dtype, c);
    double *var = reference_out(p, 2, p->dtype, c);
    for (int64_t i = 0; i < x->size; i++) mean[channel(x, i)] += x->v[i] / count;
    for (int64_t i = 0; i < x->size; i++) var[channel(x, i)] += pow(x->v[i] - mean[channel(x, i)], 2) / count;
    for (int64_t i = 0; i < x->size; i++) {
        int64_t k = channel(x, i);
        y[i] = (x->v[i] - mean[k]) / sqrt(var[k] + eps) * (weight ? weight->v[k] : 1) + (bias ? bias->v[k] : 0);
    }
}

/* By the running statistics, inputs 3 and 4, where there are some. */
static void batch_norm(problem *p) {
    bool runs = p->n > 3;
    const array *x = &p->in[0];
    batch_norm_own(p);
    p->nout = 1;
    double *y = p->out[0].v, eps = reference_number(p, "eps", 1e-5);
    for (int64_t i = 0; runs && i < x->size; i++) {
        int64_t k = channel(x, i);
        y[i] = (x->v[i] - p->in[3].v[k]) / sqrt(p->in[4].v[k] + eps) * p->in[1].v[k] + p->in[2].v[k];
    }
}

/* Writing leaves */

static void written(problem *p) {
    const array *w = &p->in[0];
    memcpy(reference_out(p, 0, w->dtype, w->shape), w->v, (size_t)w->size * sizeof *w->v);
}

static void assign(problem *p) {
    memcpy(p->in[0].v, p->in[1].v, (size_t)p->in[0].size * sizeof(double));
    written(p);
}

static void lerp_into(problem *p) {
    double a = reference_number(p, "a", NAN), *w = p->in[0].v;
    for (int64_t i = 0; i < p->in[0].size; i++) w[i] = (1 - a) * w[i] + a * p->in[1].v[i];
    written(p);
}

static void sgd_step(problem *p) {
    double *w = p->in[0].v, lr = p->in[2].v[0], decay = reference_number(p, "weight_decay", 0);
    for (int64_t i = 0; i < p->in[0].size; i++) w[i] -= lr * (p->in[1].v[i] + decay * w[i]);
    written(p);
}

/* Inputs w, g, η, b, k; as torch.optim.SGD. */
static void momentum_step(problem *p) {
    double *w = p->in[0].v, *b = p->in[3].v, *k = p->in[4].v, lr = p->in[2].v[0];
    double mu = reference_number(p, "momentum", 0.9), tau = reference_number(p, "dampening", 0);
    for (int64_t i = 0; i < p->in[0].size; i++) {
        double g = p->in[1].v[i] + reference_number(p, "weight_decay", 0) * w[i];
        b[i] = *k == 0 ? g : mu * b[i] + (1 - tau) * g;
        w[i] -= lr * (reference_flag(p, "nesterov") ? g + mu * b[i] : b[i]);
    }
    *k += 1;
    written(p);
}

/* Inputs w, g, η, m, v, k; as torch.optim.Adam and AdamW. */
static void adam_step(problem *p) {
    double *w = p->in[0].v, *m = p->in[3].v, *v = p->in[4].v, *k = p->in[5].v, lr = p->in[2].v[0];
    double b1 = reference_number(p, "beta1", 0.9), b2 = reference_number(p, "beta2", 0.999);
    double eps = reference_number(p, "eps", 1e-8), decay = reference_number(p, "weight_decay", 0);
    bool decoupled = reference_flag(p, "decoupled");
    *k += 1;
    for (int64_t i = 0; i < p->in[0].size; i++) {
        double g = p->in[1].v[i] + (decoupled ? 0 : decay * w[i]);
        if (decoupled) w[i] -= lr * decay * w[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        w[i] -= lr * (m[i] / (1 - pow(b1, *k))) / (sqrt(v[i] / (1 - pow(b2, *k))) + eps);
    }
    written(p);
}

const reference references_other[] = {
    {"batch_norm", batch_norm, false, NULL, NULL}, {"batch_norm_own", batch_norm_own, false, NULL, NULL},
    {"assign", assign, true, NULL, NULL},          {"lerp_into", lerp_into, false, NULL, NULL},
    {"sgd_step", sgd_step, false, NULL, NULL},     {"momentum_step", momentum_step, false, NULL, NULL},
    {"adam_step", adam_step, false, NULL, NULL},   {NULL, NULL, false, NULL, NULL},
};
