/* Use after rewind on a poisoning tape: every public function that is given a dropped tensor says so, and nothing crashes.
 * AG_DEBUG=4 makes any build poison; its lines go nowhere. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

static void say_nothing(void *context, const char *line) {
    (void)context;
    (void)line;
}

static ag_tape *poisoning_tape(void) {
    ag_set_log(say_nothing, NULL);
    setenv("AG_DEBUG", "4", 1);
    ag_tape *t = ag_tape_new();
    unsetenv("AG_DEBUG");
    return t;
}

static void finish(ag_tape *t) {
    ag_tape_free(t);
    ag_set_log(NULL, NULL);
}

/* A dropped node x, and a living leaf w of the same shape on the same tape. */
typedef struct dropped {
    ag_tape *t;
    ag_tensor *x, *w;
} dropped;

static dropped drop(void) {
    dropped d = {.t = poisoning_tape()};
    d.w = PARAM(d.t, 1, 2, 3);
    ag_mark m = ag_tape_mark(d.t);
    d.x = ag_set_name(ag_mul(d.w, d.w), "product");
    cr_assert(ag_tape_rewind(d.t, m));
    return d;
}

/* What each function answers */

#define ANSWER(name, expression) \
    static bool name(dropped d) { return expression; }
ANSWER(of_data, !ag_data(d.x))
ANSWER(of_f32, !ag_f32(d.x))
ANSWER(of_f64, !ag_f64(d.x))
ANSWER(of_i64, !ag_i64(d.x))
ANSWER(of_bool, !ag_bool(d.x))
ANSWER(of_item, isnan(ag_item(d.x)))
ANSWER(of_at, isnan(ag_at(d.x, 0)))
ANSWER(of_read, !ag_read(d.x, (double[3]){0}))
ANSWER(of_write, !ag_write(d.x, (double[3]){0}))
ANSWER(of_mutable, !ag_mutable(d.x))
ANSWER(of_fill, !ag_fill(d.x, 1))
ANSWER(of_add, !ag_add(d.x, d.w))
ANSWER(of_add_second, !ag_add(d.w, d.x))
ANSWER(of_concat, !ag_concat((ag_tensor *[]){d.w, d.w, d.w, d.x}, 4, 0))
ANSWER(of_transpose, !ag_transpose(d.x, 0, 0))
ANSWER(of_call, !ag_call(d.t, "add", (ag_tensor *[]){d.x, d.w}, 2, ""))
ANSWER(of_assign, !ag_assign(d.w, d.x))
ANSWER(of_backward, !ag_backward(d.x))
ANSWER(of_backward_from, !ag_backward_from((ag_tensor *[]){SUM(d.w), d.x}, NULL, 2))
ANSWER(of_seed, !ag_backward_from((ag_tensor *[]){ag_neg(d.w)}, (ag_tensor *[]){d.x}, 1))
ANSWER(of_grad, !ag_grad(d.x))
ANSWER(of_zero_grad, !ag_zero_grad(d.x))
ANSWER(of_retain_grad, !ag_retain_grad(d.x))
ANSWER(of_set_requires_grad, !ag_set_requires_grad(d.x, true))
ANSWER(of_clone_second, !ag_clone(ag_tape_of(d.w), (ag_tensor *[]){NULL}, 1, AG_DTYPE_COUNT, 0, (ag_tensor *[1]){0}))
ANSWER(of_dot, !ag_dot_write(d.x, "/dev/null", NULL))
ANSWER(of_share, !ag_share(d.t, d.x))
ANSWER(of_optimizer, !ag_optim_sgd(d.t, &d.x, 1, NULL))
ANSWER(of_module, !ag_module_add_parameter(ag_module_new(d.t, "m", NULL, NULL, 0), "p", d.x))
ANSWER(of_forward, !ag_module_forward(ag_nn_tanh(d.t), d.x))

static bool of_gradients(dropped d) {
    ag_tensor *out = NULL, *y = SUM(d.w);
    return !ag_gradients(&d.x, NULL, 1, &d.w, 1, &out) && !ag_gradients(&y, NULL, 1, &d.x, 1, &out);
}
static bool of_jvp(dropped d) {
    ag_tensor *out = NULL, *y = ag_neg(d.w);
    bool none = !ag_jvp(&d.x, 1, &d.w, &d.w, 1, &out) && !ag_jvp(&y, 1, &d.x, &d.w, 1, &out);
    ag_tape_clear(d.t);
    return none && !ag_jvp(&y, 1, &d.w, &d.x, 1, &out);
}
static bool of_clone(dropped d) {
    ag_tape *other = ag_tape_new();
    ag_tensor *out = NULL;
    bool none = !ag_clone(other, &d.x, 1, AG_F32, 0, &out) && ag_tape_status(other) == AG_ERR_STATE;
    ag_tape_free(other);
    return none;
}

static const struct {
    const char *name;
    bool (*fails)(dropped d);
    bool says; /* the thread's last message names the cause */
} calls[] = {
    {"data", of_data, true},
    {"f32", of_f32, true},
    {"f64", of_f64, true},
    {"i64", of_i64, true},
    {"bool", of_bool, true},
    {"item", of_item, true},
    {"at", of_at, true},
    {"read", of_read, true},
    {"write", of_write, true},
    {"mutable", of_mutable, true},
    {"fill", of_fill, true},
    {"add", of_add, true},
    {"add, second", of_add_second, true},
    {"concat", of_concat, true},
    {"transpose", of_transpose, true},
    {"call", of_call, true},
    {"assign", of_assign, true},
    {"backward", of_backward, true},
    {"backward_from", of_backward_from, false},
    {"seed", of_seed, false},
    {"grad", of_grad, true},
    {"zero_grad", of_zero_grad, true},
    {"retain_grad", of_retain_grad, true},
    {"set_requires_grad", of_set_requires_grad, true},
    {"gradients", of_gradients, false},
    {"jvp", of_jvp, false},
    {"clone", of_clone, true},
    {"clone of NULL", of_clone_second, false},
    {"dot", of_dot, true},
    {"share", of_share, false},
    {"optimizer", of_optimizer, false},
    {"module", of_module, false},
    {"forward", of_forward, false},
};

Test(lifetime, a_dropped_tensor_is_refused_everywhere) {
    for (int i = 0; i < COUNT_OF(calls); i++) {
        dropped d = drop();
        cr_assert(calls[i].fails(d), "%s took a dropped tensor", calls[i].name);
        const char *said = ag_last_message();
        cr_assert(!calls[i].says || strstr(said, "after the rewind"), "%s says: %s", calls[i].name, said);
        ag_tape_clear(d.t);
        cr_assert(ag_backward(SUM(d.w)), "the tape works after %s: %s", calls[i].name, ag_tape_message(d.t));
        assert_values(ag_grad(d.w), 0, 1, 1, 1);
        finish(d.t);
    }
}

/* Accessors have no error to return: what they say of a dropped tensor is what they say of none. */
Test(lifetime, accessors_of_a_dropped_tensor_say_nothing) {
    dropped d = drop();
    char text[64];
    cr_assert_eq(ag_rank(d.x), -1);
    cr_assert_eq(ag_shape_of(d.x).rank, -1);
    cr_assert_eq(ag_dim(d.x, 0), -1);
    cr_assert_eq(ag_dim(d.x, -1), -1);
    cr_assert_eq(ag_stride(d.x, 0), 0);
    cr_assert_eq(ag_size(d.x), 0);
    cr_assert_str_eq(ag_name(d.x), "");
    cr_assert_eq(ag_set_name(d.x, "again"), d.x);
    cr_assert_eq(ag_index(d.x), -1);
    cr_assert(!ag_is_leaf(d.x));
    cr_assert_null(ag_op_of(d.x));
    cr_assert_not_null(ag_op_name(d.x));
    cr_assert_eq(ag_input_count(d.x), 0);
    cr_assert_null(ag_input(d.x, 0));
    cr_assert_null(ag_part(d.x, 0));
    cr_assert_eq(ag_scope_of(d.x), 0);
    cr_assert_eq(ag_attr_text(d.x, text, sizeof text), 0);
    cr_assert_not_null(ag_shape_text(d.x, text, sizeof text));
    cr_assert(!ag_has_grad(d.x));
    cr_assert(!ag_requires_grad(d.x));
    ag_touch(d.x);
    ag_is_contiguous(d.x);
    finish(d.t);
}

/* ag_tape_of leads to no tape that could be harmed. */
Test(lifetime, the_tape_of_a_dropped_tensor_is_in_error) {
    dropped d = drop();
    ag_tape *nowhere = ag_tape_of(d.x);
    cr_assert_neq(nowhere, d.t);
    ag_tape_clear(nowhere);
    cr_assert_eq(ag_tape_status(nowhere), AG_ERR_STATE);
    cr_assert_null(ag_param(nowhere, AG_F32, AG_SHAPE(2)));
    cr_assert_null(ag_scalar(nowhere, AG_F32, 1));
    cr_assert_null(ag_nn_tanh(nowhere));
    cr_assert_eq(ag_tape_mark(nowhere).serial, 0);
    cr_assert(!ag_tape_rewind(nowhere, (ag_mark){1}));
    cr_assert(!ag_replay(nowhere));
    cr_assert_null(ag_tape_node(nowhere, 0));
    ag_tape_trim(nowhere);
    ag_tape_free(nowhere);
    ag_seed(nowhere, 3);
    cr_assert_eq(ag_tape_status(nowhere), AG_ERR_STATE);
    finish(d.t);
}

/* Memory */

Test(lifetime, dropped_buffers_read_as_nan) {
    ag_tape *t = poisoning_tape();
    ag_tensor *x = DATA(t, 1, 2, 3, 4);
    ag_mark m = ag_tape_mark(t);
    const double *y = ag_f64(ag_neg(x));
    const float *z = ag_f32(ag_cast(x, AG_F32));
    const int64_t *i = ag_i64(ag_cast(x, AG_I64));
    assert_close(y[3], -4, 0);
    cr_assert(ag_tape_rewind(t, m));
    for (int k = 0; k < 4; k++) cr_assert(isnan(y[k]) && isnan(z[k]) && i[k] == -1, "element %d", k);
    finish(t);
}

Test(lifetime, handles_of_retained_gradients_are_dropped_too) {
    ag_tape *t = poisoning_tape();
    ag_tensor *w = PARAM(t, 1, 2, 3);
    ag_mark m = ag_tape_mark(t);
    ag_tensor *y = ag_square(w);
    cr_assert(ag_retain_grad(y));
    cr_assert(ag_backward(SUM(y)));
    ag_tensor *g = ag_grad(y);
    assert_values(g, 0, 1, 1, 1);
    cr_assert(ag_tape_rewind(t, m));
    cr_assert_null(ag_data(g));
    cr_assert_null(ag_neg(g));
    ag_tape_clear(t);
    cr_assert(isnan(ag_at(g, 0)));
    finish(t);
}

/* Nodes may be many, also more than the quarantine holds; leaves and parts are poisoned like results. */
Test(lifetime, every_kind_of_node_is_poisoned) {
    ag_tape *t = poisoning_tape();
    ag_tensor *w = PARAM(t, 3, 1, 2), *index = NULL;
    ag_mark m = ag_tape_mark(t);
    for (int round = 0; round < 3; round++) {
        ag_tensor *kept[] = {ag_topk(w, 2, 0, &index), index, BATCH(t, 1, 2), ag_scalar(t, AG_F32, 1),
                             ag_reshape(w, AG_SHAPE(3, 1))};
        for (int i = 0; i < 2000; i++) ag_neg(w);
        cr_assert(ag_tape_rewind(t, m));
        for (int i = 0; i < COUNT_OF(kept); i++) {
            cr_assert_null(ag_data(kept[i]), "kind %d", i);
            cr_assert_null(ag_alias(kept[i]));
        }
        ag_tape_clear(t);
    }
    finish(t);
}
