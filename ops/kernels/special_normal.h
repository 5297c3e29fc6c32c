/* special_normal.h: the normal distribution function where erfc alone gives no digits: far below 0, near 1, and turned round.
 *
 *     Eₙ(x) = e^(x²) iⁿerfc x, ierfcx, of which E₀ is erfcx: iⁿ integrates n times from x to ∞        (DLMF 7.18.2)
 *         2 n Eₙ = Eₙ₋₂ − 2 x Eₙ₋₁ from E₋₁ = 2/√π on                                                  (DLMF 7.18.7)
 *         Eₙ′ = −2 (n + 1) Eₙ₊₁
 *
 * Upwards it cancels where x > 0 is not small; there, downwards in rₖ = Eₖ / Eₖ₋₁ = ½ / (x + (k + 1) rₖ₊₁), a continued fraction,
 * begun at a k so large that rₖ ≈ rₖ₊₁ is good enough.
 *
 * The inverse of erf: Giles' polynomials ("Approximating the erfinv function", GPU Computing Gems 2, 2011) are good to single
 * precision for 1 − |x| > 1e-7; closer to ±1 the expansion erfc y ≈ e^(−y²) / (y √π) is turned round. Two of Halley's steps, on erf
 * or, where that is near 1, on erfc y e^(y²), leave the rounding of these functions. */
#ifndef OPS_KERNELS_SPECIAL_NORMAL_H
#define OPS_KERNELS_SPECIAL_NORMAL_H

#include "ops/kernels/math_f64.h"

enum { ERFC_ORDER_MOST = 1 << 20 };

/* e^(s x²), with what rounding took from the square */
APART double exp_square(double x, double s) {
    double low;
    const double square = f64_product(x, x, &low), e = exp(s * square);
    return e > 0 && e < INF_F64 ? e + e * (s * low) : e;
}

/* The digits of all n that matter: the error of going upwards grows with n x. */
static inline bool erfc_upwards(double x, double n) { return !(x >= (n == 0 ? 25 : n < 5 ? 1.5 / (n + 1) : 0.3)); }

static double m_ierfcx(double x, double n) {
    double before = 1.1283791670955126;
    if (!(n >= 0 && n <= ERFC_ORDER_MOST) || n != (double)(int)n) return NAN_F64;
    if (erfc_upwards(x, n)) {
        double here = exp_square(x, 1) * erfc(x);
        for (double k = 1; k <= n; k++) {
            const double next = (before - 2 * x * here) / (2 * k);
            before = here;
            here = next;
        }
        return here;
    }
    double k = n + ceil(8 + 20 / x + 140 / (x * x)), r = 1 / (x + sqrt(x * x + 2 * k + 3));
    for (; k >= 0; k--) {
        r = 0.5 / (x + (k + 1) * r);
        if (k <= n) before *= r;
    }
    return before;
}

/* ln Φ(x) */
static double m_log_ndtr(double x, double n) {
    const double z = 0.70710678118654752 * x;
    (void)n;
    if (x < -1) return log(0.5 * m_ierfcx(-z, 0)) - 0.5 * x * x;
    return x < 0 ? log(0.5 * erfc(-z)) : log1p(-0.5 * exp_square(x, -0.5) * m_ierfcx(z, 0));
}

static inline double erfinv_centre(double w) {
    static const double c[] = {1.50140941,     0.246640727,   -0.00417768164, -0.00125372503, 0.00021858087,
                               -4.39150654e-6, -3.5233877e-6, 3.43273939e-7,  2.81022636e-8};
    double sum = 0;
    for (int i = 8; i >= 0; i--) sum = sum * (w - 2.5) + c[i];
    return sum;
}

static inline double erfinv_side(double w) {
    static const double c[] = {2.83297682,     1.00167406,    0.00943887047,  -0.0076224613,  0.00573950773,
                               -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257};
    double sum = 0;
    for (int i = 8; i >= 0; i--) sum = sum * (sqrt(w) - 3) + c[i];
    return sum;
}

/* y with erfc y = e^−l, for large l */
static inline double erfinv_far(double l) {
    double y = sqrt(l);
    for (int i = 0; i < 3; i++) y = sqrt(l - log(1.7724538509055160 * y / (1 - 0.5 / (y * y))));
    return y;
}

/* y ≥ 0 with erf y = a, erfc y = q = 1 − a; NaN for q < 0 */
APART double erfinv_of(double a, double q) {
    const double l = -log(q), w = l - log1p(a);
    if (q == 0) return INF_F64;
    double y = w < 5 ? a * erfinv_centre(w) : w < 15 ? a * erfinv_side(w) : erfinv_far(l);
    for (int i = 0; i < 2; i++) { /* u = f / f′, f″ / f′ = −2 y */
        const double u = 0.88622692545275801 * (a < 0.5 ? (erf(y) - a) * exp(y * y) : exp(y * y - l) - m_ierfcx(y, 0));
        y -= u / (1 + y * u);
    }
    return y;
}

static double m_erfinv(double x, double n) {
    const double a = fabs(x);
    (void)n;
    return copysign(erfinv_of(a, 1 - a), x);
}

/* x with Φ(x) = p, by the smaller of p and 1 − p, twice which is exact */
static double m_ndtri(double p, double n) {
    const double q = p < 0.5 ? 2 * p : 2 * (1 - p), y = 1.4142135623730950 * erfinv_of(1 - q, q);
    (void)n;
    return p < 0.5 ? -y : y;
}

#endif
