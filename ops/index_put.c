/* index_put.c: values put, or added, at places that one index for each of the first axes names: PyTorch's x[i, j] = values.
 *
 *     i (2,1), j (3)  ─ broadcast ─▶  (2,3) places of the axes they name, as one index of slabs; values broadcast to (2,3) + the rest
 *
 * Each index picks its axis' offset from a row of them, which resolves what counts from the end and refuses what is beyond. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct put_attrs {
    bool accumulate;
} put_attrs;

static const ag_attr_field fields[] = {{"accumulate", AG_ATTR_BOOL, offsetof(put_attrs, accumulate), "false"}, {0}};

/* Σ of the offsets, row-major, of the first n axes of x, which have *slabs places. The product wraps where x is empty, to 0. */
static ag_tensor *offsets(ag_tensor *y, int n, int64_t *slabs) {
    ag_tensor *x = ag_in(y, 0), *sum = NULL;
    int64_t stride = 1;
    for (int k = n - 1; k >= 0; k--) {
        int64_t extent = ag_dim(x, k);
        if (!ag_need_dtype(y, 1 + k, AG_I64)) return NULL;
        ag_tensor *row = ag_mul(ag_arange(ag_tape_of(y), AG_I64, 0, (double)extent, 1),
                                ag_scalar(ag_tape_of(y), AG_I64, (double)stride));
        ag_tensor *part = ag_take(row, ag_in(y, 1 + k), 0);
        sum = sum ? ag_add(part, sum) : part;
        (void)__builtin_mul_overflow(stride, extent, &stride);
    }
    *slabs = stride;
    return sum;
}

static ag_tensor *index_put(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *values = ag_in(y, ag_in_count(y) - 1);
    int n = ag_in_count(y) - 2, rank = ag_rank(x);
    char text[AG__TEXT];
    if (n < 1 || n > rank) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "takes x, an index for each of its first axes, and values, not %d indices of %s",
                   n, ag_shape_text(x, text, sizeof text));
        return NULL;
    }
    if (!ag_need_same_dtype(y, 0, n + 1)) return NULL;
    ag_shape slabs = AG_SHAPE(0);
    ag_tensor *index = offsets(y, n, slabs.dim);
    ag_shape whole = ag_shape_of(index), lines = AG_SHAPE(ag_size(index));
    if (!index || whole.rank + rank - n > AG_MAX_RANK) {
        if (index) ag_op_fail(y, AG_ERR_SHAPE, "values have at most %d axes", AG_MAX_RANK);
        return NULL;
    }
    for (int k = n; k < rank; k++) {
        whole.dim[whole.rank++] = ag_dim(x, k);
        slabs.dim[slabs.rank++] = ag_dim(x, k);
        lines.dim[lines.rank++] = ag_dim(x, k);
    }
    values = ag_reshape(ag_expand(values, whole), lines);
    index = ag_flatten(index, 0, -1), x = ag_reshape(x, slabs);
    bool add = ((const put_attrs *)ag_attrs(y))->accumulate;
    x = add ? ag_index_add(x, 0, index, values, 1) : ag_index_copy(x, 0, index, values);
    return ag_reshape(x, ag_shape_of(ag_in(y, 0)));
}

AG__COMPOSED(index_put, -1, put_attrs, fields, "x with values put at the places that indices of its first axes name",
             index_put, .inputs = "x index");

ag_tensor *ag_index_put(ag_tensor *x, ag_tensor *const indices[], int n, ag_tensor *values, bool accumulate) {
    ag_tensor *in[2 + AG_MAX_RANK] = {x};
    if (!indices || n < 1 || n > AG_MAX_RANK)
        return ag_tape_fail(x ? ag_tape_of(x) : NULL, AG_ERR_ARGUMENT, "index_put",
                            indices ? "there are %d indices; there is one for each of x's first axes" : "indices is NULL",
                            n);
    for (int i = 0; i < n; i++) in[1 + i] = indices[i];
    in[1 + n] = values;
    return ag_apply(&ag__op_index_put, in, n + 2, &(put_attrs){accumulate});
}
