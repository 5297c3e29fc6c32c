/* reference_scan.c: scans, each output element from its definition: over all that come before it. */
#include <math.h>

#include "ops/reference.h"

/* An input, seen along the sample's axis: element k of line l. */
typedef struct lines {
    const array *x;
    double *y;
    int64_t count, n, inner;
} lines;

static lines lines_in(problem *p, const array *x) {
    lines l = {x, reference_out(p, 0, x->dtype, x->shape), 0, 0, 1};
    int axis = reference_axis(p, "axis", 0, x->shape.rank);
    l.n = reference_extent(x->shape, axis);
    for (int k = axis + 1; k < x->shape.rank; k++) l.inner *= x->shape.dim[k];
    l.count = l.n ? x->size / l.n : 0;
    return l;
}

static lines lines_of(problem *p) { return lines_in(p, &p->in[p->n - 1]); }

static int64_t at(const lines *l, int64_t line, int64_t k) {
    return (line / l->inner * l->n + k) * l->inner + line % l->inner;
}

static void cumsum(problem *p) {
    lines l = lines_of(p);
    bool reverse = reference_flag(p, "reverse");
    for (int64_t i = 0; i < l.count * l.n; i++) {
        int64_t k = i % l.n, line = i / l.n;
        for (int64_t j = reverse ? k : 0; j < (reverse ? l.n : k + 1); j++)
            l.y[at(&l, line, k)] += l.x->v[at(&l, line, j)];
    }
}

static void cumprod(problem *p) {
    lines l = lines_of(p);
    for (int64_t i = 0; i < l.count * l.n; i++) {
        int64_t k = i % l.n, line = i / l.n;
        double y = 1;
        for (int64_t j = 0; j <= k; j++) y *= l.x->v[at(&l, line, j)];
        l.y[at(&l, line, k)] = y;
    }
}

static void prod_others(problem *p) {
    lines l = lines_in(p, &p->in[0]);
    for (int64_t i = 0; i < l.count * l.n; i++) {
        int64_t k = i % l.n, line = i / l.n;
        double y = p->n > 1 ? p->in[1].v[line] : 1;
        for (int64_t j = 0; j < l.n; j++) y *= j == k ? 1 : l.x->v[at(&l, line, j)];
        l.y[at(&l, line, k)] = y;
    }
}

static void mul_shifted(problem *p) {
    lines l = lines_in(p, &p->in[0]);
    double a = reference_number(p, "a_shift", 0), b = reference_number(p, "b_shift", 0), n = (double)l.n;
    for (int64_t i = 0; i < l.count * l.n; i++) {
        int64_t k = i % l.n, line = i / l.n;
        double from = (double)k + a, other = (double)k + b, factor = reference_flag(p, "ones");
        if (other >= 0 && other < n) factor = p->in[1].v[at(&l, line, (int64_t)other)];
        l.y[at(&l, line, k)] = from >= 0 && from < n ? p->in[0].v[at(&l, line, (int64_t)from)] * factor : 0;
    }
}

static void logcumsumexp(problem *p) {
    lines l = lines_of(p);
    for (int64_t i = 0; i < l.count * l.n; i++) {
        int64_t k = i % l.n, line = i / l.n;
        double sum = 0;
        for (int64_t j = 0; j <= k; j++) sum += exp(l.x->v[at(&l, line, j)]);
        l.y[at(&l, line, k)] = log(sum);
    }
}

/* y[k] = Σ b[j] Π a between j and k */
static void linear_scan(problem *p) {
    lines l = lines_of(p);
    bool reverse = reference_flag(p, "reverse");
    const double *a = p->in[0].v, *b = p->in[1].v;
    for (int64_t i = 0; i < l.count * l.n; i++) {
        int64_t k = i % l.n, line = i / l.n;
        double sum = 0;
        for (int64_t j = reverse ? k : 0; j < (reverse ? l.n : k + 1); j++) {
            double term = b[at(&l, line, j)];
            for (int64_t m = 1 + (j < k ? j : k); m <= (j < k ? k : j); m++) term *= a[at(&l, line, m)];
            sum += term;
        }
        l.y[at(&l, line, k)] = sum;
    }
}

/* The best of what has come so far and the last place it was at. */
static void running(problem *p, double sign) {
    lines l = lines_of(p);
    double *place = reference_out(p, 1, AG_I64, l.x->shape);
    for (int64_t i = 0; i < l.count * l.n; i++) {
        int64_t k = i % l.n, line = i / l.n, best = 0;
        for (int64_t j = 1; j <= k; j++)
            best = sign * l.x->v[at(&l, line, j)] >= sign * l.x->v[at(&l, line, best)] ? j : best;
        l.y[at(&l, line, k)] = l.x->v[at(&l, line, best)];
        place[at(&l, line, k)] = (double)best;
    }
}

static void cummax(problem *p) { running(p, 1); }
static void cummin(problem *p) { running(p, -1); }

/* Element k of (before, x, after) of line l. */
static double joined(const problem *p, int axis, int64_t line, int64_t k) {
    static const int order[3] = {1, 0, 2};
    bool alone = reference_number(p, "n", 1) == 0; /* then nothing is joined on */
    for (int i = 0; i < 3; i++) {
        if (order[i] >= p->n || (alone && order[i])) continue;
        const array *x = &p->in[order[i]];
        int64_t n = x->shape.dim[axis], inner = 1;
        for (int d = axis + 1; d < x->shape.rank; d++) inner *= x->shape.dim[d];
        if (k < n) return x->v[(line / inner * n + k) * inner + line % inner];
        k -= n;
    }
    return NAN;
}

/* Σ_i (−1)^(n−i) binomial(n, i) x[k+i] */
static void diff(problem *p) {
    ag_shape s = p->in[0].shape;
    int axis = reference_axis(p, "axis", -1, s.rank);
    int64_t order = (int64_t)reference_number(p, "n", 1), inner = 1;
    for (int i = 1; i < p->n && order; i++) s.dim[axis] += p->in[i].shape.dim[axis];
    int64_t n = s.dim[axis] = s.dim[axis] > order ? s.dim[axis] - order : 0;
    for (int d = axis + 1; d < s.rank; d++) inner *= s.dim[d];
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    for (int64_t e = 0; e < p->out[0].size; e++) {
        int64_t k = e / inner % n, line = e / inner / n * inner + e % inner;
        double factor = order % 2 ? -1 : 1;
        for (int64_t i = 0; i <= order; i++) {
            y[e] += factor * joined(p, axis, line, k + i);
            factor *= -(double)(order - i) / (double)(i + 1);
        }
    }
}

const reference references_scan[] = {
    {"cumsum", cumsum, false, NULL, NULL},
    {"cumprod", cumprod, false, NULL, NULL},
    {"prod_others", prod_others, false, NULL, NULL},
    {"logcumsumexp", logcumsumexp, false, NULL, NULL},
    {"cummax", cummax, true, NULL, NULL},
    {"cummin", cummin, true, NULL, NULL},
    {"diff", diff, false, NULL, NULL},
    {"mul_shifted", mul_shifted, false, NULL, NULL},
    {"linear_scan", linear_scan, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
