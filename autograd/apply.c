/* apply.c: an operation is called: check, make the node, compute, decide whether gradients flow.
 *
 *     inputs ─ check ─▶ node ─ op->shape ─▶ outputs declared ─▶ memory ─ op->run ─▶ values
 *
 * Whatever fails on the way, the region is cut back to where it was: a failed call leaves no trace but the error. */
#include <stdlib.h>
#include <string.h>

#include "autograd/node.h"

enum { ATTRS_MAX = 512, INPUTS_RANDOM = 8 };

AG__COLD static void *fail_input(ag_tape *t, const ag_op *op, int i, const ag_tensor *x) {
    char text[160], name[32];
    ag_op_input_name(op, i, name, sizeof name);
    if (!x) {
        return ag__fail(t, AG_ERR_ARGUMENT, "%s: input %d%s%s%s is NULL", op->name, i, *name ? ", " : "", name,
                        *name ? "," : "");
    }
    if (x->tape == &ag__dropped) return ag__fail(t, AG_ERR_STATE, "%s: input %d: %s", op->name, i, ag__dropped.message);
    if (x->tape != t) {
        return ag__fail(t, AG_ERR_ARGUMENT, "%s: input %d, %s, is on another tape; ag_share lends a leaf to this one",
                        op->name, i, ag__label(x, text, sizeof text));
    }
    return ag__fail(t, AG_ERR_ARGUMENT, "%s: input %d is the whole of %s, which has %d outputs; take one with ag_part",
                    op->name, i, x->op->name, x->op->nout);
}

/* Copies the inputs into y and returns the union of their flags. */
static bool take_inputs(ag_tensor *y, ag_tensor *const in[], int n, unsigned *flags) {
    ag_tape *t = y->tape;
    ag_tensor **to = y->in;
    if (n > 3) {
        to = ag__bump(t, t->region, (size_t)n * sizeof *to);
        if (!to) return false;
        y->in[0] = (ag_tensor *)(void *)to;
    }
    unsigned all = 0;
    for (int i = 0; i < n; i++) {
        ag_tensor *x = in[i];
        if (!x || x->tape != t || x->flags & AG__TUPLE) return fail_input(t, y->op, i, x) != NULL;
        if (x->flags & AG__BORROWS) ag__borrow_refresh(t, x->store);
        all |= x->flags;
        to[i] = x;
    }
    *flags = all;
    return true;
}

__attribute__((noinline)) static bool take_attrs(ag_tensor *y, const void *attrs) {
    const ag_op *op = y->op;
    y->attrs = ag__bump(y->tape, y->tape->region, op->attr_size);
    if (!y->attrs) return false;
    if (attrs) {
        memcpy(y->attrs, attrs, op->attr_size);
    } else if (!ag__attrs_parse(y->tape, op, "", y->attrs)) {
        return false;
    }
    if (op->flags & AG_RANDOM && *(int64_t *)y->attrs < 0) *(int64_t *)y->attrs = (int64_t)ag__next_draw(y->tape);
    return true;
}

/* The parts of a tuple are nodes right behind it. */
__attribute__((noinline)) static bool make_parts(ag_tensor *y) {
    ag_tape *t = y->tape;
    ag__region *r = t->region;
    int nout = y->op->nout;
    ag_tensor **part = ag__bump(t, r, (size_t)nout * sizeof *part);
    if (!part) return false;
    for (int i = 0; i < nout; i++) {
        part[i] = ag__node_new(t, r, NULL, 1, AG__LIVE | AG__PART);
        if (!part[i]) return false;
        part[i]->in[0] = y;
        part[i]->out = (uint8_t)i;
        r->count++;
    }
    y->part = part;
    y->flags |= AG__TUPLE;
    return true;
}

__attribute__((noinline)) static bool allocate_block(ag_tensor *x, size_t bytes) {
    x->store = x->tape->lenders ? ag__borrow(x->tape, x->shape, x->dtype) : NULL;
    if (!x->store) x->store = ag__storage_new(x->tape, bytes);
    if (x->store) x->data = x->store->base;
    return x->store != NULL;
}

static inline bool allocate(ag_tensor *x) {
    size_t bytes = (size_t)x->shape->size * ag__dtype_bytes[x->dtype];
    if (bytes > sizeof x->scalar) return allocate_block(x, bytes);
    x->data = &x->scalar;
    return true;
}

static bool allocate_outputs(ag_tensor *y) {
    if (!(y->flags & AG__TUPLE)) return y->data || allocate(y);
    for (int i = 0; i < y->op->nout; i++) {
        if (!allocate(y->part[i])) return false;
    }
    return true;
}

AG__COLD static bool check_writes(ag_tensor *y) {
    char text[160];
    if (y->tape->watch & AG__WATCH_REPEAT) return true;
    for (uint32_t i = 0; i < y->nin; i++) {
        const ag_tensor *x = ag__in(y)[i];
        if (!(y->op->writes >> i & 1)) continue;
        if (!(x->flags & AG__LEAF) || !(x->flags & AG__PERSISTENT)) {
            return ag_op_fail(y, AG_ERR_ARGUMENT, "can only write to a persistent leaf, not to %s",
                              ag__label(x, text, sizeof text));
        }
        if (x->store->read_only)
            return ag_op_fail(y, AG_ERR_ARGUMENT, "%s is read-only", ag__label(x, text, sizeof text));
    }
    return true;
}

AG__COLD static void stamp_writes(ag_tensor *y) {
    if (y->tape->watch & AG__WATCH_REPEAT) return;
    for (uint32_t i = 0; i < y->nin; i++) {
        if (y->op->writes >> i & 1) ag__stamp_write(ag__in(y)[i]);
    }
}

AG__COLD static bool run_watched(ag_tensor *y) {
    unsigned watch = y->tape->watch;
    if (watch & AG__WATCH_REPEAT && y->op->flags & AG_EFFECT) return true;
    if (watch & AG__WATCH_WORK && !ag__work_take(y)) return false;
    double start = ag__now();
    if (y->op->run && !y->op->run(y)) return false;
    double seconds = ag__now() - start;
    if (watch & AG__WATCH_PROFILE) ag__profile_ran(y, ag__op_bytes(y), start, seconds);
    if (!(watch & AG__WATCH_DEBUG)) return true;
    ag__debug_ran(y, seconds);
    return ag__debug_check(y);
}

inline bool ag__run(ag_tensor *y) {
    ag_tape *t = y->tape;
    const ag_op *op = y->op;
    bool done = t->watch ? run_watched(y) : !op->run || op->run(y);
    t->executed++;
    if (t->work) ag__work_free(t);
    y->ran = ++t->clock;
    if (done && op->writes) stamp_writes(y);
    return done;
}

AG__COLD static void flow_to_parts(ag_tensor *y) {
    y->flags |= AG__GRAD;
    for (int i = 0; i < y->op->nout; i++) {
        if (ag__is_float(y->part[i]->dtype)) y->part[i]->flags |= AG__GRAD;
    }
}

static void flow(ag_tensor *y, unsigned input_flags) {
    if (!y->tape->recording) {
        y->flags |= AG__CUT;
    } else if (input_flags & AG__GRAD && !(y->op->flags & (AG_FLAT | AG_EFFECT))) {
        if (y->flags & AG__TUPLE) {
            flow_to_parts(y);
        } else if (ag__is_float(y->dtype)) {
            y->flags |= AG__GRAD;
        }
    }
}

bool ag__settle(ag_tensor *y) {
    if (!(y->flags & AG__PENDING)) return true;
    if (!allocate(y) || !ag__chain_run(y, NULL)) return false;
    y->flags &= (uint16_t)~AG__PENDING;
    return true;
}

static bool settle_inputs(const ag_tensor *y) {
    if (y->op->flags & AG__STREAMS) return true;
    for (uint32_t i = 0; i < y->nin; i++) {
        if (!ag__settle(ag__in(y)[i])) return false;
    }
    return true;
}

/* Puts the run of an elementwise node off, as part of a chain; inputs that do not fit in are computed. */
__attribute__((noinline)) static bool put_off(ag_tensor *y) {
    int length = 1;
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *x = y->in[i];
        if (!(x->flags & AG__PENDING)) continue;
        if (x->shape != y->shape || length + x->out > AG__CHAIN) {
            if (!ag__settle(x)) return false;
        } else {
            length += x->out;
        }
    }
    y->flags |= AG__PENDING;
    y->out = (uint8_t)length;
    y->ran = ++y->tape->clock;
    y->tape->executed++;
    return true;
}

static bool may_wait(const ag_tensor *y) {
    const ag_tape *t = y->tape;
    bool seen = t->watch & ~AG__WATCH_PROFILE;
    return y->shape->size >= AG__CHAIN_LEAST && y->op->flags & AG_MAP && t->region == &t->scratch && !t->pure && !seen;
}

static bool compute(ag_tensor *y, unsigned input_flags) {
    if (may_wait(y)) return put_off(y);
    return (!(input_flags & AG__PENDING) || settle_inputs(y)) && allocate_outputs(y) && ag__run(y);
}

/* A failed call leaves no trace but the error. */
AG__COLD static ag_tensor *undo(ag_tape *t, const ag_op *op, ag__region *r, ag__place before) {
    if (!t->status) ag__fail(t, AG_ERR_STATE, "%s failed without saying why", op->name);
    ag__fail_within(t, op->name);
    ag__region_cut(t, r, &before);
    return NULL;
}

__attribute__((noinline)) static ag_tensor *record(ag_tape *t, const ag_op *op, ag_tensor *const in[], int n,
                                                   const void *attrs) {
    ag__region *r = t->region;
    ag__place before = ag__place_of(r);
    ag_tensor *y = ag__node_new(t, r, op, (uint32_t)n, AG__LIVE);
    if (!y) return NULL;
    r->count++;
    unsigned flags = 0;
    if (take_inputs(y, in, n, &flags) && (!op->attr_size || take_attrs(y, attrs)) && (op->nout <= 1 || make_parts(y)) &&
        (!op->writes || check_writes(y)) && (!(flags & AG__HANDLE) || ag__handles_used(y)) &&
        (!(flags & AG__PENDING) || op->flags & AG_MAP || settle_inputs(y)) && op->shape(y) && compute(y, flags)) {
        flow(y, flags);
        return y;
    }
    return undo(t, op, r, before);
}

__attribute__((noinline)) static ag_tensor *compose(ag_tape *t, const ag_op *op, ag_tensor *const in[], int n,
                                                    const void *attrs) {
    ag_tensor y = {.op = op, .tape = t, .nin = (uint32_t)n, .flags = AG__LIVE};
    _Alignas(16) unsigned char defaults[ATTRS_MAX];
    for (int i = 0; i < n; i++) {
        bool missing = !in[i] && i >= op->arity && op->optional;
        if (!missing && (!in[i] || in[i]->tape != t || in[i]->flags & AG__TUPLE)) return fail_input(t, op, i, in[i]);
        if (n <= 3) y.in[i] = in[i];
    }
    const void *list = in;
    if (n > 3) memcpy(&y.in[0], &list, sizeof list);
    if (op->attr_size && !attrs) {
        if (op->attr_size > sizeof defaults || !ag__attrs_parse(t, op, "", defaults)) return NULL;
        attrs = defaults;
    }
    memcpy(&y.attrs, &attrs, sizeof attrs);
    if (op->plain && op->plain(&y)) return record(t, op, in, n, attrs);
    ag__place before = ag__place_of(t->region);
    ag_tensor *out = op->compose(&y);
    if (out) return out;
    if (!t->status) ag__fail(t, AG_ERR_STATE, "%s failed without saying why", op->name);
    ag__fail_within(t, op->name);
    ag__region_cut(t, t->region, &before);
    return NULL;
}

__attribute__((noinline)) static ag_tensor *with_key(ag_tape *t, const ag_op *op, ag_tensor *const in[], int n,
                                                     const void *attrs) {
    ag_tensor *all[INPUTS_RANDOM];
    if (n >= INPUTS_RANDOM) return ag__fail(t, AG_ERR_ARGUMENT, "%s: too many inputs for a random operation", op->name);
    for (int i = 0; i < n; i++) all[i] = in[i];
    all[n] = ag__key_leaf(t);
    return all[n] ? record(t, op, all, n + 1, attrs) : NULL;
}

AG__COLD static void *fail_count(ag_tape *t, const ag_op *op, int n) {
    if (op->arity < 0) return ag__fail(t, AG_ERR_ARGUMENT, "%s: takes one input or more", op->name);
    if (op->optional)
        return ag__fail(t, AG_ERR_ARGUMENT, "%s: takes %d to %d inputs, not %d", op->name, op->arity,
                        op->arity + op->optional, n);
    return ag__fail(t, AG_ERR_ARGUMENT, "%s: takes %d input(s), not %d", op->name, op->arity, n);
}

AG__COLD static ag_tensor *apply_oddly(ag_tape *t, const ag_op *op, ag_tensor *const in[], int n, const void *attrs) {
    if (!t) return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: the tape is NULL", op->name);
    if (t->status) return t == &ag__dropped ? ag__fail(NULL, AG_ERR_STATE, "%s: %s", op->name, t->message) : NULL;
    if (op->flags & AG_RANDOM && n == op->arity - 1) return with_key(t, op, in, n, attrs);
    if (op->arity < 0 ? n < 1 : n < op->arity || n > op->arity + op->optional) return fail_count(t, op, n);
    while (n > op->arity && op->optional && !in[n - 1]) n--;
    return op->shape && !op->plain ? record(t, op, in, n, attrs) : compose(t, op, in, n, attrs);
}

ag_tensor *ag_apply_on(ag_tape *t, const ag_op *op, ag_tensor *const in[], int n, const void *attrs) {
    if (t && !t->status && n == op->arity && n >= 0 && op->shape && !op->plain) return record(t, op, in, n, attrs);
    return apply_oddly(t, op, in, n, attrs);
}

AG__COLD static ag_tensor *apply_without_first(const ag_op *op, ag_tensor *const in[], int n, const void *attrs) {
    for (int i = 0; i < n; i++) {
        if (in[i]) return ag_apply_on(in[i]->tape, op, in, n, attrs);
    }
    return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: all inputs are NULL", op->name);
}

ag_tensor *ag_apply(const ag_op *op, ag_tensor *const in[], int n, const void *attrs) {
    if (n < 1 || !in[0]) return apply_without_first(op, in, n, attrs);
    ag_tape *t = in[0]->tape;
    bool direct = !t->status && n == op->arity && op->shape && !op->plain;
    return direct ? record(t, op, in, n, attrs) : apply_oddly(t, op, in, n, attrs);
}

ag_tensor *ag_part(ag_tensor *y, int i) {
    if (!y || y->tape->status) return NULL;
    if (!(y->flags & AG__TUPLE) && i == 0) return y;
    if (y->flags & AG__TUPLE && i >= 0 && i < y->op->nout) return y->part[i];
    return ag__fail(y->tape, AG_ERR_ARGUMENT, "part: %s has no output %d", ag_op_name(y), i);
}
