/* backward.c: the reverse loop.
 *
 *     for each node y, from the last to the first:   g = y.slot;  d[] = rule of y at g;  x.slot += d[i] for its inputs x
 *
 * One loop serves two forms. ag_backward runs the rules in the scratch region, emptied after each rule; slots hold cells that
 * are added to in place where nobody else sees them, and the leaves' sums are committed at the end, all or none.
 * ag_gradients records: slots point to nodes on the tape, sums are ag_add. Un-broadcasting and adding up stand here, once,
 * so that no rule has to think of them.
 *
 * Invariant: slots are NULL outside the loop, also after an error. `live` counts nodes whose slot waits to be visited; at 0 the
 * loop ends, however long the tape is. */
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"

typedef struct pass {
    ag_tape *t;
    ag__region *r; /* of the nodes visited */
    bool record;   /* ag_gradients */
    bool inner;    /* over a composition: ends at its stand-ins */
    int64_t floor; /* nodes before it belong to the loop whose rule called this one */
    int64_t live;
} pass;

AG__COLD static bool overwritten(ag_tensor *y, const ag_tensor *x) {
    char text[160];
    return ag__fail(y->tape, AG_ERR_STATE, "backward: %s was overwritten after %s used it",
                    ag__label(x, text, sizeof text), ag_op_name(y)) == NULL;
}

bool ag__stale(ag_tensor *y) {
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *x = ag__in(y)[i];
        if (!x->store) continue;
        if (x->store->kind == AG__BORROWED) ag__borrow_refresh(y->tape, x->store);
        if (x->store->stamp > y->ran) return overwritten(y, x);
    }
    return false;
}

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

static bool owned_alone(const ag_tensor *cell) {
    return (!cell->store || (cell->store->refs == 1 && cell->store->kind == AG__POOL)) && ag__contiguous(cell);
}

static bool touch(ag_tape *t, ag_tensor *leaf) {
    ag_tensor **list = ag__grow(t, t->touched, sizeof *list, t->touched_count, &t->touched_capacity);
    if (!list) return false;
    t->touched = list;
    t->touched[t->touched_count++] = leaf;
    return true;
}

__attribute__((noinline)) static bool add_up(ag_tape *t, ag_tensor *x, ag_tensor *d) {
    if (owned_alone(x->slot)) {
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

/* x.slot += d */
static bool put(pass *p, ag_tensor *x, ag_tensor *d) {
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
        if (leaf && !p->inner && !touch(t, x)) return false;
        x->slot = ag__cell_keep(t, d);
        if (!x->slot) return false;
    }
    if (first && !leaf) p->live++;
    return true;
}

static void clear_slot(const pass *p, ag_tensor *x) {
    if (x->slot && !p->record) ag__cell_drop(p->t, x->slot);
    x->slot = NULL;
}

/* Marks the nodes of [lo, hi) that depend differentiably on one already marked. */
static void mark_paths(const ag__region *r, int64_t lo, int64_t hi) {
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

static bool reverse(pass *p, int64_t lo, int64_t hi);

/* The gradient of an op that states its composition only: record it on stand-ins for the inputs, run the loop over that
 * slice. The stand-ins keep the slice's gradient apart from what flows to the inputs by other ways. */
__attribute__((noinline)) static bool rule_by_composition(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tape *t = y->tape;
    enum { MOST = 8 };
    if (y->nin > MOST || y->op->nout > 1)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "its gradient cannot be taken through its composition");
    pass p = {.t = t, .r = t->region, .record = t->region != &t->scratch || t->pure, .inner = true};
    ag_tensor *stand_in[MOST], shadow = *y;
    int64_t lo = p.r->count;
    for (uint32_t i = 0; i < y->nin; i++) {
        stand_in[i] = ag__in(y)[i];
        if (ag_wants(y, (int)i)) stand_in[i] = ag_alias(stand_in[i]);
        if (!stand_in[i]) return false;
    }
    const void *list = stand_in;
    if (y->nin > 3) {
        memcpy(&shadow.in[0], &list, sizeof list);
    } else {
        memcpy(shadow.in, stand_in, y->nin * sizeof *stand_in);
    }
    ag_tensor *value = y->op->compose(&shadow);
    if (!value) return false;
    for (uint32_t i = 0; i < y->nin; i++) {
        if (ag_wants(y, (int)i)) stand_in[i]->flags |= AG__MARK | AG__TARGET;
    }
    int64_t hi = p.r->count;
    mark_paths(p.r, lo, hi);
    uint16_t want_bit = t->want_bit;
    uint32_t want_only = t->want_only;
    int64_t own = t->own;
    t->want_bit = AG__MARK;
    t->want_only = UINT32_MAX;
    t->own = hi + 1;
    bool done = (!(value->flags & AG__MARK) || put(&p, value, g[0])) && reverse(&p, lo, hi);
    t->own = own;
    t->want_bit = want_bit;
    t->want_only = want_only;
    for (uint32_t i = 0; i < y->nin; i++) d[i] = stand_in[i] != ag__in(y)[i] ? stand_in[i]->slot : NULL;
    for (int64_t i = lo; i < hi; i++) {
        ag_tensor *x = ag__node(p.r, i);
        if (!(x->flags & AG__TARGET)) clear_slot(&p, x);
        x->slot = NULL;
        x->flags &= (uint16_t) ~(AG__MARK | AG__TARGET);
    }
    return done;
}

bool ag__rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    if (ag__stale(y)) return false;
    if (y->op->grad) return y->op->grad(y, g, d);
    if (y->op->compose) return rule_by_composition(y, g, d);
    return ag_op_fail(y, AG_ERR_ARGUMENT, "has no gradient");
}

/* Copies an arrived gradient to the handle of a node that keeps it. */
AG__COLD static bool retain(const pass *p, ag_tensor *y) {
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
AG__COLD static bool attend(const pass *p, ag_tensor *y) {
    ag_tape *t = p->t;
    if (p->inner) return true;
    if (t->attend & AG__ATTEND_VISIT) t->visited = y;
    if (p->record || !y->slot) return true;
    if (y->flags & AG__HOOK && !ag__hook_call(y)) return false;
    return !(y->flags & AG__RETAIN || t->attend & AG__ATTEND_RETAIN) || retain(p, y);
}

static void release(pass *p, ag_tensor *y) {
    if (!y->slot) return;
    p->live--;
    if (!(p->record && y->flags & AG__TARGET)) clear_slot(p, y);
}

AG__COLD static bool no_reason(ag_tensor *y) {
    return y->tape->status ? false : ag_op_fail(y, AG_ERR_STATE, "its gradient failed without saying why");
}

static bool deliver(pass *p, ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    bool wanted = false;
    for (uint32_t i = 0; i < y->nin; i++) {
        d[i] = NULL;
        wanted = wanted || ag__wants(y, i);
    }
    if (!wanted) return true;
    bool done = ag__rule(y, g, d);
    for (uint32_t i = 0; i < y->nin; i++) {
        if (!d[i]) continue;
        if (done && ag__wants(y, i)) done = put(p, ag__in(y)[i], d[i]);
        if (!p->record && !y->op->grad) ag__cell_drop(p->t, d[i]); /* left over from the composition's loop */
    }
    return done || no_reason(y);
}

/* Runs the rule of y on the gradients that arrived at its outputs. */
static bool visit(pass *p, ag_tensor *y) {
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
    if (!p->record && t->region->count != before.count) ag__region_cut(t, t->region, before);
    if (many) ag__temp_free(t, d);
    return done;
}

static bool waits(const pass *p, const ag_tensor *y) {
    if (y->flags & (AG__PART | AG__LEAF)) return false;
    if (p->inner && y->flags & AG__TARGET) return false;
    if (!(y->flags & AG__TUPLE)) return y->slot != NULL;
    for (int i = 0; i < y->op->nout; i++) {
        if (y->part[i]->slot) return true;
    }
    return false;
}

static bool reverse(pass *p, int64_t lo, int64_t hi) {
    for (int64_t i = hi; i-- > lo && p->live > 0;) {
        ag_tensor *y = ag__node(p->r, i);
        if (waits(p, y) && !visit(p, y)) return false;
    }
    return true;
}

static bool check_ends(ag_tape *t, ag_tensor *const ys[], ag_tensor *const gys[], int n, const char *what) {
    char text[160], other[160];
    for (int i = 0; i < n; i++) {
        const ag_tensor *y = ys[i], *g = gys ? gys[i] : NULL;
        if (!y) return ag__fail(t, AG_ERR_ARGUMENT, "%s: tensor %d is NULL", what, i) != NULL;
        if (y->tape != t)
            return ag__fail(t, AG_ERR_ARGUMENT, "%s: tensor %d, %s, is on another tape", what, i,
                            ag__label(y, text, sizeof text)) != NULL;
        if (y->flags & AG__TUPLE || !ag__is_float(y->dtype)) {
            return ag__fail(t, AG_ERR_DTYPE, "%s: %s is not a float tensor", what, ag__label(y, text, sizeof text)) != NULL;
        }
        if (g && (g->tape != t || g->flags & AG__TUPLE || g->shape != y->shape || g->dtype != y->dtype)) {
            return ag__fail(t, AG_ERR_SHAPE, "%s: the gradient %s given for %s must have its tape, shape and dtype",
                            what, ag__label(g, other, sizeof other), ag__label(y, text, sizeof text)) != NULL;
        }
    }
    return true;
}

static bool seed(pass *p, ag_tensor *y, ag_tensor *g) {
    if (!g) {
        g = ag_full(p->t, (ag_dtype)y->dtype, ag_shape_of(y), 1);
    } else if (!p->record) {
        g = ag_scale(g, 1); /* a copy: g may be a gradient that this very pass adds to */
    }
    return g && put(p, y, g);
}

/* All or none: hooks and memory for every handle first, then additions that cannot fail. */
static bool commit(ag_tape *t) {
    for (int64_t i = 0; i < t->touched_count; i++) {
        ag_tensor *x = t->touched[i];
        if (x->flags & AG__HOOK && !ag__hook_call(x)) return false;
        if (!ag__grad_handle(x)) return false;
    }
    for (int64_t i = 0; i < t->touched_count; i++) {
        ag_tensor *x = t->touched[i], *h = x->meta->grad;
        if (x->flags & AG__HAS_GRAD) {
            ag__accumulate(x->slot, h->data);
        } else {
            ag__gather(x->slot, h->data);
        }
        h->store->stamp = ++t->clock;
        x->flags |= AG__HAS_GRAD;
    }
    return true;
}

static bool remember(ag_tape *t, ag_tensor *const ys[], int n) {
    ag__ends *e = &t->ends;
    e->count = e->past = 0;
    e->state = AG__ENDS_FAILED;
    for (int i = 0; i < n; i++) {
        ag_tensor **list = ag__grow(t, e->y, sizeof *list, e->count, &e->capacity);
        if (!list) return false;
        e->y = list;
        e->y[e->count++] = ys[i];
        if (ag__end(ys[i]) > e->past) e->past = ag__end(ys[i]);
    }
    return true;
}

bool ag_backward_from(ag_tensor *const ys[], ag_tensor *const gys[], int n) {
    char text[160];
    if (!ys || n < 1 || !ys[0]) return ag__fail(NULL, AG_ERR_ARGUMENT, "backward: the tensor is NULL") != NULL;
    ag_tape *t = ys[0]->tape;
    if (t == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "backward: %s", t->message) != NULL;
    if (t->status || !check_ends(t, ys, gys, n, "backward")) return false;
    if (ag__inside(t)) {
        return ag__fail(t, AG_ERR_STATE, "backward: called inside a gradient rule; ag_gradients may be") != NULL;
    }
    if (!remember(t, ys, n)) return false;
    for (int i = 0; i < n; i++) {
        if (!(ys[i]->flags & AG__GRAD)) {
            return ag__fail(t, AG_ERR_STATE, "backward: %s does not depend on a leaf that requires a gradient",
                            ag__label(ys[i], text, sizeof text)) != NULL;
        }
    }
    int64_t hi = t->ends.past;
    pass p = {.t = t, .r = &t->recorded};
    ag__region *region = t->region;
    ag__place scratch = ag__place_of(&t->scratch);
    const ag_tensor *visited = t->visited;
    bool recording = t->recording;
    t->region = &t->scratch;
    t->own = scratch.count + 1;
    t->recording = true;
    bool done = true;
    for (int i = 0; i < n && done; i++) done = seed(&p, ys[i], gys ? gys[i] : NULL);
    ag__region_cut(t, &t->scratch, scratch);
    done = done && reverse(&p, 0, hi) && commit(t);
    for (int64_t i = 0; p.live > 0 && i < hi; i++) clear_slot(&p, ag__node(p.r, i));
    for (int64_t i = 0; i < t->touched_count; i++) clear_slot(&p, t->touched[i]);
    t->touched_count = 0;
    t->visited = visited;
    t->region = region;
    t->own = 0;
    t->recording = recording;
    if (done) t->ends.state = AG__ENDS_DONE;
    return done;
}

bool ag_backward(ag_tensor *loss) {
    char text[160];
    if (loss && !loss->tape->status && !(loss->flags & AG__TUPLE) && loss->shape->size != 1) {
        return ag__fail(loss->tape, AG_ERR_SHAPE,
                        "backward: the loss %s must have one element; sum it, or use ag_backward_from",
                        ag__label(loss, text, sizeof text)) != NULL;
    }
    bool draw = loss && ag__dot_wanted(false);
    uint8_t attend = draw ? loss->tape->attend : 0;
    if (draw) loss->tape->attend |= AG__ATTEND_RETAIN;
    bool done = ag_backward_from(&loss, NULL, 1);
    if (draw) {
        loss->tape->attend = attend;
        if (done && ag__dot_wanted(true)) ag__dot_from_environment(loss);
    }
    return done;
}

/* Inside a rule or a hook only what it has recorded itself may be differentiated. */
static bool check_own(ag_tape *t, ag_tensor *const xs[], int n) {
    for (int i = 0; i < n && ag__inside(t); i++) {
        int64_t at = ag_index(xs[i]);
        if (at >= t->own - 1 && at < t->region->count && ag__node(t->region, at) == xs[i]) continue;
        return ag__fail(t, AG_ERR_STATE,
                        "gradients: inside a gradient rule, only what the rule made of ag_alias(input) "
                        "can be differentiated, with respect to those aliases") != NULL;
    }
    return true;
}

void ag__cut(ag_tape *t, int64_t from) {
    for (int64_t i = from; i < t->region->count; i++) {
        ag_tensor *y = ag__node(t->region, i);
        if (!(y->flags & AG__LEAF)) y->flags = (uint16_t)((y->flags & ~AG__GRAD) | AG__CUT);
    }
}

bool ag_gradients(ag_tensor *const ys[], ag_tensor *const gys[], int n, ag_tensor *const xs[], int m, ag_tensor *out[]) {
    if (!ys || !xs || !out || n < 1 || !ys[0])
        return ag__fail(NULL, AG_ERR_ARGUMENT, "gradients: a tensor is NULL") != NULL;
    ag_tape *t = ys[0]->tape;
    if (t->status || !check_ends(t, ys, gys, n, "gradients") || !check_ends(t, xs, NULL, m, "gradients")) return false;
    if (!check_own(t, ys, n) || !check_own(t, xs, m)) return false;
    ag_tensor **found = ag__temp(t, (size_t)(m > 0 ? m : 0) * sizeof *found); /* out may be xs */
    if (!found) return false;
    int64_t lo = INT64_MAX, hi = 0;
    for (int i = 0; i < n; i++) hi = ag__end(ys[i]) > hi ? ag__end(ys[i]) : hi;
    for (int j = 0; j < m; j++) {
        xs[j]->flags |= AG__MARK | AG__TARGET;
        int64_t at = ag_index(xs[j]) < 0 ? 0 : ag_index(xs[j]);
        lo = at < lo ? at : lo;
    }
    pass p = {.t = t, .r = t->region, .record = true, .floor = t->own ? t->own - 1 : 0};
    mark_paths(p.r, lo, hi);
    uint16_t want_bit = t->want_bit;
    uint32_t want_only = t->want_only;
    const ag_tensor *visited = t->visited;
    bool recording = t->recording, pure = t->pure;
    int64_t before = t->region->count, own = t->own;
    t->want_bit = AG__MARK;
    t->want_only = UINT32_MAX;
    t->own = before + 1;
    t->recording = t->pure = true; /* rules find their way by marks, which nodes made without recording do not carry */
    bool done = true;
    for (int i = 0; i < n && done; i++) done = !(ys[i]->flags & AG__MARK) || seed(&p, ys[i], gys ? gys[i] : NULL);
    done = done && reverse(&p, lo, hi);
    t->want_bit = want_bit;
    t->want_only = want_only;
    t->pure = pure;
    t->own = own;
    t->visited = visited;
    t->recording = recording;
    if (!recording) ag__cut(t, before);
    for (int j = 0; j < m; j++) {
        found[j] = done ? xs[j]->slot : NULL;
        if (done && !found[j]) found[j] = ag_full(t, (ag_dtype)xs[j]->dtype, ag_shape_of(xs[j]), 0);
        done = done && found[j];
    }
    for (int64_t i = lo; i < hi; i++) {
        ag_tensor *x = ag__node(p.r, i);
        x->slot = NULL;
        x->flags &= (uint16_t) ~(AG__MARK | AG__TARGET);
    }
    for (int j = 0; j < m; j++) {
        xs[j]->slot = NULL;
        xs[j]->flags &= (uint16_t) ~(AG__MARK | AG__TARGET);
    }
    for (int j = 0; j < m; j++) out[j] = found[j];
    ag__temp_free(t, found);
    return done;
}
