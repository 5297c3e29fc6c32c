/* optim.h: optimizers: they change parameters after their gradients. This header is the manual.
 *
 *     ag_adam_options o = ag_adam_defaults();
 *     o.lr = 0.01;
 *     ag_optimizer *adam = ag_optim_adam(t, params, n, &o);
 *     for (…) {
 *         ag_optim_zero_grad(adam);
 *         if (!ag_backward(loss(…))) break;
 *         ag_optim_step(adam);
 *         ag_tape_rewind(t, mark);
 *     }
 *
 * The tape owns an optimizer and its state, for as long as it lives. A step is one recorded operation per parameter,
 * in one pass over its memory. What changes from step to step (the learning rate, the count of steps) is a leaf that
 * this operation reads, so a recorded step can be run again as the next step. Formulas, defaults and the order of
 * operations are PyTorch's; w is the parameter, g its gradient, η the learning rate, λ the weight decay.
 */
#ifndef OPTIM_OPTIM_H
#define OPTIM_OPTIM_H

#include "autograd/autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ag_optimizer ag_optimizer;

/* Each takes n different f32 or f64 leaves of the tape; the array may go afterwards. options NULL: the defaults. */

/* Stochastic gradient descent, with momentum μ (Polyak 1964) and dampening τ, or Nesterov's momentum:
 *     g ← g + λ w
 *     b ← μ b + (1 − τ) g, at first b ← g        if μ ≠ 0
 *     w ← w − η b                                (Nesterov: w ← w − η (g + μ b); no momentum: w ← w − η g) */
typedef struct ag_sgd_options {
    size_t size;         /* set by ag_sgd_defaults */
    double lr;           /* η = 0.01 */
    double momentum;     /* μ = 0 */
    double dampening;    /* τ = 0 */
    double weight_decay; /* λ = 0 */
    bool nesterov;       /* false; needs μ > 0 and τ = 0 */
} ag_sgd_options;
AG_API ag_sgd_options ag_sgd_defaults(void);
AG_API ag_optimizer *ag_optim_sgd(ag_tape *tape, ag_tensor *const params[], int n, const ag_sgd_options *options);

/* Adam (Kingma, Ba 2015); decoupled: AdamW (Loshchilov, Hutter 2019).
 *     k ← k + 1;  g ← g + λ w                    (decoupled: w ← w − η λ w)
 *     m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²
 *     w ← w − η m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵏ),  v̂ = v / (1 − β₂ᵏ) */
typedef struct ag_adam_options {
    size_t size;         /* set by ag_adam_defaults */
    double lr;           /* η = 0.001 */
    double beta1, beta2; /* 0.9, 0.999 */
    double eps;          /* ε = 1e-8 */
    double weight_decay; /* λ = 0; with `decoupled`, 0.01 is usual */
    bool decoupled;      /* false */
} ag_adam_options;
AG_API ag_adam_options ag_adam_defaults(void);
AG_API ag_optimizer *ag_optim_adam(ag_tape *tape, ag_tensor *const params[], int n, const ag_adam_options *options);

/* Changes every parameter that has a gradient (ag_has_grad) and is not frozen. Does nothing while the tape has an
 * error. */
AG_API bool ag_optim_step(ag_optimizer *o);
AG_API bool ag_optim_zero_grad(ag_optimizer *o);
AG_API bool ag_optim_set_lr(ag_optimizer *o, double lr);
AG_API double ag_optim_lr(const ag_optimizer *o); /* NaN for NULL */

/* The state, to save or to look at: entry 0 is the learning rate "lr", the others are named after their parameter:
 * "0.weight.momentum", "0.weight.step". NULL past the end. */
AG_API int ag_optim_state_count(const ag_optimizer *o);
AG_API ag_tensor *ag_optim_state(const ag_optimizer *o, int i);

/* An optimizer of one's own is an operation of one's own (autograd/op.h), flagged AG_EFFECT and AG_FLAT, with the
 * inputs (w, g, η, state …). It writes input 0 and the states. */
typedef struct ag_optim_slot {
    const char *name; /* "momentum" */
    bool like_weight; /* true: of w's dtype and shape; false: one f64 number. Zeros at first */
} ag_optim_slot;
AG_API ag_optimizer *ag_optim_new(ag_tape *tape, ag_tensor *const params[], int n, double lr, const ag_op *step,
                                  const void *attrs, const ag_optim_slot *slots, int slot_count);

#ifdef __cplusplus
}
#endif
#endif
