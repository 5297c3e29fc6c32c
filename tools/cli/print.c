/* print.c: a program as text, in one form, with the fewest brackets.
 *
 * The walk keeps its own stack of pieces still to be written: a node with the strength that its place asks for, or a
 * string. A node weaker than its place is put in brackets. */
#include <stdlib.h>

#include "syntax.h"

/* Strength, as the levels of the grammar */
enum { ANY, SUM, PRODUCT, SIGNED, POWER, POSTFIX };

typedef struct piece {
    const char *literal; /* NULL: a node */
    int id, place;
} piece;

typedef struct printer {
    const program *p;
    text *out;
    piece *stack;
    int count, room;
} printer;

static void push(printer *w, piece next) {
    if (w->count == w->room) {
        int room = w->room ? 2 * w->room : 64;
        piece *moved = realloc(w->stack, (size_t)room * sizeof *moved);
        if (!moved) {
            w->out->failed = true;
            return;
        }
        w->stack = moved;
        w->room = room;
    }
    w->stack[w->count++] = next;
}

/* Pieces come off in the reverse of the order in which they are pushed. */
static void push_text(printer *w, const char *literal) { push(w, (piece){.literal = literal}); }
static void push_node(printer *w, int id, int place) { push(w, (piece){.id = id, .place = place}); }

static int strength(const node *n) {
    switch (n->kind) {
    case NODE_UNARY: return SIGNED;
    case NODE_BINARY:
        if (n->symbol == SYMBOL_POW) return POWER;
        if (n->symbol >= SYMBOL_EQ) return ANY;
        return n->symbol == SYMBOL_ADD || n->symbol == SYMBOL_SUB ? SUM : PRODUCT;
    default: return POSTFIX;
    }
}

static void push_children(printer *w, const node *n, int from, const char *separator) {
    for (int i = n->count; i-- > from;) {
        push_node(w, w->p->child[n->first + i], ANY);
        if (i > from) push_text(w, separator);
    }
}

/* [a, b; c, d]: a list of lists of which none is empty or holds lists */
static bool is_matrix(const program *p, const node *n) {
    for (int i = 0; i < n->count; i++) {
        const node *row = &p->node[p->child[n->first + i]];
        if (row->kind != NODE_LIST || !row->count) return false;
        for (int k = 0; k < row->count; k++) {
            if (p->node[p->child[row->first + k]].kind == NODE_LIST) return false;
        }
    }
    return n->count > 1;
}

static void write_list(printer *w, const node *n) {
    bool matrix = is_matrix(w->p, n);
    text_put(w->out, "[");
    push_text(w, "]");
    if (!matrix) push_children(w, n, 0, ", ");
    for (int i = n->count; matrix && i-- > 0;) {
        push_children(w, &w->p->node[w->p->child[n->first + i]], 0, ", ");
        if (i) push_text(w, "; ");
    }
}

static void write_range(printer *w, const node *n) {
    const int *part = w->p->child + n->first;
    for (int i = 3; i-- > 0;) {
        if (part[i] >= 0) push_node(w, part[i], ANY);
        if (i == 1 || (i == 2 && part[2] >= 0)) push_text(w, ":");
    }
}

static void write_binary(printer *w, const node *n) {
    int mine = strength(n), left = w->p->child[n->first], right = w->p->child[n->first + 1];
    if (n->symbol == SYMBOL_POW) {
        push_node(w, right, SIGNED);
        push_text(w, "^");
        push_node(w, left, POSTFIX);
        return;
    }
    push_node(w, right, mine + 1);
    if (mine < PRODUCT) push_text(w, " ");
    push_text(w, symbol_text(n->symbol));
    if (mine < PRODUCT) push_text(w, " ");
    push_node(w, left, mine == ANY ? SUM : mine);
}

static void write_node(printer *w, const node *n) {
    int child = n->count ? w->p->child[n->first] : -1;
    switch (n->kind) {
    case NODE_NUMBER: text_number(w->out, n->number, EXACT); break;
    case NODE_TEXT:
    case NODE_NAME: text_put(w->out, n->name); break;
    case NODE_LIST: write_list(w, n); break;
    case NODE_CALL:
        text_printf(w->out, "%s(", n->name);
        push_text(w, ")");
        push_children(w, n, 0, ", ");
        break;
    case NODE_NAMED:
        text_printf(w->out, "%s=", n->name);
        push_node(w, child, ANY);
        break;
    case NODE_LET:
        text_printf(w->out, "let %s = ", n->name);
        push_node(w, child, ANY);
        break;
    case NODE_UNARY:
        text_put(w->out, "-");
        push_node(w, child, SIGNED);
        break;
    case NODE_BINARY: write_binary(w, n); break;
    case NODE_TRANSPOSE:
        push_text(w, "'");
        push_node(w, child, POSTFIX);
        break;
    case NODE_INDEX:
        push_text(w, "]");
        push_children(w, n, 1, ", ");
        push_text(w, "[");
        push_node(w, child, POSTFIX);
        break;
    case NODE_RANGE: write_range(w, n); break;
    case NODE_ELLIPSIS: text_put(w->out, "..."); break;
    }
}

static void write_all(printer *w) {
    while (w->count && !w->out->failed) {
        piece next = w->stack[--w->count];
        if (next.literal) {
            text_put(w->out, next.literal);
            continue;
        }
        const node *n = &w->p->node[next.id];
        bool bracketed = strength(n) < next.place;
        if (bracketed) {
            text_put(w->out, "(");
            push_text(w, ")");
        }
        write_node(w, n);
    }
}

void program_print_node(const program *p, int id, text *out) {
    printer w = {.p = p, .out = out};
    push_node(&w, id, ANY);
    write_all(&w);
    free(w.stack);
}

void program_print(const program *p, text *out) {
    for (int i = 0; i < p->statements; i++) {
        if (i) text_put(out, "; ");
        program_print_node(p, p->statement[i], out);
    }
}
