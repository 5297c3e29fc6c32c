#!/usr/bin/env python3
"""Writes golden_gamma.h: derivatives of the gamma distribution's quantile to its parameter, by mpmath's incomplete gamma functions in
50 digits, differentiated by its high-precision differences.

    python3 tests/ops/golden_gamma.py >tests/ops/golden_gamma.h
"""
import mpmath as m
from scipy.special import gammaincinv

m.mp.dps = 50


def slope(a, x, n):
    """-(d/da)^n F(x; a) / f(x; a), F by the smaller tail"""
    a, x = m.mpf(a), m.mpf(x)
    lower = lambda t: m.gammainc(t, 0, x, regularized=True)
    upper = lambda t: -m.gammainc(t, x, m.inf, regularized=True)
    f = m.exp((a - 1) * m.log(x) - x - m.loggamma(a))
    return -m.diff(lower if x < a else upper, a, n, h=a * m.mpf(10) ** -10) / f


print("/* golden_gamma.h: derivatives of gamma quantiles by mpmath, written by golden_gamma.py. */")
print("static const struct {\n    double a, x;\n    int n;\n    double slope;\n} golden[] = {")
for a in [1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4]:
    for p in [1e-8, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-8]:
        x = float("%.6g" % gammaincinv(a, p))
        if x < 1e-290:
            continue
        for n in (1, 2):
            print("    {%r, %r, %d, %s}," % (a, x, n, m.nstr(slope(a, x, n), 17)))
    if a < 0.05:
        print("    {%r, 1e-200, 1, %s}," % (a, m.nstr(slope(a, 1e-200, 1), 17)))
print("};")
