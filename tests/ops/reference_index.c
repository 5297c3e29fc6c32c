/* reference_index.c: picking by index and adding back at an index, coordinate by coordinate. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* The place in x that y[at] of take(x, index, axis) comes from. */
static void taken_from(const array *index, int axis, ag_shape x, const int64_t at[], int64_t from[]) {
    for (int k = 0; k < axis; k++) from[k] = at[k];
    for (int k = axis + 1; k < x.rank; k++) from[k] = at[k + index->shape.rank - 1];
    int64_t i = (int64_t)index->v[reference_index(index->shape, at + axis)];
    from[axis] = i < 0 ? i + x.dim[axis] : i;
}

static ag_shape taken_shape(ag_shape x, ag_shape index, int axis) {
    ag_shape s = {0};
    for (int k = 0; k < axis; k++) s.dim[s.rank++] = x.dim[k];
    for (int k = 0; k < index.rank; k++) s.dim[s.rank++] = index.dim[k];
    for (int k = axis + 1; k < x.rank; k++) s.dim[s.rank++] = x.dim[k];
    return s;
}

static void take(problem *p) {
    const array *x = &p->in[0], *index = &p->in[1];
    bool flat = isnan(reference_number(p, "axis", NAN)) && strcmp(p->s->op->name, "embedding") != 0;
    array whole = *x;
    if (flat) whole.shape = (ag_shape){.rank = 1, .dim = {x->size}};
    x = &whole;
    int axis = reference_axis(p, "axis", 0, x->shape.rank);
    ag_shape s = taken_shape(x->shape, index->shape, axis);
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK], from[AG_MAX_RANK];
        reference_place(s, i, at);
        taken_from(index, axis, x->shape, at, from);
        y[i] = x->v[reference_index(x->shape, from)];
    }
}

static void take_add(problem *p) {
    const array *g = &p->in[0], *index = &p->in[1];
    ag_shape s = reference_shape(p, "shape");
    int axis = reference_axis(p, "axis", 0, s.rank);
    double *y = reference_out(p, 0, g->dtype, s);
    for (int64_t i = 0; i < g->size; i++) {
        int64_t at[AG_MAX_RANK], to[AG_MAX_RANK];
        reference_place(g->shape, i, at);
        taken_from(index, axis, s, at, to);
        y[reference_index(s, to)] += g->v[i];
    }
}

/* Coordinates of x that element i of the index speaks of. */
static void gathered_from(const array *index, int axis, ag_shape x, int64_t i, int64_t from[]) {
    if (x.rank == 0) return;
    reference_place(index->shape, i, from);
    int64_t k = (int64_t)index->v[i];
    from[axis] = k < 0 ? k + x.dim[axis] : k;
}

static void gather(problem *p) {
    const array *x = &p->in[0], *index = &p->in[1];
    int axis = reference_axis(p, "axis", 0, x->shape.rank);
    double *y = reference_out(p, 0, x->dtype, index->shape);
    for (int64_t i = 0; i < index->size; i++) {
        int64_t from[AG_MAX_RANK];
        gathered_from(index, axis, x->shape, i, from);
        y[i] = x->v[reference_index(x->shape, from)];
    }
}

static void gather_add(problem *p) {
    const array *g = &p->in[0], *index = &p->in[1];
    ag_shape s = reference_shape(p, "shape");
    int axis = reference_axis(p, "axis", 0, s.rank);
    double *y = reference_out(p, 0, g->dtype, s);
    for (int64_t i = 0; i < index->size; i++) {
        int64_t to[AG_MAX_RANK];
        gathered_from(index, axis, s, i, to);
        y[reference_index(s, to)] += g->v[i];
    }
}

static void one_hot(problem *p) {
    const array *index = &p->in[0];
    ag_shape s = index->shape;
    int64_t classes = (int64_t)reference_number(p, "num_classes", NAN);
    s.dim[s.rank++] = classes;
    double *y = reference_out(p, 0, reference_dtype(p, "dtype", AG_I64), s);
    for (int64_t i = 0; i < index->size; i++) {
        for (int64_t c = 0; c < classes; c++)
            y[i * classes + c] = (double)c == index->v[i] || (double)c == index->v[i] + (double)classes;
    }
}

const reference references_index[] = {
    {"take", take, true, NULL, NULL},
    {"take_add", take_add, false, NULL, NULL},
    {"embedding", take, true, NULL, NULL},
    {"gather", gather, true, NULL, NULL},
    {"gather_add", gather_add, false, NULL, NULL},
    {"one_hot", one_hot, true, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
