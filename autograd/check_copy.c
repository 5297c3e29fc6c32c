/* check_copy.c: the graph of a loss, copied to a trial.
 *
 *     leaf x            ─▶ f64 leaf, moved
 *     result x of an op ─▶ op ─ add ─▶       what used x uses the sum; so x moves, and what leads to x has its whole gradient
 *                    f64 zeros ─┘
 *     flat, detached …  ─▶ f64 leaf with the recorded value, and for a flat one its shadow: the op on the copied inputs
 *     other             ─▶ op on the copied inputs
 *
 * As in clone.c, a node's copy stands in its slot until all are made. Flags of the graph that is copied: AG__TARGET, what
 * leads to the loss; AG__MARK, what shall move. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradcheck.h"
#include "ops/ops.h"

bool ag__check_holds(const ag_tensor *y) {
    const ag_op *op = y->op;
    bool random = op->flags & AG_RANDOM && !op->grad && !op->compose;
    bool number = !(y->flags & AG__TUPLE) && !ag__is_float(y->dtype);
    return y->flags & AG__CUT || op->flags & (AG_FLAT | AG_EFFECT | AG_DETACH) || random || number;
}

/* A held value that more than its leaves decide: it is not computed again. */
static bool opaque(const ag_tensor *y) {
    return y->flags & AG__CUT || y->op->flags & (AG_EFFECT | AG_DETACH | AG_RANDOM);
}

static void target(ag_tensor *x) {
    if (ag_index(x) >= 0) x->flags |= AG__TARGET;
}

int64_t ag__check_mark(ag_tensor *y, bool whole) {
    target(y);
    for (int64_t i = ag__end(y); i-- > 0;) {
        ag_tensor *x = ag__node(&y->tape->recorded, i);
        if (!(x->flags & AG__TARGET)) continue;
        if (x->op && !whole && ag__check_holds(x) && opaque(x)) continue;
        for (uint32_t k = 0; k < x->nin; k++) target(ag__in(x)[k]);
    }
    return ag__end(y);
}

void ag__check_unmark(ag_tape *t, int64_t hi) {
    for (int64_t i = 0; i < hi; i++) {
        ag_tensor *x = ag__node(&t->recorded, i);
        for (uint32_t k = 0; k < x->nin; k++) {
            ag__in(x)[k]->slot = NULL;
            ag__in(x)[k]->flags &= (uint16_t)~AG__MARK;
        }
        x->slot = NULL;
        x->flags &= (uint16_t) ~(AG__MARK | AG__TARGET);
    }
}

ag_tensor *ag__check_widen(ag_tape *t, const ag_tensor *x, unsigned flags) {
    ag_dtype dtype = ag__is_float(x->dtype) ? AG_F64 : (ag_dtype)x->dtype;
    ag_tensor *y = ag_leaf(t, dtype, NULL, ag_shape_of(x), flags);
    if (!y) return NULL;
    if (dtype == x->dtype) {
        ag__gather(x, y->data);
        return y;
    }
    const float *dense = ag__contiguous(x) ? x->data : NULL;
    for (int64_t i = 0; i < x->shape->size; i++) ((double *)y->data)[i] = dense ? (double)dense[i] : ag_at(x, i);
    return y;
}

void ag__check_name(char out[64], const ag_tensor *x) {
    char label[160];
    if (*ag_name(x)) {
        snprintf(out, 64, "%s", ag_name(x));
    } else if (x->flags & AG__LEAF) {
        snprintf(out, 64, "leaf %s", ag_shape_text(x, label, sizeof label));
    } else {
        const ag_tensor *y = x->flags & AG__PART ? x->in[0] : x;
        snprintf(out, 64, "#%lld %s", (long long)y->index, y->op->name);
    }
}

/* Making the copies */

static ag_tensor *copy_leaf(ag__trial *t, ag_tensor *x) {
    if (!x->slot) x->slot = ag__check_widen(t->tape, x, AG_RECORDED);
    return x->slot;
}

/* A step of a flat function is 1 or so; a flat node may also vary a little with what it depends on. */
bool ag__shadow_same(const ag_tensor *x, const void *home) {
    size_t element = ag__dtype_bytes[x->dtype];
    if (ag__contiguous(x) && !ag__is_float(x->dtype)) return !memcmp(x->data, home, (size_t)x->shape->size * element);
    for (int64_t i = 0; i < x->shape->size; i++) {
        double a = ag_at(x, i), b = ag__load((const char *)home + (size_t)i * element, x->dtype);
        if (a != b && !(fabs(a - b) <= 0.1 + 1e-5 * fabs(b)) && !(isnan(a) && isnan(b))) return false;
    }
    return true;
}

static bool add_shadow(ag__trial *t, ag_tensor *live, const ag_tensor *held) {
    ag__shadow *s = ag__bump(t->tape, &t->tape->recorded, sizeof *s);
    if (!s) return false;
    *s = (ag__shadow){.next = t->shadow, .live = live, .differs = !ag__shadow_same(live, held->data)};
    t->shadow = s;
    return true;
}

/* y's op on the copies of its inputs; a value that is held anyway is made only if one of them may move. */
static bool apply(ag__trial *t, ag_tensor *y, ag_tensor **made) {
    ag_tape *tape = t->tape;
    ag_tensor **in = ag__temp(tape, (y->nin + 1) * sizeof *in);
    void *attrs = y->op->attr_size && in ? ag__temp(tape, y->op->attr_size) : NULL;
    bool done = in && (attrs || !y->op->attr_size), needed = !ag__check_holds(y);
    for (uint32_t i = 0; i < y->nin && done; i++) {
        in[i] = copy_leaf(t, ag__in(y)[i]);
        done = in[i] != NULL;
        needed = needed || (done && in[i]->flags & AG__GRAD);
    }
    if (attrs) {
        memcpy(attrs, y->attrs, y->op->attr_size);
        ag__attrs_convert(y->op, attrs, AG_F64);
    }
    if (done && needed) {
        *made = ag_apply_on(tape, y->op, in, (int)y->nin, attrs);
        done = *made != NULL;
    }
    ag__temp_free(tape, attrs);
    ag__temp_free(tape, in);
    return done;
}

/* The copy of y itself, or of a part, stands for it from now on. */
static bool place(ag__trial *t, ag_tensor *y, ag_tensor *copy) {
    y->slot = copy;
    if (!(y->flags & AG__MARK) || !ag__is_float(y->dtype)) return true;
    for (int j = 0; j < t->n; j++) {
        if (t->x[j].source != y) continue;
        t->x[j].offset = true;
        t->x[j].leaf = ag_leaf(t->tape, AG_F64, NULL, ag_shape_of(y), AG_RECORDED | AG_REQUIRES_GRAD);
        y->slot = t->x[j].leaf ? ag_add(copy, t->x[j].leaf) : NULL;
    }
    return y->slot != NULL;
}

/* The recorded value stands for y; live, if there is one, is watched beside it. */
static bool hold(ag__trial *t, ag_tensor *y, ag_tensor *live) {
    if (!copy_leaf(t, y)) return false;
    return !live || add_shadow(t, live, y->slot);
}

static bool copy_node(ag__trial *t, ag_tensor *y) {
    bool holds = ag__check_holds(y), tuple = y->flags & AG__TUPLE;
    ag_tensor *copy = NULL;
    if (!(holds && opaque(y)) && !apply(t, y, &copy)) return false;
    for (int o = 0; o < (tuple ? y->op->nout : 1); o++) {
        ag_tensor *out = ag_out(y, o), *made = copy ? ag_out(copy, o) : NULL;
        bool held = holds || !ag__is_float(out->dtype);
        if (!(held ? hold(t, out, made) : place(t, out, made))) return false;
    }
    return true;
}

static bool copy_all(ag__trial *t, ag_tape *from, int64_t hi) {
    for (int j = 0; j < t->n; j++) {
        ag_tensor *x = t->x[j].source, *y = x->flags & AG__PART ? x->in[0] : x;
        bool inner = y->flags & AG__TARGET && y->op && !ag__check_holds(y);
        if (inner) continue;
        t->x[j].leaf = x->slot = ag__check_widen(t->tape, x, AG_RECORDED | AG_REQUIRES_GRAD);
        if (!x->slot) return false;
    }
    for (int64_t i = 0; i < hi; i++) {
        ag_tensor *y = ag__node(&from->recorded, i);
        if (!(y->flags & AG__TARGET) || y->flags & AG__PART) continue;
        if (!(y->flags & AG__LEAF ? copy_leaf(t, y) != NULL : copy_node(t, y))) return false;
    }
    return true;
}

/* Which tensors move */

/* Leaves that require a gradient, in the order of their use; list NULL: at most how many. */
static int collect(ag_tensor *loss, int64_t hi, ag_tensor **list) {
    int found = 0;
    for (int64_t i = -1; i < hi; i++) {
        ag_tensor *y = i < 0 ? loss : ag__node(&loss->tape->recorded, i);
        for (uint32_t k = 0; k <= y->nin && (i < 0 || y->flags & AG__TARGET); k++) {
            ag_tensor *x = k < y->nin ? ag__in(y)[k] : y;
            if (!(x->flags & AG__LEAF) || !(x->flags & AG__GRAD) || x->flags & AG__MARK) continue;
            if (list) x->flags |= AG__MARK;
            if (list) list[found] = x;
            found++;
        }
    }
    return found;
}

static bool choose(ag__trial *t, ag_tensor *const xs[], int n) {
    t->x = ag__bump(t->tape, &t->tape->recorded, (size_t)n * sizeof *t->x);
    if (!t->x) return false;
    for (int j = 0; j < n; j++) {
        ag__moved *m = &t->x[t->n];
        bool twice = xs[j]->slot != NULL;
        if (twice) continue;
        *m = (ag__moved){.source = xs[j]};
        xs[j]->flags |= AG__MARK;
        xs[j]->slot = xs[j]; /* seen */
        ag__check_name(m->name, xs[j]);
        t->n++;
    }
    for (int j = 0; j < n; j++) xs[j]->slot = NULL;
    return true;
}

static bool copy(ag__trial *t, ag_tensor *loss, ag_tensor *const xs[], int n, int64_t hi) {
    ag_tensor **list = NULL;
    if (n == 0) {
        list = ag__temp(t->tape, (size_t)collect(loss, hi, NULL) * sizeof *list);
        if (!list) return false;
        n = collect(loss, hi, list);
        xs = list;
    }
    bool done = choose(t, xs, n) && copy_all(t, loss->tape, hi) && copy_leaf(t, loss);
    ag__temp_free(t->tape, list);
    if (done && !n) {
        done = ag__fail(t->tape, AG_ERR_STATE,
                        "the loss depends on no leaf that requires a gradient; name the tensors to check") != NULL;
    }
    return done;
}

bool ag__check_copy(ag__check *c, ag_tensor *loss, ag_tensor *const xs[], int n) {
    ag__trial *t = &c->t;
    int64_t hi = ag__check_mark(loss, false);
    bool done = copy(t, loss, xs, n, hi);
    t->y = ag__bump(t->tape, &t->tape->recorded, sizeof *t->y);
    t->w = ag__bump(t->tape, &t->tape->recorded, sizeof *t->w);
    done = done && t->y && t->w;
    if (done) {
        t->y[0] = loss->slot;
        t->w[0] = NULL;
        t->m = t->order = 1;
    }
    for (int j = 0; j < t->n; j++) {
        t->x[j].source->slot = NULL;
        t->x[j].source->flags &= (uint16_t)~AG__MARK;
    }
    loss->slot = NULL;
    ag__check_unmark(loss->tape, hi);
    return done && ag__check_recorded(t, loss);
}
