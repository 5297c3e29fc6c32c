/* reference_count.c: numbers counted in bins, put at coordinates, compared, and differentiated by the parabola through three places. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/reference.h"

static void bincount(problem *p) {
    ag_shape s = {1, {(int64_t)reference_number(p, "minlength", NAN)}};
    double *y = reference_out(p, 0, p->n > 1 ? p->in[1].dtype : AG_I64, s);
    for (int64_t i = 0; i < p->in[0].size; i++) y[(int64_t)p->in[0].v[i]] += p->n > 1 ? p->in[1].v[i] : 1;
}

/* Bins by their ends, the last with both. */
static void histc(problem *p) {
    const array *x = &p->in[0];
    ag_shape s = {1, {(int64_t)reference_number(p, "bins", 100)}};
    double low = reference_number(p, "min", 0), high = reference_number(p, "max", 0), n = (double)s.dim[0];
    double *y = reference_out(p, 0, x->dtype, s);
    if (low == high && x->size) low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < x->size && reference_number(p, "min", 0) == reference_number(p, "max", 0); i++)
        low = fmin(low, x->v[i]), high = fmax(high, x->v[i]);
    if (low == high) low--, high++;
    for (int64_t i = 0; i < x->size; i++) {
        for (int64_t k = 0; k < s.dim[0]; k++) {
            double from = low + (double)k * (high - low) / n, to = low + (double)(k + 1) * (high - low) / n;
            y[k] += x->v[i] >= from && (x->v[i] < to || (k + 1 == s.dim[0] && x->v[i] == high));
        }
    }
}

static void index_put(problem *p) {
    const array *x = &p->in[0], *values = &p->in[p->n - 1];
    int n = p->n - 2;
    ag_shape places = {0}, whole;
    double *y = reference_out(p, 0, x->dtype, x->shape);
    memcpy(y, x->v, (size_t)x->size * sizeof *y);
    for (int k = 1; k <= n; k++) places = reference_broadcast(places, p->in[k].shape);
    whole = places;
    for (int k = n; k < x->shape.rank; k++) whole.dim[whole.rank++] = x->shape.dim[k];
    for (int64_t i = 0; i < sample_size(whole); i++) {
        int64_t at[AG_MAX_RANK], to[AG_MAX_RANK];
        reference_place(whole, i, at);
        for (int k = 0; k < x->shape.rank; k++) {
            double index = k < n ? reference_at(&p->in[1 + k], at, places.rank) : (double)at[places.rank + k - n];
            to[k] = (int64_t)index + (index < 0 ? x->shape.dim[k] : 0);
        }
        double *put = &y[reference_index(x->shape, to)], v = reference_at(values, at, whole.rank);
        *put = reference_flag(p, "accumulate") ? *put + v : v;
    }
}

static void equal(problem *p) {
    bool same = p->in[0].shape.rank == p->in[1].shape.rank;
    for (int k = 0; k < p->in[0].shape.rank && same; k++) same = p->in[0].shape.dim[k] == p->in[1].shape.dim[k];
    for (int64_t i = 0; i < p->in[0].size && same; i++) same = p->in[0].v[i] == p->in[1].v[i];
    *reference_out(p, 0, AG_BOOL, (ag_shape){0}) = same;
}

/* At place `at` the slope of the polynomial (Lagrange's) through n values a stride apart at places h. */
static double slope(const double h[], const double v[], int64_t stride, int n, int at) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double term = 0;
        for (int j = 0; j < n; j++) {
            double product = 1 / (h[i] - h[j]);
            for (int k = 0; k < n; k++) product *= k == i || k == j ? 1 : (h[at] - h[k]) / (h[i] - h[k]);
            term += j == i ? 0 : product;
        }
        sum += term * v[i * stride];
    }
    return sum;
}

static void gradient(problem *p) {
    const array *x = &p->in[0];
    int64_t axes[AG_MAX_RANK], part = (int64_t)reference_number(p, "part", 0), stride = 1;
    int axis = reference_list(p, "axes", axes) > 0 ? (int)axes[part] : (int)part, rank = x->shape.rank;
    int order = (int)reference_number(p, "edge_order", 1);
    if (axis < 0) axis += rank;
    const array *given = p->n == 2 && p->in[1].shape.rank == 0 ? &p->in[1] : p->n > 1 ? &p->in[1 + part] : NULL;
    int64_t n = x->shape.dim[axis];
    double *y = reference_out(p, 0, x->dtype, x->shape), *h = reference_scratch(n);
    for (int64_t k = 0; k < n; k++)
        h[k] = given && given->shape.rank ? given->v[k]
                                          : (double)k * (given ? *given->v : reference_number(p, "spacing", 1));
    for (int k = axis + 1; k < rank; k++) stride *= x->shape.dim[k];
    for (int64_t i = 0; i < x->size; i++) {
        int64_t k = i / stride % n, edge = order + 1, from = k == 0 ? 0 : k + 1 == n ? n - edge : k - 1;
        y[i] = slope(h + from, x->v + i + (from - k) * stride, stride, k == 0 || k + 1 == n ? (int)edge : 3,
                     (int)(k - from));
    }
}

const reference references_count[] = {
    {"bincount", bincount, false, NULL, NULL},   {"histc", histc, true, NULL, NULL},
    {"index_put", index_put, false, NULL, NULL}, {"equal", equal, true, NULL, NULL},
    {"gradient", gradient, false, NULL, NULL},   {NULL, NULL, false, NULL, NULL},
};
