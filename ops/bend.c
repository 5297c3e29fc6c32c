/* bend.c: derivatives for the rules of rows, in public ops, so that they can be differentiated again. Of the activations:
 *
 * s = σ(x) and t = σ(−x) are bounded and neither is taken from the other, so that nothing cancels where one of them is small:
 * s′ = s t, t′ = −s t, s″ = s t (t − s). */
#include "ops/bend.h"

#include <math.h>

#include "ops/ops.h"

/* x s:  s t (2 + x (t − s)) */
ag_tensor *ag__silu_bend(ag_tensor *x) {
    ag_tensor *s = ag_sigmoid(x), *t = ag_sigmoid(ag_neg(x));
    return ag_mul(ag_mul(s, t), ag_add_scalar(ag_mul(x, ag_sub(t, s)), 2));
}

/* x w with w = s (1 + t) / (1 + t²), w′ = 4 t² s / (1 + t²)²:  w′ (2 + x (t − 2 s + 4 t² s / (1 + t²))) */
ag_tensor *ag__mish_bend(ag_tensor *x) {
    ag_tensor *s = ag_sigmoid(x), *t = ag_sigmoid(ag_neg(x));
    ag_tensor *r = ag_reciprocal(ag_add_scalar(ag_square(t), 1));
    ag_tensor *u = ag_scale(ag_mul(ag_mul(ag_square(t), s), r), 4);
    return ag_mul(ag_mul(u, r), ag_add_scalar(ag_mul(x, ag_add(ag_sub(t, ag_scale(s, 2)), u)), 2));
}

/* x s(v), v = k (x + c x³), v′ = k + 3 k c x², v″ = 6 k c x:  s t (2 v′ + x (v″ + v′² (t − s))) */
ag_tensor *ag__gelu_tanh_bend(ag_tensor *x) {
    const double k = 1.5957691216057308, kc = 0.071354816272600249; /* √(8/π), 0.044715 k */
    ag_tensor *square = ag_square(x), *v = ag_mul(x, ag_add_scalar(ag_scale(square, kc), k));
    ag_tensor *first = ag_add_scalar(ag_scale(square, 3 * kc), k), *second = ag_scale(x, 6 * kc);
    ag_tensor *s = ag_sigmoid(v), *t = ag_sigmoid(ag_neg(v));
    ag_tensor *bend = ag_add(second, ag_mul(ag_square(first), ag_sub(t, s)));
    return ag_mul(ag_mul(s, t), ag_add(ag_scale(first, 2), ag_mul(x, bend)));
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
