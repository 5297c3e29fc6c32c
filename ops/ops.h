/* ops.h: the operations. This header is the manual.
 *
 * Each function computes at once, records a node and returns it, or NULL after an error (see ag_tape_status). Inputs are
 * on one tape and of one dtype: nothing converts silently, ag_cast converts. Elementwise operations broadcast as NumPy's do.
 * "float" means f32 or f64, "number" float or i64. Axes may be negative. y stands for the result, g for the gradient that
 * arrives at it. Names, argument order and conventions at kinks are PyTorch's.
 *
 * ag_call reads the attributes by their names here, an axis as axis=, several as axes=; it understands other names of
 * PyTorch's and NumPy's too: cat for concat, absolute for abs, dim= for axis=, keepdims= for keepdim= (ops/names.def).
 */
#ifndef AUTOGRAD_OPS_H
#define AUTOGRAD_OPS_H

#include "autograd/autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Arithmetic: number, broadcast; i64 wraps around, and dividing it by 0 gives 0 */
AG_API ag_tensor *ag_add(ag_tensor *a, ag_tensor *b);          /* a + b */
AG_API ag_tensor *ag_sub(ag_tensor *a, ag_tensor *b);          /* a − b */
AG_API ag_tensor *ag_mul(ag_tensor *a, ag_tensor *b);          /* a · b */
AG_API ag_tensor *ag_div(ag_tensor *a, ag_tensor *b);          /* a / b; float */
AG_API ag_tensor *ag_floor_divide(ag_tensor *a, ag_tensor *b); /* ⌊a / b⌋; flat */
AG_API ag_tensor *ag_remainder(ag_tensor *a, ag_tensor *b); /* a − b ⌊a / b⌋: of b's sign; d/db = −⌊a / b⌋ */
AG_API ag_tensor *ag_add_scaled(ag_tensor *a, ag_tensor *b, double alpha); /* a + alpha b: ag_call "add" with alpha= */
AG_API ag_tensor *ag_sub_scaled(ag_tensor *a, ag_tensor *b, double alpha); /* a − alpha b: ag_call "sub" with alpha= */
AG_API ag_tensor *ag_rsub(ag_tensor *a, ag_tensor *b, double alpha);       /* b − alpha a */
typedef enum ag_rounding_mode { AG_ROUND_TRUNC, AG_ROUND_FLOOR } ag_rounding_mode;
AG_API ag_tensor *ag_div_rounded(ag_tensor *a, ag_tensor *b,
                                 ag_rounding_mode rounding_mode); /* trunc(a / b), or floor_divide; flat: ag_call "div" with rounding_mode= trunc or floor */
AG_API ag_tensor *ag_fmod(ag_tensor *a, ag_tensor *b);   /* a − b trunc(a / b): of a's sign; d/db = −trunc(a / b) */
AG_API ag_tensor *ag_neg(ag_tensor *x);                  /* −x */
AG_API ag_tensor *ag_scale(ag_tensor *x, double a);      /* a · x; float */
AG_API ag_tensor *ag_add_scalar(ag_tensor *x, double a); /* x + a; float */
AG_API ag_tensor *ag_maximum(ag_tensor *a, ag_tensor *b); /* the larger; NaN if either is; a tie halves the gradient */
AG_API ag_tensor *ag_minimum(ag_tensor *a, ag_tensor *b); /* the smaller; NaN if either is; a tie halves the gradient */
AG_API ag_tensor *ag_maximum_grad(ag_tensor *g, ag_tensor *a, ag_tensor *b); /* g where a > b, g / 2 at a tie, else 0; float */
AG_API ag_tensor *ag_fmax(ag_tensor *a, ag_tensor *b); /* the larger; of NaN and a number the number; a tie, also of two NaNs, gives a the gradient */
AG_API ag_tensor *ag_fmin(ag_tensor *a, ag_tensor *b); /* the smaller; of NaN and a number the number; a tie, also of two NaNs, gives a the gradient */
AG_API ag_tensor *ag_mix(ag_tensor *a, ag_tensor *b, ag_tensor *weight); /* lerp of a tensor of weights; float */
AG_API ag_tensor *ag_lerp(ag_tensor *a, ag_tensor *b, ag_tensor *weight); /* a + weight (b − a), exact for weight 0 and 1; float */
AG_API ag_tensor *ag_lerp_scalar(ag_tensor *a, ag_tensor *b, double weight); /* lerp of one number: attribute weight */
AG_API ag_tensor *ag_addcmul(ag_tensor *x, ag_tensor *a, ag_tensor *b, double value); /* x + value a b, value 1 by default; float */
AG_API ag_tensor *ag_addcdiv(ag_tensor *x, ag_tensor *a, ag_tensor *b, double value); /* x + value a / b, value 1 by default; float */
AG_API ag_tensor *ag_hypot(ag_tensor *a, ag_tensor *b); /* √(a² + b²) without overflow; gradient NaN at (0, 0); float */
AG_API ag_tensor *ag_gcd(ag_tensor *a, ag_tensor *b); /* greatest common divisor of |a| and |b|, 0 of two zeros; i64, where |−2⁶³| wraps around */
AG_API ag_tensor *ag_lcm(ag_tensor *a, ag_tensor *b); /* least common multiple of |a| and |b|, wrapping around; 0 where one is 0; i64 */
AG_API ag_tensor *ag_nextafter(ag_tensor *a, ag_tensor *b); /* the number next to a on the way to b, b where they are equal; gradient 1 in a, flat in b; float */
AG_API ag_tensor *ag_copysign(ag_tensor *a, ag_tensor *b); /* |a| with the sign of b, zeros too; gradient 0 at a = 0, flat in b; float */

/* Steps and pieces: number unless said */
AG_API ag_tensor *ag_abs(ag_tensor *x);   /* |x|; gradient 0 at 0 */
AG_API ag_tensor *ag_sign(ag_tensor *x);  /* −1, 0 or 1; flat */
AG_API ag_tensor *ag_floor(ag_tensor *x); /* ⌊x⌋; flat */
AG_API ag_tensor *ag_ceil(ag_tensor *x);  /* ⌈x⌉; flat */
AG_API ag_tensor *ag_round(ag_tensor *x); /* nearest integer, halves to the even one; flat */
AG_API ag_tensor *ag_round_decimals(ag_tensor *x, int64_t decimals); /* nearest multiple of 10^−decimals: ag_call "round" with decimals=; flat; float */
AG_API ag_tensor *ag_trunc(ag_tensor *x);                        /* x without its fraction; flat */
AG_API ag_tensor *ag_angle(ag_tensor *x);                        /* π where x < 0, else 0, NaN for NaN; flat; float */
AG_API ag_tensor *ag_frac(ag_tensor *x);                         /* x − trunc(x); gradient 1; float */
AG_API ag_tensor *ag_heaviside(ag_tensor *x, ag_tensor *values); /* 0 where x < 0, values where x = 0, 1 where x > 0; flat */
AG_API ag_tensor *ag_clamp(ag_tensor *x, double min, double max); /* min(max(x, min), max); gradient 1 at both; float */
AG_API ag_tensor *ag_clamp_between(ag_tensor *x, ag_tensor *min,
                                   ag_tensor *max); /* the same with tensors, of which one may be NULL; number; broadcasts; NaN if any is; a bound's gradient where it is the result: ag_call "clamp" with 2 or 3 inputs */
AG_API ag_tensor *ag_clamp_grad(ag_tensor *g, ag_tensor *x, double min, double max); /* g where min ≤ x ≤ max, else 0; float */

AG_API ag_tensor *ag_clamp_min(ag_tensor *x, double min); /* max(x, min); gradient 1 at min; number; by name min is an attribute or a second input */
AG_API ag_tensor *ag_clamp_max(ag_tensor *x, double max); /* min(x, max); gradient 1 at max; number; by name max is an attribute or a second input */

/* Powers, exponentials, logarithms: float */
AG_API ag_tensor *ag_exp(ag_tensor *x);        /* eˣ */
AG_API ag_tensor *ag_exp2(ag_tensor *x);       /* 2ˣ */
AG_API ag_tensor *ag_expm1(ag_tensor *x);      /* eˣ − 1, accurate near 0 */
AG_API ag_tensor *ag_log(ag_tensor *x);        /* ln x; −∞ at 0, NaN below */
AG_API ag_tensor *ag_log2(ag_tensor *x);       /* log₂ x */
AG_API ag_tensor *ag_log10(ag_tensor *x);      /* log₁₀ x */
AG_API ag_tensor *ag_log1p(ag_tensor *x);      /* ln(1 + x), accurate near 0 */
AG_API ag_tensor *ag_sqrt(ag_tensor *x);       /* √x; gradient ∞ at 0 */
AG_API ag_tensor *ag_rsqrt(ag_tensor *x);      /* 1 / √x */
AG_API ag_tensor *ag_cbrt(ag_tensor *x);       /* ∛x; gradient ∞ at 0 */
AG_API ag_tensor *ag_square(ag_tensor *x);     /* x²; also i64 */
AG_API ag_tensor *ag_reciprocal(ag_tensor *x); /* 1 / x */
AG_API ag_tensor *ag_pow(ag_tensor *a, ag_tensor *b); /* aᵇ; d/da = b aᵇ⁻¹ (0 where b = 0), d/db = aᵇ ln a (0 where a = 0 ≤ b) */
AG_API ag_tensor *ag_pow_scalar(ag_tensor *x, double p);        /* xᵖ; gradient p xᵖ⁻¹, 0 where p = 0 */
AG_API ag_tensor *ag_frexp(ag_tensor *x, ag_tensor **exponent); /* mantissa m, ½ ≤ |m| < 1, and, if asked, i64 exponent e with x = m 2ᵉ; m = x, e = 0 for 0, ±∞ and NaN; gradient 2⁻ᵉ */
AG_API ag_tensor *ag_ldexp(ag_tensor *x, ag_tensor *other); /* x 2^other, also where 2^other leaves the range; other also i64 */
AG_API ag_tensor *ag_logaddexp(ag_tensor *a, ag_tensor *b); /* ln(eᵃ + eᵇ), without overflow; equal infinities share the gradient */
AG_API ag_tensor *ag_logaddexp2(ag_tensor *a, ag_tensor *b); /* log₂(2ᵃ + 2ᵇ), without overflow */
AG_API ag_tensor *ag_logaddexp_weight(ag_tensor *a, ag_tensor *b); /* eᵃ / (eᵃ + eᵇ), ½ where a = b: the gradient of logaddexp to a */
AG_API ag_tensor *ag_xlogy(ag_tensor *a, ag_tensor *b);   /* a ln b; 0 where a = 0, unless b is NaN */
AG_API ag_tensor *ag_xlog1py(ag_tensor *a, ag_tensor *b); /* a ln(1 + b); 0 where a = 0, unless b is NaN */
AG_API ag_tensor *ag_entr(ag_tensor *x);                  /* −x ln x; 0 at 0, −∞ below */
AG_API ag_tensor *ag_logit(ag_tensor *x, double eps); /* ln(x / (1 − x)) with x kept in [eps, 1 − eps]; eps < 0 (the default): as it is, NaN outside [0, 1] */

/* Angles: float */
AG_API ag_tensor *ag_sin(ag_tensor *x);                 /* sin x */
AG_API ag_tensor *ag_cos(ag_tensor *x);                 /* cos x */
AG_API ag_tensor *ag_tan(ag_tensor *x);                 /* tan x; gradient 1 + y² */
AG_API ag_tensor *ag_asin(ag_tensor *x);                /* arcsine, in [−π/2, π/2]; gradient ∞ at ±1 */
AG_API ag_tensor *ag_acos(ag_tensor *x);                /* arccosine, in [0, π]; gradient −∞ at ±1 */
AG_API ag_tensor *ag_atan(ag_tensor *x);                /* arctangent, in [−π/2, π/2] */
AG_API ag_tensor *ag_atan2(ag_tensor *a, ag_tensor *b); /* the angle of (b, a), in (−π, π]; gradient NaN at (0, 0) */
AG_API ag_tensor *ag_sinh(ag_tensor *x);                /* sinh x */
AG_API ag_tensor *ag_cosh(ag_tensor *x);                /* cosh x */
AG_API ag_tensor *ag_tanh(ag_tensor *x);                /* tanh x; gradient 1 − y² */
AG_API ag_tensor *ag_asinh(ag_tensor *x);               /* inverse of sinh */
AG_API ag_tensor *ag_acosh(ag_tensor *x);               /* inverse of cosh, ≥ 0; gradient ∞ at 1 */
AG_API ag_tensor *ag_atanh(ag_tensor *x);               /* inverse of tanh; gradient ∞ at ±1 */
AG_API ag_tensor *ag_rad2deg(ag_tensor *x);             /* 180 x / π */
AG_API ag_tensor *ag_deg2rad(ag_tensor *x);             /* π x / 180 */

/* Special functions: float */
AG_API ag_tensor *ag_erf(ag_tensor *x);    /* 2/√π ∫₀ˣ e^(−t²) dt */
AG_API ag_tensor *ag_erfc(ag_tensor *x);   /* 1 − erf x, accurate where erf is near 1 */
AG_API ag_tensor *ag_ndtr(ag_tensor *x);   /* Φ(x) = erfc(−x / √2) / 2, the normal distribution function */
AG_API ag_tensor *ag_erfinv(ag_tensor *x); /* inverse of erf on (−1, 1); ±∞ at ±1, NaN beyond */
AG_API ag_tensor *ag_erfcx(ag_tensor *x);  /* e^(x²) erfc x, which does not underflow; ∞ from x = −26.7 down */
AG_API ag_tensor *ag_ierfcx(ag_tensor *x, double n); /* Eₙ(x) = e^(x²) iⁿerfc x, n = 0, 1, …, 2²⁰, else NaN; Eₙ′ = −2 (n + 1) Eₙ₊₁, E₀ is erfcx */
AG_API ag_tensor *ag_log_ndtr(ag_tensor *x); /* ln Φ(x), accurate where Φ is near 0 or 1 */
AG_API ag_tensor *ag_ndtri(ag_tensor *x); /* inverse of Φ on (0, 1); ∓∞ at 0 and 1, NaN beyond; gradient √(2π) e^(y²/2) */
AG_API ag_tensor *ag_lgamma(ag_tensor *x);  /* ln |Γ(x)|; ∞ at 0, −1, −2, … */
AG_API ag_tensor *ag_digamma(ag_tensor *x); /* ψ(x) = d/dx ln Γ(x); ∓∞ at ±0, NaN at −1, −2, … */
AG_API ag_tensor *ag_polygamma(ag_tensor *x, double n); /* ψ⁽ⁿ⁾(x), the n-th derivative of ψ, n = 0, 1, …, 2²⁰; else NaN */
AG_API ag_tensor *ag_gamma_density(ag_tensor *a, ag_tensor *x); /* f(x) = xᵃ⁻¹ e⁻ˣ / Γ(a), for a, x ≥ 0; else NaN */
AG_API ag_tensor *ag_igamma(ag_tensor *a, ag_tensor *x); /* P(a, x) = ∫₀ˣ f, the regularised incomplete gamma function; gradient f in x, −f standard_gamma_grad in a */
AG_API ag_tensor *ag_igammac(ag_tensor *a, ag_tensor *x); /* Q(a, x) = 1 − P(a, x) = ∫ₓ^∞ f, accurate where it is small */
AG_API ag_tensor *ag_mvlgamma(ag_tensor *x, int64_t p); /* ln Γₚ(x) = p (p − 1) / 4 ln π + Σ ln Γ(x − k / 2), k = 0, …, p − 1 */
AG_API ag_tensor *ag_i0(ag_tensor *x); /* I₀(x), modified Bessel function of the first kind */
AG_API ag_tensor *ag_i1(ag_tensor *x); /* I₁(x) */
AG_API ag_tensor *ag_iv(ag_tensor *x, double n); /* Iₙ(x), n an integer up to ±2²⁰, else NaN; gradient (Iₙ₋₁ + Iₙ₊₁) / 2 */
AG_API ag_tensor *ag_i0e(ag_tensor *x);           /* I₀(x) e^−|x|, which does not overflow; gradient 0 at 0 */
AG_API ag_tensor *ag_i1e(ag_tensor *x);           /* I₁(x) e^−|x| */
AG_API ag_tensor *ag_ive(ag_tensor *x, double n); /* Iₙ(x) e^−|x|, n an integer */
AG_API ag_tensor *ag_bessel_j0(ag_tensor *x); /* J₀(x), Bessel function of the first kind; off by 1e-16 beside its amplitude, not its value, near zeros */
AG_API ag_tensor *ag_bessel_j1(ag_tensor *x); /* J₁(x) */
AG_API ag_tensor *ag_jv(ag_tensor *x, double n); /* Jₙ(x), n an integer up to ±2²⁰, else NaN; gradient (Jₙ₋₁ − Jₙ₊₁) / 2 */
AG_API ag_tensor *ag_bessel_y0(ag_tensor *x); /* Y₀(x), Bessel function of the second kind; −∞ at 0, NaN below */
AG_API ag_tensor *ag_bessel_y1(ag_tensor *x); /* Y₁(x) */
AG_API ag_tensor *ag_yv(ag_tensor *x, double n); /* Yₙ(x), n an integer; gradient (Yₙ₋₁ − Yₙ₊₁) / 2 */
AG_API ag_tensor *ag_spherical_jn(ag_tensor *x, double n); /* jₙ(x), spherical Bessel function, n = 0, 1, …, 2²⁰; else NaN */
AG_API ag_tensor *ag_sinc(ag_tensor *x);                   /* sin(π x) / (π x), 1 at 0 */

/* Activations: float. A …_grad is the gradient of the op before it, flat in x where that is made of straight pieces. */
AG_API ag_tensor *ag_sigmoid(ag_tensor *x);    /* 1 / (1 + e⁻ˣ); gradient y (1 − y) */
AG_API ag_tensor *ag_logsigmoid(ag_tensor *x); /* −ln(1 + e⁻ˣ); gradient σ(−x) */
AG_API ag_tensor *ag_softplus(ag_tensor *x, double beta,
                              double threshold); /* ln(1 + e^(βx)) / β, x where β x > threshold; by default β = 1, threshold = 20 */
AG_API ag_tensor *ag_softsign(ag_tensor *x);                /* x / (1 + |x|) */
AG_API ag_tensor *ag_tanhshrink(ag_tensor *x);              /* x − tanh x, accurate near 0 */
AG_API ag_tensor *ag_relu(ag_tensor *x);                    /* max(x, 0); gradient 0 at 0; also i64 */
AG_API ag_tensor *ag_relu_grad(ag_tensor *g, ag_tensor *x); /* g where x > 0, else 0 */
AG_API ag_tensor *ag_relu6(ag_tensor *x);                   /* x, at least 0 and at most 6; gradient 0 at both */
AG_API ag_tensor *ag_leaky_relu(ag_tensor *x, double negative_slope); /* x where x > 0, else negative_slope (0.01) x; gradient negative_slope at 0 */
AG_API ag_tensor *ag_leaky_relu_grad(ag_tensor *g, ag_tensor *x, double negative_slope); /* g where x > 0, else negative_slope g */
AG_API ag_tensor *ag_prelu(ag_tensor *x, ag_tensor *weight); /* x where x > 0, else weight x; weight of one element, or one a channel (axis 1); gradient weight at 0 */
AG_API ag_tensor *ag_hardtanh(ag_tensor *x, double min_val,
                              double max_val); /* x, at least min_val (−1) and at most max_val (1); gradient 0 at both */
AG_API ag_tensor *ag_hardtanh_grad(ag_tensor *g, ag_tensor *x, double min_val,
                                   double max_val); /* g where min_val < x < max_val, else 0 */
AG_API ag_tensor *ag_hardsigmoid(ag_tensor *x);     /* x / 6 + ½, at least 0 and at most 1; gradient 0 at ±3 */
AG_API ag_tensor *ag_hardswish(ag_tensor *x);       /* x hardsigmoid(x); gradient 0 at −3, 1 at 3 */
AG_API ag_tensor *ag_hardswish_grad(ag_tensor *g, ag_tensor *x); /* g (x / 3 + ½) where −3 < x < 3, g above, 0 below */
AG_API ag_tensor *ag_threshold(ag_tensor *x, double threshold,
                               double value); /* x where x > threshold, else value; gradient 0 at threshold */
AG_API ag_tensor *ag_threshold_grad(ag_tensor *g, ag_tensor *x, double threshold); /* g where x > threshold, else 0 */
AG_API ag_tensor *ag_softshrink(ag_tensor *x, double lambd); /* x moved towards 0 by lambd (0.5), 0 where |x| ≤ lambd; gradient 0 at ±lambd */
AG_API ag_tensor *ag_hardshrink(ag_tensor *x, double lambd); /* x where |x| > lambd (0.5), else 0; gradient 0 at ±lambd */
AG_API ag_tensor *ag_shrink_grad(ag_tensor *g, ag_tensor *x, double lambd); /* g where |x| > lambd, else 0: the gradient of both */
AG_API ag_tensor *ag_elu(ag_tensor *x, double alpha); /* x where x > 0, else α (eˣ − 1), α = 1 by default; gradient α at 0 (Clevert et al. 2016) */
AG_API ag_tensor *ag_elu_grad(ag_tensor *g, ag_tensor *x, double alpha); /* g where x > 0, else g α eˣ */
AG_API ag_tensor *ag_celu(ag_tensor *x, double alpha); /* x where x > 0, else α (e^(x/α) − 1), α = 1 by default (Barron 2017) */
AG_API ag_tensor *ag_celu_grad(ag_tensor *g, ag_tensor *x, double alpha); /* g where x > 0, else g e^(x/α) */
AG_API ag_tensor *ag_selu(ag_tensor *x); /* 1.0507 elu(x) of α = 1.6733 (Klambauer et al. 2017) */
AG_API ag_tensor *ag_gelu(ag_tensor *x); /* x Φ(x), Φ the normal distribution function (Hendrycks, Gimpel 2016) */
AG_API ag_tensor *ag_gelu_grad(ag_tensor *g, ag_tensor *x); /* g (Φ(x) + x φ(x)) */
AG_API ag_tensor *ag_gelu_tanh(ag_tensor *x); /* ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))): nearly gelu */
AG_API ag_tensor *ag_gelu_approximate(ag_tensor *x, bool tanh); /* gelu, or gelu_tanh: ag_call "gelu" with approximate= none or tanh */
AG_API ag_tensor *ag_gelu_tanh_grad(ag_tensor *g, ag_tensor *x); /* g (s + x s (1 − s) v′), s = σ(v), v = √(8/π) (x + 0.044715 x³) */
AG_API ag_tensor *ag_silu(ag_tensor *x);                         /* x σ(x) */
AG_API ag_tensor *ag_silu_grad(ag_tensor *g, ag_tensor *x); /* g s (1 + x (1 − s)), s = σ(x) */
AG_API ag_tensor *ag_mish(ag_tensor *x);                    /* x tanh ln(1 + eˣ) (Misra 2019) */
AG_API ag_tensor *ag_mish_grad(ag_tensor *g, ag_tensor *x); /* g times the derivative of mish */
AG_API ag_tensor *ag_activation_bend(ag_tensor *x, double which); /* second derivative of silu (0), mish (1) or gelu_tanh (2) */

AG_API ag_tensor *ag_glu(ag_tensor *x, int axis); /* x's first half along axis times sigmoid of its second; preset −1 (Dauphin et al. 2017) */

/* Comparison and logic: numbers or bools → bool, broadcast; flat. A number is true when it is not 0, NaN too. */
AG_API ag_tensor *ag_eq(ag_tensor *a, ag_tensor *b);   /* a = b */
AG_API ag_tensor *ag_ne(ag_tensor *a, ag_tensor *b);   /* a ≠ b */
AG_API ag_tensor *ag_lt(ag_tensor *a, ag_tensor *b);   /* a < b */
AG_API ag_tensor *ag_le(ag_tensor *a, ag_tensor *b);   /* a ≤ b */
AG_API ag_tensor *ag_gt(ag_tensor *a, ag_tensor *b);   /* a > b */
AG_API ag_tensor *ag_ge(ag_tensor *a, ag_tensor *b);   /* a ≥ b */
AG_API ag_tensor *ag_same(ag_tensor *a, ag_tensor *b); /* a = b, or both NaN */
AG_API ag_tensor *ag_isin(ag_tensor *x, ag_tensor *test,
                          bool invert); /* is x[…] one of test, or, inverted, none; NaN is never; number, of x's shape */
AG_API ag_tensor *ag_allclose(ag_tensor *a, ag_tensor *b, double rtol, double atol,
                              bool equal_nan); /* are all close: a bool scalar */
AG_API ag_tensor *ag_equal(ag_tensor *a, ag_tensor *b); /* are shapes and all elements equal: a bool scalar; PyTorch's equal, NumPy's array_equal (NumPy's equal is eq) */
AG_API ag_tensor *ag_isclose(ag_tensor *a, ag_tensor *b, double rtol, double atol,
                             bool equal_nan); /* a = b, or |a − b| ≤ atol + rtol |b|, both finite; defaults 1e-5, 1e-8, false; equal_nan: NaN is close to NaN; number */
AG_API ag_tensor *ag_logical_and(ag_tensor *a, ag_tensor *b); /* both */
AG_API ag_tensor *ag_logical_or(ag_tensor *a, ag_tensor *b);  /* one or both */
AG_API ag_tensor *ag_logical_xor(ag_tensor *a, ag_tensor *b); /* just one */
AG_API ag_tensor *ag_logical_not(ag_tensor *x);               /* x = 0 */
AG_API ag_tensor *ag_isnan(ag_tensor *x);                     /* NaN */
AG_API ag_tensor *ag_isinf(ag_tensor *x);                     /* an infinity */
AG_API ag_tensor *ag_isfinite(ag_tensor *x);                  /* neither */
AG_API ag_tensor *ag_isposinf(ag_tensor *x);                  /* ∞ */
AG_API ag_tensor *ag_isneginf(ag_tensor *x);                  /* −∞ */
AG_API ag_tensor *ag_signbit(ag_tensor *x);                   /* has a minus sign, as −0 has */

/* Bits: i64 or bool, broadcast; flat */
AG_API ag_tensor *ag_bitwise_not(ag_tensor *x);                      /* each bit the other way */
AG_API ag_tensor *ag_bitwise_and(ag_tensor *a, ag_tensor *b);        /* a & b */
AG_API ag_tensor *ag_bitwise_or(ag_tensor *a, ag_tensor *b);         /* a | b */
AG_API ag_tensor *ag_bitwise_xor(ag_tensor *a, ag_tensor *b);        /* a ^ b */
AG_API ag_tensor *ag_bitwise_left_shift(ag_tensor *a, ag_tensor *b); /* a 2ᵇ, wrapping around; 0 for b < 0 or b > 63; i64 */
AG_API ag_tensor *ag_bitwise_right_shift(ag_tensor *a, ag_tensor *b); /* ⌊a / 2ᵇ⌋; −1 or 0, a's sign, for b < 0 or b > 63; i64 */

/* Choice and conversion */
AG_API ag_tensor *ag_where(ag_tensor *condition, ag_tensor *a, ag_tensor *b); /* bool ? a : b, a and b of one dtype */
AG_API ag_tensor *ag_masked_fill(ag_tensor *x, ag_tensor *mask,
                                 double value); /* value where the bool mask is set, else x; they broadcast */
AG_API ag_tensor *ag_masked_fill_tensor(ag_tensor *x, ag_tensor *mask,
                                        ag_tensor *value); /* the same of a scalar tensor, which has a gradient: ag_call "masked_fill" with 3 inputs */
AG_API ag_tensor *ag_nan_to_num(ag_tensor *x, double nan, double posinf,
                                double neginf); /* x, with numbers for NaN (0), ∞ and −∞ (NaN, the default: the largest and smallest of the dtype); gradient 0 there; number */
AG_API ag_tensor *ag_cast(ag_tensor *x, ag_dtype dtype); /* converts; float → i64 truncates and saturates, NaN → 0; → bool: x ≠ 0 */

/* Reductions: over `axes` (AG_ALL: every one), which keepdim leaves with extent 1. Here and in scans and softmax a scalar
 * counts as one element along an axis 0. */
AG_API ag_tensor *ag_sum(ag_tensor *x, ag_axes axes, bool keepdim);  /* Σ x; number; 0 when there is nothing to add */
AG_API ag_tensor *ag_mean(ag_tensor *x, ag_axes axes, bool keepdim); /* Σ x / n; float; NaN for n = 0 */
AG_API ag_tensor *ag_prod(ag_tensor *x, ag_axes axes,
                          bool keepdim); /* Π x; number; 1 for n = 0; gradient exact with any number of zeros */
AG_API ag_tensor *ag_max(ag_tensor *x, ag_axes axes,
                         bool keepdim); /* largest; number; ties share the gradient as in PyTorch's amax; NaN wins (and gets no gradient) */
AG_API ag_tensor *ag_min(ag_tensor *x, ag_axes axes, bool keepdim);  /* smallest; the same conventions */
AG_API ag_tensor *ag_amax(ag_tensor *x, ag_axes axes, bool keepdim); /* max by PyTorch's name for it */
AG_API ag_tensor *ag_amin(ag_tensor *x, ag_axes axes, bool keepdim); /* min by PyTorch's name for it */
AG_API ag_tensor *ag_aminmax(ag_tensor *x, ag_axes axes, bool keepdim, ag_tensor **max); /* min and, if asked, max */
AG_API ag_tensor *ag_aminmax_grad(ag_tensor *x, ag_tensor *least, ag_tensor *most, ag_tensor *g,
                                  ag_tensor *h); /* their gradient: g in equal shares where x = least, and h where x = most, else 0; float */
AG_API ag_tensor *ag_nansum(ag_tensor *x, ag_axes axes,
                            bool keepdim); /* Σ of the x that are not NaN, which get no gradient; number */
AG_API ag_tensor *ag_nanmean(ag_tensor *x, ag_axes axes, bool keepdim); /* their mean; float; NaN where there are none */
AG_API ag_tensor *ag_any(ag_tensor *x, ag_axes axes,
                         bool keepdim); /* is any x ≠ 0; any dtype → bool; NaN is not 0; false for n = 0; flat */
AG_API ag_tensor *ag_all(ag_tensor *x, ag_axes axes, bool keepdim); /* is every x ≠ 0; any dtype → bool; true for n = 0; flat */
AG_API ag_tensor *ag_count_nonzero(ag_tensor *x, ag_axes axes, bool keepdim); /* how many x ≠ 0; any dtype → i64; flat */
AG_API ag_tensor *ag_argmax(ag_tensor *x, ag_axes axis,
                            bool keepdim); /* where the largest is, along one axis, or AG_ALL: row-major; number → i64; the first that ties; NaN wins; flat */
AG_API ag_tensor *ag_argmin(ag_tensor *x, ag_axes axis, bool keepdim); /* where the smallest is; the same conventions */
AG_API ag_tensor *ag_var(ag_tensor *x, ag_axes axes, double correction,
                         bool keepdim); /* Σ (x − mean)² / max(n − correction, 0), correction 1 by default; float */
AG_API ag_tensor *ag_std(ag_tensor *x, ag_axes axes, double correction, bool keepdim); /* √ of var; gradient 0 where it is 0 */
AG_API ag_tensor *ag_var_mean(ag_tensor *x, ag_axes axes, double correction, bool keepdim,
                              ag_tensor **mean); /* var and, if asked, the mean */
AG_API ag_tensor *ag_std_mean(ag_tensor *x, ag_axes axes, double correction, bool keepdim,
                              ag_tensor **mean); /* std and, if asked, the mean */
AG_API ag_tensor *ag_logsumexp(ag_tensor *x, ag_axes axes,
                               bool keepdim); /* ln Σ eˣ without overflow; float; −∞ for n = 0; gradient e^(x − y), NaN at x = y = ±∞ */
AG_API ag_tensor *ag_norm(ag_tensor *x, double p, ag_axes axes,
                          bool keepdim); /* (Σ |x|ᵖ)^(1/p), p 2 by default; ±∞: max, min |x|; 0: how many ≠ 0; float; gradient 0 where x or y is 0 (p = 2: where y is); ties share */
AG_API ag_tensor *ag_vector_norm(ag_tensor *x, double ord, ag_axes axes,
                                 bool keepdim); /* norm by its name in PyTorch's linalg; by name also with a bool mask behind x */
AG_API ag_tensor *ag_prod_others(ag_tensor *x, int axis); /* y[k] = Π x[j] over j ≠ k along axis: prod's gradient; number */
AG_API ag_tensor *ag_prod_others_with(ag_tensor *x, ag_tensor *g,
                                      int axis); /* the same times g, which is x with one element along axis */
AG_API ag_tensor *ag_masked_mean(ag_tensor *x, ag_tensor *mask, ag_axes axes,
                                 bool keepdim); /* mean of the x whose bool mask, broadcast, is set; NaN where none is; by name also mean with 2 inputs, as sum, prod, amax, amin, argmax, argmin, cumsum, cumprod, logsumexp, softmax, log_softmax, softmin and normalize take a mask */
AG_API ag_tensor *ag_masked_var(ag_tensor *x, ag_tensor *mask, ag_axes axes, double correction, bool keepdim); /* the same of var */
AG_API ag_tensor *ag_masked_std(ag_tensor *x, ag_tensor *mask, ag_axes axes, double correction,
                                bool keepdim); /* √ of it; gradient ∞ where it is 0 */
AG_API ag_tensor *ag_matrix_norm(ag_tensor *x, const char *ord, ag_axes axes,
                                 bool keepdim); /* of matrices on two axes (AG_ALL: the last): "fro" √ Σ x², "1", "-1" the largest, smallest Σ |x| of a column, "inf", "-inf" of a row, "2", "-2", "nuc" the largest, smallest, Σ of the singular values; of vectors, one axis or a line, norm with p = ord: ag_call "norm" with ord=, or p=fro, nuc */
AG_API ag_tensor *ag_cov(ag_tensor *x, double correction, ag_tensor *fweights,
                         ag_tensor *aweights); /* (m,n) → (m,m), n observations of m variables: Σ w (x − mean)(x − mean)ᵀ / max(Σ w − correction, 0), w = 1 or the weights (n), of any dtypes, multiplied; with aweights correction Σ w aweights / Σ w is taken off; preset 1; (n) → () */
AG_API ag_tensor *ag_corrcoef(ag_tensor *x);   /* cov[i][j] / √(cov[i][i] cov[j][j]), in [−1, 1] */
AG_API ag_tensor *ag_sum_to(ag_tensor *x, ag_shape shape); /* sums what broadcasting `shape` to x's would repeat */

/* Scans along an axis: number; f32 runs in f64; gradients exact with any number of zeros. As attributes, cumsum has `reverse` too */
AG_API ag_tensor *ag_cumsum(ag_tensor *x, int axis);  /* y[k] = x[0] + … + x[k] */
AG_API ag_tensor *ag_cumprod(ag_tensor *x, int axis); /* y[k] = x[0] · … · x[k] */
AG_API ag_tensor *ag_logcumsumexp(ag_tensor *x, int axis); /* y[k] = ln(e^x[0] + … + e^x[k]); float; gradient NaN from −∞ to −∞ and ∞ to ∞ */
AG_API ag_tensor *ag_cummax(ag_tensor *x, int axis,
                            ag_tensor **index); /* the largest of x[0] … x[k] and, if asked, its place, the latest that ties; NaN wins; gradient to that place */
AG_API ag_tensor *ag_cummin(ag_tensor *x, int axis, ag_tensor **index); /* the smallest of x[0] … x[k]; the same conventions */
AG_API ag_tensor *ag_diff(ag_tensor *x, int64_t n, int axis, ag_tensor *before,
                          ag_tensor *after); /* x[k+1] − x[k], n times, of x with `before` and `after` (may be NULL) joined on unless n is 0: NumPy's prepend, append */
/* To second order, at the ends to edge_order, 1 or 2. places[k]: a line of them, or a scalar step; NULL: `spacing` apart. By name they
 * are inputs behind x, one step may serve all axes, and part= says which axis; preset spacing 1, edge_order 1; float. */
AG_API ag_tensor **ag_gradient(ag_tensor *x, ag_tensor *const places[], double spacing, ag_axes axes, int edge_order,
                               ag_tensor *out[], int n); /* dx/dplace along each of n axes (AG_ALL: all) */
AG_API ag_tensor *ag_trapezoid(ag_tensor *y, ag_tensor *x, double dx,
                               int axis); /* Σ (y[k] + y[k+1]) / 2 (x[k+1] − x[k]); x a line, or in y's shape, or NULL: places dx apart; float */
AG_API ag_tensor *ag_cumulative_trapezoid(ag_tensor *y, ag_tensor *x, double dx,
                                          int axis); /* the same up to each place but the first */
AG_API ag_tensor *ag_linear_scan(ag_tensor *a, ag_tensor *b, int axis,
                                 bool reverse); /* y[k] = a[k] y[k−1] + b[k], y[−1] = 0; reverse: y[k] = a[k+1] y[k+1] + b[k], the transpose in b */

AG_API ag_tensor *ag_mul_shifted(ag_tensor *a, ag_tensor *b, int axis, int64_t a_shift, int64_t b_shift,
                                 bool ones); /* y[k] = a[k + a_shift] b[k + b_shift]; beyond the ends a is 0, b 1 or 0 */

/* Products: number; i64 wraps around, its beta and alpha are whole numbers */
AG_API ag_tensor *ag_matmul(ag_tensor *a, ag_tensor *b); /* (…,m,k)(…,k,n) → (…,m,n); leading axes broadcast; a 1-d operand is a row or column */
AG_API ag_tensor *ag_mm(ag_tensor *a, ag_tensor *b);   /* (m,k)(k,n) → (m,n) */
AG_API ag_tensor *ag_bmm(ag_tensor *a, ag_tensor *b);  /* (b,m,k)(b,k,n) → (b,m,n) */
AG_API ag_tensor *ag_mv(ag_tensor *a, ag_tensor *b);   /* (m,k)(k) → (m) */
AG_API ag_tensor *ag_dot(ag_tensor *a, ag_tensor *b);  /* (k)(k) → () */
AG_API ag_tensor *ag_vdot(ag_tensor *a, ag_tensor *b); /* the same: there are no complex numbers to conjugate */
AG_API ag_tensor *ag_vecdot(ag_tensor *a, ag_tensor *b, int axis); /* Σ a b along axis; broadcasts */
AG_API ag_tensor *ag_inner(ag_tensor *a, ag_tensor *b); /* (…,k)(---,k) → (…,---); a scalar multiplies */
AG_API ag_tensor *ag_outer(ag_tensor *a, ag_tensor *b); /* (m)(n) → (m,n) */
AG_API ag_tensor *ag_kron(ag_tensor *a, ag_tensor *b); /* (m)(n) → (m n) on every axis, of the fewer axes' one 1s are put in front */
AG_API ag_tensor *ag_kron_grad(ag_tensor *g, ag_tensor *a, ag_tensor *b,
                               ag_tensor **db); /* kron's gradient of g to a and, if asked, to b; float */
AG_API ag_tensor *ag_cross(ag_tensor *a, ag_tensor *b, int axis); /* a × b along axis, which has 3 elements; broadcasts */
AG_API ag_tensor *ag_addmm(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta,
                           double alpha); /* beta x + alpha a b, x broadcast; beta 0: x is not looked at */
AG_API ag_tensor *ag_addmv(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta, double alpha); /* the same of (m,k)(k) */
AG_API ag_tensor *ag_baddbmm(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta, double alpha); /* the same of (b,m,k)(b,k,n) */
AG_API ag_tensor *ag_addbmm(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta,
                            double alpha); /* the same of (b,m,k)(b,k,n), added up over the matrices to (m,n) */
AG_API ag_tensor *ag_addr(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta,
                          double alpha);                    /* the same of the outer product (m)(n) */
AG_API ag_tensor *ag_matrix_power(ag_tensor *x, int64_t n); /* x x … x of n square matrices, n < 0: of their inverse; (…,m,m) */
AG_API ag_tensor *ag_linear(ag_tensor *x, ag_tensor *w,
                            ag_tensor *bias); /* x wᵀ + bias: (…,i)(o,i) → (…,o); bias (o) may be NULL; w (i): a single output */
AG_API ag_tensor *ag_bilinear(ag_tensor *a, ag_tensor *b, ag_tensor *w,
                              ag_tensor *bias); /* Σ_ij a[…,i] w[o,i,j] b[…,j] + bias[o]; bias may be NULL */
AG_API ag_tensor *ag_tensordot(ag_tensor *a, ag_tensor *b, int count); /* Σ over the last `count` axes of a and the first of b */
AG_API ag_tensor *ag_tensordot_axes(ag_tensor *a, ag_tensor *b, ag_axes a_axes, ag_axes b_axes); /* Σ over pairs of axes */
AG_API ag_tensor *ag_multi_dot(ag_tensor *const xs[],
                               int n); /* x₀ x₁ … xₙ₋₁ in the cheapest order; the first and the last may be 1-d */
AG_API ag_tensor *ag_chain_matmul(ag_tensor *const xs[], int n); /* the same of matrices alone */
AG_API ag_tensor *ag_trace(ag_tensor *x, int64_t offset, int axis1,
                           int axis2); /* Σ_k x[…,k,…,k + offset,…] on axes axis1 and axis2 */
/* einsum: Σ Π xs over labelled axes (NumPy's and PyTorch's notation): "ij,jk->ik", "bij,bjk" (output: letters that occur
 * once, in order), "...ij->...ji", "ii->i" (a diagonal), ",ij->j"; an extent of 1 broadcasts; the products are taken in the
 * order that costs least, for more than 8 operands in a good one */
AG_API ag_tensor *ag_einsum(const char *equation, ag_tensor *const xs[], int n); /* gradients are those of matmul, mul, sum, … */

/* Shapes: views where the strides allow it; any dtype */
AG_API ag_tensor *ag_reshape(ag_tensor *x, ag_shape shape);         /* one extent may be −1: what is left */
AG_API ag_tensor *ag_permute(ag_tensor *x, ag_axes axes);           /* axis i of y is axis axes[i] of x */
AG_API ag_tensor *ag_transpose(ag_tensor *x, int axis0, int axis1); /* swaps two axes; by name the presets are the last two */
AG_API ag_tensor *ag_swapaxes(ag_tensor *x, int axis0, int axis1); /* the same under NumPy's name */
AG_API ag_tensor *ag_movedim(ag_tensor *x, ag_axes source,
                             ag_axes destination);        /* axes source[k] to destination[k], the others in order */
AG_API ag_tensor *ag_squeeze(ag_tensor *x, ag_axes axes); /* drops those of the axes that have extent 1 */
AG_API ag_tensor *ag_unsqueeze(ag_tensor *x, int axis);   /* a new axis of extent 1, there in the result */
AG_API ag_tensor *ag_flatten(ag_tensor *x, int start_axis,
                             int end_axis); /* merges the axes from start to end; a scalar becomes (1) */
AG_API ag_tensor *ag_unflatten(ag_tensor *x, int axis, ag_shape sizes); /* splits an axis; one size may be −1: what is left */
AG_API ag_tensor *ag_expand(ag_tensor *x, ag_shape shape); /* repeats extents of 1 and new leading axes, without memory; −1: x's own extent */
AG_API ag_tensor *ag_broadcast_to(ag_tensor *x, ag_shape shape); /* the same under NumPy's name */
AG_API ag_tensor *ag_expand_as(ag_tensor *x, ag_tensor *other);  /* expand to the shape of other */
AG_API ag_tensor *ag_reshape_as(ag_tensor *x, ag_tensor *other); /* reshape to the shape of other */
AG_API ag_tensor *ag_t(ag_tensor *x);                            /* a matrix transposed; a line or a scalar as it is */
AG_API ag_tensor *ag_atleast_1d(ag_tensor *x); /* x, a scalar as (1); by name also of several tensors, one of which part= says */
AG_API ag_tensor *ag_atleast_2d(ag_tensor *x); /* x, a line as one row (1, n) */
AG_API ag_tensor *ag_atleast_3d(ag_tensor *x); /* x, a line as (1, n, 1), a matrix as (m, n, 1) */
AG_API ag_tensor *ag_pixel_shuffle(ag_tensor *x, int64_t upscale_factor); /* (…, c r², h, w) → (…, c, r h, r w) (Shi et al. 2016) */
AG_API ag_tensor *ag_pixel_unshuffle(ag_tensor *x, int64_t downscale_factor); /* its inverse */
AG_API ag_tensor *ag_slice(ag_tensor *x, int axis, int64_t start, int64_t stop,
                           int64_t step); /* x[start:stop:step] as NumPy's; AG_END: to the end */
AG_API ag_tensor *ag_unslice(ag_tensor *g, ag_shape shape, int axis, int64_t start, int64_t stop,
                             int64_t step);                         /* zeros(shape) with g in that slice */
AG_API ag_tensor *ag_select(ag_tensor *x, int axis, int64_t index); /* x at one place of an axis, which goes */
AG_API ag_tensor *ag_narrow(ag_tensor *x, int axis, int64_t start,
                            int64_t length);           /* x[start:start+length]; start may count from the end */
AG_API ag_tensor *ag_flip(ag_tensor *x, ag_axes axes); /* walks the axes backwards */
AG_API ag_tensor *ag_fliplr(ag_tensor *x);             /* flip of axis 1 */
AG_API ag_tensor *ag_flipud(ag_tensor *x);             /* flip of axis 0 */
AG_API ag_tensor *ag_rot90(ag_tensor *x, int64_t k, ag_axes axes); /* k quarter turns of a plane, from its first axis to its second */
AG_API ag_tensor *ag_diagonal(ag_tensor *x, int64_t offset, int axis1,
                              int axis2); /* y[…, i] = x[…, i, i + offset, …]: of two axes, along a new last one */
AG_API ag_tensor *ag_undiagonal(ag_tensor *g, ag_shape shape, int64_t offset, int axis1,
                                int axis2); /* zeros(shape) with g on that diagonal: diagonal's gradient */
AG_API ag_tensor *ag_unfold(ag_tensor *x, int axis, int64_t size,
                            int64_t step); /* y[…, i, …, j] = x[…, step i + j, …]: sliding windows, j along a new last axis */
AG_API ag_tensor *ag_unfold_dilated(ag_tensor *x, int axis, int64_t size, int64_t step,
                                    int64_t dilation); /* y[…, i, …, j] = x[…, step i + dilation j, …] */
AG_API ag_tensor *ag_unfold_add(ag_tensor *g, ag_shape shape, int axis, int64_t size,
                                int64_t step); /* zeros(shape) with the windows g added where they lie: unfold's gradient */
AG_API ag_tensor *ag_unfold_add_dilated(ag_tensor *g, ag_shape shape, int axis, int64_t size, int64_t step,
                                        int64_t dilation); /* the same for unfold_dilated */

/* Several parts of one tensor, each a view. They are put into out[0..n), n being how many there are (another n is an error);
 * returns out, or NULL after an error. By name, as in ag_call, the attribute `part` says which one is meant. */
AG_API ag_tensor **ag_split(ag_tensor *x, int64_t split_size, int axis, ag_tensor *out[],
                            int n); /* parts of that size, the last one what is left; by name also a list of sizes */
AG_API ag_tensor **ag_split_with_sizes(ag_tensor *x, const int64_t split_sizes[], int axis, ag_tensor *out[],
                                       int n); /* parts of these sizes, which add up to the extent; by name at most 8 */
AG_API ag_tensor **ag_chunk(ag_tensor *x, int64_t chunks, int axis, ag_tensor *out[],
                            int n); /* split into at most so many, of size ⌈extent / chunks⌉ */
AG_API ag_tensor **ag_tensor_split(ag_tensor *x, int64_t sections, int axis, ag_tensor *out[],
                                   int n); /* so many parts, the first extent % sections of them longer by one: NumPy's array_split */
AG_API ag_tensor **ag_hsplit(ag_tensor *x, int64_t sections, ag_tensor *out[],
                             int n); /* equal parts along axis 1, of a line along axis 0; by name also indices= */
AG_API ag_tensor **ag_vsplit(ag_tensor *x, int64_t sections, ag_tensor *out[], int n); /* the same along axis 0 */
AG_API ag_tensor **ag_dsplit(ag_tensor *x, int64_t sections, ag_tensor *out[], int n); /* the same along axis 2 */
AG_API ag_tensor **ag_tensor_split_indices(
    ag_tensor *x, const int64_t indices[], int axis, ag_tensor *out[],
    int n); /* x[:indices[0]], x[indices[0]:indices[1]], …: n − 1 of them, as slice reads them; numbers, not a tensor: no shape depends on values; by name indices= */
AG_API ag_tensor **ag_unbind(ag_tensor *x, int axis, ag_tensor *out[], int n); /* the slabs along an axis, which goes */
AG_API ag_tensor **ag_broadcast_tensors(ag_tensor *const xs[], int n,
                                        ag_tensor *out[]); /* n tensors of one dtype, expanded to a common shape */
typedef enum ag_indexing { AG_IJ, AG_XY } ag_indexing;
AG_API ag_tensor **ag_meshgrid(ag_tensor *const xs[], int n, ag_indexing indexing,
                               ag_tensor *out[]); /* out[k][i0, i1, …] = xs[k][ik]; AG_XY: the first two axes swapped; lines or scalars */

/* Joining, repeating, padding: any dtype, the adjoints numbers */
AG_API ag_tensor *ag_concat(ag_tensor *const xs[], int n, int axis); /* joins along an existing axis */
AG_API ag_tensor *ag_stack(ag_tensor *const xs[], int n, int axis);  /* joins along a new axis */
AG_API ag_tensor *ag_hstack(ag_tensor *const xs[], int n); /* concat along axis 1, of lines and scalars along axis 0 */
AG_API ag_tensor *ag_vstack(ag_tensor *const xs[], int n); /* concat along axis 0, lines and scalars as rows */
AG_API ag_tensor *ag_column_stack(ag_tensor *const xs[], int n); /* concat along axis 1, lines and scalars as columns */
AG_API ag_tensor *ag_dstack(ag_tensor *const xs[], int n); /* concat along axis 2, lines (n) as (1,n,1), matrices as (m,n,1) */
AG_API ag_tensor *ag_block_diag(ag_tensor *const xs[],
                                int n); /* zeros with matrices along the diagonal; lines and scalars are rows */
AG_API ag_tensor *ag_cartesian_prod(ag_tensor *const xs[],
                                    int n); /* (a)(b)… → (a b …, n): one element of each line, in all ways, as rows; of one line itself */
AG_API ag_tensor *ag_combinations(ag_tensor *x, int64_t r,
                                  bool with_replacement); /* (n) → (ways, r): r elements, in all ways but for their order, as rows; preset 2, false */
AG_API ag_tensor *ag_tile(ag_tensor *x, ag_shape reps); /* x reps times over along each axis, counted from the last: NumPy's */
AG_API ag_tensor *ag_repeat(ag_tensor *x, ag_shape repeats); /* the same, of all axes and perhaps new leading ones: PyTorch's */
AG_API ag_tensor *ag_repeat_interleave(ag_tensor *x, int64_t repeats,
                                       ag_axes axis); /* each slab repeats times over; AG_ALL: each element, as one line */
AG_API ag_tensor *ag_repeat_interleave_counts(ag_tensor *x, ag_tensor *counts, ag_axes axis,
                                              int64_t output_size); /* slab k counts[k] times over; output_size is their sum, or it is an error */
AG_API ag_tensor *ag_repeat_index(ag_tensor *counts, int64_t output_size); /* 0 counts[0] times, 1 counts[1] times, …; i64; flat */
AG_API ag_tensor *ag_roll(ag_tensor *x, ag_shape shifts,
                          ag_axes axes); /* y[i] = x[(i − shift) mod n] along each of axes; AG_ALL: of x as one line */
typedef enum ag_pad_mode { AG_PAD_CONSTANT, AG_PAD_REFLECT, AG_PAD_REPLICATE, AG_PAD_CIRCULAR } ag_pad_mode;
AG_API ag_tensor *ag_pad(ag_tensor *x, ag_shape pad, ag_pad_mode mode,
                         double value); /* pad: before and after the last axis, then the one before it, …, at most 4; < 0 crops; circular: then what is left; value 0 but for constant */
AG_API ag_tensor *ag_unpad(ag_tensor *g, ag_shape shape, ag_shape pad,
                           ag_pad_mode mode); /* zeros(shape) with g added where padding read from: pad's gradient */
AG_API ag_tensor *ag_diag_embed(ag_tensor *x, int64_t offset, int axis1,
                                int axis2); /* zeros with x's last axis on a diagonal of two new axes */
AG_API ag_tensor *ag_diag(ag_tensor *x, int64_t diagonal); /* a line to a square matrix with it on that diagonal; a matrix to its diagonal */
AG_API ag_tensor *ag_diagflat(ag_tensor *x, int64_t offset); /* diag of all elements of x as one line */
AG_API ag_tensor *ag_contiguous(ag_tensor *x);               /* x if row-major without gaps, else a copy */
AG_API ag_tensor *ag_alias(ag_tensor *x);                    /* a second node of the same value */
AG_API ag_tensor *ag_detach(ag_tensor *x);                   /* the same value, no gradient */
#define AG_END INT64_MAX

/* Indexing: index is i64; a negative one counts from the end; out of range is an error that names its place. Any dtype,
 * where things are added numbers. Inputs are never written: what puts or adds gives a new tensor. Of several elements put at
 * one place the last in row-major order stays, and it alone has a gradient. */
AG_API ag_tensor *ag_take(ag_tensor *x, ag_tensor *index,
                          int axis); /* x.shape[:axis] + index.shape + x.shape[axis+1:]; NumPy's take. axis=all: of x as one line */
AG_API ag_tensor *ag_take_add(ag_tensor *g, ag_tensor *index, ag_shape shape,
                              int axis); /* zeros(shape) with slices of g added at index: take's gradient */
AG_API ag_tensor *ag_index_select(ag_tensor *x, int axis, ag_tensor *index); /* the slabs that the list index names: take */
AG_API ag_tensor *ag_index_add(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *source,
                               double alpha); /* x with alpha · source added at those slabs */
AG_API ag_tensor *ag_index_copy(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *source); /* x with source put at those slabs */
AG_API ag_tensor *ag_index_fill(ag_tensor *x, int axis, ag_tensor *index, double value); /* x with value put at those slabs */
AG_API ag_tensor *ag_embedding(ag_tensor *weight, ag_tensor *index); /* rows of weight (vocabulary, width): take along axis 0 */
typedef struct ag_embedding_options {
    size_t size;         /* set by ag_embedding_defaults */
    int64_t padding_idx; /* AG_END: none; a row that gets no gradient */
    double max_norm; /* NaN: none; rows of a larger norm are renorm's of it, as PyTorch's are, but weight is not written and the gradient is that of what is computed */
    double norm_type;        /* 2 */
    bool scale_grad_by_freq; /* false; true: a row's gradient is the mean over its places in index, not the sum */
} ag_embedding_options;
AG_API ag_embedding_options ag_embedding_defaults(void);
AG_API ag_tensor *ag_embedding_with(ag_tensor *weight, ag_tensor *index,
                                    const ag_embedding_options *options); /* NULL: the defaults */
AG_API ag_tensor *ag_embedding_padded(ag_tensor *weight, ag_tensor *index,
                                      int64_t padding_idx); /* the same; row padding_idx gets no gradient */
AG_API ag_tensor *ag_gather(ag_tensor *x, int axis, ag_tensor *index); /* y[i][j] = x[index[i][j]][j] for axis 0: PyTorch's gather */
AG_API ag_tensor *ag_gather_add(ag_tensor *g, int axis, ag_tensor *index,
                                ag_shape shape); /* zeros(shape) with g added at index: gather's gradient */
AG_API ag_tensor *ag_scatter(ag_tensor *x, int axis, ag_tensor *index,
                             ag_tensor *src); /* x, with y[index[i][j]][j] = src[i][j] for axis 0; src may be larger than index; by name also reduce=add or multiply, of numbers */
AG_API ag_tensor *ag_scatter_value(ag_tensor *x, int axis, ag_tensor *index, double value); /* scatter of a number: attribute value */
AG_API ag_tensor *ag_scatter_pick(ag_tensor *g, int axis,
                                  ag_tensor *index); /* gather, 0 where a later element names the same place: scatter's gradient to src */
AG_API ag_tensor *ag_scatter_add(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *src); /* x with src added at index */
typedef enum ag_reduce { AG_REDUCE_SUM, AG_REDUCE_PROD, AG_REDUCE_MEAN, AG_REDUCE_AMAX, AG_REDUCE_AMIN } ag_reduce;
AG_API ag_tensor *ag_scatter_reduce(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *src, ag_reduce reduce,
                                    bool include_self); /* x combined with src at index, or without x itself there (include_self is preset true); amax, amin: ties share, NaN wins and gets no gradient; i64 means round down; number */
AG_API ag_tensor *ag_scatter_share(ag_tensor *g, ag_tensor *x, ag_tensor *src, int axis, ag_tensor *index, bool largest,
                                   bool include_self, ag_tensor **to_src); /* amax's and amin's gradient, to x and src */
AG_API ag_tensor *ag_scatter_scan(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *a, ag_tensor *b, bool reverse,
                                  ag_tensor **last); /* s = x, then over index, or from its end: y[i][j] = s[p][j], s[p][j] = a[i][j] s[p][j] + b[i][j], p = index[i][j] for axis 0; b may be NULL; *last is s in the end, of a alone the product; number */
AG_API ag_tensor *ag_index_reduce(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *source, ag_reduce reduce,
                                  bool include_self); /* the same of whole slabs */
AG_API ag_tensor *ag_put(ag_tensor *x, ag_tensor *index, ag_tensor *source,
                         bool accumulate); /* x with source put, or added, at the row-major places index; preset false */
AG_API ag_tensor *ag_index_put(ag_tensor *x, ag_tensor *const indices[], int n, ag_tensor *values,
                               bool accumulate); /* x[indices[0], …, indices[n−1]] = values, or +=: an index for each of the first n axes, which broadcast, as values do to the places and the other axes; by name the inputs are x, the indices, values; preset false */
AG_API ag_tensor *ag_select_scatter(ag_tensor *x, ag_tensor *src, int axis,
                                    int64_t index); /* x with src in the place of select(x, axis, index) */
AG_API ag_tensor *ag_slice_scatter(ag_tensor *x, ag_tensor *src, int axis, int64_t start, int64_t stop,
                                   int64_t step); /* the same of slice; preset 0, 0, end, 1 */
AG_API ag_tensor *ag_diagonal_scatter(ag_tensor *x, ag_tensor *src, int64_t offset, int axis1,
                                      int axis2); /* the same of diagonal; preset 0, 0, 1 */
AG_API ag_tensor *ag_take_along_axis(ag_tensor *x, ag_tensor *index,
                                     int axis); /* gather, x and index broadcast, the axis aside. axis=all: both as one line */
AG_API ag_tensor *ag_put_along_axis(ag_tensor *x, ag_tensor *index, ag_tensor *values,
                                    int axis); /* scatter, index and values broadcast to x, the axis aside */
AG_API ag_tensor *ag_flatnonzero(ag_tensor *x, int64_t count); /* row-major places of what is not 0; count is how many, or it is an error; i64; flat */
AG_API ag_tensor *ag_nonzero(ag_tensor *x, int64_t count); /* the same as coordinates, (count, rank) */
AG_API ag_tensor *ag_masked_select(ag_tensor *x, ag_tensor *mask,
                                   int64_t count); /* (count): the elements where the bool mask, broadcast, is set; another number is an error */
AG_API ag_tensor *ag_masked_scatter(ag_tensor *x, ag_tensor *mask,
                                    ag_tensor *source); /* x with the elements of source in turn where mask is set; number */
AG_API ag_tensor *ag_mask_rank(ag_tensor *mask,
                               int64_t limit); /* where mask is set how many before it are, else 0; more than limit: an error; i64; flat */
AG_API ag_tensor *ag_searchsorted(ag_tensor *sorted, ag_tensor *values,
                                  bool right); /* the place in a sorted line before (right: behind) what equals a value; NaN: the end; i64; flat; by name also side= left or right, and a third input, the places that sort the lines */
AG_API ag_tensor *ag_bucketize(ag_tensor *x, ag_tensor *boundaries, bool right); /* searchsorted(boundaries, x) */
AG_API ag_tensor *ag_bincount(ag_tensor *x, ag_tensor *weights,
                              int64_t minlength); /* a line of i64: how many are 0, 1, …, minlength − 1, or (NULL: none) their weights added up; another x is an error: no shape depends on values */
AG_API ag_tensor *ag_histc(ag_tensor *x, int64_t bins, double min,
                           double max); /* how many x are in each of so many bins of one width, the last with max; others and NaN do not count; min = max: the least and the largest x; in x's dtype; float; flat; preset 100, 0, 0 */
AG_API ag_tensor *ag_one_hot(ag_tensor *index, int64_t num_classes, ag_dtype dtype); /* (…) → (…, num_classes), preset i64; flat */

/* In order along an axis, with places: equal elements stay in order of their places, −0 equals 0, NaN is the largest and equal to
 * itself. index, if asked, becomes the i64 places that the values come from; gradients go back to those places. */
AG_API ag_tensor *ag_sort(ag_tensor *x, int axis, bool descending,
                          ag_tensor **index); /* ascending, or descending; any dtype; always stable */
AG_API ag_tensor *ag_argsort(ag_tensor *x, int axis, bool descending);           /* the places alone; flat */
AG_API ag_tensor *ag_msort(ag_tensor *x);                                        /* sort along axis 0 */
AG_API ag_tensor *ag_topk(ag_tensor *x, int64_t k, int axis, ag_tensor **index); /* the k largest, descending; number */
AG_API ag_tensor *ag_topk_with(ag_tensor *x, int64_t k, int axis, bool largest, bool sorted,
                               ag_tensor **index); /* largest false: the k smallest, ascending; sorted: they always are */
AG_API ag_tensor *ag_kthvalue(ag_tensor *x, int64_t k, int axis, bool keepdim,
                              ag_tensor **index); /* the k-th smallest, k from 1: element k − 1 of sort; number */
AG_API ag_tensor *ag_median(ag_tensor *x, ag_axes axis, bool keepdim,
                            ag_tensor **index); /* the lower median of one axis, as sort places it, or of all: then all that equal it share the gradient; the first NaN, if any; number */
AG_API ag_tensor *ag_nanmedian(ag_tensor *x, ag_axes axis, bool keepdim,
                               ag_tensor **index); /* the same of what is not NaN; NaN where there is nothing else */
AG_API ag_tensor *ag_mode(ag_tensor *x, int axis, bool keepdim,
                          ag_tensor **index); /* what occurs most often, of several values the smallest, at its last place; any dtype */

/* What is q of the way through x in order, along one axis or of all: rank q (n − 1), between ranks by interpolation (linear);
 * q from 0 to 1, a number or a line that becomes y's first axis. Gradients go to the elements in between, and to q; float. */
typedef enum ag_quantile_method {
    AG_QUANTILE_LINEAR,
    AG_QUANTILE_LOWER,
    AG_QUANTILE_HIGHER,
    AG_QUANTILE_MIDPOINT,
    AG_QUANTILE_NEAREST /* half ranks to the even one */
} ag_quantile_method;
AG_API ag_tensor *ag_quantile(ag_tensor *x, ag_tensor *q, ag_axes axis, bool keepdim,
                              ag_quantile_method interpolation); /* NaN where there is a NaN, or, linear and midpoint, an infinity in the way */
AG_API ag_tensor *ag_quantile_scalar(ag_tensor *x, double q, ag_axes axis, bool keepdim,
                                     ag_quantile_method interpolation); /* of one number: attribute q */
AG_API ag_tensor *ag_nanquantile(ag_tensor *x, ag_tensor *q, ag_axes axis, bool keepdim,
                                 ag_quantile_method interpolation); /* of what is not NaN; NaN where there is nothing else */
AG_API ag_tensor *ag_nanquantile_scalar(ag_tensor *x, double q, ag_axes axis, bool keepdim,
                                        ag_quantile_method interpolation); /* of one number */

/* Normalising: float */
AG_API ag_tensor *ag_softmax(ag_tensor *x, int axis);                    /* eˣ / Σ eˣ along axis, without overflow */
AG_API ag_tensor *ag_softmin(ag_tensor *x, int axis);                    /* e^(−x) / Σ e^(−x) along axis */
AG_API ag_tensor *ag_softmax_grad(ag_tensor *g, ag_tensor *y, int axis); /* y (g − Σ g y): softmax's gradient */
AG_API ag_tensor *ag_log_softmax(ag_tensor *x, int axis);                /* x − ln Σ eˣ along axis */
AG_API ag_tensor *ag_log_softmax_grad(ag_tensor *g, ag_tensor *y, int axis); /* g − e^y Σ g: log_softmax's gradient */
AG_API ag_tensor *ag_scaled_dot_product_attention(
    ag_tensor *query, ag_tensor *key, ag_tensor *value, ag_tensor *attn_mask, double dropout_p, bool is_causal, double scale,
    ag_tensor **weights); /* softmax(scale q kᵀ + mask) v: (…,l,d)(…,s,d)(…,s,e) → (…,l,e), and, if asked, the softmax (…,l,s); a bool mask says which keys count, is_causal those up to l; preset dropout_p 0, scale NaN: 1 / √d; NaN where no key counts */
AG_API ag_tensor *ag_layer_norm(ag_tensor *x, ag_shape normalized_shape, ag_tensor *weight, ag_tensor *bias,
                                double eps); /* (x − mean) / √(var + eps) weight + bias, mean and biased var over the last axes, those of normalized_shape, which weight and bias have too (or are NULL); preset eps 1e-5 */
AG_API ag_tensor *ag_rms_norm(ag_tensor *x, ag_shape normalized_shape, ag_tensor *weight,
                              double eps); /* x / √(mean x² + eps) weight, over the last axes; eps NaN (the preset): the dtype's ε, 2⁻²³ or 2⁻⁵² */
AG_API ag_tensor *ag_group_norm(ag_tensor *x, int64_t num_groups, ag_tensor *weight, ag_tensor *bias,
                                double eps); /* the same as layer_norm over each example's groups of channels, c / num_groups of x (n, c, …) each; weight, bias (c) or NULL; preset eps 1e-5 */
/* The gradient to x of layer_norm over the last `axes`, of rms_norm if centred is false, of group_norm if num_groups > 0 */
AG_API ag_tensor *ag_row_norm_input(ag_tensor *g, ag_tensor *x, ag_tensor *weight, int axes, int64_t num_groups,
                                    double eps, bool centred); /* r (h − mean h − x̂ mean(h x̂)), h = g weight */
AG_API ag_tensor *ag_row_norm_grad(ag_tensor *g, ag_tensor *x, ag_tensor *weight, int axes, int64_t num_groups,
                                   double eps, bool centred, ag_tensor **dweight,
                                   ag_tensor **dbias); /* the same and, if asked, those to weight and bias */
AG_API ag_tensor *ag_instance_norm(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, ag_tensor *running_mean,
                                   ag_tensor *running_var, bool use_input_stats, double momentum,
                                   double eps); /* group_norm of groups of one channel; running statistics as in batch_norm, of means over the examples */
AG_API ag_tensor *ag_local_response_norm(ag_tensor *x, int64_t size, double alpha, double beta,
                                         double k); /* x / (k + alpha mean x²)^beta, over size channels around each of x (n, c, …), 0 beyond the ends; preset 1e-4, 0.75, 1 */
AG_API ag_tensor *ag_renorm(ag_tensor *x, double p, int axis,
                            double maxnorm); /* slabs along axis with |x|ₚ > maxnorm times maxnorm / (|x|ₚ + 1e-7); gradient 1 at maxnorm */
AG_API ag_tensor *ag_dist(ag_tensor *a, ag_tensor *b, double p); /* norm of a − b over all elements; broadcasts */
AG_API ag_tensor *ag_normalize(ag_tensor *x, double p, int axis,
                               double eps); /* x / max(|x|ₚ, eps) along axis; preset p 2, axis 1, eps 1e-12 */
AG_API ag_tensor *ag_cosine_similarity(ag_tensor *a, ag_tensor *b, int axis,
                                       double eps); /* Σ a b / (max(|a|, eps) max(|b|, eps)); preset axis 1, eps 1e-8; broadcasts */
AG_API ag_tensor *ag_pairwise_distance(ag_tensor *a, ag_tensor *b, double p, double eps,
                                       bool keepdim); /* |a − b + eps|ₚ along the last axis, any p as in norm; broadcasts; preset p 2, eps 1e-6 */
AG_API ag_tensor *ag_cdist(ag_tensor *a, ag_tensor *b,
                           double p); /* (…,m,k)(…,n,k) → (…,m,n): |a[i] − b[j]|ₚ, p from 0 to ∞; gradient 0 at distance 0 */

AG_API ag_tensor *ag_pdist(ag_tensor *x, double p); /* (n,k) → (n (n − 1) / 2): cdist of x and x for each i < j, row by row */

/* Losses: float. x is the prediction and target has its shape unless said otherwise; what the losses of a batch become is
 * the reduction: in ag_call reduction=mean (the preset), sum or none. NULL options: the defaults. A NULL weight weighs all alike. */
typedef enum ag_reduction {
    AG_MEAN,
    AG_SUM,
    AG_NONE,
    AG_BATCH_MEAN /* kl_div: the sum divided by the extent of axis 0 */
} ag_reduction;
typedef struct ag_cross_entropy_options {
    size_t size;            /* set by ag_cross_entropy_defaults */
    ag_reduction reduction; /* AG_MEAN: over the labels that count, by weight */
    int64_t ignore_index;   /* labels that do not count: −100 */
    double label_smoothing; /* ε: (1 − ε) for the label, ε / classes for each class: 0 */
} ag_cross_entropy_options;
AG_API ag_cross_entropy_options ag_cross_entropy_defaults(void);
AG_API ag_tensor *ag_cross_entropy(ag_tensor *x, ag_tensor *label); /* mean of −log_softmax(x)[label]; x (n, classes), label (n) i64, −100 does not count */
AG_API ag_tensor *ag_cross_entropy_with(ag_tensor *x, ag_tensor *target, ag_tensor *weight,
                                        const ag_cross_entropy_options *options); /* x (n, c, …) or (c); target i64 labels (n, …), or probabilities in x's shape; weight (c) */
AG_API ag_tensor *ag_cross_entropy_grad(ag_tensor *g, ag_tensor *x, ag_tensor *label,
                                        int64_t ignore_index); /* (softmax(x) − one_hot(label)) g / n, n labels that count */
AG_API ag_tensor *ag_nll_loss(ag_tensor *x, ag_tensor *label, ag_tensor *weight, ag_reduction reduction,
                              int64_t ignore_index); /* −weight[label] x[label]: cross-entropy of log-probabilities x */
AG_API ag_tensor *ag_nll_pick(ag_tensor *x, ag_tensor *label,
                              int64_t ignore_index); /* −x[label] over the class axis, 0 where label is ignore_index */
AG_API ag_tensor *ag_mse_loss(ag_tensor *x, ag_tensor *target); /* mean of (x − target)² */
AG_API ag_tensor *ag_mse_loss_with(ag_tensor *x, ag_tensor *target, ag_reduction reduction); /* (x − target)² */
AG_API ag_tensor *ag_l1_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction); /* |x − target|; gradient 0 at 0 */
AG_API ag_tensor *ag_huber_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction,
                                double delta); /* ½ d² for |d| ≤ delta, else delta (|d| − ½ delta); preset 1 */
AG_API ag_tensor *ag_smooth_l1_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction,
                                    double beta);     /* ½ d² / beta for |d| < beta, else |d| − ½ beta; preset 1 */
AG_API ag_tensor *ag_bce(ag_tensor *x, ag_tensor *t); /* −t ln x − (1 − t) ln(1 − x), x and t in [0, 1], logarithms at least −100; d/dx = (x − t) / max(x (1 − x), 1e-12); broadcasts */
AG_API ag_tensor *ag_bce_logits(ag_tensor *x, ag_tensor *t); /* (1 − t) x + ln(1 + e⁻ˣ): bce of sigmoid(x), without overflow; d/dx = sigmoid(x) − t; broadcasts */
AG_API ag_tensor *ag_binary_cross_entropy(ag_tensor *x, ag_tensor *target, ag_tensor *weight,
                                          ag_reduction reduction); /* weight bce(x, target) */
/* weight ((1 − t) x + (1 + (pos_weight − 1) t) ln(1 + e⁻ˣ)) */
AG_API ag_tensor *ag_binary_cross_entropy_with_logits(ag_tensor *x, ag_tensor *target, ag_tensor *weight,
                                                      ag_tensor *pos_weight, ag_reduction reduction); /* of logits x */
AG_API ag_tensor *ag_soft_margin_loss(ag_tensor *x, ag_tensor *target,
                                      ag_reduction reduction); /* ln(1 + e^(−target x)), target −1 or 1 */
AG_API ag_tensor *ag_multilabel_soft_margin_loss(ag_tensor *x, ag_tensor *target, ag_tensor *weight,
                                                 ag_reduction reduction); /* mean of weight bce_logits(x, target) over the last axis */
AG_API ag_tensor *ag_kl_div(ag_tensor *x, ag_tensor *target, ag_reduction reduction,
                            bool log_target); /* t (ln t − x), 0 where t = 0; x log-probabilities; log_target: t = e^target */
typedef struct ag_poisson_nll_loss_options {
    size_t size; /* set by ag_poisson_nll_loss_defaults */
    ag_reduction reduction;
    bool log_input, full; /* true: x is the rate's logarithm; false: leave ln t! out */
    double eps;           /* 1e-8, with log_input false */
} ag_poisson_nll_loss_options;
AG_API ag_poisson_nll_loss_options ag_poisson_nll_loss_defaults(void);
AG_API ag_tensor *ag_poisson_nll_loss(ag_tensor *x, ag_tensor *target,
                                      const ag_poisson_nll_loss_options *options); /* eˣ − t x, or x − t ln(x + eps); full: + t ln t − t + ½ ln 2πt where t > 1 */
typedef struct ag_gaussian_nll_loss_options {
    size_t size; /* set by ag_gaussian_nll_loss_defaults */
    ag_reduction reduction;
    bool full;  /* false: leave ½ ln 2π out */
    double eps; /* 1e-6: the least variance */
} ag_gaussian_nll_loss_options;
AG_API ag_gaussian_nll_loss_options ag_gaussian_nll_loss_defaults(void);
AG_API ag_tensor *ag_gaussian_nll_loss(ag_tensor *x, ag_tensor *target, ag_tensor *var,
                                       const ag_gaussian_nll_loss_options *options); /* ½ (ln v + (x − t)² / v), v = max(var, eps), d v/d var = 1; target broadcasts; var (…), or without the last axis */
AG_API ag_tensor *ag_hinge_embedding_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction,
                                          double margin); /* x where target = 1, max(0, margin − x) where −1; preset 1 */
AG_API ag_tensor *ag_margin_ranking_loss(ag_tensor *a, ag_tensor *b, ag_tensor *target, ag_reduction reduction,
                                         double margin); /* max(0, −target (a − b) + margin); preset 0; gradient 1 at the corner */
AG_API ag_tensor *ag_cosine_embedding_loss(ag_tensor *a, ag_tensor *b, ag_tensor *target, ag_reduction reduction,
                                           double margin); /* (n,d)(n,d)(n): 1 − cos where target = 1, max(0, cos − margin) where −1 */
typedef struct ag_multi_margin_loss_options {
    size_t size; /* set by ag_multi_margin_loss_defaults */
    ag_reduction reduction;
    int p;         /* 1, or 2 */
    double margin; /* 1 */
} ag_multi_margin_loss_options;
AG_API ag_multi_margin_loss_options ag_multi_margin_loss_defaults(void);
AG_API ag_tensor *ag_multi_margin_loss(ag_tensor *x, ag_tensor *label, ag_tensor *weight,
                                       const ag_multi_margin_loss_options *options); /* weight[label] / c Σ over j ≠ label of max(0, margin − x[label] + x[j])ᵖ; x (n,c), (c) or () */
/* 1 / c Σ over labels k and other classes j of max(0, 1 − x[k] + x[j]); labels: i64 in x's shape, up to a negative one */
AG_API ag_tensor *ag_multilabel_margin_loss(ag_tensor *x, ag_tensor *labels, ag_reduction reduction); /* several labels */
typedef struct ag_triplet_margin_loss_options {
    size_t size; /* set by ag_triplet_margin_loss_defaults */
    ag_reduction reduction;
    double margin, p, eps; /* 1, 2, 1e-6 */
    bool swap;             /* false; true: the negative's distance to the nearer of the other two */
} ag_triplet_margin_loss_options;
AG_API ag_triplet_margin_loss_options ag_triplet_margin_loss_defaults(void);
AG_API ag_tensor *ag_triplet_margin_loss(ag_tensor *anchor, ag_tensor *positive, ag_tensor *negative,
                                         const ag_triplet_margin_loss_options *options); /* max(0, |a − p|ₚ − |a − n|ₚ + margin), pairwise_distance along the last axis */

/* Batch norm (Ioffe, Szegedy 2015): x (n, c, …) over all axes but 1, with the biased variance:
 * y = (x − mean) rstd weight + bias, rstd = 1 / √(var + eps); weight, bias (c) or NULL. Training: the statistics are x's own, and
 * running_mean, running_var (c, leaves, may be NULL) move by `momentum` towards them (towards the unbiased variance), as
 * an effect. Otherwise the running ones are used. */
AG_API ag_tensor *ag_batch_norm(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, ag_tensor *running_mean,
                                ag_tensor *running_var, bool training, double momentum,
                                double eps); /* by name presets false, 0.1, 1e-5; without running statistics then by x's own */
AG_API ag_tensor *ag_batch_norm_own(ag_tensor *x, ag_tensor *weight, ag_tensor *bias, double eps, ag_tensor **mean,
                                    ag_tensor **var); /* by x's own statistics, which it gives if asked: what training records */

/* Convolution: float; x (n, c, h, w), w (o, c / groups, kh, kw) → (n, o, h', w'), h' = (h + 2 padding − dilation (kh − 1) − 1) / stride + 1 */
typedef struct ag_conv2d_options {
    size_t size; /* set by ag_conv2d_defaults */
    int64_t stride[2], padding[2], dilation[2], groups;
} ag_conv2d_options;
AG_API ag_conv2d_options ag_conv2d_defaults(void); /* stride 1, padding 0, dilation 1, groups 1 */
AG_API ag_tensor *ag_conv2d(ag_tensor *x, ag_tensor *w, const ag_conv2d_options *options); /* cross-correlation; NULL: the defaults */
AG_API ag_tensor *ag_conv2d_bias(ag_tensor *x, ag_tensor *w, ag_tensor *bias,
                                 const ag_conv2d_options *options); /* + bias (o), by name the third input; x may be one image alone, (c, h, w); by name also padding=same (as many pixels as x has, stride 1) and valid (0) */
AG_API ag_tensor *ag_conv2d_input(ag_tensor *g, ag_tensor *w, ag_shape x,
                                  const ag_conv2d_options *options); /* its gradient to x, of shape `x` */
AG_API ag_tensor *ag_conv2d_weight(ag_tensor *g, ag_tensor *x, ag_shape w,
                                   const ag_conv2d_options *options); /* its gradient to w, of shape `w` */

AG_API ag_tensor *ag_conv1d(ag_tensor *x, ag_tensor *w, ag_tensor *bias, int64_t stride, int64_t padding, int64_t dilation,
                            int64_t groups); /* x (n, c, l) or (c, l), w (o, c / groups, k) → (n, o, l'); bias (o) may be NULL; preset 1, 0, 1, 1 */
typedef struct ag_conv_transpose_options {
    size_t size;                                                           /* set by ag_conv_transpose_defaults */
    int64_t stride[2], padding[2], output_padding[2], dilation[2], groups; /* 1d: the first of each pair */
} ag_conv_transpose_options;
AG_API ag_conv_transpose_options ag_conv_transpose_defaults(void); /* stride 1, padding 0, output_padding 0, dilation 1, groups 1 */
AG_API ag_tensor *ag_conv_transpose2d(ag_tensor *x, ag_tensor *w, ag_tensor *bias,
                                      const ag_conv_transpose_options *options); /* x (n, c, h, w) or (c, h, w), w (c, o / groups, kh, kw) → (n, o, h', w'): conv2d's gradient to its input at x; h' = (h − 1) stride − 2 padding + dilation (kh − 1) + 1 + output_padding */
AG_API ag_tensor *ag_conv_transpose1d(ag_tensor *x, ag_tensor *w, ag_tensor *bias,
                                      const ag_conv_transpose_options *options); /* the same of x (n, c, l) or (c, l), w (c, o / groups, k) */

/* Patches of images as columns: number; x (n, c, h, w) or (c, h, w); sizes for both axes or one for each */
AG_API ag_tensor *ag_im2col(ag_tensor *x, ag_shape kernel_size, ag_shape dilation, ag_shape padding,
                            ag_shape stride); /* (n, c kh kw, h' w'): torch.nn.functional.unfold; preset dilation 1, padding 0, stride 1 */
AG_API ag_tensor *ag_col2im(ag_tensor *x, ag_shape output_size, ag_shape kernel_size, ag_shape dilation, ag_shape padding,
                            ag_shape stride); /* its adjoint, columns added up to (n, c, h, w): torch.nn.functional.fold */

/* Windows of images: float; x (n, c, pixels…) or (c, pixels…), lists of one number for all axes of pixels or one for each; NULL
 * options: the defaults. l' = (l + 2 padding − dilation (kernel_size − 1) − 1) / stride + 1; ceil_mode rounds that up, but for
 * windows that would begin behind x and the padding before it. */
typedef struct ag_pool_options {
    size_t size;                /* set by ag_pool_defaults */
    ag_shape stride;            /* (): kernel_size */
    ag_shape padding, dilation; /* 0, at most half of kernel_size; 1, maxima alone */
    bool ceil_mode;             /* false */
    bool count_include_pad;     /* true: a mean's divisor counts the padding */
    int64_t divisor_override;   /* 0, or what sums are divided by */
} ag_pool_options;
AG_API ag_pool_options ag_pool_defaults(void);
AG_API ag_tensor *ag_avg_pool1d(ag_tensor *x, ag_shape kernel_size,
                                const ag_pool_options *options); /* means of windows; zeros beyond x */
AG_API ag_tensor *ag_avg_pool2d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options); /* of two axes of pixels */
AG_API ag_tensor *ag_avg_pool3d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options); /* of three */
AG_API ag_tensor *ag_max_pool1d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options,
                                ag_tensor **indices); /* the largest of each window and, if asked, its row-major place in the image, i64, the first that ties: it has the gradient; NaN wins; by name part=1 is the places */
AG_API ag_tensor *ag_max_pool2d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options,
                                ag_tensor **indices); /* of two axes of pixels */
AG_API ag_tensor *ag_max_pool3d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options,
                                ag_tensor **indices); /* of three */
AG_API ag_tensor *ag_max_windows(ag_tensor *x, ag_shape image, ag_shape kernel_size, ag_shape stride, ag_shape padding,
                                 ag_shape dilation, ag_shape output_size,
                                 ag_tensor **index); /* what they are made of: of images of 1 to 3 axes in x's last, (…, l) → (…, l'), output_size windows along each axis, every one with a pixel of its image; at most 2^31 − 1 pixels */
AG_API ag_tensor *ag_max_unpool1d(ag_tensor *x, ag_tensor *indices, ag_shape kernel_size, const ag_pool_options *options,
                                  ag_shape output_size); /* zeros with x at its places, where several meet the last alone, with the gradient; output_size (): (l' − 1) stride − 2 padding + kernel_size */
AG_API ag_tensor *ag_max_unpool2d(ag_tensor *x, ag_tensor *indices, ag_shape kernel_size,
                                  const ag_pool_options *options, ag_shape output_size); /* of two axes of pixels */
AG_API ag_tensor *ag_max_unpool3d(ag_tensor *x, ag_tensor *indices, ag_shape kernel_size,
                                  const ag_pool_options *options, ag_shape output_size); /* of three */
AG_API ag_tensor *ag_adaptive_avg_pool1d(ag_tensor *x, ag_shape output_size); /* means of as many windows, from ⌊i l / l'⌋ to ⌈(i + 1) l / l'⌉; −1: l' = l */
AG_API ag_tensor *ag_adaptive_avg_pool2d(ag_tensor *x, ag_shape output_size); /* of two axes of pixels */
AG_API ag_tensor *ag_adaptive_avg_pool3d(ag_tensor *x, ag_shape output_size); /* of three */
AG_API ag_tensor *ag_adaptive_max_pool1d(ag_tensor *x, ag_shape output_size,
                                         ag_tensor **indices); /* the largest of each of those windows and, if asked, its place, as max_pool1d gives them */
AG_API ag_tensor *ag_adaptive_max_pool2d(ag_tensor *x, ag_shape output_size, ag_tensor **indices); /* of two axes of pixels */
AG_API ag_tensor *ag_adaptive_max_pool3d(ag_tensor *x, ag_shape output_size, ag_tensor **indices); /* of three */
AG_API ag_tensor *ag_lp_pool1d(ag_tensor *x, double norm_type, ag_shape kernel_size, ag_shape stride,
                               bool ceil_mode); /* (Σ xᵖ)^(1/p) of each window, p = norm_type; 0 and without a gradient where the sum is 0, NaN where it is below and p ≠ 1; preset (): kernel_size, false */
AG_API ag_tensor *ag_lp_pool2d(ag_tensor *x, double norm_type, ag_shape kernel_size, ag_shape stride,
                               bool ceil_mode); /* of two axes of pixels */
typedef enum ag_interpolate_mode {
    AG_RESIZE_NEAREST,  /* pixel ⌊i ratio⌋, ratio = l / l' or 1 / scale_factor */
    AG_RESIZE_LINEAR,   /* between the two pixels around ratio (i + ½) − ½ */
    AG_RESIZE_BILINEAR, /* the same of two axes of pixels */
    AG_RESIZE_BICUBIC,  /* between four pixels of each of two axes, a = −¾ (Keys 1981) */
    AG_RESIZE_TRILINEAR,
    AG_RESIZE_AREA /* adaptive_avg_pool */
} ag_interpolate_mode;
AG_API ag_tensor *ag_interpolate(ag_tensor *x, ag_shape size, double scale_factor, ag_interpolate_mode mode,
                                 bool align_corners); /* x (n, c, pixels…) with pixels of that size, or, size being (), ⌊l scale_factor⌋, which else is NaN; align_corners: i (l − 1) / (l' − 1); by name preset nearest, false */

/* Constants: flat */
AG_API ag_tensor *ag_arange(ag_tape *tape, ag_dtype dtype, double start, double end,
                            double step); /* start + i · step, before end; number */
AG_API ag_tensor *ag_linspace(ag_tape *tape, ag_dtype dtype, double start, double end,
                              int64_t steps); /* steps numbers, both ends included */
AG_API ag_tensor *ag_logspace(ag_tape *tape, ag_dtype dtype, double start, double end, int64_t steps,
                              double base); /* base to the power of linspace; by name preset 10 */
AG_API ag_tensor *ag_tril_indices(ag_tape *tape, int64_t row, int64_t col,
                                  int64_t offset); /* (2, count): rows and columns of the elements of (row,col) that tril keeps; i64 */
AG_API ag_tensor *ag_triu_indices(ag_tape *tape, int64_t row, int64_t col, int64_t offset); /* the same of triu */
AG_API ag_tensor *ag_eye(ag_tape *tape, ag_dtype dtype, int64_t n, int64_t m); /* (n,m), 1 where i = j, else 0; m −1: square */
AG_API ag_tensor *ag_zeros(ag_tape *tape, ag_dtype dtype,
                           ag_shape shape); /* 0, without memory; by name dtype may be left to a tensor */
AG_API ag_tensor *ag_ones(ag_tape *tape, ag_dtype dtype, ag_shape shape); /* 1 */
AG_API ag_tensor *ag_new_full(ag_tensor *x, ag_shape shape,
                              double fill_value); /* fill_value in that shape and x's dtype; ag_call "full" may do without x, and take dtype= */
AG_API ag_tensor *ag_full_like(ag_tensor *x, double fill_value); /* fill_value in x's shape and dtype, without memory */
AG_API ag_tensor *ag_zeros_like(ag_tensor *x);                   /* 0 */
AG_API ag_tensor *ag_ones_like(ag_tensor *x);                    /* 1 */

/* Linear algebra: float, on the last two axes */
AG_API ag_tensor *ag_tril(ag_tensor *x, int64_t diagonal); /* zeros above the given diagonal; number */
AG_API ag_tensor *ag_triu(ag_tensor *x, int64_t diagonal); /* zeros below it */
AG_API ag_tensor *ag_cholesky(ag_tensor *a); /* lower L with L Lᵀ = ½ (a + aᵀ), by name with upper=true Lᵀ; an error if that is not positive definite */
AG_API ag_tensor *ag_cholesky_grad(ag_tensor *g, ag_tensor *l); /* cholesky's gradient to a, of g that arrived at L: symmetric, from the lower triangles of both */
AG_API ag_tensor *ag_solve_triangular(ag_tensor *a, ag_tensor *b, bool upper,
                                      bool transpose); /* x with a x = b (aᵀ x = b), from one triangle of a (…,n,n); b (…,n,m); leading axes broadcast; by name also left=false: x a = b, and unitriangular=true: a's diagonal counts as 1 */

AG_API ag_tensor *ag_cholesky_solve(ag_tensor *b, ag_tensor *l,
                                    bool upper); /* x with L Lᵀ x = b, from one triangle of l; upper: Uᵀ U x = b */
AG_API ag_tensor *ag_cholesky_inverse(ag_tensor *l, bool upper); /* (L Lᵀ)⁻¹ */

/* By P a = L U. A singular a is an error of solve and inv, and, as there is none, in the gradient of slogdet and logdet; det has
 * one everywhere, and a second one; its third is an error there. */
AG_API ag_tensor *ag_solve(ag_tensor *a, ag_tensor *b); /* x with a x = b: (…,n,n)(…,n,m) → (…,n,m), leading axes broadcast; b (n), or a's axes but the last, is vectors */
AG_API ag_tensor *ag_inv(ag_tensor *a);                 /* a⁻¹ */
AG_API ag_tensor *ag_det(ag_tensor *a);                 /* (…,n,n) → (…); gradient g times the cofactors of a */
AG_API ag_tensor *ag_det_grad(ag_tensor *g, ag_tensor *a); /* det's gradient: g det a · a⁻ᵀ, g (…), or what that tends to where a is singular */
AG_API ag_tensor *ag_det_bend(ag_tensor *a, ag_tensor *k); /* its second derivative along k: d/dt of the cofactors of a + t k, at 0 */
AG_API ag_tensor *ag_slogdet(ag_tensor *a, ag_tensor **logabsdet); /* the determinant's sign and, if asked, ln |det a|; 0 and −∞ where it is 0 */
AG_API ag_tensor *ag_slogdet_grad(ag_tensor *g, ag_tensor *a); /* slogdet's gradient: g a⁻ᵀ, g (…) */
AG_API ag_tensor *ag_logdet(ag_tensor *a);                     /* ln det a, NaN where that is negative */

/* a = U diag(S) Vᵀ: (…,m,n) → U (…,m,k) and, if asked, S (…,k), descending, and Vᵀ (…,k,n), k = min(m, n), of orthonormal columns and
 * rows; NaN where a is not finite. U and V are free up to a sign for each value (the largest component of a column of U is positive), and
 * more where values are equal or 0. The gradient of what depends on that choice is as free, as in PyTorch; of what does not it is
 * right there too: that of S is U diag(g) Vᵀ. */
AG_API ag_tensor *ag_svd(ag_tensor *a, ag_tensor **s, ag_tensor **vh); /* reduced: full_matrices=false */
AG_API ag_tensor *ag_svdvals(ag_tensor *a);                            /* S alone */
AG_API ag_tensor *ag_matrix_rank(ag_tensor *a, double atol,
                                 double rtol); /* how many singular values exceed max(atol, rtol times the largest); NaN, the preset: none, with neither rtol max(m, n) ε; i64; flat */
AG_API ag_tensor *ag_cond(ag_tensor *a, const char *p); /* |a| |a⁻¹| by matrix_norm; "2" (the preset), "-2": of any matrices, by singular values */

/* Random: numbers of the tape's key (ag_seed) and the next draw, the same for any number of threads and instruction set, in f64 those
 * of f32 with more digits. A replay repeats them, and a clone has the same. dtype f32 or f64; flat where tensors give no more than
 * shape and dtype */
AG_API ag_tensor *ag_rand(ag_tape *tape, ag_dtype dtype, ag_shape shape); /* uniform in [0, 1) */
AG_API ag_tensor *ag_uniform(ag_tape *tape, ag_dtype dtype, ag_shape shape, double low, double high); /* uniform in [low, high) */
AG_API ag_tensor *ag_randn(ag_tape *tape, ag_dtype dtype,
                           ag_shape shape); /* normal, mean 0, deviation 1; ag_call also takes mean and std */
AG_API ag_tensor *ag_normal(ag_tape *tape, ag_dtype dtype, ag_shape shape, double mean, double std); /* mean + std z, z normal */
AG_API ag_tensor *ag_normal_with(ag_tensor *mean, ag_tensor *std); /* the same of tensors, broadcast; NULL: 0 and 1; d/dstd = z */
AG_API ag_tensor *ag_exponential(ag_tape *tape, ag_dtype dtype, ag_shape shape, double lambd); /* −ln(u) / lambd, mean 1 / lambd */
AG_API ag_tensor *ag_standard_gamma(ag_tensor *alpha); /* density xᵅ⁻¹ e⁻ˣ / Γ(α), α ≥ 0, the quantile of u; at least the smallest normal number */
AG_API ag_tensor *ag_standard_gamma_grad(ag_tensor *alpha, ag_tensor *x,
                                         double n); /* −∂ⁿF/∂αⁿ / f of standard_gamma's F and density f; n = 1: dx/dα; to n = 24 */
AG_API ag_tensor *ag_gamma(ag_tensor *concentration, ag_tensor *rate); /* standard_gamma(concentration) / rate, broadcast */
AG_API ag_tensor *ag_bernoulli(ag_tensor *p); /* 1 with probability p[…], else 0, in p's dtype; flat */
AG_API ag_tensor *ag_bernoulli_scalar(ag_tensor *x, double p); /* bernoulli of one number, in x's shape and dtype: attribute p */
AG_API ag_tensor *ag_gumbel_softmax(ag_tensor *logits, double tau, bool hard,
                                    int axis); /* softmax((x − ln(−ln u)) / tau); hard: one-hot, its gradient the soft one's */
AG_API ag_tensor *ag_multinomial(ag_tensor *weights, int64_t num_samples,
                                 bool replacement); /* (c) or (m,c) → (num_samples) or (m,num_samples): places drawn with probability weights / Σ weights; i64; flat */
AG_API ag_tensor *ag_rand_like(ag_tensor *x);  /* rand in x's shape and dtype */
AG_API ag_tensor *ag_randn_like(ag_tensor *x); /* randn in x's shape and dtype */
AG_API ag_tensor *ag_randint(ag_tape *tape, int64_t low, int64_t high,
                             ag_shape shape); /* i64 from low to high − 1, each equally likely */
AG_API ag_tensor *ag_randint_like(ag_tensor *x, int64_t low, int64_t high); /* the same in x's shape and dtype; number */
AG_API ag_tensor *ag_randperm(ag_tape *tape, int64_t n);                    /* 0 … n−1 in random order; i64 */
AG_API ag_tensor *ag_dropout_mask(ag_tape *tape, ag_dtype dtype, ag_shape shape,
                                  double p); /* 0 with probability p, else 1/(1−p); flat */
AG_API ag_tensor *ag_dropout(ag_tensor *x, double p); /* x · dropout_mask: inverted dropout (Srivastava et al. 2014), 0 ≤ p ≤ 1 */
AG_API ag_tensor *ag_dropout1d(ag_tensor *x, double p); /* of whole channels of (n,c,l) or (c,l) */
AG_API ag_tensor *ag_dropout2d(ag_tensor *x, double p); /* of whole channels of (n,c,…) */
AG_API ag_tensor *ag_dropout3d(ag_tensor *x, double p); /* of whole channels of (n,c,d,h,w) or, of other ranks, (c,…) */
AG_API ag_tensor *ag_alpha_dropout(ag_tensor *x, double p); /* SELU's −α, not 0, and then mean and variance as before (Klambauer et al. 2017) */
AG_API ag_tensor *ag_feature_alpha_dropout(ag_tensor *x, double p); /* the same of whole channels of (n,c,…) */
AG_API ag_tensor *ag_rrelu(ag_tensor *x, double lower, double upper,
                           bool training); /* x where x > 0, else a x, a uniform in [lower, upper), not training: its mean */

/* Effects: write a persistent leaf, skipped by replay */
AG_API ag_tensor *ag_assign(ag_tensor *leaf, ag_tensor *value); /* leaf ← value, of its shape and dtype */
AG_API ag_tensor *ag_lerp_into(ag_tensor *leaf, ag_tensor *value, double a); /* leaf ← leaf + a (value − leaf): a running average */

#ifdef __cplusplus
}
#endif
#endif
