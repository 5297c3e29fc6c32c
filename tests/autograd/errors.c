/* Errors: the first one sticks, says what and where, and can be forgotten. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

Test(errors, the_first_one_sticks) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_set_name(DATA(t, 1, 2), "a"), *b = ag_set_name(DATA(t, 1, 2, 3), "b");
    cr_assert_str_eq(ag_tape_message(t), "");
    ag_tensor *minus = ag_neg(a); /* before: C leaves open which argument of a call comes first */
    cr_assert_null(ag_mul(ag_add(a, b), minus));
    cr_assert_eq(ag_tape_status(t), AG_ERR_SHAPE);
    cr_assert_str_eq(ag_tape_message(t), "add: shapes do not broadcast: a (2) and b (3)");
    cr_assert_str_eq(ag_last_message(), ag_tape_message(t));
    int64_t size = ag_tape_size(t);
    cr_assert_null(ag_neg(a));
    cr_assert_null(ag_reshape(a, AG_SHAPE(5)));
    cr_assert_null(ag_call(t, "nonsense", &a, 1, ""));
    cr_assert_null(ag_param(t, AG_F32, AG_SHAPE(-1)));
    cr_assert(!ag_write(a, (double[]){5, 6}));
    cr_assert(!ag_backward(a));
    cr_assert(!ag_replay(t));
    cr_assert(!ag_tape_rewind(t, (ag_mark){0}), "an error of its own");
    cr_assert_str_eq(ag_tape_message(t), "add: shapes do not broadcast: a (2) and b (3)");
    cr_assert_eq(ag_tape_size(t), size);
    assert_values(a, 0, 1, 2); /* reading goes on */
    ag_tape_clear(t);
    cr_assert_eq(ag_tape_status(t), AG_OK);
    cr_assert_str_eq(ag_tape_message(t), "");
    assert_values(ag_neg(a), 0, -1, -2);
    ag_tape_free(t);
}

Test(errors, every_status_has_a_name) {
    static const char *const name[] = {"ok", "argument", "shape", "dtype", "value", "state", "memory", "io"};
    for (int s = AG_OK; s <= AG_ERR_IO; s++) cr_assert_str_eq(ag_status_name((ag_status)s), name[s]);
    cr_assert_str_eq(ag_status_name((ag_status)(AG_ERR_IO + 1)), "unknown");
    cr_assert_str_eq(ag_status_name((ag_status)-1), "unknown");
}

/* Which status, which words: one row a mistake */

static ag_tensor *null_input(ag_tape *t) { return ag_add(DATA(t, 1), NULL); }
static ag_tensor *null_first(ag_tape *t) { return ag_add(NULL, DATA(t, 1)); }
static ag_tensor *wrong_dtype(ag_tape *t) { return ag_add(DATA(t, 1), ag_from_f32(t, (float[]){1}, AG_SHAPE(1))); }
static ag_tensor *not_a_number(ag_tape *t) { return ag_neg(ag_from_bool(t, (bool[]){true}, AG_SHAPE(1))); }
static ag_tensor *bad_axis(ag_tape *t) { return ag_sum(DATA(t, 1), AG_AXES(1), false); }
static ag_tensor *axis_of_a_scalar(ag_tape *t) { return ag_slice(ag_scalar(t, AG_F64, 1), 0, 0, 1, 1); }
static ag_tensor *twice(ag_tape *t) { return ag_sum(ag_full(t, AG_F64, AG_SHAPE(2, 2), 1), AG_AXES(0, -2), false); }
static ag_tensor *nine_axes(ag_tape *t) { return ag_sum(DATA(t, 1), AG_AXES(0, 1, 2, 3, 4, 5, 6, 7, 8), false); }
static ag_tensor *no_dtype(ag_tape *t) { return ag_param(t, (ag_dtype)4, AG_SHAPE(1)); }
static ag_tensor *bad_value(ag_tape *t) {
    return ag_take(DATA(t, 1, 2), ag_from_i64(t, (int64_t[]){2}, AG_SHAPE(1)), 0);
}
static ag_tensor *write_a_result(ag_tape *t) { return ag_assign(ag_neg(DATA(t, 1)), DATA(t, 1)); }
static ag_tensor *no_part(ag_tape *t) { return ag_part(ag_neg(DATA(t, 1)), 1); }
static ag_tensor *whole_tuple(ag_tape *t) {
    ag_tensor *index;
    return ag_topk(DATA(t, 1), 1, 0, &index) ? ag_neg(ag_input(index, 0)) : NULL;
}
static ag_tensor *data_of_a_tuple(ag_tape *t) {
    ag_tensor *index;
    return ag_topk(DATA(t, 1), 1, 0, &index) && ag_data(ag_input(index, 0)) ? index : NULL;
}
static ag_tensor *typed_read(ag_tape *t) {
    return ag_f32(ag_set_name(DATA(t, 1), "x")) ? ag_scalar(t, AG_F32, 1) : NULL;
}
static ag_tensor *strided_read(ag_tape *t) {
    return ag_f64(ag_full(t, AG_F64, AG_SHAPE(2), 1)) ? ag_scalar(t, AG_F32, 1) : NULL;
}
static ag_tensor *item_of_two(ag_tape *t) { return ag_item(DATA(t, 1, 2)) > 0 ? ag_scalar(t, AG_F32, 1) : NULL; }
static ag_tensor *at_the_end(ag_tape *t) { return ag_at(DATA(t, 1, 2), 2) > 0 ? ag_scalar(t, AG_F32, 1) : NULL; }
static ag_tensor *read_to_null(ag_tape *t) { return ag_read(DATA(t, 1), NULL) ? ag_scalar(t, AG_F32, 1) : NULL; }
static ag_tensor *write_from_null(ag_tape *t) { return ag_write(DATA(t, 1), NULL) ? ag_scalar(t, AG_F32, 1) : NULL; }
static ag_tensor *scope_of_null(ag_tape *t) { return ag_scope_push(t, NULL) ? ag_scalar(t, AG_F32, 1) : NULL; }

static const struct {
    ag_tensor *(*make)(ag_tape *t);
    ag_status status;
    const char *part;
} mistakes[] = {
    {null_input, AG_ERR_ARGUMENT, "add: input 1, b, is NULL"},
    {null_first, AG_ERR_ARGUMENT, "add: input 0, a, is NULL"},
    {wrong_dtype, AG_ERR_DTYPE, "add: dtypes differ: a leaf (1) is f64, a leaf (1) is f32; ag_cast converts"},
    {not_a_number, AG_ERR_DTYPE, "neg: needs f32, f64 or i64, but a leaf (1) is bool"},
    {bad_axis, AG_ERR_ARGUMENT, "sum: axis 1 is out of range for 1 axes: -1 to 0"},
    {axis_of_a_scalar, AG_ERR_ARGUMENT, "slice: axis 0: a scalar has no axes"},
    {twice, AG_ERR_ARGUMENT, "sum: axis 0 is named twice"},
    {nine_axes, AG_ERR_ARGUMENT, "sum: 9 axes were given; there are at most 8"},
    {no_dtype, AG_ERR_DTYPE, "leaf: no dtype has the number 4"},
    {bad_value, AG_ERR_VALUE, "take: "},
    {write_a_result, AG_ERR_ARGUMENT, "assign: can only write to a persistent leaf, not to neg (1)"},
    {no_part, AG_ERR_ARGUMENT, "part: neg has no output 1"},
    {whole_tuple, AG_ERR_ARGUMENT, "neg: input 0 is the whole of topk, which has 2 outputs; take one with ag_part"},
    {data_of_a_tuple, AG_ERR_ARGUMENT, "data: topk has several outputs"},
    {typed_read, AG_ERR_DTYPE, "x (1) is f64, read as f32"},
    {strided_read, AG_ERR_ARGUMENT, "a leaf (2) is a strided view: read it with ag_read"},
    {item_of_two, AG_ERR_SHAPE, "item: a leaf (2) has 2 elements, not one"},
    {at_the_end, AG_ERR_ARGUMENT, "at: element 2 of 2"},
    {read_to_null, AG_ERR_ARGUMENT, "read: out is NULL"},
    {write_from_null, AG_ERR_ARGUMENT, "write: data is NULL"},
    {scope_of_null, AG_ERR_ARGUMENT, "scope: the name is NULL"},
};

Test(errors, say_what_and_where) {
    for (int i = 0; i < COUNT_OF(mistakes); i++) {
        ag_tape *t = ag_tape_new();
        char text[CHECK_TEXT];
        cr_assert_null(mistakes[i].make(t), "row %d: %s", i, mistakes[i].part);
        cr_assert(check_error(t, mistakes[i].status, mistakes[i].part, text), "row %d: %s", i, text);
        ag_tape_clear(t);
        assert_values(ag_neg(DATA(t, 1)), 0, -1);
        ag_tape_free(t);
    }
}

Test(errors, tensors_of_two_tapes_are_named) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *a = DATA(t, 1), *b = ag_set_name(DATA(other, 1), "b");
    cr_assert_null(ag_add(a, b));
    cr_assert_eq(ag_tape_status(other), AG_OK);
    assert_error(t, AG_ERR_ARGUMENT, "add: input 1, b (1), is on another tape; ag_share lends a leaf to this one");
    ag_tape_free(t);
    ag_tape_free(other);
}

/* Threads and tapes */

static void *fail_elsewhere(void *out) {
    strcpy(out, *ag_last_message() ? "this thread begins with a message" : "");
    ag_tape *t = ag_tape_new();
    ag_param(t, AG_F32, AG_SHAPE(-5));
    ag_tape_free(t);
    if (!strstr(ag_last_message(), "-5")) strcpy(out, ag_last_message());
    return NULL;
}

Test(errors, the_last_message_belongs_to_the_thread) {
    cr_assert_null(ag_neg(NULL));
    cr_assert_str_eq(ag_last_message(), "neg: all inputs are NULL");
    pthread_t thread;
    char wrong[512];
    cr_assert_eq(pthread_create(&thread, NULL, fail_elsewhere, wrong), 0);
    pthread_join(thread, NULL);
    cr_assert_str_eq(wrong, "");
    cr_assert_str_eq(ag_last_message(), "neg: all inputs are NULL");
}

Test(errors, the_last_message_is_the_cause_and_no_echo) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1, 2), *w = DATA(t, 1, 2, 3);
    ag_tensor *loss = ag_mean(ag_relu(ag_add(x, w)), AG_ALL, false);
    cr_assert(!loss && !ag_backward(loss));
    cr_assert_str_eq(ag_last_message(), ag_tape_message(t));
    cr_assert_not_null(strstr(ag_last_message(), "add: shapes do not broadcast"), "%s", ag_last_message());
    cr_assert_not(ag_op_register(&(ag_op){.name = "no name"})); /* no echo: about something else */
    cr_assert_not_null(strstr(ag_last_message(), "op_register"), "%s", ag_last_message());
    ag_tape_clear(t);
    cr_assert_null(ag_neg(NULL));
    cr_assert_str_eq(ag_last_message(), "neg: all inputs are NULL");
    ag_reshape(x, AG_SHAPE(3));
    ag_tape_free(t);
    cr_assert_null(ag_neg(NULL));
    cr_assert_str_eq(ag_last_message(), "neg: all inputs are NULL");
}

Test(errors, tapes_fail_alone) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_param(t, AG_F32, AG_SHAPE(-1));
    ag_param(other, (ag_dtype)9, AG_SHAPE(1));
    cr_assert_eq(ag_tape_status(t), AG_ERR_SHAPE);
    cr_assert_eq(ag_tape_status(other), AG_ERR_DTYPE);
    cr_assert_not_null(strstr(ag_last_message(), "no dtype"));
    ag_tape_clear(other);
    cr_assert_eq(ag_tape_status(t), AG_ERR_SHAPE);
    ag_tape_free(t);
    ag_tape_free(other);
}

/* Scopes and long names */

Test(errors, say_the_scope) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1, 2);
    ag_scope_push(t, "model");
    ag_scope_push(t, "block 1");
    cr_assert_null(ag_reshape(x, AG_SHAPE(3)));
    cr_assert_not_null(strstr(ag_tape_message(t), " [in model/block 1]"), "%s", ag_tape_message(t));
    ag_tape_clear(t);
    for (int i = 0; i < 30; i++) ag_scope_push(t, "deeper");
    cr_assert_null(ag_neg(NULL));
    cr_assert_null(ag_reshape(x, AG_SHAPE(3)));
    cr_assert_lt(strlen(ag_tape_message(t)), 512u);
    ag_tape_free(t);
}

Test(errors, long_names_are_cut) {
    static char name[5000];
    memset(name, 'n', sizeof name - 1);
    for (size_t n = 0; n < sizeof name; n = n < 700 ? n + 1 : n + 2149) {
        ag_tape *t = ag_tape_new();
        name[n] = '\0';
        ag_tensor *x = ag_set_name(DATA(t, 1, 2), name);
        cr_assert_str_eq(ag_name(x), name, "names themselves are whole");
        cr_assert_null(ag_add(x, DATA(t, 1, 2, 3)));
        const char *message = ag_tape_message(t);
        cr_assert_lt(strlen(message), 512u);
        cr_assert_eq(strncmp(message, "add: shapes do not broadcast: ", 30), 0);
        ag_tape_clear(t);
        ag_scope_push(t, name);
        cr_assert_null(ag_call(t, name, &x, 1, name));
        cr_assert_lt(strlen(ag_tape_message(t)), 512u);
        ag_tape_clear(t);
        ag_retain_grad(x);
        cr_assert_lt(strlen(ag_tape_message(t)), 512u);
        ag_tape_free(t);
        name[n] = 'n';
    }
}
