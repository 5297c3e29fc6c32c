/* ag_why_no_grad: each way of having no gradient, and the sentence it gets. */
#include <string.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

/* Makes a graph, runs what passes of it there are, and returns the tensor that is asked about. */
typedef ag_tensor *story(ag_tape *t, ag_tensor *w, ag_tensor *v);

static ag_tensor *arrived(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_mul(w, v)));
    return w;
}

static ag_tensor *never(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    return SUM(ag_mul(w, v)) ? w : NULL;
}

static ag_tensor *detached(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    ag_scope_push(t, "net");
    ag_backward(SUM(ag_mul(ag_set_name(ag_detach(ag_exp(w)), "target"), v)));
    return w;
}

static ag_tensor *detached_everywhere(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_detach(ag_mul(w, v)))); /* an error: nothing requires a gradient */
    return w;
}

static ag_tensor *unrecorded(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    ag_set_recording(t, false);
    ag_tensor *x = ag_exp(w);
    ag_set_recording(t, true);
    ag_backward(SUM(ag_mul(ag_square(x), v)));
    return w;
}

static ag_tensor *cast(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_mul(ag_cast(ag_cast(ag_scale(w, 2), AG_I64), AG_F64), v)));
    return w;
}

static ag_tensor *flat(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_mul(ag_sign(w), v)));
    return w;
}

static ag_tensor *compared(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    ag_tensor *positive = ag_gt(w, ag_full(t, AG_F64, AG_SHAPE(3), 0));
    ag_backward(SUM(ag_where(positive, v, ag_neg(v))));
    return w;
}

static ag_tensor *indexed(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_tensor *index;
    ag_topk(w, 2, 0, &index);
    ag_backward(SUM(ag_take(v, index, 0)));
    return w;
}

static ag_tensor *assigned(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    ag_backward(SUM(ag_mul(ag_assign(ag_buffer(t, AG_F64, AG_SHAPE(3)), w), v)));
    return w;
}

static ag_tensor *four_ways(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_tensor *x = v;
    for (int i = 0; i < 5; i++) x = ag_add(x, ag_detach(ag_scale(w, i)));
    ag_backward(SUM(x));
    return w;
}

static ag_tensor *frozen(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_set_requires_grad(w, false);
    ag_backward(SUM(ag_mul(w, v)));
    return w;
}

static ag_tensor *thawed_too_late(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_set_requires_grad(w, false);
    ag_tensor *x = ag_exp(w), *loss = SUM(ag_add(x, v));
    ag_set_requires_grad(w, true);
    ag_backward(loss);
    return w;
}

static ag_tensor *unused(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_exp(w);
    ag_backward(SUM(v));
    return w;
}

static ag_tensor *saturated(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_mul(ag_set_name(ag_relu(ag_neg(ag_exp(w))), "h"), v)));
    return w;
}

static ag_tensor *saturated_sigmoid(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_mul(ag_sigmoid(ag_scale(w, 1e4)), v)));
    return w;
}

static ag_tensor *cancelled(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(ag_add(SUM(ag_sub(w, w)), SUM(v)));
    return w;
}

static ag_tensor *flat_in_one_input(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_relu_grad(v, w)));
    return w;
}

static ag_tensor *later(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_mul(w, v)));
    return ag_exp(w);
}

static ag_tensor *inner(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_tensor *h = ag_set_name(ag_mul(w, v), "h");
    ag_backward(SUM(h));
    return h;
}

static ag_tensor *inner_of_data(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)w;
    ag_tensor *h = ag_exp(DATA(t, 1, 2, 3));
    ag_backward(SUM(ag_mul(h, v)));
    return h;
}

static ag_tensor *dropped(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    ag_mark here = ag_tape_mark(t);
    ag_set_requires_grad(w, false);
    ag_backward(SUM(ag_mul(w, v)));
    ag_tape_rewind(t, here);
    return w;
}

static ag_tensor *zeroed(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_backward(SUM(ag_mul(w, v)));
    ag_zero_grad(w);
    return w;
}

static ag_tensor *replaced(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x;
    return ag_scale(g, 0);
}

static ag_tensor *hooked(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_tensor *h = ag_mul(w, v);
    ag_hook_grad(h, replaced, NULL);
    ag_backward(SUM(h));
    return w;
}

static ag_tensor *refused(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x, (void)g;
    return NULL;
}

static ag_tensor *failed(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_hook_grad(v, refused, NULL);
    ag_backward(SUM(ag_mul(w, v)));
    return w;
}

static ag_tensor *no_longer_defined(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    ag_tensor *a = ag_param(t, AG_F64, AG_SHAPE(1, 1));
    ag_fill(a, 1);
    ag_backward(ag_add(SUM(ag_cholesky(a)), SUM(ag_relu(ag_neg(ag_mul(w, v))))));
    ag_fill(a, -1);
    return w;
}

static ag_tensor *saturated_scalar(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_tensor *y = ag_relu(ag_neg(SUM(w)));
    ag_backward(ag_add(y, SUM(v)));
    return w;
}

static ag_tensor *integers(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    ag_tensor *i = ag_set_name(ag_from_i64(t, (int64_t[]){0, 2}, AG_SHAPE(2)), "label");
    ag_backward(ag_add(SUM(ag_take(w, i, 0)), SUM(v)));
    return i;
}

static ag_tensor *whole_tuple(ag_tape *t, ag_tensor *w, ag_tensor *v) {
    (void)t;
    ag_tensor *best = ag_topk(w, 2, 0, NULL);
    ag_backward(ag_add(SUM(best), SUM(v)));
    return ag_input(best, 0);
}

static const struct {
    story *make;
    const char *sentence;
} stories[] = {
    {arrived, "'w' (3) has a gradient: between 4 and 6"},
    {never, "ag_backward was not called on this tape yet"},
    {detached,
     "'w' (3) got no gradient: every path from the loss to it is cut, at detach at 'target' [in net], which detaches"},
    {detached_everywhere, "every path from the loss to it is cut, at detach at #1, which detaches"},
    {unrecorded, "is cut, at exp at #0, recorded while ag_set_recording was off"},
    {cast, "is cut, at cast at #1, whose result is i64"},
    {flat, "is cut, at sign at #0, which is flat: its derivative is zero wherever it has one"},
    {compared, "is cut, at gt at #1, whose result is bool"},
    {indexed, "is cut, at topk at #0, whose result is i64"},
    {assigned, "is cut, at assign at #0, an effect, which writes values and passes no gradient"},
    {four_ways, "which detaches; and 2 more"},
    {frozen, "'w' (3) does not require a gradient; ag_set_requires_grad(x, true) before the forward pass asks for one"},
    {thawed_too_late, "is cut, at exp at #0, recorded before it required one"},
    {unused, "'w' (3) got no gradient: the loss does not depend on it"},
    {saturated,
     "'w' (3) has a gradient of zeros, for every local derivative is zero at relu at 'h' (saturated: its input is "
     "between -20.0855 and -2.71828)"},
    {saturated_sigmoid, "is zero at sigmoid at #1 (saturated: its input is between 10000 and 30000)"},
    {saturated_scalar, "is zero at relu at #2 (saturated: its input is -6)"},
    {no_longer_defined, "though a path leads to it; the pass could not be repeated: cholesky: "},
    {cancelled, "'w' (3) has a gradient of zeros: the gradients that flow to it cancel"},
    {flat_in_one_input, "relu_grad at #0 (flat in that input)"},
    {later, "exp at #2 was recorded after the loss, which cannot depend on it"},
    {inner, "a gradient flowed through mul at 'h', but only leaves keep theirs: ag_retain_grad(x) before ag_backward"},
    {inner_of_data, "exp at #0 is made of nothing that requires a gradient, or was cut from it"},
    {dropped, "the loss of the last ag_backward was dropped by ag_tape_rewind: ask before it"},
    {zeroed, "'w' (3) has no gradient: one flows to it, so ag_zero_grad has cleared it since ag_backward"},
    {hooked, "'w' (3) has a gradient of zeros: a hook replaced it on the way"},
    {failed,
     "the last ag_backward ended in an error, and then no gradient changes: hook: the hook of v (3) returned NULL"},
    {integers, "'label' (2) is i64: only f32 and f64 have gradients"},
    {whole_tuple, "topk at #0 has several outputs: ask about one of them, ag_part(x, i)"},
};

Test(why, each_story_has_its_sentence) {
    char text[600];
    for (int i = 0; i < COUNT_OF(stories); i++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *w = ag_set_name(PARAM(t, 1, 2, 3), "w"), *v = ag_set_name(PARAM(t, 4, 5, 6), "v");
        ag_tensor *x = stories[i].make(t, w, v);
        cr_assert(x, "story %d: %s", i, ag_tape_message(t));
        int64_t size = ag_tape_size(t);
        ag_status status = ag_tape_status(t);
        bool had = ag_has_grad(x);
        cr_assert_eq(ag_why_no_grad(x, text, sizeof text), text);
        cr_assert(strstr(text, stories[i].sentence), "story %d: \"%s\" is not in \"%s\"", i, stories[i].sentence, text);
        cr_assert_not(strchr(text, '\n'));
        cr_assert(ag_tape_size(t) == size && ag_tape_status(t) == status && ag_has_grad(x) == had,
                  "asking changes nothing");
        ag_tape_free(t);
    }
}

Test(why, the_answer_is_cut_to_the_room_there_is) {
    char text[600], small[20];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2, 3), *v = PARAM(t, 1, 2, 3);
    detached(t, w, v);
    ag_why_no_grad(w, text, sizeof text);
    cr_assert_eq(ag_why_no_grad(w, small, sizeof small), small);
    cr_assert_eq(strlen(small), sizeof small - 1);
    cr_assert_eq(strncmp(small, text, sizeof small - 1), 0);
    cr_assert_eq(ag_why_no_grad(w, small, 0), small);
    cr_assert_null(ag_why_no_grad(w, NULL, 0));
    cr_assert_str_eq(ag_why_no_grad(NULL, text, sizeof text), "the tensor is NULL");
    ag_tape_free(t);
}

/* Several tensors at once, as ag_backward_from takes them, and of two calls the last. */
Test(why, it_is_the_last_pass_that_counts) {
    char text[600];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *v = PARAM(t, 1, 2), *u = PARAM(t, 1, 2);
    ag_tensor *ys[] = {ag_exp(v), ag_detach(ag_exp(w))}, *y = ag_square(u);
    cr_assert_not(ag_backward_from(ys, NULL, 2));
    cr_assert(strstr(ag_why_no_grad(w, text, sizeof text), "detach at #2, which detaches"), "%s", text);
    cr_assert(strstr(ag_why_no_grad(u, text, sizeof text), "was recorded after") == NULL, "%s", text);
    ag_tape_clear(t);
    cr_assert(ag_backward_from(&y, NULL, 1));
    cr_assert(strstr(ag_why_no_grad(w, text, sizeof text), "the loss does not depend on it"), "%s", text);
    ag_tape_free(t);
}
