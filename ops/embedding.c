/* embedding.c: class numbers as rows of a table, and as rows of a unit matrix.
 *
 *     index 2  ─ embedding ─▶  weight[2]          index 2  ─ one_hot ─▶  0 0 1 0 … */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct embedding_attrs {
    int64_t padding_idx; /* AG_END: none */
    double max_norm;     /* NaN: none */
    double norm_type;
    bool scale_grad_by_freq, sparse;
} embedding_attrs;

static const ag_attr_field embedding_fields[] = {
    {"padding_idx", AG_ATTR_I64, offsetof(embedding_attrs, padding_idx), "end"},
    {"max_norm", AG_ATTR_F64, offsetof(embedding_attrs, max_norm), "nan"},
    {"norm_type", AG_ATTR_F64, offsetof(embedding_attrs, norm_type), "2"},
    {"scale_grad_by_freq", AG_ATTR_BOOL, offsetof(embedding_attrs, scale_grad_by_freq), "false"},
    {"sparse", AG_ATTR_BOOL, offsetof(embedding_attrs, sparse), "false"}, /* gradients never are */
    {0}};

/* The rows that index counts to from either end. */
static ag_tensor *pads(ag_tensor *y, int64_t padding) {
    ag_tensor *index = ag_in(y, 1);
    int64_t n = ag_dim(ag_in(y, 0), 0), at = padding < 0 ? padding + n : padding;
    if (at < 0 || at >= n) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "padding_idx %lld is not a row of %lld", (long long)padding, (long long)n);
        return NULL;
    }
    ag_tensor *forth = ag_sub(index, ag_scalar(ag_tape_of(y), AG_I64, (double)at));
    ag_tensor *back = ag_sub(index, ag_scalar(ag_tape_of(y), AG_I64, (double)(at - n)));
    return ag_eq(ag_mul(forth, back), ag_scalar(ag_tape_of(y), AG_I64, 0));
}

/* The rows as they are, with a gradient that is shared by those of one index: of rows + (rows − rows) / count. */
static ag_tensor *by_frequency(ag_tensor *rows, ag_tensor *index, int64_t n) {
    ag_tensor *one = ag_full(ag_tape_of(rows), ag_dtype_of(rows), ag_shape_of(index), 1), *same = ag_detach(rows);
    ag_tensor *count = ag_take(ag_take_add(one, index, AG_SHAPE(n), 0), index, 0);
    return ag_add(same, ag_div(ag_sub(rows, same), ag_unsqueeze(count, -1)));
}

/* Where the index is that of the padding, the row is taken as a constant. */
static ag_tensor *embedding(ag_tensor *y) {
    const embedding_attrs *a = ag_attrs(y);
    ag_tensor *weight = ag_in(y, 0), *index = ag_in(y, 1), *padded = NULL;
    if (!ag_need_rank(y, 0, 2, 2) || !ag_need_dtype(y, 1, AG_I64)) return NULL;
    if (a->padding_idx != AG_END && !(padded = pads(y, a->padding_idx))) return NULL;
    ag_tensor *rows = ag_take(weight, index, 0);
    if (rows && a->max_norm == a->max_norm) {
        ag_tensor *list = ag_reshape(rows, AG_SHAPE(ag_size(index), ag_dim(weight, 1)));
        rows = ag_reshape(ag_renorm(list, a->norm_type, 0, a->max_norm), ag_shape_of(rows));
    }
    if (a->scale_grad_by_freq) rows = by_frequency(rows, index, ag_dim(weight, 0));
    return padded ? ag_where(ag_unsqueeze(padded, -1), ag_detach(rows), rows) : rows;
}

AG__COMPOSED(embedding, 2, embedding_attrs, embedding_fields, "weight[index]", embedding, .inputs = "weight index");

ag_embedding_options ag_embedding_defaults(void) {
    return (ag_embedding_options){
        .size = sizeof(ag_embedding_options), .padding_idx = AG_END, .max_norm = (double)NAN, .norm_type = 2};
}

ag_tensor *ag_embedding_with(ag_tensor *weight, ag_tensor *index, const ag_embedding_options *options) {
    ag_embedding_options o = ag_embedding_defaults();
    if (!ag__take_options(weight, "embedding", &o, sizeof o, options)) return NULL;
    return ag_apply(&ag__op_embedding, (ag_tensor *[]){weight, index}, 2,
                    &(embedding_attrs){o.padding_idx, o.max_norm, o.norm_type, o.scale_grad_by_freq, false});
}

ag_tensor *ag_embedding(ag_tensor *weight, ag_tensor *index) { return ag_embedding_with(weight, index, NULL); }

ag_tensor *ag_embedding_padded(ag_tensor *weight, ag_tensor *index, int64_t padding_idx) {
    ag_embedding_options o = ag_embedding_defaults();
    o.padding_idx = padding_idx;
    return ag_embedding_with(weight, index, &o);
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
