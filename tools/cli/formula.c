/* formula.c: from the tape to a tree, one node after another in the tape's order, each simplified as it is made. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algebra.h"
#include "autograd/op.h"
#include "formula.h"
#include "graph.h"
#include "ops/ops.h"

typedef struct writer {
    algebra a;
    const named *names;
    int n;
    int *id; /* by place on the tape; −1: none */
    size_t longest;
} writer;

/* Operations */

/* 1 or 0 when all elements of a condition are true or false, else −1 */
static int unanimous(const ag_tensor *c) {
    int64_t n = ag_size(c);
    int first = n ? ag_at(c, 0) != 0 : -1;
    for (int64_t i = 1; i < n; i++) {
        if ((ag_at(c, i) != 0) != first) return -1;
    }
    return first;
}

/* The value of attribute `name` in "name=value name=value" */
static bool attribute(const ag_tensor *x, const char *name, char *out, size_t size) {
    char all[1024];
    size_t n = strlen(name);
    ag_attr_text(x, all, sizeof all);
    for (const char *p = all; *p; p += strspn(p, " ")) {
        size_t end = strcspn(p, " ");
        if (!strncmp(p, name, n) && p[n] == '=' && end - n - 1 < size) {
            memcpy(out, p + n + 1, end - n - 1);
            out[end - n - 1] = '\0';
            return true;
        }
        p += end;
    }
    return false;
}

/* Does permute swap the last two axes and nothing else? */
static bool swaps_last(const ag_tensor *x) {
    char axes[64];
    int rank = ag_rank(x), i = 0;
    if (rank < 2 || !attribute(x, "axes", axes, sizeof axes)) return false;
    for (const char *p = axes; i < rank; i++) {
        p += strcspn(p, "-0123456789");
        int axis = (int)strtol(p, (char **)(uintptr_t)&p, 10), want = i < rank - 2 ? i : 2 * rank - 3 - i;
        if (axis != want && axis + rank != want) return false;
    }
    return true;
}

static double attribute_number(const ag_tensor *x, const char *name) {
    char typed[64];
    return attribute(x, name, typed, sizeof typed) ? strtod(typed, NULL) : (double)NAN;
}

static bool is_preset(const char *typed, const char *preset) {
    size_t n = strlen(typed), first = preset ? strcspn(preset, "|") : 0;
    if (!preset) return false;
    char *end[2];
    double a = strtod(typed, &end[0]), b = strtod(preset, &end[1]);
    if (end[0] > typed && !*end[0] && end[1] > preset && !*end[1] && a == b) return true; /* 1e-05 and 1e-5 */
    return (n == first && !strncmp(typed, preset, n)) ||
           (n > 2 && typed[0] == '(' && strlen(preset) == n - 2 && !strncmp(typed + 1, preset, n - 2));
}

/* name(inputs, attribute=value …), without attributes that have their defaults */
static int call(writer *w, const ag_tensor *x, const ag_op *op, const int *in, int n) {
    int argument[RULE_INPUTS + 32], count = 0;
    for (int i = 0; i < n && count < RULE_INPUTS; i++) argument[count++] = in[i];
    const ag_attr_field *f = op->attr_size ? op->attrs + !!(op->flags & AG_RANDOM) : NULL;
    for (; f && f->name && count < RULE_INPUTS + 32; f++) {
        char typed[256];
        if (!attribute(x, f->name, typed, sizeof typed) || is_preset(typed, f->preset)) continue;
        int word = algebra_name(&w->a, NODE_NAME, typed, NULL, 0);
        argument[count++] = algebra_name(&w->a, NODE_NAMED, f->name, &word, 1);
    }
    return algebra_name(&w->a, NODE_CALL, op->name, argument, count);
}

/* Operations that have a notation; −2: none */
static int notation(writer *w, const ag_tensor *x, const char *op, const int *in) {
    if (!strcmp(op, "neg")) return algebra_negated(&w->a, in[0]);
    if (!strcmp(op, "square")) return algebra_power(&w->a, in[0], algebra_number(&w->a, 2));
    if (!strcmp(op, "reciprocal")) return algebra_quotient(&w->a, algebra_number(&w->a, 1), in[0]);
    if (!strcmp(op, "scale"))
        return algebra_product(&w->a, algebra_number(&w->a, attribute_number(x, "factor")), in[0]);
    if (!strcmp(op, "add_scalar"))
        return algebra_total(&w->a, in[0], algebra_number(&w->a, attribute_number(x, "term")));
    if (!strcmp(op, "pow_scalar"))
        return algebra_power(&w->a, in[0], algebra_number(&w->a, attribute_number(x, "exponent")));
    if (!strcmp(op, "relu_grad"))
        return algebra_product(&w->a, in[0], algebra_binary(&w->a, SYMBOL_GT, in[1], algebra_number(&w->a, 0)));
    if (!strcmp(op, "alias") || !strcmp(op, "contiguous")) return in[0];
    if (!strcmp(op, "expand") && algebra_value(&w->a, in[0], &(double){0})) return in[0];
    if (!strcmp(op, "where") && unanimous(ag_input(x, 0)) >= 0) return in[unanimous(ag_input(x, 0)) ? 1 : 2];
    if (!strcmp(op, "permute") && swaps_last(x)) return algebra_node(&w->a, NODE_TRANSPOSE, in, 1);
    if (!strcmp(op, "transpose")) {
        double i = attribute_number(x, "axis0"), j = attribute_number(x, "axis1"), rank = ag_rank(x);
        i += i < 0 ? 0 : -rank;
        j += j < 0 ? 0 : -rank;
        if (fmin(i, j) == -2 && fmax(i, j) == -1) return algebra_node(&w->a, NODE_TRANSPOSE, in, 1);
    }
    return -2;
}

static int apply(writer *w, ag_tensor *x, const int *in, int n) {
    int output;
    const ag_tensor *made = formula_maker(x, &output);
    const ag_op *op = ag_op_of(made);
    if (!op) return -1;
    symbol s = n == 2 ? symbol_of_op(op->name) : SYMBOL_NONE;
    int id = s ? algebra_combine(&w->a, s, in[0], in[1]) : notation(w, made, op->name, in);
    if (id == -2) id = call(w, made, op, in, n - !!(op->flags & AG_RANDOM));
    if (ag_input_count(x) == 1 && made != x && id >= 0) { /* output i of several */
        int i = algebra_number(&w->a, output);
        id = algebra_node(&w->a, NODE_INDEX, (int[]){id, i}, 2);
    }
    return id;
}

static int leaf(writer *w, const ag_tensor *x) {
    if (!ag_is_leaf(x)) return -1;
    for (int64_t i = 1; i < ag_size(x); i++) {
        if (ag_at(x, i) != ag_at(x, 0)) return algebra_name(&w->a, NODE_NAME, "constant", NULL, 0);
    }
    return ag_size(x) ? algebra_number(&w->a, ag_at(x, 0)) : algebra_node(&w->a, NODE_LIST, NULL, 0);
}

static int known(writer *w, const ag_tensor *x) {
    for (int i = 0; i < w->n; i++) {
        if (w->names[i].x != x) continue;
        return strcmp(w->names[i].name, "1") ? algebra_name(&w->a, NODE_NAME, w->names[i].name, NULL, 0)
                                             : algebra_number(&w->a, 1);
    }
    return -1;
}

static int id_of(writer *w, const ag_tensor *x) {
    int64_t at = ag_index(x);
    if (at >= 0 && w->id[at] >= 0) return w->id[at];
    int id = known(w, x);
    if (id < 0) id = leaf(w, x);
    if (at >= 0) w->id[at] = id;
    return id;
}

static int walk(writer *w, ag_tensor *x) {
    ag_tape *t = ag_tape_of(x);
    bool *below = graph_below(x);
    w->a.failed = w->a.failed || !below;
    for (int64_t i = 0; !w->a.failed && i <= ag_index(x); i++) {
        ag_tensor *y = ag_tape_node(t, i);
        int in[RULE_INPUTS], output, n;
        if (!below[i] || id_of(w, y) >= 0 || (ag_op_of(y) && ag_op_of(y)->nout > 1)) continue;
        const ag_tensor *made = formula_maker(y, &output);
        n = ag_input_count(made);
        if (n > RULE_INPUTS) break;
        bool all = true;
        for (int k = 0; k < n; k++) {
            in[k] = id_of(w, ag_input(made, k));
            all = all && in[k] >= 0;
        }
        if (all) w->id[i] = apply(w, y, in, n); /* else it is above a name, and not needed */
    }
    free(below);
    return w->a.failed ? -1 : id_of(w, x);
}

/* A shared part is written where it is used: its length is known before it is written. */
static bool short_enough(const program *p, int id, double longest) {
    double *size = malloc(((size_t)p->nodes + 1) * sizeof *size);
    if (!size) return false;
    for (int i = 0; i <= id; i++) {
        size[i] = 1;
        for (int k = 0; k < p->node[i].count; k++) size[i] += size[child_of(p, i, k)];
    }
    bool is_short = size[id] < longest;
    free(size);
    return is_short;
}

static bool finish(writer *w, int id, bool tight, text *out) {
    text formula = {0};
    bool good = id >= 0 && !w->a.failed && short_enough(&w->a.p, id, (double)w->longest);
    if (good) program_print_node(&w->a.p, id, &formula);
    good = good && !formula.failed && formula.size <= w->longest;
    const node *n = good ? &w->a.p.node[id] : NULL;
    bool sum = n && n->kind == NODE_BINARY && (n->symbol <= SYMBOL_SUB || n->symbol >= SYMBOL_EQ);
    if (good) text_printf(out, tight && sum ? "(%s)" : "%s", text_of(&formula));
    text_free(&formula);
    program_free(&w->a.p);
    free(w->id);
    return good;
}

static bool begin(writer *w, const ag_tape *t) {
    size_t n = (size_t)ag_tape_size(t) + 1;
    w->id = malloc(n * sizeof *w->id);
    for (size_t i = 0; w->id && i < n; i++) w->id[i] = -1;
    return w->id != NULL;
}

bool formula_put(text *out, ag_tensor *x, const named *names, int n, bool tight, size_t longest) {
    writer w = {.names = names, .n = n, .longest = longest};
    return begin(&w, ag_tape_of(x)) && finish(&w, walk(&w, x), tight, out);
}

bool formula_put_step(text *out, ag_tensor *x, const named *inputs) {
    int output, id = -1, in[RULE_INPUTS];
    const ag_tensor *made = formula_maker(x, &output);
    writer w = {.names = inputs, .n = ag_input_count(made), .longest = FORMULA_LINE};
    if (w.n > RULE_INPUTS || !begin(&w, ag_tape_of(x))) return false;
    for (int i = 0; i < w.n; i++) in[i] = known(&w, ag_input(made, i));
    id = apply(&w, x, in, w.n);
    return finish(&w, id, false, out);
}

ag_tensor *formula_maker(ag_tensor *x, int *output) {
    *output = 0;
    if (ag_op_of(x) || ag_is_leaf(x) || ag_input_count(x) != 1) return x;
    ag_tensor *tuple = ag_input(x, 0);
    for (int i = 0; i < ag_op_of(tuple)->nout; i++) {
        if (ag_part(tuple, i) == x) *output = i;
    }
    return tuple;
}

/* Rules */

static bool is_float(const ag_tensor *x) { return ag_dtype_of(x) == AG_F32 || ag_dtype_of(x) == AG_F64; }

bool rule_run(rule *r, ag_tensor *x, ag_tensor *g) {
    int output, m = 0;
    const ag_tensor *made = formula_maker(x, &output);
    ag_tensor *xs[RULE_INPUTS], *d[RULE_INPUTS];
    *r = (rule){.n = ag_input_count(made), .g = g};
    if (r->n > RULE_INPUTS) return false;
    for (int i = 0; i < r->n; i++) {
        r->in[i] = ag_input(made, i);
        if (!is_float(r->in[i])) continue;
        r->in[i] = ag_alias(r->in[i]);
        if (!r->in[i]) return false;
        xs[m++] = r->in[i];
    }
    ag_tensor *again = ag_apply_on(ag_tape_of(x), ag_op_of(made), r->in, r->n, ag_attrs(made));
    r->y = again ? ag_part(again, output) : NULL;
    if (!r->y) return false;
    if (!g) r->g = ag_full(ag_tape_of(x), ag_dtype_of(x), ag_shape_of(x), 1);
    if (!r->g || (m && !ag_gradients(&r->y, &r->g, 1, xs, m, d))) return false;
    for (int i = 0, k = 0; i < r->n; i++) r->d[i] = is_float(r->in[i]) ? d[k++] : NULL;
    return true;
}
