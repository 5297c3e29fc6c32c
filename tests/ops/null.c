/* null.c: a public function that is given NULL, because something before it failed, says so and gives NULL. With no
 * tape at hand the thread remembers the message. */
#include <string.h>

#include "ops/ops.h"
#include "ops/property.h"

static void refused(ag_tape *t, ag_tensor *y, const char *call) {
    cr_assert_null(y, "%s gives a tensor", call);
    cr_assert(strlen(ag_last_message()) > 8, "%s gives no reason", call);
    ag_tape_clear(t);
}

#define REFUSED(call) refused(t, call, #call)
#define ONE(f) REFUSED(f(NULL))
#define TWO(f) REFUSED(f(NULL, NULL)), REFUSED(f(x, NULL)), REFUSED(f(NULL, x))

static void rows(ag_tape *t, ag_tensor *x) {
    TWO(ag_add);
    TWO(ag_sub);
    TWO(ag_mul);
    TWO(ag_div);
    TWO(ag_maximum);
    TWO(ag_minimum);
    TWO(ag_pow);
    TWO(ag_relu_grad);
    TWO(ag_eq);
    TWO(ag_ne);
    TWO(ag_lt);
    TWO(ag_le);
    TWO(ag_gt);
    TWO(ag_ge);
    ONE(ag_neg);
    ONE(ag_exp);
    ONE(ag_log);
    ONE(ag_sqrt);
    ONE(ag_square);
    ONE(ag_reciprocal);
    ONE(ag_abs);
    ONE(ag_sign);
    ONE(ag_sin);
    ONE(ag_cos);
    ONE(ag_erf);
    ONE(ag_tanh);
    ONE(ag_sigmoid);
    ONE(ag_relu);
    ONE(ag_gelu);
    REFUSED(ag_scale(NULL, 1));
    REFUSED(ag_add_scalar(NULL, 1));
    REFUSED(ag_pow_scalar(NULL, 1));
    REFUSED(ag_where(NULL, NULL, NULL));
    REFUSED(ag_where(NULL, x, x));
    REFUSED(ag_where(ag_eq(x, x), x, NULL));
    REFUSED(ag_cast(NULL, AG_F32));
}

static void more_rows(ag_tape *t, ag_tensor *x) {
    ONE(ag_exp2);
    ONE(ag_expm1);
    ONE(ag_log2);
    ONE(ag_log10);
    ONE(ag_log1p);
    ONE(ag_rsqrt);
    ONE(ag_cbrt);
    ONE(ag_entr);
    ONE(ag_tan);
    ONE(ag_asin);
    ONE(ag_acos);
    ONE(ag_atan);
    ONE(ag_sinh);
    ONE(ag_cosh);
    ONE(ag_asinh);
    ONE(ag_acosh);
    ONE(ag_atanh);
    ONE(ag_rad2deg);
    ONE(ag_deg2rad);
    ONE(ag_erfc);
    ONE(ag_logsigmoid);
    ONE(ag_softsign);
    ONE(ag_tanhshrink);
    ONE(ag_relu6);
    ONE(ag_hardsigmoid);
    ONE(ag_hardswish);
    ONE(ag_selu);
    ONE(ag_gelu_tanh);
    ONE(ag_silu);
    ONE(ag_mish);
    ONE(ag_floor);
    ONE(ag_ceil);
    ONE(ag_round);
    ONE(ag_trunc);
    ONE(ag_frac);
    ONE(ag_logical_not);
    ONE(ag_isnan);
    ONE(ag_isinf);
    ONE(ag_isfinite);
    ONE(ag_isposinf);
    ONE(ag_isneginf);
    ONE(ag_signbit);
    ONE(ag_bitwise_not);
    TWO(ag_floor_divide);
    TWO(ag_remainder);
    TWO(ag_fmod);
    TWO(ag_fmax);
    TWO(ag_fmin);
    TWO(ag_hypot);
    TWO(ag_copysign);
    TWO(ag_heaviside);
    TWO(ag_logaddexp);
    TWO(ag_logaddexp2);
    TWO(ag_logaddexp_weight);
    TWO(ag_xlogy);
    TWO(ag_xlog1py);
    TWO(ag_hardswish_grad);
    TWO(ag_gelu_grad);
    TWO(ag_gelu_tanh_grad);
    TWO(ag_silu_grad);
    TWO(ag_mish_grad);
    TWO(ag_logical_and);
    TWO(ag_logical_or);
    TWO(ag_logical_xor);
    TWO(ag_bitwise_and);
    TWO(ag_bitwise_or);
    TWO(ag_bitwise_xor);
    REFUSED(ag_leaky_relu(NULL, 1));
    REFUSED(ag_softshrink(NULL, 1));
    REFUSED(ag_hardshrink(NULL, 1));
    REFUSED(ag_elu(NULL, 1));
    REFUSED(ag_celu(NULL, 1));
    REFUSED(ag_logit(NULL, 1));
    REFUSED(ag_leaky_relu_grad(NULL, x, 1));
    REFUSED(ag_leaky_relu_grad(x, NULL, 1));
    REFUSED(ag_threshold_grad(NULL, x, 1));
    REFUSED(ag_threshold_grad(x, NULL, 1));
    REFUSED(ag_shrink_grad(NULL, x, 1));
    REFUSED(ag_shrink_grad(x, NULL, 1));
    REFUSED(ag_elu_grad(NULL, x, 1));
    REFUSED(ag_elu_grad(x, NULL, 1));
    REFUSED(ag_celu_grad(NULL, x, 1));
    REFUSED(ag_celu_grad(x, NULL, 1));
    REFUSED(ag_clamp(NULL, 0, 1));
    REFUSED(ag_softplus(NULL, 0, 1));
    REFUSED(ag_hardtanh(NULL, 0, 1));
    REFUSED(ag_threshold(NULL, 0, 1));
    REFUSED(ag_clamp_grad(x, NULL, 0, 1));
    REFUSED(ag_hardtanh_grad(x, NULL, 0, 1));
    REFUSED(ag_maximum_grad(NULL, x, x));
    REFUSED(ag_maximum_grad(x, NULL, x));
    REFUSED(ag_maximum_grad(x, x, NULL));
}

static void shapes(ag_tape *t, ag_tensor *x) {
    REFUSED(ag_sum(NULL, AG_ALL, false));
    REFUSED(ag_mean(NULL, AG_ALL, false));
    REFUSED(ag_max(NULL, AG_ALL, false));
    REFUSED(ag_sum_to(NULL, AG_SHAPE()));
    REFUSED(ag_reshape(NULL, AG_SHAPE(-1)));
    REFUSED(ag_permute(NULL, AG_AXES(0)));
    REFUSED(ag_transpose(NULL, 0, 1));
    REFUSED(ag_swapaxes(NULL, 0, 1));
    REFUSED(ag_movedim(NULL, AG_AXES(0), AG_AXES(1)));
    REFUSED(ag_squeeze(NULL, AG_ALL));
    REFUSED(ag_unsqueeze(NULL, 0));
    REFUSED(ag_flatten(NULL, 0, 1));
    REFUSED(ag_unflatten(NULL, 0, AG_SHAPE(1)));
    REFUSED(ag_broadcast_to(NULL, AG_SHAPE(1)));
    REFUSED(ag_expand(NULL, AG_SHAPE(2)));
    REFUSED(ag_slice(NULL, 0, 0, 1, 1));
    REFUSED(ag_unslice(NULL, AG_SHAPE(3), 0, 0, 1, 1));
    REFUSED(ag_select(NULL, 0, 0));
    REFUSED(ag_narrow(NULL, 0, 0, 1));
    REFUSED(ag_flip(NULL, AG_ALL));
    ONE(ag_fliplr);
    ONE(ag_flipud);
    REFUSED(ag_rot90(NULL, 1, AG_AXES(0, 1)));
    REFUSED(ag_diagonal(NULL, 0, 0, 1));
    REFUSED(ag_undiagonal(NULL, AG_SHAPE(2, 2), 0, 0, 1));
    REFUSED(ag_diag_embed(NULL, 0, 0, 1));
    REFUSED(ag_diag(NULL, 0));
    REFUSED(ag_diagflat(NULL, 0));
    REFUSED(ag_triu(NULL, 0));
    REFUSED(ag_unfold(NULL, 0, 1, 1));
    REFUSED(ag_unfold_add(NULL, AG_SHAPE(2), 0, 1, 1));
    REFUSED(ag_tile(NULL, AG_SHAPE(2)));
    REFUSED(ag_repeat(NULL, AG_SHAPE(2)));
    REFUSED(ag_repeat_interleave(NULL, 2, AG_ALL));
    REFUSED(ag_repeat_interleave_counts(x, NULL, AG_ALL, 2));
    REFUSED(ag_repeat_interleave_counts(NULL, NULL, AG_ALL, 2));
    REFUSED(ag_repeat_index(NULL, 2));
    REFUSED(ag_roll(NULL, AG_SHAPE(1), AG_ALL));
    REFUSED(ag_pad(NULL, AG_SHAPE(1, 1), AG_PAD_CONSTANT, 0));
    REFUSED(ag_pad(x, AG_SHAPE(1, 1), (ag_pad_mode)9, 0));
    REFUSED(ag_unpad(NULL, AG_SHAPE(1), AG_SHAPE(1, 1), AG_PAD_REFLECT));
    REFUSED(ag_full_like(NULL, 1));
    ONE(ag_zeros_like);
    ONE(ag_ones_like);
    REFUSED(ag_arange(NULL, AG_F32, 0, 1, 1));
    REFUSED(ag_linspace(NULL, AG_F32, 0, 1, 2));
    REFUSED(ag_eye(NULL, AG_F32, 2, 2));
    REFUSED(ag_eye(t, (ag_dtype)9, 2, 2));
    REFUSED(ag_contiguous(NULL));
    REFUSED(ag_alias(NULL));
    REFUSED(ag_detach(NULL));
    ag_tensor *pair[2] = {x, NULL}, *none[2] = {NULL, NULL};
    REFUSED(ag_stack(pair, 2, 0));
    REFUSED(ag_stack(NULL, 2, 0));
    REFUSED(ag_hstack(none, 2));
    REFUSED(ag_vstack(pair, 2));
    REFUSED(ag_column_stack(NULL, 1));
    REFUSED(ag_dstack(pair, 0));
    REFUSED(ag_concat(pair, 2, 0));
    REFUSED(ag_concat(none, 2, 0));
    REFUSED(ag_concat(NULL, 2, 0));
    REFUSED(ag_concat(pair, 0, 0));
    REFUSED(ag_concat(pair, -1, 0));
}

static ag_tensor *sorted(ag_tensor *a, ag_tensor *b) { return ag_searchsorted(a, b, false); }

static void indexing(ag_tape *t, ag_tensor *x, ag_tensor *index) {
    ag_tensor *best = x;
    REFUSED(ag_take(NULL, index, 0));
    REFUSED(ag_take(x, NULL, 0));
    REFUSED(ag_take(NULL, NULL, 0));
    REFUSED(ag_take_add(NULL, index, AG_SHAPE(2), 0));
    REFUSED(ag_take_add(x, NULL, AG_SHAPE(2), 0));
    REFUSED(ag_embedding(NULL, index));
    REFUSED(ag_embedding(x, NULL));
    REFUSED(ag_gather(NULL, 0, index));
    REFUSED(ag_gather(x, 0, NULL));
    REFUSED(ag_gather_add(NULL, 0, index, AG_SHAPE(2)));
    REFUSED(ag_gather_add(x, 0, NULL, AG_SHAPE(2)));
    REFUSED(ag_index_select(x, 0, NULL));
    REFUSED(ag_index_add(x, 0, index, NULL, 1));
    REFUSED(ag_index_copy(x, 0, index, NULL));
    REFUSED(ag_index_fill(NULL, 0, index, 1));
    REFUSED(ag_embedding_padded(NULL, index, 0));
    REFUSED(ag_scatter(NULL, 0, index, x));
    REFUSED(ag_scatter(x, 0, NULL, x));
    REFUSED(ag_scatter(x, 0, index, NULL));
    REFUSED(ag_scatter(NULL, 0, NULL, NULL));
    REFUSED(ag_scatter_value(NULL, 0, index, 1));
    REFUSED(ag_scatter_value(x, 0, NULL, 1));
    REFUSED(ag_scatter_pick(x, 0, NULL));
    REFUSED(ag_scatter_add(x, 0, index, NULL));
    REFUSED(ag_take_along_axis(x, NULL, 0));
    REFUSED(ag_put_along_axis(x, index, NULL, 0));
    REFUSED(ag_flatnonzero(NULL, 1));
    REFUSED(ag_nonzero(NULL, 1));
    REFUSED(ag_masked_select(x, NULL, 1));
    REFUSED(ag_masked_scatter(x, NULL, x));
    REFUSED(ag_mask_rank(NULL, 1));
    TWO(sorted);
    REFUSED(ag_bucketize(x, NULL, true));
    REFUSED(ag_one_hot(NULL, 2, AG_F32));
    REFUSED(ag_topk(NULL, 1, 0, &best));
    cr_assert_null(best);
    best = x;
    cr_assert_null(ag_topk(x, 99, 0, &best));
    cr_assert_null(best);
    ag_tape_clear(t);
}

static void others(ag_tape *t, ag_tensor *x, ag_tensor *index) {
    REFUSED(ag_softmax(NULL, 0));
    REFUSED(ag_softmax_grad(NULL, x, 0));
    REFUSED(ag_softmax_grad(x, NULL, 0));
    REFUSED(ag_log_softmax(NULL, 0));
    REFUSED(ag_log_softmax_grad(NULL, x, 0));
    REFUSED(ag_log_softmax_grad(x, NULL, 0));
    REFUSED(ag_cross_entropy(NULL, index));
    REFUSED(ag_cross_entropy(x, NULL));
    REFUSED(ag_cross_entropy(NULL, NULL));
    REFUSED(ag_cross_entropy_grad(NULL, x, index, -100));
    REFUSED(ag_cross_entropy_with(x, NULL, NULL, NULL));
    REFUSED(ag_nll_loss(NULL, index, x, AG_MEAN, -100));
    REFUSED(ag_nll_pick(x, NULL, -100));
    REFUSED(ag_mse_loss_with(NULL, x, AG_SUM));
    REFUSED(ag_l1_loss(x, NULL, AG_MEAN));
    REFUSED(ag_huber_loss(NULL, x, AG_MEAN, 1));
    REFUSED(ag_smooth_l1_loss(x, NULL, AG_MEAN, 1));
    TWO(ag_bce);
    TWO(ag_bce_logits);
    REFUSED(ag_binary_cross_entropy(NULL, x, x, AG_MEAN));
    REFUSED(ag_binary_cross_entropy_with_logits(x, NULL, NULL, x, AG_MEAN));
    REFUSED(ag_soft_margin_loss(x, NULL, AG_MEAN));
    REFUSED(ag_multilabel_soft_margin_loss(NULL, x, NULL, AG_MEAN));
    REFUSED(ag_kl_div(x, NULL, AG_MEAN, false));
    REFUSED(ag_poisson_nll_loss(NULL, x, NULL));
    REFUSED(ag_gaussian_nll_loss(x, x, NULL, NULL));
    REFUSED(ag_hinge_embedding_loss(NULL, x, AG_MEAN, 1));
    REFUSED(ag_margin_ranking_loss(x, x, NULL, AG_MEAN, 0));
    REFUSED(ag_cosine_embedding_loss(NULL, x, x, AG_MEAN, 0));
    REFUSED(ag_multi_margin_loss(x, NULL, NULL, NULL));
    REFUSED(ag_multilabel_margin_loss(NULL, index, AG_MEAN));
    REFUSED(ag_triplet_margin_loss(x, NULL, x, NULL));
    REFUSED(ag_normalize(NULL, 2, 0, 1e-12));
    REFUSED(ag_cosine_similarity(x, NULL, 0, 1e-8));
    REFUSED(ag_pairwise_distance(NULL, x, 2, 1e-6, false));
    REFUSED(ag_cdist(x, NULL, 2));
    TWO(ag_mse_loss);
    TWO(ag_matmul);
    TWO(ag_mm);
    TWO(ag_bmm);
    TWO(ag_mv);
    TWO(ag_dot);
    TWO(ag_vdot);
    TWO(ag_inner);
    TWO(ag_outer);
    TWO(ag_kron);
    REFUSED(ag_vecdot(NULL, x, 0));
    REFUSED(ag_cross(x, NULL, 0));
    REFUSED(ag_addmm(x, NULL, x, 1, 1));
    REFUSED(ag_addmv(NULL, NULL, NULL, 1, 1));
    REFUSED(ag_baddbmm(NULL, x, x, 1, 1));
    REFUSED(ag_linear(x, NULL, x));
    REFUSED(ag_linear(NULL, x, NULL));
    REFUSED(ag_bilinear(x, x, NULL, NULL));
    REFUSED(ag_tensordot(x, NULL, 1));
    REFUSED(ag_tensordot_axes(NULL, x, AG_AXES(0), AG_AXES(0)));
    REFUSED(ag_multi_dot(NULL, 2));
    REFUSED(ag_multi_dot(&x, 0));
    REFUSED(ag_chain_matmul((ag_tensor *[]){x, NULL}, 2));
    REFUSED(ag_trace(NULL, 0, 0, 1));
    REFUSED(ag_einsum(NULL, &x, 1));
    REFUSED(ag_einsum("i", NULL, 1));
    REFUSED(ag_einsum("i,i", (ag_tensor *[]){x, NULL}, 2));
    REFUSED(ag_einsum("i", (ag_tensor *[]){NULL}, 1));
    REFUSED(ag_batch_norm(NULL, x, x, x, x, true, 0.1, 1e-5));
    REFUSED(ag_batch_norm(x, NULL, x, x, x, true, 0.1, 1e-5));
    REFUSED(ag_batch_norm(x, x, NULL, x, x, false, 0.1, 1e-5));
    REFUSED(ag_batch_norm(x, x, x, NULL, x, false, 0.1, 1e-5));
    REFUSED(ag_batch_norm(NULL, NULL, NULL, NULL, NULL, false, 0.1, 1e-5));
    TWO(ag_assign);
    REFUSED(ag_lerp_into(NULL, x, 1));
    REFUSED(ag_lerp_into(x, NULL, 1));
    REFUSED(ag_conv2d(NULL, x, NULL));
    REFUSED(ag_conv2d(x, NULL, NULL));
    REFUSED(ag_conv2d(NULL, NULL, NULL));
    REFUSED(ag_conv2d_input(NULL, x, AG_SHAPE(1, 1, 1, 1), NULL));
    REFUSED(ag_conv2d_input(x, NULL, AG_SHAPE(1, 1, 1, 1), NULL));
    REFUSED(ag_conv2d_weight(NULL, x, AG_SHAPE(1, 1, 1, 1), NULL));
    REFUSED(ag_conv2d_weight(x, NULL, AG_SHAPE(1, 1, 1, 1), NULL));
    REFUSED(ag_tril(NULL, 0));
    ONE(ag_cholesky);
    REFUSED(ag_solve_triangular(NULL, x, false, false));
    REFUSED(ag_solve_triangular(x, NULL, false, false));
    REFUSED(ag_dropout(NULL, 0.5));
    REFUSED(ag_dropout_mask(NULL, AG_F32, AG_SHAPE(2), 0.5));
}

Test(ops, null) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE(2)), *index = ag_buffer(t, AG_I64, AG_SHAPE(2));
    int64_t size = ag_tape_size(t);
    rows(t, x);
    more_rows(t, x);
    cr_assert_eq(ag_tape_size(t), size + 1); /* the condition made for where */
    shapes(t, x);
    indexing(t, x, index);
    cr_assert_eq(ag_tape_size(t), size + 1);
    others(t, x, index);
    cr_assert_not_null(ag_add(x, x));
    ag_tape_free(t);
}

/* While an error stands every call gives NULL at once, records nothing, and does not replace the message. */
Test(ops, an_error_stands) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE(2)), *odd = ag_buffer(t, AG_F32, AG_SHAPE(3));
    cr_assert_null(ag_sum(ag_tanh(ag_matmul(ag_add(x, odd), x)), AG_ALL, false));
    assert_error(t, AG_ERR_SHAPE, "add: shapes do not broadcast");
    cr_assert_null(ag_add(x, odd));
    cr_assert_null(ag_add(x, x));
    cr_assert_null(ag_dropout_mask(t, AG_F32, AG_SHAPE(2), 0.5));
    cr_assert_eq(ag_tape_size(t), 0);
    assert_error(t, AG_ERR_SHAPE, "add: ");
    assert_values(ag_add(x, x), 0, 0, 0);
    ag_tape_free(t);
}
