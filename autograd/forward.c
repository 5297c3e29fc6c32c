/* forward.c: Jacobian-vector products, by one loop forward over the tape with the tangent of each node in its slot.
 *
 * The tangent of a node follows from its record, by the first of these that it offers:
 *   jvp            written by hand
 *   expand         the loop over its composition
 *   AG_MAP         its gradient is linear and diagonal in g, so the tangent of input i takes g's place in rule i
 *   AG_LINEAR      the op itself, on the tangents
 *   AG_MULTILINEAR Σ_i of the op with input i replaced by its tangent
 *   otherwise      the transpose of its gradient: with d(u) the rule at a dummy g = u, linear in u, the tangent is
 *                  ∂/∂u Σ_i ⟨d_i(u), tangent_i⟩, one reverse pass over the rule. */
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"

enum { MOST = 8 };

static bool add_to(ag_tensor **sum, ag_tensor *d, const ag_tensor *like) {
    d = d ? ag__fit(d, like) : NULL;
    if (!d) return false;
    *sum = *sum ? ag_add(*sum, d) : d;
    return *sum != NULL;
}

/* Runs y's rule at g for the inputs in `mask` alone. */
static bool rule_for(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[], uint32_t mask) {
    ag_tape *t = y->tape;
    uint16_t want_bit = t->want_bit;
    uint32_t want_only = t->want_only;
    t->want_bit = AG__LIVE;
    t->want_only = mask;
    bool done = ag__rule(y, g, d);
    t->want_bit = want_bit;
    t->want_only = want_only;
    return done;
}

static bool through_map(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    for (uint32_t i = 0; i < y->nin; i++) {
        ag_tensor *d[MOST] = {0};
        if (!tangent[i]) continue;
        if (!rule_for(y, &tangent[i], d, 1u << i)) return false;
        if (d[i] && !add_to(&out[0], d[i], y)) return false;
    }
    return true;
}

static bool through_linear(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    ag_tape *t = y->tape;
    ag_tensor **in = ag__temp(t, y->nin * sizeof *in);
    if (!in) return false;
    bool done = true;
    for (uint32_t i = 0; i < y->nin && done; i++) {
        ag_tensor *x = ag__in(y)[i];
        in[i] = !ag__is_float(x->dtype) ? x
                : tangent[i]            ? tangent[i]
                                        : ag_full(t, (ag_dtype)x->dtype, ag_shape_of(x), 0);
        done = in[i] != NULL;
    }
    if (done) out[0] = ag_apply_on(t, y->op, in, (int)y->nin, y->attrs);
    ag__temp_free(t, in);
    return done && out[0];
}

static bool through_multilinear(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    ag_tape *t = y->tape;
    ag_tensor **in = ag__temp(t, y->nin * sizeof *in);
    if (!in) return false;
    bool done = true;
    for (uint32_t i = 0; i < y->nin && done; i++) {
        if (!tangent[i]) continue;
        memcpy(in, ag__in(y), y->nin * sizeof *in);
        in[i] = tangent[i];
        done = add_to(&out[0], ag_apply_on(t, y->op, in, (int)y->nin, y->attrs), y);
    }
    ag__temp_free(t, in);
    return done;
}

static bool through_transpose(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    ag_tape *t = y->tape;
    int nout = y->flags & AG__TUPLE ? y->op->nout : 1;
    if (nout > MOST || y->nin > MOST) return ag_op_fail(y, AG_ERR_ARGUMENT, "has no forward-mode rule");
    ag_tensor *u[MOST] = {0}, *d[MOST] = {0}, *ys[MOST], *gys[MOST], *us[MOST], *made[MOST];
    int n = 0, m = 0, place[MOST];
    uint32_t mask = 0;
    for (uint32_t i = 0; i < y->nin; i++) mask |= tangent[i] ? 1u << i : 0;
    for (int o = 0; o < nout; o++) {
        const ag_tensor *part = ag_out(y, o);
        if (!ag__is_float(part->dtype)) continue;
        ag_tensor *zero = ag_full(t, (ag_dtype)part->dtype, ag_shape_of(part), 0);
        u[o] = zero ? ag_alias(zero) : NULL;
        if (!u[o]) return false;
        place[m] = o;
        us[m++] = u[o];
    }
    if (!rule_for(y, u, d, mask)) return false;
    for (uint32_t i = 0; i < y->nin; i++) {
        if (!tangent[i] || !d[i]) continue;
        ys[n] = ag__fit(d[i], ag__in(y)[i]);
        if (!ys[n]) return false;
        gys[n++] = tangent[i];
    }
    if (n == 0) return true;
    if (!ag_gradients(ys, gys, n, us, m, made)) return false;
    for (int k = 0; k < m; k++) out[place[k]] = made[k];
    return true;
}

static bool sweep(ag_tape *t, int64_t lo, int64_t hi);

/* The composition, recorded on y's own inputs, and the loop over that slice: tangents reach it by the inputs' slots. */
static bool through_expansion(ag_tensor *y, ag_tensor *out[]) {
    ag_tape *t = y->tape;
    ag_tensor *value[MOST];
    int64_t lo = t->recorded.count;
    if (!y->op->expand(y, value)) return false;
    int64_t hi = t->recorded.count;
    for (int64_t i = lo; i < hi; i++) ag__node(&t->recorded, i)->flags |= AG__TARGET;
    bool done = sweep(t, lo, hi);
    for (int o = 0; o < (y->flags & AG__TUPLE ? y->op->nout : 1); o++) out[o] = value[o]->slot;
    for (int64_t i = lo; i < hi; i++) {
        ag_tensor *x = ag__node(&t->recorded, i);
        x->slot = NULL;
        x->flags &= (uint16_t)~AG__TARGET;
    }
    return done;
}

static bool tangent_of(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    if (ag__stale(y)) return false;
    if (y->op->jvp) return y->op->jvp(y, tangent, out);
    if (ag__expands(y->op)) return through_expansion(y, out);
    if (y->op->flags & AG_MAP) return through_map(y, tangent, out);
    if (y->op->flags & AG_LINEAR) return through_linear(y, tangent, out);
    if (y->op->flags & AG_MULTILINEAR) return through_multilinear(y, tangent, out);
    return through_transpose(y, tangent, out);
}

static bool advance(ag_tensor *y) {
    ag_tape *t = y->tape;
    ag_tensor *out[MOST] = {0}, *few[MOST], **tangent = few;
    bool any = false, many = y->nin > MOST, done;
    if (y->op->nout > MOST) return ag_op_fail(y, AG_ERR_ARGUMENT, "has too many outputs for forward mode");
    if (many && !(tangent = ag__temp(t, y->nin * sizeof *tangent))) return false;
    for (uint32_t i = 0; i < y->nin; i++) {
        tangent[i] = ag__in(y)[i]->slot;
        any = any || tangent[i];
    }
    done = !any || tangent_of(y, tangent, out);
    if (many) ag__temp_free(t, tangent);
    if (!done && !t->status) ag_op_fail(y, AG_ERR_STATE, "its forward-mode rule failed without saying why");
    int nout = y->flags & AG__TUPLE ? y->op->nout : 1;
    for (int o = 0; o < nout && done; o++) {
        ag_tensor *part = ag_out(y, o);
        if (out[o]) done = add_to(&part->slot, out[o], part); /* a tangent may stand there: y is one of the xs */
    }
    return done;
}

/* AG__TARGET marks what the ys are made of. */
static void mark_needed(ag_tape *t, int64_t hi) {
    for (int64_t i = hi; i-- > 0;) {
        const ag_tensor *y = ag__node(&t->recorded, i);
        if (!(y->flags & AG__TARGET)) continue;
        for (uint32_t k = 0; k < y->nin; k++) {
            if (ag_index(ag__in(y)[k]) >= 0) ag__in(y)[k]->flags |= AG__TARGET;
        }
    }
}

static bool check(ag_tape *t, ag_tensor *const xs[], ag_tensor *const tangents[], int m) {
    char text[160], other[160];
    for (int j = 0; j < m; j++) {
        const ag_tensor *x = xs[j], *u = tangents ? tangents[j] : NULL;
        if (!x || x->tape != t)
            return ag__fail(t, AG_ERR_ARGUMENT, "jvp: tensor %d is NULL or on another tape", j) != NULL;
        if (x->flags & AG__TUPLE || !ag__is_float(x->dtype)) {
            return ag__fail(t, AG_ERR_DTYPE, "jvp: %s is not a float tensor", ag__label(x, text, sizeof text)) != NULL;
        }
        if (u && (u->tape != t || u->flags & AG__TUPLE || u->shape != x->shape || u->dtype != x->dtype)) {
            return ag__fail(t, AG_ERR_SHAPE, "jvp: the tangent %s given for %s must have its tape, shape and dtype",
                            ag__label(u, other, sizeof other), ag__label(x, text, sizeof text)) != NULL;
        }
    }
    return true;
}

/* A tensor may be among the xs twice: its tangents add up. */
static bool start(ag_tensor *const xs[], ag_tensor *const tangents[], int m) {
    for (int j = 0; j < m; j++) {
        if (tangents[j] && !add_to(&xs[j]->slot, tangents[j], xs[j])) return false;
    }
    return true;
}

static bool sweep(ag_tape *t, int64_t lo, int64_t hi) {
    for (int64_t i = lo; i < hi; i++) {
        ag_tensor *y = ag__node(&t->recorded, i);
        if (!(y->flags & AG__TARGET) || y->flags & (AG__LEAF | AG__PART | AG__CUT)) continue;
        if (y->op->flags & (AG_FLAT | AG_EFFECT)) continue;
        if (!(y->flags & AG__TUPLE) && !ag__is_float(y->dtype)) continue;
        if (!advance(y)) return false;
    }
    return true;
}

bool ag_jvp(ag_tensor *const ys[], int n, ag_tensor *const xs[], ag_tensor *const tangents[], int m, ag_tensor *out[]) {
    if (!ys || !xs || !tangents || !out || n < 1 || !ys[0])
        return ag__fail(NULL, AG_ERR_ARGUMENT, "jvp: a tensor is NULL") != NULL;
    ag_tape *t = ys[0]->tape;
    if (t->status || !check(t, ys, NULL, n) || !check(t, xs, tangents, m)) return false;
    if (ag__inside(t)) return ag__fail(t, AG_ERR_STATE, "jvp: called inside a gradient rule") != NULL;
    ag_tensor **found = ag__temp(t, (size_t)n * sizeof *found); /* out may be xs */
    if (!found) return false;
    bool recording = t->recording;
    int64_t hi = 0, before = t->recorded.count;
    for (int i = 0; i < n; i++) {
        if (ag__end(ys[i]) > hi) hi = ag__end(ys[i]);
        if (ag_index(ys[i]) >= 0) ys[i]->flags |= AG__TARGET;
    }
    mark_needed(t, hi);
    t->own = before + 1;
    t->recording = true;
    bool done = start(xs, tangents, m) && sweep(t, 0, hi);
    t->own = 0;
    t->recording = recording;
    if (!recording) ag__cut(t, before);
    for (int i = 0; i < n; i++) {
        found[i] = done ? ys[i]->slot : NULL;
        if (done && !found[i]) found[i] = ag_full(t, (ag_dtype)ys[i]->dtype, ag_shape_of(ys[i]), 0);
        done = done && found[i];
    }
    for (int64_t i = 0; i < hi; i++) {
        ag_tensor *x = ag__node(&t->recorded, i);
        x->slot = NULL;
        x->flags &= (uint16_t)~AG__TARGET;
    }
    for (int j = 0; j < m; j++) xs[j]->slot = NULL;
    for (int i = 0; i < n; i++) out[i] = found[i];
    ag__temp_free(t, found);
    return done;
}
