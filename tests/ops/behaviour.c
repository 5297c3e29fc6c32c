/* behaviour.c: what ops.h promises beyond values and gradients: random numbers, running statistics, writes, views. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "ops/ops.h"
#include "ops/property.h"

/* Dropout */

Test(ops, dropout_keeps_the_expected_share) {
    enum { N = 200000 };
    for (int k = 0; k < 4; k++) {
        double p = (double[]){0, 0.1, 0.5, 0.99}[k], kept = 0, sum = 0;
        ag_tape *t = ag_tape_new();
        ag_tensor *mask = ag_dropout_mask(t, AG_F64, AG_SHAPE(N), p);
        for (int64_t i = 0; i < N; i++) {
            double v = ag_f64(mask)[i];
            cr_assert(v == 0 || fabs(v - 1 / (1 - p)) < 1e-12);
            kept += v != 0;
            sum += v;
        }
        double deviation = sqrt(p * (1 - p) * N);
        cr_assert_leq(fabs(kept - (1 - p) * N), 5 * deviation, "p = %g: %g kept", p, kept);
        cr_assert_leq(fabs(sum - N), 5 * deviation / (1 - p), "p = %g: the mean is %g", p, sum / N);
        ag_tape_free(t);
    }
}

Test(ops, dropout_draws) {
    ag_tape *t = ag_tape_new(), *u = ag_tape_new();
    ag_seed(t, 7);
    ag_seed(u, 7);
    ag_tensor *first = ag_dropout_mask(t, AG_F64, AG_SHAPE(100), 0.5),
              *second = ag_dropout_mask(t, AG_F64, AG_SHAPE(100), 0.5);
    char text[CHECK_TEXT];
    cr_assert_not(check_same(first, second, text), "two draws are alike");
    assert_near(ag_dropout_mask(u, AG_F32, AG_SHAPE(100), 0.5), first, 1e-7); /* the same in both dtypes */
    ag_seed(u, 8);
    cr_assert_not(check_near(ag_dropout_mask(u, AG_F32, AG_SHAPE(100), 0.5), second, 1e-7, text),
                  "two seeds are alike");
    ag_tape_free(t);
    ag_tape_free(u);
}

Test(ops, dropout_repeats_when_replayed) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 1;
    ag_tensor *x = check_leaf(t, AG_F64, AG_SHAPE(50), AG_REQUIRES_GRAD, 1, 2, &state), *y = ag_dropout(x, 0.5), *d;
    double before[50], after[50];
    cr_assert(ag_gradients(&y, NULL, 1, &x, 1, &d));
    assert_near(ag_mul(d, x), y, 1e-15); /* the gradient is the mask */
    cr_assert(ag_read(y, before) && ag_replay(t) && ag_read(y, after));
    cr_assert_arr_eq(before, after, sizeof before);
    ag_tape_free(t);
}

/* Batch normalisation */

static ag_tensor *vector(ag_tape *t, double a, double b) { return ag_from_f64(t, (const double[]){a, b}, AG_SHAPE(2)); }

Test(ops, batch_norm_moves_running_statistics) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x =
        ag_from_f64(t, (const double[]){1, 10, 2, 20, 6, 60}, AG_SHAPE(3, 2)); /* means 3, 30; variances 14/3, 1400/3 */
    ag_tensor *weight = vector(t, 1, 2), *bias = vector(t, 0, 5), *mean = vector(t, 0, 0), *var = vector(t, 1, 1);
    ag_tensor *y = ag_batch_norm(x, weight, bias, mean, var, true, 0.1, 0);
    double a = sqrt(14. / 3);
    assert_values(y, 1e-15, -2 / a, 5 - 4 / a, -1 / a, 5 - 2 / a, 3 / a, 5 + 6 / a);
    assert_values(mean, 1e-15, 0.3, 3);
    assert_values(var, 1e-15, 0.9 + 0.7, 0.9 + 70); /* towards 7 and 700: the unbiased ones */
    cr_assert(ag_replay(t));
    assert_values(mean, 1e-15, 0.3, 3); /* effects are not replayed */
    y = ag_batch_norm(x, weight, bias, mean, var, false, 0.1, 0.4);
    double b = sqrt(1.6 + 0.4), c = sqrt(70.9 + 0.4);
    assert_values(y, 1e-14, 0.7 / b, 5 + 14 / c, 1.7 / b, 5 + 34 / c, 5.7 / b, 5 + 114 / c);
    assert_values(mean, 1e-15, 0.3, 3);
    ag_tape_free(t);
}

Test(ops, batch_norm_of_one_element_a_channel) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){3, 4}, AG_SHAPE(1, 2)), *mean = vector(t, 0, 0), *var = vector(t, 1, 1);
    assert_values(ag_batch_norm(x, vector(t, 1, 1), vector(t, 7, 8), mean, var, true, 0.5, 1e-5), 0, 7, 8);
    assert_values(mean, 0, 1.5, 2);
    assert_values(var, 0, 0.5, 0.5); /* not NaN: the unbiased variance of one element is taken as 0 */
    cr_assert_null(ag_batch_norm(x, vector(t, 1, 1), vector(t, 7, 8), mean, NULL, false, 0.5, 1e-5));
    assert_error(t, AG_ERR_ARGUMENT, "batch_norm: running_mean and running_var are needed");
    cr_assert_null(
        ag_batch_norm(x, vector(t, 1, 1), vector(t, 7, 8), ag_buffer(t, AG_F64, AG_SHAPE(3)), var, false, 0.5, 1e-5));
    assert_error(t, AG_ERR_SHAPE, "batch_norm: running_mean must hold one value");
    ag_tensor *wrong[2] = {ag_buffer(t, AG_F64, AG_SHAPE(3)), ag_buffer(t, AG_F32, AG_SHAPE(2))};
    for (int k = 0; k < 2; k++) { /* then no statistic moves */
        cr_assert_null(ag_batch_norm(x, NULL, NULL, mean, wrong[k], true, 0.5, 1e-5));
        assert_error(t, k ? AG_ERR_DTYPE : AG_ERR_SHAPE, k ? "running_var is f32, where x is f64" : "running_var must hold");
        cr_assert_null(ag_instance_norm(ag_unsqueeze(x, 2), NULL, NULL, mean, wrong[k], true, 0.5, 1e-5));
        assert_error(t, k ? AG_ERR_DTYPE : AG_ERR_SHAPE, "instance_norm: running_var ");
    }
    assert_values(mean, 0, 1.5, 2);
    ag_tape_free(t);
}

/* Against running statistics the op is an affine map; its gradients are those of one. */
Test(ops, batch_norm_evaluation_gradients) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 9;
    function f = {.tape = t, .n = 3, .m = 1, .random = 2};
    f.x[0] = check_leaf(t, AG_F64, AG_SHAPE(3, 2, 2), AG_REQUIRES_GRAD, -2, 2, &state);
    f.x[1] = check_leaf(t, AG_F64, AG_SHAPE(2), AG_REQUIRES_GRAD, 1, 2, &state);
    f.x[2] = check_leaf(t, AG_F64, AG_SHAPE(2), AG_REQUIRES_GRAD, -2, 2, &state);
    f.y[0] = ag_batch_norm(f.x[0], f.x[1], f.x[2], vector(t, 0.5, -1), vector(t, 2, 3), false, 0.1, 1e-5);
    verdict v;
    cr_assert(f.y[0] && function_weights(&f) && gradient_check(&f, &v), "%s %s", v.text, ag_tape_message(t));
    ag_tape_free(t);
}

/* Writing */

Test(ops, assign_takes_views_of_the_leaf_itself) {
    ag_tape *t = ag_tape_new();
    ag_tensor *leaf = ag_from_f64(t, (const double[]){1, 2, 3, 4}, AG_SHAPE(2, 2));
    assert_values(ag_assign(leaf, ag_transpose(leaf, 0, 1)), 0, 1, 3, 2, 4);
    assert_values(leaf, 0, 1, 3, 2, 4);
    assert_values(ag_assign(leaf, leaf), 0, 1, 3, 2, 4);
    assert_values(ag_assign(leaf, ag_slice(leaf, 1, AG_END, AG_END, -1)), 0, 3, 1, 4, 2);
    assert_values(ag_lerp_into(leaf, ag_transpose(leaf, 0, 1), 0.5), 0, 3, 2.5, 2.5, 2);
    ag_tape_free(t);
}

Test(ops, a_failed_write_changes_nothing) {
    ag_tape *t = ag_tape_new();
    ag_tensor *leaf = ag_from_f64(t, (const double[]){1, 2}, AG_SHAPE(2)), *x = ag_buffer(t, AG_F64, AG_SHAPE(2));
    ag_tensor *y = ag_mul(leaf, leaf);
    cr_assert_null(ag_assign(leaf, ag_buffer(t, AG_F64, AG_SHAPE(3))));
    assert_error(t, AG_ERR_SHAPE, "assign");
    cr_assert_null(ag_assign(y, x));
    assert_error(t, AG_ERR_ARGUMENT, "persistent leaf");
    assert_values(leaf, 0, 1, 2);
    ag_tape_free(t);
}

/* The stamp of a write makes what was computed before it stale, until it is computed again. */
Test(ops, a_write_makes_uses_stale) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_leaf(t, AG_F64, (const double[]){3}, AG_SHAPE(), AG_REQUIRES_GRAD), *y = ag_square(w);
    cr_assert(ag_assign(w, ag_scalar(t, AG_F64, 5)));
    cr_assert_not(ag_backward(y));
    assert_error(t, AG_ERR_STATE, "was overwritten after square used it");
    cr_assert(ag_replay(t) && ag_backward(y));
    assert_values(ag_grad(w), 0, 10);
    y = ag_where(ag_gt(w, ag_scalar(t, AG_F64, 0)), ag_mul(ag_square(w), w), ag_scalar(t, AG_F64, 0)); /* w comes second */
    cr_assert(ag_assign(w, ag_scalar(t, AG_F64, 2)));
    cr_assert_not(ag_backward(y));
    assert_error(t, AG_ERR_STATE, "was overwritten after mul used it");
    ag_tape_free(t);
}

/* Views */

Test(ops, views_share_memory) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){0, 1, 2, 3, 4, 5}, AG_SHAPE(2, 3));
    ag_tensor *turned = ag_transpose(x, 0, 1), *part = ag_slice(x, 1, 2, AG_END, -2),
              *wide = ag_expand(ag_slice(x, 0, 1, 2, 1), AG_SHAPE(4, 3));
    cr_assert_eq(ag_data(turned), ag_data(x));
    cr_assert_eq(ag_data(ag_reshape(x, AG_SHAPE(3, 2))), ag_data(x));
    cr_assert_eq(ag_stride(wide, 0), 0);
    cr_assert_eq(ag_stride(part, 1), -2);
    assert_values(part, 0, 2, 0, 5, 3);
    cr_assert_neq(ag_data(ag_reshape(turned, AG_SHAPE(6))), ag_data(x)); /* not without a copy */
    cr_assert_eq(ag_contiguous(x), x);
    cr_assert_eq(ag_rank(ag_reshape(x, AG_SHAPE(1, 1, 2, 1, 1, 1, 1, 3))), AG_MAX_RANK);
    cr_assert(ag_is_contiguous(ag_contiguous(turned)));
    cr_assert(ag_write(x, (const double[]){9, 8, 7, 6, 5, 4}));
    assert_values(turned, 0, 9, 6, 8, 5, 7, 4); /* a view sees what is written */
    ag_tape_free(t);
}

/* What only names a part, a turn, a diagonal or windows sees the same memory, and so does a flip's gradient. */
Test(ops, parts_share_memory) {
    ag_tape *t = ag_tape_new();
    const double values[] = {0, 1, 2, 3, 4, 5};
    ag_tensor *x = ag_leaf(t, AG_F64, values, AG_SHAPE(2, 3), AG_REQUIRES_GRAD), *row[2], *piece[2], *d;
    const double *data = ag_data(x);
    cr_assert(ag_unbind(x, 0, row, 2) && ag_split(x, 2, 1, piece, 2), "%s", ag_tape_message(t));
    cr_assert_eq(ag_data(row[1]), data + 3);
    cr_assert_eq(ag_data(piece[1]), data + 2);
    cr_assert_eq(ag_data(ag_diagonal(x, 1, 0, 1)), data + 1);
    cr_assert_eq(ag_data(ag_rot90(x, 1, AG_AXES(0, 1))), data + 2);
    cr_assert_eq(ag_data(ag_unfold(x, 1, 2, 1)), data);
    cr_assert_eq(ag_stride(ag_unfold(x, 1, 2, 1), 2), 1);
    cr_assert_eq(ag_data(ag_squeeze(ag_unsqueeze(ag_transpose(x, 0, 1), 1), AG_ALL)), data);
    cr_assert_eq(ag_data(ag_movedim(x, AG_AXES(0), AG_AXES(1))), data);
    ag_tensor *y = ag_flip(x, AG_ALL), *g = ag_from_f64(t, values, AG_SHAPE(2, 3));
    cr_assert_eq(ag_data(y), data + 5);
    cr_assert(ag_gradients(&y, &g, 1, &x, 1, &d), "%s", ag_tape_message(t));
    cr_assert_eq(ag_data(d), (const double *)ag_data(g) + 5);
    ag_tape_free(t);
}

/* The caller says how many parts there should be. */
Test(ops, parts_are_counted) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE(7, 2)), *out[9], *xs[2] = {x, x};
    cr_assert_null(ag_split(x, 3, 0, out, 2));
    assert_error(t, AG_ERR_ARGUMENT, "split: there are 3 parts, not 2");
    cr_assert_null(ag_split(x, 0, 0, out, 2));
    assert_error(t, AG_ERR_ARGUMENT, "split: split_size 0");
    cr_assert_null(ag_chunk(x, 5, 0, out, 5)); /* of 2 each: four are enough, as in PyTorch */
    assert_error(t, AG_ERR_ARGUMENT, "chunk: there are 4 parts, not 5");
    cr_assert_null(ag_chunk(x, 0, 0, out, 1));
    assert_error(t, AG_ERR_ARGUMENT, "chunk: chunks 0");
    cr_assert_null(ag_unbind(x, 2, out, 2));
    assert_error(t, AG_ERR_ARGUMENT, "unbind: axis 2 is out of range");
    cr_assert_null(ag_unbind(x, 1, NULL, 2));
    assert_error(t, AG_ERR_ARGUMENT, "unbind: out is NULL");
    cr_assert_null(ag_split_with_sizes(x, (const int64_t[]){3, 3}, 0, out, 2));
    assert_error(t, AG_ERR_ARGUMENT, "split_with_sizes: the 2 sizes are too small for axis 0");
    cr_assert_null(ag_split_with_sizes(x, NULL, 0, out, 2));
    assert_error(t, AG_ERR_ARGUMENT, "split_with_sizes: an argument is NULL");
    cr_assert_null(ag_split(NULL, 1, 0, out, 1));
    cr_assert_null(ag_meshgrid(xs, 2, AG_IJ, NULL));
    cr_assert_null(ag_broadcast_tensors(NULL, 2, out));
    ag_tape_clear(t);
    cr_assert(ag_split_with_sizes(x, (const int64_t[]){1, 0, 1, 1, 1, 1, 1, 0, 1}, 0, out, 9), "%s", ag_tape_message(t));
    assert_shape(out[7], 0, 2);
    cr_assert(ag_broadcast_tensors(xs, 2, out), "%s", ag_tape_message(t));
    ag_tape_free(t);
}

Test(ops, nan_belongs_behind_everything) {
    ag_tape *t = ag_tape_new();
    ag_tensor *line = ag_from_f64(t, (const double[]){-INFINITY, 0, 0, INFINITY}, AG_SHAPE(4));
    ag_tensor *x = ag_from_f64(t, (const double[]){NAN, -0.0, INFINITY, -INFINITY}, AG_SHAPE(4));
    assert_values(ag_searchsorted(line, x, false), 0, 4, 1, 3, 0);
    assert_values(ag_bucketize(x, line, true), 0, 4, 3, 4, 1);
    ag_tape_free(t);
}

/* Options */

/* A program compiled against an older header has a shorter struct, behind which is something else. */
Test(ops, options_end_where_their_size_says) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 3;
    ag_tensor *x = check_leaf(t, AG_F64, AG_SHAPE(1, 1, 5, 5), 0, -1, 1, &state);
    ag_tensor *w = check_leaf(t, AG_F64, AG_SHAPE(1, 1, 2, 2), 0, -1, 1, &state);
    ag_conv2d_options conv = ag_conv2d_defaults();
    conv.dilation[0] = conv.groups = 99;
    conv.size = offsetof(ag_conv2d_options, dilation);
    assert_same(ag_conv2d(x, w, &conv), ag_conv2d(x, w, NULL));
    ag_conv_transpose_options wide = ag_conv_transpose_defaults();
    wide.output_padding[1] = wide.groups = 99;
    wide.size = offsetof(ag_conv_transpose_options, output_padding);
    assert_same(ag_conv_transpose2d(x, w, NULL, &wide), ag_conv_transpose2d(x, w, NULL, NULL));
    ag_tensor *row = ag_select(ag_select(x, 0, 0), 0, 0),
              *label = ag_from_i64(t, (const int64_t[]){0, 1, 2, 3, 4}, AG_SHAPE(5));
    ag_cross_entropy_options entropy = ag_cross_entropy_defaults();
    entropy.label_smoothing = 0.5;
    entropy.size = offsetof(ag_cross_entropy_options, label_smoothing);
    assert_same(ag_cross_entropy_with(row, label, NULL, &entropy), ag_cross_entropy(row, label));
    ag_tape_free(t);
}

Test(ops, options_come_from_their_defaults) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE(1, 1, 3, 3)), *label = ag_buffer(t, AG_I64, AG_SHAPE(1));
    cr_assert_null(ag_conv2d(x, x, &(ag_conv2d_options){.stride = {1, 1}}));
    assert_error(t, AG_ERR_ARGUMENT, "conv2d: the options have size 0: begin with ag_conv2d_defaults()");
    cr_assert_null(ag_conv_transpose1d(x, x, NULL, &(ag_conv_transpose_options){.groups = 1}));
    assert_error(t, AG_ERR_ARGUMENT, "begin with ag_conv_transpose_defaults()");
    cr_assert_null(ag_cross_entropy_with(x, label, NULL, &(ag_cross_entropy_options){.reduction = AG_SUM}));
    assert_error(t, AG_ERR_ARGUMENT, "begin with ag_cross_entropy_defaults()");
    cr_assert_null(ag_poisson_nll_loss(x, x, &(ag_poisson_nll_loss_options){.full = true}));
    assert_error(t, AG_ERR_ARGUMENT, "begin with ag_poisson_nll_loss_defaults()");
    cr_assert_null(ag_gaussian_nll_loss(x, x, x, &(ag_gaussian_nll_loss_options){.full = true}));
    assert_error(t, AG_ERR_ARGUMENT, "begin with ag_gaussian_nll_loss_defaults()");
    cr_assert_null(ag_multi_margin_loss(x, label, NULL, &(ag_multi_margin_loss_options){.p = 2}));
    assert_error(t, AG_ERR_ARGUMENT, "begin with ag_multi_margin_loss_defaults()");
    cr_assert_null(ag_triplet_margin_loss(x, x, x, &(ag_triplet_margin_loss_options){.swap = true}));
    assert_error(t, AG_ERR_ARGUMENT, "begin with ag_triplet_margin_loss_defaults()");
    cr_assert_null(ag_l1_loss(x, x, AG_BATCH_MEAN));
    assert_error(t, AG_ERR_ARGUMENT, "only kl_div has AG_BATCH_MEAN");
    ag_tape_free(t);
}
