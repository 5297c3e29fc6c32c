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

enum { SHRINKS = 5, AT_LEAST = 3, EDGES = 12, ROUGH = 9, SHAKES = 4 };
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

/* How rough f is about s, by the fourth differences of values so near that nothing else remains (Moré, Wild 2011). */
static bool roughness(const ag__line *l, double s, double h, double *deviation) {
    double f[ROUGH], sum = 0;
    for (int i = 0; i < ROUGH; i++) {
        ag__point p;
        if (!ag__line_at(l, representable(l, s + (i - ROUGH / 2) * h * l->scale), &p)) return false;
        f[i] = p.f;
    }
    for (int k = 1; k <= 4; k++) {
        for (int i = 0; i + k < ROUGH; i++) f[i] = f[i + 1] - f[i];
    }
    for (int i = 0; i + 4 < ROUGH; i++) sum += f[i] * f[i];
    *deviation = sqrt(sum / (ROUGH - 4) / 70); /* (2k)! / (k!)² = 70 for k = 4 */
    return true;
}

/* The error of f as it shows, which may be more than its size tells: a loss near 0 can be a difference of large numbers. It is
 * measured away from x, where a kink or a jump may be, and in two rhythms, as f may be so coarse that one of them hides it. */
static bool measure_noise(const ag__line *l, double d, double *noise) {
    double left, right;
    if (!roughness(l, -1.5 * d, 1e-7, &left) || !roughness(l, 1.5 * d, 2.618e-7, &right)) return false;
    *noise = 8 * fmax(left, right);
    return true;
}

/* The same where f is coarser still, constant over those distances: what n changes by from step to step, far from the first;
 * or all that f changes by, if it takes hardly more than one value and they are within rounding of one. */
static double noise_of_steps(const ag__line *l, const five *v, int count) {
    enum { FEW = 3 };
    double noise = 0, value[FEW], least = v[0].f[2], most = least;
    int values = 0;
    for (int k = 0; k < count; k++) {
        if (k > 1) noise = fmax(noise, 4 * fabs(v[k].n - v[k - 1].n) * v[k].d);
        for (int i = 0; i < 5 && values <= FEW; i++) {
            int at = 0;
            while (at < values && value[at] != v[k].f[i]) at++;
            if (at == values && values++ < FEW) value[at] = v[k].f[i];
            least = fmin(least, v[k].f[i]);
            most = fmax(most, v[k].f[i]);
        }
    }
    bool coarse = values <= FEW && most - least <= 1e-13 * fmax(1, l->t->home.size);
    return coarse ? fmax(noise, 2 * (most - least)) : noise;
}

/* May a step whose noise is this large speak for a, when the first step found an error? */
static bool speaks(const five *first, const five *v) {
    return v == first || v->noise <= fmax(first->error / SHRINK, 1e-6 * fabs(v->n));
}

/* The steps again, with noise that was measured. */
static bool accept_noise(const ag__line *l, const five *v, int count, double noise, ag_check_row *row) {
    for (int k = 0; k < count; k++) {
        five rough[2] = {v[0], v[k]};
        rough[1].noise = fmax(v[k].noise, noise / v[k].d);
        if ((k == 0 || speaks(&rough[0], &rough[1])) && accept(l, &rough[1], row)) return true;
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
    double change = INFINITY;
    for (int k = 1; k < count; k++) {
        if (!(fabs(v[k].n - v[k - 1].n) < change)) continue;
        change = fabs(v[k].n - v[k - 1].n);
        best = k;
    }
    return &v[best];
}

/* An error far below the largest elements may be the rounding of a itself, a difference of such; that shows when x is shaken
 * by a rounding. */
static bool accept_shaken(const ag__line *l, five v, ag_check_row *row, bool *accepted) {
    double change = 0;
    *accepted = false;
    if (l->j < 0 || v.error > 1e-6 * l->most) return true;
    for (uint64_t round = 1; round <= SHAKES; round++) {
        double a;
        if (!ag__line_shaken(l, round, &a)) return false;
        change = fmax(change, fabs(a - l->a));
    }
    v.noise += 8 * change;
    *accepted = accept(l, &v, row);
    return true;
}

bool ag__line_check(const ag__line *l, ag_check_row *row) {
    five v[SHRINKS];
    double d = STEP * l->scale, noise;
    int count = 0;
    if (!isfinite(l->a) || !isfinite(l->t->home.f)) {
        fill(row, (double)NAN, d, 0);
        row->verdict = AG_NOT_FINITE;
        return true;
    }
    bool speaking = true;
    for (int k = 0; k < EDGES && count < SHRINKS && (speaking || count < AT_LEAST); k++, d /= SHRINK) {
        if (!take(l, d, &v[count])) return false;
        if (!v[count].finite) continue;
        speaking = speaks(v, &v[count]);
        if (speaking && accept(l, &v[count], row)) return true;
        count++;
    }
    if (!count) return check_edge(l, row);
    if (!measure_noise(l, v[0].d, &noise)) return false;
    if (accept_noise(l, v, count, noise, row) || accept_noise(l, v, count, noise_of_steps(l, v, count), row))
        return true;
    v[count - 1].noise = fmax(v[count - 1].noise, noise / v[count - 1].d);
    bool accepted = accept_kink(l, &v[count - 1], row);
    if (!accepted && !accept_shaken(l, *steadiest(v, count), row, &accepted)) return false;
    if (!accepted) name_fault(l, steadiest(v, count), row);
    return true;
}
