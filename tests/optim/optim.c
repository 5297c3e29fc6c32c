/* Optimizers against their definitions, written out one number at a time in double precision. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "check.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

enum { N = 7, STEPS = 25 };

static const double target[N] = {0.5, -1, 2, 0, 3, -0.25, 1};
static const double start[N] = {-1, 2, 0.75, 1.5, -2, 0.1, 4};

/* loss = Σ (k + 1) (w_k − target_k)², so ∂loss/∂w_k = 2 (k + 1) (w_k − target_k) */
static double slope(int k, double w) { return 2 * (k + 1) * (w - target[k]); }

static ag_tensor *leaf_of(ag_tape *t, ag_dtype dtype, const double *values, unsigned flags) {
    ag_tensor *x = ag_leaf(t, dtype, NULL, AG_SHAPE(N), flags);
    for (int i = 0; i < N; i++) {
        if (dtype == AG_F32) ((float *)ag_mutable(x))[i] = (float)values[i];
        else ((double *)ag_mutable(x))[i] = values[i];
    }
    return x;
}

static ag_tensor *loss_of(ag_tensor *w) {
    ag_tape *t = ag_tape_of(w);
    static const double weight[N] = {1, 2, 3, 4, 5, 6, 7};
    ag_tensor *d = ag_sub(w, leaf_of(t, ag_dtype_of(w), target, 0));
    return ag_sum(ag_mul(leaf_of(t, ag_dtype_of(w), weight, 0), ag_square(d)), AG_ALL, false);
}

/* The definitions */

typedef struct state { /* of one number */
    double w, b, m, v;
    int k;
} state;

static void sgd_reference(state *s, double g, const ag_sgd_options *o) {
    g += o->weight_decay * s->w;
    if (o->momentum != 0) {
        s->b = s->k++ ? o->momentum * s->b + (1 - o->dampening) * g : g;
        g = o->nesterov ? g + o->momentum * s->b : s->b;
    }
    s->w -= o->lr * g;
}

static void adam_reference(state *s, double g, const ag_adam_options *o) {
    s->k++;
    if (o->decoupled) s->w -= o->lr * o->weight_decay * s->w;
    else g += o->weight_decay * s->w;
    s->m = o->beta1 * s->m + (1 - o->beta1) * g;
    s->v = o->beta2 * s->v + (1 - o->beta2) * g * g;
    s->w -= o->lr * (s->m / (1 - pow(o->beta1, s->k))) / (sqrt(s->v / (1 - pow(o->beta2, s->k))) + o->eps);
}

typedef struct trial {
    const char *name;
    bool adam;
    ag_sgd_options sgd;
    ag_adam_options a;
} trial;

static void run_trial(const trial *c, ag_dtype dtype) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = leaf_of(t, dtype, start, AG_REQUIRES_GRAD);
    ag_optimizer *o = c->adam ? ag_optim_adam(t, &w, 1, &c->a) : ag_optim_sgd(t, &w, 1, &c->sgd);
    state s[N] = {{0}};
    for (int i = 0; i < N; i++) s[i].w = ag_at(w, i);
    ag_mark here = ag_tape_mark(t);
    for (int k = 0; k < STEPS; k++) {
        cr_assert(ag_optim_zero_grad(o) && ag_backward(loss_of(w)) && ag_optim_step(o), "%s: %s", c->name,
                  ag_tape_message(t));
        ag_tape_rewind(t, here);
        for (int i = 0; i < N; i++) {
            double g = slope(i, s[i].w);
            char text[CHECK_TEXT];
            if (c->adam) adam_reference(&s[i], g, &c->a);
            else sgd_reference(&s[i], g, &c->sgd);
            bool close = check_close(ag_at(w, i), s[i].w, dtype == AG_F64 ? 1e-12 : 2e-5, text);
            cr_assert(close, "%s, %s, step %d, element %d: %s", c->name, ag_dtype_name(dtype), k + 1, i, text);
        }
    }
    ag_tape_free(t);
}

#define SGD(...) .sgd = {.size = sizeof(ag_sgd_options), .lr = 0.01, __VA_ARGS__}
#define ADAM(...) \
    .adam = true, .a = {sizeof(ag_adam_options), .lr = 0.05, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, __VA_ARGS__}

Test(optim, follow_their_definitions) {
    const trial trials[] = {
        {"sgd", SGD(.weight_decay = 0)},
        {"sgd, weight decay", SGD(.weight_decay = 0.1)},
        {"momentum", SGD(.momentum = 0.9)},
        {"momentum, dampening", SGD(.momentum = 0.9, .dampening = 0.3)},
        {"momentum, weight decay", SGD(.momentum = 0.5, .weight_decay = 0.1)},
        {"nesterov", SGD(.momentum = 0.9, .nesterov = true, .weight_decay = 0.01)},
        {"adam", ADAM(.decoupled = false)},
        {"adam, weight decay", ADAM(.weight_decay = 0.1)},
        {"adamw", ADAM(.weight_decay = 0.1, .decoupled = true)},
    };
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        run_trial(&trials[i], AG_F32);
        run_trial(&trials[i], AG_F64);
    }
    trial zeros = {"adam, β₁ = β₂ = 0", ADAM(.decoupled = false)};
    zeros.a.beta1 = zeros.a.beta2 = 0;
    run_trial(&zeros, AG_F64);
}

/* Closed forms */

Test(optim, sgd_contracts_geometrically) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = leaf_of(t, AG_F64, start, AG_REQUIRES_GRAD);
    ag_optimizer *o = ag_optim_sgd(t, &w, 1, NULL);
    assert_close(ag_optim_lr(o), 0.01, 0);
    for (int k = 0; k < 50; k++) cr_assert(ag_optim_zero_grad(o) && ag_backward(loss_of(w)) && ag_optim_step(o));
    for (int i = 0; i < N; i++)
        assert_close(ag_at(w, i), target[i] + pow(1 - 0.02 * (i + 1), 50) * (start[i] - target[i]), 1e-12);
    ag_tape_free(t);
}

/* Where the gradient is constant, m̂ = g and v̂ = g² exactly, so every step of Adam has length η. */
Test(optim, adam_walks_evenly_on_a_slope) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = leaf_of(t, AG_F64, start, AG_REQUIRES_GRAD);
    ag_optimizer *o = ag_optim_adam(t, &w, 1, NULL);
    assert_close(ag_optim_lr(o), 0.001, 0);
    for (int k = 0; k < 40; k++) {
        cr_assert(ag_optim_zero_grad(o) && ag_backward(ag_sum(ag_scale(w, -3), AG_ALL, false)) && ag_optim_step(o));
    }
    for (int i = 0; i < N; i++) assert_close(ag_at(w, i), start[i] + 40 * 0.001 * 3 / (3 + 1e-8), 1e-13);
    ag_tape_free(t);
}

/* Large parameters, in pieces and in parallel */

Test(optim, pieces_make_a_whole) {
    enum { LARGE = 3 * (1 << 14) + 5 };
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_nn_normal(ag_param(t, AG_F32, AG_SHAPE(LARGE)), 0, 1), *one = ag_param(t, AG_F32, AG_SHAPE(1));
    ag_tensor *params[] = {w, one};
    ag_optimizer *o = ag_optim_adam(t, params, 2, NULL);
    static const int at[] = {0, 1, (1 << 14) - 1, 1 << 14, LARGE - 1};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        /* the same number trained alone moves in the same way */
        float value = (float)ag_at(w, at[i]);
        ag_write(one, &value);
        ag_optim_zero_grad(o);
        cr_assert(ag_backward(ag_add(ag_sum(ag_square(w), AG_ALL, false), ag_sum(ag_square(one), AG_ALL, false))));
        ag_tensor *fresh[] = {w, one};
        cr_assert(ag_optim_step(ag_optim_adam(t, fresh, 2, NULL)));
        assert_ulps_f32((float)ag_at(w, at[i]), (float)ag_item(one), 0);
    }
    ag_tape_free(t);
}

/* Which parameters move */

Test(optim, only_parameters_with_a_gradient_move) {
    ag_tape *t = ag_tape_new();
    ag_tensor *params[] = {leaf_of(t, AG_F32, start, AG_REQUIRES_GRAD), leaf_of(t, AG_F32, start, AG_REQUIRES_GRAD)};
    ag_set_name(params[0], "w");
    ag_optimizer *o = ag_optim_adam(t, params, 2, NULL);
    cr_assert(ag_optim_step(o), "before any backward pass a step does nothing");
    assert_near(params[0], params[1], 0);
    cr_assert(ag_backward(loss_of(params[0])) && ag_optim_step(o));
    cr_assert_neq(ag_at(params[0], 0), start[0]);
    cr_assert_eq(ag_at(params[1], 0), start[0]);

    cr_assert_eq(ag_optim_state_count(o), 7);
    static const char *const name[] = {"lr", "w.m", "w.v", "w.step", "1.m", "1.v", "1.step"};
    for (int i = 0; i < 7; i++) cr_assert_str_eq(ag_name(ag_optim_state(o, i)), name[i]);
    assert_close(ag_item(ag_optim_state(o, 3)), 1, 0);
    assert_close(ag_item(ag_optim_state(o, 6)), 0, 0);
    cr_assert_null(ag_optim_state(o, 7));
    cr_assert_null(ag_optim_state(o, -1));

    double moved = ag_at(params[0], 0);
    ag_set_requires_grad(params[0], false);
    cr_assert(ag_optim_step(o));
    assert_close(ag_at(params[0], 0), moved, 0);
    ag_set_requires_grad(params[0], true);
    cr_assert(ag_optim_zero_grad(o));
    cr_assert_not(ag_has_grad(params[0]));
    cr_assert(ag_optim_step(o));
    assert_close(ag_at(params[0], 0), moved, 0);
    ag_tape_free(t);
}

Test(optim, the_learning_rate_is_a_leaf) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = leaf_of(t, AG_F64, start, AG_REQUIRES_GRAD);
    ag_optimizer *o = ag_optim_sgd(t, &w, 1, NULL);
    cr_assert(ag_optim_set_lr(o, 0.5));
    assert_close(ag_optim_lr(o), 0.5, 0);
    assert_close(ag_item(ag_optim_state(o, 0)), 0.5, 0);
    cr_assert(ag_backward(ag_sum(w, AG_ALL, false)) && ag_optim_step(o));
    assert_close(ag_at(w, 0), start[0] - 0.5, 1e-15);
    cr_assert_not(ag_optim_set_lr(o, -1));
    assert_error(t, AG_ERR_ARGUMENT, "lr is -1; it should be at least 0");
    cr_assert_not(ag_optim_set_lr(o, (double)NAN));
    assert_error(t, AG_ERR_ARGUMENT, "lr is nan");
    assert_close(ag_optim_lr(o), 0.5, 0);
    ag_tape_free(t);
}

Test(optim, nothing_moves_while_there_is_an_error) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = leaf_of(t, AG_F32, start, AG_REQUIRES_GRAD);
    ag_optimizer *o = ag_optim_sgd(t, &w, 1, NULL);
    cr_assert(ag_backward(loss_of(w)));
    ag_matmul(w, ag_leaf(t, AG_F32, NULL, AG_SHAPE(2, 2), 0));
    cr_assert_not(ag_optim_step(o));
    cr_assert_not(ag_optim_zero_grad(o));
    assert_error(t, AG_ERR_SHAPE, "matmul");
    assert_close(ag_at(w, 0), start[0], 0);
    cr_assert(ag_optim_step(o), "and after ag_tape_clear it moves");
    cr_assert_neq(ag_at(w, 0), start[0]);
    ag_tape_free(t);
}

Test(optim, a_step_makes_earlier_graphs_stale) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_set_name(leaf_of(t, AG_F32, start, AG_REQUIRES_GRAD), "w"), *loss = loss_of(w);
    ag_optimizer *o = ag_optim_sgd(t, &w, 1, NULL);
    cr_assert(ag_backward(loss) && ag_optim_step(o));
    cr_assert_not(ag_backward(loss));
    assert_error(t, AG_ERR_STATE, "w");
    ag_tape_free(t);
}

Test(optim, replay_and_clone_leave_steps_out) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = leaf_of(t, AG_F32, start, AG_REQUIRES_GRAD), *loss = loss_of(w), *copy = NULL;
    ag_optimizer *o = ag_optim_adam(t, &w, 1, NULL);
    cr_assert(ag_backward(loss) && ag_optim_step(o));
    double moved = ag_at(w, 0);
    cr_assert(ag_replay(t));
    assert_close(ag_at(w, 0), moved, 0);
    cr_assert(ag_clone(other, &loss, 1, AG_F64, 0, &copy));
    for (int64_t i = 0; i < ag_tape_size(other); i++)
        cr_assert_str_neq(ag_op_name(ag_tape_node(other, i)), "adam_step");
    ag_tape_free(other);
    ag_tape_free(t);
}

Test(optim, made_after_a_mark_survives_the_rewind) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = leaf_of(t, AG_F64, start, AG_REQUIRES_GRAD);
    ag_mark here = ag_tape_mark(t);
    ag_sgd_options s = ag_sgd_defaults();
    s.momentum = 0.5;
    ag_optimizer *o = ag_optim_sgd(t, &w, 1, &s);
    for (int k = 0; k < 3; k++) {
        cr_assert(ag_optim_zero_grad(o) && ag_backward(ag_sum(w, AG_ALL, false)) && ag_optim_step(o));
        cr_assert(ag_tape_rewind(t, here));
    }
    assert_close(ag_at(w, 0), start[0] - 0.01 * (1 + 1.5 + 1.75), 1e-15);
    assert_close(ag_item(ag_optim_state(o, 2)), 3, 0);
    ag_tape_free(t);
}

/* By name, and one's own */

Test(optim, steps_are_operations_known_by_name) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_from_f32(t, (const float[]){1, 2, 3, 4}, AG_SHAPE(2, 2)),
              *g = ag_from_f32(t, (const float[]){1, 0, 2, 0}, AG_SHAPE(2, 2));
    ag_tensor *lr = ag_from_f64(t, (const double[]){0.5}, AG_SHAPE());
    ag_tensor *y = ag_call(t, "sgd_step", (ag_tensor *[]){w, ag_transpose(g, 0, 1), lr}, 3, "weight_decay=1");
    assert_values(y, 1e-7, 0, 0, 1.5, 2);
    assert_values(w, 1e-7, 0, 0, 1.5, 2);
    cr_assert_null(ag_call(t, "sgd_step", (ag_tensor *[]){w, ag_exp(lr), lr}, 3, ""));
    assert_error(t, AG_ERR_DTYPE, "sgd_step");
    cr_assert_null(ag_call(t, "sgd_step", (ag_tensor *[]){w, ag_exp(ag_reshape(g, AG_SHAPE(4))), lr}, 3, ""));
    assert_error(t, AG_ERR_SHAPE, "sgd_step");
    cr_assert_null(ag_call(t, "sgd_step", (ag_tensor *[]){w, g, g}, 3, ""));
    assert_error(t, AG_ERR_SHAPE, "input 2 is one number, not (2,2)");
    cr_assert_null(ag_call(t, "sgd_step", (ag_tensor *[]){ag_exp(w), g, lr}, 3, ""));
    assert_error(t, AG_ERR_ARGUMENT, "persistent leaf");

    ag_tensor *b = ag_from_f32(t, (const float[]){9, 9, 9, 9}, AG_SHAPE(2, 2)),
              *k = ag_from_f64(t, (const double[]){0}, AG_SHAPE());
    ag_tensor *in[] = {w, g, lr, b, k};
    assert_values(ag_call(t, "momentum_step", in, 5, "momentum=0.5"), 1e-7, -0.5, 0, 0.5, 2);
    assert_values(b, 0, 1, 0, 2, 0); /* at k = 0, b ← g whatever it was */
    assert_values(ag_call(t, "momentum_step", in, 5, "momentum=0.5"), 1e-7, -1.25, 0, -1, 2);
    assert_values(k, 0, 2);
    static const char *const names[] = {"sgd_step", "momentum_step", "adam_step"};
    for (int i = 0; i < 3; i++) cr_assert_not_null(ag_find_op(names[i]));
    ag_tape_free(t);
}

/* Sign descent: w ← w − η sign(g) */
static bool sign_shape(ag_tensor *y) { return ag_out_view(y, ag_shape_of(ag_in(y, 0)), NULL, 0); }

static bool sign_run(ag_tensor *y) {
    double *w = ag_op_write(y, 0);
    for (int64_t i = 0; i < ag_size(y); i++) w[i] -= ag_item(ag_in(y, 2)) * copysign(1, ag_at(ag_in(y, 1), i));
    *(double *)ag_op_write(y, 3) += 1;
    return true;
}

static const ag_op sign_step = {.size = sizeof(ag_op),
                                .name = "sign_step",
                                .arity = 4,
                                .flags = AG_EFFECT | AG_FLAT | AG_VIEW,
                                .writes = 1 | 8,
                                .shape = sign_shape,
                                .run = sign_run};

Test(optim, one_of_ones_own) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = leaf_of(t, AG_F64, start, AG_REQUIRES_GRAD);
    ag_optimizer *o = ag_optim_new(t, &w, 1, 0.125, &sign_step, NULL, &(ag_optim_slot){"step", false}, 1);
    cr_assert(ag_backward(loss_of(w)) && ag_optim_step(o));
    for (int i = 0; i < N; i++) assert_close(ag_at(w, i), start[i] + (start[i] < target[i] ? 0.125 : -0.125), 1e-15);
    assert_close(ag_item(ag_optim_state(o, 1)), 1, 0);
    ag_tape_free(t);
}

/* What is refused */

Test(optim, parameters_refused) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = ag_set_name(leaf_of(t, AG_F32, start, AG_REQUIRES_GRAD), "w");
    struct {
        ag_tensor *params[2];
        int n;
        ag_status status;
        const char *message;
    } rows[] = {
        {{w}, 0, AG_ERR_ARGUMENT, "there are no parameters"},
        {{w, NULL}, 2, AG_ERR_ARGUMENT, "parameter 1 is NULL"},
        {{w, w}, 2, AG_ERR_ARGUMENT, "parameters 0 and 1 are the same, w (7)"},
        {{ag_exp(w)}, 1, AG_ERR_ARGUMENT, "is not a persistent leaf"},
        {{ag_buffer(t, AG_I64, AG_SHAPE(2))}, 1, AG_ERR_DTYPE, "is i64, not f32 or f64"},
        {{leaf_of(other, AG_F32, start, 0)}, 1, AG_ERR_ARGUMENT, "is on another tape"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_null(ag_optim_sgd(t, rows[i].params, rows[i].n, NULL), "row %zu", i);
        assert_error(t, rows[i].status, rows[i].message);
        cr_assert_null(ag_optim_adam(t, rows[i].params, rows[i].n, NULL), "row %zu", i);
        assert_error(t, rows[i].status, rows[i].message);
    }
    cr_assert_null(ag_optim_sgd(t, NULL, 1, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "there are no parameters");
    cr_assert_null(ag_optim_sgd(NULL, &w, 1, NULL));
    cr_assert_not(ag_optim_step(NULL));
    cr_assert_not(ag_optim_zero_grad(NULL));
    cr_assert(isnan(ag_optim_lr(NULL)));
    cr_assert_eq(ag_optim_state_count(NULL), 0);
    assert_ok(t);
    ag_tape_free(other);
    ag_tape_free(t);
}

Test(optim, options_refused) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = leaf_of(t, AG_F32, start, AG_REQUIRES_GRAD);
    const struct {
        ag_sgd_options o;
        const char *message;
    } sgd[] = {
        {{0}, "size 0"},
        {{sizeof(ag_sgd_options), .lr = -0.1}, "lr is -0.1"},
        {{sizeof(ag_sgd_options), .lr = (double)NAN}, "lr is nan"},
        {{sizeof(ag_sgd_options), .momentum = -1}, "momentum is -1"},
        {{sizeof(ag_sgd_options), .weight_decay = -1}, "weight_decay is -1"},
        {{sizeof(ag_sgd_options), .nesterov = true}, "momentum is 0; it should be above 0 for nesterov"},
        {{sizeof(ag_sgd_options), .momentum = 0.5, .dampening = 0.5, .nesterov = true}, "dampening is 0.5"},
    };
    for (size_t i = 0; i < sizeof sgd / sizeof *sgd; i++) {
        cr_assert_null(ag_optim_sgd(t, &w, 1, &sgd[i].o), "row %zu", i);
        assert_error(t, AG_ERR_ARGUMENT, sgd[i].message);
    }
    const struct {
        ag_adam_options o;
        const char *message;
    } adam[] = {
        {{0}, "size 0"},
        {{sizeof(ag_adam_options), .beta1 = 1}, "beta1 is 1; it should be in [0, 1)"},
        {{sizeof(ag_adam_options), .beta2 = -0.5}, "beta2 is -0.5"},
        {{sizeof(ag_adam_options), .eps = -1}, "eps is -1"},
        {{sizeof(ag_adam_options), .weight_decay = (double)NAN}, "weight_decay is nan"},
    };
    for (size_t i = 0; i < sizeof adam / sizeof *adam; i++) {
        cr_assert_null(ag_optim_adam(t, &w, 1, &adam[i].o), "row %zu", i);
        assert_error(t, AG_ERR_ARGUMENT, adam[i].message);
    }
    ag_sgd_options older = ag_sgd_defaults(); /* a program that knew only the first two fields */
    older.size = offsetof(ag_sgd_options, momentum);
    older.lr = 0.25;
    older.momentum = -1;
    ag_optimizer *o = ag_optim_sgd(t, &w, 1, &older);
    assert_close(ag_optim_lr(o), 0.25, 0);
    ag_tape_free(t);
}
