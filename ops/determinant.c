/* determinant.c: determinants, ± Π of the pivots of P a = L U. Their gradients: cofactors.c. */
#include <math.h>

#include "ops/compose.h"
#include "ops/determinant.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

ag__scaled ag__scaled_times(ag__scaled a, double b) {
    int e = 0, more = 0;
    double v = a.v * b;
    if (fabs(v) > 0x1p-500 && fabs(v) < 0x1p500) return (ag__scaled){v, a.e};
    v = a.v * (isfinite(b) ? frexp(b, &e) : b);
    if (isfinite(v)) v = frexp(v, &more);
    return (ag__scaled){v, a.e + e + more};
}

void ag__scaled_powers(ag__scaled a, double p[2]) {
    int e = (int)(a.e > 2046 ? 2046 : a.e < -2148 ? -2148 : a.e);
    p[0] = ldexp(1, e / 2), p[1] = ldexp(1, e - e / 2);
}

double ag__scaled_value(ag__scaled a) {
    double p[2];
    if (a.e == 0) return a.v;
    ag__scaled_powers(a, p);
    return a.v * p[0] * p[1];
}

int64_t ag__determinant_load(const ag__determining *d, ag__factors *f, int64_t i, bool turned) {
    int64_t a, g, row = ag_stride(d->a, -2), col = ag_stride(d->a, -1);
    ag__batch_at(&d->batch, i, &a, &g);
    ag__factor_load(f, d->a, a, turned ? col : row, turned ? row : col);
    return g;
}

bool ag__determinant_run(ag_tensor *y, ag__determining *d, ag__factors f, double work,
                         bool (*one)(const void *context, ag__factors *f, int64_t i)) {
    double n = (double)(f.n = ag_dim(d->a, -1));
    d->f64 = ag_dtype_of(d->a) == AG_F64;
    d->out[0] = ag_out_data(y, 0);
    ag__batch_same(&d->batch, d->a, d->g);
    return d->batch.count == 0 || ag__factor_each(y, d->a, d->batch.count, f, work * n * n * n, one, d);
}

/* det, slogdet */

ag__scaled ag__determinant_of(const ag__factors *f) {
    ag__scaled p = {f->odd ? -1 : 1, 0};
    for (int64_t k = 0; k < f->n; k++) p = ag__scaled_times(p, f->t[k * f->row + k]);
    return p;
}

static bool determine(const void *context, ag__factors *f, int64_t i) {
    const ag__determining *d = context;
    ag__determinant_load(d, f, i, false);
    ag__factor(f);
    ag__scaled p = ag__determinant_of(f);
    ag__determinant_put(d, 0, i, d->logarithm ? (isnan(p.v) ? p.v : (p.v > 0) - (p.v < 0)) : ag__scaled_value(p));
    if (d->logarithm) ag__determinant_put(d, 1, i, log(fabs(p.v)) + (double)p.e * M_LN2);
    return true;
}

static bool det_run(ag_tensor *y) {
    ag__determining d = {.a = ag_in(y, 0)};
    return ag__determinant_run(y, &d, (ag__factors){0}, 1. / 3, determine);
}

static bool slogdet_run(ag_tensor *y) {
    ag__determining d = {.a = ag_in(y, 0), .logarithm = true, .out = {NULL, ag_out_data(y, 1)}};
    return ag__determinant_run(y, &d, (ag__factors){0}, 1. / 3, determine);
}

static bool det_shape(ag_tensor *y) {
    if (!ag_need_float(y, 0) || !ag__need_square(y, 0)) return false;
    ag_shape s = ag_shape_of(ag_in(y, 0));
    s.rank -= 2;
    return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s) &&
           (y == ag_out(y, 0) || ag_out_shape(y, 1, ag_dtype_of(ag_in(y, 0)), s));
}

static bool det_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_det_grad(g[0], ag_in(y, 0))) != NULL;
}

static bool slogdet_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return !g[1] || (d[0] = ag_slogdet_grad(g[1], ag_in(y, 0))) != NULL;
}

static double det_flops(const ag_tensor *y) {
    return (double)ag_size(ag_in(y, 0)) * (double)ag_dim(ag_in(y, 0), -1) * 2 / 3;
}

const ag_op ag__op_det = {
    .size = sizeof(ag_op),
    .name = "det",
    .arity = 1,
    .inputs = "a",
    .formula = "the determinant of a",
    .shape = det_shape,
    .run = det_run,
    .grad = det_rule,
    .flops = det_flops,
};

const ag_op ag__op_slogdet = {
    .size = sizeof(ag_op),
    .name = "slogdet",
    .arity = 1,
    .nout = 2,
    .inputs = "a",
    .formula = "the sign of det a, and ln |det a|",
    .shape = det_shape,
    .run = slogdet_run,
    .grad = slogdet_rule,
    .flops = det_flops,
};

ag_tensor *ag_det(ag_tensor *a) { return ag_apply(&ag__op_det, &a, 1, NULL); }

ag_tensor *ag_slogdet(ag_tensor *a, ag_tensor **logabsdet) {
    return ag__parts(ag_apply(&ag__op_slogdet, &a, 1, NULL), logabsdet);
}

static ag_tensor *logdet(ag_tensor *y) {
    ag_tensor *size, *sign = ag_slogdet(ag_in(y, 0), &size);
    return ag_where(ag_lt(sign, ag__constant(sign, 0)), ag__constant(sign, (double)NAN), size);
}

AG__COMPOSED_BARE(logdet, 1, "ln det a, NaN where that is negative", logdet, .inputs = "a");

ag_tensor *ag_logdet(ag_tensor *a) { return ag_apply(&ag__op_logdet, &a, 1, NULL); }
