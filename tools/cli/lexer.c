/* lexer.c: one token at a time, from any byte on. What other languages write differently gets a message that says how
 * it is written here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "habits.h"
#include "lexer.h"
#include "text.h"

enum { LONGEST_NUMBER = 400 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static const struct mark {
    const char *text;
    token_kind kind;
} marks[] = {
    /* longer ones before their beginnings */
    {"...", TOKEN_ELLIPSIS}, {"==", TOKEN_EQ},   {"!=", TOKEN_NE},       {"<=", TOKEN_LE},   {">=", TOKEN_GE},
    {"+", TOKEN_PLUS},       {"-", TOKEN_MINUS}, {"*", TOKEN_STAR},      {"/", TOKEN_SLASH}, {"@", TOKEN_AT},
    {"^", TOKEN_CARET},      {"'", TOKEN_QUOTE}, {"(", TOKEN_OPEN},      {")", TOKEN_CLOSE}, {"[", TOKEN_OPEN_LIST},
    {"]", TOKEN_CLOSE_LIST}, {",", TOKEN_COMMA}, {";", TOKEN_SEMICOLON}, {":", TOKEN_COLON}, {"=", TOKEN_ASSIGN},
    {"<", TOKEN_LT},         {">", TOKEN_GT},    {"\n", TOKEN_LINE},
};

static const struct foreign {
    const char *text, *message;
} foreigners[] = {
    {"**", "a power is written 'x^2', not 'x**2'"},
    {".*", "'*' multiplies element by element; the matrix product is '@'"},
    {"./", "'/' divides element by element; write it without the point"},
    {".^", "'^' works element by element; write it without the point"},
    {"//", "there is no '//'; the quotient rounded down is floor_divide(a, b), and a comment begins with '#'"},
    {"&&", "there is no '&&'; multiply the comparisons: (a < b) * (b < c)"},
    {"&", "there is no '&'; multiply the comparisons: (a < b) * (b < c)"},
    {"||", "there is no '||'; write logical_or(a, b)"},
    {"|", "there is no '|'; the absolute value is abs(x), one or the other logical_or(a, b)"},
    {"%", "there is no '%'; the remainder is remainder(a, b), and a comment begins with '#'"},
    {"!", "there is no '!'; not equal is '!=', logical_not(c) negates, the factorial is exp(lgamma(x + 1))"},
    {"~", "there is no '~'; logical_not(c) negates"},
    {"<>", "not equal is '!='"},
    {"=<", "less or equal is '<='"},
    {"=>", "greater or equal is '>='"},
    {":=", "'let y = …' gives a name its value"},
    {"->", "write the expression itself, with values for its names behind it"},
    {"?", "there is no '?'; write where(condition, a, b)"},
    {"{", "there is no '{'; lists are written [1, 2, 3]"},
    {"}", "there is no '}'; lists are written [1, 2, 3]"},
    {"$", "there is no '$'; in the shell, put the expression between single quotes"},
    {"\\", "there is no '\\'; a statement may go on in the next line after an operator or inside brackets"},
    {"−", "this is not the minus sign of the keyboard; write '-'"},
    {"–", "this is a dash; write '-'"},
    {"×", "write '*' to multiply, '@' for the matrix product"},
    {"·", "write '*' to multiply, '@' for the matrix product"},
    {"÷", "write '/' to divide"},
    {"²", "write 'x^2'"},
    {"³", "write 'x^3'"},
    {"√", "write sqrt(x)"},
    {"π", "write 'pi'"},
    {"∞", "write 'inf'"},
    {"Σ", "write sum(x)"},
    {"∑", "write sum(x)"},
    {"∏", "write prod(x)"},
    {"σ", "write sigmoid(x)"},
    {"∇", "gradients are what 'autograd grad' prints"},
    {"∂", "gradients are what 'autograd grad' prints"},
    {"ᵀ", "the transpose is x' or x.T"},
    {"“", "this is a typographic quote; write \""},
    {"”", "this is a typographic quote; write \""},
    {"’", "this is a typographic quote; write '"},
    {"‘", "this is a typographic quote; write '"},
    {"≤", "write '<='"},
    {"≥", "write '>='"},
    {"≠", "write '!='"},
};

static bool starts(const source *in, size_t at, const char *with) {
    size_t n = strlen(with);
    return in->size - at >= n && !memcmp(in->text + at, with, n);
}

static size_t skip_blanks(const source *in, size_t at) {
    while (at < in->size) {
        char c = in->text[at];
        if (c == '#') {
            while (at < in->size && in->text[at] != '\n') at++;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            at++;
        } else {
            break;
        }
    }
    return at;
}

static token bad(token t, const source *in, fault *f, const char *message) {
    fault_set(f, EXIT_USAGE, in, t.at, "%s", message);
    t.kind = TOKEN_BAD;
    return t;
}

static size_t digits(const source *in, size_t at) {
    while (at < in->size && is_digit(in->text[at])) at++;
    return at;
}

/* 1  1.5  1.  .5  1e-3 */
static token number(const source *in, size_t from, fault *f) {
    token t = {.kind = TOKEN_NUMBER};
    size_t at = digits(in, from);
    bool elided = starts(in, at, "..."), transposed = starts(in, at, ".T"),
         foreign = at > from && at + 1 < in->size && in->text[at] == '.' && memchr("*/^", in->text[at + 1], 3);
    if (at < in->size && in->text[at] == '.' && !elided && !transposed && !foreign) at = digits(in, at + 1);
    if (at < in->size && (in->text[at] == 'e' || in->text[at] == 'E')) {
        size_t sign = at + 1 < in->size && (in->text[at + 1] == '+' || in->text[at + 1] == '-');
        size_t end = digits(in, at + 1 + sign);
        if (end > at + 1 + sign) at = end;
    }
    t.at = (span){from, at};
    char copy[LONGEST_NUMBER + 1];
    if (at - from > LONGEST_NUMBER) return bad(t, in, f, "this number has too many digits");
    memcpy(copy, in->text + from, at - from);
    copy[at - from] = '\0';
    t.number = strtod(copy, NULL);
    if (isinf(t.number)) return bad(t, in, f, "this number is larger than 1.8e308; infinity is written 'inf'");
    return t;
}

/* "…" on one line; a backslash takes the next character with it. */
static token quoted(const source *in, size_t from, fault *f) {
    token t = {.kind = TOKEN_TEXT, .at = {from, from + 1}};
    size_t at = from + 1;
    while (at < in->size && in->text[at] != '"' && in->text[at] != '\n') at += 1 + (in->text[at] == '\\');
    if (at >= in->size || in->text[at] != '"') return bad(t, in, f, "a text ends with '\"' on the same line");
    if (memchr(in->text + from, '\0', at - from)) return bad(t, in, f, "a text cannot hold the byte 0x00");
    t.at.end = at + 1;
    return t;
}

static token unknown(const source *in, token t, fault *f) {
    unsigned char c = (unsigned char)in->text[t.at.start];
    size_t n = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    if (n > in->size - t.at.start) n = in->size - t.at.start;
    t.at.end = t.at.start + n;
    t.kind = TOKEN_BAD;
    char hint[128] = "";
    if (c == '.') habit_of_point(in, t.at.start, hint, sizeof hint);
    if (*hint) {
        fault_set(f, EXIT_USAGE, in, t.at, "%s", hint);
    } else if (c < 0x20 || c == 0x7F || (c >= 0x80 && n == 1)) {
        fault_set(f, EXIT_USAGE, in, t.at, "the byte 0x%02x cannot stand here", c);
    } else {
        fault_set(f, EXIT_USAGE, in, t.at, "the character '%.*s' means nothing here; names are letters, digits and '_'",
                  (int)n, in->text + t.at.start);
    }
    return t;
}

token lexer_next(const source *in, size_t from, fault *f) {
    size_t at = skip_blanks(in, from);
    token t = {.at = {at, at}};
    if (at >= in->size) return t;
    char c = in->text[at], next = '\0';
    if (at + 1 < in->size) next = in->text[at + 1];
    if (is_digit(c) || (c == '.' && is_digit(next))) return number(in, at, f);
    if (is_letter(c)) {
        while (at < in->size && (is_letter(in->text[at]) || is_digit(in->text[at]))) at++;
        t.at.end = at;
        t.kind = TOKEN_NAME;
        return t;
    }
    if (c == '"') return quoted(in, at, f);
    if (c == '.' && next == 'T') {
        t.at.end = at + 2;
        t.kind = TOKEN_DOT_T;
        if (t.at.end >= in->size || !(is_letter(in->text[t.at.end]) || is_digit(in->text[t.at.end]))) return t;
    }
    for (size_t i = 0; !starts(in, at, "!=") && i < sizeof foreigners / sizeof *foreigners; i++) {
        if (!starts(in, at, foreigners[i].text)) continue;
        t.at.end = at + strlen(foreigners[i].text);
        return bad(t, in, f, foreigners[i].message);
    }
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!starts(in, at, marks[i].text)) continue;
        t.at.end = at + strlen(marks[i].text);
        t.kind = marks[i].kind;
        return t;
    }
    return unknown(in, t, f);
}
