/* planted.c: is the checker any good? Wrong gradients are planted into copies of built-in records; each must be
 * caught, at the order where it is wrong, and the same records with their own rules must pass. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"
#include "ops/property.h"

typedef bool rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]);

static ag_tensor *x_of(ag_tensor *y) { return ag_in(y, 0); }

static bool wrong_sign(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_neg(ag_mul(g[0], ag_cos(x_of(y))))) != NULL;
}

static bool one_percent(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_scale(ag_mul(g[0], y), 1.01)) != NULL;
}

/* gelu' = Φ(x) + x φ(x) */
static bool dropped_term(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *phi = ag_scale(ag_add_scalar(ag_erf(ag_scale(x_of(y), sqrt(0.5))), 1), 0.5);
    return (d[0] = ag_mul(g[0], phi)) != NULL;
}

static bool swapped_inputs(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    d[1] = ag_div(g[0], ag_in(y, 1));
    d[0] = ag_neg(ag_div(ag_mul(g[0], y), ag_in(y, 1)));
    return d[0] && d[1];
}

/* a (2,3) + b (3): one row of g instead of the sum of its rows */
static bool missing_sum(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    d[0] = g[0];
    d[1] = ag_reshape(ag_slice(g[0], 0, 0, 1, 1), AG_SHAPE(3));
    return d[1] != NULL;
}

/* |x|: 2 at 0, where anything between the slopes −1 and 1 may stand */
static bool wrong_at_kink(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *zero = ag_scalar(ag_tape_of(y), AG_F64, 0), *two = ag_scalar(ag_tape_of(y), AG_F64, 2);
    return (d[0] = ag_mul(g[0], ag_where(ag_eq(x_of(y), zero), two, ag_sign(x_of(y))))) != NULL;
}

static bool detached(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_mul(g[0], ag_detach(ag_scale(x_of(y), 2)))) != NULL;
}

static bool missing_factor(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_mul(g[0], x_of(y))) != NULL;
}

static bool transposed(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    d[0] = ag_matmul(ag_in(y, 1), ag_transpose(g[0], 0, 1));
    d[1] = ag_matmul(ag_transpose(x_of(y), 0, 1), g[0]);
    return d[0] && d[1];
}

static bool constant(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    d[0] = g[0];
    return true;
}

static bool forgotten_input(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_mul(g[0], ag_in(y, 1))) != NULL;
}

/* 5e-6 x: under the absolute tolerance of other checkers */
static bool small_wrong_sign(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    return (d[0] = ag_scale(g[0], -5e-6)) != NULL;
}

static bool not_a_number(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_add_scalar(ag_mul(g[0], ag_scale(x_of(y), 2)), NAN)) != NULL;
}

typedef struct plant {
    const char *name, *like, *sample;
    rule *wrong;
    int order; /* at which it is to be caught */
} plant;

static const plant plants[] = {
    {"wrong_sign", "sin", "f(5)", wrong_sign, 1},
    {"one_percent", "exp", "f(2,3)", one_percent, 1},
    {"dropped_term", "gelu", "f(5)", dropped_term, 1},
    {"swapped_inputs", "div", "f(3) f(3)", swapped_inputs, 1},
    {"missing_sum", "add", "f(2,3) f(3)", missing_sum, 1},
    {"wrong_at_kink", "abs", "f(3)=-1,0,1", wrong_at_kink, 1},
    {"detached", "square", "f(5)", detached, 2},
    {"missing_factor", "square", "f(5)", missing_factor, 1},
    {"transposed", "matmul", "f(3,3) f(3,3)", transposed, 1},
    {"constant", "tanh", "f(5)", constant, 1},
    {"forgotten_input", "mul", "f(4) f(4)", forgotten_input, 1},
    {"small_wrong_sign", "scale", "f(4) | factor=5e-6", small_wrong_sign, 1},
    {"not_a_number", "square", "f(4)", not_a_number, 1},
};

enum { PLANTS = sizeof plants / sizeof *plants };
static ag_op planted[PLANTS], healthy[PLANTS]; /* registered records must outlive the process's use of them */

static bool passes(const ag_op *op, const char *text, verdict *v) {
    sample s;
    function f;
    cr_assert(ag_op_register(op), "%s", ag_last_message());
    sample_next(text, op->name, &s);
    ag_tape *t = ag_tape_new();
    cr_assert(sample_function(&s, t, &f));
    bool passed = gradient_check(&f, v);
    ag_tape_free(t);
    return passed;
}

Test(ops, planted_gradients_are_caught) {
    for (int i = 0; i < PLANTS; i++) {
        verdict v;
        planted[i] = *ag_find_op(plants[i].like);
        planted[i].name = plants[i].name;
        planted[i].grad = plants[i].wrong;
        cr_assert(!passes(&planted[i], plants[i].sample, &v), "%s passes", plants[i].name);
        cr_assert_eq(v.order, plants[i].order, "%s is caught at order %d: %s", plants[i].name, v.order, v.text);
        cr_assert(strstr(v.text, "analytic"), "%s: %s", plants[i].name, v.text);
    }
}

Test(ops, healthy_gradients_pass) {
    for (int i = 0; i < PLANTS; i++) {
        static char name[PLANTS][64];
        verdict v;
        healthy[i] = *ag_find_op(plants[i].like);
        snprintf(name[i], sizeof name[i], "healthy_%s", plants[i].name);
        healthy[i].name = name[i];
        cr_assert(passes(&healthy[i], plants[i].sample, &v), "%s: %s", name[i], v.text);
        cr_assert_eq(v.kinks > 0, strcmp(plants[i].name, "wrong_at_kink") == 0);
        cr_assert_gt(v.elements, 0);
    }
}
