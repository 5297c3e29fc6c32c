/* special_igamma.h: the gamma distribution's density and the integrals P = F and Q = 1 − F on either side, regularised incomplete gamma
 * functions. special_quantile.h has f, L and R.
 *
 *     x ≤ a                P = x f L, below x = 2 its series
 *     x > a                Q = x f R
 *     x < 0.7, xᵃ > 0.6    Q = 1 − xᵃ / Γ(1 + a) − xᵃ / Γ(a) Σ (−x)ᵏ / ((a + k) k!), k = 1, 2, …        (DLMF 8.7.1)
 *
 * each of positive terms or nearly so; the other one is what is left to 1, and no smaller than about a third. */
#ifndef OPS_KERNELS_SPECIAL_IGAMMA_H
#define OPS_KERNELS_SPECIAL_IGAMMA_H

#include "ops/kernels/special_quantile.h"

/* ln Γ(1 + a) / a, to the last digits for small a too: the mean of ψ over [1, 1 + a] */
static double log_gamma_mean(double a) {
    double sum = 0;
    for (int i = 0; i < GAUSS_HALF; i++)
        sum += gauss_weight[i] * (ONCE_TABLE(special).digamma(1 + a * (0.5 - gauss_node[i]), 0) +
                                  ONCE_TABLE(special).digamma(1 + a * (0.5 + gauss_node[i]), 0));
    return sum;
}

static double upper_near(double a, double x) {
    const double l = a * (log(x) - log_gamma_mean(a));
    double term = 1, sum = 0;
    for (int k = 1; k < 20; k++) {
        term *= -x / k;
        sum += term / (a + k);
    }
    return -expm1(l) - a * exp(l) * sum;
}

/* x f(x) / x^less, finite a and x; the power has more digits than e^(ln(x f)), whose exponent cancels, and e⁻ˣ may underflow before
 * the whole does. */
static double density(double a, double x, double less) {
    const double half = exp(-0.5 * x);
    return a < 16 || x == 0 ? pow(x, a - less) * half / tgamma(a) * half : exp(log_density(a, x)) / (less == 1 ? x : 1);
}

/* f(x); NaN for a < 0 or x < 0 */
static double m_gamma_density(double a, double x, double n) {
    (void)n;
    if (!(a >= 0 && x >= 0)) return NAN_F64;
    return a > DBL_MAX || x > DBL_MAX ? 0 : density(a, x, 1);
}

/* P; Q for n = 1 */
static double m_gamma_tail(double a, double x, double n) {
    double m[1], part;
    const bool near = x < 0.7 && a < 1, above = near ? a * log(x) > -0.5 : x > a;
    if (!(a >= 0 && x >= 0) || (a == x && (a == 0 || a > DBL_MAX))) return NAN_F64;
    if (a == 0 || x == 0 || a > DBL_MAX || x > DBL_MAX) return (x > a) == (n == 1) ? 0 : 1;
    const gamma_side s = {a, x, above ? 1 : -1};
    if (above && near) {
        part = upper_near(a, x);
    } else if (!above && on_series(x)) {
        series_moments(a, x, 0, m);
        part = density(a, x, 0) / a * m[0];
    } else {
        side_moments(&s, 0, m);
        part = density(a, x, 0) * m[0];
    }
    return above == (n == 1) ? part : 1 - part;
}

#endif
