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
} cloning;

static bool converts(const cloning *c, const ag_tensor *x) {
    return c->dtype != AG_DTYPE_COUNT && ag__is_float(x->dtype) && x->dtype != c->dtype;
}

/* A leaf of the target tape with x's present value. */
static ag_tensor *copy_value(const cloning *c, ag_tensor *x) {
    ag_dtype dtype = converts(c, x) ? c->dtype : (ag_dtype)x->dtype;
    unsigned flags = (x->flags & AG__PERSISTENT ? 0u : (unsigned)AG_RECORDED) |
                     (x->flags & AG__GRAD && x->flags & AG__LEAF ? AG_REQUIRES_GRAD : 0u);
    ag_tensor *y = ag_leaf(c->to, dtype, NULL, ag_shape_of(x), flags);
    if (!y) return NULL;
    size_t element = ag__dtype_bytes[dtype];
    if (dtype == x->dtype) {
        ag__gather(x, y->data);
    } else {
        for (int64_t i = 0; i < x->shape->size; i++)
            ag__store_value((char *)y->data + (size_t)i * element, dtype, ag_at(x, i));
    }
    return *ag_name(x) ? ag_set_name(y, ag_name(x)) : y;
}

static ag_tensor *clone_leaf(const cloning *c, ag_tensor *x) {
    if (!x->slot) x->slot = x == c->from->key && c->to->key ? c->to->key : copy_value(c, x);
    if (x->slot && x == c->from->key && !c->to->key) c->to->key = x->slot;
    return x->slot;
}

static void *clone_attrs(const cloning *c, const ag_tensor *y) {
    void *attrs = ag__temp(c->to, y->op->attr_size);
    if (!attrs) return NULL;
    memcpy(attrs, y->attrs, y->op->attr_size);
    if (c->dtype != AG_DTYPE_COUNT) ag__attrs_convert(y->op, attrs, c->dtype);
    return attrs;
}

static bool enter_scope(const cloning *c, int scope) {
    if (!scope) return true;
    return enter_scope(c, c->from->scopes[scope].parent) && ag_scope_push(c->to, c->from->scopes[scope].name);
}

static bool clone_node(const cloning *c, ag_tensor *y) {
    bool hold = c->flags & AG_CLONE_HOLD && y->op->flags & (AG_FLAT | AG_RANDOM | AG_DETACH) && !(y->flags & AG__TUPLE);
    if (hold || y->op->flags & AG_EFFECT) {
        y->slot = copy_value(c, y);
        return y->slot != NULL;
    }
    ag_tensor **in = ag__temp(c->to, (y->nin + 1) * sizeof *in);
    void *attrs = y->op->attr_size ? clone_attrs(c, y) : NULL;
    bool done = in && (attrs || !y->op->attr_size);
    for (uint32_t i = 0; i < y->nin && done; i++) {
        ag_tensor *x = ag__in(y)[i];
        in[i] = x->slot ? x->slot : clone_leaf(c, x);
        done = in[i] != NULL;
    }
    uint16_t scope = c->to->scope;
    bool recording = ag_set_recording(c->to, !(y->flags & AG__CUT));
    if (done && enter_scope(c, y->scope)) y->slot = ag_apply_on(c->to, y->op, in, (int)y->nin, attrs);
    ag_set_recording(c->to, recording);
    c->to->scope = scope;
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
    if (from == to) return ag__fail(to, AG_ERR_ARGUMENT, "clone: the target is the tape of the graph itself") != NULL;
    if (dtype != AG_F32 && dtype != AG_F64 && dtype != AG_DTYPE_COUNT) {
        return ag__fail(to, AG_ERR_DTYPE, "clone: the dtype must be f32, f64 or AG_DTYPE_COUNT to keep all") != NULL;
    }
    for (int i = 0; i < n; i++) {
        if (!ys[i] || ys[i]->tape != from)
            return ag__fail(to, AG_ERR_ARGUMENT, "clone: tensor %d is NULL or on another tape than tensor 0", i) != NULL;
    }
    cloning c = {from, to, dtype, flags};
    int64_t hi = mark(from, ys, n);
    bool done = clone_all(&c, hi);
    for (int i = 0; i < n; i++) {
        if (done && !ys[i]->slot) done = clone_leaf(&c, ys[i]) != NULL;
        out[i] = done ? ys[i]->slot : NULL;
    }
    clear(from, ys, n, hi);
    return done;
}
