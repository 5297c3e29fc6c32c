/* attention.c: scaled dot-product attention (Vaswani et al. 2017): softmax(scale q kᵀ + mask) v.
 *
 *     query (…,l,d)   key (…,s,d)   value (…,s,e)   ─▶   weights (…,l,s), whose rows add up to 1   ─▶   (…,l,e)
 *
 * A row that the mask leaves nothing of is NaN, as in PyTorch. */
#include <math.h>
#include <stddef.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct attention_attrs {
    double dropout_p, scale; /* scale NaN: 1 / √d */
    bool is_causal;
    int64_t part; /* 0: the result, 1: the weights */
} attention_attrs;

static const ag_attr_field attention_fields[] = {{"dropout_p", AG_ATTR_F64, offsetof(attention_attrs, dropout_p), "0"},
                                                 {"is_causal", AG_ATTR_BOOL, offsetof(attention_attrs, is_causal), "false"},
                                                 {"scale", AG_ATTR_F64, offsetof(attention_attrs, scale), "nan"},
                                                 {"part", AG_ATTR_I64, offsetof(attention_attrs, part), "0"},
                                                 {0}};

static bool need_attention(ag_tensor *y) {
    const attention_attrs *a = ag_attrs(y);
    const ag_tensor *q = ag_in(y, 0), *k = ag_in(y, 1), *v = ag_in(y, 2), *mask = ag_in(y, 3);
    char qs[AG__TEXT], ks[AG__TEXT], vs[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2)) return false;
    for (int i = 0; i < 3; i++) {
        if (!ag_need_rank(y, i, 2, AG_MAX_RANK)) return false;
    }
    if (ag_dim(q, -1) != ag_dim(k, -1) || ag_dim(k, -2) != ag_dim(v, -2)) {
        return ag_op_fail(
            y, AG_ERR_SHAPE, "query %s, key %s and value %s do not go together as (…,l,d), (…,s,d) and (…,s,e)",
            ag_shape_text(q, qs, sizeof qs), ag_shape_text(k, ks, sizeof ks), ag_shape_text(v, vs, sizeof vs));
    }
    if (mask && a->is_causal) return ag_op_fail(y, AG_ERR_ARGUMENT, "give attn_mask or is_causal=true, not both");
    if (a->part < 0 || a->part > 1)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "part is %lld: 0 is the result, 1 the weights", (long long)a->part);
    return !mask || ag_dtype_of(mask) == AG_BOOL || ag_need_same_dtype(y, 0, 3);
}

/* Where key s comes after query l */
static ag_tensor *later(const ag_tensor *q, const ag_tensor *k) {
    ag_tape *t = ag_tape_of(q);
    ag_tensor *l = ag_arange(t, AG_I64, 0, (double)ag_dim(q, -2), 1),
              *s = ag_arange(t, AG_I64, 0, (double)ag_dim(k, -2), 1);
    return ag_gt(s, ag_unsqueeze(l, 1));
}

static ag_tensor *attention_weights(ag_tensor *y) {
    const attention_attrs *a = ag_attrs(y);
    ag_tensor *q = ag_in(y, 0), *k = ag_in(y, 1), *mask = ag_in(y, 3), *hidden = NULL;
    double scale = isnan(a->scale) ? 1 / sqrt((double)ag_dim(q, -1)) : a->scale;
    ag_tensor *score = ag_matmul(ag_scale(q, scale), ag_transpose(k, -2, -1));
    if (a->is_causal) hidden = later(q, k);
    if (mask && ag_dtype_of(mask) == AG_BOOL) hidden = ag_logical_not(mask);
    if (hidden) score = ag_masked_fill(score, hidden, -(double)INFINITY);
    else if (mask) score = ag_add(score, mask);
    ag_tensor *w = ag_softmax(score, -1);
    return a->dropout_p != 0 ? ag_dropout(w, a->dropout_p) : w;
}

static ag_tensor *attention(ag_tensor *y) {
    if (!need_attention(y)) return NULL;
    ag_tensor *w = attention_weights(y);
    return ((const attention_attrs *)ag_attrs(y))->part ? w : ag_matmul(w, ag_in(y, 2));
}

AG__COMPOSED(scaled_dot_product_attention, 3, attention_attrs, attention_fields, "softmax(scale q kᵀ + mask) v",
             attention, .optional = 1, .inputs = "query key value attn_mask");

ag_tensor *ag_scaled_dot_product_attention(ag_tensor *query, ag_tensor *key, ag_tensor *value, ag_tensor *attn_mask,
                                           double dropout_p, bool is_causal, double scale, ag_tensor **weights) {
    ag_tensor *in[] = {query, key, value, attn_mask};
    attention_attrs a = {dropout_p, scale, is_causal, weights != NULL};
    ag_tensor *y = ag_apply(&ag__op_scaled_dot_product_attention, in, 4, &a);
    if (!weights) return y;
    *weights = y;
    return y ? ag_matmul(y, value) : NULL;
}
