/* math_f64.h: the functions m_name(x) by which rows are written, for doubles; within about 2 units in the last
 * place, erfc 3. */
#ifndef OPS_KERNELS_MATH_F64_H
#define OPS_KERNELS_MATH_F64_H

#include "ops/kernels/math_trig_f64.h"

INLINE double m_hypot(double a, double b) {
    double x = m_fabs(a), y = m_fabs(b), most = x > y ? x : y;
    bool large = most > 0x1p500, small = most < 0x1p-400; /* whose squares would leave the range */
    double s = large ? 0x1p-600 : small ? 0x1p600 : 1, u = x * s, v = y * s;
    double r = m_sqrt(f64_mad(u, u, v * v)) * (large ? 0x1p600 : small ? 0x1p-600 : 1);
    return x == INF_F64 || y == INF_F64 ? INF_F64 : r;
}

/* x = ±2^(3q) m, 1 ≤ m < 8: a cubic for m^(1/3), then twice y ← y − y (y³ − m) / (2 y³ + m) */
INLINE double m_cbrt(double x) {
    double a = m_fabs(x);
    bool small = a < 0x1p-1022;
    uint64_t u = f64_bits(small ? a * 0x1p54 : a), e = u >> 52;
    double third = f64_mad(f64_number(e, 1), 0x1.5555555555555p-2, 0x1.8p52); /* ⌊e / 3⌋ in its low bits */
    uint64_t q = f64_bits(third) & 0x7ff;
    double m = f64_from((u & UINT64_C(0x000fffffffffffff)) | (e + 1023 - q - q - q) << 52);
    double y = POLY3(f64_mad, m, 0.7167346418604423, 0.3288364544631474, -0.03402605365290486, 0.0016274953380330931);
    double c = y * y * y;
    y -= y * (c - m) / f64_mad(2, c, m);
    c = y * y * y;
    y -= y * (c - m) / f64_mad(2, c, m);
    y *= f64_from((q - 341 + 1023) << 52) * (small ? 0x1p-18 : 1);
    return a > 0 && a < INF_F64 ? f64_sign(y, x) : x;
}

/* erf x / x − 1 for |x| < 1, z = x² */
INLINE double f64_erf_near(double z) {
    return POLY12(f64_mad, z, 0.1283791670955126, -0.3761263890318375, 0.11283791670954876, -0.02686617064507627,
                  0.005223977624812638, -0.0008548326980509413, 0.00012055331099279798, -1.4925594957596026e-05,
                  1.6460995338195411e-06, -1.6350256278696497e-07, 1.4659383821340068e-08, -1.1371291831047954e-09,
                  5.954471583153482e-11);
}

/* erfc a = 2^(k − 2048) y; erfc a = e^(−a²) d p(q), d = 1 / (a + 4), q = (a − 4) / (a + 4) = 1 − 8 d, 0 ≤ a. What rounding took
 * from d, from p and from w = d p comes back with the last sum: y = w (1 + t). */
INLINE double f64_erfc_scaled(double a, uint64_t *k) {
    double c = a > 28 ? 28 : a, square_low, square = f64_product(c, c, &square_low);
    double n = f64_exponent(-square, k), r = f64_mad(n, -LN2_HIGH, -square) - f64_mad(n, LN2_LOW, square_low);
    double t = r + f64_exp_tail(r);
    double u = c + 4, u_low = c < 4 ? (4 - u) + c : (c - u) + 4, d = 1 / u, one_low, one = f64_product(d, u, &one_low);
    double lack = ((1 - one) - one_low) - d * u_low, q = f64_mad(-8 * d, lack, f64_mad(-8, d, 1));
    double s = POLY21(f64_mad, q, -0.9765487290808821, 0.7732087022652374, -0.5408538313132201, 0.33085158787798813,
                      -0.17401093724044453, 0.07638151490987771, -0.02637005333230321, 0.0061120556492774555,
                      -0.00028095893558087193, -0.0004550526455639654, 0.00017681319046764806, -3.635296646587849e-06,
                      -1.886213507131139e-05, 4.694619976583313e-06, 1.4268525380407012e-06, -8.46291501725211e-07,
                      -7.900030007324783e-08, 1.2397022621920958e-07, 3.3863100022512686e-09, -1.5213206819950384e-08,
                      -6.36903746253068e-10, 9.084541771213907e-10);
    double first = 1.095995661000491, v_low, v = f64_product(q, s, &v_low), p = first + v;
    double got = p - first, p_low = ((first - (p - got)) + (v - got)) + v_low, w_low, w = f64_product(d, p, &w_low);
    double rest = f64_mad(d, p_low, f64_mad(w, lack, w_low));
    return w + f64_mad(w, t, f64_mad(rest, t, rest));
}

INLINE double f64_erfc_far(double a) {
    uint64_t k;
    double y = f64_erfc_scaled(a, &k);
    return f64_times_power(y, k);
}

INLINE double m_erf(double x) {
    double a = m_fabs(x), near = f64_mad(x, f64_erf_near(x * x), x);
    return a < 1 ? near : f64_sign(1 - f64_erfc_far(a), x);
}

INLINE double m_erfc(double x) {
    double y = f64_erfc_far(m_fabs(x));
    return x < 0 ? 2 - y : y;
}

#endif
