/* reference_special.c: special functions, element by element, by other formulas than the library's, in long double. v holds the
 * input, p the order. */
#include <math.h>

#include "ops/reference.h"

typedef long double real;
static const real pi = 3.14159265358979323846264338327950288L;

/* By halving the interval [0.88 a, a] of erf or, for a ≥ ½, [0, 40] of erfc */
static double erfinv(double x) {
    real a = fabsl((real)x), lo = a < 0.5L ? 0.88L * a : 0, hi = a < 0.5L ? a : 40;
    if (!(a < 1)) return a == 1 ? copysign((double)INFINITY, x) : (double)NAN;
    for (int i = 0; i < 120; i++) {
        real middle = (lo + hi) / 2;
        bool below = a < 0.5L ? erfl(middle) < a : erfcl(middle) > 1 - a;
        if (below) lo = middle;
        else hi = middle;
    }
    return copysign((double)lo, x);
}

/* 2 / (√π n!) ∫ tⁿ e^(−t² − 2 x t) dt over t = e^(s − e^(−s)) > 0, by the trapezoidal rule; far out, (2 x)⁻ⁿ / (√π x) */
static real ierfcx(double x, double n) {
    real sum = 0, h = x > -5 ? 1 / 32.0L : 1 / 256.0L /* the peak at −x is narrow */, z = x, scale = z > 1 ? 1 / z : 1;
    if (isnan(x)) return (real)x;
    if (x < -110) return (real)INFINITY;
    if (x > 1e30) return n == 0 ? 1 / (z * sqrtl(pi)) : 1 / (z * sqrtl(pi)) * powl(1 / (2 * z), (real)n);
    for (int k = (int)(-8 / h); k * h < 8; k++) {
        real s = k * h, t = scale * expl(s - expl(-s));
        if (t == 0) continue; /* to a double, which a long double is under valgrind; ln t is not wanted then */
        sum += h * t * (1 + expl(-s)) * expl((real)n * logl(t) - t * t - 2 * z * t);
    }
    return 2 / sqrtl(pi) / tgammal((real)n + 1) * sum;
}

static double log_ndtr(double x) {
    real z = (real)x / sqrtl(2);
    if (x > 0) return (double)log1pl(-erfcl(z) / 2);
    return x > -100 ? (double)logl(erfcl(-z) / 2) : (double)(logl(ierfcx((double)-z, 0) / 2) - z * z);
}

/* By halving [−40, 40], of the tail on p's side of ½ */
static double ndtri(double p) {
    real lo = -40, hi = 0, tail = p < 0.5 ? (real)p : 1 - (real)p;
    if (!(p > 0 && p < 1)) return p == 0 ? -(double)INFINITY : p == 1 ? (double)INFINITY : (double)NAN;
    for (int i = 0; i < 120 && p != 0.5; i++) {
        real middle = (lo + hi) / 2;
        if (erfcl(-middle / sqrtl(2)) / 2 < tail) lo = middle;
        else hi = middle;
    }
    return p < 0.5 ? (double)hi : -(double)hi;
}

static double digamma(double x) {
    real t = x, sum = 0;
    if (isinf(x)) return x > 0 ? x : (double)NAN;
    if (x == 0) return copysign((double)INFINITY, -x);
    if (x < 0 && x == rint(x)) return (double)NAN;
    if (x < 0) {
        sum = -pi / tanl(pi * (t - rintl(t)));
        t = 1 - t;
    }
    for (; t < 40; t++) sum -= 1 / t;
    return (double)(sum + logl(t) - 1 / (2 * t) - 1 / (12 * t * t) + 1 / (120 * t * t * t * t) -
                    1 / (252 * powl(t, 6)) + 1 / (240 * powl(t, 8)));
}

/* (−1)ⁿ⁺¹ n! Σ (x + k)^−(n + 1): term by term up to 60 + n beyond 0, then Euler and Maclaurin's tail */
static double polygamma(double x, double n) {
    real s = (real)n + 1, t = x, sum = 0, factorial = tgammal(s);
    if (isnan(x) || x == -(double)INFINITY) return (double)NAN;
    if (n == 0) return digamma(x);
    if (x <= 0 && x == rint(x)) return fmod(n, 2) == 0 ? -(double)INFINITY : (double)INFINITY;
    for (; t < 60 + n; t++) sum += powl(t, -s);
    if (!isinf(x))
        sum += powl(t, -s) * (t / (s - 1) + 0.5L + s / (12 * t) - s * (s + 1) * (s + 2) / (720 * t * t * t) +
                              s * (s + 1) * (s + 2) * (s + 3) * (s + 4) / (30240 * powl(t, 5)));
    return (double)(fmod(n, 2) == 0 ? -factorial * sum : factorial * sum);
}

/* Iₙ times e^−scaled|x|: term by term, or its asymptotic series */
static double bessel(double x, double n, bool scaled) {
    real a = fabsl((real)x), term = 1, sum;
    if (isnan(x)) return x;
    if (a < 60) {
        for (int k = 1; k <= n; k++) term *= a / (2 * k);
        sum = term;
        for (int k = 1; k < 300; k++) sum += term *= a * a / (4 * k * (k + (real)n));
        sum *= scaled ? expl(-a) : 1;
    } else {
        sum = 1;
        for (int k = 1; k < 30; k++) sum += term *= ((2 * k - 1) * (2 * k - 1) - 4 * (real)n * (real)n) / (8 * k * a);
        sum /= sqrtl(2 * pi * a);
        if (!scaled) sum = isinf(a) ? a : sum * expl(a);
    }
    return (double)(x < 0 && fmod(n, 2) != 0 ? -sum : sum);
}

/* Jₙ and Yₙ for n ≥ 0 by their series, x within 5 of 0 (DLMF 10.2.2, 10.8.1) */
static double bessel_jy(double x, double n, bool second) {
    real h = (real)x / 2, term = powl(h, (real)n) / tgammal((real)n + 1), j = 0, y = 0,
         harmonic = -2 * 0.5772156649015328606065L;
    for (int k = 1; k <= n; k++) harmonic += 1 / (real)k;
    for (int k = 0; k < 60; k++) {
        j += term;
        y -= harmonic * term;
        harmonic += 1 / (real)(k + 1) + 1 / (real)(k + 1 + n);
        term *= -h * h / ((k + 1) * (k + 1 + (real)n));
    }
    for (int k = 0; k < n; k++) y -= tgammal((real)n - k) / tgammal((real)k + 1) * powl(h, 2 * k - (real)n);
    return (double)(second ? (2 * logl(h) * j + y) / pi : j);
}

/* xⁿ Σ (−x²/2)ᵏ / (k! (2 n + 2 k + 1)‼) below 5, the recurrence upwards above; orders to 4 */
static double spherical(double x, double n) {
    real a = fabsl((real)x), term = 1, sum, before = sinl(a) / a, here = (before - cosl(a)) / a;
    for (int k = 1; k <= n; k++) term *= a / (2 * k + 1);
    sum = term;
    for (int k = 1; k < 60; k++) sum += term *= -a * a / (2 * k * (2 * (real)n + 2 * k + 1));
    for (int k = 1; k < n; k++) {
        real next = (2 * k + 1) / a * here - before;
        before = here;
        here = next;
    }
    if (!(a < 5)) sum = n == 0 ? before : here;
    return (double)(x < 0 && fmod(n, 2) != 0 ? -sum : sum);
}

/* sin πx by the distance from the nearest integer */
static double sinc(double x) {
    real r = (real)x - rintl((real)x), s = sinl(pi * r);
    return x == 0 ? 1 : (double)((fmod(fabs(rint(x)), 2) != 0 ? -s : s) / (pi * (real)x));
}

#define ROW(name, expression)                                        \
    static double row_##name(const double v[], double p, double q) { \
        (void)p, (void)q;                                            \
        return (expression);                                         \
    }
ROW(erfinv, erfinv(v[0]))
ROW(erfcx, (double)ierfcx(v[0], 0))
ROW(ierfcx, (double)ierfcx(v[0], p))
ROW(log_ndtr, log_ndtr(v[0]))
ROW(ndtri, ndtri(v[0]))
ROW(lgamma, (double)lgammal((real)v[0]))
ROW(digamma, digamma(v[0]))
ROW(polygamma, polygamma(v[0], p))
ROW(i0, bessel(v[0], 0, false))
ROW(i1, bessel(v[0], 1, false))
ROW(i0e, bessel(v[0], 0, true))
ROW(i1e, bessel(v[0], 1, true))
ROW(iv, bessel(v[0], p, false))
ROW(ive, bessel(v[0], p, true))
ROW(bessel_j0, bessel_jy(v[0], 0, false))
ROW(bessel_j1, bessel_jy(v[0], 1, false))
ROW(jv, bessel_jy(v[0], p, false))
ROW(bessel_y0, bessel_jy(v[0], 0, true))
ROW(bessel_y1, bessel_jy(v[0], 1, true))
ROW(yv, bessel_jy(v[0], p, true))
ROW(spherical_jn, spherical(v[0], p))
ROW(sinc, sinc(v[0]))

#define ENTRY(name) \
    { #name, NULL, false, row_##name, NULL }
#define ORDER(name) \
    { #name, NULL, false, row_##name, "n" }
const reference references_special[] = {
    ENTRY(erfinv),
    ENTRY(erfcx),
    ORDER(ierfcx),
    ENTRY(log_ndtr),
    ENTRY(ndtri),
    ENTRY(lgamma),
    ENTRY(digamma),
    ORDER(polygamma),
    ENTRY(i0),
    ENTRY(i1),
    ENTRY(i0e),
    ENTRY(i1e),
    ORDER(iv),
    ORDER(ive),
    ENTRY(bessel_j0),
    ENTRY(bessel_j1),
    ORDER(jv),
    ENTRY(bessel_y0),
    ENTRY(bessel_y1),
    ORDER(yv),
    ORDER(spherical_jn),
    ENTRY(sinc),
    {NULL, NULL, false, NULL, NULL},
};
