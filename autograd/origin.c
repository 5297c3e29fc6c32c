/* origin.c: where NaN or infinity began.
 *
 *     forward    from y down along values that are not finite, to the first that was made of finite ones
 *     backward   y is finite: on a copy, with every gradient kept, from y down to the first rule that makes finite gradients
 *                into one that is not
 *     hidden     neither: an inner value that is not finite, made of finite ones, though nothing came of it
 *
 * The path matters: an attention mask of −∞ is no fault, because what comes out of its softmax is finite again. */
#include <math.h>

#include "autograd/aside.h"
#include "autograd/text.h"

static bool is_bad(const ag_tensor *x) {
    return !(x->flags & AG__TUPLE) && ag__is_float(x->dtype) && ag__first_nonfinite(x) >= 0;
}

/* What x was computed by: of a part, its tuple. */
static const ag_tensor *maker(const ag_tensor *x) { return x->flags & AG__PART ? x->in[0] : x; }

static bool inputs_bad(const ag_tensor *x) {
    for (uint32_t k = 0; k < maker(x)->nin; k++) {
        if (is_bad(ag__in(maker(x))[k])) return true;
    }
    return false;
}

/* The sentence */

/* Its sign, which processors choose, says nothing of a NaN. */
static double plain(double v) { return isnan(v) ? (double)NAN : v; }

/* The element of x that stands at `index` of `like` when x is broadcast to its shape; −1: it is not. */
static int64_t corresponding(const ag_tensor *x, const ag_tensor *like, int64_t index) {
    int64_t at = 0, step = 1;
    int ahead = like->shape->rank - x->shape->rank;
    if (ahead < 0) return -1;
    for (int i = like->shape->rank - 1; i >= 0; i--) {
        int64_t extent = like->shape->dim[i], own = i >= ahead ? x->shape->dim[i - ahead] : 1;
        if (own != 1 && own != extent) return -1;
        if (own != 1) at += index % extent * step;
        step *= own;
        index /= extent;
    }
    return at;
}

static void put_place(ag__text *w, const ag_tensor *x, int64_t index) {
    if (x->shape->size == 1) {
        ag__text_put(w, "the value");
    } else {
        ag__text_put(w, "element %lld", (long long)index);
    }
}

static void put_input_name(ag__text *w, const ag_tensor *y, uint32_t k) {
    const char *name = ag_name(ag__in(y)[k]);
    if (*name) {
        ag__text_put(w, "'%s'", name);
    } else {
        ag__text_put(w, "%c", y->nin == 1 ? 'x' : (int)('a' + k));
    }
}

/* ", from x = 0", or for an op that mixes elements, the range of each input; then the attributes that take part. */
static void put_inputs(ag__text *w, const ag_tensor *y, const ag_tensor *like, int64_t index) {
    enum { MOST = 4 };
    char attributes[100];
    bool map = y->op->flags & AG_MAP;
    for (uint32_t k = 0; k < y->nin && k < MOST; k++) {
        const ag_tensor *x = ag__in(y)[k];
        int64_t at = map ? corresponding(x, like, index) : -1;
        ag__text_put(w, k ? ", " : ", from ");
        put_input_name(w, y, k);
        if (at >= 0) {
            ag__text_put(w, " = %.9g", ag_at(x, at));
        } else {
            ag__text_put(w, " ");
            ag__text_range(w, x);
        }
    }
    if (y->nin > MOST) ag__text_put(w, " and %u more", (unsigned)y->nin - MOST);
    size_t n = map ? ag_attr_text(y, attributes, sizeof attributes) : 0;
    if (n && n < sizeof attributes) ag__text_put(w, ", %s", attributes);
}

static bool tell_forward(ag_origin *o, ag_tensor *x) {
    *o = (ag_origin){.node = x, .index = ag__first_nonfinite(x)};
    o->value = plain(ag_at(x, o->index));
    ag__text w = ag__text_in(o->text, sizeof o->text);
    ag__text_node(&w, x);
    ag__text_put(&w, ": ");
    put_place(&w, x, o->index);
    ag__text_put(&w, " is %g", o->value);
    if (x->flags & AG__LEAF) {
        ag__text_put(&w, ", as it was given");
    } else {
        put_inputs(&w, maker(x), x, o->index);
    }
    return true;
}

/* The rule of `node`, whose copy is y, gave input k the gradient d. */
static bool tell_rule(ag_origin *o, ag_tensor *node, ag_tensor *y, uint32_t k, const ag_tensor *d) {
    const ag_tensor *x = ag__in(node)[k], *g = y->flags & AG__TUPLE ? NULL : ag__kept(y, 0);
    int64_t at = ag__first_nonfinite(d), own = corresponding(x, d, at);
    *o = (ag_origin){.node = node, .backward = true, .index = own < 0 ? at : own, .value = plain(ag_at(d, at))};
    ag__text w = ag__text_in(o->text, sizeof o->text);
    ag__text_put(&w, "backward of ");
    ag__text_node(&w, node);
    ag__text_put(&w, ": ");
    put_place(&w, x, o->index);
    ag__text_put(&w, " of the gradient it gives ");
    put_input_name(&w, node, k);
    ag__text_put(&w, " is %g", o->value);
    int64_t arrived = g && node->op->flags & AG_MAP ? corresponding(g, d, at) : -1;
    put_inputs(&w, node, d, at);
    if (arrived >= 0) ag__text_put(&w, ", g = %.9g", ag_at(g, arrived));
    return true;
}

static bool tell_sum(ag_origin *o, ag_tensor *node, const ag_tensor *g) {
    *o = (ag_origin){.node = node, .backward = true, .index = ag__first_nonfinite(g)};
    o->value = plain(ag_at(g, o->index));
    ag__text w = ag__text_in(o->text, sizeof o->text);
    ag__text_put(&w, "backward to ");
    ag__text_node(&w, node);
    ag__text_put(&w, ": the gradients that arrive there are finite, but ");
    put_place(&w, g, o->index);
    ag__text_put(&w, " of their sum is %g", o->value);
    return true;
}

/* The search */

static bool search_forward(const ag__reach *r, ag_tensor *y, ag_origin *o) {
    if (!is_bad(y)) return false;
    ag_tensor *given = ag_index(y) < 0 ? y : NULL, *made = y;
    if (!given) r->recorded[y->index] |= AG__DEPENDS; /* here: on the path of values that are not finite */
    for (int64_t i = r->past; i-- > 0;) {
        ag_tensor *x = ag__node(&r->t->recorded, i);
        if (!(r->recorded[i] & AG__DEPENDS)) continue;
        bool passed = false;
        for (uint32_t k = 0; k < maker(x)->nin; k++) {
            ag_tensor *in = ag__in(maker(x))[k];
            if (!is_bad(in)) continue;
            passed = true;
            if (ag_index(in) < 0) {
                given = in;
            } else {
                r->recorded[in->index] |= AG__DEPENDS;
            }
        }
        if (!passed) made = x;
    }
    return tell_forward(o, given ? given : made);
}

/* AG__MARK on a copy shall say that the gradient kept there is not finite. */
static void mark_bad(const ag__aside *a) {
    for (int64_t i = 0; i < a->count; i++) {
        ag_tensor *y = a->copy[i];
        for (int out = 0; out < (y->flags & AG__TUPLE ? y->op->nout : 1); out++) {
            const ag_tensor *g = ag__kept(y, out);
            if (g && ag__first_nonfinite(g) >= 0) ag_out(y, out)->flags |= AG__MARK;
        }
    }
}

/* Does the rule of node i turn gradients that are finite into one that is not? */
static bool search_rule(const ag__aside *a, int64_t i, ag_origin *o) {
    ag_tensor *y = a->copy[i], **d = ag__get(NULL, y->nin * sizeof *d, 64);
    bool found = false;
    if (d && ag__aside_rule(y, d)) {
        for (uint32_t k = 0; k < y->nin && !found; k++) {
            found = d[k] && ag__first_nonfinite(d[k]) >= 0 && tell_rule(o, a->node[i], y, k, d[k]);
        }
    }
    ag__give(NULL, d, y->nin * sizeof *d);
    return found;
}

static bool search_node(const ag__aside *a, int64_t i, ag_origin *o) {
    ag_tensor *y = a->copy[i];
    bool arrived = false, suspect = false;
    for (int out = 0; out < (y->flags & AG__TUPLE ? y->op->nout : 1); out++) {
        const ag_tensor *g = ag__kept(y, out);
        if (g && ag_out(y, out)->flags & AG__MARK) return tell_sum(o, ag_out(a->node[i], out), g);
        arrived = arrived || g;
    }
    for (uint32_t k = 0; k < y->nin; k++) suspect = suspect || ag__in(y)[k]->flags & AG__MARK;
    return arrived && suspect && search_rule(a, i, o);
}

static bool search_backward(const ag__reach *r, ag_tensor *y, ag_origin *o) {
    ag__aside a;
    bool found = false;
    if (!(ag__reach_of(r, y) & AG__FLOWS)) return false;
    if (ag__aside_open(&a, r, &y, 1)) {
        mark_bad(&a);
        for (int64_t i = a.count; i-- > 0 && !found;) found = search_node(&a, i, o);
    }
    ag__aside_close(&a);
    return found;
}

static bool search_hidden(const ag__reach *r, ag_origin *o) {
    for (int64_t i = 0; i < r->past; i++) {
        ag_tensor *x = ag__node(&r->t->recorded, i);
        if (!(r->recorded[i] & AG__LEADS) || x->flags & AG__LEAF || !is_bad(x) || inputs_bad(x)) continue;
        return tell_forward(o, x);
    }
    return false;
}

bool ag_find_nonfinite(ag_tensor *y, ag_origin *origin) {
    ag_origin mine, *o = origin ? origin : &mine;
    *o = (ag_origin){.index = -1};
    if (!y) return ag__fail(NULL, AG_ERR_ARGUMENT, "find_nonfinite: the tensor is NULL") != NULL;
    if (y->tape == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "find_nonfinite: %s", ag__dropped.message) != NULL;
    if (y->flags & AG__TUPLE) {
        return ag__fail(y->tape, AG_ERR_ARGUMENT, "find_nonfinite: %s has several outputs; take one with ag_part",
                        y->op->name) != NULL;
    }
    ag__reach r;
    bool found = false;
    if (ag__reach_open(&r, &y, 1)) {
        found = search_forward(&r, y, o) || search_backward(&r, y, o) || search_hidden(&r, o);
    } else {
        ag__fail(y->tape, AG_ERR_MEMORY, "find_nonfinite: out of memory");
    }
    ag__reach_close(&r);
    return found;
}
