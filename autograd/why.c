/* why.c: why a tensor got no gradient, in a sentence.
 *
 *     loss ◀── … ◀── c ◀── … ◀── x        c leads to the loss, depends on x, and lets no gradient through: it is named
 *
 * First the flags: they say where gradients flow (AG__FLOWS) and so where a path was cut. If they flow to x, the backward pass is
 * run again on a copy, and each rule on the way alone, to find the one that gives nothing, or zeros. */
#include "autograd/aside.h"
#include "autograd/text.h"

enum { NAMED = 3 }; /* culprits, before "and n more" */

typedef struct culprits {
    ag__text *w;
    int64_t count;
} culprits;

static void begin_culprit(culprits *c) {
    if (c->count++ && c->count <= NAMED) ag__text_put(c->w, "; ");
}

static void end_culprits(const culprits *c) {
    if (c->count > NAMED) ag__text_put(c->w, "; and %lld more", (long long)(c->count - NAMED));
}

/* Cut paths */

/* Does c, on the way from x to the loss, stop a gradient that its inputs would take? */
static bool cuts(const ag__reach *r, const ag_tensor *c) {
    if (c->flags & AG__GRAD || c->flags & AG__LEAF) return false;
    for (uint32_t k = 0; k < c->nin; k++) {
        const ag_tensor *x = ag__in(c)[k];
        if (ag__reach_of(r, x) & AG__DEPENDS && x->flags & AG__GRAD) return true;
    }
    return false;
}

static const char *reason_of(const ag_tensor *c) {
    const ag_op *op = c->flags & AG__PART ? c->in[0]->op : c->op;
    if (c->flags & AG__CUT) return "recorded while ag_set_recording was off";
    if (op->flags & AG_EFFECT) return "an effect, which writes values and passes no gradient";
    if (op->flags & AG_DETACH) return "which detaches";
    if (!(c->flags & AG__TUPLE) && !ag__is_float(c->dtype)) return NULL;
    if (op->flags & AG_FLAT) return "which is flat: its derivative is zero wherever it has one";
    return "recorded before it required one";
}

static void tell_cuts(ag__text *w, const ag__reach *r, const ag_tensor *x) {
    culprits c = {w, 0};
    ag__text_node(w, x);
    ag__text_put(w, " got no gradient: every path from the loss to it is cut, at ");
    for (int64_t i = r->past; i-- > 0;) {
        const ag_tensor *y = ag__node(&r->t->recorded, i);
        if (!(r->recorded[i] & AG__LEADS) || !(r->recorded[i] & AG__DEPENDS) || !cuts(r, y)) continue;
        begin_culprit(&c);
        if (c.count > NAMED) continue;
        ag__text_node(w, y);
        const char *reason = reason_of(y);
        if (reason) {
            ag__text_put(w, ", %s", reason);
        } else {
            ag__text_put(w, ", whose result is %s", ag_dtype_name((ag_dtype)y->dtype));
        }
    }
    end_culprits(&c);
}

/* Paths that give nothing */

/* Names node i of the copy if what it gives each input on the way is nothing, or zeros, though something arrived. */
static void tell_dead(const ag__reach *r, const ag__aside *a, int64_t i, culprits *c) {
    ag_tensor *y = a->copy[i], *node = a->node[i];
    bool arrived = false, gives = false, none = true;
    const ag_tensor *towards = NULL;
    for (int o = 0; o < (y->flags & AG__TUPLE ? y->op->nout : 1); o++) {
        const ag_tensor *g = ag__kept(y, o);
        arrived = arrived || (g && ag__first_nonzero(g) >= 0);
    }
    ag_tensor **d = arrived ? ag__get(NULL, y->nin * sizeof *d, 64) : NULL;
    if (!d) return;
    bool run = ag__aside_rule(y, d);
    for (uint32_t k = 0; k < y->nin && run; k++) {
        ag_tensor *x = ag__in(node)[k];
        if (!(ag__reach_of(r, x) & AG__DEPENDS) || !(x->flags & AG__GRAD)) continue;
        towards = x;
        none = none && !d[k];
        gives = gives || (d[k] && ag__first_nonzero(d[k]) >= 0);
    }
    ag__give(NULL, d, y->nin * sizeof *d);
    if (!towards || gives) return;
    begin_culprit(c);
    if (c->count > NAMED) return;
    ag__text_node(c->w, node);
    if (none) {
        ag__text_put(c->w, " (flat in that input)");
    } else {
        ag__text_put(c->w, " (saturated: its input is ");
        ag__text_range(c->w, towards);
        ag__text_put(c->w, ")");
    }
}

static bool hooked(const ag__reach *r, const ag__aside *a) {
    for (int64_t i = 0; i < a->count; i++) {
        if (a->node[i]->flags & AG__HOOK && ag__reach_of(r, a->node[i]) & AG__DEPENDS) return true;
    }
    return false;
}

static bool gradient_is_zero(const ag_tensor *x) {
    return x->flags & AG__HAS_GRAD && ag__first_nonzero(x->meta->grad) < 0;
}

/* A gradient flows to x, by the flags; it is zero, or there is none. */
static void tell_flow(ag__text *w, const ag__reach *r, const ag__aside *a, const ag_tensor *x) {
    const ag_tensor *g = NULL;
    culprits c = {w, 0};
    for (int64_t i = 0; i < a->count; i++) {
        if (a->node[i] == x) g = ag__kept(a->copy[i], 0);
    }
    ag__text_node(w, x);
    ag__text_put(w, x->flags & AG__HAS_GRAD ? " has a gradient of zeros" : " has no gradient");
    if (g && ag__first_nonzero(g) >= 0) {
        ag__text_put(w, hooked(r, a) ? ": a hook replaced it on the way"
                        : x->flags & AG__HAS_GRAD
                            ? ", though at the present values of the leaves it would not be zero"
                            : ": one flows to it, so ag_zero_grad has cleared it since ag_backward");
        return;
    }
    size_t before = w->used;
    ag__text_put(w, ", for every local derivative is zero at ");
    for (int64_t i = a->count; i-- > 0;) {
        if (ag__reach_of(r, a->node[i]) & AG__DEPENDS && !(a->node[i]->flags & AG__LEAF)) tell_dead(r, a, i, &c);
    }
    end_culprits(&c);
    if (c.count) return;
    w->used = before;
    ag__text_put(w, ": the gradients that flow to it cancel");
}

/* The answer */

/* What needs no path. True: the sentence is written. */
static bool tell_at_once(ag__text *w, const ag_tensor *x) {
    const ag_tape *t = x->tape;
    if (x->flags & AG__TUPLE) {
        ag__text_node(w, x);
        ag__text_put(w, " has several outputs: ask about one of them, ag_part(x, i)");
    } else if (!ag__is_float(x->dtype)) {
        ag__text_node(w, x);
        ag__text_put(w, " is %s: only f32 and f64 have gradients", ag_dtype_name((ag_dtype)x->dtype));
    } else if (x->flags & AG__HAS_GRAD && !gradient_is_zero(x)) {
        ag__text_node(w, x);
        ag__text_put(w, " has a gradient: ");
        ag__text_range(w, x->meta->grad);
    } else if (t->ends.state == AG__ENDS_NONE) {
        ag__text_put(w, "ag_backward was not called on this tape yet");
    } else if (t->ends.state == AG__ENDS_DROPPED) {
        ag__text_put(w, "the loss of the last ag_backward was dropped by ag_tape_rewind: ask before it");
    } else if (t->region == &t->scratch) {
        ag__text_put(w, "ag_backward is running: ask when it has ended");
    } else if (ag_index(x) >= t->ends.past) {
        ag__text_node(w, x);
        ag__text_put(w, " was recorded after the loss, which cannot depend on it");
    } else {
        return false;
    }
    return true;
}

static void tell_path(ag__text *w, const ag__reach *r, const ag_tensor *x) {
    const ag_tape *t = x->tape;
    unsigned reach = ag__reach_of(r, x);
    ag__aside a;
    if (!(reach & AG__LEADS)) {
        ag__text_node(w, x);
        ag__text_put(w, " got no gradient: the loss does not depend on it");
    } else if (!(x->flags & AG__GRAD)) {
        ag__text_node(w, x);
        ag__text_put(
            w, x->flags & AG__LEAF
                   ? " does not require a gradient; ag_set_requires_grad(x, true) before the forward pass asks for one"
                   : " is made of nothing that requires a gradient, or was cut from it");
    } else if (!(reach & AG__FLOWS)) {
        tell_cuts(w, r, x);
    } else if (t->ends.state == AG__ENDS_FAILED) {
        ag__text_put(w, "the last ag_backward ended in an error, and then no gradient changes%s%s",
                     t->status ? ": " : "", ag_tape_message(t));
    } else if (!(x->flags & (AG__LEAF | AG__HAS_GRAD))) {
        ag__text_put(w, "a gradient flowed through ");
        ag__text_node(w, x);
        ag__text_put(w, ", but only leaves keep theirs: ag_retain_grad(x) before ag_backward keeps this one");
    } else if (ag__aside_open(&a, r, t->ends.y, t->ends.count)) {
        tell_flow(w, r, &a, x);
        ag__aside_close(&a);
    } else {
        ag__text_node(w, x);
        ag__text_put(w, " has no gradient, or zeros, though a path leads to it; the pass could not be repeated: %s",
                     a.tape && a.tape->status ? a.tape->message : "out of memory");
        ag__aside_close(&a);
    }
}

const char *ag_why_no_grad(ag_tensor *x, char *out, size_t size) {
    if (!out || !size) return out;
    ag__text w = ag__text_in(out, size);
    if (!x || x->tape == &ag__dropped) {
        ag__text_put(&w, "%s", x ? ag__dropped.message : "the tensor is NULL");
        return out;
    }
    if (tell_at_once(&w, x)) return out;
    ag__reach r;
    if (ag__reach_open(&r, x->tape->ends.y, x->tape->ends.count)) {
        ag__reach_from(&r, x);
        tell_path(&w, &r, x);
    } else {
        ag__text_put(&w, "memory is short");
    }
    ag__reach_close(&r);
    return out;
}
