/* sgd.c: gradient descent, plain and with momentum: two operations, so that the plain one carries no state. */
#include "optim/optimizer.h"

typedef struct plain_attrs {
    double weight_decay;
} plain_attrs;

typedef struct momentum_attrs {
    double momentum, dampening, weight_decay;
    bool nesterov;
} momentum_attrs;

typedef struct span { /* what a loop works on, and its constants */
    void *w, *b;
    const void *g;
    double lr, decay;
    double keep, add;  /* b ← keep b + add g */
    double of_g, of_b; /* w ← w − lr (of_g g + of_b b) */
} span;

#define PLAIN(NAME, T)                                                            \
    static void NAME(void *context, int64_t begin, int64_t end) {                 \
        const span *s = context;                                                  \
        T *w = s->w;                                                              \
        const T *g = s->g;                                                        \
        const T lr = (T)s->lr, decay = (T)s->decay;                               \
        for (int64_t i = begin; i < end; i++) w[i] -= lr * (g[i] + decay * w[i]); \
    }
PLAIN(plain_f32, float)
PLAIN(plain_f64, double)

#define MOMENTUM(NAME, T)                                                                                  \
    static void NAME(void *context, int64_t begin, int64_t end) {                                          \
        const span *s = context;                                                                           \
        T *w = s->w, *b = s->b;                                                                            \
        const T *g = s->g;                                                                                 \
        const T lr = (T)s->lr, decay = (T)s->decay, keep = (T)s->keep, add = (T)s->add, of_g = (T)s->of_g, \
                of_b = (T)s->of_b;                                                                         \
        for (int64_t i = begin; i < end; i++) {                                                            \
            T d = g[i] + decay * w[i];                                                                     \
            b[i] = keep * b[i] + add * d;                                                                  \
            w[i] -= lr * (of_g * d + of_b * b[i]);                                                         \
        }                                                                                                  \
    }
MOMENTUM(momentum_f32, float)
MOMENTUM(momentum_f64, double)

static bool plain_shape(ag_tensor *y) { return ag__step_shape(y, 0, false); }

static bool plain_run(ag_tensor *y) {
    const plain_attrs *a = ag_attrs(y);
    span s = {.w = ag_op_write(y, AG__W), .g = ag_op_dense(y, AG__G), .lr = ag_item(ag_in(y, AG__LR)), .decay = a->weight_decay};
    if (!s.g) return false;
    ag_parallel_for(ag_size(y), AG__GRAIN, ag_dtype_of(y) == AG_F32 ? plain_f32 : plain_f64, &s);
    return true;
}

static bool momentum_shape(ag_tensor *y) { return ag__step_shape(y, 1, true); }

static bool momentum_run(ag_tensor *y) {
    const momentum_attrs *a = ag_attrs(y);
    bool first = ag__step_count(y) == 0;
    span s = {.w = ag_op_write(y, AG__W),
              .b = ag_op_write(y, AG__STATE),
              .g = ag_op_dense(y, AG__G),
              .lr = ag_item(ag_in(y, AG__LR))};
    if (!s.g) return false;
    s.decay = a->weight_decay;
    s.keep = first ? 0 : a->momentum;
    s.add = first ? 1 : 1 - a->dampening;
    s.of_g = a->nesterov ? 1 : 0;
    s.of_b = a->nesterov ? a->momentum : 1;
    ag_parallel_for(ag_size(y), AG__GRAIN, ag_dtype_of(y) == AG_F32 ? momentum_f32 : momentum_f64, &s);
    ag__step_count_up(y);
    return true;
}

static const ag_attr_field plain_fields[] = {
    {"weight_decay", AG_ATTR_F64, offsetof(plain_attrs, weight_decay), "0"},
    {0},
};

static const ag_attr_field momentum_fields[] = {
    {"momentum", AG_ATTR_F64, offsetof(momentum_attrs, momentum), "0.9"},
    {"dampening", AG_ATTR_F64, offsetof(momentum_attrs, dampening), "0"},
    {"weight_decay", AG_ATTR_F64, offsetof(momentum_attrs, weight_decay), "0"},
    {"nesterov", AG_ATTR_BOOL, offsetof(momentum_attrs, nesterov), "false"},
    {0},
};

extern const ag_op ag__op_sgd_step, ag__op_momentum_step;

const ag_op ag__op_sgd_step = {
    .size = sizeof(ag_op),
    .name = "sgd_step",
    .arity = 3,
    .inputs = "w g lr",
    .flags = AG_EFFECT | AG_FLAT | AG_VIEW,
    .writes = 1u << AG__W,
    .attr_size = sizeof(plain_attrs),
    .attrs = plain_fields,
    .formula = "w ← w − η (g + λ w); inputs w, g, η",
    .shape = plain_shape,
    .run = plain_run,
};

const ag_op ag__op_momentum_step = {
    .size = sizeof(ag_op),
    .name = "momentum_step",
    .arity = 5,
    .inputs = "w g lr velocity k",
    .flags = AG_EFFECT | AG_FLAT | AG_VIEW,
    .writes = 1u << AG__W | 1u << AG__STATE | 1u << (AG__STATE + 1),
    .attr_size = sizeof(momentum_attrs),
    .attrs = momentum_fields,
    .formula = "d = g + λ w; b ← μ b + (1 − τ) d; w ← w − η b, or w − η (d + μ b); inputs w, g, η, b, k",
    .shape = momentum_shape,
    .run = momentum_run,
};

ag_sgd_options ag_sgd_defaults(void) { return (ag_sgd_options){.size = sizeof(ag_sgd_options), .lr = 0.01}; }

ag_optimizer *ag_optim_sgd(ag_tape *t, ag_tensor *const params[], int n, const ag_sgd_options *options) {
    static const char where[] = "optim_sgd";
    ag_sgd_options o = ag_sgd_defaults();
    if (!ag__options_take(t, where, &o, sizeof o, options)) return NULL;
    if (!ag__option_check(t, where, o.momentum >= 0, "momentum", o.momentum, "at least 0") ||
        !ag__option_check(t, where, o.weight_decay >= 0, "weight_decay", o.weight_decay, "at least 0") ||
        !ag__option_check(t, where, !o.nesterov || o.momentum > 0, "momentum", o.momentum, "above 0 for nesterov") ||
        !ag__option_check(t, where, !o.nesterov || o.dampening == 0, "dampening", o.dampening, "0 for nesterov")) {
        return NULL;
    }
    if (o.momentum == 0)
        return ag_optim_new(t, params, n, o.lr, &ag__op_sgd_step, &(plain_attrs){o.weight_decay}, NULL, 0);
    static const ag_optim_slot slots[] = {{"momentum", true}, {"step", false}};
    const momentum_attrs a = {o.momentum, o.dampening, o.weight_decay, o.nesterov};
    return ag_optim_new(t, params, n, o.lr, &ag__op_momentum_step, &a, slots, 2);
}
