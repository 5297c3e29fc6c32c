/* reference_axes.c: axes moved, merged, split, dropped and added: what the shape should become, and for those that only
 * rename extents the elements in the order they had. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

static void same_elements(problem *p, ag_shape s) {
    const array *x = &p->in[0];
    memcpy(reference_out(p, 0, x->dtype, s), x->v, (size_t)x->size * sizeof *x->v);
}

/* y[at] = x[from] with from[axes[k]] = at[k] */
static void permuted(problem *p, const int64_t axes[]) {
    const array *x = &p->in[0];
    ag_shape s = {.rank = x->shape.rank};
    for (int k = 0; k < s.rank; k++) s.dim[k] = x->shape.dim[axes[k]];
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK], from[AG_MAX_RANK];
        reference_place(s, i, at);
        for (int k = 0; k < s.rank; k++) from[axes[k]] = at[k];
        y[i] = x->v[reference_index(x->shape, from)];
    }
}

static void permute(problem *p) {
    int64_t axes[AG_MAX_RANK];
    int n = reference_list(p, "axes", axes);
    for (int k = 0; k < n; k++) axes[k] += axes[k] < 0 ? n : 0;
    permuted(p, axes);
}

static void swapped(problem *p, int i, int j) {
    int64_t axes[AG_MAX_RANK] = {0};
    for (int k = 0; k < p->in[0].shape.rank; k++) axes[k] = k == i ? j : k == j ? i : k;
    permuted(p, axes);
}

static void transpose(problem *p) {
    int rank = p->in[0].shape.rank;
    swapped(p, reference_axis(p, "axis0", -2, rank), reference_axis(p, "axis1", -1, rank));
}

static void swapaxes(problem *p) {
    int rank = p->in[0].shape.rank;
    swapped(p, reference_axis(p, "axis0", 0, rank), reference_axis(p, "axis1", 0, rank));
}

/* As Python's list: the axes not named, then each insert in order of its destination. */
static void movedim(problem *p) {
    int64_t source[AG_MAX_RANK], destination[AG_MAX_RANK], axes[AG_MAX_RANK];
    int rank = p->in[0].shape.rank, n = reference_list(p, "source", source), count = 0;
    reference_list(p, "destination", destination);
    for (int k = 0; k < n; k++) {
        source[k] += source[k] < 0 ? rank : 0;
        destination[k] += destination[k] < 0 ? rank : 0;
    }
    for (int i = 0; i < rank; i++) {
        bool named = false;
        for (int k = 0; k < n; k++) named = named || source[k] == i;
        if (!named) axes[count++] = i;
    }
    for (int to = 0; to < rank; to++) {
        for (int k = 0; k < n; k++) {
            if (destination[k] != to) continue;
            memmove(axes + to + 1, axes + to, (size_t)(count++ - to) * sizeof *axes);
            axes[to] = source[k];
        }
    }
    permuted(p, axes);
}

static void squeeze(problem *p) {
    ag_shape x = p->in[0].shape, s = {0};
    int64_t axes[AG_MAX_RANK];
    int n = reference_list(p, "axes", axes);
    for (int i = 0; i < x.rank; i++) {
        bool named = n < 0;
        for (int k = 0; k < n; k++) named = named || (axes[k] + x.rank) % x.rank == i;
        if (!named || x.dim[i] != 1) s.dim[s.rank++] = x.dim[i];
    }
    same_elements(p, s);
}

static void unsqueeze(problem *p) {
    ag_shape x = p->in[0].shape, s = {.rank = x.rank + 1};
    int axis = reference_axis(p, "axis", 0, s.rank);
    for (int i = 0, from = 0; i < s.rank; i++) s.dim[i] = i == axis ? 1 : x.dim[from++];
    same_elements(p, s);
}

static void flatten(problem *p) {
    ag_shape x = p->in[0].shape, s = {0};
    int start = reference_axis(p, "start_axis", 0, x.rank), end = reference_axis(p, "end_axis", -1, x.rank);
    for (int i = 0; i < x.rank; i++) {
        if (i > start && i <= end) {
            s.dim[s.rank - 1] *= x.dim[i];
        } else {
            s.dim[s.rank++] = x.dim[i];
        }
    }
    if (s.rank == 0) s.dim[s.rank++] = 1;
    same_elements(p, s);
}

static void unflatten(problem *p) {
    ag_shape x = p->in[0].shape, sizes = reference_shape(p, "sizes"), s = {0};
    int axis = reference_axis(p, "axis", 0, x.rank);
    int64_t rest = x.dim[axis];
    for (int k = 0; k < sizes.rank; k++) rest = sizes.dim[k] > 0 ? rest / sizes.dim[k] : rest;
    for (int i = 0; i < x.rank; i++) {
        for (int k = 0; i == axis && k < sizes.rank; k++) s.dim[s.rank++] = sizes.dim[k] < 0 ? rest : sizes.dim[k];
        if (i != axis) s.dim[s.rank++] = x.dim[i];
    }
    same_elements(p, s);
}

static void expand(problem *p) {
    const array *x = &p->in[0];
    ag_shape s = reference_shape(p, "shape");
    for (int k = 0; k < s.rank; k++) {
        if (s.dim[k] < 0) s.dim[k] = x->shape.dim[k - (s.rank - x->shape.rank)];
    }
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        y[i] = reference_at(x, at, s.rank);
    }
}

const reference references_axes[] = {
    {"permute", permute, true, NULL, NULL},   {"transpose", transpose, true, NULL, NULL},
    {"swapaxes", swapaxes, true, NULL, NULL}, {"movedim", movedim, true, NULL, NULL},
    {"squeeze", squeeze, true, NULL, NULL},   {"unsqueeze", unsqueeze, true, NULL, NULL},
    {"flatten", flatten, true, NULL, NULL},   {"unflatten", unflatten, true, NULL, NULL},
    {"expand", expand, true, NULL, NULL},     {"broadcast_to", expand, true, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
