/* gradient.c: the checker of gradient.h. All points of both orders come from the same replays. */
#include "ops/gradient.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "check.h"

enum { POINTS = 5 }; /* −2d, −d, 0, d, 2d */

static ag_tensor *weights_like(function *f, const ag_tensor *x) {
    ag_tensor *w = check_leaf(f->tape, AG_F64, ag_shape_of(x), 0, -1, 1, &f->random);
    double *v = w ? ag_mutable(w) : NULL;
    for (int64_t i = 0; v && i < ag_size(w); i++) v[i] += v[i] < 0 ? -0.5 : 0.5;
    return w;
}

bool function_weights(function *f) {
    bool done = true;
    for (int i = 0; i < f->m; i++) done = (f->w[i] = weights_like(f, f->y[i])) && done;
    for (int i = 0; i < f->n; i++) done = (f->v[i] = weights_like(f, f->x[i])) && done;
    return done;
}

double gradient_step(const function *f, double x) {
    volatile double stepped = x + 3.7e-4 * (f->positive ? fabs(x) : fmax(1, fabs(x))); /* volatile: representable */
    return stepped - x;
}

double gradient_slope(const double at[4], double d) { return (8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * d); }

/* A sum of products, and of their magnitudes. */
typedef struct total {
    double sum, size;
} total;

static total inner(ag_tensor *const a[], ag_tensor *const b[], int n) {
    long double sum = 0, size = 0;
    for (int k = 0; k < n; k++) {
        for (int64_t i = 0; i < ag_size(a[k]); i++) {
            long double term = (long double)ag_at(a[k], i) * (long double)ag_at(b[k], i);
            sum += term;
            size += fabsl(term);
        }
    }
    return (total){(double)sum, (double)size};
}

static double largest(ag_tensor *const a[], int n) {
    double most = 0;
    for (int k = 0; k < n; k++) {
        for (int64_t i = 0; i < ag_size(a[k]); i++) most = fmax(most, fabs(ag_at(a[k], i)));
    }
    return most;
}

/* One order's points at one element. */
typedef struct points {
    double f[POINTS], size;
} points;

static bool evaluate(function *f, ag_tensor *const g[], double *at, double x, int k, points p[2]) {
    *at = x;
    if (!ag_replay(f->tape)) return false;
    total t[2] = {inner(f->y, f->w, f->m), inner(g, f->v, f->n)};
    for (int o = 0; o < 2; o++) {
        p[o].f[k] = t[o].sum;
        p[o].size = fmax(p[o].size, t[o].size);
    }
    return true;
}

typedef struct element {
    int order, input;
    int64_t index;
    double x, d, a, most; /* most: of all |a| */
} element;

static bool judge(const element *e, const points *p, verdict *out) {
    const double *f = p->f, d = e->d, a = e->a;
    double n = gradient_slope((const double[]){f[0], f[1], f[3], f[4]}, d), noise = 8 * DBL_EPSILON * p->size / d;
    double allowed = (e->order == 1 ? 1e-7 : 1e-6) * fmax(fabs(a), fabs(n)) + 1e-10 * e->most + noise;
    out->elements++;
    double right = (-3 * f[2] + 4 * f[3] - f[4]) / (2 * d), left = (3 * f[2] - 4 * f[1] + f[0]) / (2 * d);
    double lo = fmin(left, right), hi = fmax(left, right);
    if (hi - lo > 1e-3 * fmax(fabs(lo), fabs(hi)) + 1e-5 * e->most + noise) { /* smooth ones agree to about d² */
        out->kinks++;
        if (a >= lo - 1e-5 * fabs(lo) - noise && a <= hi + 1e-5 * fabs(hi) + noise) return true;
    }
    if (fabs(a - n) <= allowed) return true;
    out->order = e->order;
    snprintf(out->text, sizeof out->text,
             "order %d, input %d [%" PRId64
             "], x = %.6g, step %.3g: analytic %.10g, numeric %.10g, off by %.3g, allowed %.3g",
             e->order, e->input, e->index, e->x, d, a, n, a - n, allowed);
    return false;
}

/* analytic[0], analytic[1]: the gradients of both orders, for each x. */
static bool compare(function *f, ag_tensor *const g[], double *analytic[2][FUNCTION_XS], const double most[2], verdict *out) {
    for (int i = 0; i < f->n; i++) {
        for (int64_t k = 0; k < ag_size(f->x[i]); k++) {
            points p[2] = {{{0}, 0}, {{0}, 0}};
            double *data = ag_mutable(f->x[i]), x = data[k], d = gradient_step(f, x);
            for (int q = 0; q < POINTS; q++) {
                data = ag_mutable(f->x[i]);
                if (evaluate(f, g, &data[k], x + (q - 2) * d, q, p)) continue;
                snprintf(out->text, sizeof out->text, "replay failed: %s", ag_tape_message(f->tape));
                return false;
            }
            data[k] = x;
            int kinks = out->kinks;
            for (int o = 0; o < 2 && out->kinks == kinks; o++) { /* the first gradient jumps at a kink: no order 2 there */
                element e = {o + 1, i, k, x, d, analytic[o][i][k], most[o]};
                if (!judge(&e, &p[o], out)) return false;
            }
        }
    }
    return ag_replay(f->tape);
}

static bool read_all(ag_tensor *const g[], int n, double *pool, double *out[FUNCTION_XS]) {
    for (int i = 0; i < n; i++) {
        out[i] = pool;
        pool += ag_size(g[i]);
        if (!ag_read(g[i], out[i])) return false;
    }
    return true;
}

bool gradient_check(function *f, verdict *out) {
    enum { ELEMENTS = 4096 };
    static double pool[2][ELEMENTS];
    double *analytic[2][FUNCTION_XS], most[2];
    ag_tensor *g[FUNCTION_XS], *h[FUNCTION_XS];
    int64_t count = 0;
    *out = (verdict){.order = 1, .text = "the gradient could not be taken"};
    for (int i = 0; i < f->n; i++) count += ag_size(f->x[i]);
    if (count > ELEMENTS || !ag_gradients(f->y, f->w, f->m, f->x, f->n, g) || !read_all(g, f->n, pool[0], analytic[0]))
        return false;
    most[0] = largest(g, f->n);
    out->order = 2;
    ag_mark here = ag_tape_mark(f->tape);
    if (!ag_gradients(g, f->v, f->n, f->x, f->n, h) || !read_all(h, f->n, pool[1], analytic[1])) return false;
    most[1] = largest(h, f->n);
    if (!ag_tape_rewind(f->tape, here)) return false;
    out->order = 0;
    bool passed = compare(f, g, analytic, most, out);
    if (!passed && out->order == 0) out->order = 1;
    return passed;
}
