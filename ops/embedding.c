/* embedding.c: class numbers as rows of a table, and as rows of a unit matrix.
 *
 *     index 2  ─ embedding ─▶  weight[2]          index 2  ─ one_hot ─▶  0 0 1 0 … */
#include <stddef.h>
#include <string.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct embedding_attrs {
    int64_t padding_idx; /* AG_END: none */
} embedding_attrs;

static const ag_attr_field embedding_fields[] = {
    {"padding_idx", AG_ATTR_I64, offsetof(embedding_attrs, padding_idx), "end"}, {0}};

/* Where the index is that of the padding, the row is taken as a constant. */
static ag_tensor *embedding(ag_tensor *y) {
    int64_t padding = ((const embedding_attrs *)ag_attrs(y))->padding_idx;
    ag_tensor *weight = ag_in(y, 0), *index = ag_in(y, 1);
    if (!ag_need_rank(y, 0, 2, 2) || !ag_need_dtype(y, 1, AG_I64)) return NULL;
    ag_tensor *rows = ag_take(weight, index, 0);
    if (padding == AG_END || !rows) return rows;
    int64_t n = ag_dim(weight, 0), at = padding < 0 ? padding + n : padding;
    if (at < 0 || at >= n) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "padding_idx %lld is not a row of %lld", (long long)padding, (long long)n);
        return NULL;
    }
    /* index is `at`, or counts to it from the end */
    ag_tensor *forth = ag_sub(index, ag_scalar(ag_tape_of(y), AG_I64, (double)at));
    ag_tensor *back = ag_sub(index, ag_scalar(ag_tape_of(y), AG_I64, (double)(at - n)));
    ag_tensor *pads = ag_eq(ag_mul(forth, back), ag_scalar(ag_tape_of(y), AG_I64, 0));
    return ag_where(ag_unsqueeze(pads, -1), ag_detach(rows), rows);
}

AG__COMPOSED(embedding, 2, embedding_attrs, embedding_fields, "weight[index]", embedding, .inputs = "weight index");

ag_tensor *ag_embedding(ag_tensor *weight, ag_tensor *index) {
    return ag_apply(&ag__op_embedding, (ag_tensor *[]){weight, index}, 2, &(embedding_attrs){AG_END});
}

ag_tensor *ag_embedding_padded(ag_tensor *weight, ag_tensor *index, int64_t padding_idx) {
    return ag_apply(&ag__op_embedding, (ag_tensor *[]){weight, index}, 2, &(embedding_attrs){padding_idx});
}

typedef struct one_hot_attrs {
    int64_t num_classes;
    ag_dtype dtype;
} one_hot_attrs;

static const ag_attr_field one_hot_fields[] = {{"num_classes", AG_ATTR_I64, offsetof(one_hot_attrs, num_classes), NULL},
                                               {"dtype", AG_ATTR_DTYPE, offsetof(one_hot_attrs, dtype), "i64"},
                                               {0}};

static bool one_hot_shape(ag_tensor *y) {
    const one_hot_attrs *a = ag_attrs(y);
    ag_shape s = ag_shape_of(ag_in(y, 0));
    if (!ag_need_dtype(y, 0, AG_I64) || !ag_need_rank(y, 0, 0, AG_MAX_RANK - 1)) return false;
    if (a->num_classes < 0) return ag_op_fail(y, AG_ERR_ARGUMENT, "num_classes is %lld", (long long)a->num_classes);
    if (ag_dtype_size(a->dtype) == 0) return ag_op_fail(y, AG_ERR_DTYPE, "no dtype has the number %d", (int)a->dtype);
    s.dim[s.rank++] = a->num_classes;
    return ag_out_shape(y, 0, a->dtype, s);
}

static bool one_hot_run(ag_tensor *y) {
    static const float f32 = 1;
    static const double f64 = 1;
    static const int64_t i64 = 1;
    static const bool yes = true;
    static const void *const one[AG_DTYPE_COUNT] = {&f32, &f64, &i64, &yes};
    const one_hot_attrs *a = ag_attrs(y);
    size_t element = ag_dtype_size(a->dtype);
    const int64_t *index = ag__indices(y, 0, a->num_classes);
    if (!index) return false;
    char *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * element);
    int64_t count = ag_size(ag_in(y, 0));
    for (int64_t k = 0; k < count; k++) {
        ag__copy_slab(out + (size_t)(k * a->num_classes + index[k]) * element, one[a->dtype], element);
    }
    return true;
}

const ag_op ag__op_one_hot = {
    .size = sizeof(ag_op),
    .name = "one_hot",
    .arity = 1,
    .inputs = "index",
    .flags = AG_FLAT,
    .attr_size = sizeof(one_hot_attrs),
    .attrs = one_hot_fields,
    .formula = "1 at index, else 0, along a new last axis",
    .shape = one_hot_shape,
    .run = one_hot_run,
};

ag_tensor *ag_one_hot(ag_tensor *index, int64_t num_classes, ag_dtype dtype) {
    one_hot_attrs a = {num_classes, dtype};
    return ag_apply(&ag__op_one_hot, &index, 1, &a);
}
