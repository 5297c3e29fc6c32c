/* bend.c: derivatives for the rules of rows, in public ops, so that they can be differentiated again. Third ones of the activations:
 *
 * s = σ(v) and t = σ(−v) are bounded and neither is taken from the other, so that nothing cancels where one of them is small:
 * with l = s t and d = t − s,  s′ = l v′, l′ = l d v′ and d′ = −2 l v′. */
#include "ops/bend.h"

#include <math.h>

#include "ops/loss.h"
#include "ops/ops.h"

typedef struct logistic {
    ag_tensor *s, *t, *l, *d;
} logistic;

static logistic logistic_of(ag_tensor *v) {
    ag_tensor *s = ag_sigmoid(v), *t = ag_sigmoid(ag_neg(v));
    return (logistic){s, t, ag_mul(s, t), ag_sub(t, s)};
}

/* x s:  l (3 d + x (1 − 6 l)) */
static ag_tensor *silu_third(ag_tensor *x) {
    logistic f = logistic_of(x);
    ag_tensor *each = ag_mul(x, ag_add_scalar(ag_scale(f.l, -6), 1));
    return ag_mul(f.l, ag_add(ag_scale(f.d, 3), each));
}

/* x w, w = s (1 + t) r with r = 1 / (1 + t²):  w′ (3 q + x (q² + q′)) with w′ = u r, u = 4 t² s r, q = t − 2 s + u and
 * q′ = u (t − 2 s + u / 2) − 3 l */
static ag_tensor *mish_third(ag_tensor *x) {
    logistic f = logistic_of(x);
    ag_tensor *r = ag_reciprocal(ag_add_scalar(ag_square(f.t), 1));
    ag_tensor *u = ag_scale(ag_mul(ag_mul(f.l, f.t), r), 4), *rest = ag_sub(f.t, ag_scale(f.s, 2)), *q = ag_add(rest, u);
    ag_tensor *slope = ag_sub(ag_mul(u, ag_add(rest, ag_scale(u, 0.5))), ag_scale(f.l, 3));
    return ag_mul(ag_mul(u, r), ag_add(ag_scale(q, 3), ag_mul(x, ag_add(ag_square(q), slope))));
}

/* x s(v), v = k x + c x³, v′ = k + 3 c x², v″ = 6 c x, v‴ = 6 c:
 * l (3 (v′² d + v″) + x (v′³ (1 − 6 l) + 3 v′ v″ d + v‴)), 0 far out, where l is 0 and the others may be infinite */
static ag_tensor *gelu_tanh_third(ag_tensor *every) {
    const double k = 1.5957691216057308, c = 0.071354816272600249; /* √(8/π), 0.044715 k */
    ag_tensor *x = ag_clamp(every, -100, 100);
    ag_tensor *square = ag_square(x), *first = ag_add_scalar(ag_scale(square, 3 * c), k), *second = ag_scale(x, 6 * c);
    logistic f = logistic_of(ag_mul(x, ag_add_scalar(ag_scale(square, c), k)));
    ag_tensor *bend = ag_add(ag_mul(ag_square(first), f.d), second);
    ag_tensor *cube = ag_mul(ag_mul(first, ag_square(first)), ag_add_scalar(ag_scale(f.l, -6), 1));
    ag_tensor *mixed = ag_add_scalar(ag_scale(ag_mul(ag_mul(first, second), f.d), 3), 6 * c);
    return ag_mul(f.l, ag_add(ag_scale(bend, 3), ag_mul(x, ag_add(cube, mixed))));
}

ag_tensor *ag__bend_slope(ag_tensor *x, double which) {
    return which == 1 ? mish_third(x) : which == 2 ? gelu_tanh_third(x) : silu_third(x);
}

/* φ(x) (2 − x²), x kept where φ is not 0: farther out x² may be infinite. One chain: nothing is used twice. */
ag_tensor *ag__gelu_bend(ag_tensor *x) {
    const double k = 0.39894228040143268; /* 1 / √2π */
    ag_tensor *rest = ag_add_scalar(ag_scale(ag_square(ag_clamp(x, -40, 40)), -k), 2 * k);
    return ag_mul(ag_exp(ag_scale(ag_square(x), -0.5)), rest);
}

/* ∂ⁿf/∂aⁿ / f of f = xᵃ⁻¹ e⁻ˣ / Γ(a): Bell's polynomial Bₙ = Σ C(n−1, k) Bₙ₋₁₋ₖ cₖ₊₁ of c₁ = ln x − ψ(a), cₖ = −ψ⁽ᵏ⁻¹⁾(a) */
ag_tensor *ag__gamma_bend(ag_tensor *a, ag_tensor *x, double n) {
    enum { MOST = 24 };
    ag_tensor *c[MOST + 1] = {NULL}, *b[MOST + 1] = {NULL};
    if (!(n >= 1 && n <= MOST)) return ag_full_like(x, (double)NAN);
    c[1] = ag_sub(ag_log(x), ag_digamma(a));
    for (int k = 2; k <= n; k++) c[k] = ag_neg(ag_polygamma(a, k - 1));
    b[1] = c[1];
    for (int m = 2; m <= n; m++) {
        double choose = 1; /* C(m − 1, k) */
        b[m] = c[m];       /* k = m − 1 */
        for (int k = 0; k < m - 1; k++) {
            b[m] = ag_add(b[m], ag_scale(ag_mul(b[m - 1 - k], c[k + 1]), choose));
            choose = choose * (m - 1 - k) / (k + 1);
        }
    }
    return b[(int)n];
}

/* e^(x²/2) Φ(−|x|) = ½ erfcx(|x| / √2), times 2, for x in [least, 40]: beyond 40 all of Φ's digits are 1. Neither overflows nor, but far
 * below 0, underflows, and rounding x is no matter. */
static ag_tensor *normal_tail(ag_tensor *x, ag_tensor *below, double least) {
    x = ag_clamp(x, least, 40);
    return ag_erfcx(ag_scale(ag_where(below, ag_neg(x), x), 0.70710678118654752));
}

/* φ(x) / Φ(x) = √(2/π) t / erfcx(|x| / √2), t = 1 where x < 0, else Φ(−x) / Φ(x) = e^−y − 1 of y = ln Φ(x) */
ag_tensor *ag__log_ndtr_slope(ag_tensor *x, ag_tensor *y) {
    ag_tensor *zero = ag__constant(x, 0), *below = ag_lt(x, zero);
    ag_tensor *t = ag_add(ag_expm1(ag_neg(ag_where(below, zero, y))), ag_cast(below, ag_dtype_of(x)));
    return ag_scale(ag_div(t, normal_tail(x, below, -(double)INFINITY)), 0.79788456080286536);
}

/* 1 / φ(y) = √(π/2) erfcx(|y| / √2) / min(x, 1 − x) of y = Φ⁻¹(x) */
ag_tensor *ag__ndtri_slope(ag_tensor *x, ag_tensor *y) {
    ag_tensor *below = ag_lt(x, ag__constant(x, 0.5)), *least = ag_where(below, x, ag_add_scalar(ag_neg(x), 1));
    return ag_scale(ag_div(normal_tail(y, below, -40), ag_abs(least)), 1.2533141373155003);
}
