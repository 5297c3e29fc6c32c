/* algebra.c: one step of simplification at each node; children are simple already. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algebra.h"

static const span nowhere = {0, 0};

/* Building */

int algebra_node(algebra *w, node_kind kind, const int *children, int count) {
    for (int i = 0; i < count; i++) {
        if (children[i] < 0) return -1;
    }
    int id = w->failed ? -1 : program_add(&w->p, kind, nowhere, children, count);
    w->failed = w->failed || id < 0;
    return id;
}

int algebra_name(algebra *w, node_kind kind, const char *name, const int *children, int count) {
    int id = algebra_node(w, kind, children, count);
    if (id >= 0) w->p.node[id].name = program_name(&w->p, name, strlen(name));
    w->failed = w->failed || (id >= 0 && !w->p.node[id].name);
    return w->failed ? -1 : id;
}

static bool is(const algebra *w, int id, node_kind kind) { return id >= 0 && w->p.node[id].kind == kind; }

static bool is_symbol(const algebra *w, int id, symbol s) {
    return is(w, id, NODE_BINARY) && w->p.node[id].symbol == s;
}

bool algebra_value(const algebra *w, int id, double *out) {
    bool negative = is(w, id, NODE_UNARY);
    if (negative) id = child_of(&w->p, id, 0);
    if (!is(w, id, NODE_NUMBER)) return false;
    *out = negative ? -w->p.node[id].number : w->p.node[id].number;
    return true;
}

static bool equals(const algebra *w, int id, double v) {
    double have;
    return algebra_value(w, id, &have) && have == v;
}

int algebra_number(algebra *w, double v) {
    if (isnan(v)) return algebra_name(w, NODE_NAME, "nan", NULL, 0);
    bool negative = signbit(v) && v != 0;
    int id = isinf(v) ? algebra_name(w, NODE_NAME, "inf", NULL, 0) : algebra_node(w, NODE_NUMBER, NULL, 0);
    if (id >= 0 && !isinf(v)) {
        char rounded[NUMBER_ROOM];
        w->p.node[id].number = strtod(number_text(fabs(v), 6, rounded), NULL);
    }
    return negative ? algebra_node(w, NODE_UNARY, &id, 1) : id;
}

int algebra_binary(algebra *w, symbol s, int a, int b) {
    int id = algebra_node(w, NODE_BINARY, (int[]){a, b}, 2);
    if (id >= 0) w->p.node[id].symbol = s;
    return id;
}

int algebra_product(algebra *w, int a, int b) {
    double x, y;
    if (equals(w, a, 1)) return b;
    if (equals(w, b, 1)) return a;
    if (equals(w, a, -1)) return algebra_negated(w, b);
    if (equals(w, b, -1)) return algebra_negated(w, a);
    if (algebra_value(w, a, &x) && algebra_value(w, b, &y)) return algebra_number(w, x * y);
    if (algebra_value(w, b, &x) && !algebra_value(w, a, &y))
        return algebra_product(w, b, a); /* numbers first; turns once */
    if (is(w, b, NODE_UNARY)) return algebra_negated(w, algebra_product(w, a, child_of(&w->p, b, 0)));
    if (is_symbol(w, b, SYMBOL_MUL)) { /* to the left, where products need no brackets */
        int left = algebra_product(w, a, child_of(&w->p, b, 0));
        return algebra_product(w, left, child_of(&w->p, b, 1));
    }
    return algebra_binary(w, SYMBOL_MUL, a, b);
}

int algebra_quotient(algebra *w, int a, int b) {
    double x, y;
    if (equals(w, b, 1)) return a;
    if (algebra_value(w, a, &x) && algebra_value(w, b, &y)) return algebra_number(w, x / y);
    return algebra_binary(w, SYMBOL_DIV, a, b);
}

int algebra_negated(algebra *w, int a) {
    double x;
    if (algebra_value(w, a, &x)) return algebra_number(w, -x);
    if (is(w, a, NODE_UNARY)) return child_of(&w->p, a, 0);
    if (is_symbol(w, a, SYMBOL_MUL))
        return algebra_product(w, algebra_negated(w, child_of(&w->p, a, 0)), child_of(&w->p, a, 1));
    if (is_symbol(w, a, SYMBOL_DIV))
        return algebra_quotient(w, algebra_negated(w, child_of(&w->p, a, 0)), child_of(&w->p, a, 1));
    if (is_symbol(w, a, SYMBOL_SUB)) return algebra_binary(w, SYMBOL_SUB, child_of(&w->p, a, 1), child_of(&w->p, a, 0));
    return algebra_node(w, NODE_UNARY, &a, 1);
}

static bool leading_minus(const algebra *w, int id) {
    if (is_symbol(w, id, SYMBOL_MUL) || is_symbol(w, id, SYMBOL_DIV)) id = child_of(&w->p, id, 0);
    return is(w, id, NODE_UNARY);
}

static int difference(algebra *w, int a, int b) {
    double x, y;
    if (equals(w, b, 0)) return a;
    if (equals(w, a, 0)) return algebra_negated(w, b);
    if (algebra_value(w, a, &x) && algebra_value(w, b, &y)) return algebra_number(w, x - y);
    return algebra_binary(w, SYMBOL_SUB, a, b);
}

int algebra_total(algebra *w, int a, int b) {
    double x, y;
    if (equals(w, a, 0)) return b;
    if (equals(w, b, 0)) return a;
    if (algebra_value(w, a, &x) && algebra_value(w, b, &y)) return algebra_number(w, x + y);
    if (leading_minus(w, b)) return difference(w, a, algebra_negated(w, b));
    if (leading_minus(w, a)) return difference(w, b, algebra_negated(w, a));
    return algebra_binary(w, SYMBOL_ADD, a, b);
}

int algebra_power(algebra *w, int a, int b) {
    double x, y;
    if (equals(w, b, 1)) return a;
    if (equals(w, b, 0)) return algebra_number(w, 1);
    if (algebra_value(w, a, &x) && algebra_value(w, b, &y)) return algebra_number(w, pow(x, y));
    return algebra_binary(w, SYMBOL_POW, a, b);
}

int algebra_combine(algebra *w, symbol s, int a, int b) {
    switch (s) {
    case SYMBOL_ADD: return algebra_total(w, a, b);
    case SYMBOL_SUB: return difference(w, a, b);
    case SYMBOL_MUL: return algebra_product(w, a, b);
    case SYMBOL_DIV: return algebra_quotient(w, a, b);
    case SYMBOL_POW: return algebra_power(w, a, b);
    default: return algebra_binary(w, s, a, b);
    }
}
