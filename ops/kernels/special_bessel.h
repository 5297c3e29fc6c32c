/* special_bessel.h: the Bessel functions Jₙ, jv, and Yₙ, yv, which are libm's, the modified Iₙ, iv and, times e^−|x|, ive, and the
 * spherical jₙ, spherical_jn, of integer order n.
 *
 *     Iₙ: |x| ≤ 20         (x/2)ⁿ Σ (x²/4)ᵏ / (k! (n + k)!), all of one sign                              (DLMF 10.25.2)
 *         |x| ≥ n²         eˣ / √(2 π x) Σ ∏ ((2 j − 1)² − 4 n²) / (8 j x)                               (DLMF 10.40.1)
 *         between          Iₖ₋₁ = Iₖ₊₁ + (2 k / x) Iₖ downwards, scaled by I₀ + 2 Σ Iₖ = eˣ               (DLMF 10.29.1, 10.35.5)
 *     jₙ: x² < 2 n + 3     xⁿ / (2 n + 1)‼ Σ (−x²/2)ᵏ / (k! (2 n + 3) … (2 n + 2 k + 1))                  (DLMF 10.53.1)
 *         |x| > n          jₖ₊₁ = (2 k + 1) / x jₖ − jₖ₋₁ upwards from sin x / x                          (DLMF 10.51.1)
 *         between          the same downwards, scaled by the larger of j₀ and j₁
 *
 * NaN for an order that is not a whole number, or beyond ±2²⁰: the work grows with it. */
#ifndef OPS_KERNELS_SPECIAL_BESSEL_H
#define OPS_KERNELS_SPECIAL_BESSEL_H

#include <math.h>
#include <stdbool.h>

enum { BESSEL_ORDER_MOST = 1 << 20 };

static inline bool bessel_order(double n) { return n == rint(n) && fabs(n) <= BESSEL_ORDER_MOST; }

APART double iv_series(double a, double n) {
    const double t = 0.25 * a * a;
    const double first = n < 150 ? n : 150; /* neither power nor factorial overflows yet */
    double term = n == 0 ? 1 : pow(0.5 * a, first) / tgamma(first + 1);
    for (double k = first + 1; k <= n && term > 0; k++) term *= 0.5 * a / k;
    double sum = term;
    for (double k = 1; k < 200 && term > 1e-18 * sum; k++) {
        term *= t / (k * (n + k));
        sum += term;
    }
    return a != a ? a : sum;
}

static inline double ive_far(double a, double n) {
    double term = 1, sum = 1;
    for (double k = 1; k < 100 && fabs(term) > 1e-18 * fabs(sum); k++) {
        term *= ((2 * k - 1) * (2 * k - 1) - 4 * n * n) / (8 * k * a);
        sum += term;
    }
    return sum / (2.50662827463100050 * sqrt(a)); /* 2 π a may overflow */
}

static inline double ive_downwards(double a, double n) {
    double above = 0, here = 1e-300, sum = 0, found = 0;
    for (double k = 2 * n + 40 + ceil(sqrt(80 * a)); k > 0; k--) { /* I_k / I_0 is about e^(−k² / 2 a) */
        const double below = above + 2 * k / a * here;
        above = here;
        here = below;
        sum += 2 * above;
        if (k == n + 1) found = here;
        if (here < 1e250) continue;
        above *= 1e-250, here *= 1e-250, sum *= 1e-250, found *= 1e-250;
    }
    return (n == 0 ? here : found) / (sum + here);
}

static inline double iv_sign(double x, double n) { return x < 0 && fmod(n, 2) != 0 ? -1 : 1; }

APART double m_ive(double x, double n) {
    const double a = fabs(x), order = fabs(n);
    if (!bessel_order(n)) return (double)NAN;
    const double y = !(a > 20)            ? iv_series(a, order) * exp(-a)
                     : a >= order * order ? ive_far(a, order)
                                          : ive_downwards(a, order);
    return iv_sign(x, order) * y;
}

static inline double m_iv(double x, double n) {
    const double a = fabs(x), order = fabs(n), half = exp(0.5 * a);
    if (!bessel_order(n)) return (double)NAN;
    if (!(a > 20)) return iv_sign(x, order) * iv_series(a, order);
    if (a > 1.7976931348623157e308) return iv_sign(x, order) * a;
    return half * m_ive(x, n) * half;
}

static double m_jv(double x, double n) {
    if (!bessel_order(n)) return (double)NAN;
    return n == 0 ? j0(x) : n == 1 ? j1(x) : jn((int)n, x);
}

static double m_yv(double x, double n) {
    if (!bessel_order(n) || x < 0) return (double)NAN;
    return n == 0 ? y0(x) : n == 1 ? y1(x) : yn((int)n, x);
}

static inline double spherical_series(double a, double n) {
    double term = 1, sum = 1;
    for (double k = 1; k <= n; k++) term *= a / (2 * k + 1);
    sum = term;
    for (double k = 1; k < 60 && fabs(term) > 1e-18 * fabs(sum); k++) {
        term *= -0.5 * a * a / (k * (2 * n + 2 * k + 1));
        sum += term;
    }
    return sum;
}

static inline double spherical_downwards(double a, double n, double j0, double j1) {
    double above = 0, here = 1e-300, found = 0;
    for (double k = 2 * n + 40; k > 0; k--) {
        const double below = (2 * k + 1) / a * here - above;
        above = here;
        here = below;
        if (k == n + 1) found = here;
        if (fabs(here) < 1e250) continue;
        above *= 1e-250, here *= 1e-250, found *= 1e-250;
    }
    return fabs(j0) > fabs(j1) ? found / here * j0 : found / above * j1;
}

static inline double m_spherical_jn(double x, double n) {
    const double a = fabs(x), sign = x < 0 && fmod(n, 2) != 0 ? -1 : 1;
    if (!(n >= 0) || !bessel_order(n)) return (double)NAN;
    if (a * a < 2 * n + 3) return sign * spherical_series(a, n);
    double before = sin(a) / a, here = (before - cos(a)) / a;
    if (n == 0) return before;
    if (a < n) return sign * spherical_downwards(a, n, before, here);
    for (double k = 1; k < n; k++) {
        const double next = (2 * k + 1) / a * here - before;
        before = here;
        here = next;
    }
    return sign * here;
}

#endif
