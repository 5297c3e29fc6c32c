/* The graph from outside: nodes, inputs, attributes, names, scopes. */
#include <string.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

Test(graph, is_walked_by_index_and_input) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *x = BATCH(t, 3, 4);
    ag_tensor *p = ag_mul(w, x), *s = SUM(p);
    ag_tensor *const nodes[] = {x, p, s};
    cr_assert_eq(ag_tape_size(t), 3);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(ag_tape_node(t, i), nodes[i]);
        cr_assert_eq(ag_index(nodes[i]), i);
        cr_assert_eq(ag_tape_of(nodes[i]), t);
    }
    cr_assert(ag_index(w) == -1 && ag_is_leaf(w) && ag_is_leaf(x) && !ag_is_leaf(p));
    cr_assert(!ag_op_of(w) && ag_op_of(p) == ag_find_op("mul"));
    cr_assert_str_eq(ag_op_name(w), "leaf");
    cr_assert_str_eq(ag_op_name(p), "mul");
    cr_assert(ag_input_count(w) == 0 && ag_input_count(p) == 2);
    cr_assert(ag_input(p, 0) == w && ag_input(p, 1) == x && !ag_input(p, 2) && !ag_input(p, -1) && !ag_input(w, 0));
    cr_assert(ag_requires_grad(p) && !ag_requires_grad(x));
    cr_assert(!ag_tape_of(NULL) && ag_index(NULL) == -1 && !ag_is_leaf(NULL) && !ag_op_of(NULL) && !ag_input(NULL, 0));
    cr_assert_eq(ag_input_count(NULL), 0);
    ag_tensor *many[40];
    for (int i = 0; i < 40; i++) many[i] = i % 2 ? w : x;
    ag_tensor *c = ag_concat(many, 40, 0);
    cr_assert_eq(ag_input_count(c), 40);
    for (int i = 0; i < 40; i++) cr_assert_eq(ag_input(c, i), many[i]);
    ag_tape_free(t);
}

Test(graph, shows_the_outputs_of_a_tuple_as_nodes) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 3, 1, 2), *index, *top = ag_topk(w, 2, 0, &index), *whole = ag_input(top, 0);
    cr_assert_eq(ag_tape_size(t), 3);
    cr_assert_str_eq(ag_op_name(whole), "topk");
    cr_assert_str_eq(ag_op_name(top), "part");
    cr_assert(ag_part(whole, 0) == top && ag_part(whole, 1) == index && ag_part(top, 0) == top);
    cr_assert(ag_requires_grad(top) && !ag_requires_grad(index));
    cr_assert(ag_dtype_of(top) == AG_F64 && ag_dtype_of(index) == AG_I64);
    cr_assert_null(ag_part(NULL, 0));
    ag_tape_free(t);
}

/* Attributes as text, and back */

static const struct {
    const char *op, *attributes, *text; /* as written, as printed */
} rows[] = {
    {"neg", "", ""},
    {"scale", "factor=0.1", "factor=0.1"},
    {"scale", "factor=1e300", "factor=1e+300"},
    {"scale", "factor=-0", "factor=-0"},
    {"scale", "factor=0.30000000000000004", "factor=0.30000000000000004"},
    {"scale", "factor=inf", "factor=inf"},
    {"scale", "factor=-inf", "factor=-inf"},
    {"scale", "factor=nan", "factor=nan"},
    {"scale", "  factor=2;", "factor=2"},
    {"sum", "", "axes=all keepdim=false"},
    {"sum", "axes=all", "axes=all keepdim=false"},
    {"sum", "keepdim=1 axes=-1", "axes=-1 keepdim=true"},
    {"sum", "axes=(0,1) keepdim=true", "axes=(0,1) keepdim=true"},
    {"sum", "axes=[1, 0]", "axes=(1,0) keepdim=false"},
    {"sum", "axes=()", "axes=() keepdim=false"},
    {"reshape", "shape=6", "shape=6"},
    {"reshape", "shape=3,2", "shape=(3,2)"},
    {"reshape", "shape=(1, 6)", "shape=(1,6)"},
    {"slice", "axis=1", "axis=1 start=0 stop=end step=1"},
    {"slice", "axis=1 start=end stop=-9 step=-1", "axis=1 start=end stop=-9 step=-1"},
    {"cast", "dtype=bool", "dtype=bool"},
};

Test(graph, attributes_are_printed_and_parsed) {
    for (int i = 0; i < COUNT_OF(rows); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = ag_from_f64(t, (double[]){1, 2, 3, 4, 5, 6}, AG_SHAPE(2, 3));
        char text[200], cut[8];
        ag_tensor *y = ag_call(t, rows[i].op, &x, 1, rows[i].attributes);
        cr_assert_not_null(y, "%s %s: %s", rows[i].op, rows[i].attributes, ag_tape_message(t));
        size_t n = ag_attr_text(y, text, sizeof text);
        cr_assert_str_eq(text, rows[i].text);
        cr_assert_eq(n, strlen(text));
        assert_same(ag_call(t, rows[i].op, &x, 1, text), y);
        cr_assert_eq(ag_attr_text(y, cut, sizeof cut), n, "like snprintf");
        cr_assert_eq(strncmp(cut, text, sizeof cut - 1), 0);
        cr_assert_lt(strlen(cut), sizeof cut);
        cr_assert_eq(ag_attr_text(y, NULL, 0), n);
        ag_tape_free(t);
    }
}

Test(graph, attributes_may_be_left_to_their_defaults) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (double[]){1, 2, 3, 4}, AG_SHAPE(2, 2));
    assert_values(ag_apply(ag_find_op("sum"), &x, 1, NULL), 0, 10);
    assert_values(ag_apply(ag_find_op("transpose"), &x, 1, NULL), 0, 1, 3, 2, 4); /* composed */
    cr_assert_null(ag_apply(ag_find_op("scale"), &x, 1, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "scale needs the attribute 'factor'");
    ag_tape_free(t);
}

static const struct {
    const char *op, *attributes, *part;
} wrong[] = {
    {"scale", "", "scale needs the attribute 'factor': a number"},
    {"scale", "factor=x", "scale: factor='x': expected a number"},
    {"scale", "factor=1,5", "expected a number"},
    {"scale", "factor=", "name=value"},
    {"scale", "factor 2", "name=value"},
    {"scale", "=2", "name=value"},
    {"scale", "factor=2 speed=3", "scale has no attribute 'speed'; it has factor"},
    {"neg", "factor=2", "neg has no attribute 'factor'; it has none"},
    {"sum", "axes=0,x", "expected a list of axes"},
    {"sum", "axes=0,1,2,3,4,5,6,7,8", "expected a list of axes"},
    {"sum", "axes=(0", "expected a list of axes"},
    {"sum", "axes=4294967296", "expected a list of axes"}, /* is not axis 0 */
    {"sum", "keepdim=maybe", "expected true or false"},
    {"softmax", "axis=4294967296", "expected an integer"},
    {"softmax", "axis=1.5", "expected an integer"},
    {"reshape", "shape=2;3", "name=value"},
    {"cast", "dtype=f16", "expected f32, f64, i64 or bool"},
    {"nag", "", "unknown op 'nag'; did you mean 'neg'?"},
    {"softmaxx", "", "did you mean 'softmax'?"},
    {"entirely_unknown_operation", "", "unknown op 'entirely_unknown_operation'"},
    {"", "", "unknown op ''"},
    {NULL, "", "unknown op 'NULL'"},
};

Test(graph, wrong_calls_by_name_are_explained) {
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = ag_full(t, AG_F64, AG_SHAPE(2, 3), 1);
        char text[CHECK_TEXT];
        cr_assert_null(ag_call(t, wrong[i].op, &x, 1, wrong[i].attributes), "row %d", i);
        cr_assert(check_error(t, AG_ERR_ARGUMENT, wrong[i].part, text), "row %d: %s", i, text);
        ag_tape_free(t);
    }
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1);
    cr_assert_null(ag_call(NULL, "neg", &x, 1, ""));
    static const int counts[] = {0, 2, 3, -1};
    for (int i = 0; i < COUNT_OF(counts); i++) {
        cr_assert_null(ag_call(t, "neg", (ag_tensor *[]){x, x, x}, counts[i], NULL), "%d inputs", counts[i]);
        assert_error(t, AG_ERR_ARGUMENT, "neg");
        cr_assert_null(ag_apply_on(t, ag_find_op("concat"), &x, -1, &(int){0}));
        ag_tape_clear(t);
    }
    cr_assert_null(ag_call(t, "neg", NULL, 1, ""));
    assert_error(t, AG_ERR_ARGUMENT, "NULL");
    static char endless[3000];
    memset(endless, '7', sizeof endless - 1);
    memcpy(endless, "factor=", 7);
    cr_assert_null(ag_call(t, "scale", &x, 1, endless));
    assert_error(t, AG_ERR_ARGUMENT, "scale");
    memset(endless, 'f', 2000);
    cr_assert_null(ag_call(t, "scale", &x, 1, endless));
    assert_error(t, AG_ERR_ARGUMENT, "scale");
    ag_tape_free(t);
}

/* Names and scopes */

Test(graph, names_are_copies) {
    ag_tape *t = ag_tape_new();
    char text[] = "first";
    ag_tensor *x = DATA(t, 1), *y = ag_neg(x);
    cr_assert_str_eq(ag_name(x), "");
    cr_assert_str_eq(ag_name(NULL), "");
    cr_assert_eq(ag_set_name(x, text), x);
    cr_assert_eq(ag_set_name(y, text), y);
    text[0] = 'F';
    cr_assert_str_eq(ag_name(x), "first");
    ag_set_name(x, ag_name(y));
    ag_set_name(x, ag_name(x));
    cr_assert_str_eq(ag_name(x), "first");
    cr_assert_eq(ag_set_name(x, NULL), x);
    cr_assert_str_eq(ag_name(x), "first");
    ag_set_name(x, "");
    cr_assert_str_eq(ag_name(x), "");
    cr_assert_null(ag_set_name(NULL, "x"));
    ag_tape_free(t);
}

Test(graph, scopes_nest_and_are_found_again) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1), *in[5];
    cr_assert(ag_scope_push(t, "model"));
    in[0] = ag_neg(x);
    cr_assert(ag_scope_push(t, "block"));
    in[1] = ag_neg(x);
    ag_scope_pop(t);
    cr_assert(ag_scope_push(t, "other"));
    cr_assert(ag_scope_push(t, "block"));
    in[2] = ag_neg(x);
    ag_scope_pop(t);
    ag_scope_pop(t);
    cr_assert(ag_scope_push(t, "block"));
    in[3] = ag_neg(x);
    ag_scope_pop(t);
    ag_scope_pop(t);
    in[4] = ag_neg(x);
    static const int scope[] = {1, 2, 4, 2, 0};
    for (int i = 0; i < 5; i++) cr_assert_eq(ag_scope_of(in[i]), scope[i], "node %d", i);
    cr_assert_eq(ag_scope_count(t), 5);
    static const char *const name[] = {"", "model", "block", "other", "block"};
    static const int parent[] = {0, 0, 1, 1, 3};
    for (int s = 0; s < 5; s++) {
        cr_assert_str_eq(ag_scope_name(t, s), name[s]);
        cr_assert_eq(ag_scope_parent(t, s), parent[s]);
    }
    cr_assert_str_eq(ag_scope_name(t, 5), "");
    cr_assert_str_eq(ag_scope_name(t, -1), "");
    cr_assert_str_eq(ag_scope_name(NULL, 1), "");
    cr_assert(ag_scope_parent(t, 99) == 0 && ag_scope_count(NULL) == 0 && ag_scope_of(NULL) == 0);
    ag_scope_pop(t); /* one too many is harmless */
    cr_assert_eq(ag_scope_of(ag_neg(x)), 0);
    ag_tape_free(t);
}

/* Pushes and pops stay paired when an error comes between, or stands from before. */
Test(graph, scopes_stay_balanced_through_errors) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = DATA(t, 1);
    ag_scope_push(t, "outer");
    ag_scope_push(t, "inner");
    cr_assert_null(ag_reshape(x, AG_SHAPE(9)));
    cr_assert(!ag_scope_push(t, "refused"));
    cr_assert(!ag_scope_push(t, "refused below"));
    ag_scope_pop(t);
    ag_scope_pop(t);
    ag_scope_pop(t);
    ag_tape_clear(t);
    cr_assert_str_eq(ag_scope_name(t, ag_scope_of(ag_neg(x))), "outer");
    cr_assert(!ag_scope_push(t, NULL));
    ag_tape_clear(t);
    ag_scope_pop(t);
    cr_assert_str_eq(ag_scope_name(t, ag_scope_of(ag_neg(x))), "outer");
    ag_scope_pop(t);
    cr_assert_eq(ag_scope_of(ag_neg(x)), 0);
    ag_tape_free(t);
}
