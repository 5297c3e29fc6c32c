/* indexed.c: picking and putting by index, made of take, gather and scatter.
 *
 *     a list of slabs is the same index everywhere:   index (3) ─ reshape ─▶ (1,3,1) ─ expand ─▶ (2,3,5)
 *
 * which scatter and gather recognise, so that whole slabs are moved. A scalar x counts as a line of one element. */
#include "ops/compose.h"
#include "ops/lines.h"
#include "ops/ops.h"
#include "ops/table.h"

static ag_tensor *line(ag_tensor *x) { return ag_rank(x) ? x : ag_reshape(x, AG_SHAPE(1)); }

/* The result for a scalar is one again. */
static ag_tensor *like(const ag_tensor *x, ag_tensor *result) {
    return ag_rank(x) ? result : ag_reshape(result, AG_SHAPE());
}

/* Input i as the index of slabs along the axis: i64, at most one axis. */
static bool need_list(ag_tensor *y, int i, int wanted, int *axis) {
    int rank = ag_rank(ag_in(y, 0));
    return ag_need_dtype(y, i, AG_I64) && ag_need_axis(y, wanted, rank ? rank : 1, axis) && ag_need_rank(y, i, 0, 1);
}

/* The list of slabs of x as an index of x's rank; `whole` becomes its shape. */
static ag_tensor *slabs(ag_tensor *index, const ag_tensor *x, int axis, ag_shape *whole) {
    ag_shape thin = {.rank = ag_rank(x)};
    *whole = ag_shape_of(x);
    for (int k = 0; k < thin.rank; k++) thin.dim[k] = k == axis ? ag_size(index) : 1;
    whole->dim[axis] = ag_size(index);
    return ag_expand(ag_reshape(index, thin), *whole);
}

static ag_tensor *index_select(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *index = ag_in(y, 1);
    int axis;
    if (!need_list(y, 1, ag__axis_of(y), &axis)) return NULL;
    return like(x, ag_take(line(x), line(index), axis));
}

AG__COMPOSED(index_select, 2, ag__axis_attrs, ag__axis_given, "the slabs of x that index lists", index_select,
             .inputs = "x index");

ag_tensor *ag_index_select(ag_tensor *x, int axis, ag_tensor *index) {
    return ag_apply(&ag__op_index_select, (ag_tensor *[]){x, index}, 2, &(ag__axis_attrs){axis});
}

/* source must be x with as many slabs along the axis as index lists. */
static bool need_source(ag_tensor *y, ag_shape whole) {
    const ag_tensor *source = ag_in(y, 2);
    if (!ag_need_same_dtype(y, 0, 2)) return false;
    if (ag__same_shape(ag_rank(source) ? ag_shape_of(source) : AG_SHAPE(1), whole)) return true;
    char have[AG__TEXT], want[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "source %s must be %s: x, with as many slabs as index lists",
                      ag_shape_text(source, have, sizeof have), ag__dims_text(whole, want));
}

typedef struct index_add_attrs {
    int axis;
    double alpha;
} index_add_attrs;

static const ag_attr_field index_add_fields[] = {{"axis", AG_ATTR_INT, offsetof(index_add_attrs, axis), NULL},
                                                 {"alpha", AG_ATTR_F64, offsetof(index_add_attrs, alpha), "1"},
                                                 {0}};

static ag_tensor *index_add(ag_tensor *y) {
    const index_add_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *source = ag_in(y, 2);
    ag_shape whole = ag_shape_of(line(x));
    int axis;
    if (!need_list(y, 1, a->axis, &axis) || !ag__need_number(y, 0) || !ag__need_factor(y, "alpha", a->alpha))
        return NULL;
    whole.dim[axis] = ag_size(ag_in(y, 1));
    if (!need_source(y, whole)) return NULL;
    if (a->alpha != 1) source = ag_mul(source, ag_scalar(ag_tape_of(y), ag_dtype_of(x), a->alpha));
    ag_tensor *sum = ag_take_add(line(source), line(ag_in(y, 1)), ag_shape_of(line(x)), axis);
    return like(x, ag_add(line(x), sum));
}

AG__COMPOSED(index_add, 3, index_add_attrs, index_add_fields, "x with alpha source added at the slabs index lists",
             index_add, .inputs = "x index source");

ag_tensor *ag_index_add(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *source, double alpha) {
    return ag_apply(&ag__op_index_add, (ag_tensor *[]){x, index, source}, 3, &(index_add_attrs){axis, alpha});
}

static ag_tensor *index_copy(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    ag_shape whole;
    int axis;
    if (!need_list(y, 1, ag__axis_of(y), &axis)) return NULL;
    ag_tensor *index = slabs(ag_in(y, 1), line(x), axis, &whole);
    if (!index || !need_source(y, whole)) return NULL;
    return like(x, ag_scatter(line(x), axis, index, line(ag_in(y, 2))));
}

AG__COMPOSED(index_copy, 3, ag__axis_attrs, ag__axis_given, "x with source at the slabs index lists", index_copy,
             .inputs = "x index source");

ag_tensor *ag_index_copy(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *source) {
    return ag_apply(&ag__op_index_copy, (ag_tensor *[]){x, index, source}, 3, &(ag__axis_attrs){axis});
}

typedef struct index_fill_attrs {
    int axis;
    double value;
} index_fill_attrs;

static const ag_attr_field index_fill_fields[] = {{"axis", AG_ATTR_INT, offsetof(index_fill_attrs, axis), NULL},
                                                  {"value", AG_ATTR_F64, offsetof(index_fill_attrs, value), NULL},
                                                  {0}};

static ag_tensor *index_fill(ag_tensor *y) {
    const index_fill_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_shape whole;
    int axis;
    if (!need_list(y, 1, a->axis, &axis)) return NULL;
    return like(x, ag_scatter_value(line(x), axis, slabs(ag_in(y, 1), line(x), axis, &whole), a->value));
}

AG__COMPOSED(index_fill, 2, index_fill_attrs, index_fill_fields, "x with value at the slabs index lists", index_fill,
             .inputs = "x index");

ag_tensor *ag_index_fill(ag_tensor *x, int axis, ag_tensor *index, double value) {
    return ag_apply(&ag__op_index_fill, (ag_tensor *[]){x, index}, 2, &(index_fill_attrs){axis, value});
}

typedef struct index_reduce_attrs {
    int axis, reduce;
    bool include_self;
} index_reduce_attrs;

static const ag_attr_field index_reduce_fields[] = {
    {"axis", AG_ATTR_INT, offsetof(index_reduce_attrs, axis), NULL},
    {"reduce", AG_ATTR_CHOICE, offsetof(index_reduce_attrs, reduce), "sum|prod|mean|amax|amin"},
    {"include_self", AG_ATTR_BOOL, offsetof(index_reduce_attrs, include_self), "true"},
    {0}};

static ag_tensor *index_reduce(ag_tensor *y) {
    const index_reduce_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_shape whole;
    int axis;
    if (!need_list(y, 1, a->axis, &axis)) return NULL;
    ag_tensor *index = slabs(ag_in(y, 1), line(x), axis, &whole);
    if (!index || !need_source(y, whole)) return NULL;
    return like(x, ag_scatter_reduce(line(x), axis, index, line(ag_in(y, 2)), (ag_reduce)a->reduce, a->include_self));
}

AG__COMPOSED(index_reduce, 3, index_reduce_attrs, index_reduce_fields,
             "x with source combined with the slabs index lists", index_reduce, .inputs = "x index source");

ag_tensor *ag_index_reduce(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *source, ag_reduce reduce, bool include_self) {
    return ag_apply(&ag__op_index_reduce, (ag_tensor *[]){x, index, source}, 3,
                    &(index_reduce_attrs){axis, (int)reduce, include_self});
}

static ag_tensor *scatter_add(ag_tensor *y) {
    int axis = ag__axis_of(y);
    ag_tensor *x = ag_in(y, 0), *index = ag_in(y, 1), *src = ag_in(y, 2);
    if (!ag_need_dtype(y, 1, AG_I64) || !ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 2)) return NULL;
    src = ag__line_source(y, index, src);
    return src ? ag_add(x, ag_gather_add(src, axis, index, ag_shape_of(x))) : NULL;
}

AG__COMPOSED(scatter_add, 3, ag__axis_attrs, ag__axis_given, "x with src added at index[i][j], j (axis 0)", scatter_add,
             .inputs = "x index src");

ag_tensor *ag_scatter_add(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *src) {
    return ag_apply(&ag__op_scatter_add, (ag_tensor *[]){x, index, src}, 3, &(ag__axis_attrs){axis});
}

/* NumPy's …_along_axis: x, index and values broadcast against each other, the axis aside. */
static bool need_along(ag_tensor *y, int wanted, int *axis, ag_shape *index) {
    const ag_tensor *x = ag_in(y, 0), *i = ag_in(y, 1);
    *index = ag_shape_of(i);
    if (!ag_need_dtype(y, 1, AG_I64) || !ag_need_axis(y, wanted, ag_rank(x), axis)) return false;
    bool fits = index->rank == ag_rank(x);
    for (int k = 0; fits && k < index->rank; k++) {
        if (k == *axis) continue;
        fits = index->dim[k] == ag_dim(x, k) || index->dim[k] == 1 || ag_dim(x, k) == 1;
        if (index->dim[k] == 1) index->dim[k] = ag_dim(x, k);
    }
    if (fits) return true;
    char small[AG__TEXT], big[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "index %s must have as many axes as %s and, but for axis %d, broadcast with it",
                      ag_shape_text(i, small, sizeof small), ag_shape_text(x, big, sizeof big), *axis);
}

typedef struct along_attrs {
    ag_axes axis; /* one; all: x and index each seen as one line */
} along_attrs;

static const ag_attr_field along_fields[] = {{"axis", AG_ATTR_AXES, offsetof(along_attrs, axis), "all"}, {0}};

static ag_tensor *take_along_axis(ag_tensor *y) {
    ag_axes wanted = ((const along_attrs *)ag_attrs(y))->axis;
    ag_tensor *x = ag_in(y, 0);
    ag_shape index;
    int axis;
    if (wanted.count < 0 && ag_need_dtype(y, 1, AG_I64))
        return ag_gather(ag_flatten(x, 0, -1), 0, ag_flatten(ag_in(y, 1), 0, -1));
    if (wanted.count != 1 && wanted.count >= 0) ag_op_fail(y, AG_ERR_ARGUMENT, "axis must be one axis, or all");
    if (wanted.count != 1 || !need_along(y, wanted.axis[0], &axis, &index)) return NULL;
    ag_shape whole = index;
    whole.dim[axis] = ag_dim(x, axis);
    return ag_gather(ag_expand(x, whole), axis, ag_expand(ag_in(y, 1), index));
}

AG__COMPOSED(take_along_axis, 2, along_attrs, along_fields, "x[index[i][j]][j] (axis 0), broadcast", take_along_axis,
             .inputs = "x index");

ag_tensor *ag_take_along_axis(ag_tensor *x, ag_tensor *index, int axis) {
    return ag_apply(&ag__op_take_along_axis, (ag_tensor *[]){x, index}, 2, &(along_attrs){{.count = 1, .axis = {axis}}});
}

static ag_tensor *put_along_axis(ag_tensor *y) {
    ag_shape index;
    int axis;
    if (!need_along(y, ag__axis_of(y), &axis, &index) || !ag_need_same_dtype(y, 0, 2)) return NULL;
    return ag_scatter(ag_in(y, 0), axis, ag_expand(ag_in(y, 1), index), ag_expand(ag_in(y, 2), index));
}

AG__COMPOSED(put_along_axis, 3, ag__axis_attrs, ag__axis_given, "x with values at index[i][j], j (axis 0), broadcast",
             put_along_axis, .inputs = "x index values");

ag_tensor *ag_put_along_axis(ag_tensor *x, ag_tensor *index, ag_tensor *values, int axis) {
    return ag_apply(&ag__op_put_along_axis, (ag_tensor *[]){x, index, values}, 3, &(ag__axis_attrs){axis});
}
