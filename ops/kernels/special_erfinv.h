/* special_erfinv.h: the inverse of erf.
 *
 * Giles' polynomials ("Approximating the erfinv function", GPU Computing Gems 2, 2011) are good to single precision for
 * 1 − |x| > 1e-7; closer to ±1 the expansion erfc y ≈ e^(−y²) / (y √π) is turned round. Two of Halley's steps, on erf or, where
 * that is near 1, on erfc, leave the rounding of these functions. */
#ifndef OPS_KERNELS_SPECIAL_ERFINV_H
#define OPS_KERNELS_SPECIAL_ERFINV_H

#include <math.h>

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

/* y with erfc y = q, for small q */
static inline double erfinv_far(double q) {
    double y = sqrt(-log(q));
    for (int i = 0; i < 3; i++) y = sqrt(-log(q * 1.7724538509055160 * y / (1 - 0.5 / (y * y))));
    return y;
}

static inline double m_erfinv(double x, double n) {
    const double a = fabs(x), q = 1 - a;
    (void)n;
    if (!(q > 0)) return q == 0 ? copysign((double)INFINITY, x) : (double)NAN;
    const double w = -log((1 - a) * (1 + a));
    double y = w < 5 ? a * erfinv_centre(w) : w < 15 ? a * erfinv_side(w) : erfinv_far(q);
    for (int i = 0; i < 2; i++) { /* u = f / f′, f″ / f′ = −2 y */
        const double u = (a < 0.5 ? erf(y) - a : q - erfc(y)) * (0.88622692545275801 * exp(y * y));
        y -= u / (1 + y * u);
    }
    return copysign(y, x);
}

#endif
