/* reverse.c: the reverse loop.
 *
 *     for each node y, from the last to the first:   g = y.slot;  d[] = rule of y at g;  x.slot += d[i] for its inputs x
 *
 * One loop serves two forms. For ag_backward the rules run in the scratch region, emptied after each; slots hold cells that are
 * added to in place where nobody else sees them. For ag_gradients everything is recorded: slots point to nodes on the tape,
 * sums are ag_add. Un-broadcasting and adding up stand here, once, so that no rule has to think of them.
 *
 * Invariant: slots are NULL outside the loop, also after an error. `live` counts nodes whose slot waits to be visited; at 0 the
 * loop ends, however long the tape is. */
#include "autograd/reverse.h"

#include <string.h>

#include "ops/ops.h"

AG__COLD static bool overwritten(ag_tensor *y, const ag_tensor *x) {
    char text[160];
    return ag__fail(y->tape, AG_ERR_STATE, "backward: %s was overwritten after %s used it",
                    ag__label(x, text, sizeof text), ag_op_name(y)) == NULL;
}

static inline bool stale(ag_tensor *y) {
    ag_tensor *const *in = ag__in(y);
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *x = in[i];
        if (!x->store) continue;
        if (x->store->kind == AG__BORROWED) ag__borrow_refresh(y->tape, x->store);
        if (x->store->stamp > y->ran) return overwritten(y, x);
    }
    return false;
}

bool ag__stale(ag_tensor *y) { return stale(y); }

static bool broadcasts(const ag__shape *from, const ag__shape *to) {
    if (from->rank > to->rank) return false;
    for (int i = 1; i <= from->rank; i++) {
        if (from->dim[from->rank - i] != 1 && from->dim[from->rank - i] != to->dim[to->rank - i]) return false;
    }
    return true;
}

AG__COLD static ag_tensor *refit(ag_tensor *d, const ag_tensor *x) {
    if (d->dtype != x->dtype) {
        return ag__fail(d->tape, AG_ERR_DTYPE, "a gradient rule returned %s for an input of %s",
                        ag_dtype_name((ag_dtype)d->dtype), ag_dtype_name((ag_dtype)x->dtype));
    }
    ag_shape shape = ag_shape_of(x), both = ag_shape_of(d->shape->rank > x->shape->rank ? d : x);
    if (broadcasts(x->shape, d->shape)) return ag_sum_to(d, shape);
    if (broadcasts(d->shape, x->shape)) return ag_expand(d, shape);
    for (int i = 1; i <= both.rank; i++) { /* extents of 1 in either: (1,3) for (2,1) */
        int64_t a = i <= x->shape->rank ? x->shape->dim[x->shape->rank - i] : 1;
        both.dim[both.rank - i] = a == 1 && i <= d->shape->rank ? d->shape->dim[d->shape->rank - i] : a;
    }
    d = ag_expand(d, both);
    return d ? ag_sum_to(d, shape) : NULL;
}

ag_tensor *ag__fit(ag_tensor *d, const ag_tensor *x) {
    return d->shape == x->shape && d->dtype == x->dtype ? d : refit(d, x);
}

/* By the slot of x, that is, or by it and x's handle. */
static bool owned_alone(const ag_tensor *x) {
    const ag__storage *s = x->slot->store;
    if (s && s->handle) return s->refs == 2 && ag__at_home(x->slot, x);
    return (!s || (s->refs == 1 && s->kind == AG__POOL)) && ag__contiguous(x->slot);
}

bool ag__touch(ag_tensor *leaf) {
    ag_tape *t = leaf->tape;
    ag_tensor **list = ag__grow(t, t->touched, sizeof *list, t->touched_count, &t->touched_capacity);
    if (!list) return false;
    t->touched = list;
    t->touched[t->touched_count++] = leaf;
    return true;
}

__attribute__((noinline)) static bool add_up(ag_tape *t, ag_tensor *x, ag_tensor *d) {
    if (owned_alone(x)) {
        if (d->flags & AG__PENDING) return ag__chain_run(d, x->slot->data);
        ag__accumulate(d, x->slot->data);
        return true;
    }
    ag_tensor *sum = ag_add(x->slot, d);
    ag_tensor *cell = sum ? ag__cell_keep(t, sum) : NULL;
    if (!cell) return false;
    ag__cell_drop(t, x->slot);
    x->slot = cell;
    return true;
}

/* What a slot holds of d, which lies in memory of its own or in that of x's handle. A chain not yet run may run there. */
static ag_tensor *first_cell(ag__pass *p, ag_tensor *x, ag_tensor *d) {
    ag_tape *t = p->t;
    if (p->inner) return ag__cell_keep(t, d);
    if (d->flags & AG__PENDING) {
        bool done = (!ag__lendable(x) || ag__lend(x)) && ag__settle(d);
        t->lenders = 0; /* what else is computed before the next rule is not x's */
        if (!done) return NULL;
    }
    if (x->flags & AG__LEAF && !ag__lent_to(x) && !ag__touch(x)) return NULL;
    return d->store && d->store->handle && !ag__at_home(d, x) ? ag__move_out(t, d) : ag__cell_keep(t, d);
}

/* x.slot += d */
bool ag__arrive(ag__pass *p, ag_tensor *x, ag_tensor *d) {
    ag_tape *t = p->t;
    d = ag__fit(d, x);
    if (!d) return false;
    bool first = !x->slot, leaf = x->flags & AG__LEAF;
    if (p->record) {
        if (p->floor && ag_index(x) < p->floor) return true; /* wanted by the loop outside, not by this one */
        x->slot = first ? d : ag_add(x->slot, d);
        if (!x->slot) return false;
    } else if (!first) {
        return add_up(t, x, d);
    } else {
        x->slot = first_cell(p, x, d);
        if (!x->slot) return false;
    }
    if (first && !leaf) p->live++;
    return true;
}

inline void ag__clear_slot(const ag__pass *p, ag_tensor *x) {
    if (x->slot && !p->record) ag__cell_drop(p->t, x->slot);
    x->slot = NULL;
}

/* Marks the nodes of [lo, hi) that depend differentiably on one already marked. */
void ag__mark_paths(const ag__region *r, int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi; i++) {
        ag_tensor *y = ag__node(r, i);
        if (y->flags & (AG__MARK | AG__LEAF | AG__CUT)) continue;
        if (y->op && y->op->flags & (AG_FLAT | AG_EFFECT)) continue;
        if (!(y->flags & AG__TUPLE) && !ag__is_float(y->dtype)) continue;
        for (uint32_t k = 0; k < y->nin; k++) {
            if (ag__in(y)[k]->flags & AG__MARK) {
                y->flags |= AG__MARK;
                break;
            }
        }
    }
}

/* Inputs of y, those that are wanted replaced by stand-ins; one tensor given twice has one. */
static bool stand_ins(ag_tensor *y, ag_tensor *stand_in[]) {
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *x = ag__in(y)[i];
        stand_in[i] = NULL;
        for (uint32_t k = 0; k < i && ag__expands(y->op) && !stand_in[i]; k++) {
            if (ag__in(y)[k] == x) stand_in[i] = stand_in[k];
        }
        if (!stand_in[i]) stand_in[i] = ag_wants(y, (int)i) ? ag_alias(x) : x;
        if (!stand_in[i]) return false;
    }
    return true;
}

static bool compose(ag_tensor *y, ag_tensor *const in[], ag_tensor *value[]) {
    ag_tensor shadow = *y;
    const void *list = in;
    if (y->nin > 3) {
        memcpy(&shadow.in[0], &list, sizeof list);
    } else {
        memcpy(shadow.in, in, y->nin * sizeof *in);
    }
    if (ag__expands(y->op)) return y->op->expand(&shadow, value);
    value[0] = y->op->compose(&shadow);
    return value[0] != NULL;
}

/* Runs the loop over [lo, end), which leads from stand-ins to values; slots of stand-ins may hold what had arrived before. */
static bool reverse_slice(ag__pass *p, ag_tensor *y, int64_t lo, ag_tensor *const stand_in[], ag_tensor *const value[],
                          ag_tensor *const g[]) {
    ag_tape *t = p->t;
    int64_t hi = p->r->count, own = t->own;
    uint16_t want_bit = t->want_bit;
    uint32_t want_only = t->want_only;
    for (uint32_t i = 0; i < y->nin; i++) {
        if (stand_in[i] != ag__in(y)[i]) stand_in[i]->flags |= AG__MARK | AG__TARGET;
    }
    ag__mark_paths(p->r, lo, hi);
    t->want_bit = AG__MARK;
    t->want_only = UINT32_MAX;
    t->own = hi + 1;
    bool done = true;
    for (int o = 0; o < (y->flags & AG__TUPLE ? y->op->nout : 1) && done; o++) {
        done = !g[o] || !(value[o]->flags & AG__MARK) || ag__arrive(p, value[o], g[o]);
    }
    done = done && ag__reverse(p, lo, hi);
    t->own = own;
    t->want_bit = want_bit;
    t->want_only = want_only;
    return done;
}

/* The gradient of an op that states its composition only: record it on stand-ins for the inputs, run the loop over that
 * slice. The stand-ins keep the slice's gradient apart from what flows to the inputs by other ways; where `carry` says so, one
 * goes on from what has arrived at its input (the slot moves to it), so that sums have the order they would have without
 * the node. */
__attribute__((noinline)) static bool rule_by_composition(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[],
                                                          const bool *carry) {
    ag_tape *t = y->tape;
    if (y->op->nout > 1 && !ag__expands(y->op))
        return ag_op_fail(y, AG_ERR_ARGUMENT, "its gradient cannot be taken through its composition");
    ag__pass p = {.t = t, .r = t->region, .record = t->region != &t->scratch || t->pure, .inner = true};
    ag_tensor **stand_in = ag__temp(t, (size_t)y->nin * sizeof *stand_in), *value[8];
    int64_t lo = p.r->count;
    bool done = stand_in && stand_ins(y, stand_in) && compose(y, stand_in, value);
    if (done) {
        int64_t hi = p.r->count;
        for (uint32_t i = 0; carry && i < y->nin; i++) {
            if (!carry[i]) continue;
            stand_in[i]->slot = ag__in(y)[i]->slot;
            ag__in(y)[i]->slot = NULL;
        }
        done = reverse_slice(&p, y, lo, stand_in, value, g);
        for (uint32_t i = 0; i < y->nin; i++) {
            bool taken = stand_in[i] == ag__in(y)[i];
            d[i] = taken ? NULL : stand_in[i]->slot;
            if (!taken) stand_in[i]->slot = NULL; /* of one that stands twice, the first has it */
        }
        for (int64_t i = lo; i < hi; i++) {
            ag_tensor *x = ag__node(p.r, i);
            ag__clear_slot(&p, x);
            x->flags &= (uint16_t) ~(AG__MARK | AG__TARGET);
        }
    }
    ag__temp_free(t, stand_in);
    return done;
}

inline bool ag__rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    if (stale(y)) return false;
    if (y->op->grad) return y->op->grad(y, g, d);
    if (y->op->compose || ag__expands(y->op)) return rule_by_composition(y, g, d, NULL);
    return ag_op_fail(y, AG_ERR_ARGUMENT, "has no gradient");
}

/* Copies an arrived gradient to the handle of a node that keeps it. */
AG__COLD static bool retain(const ag__pass *p, ag_tensor *y) {
    ag_tensor *h = ag__grad_handle(y);
    if (!h) return false;
    if (y->flags & AG__HAS_GRAD) {
        ag__accumulate(y->slot, h->data);
    } else {
        ag__gather(y->slot, h->data);
    }
    h->store->stamp = ++p->t->clock;
    y->flags |= AG__HAS_GRAD;
    return true;
}

/* What is rare at output y of a node: a hook on its gradient, a copy to keep, a profile that asks whose rule will run. */
AG__COLD static bool attend(const ag__pass *p, ag_tensor *y) {
    ag_tape *t = p->t;
    if (p->inner) return true;
    if (t->attend & AG__ATTEND_VISIT) t->visited = y;
    if (p->record || !y->slot) return true;
    if (y->flags & AG__HOOK && !ag__hook_call(y)) return false;
    return !(y->flags & AG__RETAIN || t->attend & AG__ATTEND_RETAIN) || retain(p, y);
}

static void release(ag__pass *p, ag_tensor *y) {
    if (!y->slot) return;
    p->live--;
    if (!(p->record && y->flags & AG__TARGET)) ag__clear_slot(p, y);
}

AG__COLD static bool no_reason(ag_tensor *y) {
    return y->tape->status ? false : ag_op_fail(y, AG_ERR_STATE, "its gradient failed without saying why");
}

/* A node without a rule that stands for many: what has arrived at its inputs goes through them, and comes back in its place. */
__attribute__((noinline)) static bool deliver_through(ag__pass *p, ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    bool *carry = ag__temp(p->t, y->nin * sizeof *carry);
    if (!carry) return false;
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *x = ag__in(y)[i];
        bool outside = p->record && p->floor && ag_index(x) < p->floor;
        carry[i] = ag__wants(y, i) && x->slot && !outside;
        for (uint32_t k = 0; k < i; k++) carry[i] = carry[i] && ag__in(y)[k] != x;
    }
    bool done = !ag__stale(y) && rule_by_composition(y, g, d, carry);
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *x = ag__in(y)[i];
        if (carry[i] && d[i]) {
            x->slot = d[i];
        } else if (d[i]) {
            if (done && ag__wants(y, i)) done = ag__arrive(p, x, d[i]);
            if (!p->record) ag__cell_drop(p->t, d[i]);
        }
    }
    ag__temp_free(p->t, carry);
    return done || no_reason(y);
}

/* The handles of y's leaves may take its rule's results, unless one of them could be mistaken for another's. */
__attribute__((noinline)) static bool lend_all(ag_tensor *y) {
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *x = ag__in(y)[i];
        bool alone = ag__wants(y, i) && ag__lendable(x);
        for (uint32_t k = 0; k < y->nin && alone; k++) {
            const ag_tensor *other = ag__in(y)[k];
            alone = !ag__wants(y, k) || ag__lendable(other) || other->shape != x->shape;
        }
        if (alone && !ag__lend(x)) return false;
    }
    return true;
}

static bool deliver(ag__pass *p, ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *const *in = ag__in(y);
    bool wanted = false, lends = false;
    for (uint32_t i = 0; i < y->nin; i++) {
        d[i] = NULL;
        if (!ag__wanted(in[i], i)) continue;
        wanted = true;
        lends = lends || ag__lendable(in[i]);
    }
    if (!wanted) return true;
    if (!y->op->grad && ag__expands(y->op)) return deliver_through(p, y, g, d);
    lends = lends && !p->record && !p->inner;
    if (lends && !lend_all(y)) return false;
    bool done = ag__rule(y, g, d);
    if (lends) p->t->lenders = 0;
    for (uint32_t i = 0; i < y->nin; i++) {
        if (!d[i]) continue;
        if (done && ag__wanted(in[i], i)) done = ag__arrive(p, in[i], d[i]);
        if (!p->record && !y->op->grad) ag__cell_drop(p->t, d[i]); /* left over from the composition's loop */
    }
    return done || no_reason(y);
}

/* Runs the rule of y on the gradients that arrived at its outputs. */
static bool visit(ag__pass *p, ag_tensor *y) {
    enum { FEW = 8 };
    ag_tape *t = p->t;
    bool tuple = y->flags & AG__TUPLE;
    int nout = tuple ? y->op->nout : 1;
    ag_tensor *few_d[FEW], *few_g[FEW], **d = few_d, **g = few_g;
    bool many = y->nin > FEW || nout > FEW;
    if (many) {
        d = ag__temp(t, ((size_t)y->nin + (size_t)nout) * sizeof *d);
        if (!d) return false;
        g = d + y->nin;
    }
    ag__place before = ag__place_of(t->region);
    bool done = true;
    for (int i = 0; i < nout; i++) {
        ag_tensor *out = tuple ? y->part[i] : y;
        if (out->flags & (AG__RETAIN | AG__HOOK) || t->attend) done = done && attend(p, out);
        g[i] = out->slot;
    }
    done = done && deliver(p, y, g, d);
    for (int i = 0; i < nout; i++) release(p, tuple ? y->part[i] : y);
    if (!p->record && t->region->count != before.count) ag__region_cut(t, t->region, &before);
    if (many) ag__temp_free(t, d);
    return done;
}

static bool waits(const ag__pass *p, const ag_tensor *y) {
    if (y->flags & (AG__PART | AG__LEAF)) return false;
    if (p->inner && y->flags & AG__TARGET) return false;
    if (!(y->flags & AG__TUPLE)) return y->slot != NULL;
    for (int i = 0; i < y->op->nout; i++) {
        if (y->part[i]->slot) return true;
    }
    return false;
}

bool ag__reverse(ag__pass *p, int64_t lo, int64_t hi) {
    for (int64_t i = hi; i-- > lo && p->live > 0;) {
        ag_tensor *y = ag__node(p->r, i);
        if (waits(p, y) && !visit(p, y)) return false;
    }
    return true;
}
