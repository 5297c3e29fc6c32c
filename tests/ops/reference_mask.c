/* reference_mask.c: what masks choose, places in sorted lines by looking at each, and tensors made of attributes. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

static void flatnonzero(problem *p) {
    int64_t to = 0;
    double *y = reference_out(p, 0, AG_I64, (ag_shape){.rank = 1, .dim = {(int64_t)reference_number(p, "count", 0)}});
    for (int64_t i = 0; i < p->in[0].size; i++) {
        if (p->in[0].v[i] != 0) y[to++] = (double)i;
    }
}

static void nonzero(problem *p) {
    const array *x = &p->in[0];
    ag_shape s = {.rank = 2, .dim = {(int64_t)reference_number(p, "count", 0), x->shape.rank}};
    double *y = reference_out(p, 0, AG_I64, s);
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK];
        if (x->v[i] == 0) continue;
        reference_place(x->shape, i, at);
        for (int k = 0; k < x->shape.rank; k++) *y++ = (double)at[k];
    }
}

static void masked_select(problem *p) {
    const array *x = &p->in[0], *mask = &p->in[1];
    ag_shape s = reference_broadcast(x->shape, mask->shape);
    double *y = reference_out(p, 0, x->dtype, (ag_shape){.rank = 1, .dim = {(int64_t)reference_number(p, "count", 0)}});
    for (int64_t i = 0; i < sample_size(s); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        if (reference_at(mask, at, s.rank) != 0) *y++ = reference_at(x, at, s.rank);
    }
}

static void masked_scatter(problem *p) {
    const array *x = &p->in[0], *mask = &p->in[1];
    ag_shape s = reference_broadcast(x->shape, mask->shape);
    double *y = reference_out(p, 0, x->dtype, s), *next = p->in[2].v;
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        y[i] = reference_at(mask, at, s.rank) != 0 ? *next++ : reference_at(x, at, s.rank);
    }
}

static void mask_rank(problem *p) {
    double *y = reference_out(p, 0, AG_I64, p->in[0].shape), found = 0;
    for (int64_t i = 0; i < p->in[0].size; i++) { y[i] = p->in[0].v[i] != 0 ? found++ : 0; }
}

/* Counts what belongs before the value. */
static void search(problem *p, const array *sorted, const array *values) {
    double *y = reference_out(p, 0, AG_I64, values->shape);
    int64_t n = sorted->shape.dim[sorted->shape.rank - 1];
    bool right = reference_flag(p, "right") || strstr(p->s->attributes, "side=right");
    for (int64_t i = 0; i < values->size; i++) {
        int64_t line = sorted->shape.rank == 1 ? 0 : i / values->shape.dim[values->shape.rank - 1];
        for (int64_t k = 0; k < n; k++) {
            double s = sorted->v[line * n + k], v = values->v[i];
            y[i] += isnan(v) || s < v || (right && s == v);
        }
    }
}

static void searchsorted(problem *p) { search(p, &p->in[0], &p->in[1]); }
static void bucketize(problem *p) { search(p, &p->in[1], &p->in[0]); }

/* Constants */

static void count(problem *p, double start, double step, int64_t n) {
    ag_dtype dtype = reference_dtype(p, "dtype", AG_F32);
    double *y = reference_out(p, 0, dtype, (ag_shape){.rank = 1, .dim = {n}});
    for (int64_t i = 0; i < n; i++) y[i] = start + (double)i * step;
}

static void arange(problem *p) {
    double start = reference_number(p, "start", 0), end = reference_number(p, "end", 0),
           step = reference_number(p, "step", 1);
    int64_t n = 0;
    while (step > 0 ? start + (double)n * step < end : start + (double)n * step > end) n++;
    count(p, start, step, n);
}

static void linspace(problem *p) {
    double start = reference_number(p, "start", 0), end = reference_number(p, "end", 0);
    int64_t n = (int64_t)reference_number(p, "steps", 0);
    count(p, start, n > 1 ? (end - start) / (double)(n - 1) : 0, n);
}

static void eye(problem *p) {
    int64_t n = (int64_t)reference_number(p, "n", 0), m = (int64_t)reference_number(p, "m", -1);
    if (m < 0) m = n;
    double *y = reference_out(p, 0, reference_dtype(p, "dtype", AG_F32), (ag_shape){.rank = 2, .dim = {n, m}});
    for (int64_t i = 0; i < n * m; i++) y[i] = i / m == i % m;
}

static void like(problem *p, double value) {
    double *y = reference_out(p, 0, p->in[0].dtype, p->in[0].shape);
    for (int64_t i = 0; i < p->in[0].size; i++) y[i] = value;
}

/* Of the dtype said, else x's, else f32 */
static void made(problem *p, double value) {
    ag_dtype dtype = reference_dtype(p, "dtype", p->n ? p->in[0].dtype : AG_F32);
    double *y = reference_out(p, 0, dtype, reference_shape(p, "shape"));
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = value;
}

static void new_full(problem *p) { made(p, reference_number(p, "fill_value", 0)); }
static void zeros(problem *p) { made(p, 0); }
static void ones(problem *p) { made(p, 1); }

static void full_like(problem *p) { like(p, reference_number(p, "fill_value", NAN)); }
static void zeros_like(problem *p) { like(p, 0); }
static void ones_like(problem *p) { like(p, 1); }

const reference references_mask[] = {
    {"flatnonzero", flatnonzero, true, NULL, NULL},
    {"nonzero", nonzero, true, NULL, NULL},
    {"masked_select", masked_select, true, NULL, NULL},
    {"masked_scatter", masked_scatter, true, NULL, NULL},
    {"mask_rank", mask_rank, true, NULL, NULL},
    {"searchsorted", searchsorted, true, NULL, NULL},
    {"bucketize", bucketize, true, NULL, NULL},
    {"arange", arange, false, NULL, NULL},
    {"linspace", linspace, false, NULL, NULL},
    {"eye", eye, true, NULL, NULL},
    {"new_full", new_full, true, NULL, NULL},
    {"zeros", zeros, true, NULL, NULL},
    {"ones", ones, true, NULL, NULL},
    {"full_like", full_like, true, NULL, NULL},
    {"zeros_like", zeros_like, true, NULL, NULL},
    {"ones_like", ones_like, true, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
