/* reference_put.c: putting and adding at an index, element by element, in row-major order of what is put. A scalar is a
 * line of one element. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

static array lined(array x) {
    if (x.shape.rank == 0) x.shape = (ag_shape){.rank = 1, .dim = {1}};
    return x;
}

static int64_t resolved(double i, int64_t n) { return (int64_t)i + (i < 0 ? n : 0); }

static double *copy_of_x(problem *p) {
    const array *x = &p->in[0];
    double *y = reference_out(p, 0, x->dtype, x->shape);
    memcpy(y, x->v, (size_t)x->size * sizeof *y);
    return y;
}

/* Where element i of the index points in a tensor of shape `large`. */
static int64_t pointed(const array *index, ag_shape large, int axis, int64_t i) {
    int64_t at[AG_MAX_RANK];
    reference_place(index->shape, i, at);
    at[axis] = resolved(index->v[i], large.dim[axis]);
    return reference_index(large, at);
}

static double source_at(const array *src, ag_shape index, int64_t i) {
    int64_t at[AG_MAX_RANK];
    reference_place(index, i, at);
    return src->v[reference_index(src->shape, at)];
}

static void scatter(problem *p) {
    array x = lined(p->in[0]), index = lined(p->in[1]), src = lined(p->in[p->n > 2 ? 2 : 0]);
    int axis = reference_axis(p, "axis", 0, x.shape.rank);
    bool adds = strstr(p->s->attributes, "reduce=add"), multiplies = strstr(p->s->attributes, "reduce=multiply");
    double *y = copy_of_x(p);
    for (int64_t i = 0; i < index.size; i++) {
        double v = p->n > 2 ? source_at(&src, index.shape, i) : reference_number(p, "value", 0);
        double *at = &y[pointed(&index, x.shape, axis, i)];
        *at = adds ? *at + v : multiplies ? *at * v : v;
    }
}

static void scatter_add(problem *p) {
    array x = lined(p->in[0]), index = lined(p->in[1]), src = lined(p->in[2]);
    int axis = reference_axis(p, "axis", 0, x.shape.rank);
    double *y = copy_of_x(p);
    for (int64_t i = 0; i < index.size; i++) {
        y[pointed(&index, x.shape, axis, i)] += source_at(&src, index.shape, i);
    }
}

/* What `reduce` makes of two. */
static double combined(const char *reduce, double a, double b) {
    if (strcmp(reduce, "prod") == 0) return a * b;
    if (strcmp(reduce, "amax") == 0) return isnan(a) || isnan(b) ? (double)NAN : fmax(a, b);
    if (strcmp(reduce, "amin") == 0) return isnan(a) || isnan(b) ? (double)NAN : fmin(a, b);
    return a + b;
}

/* In row-major order of the source, each element into the one of x that its index points at. */
static void reduce_into(problem *p, const array *x, const array *index, const array *source, int axis) {
    char reduce[SAMPLE_TEXT] = "sum";
    bool include = strstr(p->s->attributes, "include_self=false") == NULL;
    double *y = copy_of_x(p), *count = reference_scratch(x->size);
    if (strstr(p->s->attributes, "reduce=")) reference_text(p, "reduce", reduce);
    for (int64_t i = 0; i < x->size; i++) count[i] = include;
    for (int64_t k = 0; k < index->size; k++) {
        int64_t i = pointed(index, x->shape, axis, k);
        double v = source_at(source, index->shape, k);
        y[i] = count[i]++ > 0 ? combined(reduce, y[i], v) : v;
    }
    for (int64_t i = 0; i < x->size; i++) {
        if (strcmp(reduce, "mean") == 0 && count[i] > 0) y[i] /= count[i];
        if (x->dtype == AG_I64) y[i] = floor(y[i]);
    }
}

static void scatter_reduce(problem *p) {
    array x = lined(p->in[0]), index = lined(p->in[1]), src = lined(p->in[2]);
    reduce_into(p, &x, &index, &src, reference_axis(p, "axis", 0, x.shape.rank));
}

/* The same with the number of its slab beside each element of source. */
static void index_reduce(problem *p) {
    array x = lined(p->in[0]), list = lined(p->in[1]), source = lined(p->in[2]), index = source;
    int axis = reference_axis(p, "axis", 0, x.shape.rank);
    index.v = reference_scratch(index.size);
    for (int64_t i = 0; i < index.size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(index.shape, i, at);
        index.v[i] = list.v[at[axis]];
    }
    reduce_into(p, &x, &index, &source, axis);
}

/* Who is as large as the best of all that meet there: which NaN is, and equal to none. */
static void scatter_share(problem *p) {
    array g = lined(p->in[0]), x = lined(p->in[1]), src = lined(p->in[2]), index = lined(p->in[3]);
    int axis = reference_axis(p, "axis", 0, g.shape.rank);
    double sign = strstr(p->s->attributes, "largest=false") ? -1 : 1;
    bool include = strstr(p->s->attributes, "include_self=false") == NULL;
    double *dx = reference_out(p, 0, g.dtype, p->in[0].shape), *dsrc = reference_out(p, 1, g.dtype, p->in[2].shape);
    double *best = reference_scratch(x.size), *count = reference_scratch(x.size), *meet = reference_scratch(x.size);
    for (int64_t i = 0; i < x.size; i++) best[i] = include ? sign * x.v[i] : -INFINITY;
    for (int64_t k = 0; k < index.size; k++) {
        int64_t i = pointed(&index, x.shape, axis, k);
        double v = sign * src.v[k];
        meet[i]++;
        if (isnan(v) || v > best[i]) best[i] = v;
    }
    for (int64_t i = 0; i < x.size; i++) count[i] = include && sign * x.v[i] == best[i];
    for (int64_t k = 0; k < index.size; k++) {
        int64_t i = pointed(&index, x.shape, axis, k);
        count[i] += sign * src.v[k] == best[i];
    }
    for (int64_t i = 0; i < x.size; i++)
        dx[i] = meet[i] == 0 ? g.v[i] : include && sign * x.v[i] == best[i] ? g.v[i] / count[i] : 0;
    for (int64_t k = 0; k < index.size; k++) {
        int64_t i = pointed(&index, x.shape, axis, k);
        dsrc[k] = sign * src.v[k] == best[i] ? g.v[i] / count[i] : 0;
    }
}

static void scatter_scan(problem *p) {
    array x = lined(p->in[0]), index = lined(p->in[1]);
    int axis = reference_axis(p, "axis", 0, x.shape.rank);
    bool reverse = reference_flag(p, "reverse");
    double *y = reference_out(p, 0, x.dtype, p->in[2].shape), *s = reference_out(p, 1, x.dtype, p->in[0].shape);
    memcpy(s, x.v, (size_t)x.size * sizeof *s);
    for (int64_t i = 0; i < index.size; i++) {
        int64_t k = reverse ? index.size - 1 - i : i, at = pointed(&index, x.shape, axis, k);
        y[k] = s[at];
        s[at] = p->in[2].v[k] * s[at] + (p->n > 3 ? p->in[3].v[k] : 0);
    }
}

static void scatter_pick(problem *p) {
    array g = lined(p->in[0]), index = lined(p->in[1]);
    int axis = reference_axis(p, "axis", 0, g.shape.rank);
    double *y = reference_out(p, 0, g.dtype, p->in[1].shape);
    for (int64_t i = 0; i < index.size; i++) {
        int64_t at = pointed(&index, g.shape, axis, i), later = i + 1;
        while (later < index.size && pointed(&index, g.shape, axis, later) != at) later++;
        y[i] = later < index.size ? 0 : g.v[at];
    }
}

/* y[…, index[k], …] = or += alpha source[…, k, …] */
static void put_slabs(problem *p, bool adds, const array *source) {
    array x = lined(p->in[0]), index = lined(p->in[1]);
    int axis = reference_axis(p, "axis", 0, x.shape.rank);
    double *y = copy_of_x(p), alpha = reference_number(p, "alpha", 1), value = reference_number(p, "value", 0);
    ag_shape slabs = x.shape;
    slabs.dim[axis] = index.size;
    for (int64_t i = 0; i < sample_size(slabs); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(slabs, i, at);
        at[axis] = resolved(index.v[at[axis]], x.shape.dim[axis]);
        double *to = &y[reference_index(x.shape, at)];
        *to = !source ? value : adds ? *to + alpha * source->v[i] : source->v[i];
    }
}

static void index_add(problem *p) { put_slabs(p, true, &p->in[2]); }
static void index_copy(problem *p) { put_slabs(p, false, &p->in[2]); }
static void index_fill(problem *p) { put_slabs(p, false, NULL); }

static void index_select(problem *p) {
    const array *x = &p->in[0], *index = &p->in[1];
    int axis = reference_axis(p, "axis", 0, x->shape.rank);
    ag_shape s = x->shape;
    s.dim[axis] = index->size;
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        at[axis] = resolved(index->v[at[axis]], x->shape.dim[axis]);
        y[i] = x->v[reference_index(x->shape, at)];
    }
}

/* The shape of x and index broadcast, but along the axis the index's. */
static ag_shape along(const array *x, const array *index, int axis) {
    ag_shape a = x->shape, b = index->shape;
    a.dim[axis] = b.dim[axis] = 1;
    ag_shape s = reference_broadcast(a, b);
    s.dim[axis] = index->shape.dim[axis];
    return s;
}

static void take_along_axis(problem *p) {
    array x = p->in[0], index = p->in[1];
    bool flat = isnan(reference_number(p, "axis", NAN));
    int axis = flat ? 0 : reference_axis(p, "axis", 0, x.shape.rank);
    if (flat) x.shape = (ag_shape){.rank = 1, .dim = {x.size}};
    ag_shape s = along(&x, &index, axis);
    double *y = reference_out(p, 0, x.dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        at[axis] = resolved(reference_at(&index, at, s.rank), x.shape.dim[axis]);
        y[i] = reference_at(&x, at, s.rank);
    }
}

static void put_along_axis(problem *p) {
    const array *x = &p->in[0], *index = &p->in[1];
    int axis = reference_axis(p, "axis", 0, x->shape.rank);
    ag_shape s = along(x, index, axis);
    double *y = copy_of_x(p);
    for (int64_t i = 0; i < sample_size(s); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        double v = reference_at(&p->in[2], at, s.rank);
        at[axis] = resolved(reference_at(index, at, s.rank), x->shape.dim[axis]);
        y[reference_index(x->shape, at)] = v;
    }
}

const reference references_put[] = {
    {"scatter", scatter, true, NULL, NULL},
    {"scatter_add", scatter_add, false, NULL, NULL},
    {"scatter_reduce", scatter_reduce, false, NULL, NULL},
    {"index_reduce", index_reduce, false, NULL, NULL},
    {"scatter_share", scatter_share, false, NULL, NULL},
    {"scatter_scan", scatter_scan, false, NULL, NULL},
    {"scatter_pick", scatter_pick, true, NULL, NULL},
    {"index_select", index_select, true, NULL, NULL},
    {"index_add", index_add, false, NULL, NULL},
    {"index_copy", index_copy, true, NULL, NULL},
    {"index_fill", index_fill, true, NULL, NULL},
    {"take_along_axis", take_along_axis, true, NULL, NULL},
    {"put_along_axis", put_along_axis, true, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
