/* parser.h: what the two halves of the parser share: parser.c has operators and statements, brackets.c what stands in
 * brackets. */
#ifndef CLI_PARSER_H
#define CLI_PARSER_H

#include "lexer.h"
#include "syntax.h"

typedef struct parser {
    program *p;
    const source *in;
    fault *f;
    token now;
    size_t last;  /* where the token before `now` ended */
    int depth;    /* of recursion */
    int brackets; /* open ones: new lines inside do not count */
    int *gathered;
    int count, room;
} parser;

/* Tokens */
void parse_advance(parser *s);
bool parse_is(const parser *s, token_kind kind);
int parse_fail(parser *s, span at, const char *message);   /* a fault; returns −1 */
void parse_found(const parser *s, char *out, size_t size); /* how to name the present token; a long one is cut */

/* Nodes: −1 after a fault */
int parse_add(parser *s, node_kind kind, span at, const int *children, int count);
int parse_add_named(parser *s, node_kind kind, span name, span at, const int *children, int count);

int parse_expression(parser *s);

/* What begins at an opening bracket */
int parse_parenthesis(parser *s);
int parse_list(parser *s);
int parse_call(parser *s, token name);
int parse_index(parser *s, int base);

#endif
