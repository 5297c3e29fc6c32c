/* check_line.c: is a the slope of f along a line?
 *
 *          f(x−2d)  f(x−d)  f(x)  f(x+d)  f(x+2d)
 *     ────────●────────●──────●──────●──────●────────▶ s        n = [8 (f₊₁ − f₋₁) − (f₊₂ − f₋₂)] / 12d
 *
 * The formula is exact for polynomials of degree four, so the error of n is that of f's rounding and of what is not smooth.
 * A right gradient may therefore miss n for three reasons, and each is told from a wrong one by a smaller step:
 *   a kink or a pole lies beside x   a step that ends before it gives the right slope
 *   f bends more than d allows       the error falls with the fourth power of the step
 *   x lies on a kink or on an edge   the slopes from the left and from the right are what there is
 * Smaller steps are used only as long as the rounding of f, divided by the step, stays far below the error in question: so
 * a wrong gradient is never excused by noise that the larger step did not have. */
#include <float.h>
#include <math.h>

#include "autograd/gradcheck.h"

enum { STEPS = 6, AT_LEAST = 4, EDGES = 12 };
static const double STEP = 3.7e-4, SHRINK = 8, RELATIVE = 1e-7, OF_LARGEST = 1e-10;

typedef struct five {
    double d, f[5];
    double n, error, noise, tolerance; /* tolerance: without the noise */
    bool finite, branch;
} five;

static double larger(double a, double b) { return fmax(fabs(a), fabs(b)); }

static double tolerance(const ag__line *l, double n) { return RELATIVE * larger(l->a, n) + OF_LARGEST * l->most; }

/* The step that x really makes. */
static double representable(const ag__line *l, double d) {
    volatile double moved = l->at + d;
    return moved - l->at;
}

static bool take(const ag__line *l, double d, five *v) {
    static const int place[4] = {-2, -1, 1, 2};
    double size = l->t->home.size;
    *v = (five){.d = representable(l, d), .finite = true};
    v->f[2] = l->t->home.f;
    for (int i = 0; i < 4; i++) {
        ag__point p;
        if (!ag__line_at(l, place[i] * v->d, &p)) return false;
        v->f[place[i] + 2] = p.f;
        v->finite = v->finite && isfinite(p.f);
        v->branch = v->branch || p.branch;
        size = fmax(size, p.size);
    }
    v->n = (8 * (v->f[3] - v->f[1]) - (v->f[4] - v->f[0])) / (12 * v->d);
    v->error = fabs(l->a - v->n);
    v->noise = 8 * DBL_EPSILON * size / v->d;
    v->tolerance = tolerance(l, v->n);
    return true;
}

static void fill(ag_check_row *row, double n, double d, double allowed) {
    row->numeric = n;
    row->step = d;
    row->absolute = fabs(row->analytic - n);
    row->relative = row->absolute > 0 ? row->absolute / larger(row->analytic, n) : 0;
    row->tolerance = allowed;
}

static bool accept(const ag__line *l, const five *v, ag_check_row *row) {
    bool differs = l->j >= 0 && l->t->x[l->j].differs;
    if (!(v->error <= v->tolerance + v->noise)) return false;
    fill(row, v->n, v->d, v->tolerance + v->noise);
    row->verdict = differs                    ? AG_BRANCH_DIFFERS
                   : v->branch                ? AG_KINK
                   : v->error <= v->tolerance ? AG_PASS
                                              : AG_NOISE_LIMITED;
    return true;
}

/* Slopes from both sides, to second order. Where they differ, a may lie between them. */
static bool accept_kink(const ag__line *l, const five *v, ag_check_row *row) {
    const double *f = v->f;
    double right = (-3 * f[2] + 4 * f[3] - f[4]) / (2 * v->d), left = (3 * f[2] - 4 * f[1] + f[0]) / (2 * v->d);
    double lo = fmin(left, right), hi = fmax(left, right), slack = 1e-5 * larger(lo, hi) + v->noise;
    if (hi - lo <= slack || l->a < lo - slack || l->a > hi + slack) return false;
    fill(row, v->n, v->d, fmax(hi - v->n, v->n - lo) + slack);
    row->verdict = AG_KINK;
    return true;
}

/* May this step speak for a, when the first one found an error? */
static bool speaks(const five *first, const five *v) {
    return 4 * v->d > first->d || v->noise <= fmax(first->error / SHRINK, 1e-6 * fabs(v->n));
}

/* Where f is so coarse that it repeats its values: the least that it changes by, or all, if that is a few times the least; and
 * if it does not change at all, the rounding of numbers of order one, such as stand in 1 − p. */
static double coarseness(const five *v, int count) {
    enum { REPEATED = 4 };
    double f[5 * STEPS], least = (double)INFINITY;
    int n = 0, repeated = 0;
    for (int k = 0; k < count; k++) {
        for (int i = 0; i < 5; i++) {
            int at = n;
            if (k && i == 2) continue; /* home again */
            for (; at > 0 && f[at - 1] > v[k].f[i]; at--) f[at] = f[at - 1];
            f[at] = v[k].f[i];
            n++;
        }
    }
    for (int i = 1; i < n; i++) {
        if (f[i] == f[i - 1]) repeated++;
        if (f[i] > f[i - 1]) least = fmin(least, f[i] - f[i - 1]);
    }
    double span = f[n - 1] - f[0];
    if (repeated < REPEATED) return 0;
    return span == 0 ? DBL_EPSILON : span <= 8 * least ? span : least;
}

/* Rounding of f by E changes n by E / d from step to step. Kinks and curvature, too, change n, so not the largest counts; steps
 * that f is too coarse for say nothing. */
static double unsteadiness(const five *v, int count) {
    double least = (double)INFINITY, second = (double)INFINITY;
    for (int k = 1; k < count; k++) {
        double change = fabs(v[k].n - v[k - 1].n) * v[k].d;
        if (v[k].n == 0 && v[k - 1].n == 0) continue;
        second = fmin(second, fmax(change, least));
        least = fmin(least, change);
    }
    return isfinite(second) ? second : 0;
}

/* The steps again, with the noise of f as it was measured, and that of a where it is far below the largest elements: there a is
 * a difference of such, in the second order one of differences that were rounded already. */
static bool accept_noise(const ag__line *l, const five *v, int count, double noise, ag_check_row *row) {
    double far_below = 1e-7 * l->most, of_a = l->j < 0 ? 0 : fmin(l->t->x[l->j].noise, far_below);
    if (l->t->order > 1) of_a = far_below;
    of_a = fmax(of_a, l->t->floor);
    for (int k = 0; k < count; k++) {
        five rough = v[k];
        rough.noise = fmax(rough.noise, noise / rough.d);
        if (!speaks(v, &rough)) continue;
        rough.noise += of_a;
        if (accept(l, &rough, row)) return true;
    }
    return false;
}

/* Five points on one side. */
static bool take_side(const ag__line *l, double d, double *n, double *noise) {
    double f[5] = {l->t->home.f}, size = l->t->home.size;
    for (int i = 1; i < 5; i++) {
        ag__point p;
        if (!ag__line_at(l, i * d, &p)) return false;
        f[i] = p.f;
        size = fmax(size, p.size);
    }
    *n = (-25 * f[0] + 48 * f[1] - 36 * f[2] + 16 * f[3] - 3 * f[4]) / (12 * d);
    *noise = 32 * DBL_EPSILON * size / fabs(d);
    return true;
}

/* No step is so small that f is finite on both sides: then the slope on the side where it is. Powers of x come to their slope at
 * 0 slowly, so it counts, too, that the error goes to nothing with the step. */
static bool check_edge(const ag__line *l, ag_check_row *row) {
    row->verdict = AG_DOMAIN_EDGE;
    fill(row, (double)NAN, STEP * l->scale, tolerance(l, 0));
    for (int side = 1; side >= -1; side -= 2) {
        double d = STEP * l->scale, first = (double)NAN;
        for (int k = 0; k < EDGES; k++, d /= SHRINK) {
            double n, noise, allowed;
            if (!take_side(l, side * d, &n, &noise)) return false;
            if (!isfinite(n)) continue;
            allowed = 10 * tolerance(l, n) + noise;
            if (isnan(first)) first = fabs(l->a - n);
            if (isnan(row->numeric) || fabs(l->a - n) < row->absolute) fill(row, n, d, allowed);
            if (fabs(l->a - n) > fmax(allowed, 1e-4 * first)) continue;
            row->tolerance = fmax(allowed, 1e-4 * first);
            row->verdict = AG_PASS;
            return true;
        }
    }
    return true;
}

static void name_fault(const ag__line *l, const five *v, ag_check_row *row) {
    double a = l->a, n = v->n, size = larger(a, n);
    fill(row, n, v->d, v->tolerance + v->noise);
    row->verdict = AG_WRONG;
    if (fabs(a + n) <= 1e-3 * size + v->noise) row->verdict = AG_WRONG_SIGN;
    if (fabs(a) <= 1e-6 * size) row->verdict = AG_MISSING_TERM;
}

/* The step that the next one changes least. */
static const five *steadiest(const five *v, int count) {
    int best = 0;
    double change = (double)INFINITY;
    for (int k = 1; k < count; k++) {
        if (!(fabs(v[k].n - v[k - 1].n) < change)) continue;
        change = fabs(v[k].n - v[k - 1].n);
        best = k;
    }
    return &v[best];
}

bool ag__line_check(const ag__line *l, ag_check_row *row) {
    five v[STEPS];
    double d = STEP * l->scale, noise;
    int count = 0;
    bool speaking = true;
    if (!isfinite(l->a) || !isfinite(l->t->home.f)) {
        fill(row, (double)NAN, d, 0);
        row->verdict = AG_NOT_FINITE;
        return true;
    }
    for (int k = 0; k < EDGES && count < STEPS && (speaking || count < AT_LEAST); k++) {
        if (!take(l, d, &v[count])) return false;
        d /= v[count].finite && count < 2 ? 3 : SHRINK; /* not 2: no point comes twice */
        if (!v[count].finite) continue;
        speaking = speaks(v, &v[count]);
        if (speaking && accept(l, &v[count], row)) return true;
        count++;
    }
    if (!count) return check_edge(l, row);
    if (!ag__line_noise(l, v[0].d, &noise)) return false;
    if (accept_noise(l, v, count, noise, row) || accept_noise(l, v, count, 4 * coarseness(v, count), row)) return true;
    if (accept_noise(l, v, count, 8 * unsteadiness(v, count), row)) return true;
    if (l->t->order > 1 && accept_noise(l, v, count, l->t->floor, row))
        return true; /* f is made of first derivatives */
    v[count - 1].noise = fmax(v[count - 1].noise, noise / v[count - 1].d);
    if (!accept_kink(l, &v[count - 1], row)) name_fault(l, steadiest(v, count), row);
    return true;
}
