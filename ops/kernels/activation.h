/* activation.h: template of activations and of their derivatives, in T, for the rows whose value is more than a line.
 *
 * Everything is written in e = e^−|x|, which lies in [0, 1], and without differences of nearly equal numbers:
 *
 *     s = σ(x)  = (x ≥ 0 ? 1 : e) / (1 + e)         t = σ(−x) = 1 − s = (x ≥ 0 ? e : 1) / (1 + e)
 *     ln(1 + eˣ) = max(x, 0) + ln(1 + e)
 *     mish:  tanh ln(1 + eˣ) = s (1 + t) / (1 + t²), since 1 + eˣ = 1 / t, and its derivative is 4 t² s / (1 + t²)²
 *
 * Both sides of a choice are computed, so that loops stay without branches. NaN passes. */
INLINE T NAME(logistic)(T x) {
    const T e = F(exp)(-F(fabs)(x));
    return (x < 0 ? e : K(1)) / (K(1) + e);
}

INLINE T NAME(softplus1)(T x) { return (x < 0 ? K(0) : x) + F(log1p)(F(exp)(-F(fabs)(x))); }

INLINE T NAME(silu_slope)(T x) { /* s (1 + x t) */
    const T e = F(exp)(-F(fabs)(x)), s = (x < 0 ? e : K(1)) / (K(1) + e), t = (x < 0 ? K(1) : e) / (K(1) + e);
    return s * (K(1) + x * t);
}

INLINE T NAME(mish_value)(T x) {
    const T e = F(exp)(-F(fabs)(x)), s = (x < 0 ? e : K(1)) / (K(1) + e), t = (x < 0 ? K(1) : e) / (K(1) + e);
    return x * (s * (K(1) + t) / (K(1) + t * t));
}

INLINE T NAME(mish_slope)(T x) {
    const T e = F(exp)(-F(fabs)(x)), s = (x < 0 ? e : K(1)) / (K(1) + e), t = (x < 0 ? K(1) : e) / (K(1) + e);
    const T r = K(1) / (K(1) + t * t);
    return s * (K(1) + t) * r + x * (K(4) * t * t * s * r * r);
}

/* ½ x (1 + tanh(v / 2)) = x σ(v), v = √(8/π) (x + 0.044715 x³); where |v| is large σ(v) σ(−v) is 0 and v′ does not matter */
INLINE T NAME(tanh_gelu)(T x) { return x * NAME(logistic)(K(1.5957691216057308) * x * (K(1) + K(0.044715) * x * x)); }

INLINE T NAME(tanh_gelu_slope)(T x) {
    const T v = K(1.5957691216057308) * x * (K(1) + K(0.044715) * x * x), e = F(exp)(-F(fabs)(v));
    const T s = (v < 0 ? e : K(1)) / (K(1) + e), t = (v < 0 ? K(1) : e) / (K(1) + e);
    const T u = x * (K(1.5957691216057308) + K(0.2140644488178007) * x * x);
    return s + (F(fabs)(v) > 800 ? K(0) : s * t * u);
}

/* The second derivative of x w(v):  w′ (2 v′ + x (v″ + v′ q)) with q = w″ / (w′ v′), of silu (w = s, v = x), mish, or gelu_tanh
 * (w = s of the v above):  w′ = s t and q = v′ (t − s), of mish 4 t² s r² and t − 2 s + 4 t² s r with r = 1 / (1 + t²).
 * One formula for the three, in which the choice is a factor of 0 or 1. */
INLINE T NAME(bend)(T x, bool mish, bool cubic) {
    const T k = cubic ? K(1.5957691216057308) : K(1), c = cubic ? K(0.071354816272600249) : K(0), m = mish ? K(1) : K(0);
    const T u = c * x * x, v = x * (k + u), first = k + K(3) * u, second = K(6) * c * x;
    const T e = F(exp)(-F(fabs)(v)), s = (v < 0 ? e : K(1)) / (K(1) + e), t = (v < 0 ? K(1) : e) / (K(1) + e);
    const T r = K(1) / (K(1) + m * t * t), h = K(4) * t * r;
    const T slope = s * t * (mish ? h * r : K(1)), q = first * (t - s) + m * (h * t * s - s);
    return F(fabs)(v) > 800 ? K(0) : slope * (K(2) * first + x * (second + first * q));
}

/* x − tanh x; below 1 as (x cosh x − sinh x) / cosh x, the first by Σ 2 k x^(2 k + 1) / (2 k + 1)!, all of one sign; beyond as
 * (x − 1) + 2 / (e^2x + 1) */
INLINE T NAME(tanh_rest)(T x) {
    static const double series[] = {0.3333333333333333,     0.03333333333333333,   0.0011904761904761906,
                                    2.2045855379188714e-05, 2.505210838544172e-07, 1.9270852604185937e-09,
                                    1.0706029224547743e-11, 4.498331606952833e-14, 1.4797143443923793e-16,
                                    3.9145882126782523e-19};
    const T a = F(fabs)(x), e = F(exp)(a), u = a * a;
    T sum = 0;
#pragma GCC unroll 10
    for (int i = sizeof series / sizeof *series; i-- > 0;) sum = K(series[i]) + u * sum;
    return F(copysign)(a < K(1) ? a * u * sum / (K(0.5) * (e + K(1) / e)) : (a - K(1)) + K(2) / (e * e + K(1)), x);
}

/* ln(x / (1 − x)) = ± ln(1 + |2 x − 1| / min(x, 1 − x)), where at most one of the three is rounded. Where 1 / x might overflow, of
 * 2⁶⁴ x. + 0: −0 is a 0 like the other. */
INLINE T NAME(log_odds)(T x) {
    const bool tiny = F(fabs)(x) < K(0x1p-120), low = x < K(0.5);
    const T least = low ? (tiny ? K(0x1p64) * x : x) + K(0) : K(1) - x;
    const T odds = F(log1p)(F(fabs)(K(2) * x - K(1)) / least) + (tiny ? K(44.361419555836499803) : K(0));
    return low ? -odds : odds;
}

/* sin(π x) / (π x): the nearest integer is taken off first, which is exact and changes at most the sign */
INLINE T NAME(sine_ratio)(T x) {
    const T n = F(rint)(x), odd = F(fabs)(n - K(2) * F(rint)(K(0.5) * n));
    const T s = F(sin)(K(3.14159265358979324) * (x - n));
    return x == 0 ? K(1) : (odd != 0 ? -s : s) / (K(3.14159265358979324) * x);
}

/* ln(eᵃ + eᵇ), also where both are the same infinity */
INLINE T NAME(log_sum)(T a, T b) {
    const T m = a > b ? a : b;
    return a == b ? a + K(0.69314718055994531) : m + F(log1p)(F(exp)(-F(fabs)(a - b)));
}

INLINE T NAME(log2_sum)(T a, T b) {
    const T m = a > b ? a : b;
    return a == b ? a + K(1) : m + F(log1p)(F(exp2)(-F(fabs)(a - b))) * K(1.4426950408889634);
}

/* a − b ⌊a / b⌋, exact but for one rounding, with the sign of b */
INLINE T NAME(modulo)(T a, T b) {
    const T m = F(fmod)(a, b);
    return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

/* ⌊a / b⌋ of the exact quotient: what fmod leaves is taken off before dividing, so that rounding cannot pass an integer */
INLINE T NAME(floor_quotient)(T a, T b) {
    const T m = F(fmod)(a, b), whole = (a - m) / b - (m != 0 && (b < 0) != (m < 0) ? K(1) : K(0)), down = F(floor)(whole);
    const T near = whole - down > K(0.5) ? down + K(1) : down;
    return b == 0 ? a / b : whole == 0 ? F(copysign)(K(0), a / b) : near;
}
