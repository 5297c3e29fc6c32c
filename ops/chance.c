/* chance.c: choices. Yes or no with given probabilities is a step function of them, and flat; a soft choice of one class is
 * arithmetic on random numbers, through which gradients pass. */
#include <math.h>
#include <stddef.h>

#include "ops/compose.h"
#include "ops/draw.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct bernoulli_attrs {
    int64_t draw;
    double p; /* NaN: the input's elements */
} bernoulli_attrs;

static const ag_attr_field bernoulli_fields[] = {{"draw", AG_ATTR_I64, offsetof(bernoulli_attrs, draw), "-1"},
                                                 {"p", AG_ATTR_F64, offsetof(bernoulli_attrs, p), "nan"},
                                                 {0}};

static bool bernoulli_shape(ag_tensor *y) {
    const bernoulli_attrs *a = ag_attrs(y);
    if (!(a->p >= 0 && a->p <= 1) && !isnan(a->p))
        return ag_op_fail(y, AG_ERR_ARGUMENT, "p is %g; a probability lies between 0 and 1", a->p);
    return ag_need_float(y, 0) && ag__need_key(y) && ag_out_like(y, 0, ag_in(y, 0));
}

/* Where p, n f32 or f64, is no probability; n: nowhere. */
static int64_t improbable(const void *p, bool single, int64_t n) {
    int64_t i = 0;
    for (; i < n; i++) {
        double v = single ? (double)((const float *)p)[i] : ((const double *)p)[i];
        if (!(v >= 0 && v <= 1)) break;
    }
    return i;
}

static bool bernoulli_run(ag_tensor *y) {
    const ag__random *k = ag__kernel()->random;
    double p = ((const bernoulli_attrs *)ag_attrs(y))->p;
    if (p >= 0) return ag__fill_run(y, k->yes, p, 0);
    const void *each = ag_op_dense(y, 0);
    int64_t bad = each ? improbable(each, ag_dtype_of(y) == AG_F32, ag_size(y)) : 0;
    if (each && bad < ag_size(y)) {
        return ag_op_fail(y, AG_ERR_VALUE, "element %lld is %g; a probability lies between 0 and 1", (long long)bad,
                          ag_at(ag_in(y, 0), bad));
    }
    return each && ag__fill_each(y, k->chance, each);
}

const ag_op ag__op_bernoulli = {
    .size = sizeof(ag_op),
    .name = "bernoulli",
    .arity = 2,
    .inputs = "p",
    .flags = AG_RANDOM | AG_FLAT,
    .attr_size = sizeof(bernoulli_attrs),
    .attrs = bernoulli_fields,
    .formula = "1 with probability p, else 0",
    .lo = 0.05,
    .hi = 0.95,
    .shape = bernoulli_shape,
    .run = bernoulli_run,
};

ag_tensor *ag_bernoulli(ag_tensor *p) {
    return ag_apply(&ag__op_bernoulli, &p, 1, &(bernoulli_attrs){-1, (double)NAN});
}
ag_tensor *ag_bernoulli_scalar(ag_tensor *x, double p) {
    if (isnan(p)) p = -1; /* no number, and no order to take the elements */
    return ag_apply(&ag__op_bernoulli, &x, 1, &(bernoulli_attrs){-1, p});
}

/* Jang, Gu, Poole; Maddison, Mnih, Teh (2017). −ln e, e exponential, is Gumbel's: the largest of x + gumbel is class i with
 * probability softmax(x)[i]. hard: the value is one-hot, the gradient that of the soft choice (straight-through). */
typedef struct gumbel_attrs {
    double tau;
    bool hard;
    int axis;
} gumbel_attrs;

static const ag_attr_field gumbel_fields[] = {{"tau", AG_ATTR_F64, offsetof(gumbel_attrs, tau), "1"},
                                              {"hard", AG_ATTR_BOOL, offsetof(gumbel_attrs, hard), "false"},
                                              {"axis", AG_ATTR_INT, offsetof(gumbel_attrs, axis), "-1"},
                                              {0}};

static ag_tensor *gumbel_softmax(ag_tensor *y) {
    const gumbel_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    if (!ag_need_float(y, 0) || !ag__need_line(y, a->axis, ag_rank(x), &axis)) return NULL;
    ag_tensor *gumbel = ag_neg(ag_log(ag_exponential(ag_tape_of(x), ag_dtype_of(x), ag_shape_of(x), 1)));
    ag_tensor *soft = ag_softmax(ag_scale(ag_add(x, gumbel), 1 / a->tau), axis);
    if (!a->hard) return soft;
    ag_tensor *best = ag_argmax(soft, AG_AXES(axis), true), *zero = ag_zeros_like(soft);
    ag_tensor *chosen = ag_rank(x) ? ag_scatter_value(zero, axis, best, 1) : ag_ones_like(soft);
    return ag_add(ag_sub(chosen, ag_detach(soft)), soft);
}

AG__COMPOSED(gumbel_softmax, 1, gumbel_attrs, gumbel_fields, "softmax((x + gumbel) / tau), gumbel = -ln(-ln u)",
             gumbel_softmax, .inputs = "logits");

ag_tensor *ag_gumbel_softmax(ag_tensor *logits, double tau, bool hard, int axis) {
    return ag_apply(&ag__op_gumbel_softmax, &logits, 1, &(gumbel_attrs){tau, hard, axis});
}
