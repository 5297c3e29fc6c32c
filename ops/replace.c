/* replace.c: x with another tensor in the place of a part of it. The same part of the numbers 0, 1, … in x's shape says where the
 * elements go, so that one scatter does it, and its gradient, for any part that is a view.
 *
 *     x (2,3), src (2):   select_scatter 1,0:   0 1 2  ─select─▶  0     src[0] x  x
 *                                               3 4 5             3     src[1] x  x */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static ag_tensor *places(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    return ag_reshape(ag_arange(ag_tape_of(x), AG_I64, 0, (double)ag_size(x), 1), ag_shape_of(x));
}

/* x with src at the places `at`, which has src's shape. */
static ag_tensor *replaced(ag_tensor *y, ag_tensor *at) {
    ag_tensor *x = ag_in(y, 0), *src = ag_in(y, 1);
    char have[AG__TEXT], want[AG__TEXT];
    if (!at || !ag_need_same_dtype(y, 0, 1)) return NULL;
    if (!ag__same_shape(ag_shape_of(at), ag_shape_of(src))) {
        ag_op_fail(y, AG_ERR_SHAPE, "that part has the shape %s, not %s", ag__dims_text(ag_shape_of(at), want),
                   ag_shape_text(src, have, sizeof have));
        return NULL;
    }
    ag_tensor *line = ag_reshape(x, AG_SHAPE(ag_size(x))), *index = ag_reshape(at, AG_SHAPE(ag_size(at)));
    return ag_reshape(ag_scatter(line, 0, index, ag_reshape(src, AG_SHAPE(ag_size(src)))), ag_shape_of(x));
}

typedef struct select_attrs {
    int axis;
    int64_t index;
} select_attrs;

static const ag_attr_field select_fields[] = {{"axis", AG_ATTR_INT, offsetof(select_attrs, axis), NULL},
                                              {"index", AG_ATTR_I64, offsetof(select_attrs, index), NULL},
                                              {0}};

static ag_tensor *select_scatter(ag_tensor *y) {
    const select_attrs *a = ag_attrs(y);
    return replaced(y, ag_select(places(y), a->axis, a->index));
}

AG__COMPOSED(select_scatter, 2, select_attrs, select_fields, "x with src at one place of an axis", select_scatter,
             .inputs = "x src");

ag_tensor *ag_select_scatter(ag_tensor *x, ag_tensor *src, int axis, int64_t index) {
    return ag_apply(&ag__op_select_scatter, (ag_tensor *[]){x, src}, 2, &(select_attrs){axis, index});
}

typedef struct slice_attrs {
    int axis;
    int64_t start, stop, step;
} slice_attrs;

static const ag_attr_field slice_fields[] = {{"axis", AG_ATTR_INT, offsetof(slice_attrs, axis), "0"},
                                             {"start", AG_ATTR_I64, offsetof(slice_attrs, start), "0"},
                                             {"stop", AG_ATTR_I64, offsetof(slice_attrs, stop), "end"},
                                             {"step", AG_ATTR_I64, offsetof(slice_attrs, step), "1"},
                                             {0}};

static ag_tensor *slice_scatter(ag_tensor *y) {
    const slice_attrs *a = ag_attrs(y);
    return replaced(y, ag_slice(places(y), a->axis, a->start, a->stop, a->step));
}

AG__COMPOSED(slice_scatter, 2, slice_attrs, slice_fields, "x with src in that slice", slice_scatter, .inputs = "x src");

ag_tensor *ag_slice_scatter(ag_tensor *x, ag_tensor *src, int axis, int64_t start, int64_t stop, int64_t step) {
    return ag_apply(&ag__op_slice_scatter, (ag_tensor *[]){x, src}, 2, &(slice_attrs){axis, start, stop, step});
}

typedef struct diagonal_attrs {
    int64_t offset;
    int axis1, axis2;
} diagonal_attrs;

static const ag_attr_field diagonal_fields[] = {{"offset", AG_ATTR_I64, offsetof(diagonal_attrs, offset), "0"},
                                                {"axis1", AG_ATTR_INT, offsetof(diagonal_attrs, axis1), "0"},
                                                {"axis2", AG_ATTR_INT, offsetof(diagonal_attrs, axis2), "1"},
                                                {0}};

static ag_tensor *diagonal_scatter(ag_tensor *y) {
    const diagonal_attrs *a = ag_attrs(y);
    return replaced(y, ag_diagonal(places(y), a->offset, a->axis1, a->axis2));
}

AG__COMPOSED(diagonal_scatter, 2, diagonal_attrs, diagonal_fields, "x with src on that diagonal", diagonal_scatter,
             .inputs = "x src");

ag_tensor *ag_diagonal_scatter(ag_tensor *x, ag_tensor *src, int64_t offset, int axis1, int axis2) {
    return ag_apply(&ag__op_diagonal_scatter, (ag_tensor *[]){x, src}, 2, &(diagonal_attrs){offset, axis1, axis2});
}

typedef struct put_attrs {
    bool accumulate;
} put_attrs;

static const ag_attr_field put_fields[] = {{"accumulate", AG_ATTR_BOOL, offsetof(put_attrs, accumulate), "false"}, {0}};

/* In x, the index and the source as lines */
static ag_tensor *put(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *index = ag_in(y, 1), *source = ag_in(y, 2);
    char is[AG__TEXT], ss[AG__TEXT];
    int64_t n = ag_size(index);
    if (!ag_need_dtype(y, 1, AG_I64) || !ag_need_same_dtype(y, 0, 2)) return NULL;
    if (ag_size(source) != n) {
        ag_op_fail(y, AG_ERR_SHAPE, "index %s and source %s have different numbers of elements",
                   ag_shape_text(index, is, sizeof is), ag_shape_text(source, ss, sizeof ss));
        return NULL;
    }
    ag_tensor *line = ag_reshape(x, AG_SHAPE(ag_size(x)));
    index = ag_reshape(index, AG_SHAPE(n));
    source = ag_reshape(source, AG_SHAPE(n));
    bool adds = ((const put_attrs *)ag_attrs(y))->accumulate;
    return ag_reshape(adds ? ag_scatter_add(line, 0, index, source) : ag_scatter(line, 0, index, source), ag_shape_of(x));
}

AG__COMPOSED(put, 3, put_attrs, put_fields, "x with source at the row-major places index", put, .inputs = "x index source");

ag_tensor *ag_put(ag_tensor *x, ag_tensor *index, ag_tensor *source, bool accumulate) {
    return ag_apply(&ag__op_put, (ag_tensor *[]){x, index, source}, 3, &(put_attrs){accumulate});
}
