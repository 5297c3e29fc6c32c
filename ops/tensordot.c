/* tensordot.c: products over chosen axes.
 *
 *     tensordot   a (left, inner) · b (inner, right) → (left, right), each a group of axes merged into one
 *     trace       Σ of a diagonal: of the elements of two merged axes, every (m + 1)-th */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct dot_attrs {
    int count;
    ag_axes a_axes, b_axes;
} dot_attrs;

static const ag_attr_field dot_fields[] = {{"count", AG_ATTR_INT, offsetof(dot_attrs, count), "2"},
                                           {"a_axes", AG_ATTR_AXES, offsetof(dot_attrs, a_axes), "all"},
                                           {"b_axes", AG_ATTR_AXES, offsetof(dot_attrs, b_axes), "all"},
                                           {0}};

static bool need_numbers(ag_tensor *y) { return ag__need_number(y, 0) && ag_need_same_dtype(y, 0, 1); }

/* x with the axes of `inner` merged into one, before or behind all others merged; appends the others' extents. */
static ag_tensor *merge(ag_tensor *x, ag_axes inner, bool before, ag_shape *rest) {
    bool in[AG_MAX_RANK] = {false};
    ag_axes axes = {0};
    int64_t k = 1, others = 1;
    for (int i = 0; i < inner.count; i++) {
        in[inner.axis[i]] = true;
        k *= ag_dim(x, inner.axis[i]);
        if (before) axes.axis[axes.count++] = inner.axis[i];
    }
    for (int i = 0; i < ag_rank(x); i++) {
        if (in[i]) continue;
        axes.axis[axes.count++] = i;
        others *= ag_dim(x, i);
        if (rest->rank < AG_MAX_RANK) rest->dim[rest->rank] = ag_dim(x, i);
        rest->rank++;
    }
    for (int i = 0; i < inner.count && !before; i++) axes.axis[axes.count++] = inner.axis[i];
    return ag_reshape(ag_permute(x, axes), before ? AG_SHAPE(k, others) : AG_SHAPE(others, k));
}

/* Pairs of axes, resolved; each pair of one extent. */
static ag_tensor *dot_over(ag_tensor *y, ag_axes left, ag_axes right) {
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    char as[AG__TEXT], bs[AG__TEXT];
    bool once[AG_MAX_RANK];
    ag_shape s = {0};
    if (!ag_need_axes(y, left, ag_rank(a), once) || !ag_need_axes(y, right, ag_rank(b), once)) return NULL;
    for (int i = 0; i < left.count; i++) {
        if (!ag_need_axis(y, left.axis[i], ag_rank(a), &left.axis[i])) return NULL;
        if (!ag_need_axis(y, right.axis[i], ag_rank(b), &right.axis[i])) return NULL;
        if (ag_dim(a, left.axis[i]) == ag_dim(b, right.axis[i])) continue;
        ag_op_fail(y, AG_ERR_SHAPE, "axis %d of %s and axis %d of %s differ", left.axis[i],
                   ag_shape_text(a, as, sizeof as), right.axis[i], ag_shape_text(b, bs, sizeof bs));
        return NULL;
    }
    int rank = ag_rank(a) + ag_rank(b) - 2 * left.count;
    if (rank > AG_MAX_RANK) {
        ag_op_fail(y, AG_ERR_SHAPE, "the result would have %d axes; at most %d", rank, AG_MAX_RANK);
        return NULL;
    }
    ag_tensor *rows = merge(a, left, false, &s), *cols = merge(b, right, true, &s);
    return rows && cols ? ag_reshape(ag_matmul(rows, cols), s) : NULL;
}

static ag_tensor *tensordot(ag_tensor *y) {
    const dot_attrs *d = ag_attrs(y);
    ag_axes left = d->a_axes, right = d->b_axes;
    int rank = ag_rank(ag_in(y, 0)), other = ag_rank(ag_in(y, 1));
    if (!need_numbers(y)) return NULL;
    if ((left.count < 0) != (right.count < 0) || (left.count >= 0 && left.count != right.count)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "a_axes and b_axes must name as many axes of a as of b");
        return NULL;
    }
    if (left.count < 0) { /* the last axes of a with the first of b */
        if (d->count < 0 || d->count > rank || d->count > other) {
            char as[AG__TEXT], bs[AG__TEXT];
            ag_op_fail(y, AG_ERR_ARGUMENT, "%d axes cannot be the last of %s and the first of %s", d->count,
                       ag_shape_text(ag_in(y, 0), as, sizeof as), ag_shape_text(ag_in(y, 1), bs, sizeof bs));
            return NULL;
        }
        left.count = right.count = d->count;
        for (int i = 0; i < d->count; i++) left.axis[i] = rank - d->count + i, right.axis[i] = i;
    }
    return dot_over(y, left, right);
}

AG__COMPOSED(tensordot, 2, dot_attrs, dot_fields, "Σ a b over pairs of axes", tensordot);

ag_tensor *ag_tensordot(ag_tensor *a, ag_tensor *b, int count) {
    return ag_apply(&ag__op_tensordot, (ag_tensor *[]){a, b}, 2, &(dot_attrs){count, AG_ALL, AG_ALL});
}

ag_tensor *ag_tensordot_axes(ag_tensor *a, ag_tensor *b, ag_axes a_axes, ag_axes b_axes) {
    return ag_apply(&ag__op_tensordot, (ag_tensor *[]){a, b}, 2, &(dot_attrs){0, a_axes, b_axes});
}

static ag_tensor *inner(ag_tensor *y) {
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    if (!need_numbers(y)) return NULL;
    return ag_rank(a) && ag_rank(b) ? dot_over(y, AG_AXES(-1), AG_AXES(-1)) : ag_mul(a, b);
}

AG__COMPOSED_BARE(inner, 2, "Σ a b over the last axes", inner);

ag_tensor *ag_inner(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_inner, (ag_tensor *[]){a, b}, 2, NULL); }

typedef struct trace_attrs {
    int64_t offset;
    int i, j;
} trace_attrs;

static const ag_attr_field trace_fields[] = {{"offset", AG_ATTR_I64, offsetof(trace_attrs, offset), "0"},
                                             {"axis1", AG_ATTR_INT, offsetof(trace_attrs, i), "0"},
                                             {"axis2", AG_ATTR_INT, offsetof(trace_attrs, j), "1"},
                                             {0}};

static ag_tensor *trace(ag_tensor *y) {
    const trace_attrs *t = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_axes axes = {0};
    ag_shape s = {0};
    int i, j;
    if (!ag__need_number(y, 0) || !ag_need_rank(y, 0, 2, AG_MAX_RANK)) return NULL;
    if (!ag_need_axis(y, t->i, ag_rank(x), &i) || !ag_need_axis(y, t->j, ag_rank(x), &j)) return NULL;
    if (i == j) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "axes %d and %d are the same", t->i, t->j);
        return NULL;
    }
    for (int k = 0; k < ag_rank(x); k++) {
        if (k == i || k == j) continue;
        axes.axis[axes.count++] = k;
        s.dim[s.rank++] = ag_dim(x, k);
    }
    axes.axis[axes.count++] = i;
    axes.axis[axes.count++] = j;
    int64_t n = ag_dim(x, i), m = ag_dim(x, j), k = t->offset;
    bool none = k >= m || -n >= k;
    int64_t row = k < 0 && !none ? -k : 0, col = k > 0 && !none ? k : 0;
    int64_t length = none ? 0 : n - row < m - col ? n - row : m - col, from = row * m + col;
    s.dim[s.rank++] = n * m;
    ag_tensor *flat = ag_reshape(ag_permute(x, axes), s);
    return ag_sum(ag_slice(flat, -1, from, from + length * (m + 1), m + 1), AG_AXES(-1), false);
}

AG__COMPOSED(trace, 1, trace_attrs, trace_fields, "Σ x[k, k + offset] on axes axis1 and axis2", trace);

ag_tensor *ag_trace(ag_tensor *x, int64_t offset, int axis1, int axis2) {
    return ag_apply(&ag__op_trace, &x, 1, &(trace_attrs){offset, axis1, axis2});
}
