/* special_functions.c: rows against values of many digits, where rounding could grow: near zeros and poles, far out, across the
 * seams between two formulas. */
#include <float.h>
#include <math.h>

#include "ops/every_isa.h"
#include "ops/golden_special.h"
#include "ops/ops.h"

TestEveryISA(ops, special_functions) {
    ag_tape *t = ag_tape_new();
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        ag_tensor *x = ag_scalar(t, AG_F64, golden[i].x), *y = ag_call(t, golden[i].op, &x, 1, golden[i].attributes);
        char text[CHECK_TEXT];
        cr_assert(y, "%s: %s", golden[i].op, ag_tape_message(t));
        cr_assert(check_ulps(ag_item(y), golden[i].y, 12, text), "%s %s at %.17g: %s", golden[i].op,
                  golden[i].attributes, golden[i].x, text);
    }
    ag_tape_free(t);
}

/* I₀ e^−x = 1 / √(2πx) to the end of the range, where 2πx overflows; I₀ itself is infinite there. */
TestEveryISA(ops, bessel_functions_at_the_end_of_the_range) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){DBL_MAX, -DBL_MAX, INFINITY}, AG_SHAPE(3));
    assert_values(ag_i0e(x), 1e-169, 2.9754474593158999e-155, 2.9754474593158999e-155, 0);
    assert_values(ag_i1e(x), 1e-169, 2.9754474593158999e-155, -2.9754474593158999e-155, 0);
    assert_values(ag_i0(x), 0, INFINITY, INFINITY, INFINITY);
    assert_values(ag_iv(x, 3), 0, INFINITY, -INFINITY, INFINITY);
    ag_tape_free(t);
}

TestEveryISA(ops, bessel_functions_at_the_ends) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){0.0, -0.0, 5e-324, INFINITY, -INFINITY, NAN, -2}, AG_SHAPE(7));
    const double j0 = 0.22389077914123567, j1 = -0.57672480775687339, j2 = 0.35283402861563772;
    assert_values(ag_bessel_j0(x), 1e-15, 1, 1, 1, 0, 0, NAN, j0);
    assert_values(ag_bessel_j1(x), 1e-15, 0, -0.0, 0, 0, 0, NAN, j1);
    assert_values(ag_jv(x, -2), 1e-15, 0, 0, 0, 0, 0, NAN, j2);
    assert_values(ag_bessel_y0(x), 1e-12, -INFINITY, -INFINITY, -473.9990734230431, 0, NAN, NAN, NAN);
    assert_values(ag_bessel_y1(x), 0, -INFINITY, -INFINITY, -INFINITY, 0, NAN, NAN, NAN);
    assert_values(ag_yv(x, -1), 0, INFINITY, INFINITY, INFINITY, 0, NAN, NAN, NAN);
    ag_tensor *f = ag_cast(ag_slice(x, 0, 3, 7, 3), AG_F32);
    assert_values(ag_bessel_j0(f), 1e-7, 0, j0);
    ag_tape_free(t);
}

/* To the ends of [0, 1], where x / (1 − x) or its reciprocal overflows, and beyond */
TestEveryISA(ops, logits_at_the_ends) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){-0.0, 5e-324, 0.25, 0.5, 1, -5e-324, 1.5}, AG_SHAPE(7));
    assert_values(ag_logit(x, -1), 1e-13, -INFINITY, -744.4400719213812, -1.0986122886681098, 0, INFINITY, NAN, NAN);
    x = ag_from_f32(t, (const float[]){1e-40F, -1e-40F}, AG_SHAPE(2));
    assert_values(ag_logit(x, -1), 1e-5, -92.10340878007, NAN);
    ag_tape_free(t);
}

/* What takes as many steps as the order says has an end. */
TestEveryISA(ops, orders_without_end) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){0.5, 30}, AG_SHAPE(2));
    for (int k = 0; k < 3; k++) {
        double n = ((const double[]){(1 << 20) + 1, 1e300, INFINITY})[k];
        assert_values(ag_iv(x, n), 0, NAN, NAN);
        assert_values(ag_ive(x, -n), 0, NAN, NAN);
        assert_values(ag_spherical_jn(x, n), 0, NAN, NAN);
        assert_values(ag_jv(x, -n), 0, NAN, NAN);
        assert_values(ag_yv(x, n), 0, NAN, NAN);
        assert_values(ag_ierfcx(x, n), 0, NAN, NAN);
        assert_values(ag_polygamma(x, n), 0, NAN, NAN);
    }
    assert_values(ag_ive(x, 1 << 20), 0, 0, 0);
    assert_values(ag_spherical_jn(x, 1 << 20), 0, 0, 0);
    ag_tape_free(t);
}

/* The gradient of op at x; order 2: its gradient. */
static double slope(ag_tape *t, const char *op, const char *attributes, double at, int order) {
    ag_tensor *x = ag_leaf(t, AG_F64, &at, AG_SHAPE(), AG_REQUIRES_GRAD), *y = ag_call(t, op, &x, 1, attributes);
    for (int k = 0; k < order; k++)
        cr_assert(y && ag_gradients(&y, NULL, 1, &x, 1, &y), "%s: %s", op, ag_tape_message(t));
    return ag_item(y);
}

/* Far out and near zeros, where a difference of nearly equal numbers would have lost every digit */
Test(ops, derivatives_keep_their_digits) {
    static const struct {
        const char *op;
        double x;
        int order;
        double expected;
    } rows[] = {
        {"expm1", -50, 1, 1.9287498479639178e-22},
        {"log1p", 1e-20, 1, 1},
        {"logsigmoid", 50, 1, 1.9287498479639178e-22},
        {"logsigmoid", 50, 2, -1.9287498479639178e-22},
        {"softplus", -50, 1, 1.9287498479639178e-22},
        {"softplus", -50, 2, 1.9287498479639178e-22},
        {"silu", -50, 1, -9.4508742550231970e-21},
        {"silu", -50, 2, -9.2579992702268052e-21},
        {"mish", -50, 1, -9.4508742550231970e-21},
        {"tanhshrink", 1e-8, 1, 1e-16},
        {"sinc", 1e-8, 1, -3.2898681336964529e-8},
        {"i1", 1e-8, 2, 3.75e-9},
        {"bessel_j1", 1e-8, 1, 0.5},
        {"bessel_j1", 1e-8, 2, -3.75e-9},
        {"bessel_y1", 1e-5, 1, 6366197720.133388},
        {"lgamma", 1.4616321449683622, 1, -9.2412655217294275e-17},
        {"digamma", 1e200, 1, 1e-200},
        {"erfcx", 10000, 1, -5.641895750849127e-09},
        {"erfcx", 10000, 2, 1.1283791332441388e-12},
        {"log_ndtr", -100000, 1, 100000.00001},
        {"log_ndtr", -100000, 2, -0.9999999999},
        {"log_ndtr", 30, 1, 1.4736461348785476e-196},
        {"log_ndtr", 30, 2, -4.420938404635642e-195},
        {"ndtri", 1e-250, 1, 2.956033078733795e+248},
        {"ndtri", 1e-100, 2, -4.6800792702224667e+198},
        {"gelu", -10, 1, -7.6184000964648141e-22},
    };
    ag_tape *t = ag_tape_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double d = slope(t, rows[i].op, "", rows[i].x, rows[i].order);
        cr_assert(fabs(d / rows[i].expected - 1) < 1e-12, "%s at %g, order %d: %.17g, not %.17g", rows[i].op, rows[i].x,
                  rows[i].order, d, rows[i].expected);
    }
    ag_tape_free(t);
}
