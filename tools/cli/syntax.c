/* syntax.c: the tree's memory. Names live in blocks that never move. */
#include <stdlib.h>
#include <string.h>

#include "syntax.h"

typedef struct name_block {
    struct name_block *next;
    size_t used, room;
    char at[];
} name_block;

static const struct {
    const char *text, *op;
} symbols[] = {
    [SYMBOL_ADD] = {"+", "add"}, [SYMBOL_SUB] = {"-", "sub"},       [SYMBOL_MUL] = {"*", "mul"},
    [SYMBOL_DIV] = {"/", "div"}, [SYMBOL_MATMUL] = {"@", "matmul"}, [SYMBOL_POW] = {"^", "pow"},
    [SYMBOL_EQ] = {"==", "eq"},  [SYMBOL_NE] = {"!=", "ne"},        [SYMBOL_LT] = {"<", "lt"},
    [SYMBOL_LE] = {"<=", "le"},  [SYMBOL_GT] = {">", "gt"},         [SYMBOL_GE] = {">=", "ge"},
};

const char *symbol_text(symbol s) { return symbols[s].text; }
const char *symbol_op(symbol s) { return symbols[s].op; }

symbol symbol_of_op(const char *op) {
    for (int s = SYMBOL_ADD; s <= SYMBOL_GE; s++) {
        if (!strcmp(op, symbols[s].op)) return (symbol)s;
    }
    return SYMBOL_NONE;
}

/* Room for `more` further elements of `size` bytes; NULL when memory is short. */
static void *grow(void *at, int count, int more, int *room, size_t size) {
    if (count <= *room - more) return at;
    int want = *room ? *room : 64;
    while (want - count < more) {
        if (want > INT32_MAX / 4) return NULL;
        want *= 2;
    }
    void *moved = realloc(at, (size_t)want * size);
    if (moved) *room = want;
    return moved;
}

int program_add(program *p, node_kind kind, span at, const int *children, int count) {
    node *nodes = grow(p->node, p->nodes, 1, &p->node_room, sizeof *nodes);
    if (!nodes) return -1;
    p->node = nodes;
    int *list = count ? grow(p->child, p->children, count, &p->child_room, sizeof *list) : p->child;
    if (count && !list) return -1;
    p->child = list;
    int id = p->nodes, low = id;
    for (int i = 0; i < count; i++) {
        p->child[p->children + i] = children[i];
        if (children[i] >= 0 && nodes[children[i]].low < low) low = nodes[children[i]].low;
    }
    nodes[id] = (node){.kind = kind, .first = p->children, .count = count, .low = low, .at = at};
    p->children += count;
    return p->nodes++;
}

bool program_state(program *p, int id) {
    int *list = id < 0 ? NULL : grow(p->statement, p->statements, 1, &p->statement_room, sizeof *list);
    if (!list) return false;
    p->statement = list;
    list[p->statements++] = id;
    return true;
}

const char *program_name(program *p, const char *name, size_t size) {
    name_block *b = p->names;
    if (!b || b->room - b->used <= size) {
        size_t room = size < 1000 ? 4000 : size + 1;
        b = malloc(sizeof *b + room);
        if (!b) return NULL;
        *b = (name_block){.next = p->names, .room = room};
        p->names = b;
    }
    char *copy = b->at + b->used;
    memcpy(copy, name, size);
    copy[size] = '\0';
    b->used += size + 1;
    return copy;
}

void program_free(program *p) {
    for (name_block *b = p->names, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(p->node);
    free(p->child);
    free(p->statement);
    *p = (program){0};
}

static bool same_node(const program *a, const program *b, int id) {
    const node *x = &a->node[id], *y = &b->node[id];
    if (x->kind != y->kind || x->symbol != y->symbol || x->count != y->count) return false;
    if (memcmp(&x->number, &y->number, sizeof x->number)) return false;
    if (!x->name != !y->name || (x->name && strcmp(x->name, y->name))) return false;
    for (int i = 0; i < x->count; i++) {
        if (child_of(a, id, i) != child_of(b, id, i)) return false;
    }
    return true;
}

bool program_equal(const program *a, const program *b) {
    if (a->nodes != b->nodes || a->statements != b->statements) return false;
    for (int i = 0; i < a->nodes; i++) {
        if (!same_node(a, b, i)) return false;
    }
    return !a->statements || !memcmp(a->statement, b->statement, (size_t)a->statements * sizeof *a->statement);
}
