/* brackets.c: lists, calls, indices, parentheses.
 *
 * How many children they have is known when they close; until then the nodes wait on one stack, `gathered`. */
#include <stdlib.h>

#include "habits.h"
#include "parser.h"

static bool gather(parser *s, int id) {
    if (id < 0) return false;
    if (s->count == s->room) {
        int room = 2 * s->room;
        int *moved = realloc(s->gathered, (size_t)room * sizeof *moved);
        if (!moved) return fault_memory(s->f);
        s->gathered = moved;
        s->room = room;
    }
    s->gathered[s->count++] = id;
    return true;
}

/* A node of what was gathered since there were `from`. */
static int gathered(parser *s, node_kind kind, span at, int from) {
    int id = parse_add(s, kind, at, s->gathered + from, s->count - from);
    s->count = from;
    return id;
}

/* "the '(' of column 5", or of an earlier line */
static void describe(const parser *s, span open, char *out, size_t size) {
    size_t line = 1, column = 1;
    bool same = true;
    for (size_t i = 0; i < open.start; i++) {
        if (s->in->text[i] == '\n') line++;
        column = s->in->text[i] == '\n' ? 1 : column + (((unsigned char)s->in->text[i] & 0xC0) != 0x80);
    }
    for (size_t i = open.start; i < s->now.at.start; i++) same = same && s->in->text[i] != '\n';
    snprintf(out, size, same ? "the '%c' of column %zu" : "the '%c' of line %zu", s->in->text[open.start],
             same ? column : line);
}

/* Passes over the closing bracket, or says which opening one it misses. */
static bool close_bracket(parser *s, token_kind kind, char closing, span open) {
    s->brackets--;
    if (parse_is(s, kind)) {
        parse_advance(s);
        return true;
    }
    char what[64], which[64];
    parse_found(s, what, sizeof what);
    describe(s, open, which, sizeof which);
    char hint[128] = "";
    if (parse_is(s, TOKEN_NUMBER) || parse_is(s, TOKEN_NAME) || parse_is(s, TOKEN_OPEN)) {
        const char *listed = closing == ']' ? "elements" : "arguments";
        habit_between(s->in, s->last, s->now.at, listed, hint, sizeof hint);
    }
    fault_set(s->f, EXIT_USAGE, s->in, s->now.at, "expected '%c' to close %s, found %s%s", closing, which, what, hint);
    return false;
}

/* Lists */

/* One row: elements up to a bracket or ';' */
static bool elements(parser *s, token_kind closing) {
    while (!parse_is(s, closing) && !parse_is(s, TOKEN_SEMICOLON) && !parse_is(s, TOKEN_END)) {
        if (!gather(s, parse_expression(s))) return false;
        if (!parse_is(s, TOKEN_COMMA)) break;
        parse_advance(s);
    }
    return true;
}

int parse_list(parser *s) {
    token open = s->now;
    int from = s->count, rows = 0;
    s->brackets++;
    parse_advance(s);
    for (;;) {
        int row = s->count;
        size_t start = s->now.at.start;
        if (!elements(s, TOKEN_CLOSE_LIST)) return -1;
        bool more = parse_is(s, TOKEN_SEMICOLON);
        if (s->count == row && rows && !more) break; /* [1, 2;] */
        if (s->count == row && more) return parse_fail(s, s->now.at, "this row of the matrix is empty");
        if (!more && !rows) break;
        if (!gather(s, gathered(s, NODE_LIST, (span){start, s->last}, row))) return -1;
        rows++;
        if (!more) break;
        parse_advance(s);
    }
    if (!close_bracket(s, TOKEN_CLOSE_LIST, ']', open.at)) return -1;
    return gathered(s, NODE_LIST, (span){open.at.start, s->last}, from);
}

/* (a) is a; (a, b) and () are lists, as in Python. */
int parse_parenthesis(parser *s) {
    token open = s->now;
    int from = s->count, id = -1;
    s->brackets++;
    parse_advance(s);
    if (!parse_is(s, TOKEN_CLOSE)) {
        id = parse_expression(s);
        if (id < 0) return -1;
    }
    bool is_list = id < 0 || parse_is(s, TOKEN_COMMA);
    if (parse_is(s, TOKEN_COMMA)) {
        if (!gather(s, id)) return -1;
        parse_advance(s);
        if (!elements(s, TOKEN_CLOSE)) return -1;
    }
    if (!close_bracket(s, TOKEN_CLOSE, ')', open.at)) return -1;
    span at = {open.at.start, s->last};
    if (is_list) return gathered(s, NODE_LIST, at, from);
    s->p->node[id].at = at;
    return id;
}

/* Calls and indices */

static int argument(parser *s) {
    token name = s->now;
    if (name.kind == TOKEN_NAME && lexer_next(s->in, name.at.end, s->f).kind == TOKEN_ASSIGN) {
        parse_advance(s);
        parse_advance(s);
        int id = parse_expression(s);
        return id < 0 ? -1 : parse_add_named(s, NODE_NAMED, name.at, (span){name.at.start, s->last}, &id, 1);
    }
    return parse_expression(s);
}

int parse_call(parser *s, token name) {
    token open = s->now;
    int from = s->count;
    s->brackets++;
    parse_advance(s);
    while (!parse_is(s, TOKEN_CLOSE)) {
        if (!gather(s, argument(s))) return -1;
        if (!parse_is(s, TOKEN_COMMA)) break;
        parse_advance(s);
    }
    if (!close_bracket(s, TOKEN_CLOSE, ')', open.at)) return -1;
    int id = parse_add_named(s, NODE_CALL, name.at, (span){name.at.start, s->last}, s->gathered + from, s->count - from);
    s->count = from;
    return id;
}

/* start:stop:step, from its first part on, which is −1 when it begins with ':' */
static int range(parser *s, size_t start, int first) {
    int part[3] = {first, -1, -1};
    for (int i = 1; i < 3 && parse_is(s, TOKEN_COLON); i++) {
        parse_advance(s);
        if (parse_is(s, TOKEN_COLON) || parse_is(s, TOKEN_COMMA) || parse_is(s, TOKEN_CLOSE_LIST)) continue;
        part[i] = parse_expression(s);
        if (part[i] < 0) return -1;
    }
    return parse_add(s, NODE_RANGE, (span){start, s->last}, part, 3);
}

static int index_item(parser *s) {
    size_t start = s->now.at.start;
    if (parse_is(s, TOKEN_COMMA)) return parse_fail(s, s->now.at, "an axis that is taken whole is written ':'");
    if (parse_is(s, TOKEN_ELLIPSIS)) {
        parse_advance(s);
        return parse_add(s, NODE_ELLIPSIS, (span){start, s->last}, NULL, 0);
    }
    if (parse_is(s, TOKEN_COLON)) return range(s, start, -1);
    int id = parse_expression(s);
    return id >= 0 && parse_is(s, TOKEN_COLON) ? range(s, start, id) : id;
}

int parse_index(parser *s, int base) {
    token open = s->now;
    int from = s->count;
    s->brackets++;
    parse_advance(s);
    if (!gather(s, base)) return -1;
    if (parse_is(s, TOKEN_CLOSE_LIST)) return parse_fail(s, s->now.at, "expected an index: x[0], x[1:3], x[:, -1]");
    do {
        if (s->count > from + 1) parse_advance(s);
        if (parse_is(s, TOKEN_CLOSE_LIST)) break;
        if (!gather(s, index_item(s))) return -1;
    } while (parse_is(s, TOKEN_COMMA));
    if (!close_bracket(s, TOKEN_CLOSE_LIST, ']', open.at)) return -1;
    return gathered(s, NODE_INDEX, (span){s->p->node[base].at.start, s->last}, from);
}
