/* check_kink.c: what a kink looks like from inside.
 *
 * A gradient is a choice where there is none. Rules choose a slope at each kink by itself (ReLU: 0 at 0), and what they choose
 * need not lie between the one-sided slopes of a sum of many:
 *
 *     f(x) = w₁ relu(x) + w₂ relu(−x)  at 0      right w₁, left −w₂, by the rules 0
 *
 * So a failure where some value bends is looked into: of one node, each output's own slopes must enclose its part of the
 * gradient; of a whole graph, every node's rule must pass alone. */
#include <float.h>
#include <math.h>

#include "autograd/gradcheck.h"

/* Of the scale of x: half the width of what is looked at, at x and around it */
static const double NEAR = 1e-6, WIDE = 7.4e-4;

static int outputs(const ag_tensor *y) { return y->flags & AG__TUPLE ? y->op->nout : 1; }

static bool looks(const ag_tensor *y) { return !(y->op->flags & AG_VIEW); }

static bool holds_floats(const ag_tensor *x) { return ag__is_float(x->dtype); }

/* All values that move along the line, one after the other. */
static double *snapshot(const ag__line *l) {
    int64_t total = 0;
    for (int64_t i = 0; i < l->t->runs; i++) {
        for (int o = 0; looks(l->t->run[i]) && o < outputs(l->t->run[i]); o++)
            total += ag_out(l->t->run[i], o)->shape->size;
    }
    double *all = ag__temp(l->t->tape, (size_t)total * sizeof *all), *next = all;
    for (int64_t i = 0; all && i < l->t->runs; i++) {
        for (int o = 0; looks(l->t->run[i]) && o < outputs(l->t->run[i]); o++) {
            const ag_tensor *y = ag_out(l->t->run[i], o);
            if (holds_floats(y)) ag__gather(y, next);
            next += y->shape->size;
        }
    }
    return all;
}

/* A kink's second difference goes with the step, that of a smooth function with its square. */
static bool bent(double below, double here, double above, double most, double h) {
    double defect = fabs(above - 2 * here + below);
    return defect > 1e-3 * fmax(fabs(above - here), fabs(here - below)) && defect > 1e-4 * most && defect > 1e-5 * h &&
           defect > 64 * DBL_EPSILON * fabs(here);
}

static bool any_bent(const double *below, const double *here, const double *above, int64_t n, double h) {
    double most = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(above[i] - below[i]));
    for (int64_t i = 0; i < n; i++) {
        if (bent(below[i], here[i], above[i], most, h)) return true;
    }
    return false;
}

/* A kink beside the middle: the second difference is not a fourth at half the step, as that of a smooth function is. */
static bool breaks(const double *const at[5], int64_t i, double most) {
    double wide = fabs(at[4][i] - 2 * at[2][i] + at[0][i]), half = fabs(at[3][i] - 2 * at[2][i] + at[1][i]);
    return wide > 0.02 * fmax(fabs(at[4][i] - at[2][i]), fabs(at[2][i] - at[0][i])) && wide > 1e-3 * most &&
           fabs(wide - 4 * half) > 0.25 * wide;
}

static bool any_breaks(const double *const at[5], int64_t place, int64_t n) {
    double most = 0;
    for (int64_t i = place; i < place + n; i++) most = fmax(most, fabs(at[4][i] - at[0][i]));
    for (int64_t i = place; i < place + n; i++) {
        if (breaks(at, i, most)) return true;
    }
    return false;
}

/* Does any value bend, as five snapshots h / 2 apart (or, at x itself, three h apart) show it? */
static bool any_node(const ag__line *l, const double *const at[5], double h, bool beside) {
    int64_t place = 0;
    for (int64_t i = 0; i < l->t->runs; i++) {
        for (int o = 0; looks(l->t->run[i]) && o < outputs(l->t->run[i]); o++) {
            const ag_tensor *y = ag_out(l->t->run[i], o);
            int64_t n = y->shape->size;
            bool found = holds_floats(y) && (beside ? any_breaks(at, place, n)
                                                    : any_bent(at[0] + place, at[2] + place, at[4] + place, n, h));
            if (found) return true;
            place += n;
        }
    }
    return false;
}

static bool look(const ag__line *l, double h, bool beside, bool *bends) {
    double *at[5] = {0};
    bool done = true;
    for (int k = 0; k < 5 && done; k += beside ? 1 : 2) {
        ag__point p;
        done = ag__line_at(l, (k - 2) * h / 2, &p) && (at[k] = snapshot(l));
    }
    const double *const values[5] = {at[0], at[1], at[2], at[3], at[4]};
    if (done) *bends = any_node(l, values, h, beside);
    for (int k = 5; k-- > 0;) ag__temp_free(l->t->tape, at[k]);
    return done;
}

/* At x, or within the widest step, where f may be too coarse for steps that end before the kink. */
bool ag__line_bends(const ag__line *l, bool *bends) {
    *bends = false;
    if (l->t->f) return true;
    return look(l, NEAR * l->scale, false, bends) && (*bends || look(l, WIDE * l->scale, true, bends));
}

/* Outputs one by one */

typedef struct outcome { /* of the outputs that bend */
    int64_t bent, wrong;
    double by_rules, rest; /* Σ w · slope: of bent ones by the rule, of the others from differences */
    double size, noise;
} outcome;

/* The slope of y_k[o] along the line, by the rule. */
static bool slope_by_rule(const ag__line *l, int k, int64_t o, double *slope) {
    ag_tape *t = l->t->tape;
    ag_mark here = ag_tape_mark(t);
    ag_tensor *g = ag_leaf(t, AG_F64, NULL, ag_shape_of(l->t->y[k]), AG_RECORDED);
    if (!g) return false;
    ((double *)g->data)[o] = 1;
    *slope = 0;
    for (int j = 0; j < l->t->n; j++) {
        ag_tensor *x = l->t->x[j].leaf, *d = NULL;
        if (l->j >= 0 && l->j != j) continue;
        if (!ag_gradients(&l->t->y[k], &g, 1, &x, 1, &d)) return false;
        *slope += ag__line_dot(l, j, d);
    }
    return ag_tape_rewind(t, here);
}

static bool look_at(const ag__line *l, int k, const double *const at[3], double h, outcome *all) {
    enum { LOOKED_AT = 64 };
    const ag_tensor *y = l->t->y[k];
    for (int64_t o = 0; o < y->shape->size; o++) {
        double w = ((const double *)l->t->w[k]->data)[o], here = at[1][o];
        double left = (here - at[0][o]) / h, right = (at[2][o] - here) / h, rule = 0;
        double slack = 1e-4 * fmax(fabs(left), fabs(right)) + 64 * DBL_EPSILON * fabs(here) / h;
        if (w == 0) continue;
        all->size += fabs(w) * (fabs(left) + fabs(right));
        all->noise += fabs(w) * 4 * DBL_EPSILON * fabs(here) / h;
        if (fabs(right - left) <= slack) {
            all->rest += w * (left + right) / 2;
            continue;
        }
        if (all->bent++ >= LOOKED_AT) continue;
        if (!slope_by_rule(l, k, o, &rule)) return false;
        all->wrong += rule < fmin(left, right) - slack || rule > fmax(left, right) + slack;
        all->by_rules += w * rule;
    }
    if (all->bent > LOOKED_AT) all->rest = (double)NAN;
    return true;
}

/* Of each output that bends, the rule's slope must lie between the one-sided ones; what is left of a must be the rest. */
bool ag__kink_outputs(const ag__line *l, bool *right) {
    ag__trial *t = l->t;
    double h = NEAR * l->scale;
    outcome all = {0};
    bool done = true;
    for (int k = 0; k < t->m && done; k++) {
        double *at[3] = {0};
        for (int q = 0; q < 3 && done; q++) {
            ag__point p;
            at[q] = ag__temp(t->tape, (size_t)t->y[k]->shape->size * sizeof(double));
            done = at[q] && ag__line_at(l, (q - 1) * h, &p);
            if (done) ag__gather(t->y[k], at[q]);
        }
        const double *const values[3] = {at[0], at[1], at[2]};
        done = done && ag__line_home(l) && look_at(l, k, values, h, &all);
        for (int q = 3; q-- > 0;) ag__temp_free(t->tape, at[q]);
    }
    double missing = fabs(l->a - all.by_rules - all.rest);
    *right = done && all.bent && !all.wrong && !(missing > 1e-6 * all.size + all.noise);
    return done;
}
