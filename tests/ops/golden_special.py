#!/usr/bin/env python3
"""Writes golden_special.h: values of special functions to 17 digits, computed with mpmath in 120.

    python3 tests/ops/golden_special.py >tests/ops/golden_special.h
"""
import mpmath as m

m.mp.dps = 120


def polygamma(n):
    return lambda x: m.polygamma(n, x)


def iv(n):
    return lambda x: m.besseli(n, x)


def ive(n):
    return lambda x: m.besseli(n, x) * m.exp(-abs(x))


def spherical(n):
    return lambda x: m.sqrt(m.pi / 2 / abs(x)) * m.besselj(n + m.mpf(1) / 2, abs(x)) * (-1 if x < 0 and n % 2 else 1)


def ierfcx(n):
    def value(x):
        before, here = 2 / m.sqrt(m.pi), m.exp(x * x) * m.erfc(x)
        for k in range(1, n + 1):
            before, here = here, (before - 2 * x * here) / (2 * k)
        return here
    return value


def log_ndtr(x):
    tail = m.erfc(abs(x) / m.sqrt(2)) / 2
    return m.log1p(-tail) if x > 0 else m.log(tail)


def ndtri(p):
    if p > 0.5:
        return -ndtri(1 - p)
    return m.findroot(lambda x: m.log(m.erfc(-x / m.sqrt(2)) / 2 / p), -m.sqrt(-2 * m.log(2 * p)))


TABLE = [
    ("erfcx", "", ierfcx(0), [-26.0, -5.3, -0.5, 1e-300, 0.49, 1.3, 7.7, 24.9, 25.1, 1e4, 1e10]),
    ("ierfcx", "n=1", ierfcx(1), [-20.0, -0.3, 0.25, 0.74, 0.76, 1.9, 8.0, 26.0, 1e4]),
    ("ierfcx", "n=2", ierfcx(2), [-20.0, -0.3, 0.25, 0.49, 0.51, 1.9, 8.0, 26.0, 1e4]),
    ("ierfcx", "n=9", ierfcx(9), [-20.0, -0.3, 0.31, 1.9, 8.0]),
    ("log_ndtr", "", log_ndtr, [-1e10, -1e5, -37.9, -1.01, -0.99, -1e-9, 1e-9, 0.8, 5.5, 12.3, 29.5, 37.2]),
    ("ndtri", "", ndtri, [5e-324, 1e-300, 1e-20, 1e-6, 0.02, 0.2499, 0.25, 0.49999, 0.5000001, 0.76, 0.999, 1 - 2.0**-53]),
    ("erfinv", "", m.erfinv, [1e-300, 1e-8, 0.1, 0.4999, 0.5, -0.9, 0.99, 0.9999999, 1 - 2.0**-53, -(1 - 2.0**-40)]),
    ("lgamma", "", lambda x: m.log(abs(m.gamma(x))), [1e-300, 1e-5, 0.5, 0.999999, 1.000001, 1.5, 1.9999, 2.0001, 3.25, 12.5, -0.5, -1.25, -7.75]),
    ("digamma", "", m.digamma, [1e-300, 1e-5, 0.5, 1.0, 1.46, 1.4616321449683622, 1.4616321449683625, 1.47, 2.0, 9.99, 10.0, 1e10, -0.25, -1.75, -10.3]),
    ("polygamma", "n=1", polygamma(1), [1e-30, 0.01, 0.5, 1.0, 3.7, 25.0, 1e8, -0.25, -3.6]),
    ("polygamma", "n=2", polygamma(2), [1e-30, 0.01, 0.5, 1.0, 3.7, 25.0, 1e8, -0.25, -3.6]),
    ("polygamma", "n=5", polygamma(5), [0.01, 0.5, 1.0, 3.7, 25.0, 1e8, -0.25, -3.6]),
    ("polygamma", "n=30", polygamma(30), [0.5, 1.0, 3.7, 25.0, 1000.0, -3.6]),
    ("i0", "", iv(0), [1e-10, 0.5, -3.0, 8.0, 19.5, 20.5, 100.0, 709.0, 713.0]),
    ("i1", "", iv(1), [1e-300, 1e-10, 0.5, -3.0, 8.0, 19.5, 20.5, 100.0, 713.0]),
    ("i0e", "", ive(0), [1e-10, 0.5, -3.0, 8.0, 19.5, 20.5, 100.0, 1e8]),
    ("i1e", "", ive(1), [1e-300, 1e-10, 0.5, -3.0, 8.0, 19.5, 20.5, 100.0, 1e8]),
    ("iv", "n=7", iv(7), [1e-3, 0.5, -3.0, 19.5, 25.0, 48.0, 50.0, 700.0]),
    ("iv", "n=160", iv(160), [5.0, 19.5, 25.0]),
    ("ive", "n=20", ive(20), [0.5, 19.5, 25.0, 300.0, 399.0, 401.0, 1e6]),
    ("bessel_j0", "", lambda x: m.besselj(0, x), [1e-300, -0.5, 2.0, 10.0, 1000.5]),
    ("bessel_j1", "", lambda x: m.besselj(1, x), [1e-300, -0.5, 2.0, 10.0, 1000.5]),
    ("jv", "n=5", lambda x: m.besselj(5, x), [1e-3, -0.5, 4.0, 12.5, 1e6]),
    ("jv", "n=-3", lambda x: m.besselj(-3, x), [0.5, -4.5, 100.25]),
    ("bessel_y0", "", lambda x: m.bessely(0, x), [1e-300, 0.5, 2.0, 10.0, 1000.5]),
    ("bessel_y1", "", lambda x: m.bessely(1, x), [1e-300, 0.5, 3.0, 10.0, 1000.5]),
    ("yv", "n=5", lambda x: m.bessely(5, x), [1e-3, 0.5, 4.0, 12.5, 1e6]),
    ("yv", "n=-3", lambda x: m.bessely(-3, x), [0.5, 2.0, 100.25]),
    ("spherical_jn", "n=1", spherical(1), [1e-10, -1e-3, 0.5, 2.2, 2.3, 10.0, 100.0]),
    ("spherical_jn", "n=9", spherical(9), [0.1, 4.0, 5.0, 8.9, 9.1, 40.0]),
    ("sinc", "", lambda x: m.sinc(m.pi * x), [1e-10, 0.25, 0.5, -1.75, 3.000001, 100.5]),
    ("logit", "", lambda x: m.log(x / (1 - x)), [1e-300, 0.2, 0.4999, 0.50000001, 0.76, 0.999999]),
    ("tanhshrink", "", lambda x: x - m.tanh(x), [1e-30, 1e-5, 0.1, -0.249, 0.251, 0.999, 1.001, 3.0]),
    ("mish", "", lambda x: x * m.tanh(m.log1p(m.exp(x))), [-700.0, -30.0, -1.19, 1e-5, 2.0, 30.0]),
    ("silu", "", lambda x: x / (1 + m.exp(-x)), [-700.0, -30.0, -1.19, 1e-5, 2.0, 30.0]),
    ("logsigmoid", "", lambda x: -m.log1p(m.exp(-x)), [-700.0, -30.0, 0.5, 30.0, 700.0]),
    ("gelu", "", lambda x: x * m.ncdf(x), [-2.0, -0.75, 1e-5, 2.0]),
]

print("/* golden_special.h: values by mpmath, written by golden_special.py. */")
print("static const struct {\n    const char *op, *attributes;\n    double x, y;\n} golden[] = {")
for op, attributes, f, xs in TABLE:
    for x in xs:
        print('    {"%s", "%s", %r, %s},' % (op, attributes, x, m.nstr(f(m.mpf(x)), 19)))
print("};")
