/* AG_DEBUG: what each level says through ag_set_log, and the hunt for the first NaN. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

static struct {
    char text[20000];
    int lines;
} said;

static void listen(void *context, const char *line) {
    ++*(int *)context;
    size_t used = strlen(said.text);
    snprintf(said.text + used, sizeof said.text - used, "%s\n", line);
}

static ag_tape *talking_tape(const char *level) {
    memset(&said, 0, sizeof said);
    ag_set_log(listen, &said.lines);
    setenv("AG_DEBUG", level, 1);
    ag_tape *t = ag_tape_new();
    unsetenv("AG_DEBUG");
    return t;
}

static void finish(ag_tape *t) {
    ag_tape_free(t);
    ag_set_log(NULL, NULL);
}

static void expect(const char *part) {
    cr_assert_not_null(strstr(said.text, part), "'%s' is not in:\n%s", part, said.text);
}
static void refuse(const char *part) { cr_assert_null(strstr(said.text, part), "'%s' is in:\n%s", part, said.text); }

static void one_step(ag_tape *t) {
    ag_tensor *w = ag_set_name(PARAM(t, 1, 2), "w"), *y = ag_scale(ag_square(w), 0.5);
    cr_assert(ag_backward(SUM(y)));
    assert_values(ag_grad(w), 0, 1, 2);
}

Test(debug, says_nothing_unless_asked) {
    static const char *const levels[] = {"", "0", "-3", "x"};
    for (int i = 0; i < COUNT_OF(levels); i++) {
        ag_tape *t = talking_tape(levels[i]);
        one_step(t);
        finish(t);
        cr_assert_eq(said.lines, 0, "AG_DEBUG=%s: %s", levels[i], said.text);
    }
}

Test(debug, level_1_says_version_and_peak) {
    ag_tape *t = talking_tape("1");
    one_step(t);
    cr_assert_eq(said.lines, 1);
    expect("autograd 0.1.0");
    expect("threads");
    finish(t);
    cr_assert_eq(said.lines, 2);
    expect("bytes at the peak");
    cr_assert_null(strchr(said.text, '\r'));
}

Test(debug, level_2_times_each_op) {
    ag_tape *t = talking_tape("2");
    one_step(t);
    finish(t);
    expect("square");
    expect("µs");
    expect("∂ "); /* ops of the backward pass are marked */
    refuse("factor=0.5");
}

Test(debug, level_3_shows_each_op) {
    ag_tape *t = talking_tape("3");
    one_step(t);
    finish(t);
    expect("square(w (2))");
    expect("scale(square (2)) factor=0.5");
    expect("(2) f64");
}

Test(debug, levels_above_4_are_4) {
    ag_tape *t = talking_tape("9");
    expect("poisoned");
    finish(t);
}

/* The hunt: the first value that is not finite, made from finite ones, is an error that names its node */

static ag_tensor *log_of_zero(ag_tensor *x) { return ag_log(ag_sub(x, x)); }
static ag_tensor *overflow(ag_tensor *x) { return ag_exp(ag_scale(x, 1000)); }
static ag_tensor *zero_by_zero(ag_tensor *x) { return ag_div(ag_sub(x, x), ag_sub(x, x)); }
static ag_tensor *root(ag_tensor *x) { return ag_sqrt(ag_neg(x)); }

static const struct {
    ag_tensor *(*f)(ag_tensor *x);
    const char *part;
} hunted[] = {
    {log_of_zero, "log: element 0 of log (2) is -inf, though all inputs are finite"},
    {overflow, "exp: element 0 of exp (2) is inf, though all inputs are finite"},
    {zero_by_zero, "div: element 0 of div (2) is "},
    {root, "sqrt: element 0 of sqrt (2) is "},
};

Test(debug, level_4_hunts_nan) {
    for (int i = 0; i < COUNT_OF(hunted); i++) {
        for (int watched = 0; watched < 2; watched++) {
            ag_tape *t = talking_tape(watched ? "4" : "0");
            ag_tensor *y = hunted[i].f(DATA(t, 1, 2));
            if (watched) {
                cr_assert_null(y);
                assert_error(t, AG_ERR_VALUE, hunted[i].part);
            } else {
                cr_assert(!isfinite(ag_at(y, 0)));
            }
            finish(t);
        }
    }
}

Test(debug, level_4_lets_pass_what_came_in) {
    ag_tape *t = talking_tape("4");
    ag_tensor *x = DATA(t, 1, (double)NAN, (double)INFINITY), *index;
    cr_assert_not_null(ag_exp(x));
    cr_assert_not_null(SUM(ag_mul(x, x)));
    cr_assert_not_null(ag_topk(x, 2, 0, &index));
    cr_assert_not_null(ag_cast(DATA(t, 1, 2), AG_I64));
    assert_ok(t);
    finish(t);
}

/* In the backward pass: √ has the gradient ∞ at 0. */
Test(debug, level_4_hunts_in_the_backward_pass) {
    ag_tape *t = talking_tape("4");
    ag_tensor *w = PARAM(t, 0, 4), *good = SUM(ag_square(w)), *y = SUM(ag_sqrt(w));
    cr_assert(!ag_backward(y));
    assert_error(t, AG_ERR_VALUE, "div: element 0");
    cr_assert(!ag_has_grad(w));
    cr_assert(ag_backward(good));
    assert_values(ag_grad(w), 0, 0, 8);
    finish(t);
}

/* Results do not depend on being watched. */
Test(debug, watching_changes_no_value) {
    double loss[5];
    for (int level = 0; level <= 4; level++) {
        ag_tape *t = talking_tape((char[]){(char)('0' + level), '\0'});
        uint64_t state = 1;
        ag_tensor *w = check_leaf(t, AG_F64, AG_SHAPE(5, 7), AG_REQUIRES_GRAD, -1, 1, &state);
        ag_tensor *y = SUM(ag_square(ag_tanh(ag_matmul(w, ag_transpose(w, 0, 1)))));
        cr_assert(ag_backward(y));
        loss[level] = ag_item(SUM(ag_square(ag_grad(w))));
        assert_close(loss[level], loss[0], 0);
        finish(t);
    }
}
