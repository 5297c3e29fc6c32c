/* check_trial.c: a function of leaves that is evaluated again and again while they move.
 *
 *     leaf x_j ─▶ nodes that depend on it ─▶ y_k      f = Σ_k ⟨w_k, y_k⟩
 *
 * Only what depends on the leaves that move is run again. Leaves are written to directly, without a stamp: the graph is back
 * home whenever a gradient is taken of it. A function that builds its graph anew is called instead. */
#include <math.h>

#include "autograd/gradcheck.h"

/* What a function makes anew begins at its mark, so the arrays must not lie behind it. */
static void *room(ag__trial *t, int64_t count, size_t bytes) {
    return ag__bump(t->tape, t->f ? &t->tape->persistent : &t->tape->recorded, (size_t)count * bytes);
}

/* SplitMix64's finalizer (Steele, Lea, Flood 2014) on a number for each (seed, j, i). */
double ag__check_random(uint64_t seed, int64_t j, int64_t i) {
    uint64_t z = seed * 0xD1342543DE82EF95u + (uint64_t)j * 0x9E3779B97F4A7C15u + (uint64_t)i * 0xD6E8FEB86659FD93u + 1;
    for (int k = 0; k < 2; k++) {
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        z ^= z >> 31;
    }
    double u = 0.5 + (double)(z >> 11) * 0x1p-53;
    return z & 1 ? -u : u;
}

static double at(const ag_tensor *x, bool dense, int64_t i) {
    return dense ? ((const double *)x->data)[i] : ag_at(x, i);
}

static ag__point value(const ag__trial *t) {
    ag__point p = {0};
    for (int k = 0; k < t->m; k++) {
        const ag_tensor *y = t->y[k];
        const double *w = t->w[k] ? t->w[k]->data : NULL;
        bool dense = ag__contiguous(y);
        for (int64_t i = 0; i < y->shape->size; i++) {
            if (w && w[i] == 0) continue;
            double term = (w ? w[i] : 1) * at(y, dense, i);
            p.f += term;
            p.size += fabs(term);
        }
    }
    return p;
}

/* Errors of values are what happens beyond the edge of a domain. */
static bool no_value(ag__trial *t, ag__point *p) {
    *p = (ag__point){.f = (double)NAN};
    if (t->tape->status != AG_ERR_VALUE) return false;
    ag_tape_clear(t->tape);
    return true;
}

static bool run(ag__trial *t, ag__point *p) {
    for (int64_t i = 0; i < t->runs; i++) {
        if (!ag__run(t->run[i])) return no_value(t, p);
    }
    *p = value(t);
    for (const ag__shadow *s = t->shadow; s; s = s->next) {
        if (s->watched && !p->branch) p->branch = !ag__shadow_same(s->live, s->home);
    }
    return true;
}

/* The leaves, in memory to be given back. */
static ag_tensor **leaves(ag__trial *t) {
    ag_tensor **xs = ag__temp(t->tape, (size_t)t->n * sizeof *xs);
    for (int j = 0; xs && j < t->n; j++) xs[j] = t->x[j].leaf;
    return xs;
}

bool ag__trial_gradients(ag__trial *t, ag_tensor *const *ys, ag_tensor *const *ws, int m, ag_tensor **out) {
    ag_tensor **xs = leaves(t);
    bool done = xs && ag_gradients(ys, ws, m, xs, t->n, out);
    ag__temp_free(t->tape, xs);
    return done;
}

static ag_tensor *call(ag__trial *t) {
    ag_tensor **xs = leaves(t), *y = xs ? t->f(t->context, t->tape, xs, t->n) : NULL;
    if (t->tape->status) {
        y = NULL;
    } else if (!y) {
        ag__fail(t->tape, AG_ERR_STATE, "the function returned NULL without saying why");
    } else if (y->tape != t->tape || y->flags & AG__TUPLE || y->dtype != AG_F64 || y->shape->size != 1) {
        y = ag__fail(t->tape, AG_ERR_ARGUMENT, "the function must return one f64 element, on the tape it is given");
    }
    ag__temp_free(t->tape, xs);
    return y;
}

static bool rebuild(ag__trial *t, ag__point *p) {
    if (!ag_tape_rewind(t->tape, t->mark)) return false;
    ag_tensor *y = call(t);
    if (!y) return no_value(t, p);
    if (t->order == 1) {
        t->y[0] = y;
    } else if (!ag__trial_gradients(t, &y, NULL, 1, t->y)) {
        return no_value(t, p);
    }
    *p = value(t);
    return true;
}

/* All of it: any leaf may have moved. */
bool ag__trial_again(ag__trial *t, ag__point *p) {
    if (t->f) return rebuild(t, p);
    if (!ag_replay(t->tape)) return no_value(t, p);
    *p = value(t);
    return true;
}

static bool evaluate(ag__trial *t, ag__point *p) { return t->f ? rebuild(t, p) : run(t, p); }

bool ag__trial_raise(ag__trial *t) {
    ag_tensor **g = room(t, t->n, sizeof *g), **v = room(t, t->n, sizeof *v);
    if (!g || !v) return false;
    for (int j = 0; j < t->n; j++) {
        v[j] = ag_leaf(t->tape, AG_F64, NULL, ag_shape_of(t->x[j].leaf), t->f ? 0 : AG_RECORDED);
        for (int64_t i = 0; v[j] && i < v[j]->shape->size; i++) {
            ((double *)v[j]->data)[i] = ag__check_random(t->seed + 1, j, i);
        }
        if (!v[j]) return false;
    }
    if (!t->f && !ag__trial_gradients(t, t->y, t->w, t->m, g)) return false;
    t->y = g;
    t->w = v;
    t->m = t->n;
    t->order = 2;
    return true;
}

static bool shadows_home(ag__trial *t) {
    for (ag__shadow *s = t->shadow; s; s = s->next) {
        if (!s->home) s->home = room(t, s->live->shape->size, ag__dtype_bytes[s->live->dtype]);
        if (!s->home) return false;
        ag__gather(s->live, s->home);
    }
    return true;
}

static bool identical(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* Order two appends to the same tape, so the list of what to run is made anew. */
bool ag__trial_settle(ag__trial *t, bool *steady) {
    enum { TIMES = 3 };
    if (!t->f) {
        t->home = value(t);
        t->run = room(t, t->tape->recorded.count, sizeof *t->run);
        if (!t->run || !shadows_home(t)) return false;
    } else if (!evaluate(t, &t->home)) {
        return false;
    }
    *steady = true;
    t->noise = -1;
    for (int i = 1; i < TIMES; i++) {
        ag__point again;
        if (!ag__trial_again(t, &again)) return false;
        *steady = *steady && identical(again.f, t->home.f);
    }
    return true;
}

static double gain(const ag__trial *t) {
    double most = 1;
    for (int64_t i = 0; i < t->tape->recorded.count; i++) {
        ag_tensor *x = ag__node(&t->tape->recorded, i), *g = x->flags & AG__TUPLE || !ag_has_grad(x) ? NULL : ag_grad(x);
        for (int64_t k = 0; g && k < g->shape->size; k++) {
            double size = fabs(ag_at(g, k));
            if (isfinite(size) && size > most) most = size;
        }
    }
    return most;
}

static bool backward(ag__trial *t) {
    for (int j = 0; j < t->n; j++) ag_zero_grad(t->x[j].leaf);
    ag_tape_retain_grads(t->tape, t->both);
    bool done = ag_backward_from(t->y, t->w, t->m);
    ag_tape_retain_grads(t->tape, false);
    if (!done) return false;
    if (t->both) t->gain = gain(t);
    for (int j = 0; j < t->n; j++) {
        const ag_tensor *g = ag_grad(t->x[j].leaf);
        if (!g) return false;
        ag__gather(g, t->x[j].a);
    }
    return true;
}

static bool recorded_gradients(ag__trial *t) {
    ag_mark here = ag_tape_mark(t->tape);
    ag_tensor **g = ag__temp(t->tape, (size_t)t->n * sizeof *g);
    bool done = g && ag__trial_gradients(t, t->y, t->w, t->m, g);
    for (int j = 0; done && j < t->n; j++) ag__gather(g[j], t->x[j].a);
    ag__temp_free(t->tape, g);
    return done && (t->f || ag_tape_rewind(t->tape, here));
}

/* The first order by ag_backward, the way of every training loop; the second by ag_gradients. */
bool ag__trial_analytic(ag__trial *t) {
    bool flows = t->order == 1;
    for (int k = 0; k < t->m; k++) flows = flows && t->y[k]->flags & AG__GRAD;
    for (int j = 0; j < t->n; j++) {
        ag__moved *x = &t->x[j];
        if (!x->a) x->a = room(t, x->leaf->shape->size, sizeof *x->a);
        if (!x->a) return false;
    }
    if (!(flows ? backward(t) : recorded_gradients(t))) return false;
    for (int j = 0; j < t->n; j++) {
        t->x[j].most = 0;
        for (int64_t i = 0; i < t->x[j].leaf->shape->size; i++) {
            double size = fabs(t->x[j].a[i]);
            if (isfinite(size) && size > t->x[j].most) t->x[j].most = size;
        }
    }
    return true;
}

bool ag__trial_watch(ag__trial *t, int j) {
    ag__region *r = &t->tape->recorded;
    t->runs = 0;
    if (t->f) return true;
    for (int i = 0; i < t->n; i++) t->x[i].leaf->flags |= (uint16_t)(j < 0 || i == j ? AG__MARK : 0);
    for (int64_t i = 0; i < r->count; i++) {
        ag_tensor *y = ag__node(r, i);
        for (uint32_t k = 0; k < y->nin && !(y->flags & AG__MARK); k++) y->flags |= ag__in(y)[k]->flags & AG__MARK;
        if (y->flags & AG__MARK && y->op) t->run[t->runs++] = y;
    }
    for (ag__shadow *s = t->shadow; s; s = s->next) {
        s->watched = s->live->flags & AG__MARK;
        if (j >= 0 && s->watched && s->differs) t->x[j].differs = true;
    }
    for (int64_t i = 0; i < r->count; i++) ag__node(r, i)->flags &= (uint16_t)~AG__MARK;
    for (int i = 0; i < t->n; i++) t->x[i].leaf->flags &= (uint16_t)~AG__MARK;
    return true;
}

/* Lines */

static double along(const ag__line *l, int j, int64_t i) {
    double v = ag__check_random(l->t->seed, j, i);
    return l->index == AG__CHECK_UPHILL ? copysign(v, l->t->x[j].a[i]) : v;
}

ag__line ag__trial_line(ag__trial *t, int j, int64_t index) {
    ag__line l = {.t = t, .j = j, .index = index, .scale = 1, .norm = 1};
    if (index >= 0) {
        l.at = ag_at(t->x[j].source, index);
        l.scale = fmax(1, fabs(l.at));
        l.a = t->x[j].a[index];
        l.most = t->x[j].most;
        return l;
    }
    double squares = 0;
    for (int k = j < 0 ? 0 : j; k < (j < 0 ? t->n : j + 1); k++) {
        for (int64_t i = 0; i < t->x[k].leaf->shape->size; i++) {
            double v = along(&l, k, i);
            squares += v * v;
            l.a += v * t->x[k].a[i];
        }
        l.most = fmax(l.most, t->x[k].most);
    }
    l.norm = squares > 0 ? 1 / sqrt(squares) : 0;
    l.a *= l.norm;
    return l;
}

double ag__line_dot(const ag__line *l, int j, const ag_tensor *d) {
    double sum = 0;
    if (l->index >= 0) return ag_at(d, l->index);
    for (int64_t i = 0; i < d->shape->size; i++) sum += l->norm * along(l, j, i) * ag_at(d, i);
    return sum;
}

static void move_along(const ag__line *l, int j, double s) {
    const ag__moved *x = &l->t->x[j];
    double *data = x->leaf->data;
    for (int64_t i = 0; i < x->leaf->shape->size; i++) {
        double home = x->offset ? 0 : ag_at(x->source, i);
        data[i] = home + s * l->norm * along(l, j, i);
    }
}

void ag__line_move(const ag__line *l, double s) {
    if (l->index >= 0) {
        const ag__moved *x = &l->t->x[l->j];
        ((double *)x->leaf->data)[l->index] = (x->offset ? 0 : l->at) + s;
        return;
    }
    for (int j = 0; j < l->t->n; j++) {
        if (l->j < 0 || l->j == j) move_along(l, j, s);
    }
}

bool ag__line_at(const ag__line *l, double s, ag__point *p) {
    ag__line_move(l, s);
    return evaluate(l->t, p);
}

bool ag__line_home(const ag__line *l) {
    ag__point p;
    ag__line_move(l, 0);
    return l->t->f || run(l->t, &p);
}
