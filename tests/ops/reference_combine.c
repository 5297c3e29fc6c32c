/* reference_combine.c: parts replaced, blocks, products and combinations of elements, and attention, element by element. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* Equal parts, or the parts between indices, along `axis`. */
static void cut(problem *p, int axis) {
    const array *x = &p->in[0];
    int64_t n = x->shape.dim[axis], part = (int64_t)reference_number(p, "part", 0), index[AG_MAX_RANK], start, end;
    double sections = reference_number(p, "sections", NAN);
    int count = reference_list(p, "indices", index);
    if (!isnan(sections)) {
        start = n / (int64_t)sections * part;
        end = start + n / (int64_t)sections;
    } else {
        start = part > 0 ? index[part - 1] : 0;
        end = part < count ? index[part] : n;
        start += start < 0 ? n : 0;
        end += end < 0 ? n : 0;
    }
    ag_shape s = x->shape;
    s.dim[axis] = end > start ? end - start : 0;
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        at[axis] += start;
        y[i] = x->v[reference_index(x->shape, at)];
    }
}

static void hsplit(problem *p) { cut(p, p->in[0].shape.rank > 1); }
static void vsplit(problem *p) { cut(p, 0); }
static void dsplit(problem *p) { cut(p, 2); }

static double *copy_of_x(problem *p) {
    double *y = reference_out(p, 0, p->in[0].dtype, p->in[0].shape);
    memcpy(y, p->in[0].v, (size_t)p->in[0].size * sizeof *y);
    return y;
}

static void put(problem *p) {
    double *y = copy_of_x(p);
    bool adds = reference_flag(p, "accumulate");
    for (int64_t k = 0; k < p->in[1].size; k++) {
        int64_t i = (int64_t)p->in[1].v[k];
        double *at = &y[i < 0 ? i + p->in[0].size : i];
        *at = adds ? *at + p->in[2].v[k] : p->in[2].v[k];
    }
}

/* y = x, but src where `from` finds a place in it. */
typedef bool from_fn(const problem *p, const int64_t at[], int64_t from[]);

static void replaced(problem *p, from_fn *from) {
    double *y = copy_of_x(p);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK] = {0}, place[AG_MAX_RANK] = {0};
        reference_place(p->in[0].shape, i, at);
        if (from(p, at, place)) y[i] = p->in[1].v[reference_index(p->in[1].shape, place)];
    }
}

static int axis_of(const problem *p) { return reference_axis(p, "axis", 0, p->in[0].shape.rank); }

static bool at_index(const problem *p, const int64_t at[], int64_t from[]) {
    int64_t index = (int64_t)reference_number(p, "index", 0), n = p->in[0].shape.dim[axis_of(p)];
    for (int k = 0, used = 0; k < p->in[0].shape.rank; k++) {
        if (k != axis_of(p)) from[used++] = at[k];
    }
    return at[axis_of(p)] == (index < 0 ? index + n : index);
}

/* The slice is walked until it comes by. */
static bool in_slice(const problem *p, const int64_t at[], int64_t from[]) {
    int64_t n = p->in[0].shape.dim[axis_of(p)], start = (int64_t)reference_number(p, "start", 0);
    int64_t step = (int64_t)reference_number(p, "step", 1), stop = (int64_t)reference_number(p, "stop", (double)n), k = 0;
    memcpy(from, at, AG_MAX_RANK * sizeof *from);
    start += start < 0 ? n : 0;
    stop += stop < 0 ? n : 0;
    for (int64_t i = start; step > 0 ? i < stop && i < n : i > stop; i += step, k++) {
        from[axis_of(p)] = k;
        if (i == at[axis_of(p)]) return true;
    }
    return false;
}

static bool on_diagonal(const problem *p, const int64_t at[], int64_t from[]) {
    int rank = p->in[0].shape.rank, first = reference_axis(p, "axis1", 0, rank),
        second = reference_axis(p, "axis2", 1, rank);
    int64_t offset = (int64_t)reference_number(p, "offset", 0);
    int used = 0;
    for (int k = 0; k < rank; k++) {
        if (k != first && k != second) from[used++] = at[k];
    }
    from[used] = offset > 0 ? at[first] : at[second];
    return at[second] - at[first] == offset;
}

static void select_scatter(problem *p) { replaced(p, at_index); }
static void slice_scatter(problem *p) { replaced(p, in_slice); }
static void diagonal_scatter(problem *p) { replaced(p, on_diagonal); }

static void block_diag(problem *p) {
    ag_shape s = {.rank = 2}, of[SAMPLE_INPUTS];
    for (int k = 0; k < p->n; k++) {
        ag_shape x = p->in[k].shape;
        of[k] = (ag_shape){2, {x.rank < 2 ? 1 : x.dim[0], x.rank == 0 ? 1 : x.dim[x.rank - 1]}};
        for (int i = 0; i < 2; i++) s.dim[i] += of[k].dim[i];
    }
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    int64_t row = 0, col = 0;
    for (int k = 0; k < p->n; k++) {
        int64_t wide = of[k].dim[1];
        for (int64_t i = 0; i < p->in[k].size; i++) y[(row + i / wide) * s.dim[1] + col + i % wide] = p->in[k].v[i];
        row += of[k].dim[0], col += wide;
    }
}

static void cartesian_prod(problem *p) {
    ag_shape s = {p->n > 1 ? 2 : 1, {1, p->n}};
    for (int k = 0; k < p->n; k++) s.dim[0] *= p->in[k].size;
    double *y = reference_out(p, 0, p->in[0].dtype, s);
    for (int64_t row = 0; row < s.dim[0]; row++) {
        int64_t rest = row;
        for (int k = p->n - 1; k >= 0; k--) {
            y[row * p->n + k] = p->in[k].v[rest % p->in[k].size];
            rest /= p->in[k].size;
        }
    }
}

/* Rows of places counted up like a number of r digits; those that rise are kept. */
static void combinations(problem *p) {
    const array *x = &p->in[0];
    int64_t r = (int64_t)reference_number(p, "r", 2), all = 1, count = 0;
    bool again = reference_flag(p, "with_replacement");
    for (int64_t k = 0; k < r; k++) all *= x->size;
    double *kept = reference_scratch(all * r + 1);
    for (int64_t i = 0; i < all; i++) {
        int64_t rest = i, before = x->size;
        bool rises = true;
        for (int64_t k = r - 1; k >= 0; k--, rest /= x->size) {
            int64_t digit = rest % x->size;
            rises = rises && (digit < before || (again && digit == before));
            kept[count * r + k] = x->v[digit];
            before = digit;
        }
        count += rises;
    }
    double *y = reference_out(p, 0, x->dtype, (ag_shape){2, {count, r}});
    memcpy(y, kept, (size_t)(count * r) * sizeof *y);
}

/* The score of query l and key s in matrix b, −∞ where it does not count. */
static double score(const problem *p, int64_t b, int64_t l, int64_t s) {
    const array *q = &p->in[0], *k = &p->in[1], *mask = p->n > 3 ? &p->in[3] : NULL;
    int64_t d = q->shape.dim[q->shape.rank - 1], rows = q->shape.dim[q->shape.rank - 2],
            keys = k->shape.dim[k->shape.rank - 2];
    double sum = 0, scale = reference_number(p, "scale", 1 / sqrt((double)d));
    for (int64_t i = 0; i < d; i++) sum += q->v[(b * rows + l) * d + i] * k->v[(b * keys + s) * d % k->size + i];
    if (reference_flag(p, "is_causal") && s > l) return -(double)INFINITY;
    if (mask && mask->dtype == AG_BOOL) return mask->v[l * keys + s] != 0 ? scale * sum : -(double)INFINITY;
    return scale * sum + (mask ? mask->v[l * keys + s] : 0);
}

static void scaled_dot_product_attention(problem *p) {
    const array *q = &p->in[0], *v = &p->in[2];
    ag_shape shape = q->shape;
    int rank = shape.rank;
    int64_t rows = shape.dim[rank - 2], keys = v->shape.dim[v->shape.rank - 2], e = v->shape.dim[v->shape.rank - 1];
    bool weights = reference_number(p, "part", 0) == 1;
    shape.dim[rank - 1] = weights ? keys : e;
    double *y = reference_out(p, 0, p->dtype, shape);
    int64_t wide = weights ? keys : e;
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t b = i / wide / rows, l = i / wide % rows;
        double total = 0, sum = 0;
        for (int64_t s = 0; s < keys; s++) {
            double w = exp(score(p, b, l, s));
            total += w;
            sum += weights ? (s == i % wide) * w : w * v->v[(b * keys + s) * e % v->size + i % wide];
        }
        y[i] = sum / total;
    }
}

#define ENTRY(name, exact) \
    { #name, name, exact, NULL, NULL }
const reference references_combine[] = {
    ENTRY(hsplit, true),
    ENTRY(vsplit, true),
    ENTRY(dsplit, true),
    ENTRY(put, false),
    ENTRY(select_scatter, true),
    ENTRY(slice_scatter, true),
    ENTRY(diagonal_scatter, true),
    ENTRY(block_diag, true),
    ENTRY(cartesian_prod, true),
    ENTRY(combinations, true),
    ENTRY(scaled_dot_product_attention, false),
    {NULL, NULL, false, NULL, NULL},
};
