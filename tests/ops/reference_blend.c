/* reference_blend.c: weighted sums, and elements put in the place of others, element by element. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* y[…] = each(v, p), v the inputs at that place */
static void every(problem *p, ag_dtype dtype, double (*each)(const double v[], const problem *p)) {
    ag_shape s = {0};
    for (int i = 0; i < p->n; i++) s = reference_broadcast(s, p->in[i].shape);
    double *y = reference_out(p, 0, dtype, s), v[3];
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        for (int k = 0; k < p->n; k++) v[k] = reference_at(&p->in[k], at, s.rank);
        y[i] = each(v, p);
    }
}

#define EACH(name, dtype, expression)                                                                      \
    static double name##_at(const double v[], const problem *p) { return (void)p, (void)v, (expression); } \
    static void name(problem *p) { every(p, dtype, name##_at); }
#define NUMBER(attribute, preset) reference_number(p, attribute, preset)

static double most(const problem *p) { return p->dtype == AG_F32 ? (double)FLT_MAX : DBL_MAX; }

static double number_for(double x, const problem *p) {
    if (isnan(x)) return NUMBER("nan", 0);
    return !isinf(x) ? x : x > 0 ? NUMBER("posinf", most(p)) : NUMBER("neginf", -most(p));
}

static bool is_close(double a, double b, const problem *p) {
    if (a == b) return true;
    if (isnan(a) && isnan(b)) return reference_flag(p, "equal_nan");
    return isfinite(a - b) && fabs(a - b) <= NUMBER("atol", 1e-8) + NUMBER("rtol", 1e-5) * fabs(b);
}

EACH(lerp, p->dtype, v[0] + (p->n > 2 ? v[2] : NUMBER("weight", (double)NAN)) * (v[1] - v[0]))
EACH(addcmul, p->dtype, v[0] + NUMBER("value", 1) * v[1] * v[2])
EACH(addcdiv, p->dtype, v[0] + NUMBER("value", 1) * v[1] / v[2])
EACH(masked_fill, p->in[0].dtype, v[1] != 0 ? NUMBER("value", (double)NAN) : v[0])
EACH(masked_fill_tensor, p->in[0].dtype, v[1] != 0 ? v[2] : v[0])
EACH(nan_to_num, p->in[0].dtype, number_for(v[0], p))
EACH(clamp_min, p->in[0].dtype, fmax(v[0], p->n > 1 ? v[1] : NUMBER("min", (double)NAN)))
EACH(clamp_max, p->in[0].dtype, fmin(v[0], p->n > 1 ? v[1] : NUMBER("max", (double)NAN)))
EACH(isclose, AG_BOOL, is_close(v[0], v[1], p))

static double rounded(double x, double decimals) { return rint(x * pow(10, decimals)) / pow(10, decimals); }

static double divided(double q, const problem *p) {
    char mode[SAMPLE_TEXT];
    return strcmp(reference_text(p, "rounding_mode", mode), "floor") ? trunc(q) : floor(q);
}

static double gelu(double x, const problem *p) {
    double v = strstr(p->s->attributes, "tanh") ? tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x))
                                                : erf(x * 0.70710678118654752440);
    return 0.5 * x * (1 + v);
}

EACH(add_scaled, p->in[0].dtype, v[0] + NUMBER("alpha", 1) * v[1])
EACH(sub_scaled, p->in[0].dtype, v[0] - NUMBER("alpha", 1) * v[1])
EACH(rsub, p->in[0].dtype, v[1] - NUMBER("alpha", 1) * v[0])
EACH(div_rounded, p->in[0].dtype, p->in[0].dtype == AG_I64 && v[1] == 0 ? 0 : divided(v[0] / v[1], p))
EACH(round_decimals, p->dtype, rounded(v[0], NUMBER("decimals", 0)))
EACH(gelu_approximate, p->dtype, gelu(v[0], p))
EACH(clamp_between, p->in[0].dtype, p->n > 2 ? fmin(fmax(v[0], v[1]), v[2]) : fmax(v[0], v[1]))

static void prelu(problem *p) {
    const array *x = &p->in[0], *w = &p->in[1];
    double *y = reference_out(p, 0, p->dtype, x->shape);
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(x->shape, i, at);
        y[i] = x->v[i] > 0 ? x->v[i] : x->v[i] * w->v[w->size > 1 ? at[1] : 0];
    }
}

const reference references_blend[] = {
    {"lerp", lerp, false, NULL, NULL},
    {"addcmul", addcmul, false, NULL, NULL},
    {"addcdiv", addcdiv, false, NULL, NULL},
    {"masked_fill", masked_fill, true, NULL, NULL},
    {"masked_fill_tensor", masked_fill_tensor, true, NULL, NULL},
    {"nan_to_num", nan_to_num, false, NULL, NULL},
    {"clamp_min", clamp_min, true, NULL, NULL},
    {"clamp_max", clamp_max, true, NULL, NULL},
    {"prelu", prelu, false, NULL, NULL},
    {"isclose", isclose, true, NULL, NULL},
    {"add_scaled", add_scaled, false, NULL, NULL},
    {"sub_scaled", sub_scaled, false, NULL, NULL},
    {"rsub", rsub, false, NULL, NULL},
    {"div_rounded", div_rounded, true, NULL, NULL},
    {"round_decimals", round_decimals, false, NULL, NULL},
    {"gelu_approximate", gelu_approximate, false, NULL, NULL},
    {"clamp_between", clamp_between, true, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
