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

enum { SHRINKS = 5, EDGES = 12, ROUGH = 7 };
static const double STEP = 3.7e-4, SHRINK = 8, RELATIVE = 1e-7, OF_LARGEST = 1e-10;

typedef struct five {
    double d, f[5], home;
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
    row->verdict = differs                       ? AG_BRANCH_DIFFERS
                   : v->branch                   ? AG_KINK
                   : v->error <= v->tolerance    ? AG_PASS
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

/* How rough f is, by the fourth differences of values so near that nothing else remains (Moré, Wild 2011): a loss that is a
 * difference of large numbers carries more rounding than its size tells. */
static bool accept_rough(const ag__line *l, five *v, ag_check_row *row, bool *accepted) {
    double f[ROUGH], sum = 0;
    for (int i = 0; i < ROUGH; i++) {
        ag__point p;
        if (!ag__line_at(l, representable(l, (i - ROUGH / 2) * 1e-7 * l->scale), &p)) return false;
        f[i] = p.f;
    }
    for (int k = 1; k <= 4; k++) {
        for (int i = 0; i + k < ROUGH; i++) f[i] = f[i + 1] - f[i];
    }
    for (int i = 0; i + 4 < ROUGH; i++) sum += f[i] * f[i];
    double deviation = sqrt(sum / (ROUGH - 4) / 70); /* (2k)! / (k!)² = 70 for k = 4 */
    v->noise = fmax(v->noise, 8 * deviation / v->d);
    *accepted = accept(l, v, row);
    return true;
}

/* No step is so small that f is finite on both sides: five points on the side where it is. */
static bool check_edge(const ag__line *l, ag_check_row *row) {
    row->verdict = AG_DOMAIN_EDGE;
    fill(row, (double)NAN, STEP * l->scale, tolerance(l, 0));
    for (int side = 1; side >= -1; side -= 2) {
        double d = STEP * l->scale;
        for (int k = 0; k < EDGES; k++, d /= SHRINK) {
            double f[5] = {l->t->home.f}, size = l->t->home.size;
            for (int i = 1; i < 5; i++) {
                ag__point p;
                if (!ag__line_at(l, side * i * d, &p)) return false;
                f[i] = p.f;
                size = fmax(size, p.size);
            }
            double n = side * (-25 * f[0] + 48 * f[1] - 36 * f[2] + 16 * f[3] - 3 * f[4]) / (12 * d);
            double allowed = 10 * tolerance(l, n) + 32 * DBL_EPSILON * size / d;
            if (!isfinite(n)) continue;
            if (isnan(row->numeric) || fabs(l->a - n) < row->absolute) fill(row, n, d, allowed);
            if (fabs(l->a - n) > allowed) continue;
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

bool ag__line_check(const ag__line *l, ag_check_row *row) {
    five first = {0}, last = {0}, best = {0};
    double d = STEP * l->scale, change = INFINITY;
    int finite = 0;
    if (!isfinite(l->a) || !isfinite(l->t->home.f)) {
        fill(row, (double)NAN, d, 0);
        row->verdict = AG_NOT_FINITE;
        return true;
    }
    for (int k = 0; k < EDGES && finite < SHRINKS; k++, d /= SHRINK) {
        five v;
        if (!take(l, d, &v)) return false;
        if (!v.finite) continue;
        if (finite && v.noise > first.error / SHRINK) break;
        if (accept(l, &v, row)) return true;
        if (!finite++) first = best = v;
        if (finite > 1 && fabs(v.n - last.n) < change) {
            change = fabs(v.n - last.n);
            best = v;
        }
        last = v;
    }
    if (!finite) return check_edge(l, row);
    bool accepted = accept_kink(l, &last, row);
    if (!accepted && !accept_rough(l, &first, row, &accepted)) return false;
    if (!accepted) name_fault(l, &best, row);
    return true;
}
