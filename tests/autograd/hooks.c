/* ag_hook_grad: what a hook sees, what it may return, and when. */
#include <string.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

typedef struct seen {
    int calls, order;
    double value[4];
    ag_tensor *x;
} seen;

static int order;

static void look(seen *s, ag_tensor *x, ag_tensor *g) {
    s->calls++;
    s->order = ++order;
    s->x = x;
    for (int64_t i = 0; i < ag_size(g) && i < 4; i++) s->value[i] = ag_at(g, i);
}

static ag_tensor *watch(void *context, ag_tensor *x, ag_tensor *g) {
    look(context, x, g);
    return g;
}

static ag_tensor *halve(void *context, ag_tensor *x, ag_tensor *g) {
    look(context, x, g);
    return ag_scale(g, 0.5);
}

Test(hooks, a_leaf_shows_the_sum_of_the_pass) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2);
    seen s = {0};
    cr_assert(ag_hook_grad(w, watch, &s));
    ag_tensor *loss = ag_add(SUM(ag_square(w)), SUM(w));
    cr_assert(ag_backward(loss) && ag_backward(loss));
    cr_assert_eq(s.calls, 2, "once a pass, however many ways lead there");
    cr_assert(s.value[0] == 3 && s.value[1] == 5, "the gradient of one pass, not what has added up");
    cr_assert_eq(s.x, w);
    assert_values(ag_grad(w), 0, 6, 10);
    ag_tape_free(t);
}

Test(hooks, an_inner_gradient_is_complete_and_its_replacement_flows_on) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *h = ag_scale(w, 3);
    seen s = {0};
    cr_assert(ag_hook_grad(h, halve, &s));
    cr_assert(ag_backward(ag_add(SUM(ag_square(h)), SUM(h))));
    cr_assert_eq(s.calls, 1);
    cr_assert(s.value[0] == 7 && s.value[1] == 13, "both contributions have arrived");
    assert_values(ag_grad(w), 0, 10.5, 19.5);
    ag_tape_free(t);
}

Test(hooks, a_kept_gradient_is_what_the_hook_returned) {
    for (int all = 0; all < 2; all++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *w = PARAM(t, 1, 2), *h = ag_scale(w, 3);
        seen s = {0};
        ag_tape_retain_grads(t, all);
        if (!all) ag_retain_grad(h);
        cr_assert(ag_hook_grad(h, halve, &s) && ag_backward(SUM(h)));
        assert_values(ag_grad(h), 0, 0.5, 0.5);
        ag_tape_free(t);
    }
}

Test(hooks, may_replace_a_leafs_gradient) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *b = BATCH(t, 3, 4);
    seen s = {0}, r = {0};
    cr_assert(ag_set_requires_grad(b, true));
    cr_assert(ag_hook_grad(w, halve, &s) && ag_hook_grad(b, halve, &r));
    ag_tensor *loss = SUM(ag_mul(w, b));
    cr_assert(ag_backward(loss) && ag_backward(loss));
    assert_values(ag_grad(w), 0, 3, 4);
    assert_values(ag_grad(b), 0, 1, 2);
    ag_tape_free(t);
}

/* A gradient that the hook's own tensor shares with the next pass must not be added to in place. */
static ag_tensor *constant(void *context, ag_tensor *x, ag_tensor *g) {
    (void)x, (void)g;
    return context;
}

Test(hooks, may_return_a_tensor_of_the_users) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *c = DATA(t, 10, 20), *h = ag_scale(w, 3);
    cr_assert(ag_hook_grad(h, constant, c) && ag_hook_grad(w, constant, c));
    ag_tensor *loss = SUM(ag_square(h));
    cr_assert(ag_backward(loss) && ag_backward(loss));
    assert_values(ag_grad(w), 0, 20, 40);
    assert_values(c, 0, 10, 20);
    ag_tape_free(t);
}

Test(hooks, parts_and_the_loss_have_hooks_too) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 3, 1, 2), *best = ag_topk(w, 2, 0, NULL), *loss = SUM(best);
    seen s = {0}, l = {0};
    cr_assert(ag_hook_grad(best, halve, &s) && ag_hook_grad(loss, halve, &l));
    cr_assert(ag_backward(loss));
    cr_assert(l.value[0] == 1 && l.order < s.order);
    assert_values(ag_grad(w), 0, 0.25, 0, 0.25);
    ag_tape_free(t);
}

static ag_tensor *wrong_shape(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x;
    return SUM(g);
}
static ag_tensor *wrong_dtype(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x;
    return ag_cast(g, AG_F32);
}
static ag_tensor *nothing(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x, (void)g;
    return NULL;
}
static ag_tensor *failing(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x;
    return ag_permute(g, AG_AXES(1, 0));
}
static ag_tensor *failing_quietly(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x;
    ag_reshape(g, AG_SHAPE(7));
    return g;
}
static ag_tensor *whole_tuple(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x;
    return ag_input(ag_topk(g, 2, 0, NULL), 0);
}
static ag_tensor *another_tape(void *context, ag_tensor *x, ag_tensor *g) {
    (void)x, (void)g;
    return context;
}
static ag_tensor *rewinding(void *context, ag_tensor *x, ag_tensor *g) {
    ag_mark *here = context;
    return ag_tape_rewind(ag_tape_of(x), *here) ? g : NULL;
}
static ag_tensor *nested(void *context, ag_tensor *x, ag_tensor *g) {
    (void)x;
    return ag_backward(context) ? g : NULL;
}

static const struct {
    ag_grad_hook *hook;
    ag_status status;
    const char *message;
} mistakes[] = {
    {wrong_shape, AG_ERR_SHAPE, "f64, returned sum (), f64; shape and dtype must stay"},
    {wrong_dtype, AG_ERR_SHAPE, "f64, returned cast (2), f32; shape and dtype must stay"},
    {nothing, AG_ERR_STATE, "hook: the hook of "},
    {failing, AG_ERR_ARGUMENT, "permute: "},
    {failing_quietly, AG_ERR_SHAPE, "reshape: "},
    {whole_tuple, AG_ERR_SHAPE, "shape and dtype must stay"},
    {another_tape, AG_ERR_ARGUMENT, "returned a tensor of another tape"},
    {rewinding, AG_ERR_STATE, "rewind: called inside a gradient rule or hook"},
    {nested, AG_ERR_STATE, "backward: called inside a gradient rule"},
};

Test(hooks, a_mistake_is_an_error_and_changes_no_gradient) {
    for (int i = 0; i < COUNT_OF(mistakes); i++) {
        for (int leaf = 0; leaf < 2; leaf++) {
            ag_tape *t = ag_tape_new(), *other = ag_tape_new();
            ag_mark here = ag_tape_mark(t);
            ag_tensor *w = ag_set_name(PARAM(t, 1, 2), "w"), *v = PARAM(t, 5, 6), *h = ag_set_name(ag_scale(w, 3), "h");
            ag_tensor *loss = ag_add(SUM(ag_square(h)), SUM(v));
            cr_assert(ag_backward(loss));
            void *context = mistakes[i].hook == rewinding ? (void *)&here
                            : mistakes[i].hook == nested  ? (void *)loss
                                                          : (void *)PARAM(other, 1, 2);
            cr_assert(ag_hook_grad(leaf ? w : h, mistakes[i].hook, context));
            cr_assert_not(ag_backward(loss), "mistake %d", i);
            assert_error(t, mistakes[i].status, mistakes[i].message);
            assert_values(ag_grad(w), 0, 18, 36);
            assert_values(ag_grad(v), 0, 1, 1);
            cr_assert(ag_hook_grad(leaf ? w : h, NULL, NULL) && ag_backward(loss), "it can be removed");
            assert_values(ag_grad(w), 0, 36, 72);
            ag_tape_free(t);
            ag_tape_free(other);
        }
    }
}

Test(hooks, can_be_set_on_what_has_a_gradient) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *x = DATA(t, 1, 2), *best = ag_topk(w, 1, 0, NULL);
    cr_assert_not(ag_hook_grad(NULL, watch, NULL));
    cr_assert_not(ag_hook_grad(x, watch, NULL));
    assert_error(t, AG_ERR_STATE, "hook_grad: a leaf (2) does not depend on a leaf that requires a gradient");
    cr_assert_not(ag_hook_grad(ag_input(best, 0), watch, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "hook_grad: topk has several outputs; take one with ag_part");
    cr_assert(ag_hook_grad(x, NULL, NULL), "there is none to remove");
    ag_tape_free(t);
}

Test(hooks, goes_with_its_node) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2);
    seen s = {0};
    ag_mark here = ag_tape_mark(t);
    cr_assert(ag_hook_grad(ag_scale(w, 3), halve, &s));
    cr_assert(ag_tape_rewind(t, here));
    cr_assert(ag_backward(SUM(ag_scale(w, 3))));
    cr_assert_eq(s.calls, 0);
    assert_values(ag_grad(w), 0, 3, 3);
    ag_tape_free(t);
}

Test(hooks, pure_gradients_and_clones_call_none) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *h = ag_scale(w, 3), *y = SUM(h), *g, *ys[2] = {y, w}, *out[2];
    seen s = {0};
    cr_assert(ag_hook_grad(h, halve, &s) && ag_hook_grad(w, halve, &s));
    cr_assert(ag_gradients(&y, NULL, 1, &w, 1, &g));
    assert_values(g, 0, 3, 3);
    cr_assert(ag_clone(other, ys, 2, AG_DTYPE_COUNT, 0, out) && ag_backward(out[0]));
    assert_values(ag_grad(out[1]), 0, 3, 3);
    cr_assert_eq(s.calls, 0);
    ag_tape_free(t);
    ag_tape_free(other);
}

/* What must wait until the pass has ended says so. */
static ag_tensor *impatient(void *context, ag_tensor *x, ag_tensor *g) {
    char text[200];
    ag_tensor *w = context, *out;
    cr_assert(strstr(ag_why_no_grad(w, text, sizeof text), "ag_backward is running: ask when it has ended"), "%s", text);
    cr_assert_not(ag_graph_save(&x, 1, "/tmp/x"));
    assert_error(ag_tape_of(x), AG_ERR_STATE, "graph_save: called inside a gradient rule or hook");
    cr_assert_eq(ag_graph_load(ag_tape_of(x), "/tmp/x", &out, 1), -1);
    assert_error(ag_tape_of(x), AG_ERR_STATE, "graph_load: called inside a gradient rule or hook");
    cr_assert_not(ag_replay(ag_tape_of(x)));
    assert_error(ag_tape_of(x), AG_ERR_STATE, "replay: called inside a gradient rule or hook");
    ag_tape_free(ag_tape_of(x));
    assert_error(ag_tape_of(x), AG_ERR_STATE, "tape_free: called inside a gradient rule or hook");
    return g;
}

Test(hooks, what_must_wait_for_the_end_of_the_pass_says_so) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 3, 4), *h = ag_square(w);
    cr_assert(ag_hook_grad(h, impatient, w));
    cr_assert(ag_backward(SUM(h)), "%s", ag_tape_message(t));
    assert_values(ag_grad(w), 0, 6, 8);
    ag_tape_free(t);
}

/* Clips by norm, as one does: what the hook records leaves no trace on the tape. */
static ag_tensor *clip(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x;
    ag_tensor *norm = ag_sqrt(SUM(ag_square(g)));
    return ag_mul(g, ag_minimum(ag_reciprocal(norm), ag_scalar(ag_tape_of(g), ag_dtype_of(g), 1)));
}

Test(hooks, what_a_hook_records_ends_with_it) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 3, 4), *loss = ag_scale(SUM(ag_square(w)), 0.5);
    cr_assert(ag_hook_grad(w, clip, NULL));
    int64_t size = ag_tape_size(t);
    cr_assert(ag_backward(loss));
    cr_assert_eq(ag_tape_size(t), size);
    assert_values(ag_grad(w), 1e-15, 0.6, 0.8);
    ag_tape_free(t);
}
