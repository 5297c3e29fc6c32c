/* kinks.c: gradients where the derivative jumps, is infinite, or meets infinities on a way not taken: what ops.h
 * states. */
#include <math.h>
#include <stdio.h>

#include "every_isa.h"
#include "ops/ops.h"
#include "ops/property.h"

typedef struct kink {
    const char *op, *attributes;
    double a, b;          /* inputs */
    double da, db;        /* first gradients */
    double daa, dab, dbb; /* second ones; UNSAID: not checked */
} kink;

#define UNSAID 1e99
static const kink kinks[] = {
    {"relu", "", 0, 0, 0, 0, 0, 0, 0},
    {"relu", "", -INFINITY, 0, 0, 0, 0, 0, 0},
    {"relu", "", INFINITY, 0, 1, 0, 0, 0, 0},
    {"abs", "", 0, 0, 0, 0, 0, 0, 0},
    {"abs", "", -0.0, 0, 0, 0, 0, 0, 0},
    {"sqrt", "", 0, 0, INFINITY, 0, UNSAID, 0, 0},
    {"log", "", 0, 0, INFINITY, 0, -INFINITY, 0, 0},
    {"reciprocal", "", 0, 0, -INFINITY, 0, INFINITY, 0, 0},
    {"tanh", "", 1000, 0, 0, 0, 0, 0, 0},
    {"sigmoid", "", -1000, 0, 0, 0, 0, 0, 0},
    {"sigmoid", "", 1000, 0, 0, 0, 0, 0, 0},
    {"gelu", "", 0, 0, 0.5, 0, 0.79788456080286536, 0, 0},
    {"gelu", "", 1e200, 0, 1, 0, 0, 0, 0},
    {"gelu", "", -1e200, 0, 0, 0, 0, 0, 0},
    {"exp", "", -INFINITY, 0, 0, 0, 0, 0, 0},
    {"pow_scalar", "exponent=0", 0, 0, 0, 0, 0, 0, 0},
    {"pow_scalar", "exponent=1", 0, 0, 1, 0, 0, 0, 0},
    {"pow_scalar", "exponent=2", 0, 0, 0, 0, 2, 0, 0},
    {"pow_scalar", "exponent=3", 0, 0, 0, 0, 0, 0, 0},
    {"pow_scalar", "exponent=2", -3, 0, -6, 0, 2, 0, 0},
    {"pow_scalar", "exponent=0.5", 0, 0, INFINITY, 0, -INFINITY, 0, 0},
    {"pow_scalar", "exponent=-1", 0, 0, -INFINITY, 0, INFINITY, 0, 0},
    {"pow", "", 0, 0, 0, 0, 0, UNSAID, 0},
    {"pow", "", 0, 1, 1, 0, 0, UNSAID, 0},
    {"pow", "", 0, 2, 0, 0, 2, 0, 0},
    {"pow", "", 0, 3, 0, 0, 0, 0, 0},
    {"pow", "", 0, 0.5, INFINITY, 0, -INFINITY, UNSAID, 0},
    {"pow", "", 2, 0, 0, 0.69314718055994531, 0, 0.5, 0.48045301391820142},
    {"pow", "", -2, 3, 12, NAN, -12, NAN, NAN},
    {"pow", "", 0x1p-1070, 0, 0, -1070 * 0.69314718055994531, UNSAID, UNSAID, UNSAID},
    {"pow", "", NAN, 0, 0, NAN, UNSAID, UNSAID, NAN},
    {"pow", "", 0, -1, -INFINITY, -INFINITY, INFINITY, UNSAID, UNSAID},
    {"maximum", "", 1, 1, 0.5, 0.5, 0, 0, 0},
    {"maximum", "", INFINITY, 1, 1, 0, 0, 0, 0},
    {"maximum", "", 1, INFINITY, 0, 1, 0, 0, 0},
    {"maximum", "", 0.0, -0.0, 0.5, 0.5, 0, 0, 0},
    {"minimum", "", 1, 1, 0.5, 0.5, 0, 0, 0},
    {"minimum", "", INFINITY, 1, 0, 1, 0, 0, 0},
    {"minimum", "", -INFINITY, 1, 1, 0, 0, 0, 0},
    {"relu_grad", "", INFINITY, -1, 0, 0, 0, 0, 0},
    {"relu_grad", "", NAN, -1, 0, 0, 0, 0, 0},
    {"relu_grad", "", 3, 0, 0, 0, 0, 0, 0},
    {"div", "", 0, 2, 0.5, 0, 0, -0.25, 0},
    {"mul", "", 0, 0, 0, 0, 0, 1, 0},
    {"clamp", "min=-1 max=1", 1, 0, 1, 0, 0, 0, 0},
    {"clamp", "min=-1 max=1", -1, 0, 1, 0, 0, 0, 0},
    {"clamp", "min=-1 max=1", 2, 0, 0, 0, 0, 0, 0},
    {"clamp", "max=1", -INFINITY, 0, 1, 0, 0, 0, 0},
    {"clamp", "min=2 max=1", 1.5, 0, 0, 0, 0, 0, 0},
    {"hardtanh", "", 1, 0, 0, 0, 0, 0, 0},
    {"hardtanh", "", -1, 0, 0, 0, 0, 0, 0},
    {"relu6", "", 0, 0, 0, 0, 0, 0, 0},
    {"relu6", "", 6, 0, 0, 0, 0, 0, 0},
    {"hardsigmoid", "", -3, 0, 0, 0, 0, 0, 0},
    {"hardsigmoid", "", 3, 0, 0, 0, 0, 0, 0},
    {"hardswish", "", -3, 0, 0, 0, 0, 0, 0},
    {"hardswish", "", 3, 0, 1, 0, 0, 0, 0},
    {"hardswish", "", INFINITY, 0, 1, 0, 0, 0, 0},
    {"leaky_relu", "", 0, 0, 0.01, 0, 0, 0, 0},
    {"prelu", "", 0, 0.25, 0.25, 0, 0, 1, 0},
    {"prelu", "", INFINITY, 0.25, 1, 0, 0, 0, 0},
    {"prelu", "", 2, INFINITY, 1, 0, 0, 0, 0},
    {"nan_to_num", "", NAN, 0, 0, 0, 0, 0, 0},
    {"nan_to_num", "", INFINITY, 0, 0, 0, 0, 0, 0},
    {"clamp_min", "min=1", 1, 0, 1, 0, 0, 0, 0},
    {"clamp_max", "max=1", 1, 0, 1, 0, 0, 0, 0},
    {"threshold", "threshold=1 value=5", 1, 0, 0, 0, 0, 0, 0},
    {"softshrink", "", 0.5, 0, 0, 0, 0, 0, 0},
    {"softshrink", "", -0.5, 0, 0, 0, 0, 0, 0},
    {"hardshrink", "", 0.5, 0, 0, 0, 0, 0, 0},
    {"elu", "alpha=2", 0, 0, 2, 0, 2, 0, 0},
    {"elu", "", 1000, 0, 1, 0, 0, 0, 0},
    {"celu", "alpha=2", 0, 0, 1, 0, 0.5, 0, 0},
    {"elu", "", NAN, 0, NAN, 0, NAN, 0, 0},
    {"celu", "", NAN, 0, NAN, 0, NAN, 0, 0},
    {"selu", "", 0, 0, 1.7580993408473766, 0, 1.7580993408473766, 0, 0},
    {"softplus", "", 0, 0, 0.5, 0, 0.25, 0, 0},
    {"softplus", "", 1000, 0, 1, 0, 0, 0, 0},
    {"logsigmoid", "", -INFINITY, 0, 1, 0, 0, 0, 0},
    {"softsign", "", 0, 0, 1, 0, 0, 0, 0},
    {"frac", "", 2, 0, 1, 0, 0, 0, 0},
    {"cbrt", "", 0, 0, INFINITY, 0, UNSAID, 0, 0},
    {"asin", "", 1, 0, INFINITY, 0, UNSAID, 0, 0},
    {"acos", "", -1, 0, -INFINITY, 0, UNSAID, 0, 0},
    {"atanh", "", 1, 0, INFINITY, 0, UNSAID, 0, 0},
    {"logit", "", 0, 0, INFINITY, 0, UNSAID, 0, 0},
    {"logit", "", 2, 0, NAN, 0, UNSAID, 0, 0},
    {"logit", "eps=0.1", 0.05, 0, 0, 0, 0, 0, 0},
    {"logit", "eps=0.1", 0, 0, 0, 0, 0, 0, 0},
    {"erfinv", "", 1, 0, INFINITY, 0, UNSAID, 0, 0},
    {"erfcx", "", INFINITY, 0, 0, 0, 0, 0, 0},
    {"erfcx", "", -INFINITY, 0, -INFINITY, 0, INFINITY, 0, 0},
    {"log_ndtr", "", INFINITY, 0, 0, 0, 0, 0, 0},
    {"log_ndtr", "", -INFINITY, 0, INFINITY, 0, UNSAID, 0, 0},
    {"log_ndtr", "", 0, 0, 0.79788456080286536, 0, -0.63661977236758134, 0, 0},
    {"ndtri", "", 0, 0, INFINITY, 0, UNSAID, 0, 0},
    {"ndtri", "", -0.0, 0, INFINITY, 0, UNSAID, 0, 0},
    {"ndtri", "", 1, 0, INFINITY, 0, UNSAID, 0, 0},
    {"ndtri", "", 0.5, 0, 2.5066282746310005, 0, 0, 0, 0},
    {"ndtri", "", 2, 0, NAN, 0, UNSAID, 0, 0},
    {"sinc", "", 0, 0, 0, 0, -3.2898681336964528, 0, 0},
    {"i1", "", 0, 0, 0.5, 0, 0, 0, 0},
    {"i0e", "", 0, 0, 0, 0, 0.5, 0, 0},
    {"lgamma", "", -2, 0, NAN, 0, UNSAID, 0, 0},
    {"maximum", "", 2, 2, 0.5, 0.5, 0, 0, 0},
    {"fmax", "", 1, 1, 1, 0, 0, 0, 0},
    {"fmax", "", NAN, 1, 0, 1, 0, 0, 0},
    {"clamp_between", "", 1, 1, 1, 0, 0, 0, 0},
    {"clamp_between", "", 1, 2, 0, 1, 0, 0, 0},
    {"clamp_between", "", INFINITY, -INFINITY, 1, 0, 0, 0, 0},
    {"fmax", "", NAN, NAN, 1, 0, 0, 0, 0},
    {"fmin", "", NAN, NAN, 1, 0, 0, 0, 0},
    {"fmin", "", 1, NAN, 1, 0, 0, 0, 0},
    {"fmin", "", 1, 1, 1, 0, 0, 0, 0},
    {"copysign", "", 0, -1, 0, 0, 0, 0, 0},
    {"copysign", "", 3, -1, -1, 0, 0, 0, 0},
    {"hypot", "", 0, 0, NAN, NAN, UNSAID, UNSAID, UNSAID},
    {"remainder", "", -5, 3, 1, 2, 0, 0, 0},
    {"fmod", "", -5, 3, 1, 1, 0, 0, 0},
    {"logaddexp", "", INFINITY, INFINITY, 0.5, 0.5, UNSAID, UNSAID, UNSAID},
    {"logaddexp", "", -INFINITY, -INFINITY, 0.5, 0.5, UNSAID, UNSAID, UNSAID},
    {"logaddexp", "", 1, -INFINITY, 1, 0, 0, 0, 0},
    {"logaddexp", "", 0, 0, 0.5, 0.5, 0.25, -0.25, 0.25},
    {"xlogy", "", 0, -1, 0, 0, UNSAID, UNSAID, UNSAID},
    {"xlogy", "", 0, 0, 0, NAN, UNSAID, UNSAID, UNSAID},
    {"xlog1py", "", 0, -1, 0, NAN, UNSAID, UNSAID, UNSAID},
    {"entr", "", 0, 0, INFINITY, 0, -INFINITY, 0, 0},
};

static bool alike(double a, double e) {
    if (e == UNSAID) return true;
    return isnan(e) ? isnan(a) : isinf(e) ? a == e : fabs(a - e) <= 1e-14 * fmax(1, fabs(e));
}

TestEveryISA(ops, kinks) {
    for (size_t k = 0; k < sizeof kinks / sizeof *kinks; k++) {
        const kink *q = &kinks[k];
        ag_tape *t = ag_tape_new();
        int most = ag_find_op(q->op)->arity + (*q->attributes ? 0 : ag_find_op(q->op)->optional), n = most < 2 ? most : 2;
        ag_tensor *x[2], *d[2], *dd[2][2], *y;
        for (int i = 0; i < 2; i++) x[i] = ag_leaf(t, AG_F64, i ? &q->b : &q->a, AG_SHAPE(), AG_REQUIRES_GRAD);
        y = ag_call(t, q->op, x, n, q->attributes);
        cr_assert(y && ag_gradients(&y, NULL, 1, x, 2, d), "%s: %s", q->op, ag_tape_message(t));
        double first[2] = {q->da, q->db}, second[2][2] = {{q->daa, q->dab}, {q->dab, q->dbb}};
        for (int i = 0; i < n; i++) {
            cr_assert(ag_gradients(&d[i], NULL, 1, x, 2, dd[i]), "%s: %s", q->op, ag_tape_message(t));
            cr_assert(alike(ag_item(d[i]), first[i]), "%s %s at (%g, %g): gradient %d is %.17g, not %.17g", q->op,
                      q->attributes, q->a, q->b, i, ag_item(d[i]), first[i]);
            for (int j = 0; j < n; j++) {
                cr_assert(alike(ag_item(dd[i][j]), second[i][j]), "%s %s at (%g, %g): gradient %d,%d is %.17g, not %.17g",
                          q->op, q->attributes, q->a, q->b, i, j, ag_item(dd[i][j]), second[i][j]);
            }
        }
        ag_tape_free(t);
    }
}

static ag_tensor *param(ag_tape *t, const double *values, ag_shape shape) {
    return ag_leaf(t, AG_F64, values, shape, AG_REQUIRES_GRAD);
}

TestEveryISA(ops, max_shares_ties) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = param(t, (const double[]){3, 1, 3, 3, 2, 2}, AG_SHAPE(2, 3)), *d, *u;
    ag_tensor *y = ag_max(x, AG_AXES(1), false), *w = ag_from_f64(t, (const double[]){6, 10}, AG_SHAPE(2));
    cr_assert(ag_gradients(&y, &w, 1, &x, 1, &d));
    assert_values(d, 0, 3, 0, 3, 10, 0, 0);
    cr_assert(ag_jvp(&y, 1, &x, &x, 1, &u)); /* x as its own tangent: the mean of the tied ones */
    assert_values(u, 0, 3, 3);
    y = ag_max(x, AG_ALL, false);
    cr_assert(ag_gradients(&y, NULL, 1, &x, 1, &d));
    assert_values(d, 1e-16, 1. / 3, 0, 1. / 3, 1. / 3, 0, 0);
    ag_tape_free(t);
}

/* y and its gradients with respect to x of both orders, where `f` does not take the branch that holds an infinity or
 * a NaN. */
static void need_finite(ag_tensor *(*f)(ag_tensor *x, ag_tensor *bad), const double value[3], const double bad_value[3],
                        const char *name) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x[2] = {param(t, value, AG_SHAPE(3)), param(t, bad_value, AG_SHAPE(3))}, *d[2], *dd[2], *y = f(x[0], x[1]);
    cr_assert(ag_gradients(&y, NULL, 1, x, 2, d) && ag_gradients(d, NULL, 2, x, 2, dd), "%s: %s", name, ag_tape_message(t));
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3; k++) {
            cr_assert(isfinite(ag_at(d[i], k)), "%s: gradient %d [%d] is %g", name, i, k, ag_at(d[i], k));
            cr_assert(isfinite(ag_at(dd[i], k)), "%s: second gradient %d [%d] is %g", name, i, k, ag_at(dd[i], k));
        }
    }
    ag_tape_free(t);
}

static ag_tensor *yes(ag_tensor *x) { return ag_eq(x, x); }
static ag_tensor *square_of_where(ag_tensor *x, ag_tensor *bad) { return ag_square(ag_where(yes(x), x, bad)); }
static ag_tensor *where_of_product(ag_tensor *x, ag_tensor *bad) { return ag_mul(x, ag_where(yes(x), x, bad)); }
static ag_tensor *relu_of(ag_tensor *x, ag_tensor *bad) {
    return ag_mul(x, ag_square(ag_relu(ag_where(yes(x), x, bad))));
}
static ag_tensor *square_of_relu(ag_tensor *x, ag_tensor *bad) { return ag_mul(ag_square(ag_relu(bad)), x); }
static ag_tensor *larger(ag_tensor *x, ag_tensor *bad) { return ag_square(ag_maximum(x, bad)); }

TestEveryISA(ops, infinities_on_the_way_not_taken) {
    static const double x[3] = {1, -2, 0.5}, nans[3] = {NAN, NAN, NAN}, infinities[3] = {INFINITY, -INFINITY, INFINITY};
    static const double low[3] = {-INFINITY, -INFINITY, -INFINITY};
    need_finite(square_of_where, x, infinities, "square of where");
    need_finite(square_of_where, x, nans, "square of where");
    need_finite(where_of_product, x, infinities, "where in a product");
    need_finite(where_of_product, x, nans, "where in a product");
    need_finite(relu_of, x, infinities, "relu of where");
    need_finite(square_of_relu, x, low, "square of relu");
    need_finite(larger, x, low, "square of maximum");
}

TestEveryISA(ops, masked_softmax_has_finite_gradients) {
    ag_tape *t = ag_tape_new();
    static const double masked[6] = {-INFINITY, 0, 1, 2, -INFINITY, -1};
    ag_tensor *x = param(t, masked, AG_SHAPE(2, 3)), *label = ag_from_i64(t, (const int64_t[]){1, 0}, AG_SHAPE(2));
    ag_tensor *losses[2] = {ag_cross_entropy(x, label), ag_sum(ag_square(ag_softmax(x, 1)), AG_ALL, false)};
    for (int k = 0; k < 2; k++) {
        ag_tensor *d, *dd;
        cr_assert(ag_gradients(&losses[k], NULL, 1, &x, 1, &d) && ag_gradients(&d, NULL, 1, &x, 1, &dd), "%s",
                  ag_tape_message(t));
        for (int i = 0; i < 6; i++) {
            cr_assert(isfinite(ag_at(d, i)) && isfinite(ag_at(dd, i)), "loss %d: [%d] %g, %g", k, i, ag_at(d, i),
                      ag_at(dd, i));
        }
    }
    ag_tape_free(t);
}

/* The padding's row is a constant, however the index says it; the others get what is due to them. */
Test(ops, padding_gets_no_gradient) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = param(t, (const double[]){1, 2, 3, 4, 5, 6}, AG_SHAPE(3, 2)), *d;
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){1, -2, 0, 1, 2, -1}, AG_SHAPE(6));
    for (int64_t padding = -2; padding <= 1; padding += 3) {
        ag_tensor *y = ag_embedding_padded(w, index, padding);
        assert_same(y, ag_embedding(w, index));
        cr_assert(ag_gradients(&y, NULL, 1, &w, 1, &d), "%s", ag_tape_message(t));
        assert_values(d, 0, 1, 1, 0, 0, 2, 2);
    }
    ag_tape_free(t);
}

/* Row 1, of norm 5, is looked up at norm 2 and not written; its gradient is that of x 2 / (|x| + 1e-7), which is 0 along x. */
Test(ops, embedding_of_rows_with_a_largest_norm) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = param(t, (const double[]){1, 1, 3, 4, 5, 6}, AG_SHAPE(3, 2)), *d;
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){1, 0, -2}, AG_SHAPE(3));
    ag_embedding_options o = ag_embedding_defaults();
    o.max_norm = 2;
    ag_tensor *y = ag_embedding_with(w, index, &o),
              *along = ag_from_f64(t, (const double[]){3, 4, 1, 1, 4, -3}, AG_SHAPE(3, 2));
    assert_values(y, 1e-6, 1.2, 1.6, 1, 1, 1.2, 1.6);
    assert_values(w, 0, 1, 1, 3, 4, 5, 6);
    cr_assert(ag_gradients(&y, &along, 1, &w, 1, &d), "%s", ag_tape_message(t));
    assert_values(d, 1e-6, 1, 1, 1.6, -1.2, 0, 0);
    o.norm_type = 1, o.max_norm = 3.5;
    assert_values(ag_embedding_with(w, index, &o), 1e-6, 1.5, 2, 1, 1, 1.5, 2);
    ag_tape_free(t);
}

/* Three places of row 1 share one gradient, the mean of theirs; values are the rows themselves. */
Test(ops, embedding_gradients_by_frequency) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = param(t, (const double[]){1, 2, 3, 4, 5, 6}, AG_SHAPE(3, 2)), *d;
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){1, -2, 0, 1}, AG_SHAPE(2, 2));
    ag_embedding_options o = ag_embedding_defaults();
    o.scale_grad_by_freq = true;
    ag_tensor *y = ag_embedding_with(w, index, &o);
    ag_tensor *g = ag_from_f64(t, (const double[]){1, 2, 4, 8, 3, 5, 7, 5}, AG_SHAPE(2, 2, 2));
    assert_same(y, ag_embedding(w, index));
    cr_assert(ag_gradients(&y, &g, 1, &w, 1, &d), "%s", ag_tape_message(t));
    assert_values(d, 1e-15, 3, 5, 4, 5, 0, 0);
    ag_tape_free(t);
}

/* Of elements put at one place the last stays and alone has a gradient; what it covers has none. */
Test(ops, the_last_put_wins) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x[2] = {param(t, (const double[]){1, 2, 3}, AG_SHAPE(3)),
                       param(t, (const double[]){5, 6, 7, 8}, AG_SHAPE(4))};
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){0, 2, 0, -1}, AG_SHAPE(4)), *d[2];
    ag_tensor *y[2] = {ag_scatter(x[0], 0, index, x[1]), ag_index_copy(x[0], 0, index, x[1])};
    for (int k = 0; k < 2; k++) {
        assert_values(y[k], 0, 7, 2, 8);
        cr_assert(ag_gradients(&y[k], NULL, 1, x, 2, d), "%s", ag_tape_message(t));
        assert_values(d[0], 0, 0, 1, 0);
        assert_values(d[1], 0, 0, 0, 1, 1);
    }
    ag_tape_free(t);
}
