/* text.h: text that grows, numbers as text, tables.
 *
 *     text out = {0};
 *     text_printf(&out, "%d rows\n", n);
 *     text_free(&out);
 *
 * A command composes its whole result in one text and writes it at the end, so that nothing is half printed. Running
 * out of memory is remembered in `failed` and asked for once, at the end; what was written until then stays readable.
 *
 * The program never calls setlocale, so the C library reads and writes numbers with a point everywhere.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct text {
    char *at; /* NUL-terminated; NULL while empty */
    size_t size, room;
    bool failed;
} text;

void text_put(text *t, const char *s);
void text_add(text *t, const char *s, size_t n);
void text_repeat(text *t, char c, int n);
__attribute__((__format__(__printf__, 2, 3))) void text_printf(text *t, const char *format, ...);
const char *text_of(const text *t); /* "" when there is none */
void text_free(text *t);

enum { PEOPLE = 10, EXACT = 17, NUMBER_ROOM = 32 };

/* v in the fewest of at most `digits` significant digits that say as much as all of them; EXACT reads back as the
 * same bits. With fewer, −0 is 0. Returns out, of NUMBER_ROOM bytes. */
const char *number_text(double v, int digits, char *out);
void text_number(text *t, double v, int digits);

/* JSON: a string; a number, or "nan", "inf", "-inf" as strings, which JSON has no numbers for. */
void text_json_string(text *t, const char *s);
void text_json_number(text *t, double v);

/* How many columns s takes on a terminal: characters, not bytes. */
int text_width(const char *s);

/* Columns aligned by their widest cell. Cells end with '\t', rows with '\n'; a cell that begins with '>' goes to the
 * right. Appends the rows to `out`, each led by `indent`. */
void text_table(text *out, const char *rows, const char *indent);

/* The words of s in lines of `columns`, each led by `indent` blanks. */
void text_wrap(text *out, const char *s, int indent, int columns);

/* A single line of s, for messages: control characters become spaces. */
void text_line(text *t, const char *s, size_t n);

#endif
