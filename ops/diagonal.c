/* diagonal.c: the diagonal of two axes as a view, and its adjoint, which puts it back among zeros.
 *
 *     x (3,4)            diagonal 1: [b c d]       undiagonal 1, (3,4):  0 b 0 0     diag_embed makes it square
 *     · b · ·            offset 1, stride 4 + 1                          0 0 c 0
 *     · · c ·                                                            0 0 0 d
 *     · · · d
 *
 * diagonal and undiagonal are each other's gradients. triu stands here as tril's mirror image. */
#include <string.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct diagonal_attrs {
    int64_t offset;
    int axis1, axis2;
} diagonal_attrs;

static const ag_attr_field diagonal_fields[] = {{"offset", AG_ATTR_I64, offsetof(diagonal_attrs, offset), "0"},
                                                {"axis1", AG_ATTR_INT, offsetof(diagonal_attrs, axis1), "0"},
                                                {"axis2", AG_ATTR_INT, offsetof(diagonal_attrs, axis2), "1"},
                                                {0}};

/* The diagonal of a row-major tensor of shape `whole`: its shape, its own axis last, and where it lies. */
typedef struct line {
    ag_shape shape;
    int first, second; /* the two axes */
    int64_t row, col;  /* where it begins */
} line;

static bool line_of(ag_tensor *y, ag_shape whole, const diagonal_attrs *a, line *l) {
    if (!ag_need_axis(y, a->axis1, whole.rank, &l->first) || !ag_need_axis(y, a->axis2, whole.rank, &l->second))
        return false;
    if (l->first == l->second) return ag_op_fail(y, AG_ERR_ARGUMENT, "axis1 and axis2 are both axis %d", l->first);
    int64_t rows = whole.dim[l->first], cols = whole.dim[l->second];
    l->row = a->offset >= 0 ? 0 : a->offset < -rows ? rows : -a->offset;
    l->col = a->offset <= 0 ? 0 : a->offset > cols ? cols : a->offset;
    rows -= l->row;
    cols -= l->col;
    l->shape = (ag_shape){.rank = 0};
    for (int i = 0; i < whole.rank; i++) {
        if (i != l->first && i != l->second) l->shape.dim[l->shape.rank++] = whole.dim[i];
    }
    l->shape.dim[l->shape.rank++] = rows < cols ? rows : cols;
    if (l->shape.dim[l->shape.rank - 1] == 0) l->row = l->col = 0;
    return true;
}

/* The strides of the diagonal in a tensor with these. */
static void strides_of(const line *l, int rank, const int64_t stride[], int64_t out[]) {
    int to = 0;
    for (int i = 0; i < rank; i++) {
        if (i != l->first && i != l->second) out[to++] = stride[i];
    }
    out[to] = stride[l->first] + stride[l->second];
}

static bool diagonal_shape(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    int64_t stride[AG_MAX_RANK] = {0}, own[AG_MAX_RANK];
    line l;
    if (!ag_need_rank(y, 0, 2, AG_MAX_RANK) || !line_of(y, ag_shape_of(x), ag_attrs(y), &l)) return false;
    for (int i = 0; i < ag_rank(x); i++) stride[i] = ag_stride(x, i);
    strides_of(&l, ag_rank(x), stride, own);
    return ag_out_view(y, l.shape, own, l.row * stride[l.first] + l.col * stride[l.second]);
}

static bool diagonal_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const diagonal_attrs *a = ag_attrs(y);
    return (d[0] = ag_undiagonal(g[0], ag_shape_of(ag_in(y, 0)), a->offset, a->axis1, a->axis2)) != NULL;
}

const ag_op ag__op_diagonal = {
    .size = sizeof(ag_op),
    .name = "diagonal",
    .arity = 1,
    .flags = AG_VIEW | AG_LINEAR,
    .attr_size = sizeof(diagonal_attrs),
    .attrs = diagonal_fields,
    .formula = "x[…, i, i + offset, …] of axis1 and axis2, i along a new last axis",
    .shape = diagonal_shape,
    .grad = diagonal_grad,
};

ag_tensor *ag_diagonal(ag_tensor *x, int64_t offset, int axis1, int axis2) {
    return ag_apply(&ag__op_diagonal, &x, 1, &(diagonal_attrs){offset, axis1, axis2});
}

typedef struct undiagonal_attrs {
    ag_shape shape;
    diagonal_attrs at;
} undiagonal_attrs;

static const ag_attr_field undiagonal_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(undiagonal_attrs, shape), NULL},
                                                  {"offset", AG_ATTR_I64, offsetof(undiagonal_attrs, at.offset), "0"},
                                                  {"axis1", AG_ATTR_INT, offsetof(undiagonal_attrs, at.axis1), "0"},
                                                  {"axis2", AG_ATTR_INT, offsetof(undiagonal_attrs, at.axis2), "1"},
                                                  {0}};

static bool undiagonal_shape(ag_tensor *y) {
    const undiagonal_attrs *a = ag_attrs(y);
    const ag_tensor *g = ag_in(y, 0);
    line l;
    if (!ag__need_shape(y, a->shape) || !line_of(y, a->shape, &a->at, &l)) return false;
    if (ag__same_shape(l.shape, ag_shape_of(g))) return ag_out_shape(y, 0, ag_dtype_of(g), a->shape);
    char have[AG__TEXT], want[AG__TEXT], whole[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "%s does not fit: that diagonal of %s is %s",
                      ag_shape_text(g, have, sizeof have), ag__dims_text(a->shape, whole), ag__dims_text(l.shape, want));
}

static bool undiagonal_run(ag_tensor *y) {
    const undiagonal_attrs *a = ag_attrs(y);
    size_t element = ag_dtype_size(ag_dtype_of(y));
    char *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * element);
    int64_t stride[AG_MAX_RANK], own[AG_MAX_RANK], at[AG_MAX_RANK] = {0}, step = 1;
    line l;
    if (ag_size(ag_in(y, 0)) == 0) return true;
    const char *g = ag_op_dense(y, 0);
    if (!g || !line_of(y, a->shape, &a->at, &l)) return false;
    for (int i = a->shape.rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= a->shape.dim[i];
    }
    strides_of(&l, a->shape.rank, stride, own);
    int last = l.shape.rank - 1;
    int64_t base = l.row * stride[l.first] + l.col * stride[l.second], n = l.shape.dim[last];
    for (int64_t left = ag_size(ag_in(y, 0)) / n; left > 0; left--) {
        for (int64_t i = 0; i < n; i++, g += element)
            ag__copy_slab(out + (size_t)(base + i * own[last]) * element, g, element);
        for (int i = last - 1; i >= 0; i--) {
            base += own[i];
            if (++at[i] < l.shape.dim[i]) break;
            base -= at[i] * own[i];
            at[i] = 0;
        }
    }
    return true;
}

static bool undiagonal_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const undiagonal_attrs *a = ag_attrs(y);
    return (d[0] = ag_diagonal(g[0], a->at.offset, a->at.axis1, a->at.axis2)) != NULL;
}

const ag_op ag__op_undiagonal = {
    .size = sizeof(ag_op),
    .name = "undiagonal",
    .arity = 1,
    .inputs = "g",
    .flags = AG_LINEAR,
    .attr_size = sizeof(undiagonal_attrs),
    .attrs = undiagonal_fields,
    .formula = "zeros with g on that diagonal",
    .shape = undiagonal_shape,
    .run = undiagonal_run,
    .grad = undiagonal_grad,
};

ag_tensor *ag_undiagonal(ag_tensor *g, ag_shape shape, int64_t offset, int axis1, int axis2) {
    return ag_apply(&ag__op_undiagonal, &g, 1, &(undiagonal_attrs){shape, {offset, axis1, axis2}});
}

static const ag_attr_field embed_fields[] = {{"offset", AG_ATTR_I64, offsetof(diagonal_attrs, offset), "0"},
                                             {"axis1", AG_ATTR_INT, offsetof(diagonal_attrs, axis1), "-2"},
                                             {"axis2", AG_ATTR_INT, offsetof(diagonal_attrs, axis2), "-1"},
                                             {0}};

/* x's last axis as the diagonal of a square of n + |offset|. */
static ag_tensor *embedded(ag_tensor *y, ag_tensor *x, const diagonal_attrs *a) {
    ag_shape from = ag_shape_of(x), s = {.rank = from.rank + 1};
    int64_t n, beside = a->offset < 0 ? a->offset == INT64_MIN ? INT64_MAX : -a->offset : a->offset;
    int first, second;
    if (!ag_need_axis(y, a->axis1, s.rank, &first) || !ag_need_axis(y, a->axis2, s.rank, &second)) return NULL;
    if (__builtin_add_overflow(from.dim[from.rank - 1], beside, &n)) {
        ag_op_fail(y, AG_ERR_SHAPE, "an offset of %lld is beyond what an index can count", (long long)a->offset);
        return NULL;
    }
    for (int i = 0, k = 0; i < s.rank; i++) s.dim[i] = i == first || i == second ? n : from.dim[k++];
    return ag_undiagonal(x, s, a->offset, first, second);
}

static ag_tensor *diag_embed(ag_tensor *y) {
    return ag_need_rank(y, 0, 1, AG_MAX_RANK - 1) ? embedded(y, ag_in(y, 0), ag_attrs(y)) : NULL;
}

static ag_tensor *diagflat(ag_tensor *y) {
    diagonal_attrs a = {((const diagonal_attrs *)ag_attrs(y))->offset, 0, 1};
    ag_tensor *all = ag_flatten(ag_in(y, 0), 0, -1);
    return all ? embedded(y, all, &a) : NULL;
}

static ag_tensor *diag(ag_tensor *y) {
    diagonal_attrs a = {((const diagonal_attrs *)ag_attrs(y))->offset, 0, 1};
    if (!ag_need_rank(y, 0, 1, 2)) return NULL;
    return ag_rank(ag_in(y, 0)) == 1 ? embedded(y, ag_in(y, 0), &a) : ag_diagonal(ag_in(y, 0), a.offset, 0, 1);
}

typedef struct offset_attrs {
    int64_t offset;
} offset_attrs;

static const ag_attr_field offset_fields[] = {{"offset", AG_ATTR_I64, offsetof(offset_attrs, offset), "0"}, {0}};
static const ag_attr_field named_fields[] = {{"diagonal", AG_ATTR_I64, offsetof(offset_attrs, offset), "0"}, {0}};

AG__COMPOSED(diag_embed, 1, diagonal_attrs, embed_fields,
             "zeros with the last axis of x on a diagonal of axis1 and axis2", diag_embed);
AG__COMPOSED(diagflat, 1, offset_attrs, offset_fields, "a matrix of zeros with all of x on a diagonal", diagflat);
AG__COMPOSED(diag, 1, offset_attrs, named_fields, "a line to a matrix with it on a diagonal, a matrix to its diagonal",
             diag);

ag_tensor *ag_diag_embed(ag_tensor *x, int64_t offset, int axis1, int axis2) {
    return ag_apply(&ag__op_diag_embed, &x, 1, &(diagonal_attrs){offset, axis1, axis2});
}

ag_tensor *ag_diagflat(ag_tensor *x, int64_t offset) {
    return ag_apply(&ag__op_diagflat, &x, 1, &(offset_attrs){offset});
}
ag_tensor *ag_diag(ag_tensor *x, int64_t diagonal) { return ag_apply(&ag__op_diag, &x, 1, &(offset_attrs){diagonal}); }

static ag_tensor *triu(ag_tensor *y) {
    int64_t diagonal = ((const offset_attrs *)ag_attrs(y))->offset;
    if (!ag__need_number(y, 0) || !ag_need_rank(y, 0, 2, AG_MAX_RANK)) return NULL;
    return ag_transpose(ag_tril(ag_transpose(ag_in(y, 0), -2, -1), diagonal == INT64_MIN ? INT64_MAX : -diagonal), -2, -1);
}

AG__COMPOSED(triu, 1, offset_attrs, named_fields, "x[i][j] where j ≥ i + diagonal, else 0", triu);

ag_tensor *ag_triu(ag_tensor *x, int64_t diagonal) { return ag_apply(&ag__op_triu, &x, 1, &(offset_attrs){diagonal}); }
