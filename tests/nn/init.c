/* Initialisation: bounds and moments of each kind, fans, and reproduction from the seed. */
#include <math.h>

#include "check.h"
#include "nn/nn.h"

enum { OUT = 200, IN = 300 };

typedef struct moments {
    double mean, deviation, least, most;
} moments;

static moments moments_of(const ag_tensor *x) {
    moments m = {0, 0, ag_at(x, 0), ag_at(x, 0)};
    double n = (double)ag_size(x);
    for (int64_t i = 0; i < ag_size(x); i++) {
        double v = ag_at(x, i);
        m.mean += v / n;
        m.least = fmin(m.least, v);
        m.most = fmax(m.most, v);
    }
    for (int64_t i = 0; i < ag_size(x); i++) m.deviation += (ag_at(x, i) - m.mean) * (ag_at(x, i) - m.mean) / n;
    m.deviation = sqrt(m.deviation);
    return m;
}

static const struct {
    const char *name;
    ag_tensor *(*init)(ag_tensor *w);
    bool uniform;
    double c;       /* variance = c / n */
    bool both_fans; /* n = fan_in + fan_out, else fan_in */
} kinds[] = {
    {"xavier_uniform", ag_nn_xavier_uniform, true, 2, true},
    {"xavier_normal", ag_nn_xavier_normal, false, 2, true},
    {"he_uniform", ag_nn_he_uniform, true, 2, false},
    {"he_normal", ag_nn_he_normal, false, 2, false},
};

static void check_kind(size_t k, ag_dtype dtype, ag_shape shape, double fan_in, double fan_out) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_param(t, dtype, shape);
    cr_assert_eq(kinds[k].init(w), w, "%s returns its leaf", kinds[k].name);
    double n = (double)ag_size(w), sigma = sqrt(kinds[k].c / (kinds[k].both_fans ? fan_in + fan_out : fan_in));
    moments m = moments_of(w);
    /* five standard errors: σ/√n of a mean, σ·√(κ − 1)/(2√n) ≤ 0.71 σ/√n of a deviation */
    cr_assert_lt(fabs(m.mean), 5 * sigma / sqrt(n), "%s: mean %g", kinds[k].name, m.mean);
    cr_assert_lt(fabs(m.deviation - sigma), 3.6 * sigma / sqrt(n), "%s: deviation %g, not %g", kinds[k].name,
                 m.deviation, sigma);
    double reach = fmax(-m.least, m.most) / sigma;
    if (kinds[k].uniform)
        cr_assert(reach <= sqrt(3) * (1 + 1e-6) && reach > 1.72, "%s reaches %g σ", kinds[k].name, reach);
    else cr_assert_gt(reach, 3.5, "%s reaches only %g σ", kinds[k].name, reach);
    ag_tape_free(t);
}

Test(init, bounds_and_moments) {
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        check_kind(k, AG_F32, AG_SHAPE(OUT, IN), IN, OUT);
        check_kind(k, AG_F64, AG_SHAPE(OUT, IN), IN, OUT);
        check_kind(k, AG_F32, AG_SHAPE(32, 16, 3, 5), 16 * 15, 32 * 15);
    }
}

Test(init, linear_is_uniform_within_one_over_root_in) {
    ag_tape *t = ag_tape_new();
    ag_module *m = ag_nn_linear(t, 400, 300, true);
    for (int i = 0; i < 2; i++) {
        moments w = moments_of(ag_module_tensor(m, i));
        cr_assert(w.least >= -0.05 && w.most <= 0.05 && w.most > 0.049 && w.least < -0.049, "from %g to %g", w.least,
                  w.most);
    }
    ag_tape_free(t);
}

Test(init, the_seed_decides) {
    ag_tape *t = ag_tape_new(), *u = ag_tape_new();
    ag_seed(t, 11);
    ag_seed(u, 11);
    ag_tensor *a = ag_nn_he_normal(ag_param(t, AG_F32, AG_SHAPE(9, 9))),
              *b = ag_nn_he_normal(ag_param(u, AG_F32, AG_SHAPE(9, 9)));
    assert_same(a, b);
    ag_tensor *c = ag_nn_he_normal(ag_param(t, AG_F32, AG_SHAPE(9, 9)));
    cr_assert_neq(ag_at(a, 0), ag_at(c, 0), "the next leaf gets other numbers");
    ag_tape_free(t);
    ag_tape_free(u);
}

Test(init, uniform_normal_constant) {
    ag_tape *t = ag_tape_new();
    moments u = moments_of(ag_nn_uniform(ag_buffer(t, AG_F64, AG_SHAPE(10000)), 2, 5));
    cr_assert(u.least >= 2 && u.most < 5 && fabs(u.mean - 3.5) < 0.05);
    moments n = moments_of(ag_nn_normal(ag_buffer(t, AG_F64, AG_SHAPE(10000)), -1, 0.5));
    cr_assert(fabs(n.mean + 1) < 0.025 && fabs(n.deviation - 0.5) < 0.02);
    assert_values(ag_nn_constant(ag_buffer(t, AG_F32, AG_SHAPE(3)), 0.25), 0, 0.25, 0.25, 0.25);
    assert_ok(t);
    ag_tape_free(t);
}

Test(init, what_is_refused) {
    ag_tape *t = ag_tape_new();
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        cr_assert_not_null(kinds[k].init(ag_param(t, AG_F32, AG_SHAPE(3, 0))), "no elements, nothing to do");
        cr_assert_not_null(kinds[k].init(ag_param(t, AG_F32, AG_SHAPE(0, 3))));
        cr_assert_null(kinds[k].init(ag_set_name(ag_param(t, AG_F32, AG_SHAPE(3)), "b")));
        assert_error(t, AG_ERR_SHAPE, "b (3) should have two axes or more");
        cr_assert_null(kinds[k].init(ag_buffer(t, AG_I64, AG_SHAPE(3, 3))));
        assert_error(t, AG_ERR_DTYPE, "");
        cr_assert_null(kinds[k].init(NULL));
        assert_ok(t);
    }
    ag_tape_free(t);
}
