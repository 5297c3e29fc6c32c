/* linear.c: the affine maps of layers, with the weights' layout of PyTorch's: outputs first.
 *
 *     linear      y[…, o] = Σ_i x[…, i] w[o, i] + bias[o]
 *     bilinear    y[…, o] = Σ_ij a[…, i] w[o, i, j] b[…, j] + bias[o] */
#include <string.h>

#include "ops/compose.h"
#include "ops/matmul.h"
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

static bool need_linear(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *w = ag_in(y, 1);
    char xs[AG__TEXT], ws[AG__TEXT];
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1)) return false;
    if (!ag_need_rank(y, 0, 1, AG_MAX_RANK) || !ag_need_rank(y, 1, 1, 2) || !need_bias(y, 2, w)) return false;
    return ag_dim(x, -1) == ag_dim(w, -1) ||
           ag_op_fail(y, AG_ERR_SHAPE, "%s should have %lld features in its last axis, for %s",
                      ag_shape_text(x, xs, sizeof xs), (long long)ag_dim(w, -1), ag_shape_text(w, ws, sizeof ws));
}

static ag_tensor *linear(ag_tensor *y) {
    ag_tensor *w = ag_in(y, 1);
    if (!need_linear(y)) return NULL;
    return plus(ag_matmul(ag_in(y, 0), ag_rank(w) == 2 ? ag_transpose(w, 0, 1) : w), ag_in(y, 2));
}

/* The kernel is for rows of x and a matrix w: one node, and no product without its bias in memory. */
static bool linear_plain(const ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0), *w = ag_in(y, 1);
    return ag_rank(x) > 1 && ag_rank(w) == 2;
}

static bool linear_shape(ag_tensor *y) {
    if (!need_linear(y)) return false;
    ag_shape s = ag_shape_of(ag_in(y, 0));
    s.dim[s.rank - 1] = ag_dim(ag_in(y, 1), 0);
    return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s);
}

static bool linear_run(ag_tensor *y) {
    const void *bias;
    if (!ag__dense(y, 2, &bias)) return false;
    size_t line = (size_t)ag_dim(y, -1) * ag_dtype_size(ag_dtype_of(y));
    char *out = ag_out_data(y, 0), *end = out + (size_t)ag_size(y) * ag_dtype_size(ag_dtype_of(y));
    for (; bias && out < end; out += line) memcpy(out, bias, line);
    return ag__matmul_into(y, true, bias != NULL);
}

/* (…, m, k) as one matrix of all its rows. */
static ag_tensor *rows_of(ag_tensor *x) { return ag_rank(x) > 2 ? ag_flatten(x, 0, -2) : x; }

/* ∂x = g w, ∂w = gᵀ x over all rows, ∂bias = Σ g */
static bool linear_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    if (ag_wants(y, 0) && !(d[0] = ag_matmul(g[0], ag_in(y, 1)))) return false;
    if (ag_wants(y, 1) && !(d[1] = ag_matmul(ag_transpose(rows_of(g[0]), 0, 1), rows_of(ag_in(y, 0))))) return false;
    if (ag_in(y, 2) && ag_wants(y, 2)) d[2] = g[0];
    return true;
}

/* ẏ = ẋ wᵀ + x ẇᵀ + ḃ */
static bool linear_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    ag_tensor *bias = ag_in(y, 2) ? tangent[2] : NULL;
    if (tangent[0]) {
        out[0] = ag_linear(tangent[0], ag_in(y, 1), bias);
        bias = NULL;
        if (!out[0]) return false;
    }
    if (tangent[1]) {
        ag_tensor *more = ag_linear(ag_in(y, 0), tangent[1], bias);
        bias = NULL;
        out[0] = out[0] && more ? ag_add(out[0], more) : more;
        if (!out[0]) return false;
    }
    if (bias) out[0] = ag_expand(bias, ag_shape_of(y));
    return true;
}

static double linear_flops(const ag_tensor *y) { return 2 * (double)ag_size(y) * (double)ag_dim(ag_in(y, 0), -1); }

const ag_op ag__op_linear = {
    .size = sizeof(ag_op),
    .name = "linear",
    .arity = 2,
    .optional = 1,
    .inputs = "x w bias",
    .formula = "x wᵀ + bias",
    .shape = linear_shape,
    .run = linear_run,
    .grad = linear_grad,
    .compose = linear,
    .plain = linear_plain,
    .jvp = linear_jvp,
    .flops = linear_flops,
};

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
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2)) return NULL;
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

AG__COMPOSED_BARE(bilinear, 3, "aᵀ w b + bias", bilinear, .optional = 1, .inputs = "a b w bias");

ag_tensor *ag_bilinear(ag_tensor *a, ag_tensor *b, ag_tensor *w, ag_tensor *bias) {
    return ag_apply(&ag__op_bilinear, (ag_tensor *[]){a, b, w, bias}, 4, NULL);
}
