/* backward.c: what starts the reverse loop, and what becomes of its results.
 *
 *   ag_backward    loop in scratch ─▶ sums at the leaves ─▶ committed to their handles, all or none
 *   ag_gradients   loop on the tape, along the marked paths xs → ys ─▶ the slots of the xs are the result */
#include <string.h>

#include "autograd/reverse.h"
#include "ops/ops.h"

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

/* A gradient is copied, for this very pass may add to it; a leaf of the user's is only read. */
static bool seed(ag__pass *p, ag_tensor *y, ag_tensor *g) {
    if (!g) {
        g = ag_full(p->t, (ag_dtype)y->dtype, ag_shape_of(y), 1);
    } else if (!p->record && !(g->flags & AG__PERSISTENT && g->store && !g->store->handle)) {
        g = ag_scale(g, 1);
    }
    return g && ag__arrive(p, y, g);
}

/* All or none: hooks and memory for every handle first, then additions that cannot fail. */
static bool commit(ag_tape *t) {
    for (int64_t i = 0; i < t->touched_count; i++) {
        ag_tensor *x = t->touched[i];
        if (!x->slot) continue; /* its handle was lent for nothing */
        if (x->flags & AG__HOOK && !ag__hook_call(x)) return false;
        if (!ag__grad_handle(x)) return false;
    }
    for (int64_t i = 0; i < t->touched_count; i++) {
        ag_tensor *x = t->touched[i], *h = x->meta->grad;
        bool home = x->slot && ag__at_home(x->slot, x);
        ag__lend_end(x, x->slot);
        if (!x->slot) continue;
        if (x->flags & AG__HAS_GRAD) {
            ag__accumulate(x->slot, h->data);
        } else if (!home) {
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
    ag__pass p = {.t = t, .r = &t->recorded};
    ag__region *region = t->region;
    ag__place scratch = ag__place_of(&t->scratch);
    const ag_tensor *visited = t->visited;
    bool recording = t->recording;
    t->region = &t->scratch;
    t->own = scratch.count + 1;
    t->recording = true;
    bool done = true;
    for (int i = 0; i < n && done; i++) done = seed(&p, ys[i], gys ? gys[i] : NULL);
    ag__region_cut(t, &t->scratch, &scratch);
    done = done && ag__reverse(&p, 0, hi) && commit(t);
    for (int64_t i = 0; p.live > 0 && i < hi; i++) ag__clear_slot(&p, ag__node(p.r, i));
    for (int64_t i = 0; i < t->touched_count; i++) {
        ag__clear_slot(&p, t->touched[i]);
        ag__lend_end(t->touched[i], done);
    }
    t->touched_count = t->lenders = 0;
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
    ag__pass p = {.t = t, .r = t->region, .record = true, .floor = t->own ? t->own - 1 : 0};
    ag__mark_paths(p.r, lo, hi);
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
    done = done && ag__reverse(&p, lo, hi);
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
