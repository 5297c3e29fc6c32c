/* language.c: random trees are built bottom-up, as the parser would: children in order, then the node. */
#include <string.h>

#include "check.h"
#include "cli/language.h"

typedef struct maker {
    program *p;
    uint64_t *state;
    int left; /* nodes still to spend */
} maker;

static int below(maker *m, int n) { return (int)(check_random(m->state) * n); }

static int build(maker *m, node_kind kind, const int *children, int count) {
    return program_add(m->p, kind, (span){0, 0}, children, count);
}

static int named(maker *m, node_kind kind, const char *name, const int *children, int count) {
    int id = build(m, kind, children, count);
    if (id >= 0) m->p->node[id].name = program_name(m->p, name, strlen(name));
    return id;
}

static int expression(maker *m);

static int number(maker *m) {
    static const double values[] = {0,    1,    2,         10,     0.1,  0.5, 1e-300, 1.7976931348623157e308,
                                    1e15, 1e16, 123456789, 5e-324, 3.25, 1e21};
    int id = build(m, NODE_NUMBER, NULL, 0);
    double v = check_random(m->state);
    m->p->node[id].number = below(m, 2) ? v * (below(m, 2) ? 1 : 1e-9) : values[below(m, sizeof values / sizeof *values)];
    return id;
}

static int atom(maker *m) {
    static const char *const names[] = {"x", "y", "w_1", "Lambda", "e", "pi", "T", "e1", "lets", "_"};
    return below(m, 2) ? number(m) : named(m, NODE_NAME, names[below(m, 10)], NULL, 0);
}

static int some(maker *m, int *out, int most) {
    int n = below(m, most + 1);
    for (int i = 0; i < n; i++) out[i] = expression(m);
    return n;
}

static int call(maker *m) {
    int argument[4], n = some(m, argument, 3);
    if (below(m, 2)) {
        int child = expression(m);
        argument[n++] = named(m, NODE_NAMED, below(m, 2) ? "axis" : "keepdim", &child, 1);
    }
    return named(m, NODE_CALL, below(m, 2) ? "softmax" : "f", argument, n);
}

static int range(maker *m) {
    int part[3];
    for (int i = 0; i < 3; i++) part[i] = below(m, 2) ? expression(m) : -1;
    return build(m, NODE_RANGE, part, 3);
}

static int index_of(maker *m) {
    int child[4] = {expression(m)}, n = 1 + below(m, 3);
    for (int i = 1; i <= n; i++) {
        int kind = below(m, 4);
        child[i] = kind == 0 ? build(m, NODE_ELLIPSIS, NULL, 0) : kind == 1 ? expression(m) : range(m);
    }
    return build(m, NODE_INDEX, child, n + 1);
}

static int binary(maker *m) {
    int child[2] = {expression(m)};
    child[1] = expression(m);
    int id = build(m, NODE_BINARY, child, 2);
    m->p->node[id].symbol = (symbol)(SYMBOL_ADD + below(m, SYMBOL_GE - SYMBOL_ADD + 1));
    return id;
}

static int expression(maker *m) {
    int child[4];
    if (m->left-- <= 0) return atom(m);
    switch (below(m, 10)) {
    case 0: return atom(m);
    case 1: return call(m);
    case 2: child[0] = expression(m); return build(m, NODE_UNARY, child, 1);
    case 3: child[0] = expression(m); return build(m, NODE_TRANSPOSE, child, 1);
    case 4: return index_of(m);
    case 5: {
        int n = some(m, child, 3);
        return build(m, NODE_LIST, child, n);
    }
    default: return binary(m);
    }
}

bool language_random_program(program *p, int most, uint64_t *state) {
    maker m = {p, state, most};
    *p = (program){0};
    int n = 1 + below(&m, 3);
    for (int i = 0; i < n; i++) {
        int id = expression(&m);
        if (below(&m, 3) == 0) id = named(&m, NODE_LET, "z", &id, 1);
        if (!program_state(p, id)) return false;
    }
    return true;
}

/* Formulas */

static void formula(text *out, int depth, uint64_t *state) {
    static const char *const leaf[] = {"x", "y", "z", "U", "V", "0.5", "2", "-1.25"},
                             *const one[] = {"tanh", "sin",    "cos", "sigmoid", "exp",
                                             "gelu", "square", "erf", "-",       "abs"},
                             *const two[] = {"%s + %s",        "%s - %s", "%s*%s", "%s*%s", "%s/(2 + square(%s))",
                                             "maximum(%s, %s)"};
    int kind = (int)(check_random(state) * 10);
    if (depth == 0 || kind == 0) {
        text_put(out, leaf[(int)(check_random(state) * 8)]);
    } else if (kind < 4) {
        const char *f = one[(int)(check_random(state) * 10)];
        text_printf(out, strcmp(f, "exp") ? "%s(" : "%s(-square(", f);
        formula(out, depth - 1, state);
        text_put(out, strcmp(f, "exp") ? ")" : "))");
    } else {
        text a = {0}, b = {0};
        const char *form = two[(int)(check_random(state) * 6)], *second;
        formula(&a, depth - 1, state);
        formula(&b, depth - 1, state);
        text_put(out, "(");
        second = strstr(form, "%s") + 2;
        text_add(out, form, (size_t)(second - form) - 2);
        text_put(out, text_of(&a));
        text_add(out, second, (size_t)(strstr(second, "%s") - second));
        text_put(out, text_of(&b));
        text_put(out, strstr(second, "%s") + 2);
        text_put(out, ")");
        text_free(&a);
        text_free(&b);
    }
}

void language_random_formula(text *out, uint64_t *state) {
    text u = {0}, v = {0};
    formula(&u, 2, state);
    formula(&v, 3, state);
    text_put(out, "let U = ");
    for (const char *p = text_of(&u); *p; p++) text_add(out, *p == 'U' ? "x" : *p == 'V' ? "y" : p, 1);
    text_put(out, "; let V = ");
    for (const char *p = text_of(&v); *p; p++) text_add(out, *p == 'V' ? "z" : p, 1);
    text_put(out, "; tanh(");
    formula(out, 6, state);
    text_put(out, " + U*V + U)");
    text_free(&u);
    text_free(&v);
}
