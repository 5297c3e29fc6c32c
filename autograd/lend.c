/* lend.c: the gradient of a leaf is computed where it will stay.
 *
 *     rule of y ─▶ a result of the leaf's shape ─▶ the memory of ag_grad(leaf), lent ─▶ slot ─▶ committed: nothing to copy
 *
 * Lent is what nobody can look at: a handle without a gradient, of which no tensor is a view and which no recorded node has
 * used since it was last written. A tape with hooks, whose functions may look, lends nothing.
 *
 * Invariant: outside a backward pass a handle that has no gradient holds zeros. A leaf whose memory was lent is in
 * tape.touched, and the end of the pass, good or bad, fills its handle or clears it. The result may turn out to be another's
 * gradient, a part of it, or none: what arrives from lent memory is kept only if it is the leaf's own and lies there whole. */
#include "autograd/reverse.h"

static ag_tensor *handle_of(const ag_tensor *leaf) { return leaf->meta ? leaf->meta->grad : NULL; }

bool ag__lend(ag_tensor *leaf) {
    ag_tape *t = leaf->tape;
    const ag_tensor *h = ag__grad_handle(leaf);
    if (!h) return false;
    if (!(h->out & AG__HANDLE_USED) && t->lenders < AG__LENDERS) t->lender[t->lenders++] = leaf;
    return true;
}

ag__storage *ag__borrow(ag_tape *t, const ag__shape *shape, int dtype) {
    for (int i = 0; i < t->lenders; i++) {
        ag_tensor *leaf = t->lender[i], *h = handle_of(leaf);
        if (leaf->shape != shape || leaf->dtype != dtype || h->store->refs != 1) continue;
        if (!(h->out & AG__HANDLE_LENT) && !ag__touch(leaf)) return NULL;
        h->out |= AG__HANDLE_LENT;
        h->store->refs++;
        return h->store;
    }
    return NULL;
}

bool ag__lent_to(const ag_tensor *leaf) {
    const ag_tensor *h = handle_of(leaf);
    return h && h->out & AG__HANDLE_LENT;
}

bool ag__at_home(const ag_tensor *d, const ag_tensor *leaf) {
    const ag_tensor *h = handle_of(leaf);
    return h && d->store == h->store && h->out & AG__HANDLE_LENT && ag__contiguous(d);
}

ag_tensor *ag__move_out(ag_tape *t, const ag_tensor *d) {
    ag__storage *s = ag__storage_new(t, (size_t)d->shape->size * ag__dtype_bytes[d->dtype]);
    if (!s) return NULL;
    ag__gather(d, s->base);
    ag_tensor whole = {.tape = t, .shape = d->shape, .data = s->base, .store = s, .dtype = d->dtype, .ran = d->ran};
    ag_tensor *cell = ag__cell_keep(t, &whole);
    ag__storage_drop(t, s); /* the cell has a reference of its own */
    return cell;
}

void ag__lend_end(ag_tensor *leaf, bool filled) {
    ag_tensor *h = handle_of(leaf);
    if (!h) return;
    if (!filled && h->out & AG__HANDLE_LENT) ag__zero(h->data, (size_t)h->shape->size * ag__dtype_bytes[h->dtype]);
    h->out &= (uint8_t)~AG__HANDLE_LENT;
}

/* In the middle of a pass. */
bool ag__handle_seen(const ag_tensor *h) {
    char text[160];
    return !(h->out & AG__HANDLE_LENT) ||
           ag__fail(h->tape, AG_ERR_STATE, "grad: a gradient %s is read while backward computes it",
                    ag__label(h, text, sizeof text)) != NULL;
}

bool ag__handles_used(const ag_tensor *y) {
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *h = ag__in(y)[i];
        if (!(h->flags & AG__HANDLE)) continue;
        if (!ag__handle_seen(h)) return false;
        h->out |= AG__HANDLE_USED;
    }
    return true;
}
