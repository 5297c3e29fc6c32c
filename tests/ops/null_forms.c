/* null_forms.c: NULL given to forms that further attributes or inputs choose, to reductions and scans, and to functions that
 * give several tensors. */
#include "ops/null.h"
#include "ops/ops.h"

static void blends(ag_tape *t, ag_tensor *x) {
    REFUSED(ag_add_scaled(NULL, x, 2));
    REFUSED(ag_sub_scaled(x, NULL, 2));
    REFUSED(ag_rsub(NULL, x, 1));
    REFUSED(ag_div_rounded(x, NULL, AG_ROUND_FLOOR));
    REFUSED(ag_round_decimals(NULL, 1));
    REFUSED(ag_gelu_approximate(NULL, true));
    REFUSED(ag_clamp_between(NULL, x, x));
    REFUSED(ag_clamp_min(NULL, 0));
    REFUSED(ag_clamp_max(NULL, 0));
    REFUSED(ag_lerp(NULL, x, x));
    REFUSED(ag_lerp(x, NULL, x));
    REFUSED(ag_lerp(x, x, NULL));
    REFUSED(ag_mix(x, x, NULL));
    REFUSED(ag_lerp_scalar(x, NULL, 0.5));
    REFUSED(ag_addcmul(NULL, x, x, 1));
    REFUSED(ag_addcmul(x, NULL, x, 1));
    REFUSED(ag_addcdiv(x, x, NULL, 1));
    TWO(ag_atan2);
    TWO(ag_prelu);
    REFUSED(ag_glu(NULL, 0));
    REFUSED(ag_isclose(NULL, x, 0, 0, false));
    REFUSED(ag_isclose(x, NULL, 0, 0, false));
    REFUSED(ag_allclose(x, NULL, 0, 0, false));
    REFUSED(ag_isin(NULL, x, true));
    REFUSED(ag_ldexp(x, NULL));
    ONE(ag_ndtr);
    ONE(ag_angle);
    REFUSED(ag_mvlgamma(NULL, 1));
    REFUSED(ag_logspace(NULL, AG_F32, 0, 1, 2, 10));
    REFUSED(ag_tril_indices(NULL, 2, 2, 0));
    REFUSED(ag_triu_indices(NULL, 2, 2, 0));
    REFUSED(ag_masked_fill(NULL, ag_eq(x, x), 0));
    REFUSED(ag_masked_fill(x, NULL, 0));
    REFUSED(ag_masked_fill_tensor(x, ag_eq(x, x), NULL));
    REFUSED(ag_nan_to_num(NULL, 0, 0, 0));
    REFUSED(ag_dist(NULL, x, 2));
    REFUSED(ag_dist(x, NULL, 2));
}

static void reductions(ag_tape *t, ag_tensor *x) {
    ag_tensor *index = x;
    REFUSED(ag_prod(NULL, AG_ALL, false));
    REFUSED(ag_min(NULL, AG_ALL, false));
    REFUSED(ag_amax(NULL, AG_ALL, false));
    REFUSED(ag_amin(NULL, AG_ALL, false));
    REFUSED(ag_nansum(NULL, AG_ALL, false));
    REFUSED(ag_nanmean(NULL, AG_ALL, false));
    REFUSED(ag_any(NULL, AG_ALL, false));
    REFUSED(ag_all(NULL, AG_ALL, false));
    REFUSED(ag_count_nonzero(NULL, AG_ALL, false));
    REFUSED(ag_argmax(NULL, AG_ALL, false));
    REFUSED(ag_argmin(NULL, AG_ALL, false));
    REFUSED(ag_var(NULL, AG_ALL, 1, false));
    REFUSED(ag_std(NULL, AG_ALL, 1, false));
    REFUSED(ag_var_mean(NULL, AG_ALL, 1, false, NULL));
    REFUSED(ag_std_mean(NULL, AG_ALL, 1, false, NULL));
    REFUSED(ag_logsumexp(NULL, AG_ALL, false));
    REFUSED(ag_norm(NULL, 2, AG_ALL, false));
    REFUSED(ag_vector_norm(NULL, 2, AG_ALL, false));
    REFUSED(ag_masked_mean(x, NULL, AG_ALL, false));
    REFUSED(ag_masked_var(NULL, x, AG_ALL, 1, false));
    REFUSED(ag_masked_std(x, NULL, AG_ALL, 1, false));
    REFUSED(ag_prod_others(NULL, 0));
    REFUSED(ag_cumsum(NULL, 0));
    REFUSED(ag_cumprod(NULL, 0));
    REFUSED(ag_logcumsumexp(NULL, 0));
    REFUSED(ag_cummax(NULL, 0, &index));
    REFUSED(ag_cummin(NULL, 0, NULL));
    cr_assert_null(index);
    REFUSED(ag_diff(NULL, 1, 0, x, NULL));
    REFUSED(ag_trapezoid(NULL, x, 1, 0));
    REFUSED(ag_cumulative_trapezoid(NULL, NULL, 1, 0));
    REFUSED(ag_prod_others_with(x, NULL, 0));
    REFUSED(ag_mul_shifted(x, NULL, 0, 0, -1, true));
    REFUSED(ag_linear_scan(NULL, x, 0, false));
    REFUSED(ag_linear_scan(x, NULL, 0, false));
}

static void shapes(ag_tape *t, ag_tensor *x) {
    TWO(ag_expand_as);
    TWO(ag_reshape_as);
    ONE(ag_t);
    ONE(ag_atleast_1d);
    ONE(ag_atleast_2d);
    ONE(ag_atleast_3d);
    REFUSED(ag_pixel_shuffle(NULL, 2));
    REFUSED(ag_pixel_unshuffle(NULL, 2));
}

/* Functions that give several tensors give NULL, without their array too. */
static void parts(ag_tape *t, ag_tensor *x) {
    ag_tensor *out[2], *pair[2] = {x, NULL};
    static const int64_t ends[] = {1, 1};
    REFUSED(ag_split(NULL, 1, 0, out, 2));
    REFUSED(ag_split(x, 1, 0, NULL, 2));
    REFUSED(ag_split_with_sizes(NULL, ends, 0, out, 2));
    REFUSED(ag_split_with_sizes(x, NULL, 0, out, 2));
    REFUSED(ag_split_with_sizes(x, ends, 0, NULL, 2));
    REFUSED(ag_chunk(NULL, 2, 0, out, 2));
    REFUSED(ag_chunk(x, 2, 0, NULL, 2));
    REFUSED(ag_tensor_split(NULL, 2, 0, out, 2));
    REFUSED(ag_tensor_split(x, 2, 0, NULL, 2));
    REFUSED(ag_tensor_split_indices(NULL, ends, 0, out, 2));
    REFUSED(ag_tensor_split_indices(x, NULL, 0, out, 2));
    REFUSED(ag_tensor_split_indices(x, ends, 0, NULL, 2));
    REFUSED(ag_hsplit(NULL, 1, out, 2));
    REFUSED(ag_vsplit(x, 1, NULL, 2));
    REFUSED(ag_dsplit(NULL, 1, out, 2));
    REFUSED(ag_block_diag(pair, 2));
    REFUSED(ag_block_diag(NULL, 2));
    REFUSED(ag_cartesian_prod(pair, 2));
    REFUSED(ag_combinations(NULL, 2, true));
    REFUSED(ag_unbind(NULL, 0, out, 2));
    REFUSED(ag_unbind(x, 0, NULL, 2));
    REFUSED(ag_broadcast_tensors(NULL, 2, out));
    REFUSED(ag_broadcast_tensors(pair, 2, out));
    REFUSED(ag_broadcast_tensors(pair, 1, NULL));
    REFUSED(ag_meshgrid(NULL, 2, AG_IJ, out));
    REFUSED(ag_meshgrid(pair, 2, AG_IJ, out));
    REFUSED(ag_meshgrid(pair, 0, AG_IJ, out));
}

static void images(ag_tape *t, ag_tensor *x) {
    ag_tensor *index = x;
    REFUSED(ag_avg_pool1d(NULL, AG_SHAPE(1), NULL));
    REFUSED(ag_avg_pool2d(NULL, AG_SHAPE(1), NULL));
    REFUSED(ag_avg_pool3d(NULL, AG_SHAPE(1), NULL));
    REFUSED(ag_avg_pool1d(x, AG_SHAPE(1), &(ag_pool_options){0}));
    ag_shape one = AG_SHAPE(1);
    REFUSED(ag_max_windows(NULL, one, one, one, one, one, one, &index));
    REFUSED(ag_new_full(NULL, AG_SHAPE(1), 1));
    REFUSED(ag_zeros(NULL, AG_F32, AG_SHAPE(1)));
    REFUSED(ag_ones(NULL, AG_F32, AG_SHAPE(1)));
    REFUSED(ag_max_unpool1d(NULL, x, AG_SHAPE(1), NULL, AG_SHAPE()));
    REFUSED(ag_max_unpool2d(x, NULL, AG_SHAPE(1), NULL, AG_SHAPE()));
    REFUSED(ag_max_unpool3d(x, NULL, AG_SHAPE(1), NULL, AG_SHAPE()));
    REFUSED(ag_max_pool1d(NULL, AG_SHAPE(1), NULL, &index));
    REFUSED(ag_max_pool2d(NULL, AG_SHAPE(1), NULL, NULL));
    REFUSED(ag_max_pool3d(NULL, AG_SHAPE(1), NULL, &index));
    cr_assert_null(index);
    REFUSED(ag_adaptive_avg_pool1d(NULL, AG_SHAPE(1)));
    REFUSED(ag_adaptive_avg_pool2d(NULL, AG_SHAPE(1)));
    REFUSED(ag_adaptive_avg_pool3d(NULL, AG_SHAPE(1)));
    index = x;
    REFUSED(ag_adaptive_max_pool1d(NULL, AG_SHAPE(1), &index));
    REFUSED(ag_adaptive_max_pool2d(NULL, AG_SHAPE(1), NULL));
    REFUSED(ag_adaptive_max_pool3d(NULL, AG_SHAPE(1), &index));
    cr_assert_null(index);
    REFUSED(ag_lp_pool1d(NULL, 2, AG_SHAPE(1), AG_SHAPE(), false));
    REFUSED(ag_lp_pool2d(NULL, 2, AG_SHAPE(1), AG_SHAPE(), false));
    REFUSED(ag_interpolate(NULL, AG_SHAPE(1), 0, AG_RESIZE_NEAREST, false));
    index = x;
    REFUSED(ag_scaled_dot_product_attention(x, NULL, x, x, 0, false, 1, &index));
    REFUSED(ag_scaled_dot_product_attention(NULL, x, x, NULL, 0, false, 1, NULL));
    cr_assert_null(index);
    REFUSED(ag_put(x, NULL, x, false));
    ag_tensor *at[] = {ag_arange(t, AG_I64, 0, 1, 1)}, *slope[AG_MAX_RANK];
    REFUSED(ag_index_put(NULL, at, 1, x, false));
    REFUSED(ag_index_put(x, NULL, 1, x, false));
    REFUSED(ag_index_put(x, at, 0, x, false));
    REFUSED(ag_index_put(x, at, 1, NULL, false));
    REFUSED(ag_index_put(x, &index, 1, x, false));
    REFUSED(ag_bincount(NULL, NULL, 1));
    REFUSED(ag_histc(NULL, 1, 0, 1));
    TWO(ag_equal);
    REFUSED(ag_gradient(NULL, NULL, 1, AG_ALL, 1, slope, 1));
    REFUSED(ag_gradient(x, NULL, 1, AG_ALL, 1, NULL, 1));
    REFUSED(ag_gradient(x, NULL, 1, AG_ALL, 1, slope, 0));
    REFUSED(ag_gradient(x, &index, 1, AG_AXES(0), 1, slope, 1));
    REFUSED(ag_embedding_with(NULL, at[0], NULL));
    REFUSED(ag_embedding_with(x, NULL, NULL));
    REFUSED(ag_embedding_with(x, at[0], &(ag_embedding_options){0}));
    REFUSED(ag_put(x, x, NULL, true));
    REFUSED(ag_select_scatter(NULL, x, 0, 0));
    REFUSED(ag_slice_scatter(x, NULL, 0, 0, 1, 1));
    REFUSED(ag_diagonal_scatter(x, NULL, 0, 0, 1));
}

static void products(ag_tape *t, ag_tensor *x) {
    REFUSED(ag_addbmm(x, NULL, x, 1, 1));
    REFUSED(ag_addr(x, x, NULL, 1, 1));
    REFUSED(ag_matrix_power(NULL, 2));
    REFUSED(ag_cholesky_solve(NULL, x, false));
    REFUSED(ag_cholesky_solve(x, NULL, false));
    REFUSED(ag_cholesky_inverse(NULL, false));
    TWO(ag_solve);
    ONE(ag_inv);
    ONE(ag_det);
    TWO(ag_det_grad);
    TWO(ag_det_bend);
    TWO(ag_slogdet_grad);
    ONE(ag_logdet);
    ag_tensor *size = x;
    REFUSED(ag_slogdet(NULL, &size));
    cr_assert_null(size);
    REFUSED(ag_cov(NULL, 1, x, x));
    ONE(ag_corrcoef);
    REFUSED(ag_pdist(NULL, 2));
    REFUSED(ag_matrix_norm(NULL, "fro", AG_ALL, false));
    REFUSED(ag_matrix_norm(x, NULL, AG_ALL, false));
    ag_tensor *s = x, *vh = x;
    REFUSED(ag_svd(NULL, &s, &vh));
    cr_assert(!s && !vh);
    ONE(ag_svdvals);
    REFUSED(ag_matrix_rank(NULL, 0, 0));
    REFUSED(ag_cond(NULL, "2"));
    REFUSED(ag_cond(x, NULL));
    REFUSED(ag_conv2d_bias(x, NULL, x, NULL));
    REFUSED(ag_conv1d(NULL, x, x, 1, 0, 1, 1));
    REFUSED(ag_conv1d(x, NULL, NULL, 1, 0, 1, 1));
    REFUSED(ag_conv_transpose1d(NULL, x, NULL, NULL));
    REFUSED(ag_conv_transpose2d(x, NULL, x, NULL));
}

void null_forms(ag_tape *t, ag_tensor *x) {
    blends(t, x);
    reductions(t, x);
    shapes(t, x);
    parts(t, x);
    images(t, x);
    products(t, x);
}
