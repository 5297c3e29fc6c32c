/* gradcheck_fn.c: the gradient checker on functions that build their graph anew at every call. */
#include <math.h>
#include <string.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

static char text[8192];
static int calls;

static ag_tensor *branches(void *context, ag_tape *t, ag_tensor *const xs[], int n) {
    (void)context, (void)t, (void)n;
    ag_tensor *y = SUM(ag_mul(xs[0], ag_sin(xs[1])));
    return ag_item(y) > 0 ? ag_square(y) : ag_neg(ag_square(y));
}

static ag_tensor *loops(void *context, ag_tape *t, ag_tensor *const xs[], int n) {
    (void)t, (void)n;
    ag_tensor *y = xs[0];
    for (int i = 0; i < *(const int *)context; i++) y = ag_tanh(ag_mul(y, xs[1]));
    return SUM(y);
}

static ag_tensor *forgetful(void *context, ag_tape *t, ag_tensor *const xs[], int n) {
    (void)context, (void)t, (void)n;
    return SUM(ag_mul(ag_detach(xs[0]), ag_exp(xs[1])));
}

static ag_tensor *restless(void *context, ag_tape *t, ag_tensor *const xs[], int n) {
    (void)context, (void)t, (void)n;
    return SUM(ag_scale(ag_mul(xs[0], xs[1]), ++calls));
}

static ag_tensor *edge(void *context, ag_tape *t, ag_tensor *const xs[], int n) {
    (void)context, (void)n;
    if (ag_at(xs[0], 0) > 0.5) return ag_tape_fail(t, AG_ERR_VALUE, "edge", "x is above one half");
    return SUM(ag_mul(xs[0], xs[1]));
}

static ag_tensor *silent(void *context, ag_tape *t, ag_tensor *const xs[], int n) {
    (void)context, (void)t, (void)xs, (void)n;
    return NULL;
}

static ag_tensor *elsewhere(void *context, ag_tape *t, ag_tensor *const xs[], int n) {
    (void)t, (void)n;
    return SUM(ag_mul(xs[0], context));
}

static ag_tensor *vector(void *context, ag_tape *t, ag_tensor *const xs[], int n) {
    (void)context, (void)t, (void)n;
    return ag_exp(xs[0]);
}

typedef struct fixture {
    ag_tape *t;
    ag_tensor *xs[2];
    ag_check_report r;
} fixture;

static fixture start(void) {
    fixture f = {.t = ag_tape_new()};
    f.xs[0] = ag_set_name(PARAM(f.t, 0.5, -0.25, 2), "a");
    f.xs[1] = ag_leaf(f.t, AG_F32, (const float[]){1, 2, 3}, AG_SHAPE(3), 0);
    return f;
}

Test(gradcheck_fn, functions_that_are_right) {
    fixture f = start();
    int times = 3;
    ag_check_options o = ag_check_defaults();
    for (int mode = 0; mode < 4; mode++) {
        o.order = 2;
        o.mode = (ag_check_mode)mode;
        cr_assert(ag_gradcheck_fn(branches, NULL, f.xs, 2, &o, &f.r), "%s%s", ag_tape_message(f.t),
                  ag_check_text(&f.r, text, sizeof text));
        cr_assert(ag_gradcheck_fn(loops, &times, f.xs, 2, &o, &f.r), "%s%s", ag_tape_message(f.t),
                  ag_check_text(&f.r, text, sizeof text));
    }
    cr_assert_eq(f.r.checked, 2);
    assert_values(f.xs[0], 0, 0.5, -0.25, 2);
    cr_assert_eq(ag_tape_size(f.t), 0);
    ag_tape_free(f.t);
}

Test(gradcheck_fn, functions_that_are_not) {
    fixture f = start();
    cr_assert(!ag_gradcheck_fn(forgetful, NULL, f.xs, 2, NULL, &f.r));
    cr_assert_eq(f.r.count[AG_MISSING_TERM], 3);
    cr_assert_str_eq(f.r.row[0].name, "a");
    cr_assert(f.r.row[0].x == f.xs[0]);
    cr_assert(!ag_gradcheck_fn(restless, NULL, f.xs, 2, NULL, &f.r));
    cr_assert_eq(f.r.count[AG_NOT_DETERMINISTIC], 2);
    assert_ok(f.t);
    cr_assert(ag_gradcheck_fn(edge, NULL, f.xs, 2, NULL, &f.r), "one side is enough: %s",
              ag_check_text(&f.r, text, sizeof text));
    ag_tape_free(f.t);
}

Test(gradcheck_fn, functions_that_cannot_be_checked) {
    fixture f = start();
    cr_assert(!ag_gradcheck_fn(silent, NULL, f.xs, 2, NULL, &f.r) && !f.r.passed);
    assert_error(f.t, AG_ERR_STATE, "gradcheck_fn: the function returned NULL");
    cr_assert(!ag_gradcheck_fn(elsewhere, f.xs[0], f.xs, 2, NULL, &f.r));
    assert_error(f.t, AG_ERR_ARGUMENT, "is on another tape");
    cr_assert(!ag_gradcheck_fn(vector, NULL, f.xs, 2, NULL, &f.r));
    assert_error(f.t, AG_ERR_ARGUMENT, "must return one f64 element");
    cr_assert(!ag_gradcheck_fn(NULL, NULL, f.xs, 2, NULL, &f.r));
    cr_assert(!ag_gradcheck_fn(silent, NULL, NULL, 2, NULL, NULL));
    f.xs[1] = NULL;
    cr_assert(!ag_gradcheck_fn(loops, NULL, f.xs, 2, NULL, &f.r));
    assert_error(f.t, AG_ERR_DTYPE, "gradcheck_fn: NULL is not a float tensor");
    ag_tape_free(f.t);
}
