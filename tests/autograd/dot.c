/* Pictures of graphs: what stands in them, whatever the names, values and scopes. */
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <time.h>

#include "drawing.h"

static void assert_bones(ag_tensor *y, const char *expected) {
    const char *found = bones(drawn(y, NULL));
    cr_assert_str_eq(found, expected, "found:\n%s\nexpected:\n%s", found, expected);
}

/* Graphs */

/* Two outputs, an integer one among them, a random op, a view and an empty tensor. */
static ag_tensor *assorted(ag_tape *t) {
    ag_tensor *x = ag_set_name(PARAM(t, 3, 1, 4, 1, 5), "x"), *index;
    ag_tensor *top = ag_topk(ag_dropout(x, 0.5), 2, 0, &index);
    ag_tensor *rest = ag_sum(ag_slice(x, 0, 5, AG_END, 1), AG_ALL, false);
    return ag_add(ag_sum(ag_mul(top, ag_take(x, index, 0)), AG_ALL, false), rest);
}

static ag_tensor *with_names(ag_tape *t);

static ag_tensor *(*const graphs[])(ag_tape *t) = {logistic, network, assorted, with_names};

/* Structure */

TestSuite(dot, .init = make_folder, .fini = remove_folder);

Test(dot, a_scalar_graph) {
    ag_tape *t = ag_tape_new();
    ag_tape_retain_grads(t, true);
    ag_tensor *loss = logistic(t);
    cr_assert(ag_backward(loss));
    assert_bones(loss, "n0 loss = log f64 value 0.6931 grad 1\n"
                       "n1 add f64 value 2 grad 0.5\n"
                       "n2 1\n"
                       "n3 exp f64 value 1 grad 0.5\n"
                       "n4 mul f64 value 0 grad 0.5\n"
                       "n5 neg f64 value -1\n"
                       "n6 add f64 value 0 grad -0.5\n"
                       "n7 y f64 value 1\n"
                       "n8 mul f64 value 1 grad -0.5\n"
                       "n9 b f64 value -1 grad -0.5\n"
                       "n10 w f64 value 0.5 grad -1\n"
                       "n11 x f64 value 2\n"
                       "n1 -> n0 ∂ 0.5 ↑ 0.5\nn2 -> n1\nn3 -> n1 ∂ 1 ↑ 0.5\nn4 -> n3 ∂ 1 ↑ 0.5\nn5 -> n4\n"
                       "n6 -> n4 ∂ -1 ↑ -0.5\nn7 -> n5\nn8 -> n6 ∂ 1 ↑ -0.5\nn9 -> n6 ∂ 1 ↑ -0.5\n"
                       "n10 -> n8 ∂ 2 ↑ -1\nn11 -> n8\n}\n");
    ag_tape_free(t);
}

Test(dot, scopes_nest_and_take_in_their_parameters) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_set_name(DATA(t, 1, 2), "x"), *w = ag_set_name(PARAM(t, 3, 4), "w"),
              *b = ag_set_name(PARAM(t, 5, 6), "b");
    ag_scope_push(t, "outer");
    ag_scope_push(t, "inner");
    ag_tensor *h = ag_mul(w, x);
    ag_scope_pop(t);
    h = ag_add(h, b);
    ag_scope_push(t, "other");
    h = ag_add(ag_neg(h), b);
    ag_scope_pop(t);
    ag_scope_pop(t);
    assert_bones(h, "n6 x (2) f64 value 1 2\n"
                    "graph outer {\n"
                    "n2 b (2) f64 value 5 6\n"
                    "n3 add (2) f64 value 8 14\n"
                    "graph other {\n"
                    "n0 add (2) f64 value -3 -8\n"
                    "n1 neg (2) f64 value -8 -14\n"
                    "}\n"
                    "graph inner {\n"
                    "n4 mul (2) f64 value 3 8\n"
                    "n5 w (2) f64 value 3 4\n"
                    "}\n"
                    "}\n"
                    "n1 -> n0\nn2 -> n0\nn3 -> n1\nn4 -> n3\nn2 -> n3\nn5 -> n4\nn6 -> n4\n}\n");
    ag_tape_free(t);
}

Test(dot, the_order_of_recording_does_not_show) {
    char *first = NULL;
    for (int swapped = 0; swapped < 2; swapped++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = named(t, "x", 2), *a, *b;
        for (int i = 0; i < 2; i++) {
            ag_scope_push(t, i == swapped ? "left" : "right");
            *(i == swapped ? &a : &b) = i == swapped ? ag_exp(x) : ag_neg(x);
            ag_scope_pop(t);
        }
        char *text = drawn(ag_sub(a, b), NULL);
        if (first) cr_assert_str_eq(text, first);
        else first = strdup(text);
        ag_tape_free(t);
    }
    free(first);
}

Test(dot, kinds_differ_in_shape_and_colour) {
    ag_tape *t = ag_tape_new();
    char *text = drawn(logistic(t), NULL), *look[5];
    const char *const node[] = {"n10 [", "n11 [", "n2 [", "n1 [", "n0 ["}; /* parameter, input, constant, operation, loss */
    for (int i = 0; i < 5; i++) {
        char *at = strstr(text, node[i]);
        cr_assert(at);
        at += strlen(node[i]);
        look[i] = strndup(at, (size_t)(strstr(at, ", label=") - at));
    }
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < i; j++) {
            cr_assert(strncmp(look[i], look[j], strcspn(look[i], "#")), "one shape: %s and %s", look[i], look[j]);
            cr_assert(strcmp(strchr(look[i], '#'), strchr(look[j], '#')), "one colour: %s and %s", look[i], look[j]);
        }
    }
    for (int i = 0; i < 5; i++) free(look[i]);
    ag_tape_free(t);
}

Test(dot, outputs_of_a_node_are_told_apart) {
    ag_tape *t = ag_tape_new();
    ag_tensor *index, *top = ag_topk(PARAM(t, 3, 1, 4), 2, 0, &index),
                      *both = ag_concat((ag_tensor *[]){top, ag_cast(index, AG_F64)}, 2, 0);
    const char *text = bones(drawn(both, NULL));
    assert_shows(text, "output 0 (2) f64 value 4 3\n");
    assert_shows(text, "output 1 (2) i64 value 2 0\n");
    assert_shows(text, " 2 outputs\n");
    ag_tape_free(t);
}

Test(dot, arrows_that_carry_no_gradient_are_pale) {
    ag_tape *t = ag_tape_new();
    char *text = drawn(ag_mul(named(t, "w", 1), constant(t, "x", 1)), NULL);
    assert_shows(text, "n1 -> n0 [label=");
    assert_shows(text, "n2 -> n0 [color=");
    ag_tape_free(t);
}

/* What a label says */

static const struct {
    const char *name, *text;
} names[] = {
    {"w", "<b>w&#160;</b>"},
    {"a \"b\"", "<b>a &quot;b&quot;&#160;</b>"},
    {"<b>&amp;</b>", "<b>&lt;b&gt;&amp;amp;&lt;/b&gt;&#160;</b>"},
    {"x\ny\tz\r", "<b>x y z &#160;</b>"},
    {" ", "<b> &#160;</b>"},
    {"\\N\\G\\", "<b>\\\\N\\\\G\\\\&#160;</b>"},
    {"a];}", "<b>a];}&#160;</b>"},
    {"\x01\x1f\x7f", "<b>���&#160;</b>"},
    {"\xc2\x85", "<b>�&#160;</b>"}, /* a control character of two bytes */
    {"θ₁ λ", "<b>θ₁ λ&#160;</b>"},
    {"\xf0\x9d\x9b\xbd", "<b>\xf0\x9d\x9b\xbd&#160;</b>"}, /* four bytes */
    {"\xff", "<b>�&#160;</b>"},
    {"\xc3", "<b>�&#160;</b>"}, /* cut short */
    {"\xe2\x82z", "<b>��z&#160;</b>"},
    {"\xc0\xaf", "<b>�&#160;</b>"},         /* overlong */
    {"\xed\xa0\x80", "<b>�&#160;</b>"},     /* a surrogate */
    {"\xf4\x90\x80\x80", "<b>�&#160;</b>"}, /* beyond Unicode */
    {"\xef\xbf\xbf", "<b>�&#160;</b>"},     /* not a character */
    {"0123456789012345678901234567890123456789", "<b>0123456789012345678901234567890123456789&#160;</b>"},
    {"0123456789012345678901234567890123456789+", "<b>0123456789012345678901234567890123456789…&#160;</b>"},
    {"ββββββββββββββββββββββββββββββββββββββββββ", "<b>ββββββββββββββββββββββββββββββββββββββββ…&#160;</b>"},
};

static ag_tensor *with_names(ag_tape *t) {
    ag_tensor *y = number(t, 1);
    for (int i = 0; i < COUNT_OF(names); i++) {
        ag_scope_push(t, names[i].name);
        y = ag_add(y, ag_set_name(ag_neg(number(t, i)), names[i].name));
    }
    return y;
}

Test(dot, names_are_escaped_whatever_they_contain) {
    ag_tape *t = ag_tape_new();
    for (int i = 0; i < COUNT_OF(names); i++) {
        char *text = drawn(ag_set_name(number(t, 1), names[i].name), NULL);
        cr_assert(strstr(text, names[i].text), "name %d, '%s', in:\n%s", i, names[i].text, text);
    }
    ag_tape_free(t);
}

#define VALUE(dtype, shape, ...) ag_leaf(t, dtype, __VA_ARGS__, shape, 0)

Test(dot, values_are_numbers_matrices_or_summaries) {
    ag_tape *t = ag_tape_new();
    ag_dot_options o = ag_dot_defaults();
    uint64_t state = 1;
    double count[24], odd[6] = {1, NAN, INFINITY, 3, -INFINITY, 2}, none[5] = {NAN, NAN, NAN, NAN, NAN};
    for (int i = 0; i < 24; i++) count[i] = i;
    ag_tensor *x[] = {
        number(t, 1234567),
        number(t, -0.0),
        number(t, NAN),
        number(t, -NAN),
        number(t, -INFINITY),
        number(t, 1e-300),
        ag_from_i64(t, (int64_t[]){1234567890123}, AG_SHAPE(1, 1)),
        ag_from_bool(t, (bool[]){true, false, true}, AG_SHAPE(3)),
        ag_from_f64(t, count, AG_SHAPE(2, 4)),
        ag_from_f64(t, count, AG_SHAPE(4, 3)),
        ag_from_f64(t, count, AG_SHAPE(4, 4)),
        ag_from_f64(t, count, AG_SHAPE(5)),
        ag_from_f64(t, count, AG_SHAPE(2, 2, 2)),
        ag_from_f64(t, count, AG_SHAPE(3, 0, 2)),
        ag_transpose(ag_from_f64(t, count, AG_SHAPE(2, 3)), 0, 1),
        ag_transpose(ag_from_f64(t, count, AG_SHAPE(4, 6)), 0, 1),
        ag_from_f64(t, odd, AG_SHAPE(6)),
        ag_from_f64(t, none, AG_SHAPE(5)),
        check_leaf(t, AG_F32, AG_SHAPE(100, 100), 0, 2, 2, &state),
    };
    const char *const shown[] = {
        "f64 value 1.235e+06\n",
        "f64 value 0\n",
        "f64 value NaN\n",
        "f64 value NaN\n",
        "f64 value -∞\n",
        "f64 value 1e-300\n",
        "(1, 1) i64 value 1234567890123\n",
        "(3) bool value 1 0 1\n",
        "(2, 4) f64 value 0 1 2 3 4 5 6 7\n",
        "(4, 3) f64 value 0 1 2 3 4 5 6 7 8 9 10 11\n",
        "(4, 4) f64 value 7.5 [0, 15] ████████\n",
        "(5) f64 value 2 [0, 4]\n",
        "(2, 2, 2) f64 value 3.5 [0, 7]\n",
        "(3, 0, 2) f64 value empty\n",
        "(3, 2) f64 value 0 3 1 4 2 5\n",
        "(6, 4) f64 value 11.5 [0, 23] ████████\n",
        "(6) f64 value 2 [1, 3], 3 not finite\n",
        "(5) f64 value 5 not finite\n",
        "(100, 100) f32 value all 2\n",
    };
    for (int i = 0; i < COUNT_OF(x); i++) {
        const char *text = bones(drawn(x[i], &o));
        cr_assert(strstr(text, shown[i]), "%d: no '%s' in:\n%s", i, shown[i], text);
    }
    ag_tape_free(t);
}

Test(dot, gradients_stand_below_or_beside_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_set_name(PARAM(t, 1, 2), "w"),
              *m = ag_leaf(t, AG_F64, (double[]){1, 2, 3, 4}, AG_SHAPE(2, 2), AG_REQUIRES_GRAD);
    ag_tensor *y = SUM(ag_mul(ag_mul(w, w), m));
    cr_assert(ag_backward(y));
    const char *text = bones(drawn(y, NULL));
    assert_shows(text, "w (2) f64 value 1 2 grad 8 24\n");
    assert_shows(text, "parameter (2, 2) f64 value 1 2 3 4 grad 1 4 1 4\n");
    ag_zero_grad(w);
    assert_shows(bones(drawn(y, NULL)), "w (2) f64 value 1 2\n");
    ag_tape_free(t);
}

Test(dot, attributes_show_when_they_are_unusual) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F64, AG_SHAPE(2, 3, 5));
    assert_shows(bones(drawn(ag_sum(x, AG_ALL, false), NULL)), "n0 sum f64");
    assert_shows(bones(drawn(ag_sum(x, AG_ALL, true), NULL)), "n0 sum keepdim=true (1, 1, 1) f64");
    assert_shows(bones(drawn(ag_sum(x, AG_AXES(0, 2), true), NULL)),
                 "n0 sum (1, 3, 1) f64 axes=(0,2) keepdim=true value all 0\n");
    /* defaults are known in another spelling; numbers are short */
    ag_conv2d_options o = ag_conv2d_defaults();
    o.stride[1] = 2;
    ag_tensor *image = ag_buffer(t, AG_F64, AG_SHAPE(1, 1, 3, 3)), *w = ag_buffer(t, AG_F64, AG_SHAPE(1, 1, 2, 2));
    const char *text = bones(drawn(ag_conv2d(image, w, &o), NULL));
    assert_shows(text, "stride=(1,2)");
    cr_assert_null(strstr(text, "dilation"), "%s", text);
    text = bones(drawn(ag_scale(DATA(t, 1), 1. / 12), NULL));
    assert_shows(text, "factor=0.08333 ");
    ag_tape_free(t);
}

Test(dot, options_leave_things_out) {
    ag_tape *t = ag_tape_new();
    ag_tensor *loss = logistic(t);
    cr_assert(ag_backward(loss));
    ag_dot_options o = ag_dot_defaults();
    o.values = o.constants = false;
    o.title = "a <title> & \"more\"";
    char *text = drawn(loss, &o);
    assert_shows(text, "a &lt;title&gt; &amp; &quot;more&quot;");
    assert_hides(text, "constant");
    text = (char *)bones(text);
    assert_hides(text, "value");
    assert_shows(text, "w f64 grad -1\n");
    o = ag_dot_defaults();
    o.gradients = false;
    assert_hides(bones(drawn(loss, &o)), "grad");
    ag_tape_free(t);
}

Test(dot, numbers_have_a_point_in_every_locale) {
    static const char *const comma[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE", "fr_FR"};
    const char *set = NULL;
    for (int i = 0; i < COUNT_OF(comma) && !set; i++) set = setlocale(LC_NUMERIC, comma[i]);
    if (!set) cr_skip_test("no locale with a decimal comma is installed");
    ag_tape *t = ag_tape_new();
    const char *text = bones(drawn(number(t, 0.25), NULL));
    assert_shows(text, "f64 value 0.25\n");
    ag_tape_free(t);
    setlocale(LC_NUMERIC, "C");
}

/* Depth */

enum { DEEP = 100000, SMALL_STACK = 64 << 10 };

static void *draw_in_thread(void *y) {
    ag_dot_options o = ag_dot_defaults();
    o.most_nodes = 0;
    return ag_dot_write(y, in_folder("deep.dot"), &o) ? y : NULL;
}

Test(slow_dot, a_deep_graph, .init = make_folder, .fini = remove_folder) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = named(t, "x", 1), *y = x;
    for (int i = 0; i < DEEP; i++) {
        if (i % 1000 == 0) ag_scope_push(t, i % 2000 ? "odd" : "even");
        y = i % 2 ? ag_mul(y, x) : ag_neg(y);
    }
    cr_assert(y);
    pthread_attr_t attributes;
    pthread_t thread;
    void *done;
    struct timespec start, end;
    pthread_attr_init(&attributes);
    cr_assert_eq(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    cr_assert_eq(pthread_create(&thread, &attributes, draw_in_thread, y), 0);
    pthread_join(thread, &done);
    clock_gettime(CLOCK_MONOTONIC, &end);
    pthread_attr_destroy(&attributes);
    cr_assert(done, "%s", ag_tape_message(t));
    double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    cr_assert_lt(seconds, 3.0, "%g s for %d nodes", seconds, DEEP);
    const char *text = text_of(in_folder("deep.dot"));
    assert_shows(text, "subgraph cluster_99 {");
    assert_shows(text, "    n100000 -> n99999;\n");
    ag_tape_free(t);
}

/* The program dot */

TestSuite(process_dot, .init = make_folder, .fini = remove_folder);

Test(process_dot, accepts_every_graph) {
    for (int i = 0; i < COUNT_OF(graphs); i++) {
        for (int backward = 0; backward < 2; backward++) {
            ag_tape *t = ag_tape_new();
            ag_tape_retain_grads(t, true);
            ag_tensor *y = graphs[i](t);
            if (backward) cr_assert(ag_backward(y), "%s", ag_tape_message(t));
            drawn(y, NULL);
            char command[600];
            snprintf(command, sizeof command, "dot -Tcanon '%s' 2>&1 >/dev/null | grep -iE 'error|warning'",
                     in_folder("graph.dot"));
            cr_assert_neq(system(command), 0, "graph %d is not accepted", i);
            ag_tape_free(t);
        }
    }
}
