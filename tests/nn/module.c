/* Modules: names, lists, modes, sharing, casting, one's own, and what is refused. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "check.h"
#include "nn/nn.h"
#include "ops/ops.h"

static ag_tensor *random_leaf(ag_tape *t, ag_shape shape) {
    uint64_t state = 7;
    return check_leaf(t, AG_F32, shape, 0, -2, 2, &state);
}

/* in → 3 → 2, as PyTorch's Sequential(Linear, Tanh, Linear) */
static ag_module *small_net(ag_tape *t, int64_t in) {
    ag_module *net = ag_nn_sequential(t, NULL, 0);
    ag_nn_append(net, ag_nn_linear(t, in, 3, true));
    ag_nn_append(net, ag_nn_tanh(t));
    return ag_nn_append(net, ag_nn_linear(t, 3, 2, true));
}

/* The header's example: y = x + gain · body(x) */
static ag_tensor *residual_forward(ag_module *m, ag_tensor *x) {
    ag_tensor *body = ag_module_forward(ag_module_child(m, 0), x);
    return ag_add(x, ag_mul(ag_module_tensor(m, 0), body));
}

static ag_module *residual(ag_tape *t, ag_module *body) {
    ag_module *m = ag_module_new(t, "residual", residual_forward, NULL, 0);
    ag_module_add_parameter(m, "gain", ag_nn_constant(ag_param(t, AG_F32, AG_SHAPE()), 1));
    return ag_module_add_child(m, "body", body);
}

static void assert_names(ag_tensor *const *list, int count, const char *const *expected, int n) {
    cr_assert_eq(count, n);
    for (int i = 0; i < n; i++) cr_assert_str_eq(ag_name(list[i]), expected[i]);
}

Test(module, names_are_pytorchs) {
    ag_tape *t = ag_tape_new();
    ag_module *net = small_net(t, 4);
    static const char *const flat[] = {"0.weight", "0.bias", "2.weight", "2.bias"};
    assert_names(ag_module_parameters(net), ag_module_parameter_count(net), flat, 4);
    assert_shape(ag_module_find(net, "0.weight"), 3, 4);
    assert_shape(ag_module_find(net, "2.bias"), 2);
    cr_assert_str_eq(ag_module_kind(ag_module_child(net, 1)), "tanh");
    cr_assert_str_eq(ag_module_name(ag_module_child(net, 1)), "1");

    ag_module *outer = ag_nn_sequential(t, &(ag_module *){residual(t, net)}, 1);
    static const char *const deep[] = {"0.gain", "0.body.0.weight", "0.body.0.bias", "0.body.2.weight", "0.body.2.bias"};
    assert_names(ag_module_parameters(outer), ag_module_parameter_count(outer), deep, 5);
    cr_assert_eq(ag_module_find(outer, "0.body.2.bias"), ag_module_parameters(outer)[4]);
    cr_assert_eq(ag_module_find(net, "2.bias"), ag_module_parameters(outer)[4],
                 "found from the inner module by its own path");

    ag_nn_append(net, ag_nn_linear(t, 2, 2, false));
    cr_assert_eq(ag_module_parameter_count(outer), 6, "an addition further down is seen");
    cr_assert_str_eq(ag_name(ag_module_parameters(outer)[5]), "0.body.3.weight");
    assert_ok(t);
    cr_assert_null(ag_module_find(outer, "0.body.1.weight"));
    assert_error(t, AG_ERR_ARGUMENT, "no parameter or buffer '0.body.1.weight'");
    ag_tape_free(t);
}

Test(module, names_appear_as_scopes) {
    ag_tape *t = ag_tape_new();
    ag_module *net = small_net(t, 4);
    ag_tensor *y = ag_module_forward(net, random_leaf(t, AG_SHAPE(5, 4)));
    int scope = ag_scope_of(y);
    cr_assert_str_eq(ag_scope_name(t, scope), "2 linear");
    cr_assert_str_eq(ag_scope_name(t, ag_scope_parent(t, scope)), "sequential");
    cr_assert_eq(ag_scope_of(ag_exp(y)), 0, "forward leaves its scopes");
    ag_tape_free(t);
}

Test(module, linear_is_x_times_w_transposed_plus_b) {
    ag_tape *t = ag_tape_new();
    for (int bias = 0; bias < 2; bias++) {
        ag_module *m = ag_nn_linear(t, 4, 3, bias);
        ag_tensor *x = random_leaf(t, AG_SHAPE(2, 5, 4)), *w = ag_module_tensor(m, 0), *b = ag_module_tensor(m, 1);
        ag_tensor *y = ag_module_forward(m, x);
        assert_shape(y, 2, 5, 3);
        cr_assert_eq(b != NULL, bias);
        for (int i = 0; i < 10; i++) {
            for (int o = 0; o < 3; o++) {
                double sum = b ? ag_at(b, o) : 0;
                for (int k = 0; k < 4; k++) sum += ag_at(x, 4 * i + k) * ag_at(w, 4 * o + k);
                assert_close(ag_at(y, 3 * i + o), sum, 1e-6);
            }
        }
        assert_shape(ag_module_forward(m, random_leaf(t, AG_SHAPE(4))), 3);
        assert_shape(ag_module_forward(m, random_leaf(t, AG_SHAPE(0, 4))), 0, 3);
    }
    assert_shape(ag_module_forward(ag_nn_linear(t, 0, 3, true), random_leaf(t, AG_SHAPE(2, 0))), 2, 3);
    assert_ok(t);
    ag_tape_free(t);
}

Test(module, sequence_and_functions_apply_in_order) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = random_leaf(t, AG_SHAPE(3, 4));
    ag_module *layers[] = {ag_nn_relu(t), ag_nn_sigmoid(t), ag_nn_gelu(t), ag_nn_function(t, "exp", ag_exp)};
    ag_module *net = ag_nn_sequential(t, layers, 4);
    assert_same(ag_module_forward(net, x), ag_exp(ag_gelu(ag_sigmoid(ag_relu(x)))));
    cr_assert_eq(ag_module_forward(ag_nn_sequential(t, NULL, 0), x), x, "an empty sequence changes nothing");
    cr_assert_eq(ag_module_parameter_count(net), 0);
    ag_tape_free(t);
}

Test(module, dropout_acts_in_training_only) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_nn_constant(ag_buffer(t, AG_F32, AG_SHAPE(10000)), 1);
    ag_module *drop = ag_nn_dropout(t, 0.25), *net = ag_nn_sequential(t, &drop, 1);
    cr_assert(ag_module_training(drop), "new modules train");
    ag_tensor *y = ag_module_forward(net, x);
    int zeros = 0;
    for (int i = 0; i < 10000; i++) {
        double v = ag_at(y, i);
        zeros += v == 0;
        if (v != 0) assert_close(v, 1 / 0.75, 1e-6);
    }
    cr_assert_lt(zeros, 2500 + 5 * 43, "%d of 10000 dropped: more than five standard deviations from 2500", zeros);
    cr_assert_gt(zeros, 2500 - 5 * 43, "%d of 10000 dropped: more than five standard deviations from 2500", zeros);
    ag_module_train(net, false);
    cr_assert_not(ag_module_training(drop), "the mode goes down the tree");
    cr_assert_eq(ag_module_forward(net, x), x);
    ag_tape_free(t);
}

Test(module, a_module_of_ones_own) {
    ag_tape *t = ag_tape_new();
    ag_module *m = residual(t, ag_nn_tanh(t));
    ag_tensor *x = random_leaf(t, AG_SHAPE(2, 3)), *gain = ag_module_find(m, "gain");
    ag_fill(gain, 0.5);
    ag_tensor *y = ag_module_forward(m, x);
    assert_same(y, ag_add(x, ag_mul(gain, ag_tanh(x))));
    cr_assert(ag_backward(ag_sum(y, AG_ALL, false)));
    double sum = 0;
    for (int i = 0; i < 6; i++) sum += ag_at(ag_tanh(x), i);
    assert_close(ag_item(ag_grad(gain)), sum, 1e-6);
    ag_tape_free(t);
}

typedef struct power_fields {
    double p;
} power_fields;

static ag_tensor *power_forward(ag_module *m, ag_tensor *x) {
    const power_fields *own = ag_module_fields(m);
    return ag_pow_scalar(x, own->p);
}

Test(module, sharing_borrows_values_and_has_its_own_gradients) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_module *net = small_net(t, 4);
    ag_nn_append(net, ag_module_new(t, "power", power_forward, &(power_fields){3}, sizeof(power_fields)));
    ag_module_add_buffer(net, "seen", ag_buffer(t, AG_I64, AG_SHAPE()));
    ag_module_train(net, false);
    ag_module_train(ag_module_child(net, 1), true);
    ag_module *copy = ag_module_share(other, net);
    assert_ok(other);
    cr_assert_not(ag_module_training(copy));
    cr_assert_not(ag_module_training(ag_module_child(copy, 0)));
    cr_assert(ag_module_training(ag_module_child(copy, 1)));
    cr_assert_eq(ag_module_parameter_count(copy), 4);
    cr_assert_str_eq(ag_name(ag_module_buffers(copy)[0]), "seen");
    for (int i = 0; i < 4; i++) {
        ag_tensor *a = ag_module_parameters(net)[i], *b = ag_module_parameters(copy)[i];
        cr_assert_eq(ag_tape_of(b), other);
        cr_assert_eq(ag_data(a), ag_data(b), "no copy is made");
        cr_assert_str_eq(ag_name(a), ag_name(b));
    }
    ag_tensor *x = random_leaf(t, AG_SHAPE(5, 4)), *y = ag_share(other, x);
    assert_same(ag_module_forward(copy, y), ag_module_forward(net, x));
    cr_assert(ag_backward(ag_sum(ag_module_forward(copy, y), AG_ALL, false)));
    cr_assert(ag_has_grad(ag_module_find(copy, "0.weight")));
    cr_assert_not(ag_has_grad(ag_module_find(net, "0.weight")));

    ag_fill(ag_module_find(net, "2.weight"), 0.25);
    assert_same(ag_module_forward(copy, y), ag_module_forward(net, x));
    cr_assert_not(ag_fill(ag_module_find(copy, "2.weight"), 1), "the borrower may not write");
    assert_error(other, AG_ERR_ARGUMENT, "read-only");
    ag_tape_free(other);
    ag_tape_free(t);
}

/* A decoder that uses the encoder's weight */
static ag_module *tied(ag_tape *t) {
    ag_module *net = ag_nn_sequential(t, NULL, 0), *second = ag_module_new(t, "bare", NULL, NULL, 0);
    ag_nn_append(net, ag_nn_linear(t, 4, 4, false));
    ag_module_add_parameter(second, "weight", ag_module_tensor(ag_module_child(net, 0), 0));
    return ag_nn_append(net, second);
}

Test(module, tied_weights_count_once_and_stay_tied) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_module *net = tied(t), *copy = ag_module_share(other, net);
    cr_assert_eq(ag_module_parameter_count(net), 1);
    cr_assert_eq(ag_module_parameter_count(copy), 1);
    cr_assert_eq(ag_module_find(copy, "0.weight"), ag_module_find(copy, "1.weight"));
    cr_assert(ag_module_cast(net, AG_F64));
    cr_assert_eq(ag_module_find(net, "0.weight"), ag_module_find(net, "1.weight"));
    ag_tape_free(other);
    ag_tape_free(t);
}

Test(module, cast_converts_values_and_leaves_integers) {
    ag_tape *t = ag_tape_new();
    ag_module *net = small_net(t, 4), *outer = residual(t, net);
    ag_module_add_buffer(net, "count", ag_buffer(t, AG_I64, AG_SHAPE()));
    ag_set_requires_grad(ag_module_find(net, "0.bias"), false);
    ag_tensor *before = ag_module_find(net, "0.weight");
    cr_assert_eq(ag_module_parameter_count(outer), 5);
    cr_assert_eq(ag_module_parameters(ag_module_child(net, 0))[0], before);
    cr_assert(ag_module_cast(net, AG_F64));
    ag_tensor *after = ag_module_find(net, "0.weight");
    cr_assert_eq(ag_dtype_of(after), AG_F64);
    assert_near(after, before, 0);
    cr_assert_str_eq(ag_name(after), "body.0.weight");
    cr_assert(ag_requires_grad(after));
    cr_assert_not(ag_requires_grad(ag_module_find(net, "0.bias")));
    cr_assert_eq(ag_dtype_of(ag_module_find(net, "count")), AG_I64);
    cr_assert_eq(ag_module_parameters(outer)[1], after, "lists above see the new leaves");
    cr_assert_eq(ag_module_parameters(ag_module_child(net, 0))[0], after, "and lists below");
    uint64_t state = 1;
    assert_shape(ag_module_forward(net, check_leaf(t, AG_F64, AG_SHAPE(2, 4), 0, -1, 1, &state)), 2, 2);
    cr_assert_not(ag_module_cast(net, AG_I64));
    assert_error(t, AG_ERR_DTYPE, "f32 or f64, not i64");
    ag_tape_free(t);
}

Test(module, frozen_parameters_get_no_gradient) {
    ag_tape *t = ag_tape_new();
    ag_module *net = small_net(t, 4);
    cr_assert(ag_module_freeze(ag_module_child(net, 0), true));
    cr_assert(ag_backward(ag_sum(ag_module_forward(net, random_leaf(t, AG_SHAPE(5, 4))), AG_ALL, false)));
    cr_assert_not(ag_has_grad(ag_module_find(net, "0.weight")));
    cr_assert(ag_has_grad(ag_module_find(net, "2.weight")));
    cr_assert(ag_module_freeze(net, false));
    cr_assert(ag_requires_grad(ag_module_find(net, "0.weight")));
    ag_tape_free(t);
}

Test(module, made_after_a_mark_survives_the_rewind) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = random_leaf(t, AG_SHAPE(5, 4));
    ag_mark here = ag_tape_mark(t);
    ag_module *net = small_net(t, 4), *deep = residual(t, ag_nn_linear(t, 4, 4, true));
    double first = ag_at(ag_module_forward(net, x), 3), second = ag_at(ag_module_forward(deep, x), 3);
    for (int i = 0; i < 3; i++) {
        cr_assert(ag_tape_rewind(t, here));
        assert_close(ag_at(ag_module_forward(net, x), 3), first, 0);
        assert_close(ag_at(ag_module_forward(deep, x), 3), second, 0);
        cr_assert_str_eq(ag_name(ag_module_parameters(deep)[1]), "body.weight");
    }
    ag_tape_free(t);
}

/* What is refused */

typedef struct bad_call {
    bool (*call)(ag_tape *t, ag_module *net, ag_tensor *x); /* true: it was not refused */
    ag_status status;
    const char *message;
} bad_call;

#define CALL(name, expression)                                   \
    static bool name(ag_tape *t, ag_module *net, ag_tensor *x) { \
        (void)t, (void)net, (void)x;                             \
        return (expression) ? true : false;                      \
    }
CALL(wrong_width, ag_module_forward(net, ag_reshape(x, AG_SHAPE(4, 5))))
CALL(scalar_input, ag_module_forward(net, ag_scalar(t, AG_F32, 1)))
CALL(null_input, ag_module_forward(net, NULL))
CALL(no_forward, ag_module_forward(ag_module_new(t, "holder", NULL, NULL, 0), x))
CALL(null_kind, ag_module_new(t, NULL, NULL, NULL, 0))
CALL(empty_name, ag_module_add_parameter(net, "", x))
CALL(dotted_name, ag_module_add_parameter(net, "a.b", x))
CALL(taken_name, ag_module_add_buffer(net, "0", x))
CALL(null_leaf, ag_module_add_parameter(net, "w", NULL))
CALL(not_a_leaf, ag_module_add_parameter(net, "w", ag_exp(x)))
CALL(recorded_leaf, ag_module_add_parameter(net, "w", ag_leaf(t, AG_F32, NULL, AG_SHAPE(3), AG_RECORDED)))
CALL(integer_parameter, ag_module_add_parameter(net, "w", ag_buffer(t, AG_I64, AG_SHAPE(3))))
CALL(null_child, ag_module_add_child(net, "c", NULL))
CALL(child_twice, ag_module_add_child(ag_nn_sequential(t, NULL, 0), "c", ag_module_child(net, 0)))
CALL(child_of_itself, ag_module_add_child(net, "c", net))
CALL(child_of_its_child, ag_nn_append(ag_nn_append(net, ag_nn_sequential(t, NULL, 0)), net))
CALL(negative_width, ag_nn_linear(t, -1, 3, true))
CALL(huge_width, ag_nn_linear(t, INT64_MAX / 2, 3, true))
CALL(p_is_above_one, ag_nn_dropout(t, 1.25))
CALL(p_is_nan, ag_nn_dropout(t, (double)NAN))
CALL(null_layers, ag_nn_sequential(t, NULL, 2))
CALL(null_function, ag_nn_function(t, "f", NULL))
CALL(null_name, ag_module_find(net, NULL))
CALL(share_null, ag_module_share(t, NULL))

static const bad_call bad_calls[] = {
    {wrong_width, AG_ERR_SHAPE, "linear: (4,5) should have 4 features in its last axis, for 0.weight (3,4)"},
    {scalar_input, AG_ERR_SHAPE, "linear: needs at least 1 axes"},
    {null_input, AG_ERR_ARGUMENT, "the input of the sequential is NULL"},
    {no_forward, AG_ERR_ARGUMENT, "a holder has no forward function"},
    {null_kind, AG_ERR_ARGUMENT, "the kind is NULL"},
    {empty_name, AG_ERR_ARGUMENT, "the name is empty"},
    {dotted_name, AG_ERR_ARGUMENT, "'a.b' has a dot"},
    {taken_name, AG_ERR_ARGUMENT, "the sequential already has a '0'"},
    {null_leaf, AG_ERR_ARGUMENT, "the leaf 'w' is NULL"},
    {not_a_leaf, AG_ERR_ARGUMENT, "'w' is not a persistent leaf"},
    {recorded_leaf, AG_ERR_ARGUMENT, "'w' is not a persistent leaf"},
    {integer_parameter, AG_ERR_DTYPE, "is i64; parameters are f32 or f64"},
    {null_child, AG_ERR_ARGUMENT, "the child 'c' is NULL"},
    {child_twice, AG_ERR_ARGUMENT, "already is '0' of a sequential"},
    {child_of_itself, AG_ERR_ARGUMENT, "'c' would hold itself"},
    {child_of_its_child, AG_ERR_ARGUMENT, "would hold itself"},
    {negative_width, AG_ERR_ARGUMENT, "-1 features in and 3 out"},
    {huge_width, AG_ERR_SHAPE, ""},
    {p_is_above_one, AG_ERR_ARGUMENT, "p is 1.25; it should be in [0, 1]"},
    {p_is_nan, AG_ERR_ARGUMENT, "p is nan"},
    {null_layers, AG_ERR_ARGUMENT, "2 layers, but none given"},
    {null_function, AG_ERR_ARGUMENT, "the function is NULL"},
    {null_name, AG_ERR_ARGUMENT, "the name is NULL"},
    {share_null, AG_ERR_ARGUMENT, "the module is NULL"},
};

Test(module, what_is_refused) {
    for (size_t i = 0; i < sizeof bad_calls / sizeof *bad_calls; i++) {
        ag_tape *t = ag_tape_new();
        ag_module *net = small_net(t, 4);
        ag_tensor *x = random_leaf(t, AG_SHAPE(5, 4));
        cr_assert_not(bad_calls[i].call(t, net, x), "row %zu was not refused", i);
        assert_error(t, bad_calls[i].status, bad_calls[i].message);
        assert_shape(ag_module_forward(net, x), 5, 2);
        ag_tape_free(t);
    }
}

Test(module, two_tapes_and_null) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_module *net = small_net(t, 4);
    cr_assert_null(ag_module_forward(net, random_leaf(other, AG_SHAPE(5, 4))));
    assert_error(t, AG_ERR_ARGUMENT, "on another tape");
    cr_assert_null(ag_module_add_child(net, "c", ag_nn_tanh(other)));
    assert_error(t, AG_ERR_ARGUMENT, "on another tape");
    cr_assert_null(ag_module_add_buffer(net, "b", random_leaf(other, AG_SHAPE(1))));
    assert_error(t, AG_ERR_ARGUMENT, "on another tape");
    cr_assert_null(ag_module_forward(NULL, random_leaf(t, AG_SHAPE(5, 4))));
    cr_assert_null(ag_module_parameters(NULL));
    cr_assert_eq(ag_module_parameter_count(NULL), 0);
    cr_assert_null(ag_module_find(NULL, "w"));
    cr_assert_null(ag_nn_linear(NULL, 2, 3, true));
    cr_assert_null(ag_module_tensor(net, -1));
    cr_assert_null(ag_module_child(net, 9));
    assert_ok(t);
    ag_tape_free(other);
    ag_tape_free(t);
}

Test(module, a_long_path_is_an_error) {
    ag_tape *t = ag_tape_new();
    char name[120];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ag_module *m = ag_nn_linear(t, 2, 2, false);
    for (int i = 0; i < 3 && m; i++) m = ag_module_add_child(ag_nn_sequential(t, NULL, 0), name, m);
    cr_assert_null(m);
    assert_error(t, AG_ERR_ARGUMENT, "longer than 255 bytes");
    ag_tape_free(t);
}
