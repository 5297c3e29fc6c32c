/* parser.c: recursive descent, one function a line of the grammar in syntax.h, each returning a node or −1 after a
 * fault. */
#include <stdlib.h>
#include <string.h>

#include "habits.h"
#include "parser.h"

/* Tokens */

void parse_advance(parser *s) {
    s->last = s->now.at.end;
    do s->now = lexer_next(s->in, s->now.at.end, s->f);
    while (s->now.kind == TOKEN_LINE && s->brackets > 0);
}

int parse_fail(parser *s, span at, const char *message) {
    fault_set(s->f, EXIT_USAGE, s->in, at, "%s", message);
    return -1;
}

bool parse_is(const parser *s, token_kind kind) { return s->now.kind == kind; }

void parse_found(const parser *s, char *out, size_t size) {
    if (parse_is(s, TOKEN_END)) snprintf(out, size, "the end");
    else if (parse_is(s, TOKEN_LINE)) snprintf(out, size, "the end of the line");
    else
        snprintf(out, size, "'%.*s'", s->now.at.end - s->now.at.start > 40 ? 40 : (int)(s->now.at.end - s->now.at.start),
                 s->in->text + s->now.at.start);
}

/* Nodes */

int parse_add(parser *s, node_kind kind, span at, const int *children, int count) {
    int id = program_add(s->p, kind, at, children, count);
    if (id < 0) fault_memory(s->f);
    return id;
}

int parse_add_named(parser *s, node_kind kind, span name, span at, const int *children, int count) {
    const char *copy = program_name(s->p, s->in->text + name.start, name.end - name.start);
    int id = copy ? parse_add(s, kind, at, children, count) : -1;
    if (id >= 0) s->p->node[id].name = copy;
    else fault_memory(s->f);
    return id;
}

static int add_binary(parser *s, symbol which, int left, int right) {
    span at = {s->p->node[left].at.start, s->last};
    int id = parse_add(s, NODE_BINARY, at, (int[]){left, right}, 2);
    if (id >= 0) s->p->node[id].symbol = which;
    return id;
}

static bool deeper(parser *s) {
    if (++s->depth <= SYNTAX_DEPTH) return true;
    fault_set(s->f, EXIT_USAGE, s->in, s->now.at, "nested more than %d levels deep; name parts of it with 'let'",
              SYNTAX_DEPTH);
    return false;
}

/* Operands */

static int missing_operand(parser *s) {
    char what[64];
    if (parse_is(s, TOKEN_STAR) && s->last == s->now.at.start && s->last && s->in->text[s->last - 1] == '*')
        return parse_fail(s, s->now.at, "a power is written 'x^2', not 'x**2'");
    if (parse_is(s, TOKEN_END)) return parse_fail(s, s->now.at, "the expression ends where a value is expected");
    parse_found(s, what, sizeof what);
    fault_set(s->f, EXIT_USAGE, s->in, s->now.at, "expected a number, a name or '(', found %s", what);
    return -1;
}

static bool is_let(const parser *s) {
    span at = s->now.at;
    return parse_is(s, TOKEN_NAME) && at.end - at.start == 3 && !memcmp(s->in->text + at.start, "let", 3);
}

static int primary(parser *s) {
    token t = s->now;
    int id;
    switch (t.kind) {
    case TOKEN_NUMBER:
        parse_advance(s);
        id = parse_add(s, NODE_NUMBER, t.at, NULL, 0);
        if (id >= 0) s->p->node[id].number = t.number;
        return id;
    case TOKEN_NAME:
        if (is_let(s)) return parse_fail(s, t.at, "'let' begins a statement; separate statements by ';'");
        parse_advance(s);
        return parse_is(s, TOKEN_OPEN) ? parse_call(s, t) : parse_add_named(s, NODE_NAME, t.at, t.at, NULL, 0);
    case TOKEN_TEXT: parse_advance(s); return parse_add_named(s, NODE_TEXT, t.at, t.at, NULL, 0);
    case TOKEN_OPEN: return parse_parenthesis(s);
    case TOKEN_OPEN_LIST: return parse_list(s);
    default: return missing_operand(s);
    }
}

static int postfix(parser *s) {
    int id = primary(s);
    while (id >= 0 && (parse_is(s, TOKEN_QUOTE) || parse_is(s, TOKEN_DOT_T) || parse_is(s, TOKEN_OPEN_LIST))) {
        if (parse_is(s, TOKEN_OPEN_LIST)) {
            id = parse_index(s, id);
        } else {
            parse_advance(s);
            id = parse_add(s, NODE_TRANSPOSE, (span){s->p->node[id].at.start, s->last}, &id, 1);
        }
    }
    return id;
}

static int operand(parser *s) {
    while (parse_is(s, TOKEN_LINE)) parse_advance(s);
    token sign = s->now;
    int id = -1;
    if (!deeper(s)) return -1;
    if (parse_is(s, TOKEN_MINUS) || parse_is(s, TOKEN_PLUS)) {
        parse_advance(s);
        id = operand(s);
        if (id >= 0 && sign.kind == TOKEN_MINUS) id = parse_add(s, NODE_UNARY, (span){sign.at.start, s->last}, &id, 1);
    } else {
        id = postfix(s);
        if (id >= 0 && parse_is(s, TOKEN_CARET)) {
            parse_advance(s);
            int exponent = operand(s);
            id = exponent < 0 ? -1 : add_binary(s, SYMBOL_POW, id, exponent);
        }
    }
    s->depth--;
    return id;
}

/* Operators */

static symbol product_symbol(const parser *s) {
    switch (s->now.kind) {
    case TOKEN_STAR: return SYMBOL_MUL;
    case TOKEN_SLASH: return SYMBOL_DIV;
    case TOKEN_AT: return SYMBOL_MATMUL;
    default: return SYMBOL_NONE;
    }
}

static symbol comparison_symbol(const parser *s) {
    switch (s->now.kind) {
    case TOKEN_EQ: return SYMBOL_EQ;
    case TOKEN_NE: return SYMBOL_NE;
    case TOKEN_LT: return SYMBOL_LT;
    case TOKEN_LE: return SYMBOL_LE;
    case TOKEN_GT: return SYMBOL_GT;
    case TOKEN_GE: return SYMBOL_GE;
    default: return SYMBOL_NONE;
    }
}

static int product(parser *s) {
    int left = operand(s);
    for (symbol which; left >= 0 && (which = product_symbol(s)) != SYMBOL_NONE;) {
        parse_advance(s);
        int right = operand(s);
        left = right < 0 ? -1 : add_binary(s, which, left, right);
    }
    return left;
}

static int sum(parser *s) {
    int left = product(s);
    while (left >= 0 && (parse_is(s, TOKEN_PLUS) || parse_is(s, TOKEN_MINUS))) {
        symbol which = parse_is(s, TOKEN_PLUS) ? SYMBOL_ADD : SYMBOL_SUB;
        parse_advance(s);
        int right = product(s);
        left = right < 0 ? -1 : add_binary(s, which, left, right);
    }
    return left;
}

int parse_expression(parser *s) {
    if (!deeper(s)) return -1;
    int left = sum(s);
    symbol which = left < 0 ? SYMBOL_NONE : comparison_symbol(s);
    if (which) {
        parse_advance(s);
        int right = sum(s);
        left = right < 0 ? -1 : add_binary(s, which, left, right);
        if (left >= 0 && comparison_symbol(s))
            return parse_fail(s, s->now.at, "comparisons do not chain; write (a < b) * (b < c)");
    }
    s->depth--;
    return left;
}

/* Statements */

static int let(parser *s) {
    token word = s->now;
    parse_advance(s);
    token name = s->now;
    if (!parse_is(s, TOKEN_NAME) || is_let(s)) return parse_fail(s, name.at, "expected a name: let y = x^2");
    parse_advance(s);
    if (!parse_is(s, TOKEN_ASSIGN)) return parse_fail(s, s->now.at, "expected '=': let y = x^2");
    parse_advance(s);
    int id = parse_expression(s);
    return id < 0 ? -1 : parse_add_named(s, NODE_LET, name.at, (span){word.at.start, s->last}, &id, 1);
}

static int statement(parser *s) { return is_let(s) ? let(s) : parse_expression(s); }

static bool stray_assignment(parser *s, int id) {
    const node *n = &s->p->node[id];
    if (n->kind == NODE_NAME) {
        return fault_set(s->f, EXIT_USAGE, s->in, s->now.at,
                         "'let %s = …' gives %s its value, or %s=… behind the expression; the comparison is '=='",
                         n->name, n->name, n->name);
    }
    if (n->kind == NODE_CALL) {
        return fault_set(
            s->f, EXIT_USAGE, s->in, s->now.at,
            "functions are not defined here; write the expression itself, with values for its names behind it");
    }
    return parse_fail(s, s->now.at, "'=' gives a name its value in 'let y = x^2'; the comparison is '=='") >= 0;
}

static bool end_of_statement(parser *s, int statement) {
    if (s->f->code) return false;
    if (parse_is(s, TOKEN_END) || parse_is(s, TOKEN_SEMICOLON) || parse_is(s, TOKEN_LINE)) return true;
    span at = s->now.at;
    bool operand_follows =
        parse_is(s, TOKEN_NUMBER) || parse_is(s, TOKEN_NAME) || parse_is(s, TOKEN_OPEN) || parse_is(s, TOKEN_OPEN_LIST);
    char what[64], hint[128] = "";
    parse_found(s, what, sizeof what);
    if (parse_is(s, TOKEN_ASSIGN)) return stray_assignment(s, statement);
    if (parse_is(s, TOKEN_CLOSE) || parse_is(s, TOKEN_CLOSE_LIST)) {
        return fault_set(s->f, EXIT_USAGE, s->in, at, "%s closes a bracket that was not opened", what);
    }
    if (operand_follows) habit_between(s->in, s->last, at, NULL, hint, sizeof hint);
    if (parse_is(s, TOKEN_COMMA)) snprintf(hint, sizeof hint, "; a list is written [1, 2, 3]");
    return fault_set(s->f, EXIT_USAGE, s->in, at, "expected an operator before %s%s", what, hint);
}

static bool statements(parser *s) {
    while (!parse_is(s, TOKEN_END)) {
        if (parse_is(s, TOKEN_SEMICOLON) || parse_is(s, TOKEN_LINE)) {
            parse_advance(s);
            continue;
        }
        int id = statement(s);
        if (id < 0 || !end_of_statement(s, id)) return false;
        if (!program_state(s->p, id)) return fault_memory(s->f);
    }
    return !s->f->code && (s->p->statements || parse_fail(s, s->now.at, "the expression is empty") >= 0);
}

bool program_parse(program *p, const source *in, fault *f) {
    *p = (program){0};
    parser s = {.p = p, .in = in, .f = f};
    if (in->size > SYNTAX_MOST) return fault_say(f, EXIT_USAGE, "%s is longer than 1 MiB", in->name);
    s.room = 64;
    s.gathered = malloc((size_t)s.room * sizeof *s.gathered);
    if (!s.gathered) return fault_memory(f);
    parse_advance(&s);
    bool good = statements(&s) && !f->code;
    free(s.gathered);
    return good;
}
