/* adam.c: Adam (Kingma, Ba 2015) and AdamW (Loshchilov, Hutter 2019), one pass over w, g, m and v. */
#include <math.h>

#include "optim/optimizer.h"

typedef struct adam_attrs {
    double beta1, beta2, eps, weight_decay;
    bool decoupled;
} adam_attrs;

typedef struct span { /* what a loop works on, and its constants */
    void *w, *m, *v;
    const void *g;
    double beta1, beta2, eps;
    double decay;  /* added to g, times w */
    double shrink; /* w is multiplied by it: 1 unless decoupled */
    double rate;   /* η / (1 − β₁ᵏ) */
    double scale;  /* 1 / √(1 − β₂ᵏ) */
} span;

#define ADAM(NAME, T, SQRT)                                                                                          \
    static void NAME(void *context, int64_t begin, int64_t end) {                                                    \
        const span *s = context;                                                                                     \
        T *w = s->w, *m = s->m, *v = s->v;                                                                           \
        const T *g = s->g;                                                                                           \
        const T b1 = (T)s->beta1, c1 = (T)(1 - s->beta1), b2 = (T)s->beta2, c2 = (T)(1 - s->beta2), eps = (T)s->eps; \
        const T decay = (T)s->decay, shrink = (T)s->shrink, rate = (T)s->rate, scale = (T)s->scale;                  \
        for (int64_t i = begin; i < end; i++) {                                                                      \
            T d = g[i] + decay * w[i];                                                                               \
            m[i] = b1 * m[i] + c1 * d;                                                                               \
            v[i] = b2 * v[i] + c2 * (d * d);                                                                         \
            w[i] = shrink * w[i] - rate * m[i] / (SQRT(v[i]) * scale + eps);                                         \
        }                                                                                                            \
    }
ADAM(adam_f32, float, sqrtf)
ADAM(adam_f64, double, sqrt)

static bool adam_shape(ag_tensor *y) { return ag__step_shape(y, 2, true); }

static bool adam_run(ag_tensor *y) {
    const adam_attrs *a = ag_attrs(y);
    double k = ag__step_count(y) + 1, lr = ag_item(ag_in(y, AG__LR));
    span s = {
        .w = ag_op_write(y, AG__W),
        .m = ag_op_write(y, AG__STATE),
        .v = ag_op_write(y, AG__STATE + 1),
        .g = ag_op_dense(y, AG__G),
        .beta1 = a->beta1,
        .beta2 = a->beta2,
        .eps = a->eps,
        .decay = a->decoupled ? 0 : a->weight_decay,
        .shrink = a->decoupled ? 1 - lr * a->weight_decay : 1,
        .rate = lr / (1 - pow(a->beta1, k)),
        .scale = 1 / sqrt(1 - pow(a->beta2, k)),
    };
    if (!s.g) return false;
    ag_parallel_for(ag_size(y), AG__GRAIN, ag_dtype_of(y) == AG_F32 ? adam_f32 : adam_f64, &s);
    ag__step_count_up(y);
    return true;
}

static const ag_attr_field adam_fields[] = {
    {"beta1", AG_ATTR_F64, offsetof(adam_attrs, beta1), "0.9"},
    {"beta2", AG_ATTR_F64, offsetof(adam_attrs, beta2), "0.999"},
    {"eps", AG_ATTR_F64, offsetof(adam_attrs, eps), "1e-8"},
    {"weight_decay", AG_ATTR_F64, offsetof(adam_attrs, weight_decay), "0"},
    {"decoupled", AG_ATTR_BOOL, offsetof(adam_attrs, decoupled), "false"},
    {0},
};

extern const ag_op ag__op_adam_step;

const ag_op ag__op_adam_step = {
    .size = sizeof(ag_op),
    .name = "adam_step",
    .arity = 6,
    .inputs = "w g lr m v k",
    .flags = AG_EFFECT | AG_FLAT | AG_VIEW,
    .writes = 1u << AG__W | 1u << AG__STATE | 1u << (AG__STATE + 1) | 1u << (AG__STATE + 2),
    .attr_size = sizeof(adam_attrs),
    .attrs = adam_fields,
    .formula = "m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − η m̂ / (√v̂ + ε); inputs w, g, η, m, v, k",
    .lo = 0.1,
    .hi = 2, /* v and k are not negative */
    .shape = adam_shape,
    .run = adam_run,
};

ag_adam_options ag_adam_defaults(void) {
    return (ag_adam_options){.size = sizeof(ag_adam_options), .lr = 0.001, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
}

ag_optimizer *ag_optim_adam(ag_tape *t, ag_tensor *const params[], int n, const ag_adam_options *options) {
    static const char where[] = "optim_adam";
    ag_adam_options o = ag_adam_defaults();
    if (!ag__options_take(t, where, &o, sizeof o, options)) return NULL;
    if (!ag__option_check(t, where, o.beta1 >= 0 && o.beta1 < 1, "beta1", o.beta1, "in [0, 1)") ||
        !ag__option_check(t, where, o.beta2 >= 0 && o.beta2 < 1, "beta2", o.beta2, "in [0, 1)") ||
        !ag__option_check(t, where, o.eps >= 0, "eps", o.eps, "at least 0") ||
        !ag__option_check(t, where, o.weight_decay >= 0, "weight_decay", o.weight_decay, "at least 0")) {
        return NULL;
    }
    static const ag_optim_slot slots[] = {{"m", true}, {"v", true}, {"step", false}};
    const adam_attrs a = {o.beta1, o.beta2, o.eps, o.weight_decay, o.decoupled};
    return ag_optim_new(t, params, n, o.lr, &ag__op_adam_step, &a, slots, 3);
}
