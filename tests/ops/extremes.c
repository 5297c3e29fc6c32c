/* extremes.c: numbers that are large, tiny, or far from 0 beside what they differ by: where squares overflow, sums cancel, and a
 * result that was rounded must not be what a gradient is made of. Values and first gradients in f32 are those in f64 of the same
 * numbers. */
#include <math.h>
#include <stdio.h>

#include "autograd/op.h"
#include "every_isa.h"
#include "ops/ops.h"

static const struct extreme {
    const char *op, *attributes;
    int inputs;
    ag_shape shape;       /* of each input */
    double offset, scale; /* numbers are offset + scale u, u from −1 to 1 */
    double tolerance;     /* of the largest that is expected */
} extremes[] = {
    {"atan2", "", 2, {1, {7}}, 0, 1e25, 1e-6},
    {"atan2", "", 2, {1, {7}}, 0, 1e-25, 1e-6},
    {"cdist", "", 2, {2, {3, 4}}, 0, 1e25, 1e-6},
    {"cdist", "p=3", 2, {2, {3, 4}}, 0, 1e-25, 1e-6},
    {"cosine_similarity", "", 2, {2, {3, 4}}, 0, 1e25, 1e-6},
    {"corrcoef", "", 1, {2, {3, 9}}, 1e4, 1, 1e-6},
    {"cov", "", 1, {2, {3, 9}}, -1e4, 1, 1e-6},
    {"hypot", "", 2, {1, {7}}, 0, 1e25, 1e-6},
    {"logsumexp", "", 1, {1, {9}}, 1e6, 3, 1e-6},
    {"logsumexp", "axes=0,2", 1, {3, {3, 2, 4}}, -1e5, 3, 1e-6},
    {"norm", "axes=1", 1, {2, {3, 4}}, 0, 1e25, 1e-6},
    {"norm", "p=1.5", 1, {1, {9}}, 0, 1e-30, 1e-6},
    {"normalize", "", 1, {2, {3, 4}}, 0, 1e25, 1e-6},
    {"normalize", "axis=0 p=3 eps=1e-37", 1, {2, {3, 4}}, 0, 1e-25, 1e-6},
    {"pairwise_distance", "", 2, {2, {3, 4}}, 0, 1e25, 1e-6},
    {"std", "axes=1", 1, {2, {3, 9}}, 1e4, 1, 1e-6},
    {"std_mean", "axes=0", 1, {2, {9, 3}}, 1, 1e-5, 1e-6},
    {"var", "", 1, {2, {3, 9}}, -1e4, 1, 1e-6},
    {"var_mean", "axes=1 correction=0", 1, {2, {3, 9}}, 1e6, 1, 1e-6},
};

/* max |a − e| ≤ tolerance · max |e| */
static void assert_alike(const struct extreme *x, const char *what, ag_tensor *a, ag_tensor *e) {
    double largest = 0, apart = 0;
    cr_assert(a && e && ag_size(a) == ag_size(e), "%s %s: %s", x->op, x->attributes, what);
    for (int64_t i = 0; i < ag_size(e); i++) {
        cr_assert(isfinite(ag_at(a, i)) && isfinite(ag_at(e, i)), "%s %s at %g: %s [%d] is %g, in f64 %g", x->op,
                  x->attributes, x->offset, what, (int)i, ag_at(a, i), ag_at(e, i));
        largest = fmax(largest, fabs(ag_at(e, i)));
        apart = fmax(apart, fabs(ag_at(a, i) - ag_at(e, i)));
    }
    cr_assert(largest > 0 && apart <= x->tolerance * largest, "%s %s at %g: %s in f32 is off by %g of %g", x->op,
              x->attributes, x->offset, what, apart, largest);
}

TestEveryISA(ops, extreme_numbers_in_f32_as_in_f64) {
    for (size_t k = 0; k < sizeof extremes / sizeof *extremes; k++) {
        const struct extreme *e = &extremes[k];
        ag_tape *t = ag_tape_new();
        ag_tensor *x[2][2], *y[2], *d[2][2], *g;
        uint64_t state = 7;
        for (int i = 0; i < e->inputs; i++) {
            x[0][i] =
                ag_cast(check_leaf(t, AG_F64, e->shape, 0, e->offset - e->scale, e->offset + e->scale, &state), AG_F32);
            x[1][i] = ag_cast(x[0][i], AG_F64);
        }
        for (int k2 = 0; k2 < 2; k2++) {
            y[k2] = ag_call(t, e->op, x[k2], e->inputs, e->attributes);
            y[k2] = y[k2] ? ag_part(y[k2], 0) : NULL;
            cr_assert(y[k2], "%s", ag_tape_message(t));
            g = k2 ? ag_cast(g, AG_F64) : ag_cast(check_leaf(t, AG_F64, ag_shape_of(y[0]), 0, -1, 1, &state), AG_F32);
            cr_assert(ag_gradients(&y[k2], &g, 1, x[k2], e->inputs, d[k2]), "%s", ag_tape_message(t));
        }
        assert_alike(e, "the value", y[0], y[1]);
        for (int i = 0; i < e->inputs; i++) assert_alike(e, i ? "gradient 1" : "gradient 0", d[0][i], d[1][i]);
        ag_tape_free(t);
    }
}

TestEveryISA(ops, masked_variance_far_from_zero) {
    ag_tape *t = ag_tape_new();
    uint64_t state = 3;
    ag_tensor *x[2], *y[2], *d[2], *mask = check_leaf(t, AG_BOOL, AG_SHAPE(3, 9), 0, 0, 1, &state);
    x[0] = ag_cast(check_leaf(t, AG_F64, AG_SHAPE(3, 9), 0, 9999, 10001, &state), AG_F32);
    x[1] = ag_cast(x[0], AG_F64);
    for (int k = 0; k < 2; k++) {
        y[k] = ag_masked_std(x[k], mask, AG_AXES(1), 1, false);
        cr_assert(ag_gradients(&y[k], NULL, 1, &x[k], 1, &d[k]), "%s", ag_tape_message(t));
    }
    assert_near(y[0], y[1], 1e-6);
    assert_near(d[0], d[1], 1e-6);
    ag_tape_free(t);
}
