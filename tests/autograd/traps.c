/* Where reverse mode goes wrong in silence: gradients that share memory, values overwritten, rules that fail half-way. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"
#include "optim/optim.h"

/* Aliases: each function hands one gradient to several places, or adds to one that others still read */

static ag_tensor *sum_of_same(ag_tensor *x) { return SUM(ag_add(x, x)); }
static ag_tensor *product_of_same(ag_tensor *x) { return SUM(ag_mul(x, x)); }
static ag_tensor *difference_of_same(ag_tensor *x) { return SUM(ag_sub(x, ag_alias(x))); }
static ag_tensor *through_adds(ag_tensor *x) { /* g goes down untouched by many ways, that meet again */
    ag_tensor *a = ag_add_scalar(x, 1), *b = ag_add(a, x), *c = ag_add(b, a), *d = ag_add(c, b);
    return SUM(ag_add(ag_add(d, c), ag_add(b, d)));
}
static ag_tensor *late_and_early(ag_tensor *x) { /* x.slot is filled by the seed's own memory, then added to */
    ag_tensor *a = ag_reshape(x, AG_SHAPE(4)), *b = ag_reshape(a, AG_SHAPE(2, 2));
    return ag_add(SUM(b), ag_add(SUM(a), SUM(ag_scale(x, 3))));
}
static ag_tensor *concat_of_same(ag_tensor *x) {
    ag_tensor *c = ag_concat((ag_tensor *[]){x, x, ag_neg(x), x}, 4, 0);
    return SUM(ag_mul(c, c));
}
static ag_tensor *expanded(ag_tensor *x) {
    ag_tensor *e = ag_expand(ag_reshape(x, AG_SHAPE(4, 1)), AG_SHAPE(4, 3));
    return ag_add(SUM(ag_mul(e, e)), SUM(e));
}
static ag_tensor *transposed(ag_tensor *x) {
    ag_tensor *m = ag_reshape(x, AG_SHAPE(2, 2));
    return SUM(ag_add(ag_mul(m, ag_transpose(m, 0, 1)), ag_transpose(ag_add(m, m), 0, 1)));
}
static ag_tensor *reversed(ag_tensor *x) {
    ag_tensor *r = ag_slice(x, 0, AG_END, AG_END, -1);
    return SUM(ag_add(ag_mul(r, x), ag_add(r, r)));
}
static ag_tensor *scalars(ag_tensor *x) { /* gradients that live inside their nodes */
    ag_tensor *a = SUM(x), *b = ag_add(a, a), *c = ag_add(b, ag_reshape(a, AG_SHAPE(1, 1)));
    return ag_reshape(ag_add(ag_mul(c, ag_alias(b)), c), AG_SHAPE());
}
static ag_tensor *masks(ag_tensor *x) {
    ag_tensor *c = ag_gt(x, ag_scalar(ag_tape_of(x), AG_F64, 0));
    return SUM(ag_add(ag_where(c, x, ag_neg(x)), ag_where(c, x, x)));
}
static ag_tensor *slices(ag_tensor *x) {
    ag_tensor *y = ag_slice(x, 0, 0, 2, 1), *z = ag_slice(x, 0, 1, 3, 1);
    return SUM(ag_add(ag_mul(y, z), ag_add(y, ag_slice(x, 0, 2, AG_END, 1))));
}

static const struct {
    const char *name;
    ag_tensor *(*f)(ag_tensor *x);
    double d[4]; /* at (1, −2, 3, 5) */
} aliases[] = {
    {"x + x", sum_of_same, {2, 2, 2, 2}},
    {"x x", product_of_same, {2, -4, 6, 10}},
    {"x - alias x", difference_of_same, {0, 0, 0, 0}},
    {"adds", through_adds, {15, 15, 15, 15}},
    {"late and early", late_and_early, {5, 5, 5, 5}},
    {"concat", concat_of_same, {8, -16, 24, 40}},
    {"expand", expanded, {9, -9, 21, 33}},
    {"transpose", transposed, {4, 8, -2, 12}},
    {"reverse", reversed, {12, 8, -2, 4}},
    {"scalars", scalars, {87, 87, 87, 87}},
    {"where", masks, {2, 0, 2, 2}},
    {"slices", slices, {-1, 5, -1, 1}},
};

Test(gradients, shared_memory_is_not_added_to_twice) {
    for (int i = 0; i < COUNT_OF(aliases); i++) {
        for (int single = 0; single < 2; single++) {
            ag_tape *t = ag_tape_new();
            ag_tensor *x = PARAM(t, 1, -2, 3, 5), *y = aliases[i].f(single ? ag_cast(x, AG_F32) : x), *d;
            if (!y && single) { /* it mixes in an f64 constant */
                ag_tape_free(t);
                continue;
            }
            cr_assert(ag_gradients(&y, NULL, 1, &x, 1, &d) && ag_backward(y), "%s: %s", aliases[i].name,
                      ag_tape_message(t));
            char text[CHECK_TEXT];
            cr_assert(check_values(d, aliases[i].d, 4, 0, text), "%s, recorded: %s", aliases[i].name, text);
            cr_assert(check_values(ag_grad(x), aliases[i].d, 4, 0, text), "%s, in place: %s", aliases[i].name, text);
            cr_assert(ag_backward(y));
            for (int k = 0; k < 4; k++) assert_close(ag_at(ag_grad(x), k), 2 * aliases[i].d[k], 0);
            ag_tape_free(t);
        }
    }
}

/* The seed belongs to the user: nothing may be added to it, also where it is a gradient that the pass itself adds to. */
Test(gradients, the_seed_is_left_alone) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = PARAM(t, 1, 2), *b = PARAM(t, 3, 4), *seed = DATA(t, 10, 20), *y = ag_add(a, b), *z = ag_add(y, a);
    cr_assert(ag_backward_from(&z, &seed, 1));
    assert_values(seed, 0, 10, 20);
    assert_values(ag_grad(a), 0, 20, 40);
    ag_tensor *own = ag_grad(a);
    cr_assert(ag_backward_from(&y, &own, 1));
    assert_values(ag_grad(a), 0, 40, 80);
    assert_values(ag_grad(b), 0, 30, 60);
    cr_assert(ag_retain_grad(y));
    cr_assert(ag_backward_from(&y, &seed, 1));
    ag_tensor *kept = ag_grad(y);
    cr_assert(ag_backward_from(&y, &kept, 1));
    assert_values(kept, 0, 20, 40);
    assert_values(ag_grad(b), 0, 50, 100);
    ag_tensor *m = ag_leaf(t, AG_F64, (double[]){1, 2, 3, 4}, AG_SHAPE(2, 2), AG_REQUIRES_GRAD),
              *mt = ag_transpose(m, 0, 1);
    cr_assert(ag_backward(SUM(ag_mul(m, ag_from_f64(t, (double[]){1, 2, 3, 4}, AG_SHAPE(2, 2))))));
    ag_tensor *of_m = ag_grad(m);
    cr_assert(ag_backward_from(&mt, &of_m, 1));
    assert_values(of_m, 0, 2, 5, 5, 8);
    ag_tape_free(t);
}

Test(gradients, a_tensor_used_ten_thousand_times) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 0.5, -0.25), *h = ag_scale(w, 1), *many[5000], *d;
    for (int i = 0; i < 5000; i++) many[i] = i % 2 ? h : ag_add(h, w);
    ag_tensor *y = SUM(ag_concat(many, 5000, 0));
    cr_assert(ag_backward(y));
    assert_values(ag_grad(w), 0, 7500, 7500);
    cr_assert(ag_gradients(&y, NULL, 1, &h, 1, &d));
    assert_values(d, 0, 5000, 5000);
    ag_tape_free(t);
}

/* Overwritten values: forward, write, backward */

static ag_tensor *direct(ag_tensor *w) { return ag_square(w); }
static ag_tensor *by_view(ag_tensor *w) { return ag_square(ag_slice(ag_reshape(w, AG_SHAPE(3, 1)), 0, 1, 2, 1)); }
static ag_tensor *twofold(ag_tensor *w) { return ag_mul(ag_exp(ag_scale(w, 2)), w); }

static void writes(ag_tensor *w) { ag_write(w, (double[]){7, 8, 9}); }
static void fills(ag_tensor *w) { ag_fill(w, 7); }
static void points(ag_tensor *w) { ((double *)ag_mutable(w))[0] = 7; }
static void assigns(ag_tensor *w) { ag_assign(w, ag_neg(w)); }
static void averages(ag_tensor *w) { ag_lerp_into(w, ag_neg(w), 0.5); }
static void randomizes(ag_tensor *w) { ag_fill_normal(w, 0, 1); }
static void optimizes(ag_tensor *w) { /* with a gradient from elsewhere */
    ag_backward(SUM(ag_scale(w, 3)));
    ag_optim_step(ag_optim_sgd(ag_tape_of(w), &w, 1, NULL));
    ag_zero_grad(w);
}

Test(gradients, an_overwritten_input_is_an_error) {
    static ag_tensor *(*const uses[])(ag_tensor * w) = {direct, by_view, twofold};
    static const char *const message[] = {"w (3) was overwritten after square used it", "was overwritten after",
                                          "w (3) was overwritten after mul used it"};
    static void (*const ways[])(ag_tensor * w) = {writes, fills, points, assigns, averages, randomizes, optimizes};
    for (int i = 0; i < COUNT_OF(uses); i++) {
        for (int k = 0; k < COUNT_OF(ways); k++) {
            ag_tape *t = ag_tape_new();
            ag_tensor *w = ag_set_name(PARAM(t, 1, 2, 3), "w"), *y = SUM(uses[i](w)), *d;
            ways[k](w);
            assert_ok(t);
            cr_assert(!ag_backward(y), "use %d, way %d", i, k);
            assert_error(t, AG_ERR_STATE, message[i]);
            cr_assert(!ag_has_grad(w));
            cr_assert(!ag_gradients(&y, NULL, 1, &w, 1, &d));
            assert_error(t, AG_ERR_STATE, message[i]);
            ag_tensor *fresh = SUM(ag_square(w));
            cr_assert(ag_backward(fresh), "%s", ag_tape_message(t));
            for (int n = 0; n < 3; n++) assert_close(ag_at(ag_grad(w), n), 2 * ag_at(w, n), 1e-15);
            ag_tape_free(t);
        }
    }
}

/* A rule that fails half-way: all gradients or none */

static bool same_shape(ag_tensor *y) { return ag_out_like(y, 0, ag_in(y, 0)); }
static bool copy(ag_tensor *y) { return ag_read(ag_in(y, 0), ag_out_data(y, 0)); }
static bool refuses(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)g, (void)d;
    return ag_op_fail(y, AG_ERR_VALUE, "refuses");
}
static bool gives_up(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return (void)y, (void)g, (void)d, false; }
static bool wrong_shape(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)g;
    return (d[0] = ag_full(ag_tape_of(y), AG_F64, AG_SHAPE(7), 1)) != NULL;
}
static bool wrong_dtype(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (void)y, (d[0] = ag_cast(g[0], AG_F32)) != NULL;
}
static bool half(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { /* one input served, then the error */
    d[0] = ag_scale(g[0], 5);
    return ag_op_fail(y, AG_ERR_VALUE, "refuses the second");
}

static const ag_op failing[] = {
    {.size = sizeof(ag_op), .name = "refusing", .arity = 1, .shape = same_shape, .run = copy, .grad = refuses},
    {.size = sizeof(ag_op), .name = "silent", .arity = 1, .shape = same_shape, .run = copy, .grad = gives_up},
    {.size = sizeof(ag_op), .name = "misshapen", .arity = 1, .shape = same_shape, .run = copy, .grad = wrong_shape},
    {.size = sizeof(ag_op), .name = "mistyped", .arity = 1, .shape = same_shape, .run = copy, .grad = wrong_dtype},
    {.size = sizeof(ag_op), .name = "ungrateful", .arity = 1, .shape = same_shape, .run = copy},
    {.size = sizeof(ag_op), .name = "half", .arity = 2, .shape = same_shape, .run = copy, .grad = half},
};

Test(gradients, all_of_them_or_none) {
    for (int i = 0; i < COUNT_OF(failing); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *first = PARAM(t, 1, 2), *middle = PARAM(t, 3, 4), *last = PARAM(t, 5, 6), *d[3];
        ag_tensor *good = SUM(ag_mul(ag_mul(first, middle), last));
        cr_assert(ag_backward(good));
        ag_tensor *bad = ag_apply(&failing[i], (ag_tensor *[]){ag_exp(first), middle}, failing[i].arity, NULL);
        ag_tensor *loss = SUM(ag_mul(ag_mul(bad, middle), last)); /* last and middle are reached before the op that fails */
        cr_assert(ag_retain_grad(bad));
        for (int k = 0; k < 2; k++) {
            cr_assert(!ag_backward(loss), "%s", failing[i].name);
            cr_assert_neq(ag_tape_status(t), AG_OK);
            ag_tape_clear(t);
            cr_assert(!ag_gradients(&loss, NULL, 1, (ag_tensor *[]){first, middle, last}, 3, d));
            cr_assert(!d[0] && !d[1] && !d[2]);
            ag_tape_clear(t);
            assert_values(ag_grad(first), 0, 15, 24);
            assert_values(ag_grad(middle), 0, 5, 12);
            assert_values(ag_grad(last), 0, 3, 8);
        }
        cr_assert(ag_backward(good), "slots are clean: %s", ag_tape_message(t));
        assert_values(ag_grad(first), 0, 30, 48);
        assert_values(ag_grad(middle), 0, 10, 24);
        assert_values(ag_grad(last), 0, 6, 16);
        ag_tape_free(t);
    }
}

/* Rules that return other shapes than their input's */

static bool row(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { /* (1,3), for an input (2,1) */
    (void)y;
    return (d[0] = ag_sum(g[0], AG_AXES(0), true)) != NULL;
}
static bool wide_shape(ag_tensor *y) { return ag_out_shape(y, 0, AG_F64, AG_SHAPE(2, 3)); }
static bool wide_run(ag_tensor *y) {
    double *out = ag_out_data(y, 0);
    for (int i = 0; i < 6; i++) out[i] = ag_at(ag_in(y, 0), i / 3);
    return true;
}
static const ag_op crossing = {
    .size = sizeof(ag_op), .name = "crossing", .arity = 1, .shape = wide_shape, .run = wide_run, .grad = row};

Test(gradients, of_any_shape_that_broadcasts_with_the_input_fit) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_leaf(t, AG_F64, (double[]){1, 2}, AG_SHAPE(2, 1), AG_REQUIRES_GRAD);
    ag_tensor *y = ag_apply(&crossing, &x, 1, NULL);
    ag_tensor *weights = ag_from_f64(t, (double[]){1, 2, 3, 10, 20, 30}, AG_SHAPE(2, 3));
    cr_assert(ag_backward(SUM(ag_mul(y, weights))), "%s", ag_tape_message(t));
    assert_values(ag_grad(x), 0, 66, 66); /* (11, 22, 33), once a row, summed along it */
    ag_tape_free(t);
}
