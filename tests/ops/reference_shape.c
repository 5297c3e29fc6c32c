/* reference_shape.c: operations that move elements: each output element is looked up by its coordinates. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

static void copy(problem *p) {
    const array *x = &p->in[0];
    memcpy(reference_out(p, 0, x->dtype, x->shape), x->v, (size_t)x->size * sizeof *x->v);
}

static void reshape(problem *p) {
    const array *x = &p->in[0];
    ag_shape s = reference_shape(p, "shape");
    int64_t rest = x->size;
    for (int k = 0; k < s.rank; k++) rest = s.dim[k] > 0 ? rest / s.dim[k] : rest;
    for (int k = 0; k < s.rank; k++) s.dim[k] = s.dim[k] == -1 ? rest : s.dim[k];
    memcpy(reference_out(p, 0, x->dtype, s), x->v, (size_t)x->size * sizeof *x->v);
}

/* What Python's range(*slice(start, stop, step).indices(n)) holds; returns how many. Written by walking, not by
 * division. */
static int64_t indices(const problem *p, int64_t n, int64_t out[]) {
    double step = reference_number(p, "step", 1), start = reference_number(p, "start", 0),
           stop = reference_number(p, "stop", INFINITY);
    double least = step < 0 ? -1 : 0, most = step < 0 ? (double)n - 1 : (double)n;
    if (start < 0) start += (double)n;
    if (stop < 0) stop += (double)n;
    start = fmin(fmax(start, least), most);
    stop = stop > 1e18 ? (step < 0 ? -1 : (double)n) : fmin(fmax(stop, least), most);
    int64_t count = 0;
    for (double i = start; step < 0 ? i > stop : i < stop; i += step) out[count++] = (int64_t)i;
    return count;
}

static void slice(problem *p) {
    const array *x = &p->in[0];
    int axis = reference_axis(p, "axis", 0, x->shape.rank);
    int64_t pick[64];
    ag_shape s = x->shape;
    s.dim[axis] = indices(p, s.dim[axis], pick);
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        at[axis] = pick[at[axis]];
        y[i] = x->v[reference_index(x->shape, at)];
    }
}

static void unslice(problem *p) {
    const array *g = &p->in[0];
    ag_shape s = reference_shape(p, "shape");
    int axis = reference_axis(p, "axis", 0, s.rank);
    int64_t pick[64];
    cr_assert_eq(indices(p, s.dim[axis], pick), g->shape.dim[axis]);
    double *y = reference_out(p, 0, g->dtype, s);
    for (int64_t i = 0; i < g->size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(g->shape, i, at);
        at[axis] = pick[at[axis]];
        y[reference_index(s, at)] = g->v[i];
    }
}

static void concat(problem *p) {
    ag_shape s = p->in[0].shape;
    int axis = reference_axis(p, "axis", 0, s.rank);
    for (int k = 1; k < p->n; k++) s.dim[axis] += p->in[k].shape.dim[axis];
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    int64_t offset = 0;
    for (int k = 0; k < p->n; k++) {
        const array *x = &p->in[k];
        for (int64_t i = 0; i < x->size; i++) {
            int64_t at[AG_MAX_RANK];
            reference_place(x->shape, i, at);
            at[axis] += offset;
            y[reference_index(s, at)] = x->v[i];
        }
        offset += x->shape.dim[axis];
    }
}

/* Converts between dtypes. In an f64 run a sample's dtype=f64 keeps f64; what f32 cannot hold is rounded by the
 * comparison. */
static void cast(problem *p) {
    const array *x = &p->in[0];
    ag_dtype to = reference_dtype(p, "dtype", AG_F32);
    double *y = reference_out(p, 0, to, x->shape);
    for (int64_t i = 0; i < x->size; i++) y[i] = to == AG_I64 ? trunc(x->v[i]) : to == AG_BOOL ? x->v[i] != 0 : x->v[i];
}

const reference references_shape[] = {
    {"reshape", reshape, true, NULL, NULL}, {"slice", slice, true, NULL, NULL},
    {"unslice", unslice, true, NULL, NULL}, {"concat", concat, true, NULL, NULL},
    {"contiguous", copy, true, NULL, NULL}, {"alias", copy, true, NULL, NULL},
    {"detach", copy, true, NULL, NULL},     {"cast", cast, true, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
