/* norms.c: normalisation where it is delicate: large means, constant rows, single elements, numbers that f32 cannot square. */
#include <float.h>
#include <math.h>

#include "autograd/op.h"
#include "every_isa.h"
#include "ops/ops.h"

#define F32(t, ...) \
    ag_from_f32(t, (const float[]){__VA_ARGS__}, AG_SHAPE(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)))

enum { N = 3000 };

/* x in f32, the same in f64, and both their gradients under the weights g. */
static void agrees_with_f64(const float *x, int64_t n, bool centred, double eps, double tolerance) {
    ag_tape *t = ag_tape_new();
    ag_tensor *one = ag_from_f32(t, x, AG_SHAPE(n)), *two, *g = ag_param(t, AG_F64, AG_SHAPE(n)), *d[2], *w[2], *b[2];
    double *weight = ag_mutable(g);
    for (int64_t i = 0; i < n; i++) weight[i] = (double)(i * 37 % 101 - 50) / 64;
    two = ag_cast(one, AG_F64);
    for (int k = 0; k < 2; k++) {
        ag_tensor *at = k ? two : one, *along = k ? g : ag_cast(g, AG_F32);
        ag_tensor *y = centred ? ag_layer_norm(at, AG_SHAPE(n), NULL, NULL, eps) : ag_rms_norm(at, AG_SHAPE(n), NULL, eps);
        d[k] = ag_row_norm_grad(along, at, NULL, 1, 0, eps, centred, &w[k], &b[k]);
        if (k) assert_near(ag_cast(one, AG_F64), ag_cast(y, AG_F64), tolerance);
        one = k ? one : y;
    }
    double mean = centred ? ag_item(ag_mean(two, AG_ALL, false)) : 0;
    double r = 1 / sqrt(ag_item(ag_mean(ag_square(ag_add_scalar(two, -mean)), AG_ALL, false)) + eps);
    /* What is left of r g when its mean and its part along x are taken away, measured by r g. */
    assert_near(ag_scale(ag_cast(d[0], AG_F64), 1 / r), ag_scale(d[1], 1 / r), tolerance + 0x1p-149 / r);
    assert_near(ag_cast(w[0], AG_F64), w[1], tolerance);
    assert_near(ag_cast(b[0], AG_F64), b[1], tolerance);
    ag_tape_free(t);
}

TestEveryISA(ops, normalised_rows_keep_their_digits) {
    static float x[N];
    for (int64_t n = 2; n <= N; n = n * 3 + 1) {
        for (int64_t i = 0; i < n; i++) x[i] = 1e4f + (float)(i * 53 % 97) / 97;
        agrees_with_f64(x, n, true, 1e-5, 1e-5); /* a spread of 10⁻⁴ of the mean */
        agrees_with_f64(x, n, false, 1e-5, 1e-5);
        x[0] = -3e7f; /* the first element, which deviations are taken from, lies far out */
        agrees_with_f64(x, n, true, 1e-5, 1e-5);
        for (int64_t i = 0; i < n; i++) x[i] = i < n / 2 ? 1 : 1e6f + (float)(i % 2);
        agrees_with_f64(x, n, true, 1e-5, 1e-5);
    }
}

TestEveryISA(ops, normalised_rows_of_any_size) {
    static float x[N];
    static const float sizes[] = {3e38f, 1e25f, 1e-18f, 1e-25f, 1e-37f};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        for (int64_t n = 2; n <= 100; n = n * 3 + 1) {
            for (int64_t i = 0; i < n; i++) x[i] = sizes[k] * (float)(i * 53 % 97 - 48) / 50;
            agrees_with_f64(x, n, true, 0, 2e-6);
            agrees_with_f64(x, n, false, 0, 2e-6);
        }
    }
}

TestEveryISA(ops, constant_rows_become_the_bias) {
    for (int64_t n = 1; n < 3000; n = n * 2 + 1) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = ag_full(t, AG_F32, AG_SHAPE(2, n), 0.1), *b = ag_full(t, AG_F32, AG_SHAPE(n), 7);
        ag_tensor *g = ag_full(t, AG_F32, AG_SHAPE(2, n), 0.3);
        assert_near(ag_layer_norm(x, AG_SHAPE(n), b, b, 1e-5), ag_expand(b, AG_SHAPE(2, n)), 0);
        assert_near(ag_layer_norm(ag_cast(x, AG_F64), AG_SHAPE(n), NULL, NULL, 1e-5),
                    ag_full(t, AG_F64, AG_SHAPE(2, n), 0), 0);
        ag_tensor *dw, *db, *d = ag_row_norm_grad(g, x, NULL, 1, 0, 1e-5, true, &dw, &db);
        assert_near(d, ag_zeros_like(x), n == 1 ? 0 : 1e-4); /* 1 / √eps times a rounding of g */
        assert_near(dw, ag_zeros_like(dw), 0);
        ag_tape_free(t);
    }
}

TestEveryISA(ops, one_element_has_no_gradient) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_reshape(F32(t, 3, -5, 0.1f, 1e30f), AG_SHAPE(2, 2, 1)),
              *g = ag_reshape(F32(t, 1, 2, 0.3f, 7), AG_SHAPE(2, 2, 1));
    ag_tensor *w = F32(t, 0.7f, 3);
    assert_values(ag_group_norm(x, 2, w, w, 1e-5), 0, (double)0.7f, 3, (double)0.7f, 3);
    assert_values(ag_row_norm_input(g, x, w, 1, 2, 1e-5, true), 0, 0, 0, 0, 0);
    assert_values(ag_layer_norm(F32(t, 3), AG_SHAPE(1), NULL, NULL, 0), 0, NAN); /* 0 / 0 */
    assert_values(ag_rms_norm(F32(t, -3), AG_SHAPE(1), NULL, 0), 1e-7, -1);
    ag_tape_free(t);
}

/* A row with NaN or an infinity is NaN, where the mean counts; the others are as ever. */
TestEveryISA(ops, normalised_rows_that_are_not_finite) {
    ag_tape *t = ag_tape_new();
    for (int k = 0; k < 2; k++) {
        ag_dtype dtype = k ? AG_F64 : AG_F32;
        ag_tensor *x = ag_cast(ag_reshape(F32(t, 1, NAN, -1, -1, INFINITY, 0), AG_SHAPE(3, 2)), dtype);
        assert_values(ag_layer_norm(x, AG_SHAPE(2), NULL, NULL, 0), 0, NAN, NAN, NAN, NAN, NAN, NAN);
        x = ag_cast(ag_reshape(F32(t, 1, NAN, -2, 2, INFINITY, 0), AG_SHAPE(3, 2)), dtype);
        assert_values(ag_layer_norm(x, AG_SHAPE(2), NULL, NULL, 0), 1e-7, NAN, NAN, -1, 1, NAN, NAN);
        assert_values(ag_rms_norm(x, AG_SHAPE(2), NULL, 0), 1e-7, NAN, NAN, -1, 1, NAN, 0);
    }
    ag_tape_free(t);
}

/* A bias alone, as PyTorch allows, and what flows back to it. */
TestEveryISA(ops, normalised_rows_with_a_bias_alone) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){1, 3, -4, 4}, AG_SHAPE(2, 2)), *bias = ag_param(t, AG_F64, AG_SHAPE(2));
    cr_assert(ag_fill(bias, 5));
    ag_tensor *layer = ag_layer_norm(x, AG_SHAPE(2), NULL, bias, 0), *group = ag_group_norm(x, 1, NULL, bias, 0);
    assert_values(layer, 0, 4, 6, 4, 6);
    assert_values(group, 0, 4, 6, 4, 6);
    cr_assert(ag_backward(ag_sum(ag_add(layer, group), AG_ALL, false)));
    assert_values(ag_grad(bias), 0, 4, 4);
    ag_tape_free(t);
}

TestEveryISA(ops, batch_norm_without_weight_or_bias) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){1, 10, 3, 30}, AG_SHAPE(2, 2)),
              *bias = ag_param(t, AG_F64, AG_SHAPE(2));
    ag_tensor *mean = ag_from_f64(t, (const double[]){2, 20}, AG_SHAPE(2)),
              *var = ag_from_f64(t, (const double[]){1, 100}, AG_SHAPE(2));
    cr_assert(ag_fill(bias, 5));
    for (int training = 0; training < 2; training++) {
        assert_values(ag_batch_norm(x, NULL, NULL, mean, var, training, 0, 0), 1e-15, -1, -1, 1, 1);
        ag_tensor *y = ag_batch_norm(x, NULL, bias, mean, var, training, 0, 0);
        assert_values(y, 1e-15, 4, 4, 6, 6);
        ag_zero_grad(bias);
        cr_assert(ag_backward(ag_sum(y, AG_ALL, false)));
        assert_values(ag_grad(bias), 0, 2, 2);
    }
    ag_tensor *own = ag_call(t, "batch_norm_own", (ag_tensor *[]){x, NULL, bias}, 3, "eps=0");
    assert_values(ag_part(own, 0), 1e-15, 4, 4, 6, 6);
    assert_values(ag_part(own, 1), 0, 2, 20);
    assert_values(ag_call(t, "batch_norm", (ag_tensor *[]){x, NULL, NULL}, 3, "eps=0"), 1e-15, -1, -1, 1, 1);
    cr_assert_null(ag_call(t, "batch_norm", (ag_tensor *[]){x, NULL, ag_buffer(t, AG_F64, AG_SHAPE(3))}, 3, ""));
    assert_error(t, AG_ERR_SHAPE, "batch_norm: bias must hold one value for each of the 2 channels");
    ag_tape_free(t);
}

/* However many examples they are said to belong to. */
Test(ops, batch_norm_of_no_elements, .timeout = 10) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE(INT64_C(1) << 40, 2, 0)), *y = ag_call(t, "batch_norm_own", &x, 1, "");
    assert_shape(ag_part(y, 0), INT64_C(1) << 40, 2, 0);
    assert_values(ag_part(y, 1), 0, 0, 0);
    ag_tape_free(t);
}

/* By name, with PyTorch's names, as from C: x's own statistics and towards them, or the running ones. */
Test(ops, norms_by_name_move_running_statistics) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){1, 3, 5, 9}, AG_SHAPE(2, 1, 2));
    ag_tensor *mean = ag_buffer(t, AG_F64, AG_SHAPE(1)), *var = ag_from_f64(t, (const double[]){1}, AG_SHAPE(1));
    ag_tensor *in[] = {x, NULL, NULL, mean, var};
    assert_values(ag_call(t, "batch_norm", in, 5, ""), 1e-4, 1, 3, 5, 9);
    assert_values(mean, 0, 0);
    assert_values(ag_call(t, "batch_norm", in, 5, "training=true eps=0.25 momentum=0.5"), 1e-15, -7 / 6., -1 / 2.,
                  1 / 6., 3 / 2.);
    assert_values(mean, 1e-15, 2.25);
    assert_values(var, 1e-15, 0.5 + 0.5 * 35 / 3); /* the unbiased one */
    cr_assert(ag_fill(mean, 0) && ag_fill(var, 1));
    assert_values(ag_call(t, "instance_norm", in, 5, "eps=0 momentum=0.5"), 1e-15, -1, 1, -1, 1);
    assert_values(mean, 1e-15, 2.25);
    assert_values(var, 1e-15, 3);
    assert_values(ag_call(t, "instance_norm", in, 5, "use_input_stats=false eps=1"), 1e-15, -0.625, 0.375, 1.375, 3.375);
    cr_assert_null(ag_call(t, "batch_norm", (ag_tensor *[]){x, NULL, NULL, NULL, var}, 5, ""));
    assert_error(t, AG_ERR_ARGUMENT, "batch_norm: running_mean and running_var are needed when not training");
    ag_tape_free(t);
}

/* Examples 1 3 and 5 9 of one channel: means 2 and 7, unbiased variances 2 and 8. */
TestEveryISA(ops, instance_norm_moves_running_statistics) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){1, 3, 5, 9}, AG_SHAPE(2, 1, 2)),
              *mean = ag_buffer(t, AG_F64, AG_SHAPE(1)), *var = ag_buffer(t, AG_F64, AG_SHAPE(1));
    assert_values(ag_instance_norm(x, NULL, NULL, mean, var, true, 0.5, 0), 1e-15, -1, 1, -1, 1);
    assert_values(mean, 1e-15, 2.25);
    assert_values(var, 1e-15, 2.5);
    assert_values(ag_instance_norm(x, NULL, NULL, mean, var, false, 0.5, 0), 1e-15, -1.25 / sqrt(2.5), 0.75 / sqrt(2.5),
                  2.75 / sqrt(2.5), 6.75 / sqrt(2.5));
    assert_values(mean, 1e-15, 2.25);
    cr_assert(ag_instance_norm(ag_slice(x, 2, 0, 1, 1), NULL, NULL, mean, var, true, 1, 0));
    assert_values(mean, 1e-15, 3);
    assert_values(var, 0, 0); /* of a single element */
    ag_tape_free(t);
}

TestEveryISA(ops, renorm_at_its_bound) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_param(t, AG_F64, AG_SHAPE(3, 2));
    double *v = ag_mutable(x);
    for (int i = 0; i < 6; i++) v[i] = ((const double[]){3, 4, 0, 0, NAN, 1})[i];
    ag_tensor *y = ag_renorm(x, 2, 0, 5);
    assert_values(y, 0, 3, 4, 0, 0, NAN, 1); /* as long as it may be: as it is */
    cr_assert(ag_backward(ag_sum(y, AG_ALL, false)));
    assert_values(ag_grad(x), 0, 1, 1, 1, 1, 1, 1);
    ag_zero_grad(x);
    y = ag_renorm(x, 2, 0, 0);
    assert_values(y, 0, 0, 0, 0, 0, NAN, 1);
    ag_tape_free(t);
}
