/* gradient.c: where gradients are kept.
 *
 *   cell     a copy of the node that a rule returned: it shares the node's storage and outlives the scratch region.
 *            Cells come from a free list; one holds the gradient of a node from its first contribution until its rule has run.
 *   handle   what ag_grad returns: of a persistent leaf another persistent leaf, of a recorded node a cell. */
#include <string.h>

#include "autograd/node.h"

static ag_tensor *cell_new(ag_tape *t) {
    ag_tensor *x = t->cells;
    if (x) {
        t->cells = x->slot;
        return x;
    }
    ag__cell *cell = ag__get(t, sizeof *cell, 64);
    return cell ? &cell->tensor : NULL;
}

ag_tensor *ag__cell_keep(ag_tape *t, ag_tensor *d) {
    ag_tensor *x = ag__settle(d) ? cell_new(t) : NULL;
    if (!x) return NULL;
    ag__node_init(x, t, NULL, 0, AG__LIVE | AG__LEAF | AG__CELL);
    x->shape = d->shape;
    x->data = d->data;
    x->store = d->store;
    x->ran = d->ran;
    x->dtype = d->dtype;
    if (d->strides) {
        int64_t *strides = ((ag__cell *)(void *)x)->strides;
        memcpy(strides, d->strides, (size_t)d->shape->rank * sizeof *strides);
        x->strides = strides;
    }
    if (d->store) {
        d->store->refs++;
    } else if (d->shape->size == 1 && d->dtype == AG_F32) {
        x->scalar.f32[0] = *(const float *)d->data; /* a load no wider than the store that may just have made it */
        x->data = &x->scalar;
    } else {
        /* The value lies in some node, perhaps not d itself: the 8 bytes around it are that node's scalar. */
        uintptr_t offset = d->shape->size ? (uintptr_t)d->data & 7 : 0;
        if (d->shape->size) memcpy(&x->scalar, (const char *)d->data - offset, sizeof x->scalar);
        x->data = x->scalar.bytes + offset;
    }
    return x;
}

inline void ag__cell_drop(ag_tape *t, ag_tensor *x) {
    if (x->store) ag__storage_drop(t, x->store);
    if (x->meta) ag__meta_free(x);
    x->store = NULL;
    if (t->poison) x->tape = &ag__dropped; /* a handle that was kept is told so, until the cell serves again */
    x->slot = t->cells;
    t->cells = x;
}

static ag_tensor *cell_zeros(ag_tensor *like) {
    ag_tape *t = like->tape;
    ag__storage *s = ag__storage_new(t, (size_t)like->shape->size * ag__dtype_bytes[like->dtype]);
    if (!s) return NULL;
    ag_tensor whole = {.tape = t, .shape = like->shape, .data = s->base, .store = s, .dtype = like->dtype, .ran = t->clock};
    ag_tensor *x = ag__cell_keep(t, &whole);
    ag__storage_drop(t, s); /* the cell has a reference of its own */
    return x;
}

ag_tensor *ag__grad_handle(ag_tensor *x) {
    ag__meta *m = ag__meta_of(x);
    if (!m || m->grad) return m ? m->grad : NULL;
    ag_tensor *h = x->flags & AG__PERSISTENT
                       ? ag__leaf_in(x->tape, &x->tape->persistent, (ag_dtype)x->dtype, x->shape, false)
                       : cell_zeros(x);
    if (!h) return NULL;
    ag__zero(h->data, (size_t)h->shape->size * ag__dtype_bytes[h->dtype]);
    if (x->flags & AG__PERSISTENT) {
        h->flags |= AG__HANDLE;
        h->in[0] = x;
        h->store->handle = true;
    }
    m->grad = h;
    return h;
}

static ag_tensor *usable(ag_tensor *x, const char *what) {
    if (!x) return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: the tensor is NULL", what);
    if (x->tape == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "%s: %s", what, ag__dropped.message);
    return x;
}

ag_tensor *ag_grad(ag_tensor *x) {
    char text[160];
    if (!usable(x, "grad")) return NULL;
    if (x->flags & AG__LEAF && x->flags & AG__GRAD) return ag__grad_handle(x);
    if (x->meta && x->meta->grad) return x->meta->grad;
    return ag__fail(x->tape, AG_ERR_STATE,
                    x->flags & AG__LEAF ? "grad: %s does not require a gradient"
                                        : "grad: %s is not a leaf; call ag_retain_grad on it before ag_backward",
                    ag__label(x, text, sizeof text));
}

bool ag_has_grad(const ag_tensor *x) { return x && x->flags & AG__HAS_GRAD; }

bool ag_zero_grad(ag_tensor *x) {
    if (!usable(x, "zero_grad")) return false;
    ag_tensor *h = x->meta ? x->meta->grad : NULL;
    if (h && x->flags & AG__HAS_GRAD) {
        ag__zero(h->data, (size_t)h->shape->size * ag__dtype_bytes[h->dtype]);
        h->store->stamp = ++x->tape->clock;
        h->out &= (uint8_t)~AG__HANDLE_USED;
    }
    x->flags &= (uint16_t)~AG__HAS_GRAD;
    return true;
}

bool ag_retain_grad(ag_tensor *x) {
    char text[160];
    if (!usable(x, "retain_grad")) return false;
    if (!(x->flags & AG__GRAD)) {
        return ag__fail(x->tape, AG_ERR_STATE, "retain_grad: %s does not depend on a leaf that requires a gradient",
                        ag__label(x, text, sizeof text)) != NULL;
    }
    if (!(x->flags & AG__LEAF)) x->flags |= AG__RETAIN;
    return ag__grad_handle(x) != NULL;
}

void ag_tape_retain_grads(ag_tape *t, bool all) {
    if (t) t->attend = (uint8_t)(all ? t->attend | AG__ATTEND_RETAIN : t->attend & ~AG__ATTEND_RETAIN);
}

bool ag_requires_grad(const ag_tensor *x) { return x && x->flags & AG__GRAD; }

bool ag_set_requires_grad(ag_tensor *x, bool requires_grad) {
    char text[160];
    if (!usable(x, "set_requires_grad")) return false;
    if (!(x->flags & AG__LEAF)) {
        return ag__fail(x->tape, AG_ERR_ARGUMENT,
                        "set_requires_grad: %s is a result, not a leaf; ag_detach cuts its gradient",
                        ag__label(x, text, sizeof text)) != NULL;
    }
    if (requires_grad && !ag__is_float(x->dtype)) {
        return ag__fail(x->tape, AG_ERR_DTYPE, "set_requires_grad: %s is %s; only f32 and f64 have gradients",
                        ag__label(x, text, sizeof text), ag_dtype_name((ag_dtype)x->dtype)) != NULL;
    }
    x->flags = (uint16_t)(requires_grad ? x->flags | AG__GRAD : x->flags & ~AG__GRAD);
    return true;
}

bool ag_set_recording(ag_tape *t, bool recording) {
    if (!t) return false;
    bool before = t->recording;
    t->recording = recording;
    return before;
}
