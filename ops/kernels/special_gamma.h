/* special_gamma.h: the derivatives of ln |Γ|, digamma and polygamma.
 *
 *     ψ(x):    1 ≤ x < 2    (x − x₀) P(x), x₀ = 1.4616… the root in two parts, P a Chebyshev fit of 24 terms, error 6e-19
 *              x < 10       by ψ(x + 1) = ψ(x) + 1 / x into that interval
 *              10 ≤ x       ln x − 1 / (2 x) − Σ B₂ₖ / (2 k x²ᵏ)                                       (DLMF 5.11.2)
 *              x < 0        ψ(1 − x) − π cot π x, of x less its nearest integer                         (DLMF 5.5.4)
 *     ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹ n! ζ(n + 1, x)                                                                   (DLMF 25.11.12)
 *     ζ(s, x): Euler and Maclaurin's sum from x ≥ s + 10 on                                             (DLMF 25.11.5)
 *              x < 0: the sum over all x + k, k ∈ ℤ, less the part on the other side
 *
 * At the poles ψ is NaN, ±∞ at ∓0, and ζ ∞, as in PyTorch. */
#ifndef OPS_KERNELS_SPECIAL_GAMMA_H
#define OPS_KERNELS_SPECIAL_GAMMA_H

#include "ops/kernels/math.h"

/* For x > 0 */
APART double digamma_right(double x) {
    static const double fit[] = {
        0.951055876031832879,     -0.423627421281460496,     0.240542484240787359,    -0.148404923053917617,
        0.0949887244528300109,    -0.0619221332716570652,    0.0407608339446265644,   -0.0269757968442753614,
        0.0179072481959691286,    -0.0119082151725840029,    0.00792702406796123633,  -0.00528001782089873998,
        0.00351808007510666937,   -0.00234465008235132083,   0.00156356797575338864,  -0.00104226155650422295,
        0.000689971780116684032,  -0.000459962514461257646,  0.000326806804414176423, -0.000217868214550145082,
        0.0000917338328917479162, -0.0000611554261750750904, 0.00012230983055406747,  -0.0000815397897330941803};
    double sum = 0, p = 0;
    if (x >= 10) {
        const double u = 1 / (x * x);
        return log(x) - 0.5 / x -
               u * (1. / 12 -
                    u * (1. / 120 -
                         u * (1. / 252 -
                              u * (1. / 240 - u * (1. / 132 - u * (691. / 32760 - u * (1. / 12 - u * (3617. / 8160))))))));
    }
    for (; x >= 2; sum += 1 / x) x -= 1;
    if (x < 1) {
        sum = -1 / x;
        x += 1;
    }
    for (int i = sizeof fit / sizeof *fit; i-- > 0;) p = p * (x - 1.5) + fit[i];
    return (x - 1.4616321449683622 - 9.5499954299656977e-17) * p + sum;
}

static inline double m_digamma(double x) {
    if (x > 0) return x <= 1.7976931348623157e308 ? digamma_right(x) : x;
    if (x == 0) return copysign((double)INFINITY, -x);
    const double r = x - rint(x);
    return r == 0 ? (double)NAN : digamma_right(1 - x) - 3.14159265358979324 / tan(3.14159265358979324 * r);
}

/* x^−s; by multiplying for trigamma and tetragamma, which second derivatives of lgamma and digamma need */
static inline double zeta_term(double x, double s) {
    const double r = 1 / x;
    return s == 1 ? r : s == 2 ? r * r : s == 3 ? r * r * r : pow(x, -s);
}

/* ζ(s, x) = Σ (x + k)^−s for x > 0 and s ≥ 2 */
APART double zeta_right(double s, double x) {
    static const double b[] = {1. / 12,           -1. / 720,
                               1. / 30240,        -1. / 1209600,
                               1. / 47900160,     -691. / 1307674368000,
                               1. / 74724249600., -3617. / 10670622842880000.}; /* B₂ₖ / (2 k)! */
    const double count = x < s + 10 ? ceil(s + 10 - x) : 0, a = x + count;
    double tail = 0, rising = s / a;
    for (int k = 0; k < 8; k++) {
        tail += b[k] * rising;
        rising *= (s + 2 * k + 1) * (s + 2 * k + 2) / (a * a);
    }
    double sum = zeta_term(a, s - 1) * (1 / (s - 1) + (0.5 + tail) / a); /* a^−s underflows before a^(1−s) does */
    for (double k = count - 1; k >= 0; k--) sum += zeta_term(x + k, s);  /* the small ones first */
    return sum;
}

static inline double zeta_any(double s, double x) {
    if (x > 0) return zeta_right(s, x);
    const double r = x - rint(x), sign = fmod(s, 2) == 0 ? 1 : -1;
    if (r == 0) return (double)INFINITY;
    const double both = zeta_right(s, r > 0 ? r : 1 + r) + sign * zeta_right(s, r > 0 ? 1 - r : -r);
    return both - sign * zeta_right(s, 1 - x);
}

/* NaN unless n is 0, 1, 2, … 2²⁰: the terms of ζ's sum are as many. */
enum { POLYGAMMA_ORDER_MOST = 1 << 20 };

static inline double m_polygamma(double x, double n) {
    if (!(n >= 0 && n <= POLYGAMMA_ORDER_MOST) || n != (double)(int)n) return (double)NAN;
    if (n == 0) return m_digamma(x);
    if (x == (double)INFINITY) return fmod(n, 2) == 0 ? -0.0 : 0;
    const double z = zeta_any(n + 1, x), size = n < 3     ? n * z
                                                : n < 150 ? tgamma(n + 1) * z
                                                          : copysign(exp(m_lgamma(n + 1) + log(fabs(z))), z);
    return fmod(n, 2) == 0 ? -size : size;
}

#endif
