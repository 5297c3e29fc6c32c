/* gradcheck_soak.c: the gradient checker on random trained networks: what it finds where nothing is wrong, and what it misses
 * where one rule is.
 *
 *     build/release/tools/check/gradcheck_soak [NETS [SEED]]
 *
 * Each net has one hidden layer, trained until the loss is anything between large and next to nothing, and its loss is
 * multiplied by 1e-8, 1e-4, 1, 1e4 or 1e8. It is checked whole and node by node, in both orders and in all modes; then again
 * with the gradient of its activation scaled by 1 + 1e-2, 1e-3 and 1e-4, which must fail wherever that changes the gradient of
 * a parameter at all. Exit code 1: something to look at. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

enum { MODES = 4, PARAMETERS = 4, FAULTS = 3 };
enum { SCALES = 5 };
static const double scales[SCALES] = {1e-8, 1e-4, 1, 1e4, 1e8};
static const char *const mode_name[MODES] = {"auto", "elements", "samples", "direction"};

typedef struct net {
    ag_tape *t;
    const ag_op *activation;
    ag_tensor *x, *target, *p[PARAMETERS]; /* w0, b0, w1, b1 */
    double scale;                          /* of the loss */
} net;

static uint64_t state;
static unsigned draw(unsigned n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static net make(uint64_t seed) {
    static const char *const activation[] = {"tanh", "sigmoid", "gelu", "relu", "sin"};
    net n = {.t = ag_tape_new()};
    state = seed * 0x9E3779B97F4A7C15u + 1;
    int64_t rows = 2 + draw(12), in = 1 + draw(4), hidden = 2 + draw(6), out = 2 + draw(3);
    ag_seed(n.t, seed);
    n.activation = ag_find_op(activation[draw(5)]);
    n.x = ag_nn_uniform(ag_leaf(n.t, AG_F32, NULL, AG_SHAPE(rows, in), 0), -2, 2);
    const ag_shape shape[PARAMETERS] = {AG_SHAPE(in, hidden), AG_SHAPE(hidden), AG_SHAPE(hidden, out), AG_SHAPE(out)};
    for (int i = 0; i < PARAMETERS; i++) n.p[i] = ag_nn_uniform(ag_param(n.t, AG_F32, shape[i]), -0.8, 0.8);
    if (draw(2)) {
        n.target = ag_nn_uniform(ag_leaf(n.t, AG_F32, NULL, AG_SHAPE(rows, out), 0), -1, 1);
        return n;
    }
    int64_t label[16];
    for (int64_t i = 0; i < rows; i++) label[i] = draw((unsigned)out);
    n.target = ag_from_i64(n.t, label, AG_SHAPE(rows));
    return n;
}

static ag_tensor *loss_of(const net *n, const ag_op *activation) {
    ag_tensor *h = ag_add(ag_matmul(n->x, n->p[0]), n->p[1]);
    h = activation->shape ? ag_apply(activation, &h, 1, NULL) : ag_call(n->t, activation->name, &h, 1, "");
    ag_tensor *y = ag_add(ag_matmul(h, n->p[2]), n->p[3]);
    return ag_dtype_of(n->target) == AG_I64 ? ag_cross_entropy(y, n->target) : ag_mse_loss(y, n->target);
}

/* The same, multiplied: what is checked. */
static ag_tensor *scaled_loss(const net *n, const ag_op *activation) {
    ag_tensor *loss = loss_of(n, activation);
    return n->scale == 1 ? loss : ag_scale(loss, n->scale);
}

static void train(const net *n, int steps) {
    ag_adam_options o = ag_adam_defaults();
    o.lr = 0.01 + 0.01 * draw(10);
    ag_optimizer *adam = ag_optim_adam(n->t, n->p, PARAMETERS, &o);
    ag_mark here = ag_tape_mark(n->t);
    for (int i = 0; i < steps; i++) {
        ag_optim_zero_grad(adam);
        if (!ag_backward(loss_of(n, n->activation))) return;
        ag_optim_step(adam);
        ag_tape_rewind(n->t, here);
    }
}

static const ag_op *original;
static double factor;
static bool scaled(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return original->grad(y, g, d) && (d[0] = ag_scale(d[0], factor)) != NULL;
}

static struct {
    long checks, alarms, faults[FAULTS][MODES], missed[FAULTS][MODES], missed_by_nodes[FAULTS][MODES];
} sum;

static void healthy(const net *n, uint64_t seed) {
    static char text[8192];
    ag_tensor *loss = scaled_loss(n, n->activation);
    if (!loss) return;
    for (int k = 0; k < 2 * MODES * 2; k++) {
        ag_check_options o = ag_check_defaults();
        ag_check_report r;
        o.order = 1 + k % 2;
        o.mode = (ag_check_mode)(k / 2 % MODES);
        bool nodes = k >= 2 * MODES;
        bool passed = nodes ? ag_gradcheck_nodes(loss, &o, &r) : ag_gradcheck(loss, NULL, 0, &o, &r);
        sum.checks++;
        if (passed) continue;
        sum.alarms++;
        printf("false alarm: net %llu, %s, loss %.3g x %.0e, order %d, by %s%s\n%s\n", (unsigned long long)seed,
               n->activation->name, ag_item(loss) / n->scale, n->scale, o.order, mode_name[o.mode],
               nodes ? ", nodes" : "", ag_check_text(&r, text, sizeof text));
    }
}

/* Does the gradient of the hidden layer's weights stand out of what a check of the whole may call equal? */
static bool matters(const net *n) {
    ag_tensor *loss = loss_of(n, n->activation), *g[2], *squares = NULL;
    if (!ag_gradients(&loss, NULL, 1, n->p, 2, g)) return false;
    for (int i = 0; i < 2; i++) {
        ag_tensor *s = ag_sum(ag_square(g[i]), ag_axes_list(NULL, 0), false);
        squares = squares ? ag_add(squares, s) : s;
    }
    return sqrt(ag_item(squares)) > 1e-4;
}

/* One direction may lie across a small fault, so that its share of the slope is within the tolerance; of three, one shows it. */
static bool passes(ag_tensor *loss, ag_check_options o) {
    enum { DIRECTIONS = 3 };
    bool good = true;
    for (o.seed = 0; o.seed < (o.mode == AG_CHECK_DIRECTIONAL ? DIRECTIONS : 1) && good; o.seed++)
        good = ag_gradcheck(loss, NULL, 0, &o, NULL);
    return good;
}

static void faulty(const net *n) {
    ag_op op = *n->activation;
    original = n->activation;
    if (!op.shape || !op.grad || !matters(n)) return;
    op.grad = scaled;
    for (int f = 0; f < FAULTS; f++) {
        factor = 1 + pow(0.1, 2 + f);
        ag_tensor *loss = scaled_loss(n, &op);
        for (int mode = 0; mode < MODES; mode++) {
            ag_check_options o = ag_check_defaults();
            o.mode = (ag_check_mode)mode;
            sum.faults[f][mode]++;
            sum.missed[f][mode] += passes(loss, o);
            sum.missed_by_nodes[f][mode] += ag_gradcheck_nodes(loss, &o, NULL);
        }
    }
}

int main(int argc, char **argv) {
    long nets = argc > 1 ? atol(argv[1]) : 200, missed = 0;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + (uint64_t)nets; seed++) {
        net n = make(seed);
        train(&n, (int)draw(seed % 4 ? 1500 : 12000)); /* some until next to nothing is left */
        for (int k = 0; k < SCALES; k++) {
            n.scale = scales[k];
            healthy(&n, seed);
            faulty(&n);
        }
        if (ag_tape_status(n.t)) printf("net %llu: %s\n", (unsigned long long)seed, ag_tape_message(n.t));
        ag_tape_free(n.t);
    }
    printf("%ld nets, %ld checks of them: %ld false alarms\n", nets, sum.checks, sum.alarms);
    for (int f = 0; f < FAULTS; f++) {
        for (int m = 0; m < MODES; m++) {
            printf("scaled by 1 + 1e-%d, by %-9s  %ld faults, missed by the whole %ld, by the nodes %ld\n", 2 + f,
                   mode_name[m], sum.faults[f][m], sum.missed[f][m], sum.missed_by_nodes[f][m]);
            missed += sum.missed[f][m] + sum.missed_by_nodes[f][m];
        }
    }
    return sum.alarms || missed;
}
