/* mask.c: what a mask chooses, as a list. No shape depends on values: how many there are is said, and another number is an
 * error.
 *
 *     mask 0 1 1 0 1, count 3:   flatnonzero 1 2 4       masked_select: x at those places
 *                                mask_rank   0 0 1 0 2   masked_scatter: source at those ranks, where the mask is set */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct count_attrs {
    int64_t count;
} count_attrs;

static const ag_attr_field count_fields[] = {{"count", AG_ATTR_I64, offsetof(count_attrs, count), NULL}, {0}};

static bool need_count(ag_tensor *y, int64_t count) {
    return count >= 0 || ag_op_fail(y, AG_ERR_ARGUMENT, "count is %lld", (long long)count);
}

static bool is_set(const void *x, ag_dtype dtype, int64_t i) {
    switch (dtype) {
    case AG_F32: return ((const float *)x)[i] != 0;
    case AG_F64: return ((const double *)x)[i] != 0;
    case AG_I64: return ((const int64_t *)x)[i] != 0;
    default: return ((const bool *)x)[i];
    }
}

/* The row-major places of what is not 0, or with rank > 0 their coordinates. */
static bool list_places(ag_tensor *y, int rank) {
    const ag_tensor *x = ag_in(y, 0);
    const void *data = ag_op_dense(y, 0);
    int64_t *out = ag_out_data(y, 0), count = ((const count_attrs *)ag_attrs(y))->count, found = 0;
    if (!data && ag_size(x)) return false;
    for (int64_t i = 0; i < ag_size(x); i++) {
        if (!is_set(data, ag_dtype_of(x), i) || found++ >= count) continue;
        if (rank < 0) *out++ = i;
        int64_t rest = i;
        for (int k = rank - 1; k >= 0; k--) {
            out[k] = rest % ag_dim(x, k);
            rest /= ag_dim(x, k);
        }
        if (rank > 0) out += rank;
    }
    return found == count || ag_op_fail(y, AG_ERR_VALUE, "%lld element(s) are not 0, but count is %lld",
                                        (long long)found, (long long)count);
}

static bool flat_shape(ag_tensor *y) {
    int64_t count = ((const count_attrs *)ag_attrs(y))->count;
    return need_count(y, count) && ag_out_shape(y, 0, AG_I64, AG_SHAPE(count));
}

static bool flat_run(ag_tensor *y) { return list_places(y, -1); }

static bool nonzero_shape(ag_tensor *y) {
    int64_t count = ((const count_attrs *)ag_attrs(y))->count;
    return need_count(y, count) && ag_out_shape(y, 0, AG_I64, AG_SHAPE(count, ag_rank(ag_in(y, 0))));
}

static bool nonzero_run(ag_tensor *y) { return list_places(y, ag_rank(ag_in(y, 0))); }

const ag_op ag__op_flatnonzero = {
    .size = sizeof(ag_op),
    .name = "flatnonzero",
    .arity = 1,
    .flags = AG_FLAT,
    .attr_size = sizeof(count_attrs),
    .attrs = count_fields,
    .formula = "the row-major places of what is not 0",
    .shape = flat_shape,
    .run = flat_run,
};

const ag_op ag__op_nonzero = {
    .size = sizeof(ag_op),
    .name = "nonzero",
    .arity = 1,
    .flags = AG_FLAT,
    .attr_size = sizeof(count_attrs),
    .attrs = count_fields,
    .formula = "the coordinates of what is not 0, a row each",
    .shape = nonzero_shape,
    .run = nonzero_run,
};

ag_tensor *ag_flatnonzero(ag_tensor *x, int64_t count) {
    return ag_apply(&ag__op_flatnonzero, &x, 1, &(count_attrs){count});
}
ag_tensor *ag_nonzero(ag_tensor *x, int64_t count) { return ag_apply(&ag__op_nonzero, &x, 1, &(count_attrs){count}); }

static ag_tensor *masked_select(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *mask = ag_in(y, 1);
    ag_shape s;
    if (!ag_need_dtype(y, 1, AG_BOOL) || !ag_broadcast(y, x, mask, &s)) return NULL;
    ag_tensor *places = ag_flatnonzero(ag_expand(mask, s), ((const count_attrs *)ag_attrs(y))->count);
    return ag_take(ag_flatten(ag_expand(x, s), 0, -1), places, 0);
}

AG__COMPOSED(masked_select, 2, count_attrs, count_fields, "the elements of x where mask is set", masked_select,
             .inputs = "x mask");

ag_tensor *ag_masked_select(ag_tensor *x, ag_tensor *mask, int64_t count) {
    return ag_apply(&ag__op_masked_select, (ag_tensor *[]){x, mask}, 2, &(count_attrs){count});
}

typedef struct rank_attrs {
    int64_t limit;
} rank_attrs;

static const ag_attr_field rank_fields[] = {{"limit", AG_ATTR_I64, offsetof(rank_attrs, limit), "end"}, {0}};

static bool rank_shape(ag_tensor *y) {
    return ag_need_dtype(y, 0, AG_BOOL) && ag_out_shape(y, 0, AG_I64, ag_shape_of(ag_in(y, 0)));
}

static bool rank_run(ag_tensor *y) {
    int64_t limit = ((const rank_attrs *)ag_attrs(y))->limit, *out = ag_out_data(y, 0), found = 0;
    const bool *mask = ag_op_dense(y, 0);
    if (!mask && ag_size(y)) return false;
    for (int64_t i = 0; i < ag_size(y); i++) {
        out[i] = mask[i] ? found : 0;
        found += mask[i];
    }
    return found <= limit ||
           ag_op_fail(y, AG_ERR_VALUE, "%lld element(s) of the mask are set, but there are only %lld for them",
                      (long long)found, (long long)limit);
}

const ag_op ag__op_mask_rank = {
    .size = sizeof(ag_op),
    .name = "mask_rank",
    .arity = 1,
    .inputs = "mask",
    .flags = AG_FLAT,
    .attr_size = sizeof(rank_attrs),
    .attrs = rank_fields,
    .formula = "how many before it are set, where mask is set; else 0",
    .shape = rank_shape,
    .run = rank_run,
};

ag_tensor *ag_mask_rank(ag_tensor *mask, int64_t limit) {
    return ag_apply(&ag__op_mask_rank, &mask, 1, &(rank_attrs){limit});
}

static ag_tensor *masked_scatter(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *mask = ag_in(y, 1), *source = ag_in(y, 2);
    ag_shape s;
    if (!ag_need_dtype(y, 1, AG_BOOL) || !ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 2) ||
        !ag_broadcast(y, x, mask, &s))
        return NULL;
    ag_tensor *rank = ag_mask_rank(ag_expand(mask, s), ag_size(source));
    if (!rank || ag_size(source) == 0) return rank ? ag_expand(x, s) : NULL; /* then nothing is set */
    return ag_where(mask, ag_take(ag_reshape(source, AG_SHAPE(ag_size(source))), rank, 0), x);
}

AG__COMPOSED_BARE(masked_scatter, 3, "x with the elements of source in turn where mask is set", masked_scatter,
                  .inputs = "x mask source");

ag_tensor *ag_masked_scatter(ag_tensor *x, ag_tensor *mask, ag_tensor *source) {
    return ag_apply(&ag__op_masked_scatter, (ag_tensor *[]){x, mask, source}, 3, NULL);
}
