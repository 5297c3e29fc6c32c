/* gradcheck.c: what the gradient checker says of small graphs, one verdict each, and that it leaves no trace in them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

static char text[8192]; /* of a report */

/* Ops with a rule of their own choice: y = x², dy as `rule` says; or a value that changes from run to run. */

static bool square_shape(ag_tensor *y) { return ag_out_like(y, 0, ag_in(y, 0)); }

static int64_t runs;

static double value_of(const ag_tensor *y, double x) {
    return ag_in_count(y) > 1 ? x + 1e-3 * (double)(runs++ % 7) : x * x;
}

static bool square_run(ag_tensor *y) {
    bool single = ag_dtype_of(y) == AG_F32;
    const void *x = ag_op_dense(y, 0);
    void *out = ag_out_data(y, 0);
    for (int64_t i = 0; x && i < ag_size(y); i++) {
        if (single) {
            ((float *)out)[i] = (float)value_of(y, (double)((const float *)x)[i]);
        } else {
            ((double *)out)[i] = value_of(y, ((const double *)x)[i]);
        }
    }
    return x != NULL;
}

/* factor x + shift, where 2x is right. */
static bool rule_of(ag_tensor *y, ag_tensor *g, ag_tensor **d, double factor, double shift) {
    return (*d = ag_mul(g, ag_add_scalar(ag_scale(ag_in(y, 0), factor), shift))) != NULL;
}
static bool right_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return rule_of(y, g[0], d, 2, 0); }
static bool other_sign_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return rule_of(y, g[0], d, -2, 0); }
static bool one_percent_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return rule_of(y, g[0], d, 2.02, 0);
}
static bool shifted_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return rule_of(y, g[0], d, 2, 0.1); }
static bool infinite_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return rule_of(y, g[0], d, (double)INFINITY, 0);
}
static bool nothing_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (void)y, (void)g, d[0] = NULL, true;
}
static bool magnitude_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_mul(g[0], ag_abs(ag_scale(ag_in(y, 0), 2)))) != NULL;
}

#define SQUARE(id)                                                                                                    \
    static const ag_op id##_op = {                                                                                    \
        .size = sizeof(ag_op), .name = #id, .arity = 1, .shape = square_shape, .run = square_run, .grad = id##_grad}; \
    static ag_tensor *id(ag_tensor *x) { return SUM(ag_apply(&id##_op, &x, 1, NULL)); }
SQUARE(right)
SQUARE(other_sign)
SQUARE(one_percent)
SQUARE(shifted)
SQUARE(infinite)
SQUARE(nothing)
SQUARE(magnitude)

static bool restless_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return (void)y, d[0] = g[0], true; }
static const ag_op restless_op = {
    .size = sizeof(ag_op), .name = "restless", .arity = 2, .shape = square_shape, .run = square_run, .grad = restless_grad};
static ag_tensor *restless(ag_tensor *x) {
    return SUM(ag_apply(&restless_op, (ag_tensor *[]){x, ag_alias(x)}, 2, NULL));
}

/* √x with the "safe" gradient 0 at 0, where there is none. */
static bool safe_sqrt_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *zero = ag_full(ag_tape_of(y), ag_dtype_of(y), AG_SHAPE(), 0), *is_zero = ag_eq(y, zero);
    ag_tensor *safe = ag_where(is_zero, ag_add_scalar(y, 1), y);
    return (d[0] = ag_where(is_zero, zero, ag_div(g[0], ag_scale(safe, 2)))) != NULL;
}
static ag_tensor *safe_sqrt(ag_tensor *x) {
    static ag_op op;
    op = *ag_find_op("sqrt");
    op.grad = safe_sqrt_grad;
    return SUM(ag_apply(&op, &x, 1, NULL));
}

/* Functions of the verdicts */

static ag_tensor *constant(ag_tensor *x, double value) {
    return ag_full(ag_tape_of(x), ag_dtype_of(x), AG_SHAPE(), value);
}
static ag_tensor *smooth(ag_tensor *x) { return SUM(ag_tanh(ag_mul(x, ag_exp(x)))); }
static ag_tensor *steep(ag_tensor *x) { return SUM(ag_sin(ag_scale(x, 3000))); }
static ag_tensor *tiny(ag_tensor *x) { return ag_add(ag_scale(SUM(ag_sin(x)), 1e-9), constant(x, 1000)); }
static ag_tensor *cancelled(ag_tensor *x) {
    ag_tensor *c = constant(x, 1e8);
    return SUM(ag_sub(ag_add(ag_sin(x), c), c));
}
static ag_tensor *at_relu(ag_tensor *x) { return SUM(ag_relu(x)); }
static ag_tensor *near_relu(ag_tensor *x) { return SUM(ag_relu(ag_add_scalar(x, 3e-4))); }
static ag_tensor *both_sides(ag_tensor *x) {
    return SUM(ag_sub(ag_relu(x), ag_relu(ag_neg(x))));
} /* is x; rules: 0 at 0 */
static ag_tensor *tie(ag_tensor *x) { return SUM(ag_max(x, AG_ALL, false)); }
static ag_tensor *switched(ag_tensor *x) { /* both branches meet at 1e-5 */
    ag_tensor *c = constant(x, 1e-5);
    return SUM(ag_where(ag_gt(x, c), ag_square(x), ag_mul(x, c)));
}
static ag_tensor *rounded(ag_tensor *x) { /* 3 · 0.1f = 0.3f in f32; in f64 it is less */
    ag_tensor *c = ag_cast(ag_scalar(ag_tape_of(x), AG_F32, 0.3), ag_dtype_of(x));
    return SUM(ag_where(ag_ge(ag_scale(x, 3), c), ag_square(x), x));
}
static ag_tensor *log_of(ag_tensor *x) { return SUM(ag_log(x)); }
static ag_tensor *sqrt_of(ag_tensor *x) { return SUM(ag_sqrt(x)); }
static ag_tensor *power(ag_tensor *x) { return SUM(ag_pow_scalar(x, 1.5)); }
static ag_tensor *detached(ag_tensor *x) { return SUM(ag_mul(x, ag_detach(ag_exp(x)))); }
static ag_tensor *no_path(ag_tensor *x) { return SUM(ag_detach(x)); }
static ag_tensor *unrecorded(ag_tensor *x) {
    bool before = ag_set_recording(ag_tape_of(x), false);
    ag_tensor *y = ag_exp(x);
    ag_set_recording(ag_tape_of(x), before);
    return SUM(ag_mul(x, y));
}
static ag_tensor *dropped_out(ag_tensor *x) { return SUM(ag_square(ag_dropout(x, 0.5))); }
static ag_tensor *sorted(ag_tensor *x) {
    ag_tensor *index = NULL, *top = ag_topk(x, 2, 0, &index);
    return ag_add(SUM(ag_square(top)), SUM(ag_mul(top, ag_gather(ag_exp(x), 0, index))));
}
static ag_tensor *through_integers(ag_tensor *x) {
    ag_tensor *steps = ag_cast(ag_cast(ag_scale(x, 10), AG_I64), ag_dtype_of(x));
    return SUM(ag_mul(steps, x));
}

static const struct {
    const char *name;
    ag_tensor *(*f)(ag_tensor *x);
    ag_dtype dtype;
    float x[3];
    ag_verdict worst;
} cases[] = {
    {"smooth", smooth, AG_F32, {0.3f, -0.7f, 1.2f}, AG_PASS},
    {"smooth in f64", smooth, AG_F64, {0.3f, -0.7f, 1.2f}, AG_PASS},
    {"too steep for the step", steep, AG_F32, {0.3f, -0.7f, 1.2f}, AG_PASS},
    {"a small slope on a large value", tiny, AG_F32, {0.3f, -0.7f, 1.2f}, AG_NOISE_LIMITED},
    {"large values that cancel", cancelled, AG_F64, {0.3f, -0.7f, 1.2f}, AG_NOISE_LIMITED},
    {"relu at 0", at_relu, AG_F32, {0, 1, -1}, AG_KINK},
    {"relu near 0: a smaller step avoids it", near_relu, AG_F32, {0, 1, -1}, AG_PASS},
    {"relu(x) - relu(-x) at 0", both_sides, AG_F32, {0, 1, -1}, AG_KINK},
    {"max with three winners", tie, AG_F32, {2, 2, 2}, AG_KINK},
    {"max with a tie: half is the central slope", tie, AG_F32, {2, 2, 1}, AG_PASS},
    {"a condition that changes", switched, AG_F32, {1, -1, 2e-5f}, AG_KINK},
    {"right rule", right, AG_F32, {1, -2, 3}, AG_PASS},
    {"wrong sign", other_sign, AG_F32, {1, -2, 3}, AG_WRONG_SIGN},
    {"wrong by one percent", one_percent, AG_F32, {1, -2, 3}, AG_WRONG_SCALE},
    {"no gradient", nothing, AG_F32, {1, -2, 3}, AG_MISSING_TERM},
    {"the sign of some elements", magnitude, AG_F32, {1, 2, -3}, AG_WRONG_SIGN},
    {"shifted", shifted, AG_F32, {1, -2, 3}, AG_WRONG},
    {"infinite gradient", infinite, AG_F32, {1, -2, 3}, AG_NOT_FINITE},
    {"f32 and f64 on two sides", rounded, AG_F32, {0.1f, 1, -1}, AG_BRANCH_DIFFERS},
    {"log at 0", log_of, AG_F32, {0, 1, 2}, AG_NOT_FINITE},
    {"log near 0", log_of, AG_F32, {1e-6f, 1e-9f, 2}, AG_PASS},
    {"sqrt at 0", sqrt_of, AG_F32, {0, 1, 2}, AG_NOT_FINITE},
    {"a power at the edge of its domain", power, AG_F32, {0, 1, 2}, AG_PASS},
    {"a root whose infinite slope is hidden", safe_sqrt, AG_F32, {0, 1, 2}, AG_DOMAIN_EDGE},
    {"hidden state", restless, AG_F32, {1, -2, 3}, AG_NOT_DETERMINISTIC},
    {"detached factor", detached, AG_F32, {1, -2, 3}, AG_PASS},
    {"no path at all", no_path, AG_F32, {1, -2, 3}, AG_PASS},
    {"made without recording", unrecorded, AG_F32, {1, -2, 3}, AG_PASS},
    {"dropout repeats its mask", dropped_out, AG_F32, {1, -2, 3}, AG_PASS},
    {"two outputs, one used as an index", sorted, AG_F32, {1, -2, 3}, AG_PASS},
    {"through integers", through_integers, AG_F32, {1.23f, -2.07f, 3.46f}, AG_PASS},
};

static ag_tensor *leaf_of(ag_tape *t, ag_dtype dtype, const float x[3]) {
    double wide[3] = {(double)x[0], (double)x[1], (double)x[2]};
    const void *values = dtype == AG_F32 ? (const void *)x : wide;
    return ag_set_name(ag_leaf(t, dtype, values, AG_SHAPE(3), AG_REQUIRES_GRAD), "x");
}

/* The first row that passes only just, or fails; the report is sorted. */
static ag_verdict worst_of(const ag_check_report *r) {
    for (int v = AG_VERDICT_COUNT; v-- > 0;) {
        if (r->count[v]) return (ag_verdict)v;
    }
    return AG_PASS;
}

Test(gradcheck, verdicts) {
    for (int i = 0; i < COUNT_OF(cases); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *y = cases[i].f(leaf_of(t, cases[i].dtype, cases[i].x));
        ag_check_report r;
        bool passed = ag_gradcheck(y, NULL, 0, NULL, &r);
        ag_check_text(&r, text, sizeof text);
        cr_assert(!ag_tape_status(t), "%s: %s", cases[i].name, ag_tape_message(t));
        cr_assert_eq(worst_of(&r), cases[i].worst, "%s: %s, expected %s\n%s", cases[i].name,
                     ag_verdict_name(worst_of(&r)), ag_verdict_name(cases[i].worst), text);
        cr_assert_eq(passed, ag_verdict_passes(cases[i].worst), "%s", cases[i].name);
        cr_assert_eq(passed, r.passed);
        ag_tape_free(t);
    }
}

/* What passes as a whole passes node by node, and what is wrong by a rule is named there. */
Test(gradcheck, verdicts_of_nodes) {
    for (int i = 0; i < COUNT_OF(cases); i++) {
        ag_verdict v = cases[i].worst;
        ag_tape *t = ag_tape_new();
        ag_tensor *y = cases[i].f(leaf_of(t, cases[i].dtype, cases[i].x));
        ag_check_report r;
        bool passed = ag_gradcheck_nodes(y, NULL, &r);
        bool expected = ag_verdict_passes(v) || v == AG_BRANCH_DIFFERS; /* a comparison has no rule */
        ag_check_text(&r, text, sizeof text);
        cr_assert(!ag_tape_status(t), "%s: %s", cases[i].name, ag_tape_message(t));
        cr_assert_eq(passed, expected, "%s\n%s", cases[i].name, text);
        ag_tape_free(t);
    }
}

Test(gradcheck, names_of_verdicts) {
    for (int v = 0; v < AG_VERDICT_COUNT; v++) cr_assert_str_neq(ag_verdict_name((ag_verdict)v), "unknown");
    cr_assert_str_eq(ag_verdict_name(AG_WRONG_SIGN), "wrong sign");
    cr_assert_str_eq(ag_verdict_name(AG_VERDICT_COUNT), "unknown");
    cr_assert(ag_verdict_passes(AG_KINK) && !ag_verdict_passes(AG_DOMAIN_EDGE));
}

/* A gradient of 5e-6 with the wrong sign: below the absolute tolerance of other checkers. */
Test(gradcheck, small_wrong_signs_count) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 1, -2, 3);
    ag_tensor *y = ag_scale(other_sign(x), 2.5e-6);
    ag_check_report r;
    cr_assert(!ag_gradcheck(y, NULL, 0, NULL, &r));
    cr_assert_eq(r.count[AG_WRONG_SIGN], 3);
    ag_tape_free(t);
}

/* A right first gradient whose own rule is wrong: only order two can tell. */
static bool fixed_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_mul(g[0], ag_detach(ag_scale(ag_in(y, 0), 2)))) != NULL;
}

Test(gradcheck, second_order) {
    ag_op op = *ag_find_op("square");
    op.grad = fixed_grad;
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_set_name(PARAM(t, 1, -2, 3), "x"), *y = SUM(ag_sin(ag_apply(&op, &x, 1, NULL)));
    ag_check_options o = ag_check_defaults();
    ag_check_report r;
    cr_assert(ag_gradcheck(y, NULL, 0, &o, &r));
    o.order = 2;
    cr_assert(!ag_gradcheck(y, NULL, 0, &o, &r));
    cr_assert_eq(r.row[0].order, 2);
    cr_assert_eq(r.failed, 3);
    cr_assert(ag_gradcheck_nodes(y, NULL, &r));
    cr_assert(!ag_gradcheck_nodes(y, &o, &r));
    cr_assert(r.row[0].order == 2 && ag_op_of(r.row[0].node) == &op);
    ag_tape_free(t);
}

Test(gradcheck, any_tensor_can_be_moved) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 0.5, -0.25, 2), *c = DATA(t, 1, 2, 3), *unused = PARAM(t, 7);
    ag_tensor *h = ag_mul(w, c), *view = ag_reshape(ag_expand(ag_reshape(h, AG_SHAPE(3, 1)), AG_SHAPE(3, 2)), AG_SHAPE(6));
    ag_tensor *index = NULL, *top = ag_topk(ag_tanh(view), 3, 0, &index);
    ag_tensor *y = ag_add(SUM(ag_square(top)), SUM(ag_sin(h)));
    ag_tensor *xs[] = {w, h, c, view, top, unused, h, y, w};
    ag_check_options o = ag_check_defaults();
    o.order = 2;
    ag_check_report r;
    bool passed = ag_gradcheck(y, xs, COUNT_OF(xs), &o, &r);
    cr_assert(passed, "%s%s", ag_tape_message(t), ag_check_text(&r, text, sizeof text));
    cr_assert_eq(r.checked, 2 * (3 + 3 + 3 + 6 + 3 + 1 + 1), "each once: %d", (int)r.checked);
    cr_assert(!ag_gradcheck(other_sign(h), &h, 1, NULL, &r));
    cr_assert_eq(r.count[AG_WRONG_SIGN], 3);
    cr_assert_eq(r.row[0].x, h);
    ag_tape_free(t);
}

Test(gradcheck, rows) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_leaf(t, AG_F32, (const float[]){1, -2, 3}, AG_SHAPE(3), AG_REQUIRES_GRAD);
    ag_set_name(x, "layer.weight");
    ag_scope_push(t, "outer");
    ag_scope_push(t, "inner");
    ag_tensor *wrong = ag_apply(&other_sign_op, &x, 1, NULL);
    ag_scope_pop(t);
    ag_scope_pop(t);
    ag_tensor *y = SUM(ag_mul(wrong, x));
    ag_check_report r;
    cr_assert(!ag_gradcheck(y, NULL, 0, NULL, &r));
    cr_assert(ag_backward(y) && ag_backward(y), "what has added up in ag_grad does not matter");
    cr_assert(!ag_gradcheck(y, NULL, 0, NULL, &r));
    const ag_check_row *row = &r.row[0];
    cr_assert_str_eq(row->name, "layer.weight");
    cr_assert(row->x == x && !row->node && row->order == 1);
    double at = ag_at(x, row->index);
    cr_assert_eq(row->at, at);
    assert_close(row->analytic, -at * at, 1e-12);
    assert_close(row->numeric, 3 * at * at, 1e-8);
    assert_close(row->recorded, -at * at, 1e-6); /* in f32, exact */
    assert_close(row->absolute, 4 * at * at, 1e-8);
    assert_close(row->relative, 4. / 3, 1e-8);
    cr_assert_eq(row->ulps, 0);
    for (int i = 1; i < r.rows; i++) {
        cr_assert_geq(r.row[i - 1].absolute / r.row[i - 1].tolerance, r.row[i].absolute / r.row[i].tolerance);
    }
    cr_assert(!ag_gradcheck_nodes(y, NULL, &r));
    cr_assert_eq(r.row[0].node, wrong);
    cr_assert_eq(r.row[0].x, x);
    cr_assert_str_eq(r.row[0].name, "#0 other_sign in outer/inner");
    cr_assert_eq(r.failed, 3);
    ag_tape_free(t);
}

/* Not one bit of the graph, its gradients or the tape changes. */
Test(gradcheck, leaves_no_trace) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 1, -2, 3), *c = DATA(t, 1, 2, 3);
    ag_mark start = ag_tape_mark(t);
    ag_tensor *y = SUM(ag_mul(ag_dropout(ag_relu(ag_mul(x, c)), 0.5), ag_exp(x)));
    cr_assert(ag_backward(y));
    double before[3], after[3], value = ag_item(y);
    cr_assert(ag_read(ag_grad(x), before));
    int64_t size = ag_tape_size(t);
    ag_mark end = ag_tape_mark(t);
    ag_check_options o = ag_check_defaults();
    o.order = 2;
    cr_assert(ag_gradcheck(y, NULL, 0, &o, NULL), "%s", ag_tape_message(t));
    cr_assert(ag_gradcheck_nodes(y, &o, NULL), "%s", ag_tape_message(t));
    cr_assert_eq(ag_tape_size(t), size);
    cr_assert_eq(ag_item(y), value);
    assert_values(x, 0, 1, -2, 3);
    cr_assert(ag_read(ag_grad(x), after));
    cr_assert_arr_eq(before, after, sizeof before);
    cr_assert(!ag_requires_grad(c) && !ag_has_grad(c));
    ag_zero_grad(x);
    cr_assert(ag_backward(y));
    cr_assert(ag_read(ag_grad(x), after));
    cr_assert_arr_eq(before, after, sizeof before);
    cr_assert(ag_tape_rewind(t, end) && ag_tape_rewind(t, start));
    assert_ok(t);
    ag_tape_free(t);
}

Test(gradcheck, wrong_arguments) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *x = PARAM(t, 1, 2), *c = DATA(t, 1, 2), *y = SUM(ag_mul(x, c)), *far = PARAM(other, 1);
    ag_tensor *index = ag_from_i64(t, (const int64_t[]){1}, AG_SHAPE(1));
    ag_check_options o = ag_check_defaults();
    ag_check_report r;
    cr_assert(!ag_gradcheck(NULL, NULL, 0, NULL, &r) && !r.passed);
    cr_assert(strstr(ag_last_message(), "loss is NULL"));
    cr_assert(!ag_gradcheck(x, NULL, 0, NULL, &r));
    assert_error(t, AG_ERR_SHAPE, "gradcheck: the loss");
    cr_assert(!ag_gradcheck(SUM(c), NULL, 0, NULL, &r));
    assert_error(t, AG_ERR_STATE, "depends on no leaf that requires a gradient");
    cr_assert(!ag_gradcheck(y, &far, 1, NULL, &r));
    assert_error(t, AG_ERR_ARGUMENT, "on another tape");
    cr_assert(!ag_gradcheck(y, &index, 1, NULL, &r));
    assert_error(t, AG_ERR_DTYPE, "not a float tensor");
    o.order = 3;
    cr_assert(!ag_gradcheck(y, NULL, 0, &o, &r));
    assert_error(t, AG_ERR_ARGUMENT, "the order is 3");
    o = ag_check_defaults();
    o.samples = 0;
    cr_assert(!ag_gradcheck_nodes(y, &o, &r));
    assert_error(t, AG_ERR_ARGUMENT, "0 samples");
    o = ag_check_defaults();
    o.mode = (ag_check_mode)9;
    cr_assert(!ag_gradcheck(y, NULL, 0, &o, &r));
    assert_error(t, AG_ERR_ARGUMENT, "no mode");
    cr_assert(ag_gradcheck(y, &c, 1, NULL, &r), "a constant can be moved");
    cr_assert_eq(r.checked, 2);
    ag_add(x, far);
    cr_assert(!ag_gradcheck(y, NULL, 0, NULL, &r), "while an error stands");
    ag_tape_free(t);
    ag_tape_free(other);
}

/* A rule that gives up: an error that names the node, and a row. */
static bool gives_up(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    d[0] = ag_matmul(g[0], ag_in(y, 0));
    return d[0] != NULL;
}

Test(gradcheck, a_rule_that_fails) {
    ag_op op = *ag_find_op("square");
    op.grad = gives_up;
    op.name = "hopeless";
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_leaf(t, AG_F32, NULL, AG_SHAPE(2, 3), AG_REQUIRES_GRAD), *y = SUM(ag_apply(&op, &x, 1, NULL));
    ag_check_report r;
    cr_assert(!ag_gradcheck(y, NULL, 0, NULL, &r) && !r.passed);
    assert_error(t, AG_ERR_SHAPE, "gradcheck: matmul");
    cr_assert(!ag_gradcheck_nodes(y, NULL, &r) && !r.passed);
    cr_assert_str_eq(r.row[0].name, "#0 hopeless");
    assert_error(t, AG_ERR_SHAPE, "gradcheck_nodes: #0 hopeless: matmul");
    ag_tape_free(t);
}

/* An op that reads f32 whatever it is given: its copy in f64 is another function, and is named as such. */
static bool narrow_run(ag_tensor *y) {
    const float *x = ag_op_dense(y, 0);
    void *out = ag_out_data(y, 0);
    for (int64_t i = 0; x && i < ag_size(y); i++) {
        if (ag_dtype_of(y) == AG_F64) {
            ((double *)out)[i] = x[i] * x[i]; /* all of it is written, so that the test is the same every time */
        } else {
            ((float *)out)[i] = x[i] * x[i];
        }
    }
    return x != NULL;
}

Test(gradcheck, an_op_of_f32_only) {
    static const ag_op op = {
        .size = sizeof op, .name = "narrow", .arity = 1, .shape = square_shape, .run = narrow_run, .grad = right_grad};
    ag_tape *t = ag_tape_new();
    ag_tensor *x = leaf_of(t, AG_F32, (const float[]){1, -2, 3}), *y = SUM(ag_apply(&op, &x, 1, NULL));
    ag_check_report r;
    cr_assert(!ag_gradcheck(y, NULL, 0, NULL, &r));
    cr_assert(!ag_gradcheck_nodes(y, NULL, &r));
    cr_assert(r.failed == 1 && r.row[0].verdict == AG_BRANCH_DIFFERS);
    cr_assert_str_eq(r.row[0].name, "#0 narrow");
    ag_tape_free(t);
}

/* A leaf written after the graph was recorded: the check is made at its present value. */
Test(gradcheck, leaves_written_since) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = leaf_of(t, AG_F32, (const float[]){1, -2, 3}), *y = SUM(ag_tanh(ag_mul(x, x)));
    ag_check_report r;
    ag_fill(x, 0.5);
    cr_assert(ag_gradcheck(y, NULL, 0, NULL, &r) && fabs(r.row[0].at - 0.5) < 1e-12);
    cr_assert(ag_gradcheck_nodes(y, NULL, &r), "%s", ag_check_text(&r, text, sizeof text));
    assert_ok(t);
    ag_tape_free(t);
}

Test(gradcheck, text) {
    char small[20];
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_set_name(PARAM(t, 1, -2, 3), "gewicht-ö");
    ag_check_report r;
    cr_assert(!ag_gradcheck(other_sign(x), NULL, 0, NULL, &r));
    ag_check_text(&r, text, sizeof text);
    cr_assert(!strncmp(text, "gradcheck FAILED: 3 of 3 gradients are wrong (3 wrong sign)\n\n", 60), "%s", text);
    cr_assert(strstr(text, "gewicht-ö") && strstr(text, "analytic") && strstr(text, "  wrong sign\n"), "%s", text);
    cr_assert(strstr(text, "recorded"), "%s", text);
    cr_assert(!ag_gradcheck_nodes(other_sign(x), NULL, &r));
    ag_check_text(&r, text, sizeof text);
    cr_assert(!strstr(text, "recorded"), "a column that is empty is left out: %s", text);
    cr_assert(!ag_gradcheck(other_sign(x), NULL, 0, NULL, &r));
    cr_assert_eq(ag_check_text(&r, small, sizeof small), small);
    cr_assert_str_eq(small, "gradcheck FAILED: 3");
    cr_assert_null(ag_check_text(&r, NULL, 0));
    ag_check_text(NULL, small, sizeof small);
    cr_assert_str_eq(small, "");
    ag_tape_free(t);
    ag_check_text(&r, text, sizeof text); /* names its rows without their tensors */
    cr_assert(strstr(text, "gewicht-ö"));
    for (int i = 0; i < r.rows; i++) memset(r.row[i].name, 'm', sizeof r.row[i].name - 1);
    ag_check_text(&r, text, sizeof text);
}

/* Options from an older, shorter struct. */
Test(gradcheck, options_may_be_short) {
    ag_tape *t = ag_tape_new();
    ag_check_options o = ag_check_defaults();
    o.size = offsetof(ag_check_options, samples);
    o.samples = -1;
    cr_assert(ag_gradcheck(SUM(ag_exp(PARAM(t, 1, 2))), NULL, 0, &o, NULL), "%s", ag_tape_message(t));
    ag_tape_free(t);
}

/* Many elements: samples of each and a direction through all, which finds what the samples miss. */
Test(gradcheck, a_single_element_of_many) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_param(t, AG_F64, AG_SHAPE(5000)), *one = ag_slice(x, 0, 777, 778, 1);
    ag_fill(x, 0.5);
    ag_tensor *y = ag_add(SUM(ag_sin(ag_slice(x, 0, 778, AG_END, 1))), other_sign(one));
    ag_check_report r;
    cr_assert(!ag_gradcheck(y, NULL, 0, NULL, &r));
    cr_assert_eq(r.checked, 21);
    cr_assert_eq(r.failed, 1);
    cr_assert_eq(r.row[0].index, -1);
    cr_assert(!ag_gradcheck_nodes(y, NULL, &r));
    cr_assert_eq(ag_op_of(r.row[0].node), &other_sign_op);
    ag_tape_free(t);
}
