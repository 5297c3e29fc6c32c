/* hook.c: a function of the user's that sees a gradient when it is complete, and may replace it.
 *
 *     x.slot = Σ contributions ── hook ──▶ x.slot ──▶ kept (ag_retain_grad) ──▶ the rule of x
 *     leaf.slot                ── hook ──▶ leaf.slot ──▶ added to ag_grad(leaf)
 *
 * A node's gradient is complete when the reverse loop comes to it, a leaf's when the loop has ended: before anything is committed,
 * so that a hook that fails leaves every gradient as it was. What the hook records lies in scratch and ends with it.
 * ag_gradients states mathematics and calls no hooks. */
#include "autograd/node.h"

static bool check(ag_tensor *x, const ag_tensor *g) {
    ag_tape *t = x->tape;
    char text[160], other[160];
    if (!g) {
        return t->status ? false
                         : ag__fail(t, AG_ERR_STATE, "hook: the hook of %s returned NULL",
                                    ag__label(x, text, sizeof text)) != NULL;
    }
    if (g->tape != t) {
        return ag__fail(t, AG_ERR_ARGUMENT, "hook: the hook of %s returned a tensor of another tape, or a dropped one",
                        ag__label(x, text, sizeof text)) != NULL;
    }
    if (!(g->flags & AG__TUPLE) && g->shape == x->shape && g->dtype == x->dtype) return true;
    return ag__fail(t, AG_ERR_SHAPE, "hook: the hook of %s, %s, returned %s, %s; shape and dtype must stay",
                    ag__label(x, text, sizeof text), ag_dtype_name((ag_dtype)x->dtype),
                    ag__label(g, other, sizeof other), ag_dtype_name((ag_dtype)g->dtype)) != NULL;
}

bool ag__hook_call(ag_tensor *x) {
    ag_tape *t = x->tape;
    ag__place before = ag__place_of(t->region);
    ag_tensor *g = x->meta->hook(x->meta->context, x, x->slot);
    bool done = check(x, g);
    if (done && g != x->slot) {
        ag_tensor *cell = ag__cell_keep(t, g);
        done = cell != NULL;
        if (done) {
            ag__cell_drop(t, x->slot);
            x->slot = cell;
        }
    }
    ag__region_cut(t, t->region, &before);
    return done && !t->status;
}

bool ag_hook_grad(ag_tensor *x, ag_grad_hook *hook, void *context) {
    char text[160];
    if (!x) return ag__fail(NULL, AG_ERR_ARGUMENT, "hook_grad: the tensor is NULL") != NULL;
    if (x->tape == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "hook_grad: %s", ag__dropped.message) != NULL;
    if (x->tape->status) return false;
    if (hook && !(x->flags & AG__GRAD)) {
        return ag__fail(x->tape, AG_ERR_STATE, "hook_grad: %s does not depend on a leaf that requires a gradient",
                        ag__label(x, text, sizeof text)) != NULL;
    }
    if (hook && x->flags & AG__TUPLE) {
        return ag__fail(x->tape, AG_ERR_ARGUMENT, "hook_grad: %s has several outputs; take one with ag_part",
                        x->op->name) != NULL;
    }
    if (!hook && !x->meta) return true;
    ag__meta *m = ag__meta_of(x);
    if (!m) return false;
    m->hook = hook;
    m->context = context;
    x->tape->hooked = x->tape->hooked || hook;
    x->flags = (uint16_t)(hook ? x->flags | AG__HOOK : x->flags & ~AG__HOOK);
    return true;
}
