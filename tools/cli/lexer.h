/* lexer.h: the program's text as tokens, for the parser. */
#ifndef CLI_LEXER_H
#define CLI_LEXER_H

#include "fault.h"

typedef enum token_kind {
    TOKEN_END,
    TOKEN_LINE, /* a new line */
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_TEXT, /* "…", quotes included */
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_STAR,
    TOKEN_SLASH,
    TOKEN_AT,
    TOKEN_CARET,
    TOKEN_QUOTE,
    TOKEN_DOT_T,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_OPEN_LIST,
    TOKEN_CLOSE_LIST,
    TOKEN_COMMA,
    TOKEN_SEMICOLON,
    TOKEN_COLON,
    TOKEN_ELLIPSIS,
    TOKEN_ASSIGN,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LT,
    TOKEN_LE,
    TOKEN_GT,
    TOKEN_GE,
    TOKEN_BAD /* the fault is set */
} token_kind;

typedef struct token {
    token_kind kind;
    span at;
    double number;
} token;

/* The token that begins at or after byte `from`; comments and blanks are passed over. */
token lexer_next(const source *in, size_t from, fault *f);

#endif
