/* reference_softmax.c: softmax and its relatives, by the textbook formulas, without the shift against overflow. */
#include <math.h>

#include "ops/reference.h"

/* One line along the axis: n elements, `step` apart, beginning at element `at`. */
typedef struct line {
    int64_t at, n, step;
} line;

/* Line i of x along `axis`; false past the last. */
static bool line_of(const array *x, int axis, int64_t i, line *l) {
    int64_t n = reference_extent(x->shape, axis), step = 1;
    for (int k = axis + 1; k < x->shape.rank; k++) step *= x->shape.dim[k];
    if (x->size == 0 || i >= x->size / n) return false;
    *l = (line){i / step * n * step + i % step, n, step};
    return true;
}

static int axis_of(const problem *p) { return reference_axis(p, "axis", -1, p->in[0].shape.rank); }

static void softmax(problem *p) {
    const array *x = &p->in[0];
    double *y = reference_out(p, 0, p->dtype, x->shape);
    line l;
    for (int64_t i = 0; line_of(x, axis_of(p), i, &l); i++) {
        double total = 0;
        for (int64_t k = 0; k < l.n; k++) total += exp(x->v[l.at + k * l.step]);
        for (int64_t k = 0; k < l.n; k++) y[l.at + k * l.step] = exp(x->v[l.at + k * l.step]) / total;
    }
}

static void softmin(problem *p) {
    for (int64_t i = 0; i < p->in[0].size; i++) p->in[0].v[i] = -p->in[0].v[i];
    softmax(p);
}

static void log_softmax(problem *p) {
    softmax(p);
    for (int64_t i = 0; i < p->out[0].size; i++) p->out[0].v[i] = log(p->out[0].v[i]);
}

/* d[j] = Σ_k g[k] ∂y[k]/∂x[j] by the Jacobian y[k] (δ − y[j]) */
static void softmax_grad(problem *p) {
    const array *g = &p->in[0], *y = &p->in[1];
    double *d = reference_out(p, 0, p->dtype, g->shape);
    line l;
    for (int64_t i = 0; line_of(g, axis_of(p), i, &l); i++) {
        for (int64_t j = 0; j < l.n; j++) {
            for (int64_t k = 0; k < l.n; k++) {
                int64_t to = l.at + j * l.step, from = l.at + k * l.step;
                d[to] += g->v[from] * y->v[from] * ((j == k) - y->v[to]);
            }
        }
    }
}

/* the same by the Jacobian δ − e^y[j] */
static void log_softmax_grad(problem *p) {
    const array *g = &p->in[0], *y = &p->in[1];
    double *d = reference_out(p, 0, p->dtype, g->shape);
    line l;
    for (int64_t i = 0; line_of(g, axis_of(p), i, &l); i++) {
        for (int64_t j = 0; j < l.n; j++) {
            for (int64_t k = 0; k < l.n; k++) {
                int64_t to = l.at + j * l.step, from = l.at + k * l.step;
                d[to] += g->v[from] * ((j == k) - exp(y->v[to]));
            }
        }
    }
}

const reference references_softmax[] = {
    {"softmax", softmax, false, NULL, NULL},
    {"softmin", softmin, false, NULL, NULL},
    {"log_softmax", log_softmax, false, NULL, NULL},
    {"softmax_grad", softmax_grad, false, NULL, NULL},
    {"log_softmax_grad", log_softmax_grad, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
