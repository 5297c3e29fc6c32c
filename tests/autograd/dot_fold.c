/* Pictures of graphs too large to draw whole: folded scopes, repeated layers, and how long that takes. */
#include <time.h>

#include "drawing.h"

TestSuite(dot_fold, .init = make_folder, .fini = remove_folder);

/* Networks */

enum { WIDTH = 4 };

static ag_tensor *weight(ag_tape *t, const char *name) {
    return ag_set_name(ag_param(t, AG_F32, AG_SHAPE(WIDTH, WIDTH)), name);
}

/* `rest` operations beside two matrix products, in two inner scopes. */
static ag_tensor *block(ag_tape *t, ag_tensor *h, int rest) {
    ag_scope_push(t, "mix");
    ag_tensor *a = ag_matmul(h, weight(t, "a"));
    ag_scope_pop(t);
    ag_scope_push(t, "map");
    ag_tensor *b = ag_matmul(ag_tanh(a), weight(t, "b"));
    for (int i = 0; i < rest; i++) b = ag_tanh(b);
    ag_scope_pop(t);
    return ag_add(h, b);
}

static ag_tensor *tower(ag_tape *t, int blocks, int rest) {
    ag_tensor *h = ag_set_name(ag_buffer(t, AG_F32, AG_SHAPE(3, WIDTH)), "x");
    for (int i = 0; i < blocks; i++) {
        char name[32];
        snprintf(name, sizeof name, "block %d", i);
        ag_scope_push(t, name);
        h = block(t, h, rest);
        ag_scope_pop(t);
    }
    return ag_set_name(ag_mean(ag_dropout(h, 0.1), AG_ALL, false), "loss");
}

static int count_of(const char *text, const char *part) {
    int n = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) n++;
    return n;
}

static ag_dot_options with(int depth, int most) {
    ag_dot_options o = ag_dot_defaults();
    o.depth = depth;
    o.most_nodes = most;
    return o;
}

/* Folding */

Test(dot_fold, depth_says_which_scopes_are_one_node) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = tower(t, 2, 0);
    ag_dot_options o = with(0, 0);
    const char *text = bones(drawn(y, &o));
    cr_assert_eq(count_of(text, "graph block"), 2);
    cr_assert_eq(count_of(text, "graph mix"), 2);
    o = with(2, 0);
    text = bones(drawn(y, &o));
    cr_assert_eq(count_of(text, "graph block"), 2);
    assert_hides(text, "graph mix");
    assert_shows(text, "s0 map 2 operations, 16 parameters (3, 4) f32 → (3, 4) f32\n");
    o = with(9, 0);
    assert_hides(bones(drawn(y, &o)), "operations");
    ag_tape_free(t);
}

Test(dot_fold, repeated_scopes_are_one_node_with_a_count) {
    ag_tape *t = ag_tape_new();
    ag_dot_options o = with(1, 0);
    const char *text = bones(drawn(tower(t, 12, 0), &o));
    assert_shows(text, "s0 block 0 … block 11 × 12 4 operations, 32 parameters each (3, 4) f32 → (3, 4) f32\n");
    cr_assert_eq(count_of(text, "s0 -> "), 1, "%s", text);
    cr_assert_eq(count_of(text, " -> s0"), 1, "%s", text);
    ag_tape_free(t);
}

/* The second of three is another one: nothing is in a row. */
Test(dot_fold, different_structures_are_kept_apart) {
    ag_tape *t = ag_tape_new();
    ag_tensor *h = ag_buffer(t, AG_F32, AG_SHAPE(3, WIDTH));
    for (int i = 0; i < 3; i++) {
        ag_scope_push(t, i == 0 ? "a" : i == 1 ? "b" : "c");
        h = block(t, h, i == 1);
        ag_scope_pop(t);
    }
    ag_dot_options o = with(1, 0);
    const char *text = bones(drawn(h, &o));
    cr_assert_eq(count_of(text, " operations"), 3);
    assert_hides(text, "×");
    assert_shows(text, "b 5 operations");
    ag_tape_free(t);
}

/* 600 nodes: the first block is drawn whole, in a cluster that says how many there are. */
Test(dot_fold, a_large_graph_shows_the_first_of_its_layers) {
    ag_tape *t = ag_tape_new();
    char *text = drawn(tower(t, 100, 0), NULL);
    assert_shows(text, "× n: n scopes of one structure");
    text = (char *)bones(text);
    assert_shows(text, "graph block 0 … block 99 × 100 {\n");
    cr_assert_eq(count_of(text, "matmul"), 2);
    cr_assert_lt(count_of(text, "\n"), 40, "%s", text);
    ag_tape_free(t);
}

/* Every step uses the same weight; one arrow says so. */
Test(dot_fold, what_layers_share_has_one_arrow) {
    ag_tape *t = ag_tape_new();
    ag_tensor *h = ag_buffer(t, AG_F32, AG_SHAPE(3, WIDTH)), *w = weight(t, "w");
    for (int i = 0; i < 90; i++) {
        char name[32];
        snprintf(name, sizeof name, "step %d", i);
        ag_scope_push(t, name);
        h = ag_tanh(ag_matmul(h, w));
        ag_scope_pop(t);
    }
    const char *text = bones(drawn(ag_exp(h), NULL));
    assert_shows(text, "graph step 0 … step 89 × 90 {\n");
    cr_assert_eq(count_of(text, " -> "), 4, "%s", text);
    ag_tape_free(t);
}

/* Blocks of more nodes than may be drawn, each of another structure: only folding helps. */
Test(dot_fold, the_innermost_scopes_are_folded_first) {
    ag_tape *t = ag_tape_new();
    ag_tensor *h = ag_buffer(t, AG_F32, AG_SHAPE(3, WIDTH));
    for (int i = 0; i < 10; i++) {
        char name[32];
        snprintf(name, sizeof name, "block %d", i);
        ag_scope_push(t, name);
        h = block(t, h, i + 1);
        ag_scope_pop(t);
    }
    ag_dot_options o = with(0, 60);
    const char *text = bones(drawn(h, &o));
    cr_assert_eq(count_of(text, "graph block"), 10);
    cr_assert_eq(count_of(text, " operation"), 20);
    o = with(0, 20);
    text = bones(drawn(h, &o));
    cr_assert_eq(count_of(text, "graph"), 0);
    cr_assert_eq(count_of(text, " operation"), 10);
    ag_tape_free(t);
}

/* One scope around everything: a picture of one node would show nothing. */
Test(dot_fold, a_picture_shows_something) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = named(t, "x", 1), *y = x;
    ag_scope_push(t, "all");
    for (int i = 0; i < 200; i++) y = ag_mul(y, x);
    cr_assert_eq(count_of(bones(drawn(y, NULL)), "mul f64"), 200);
    ag_tape_free(t);
}

Test(dot_fold, a_verdict_outlines_the_fold_it_lies_in) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = tower(t, 2, 0), *inner = ag_input(ag_input(y, 0), 0);
    ag_check_report r = {.rows = 1, .checked = 1, .failed = 1};
    r.row[0] = (ag_check_row){.node = inner, .verdict = AG_MISSING_TERM};
    ag_dot_options o = with(1, 0);
    o.report = &r;
    assert_shows(bones(drawn(y, &o)), "f32 ✗ missing term\n");
    ag_tape_free(t);
}

Test(dot_fold, the_order_of_recording_does_not_show) {
    char *first = NULL;
    for (int swapped = 0; swapped < 2; swapped++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = named(t, "x", 2), *a, *b;
        for (int i = 0; i < 2; i++) {
            ag_scope_push(t, i == swapped ? "left" : "right");
            *(i == swapped ? &a : &b) = i == swapped ? ag_exp(ag_exp(x)) : ag_neg(x);
            ag_scope_pop(t);
        }
        ag_dot_options o = with(1, 0);
        char *text = drawn(ag_sub(a, b), &o);
        if (first) cr_assert_str_eq(text, first);
        else first = strdup(text);
        ag_tape_free(t);
    }
    free(first);
}

/* Size */

/* 2,000 layers, a scope and inner ones each: 14,000 nodes, 6,000 scopes, all in one row. */
Test(slow_dot_fold, time_grows_with_the_size, .init = make_folder, .fini = remove_folder) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = tower(t, 2000, 0);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < 3; i++) {
        ag_dot_options o = with(i, i ? 0 : 150);
        drawn(y, &o);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    cr_assert_lt(seconds, 2.0, "%g s", seconds);
    ag_tape_free(t);
}

TestSuite(process_dot_fold, .init = make_folder, .fini = remove_folder);

Test(process_dot_fold, graphviz_accepts_every_option) {
    ag_tape *t = ag_tape_new();
    ag_tape_retain_grads(t, true);
    ag_tensor *y = tower(t, 6, 0);
    cr_assert(ag_backward(y));
    for (int i = 0; i < 24; i++) {
        ag_dot_options o = with(i % 3, i / 3 % 2 ? 12 : 0);
        o.dark = i / 6 % 2;
        o.backward = i / 12;
        drawn(y, &o);
        char command[600];
        snprintf(command, sizeof command, "dot -Tcanon '%s' 2>&1 >/dev/null | grep -iE 'error|warning'",
                 in_folder("graph.dot"));
        cr_assert_neq(system(command), 0, "graph %d is not accepted", i);
    }
    ag_tape_free(t);
}
