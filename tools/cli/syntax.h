/* syntax.h: the language of expressions, as a tree. This header is its manual.
 *
 *     program     statement, separated by ; or a new line; # starts a comment
 *     statement   let name = expression  |  expression          the value of the program is that of the last statement
 *     expression  sum, or two sums compared by == != < <= > >=  (comparisons do not chain)
 *     sum         products joined by + and −
 *     product     signed joined by * / and @ (the matrix product)
 *     signed      − signed  |  + signed  |  power
 *     power       postfix  |  postfix ^ signed                  as in Python: 2^3^2 = 2^9, -x^2 = -(x^2), 2^-1 = 0.5
 *     postfix     primary, then any number of  '  .T  [index, …]
 *     primary     number  |  name  |  name(argument, …)  |  (expression)  |  list  |  "text", as an attribute
 *     list        [a, b, c]  |  [a, b; c, d] for [[a, b], [c, d]]  |  (a, b)  |  ()
 *     argument    expression  |  name = expression
 *     index       expression  |  start:stop:step, each of which may be left out  |  ...
 *
 * New lines inside brackets and after an operator do not end a statement.
 *
 * The tree. Nodes stand in one array, each after its children, so that a loop over the array visits children first
 * and no walk recurses; two texts of one meaning give equal arrays. A node's descendants are the nodes low … id − 1.
 *
 *     2*x + 1        [0] 2   [1] x   [2] * (0, 1)   [3] 1   [4] + (2, 3)
 *
 * Only the parser recurses, at most SYNTAX_DEPTH levels deep; a deeper expression is an error that says so.
 */
#ifndef CLI_SYNTAX_H
#define CLI_SYNTAX_H

#include "fault.h"
#include "text.h"

enum { SYNTAX_DEPTH = 200, SYNTAX_MOST = 1 << 20 /* bytes of a program */ };

typedef enum node_kind {
    NODE_NUMBER,
    NODE_TEXT, /* "…", an attribute; its name has the quotes */
    NODE_NAME,
    NODE_LIST,
    NODE_CALL,      /* name(arguments) */
    NODE_NAMED,     /* name = child, an argument */
    NODE_UNARY,     /* −x */
    NODE_BINARY,    /* symbol, two children */
    NODE_TRANSPOSE, /* x' */
    NODE_INDEX,     /* child 0 indexed by the others */
    NODE_RANGE,     /* start:stop:step, children −1 where left out */
    NODE_ELLIPSIS,  /* ... as an index */
    NODE_LET        /* let name = child */
} node_kind;

typedef enum symbol {
    SYMBOL_NONE,
    SYMBOL_ADD,
    SYMBOL_SUB,
    SYMBOL_MUL,
    SYMBOL_DIV,
    SYMBOL_MATMUL,
    SYMBOL_POW,
    SYMBOL_EQ,
    SYMBOL_NE,
    SYMBOL_LT,
    SYMBOL_LE,
    SYMBOL_GT,
    SYMBOL_GE
} symbol;
const char *symbol_text(symbol s); /* "+" */
const char *symbol_op(symbol s);   /* "add", the operation that it stands for */
symbol symbol_of_op(const char *op);

typedef struct node {
    node_kind kind;
    symbol symbol;
    int first, count; /* children: program.child[first … first + count) */
    int low;
    double number;    /* not negative, finite */
    const char *name; /* owned by the program */
    span at;
} node;

typedef struct program {
    node *node;
    int *child;
    int *statement; /* node ids */
    int nodes, children, statements;
    int node_room, child_room, statement_room;
    struct name_block *names;
} program;

/* Reads a program; false after a fault. *p is to be freed either way. */
bool program_parse(program *p, const source *in, fault *f);
void program_free(program *p);
/* Writes it in one form: a blank on either side of + − and comparisons, brackets only where needed, statements joined
 * by "; ". Reading that gives an equal program. */
void program_print(const program *p, text *out);
void program_print_node(const program *p, int id, text *out);
bool program_equal(const program *a, const program *b); /* places in the source aside */

/* Building one: the id of the new node, or −1 when memory is short. Children must have been made before. */
int program_add(program *p, node_kind kind, span at, const int *children, int count);
const char *program_name(program *p, const char *name, size_t size); /* a copy that lives as long as p */
bool program_state(program *p, int id);                              /* appends a statement */

static inline int child_of(const program *p, int id, int i) { return p->child[p->node[id].first + i]; }

#endif
