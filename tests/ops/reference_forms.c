/* reference_forms.c: what is made of other operations, each from its definition: shapes of others, pixels, integrals, halves that
 * gate, sums of products and powers of matrices. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

static void copied_of(problem *p, int k, ag_shape s) {
    double *y = reference_out(p, 0, p->in[k].dtype, s);
    memcpy(y, p->in[k].v, (size_t)p->out[0].size * sizeof *y);
}

static void copied(problem *p, ag_shape s) { copied_of(p, 0, s); }

static void reshape_as(problem *p) { copied(p, p->in[1].shape); }

static void expand_as(problem *p) {
    ag_shape s = p->in[1].shape;
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        y[i] = reference_at(&p->in[0], at, s.rank);
    }
}

static void t(problem *p) {
    ag_shape s = p->in[0].shape;
    if (s.rank < 2) {
        copied(p, s);
        return;
    }
    double *y = reference_out(p, 0, p->in[0].dtype, (ag_shape){2, {s.dim[1], s.dim[0]}});
    for (int64_t i = 0; i < p->in[0].size; i++) y[i % s.dim[1] * s.dim[0] + i / s.dim[1]] = p->in[0].v[i];
}

/* Of several inputs the one that `part` says */
static int part(const problem *p) { return (int)reference_number(p, "part", 0); }

static void atleast_1d(problem *p) {
    ag_shape s = p->in[part(p)].shape;
    copied_of(p, part(p), s.rank ? s : (ag_shape){1, {1}});
}

static void atleast_2d(problem *p) {
    ag_shape s = p->in[part(p)].shape;
    copied_of(p, part(p), s.rank > 1 ? s : (ag_shape){2, {1, s.rank ? s.dim[0] : 1}});
}

static void atleast_3d(problem *p) {
    ag_shape s = p->in[part(p)].shape, line = {3, {1, s.rank ? s.dim[0] : 1, 1}}, sheet = {3, {s.dim[0], s.dim[1], 1}};
    copied_of(p, part(p), s.rank > 2 ? s : s.rank == 2 ? sheet : line);
}

/* Pixel (i, j) of channel c of `fine` is pixel (i / r, j / r) of channel c r² + i mod r · r + j mod r of `coarse`. */
static void pixels(const array *fine, double *f, const array *coarse, double *c, int64_t r, bool up) {
    ag_shape s = fine->shape;
    int last = s.rank - 1;
    for (int64_t k = 0; k < fine->size; k++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, k, at);
        at[last - 2] = at[last - 2] * r * r + at[last - 1] % r * r + at[last] % r;
        at[last - 1] /= r, at[last] /= r;
        int64_t other = reference_index(coarse->shape, at);
        if (up) f[k] = c[other];
        else c[other] = f[k];
    }
}

static ag_shape scaled(ag_shape s, int64_t up, int64_t down) {
    s.dim[s.rank - 3] = s.dim[s.rank - 3] * down * down / (up * up);
    for (int i = 1; i < 3; i++) s.dim[s.rank - i] = s.dim[s.rank - i] * up / down;
    return s;
}

static void pixel_shuffle(problem *p) {
    int64_t r = (int64_t)reference_number(p, "upscale_factor", NAN);
    double *y = reference_out(p, 0, p->in[0].dtype, scaled(p->in[0].shape, r, 1));
    pixels(&p->out[0], y, &p->in[0], p->in[0].v, r, true);
}

static void pixel_unshuffle(problem *p) {
    int64_t r = (int64_t)reference_number(p, "downscale_factor", NAN);
    double *y = reference_out(p, 0, p->in[0].dtype, scaled(p->in[0].shape, 1, r));
    pixels(&p->in[0], p->in[0].v, &p->out[0], y, r, false);
}

/* Up to each sample; of the whole, to the last. */
static void integrate(problem *p, bool running) {
    const array *v = &p->in[0], *x = p->n > 1 ? &p->in[1] : NULL;
    ag_shape s = v->shape;
    int axis = reference_axis(p, "axis", -1, s.rank);
    int64_t n = s.dim[axis], inner = 1, steps = n > 1 ? n - 1 : 0;
    for (int k = axis + 1; k < s.rank; k++) inner *= s.dim[k];
    s.dim[axis] = steps;
    for (int k = axis; !running && k + 1 < s.rank; k++) s.dim[k] = s.dim[k + 1];
    s.rank -= !running;
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < v->size; i++) {
        int64_t at[AG_MAX_RANK], k = i / inner % n, line = i / inner / n;
        if (k == n - 1) continue;
        reference_place(v->shape, i, at);
        double width = reference_number(p, "dx", 1);
        if (x && x->shape.rank == 1) width = x->v[k + 1] - x->v[k];
        if (x && x->shape.rank > 1) {
            double here = reference_at(x, at, v->shape.rank);
            at[axis]++;
            width = reference_at(x, at, v->shape.rank) - here;
        }
        double area = 0.5 * (v->v[i] + v->v[i + inner]) * width;
        if (!running) y[line * inner + i % inner] += area;
        for (int64_t j = k; running && j < steps; j++) y[(line * steps + j) * inner + i % inner] += area;
    }
}

static void trapezoid(problem *p) { integrate(p, false); }
static void cumulative_trapezoid(problem *p) { integrate(p, true); }

static void glu(problem *p) {
    ag_shape s = p->in[0].shape;
    int axis = reference_axis(p, "axis", -1, s.rank);
    int64_t half = s.dim[axis] /= 2;
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        double first = p->in[0].v[reference_index(p->in[0].shape, at)];
        at[axis] += half;
        y[i] = first / (1 + exp(-p->in[0].v[reference_index(p->in[0].shape, at)]));
    }
}

static void dist(problem *p) {
    ag_shape s = reference_broadcast(p->in[0].shape, p->in[1].shape);
    double *y = reference_out(p, 0, p->dtype, (ag_shape){0}), power = reference_number(p, "p", 2);
    for (int64_t i = 0; i < sample_size(s); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        y[0] += pow(fabs(reference_at(&p->in[0], at, s.rank) - reference_at(&p->in[1], at, s.rank)), power);
    }
    y[0] = pow(y[0], 1 / power);
}

/* beta x + alpha Σ_b a[b] b[b], matrices (m,k) and (k,n), `count` of them */
static void blended(problem *p, int64_t count, int64_t m, int64_t k, int64_t n) {
    double *y = reference_out(p, 0, p->dtype, (ag_shape){2, {m, n}}), beta = reference_number(p, "beta", 1);
    for (int64_t i = 0; i < m * n; i++) {
        int64_t at[AG_MAX_RANK] = {i / n, i % n};
        y[i] = beta == 0 ? 0 : beta * reference_at(&p->in[0], at, 2);
        for (int64_t j = 0; j < count * k; j++) {
            double a = p->in[1].v[(j / k * m + i / n) * k + j % k], b = p->in[2].v[j * n + i % n];
            y[i] += reference_number(p, "alpha", 1) * a * b;
        }
    }
}

static void addbmm(problem *p) {
    const int64_t *a = p->in[1].shape.dim;
    blended(p, a[0], a[1], a[2], p->in[2].shape.dim[2]);
}
static void addr(problem *p) { blended(p, 1, p->in[1].shape.dim[0], 1, p->in[2].shape.dim[0]); }

/* Once more x, or, of a negative power, x⁻¹: solved for each column by elimination without choice, as x is dominated by its diagonal. */
static void multiplied(const double *x, const double *y, int64_t m, double *next) {
    for (int64_t i = 0; i < m * m; i++) {
        next[i] = 0;
        for (int64_t k = 0; k < m; k++) next[i] += y[i / m * m + k] * x[k * m + i % m];
    }
}

static void inverted(double *x, int64_t m) {
    for (int64_t k = 0; k < m; k++) {
        double pivot = x[k * m + k];
        x[k * m + k] = 1;
        for (int64_t j = 0; j < m; j++) x[k * m + j] /= pivot;
        for (int64_t i = 0; i < m; i++) {
            double f = x[i * m + k];
            if (i == k) continue;
            x[i * m + k] = 0;
            for (int64_t j = 0; j < m; j++) x[i * m + j] -= f * x[k * m + j];
        }
    }
}

static void matrix_power(problem *p) {
    const array *x = &p->in[0];
    int64_t m = x->shape.dim[x->shape.rank - 1], n = (int64_t)reference_number(p, "n", NAN);
    double *y = reference_out(p, 0, p->dtype, x->shape), *next = reference_scratch(m * m);
    for (int64_t base = 0; base < x->size; base += m * m) {
        for (int64_t i = 0; i < m * m; i++) y[base + i] = i / m == i % m;
        if (n < 0) inverted(x->v + base, m);
        for (int64_t step = 0; step < (n < 0 ? -n : n); step++) {
            multiplied(x->v + base, y + base, m, next);
            memcpy(y + base, next, (size_t)(m * m) * sizeof *y);
        }
    }
}

/* Solves T Tᵀ x = b in place for one column, T the lower triangle, or the upper one transposed. */
static void substitute(const double *l, int64_t n, bool upper, double *b, int64_t step) {
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t k = 0; k < n; k++) {
            int64_t i = pass ? n - 1 - k : k;
            for (int64_t j = pass ? i + 1 : 0; j < (pass ? n : i); j++) {
                int64_t row = pass ? j : i, col = pass ? i : j;
                b[i * step] -= (upper ? l[col * n + row] : l[row * n + col]) * b[j * step];
            }
            b[i * step] /= l[i * n + i];
        }
    }
}

static void cholesky_solve(problem *p) {
    const array *b = &p->in[0], *l = &p->in[1];
    ag_shape s = b->shape;
    int64_t n = s.dim[s.rank - 2], m = s.dim[s.rank - 1];
    if (l->shape.rank > s.rank) s = (ag_shape){3, {l->shape.dim[0], n, m}};
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = b->v[i % b->size];
    for (int64_t i = 0; i < p->out[0].size / (n ? n : 1); i++)
        substitute(l->v + i / m * n * n % l->size, n, reference_flag(p, "upper"), y + i / m * n * m + i % m, m);
}

static void cholesky_inverse(problem *p) {
    const array *l = &p->in[0];
    int64_t n = l->shape.dim[l->shape.rank - 1];
    double *y = reference_out(p, 0, p->dtype, l->shape);
    for (int64_t i = 0; i < l->size; i++) y[i] = i / n % n == i % n;
    for (int64_t i = 0; i < l->size / n; i++)
        substitute(l->v + i / n * n * n, n, reference_flag(p, "upper"), y + i / n * n * n + i % n, n);
}

#define ENTRY(name, exact) \
    { #name, name, exact, NULL, NULL }
const reference references_forms[] = {
    ENTRY(reshape_as, true),
    ENTRY(expand_as, true),
    ENTRY(t, true),
    ENTRY(atleast_1d, true),
    ENTRY(atleast_2d, true),
    ENTRY(atleast_3d, true),
    ENTRY(pixel_shuffle, true),
    ENTRY(pixel_unshuffle, true),
    ENTRY(trapezoid, false),
    ENTRY(cumulative_trapezoid, false),
    ENTRY(glu, false),
    ENTRY(dist, false),
    ENTRY(addbmm, false),
    ENTRY(addr, false),
    ENTRY(matrix_power, false),
    ENTRY(cholesky_solve, false),
    ENTRY(cholesky_inverse, false),
    {NULL, NULL, false, NULL, NULL},
};
