/* The chain rule in pictures: local derivatives, gradients that flow, verdicts of a check, the backward pass as a graph. */
#include <math.h>

#include "drawing.h"

TestSuite(dot_chain, .init = make_folder, .fini = remove_folder);

/* On the edges */

static ag_tensor *kept(ag_tensor *loss) {
    cr_assert(loss && ag_backward(loss), "%s", ag_last_message());
    return loss;
}

static ag_tape *keeping(void) {
    ag_tape *t = ag_tape_new();
    ag_tape_retain_grads(t, true);
    return t;
}

Test(dot_chain, a_tensor_that_goes_in_twice_gets_two_shares) {
    ag_tape *t = keeping();
    ag_tensor *d = named(t, "d", 3);
    const char *text = bones(drawn(kept(ag_mul(ag_mul(d, d), number(t, 2))), NULL));
    assert_shows(text, "n3 -> n1 ∂ 3 ← 6\nn3 -> n1 ∂ 3 ← 6\n");
    assert_shows(text, "n2 -> n0 ∂ 9 ← 9\n");
    ag_tape_free(t);
}

Test(dot_chain, flows_add_up_to_the_gradient) {
    ag_tape *t = keeping();
    ag_tensor *x = named(t, "x", 0.5);
    const char *text = bones(drawn(kept(ag_add(ag_sin(x), ag_mul(x, x))), NULL));
    assert_shows(text, "x f64 value 0.5 grad 1.878\n");
    assert_shows(text, "n3 -> n1 ∂ 0.8776 ← 0.8776\n");
    assert_shows(text, "n3 -> n2 ∂ 0.5 ← 0.5\nn3 -> n2 ∂ 0.5 ← 0.5\n");
    ag_tape_free(t);
}

/* A run of text in an SVG loses a plain space at its start: "x= sin". */
Test(dot_chain, no_run_of_text_begins_with_a_plain_space) {
    ag_tape *t = keeping();
    const char *text = drawn(ag_set_name(ag_sin(named(t, "x", 0.5)), "y"), NULL);
    assert_shows(text, "<b>y&#160;</b>= sin");
    assert_hides(text, "</b> ");
    assert_hides(text, "</font> ");
    ag_tape_free(t);
}

Test(dot_chain, derivatives_need_no_backward_pass) {
    ag_tape *t = ag_tape_new();
    char *text = drawn(ag_exp(named(t, "x", 0)), NULL);
    assert_shows(text, "∂ local derivative");
    assert_hides(text, "flows back");
    assert_shows(bones(text), "n1 -> n0 ∂ 1\n");
    ag_tape_free(t);
}

Test(dot_chain, of_tensors_the_norm_flows) {
    ag_tape *t = keeping();
    ag_tensor *w = ag_set_name(PARAM(t, 3, 4), "w"), *y = SUM(ag_mul(w, DATA(t, 3, -4)));
    char *text = drawn(kept(y), NULL);
    assert_shows(text, "norm of the gradient that flows back");
    assert_hides(text, "local derivative");
    text = (char *)bones(text);
    assert_shows(text, "n1 -> n0 ↑ 1.41\nn2 -> n1 ↑ 5\nn3 -> n1\n");
    ag_tape_free(t);
}

Test(dot_chain, outputs_of_one_node_flow_together) {
    ag_tape *t = keeping();
    ag_tensor *index, *top = ag_topk(PARAM(t, 3, 1, 4), 2, 0, &index);
    assert_shows(bones(drawn(kept(SUM(ag_mul(top, DATA(t, 3, 4)))), NULL)), "n4 -> n2\nn5 -> n4 ↑ 5\n");
    ag_tape_free(t);
}

/* A value overwritten after its use has no derivative that belongs to the result shown. */
Test(dot_chain, what_is_stale_is_not_labelled) {
    ag_tape *t = keeping();
    ag_tensor *w = named(t, "w", 2), *y = kept(ag_mul(w, w));
    cr_assert(ag_fill(w, 5));
    assert_shows(bones(drawn(y, NULL)), "n1 -> n0\nn1 -> n0\n");
    assert_ok(t);
    ag_tape_free(t);
}

Test(dot_chain, options_leave_labels_out) {
    ag_tape *t = keeping();
    ag_tensor *y = kept(ag_exp(named(t, "x", 0)));
    ag_dot_options o = ag_dot_defaults();
    o.gradients = false;
    assert_shows(bones(drawn(y, &o)), "n1 -> n0 ∂ 1\n");
    o.derivatives = false;
    assert_shows(bones(drawn(y, &o)), "n1 -> n0\n");
    o.size = offsetof(ag_dot_options, derivatives); /* as a program compiled long ago says */
    assert_shows(bones(drawn(y, &o)), "n1 -> n0 ∂ 1\n");
    ag_tape_free(t);
}

Test(dot_chain, drawing_leaves_no_trace_on_the_tape) {
    ag_tape *t = keeping();
    ag_tensor *y = kept(logistic(t));
    int64_t nodes = ag_tape_size(t);
    ag_dot_options o = ag_dot_defaults();
    drawn(y, NULL);
    size_t bytes = ag_tape_bytes(t);
    for (int i = 0; i < 4; i++) {
        o.backward = i % 2;
        drawn(y, &o);
    }
    cr_assert_eq(ag_tape_size(t), nodes);
    cr_assert_eq(ag_tape_bytes(t), bytes);
    assert_ok(t);
    cr_assert(ag_backward(y));
    ag_tape_free(t);
}

/* Verdicts */

Test(dot_chain, verdicts_outline_what_they_speak_of) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = named(t, "w", 1), *b = named(t, "b", 2), *y = ag_add(ag_mul(w, w), b);
    ag_check_report r = {.rows = 4, .checked = 9, .failed = 1};
    r.row[0] = (ag_check_row){.x = w, .verdict = AG_WRONG_SIGN};
    r.row[1] = (ag_check_row){.x = w, .verdict = AG_PASS}; /* the worst stands first */
    r.row[2] = (ag_check_row){.x = w, .node = y, .verdict = AG_KINK};
    r.row[3] = (ag_check_row){.x = b, .verdict = AG_PASS};
    ag_dot_options o = ag_dot_defaults();
    o.report = &r;
    char *text = drawn(y, &o);
    assert_shows(text, "gradient check: 1 of 9 fail");
    assert_shows(text, "color=\"#D55E00\", penwidth=3");
    assert_shows(text, "color=\"#0072B2\", penwidth=3");
    assert_shows(text, "color=\"#009E73\", penwidth=3");
    text = (char *)bones(text);
    assert_shows(text, "w f64 value 1 ✗ wrong sign\n");
    assert_shows(text, "add f64 value 3 ≈ kink\n");
    assert_shows(text, "b f64 value 2 ✓ pass\n");
    ag_tape_free(t);
}

/* The backward pass */

Test(dot_chain, the_backward_pass_is_a_graph) {
    ag_tape *t = ag_tape_new();
    ag_tensor *y = logistic(t);
    ag_dot_options o = ag_dot_defaults();
    o.backward = true;
    const char *text = bones(drawn(y, &o));
    assert_shows(text, "graph backward {\n");
    assert_shows(text, "∂w = mul f64 value -1\n");
    assert_shows(text, "∂b = mul f64 value -0.5\n");
    assert_hides(text, "∂ ");
    cr_assert_not(ag_dot_write(constant(t, "x", 1), in_folder("x.dot"), &o));
    assert_error(t, AG_ERR_STATE, "there is no backward pass to draw");
    remove(in_folder("x.dot"));
    ag_tape_free(t);
}

Test(dot_chain, parameters_stay_in_their_scopes) {
    ag_tape *t = ag_tape_new();
    ag_dot_options o = ag_dot_defaults();
    o.backward = true;
    const char *text = bones(drawn(network(t), &o));
    const char *linear = strstr(text, "graph 0 linear {\n"), *weight = strstr(text, " 0.weight");
    cr_assert(linear && weight && weight > linear && weight < strstr(linear, "}\n"), "%s", text);
    assert_shows(text, "∂0.weight");
    ag_tape_free(t);
}

/* Palettes */

/* Brightness as people see it, 0 to 1 (WCAG 2's relative luminance). */
static double brightness(const char *hex) {
    double sum = 0;
    static const double weight[] = {0.2126, 0.7152, 0.0722};
    for (int i = 0; i < 3; i++) {
        char digits[3] = {hex[1 + 2 * i], hex[2 + 2 * i]};
        double v = (double)strtol(digits, NULL, 16) / 255;
        sum += weight[i] * (v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(const char *a, const char *b) {
    double x = brightness(a), y = brightness(b);
    return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

/* Ink, gradients and small print on the fill of every kind, lines on the ground. */
Test(dot_chain, both_palettes_can_be_read) {
    ag_tape *t = keeping();
    for (int dark = 0; dark < 2; dark++) {
        ag_dot_options o = ag_dot_defaults();
        o.dark = dark;
        char *text = drawn(kept(logistic(t)), &o), ground[8], ink[8];
        memcpy(ground, strstr(text, "bgcolor=\"") + 9, 8);
        ground[7] = '\0';
        for (char *at = text; (at = strstr(at, "fillcolor=\""));) {
            const char *fill = at + 11, *line = strstr(at, " color=\"") + 8;
            cr_assert_gt(contrast(line, ground), 2.7, "%.7s on %s", line, ground);
            at = strstr(at, "];");
            for (const char *c = fill; c < at && (c = strstr(c, "font color='")) && c < at; c += 12) {
                memcpy(ink, c + 12, 8);
                cr_assert_gt(contrast(ink, fill), 4.5, "%.7s on %.7s", ink, fill);
            }
        }
    }
    ag_tape_free(t);
}
