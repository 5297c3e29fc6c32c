/* special_quantile.h: the incomplete gamma integrals of a and x as functions of a, and the quantile x of the gamma distribution.
 *
 *     f(x) = xᵃ⁻¹ e⁻ˣ / Γ(a),  F = ∫₀ˣ f = x f L(0),  1 − F = x f R(0)
 *
 *     L(ε) = ∫₀^∞ e^(−x (e⁻ᵛ − 1) − (a + ε) v) dv     R(ε) = ∫₀^∞ e^(−x (eᵛ − 1) + (a + ε) v) dv
 *
 * (t = x e^∓ᵛ in ∫ tᵃ⁻¹ e⁻ᵗ dt.) Each is used where its exponent only falls: L for ln x ≤ ψ(a), R beyond, so that in
 *
 *     ∂ⁿ/∂aⁿ F / f = x n! [εⁿ] E(ε) L(ε),   E(ε) = e^(ε (ln x − ψ(a)) − ε² ψ′(a) / 2! − …)
 *
 * all terms of the first order have one sign. The integrands are entire: Gauss and Legendre's rule of 32 points, up to where they
 * vanish, gives 13 digits for any a. Below x = 2 the series x f / a Σ xᵏ / ((a + 1) … (a + k)) takes their place. */
#ifndef OPS_KERNELS_SPECIAL_QUANTILE_H
#define OPS_KERNELS_SPECIAL_QUANTILE_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "ops/kernels/math_f64.h"

enum { GAMMA_ORDERS = 24 };

enum { GAUSS_HALF = 16 };

/* On [0, 1] the nodes are ½ ± gauss_node, of one weight. */
static const double gauss_node[GAUSS_HALF] = {
    0.024153832843869158, 0.072235980791398247, 0.11964368112606854, 0.16593430114106382,
    0.21067563806531767,  0.2534499544661147,   0.29385787862038116, 0.3315221334651076,
    0.36609105937014484,  0.3972418979839712,   0.42468380686628499, 0.44816057788302606,
    0.46745303796886984,  0.48238112779375322,  0.49280575577263417, 0.49863193092474078};
static const double gauss_weight[GAUSS_HALF] = {
    0.0482700442573639,   0.04781936003963743,  0.046922199540402283,  0.045586939347881942,
    0.043826046502201906, 0.041655962113473378, 0.039096947893535153,  0.036172897054424253,
    0.032911111388180923, 0.029342046739267774, 0.025499029631188088,  0.02141794901111334,
    0.017136931456510717, 0.01269603265463103,  0.0081371973654528353, 0.0035093050047350483};

typedef struct gamma_side {
    double a, x, sign; /* sign 1: R, −1: L; the exponent is −x (e^(sign v) − 1 − sign v) − |x − a| v */
} gamma_side;

/* About where the integrand is e^−most: where it would be with e^±v to the second order, and one of Newton's steps on from there. The
 * fall is convex, so the step ends beyond. */
static inline double side_end(const gamma_side *s, double most) {
    const double x = s->x, slope = s->sign * (x - s->a), v = 2 * most / (slope + sqrt(slope * slope + 2 * x * most));
    const double end = s->sign > 0 ? fmin(v, m_log1p(most / x) + 1) : v, e = m_expm1(s->sign * end);
    return end - (x * (e - s->sign * end) + slope * end - most) / (s->sign * x * e + slope);
}

/* m[k] = [εᵏ] of L or R, k = 0 … n */
static inline void side_moments(const gamma_side *s, int n, double m[]) {
    const double end = side_end(s, 40 + 2 * n), x = s->x, sign = s->sign, slope = sign * (x - s->a);
    double v[2 * GAUSS_HALF], term[2 * GAUSS_HALF];
    for (int i = 0; i < GAUSS_HALF; i++) {
        v[i] = end * (0.5 - gauss_node[i]);
        v[i + GAUSS_HALF] = end * (0.5 + gauss_node[i]);
        term[i] = term[i + GAUSS_HALF] = end * gauss_weight[i];
    }
    for (int i = 0; i < 2 * GAUSS_HALF; i++)
        term[i] *= m_exp(-(x * (m_expm1(sign * v[i]) - sign * v[i]) + slope * v[i]));
    for (int k = 0; k <= n; k++) {
        double sum[4] = {0};
        for (int i = 0; i < 2 * GAUSS_HALF; i += 4) {
            for (int j = 0; j < 4; j++) sum[j] += term[i + j];
        }
        m[k] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        for (int i = 0; i < 2 * GAUSS_HALF; i++) term[i] *= sign * v[i] / (k + 1);
    }
}

/* m[k] = [εᵏ] of Σ xʲ / ((a + 1 + ε) … (a + j + ε)) */
static inline void series_moments(double a, double x, int n, double m[]) {
    double term[GAMMA_ORDERS + 1] = {1};
    for (int k = 0; k <= n; k++) m[k] = k == 0;
    for (int j = 1; j < 200 && (j < 4 || fabs(term[0]) > DBL_EPSILON / 16 * m[0]); j++) {
        double before = 0;
        for (int k = 0; k <= n; k++) {
            before = term[k] = (term[k] * x - before) / (a + j);
            m[k] += term[k];
        }
    }
}

static inline bool on_series(double x) { return x < 2; }
static inline bool on_right(double a, double x) { return log(x) > ONCE_TABLE(special).digamma(a, 0); }

/* ln x − ψ(a), which cancels where x ≈ a is large */
static inline double log_less_digamma(double x, double a) {
    return a < 1000 ? log(x) - ONCE_TABLE(special).digamma(a, 0) : log1p((x - a) / a) + 0.5 / a + 1 / (12 * a * a);
}

/* −∂ⁿF/∂aⁿ / f; n = 1: the derivative of the quantile. NaN unless n is 1, 2, … 24 */
static inline double m_gamma_slope(double a, double x, double n) {
    if (!(a > 0) || !(x > 0) || !(n >= 1 && n <= GAMMA_ORDERS) || n != rint(n) || x > DBL_MAX || a > DBL_MAX)
        return (double)NAN;
    double e[GAMMA_ORDERS + 1] = {1}, m[GAMMA_ORDERS + 1], c[GAMMA_ORDERS + 1], sum = 0, factorial = 1;
    const int order = (int)n;
    const bool series = on_series(x);
    const gamma_side s = {a, x, on_right(a, x) ? 1 : -1};
    if (series) series_moments(a, x, order, m);
    else side_moments(&s, order, m);
    c[1] = log_less_digamma(x, series ? a + 1 : a);
    for (int j = 2; j <= order; j++) {
        factorial *= j;
        c[j] = -ONCE_TABLE(special).polygamma(series ? a + 1 : a, j - 1) / factorial;
    }
    for (int k = 1; k <= order; k++) { /* k eₖ = Σ j cⱼ eₖ₋ⱼ */
        e[k] = 0;
        for (int j = 1; j <= k; j++) e[k] += j * c[j] * e[k - j] / k;
    }
    for (int k = 0; k <= order; k++) sum += e[k] * m[order - k];
    return (series ? -x / a : s.sign * x) * factorial * sum;
}

/* ln(x f(x)) */
static inline double log_density(double a, double x) {
    if (a < 16) return a * log(x) - x - m_lgamma(a);
    const double u = (x - a) / a, l = fabs(u) < 0.5 ? log1p(u) : log(x / a), b = 1 / (a * a);
    return -a * (u - l) + 0.5 * log(a * 0.15915494309189534) -
           (1. / 12 - b * (1. / 360 - b * (1. / 1260 - b * (1. / 1680 - b / 1188)))) / a;
}

/* The standard normal's quantile to three digits (Abramowitz, Stegun 1964, 26.2.23), of the nearer tail */
static inline double rough_normal(double tail) {
    const double t = sqrt(-2 * log(tail));
    return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/* First guess: Wilson and Hilferty's, or where F ≈ xᵃ / Γ(a + 1), that turned round */
static inline double rough_quantile(double a, double p, double q) {
    const double z = p < q ? -rough_normal(p) : rough_normal(q), c = 1 - 1 / (9 * a) + z / (3 * sqrt(a));
    if (a >= 1 && c > 0.3) return a * c * c * c;
    const double y = (log(p) + m_lgamma(a + 1)) / a, x = exp(y);
    if (x < 0.5 * (a + 1)) return x * (1 + x / (a + 1));
    const double far = -log(q) - m_lgamma(a);
    return far > 1 ? far + (a - 1) * log(far) : 0.5 * (a + 1);
}

/* F(x), 1 − F(x) and, in density, x f(x) */
static inline void gamma_tails(double a, double x, double *lower, double *upper, double *density) {
    double m[1];
    const bool series = on_series(x);
    const gamma_side s = {a, x, x > a ? 1 : -1};
    *density = exp(log_density(a, x));
    if (series) series_moments(a, x, 0, m);
    else side_moments(&s, 0, m);
    const double part = *density * m[0] / (series ? a : 1);
    *lower = series || s.sign < 0 ? part : 1 - part;
    *upper = series || s.sign < 0 ? 1 - part : part;
}

/* t with ∫₀ᵗ e^(a τ − x (e^τ − 1)) dτ = u, by the integrand's first five derivatives: where F is off by u x f, ln x is by t. */
static inline double gamma_step(double a, double x, double u) {
    const double s = a - x, c3 = s * s - x, c4 = s * (c3 - 2 * x) - x, c5 = s * (c4 - 3 * x) - 3 * x * c3 - x;
    double t = u;
    for (int i = 0; i < 4; i++) {
        const double f = t * (1 + t * (s / 2 + t * (c3 / 6 + t * (c4 / 24 + t * c5 / 120)))) - u;
        t -= f / (1 + t * (s + t * (c3 / 2 + t * (c4 / 6 + t * c5 / 24))));
    }
    return t;
}

/* x with F(x) = p = 1 − q, no less than `least`. Far from it Halley's steps on ln F or ln(1 − F), whichever is smaller, in ln x:
 * (ln F)′ = x f / F = r, (ln F)″ / (ln F)′ = a − x − r. Near it one step to the fifth order, good to 14 digits below `near`
 * deviations. */
static inline double gamma_quantile(double a, double p, double q, double least, double near) {
    if (!(a > 0)) return a == 0 ? least : (double)NAN;
    if (a > DBL_MAX) return a;
    double x = rough_quantile(a, p, q);
    for (int i = 0; i < 30 && x > least; i++) {
        double lower, upper, density;
        gamma_tails(a, x, &lower, &upper, &density);
        const double u = (p < q ? p - lower : upper - q) / density, scale = sqrt(x) + fabs(a - x);
        if (fabs(u) * scale < 0.1) {
            const double t = gamma_step(a, x, u);
            x *= exp(t);
            if (fabs(t) * scale < near) break;
            continue;
        }
        const double r = p < q ? density / lower : -density / upper;
        const double off = (p < q ? log(lower / p) : log(upper / q)) / r, bend = 1 - 0.5 * off * (a - x - r);
        const double step = bend > 0.5 ? off / bend : off;
        x *= exp(fabs(step) < 2 ? -step : step > 0 ? -2 : 2);
    }
    return x > least ? x : least;
}

#endif
