/* reference_order.c: what comes k-th along an axis: the element with just k others before it, counted one by one. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* Input 0 seen along an axis: element k of line l is v[at(l, k)]. */
typedef struct lines {
    const array *x;
    int axis;
    int64_t count, n, inner;
} lines;

static lines lines_along(const array *x, int axis) {
    lines l = {x, axis, 0, reference_extent(x->shape, axis), 1};
    for (int k = axis + 1; k < x->shape.rank; k++) l.inner *= x->shape.dim[k];
    l.count = l.n ? x->size / l.n : 0;
    return l;
}

static double value_at(const lines *l, int64_t line, int64_t k) {
    return l->x->v[(line / l->inner * l->n + k) * l->inner + line % l->inner];
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }
static bool less(double a, double b) { return a < b || (!isnan(a) && isnan(b)); }

/* place[k]: which element is the k-th of a line in order, the one that has just k others before it. */
static void ranked(const lines *l, int64_t line, bool descending, double place[]) {
    for (int64_t i = 0; i < l->n; i++) {
        int64_t before = 0;
        double v = value_at(l, line, i);
        for (int64_t j = 0; j < l->n; j++) {
            double w = value_at(l, line, j);
            before += (descending ? less(v, w) : less(w, v)) || (same(v, w) && j < i);
        }
        place[before] = (double)i;
    }
}

/* The shape with `extent` along the axis, or without it. */
static ag_shape with_extent(const lines *l, int64_t extent, bool keepdim) {
    ag_shape s = {0};
    for (int k = 0; k < l->x->shape.rank; k++) {
        if (k != l->axis || keepdim) s.dim[s.rank++] = k == l->axis ? extent : l->x->shape.dim[k];
    }
    return s;
}

/* The first k of every line in order, values and places. */
static void first(problem *p, const lines *l, int64_t k, bool descending) {
    ag_shape s = with_extent(l, k, true);
    double *value = reference_out(p, 0, l->x->dtype, s), *index = reference_out(p, 1, AG_I64, s),
           *place = reference_scratch(l->n);
    for (int64_t line = 0; line < l->count; line++) {
        ranked(l, line, descending, place);
        for (int64_t i = 0; i < k; i++) {
            int64_t to = (line / l->inner * k + i) * l->inner + line % l->inner;
            value[to] = value_at(l, line, (int64_t)place[i]);
            index[to] = place[i];
        }
    }
}

static void sort(problem *p) {
    lines l = lines_along(&p->in[0], reference_axis(p, "axis", -1, p->in[0].shape.rank));
    first(p, &l, l.n, reference_flag(p, "descending"));
}

static void argsort(problem *p) {
    sort(p);
    p->out[0] = p->out[1];
    p->nout = 1;
}

static void msort(problem *p) {
    lines l = lines_along(&p->in[0], 0);
    first(p, &l, l.n, false);
    p->nout = 1;
}

static void topk(problem *p) {
    lines l = lines_along(&p->in[0], reference_axis(p, "axis", -1, p->in[0].shape.rank));
    bool smallest = strstr(p->s->attributes, "largest=false") != NULL;
    first(p, &l, (int64_t)reference_number(p, "k", NAN), !smallest);
}

/* One element of each line: which(…) says its rank. */
static void one(problem *p, const lines *l, int64_t (*which)(const problem *p, const lines *l, int64_t, const double *)) {
    ag_shape s = with_extent(l, 1, reference_flag(p, "keepdim"));
    double *value = reference_out(p, 0, l->x->dtype, s), *index = reference_out(p, 1, AG_I64, s),
           *place = reference_scratch(l->n);
    for (int64_t line = 0; line < p->out[0].size; line++) {
        ranked(l, line, false, place);
        index[line] = place[which(p, l, line, place)];
        value[line] = value_at(l, line, (int64_t)index[line]);
    }
}

static int64_t kth(const problem *p, const lines *l, int64_t line, const double *place) {
    (void)l, (void)line, (void)place;
    return (int64_t)reference_number(p, "k", NAN) - 1;
}

static int64_t middle(const problem *p, const lines *l, int64_t line, const double *place) {
    (void)p, (void)line, (void)place;
    return (l->n - 1) / 2;
}

/* The rank of the mode's last place: of what occurs most often, the smallest. */
static int64_t most(const problem *p, const lines *l, int64_t line, const double *place) {
    int64_t best = 0, times = 0;
    (void)p;
    for (int64_t k = 0; k < l->n; k++) {
        double v = value_at(l, line, (int64_t)place[k]);
        int64_t count = 0;
        for (int64_t j = 0; j < l->n; j++) count += same(value_at(l, line, j), v);
        if (count < times || (count == times && !same(v, value_at(l, line, (int64_t)place[best])))) continue;
        times = count;
        best = k;
    }
    return best;
}

static void kthvalue(problem *p) {
    lines l = lines_along(&p->in[0], reference_axis(p, "axis", -1, p->in[0].shape.rank));
    one(p, &l, kth);
}

static void mode(problem *p) {
    lines l = lines_along(&p->in[0], reference_axis(p, "axis", -1, p->in[0].shape.rank));
    one(p, &l, most);
}

/* Of all: x as one line whose axis, if kept, stands for all of x's. */
static void median(problem *p) {
    int64_t axes[AG_MAX_RANK];
    array *x = &p->in[0];
    if (reference_list(p, "axes", axes) == 1) {
        lines l = lines_along(x, axes[0] < 0 && x->shape.rank ? (int)axes[0] + x->shape.rank : (int)axes[0]);
        one(p, &l, middle);
        return;
    }
    ag_shape kept = {.rank = reference_flag(p, "keepdim") ? x->shape.rank : 0};
    for (int k = 0; k < kept.rank; k++) kept.dim[k] = 1;
    x->shape = (ag_shape){.rank = 1, .dim = {x->size}};
    lines l = lines_along(x, 0);
    one(p, &l, middle);
    p->out[0].shape = p->out[1].shape = kept;
}

/* Sorted by insertion, without the NaN if they are passed over; returns how many. */
static int64_t sorted_line(const lines *l, int64_t line, bool passes_nan, double *v) {
    int64_t n = 0;
    for (int64_t k = 0; k < l->n; k++) {
        double moving = value_at(l, line, k);
        int64_t at = n;
        if (passes_nan && isnan(moving)) continue;
        for (; at > 0 && less(moving, v[at - 1]); at--) v[at] = v[at - 1];
        v[at] = moving;
        n++;
    }
    return n;
}

static double interpolated(const char *how, const double *v, double rank) {
    double low = floor(rank), part = rank - low;
    if (strcmp(how, "lower") == 0) part = 0;
    if (strcmp(how, "higher") == 0) part = ceil(part);
    if (strcmp(how, "midpoint") == 0) part = part > 0 ? 0.5 : 0;
    if (strcmp(how, "nearest") == 0) part = part == 0.5 ? fmod(low, 2) : part > 0.5;
    double below = v[(int64_t)low];
    return part > 0 ? below + part * (v[(int64_t)low + 1] - below) : below;
}

static void quantile(problem *p) {
    bool passes_nan = strcmp(p->s->op->name, "nanquantile") == 0, keepdim = reference_flag(p, "keepdim");
    array x = p->in[0], q = {.size = 1, .v = (double[]){reference_number(p, "q", NAN)}};
    int64_t axes[AG_MAX_RANK];
    char how[SAMPLE_TEXT] = "linear";
    bool all = reference_list(p, "axes", axes) < 0 || x.shape.rank == 0;
    if (strstr(p->s->attributes, "interpolation=")) reference_text(p, "interpolation", how);
    if (p->n > 1) q = p->in[1];
    if (p->dtype == AG_F32 && p->n == 1) q.v[0] = (double)(float)q.v[0];
    ag_shape s = q.shape, rest = {.rank = all && keepdim ? x.shape.rank : 0};
    for (int k = 0; k < rest.rank; k++) rest.dim[k] = 1;
    if (all) x.shape = (ag_shape){.rank = 1, .dim = {x.size}};
    lines l = lines_along(&x, all ? 0 : axes[0] < 0 ? (int)axes[0] + x.shape.rank : (int)axes[0]);
    if (!all) rest = with_extent(&l, 1, keepdim);
    for (int k = 0; k < rest.rank; k++) s.dim[s.rank++] = rest.dim[k];
    double *y = reference_out(p, 0, p->in[0].dtype, s), *v = reference_scratch(l.n);
    for (int64_t line = 0; line < l.count; line++) {
        int64_t n = sorted_line(&l, line, passes_nan, v);
        for (int64_t i = 0; i < q.size; i++) {
            double *to = &y[i * l.count + line];
            *to = n == 0 || isnan(v[n - 1]) ? (double)NAN : interpolated(how, v, q.v[i] * (double)(n - 1));
        }
    }
}

const reference references_order[] = {
    {"quantile", quantile, false, NULL, NULL}, {"nanquantile", quantile, false, NULL, NULL},
    {"sort", sort, true, NULL, NULL},          {"argsort", argsort, true, NULL, NULL},
    {"msort", msort, true, NULL, NULL},        {"topk", topk, true, NULL, NULL},
    {"kthvalue", kthvalue, true, NULL, NULL},  {"median", median, true, NULL, NULL},
    {"nanmedian", median, true, NULL, NULL},   {"mode", mode, true, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
