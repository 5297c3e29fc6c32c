/* 01_scalar.c: one neuron, one number at a time.
 *
 *     y = tanh(w1 x1 + w2 x2 + b)        loss = (y − target)²
 *
 * Forward: every operation computes its value at once and leaves a node behind. Backward: from the last node to the
 * first, each gives its inputs their share of the gradient. That is the chain rule,
 *
 *     ∂loss/∂input  +=  ∂loss/∂result · ∂result/∂input,
 *
 * here done by hand over the recorded nodes, then by ag_backward, then as a difference quotient: three times the
 * same. */
#include <math.h>
#include <string.h>

#include "autograd/autograd.h"
#include "ops/ops.h"
#include "show.h"

enum { LEAVES = 6, MOST = 32 };

/* The graph */

static const struct {
    const char *name;
    double value;
} start[LEAVES] = {{"w1", -0.6}, {"x1", 2.0}, {"w2", 0.8}, {"x2", 0.5}, {"b", 0.9}, {"target", 0.7}};

typedef struct graph {
    ag_tape *tape;
    ag_tensor *leaf[LEAVES];
    ag_tensor *loss;
} graph;

static graph build(void) {
    graph g = {.tape = ag_tape_new()};
    for (int i = 0; i < LEAVES; i++) {
        g.leaf[i] = ag_leaf(g.tape, AG_F64, &start[i].value, AG_SHAPE(), AG_REQUIRES_GRAD);
        ag_set_name(g.leaf[i], start[i].name);
    }
    ag_tensor *p1 = ag_set_name(ag_mul(g.leaf[0], g.leaf[1]), "p1");
    ag_tensor *p2 = ag_set_name(ag_mul(g.leaf[2], g.leaf[3]), "p2");
    ag_tensor *sum = ag_set_name(ag_add(p1, p2), "sum");
    ag_tensor *z = ag_set_name(ag_add(sum, g.leaf[4]), "z");
    ag_tensor *y = ag_set_name(ag_tanh(z), "y");
    ag_tensor *d = ag_set_name(ag_sub(y, g.leaf[5]), "d");
    g.loss = ag_set_name(ag_mul(d, d), "loss"); /* d goes in twice, so it gets two shares */
    return g;
}

/* Forward, as the tape recorded it */

static void show_forward(const graph *g) {
    SAY("Forward: each operation computes its value at once.\n\n");
    for (int i = 0; i < LEAVES; i++) SAY("    %-6s = %8.4f\n", ag_name(g->leaf[i]), ag_item(g->leaf[i]));
    for (int64_t i = 0; i < ag_tape_size(g->tape); i++) {
        const ag_tensor *y = ag_tape_node(g->tape, i);
        SAY("    %-6s = %8.4f     %s(%s%s%s)\n", ag_name(y), ag_item(y), ag_op_name(y), ag_name(ag_input(y, 0)),
            ag_input_count(y) > 1 ? ", " : "", ag_name(ag_input(y, 1)));
    }
}

/* Backward, by hand */

typedef struct share { /* the gradient that has arrived at x */
    const ag_tensor *x;
    double gradient;
} share;

static double *gradient_of(share table[MOST], const ag_tensor *x) {
    int i = 0;
    while (table[i].x && table[i].x != x) i++;
    table[i].x = x;
    return &table[i].gradient;
}

typedef struct slope {
    const char *formula;
    double value;
} slope;

/* ∂y/∂input(i) */
static slope local(const ag_tensor *y, int i) {
    const char *op = ag_op_name(y);
    const ag_tensor *other = ag_input(y, 1 - i);
    if (!strcmp(op, "mul")) return (slope){ag_name(other), ag_item(other)};
    if (!strcmp(op, "tanh")) return (slope){"1 − y²", 1 - ag_item(y) * ag_item(y)};
    if (!strcmp(op, "sub") && i == 1) return (slope){"−1", -1};
    return (slope){"1", 1}; /* add, and what sub subtracts from */
}

static void chain_rule(const graph *g, share table[MOST]) {
    SAY("\nBackward: from the last node to the first, each hands its gradient on.\n\n");
    *gradient_of(table, g->loss) = 1;
    SAY("    ∂loss/∂%-6s  = 1\n", "loss");
    for (int64_t n = ag_tape_size(g->tape); n-- > 0;) {
        const ag_tensor *y = ag_tape_node(g->tape, n);
        double arrived = *gradient_of(table, y);
        for (int i = 0; i < ag_input_count(y); i++) {
            const ag_tensor *x = ag_input(y, i);
            slope s = local(y, i);
            *gradient_of(table, x) += arrived * s.value;
            SAY("    ∂loss/∂%-6s += ∂loss/∂%-4s · %-*s = %8.4f · %7.4f = %8.4f\n", ag_name(x), ag_name(y),
                width(s.formula, 6), s.formula, arrived, s.value, arrived * s.value);
        }
    }
}

/* The same by difference quotient: shift a leaf, run the recorded nodes again */

static double loss_at(const graph *g, int leaf, double value) {
    ag_write(g->leaf[leaf], &value);
    ag_replay(g->tape);
    return ag_item(g->loss);
}

static double quotient(const graph *g, int leaf) {
    double x = start[leaf].value, h = 1e-5;
    double rise = loss_at(g, leaf, x + h) - loss_at(g, leaf, x - h);
    loss_at(g, leaf, x);
    return rise / (2 * h);
}

/* The largest difference between the three. */
static double compare(const graph *g, share table[MOST]) {
    double worst = 0;
    SAY("\n              chain rule    ag_backward    difference quotient\n");
    for (int i = 0; i < LEAVES; i++) {
        double hand = *gradient_of(table, g->leaf[i]), engine = ag_item(ag_grad(g->leaf[i])), numeric = quotient(g, i);
        SAY("    %-6s    %10.7f     %10.7f             %10.7f\n", start[i].name, hand, engine, numeric);
        worst = fmax(worst, fmax(fabs(hand - engine), fabs(hand - numeric)));
    }
    return worst;
}

/* One step downhill for what the neuron may change. Returns the loss after it. */
static double descend(const graph *g) {
    double before = ag_item(g->loss), after = before;
    for (int i = 0; i < LEAVES; i++) {
        bool is_weight = start[i].name[0] == 'w' || start[i].name[0] == 'b';
        if (is_weight) after = loss_at(g, i, start[i].value - 0.1 * ag_item(ag_grad(g->leaf[i])));
    }
    SAY("\nOne step downhill, w ← w − 0.1 ∂loss/∂w: the loss goes from %.4f to %.4f.\n", before, after);
    return after;
}

int main(int argc, char **argv) {
    int code = options(argc, argv, "Steps through the graph of one neuron and draws it.", true);
    if (code >= 0) return code;
    graph g = build();
    share table[MOST] = {{0}};
    double worst = 1, before = ag_item(g.loss), after = before;
    ag_tape_retain_grads(g.tape, true); /* keep the gradients of inner nodes too, for the picture */
    if (ag_backward(g.loss)) {
        show_forward(&g);
        chain_rule(&g, table);
        worst = compare(&g, table);
        if (!quiet || picture) draw(g.loss, picture ? picture : "scalar.svg");
        after = descend(&g);
    }
    return finish(g.tape, "01_scalar", worst < 1e-8 && after < before,
                  "three ways to the gradient differ by %.1e at most", worst);
}
