/* dot_back.c: a graph and the graph of its backward pass in one picture.
 *
 *     y ── clone ──▶ y' ── ag_gradients ──▶ ∂w', ∂b'        on a tape aside, the latter in scope "backward"
 *
 * What is drawn is the copy, so the graph itself stays as it is. The rules record calls of public ops, which are nodes
 * like any others. */
#include "autograd/dot.h"

static bool parameter(const ag_tensor *x) { return ag_is_leaf(x) && x->flags & AG__GRAD && ag__is_float(x->dtype); }

/* Leaves that persist are not among the nodes of a tape in order, but every leaf is somebody's input. List NULL:
 * counts. */
static int parameters(ag_tape *t, ag_tensor **list) {
    int n = 0;
    for (int64_t i = 0; i < ag_tape_size(t); i++) {
        ag_tensor *y = ag_tape_node(t, i);
        for (int k = 0; k < ag_input_count(y); k++) {
            ag_tensor *x = ag_input(y, k);
            if (!parameter(x) || x->slot) continue;
            x->slot = x; /* listed */
            if (list) list[n] = x;
            n++;
        }
    }
    for (int64_t i = 0; i < ag_tape_size(t); i++) {
        ag_tensor *y = ag_tape_node(t, i);
        for (int k = 0; k < ag_input_count(y); k++) ag_input(y, k)->slot = NULL;
    }
    return n;
}

/* "∂w", unless the rules made none of their own for it. */
static void name(ag_tensor *d, const ag_tensor *x, int64_t back) {
    char text[200];
    if (ag_index(d) < back || *ag_name(d)) return;
    snprintf(text, sizeof text, "∂%s", *ag_name(x) ? ag_name(x) : "parameter");
    ag_set_name(d, text);
}

static bool draw(FILE *out, ag_tape *aside, ag_tensor *y, const ag_dot_options *options) {
    ag_tensor *copy;
    if (!ag_clone(aside, &y, 1, AG_DTYPE_COUNT, 0, &copy)) return false;
    if (!ag_requires_grad(copy) || ag_is_leaf(copy)) {
        return ag__fail(aside, AG_ERR_STATE,
                        "dot: there is no backward pass to draw: y does not depend "
                        "on a leaf that "
                        "requires a gradient") != NULL;
    }
    int64_t back = ag_tape_size(aside);
    int n = parameters(aside, NULL);
    ag_tensor **roots = ag_tape_alloc(aside, (2 * (size_t)n + 1) * sizeof *roots), **xs = roots ? roots + n + 1 : NULL;
    if (!roots) return false;
    roots[0] = copy;
    parameters(aside, xs);
    ag_scope_push(aside, "backward");
    int scope = aside->scope;
    bool done = ag_gradients(&copy, NULL, 1, xs, n, roots + 1);
    ag_scope_pop(aside);
    for (int i = 0; i < n && done; i++) name(roots[i + 1], xs[i], back);
    return done && ag__dot_graphs(out, roots, n + 1, back, scope, options);
}

bool ag__dot_backward(FILE *out, ag_tensor *y, const ag_dot_options *options) {
    ag_tape *aside = ag_tape_new();
    if (!aside) return ag__fail(y->tape, AG_ERR_MEMORY, "dot: %s", ag_last_message()) != NULL;
    bool done = draw(out, aside, y, options);
    if (!done && ag_tape_status(aside)) ag__fail(y->tape, ag_tape_status(aside), "%s", ag_tape_message(aside));
    ag_tape_free(aside);
    return done;
}
