/* linear.c: the affine maps of layers, with the weights' layout of PyTorch's: outputs first.
 *
 *     linear      y[…, o] = Σ_i x[…, i] w[o, i] + bias[o]
 *     bilinear    y[…, o] = Σ_ij a[…, i] w[o, i, j] b[…, j] + bias[o] */
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static bool need_bias(ag_tensor *y, int i, const ag_tensor *w) {
    const ag_tensor *bias = ag_in(y, i);
    char b[AG__TEXT], text[AG__TEXT];
    if (!bias) return true;
    if (!ag_need_same_dtype(y, i, 0)) return false;
    bool fits = ag_rank(w) == 1 ? ag_rank(bias) == 0 : ag_rank(bias) == 1 && ag_dim(bias, 0) == ag_dim(w, 0);
    return fits || ag_op_fail(y, AG_ERR_SHAPE, "the bias %s must hold one value for each output of the weight %s",
                              ag_shape_text(bias, b, sizeof b), ag_shape_text(w, text, sizeof text));
}

static ag_tensor *plus(ag_tensor *x, ag_tensor *bias) { return bias ? ag_add(x, bias) : x; }

static ag_tensor *linear(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *w = ag_in(y, 1);
    char xs[AG__TEXT], ws[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    if (!ag_need_rank(y, 0, 1, AG_MAX_RANK) || !ag_need_rank(y, 1, 1, 2) || !need_bias(y, 2, w)) return NULL;
    if (ag_dim(x, -1) != ag_dim(w, -1)) {
        ag_op_fail(y, AG_ERR_SHAPE, "%s should have %lld features in its last axis, for %s",
                   ag_shape_text(x, xs, sizeof xs), (long long)ag_dim(w, -1), ag_shape_text(w, ws, sizeof ws));
        return NULL;
    }
    return plus(ag_matmul(x, ag_rank(w) == 2 ? ag_transpose(w, 0, 1) : w), ag_in(y, 2));
}

const ag_op ag__op_linear = {
    .size = sizeof(ag_op), .name = "linear", .arity = 2, .optional = 1, .formula = "x wᵀ + bias", .compose = linear};

ag_tensor *ag_linear(ag_tensor *x, ag_tensor *w, ag_tensor *bias) {
    return ag_apply(&ag__op_linear, (ag_tensor *[]){x, w, bias}, 3, NULL);
}

static bool same_leading(const ag_tensor *a, const ag_tensor *b) {
    bool same = ag_rank(a) == ag_rank(b);
    for (int i = 0; same && i < ag_rank(a) - 1; i++) same = ag_dim(a, i) == ag_dim(b, i);
    return same;
}

/* a (n, i) · w as (i, o j) → (n, o, j), times b (n, j, 1) */
static ag_tensor *bilinear(ag_tensor *y) {
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1), *w = ag_in(y, 2);
    char as[AG__TEXT], bs[AG__TEXT], ws[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2)) return NULL;
    if (!ag_need_rank(y, 0, 1, AG_MAX_RANK) || !ag_need_rank(y, 1, 1, AG_MAX_RANK) || !ag_need_rank(y, 2, 3, 3))
        return NULL;
    if (!need_bias(y, 3, w)) return NULL;
    if (!same_leading(a, b) || ag_dim(a, -1) != ag_dim(w, 1) || ag_dim(b, -1) != ag_dim(w, 2)) {
        ag_op_fail(y, AG_ERR_SHAPE, "%s and %s do not go with the weight %s", ag_shape_text(a, as, sizeof as),
                   ag_shape_text(b, bs, sizeof bs), ag_shape_text(w, ws, sizeof ws));
        return NULL;
    }
    int64_t n = 1, o = ag_dim(w, 0), i = ag_dim(w, 1), j = ag_dim(w, 2);
    ag_shape out = ag_shape_of(a);
    for (int k = 0; k < out.rank - 1; k++) n *= out.dim[k];
    out.dim[out.rank - 1] = o;
    ag_tensor *rows = ag_reshape(ag_permute(w, AG_AXES(1, 0, 2)), AG_SHAPE(i, o * j));
    ag_tensor *left = ag_reshape(ag_matmul(ag_reshape(a, AG_SHAPE(n, i)), rows), AG_SHAPE(n, o, j));
    return plus(ag_reshape(ag_matmul(left, ag_reshape(b, AG_SHAPE(n, j, 1))), out), ag_in(y, 3));
}

const ag_op ag__op_bilinear = {
    .size = sizeof(ag_op), .name = "bilinear", .arity = 3, .optional = 1, .formula = "aᵀ w b + bias", .compose = bilinear};

ag_tensor *ag_bilinear(ag_tensor *a, ag_tensor *b, ag_tensor *w, ag_tensor *bias) {
    return ag_apply(&ag__op_bilinear, (ag_tensor *[]){a, b, w, bias}, 4, NULL);
}
