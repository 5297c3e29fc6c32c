/* reference_join.c: tensors joined, repeated, rolled and padded, element by element. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* The inputs, seen in shapes[], one after the other along an axis. */
static void join(problem *p, ag_shape shapes[], int axis) {
    ag_shape s = shapes[0];
    for (int k = 1; k < p->n; k++) s.dim[axis] += shapes[k].dim[axis];
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    int64_t offset = 0;
    for (int k = 0; k < p->n; k++) {
        for (int64_t i = 0; i < p->in[k].size; i++) {
            int64_t at[AG_MAX_RANK];
            reference_place(shapes[k], i, at);
            at[axis] += offset;
            y[reference_index(s, at)] = p->in[k].v[i];
        }
        offset += shapes[k].dim[axis];
    }
}

static void stack(problem *p) {
    ag_shape shapes[SAMPLE_INPUTS] = {{0}};
    int axis = reference_axis(p, "axis", 0, p->in[0].shape.rank + 1);
    for (int k = 0; k < p->n; k++) {
        shapes[k] = (ag_shape){.rank = p->in[k].shape.rank + 1};
        for (int i = 0, from = 0; i < shapes[k].rank; i++)
            shapes[k].dim[i] = i == axis ? 1 : p->in[k].shape.dim[from++];
    }
    join(p, shapes, axis);
}

/* Shapes of less than `rank` axes: a line, filled up with 1s before and behind it. */
static void raised(problem *p, int rank, int before, int axis) {
    ag_shape shapes[SAMPLE_INPUTS] = {{0}};
    for (int k = 0; k < p->n; k++) {
        shapes[k] = p->in[k].shape;
        if (shapes[k].rank >= rank) continue;
        if (shapes[k].rank < 2) {
            int64_t n = p->in[k].size;
            shapes[k] = (ag_shape){.rank = 2, .dim = {before ? 1 : n, before ? n : 1}};
            if (rank == 1) shapes[k] = (ag_shape){.rank = 1, .dim = {n}};
        }
        if (rank == 3) shapes[k].dim[shapes[k].rank++] = 1;
    }
    join(p, shapes, axis);
}

static void hstack(problem *p) { raised(p, 1, 0, p->in[0].shape.rank > 1); }
static void vstack(problem *p) { raised(p, 2, 1, 0); }
static void column_stack(problem *p) { raised(p, 2, 0, 1); }
static void dstack(problem *p) { raised(p, 3, 1, 2); }

static void broadcast_tensors(problem *p) {
    ag_shape s = {0};
    const array *x = &p->in[(int)reference_number(p, "part", 0)];
    for (int k = 0; k < p->n; k++) s = reference_broadcast(s, p->in[k].shape);
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        y[i] = reference_at(x, at, s.rank);
    }
}

static void meshgrid(problem *p) {
    int part = (int)reference_number(p, "part", 0);
    bool xy = strstr(p->s->attributes, "indexing=xy") != NULL && p->n > 1;
    ag_shape s = {.rank = p->n};
    for (int k = 0; k < p->n; k++) s.dim[xy && k < 2 ? 1 - k : k] = p->in[k].size;
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        y[i] = p->in[part].v[at[xy && part < 2 ? 1 - part : part]];
    }
}

/* Repeats */

static void tile(problem *p) {
    const array *x = &p->in[0];
    int64_t times[AG_MAX_RANK];
    int n = reference_list(p, strcmp(p->s->op->name, "tile") ? "repeats" : "reps", times);
    ag_shape s = {.rank = n > x->shape.rank ? n : x->shape.rank}, own = s;
    for (int k = 0; k < s.rank; k++) {
        int from = k - (s.rank - x->shape.rank), asked = k - (s.rank - n);
        own.dim[k] = from < 0 ? 1 : x->shape.dim[from];
        s.dim[k] = own.dim[k] * (asked < 0 ? 1 : times[asked]);
    }
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        for (int k = 0; k < s.rank; k++) at[k] %= own.dim[k];
        y[i] = x->v[reference_index(own, at)];
    }
}

static void repeat_interleave(problem *p) {
    array x = p->in[0];
    bool flat = isnan(reference_number(p, "axis", NAN));
    if (flat) x.shape = (ag_shape){.rank = 1, .dim = {x.size}};
    int axis = flat ? 0 : reference_axis(p, "axis", 0, x.shape.rank);
    int64_t from[64], total = 0;
    for (int64_t k = 0; k < x.shape.dim[axis]; k++) {
        double times = p->n > 1 ? p->in[1].v[p->in[1].size == 1 ? 0 : k] : reference_number(p, "repeats", 1);
        for (; times > 0; times--) from[total++] = k;
    }
    ag_shape s = x.shape;
    s.dim[axis] = total;
    double *y = reference_out(p, 0, x.dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        at[axis] = from[at[axis]];
        y[i] = x.v[reference_index(x.shape, at)];
    }
}

static void repeat_index(problem *p) {
    int64_t n = (int64_t)reference_number(p, "output_size", 0), to = 0;
    double *y = reference_out(p, 0, AG_I64, (ag_shape){.rank = 1, .dim = {n}});
    for (int64_t k = 0; k < p->in[0].size; k++) {
        for (double c = p->in[0].v[k]; c > 0; c--) y[to++] = (double)k;
    }
}

static void roll(problem *p) {
    array x = p->in[0];
    int64_t shifts[AG_MAX_RANK], axes[AG_MAX_RANK] = {0};
    int n = reference_list(p, "shifts", shifts), named = reference_list(p, "axes", axes);
    double *y = reference_out(p, 0, x.dtype, x.shape);
    if (named < 0) x.shape = (ag_shape){.rank = 1, .dim = {x.size}};
    for (int64_t i = 0; i < x.size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(x.shape, i, at);
        for (int k = 0; k < n; k++) {
            int axis = (int)((axes[k] + x.shape.rank) % x.shape.rank);
            int64_t extent = x.shape.dim[axis];
            at[axis] = (((at[axis] + shifts[k]) % extent) + extent) % extent;
        }
        y[reference_index(x.shape, at)] = x.v[i];
    }
}

/* Padding, an element at a time and an axis at a time: the place that place i of an axis is read from; −1: the value. */
static int64_t read_from(const char *mode, int64_t i, int64_t n, int64_t before, int64_t after) {
    i -= before;
    if (strcmp(mode, "circular") == 0) {
        int64_t first = before < 0 ? -before : 0, end = after < 0 ? n + after : n;
        while (i < first) i += end - first;
        while (i >= end) i -= end - first;
    }
    while (strcmp(mode, "reflect") == 0 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * n - 2 - i;
    if (strcmp(mode, "replicate") == 0) i = i < 0 ? 0 : i >= n ? n - 1 : i;
    return i < 0 || i >= n ? -1 : i;
}

static const char *mode_of(const problem *p) {
    const char *at = strstr(p->s->attributes, "mode=");
    return !at ? "constant" : strstr(at, "refl") ? "reflect" : strstr(at, "repl") ? "replicate" : "circular";
}

/* Coordinates of what place `at` of the padded x is read from; false: nothing. */
static bool padding(const problem *p, ag_shape x, const int64_t at[], int64_t from[]) {
    int64_t pad[AG_MAX_RANK] = {0};
    reference_list(p, "pad", pad);
    for (int i = 0; i < x.rank; i++) {
        int k = 2 * (x.rank - 1 - i);
        from[i] = read_from(mode_of(p), at[i], x.dim[i], k < 8 ? pad[k] : 0, k < 8 ? pad[k + 1] : 0);
        if (from[i] < 0) return false;
    }
    return true;
}

static void pad(problem *p) {
    const array *x = &p->in[0];
    int64_t list[AG_MAX_RANK] = {0};
    ag_shape s = x->shape;
    reference_list(p, "pad", list);
    for (int i = 0; i < s.rank; i++) s.dim[i] += list[2 * (s.rank - 1 - i)] + list[2 * (s.rank - 1 - i) + 1];
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK], from[AG_MAX_RANK];
        reference_place(s, i, at);
        bool found = padding(p, x->shape, at, from);
        double value = reference_number(p, "value", 0);
        y[i] = found ? x->v[reference_index(x->shape, from)] : p->dtype == AG_I64 ? trunc(value) : value;
    }
}

static void unpad(problem *p) {
    const array *g = &p->in[0];
    ag_shape x = reference_shape(p, "shape");
    double *y = reference_out(p, 0, g->dtype, x);
    for (int64_t i = 0; i < g->size; i++) {
        int64_t at[AG_MAX_RANK], to[AG_MAX_RANK];
        reference_place(g->shape, i, at);
        if (padding(p, x, at, to)) y[reference_index(x, to)] += g->v[i];
    }
}

const reference references_join[] = {
    {"stack", stack, true, NULL, NULL},
    {"hstack", hstack, true, NULL, NULL},
    {"vstack", vstack, true, NULL, NULL},
    {"column_stack", column_stack, true, NULL, NULL},
    {"dstack", dstack, true, NULL, NULL},
    {"broadcast_tensors", broadcast_tensors, true, NULL, NULL},
    {"meshgrid", meshgrid, true, NULL, NULL},
    {"tile", tile, true, NULL, NULL},
    {"repeat", tile, true, NULL, NULL},
    {"repeat_interleave", repeat_interleave, true, NULL, NULL},
    {"repeat_index", repeat_index, true, NULL, NULL},
    {"roll", roll, true, NULL, NULL},
    {"pad", pad, true, NULL, NULL},
    {"unpad", unpad, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
