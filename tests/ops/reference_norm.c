/* reference_norm.c: normalisation of rows and its gradients, where every element says which row and which weight are its
 * own; of neighbours and of slabs. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "ops/reference.h"

typedef struct norm {
    const array *x;
    int axes;
    int64_t groups, rows, n; /* groups 0: rows are the last axes; n: elements of a row */
    ag_shape affine;
    double eps, *mean, *r;
    bool centred;
} norm;

/* Row of element i, and in *weight the element of weight and bias that is its own. */
static int64_t place(const norm *l, int64_t i, int64_t *weight) {
    int64_t at[AG_MAX_RANK];
    if (l->groups == 0) {
        *weight = i % l->n;
        return i / l->n;
    }
    reference_place(l->x->shape, i, at);
    *weight = at[1];
    return at[0] * l->groups + at[1] / (l->x->shape.dim[1] / l->groups);
}

static void moments(norm *l) {
    int64_t w;
    l->mean = reference_scratch(l->rows);
    l->r = reference_scratch(l->rows);
    for (int64_t i = 0; l->centred && i < l->x->size; i++) l->mean[place(l, i, &w)] += l->x->v[i] / (double)l->n;
    for (int64_t i = 0; i < l->x->size; i++) {
        int64_t row = place(l, i, &w);
        l->r[row] += pow(l->x->v[i] - l->mean[row], 2) / (double)l->n;
    }
    for (int64_t row = 0; row < l->rows; row++) l->r[row] = 1 / sqrt(l->r[row] + l->eps);
}

static norm last_axes(const array *x, int axes, double eps, bool centred) {
    norm l = {.x = x, .axes = axes, .n = 1, .eps = eps, .centred = centred, .affine = {.rank = axes}};
    for (int k = 0; k < axes; k++) {
        l.affine.dim[k] = x->shape.dim[x->shape.rank - axes + k];
        l.n *= l.affine.dim[k];
    }
    l.rows = l.n ? x->size / l.n : 0;
    moments(&l);
    return l;
}

static norm channels(const array *x, int64_t groups, double eps) {
    norm l = {.x = x, .groups = groups, .eps = eps, .centred = true, .affine = {1, {x->shape.dim[1]}}};
    l.rows = x->size ? x->shape.dim[0] * groups : 0; /* of no channels, any number of groups */
    l.n = l.rows ? x->size / l.rows : 0;
    moments(&l);
    return l;
}

static void put(problem *p, const norm *l) {
    double *y = reference_out(p, 0, p->dtype, l->x->shape);
    for (int64_t i = 0; i < l->x->size; i++) {
        int64_t w, row = place(l, i, &w);
        y[i] = (l->x->v[i] - l->mean[row]) * l->r[row] * (p->n > 1 ? p->in[1].v[w] : 1) + (p->n > 2 ? p->in[2].v[w] : 0);
    }
}

static void layer_norm(problem *p) {
    norm l = last_axes(&p->in[0], reference_shape(p, "normalized_shape").rank, reference_number(p, "eps", 1e-5), true);
    put(p, &l);
}

static void rms_norm(problem *p) {
    double eps = reference_number(p, "eps", p->dtype == AG_F32 ? (double)FLT_EPSILON : DBL_EPSILON);
    norm l = last_axes(&p->in[0], reference_shape(p, "normalized_shape").rank, eps, false);
    put(p, &l);
}

static void group_norm(problem *p) {
    norm l = channels(&p->in[0], (int64_t)reference_number(p, "num_groups", 0), reference_number(p, "eps", 1e-5));
    put(p, &l);
}

/* By the Jacobian of a row, r (δ − 1/n − x̂ x̂ᵀ / n). */
static void back(problem *p, bool all) {
    const array *g = &p->in[0], *x = &p->in[1], *weight = p->n > 2 ? &p->in[2] : NULL;
    int64_t groups = (int64_t)reference_number(p, "num_groups", 0);
    double eps = reference_number(p, "eps", 1e-5);
    bool centred = !strstr(p->s->attributes, "centred=false");
    norm l = groups ? channels(x, groups, eps) : last_axes(x, (int)reference_number(p, "axes", 1), eps, centred);
    double *d = reference_out(p, 0, p->dtype, x->shape), *hat = reference_scratch(x->size);
    double *dw = all ? reference_out(p, 1, p->dtype, l.affine) : NULL,
           *db = all ? reference_out(p, 2, p->dtype, l.affine) : NULL;
    for (int64_t i = 0; i < x->size; i++) {
        int64_t w, row = place(&l, i, &w);
        hat[i] = (x->v[i] - l.mean[row]) * l.r[row];
        if (all) dw[w] += g->v[i] * hat[i];
        if (all) db[w] += g->v[i];
    }
    for (int64_t i = 0; i < x->size; i++) {
        int64_t w, row = place(&l, i, &w);
        for (int64_t k = row * l.n; k < (row + 1) * l.n; k++) {
            place(&l, k, &w);
            double h = g->v[k] * (weight ? weight->v[w] : 1);
            d[i] += h * l.r[row] * ((i == k) - (centred ? 1 / (double)l.n : 0) - hat[i] * hat[k] / (double)l.n);
        }
    }
}

static void row_norm_input(problem *p) { back(p, false); }
static void row_norm_grad(problem *p) { back(p, true); }

static void instance_norm(problem *p) {
    norm l = channels(&p->in[0], p->in[0].shape.dim[1], reference_number(p, "eps", 1e-5));
    put(p, &l);
}

static void local_response_norm(problem *p) {
    const array *x = &p->in[0];
    double alpha = reference_number(p, "alpha", 1e-4), beta = reference_number(p, "beta", 0.75);
    double k = reference_number(p, "k", 1), *y = reference_out(p, 0, p->dtype, x->shape);
    int64_t size = (int64_t)reference_number(p, "size", 0), at[AG_MAX_RANK], near[AG_MAX_RANK];
    for (int64_t i = 0; i < x->size; i++) {
        double sum = 0;
        reference_place(x->shape, i, at);
        memcpy(near, at, sizeof near);
        for (int64_t c = at[1] - size / 2; c < at[1] - size / 2 + size; c++) {
            near[1] = c;
            if (c >= 0 && c < x->shape.dim[1]) sum += pow(x->v[reference_index(x->shape, near)], 2);
        }
        y[i] = x->v[i] / pow(k + alpha * sum / (double)size, beta);
    }
}

static void renorm(problem *p) {
    const array *x = &p->in[0];
    double power = reference_number(p, "p", 2), most = reference_number(p, "maxnorm", 1);
    double *y = reference_out(p, 0, p->dtype, x->shape);
    int axis = reference_axis(p, "axis", 0, x->shape.rank);
    int64_t at[AG_MAX_RANK], other[AG_MAX_RANK];
    for (int64_t i = 0; i < x->size; i++) {
        double sum = 0, largest = 0;
        reference_place(x->shape, i, at);
        for (int64_t k = 0; k < x->size; k++) {
            reference_place(x->shape, k, other);
            if (other[axis] != at[axis]) continue;
            sum += pow(fabs(x->v[k]), power);
            largest = fmax(largest, fabs(x->v[k]));
        }
        double length = isinf(power) ? largest : pow(sum, 1 / power);
        y[i] = length > most ? x->v[i] * most / (length + 1e-7) : x->v[i];
    }
}

const reference references_norm[] = {
    {"layer_norm", layer_norm, false, NULL, NULL},
    {"rms_norm", rms_norm, false, NULL, NULL},
    {"group_norm", group_norm, false, NULL, NULL},
    {"instance_norm", instance_norm, false, NULL, NULL},
    {"local_response_norm", local_response_norm, false, NULL, NULL},
    {"renorm", renorm, false, NULL, NULL},
    {"row_norm_input", row_norm_input, false, NULL, NULL},
    {"row_norm_grad", row_norm_grad, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
