/* check_noise.c: how large the rounding errors of f and of its gradient are, measured when the estimate ε |f| does not do.
 *
 * A loss near 0 may be a difference of large numbers, and so may a gradient: of a network that has learnt its data by heart,
 * −ln p is as small as the rounding of p. Two experiments show it:
 *   shaking     all leaves are changed by a rounding, each element by its own chance; what f and the gradient change by is
 *               their rounding error, as every rounding on the way falls anew
 *   roughness   fourth differences of f along the line, at points so near that nothing else remains (Moré, Wild 2011)
 * Kinks and jumps are not noise: the line is looked at beside x, not at x, and shaking leaves what is 0 at 0. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "autograd/gradcheck.h"

enum { SHAKES = 6, ROUGH = 9 };

static bool shakes(const ag_tensor *x) { return x->flags & AG__LEAF && x->dtype == AG_F64 && ag__contiguous(x); }

/* Leaves of the tape's graph; of a function that makes its own, the tensors that move. */
static ag_tensor *leaf_at(const ag__trial *t, int64_t i) {
    if (t->f) return i < t->n ? t->x[i].leaf : NULL;
    return i < t->tape->recorded.count ? ag__node(&t->tape->recorded, i) : NULL;
}

static double *save(const ag__trial *t) {
    size_t total = 0;
    for (int64_t i = 0; leaf_at(t, i); i++) total += shakes(leaf_at(t, i)) ? (size_t)leaf_at(t, i)->shape->size : 0;
    double *saved = ag__temp(t->tape, total * sizeof *saved), *next = saved;
    for (int64_t i = 0; saved && leaf_at(t, i); i++) {
        const ag_tensor *x = leaf_at(t, i);
        if (!shakes(x)) continue;
        ag__gather(x, next);
        next += x->shape->size;
    }
    return saved;
}

/* Writes the saved values back, changed by up to 6 ε (round > 0). */
static void put(const ag__trial *t, const double *saved, int round) {
    for (int64_t i = 0; leaf_at(t, i); i++) {
        const ag_tensor *x = leaf_at(t, i);
        if (!shakes(x)) continue;
        double *data = x->data;
        for (int64_t k = 0; k < x->shape->size; k++, saved++) {
            data[k] = round ? *saved * (1 + 4 * DBL_EPSILON * ag__check_random(t->seed + (uint64_t)round, i, k)) : *saved;
        }
    }
}

static void compare(ag__trial *t, ag_tensor *const *g) {
    for (int j = 0; j < t->n; j++) {
        for (int64_t i = 0; i < g[j]->shape->size; i++) {
            t->x[j].noise = fmax(t->x[j].noise, 8 * fabs(ag_at(g[j], i) - t->x[j].a[i]));
        }
    }
}

static bool shake(ag__trial *t, const double *saved, ag_tensor **g, int round) {
    ag__point p;
    put(t, saved, round);
    if (!ag__trial_again(t, &p)) return false;
    if (!isfinite(p.f)) return true;
    t->noise = fmax(t->noise, 8 * fabs(p.f - t->home.f));
    ag_mark here = ag_tape_mark(t->tape);
    if (!ag__trial_gradients(t, t->y, t->w, t->m, g)) return false;
    compare(t, g);
    return t->f || ag_tape_rewind(t->tape, here);
}

/* Everything is home before and after. */
static bool shake_all(ag__trial *t) {
    ag_tensor **g = ag__temp(t->tape, (size_t)t->n * sizeof *g);
    double *saved = g ? save(t) : NULL;
    bool done = saved != NULL;
    t->noise = 0;
    for (int j = 0; j < t->n; j++) t->x[j].noise = 0;
    for (int round = 1; round <= SHAKES && done; round++) done = shake(t, saved, g, round);
    if (saved) put(t, saved, 0);
    ag__temp_free(t->tape, saved);
    ag__temp_free(t->tape, g);
    ag__point p;
    return done && ag__trial_again(t, &p);
}

static bool roughness(const ag__line *l, double s, double h, double *deviation) {
    double f[ROUGH], sum = 0;
    for (int i = 0; i < ROUGH; i++) {
        ag__point p;
        if (!ag__line_at(l, s + (i - ROUGH / 2) * h * l->scale, &p)) return false;
        f[i] = p.f;
    }
    for (int k = 1; k <= 4; k++) {
        for (int i = 0; i + k < ROUGH; i++) f[i] = f[i + 1] - f[i];
    }
    for (int i = 0; i + 4 < ROUGH; i++) sum += f[i] * f[i];
    *deviation = sqrt(sum / (ROUGH - 4) / 70); /* (2k)! / (k!)² = 70 for k = 4 */
    return true;
}

/* Two rhythms, as f may be so coarse that one of them hides it. */
bool ag__line_noise(const ag__line *l, double d, double *noise) {
    double left, right;
    if (l->t->noise < 0 && (!ag__line_home(l) || !shake_all(l->t))) return false;
    if (!roughness(l, -1.5 * d, 1e-7, &left) || !roughness(l, 1.5 * d, 2.618e-7, &right)) return false;
    *noise = fmax(l->t->noise, 8 * fmax(left, right));
    return true;
}
