/* cofactors.c: the gradients of determinants.
 *
 *     ∂det/∂a = C, the cofactors of a:  det a · a⁻ᵀ,  and where a is singular as well:  a = L D U gives
 *
 *         C = L⁻ᵀ C(D) U⁻ᵀ      C(D)[i][i] = Π D[k], k ≠ i       (L, U with ones on the diagonal; but for the trades' sign)
 *
 * which divides by no pivot. Of rank n − 1 that is a matrix of rank 1, of less it is 0. Where a pivot is small beside another
 * the largest element that is left becomes the next one (complete pivoting), so that L and U stay harmless. Nicholas Higham
 * (2020), "What is the adjugate of a matrix?", has the same from singular values.
 *
 * The second derivative, at D along e, is  w[i][j] = Π D[k], k ≠ i, j:   Σ_j w[i][j] e[j][j]  at [i][i],  −w[i][j] e[j][i] else. */
#include <math.h>

#include "ops/determinant.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static double get(const ag__determining *d, int64_t at) {
    return d->f64 ? ((const double *)ag_data(d->g))[at] : (double)((const float *)ag_data(d->g))[at];
}

static ag__scaled over(ag__scaled a, double b) {
    int e = 0;
    a.v /= isfinite(b) ? frexp(b, &e) : b;
    a.e -= e;
    return a;
}

/* First derivatives */

/* Is no pivot smaller than that part of the largest? */
static bool even(const ag__factors *f, double part) {
    double low = (double)INFINITY, high = 0;
    for (int64_t k = 0; k < f->n; k++) {
        double v = fabs(f->t[k * f->row + k]);
        low = v < low ? v : low, high = v > high ? v : high;
    }
    return !(low <= part * high);
}

/* D's product but for its zeros, of which there are so many. */
static ag__scaled product(const ag__factors *f, int64_t *zeros) {
    ag__scaled p = {f->odd ? -1 : 1, 0};
    *zeros = 0;
    for (int64_t k = 0; k < f->n; k++) {
        if (f->d[k] == 0) ++*zeros;
        else p = ag__scaled_times(p, f->d[k]);
    }
    return p;
}

/* p without factor k, zeros among the factors being left out of p. */
static ag__scaled without(const ag__factors *f, ag__scaled p, int64_t k) { return f->d[k] == 0 ? p : over(p, f->d[k]); }

/* x = C(D) x, but for a power of two, which is returned: 1 unless the largest C(D)[k][k] comes near the end of the range. */
static int64_t scale_rows(ag__factors *f) {
    enum { NEAR = 900 };
    int64_t zeros, top = INT64_MIN;
    ag__scaled p = product(f, &zeros);
    for (int64_t k = 0; k < f->n; k++) {
        ag__scaled c = without(f, p, k);
        top = c.e > top ? c.e : top;
    }
    top = top > NEAR ? top - NEAR : top < -NEAR ? top + NEAR : 0;
    for (int64_t k = 0; k < f->n; k++) {
        ag__scaled c = without(f, p, k);
        c.e -= top;
        double by = zeros - (f->d[k] == 0) > 0 ? 0 : ag__scaled_value(c);
        for (int64_t j = 0; j < f->m; j++) f->x[k * f->x_row + j] *= by;
    }
    return top;
}

/* By the factors of aᵀ, so that the result lies as a does. */
static bool pass_back(const void *context, ag__factors *f, int64_t i) {
    const ag__determining *d = context;
    int64_t n = f->n;
    double p[2];
    ag__scaled by = ag__scaled_times((ag__scaled){1, 0}, get(d, ag__determinant_load(d, f, i, true)));
    ag__factor(f);
    bool plain = d->logarithm || even(f, 0x1p-40);
    if (d->logarithm && f->reached < n) return false;
    if (plain && !d->logarithm) {
        ag__scaled det = ag__determinant_of(f);
        by = ag__scaled_times(by, det.v), by.e += det.e;
    }
    if (plain) ag__factor_turn(f);
    else ag__determinant_load(d, f, i, true), ag__factor_fully(f);
    ag__factor_identity(f);
    ag__factor_apply(f, false, true);
    if (!plain) by.e += scale_rows(f);
    ag__factor_apply(f, true, false);
    ag__scaled_powers(by, p);
    for (int64_t r = 0; r < n; r++) {
        const double *x = f->x + r * f->x_row;
        for (int64_t c = 0; c < n; c++)
            ag__determinant_put(d, 0, (i * n + f->cols[r]) * n + f->rows[c], x[c] * by.v * p[0] * p[1]);
    }
    return true;
}

static bool pass_back_run(ag_tensor *y, bool logarithm) {
    ag__determining d = {.g = ag_in(y, 0), .a = ag_in(y, 1), .logarithm = logarithm};
    return ag__determinant_run(y, &d, (ag__factors){.m = ag_dim(y, -1)}, 1, pass_back);
}

static bool det_grad_run(ag_tensor *y) { return pass_back_run(y, false); }
static bool slogdet_grad_run(ag_tensor *y) { return pass_back_run(y, true); }

static bool pass_back_shape(ag_tensor *y) {
    char g[AG__TEXT], a[AG__TEXT];
    if (!ag_need_float(y, 1) || !ag__need_square(y, 1) || !ag_need_same_dtype(y, 0, 1)) return false;
    ag_shape s = ag_shape_of(ag_in(y, 1));
    s.rank -= 2;
    if (ag__same_shape(s, ag_shape_of(ag_in(y, 0)))) return ag_out_like(y, 0, ag_in(y, 1));
    return ag_op_fail(y, AG_ERR_SHAPE, "needs a number for each matrix: %s, %s",
                      ag_shape_text(ag_in(y, 0), g, sizeof g), ag_shape_text(ag_in(y, 1), a, sizeof a));
}

static ag_tensor *each_times(ag_tensor *g, ag_tensor *x) { return ag_mul(ag_unsqueeze(ag_unsqueeze(g, -1), -1), x); }

/* k arrives at g C(a): ∂a = g h with h = (∂C/∂a) k, and ∂g = Σ k C = Σ a h / (n − 1), as C is homogeneous of that degree. */
static bool det_grad_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *a = ag_in(y, 1), *h = ag_det_bend(a, g[0]);
    int64_t n = ag_dim(a, -1);
    if (ag_wants(y, 0) && n < 2) d[0] = ag_sum(g[0], AG_AXES(-2, -1), false);
    else if (ag_wants(y, 0)) d[0] = ag_scale(ag_sum(ag_mul(a, h), AG_AXES(-2, -1), false), 1 / (double)(n - 1));
    if (ag_wants(y, 1)) d[1] = each_times(ag_in(y, 0), h);
    return (!ag_wants(y, 0) || d[0]) && (!ag_wants(y, 1) || d[1]);
}

/* k arrives at y = g a⁻ᵀ: with z = a⁻¹ k, ∂g = Σ z[i][i] and ∂a = −y zᵀ. */
static bool slogdet_grad_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *z = ag_solve(ag_in(y, 1), g[0]);
    if (ag_wants(y, 0)) d[0] = ag_trace(z, 0, -2, -1);
    if (ag_wants(y, 1)) d[1] = ag_neg(ag_matmul(y, ag_transpose(z, -1, -2)));
    return (!ag_wants(y, 0) || d[0]) && (!ag_wants(y, 1) || d[1]);
}

static double pass_back_flops(const ag_tensor *y) { return 2 * (double)ag_size(y) * (double)ag_dim(y, -1); }

const ag_op ag__op_det_grad = {
    .size = sizeof(ag_op),
    .name = "det_grad",
    .arity = 2,
    .inputs = "g a",
    .formula = "g times the cofactors of a",
    .shape = pass_back_shape,
    .run = det_grad_run,
    .grad = det_grad_rule,
    .flops = pass_back_flops,
};

const ag_op ag__op_slogdet_grad = {
    .size = sizeof(ag_op),
    .name = "slogdet_grad",
    .arity = 2,
    .inputs = "g a",
    .formula = "g a⁻ᵀ",
    .shape = pass_back_shape,
    .run = slogdet_grad_run,
    .grad = slogdet_grad_rule,
    .flops = pass_back_flops,
};

ag_tensor *ag_det_grad(ag_tensor *g, ag_tensor *a) {
    return ag_apply(&ag__op_det_grad, (ag_tensor *[]){g, a}, 2, NULL);
}

ag_tensor *ag_slogdet_grad(ag_tensor *g, ag_tensor *a) {
    return ag_apply(&ag__op_slogdet_grad, (ag_tensor *[]){g, a}, 2, NULL);
}

/* The second derivative */

static void turn(int64_t n, int64_t row, const double *from, double *to, int64_t to_row) {
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double v = from[i * row + j];
            to[i * to_row + j] = from[j * row + i], to[j * to_row + i] = v;
        }
    }
}

/* x, which is eᵀ, becomes the second derivative at D along e. */
static void bend_diagonal(ag__factors *f) {
    int64_t zeros;
    ag__scaled p = product(f, &zeros);
    double *sum = f->d + f->n;
    for (int64_t i = 0; i < f->n; i++) {
        ag__scaled c = without(f, p, i);
        sum[i] = 0;
        for (int64_t j = 0; j < f->n; j++) {
            double w = zeros - (f->d[i] == 0) - (f->d[j] == 0) > 0 ? 0 : ag__scaled_value(without(f, c, j));
            if (i == j) continue;
            sum[i] += w * f->x[j * f->x_row + j];
            f->x[i * f->x_row + j] *= -w;
        }
    }
    for (int64_t i = 0; i < f->n; i++) f->x[i * f->x_row + i] = sum[i];
}

/* e = L⁻¹ k U⁻¹, and back with L⁻ᵀ and U⁻ᵀ: a triangle is applied from the right to what is turned. */
static bool bend(const void *context, ag__factors *f, int64_t i) {
    const ag__determining *d = context;
    int64_t n = f->n, from = ag__determinant_load(d, f, i, false), row = ag_stride(d->g, -2), col = ag_stride(d->g, -1);
    ag__factors turned = *f;
    ag__factor(f);
    if (even(f, 0x1p-13)) ag__factor_split(f);
    else ag__determinant_load(d, f, i, false), ag__factor_fully(f);
    turned.t = f->other;
    turn(n, f->row, f->t, turned.t, f->row);
    for (int64_t r = 0; r < n; r++) {
        for (int64_t c = 0; c < n; c++) f->x[r * f->x_row + c] = get(d, from + f->rows[r] * row + f->cols[c] * col);
    }
    ag__factor_apply(f, false, false);
    turn(n, f->x_row, f->x, f->x, f->x_row);
    ag__factor_apply(&turned, false, false);
    bend_diagonal(f);
    ag__factor_apply(&turned, true, false);
    turn(n, f->x_row, f->x, f->x, f->x_row);
    ag__factor_apply(f, true, false);
    for (int64_t r = 0; r < n; r++) {
        for (int64_t c = 0; c < n; c++)
            ag__determinant_put(d, 0, (i * n + f->rows[r]) * n + f->cols[c], f->x[c * f->x_row + r]);
    }
    return true;
}

static bool bend_shape(ag_tensor *y) {
    return ag_need_float(y, 0) && ag__need_square(y, 0) && ag_need_same_dtype(y, 0, 1) && ag_need_same_shape(y, 0, 1) &&
           ag_out_like(y, 0, ag_in(y, 0));
}

static bool bend_run(ag_tensor *y) {
    ag__determining d = {.a = ag_in(y, 0), .g = ag_in(y, 1)};
    return ag__determinant_run(y, &d, (ag__factors){.m = ag_dim(y, -1), .another = true}, 7. / 3, bend);
}

/* y = ((Σ C k) C − C kᵀ C) / det a of the cofactors C is linear in k, and symmetric: ∂k = h, the same of g. What a moves it by comes to
 *
 *     ∂a = (Σ g y − y gᵀ − h kᵀ) a⁻ᵀ */
static bool bend_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *a = ag_in(y, 0), *k = ag_in(y, 1), *h = ag_det_bend(a, g[0]);
    int64_t n = ag_dim(a, -1);
    if (ag_wants(y, 1)) d[1] = h;
    if (!ag_wants(y, 0)) return h != NULL;
    ag_tensor *eye = ag_eye(ag_tape_of(a), ag_dtype_of(a), n, -1), *sum = ag_sum(ag_mul(g[0], y), AG_AXES(-2, -1), true);
    ag_tensor *turned =
        ag_sub(ag_mul(sum, eye), ag_add(ag_matmul(g[0], ag_transpose(y, -1, -2)), ag_matmul(k, ag_transpose(h, -1, -2))));
    d[0] = n < 2 ? ag_zeros_like(a) : ag_transpose(ag_solve(a, turned), -1, -2);
    return h && d[0];
}

static double bend_flops(const ag_tensor *y) { return (double)ag_size(y) * (double)ag_dim(y, -1) * 14 / 3; }

const ag_op ag__op_det_bend = {
    .size = sizeof(ag_op),
    .name = "det_bend",
    .arity = 2,
    .inputs = "a k",
    .formula = "d/dt of the cofactors of a + t k, at 0",
    .shape = bend_shape,
    .run = bend_run,
    .grad = bend_rule,
    .flops = bend_flops,
};

ag_tensor *ag_det_bend(ag_tensor *a, ag_tensor *k) {
    return ag_apply(&ag__op_det_bend, (ag_tensor *[]){a, k}, 2, NULL);
}
