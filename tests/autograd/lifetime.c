/* What survives a rewind and what does not: marks, and the two lifetimes of tensors. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "make.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

/* Persistent things, made before and after a mark: each maker returns a tensor that holds 1, 2, 3 */

static const double one_two_three[] = {1, 2, 3};

static ag_tensor *filled(ag_tensor *x) { return ag_write(x, one_two_three) ? x : NULL; }
static ag_tensor *a_parameter(ag_tape *t) { return filled(ag_param(t, AG_F64, AG_SHAPE(3))); }
static ag_tensor *a_buffer(ag_tape *t) { return filled(ag_buffer(t, AG_F64, AG_SHAPE(3))); }
static ag_tensor *data(ag_tape *t) { return ag_from_f64(t, one_two_three, AG_SHAPE(3)); }
static ag_tensor *small(ag_tape *t) { return ag_from_bool(t, (bool[]){true}, AG_SHAPE(1)); }

static ag_tensor *wrapped(ag_tape *t) {
    static double memory[3];
    memcpy(memory, one_two_three, sizeof memory);
    return ag_wrap(t, AG_F64, memory, AG_SHAPE(3), NULL, NULL);
}

static ag_tensor *a_gradient(ag_tape *t) {
    ag_tensor *w = ag_param(t, AG_F64, AG_SHAPE(3));
    return ag_backward(SUM(ag_mul(w, data(t)))) ? ag_grad(w) : NULL;
}

static ag_tensor *of_a_module(ag_tape *t) {
    ag_module *m = ag_nn_sequential(t, NULL, 0);
    ag_nn_append(m, ag_nn_linear(t, 3, 1, false));
    ag_module_cast(m, AG_F64);
    return filled(ag_module_find(m, "0.weight"));
}

/* Momentum after the first step is the gradient. */
static ag_tensor *of_an_optimizer(ag_tape *t) {
    ag_tensor *w = ag_param(t, AG_F64, AG_SHAPE(3));
    ag_sgd_options o = ag_sgd_defaults();
    o.momentum = 0.5;
    ag_optimizer *sgd = ag_optim_sgd(t, &w, 1, &o);
    return ag_backward(SUM(ag_mul(w, data(t)))) && ag_optim_step(sgd) ? ag_optim_state(sgd, 1) : NULL;
}

static const struct {
    const char *name;
    ag_tensor *(*make)(ag_tape *t);
} makers[] = {{"parameter", a_parameter}, {"buffer", a_buffer},      {"data", data},
              {"one byte", small},        {"wrapped", wrapped},      {"gradient", a_gradient},
              {"module", of_a_module},    {"state", of_an_optimizer}};

static void record_much(ag_tape *t) {
    ag_tensor *x = ag_full(t, AG_F64, AG_SHAPE(3), 7);
    for (int i = 0; i < 100; i++) x = ag_set_name(ag_neg(ag_contiguous(ag_expand(x, AG_SHAPE(3)))), "clutter");
}

static void expect(const ag_tensor *x, const char *kind, const char *when) {
    char text[CHECK_TEXT];
    cr_assert(check_values(x, one_two_three, ag_size(x), 0, text), "%s made %s the mark: %s", kind, when, text);
}

Test(lifetime, persistent_things_outlive_a_rewind) {
    for (int i = 0; i < COUNT_OF(makers); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *before = makers[i].make(t);
        ag_mark m = ag_tape_mark(t);
        ag_tensor *after = ag_set_name(makers[i].make(t), "made after the mark");
        record_much(t);
        for (int k = 0; k < 3; k++) {
            cr_assert(ag_tape_rewind(t, m));
            record_much(t);
            expect(before, makers[i].name, "before");
            expect(after, makers[i].name, "after");
        }
        cr_assert_str_eq(ag_name(after), "made after the mark");
        cr_assert_eq(ag_index(after), -1);
        assert_ok(t);
        ag_tape_free(t);
    }
}

Test(lifetime, a_gradient_handle_is_the_same_for_ever) {
    ag_tape *t = ag_tape_new();
    ag_mark start = ag_tape_mark(t);
    ag_tensor *w = PARAM(t, 1, 2);
    ag_tensor *handle = ag_grad(w); /* before any backward pass: zeros */
    assert_values(handle, 0, 0, 0);
    cr_assert(!ag_has_grad(w));
    for (int i = 1; i <= 3; i++) {
        cr_assert(ag_backward(SUM(ag_square(w))));
        cr_assert_eq(ag_grad(w), handle);
        assert_values(handle, 0, 2. * i, 4. * i);
        cr_assert(ag_tape_rewind(t, start));
    }
    ag_tape_free(t);
}

/* What is written to a handle is a gradient: the next pass adds to it, and zeroing clears it. n: of few elements, and of as many
 * as are computed where they stay. */
Test(lifetime, a_gradient_handle_can_be_written) {
    for (int64_t n = 2; n <= 8192; n += 8190) {
        for (int effect = 0; effect < 2; effect++) {
            ag_tape *t = ag_tape_new();
            ag_tensor *w = ag_param(t, AG_F32, AG_SHAPE(n)), *five = ag_full(t, AG_F32, AG_SHAPE(n), 5);
            cr_assert(effect ? ag_assign(ag_grad(w), five) != NULL : ag_fill(ag_grad(w), 5), "%s", ag_tape_message(t));
            cr_assert(ag_has_grad(w));
            cr_assert(ag_backward(SUM(ag_scale(ag_add(w, w), 1.5))), "%s", ag_tape_message(t));
            for (int64_t i = 0; i < n; i++) cr_assert_eq(ag_at(ag_grad(w), i), 8);
            cr_assert(ag_zero_grad(w) && ag_fill(ag_grad(w), 5) && ag_zero_grad(w));
            for (int64_t i = 0; i < n; i++) cr_assert_eq(ag_at(ag_grad(w), i), 0);
            cr_assert(!ag_has_grad(w));
            ag_tape_free(t);
        }
    }
}

Test(lifetime, views_of_what_persists_are_dropped_alone) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2, 3, 4);
    ag_mark m = ag_tape_mark(t);
    for (int i = 0; i < 3; i++) {
        ag_tensor *v = ag_permute(ag_reshape(w, AG_SHAPE(2, 2)), AG_AXES(1, 0));
        ag_tensor *s = ag_slice(v, 0, 1, AG_END, 1);
        cr_assert_eq((const char *)ag_data(s) - (const char *)ag_data(w), sizeof(double), "views alias");
        assert_values(s, 0, 2, 4);
        cr_assert(ag_tape_rewind(t, m));
        assert_values(w, 0, 1, 2, 3, 4);
    }
    ag_tape_free(t);
}

/* A view keeps the storage of what it sees; both go at once. */
Test(lifetime, views_of_results_share_their_storage) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1, 2, 3, 4);
    ag_mark m = ag_tape_mark(t);
    ag_tensor *y = ag_neg(x), *v = ag_slice(y, 0, AG_END, AG_END, -2);
    cr_assert_eq((const double *)ag_data(v) - (const double *)ag_data(y), 3);
    assert_values(v, 0, -4, -2);
    size_t bytes = ag_tape_bytes(t);
    cr_assert(ag_tape_rewind(t, m));
    ag_neg(x);
    cr_assert_leq(ag_tape_bytes(t), bytes + 1024);
    ag_tape_free(t);
}

/* Marks */

Test(lifetime, marks_nest) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1, 2, 3);
    ag_mark outer = ag_tape_mark(t);
    ag_tensor *kept = ag_neg(x);
    ag_mark inner = ag_tape_mark(t);
    ag_neg(kept);
    cr_assert_eq(ag_tape_size(t), 2);
    cr_assert(ag_tape_rewind(t, inner));
    cr_assert_eq(ag_tape_size(t), 1);
    assert_values(kept, 0, -1, -2, -3);
    ag_neg(kept);
    cr_assert(ag_tape_rewind(t, inner), "a mark serves any number of rewinds");
    cr_assert(ag_tape_rewind(t, outer));
    cr_assert_eq(ag_tape_size(t), 0);
    cr_assert(!ag_tape_rewind(t, inner));
    assert_error(t, AG_ERR_STATE, "stale");
    cr_assert(ag_tape_rewind(t, outer), "the error did not hurt the outer one");
    ag_tape_free(t);
}

Test(lifetime, a_stale_mark_stays_stale_at_the_same_place) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1);
    ag_mark outer = ag_tape_mark(t);
    ag_neg(x);
    ag_mark inner = ag_tape_mark(t);
    cr_assert(ag_tape_rewind(t, outer));
    ag_neg(x);
    ag_mark again = ag_tape_mark(t);
    cr_assert_neq(again.serial, inner.serial);
    ag_neg(x);
    cr_assert(!ag_tape_rewind(t, inner));
    assert_error(t, AG_ERR_STATE, "stale");
    cr_assert_eq(ag_tape_size(t), 2);
    cr_assert(ag_tape_rewind(t, again));
    cr_assert_eq(ag_tape_size(t), 1);
    ag_tape_free(t);
}

Test(lifetime, a_mark_of_another_tape_is_an_error) {
    ag_tape *a = ag_tape_new(), *b = ag_tape_new();
    ag_mark of_a = ag_tape_mark(a), of_b = ag_tape_mark(b);
    ag_neg(DATA(a, 1));
    cr_assert(!ag_tape_rewind(a, of_b));
    assert_error(a, AG_ERR_STATE, "not taken on this tape");
    cr_assert_eq(ag_tape_size(a), 1);
    cr_assert(!ag_tape_rewind(a, (ag_mark){0}));
    assert_error(a, AG_ERR_STATE, "not taken on this tape");
    cr_assert(ag_tape_rewind(a, of_a));
    ag_tape_free(a);
    ag_tape_free(b);
}

/* The pattern for recovering: clear, rewind, go on. Rewinding needs no clear. */
Test(lifetime, rewinding_works_while_an_error_stands) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1, 2);
    ag_mark m = ag_tape_mark(t);
    ag_neg(x);
    cr_assert_null(ag_add(x, DATA(t, 1, 2, 3)));
    cr_assert_eq(ag_tape_mark(t).serial, 0, "no mark while an error stands");
    cr_assert(ag_tape_rewind(t, m));
    cr_assert_eq(ag_tape_size(t), 0);
    assert_error(t, AG_ERR_SHAPE, "broadcast");
    assert_values(ag_neg(x), 0, -1, -2);
    ag_tape_free(t);
}

/* Names, scopes, attributes, metas of retained gradients, leaves: all the kinds of bytes a step leaves behind. */
static bool step(ag_tape *t, ag_tensor *w) {
    ag_mark m = ag_tape_mark(t);
    ag_scope_push(t, "step");
    ag_tensor *x = ag_set_name(BATCH(t, 1, 2, 3), "batch"), *p = ag_mul(x, w);
    ag_retain_grad(p);
    bool done = ag_backward(SUM(ag_scale(p, 2))) && ag_zero_grad(w);
    ag_scope_pop(t);
    return done && ag_tape_rewind(t, m);
}

Test(lifetime, a_mark_in_a_loop_does_not_grow, .timeout = 120) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2, 3);
    for (int i = 0; i < 2000; i++) cr_assert(step(t, w)); /* until the quarantine of a poisoning tape is full */
    size_t bytes = ag_tape_bytes(t);
    for (int i = 0; i < 100000; i++) {
        if (!step(t, w) || ag_tape_bytes(t) != bytes)
            cr_assert_fail("%zu bytes became %zu in step %d", bytes, ag_tape_bytes(t), i);
    }
    ag_tape_free(t);
}

Test(lifetime, marks_without_a_rewind_do_not_grow) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1);
    ag_neg(x);
    ag_mark first = ag_tape_mark(t);
    size_t bytes = ag_tape_bytes(t);
    for (int i = 0; i < 100000; i++) cr_assert_eq(ag_tape_mark(t).serial, first.serial);
    cr_assert_eq(ag_tape_bytes(t), bytes);
    ag_tape_free(t);
}

/* Memory */

Test(lifetime, trim_gives_back_what_nothing_uses) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_full(t, AG_F64, AG_SHAPE(1000, 1000), 1);
    ag_mark m = ag_tape_mark(t);
    ag_tensor *kept = ag_buffer(t, AG_F64, AG_SHAPE(1000));
    for (int i = 0; i < 4; i++) ag_contiguous(x);
    size_t full = ag_tape_bytes(t);
    cr_assert_geq(full, 32000000u);
    cr_assert(ag_tape_rewind(t, m));
    cr_assert_geq(ag_tape_bytes(t), 32000000u, "pooled for the next step");
    ag_tape_trim(t);
    cr_assert_lt(ag_tape_bytes(t), 8000000u);
    cr_assert_geq(ag_tape_peak_bytes(t), full);
    assert_close(ag_at(kept, 999), 0, 0);
    assert_close(ag_item(SUM(ag_contiguous(x))), 1e6, 0);
    ag_tape_free(t);
}

Test(lifetime, trim_gives_back_nodes_too) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1), *y = x;
    ag_mark m = ag_tape_mark(t);
    size_t bytes = ag_tape_bytes(t);
    for (int i = 0; i < 100000; i++) y = ag_add_scalar(y, 1);
    cr_assert(ag_tape_rewind(t, m));
    ag_tape_trim(t);
    cr_assert_lt(ag_tape_bytes(t), bytes + (4u << 20), "%zu bytes", ag_tape_bytes(t));
    assert_values(ag_neg(x), 0, -1);
    ag_tape_free(t);
}

Test(lifetime, nothing_is_fine_too) {
    ag_tape_free(NULL);
    ag_tape_trim(NULL);
    ag_seed(NULL, 1);
    ag_scope_pop(NULL);
    ag_tape_retain_grads(NULL, true);
    cr_assert_eq(ag_tape_bytes(NULL), 0);
    cr_assert_eq(ag_tape_peak_bytes(NULL), 0);
    cr_assert_eq(ag_tape_mark(NULL).serial, 0);
    cr_assert(!ag_tape_rewind(NULL, (ag_mark){1}));
    cr_assert(!ag_scope_push(NULL, "x"));
    cr_assert(!ag_set_recording(NULL, true));
    cr_assert_eq(ag_tape_status(NULL), AG_ERR_ARGUMENT);
    cr_assert_eq(ag_tape_size(NULL), 0);
    cr_assert_null(ag_tape_node(NULL, 0));
}
