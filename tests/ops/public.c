/* public.c: the C functions of ops.h: each fills the attributes that ag_call would, and takes NULL for an error that
 * was. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"
#include "ops/property.h"
#include "ops/public.h"

static char seen[16384]; /* names of the ops that a test has called, with spaces around */

void public_same(ag_tape *t, const char *name, ag_tensor *y, ag_tensor *const in[], int n, const char *attributes) {
    char text[CHECK_TEXT];
    cr_assert(y, "ag_%s: %s", name, ag_tape_message(t));
    ag_tensor *called = ag_call(t, name, in, n, attributes);
    cr_assert(called, "%s: %s", name, ag_tape_message(t));
    cr_assert(check_same(y, ag_part(called, 0), text), "ag_%s and ag_call with '%s' differ: %s", name, attributes, text);
    snprintf(seen + strlen(seen), sizeof seen - strlen(seen), " %s ", name);
}

operands public_operands(ag_tape *t) {
    uint64_t state = 3;
    static const int64_t index[4] = {1, 0, 2, 1};
    return (operands){
        .x = check_leaf(t, AG_F64, AG_SHAPE(4, 3), 0, -2, 2, &state),
        .y = check_leaf(t, AG_F64, AG_SHAPE(4, 3), 0, -2, 2, &state),
        .cube = check_leaf(t, AG_F64, AG_SHAPE(2, 3, 4), 0, -2, 2, &state),
        .positive = check_leaf(t, AG_F64, AG_SHAPE(4, 3), 0, 1, 2, &state),
        .yes = check_leaf(t, AG_BOOL, AG_SHAPE(4, 3), 0, 0, 1, &state),
        .index = ag_from_i64(t, index, AG_SHAPE(2, 2)),
        .label = ag_from_i64(t, index, AG_SHAPE(4)),
        .matrix = check_leaf(t, AG_F64, AG_SHAPE(3, 2), 0, -2, 2, &state),
        .definite = ag_from_f64(t, (const double[]){4, 1, 0, 1, 5, 2, 0, 2, 6}, AG_SHAPE(3, 3)),
        .scalar = check_leaf(t, AG_F64, AG_SHAPE(), 0, 1, 2, &state),
    };
}

static void rows(ag_tape *t, operands o) {
    SAME(scale, ag_scale(o.x, 2.5), "factor=2.5", o.x);
    SAME(add_scalar, ag_add_scalar(o.x, 2.5), "term=2.5", o.x);
    SAME(pow_scalar, ag_pow_scalar(o.positive, 2.5), "exponent=2.5", o.positive);
    SAME(pow, ag_pow(o.positive, o.x), "", o.positive, o.x);
    SAME(sub, ag_sub(o.x, o.y), "", o.x, o.y);
    SAME(div, ag_div(o.x, o.positive), "", o.x, o.positive);
    SAME(lt, ag_lt(o.x, o.y), "", o.x, o.y);
    SAME(relu_grad, ag_relu_grad(o.x, o.y), "", o.x, o.y);
    SAME(where, ag_where(o.yes, o.x, o.y), "", o.yes, o.x, o.y);
    SAME(cast, ag_cast(o.x, AG_I64), "dtype=i64", o.x);
}

static void blends(ag_tape *t, operands o) {
    ag_tensor *v = ag_reshape(ag_slice(o.y, 0, 0, 1, 1), AG_SHAPE(3)), *nans = ag_log(o.x);
    SAME(lerp, ag_lerp(o.x, o.y, o.positive), "", o.x, o.y, o.positive);
    SAME(lerp, ag_lerp_scalar(o.x, o.y, 0.25), "weight=0.25", o.x, o.y);
    SAME(addcmul, ag_addcmul(o.x, o.y, o.positive, 2.5), "value=2.5", o.x, o.y, o.positive);
    SAME(addcdiv, ag_addcdiv(o.x, o.y, o.positive, 2.5), "value=2.5", o.x, o.y, o.positive);
    SAME(masked_fill, ag_masked_fill(o.x, o.yes, 2.5), "value=2.5", o.x, o.yes);
    SAME(masked_fill_tensor, ag_masked_fill_tensor(o.x, o.yes, o.scalar), "", o.x, o.yes, o.scalar);
    SAME(rsub, ag_rsub(o.x, o.y, 2.5), "alpha=2.5", o.x, o.y);
    SAME(dist, ag_dist(o.x, o.y, 3), "p=3", o.x, o.y);
    SAME(glu, ag_glu(o.x, 0), "axis=0", o.x);
    SAME(trapezoid, ag_trapezoid(o.x, NULL, 0.5, 0), "dx=0.5 axis=0", o.x);
    SAME(cumulative_trapezoid, ag_cumulative_trapezoid(o.x, o.y, 1, 0), "axis=0", o.x, o.y);
    SAME(nan_to_num, ag_nan_to_num(nans, 1, 2, 3), "nan=1 posinf=2 neginf=3", nans);
    SAME(clamp_min, ag_clamp_min(o.x, 0.5), "min=0.5", o.x);
    SAME(clamp_max, ag_clamp_max(o.x, 0.5), "max=0.5", o.x);
    SAME(prelu, ag_prelu(o.x, v), "", o.x, v);
    SAME(add_scaled, ag_add_scaled(o.x, o.y, 2.5), "alpha=2.5", o.x, o.y);
    SAME(sub_scaled, ag_sub_scaled(o.x, o.y, 2.5), "alpha=2.5", o.x, o.y);
    SAME(div_rounded, ag_div_rounded(o.x, o.y, AG_ROUND_FLOOR), "rounding_mode=floor", o.x, o.y);
    SAME(round_decimals, ag_round_decimals(o.x, 1), "decimals=1", o.x);
    SAME(gelu_approximate, ag_gelu_approximate(o.x, true), "approximate=tanh", o.x);
    SAME(clamp_between, ag_clamp_between(o.x, NULL, o.y), "", o.x, NULL, o.y);
    SAME(isclose, ag_isclose(o.x, o.y, 0.5, 0.25, true), "rtol=0.5 atol=0.25 equal_nan=true", o.x, o.y);
}

static void shapes(ag_tape *t, operands o) {
    SAME(expand_as, ag_expand_as(o.scalar, o.x), "", o.scalar, o.x);
    SAME(reshape_as, ag_reshape_as(o.x, o.x), "", o.x, o.x);
    SAME(t, ag_t(o.x), "", o.x);
    SAME(atleast_1d, ag_atleast_1d(o.scalar), "", o.scalar);
    SAME(atleast_2d, ag_atleast_2d(o.scalar), "", o.scalar);
    SAME(atleast_3d, ag_atleast_3d(o.x), "", o.x);
    SAME(pixel_unshuffle, ag_pixel_unshuffle(ag_slice(o.cube, 1, 0, 2, 1), 2), "downscale_factor=2",
         ag_slice(o.cube, 1, 0, 2, 1));
    SAME(pixel_shuffle, ag_pixel_shuffle(ag_reshape(o.cube, AG_SHAPE(4, 2, 3)), 2), "upscale_factor=2",
         ag_reshape(o.cube, AG_SHAPE(4, 2, 3)));
    SAME(reshape, ag_reshape(o.cube, AG_SHAPE(-1, 6)), "shape=-1,6", o.cube);
    SAME(permute, ag_permute(o.cube, AG_AXES(2, 0, 1)), "axes=2,0,1", o.cube);
    SAME(transpose, ag_transpose(o.cube, 0, -1), "axis0=0 axis1=-1", o.cube);
    SAME(swapaxes, ag_swapaxes(o.cube, 0, -1), "axis0=0 axis1=-1", o.cube);
    SAME(movedim, ag_movedim(o.cube, AG_AXES(0, 1), AG_AXES(-1, 0)), "source=0,1 destination=-1,0", o.cube);
    SAME(squeeze, ag_squeeze(ag_unsqueeze(o.x, 1), AG_AXES(1)), "axes=1", ag_unsqueeze(o.x, 1));
    SAME(unsqueeze, ag_unsqueeze(o.x, -1), "axis=-1", o.x);
    SAME(flatten, ag_flatten(o.cube, 1, -1), "start_axis=1", o.cube);
    SAME(unflatten, ag_unflatten(o.cube, -1, AG_SHAPE(2, -1)), "axis=-1 sizes=2,-1", o.cube);
    SAME(broadcast_to, ag_broadcast_to(o.x, AG_SHAPE(2, 4, 3)), "shape=2,4,3", o.x);
    SAME(expand, ag_expand(o.x, AG_SHAPE(2, 4, 3)), "shape=2,4,3", o.x);
    SAME(slice, ag_slice(o.cube, 2, 3, 0, -2), "axis=2 start=3 stop=0 step=-2", o.cube);
    SAME(slice, ag_slice(o.cube, 1, 1, AG_END, 1), "axis=1 start=1", o.cube);
    SAME(unslice, ag_unslice(o.x, AG_SHAPE(4, 9), 1, 1, 6, 2), "shape=4,9 axis=1 start=1 stop=6 step=2", o.x);
    SAME(concat, ag_concat((ag_tensor *const[]){o.x, o.y}, 2, 1), "axis=1", o.x, o.y);
    ag_tensor *pair[2] = {o.x, o.y}, *lines[2] = {o.label, ag_reshape(o.index, AG_SHAPE(4))}, *out[2];
    SAME(stack, ag_stack(pair, 2, -1), "axis=-1", o.x, o.y);
    SAME(hstack, ag_hstack(pair, 2), "", o.x, o.y);
    SAME(vstack, ag_vstack(pair, 2), "", o.x, o.y);
    SAME(column_stack, ag_column_stack(lines, 2), "", lines[0], lines[1]);
    SAME(dstack, ag_dstack(pair, 2), "", o.x, o.y);
    pair[1] = ag_slice(o.y, 0, 0, 1, 1);
    SAME(broadcast_tensors, ag_broadcast_tensors(pair, 2, out)[1], "part=1", pair[0], pair[1]);
    SAME(meshgrid, ag_meshgrid(lines, 2, AG_XY, out)[1], "part=1 indexing=xy", lines[0], lines[1]);
    SAME(repeat_interleave, ag_repeat_interleave_counts(o.x, o.label, AG_AXES(0), 4), "axis=0 output_size=4", o.x, o.label);
    SAME(repeat_interleave, ag_repeat_interleave(o.x, 2, AG_AXES(1)), "axis=1 repeats=2", o.x);
    SAME(tile, ag_tile(o.x, AG_SHAPE(2, 1, 2)), "reps=2,1,2", o.x);
    SAME(roll, ag_roll(o.x, AG_SHAPE(1, -2), AG_AXES(1, 0)), "shifts=1,-2 axes=1,0", o.x);
    SAME(pad, ag_pad(o.cube, AG_SHAPE(1, 2, 0, 1), AG_PAD_REFLECT, 0), "pad=1,2,0,1 mode=reflect", o.cube);
    SAME(pad, ag_pad(o.cube, AG_SHAPE(1, -2), AG_PAD_CONSTANT, 2.5), "pad=1,-2 value=2.5", o.cube);
    SAME(unpad, ag_unpad(o.x, AG_SHAPE(2, 3), AG_SHAPE(0, 0, 1, 1), AG_PAD_CIRCULAR),
         "shape=2,3 pad=0,0,1,1 mode=circular", o.x);
    SAME(rot90, ag_rot90(o.cube, 3, AG_AXES(1, 2)), "k=3 axes=1,2", o.cube);
    SAME(diagonal, ag_diagonal(o.cube, 1, 2, 0), "offset=1 axis1=2 axis2=0", o.cube);
    SAME(undiagonal, ag_undiagonal(o.label, AG_SHAPE(5, 4), -1, 0, 1), "shape=5,4 offset=-1", o.label);
    SAME(diag_embed, ag_diag_embed(o.x, -1, 0, 2), "offset=-1 axis1=0 axis2=2", o.x);
    SAME(unfold, ag_unfold(o.cube, 1, 2, 1), "axis=1 size=2 step=1", o.cube);
    SAME(unfold, ag_unfold_dilated(o.x, 0, 2, 1, 3), "axis=0 size=2 step=1 dilation=3", o.x);
    SAME(unfold_add, ag_unfold_add_dilated(o.x, AG_SHAPE(11), 0, 3, 2, 2), "shape=11 axis=0 size=3 step=2 dilation=2", o.x);
    SAME(unfold_add, ag_unfold_add(o.x, AG_SHAPE(9), 0, 3, 2), "shape=9 axis=0 size=3 step=2", o.x);
    SAME(split, ag_split(o.cube, 2, 2, out, 2)[1], "split_size=2 axis=2 part=1", o.cube);
    SAME(split_with_sizes, ag_split_with_sizes(o.cube, (const int64_t[]){1, 3}, 2, out, 2)[1],
         "split_sizes=1,3 axis=2 part=1", o.cube);
    SAME(chunk, ag_chunk(o.cube, 2, -1, out, 2)[1], "chunks=2 axis=-1 part=1", o.cube);
    SAME(tensor_split, ag_tensor_split(o.cube, 2, 1, out, 2)[1], "sections=2 axis=1 part=1", o.cube);
    SAME(tensor_split, ag_tensor_split_indices(o.cube, (const int64_t[]){-2}, 1, out, 2)[1], "indices=-2 axis=1 part=1",
         o.cube);
    SAME(hsplit, ag_hsplit(o.x, 1, out, 1)[0], "sections=1", o.x);
    SAME(vsplit, ag_vsplit(o.x, 2, out, 2)[1], "sections=2 part=1", o.x);
    SAME(dsplit, ag_dsplit(ag_unsqueeze(ag_transpose(o.x, 0, 1), 0), 2, out, 2)[1], "sections=2 part=1",
         ag_unsqueeze(ag_transpose(o.x, 0, 1), 0));
    SAME(block_diag, ag_block_diag((ag_tensor *const[]){o.x, o.scalar}, 2), "", o.x, o.scalar);
    SAME(cartesian_prod, ag_cartesian_prod(lines, 2), "", lines[0], lines[1]);
    SAME(combinations, ag_combinations(o.label, 3, true), "r=3 with_replacement=true", o.label);
    ag_tensor *least = ag_min(o.x, AG_AXES(1), true);
    SAME(aminmax_grad, ag_aminmax_grad(o.x, least, least, least, least), "", o.x, least, least, least, least);
    SAME(aminmax, ag_aminmax(o.cube, AG_AXES(0, 2), true, NULL), "axes=0,2 keepdim=true", o.cube);
    SAME(im2col, ag_im2col(o.cube, AG_SHAPE(2), AG_SHAPE(1), AG_SHAPE(1), AG_SHAPE(1, 2)),
         "kernel_size=2 padding=1 stride=1,2", o.cube);
    ag_tensor *patches = ag_im2col(o.cube, AG_SHAPE(2, 1), AG_SHAPE(1), AG_SHAPE(0), AG_SHAPE(1));
    SAME(col2im,
         ag_col2im(patches, AG_SHAPE(ag_dim(o.cube, 1), ag_dim(o.cube, 2)), AG_SHAPE(2, 1), AG_SHAPE(1), AG_SHAPE(0),
                   AG_SHAPE(1)),
         ag_dim(o.cube, 1) == 3 ? "output_size=3,4 kernel_size=2,1" : "output_size=2,3 kernel_size=2,1", patches);
    SAME(unbind, ag_unbind(o.cube, 0, out, 2)[1], "axis=0 part=1", o.cube);
    public_same(t, "arange", ag_arange(t, AG_I64, 2, 9, 3), NULL, 0, "start=2 end=9 step=3 dtype=i64");
    public_same(t, "linspace", ag_linspace(t, AG_F64, 2, 9, 3), NULL, 0, "start=2 end=9 steps=3 dtype=f64");
    public_same(t, "eye", ag_eye(t, AG_F64, 2, -1), NULL, 0, "n=2 dtype=f64");
    SAME(contiguous, ag_contiguous(ag_transpose(o.cube, 0, 2)), "", ag_transpose(o.cube, 0, 2));
    SAME(alias, ag_alias(o.x), "", o.x);
    SAME(detach, ag_detach(o.x), "", o.x);
    SAME(sum, ag_sum(o.cube, AG_AXES(0, 2), true), "axes=0,2 keepdim=true", o.cube);
    SAME(sum, ag_sum(o.cube, AG_ALL, false), "axes=all", o.cube);
    SAME(mean, ag_mean(o.cube, AG_AXES(1), false), "axes=1", o.cube);
    SAME(max, ag_max(o.cube, AG_AXES(-1), true), "axes=-1 keepdim=true", o.cube);
    SAME(sum_to, ag_sum_to(o.cube, AG_SHAPE(3, 1)), "shape=3,1", o.cube);
}

static void images(ag_tape *t, operands o) {
    ag_pool_options c = ag_pool_defaults();
    ag_tensor *image = ag_unsqueeze(o.cube, 0), *solid = ag_unsqueeze(image, 0), *index = NULL, *weights;
    c.stride = AG_SHAPE(1), c.padding = AG_SHAPE(1), c.count_include_pad = false;
    SAME(avg_pool1d, ag_avg_pool1d(o.x, AG_SHAPE(2), &c), "kernel_size=2 stride=1 padding=1 count_include_pad=false", o.x);
    c.divisor_override = 5;
    SAME(avg_pool2d, ag_avg_pool2d(o.cube, AG_SHAPE(2, 3), &c), "kernel_size=2,3 stride=1 padding=1 divisor_override=5",
         o.cube);
    SAME(avg_pool3d, ag_avg_pool3d(image, AG_SHAPE(2), NULL), "kernel_size=2", image);
    c = ag_pool_defaults(), c.dilation = AG_SHAPE(2), c.stride = AG_SHAPE(2), c.ceil_mode = true;
    SAME(max_pool1d, ag_max_pool1d(o.cube, AG_SHAPE(2), NULL, NULL), "kernel_size=2", o.cube);
    SAME(max_pool2d, ag_max_pool2d(image, AG_SHAPE(1, 2), &c, &index),
         "kernel_size=1,2 dilation=2 stride=2 ceil_mode=true", image);
    SAME(max_pool2d, index, "kernel_size=1,2 dilation=2 stride=2 ceil_mode=true part=1", image);
    SAME(max_pool3d, ag_max_pool3d(solid, AG_SHAPE(2), NULL, NULL), "kernel_size=2", solid);
    SAME(max_windows,
         ag_max_windows(o.cube, AG_SHAPE(4), AG_SHAPE(2), AG_SHAPE(1), AG_SHAPE(0), AG_SHAPE(1), AG_SHAPE(3), NULL),
         "image=4 kernel_size=2 stride=1 padding=0 dilation=1 output_size=3", o.cube);
    ag_tensor *pair = ag_reshape(o.index, AG_SHAPE(1, 4)),
              *line = ag_slice(ag_reshape(o.positive, AG_SHAPE(3, 4)), 0, 0, 1, 1);
    c = ag_pool_defaults(), c.stride = AG_SHAPE(3);
    SAME(max_unpool1d, ag_max_unpool1d(line, pair, AG_SHAPE(2), &c, AG_SHAPE()), "kernel_size=2 stride=3", line, pair);
    ag_tensor *flat2 = ag_reshape(line, AG_SHAPE(1, 2, 2)), *pair2 = ag_unsqueeze(o.index, 0);
    SAME(max_unpool2d, ag_max_unpool2d(flat2, pair2, AG_SHAPE(2), NULL, AG_SHAPE(5, 4)),
         "kernel_size=2 output_size=5,4", flat2, pair2);
    ag_tensor *flat3 = ag_unsqueeze(flat2, 1), *pair3 = ag_unsqueeze(pair2, 1);
    SAME(max_unpool3d, ag_max_unpool3d(flat3, pair3, AG_SHAPE(2), NULL, AG_SHAPE()), "kernel_size=2", flat3, pair3);
    SAME(new_full, ag_new_full(o.label, AG_SHAPE(2, 3), 7), "shape=2,3 fill_value=7", o.label);
    public_same(t, "zeros", ag_zeros(t, AG_I64, AG_SHAPE(2, 3)), NULL, 0, "shape=2,3 dtype=i64");
    public_same(t, "ones", ag_ones(t, AG_F64, AG_SHAPE(2)), NULL, 0, "shape=2 dtype=f64");
    SAME(adaptive_avg_pool1d, ag_adaptive_avg_pool1d(o.cube, AG_SHAPE(2)), "output_size=2", o.cube);
    SAME(adaptive_avg_pool2d, ag_adaptive_avg_pool2d(o.cube, AG_SHAPE(-1, 3)), "output_size=-1,3", o.cube);
    SAME(adaptive_avg_pool3d, ag_adaptive_avg_pool3d(image, AG_SHAPE(1)), "output_size=1", image);
    SAME(adaptive_max_pool1d, ag_adaptive_max_pool1d(o.cube, AG_SHAPE(3), NULL), "output_size=3", o.cube);
    SAME(adaptive_max_pool2d, ag_adaptive_max_pool2d(o.cube, AG_SHAPE(2), &index), "output_size=2", o.cube);
    SAME(adaptive_max_pool2d, index, "output_size=2 part=1", o.cube);
    SAME(adaptive_max_pool3d, ag_adaptive_max_pool3d(image, AG_SHAPE(1), &index), "output_size=1", image);
    SAME(adaptive_max_pool3d, index, "output_size=1 part=1", image);
    SAME(lp_pool1d, ag_lp_pool1d(o.x, 2, AG_SHAPE(2), AG_SHAPE(1), true),
         "norm_type=2 kernel_size=2 stride=1 ceil_mode=true", o.x);
    SAME(lp_pool2d, ag_lp_pool2d(o.cube, 2, AG_SHAPE(2), AG_SHAPE(), false), "norm_type=2 kernel_size=2", o.cube);
    SAME(interpolate, ag_interpolate(o.cube, AG_SHAPE(), 1.5, AG_RESIZE_LINEAR, true),
         "scale_factor=1.5 mode=linear align_corners=true", o.cube);
    SAME(interpolate, ag_interpolate(image, AG_SHAPE(5, 2), (double)NAN, AG_RESIZE_BICUBIC, false),
         "size=5,2 mode=bicubic", image);
    SAME(scaled_dot_product_attention, ag_scaled_dot_product_attention(o.x, o.y, o.y, NULL, 0, true, 0.5, &weights),
         "is_causal=true scale=0.5", o.x, o.y, o.y);
    SAME(scaled_dot_product_attention, weights, "is_causal=true scale=0.5 part=1", o.x, o.y, o.y);
    SAME(scaled_dot_product_attention,
         ag_scaled_dot_product_attention(o.x, o.y, o.y, o.scalar, 0, false, (double)NAN, NULL), "", o.x, o.y, o.y,
         o.scalar);
}

static void matrices(ag_tape *t, operands o) {
    ag_tensor *size = NULL, *weights = ag_reshape(ag_slice(o.positive, 0, 0, 1, 1), AG_SHAPE(3));
    SAME(solve, ag_solve(o.definite, o.matrix), "", o.definite, o.matrix);
    SAME(slogdet, ag_slogdet(o.definite, &size), "", o.definite);
    SAME(det_grad, ag_det_grad(o.scalar, o.definite), "", o.scalar, o.definite);
    SAME(det_bend, ag_det_bend(o.definite, o.definite), "", o.definite, o.definite);
    SAME(slogdet_grad, ag_slogdet_grad(o.scalar, o.definite), "", o.scalar, o.definite);
    assert_same(size, ag_logdet(o.definite));
    SAME(cov, ag_cov(o.x, 0, NULL, weights), "correction=0", o.x, NULL, weights);
    SAME(pdist, ag_pdist(o.x, 3), "p=3", o.x);
    SAME(isin, ag_isin(o.label, o.index, true), "invert=true", o.label, o.index);
    SAME(allclose, ag_allclose(o.x, o.y, 0.5, 4, true), "rtol=0.5 atol=4 equal_nan=true", o.x, o.y);
    SAME(matrix_norm, ag_matrix_norm(o.cube, "-inf", AG_AXES(2, 0), true), "ord=-inf axes=2,0 keepdim=true", o.cube);
    SAME(matrix_norm, ag_matrix_norm(o.x, "1", AG_ALL, false), "ord=1", o.x);
    ag_tensor *values, *rows;
    SAME(svd, ag_svd(o.x, &values, &rows), "", o.x);
    SAME(svdvals, ag_svdvals(o.x), "", o.x);
    assert_same(values, ag_svdvals(o.x));
    SAME(matrix_rank, ag_matrix_rank(o.x, 0.5, (double)NAN), "atol=0.5", o.x);
    SAME(cond, ag_cond(o.definite, "1"), "p=1", o.definite);
    SAME(masked_mean, ag_masked_mean(o.x, o.yes, AG_AXES(0), true), "axes=0 keepdim=true", o.x, o.yes);
    SAME(masked_var, ag_masked_var(o.x, o.yes, AG_ALL, 0, false), "correction=0", o.x, o.yes);
    SAME(masked_std, ag_masked_std(o.x, o.yes, AG_ALL, 0.5, false), "correction=0.5", o.x, o.yes);
    SAME(mvlgamma, ag_mvlgamma(o.positive, 2), "p=2", o.positive);
    SAME(ldexp, ag_ldexp(o.x, o.y), "", o.x, o.y);
    SAME(frexp, ag_frexp(o.x, NULL), "", o.x);
    public_same(t, "logspace", ag_logspace(t, AG_F64, 2, 9, 3, 2), NULL, 0, "start=2 end=9 steps=3 dtype=f64 base=2");
    public_same(t, "tril_indices", ag_tril_indices(t, 2, 3, 1), NULL, 0, "row=2 col=3 offset=1");
    public_same(t, "triu_indices", ag_triu_indices(t, 2, 3, 1), NULL, 0, "row=2 col=3 offset=1");
}

static void scans(ag_tape *t, operands o) {
    SAME(cummax, ag_cummax(o.x, 1, NULL), "axis=1", o.x);
    SAME(diff, ag_diff(o.x, 2, 0, o.y, NULL), "n=2 axis=0", o.x, o.y);
    SAME(var, ag_var(o.cube, AG_AXES(0, 2), 0.5, true), "axes=0,2 correction=0.5 keepdim=true", o.cube);
    SAME(norm, ag_norm(o.x, 3, AG_AXES(0), false), "p=3 axes=0", o.x);
    SAME(mul_shifted, ag_mul_shifted(o.x, o.y, 1, -1, 2, true), "axis=1 a_shift=-1 b_shift=2 ones=true", o.x, o.y);
    SAME(prod_others, ag_prod_others_with(o.x, ag_slice(o.y, 0, 0, 1, 1), 0), "axis=0", o.x, ag_slice(o.y, 0, 0, 1, 1));
    SAME(linear_scan, ag_linear_scan(o.x, o.y, 1, true), "axis=1 reverse=true", o.x, o.y);
}

static void indexing(ag_tape *t, operands o) {
    ag_tensor *best;
    SAME(take, ag_take(o.cube, o.index, 1), "axis=1", o.cube, o.index);
    SAME(take_add, ag_take_add(o.x, o.label, AG_SHAPE(5, 3), 0), "shape=5,3 axis=0", o.x, o.label);
    SAME(embedding, ag_embedding(o.matrix, o.index), "", o.matrix, o.index);
    SAME(gather, ag_gather(o.matrix, 0, o.index), "axis=0", o.matrix, o.index);
    SAME(gather_add, ag_gather_add(ag_slice(o.matrix, 0, 0, 2, 1), 1, o.index, AG_SHAPE(2, 7)), "axis=1 shape=2,7",
         ag_slice(o.matrix, 0, 0, 2, 1), o.index);
    SAME(index_select, ag_index_select(o.cube, 1, o.label), "axis=1", o.cube, o.label);
    SAME(index_add, ag_index_add(o.x, 0, o.label, o.y, 2.5), "axis=0 alpha=2.5", o.x, o.label, o.y);
    SAME(index_copy, ag_index_copy(o.x, 0, o.label, o.y), "axis=0", o.x, o.label, o.y);
    SAME(index_fill, ag_index_fill(o.x, 1, o.label, 2.5), "axis=1 value=2.5", o.x, o.label);
    ag_embedding_options e = ag_embedding_defaults();
    e.max_norm = 1.5, e.norm_type = 1, e.scale_grad_by_freq = true, e.padding_idx = 2;
    SAME(embedding, ag_embedding_with(o.matrix, o.index, &e),
         "max_norm=1.5 norm_type=1 scale_grad_by_freq=true padding_idx=2", o.matrix, o.index);
    SAME(bincount, ag_bincount(o.label, NULL, 5), "minlength=5", o.label);
    SAME(histc, ag_histc(o.x, 3, -1, 2), "bins=3 min=-1 max=2", o.x);
    SAME(index_put, ag_index_put(o.x, &o.label, 1, o.scalar, true), "accumulate=true", o.x, o.label, o.scalar);
    SAME(equal, ag_equal(o.x, o.y), "", o.x, o.y);
    ag_tensor *slope[2];
    SAME(gradient, ag_gradient(o.x, NULL, 0.5, AG_AXES(1), 2, slope, 1)[0], "spacing=0.5 axes=1 edge_order=2", o.x);
    SAME(gradient, ag_gradient(o.x, (ag_tensor *[]){o.scalar, o.scalar}, 1, AG_ALL, 1, slope, 2)[1], "part=1", o.x,
         o.scalar);
    SAME(embedding, ag_embedding_padded(o.matrix, o.index, -1), "padding_idx=-1", o.matrix, o.index);
    SAME(scatter, ag_scatter(o.x, 1, o.index, o.y), "axis=1", o.x, o.index, o.y);
    SAME(scatter, ag_scatter_value(o.x, 1, o.index, 2.5), "axis=1 value=2.5", o.x, o.index);
    SAME(scatter_pick, ag_scatter_pick(o.x, 1, o.index), "axis=1", o.x, o.index);
    SAME(scatter_add, ag_scatter_add(o.x, 1, o.index, o.y), "axis=1", o.x, o.index, o.y);
    SAME(scatter_reduce, ag_scatter_reduce(o.x, 1, o.index, o.y, AG_REDUCE_AMAX, false),
         "axis=1 reduce=amax include_self=false", o.x, o.index, o.y);
    ag_tensor *two = ag_slice(o.matrix, 0, 0, 2, 1);
    SAME(scatter_share, ag_scatter_share(o.matrix, o.matrix, two, 0, o.index, false, false, NULL),
         "axis=0 largest=false include_self=false", o.matrix, o.matrix, two, o.index);
    SAME(scatter_scan, ag_scatter_scan(o.x, 1, o.index, two, two, true, NULL), "axis=1 reverse=true", o.x, o.index, two,
         two);
    SAME(index_reduce, ag_index_reduce(o.x, 0, o.label, o.y, AG_REDUCE_MEAN, true), "axis=0 reduce=mean", o.x, o.label,
         o.y);
    SAME(take_along_axis, ag_take_along_axis(o.matrix, ag_slice(o.index, 1, 0, 1, 1), 0), "axis=0", o.matrix,
         ag_slice(o.index, 1, 0, 1, 1));
    SAME(put_along_axis, ag_put_along_axis(o.matrix, ag_slice(o.index, 1, 0, 1, 1), o.scalar, 0), "axis=0", o.matrix,
         ag_slice(o.index, 1, 0, 1, 1), o.scalar);
    ag_tensor *column = ag_slice(o.y, 1, 0, 1, 1), *column0 = ag_reshape(column, AG_SHAPE(4));
    SAME(put, ag_put(o.x, o.label, column, true), "accumulate=true", o.x, o.label, column);
    SAME(select_scatter, ag_select_scatter(o.x, column0, 1, -2), "axis=1 index=-2", o.x, column0);
    SAME(slice_scatter, ag_slice_scatter(o.x, column, 1, 2, 0, -2), "axis=1 start=2 stop=0 step=-2", o.x, column);
    SAME(diagonal_scatter, ag_diagonal_scatter(o.x, ag_narrow(column0, 0, 0, 3), -1, 0, 1), "offset=-1", o.x,
         ag_narrow(column0, 0, 0, 3));
    SAME(masked_select, ag_masked_select(o.x, ag_eq(o.x, o.x), 12), "count=12", o.x, ag_eq(o.x, o.x));
    SAME(masked_scatter, ag_masked_scatter(o.x, o.yes, o.y), "", o.x, o.yes, o.y);
    SAME(searchsorted, ag_searchsorted(ag_reshape(o.positive, AG_SHAPE(12)), o.x, true), "right=true",
         ag_reshape(o.positive, AG_SHAPE(12)), o.x);
    SAME(bucketize, ag_bucketize(o.x, ag_reshape(o.positive, AG_SHAPE(12)), false), "", o.x,
         ag_reshape(o.positive, AG_SHAPE(12)));
    SAME(one_hot, ag_one_hot(o.index, 4, AG_I64), "num_classes=4 dtype=i64", o.index);
    SAME(topk, ag_topk(o.cube, 2, 1, &best), "k=2 axis=1", o.cube);
    assert_same(best, ag_part(ag_call(t, "topk", &o.cube, 1, "k=2 axis=1"), 1));
    SAME(topk, ag_topk(o.cube, 1, -1, NULL), "k=1", o.cube);
}

static void ordering(ag_tape *t, operands o) {
    SAME(topk, ag_topk_with(o.cube, 2, 1, false, false, NULL), "k=2 axis=1 largest=false sorted=false", o.cube);
    SAME(sort, ag_sort(o.cube, 1, true, NULL), "axis=1 descending=true", o.cube);
    SAME(argsort, ag_argsort(o.cube, 0, true), "axis=0 descending=true", o.cube);
    SAME(msort, ag_msort(o.x), "", o.x);
    SAME(kthvalue, ag_kthvalue(o.cube, 2, 1, true, NULL), "k=2 axis=1 keepdim=true", o.cube);
    SAME(median, ag_median(o.cube, AG_AXES(1), true, NULL), "axes=1 keepdim=true", o.cube);
    SAME(nanmedian, ag_nanmedian(o.cube, AG_ALL, false, NULL), "", o.cube);
    SAME(mode, ag_mode(o.cube, 1, true, NULL), "axis=1 keepdim=true", o.cube);
    ag_tensor *q = ag_from_f64(t, (const double[]){0.25, 0.75}, AG_SHAPE(2));
    SAME(quantile, ag_quantile(o.cube, q, AG_AXES(1), true, AG_QUANTILE_MIDPOINT),
         "axes=1 keepdim=true interpolation=midpoint", o.cube, q);
    SAME(quantile, ag_quantile_scalar(o.cube, 0.3, AG_ALL, false, AG_QUANTILE_NEAREST), "q=0.3 interpolation=nearest",
         o.cube);
    SAME(nanquantile, ag_nanquantile(o.cube, q, AG_AXES(1), false, AG_QUANTILE_LOWER), "axes=1 interpolation=lower",
         o.cube, q);
    SAME(nanquantile, ag_nanquantile_scalar(o.cube, 0.3, AG_ALL, true, AG_QUANTILE_HIGHER),
         "q=0.3 interpolation=higher keepdim=true", o.cube);
}

static void products(ag_tape *t, operands o) {
    ag_conv2d_options c = ag_conv2d_defaults();
    uint64_t state = 5;
    ag_tensor *image = check_leaf(t, AG_F64, AG_SHAPE(1, 4, 6, 7), 0, -1, 1, &state);
    ag_tensor *kernel = check_leaf(t, AG_F64, AG_SHAPE(2, 2, 3, 2), 0, -1, 1, &state);
    ag_tensor *column = ag_reshape(kernel, AG_SHAPE(1, 4, 6, 1));
    SAME(conv2d, ag_conv2d(image, column, NULL), "", image, column);
    ag_tensor *one = ag_from_f64(t, (const double[]){0.5}, AG_SHAPE(1)), *wide = ag_select(image, 0, 0);
    ag_conv_transpose_options ct = ag_conv_transpose_defaults();
    ct.stride[0] = 2, ct.output_padding[0] = 1;
    SAME(conv2d, ag_conv2d_bias(wide, column, one, NULL), "", wide, column, one);
    SAME(conv1d, ag_conv1d(o.cube, ag_reshape(o.x, AG_SHAPE(4, 3, 1)), NULL, 2, 1, 1, 1), "stride=2 padding=1", o.cube,
         ag_reshape(o.x, AG_SHAPE(4, 3, 1)));
    SAME(conv_transpose2d, ag_conv_transpose2d(image, ag_reshape(kernel, AG_SHAPE(4, 3, 2, 1)), NULL, &ct),
         "stride=2,1 output_padding=1,0", image, ag_reshape(kernel, AG_SHAPE(4, 3, 2, 1)));
    SAME(conv_transpose1d, ag_conv_transpose1d(ag_select(image, -1, 0), ag_reshape(kernel, AG_SHAPE(4, 3, 2)), NULL, &ct),
         "stride=2 output_padding=1", ag_select(image, -1, 0), ag_reshape(kernel, AG_SHAPE(4, 3, 2)));
    c.stride[0] = 2, c.padding[1] = 3, c.dilation[1] = 2, c.groups = 2;
    const char *text = "stride=2,1 padding=0,3 dilation=1,2 groups=2", *shaped;
    ag_tensor *y = ag_conv2d(image, kernel, &c);
    SAME(conv2d, y, text, image, kernel);
    shaped = "shape=1,4,6,7 stride=2,1 padding=0,3 dilation=1,2 groups=2";
    SAME(conv2d_input, ag_conv2d_input(y, kernel, AG_SHAPE(1, 4, 6, 7), &c), shaped, y, kernel);
    shaped = "shape=2,2,3,2 stride=2,1 padding=0,3 dilation=1,2 groups=2";
    SAME(conv2d_weight, ag_conv2d_weight(y, image, AG_SHAPE(2, 2, 3, 2), &c), shaped, y, image);
    SAME(matmul, ag_matmul(o.x, o.matrix), "", o.x, o.matrix);
    SAME(tril, ag_tril(o.x, -1), "diagonal=-1", o.x);
    ag_tensor *line = ag_reshape(ag_slice(o.definite, 0, 0, 1, 1), AG_SHAPE(3));
    SAME(addbmm, ag_addbmm(o.scalar, ag_unsqueeze(o.x, 0), ag_unsqueeze(o.definite, 0), 0.5, 2), "beta=0.5 alpha=2",
         o.scalar, ag_unsqueeze(o.x, 0), ag_unsqueeze(o.definite, 0));
    SAME(addr, ag_addr(o.definite, line, line, 0.5, 2), "beta=0.5 alpha=2", o.definite, line, line);
    SAME(matrix_power, ag_matrix_power(o.definite, 5), "n=5", o.definite);
    SAME(cholesky_solve, ag_cholesky_solve(o.matrix, o.definite, true), "upper=true", o.matrix, o.definite);
    SAME(cholesky_inverse, ag_cholesky_inverse(o.definite, true), "upper=true", o.definite);
    SAME(cholesky, ag_cholesky(o.definite), "", o.definite);
    SAME(cholesky_grad, ag_cholesky_grad(o.definite, o.definite), "", o.definite, o.definite);
    SAME(solve_triangular, ag_solve_triangular(o.definite, o.matrix, true, false), "upper=true", o.definite, o.matrix);
    SAME(solve_triangular, ag_solve_triangular(o.definite, o.matrix, false, true), "transpose=true", o.definite, o.matrix);
}

static void tensor_products(ag_tape *t, operands o) {
    ag_tensor *square = ag_matmul(o.matrix, ag_transpose(o.matrix, 0, 1)), *row = ag_slice(o.x, 0, 1, 2, 1);
    ag_tensor *v = ag_reshape(row, AG_SHAPE(3)), *batch = ag_permute(o.cube, AG_AXES(0, 2, 1)),
              *chain[3] = {o.x, square, v};
    SAME(mm, ag_mm(o.x, o.matrix), "", o.x, o.matrix);
    SAME(bmm, ag_bmm(o.cube, batch), "", o.cube, batch);
    SAME(mv, ag_mv(o.x, v), "", o.x, v);
    SAME(dot, ag_dot(v, v), "", v, v);
    SAME(vdot, ag_vdot(v, v), "", v, v);
    SAME(vecdot, ag_vecdot(o.x, row, 0), "axis=0", o.x, row);
    SAME(inner, ag_inner(o.x, o.y), "", o.x, o.y);
    SAME(outer, ag_outer(v, v), "", v, v);
    SAME(kron, ag_kron(o.x, o.matrix), "", o.x, o.matrix);
    SAME(kron_grad, ag_kron_grad(o.x, o.x, o.scalar, NULL), "", o.x, o.x, o.scalar);
    SAME(cross, ag_cross(o.x, row, 1), "axis=1", o.x, row);
    SAME(addmm, ag_addmm(o.scalar, o.x, o.matrix, 2, 3), "beta=2 alpha=3", o.scalar, o.x, o.matrix);
    SAME(addmv, ag_addmv(o.scalar, o.x, v, 2, 3), "beta=2 alpha=3", o.scalar, o.x, v);
    SAME(baddbmm, ag_baddbmm(o.scalar, o.cube, batch, 2, 3), "beta=2 alpha=3", o.scalar, o.cube, batch);
    SAME(linear, ag_linear(o.x, square, v), "", o.x, square, v);
    SAME(linear, ag_linear(o.x, square, NULL), "", o.x, square);
    SAME(bilinear, ag_bilinear(row, ag_reshape(o.scalar, AG_SHAPE(1, 1)), ag_reshape(o.x, AG_SHAPE(4, 3, 1)), NULL), "",
         row, ag_reshape(o.scalar, AG_SHAPE(1, 1)), ag_reshape(o.x, AG_SHAPE(4, 3, 1)));
    SAME(tensordot, ag_tensordot(o.cube, ag_transpose(o.x, 0, 1), 2), "", o.cube, ag_transpose(o.x, 0, 1));
    SAME(tensordot, ag_tensordot_axes(o.cube, o.x, AG_AXES(1, 2), AG_AXES(1, 0)), "a_axes=1,2 b_axes=1,0", o.cube, o.x);
    SAME(multi_dot, ag_multi_dot(chain, 3), "", o.x, square, v);
    SAME(chain_matmul, ag_chain_matmul(chain, 2), "", o.x, square);
    SAME(trace, ag_trace(o.cube, 1, 2, 1), "offset=1 axis1=2 axis2=1", o.cube);
    SAME(einsum, ag_einsum("bij,kj -> ikb", (ag_tensor *[]){batch, o.y}, 2), "equation=\"bij, kj->ikb\"", batch, o.y);
}

static void of_targets(ag_tape *t, operands o) {
    ag_tensor *p = ag_sigmoid(o.x), *q = ag_sigmoid(o.y), *w = ag_slice(o.positive, 0, 0, 1, 1),
              *v = ag_reshape(w, AG_SHAPE(3));
    ag_cross_entropy_options c = ag_cross_entropy_defaults();
    ag_poisson_nll_loss_options f = ag_poisson_nll_loss_defaults();
    ag_gaussian_nll_loss_options g = ag_gaussian_nll_loss_defaults();
    c.reduction = AG_SUM, c.ignore_index = 1, c.label_smoothing = 0.25;
    f.reduction = AG_NONE, f.log_input = false, f.full = true, f.eps = 3;
    g.reduction = AG_SUM, g.full = true, g.eps = 1.5;
    SAME(cross_entropy, ag_cross_entropy_with(o.x, o.label, v, &c), "reduction=sum ignore_index=1 label_smoothing=0.25",
         o.x, o.label, v);
    SAME(cross_entropy, ag_cross_entropy_with(o.x, p, NULL, NULL), "", o.x, p);
    SAME(nll_loss, ag_nll_loss(o.x, o.label, v, AG_NONE, 2), "reduction=none ignore_index=2", o.x, o.label, v);
    SAME(nll_pick, ag_nll_pick(o.x, o.label, 2), "ignore_index=2", o.x, o.label);
    SAME(mse_loss, ag_mse_loss_with(o.x, o.y, AG_NONE), "reduction=none", o.x, o.y);
    SAME(l1_loss, ag_l1_loss(o.x, o.y, AG_SUM), "reduction=sum", o.x, o.y);
    SAME(huber_loss, ag_huber_loss(o.x, o.y, AG_SUM, 0.5), "reduction=sum delta=0.5", o.x, o.y);
    SAME(smooth_l1_loss, ag_smooth_l1_loss(o.x, o.y, AG_SUM, 0.5), "reduction=sum beta=0.5", o.x, o.y);
    SAME(binary_cross_entropy, ag_binary_cross_entropy(p, q, NULL, AG_SUM), "reduction=sum", p, q);
    SAME(binary_cross_entropy_with_logits, ag_binary_cross_entropy_with_logits(o.x, q, w, v, AG_NONE), "reduction=none",
         o.x, q, w, v);
    SAME(binary_cross_entropy_with_logits, ag_binary_cross_entropy_with_logits(o.x, q, NULL, v, AG_SUM),
         "reduction=sum", o.x, q, NULL, v);
    SAME(soft_margin_loss, ag_soft_margin_loss(o.x, o.y, AG_SUM), "reduction=sum", o.x, o.y);
    SAME(multilabel_soft_margin_loss, ag_multilabel_soft_margin_loss(o.x, q, w, AG_SUM), "reduction=sum", o.x, q, w);
    SAME(kl_div, ag_kl_div(o.x, o.y, AG_BATCH_MEAN, true), "reduction=batchmean log_target=true", o.x, o.y);
    SAME(poisson_nll_loss, ag_poisson_nll_loss(o.x, o.positive, &f), "reduction=none log_input=false full=true eps=3",
         o.x, o.positive);
    SAME(poisson_nll_loss, ag_poisson_nll_loss(o.x, o.y, NULL), "", o.x, o.y);
    SAME(gaussian_nll_loss, ag_gaussian_nll_loss(o.x, o.y, o.positive, &g), "reduction=sum full=true eps=1.5", o.x, o.y,
         o.positive);
    SAME(gaussian_nll_loss, ag_gaussian_nll_loss(o.x, o.y, o.positive, NULL), "", o.x, o.y, o.positive);
}

static void margins(ag_tape *t, operands o) {
    ag_tensor *sign = ag_sign(o.y), *signs = ag_sign(ag_vecdot(o.x, o.y, 1)),
              *w = ag_reshape(ag_slice(o.positive, 0, 0, 1, 1), AG_SHAPE(3));
    ag_multi_margin_loss_options m = ag_multi_margin_loss_defaults();
    ag_triplet_margin_loss_options d = ag_triplet_margin_loss_defaults();
    m.reduction = AG_SUM, m.p = 2, m.margin = 0.5;
    d.reduction = AG_NONE, d.margin = 2, d.p = 3, d.eps = 0.1, d.swap = true;
    SAME(hinge_embedding_loss, ag_hinge_embedding_loss(o.x, sign, AG_SUM, 0.5), "reduction=sum margin=0.5", o.x, sign);
    SAME(margin_ranking_loss, ag_margin_ranking_loss(o.x, o.y, sign, AG_SUM, 0.5), "reduction=sum margin=0.5", o.x, o.y,
         sign);
    SAME(cosine_embedding_loss, ag_cosine_embedding_loss(o.x, o.y, signs, AG_SUM, 0.1), "reduction=sum margin=0.1", o.x,
         o.y, signs);
    SAME(multi_margin_loss, ag_multi_margin_loss(o.x, o.label, w, &m), "reduction=sum p=2 margin=0.5", o.x, o.label, w);
    SAME(multi_margin_loss, ag_multi_margin_loss(o.x, o.label, NULL, NULL), "", o.x, o.label);
    SAME(multilabel_margin_loss,
         ag_multilabel_margin_loss(ag_slice(o.x, 1, 0, 2, 1),
                                   ag_from_i64(t, (const int64_t[]){0, -1, 1, 0, 1, -1, -1, 0}, AG_SHAPE(4, 2)), AG_NONE),
         "reduction=none", ag_slice(o.x, 1, 0, 2, 1),
         ag_from_i64(t, (const int64_t[]){0, -1, 1, 0, 1, -1, -1, 0}, AG_SHAPE(4, 2)));
    SAME(triplet_margin_loss, ag_triplet_margin_loss(o.x, o.y, o.positive, &d),
         "reduction=none margin=2 p=3 eps=0.1 swap=true", o.x, o.y, o.positive);
    SAME(triplet_margin_loss, ag_triplet_margin_loss(o.x, o.y, o.positive, NULL), "", o.x, o.y, o.positive);
    SAME(normalize, ag_normalize(o.x, 3, 0, 0.1), "p=3 axis=0 eps=0.1", o.x);
    SAME(cosine_similarity, ag_cosine_similarity(o.x, o.y, 0, 9), "axis=0 eps=9", o.x, o.y);
    SAME(pairwise_distance, ag_pairwise_distance(o.x, o.y, 1, 0.1, true), "p=1 eps=0.1 keepdim=true", o.x, o.y);
    SAME(cdist, ag_cdist(o.x, o.y, 1), "p=1", o.x, o.y);
}

static void losses(ag_tape *t, operands o) {
    ag_tensor *weight = ag_slice(o.definite, 0, 0, 1, 1), *flat = ag_reshape(weight, AG_SHAPE(3)),
              *leaf = ag_buffer(t, AG_F64, AG_SHAPE(4, 3));
    SAME(softmax, ag_softmax(o.cube, 1), "axis=1", o.cube);
    SAME(softmax_grad, ag_softmax_grad(o.x, o.y, 0), "axis=0", o.x, o.y);
    SAME(log_softmax, ag_log_softmax(o.cube, 0), "axis=0", o.cube);
    SAME(log_softmax_grad, ag_log_softmax_grad(o.x, o.y, 0), "axis=0", o.x, o.y);
    SAME(cross_entropy, ag_cross_entropy(o.x, o.label), "", o.x, o.label);
    SAME(cross_entropy_grad, ag_cross_entropy_grad(o.scalar, o.x, o.label, -100), "", o.scalar, o.x, o.label);
    SAME(mse_loss, ag_mse_loss(o.x, o.y), "", o.x, o.y);
    ag_tensor *dw, *db;
    SAME(softmin, ag_softmin(o.cube, 1), "axis=1", o.cube);
    SAME(instance_norm, ag_instance_norm(o.cube, flat, flat, NULL, NULL, true, 0.1, 0.5), "eps=0.5", o.cube, flat, flat);
    SAME(local_response_norm, ag_local_response_norm(o.cube, 2, 0.5, 1.5, 2), "size=2 alpha=0.5 beta=1.5 k=2", o.cube);
    SAME(renorm, ag_renorm(o.x, 1, -1, 0.5), "p=1 axis=-1 maxnorm=0.5", o.x);
    SAME(batch_norm, ag_batch_norm(o.x, NULL, NULL, NULL, NULL, true, 0.1, 1e-5), "", o.x);
    SAME(batch_norm, ag_batch_norm(o.x, flat, NULL, flat, flat, false, 0.1, 0.5), "eps=0.5", o.x, flat, NULL, flat, flat);
    SAME(batch_norm_own, ag_batch_norm_own(o.x, NULL, flat, 0.5, NULL, &dw), "eps=0.5", o.x, NULL, flat);
    assert_same(dw, ag_part(ag_call(t, "batch_norm_own", &o.x, 1, ""), 2));
    SAME(layer_norm, ag_layer_norm(o.cube, AG_SHAPE(3, 4), ag_reshape(o.x, AG_SHAPE(3, 4)), NULL, 0.5),
         "normalized_shape=3,4 eps=0.5", o.cube, ag_reshape(o.x, AG_SHAPE(3, 4)));
    SAME(layer_norm, ag_layer_norm(o.x, AG_SHAPE(3), NULL, flat, 0.5), "normalized_shape=3 eps=0.5", o.x, NULL, flat);
    SAME(rms_norm, ag_rms_norm(o.x, AG_SHAPE(3), flat, 0.5), "normalized_shape=3 eps=0.5", o.x, flat);
    SAME(rms_norm, ag_rms_norm(o.x, AG_SHAPE(3), NULL, (double)NAN), "normalized_shape=3", o.x);
    SAME(group_norm, ag_group_norm(o.cube, 3, flat, flat, 0.5), "num_groups=3 eps=0.5", o.cube, flat, flat);
    SAME(group_norm, ag_group_norm(o.cube, 1, NULL, flat, 0.5), "num_groups=1 eps=0.5", o.cube, NULL, flat);
    SAME(row_norm_input, ag_row_norm_input(o.cube, o.cube, flat, 1, 3, 0.5, true), "num_groups=3 eps=0.5", o.cube,
         o.cube, flat);
    SAME(row_norm_grad, ag_row_norm_grad(o.x, o.y, flat, 1, 0, 0.5, false, &dw, &db), "eps=0.5 centred=false", o.x, o.y,
         flat);
    cr_assert(ag_size(dw) == 3 && ag_size(db) == 3);
    SAME(batch_norm, ag_batch_norm(o.x, flat, flat, NULL, NULL, true, 0.1, 0.5), "eps=0.5", o.x, flat, flat);
    public_same(t, "dropout_mask", ag_dropout_mask(t, AG_F64, AG_SHAPE(9), 0.25), NULL, 0,
                "draw=0 shape=9 p=0.25 dtype=f64");
    ag_tensor *dropped = ag_dropout(o.x, 0.25);
    SAME(mul, dropped, "", o.x, ag_input(dropped, 1));
    strcat(seen,
           " rand uniform randn normal exponential standard_gamma gamma bernoulli multinomial randint randint_like"
           " randperm gumbel_softmax dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout rrelu "); /* in random_ops.c */
    SAME(assign, ag_assign(leaf, o.x), "", leaf, o.x);
    SAME(lerp_into, ag_lerp_into(leaf, o.x, 1), "a=1", leaf, o.y); /* both results are views of the leaf, written last */
    assert_near(leaf, o.y, 1e-15);
}

Test(ops, public_functions) {
    ag_tape *t = ag_tape_new();
    *seen = '\0';
    rows(t, public_operands(t));
    blends(t, public_operands(t));
    shapes(t, public_operands(t));
    images(t, public_operands(t));
    matrices(t, public_operands(t));
    scans(t, public_operands(t));
    indexing(t, public_operands(t));
    ordering(t, public_operands(t));
    products(t, public_operands(t));
    tensor_products(t, public_operands(t));
    losses(t, public_operands(t));
    of_targets(t, public_operands(t));
    margins(t, public_operands(t));
    public_attributes(t, public_operands(t));
    assert_ok(t);
    for (const listed_op *op = listed_ops; op->name; op++) {
        const ag_op *record = ag_find_op(op->name);
        bool step = record->flags & AG_EFFECT && strstr(op->name, "_step");
        bool plain = !record->attr_size && (record->flags & AG_MAP || record->arity == 1); /* passes on what it was given */
        cr_assert(plain || step || listed(seen, op->name), "%s is not called here", op->name);
    }
    ag_tape_free(t);
}

Test(ops, matmul_of_vectors) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_from_f64(t, (const double[]){1, 2, 3}, AG_SHAPE(3)),
              *m = ag_from_f64(t, (const double[]){1, 2, 3, 4, 5, 6}, AG_SHAPE(3, 2));
    assert_values(ag_matmul(a, a), 0, 14);
    cr_assert_eq(ag_rank(ag_matmul(a, a)), 0);
    assert_values(ag_matmul(a, m), 0, 22, 28);
    assert_shape(ag_matmul(a, m), 2);
    assert_values(ag_matmul(ag_transpose(m, 0, 1), a), 0, 22, 28);
    assert_shape(ag_matmul(ag_expand(m, AG_SHAPE(5, 3, 2)), ag_slice(a, 0, 0, 2, 1)), 5, 3);
    int64_t before = ag_tape_size(t);
    cr_assert_null(ag_matmul(a, ag_transpose(m, 0, 1)));
    assert_error(t, AG_ERR_SHAPE, "inner sizes differ: (3) · (2,3)");
    cr_assert_eq(ag_tape_size(t), before + 1, "the transpose alone");
    cr_assert_null(ag_matmul(a, ag_scalar(t, AG_F64, 1)));
    assert_error(t, AG_ERR_SHAPE, "matmul: ");
    ag_tape_free(t);
}
