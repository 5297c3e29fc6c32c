/* clone.c: copies the graph that leads to some tensors onto another tape, perhaps in another float dtype.
 *
 * Three sweeps over the source tape, no recursion: down from the ys, marking what they are made of (AG__TARGET); up, copying
 * each marked node and keeping its copy in its slot; and a last one to clear both. */
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"

typedef struct cloning {
    ag_tape *from, *to;
    ag_dtype dtype;
    unsigned flags;
    uint16_t scope; /* of the target, at the start */
    uint32_t skipped;
} cloning;

static bool converts(const cloning *c, const ag_tensor *x) {
    return c->dtype != AG_DTYPE_COUNT && ag__is_float(x->dtype) && x->dtype != c->dtype;
}

/* Enters the scopes of the source inside the one where the copying began. */
static bool enter_scope(const cloning *c, int scope) {
    int depth = 0;
    for (int s = scope; s; s = c->from->scopes[s].parent) depth++;
    for (int outer = depth; outer-- > 0;) {
        int s = scope;
        for (int i = 0; i < outer; i++) s = c->from->scopes[s].parent;
        if (!ag_scope_push(c->to, c->from->scopes[s].name)) return false;
    }
    return true;
}

static void leave_scope(const cloning *c) {
    c->to->scope = c->scope;
    c->to->scope_skipped = c->skipped;
}

static ag_tensor *new_leaf(const cloning *c, const ag_tensor *x, ag_dtype dtype) {
    bool leaf = x->flags & AG__LEAF, full = leaf && !x->store && x->strides; /* ag_full's: one value, no memory */
    unsigned flags = (x->flags & AG__PERSISTENT ? 0u : (unsigned)AG_RECORDED) |
                     (leaf && x->flags & AG__GRAD ? (unsigned)AG_REQUIRES_GRAD : 0u);
    ag_tensor *y = full ? ag_full(c->to, dtype, ag_shape_of(x), ag__load(x->data, x->dtype))
                        : ag_leaf(c->to, dtype, NULL, ag_shape_of(x), flags);
    if (!y || full) return y;
    size_t element = ag__dtype_bytes[dtype];
    if (dtype == x->dtype) {
        ag__gather(x, y->data);
        return y;
    }
    for (int64_t i = 0; i < x->shape->size; i++) {
        ag__store_value((char *)y->data + (size_t)i * element, dtype, ag_at(x, i));
    }
    return y;
}

/* A leaf of the target tape with x's present value, name and scope. */
static ag_tensor *copy_value(const cloning *c, ag_tensor *x) {
    ag_tensor *y = enter_scope(c, x->scope) ? new_leaf(c, x, converts(c, x) ? c->dtype : (ag_dtype)x->dtype) : NULL;
    leave_scope(c);
    return y && *ag_name(x) ? ag_set_name(y, ag_name(x)) : y;
}

/* The tapes' keys stand for each other only if they say the same: copied random nodes repeat their numbers, and new ones draw
 * others. */
static ag_tensor *clone_leaf(const cloning *c, ag_tensor *x) {
    ag_tape *to = c->to;
    bool key = x == c->from->key;
    if (!x->slot) x->slot = key && to->key && ag__key(to) == ag__key(c->from) ? to->key : copy_value(c, x);
    if (!x->slot || !key) return x->slot;
    if (!to->key) to->key = x->slot;
    if (x->slot == to->key && to->draws < c->from->draws) to->draws = c->from->draws;
    return x->slot;
}

static void *clone_attrs(const cloning *c, const ag_tensor *y) {
    void *attrs = ag__temp(c->to, y->op->attr_size);
    if (!attrs) return NULL;
    memcpy(attrs, y->attrs, y->op->attr_size);
    if (c->dtype != AG_DTYPE_COUNT) ag__attrs_convert(y->op, attrs, c->dtype);
    return attrs;
}

/* y's outputs become leaves. */
static bool hold(const cloning *c, ag_tensor *y) {
    if (!(y->flags & AG__TUPLE)) return (y->slot = copy_value(c, y)) != NULL;
    for (int o = 0; o < y->op->nout; o++) {
        if (!(y->part[o]->slot = copy_value(c, y->part[o]))) return false;
    }
    return true;
}

static bool clone_node(const cloning *c, ag_tensor *y) {
    bool flat = y->op->flags & (AG_FLAT | AG_RANDOM | AG_DETACH) || y->flags & AG__CUT;
    if ((flat && c->flags & AG_CLONE_HOLD) || y->op->flags & AG_EFFECT) return hold(c, y);
    ag_tensor **in = ag__temp(c->to, (y->nin + 1) * sizeof *in);
    void *attrs = y->op->attr_size ? clone_attrs(c, y) : NULL;
    bool done = in && (attrs || !y->op->attr_size);
    for (uint32_t i = 0; i < y->nin && done; i++) {
        ag_tensor *x = ag__in(y)[i];
        in[i] = x->slot ? x->slot : clone_leaf(c, x);
        done = in[i] != NULL;
    }
    bool recording = ag_set_recording(c->to, !(y->flags & AG__CUT));
    if (done && enter_scope(c, y->scope)) y->slot = ag_apply_on(c->to, y->op, in, (int)y->nin, attrs);
    ag_set_recording(c->to, recording);
    leave_scope(c);
    ag__temp_free(c->to, attrs);
    ag__temp_free(c->to, in);
    if (y->slot && *ag_name(y)) ag_set_name(y->slot, ag_name(y));
    for (int o = 0; y->slot && y->flags & AG__TUPLE && o < y->op->nout; o++) {
        y->part[o]->slot = y->slot->part[o];
        if (*ag_name(y->part[o])) ag_set_name(y->slot->part[o], ag_name(y->part[o]));
    }
    return y->slot != NULL;
}

static bool clone_all(const cloning *c, int64_t hi) {
    for (int64_t i = 0; i < hi; i++) {
        ag_tensor *y = ag__node(&c->from->recorded, i);
        if (!(y->flags & AG__TARGET) || y->flags & AG__PART) continue;
        if (!(y->flags & AG__LEAF ? clone_leaf(c, y) != NULL : clone_node(c, y))) return false;
    }
    return true;
}

static int64_t mark(ag_tape *t, ag_tensor *const ys[], int n) {
    int64_t hi = 0;
    for (int i = 0; i < n; i++) {
        if (ag_index(ys[i]) < 0) continue;
        ys[i]->flags |= AG__TARGET;
        if (ag__end(ys[i]) > hi) hi = ag__end(ys[i]);
    }
    for (int64_t i = hi; i-- > 0;) {
        const ag_tensor *y = ag__node(&t->recorded, i);
        for (uint32_t k = 0; y->flags & AG__TARGET && k < y->nin; k++) {
            if (ag_index(ag__in(y)[k]) >= 0) ag__in(y)[k]->flags |= AG__TARGET;
        }
    }
    return hi;
}

static void clear(ag_tape *t, ag_tensor *const ys[], int n, int64_t hi) {
    for (int64_t i = 0; i < hi; i++) {
        ag_tensor *y = ag__node(&t->recorded, i);
        for (uint32_t k = 0; k < y->nin && y->flags & AG__TARGET; k++) ag__in(y)[k]->slot = NULL;
        y->slot = NULL;
    }
    for (int64_t i = 0; i < hi; i++) ag__node(&t->recorded, i)->flags &= (uint16_t)~AG__TARGET;
    for (int i = 0; i < n; i++) ys[i]->slot = NULL;
}

bool ag_clone(ag_tape *to, ag_tensor *const ys[], int n, ag_dtype dtype, unsigned flags, ag_tensor *out[]) {
    if (!to || !ys || !out || n < 1 || !ys[0])
        return ag__fail(to, AG_ERR_ARGUMENT, "clone: a tape or tensor is NULL") != NULL;
    ag_tape *from = ys[0]->tape;
    if (to->status) return false;
    if (from == &ag__dropped) return ag__fail(to, AG_ERR_STATE, "clone: %s", from->message) != NULL;
    if (ag__inside(from))
        return ag__fail(to, AG_ERR_STATE, "clone: called inside a gradient rule of the graph") != NULL;
    if (from == to) return ag__fail(to, AG_ERR_ARGUMENT, "clone: the target is the tape of the graph itself") != NULL;
    if (dtype != AG_F32 && dtype != AG_F64 && dtype != AG_DTYPE_COUNT) {
        return ag__fail(to, AG_ERR_DTYPE, "clone: the dtype must be f32, f64 or AG_DTYPE_COUNT to keep all") != NULL;
    }
    for (int i = 0; i < n; i++) {
        if (!ys[i] || ys[i]->tape != from)
            return ag__fail(to, AG_ERR_ARGUMENT, "clone: tensor %d is NULL or on another tape than tensor 0", i) != NULL;
    }
    cloning c = {from, to, dtype, flags, to->scope, to->scope_skipped};
    ag_tensor **found = ag__temp(to, (size_t)n * sizeof *found); /* out may be ys */
    if (!found) return false;
    int64_t hi = mark(from, ys, n);
    bool done = clone_all(&c, hi);
    for (int i = 0; i < n; i++) {
        if (done && !ys[i]->slot) done = clone_leaf(&c, ys[i]) != NULL;
        found[i] = done ? ys[i]->slot : NULL;
    }
    clear(from, ys, n, hi);
    for (int i = 0; i < n; i++) out[i] = found[i];
    ag__temp_free(to, found);
    return done;
}
