/* reader.c: RFC 4180. Measuring and reading agree on what a record is: both go by the quotes, and where the quotes
 * are not as they should be, reading stops with an error, so it never finds more records than were measured. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autograd/op.h"
#include "nn/reader.h"

static const char where[] = "csv_read";

void *ag__scratch(ag_tape *t, ag_dtype dtype, int64_t rows, int64_t columns) {
    ag_tensor *x = ag_leaf(t, dtype, NULL, AG_SHAPE(rows, columns), AG_RECORDED);
    return x ? (void *)ag_data(x) : NULL; /* nobody else knows this leaf, so it may be written without ag_write */
}

bool ag__reader_fail(ag__reader *r, int64_t line, int64_t column, const char *format, ...) {
    char text[320];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0) text[0] = '\0';
    va_end(args);
    return ag_tape_fail(r->tape, AG_ERR_VALUE, where, "%s:%lld:%lld: %s", r->path, (long long)line, (long long)column,
                        text) != NULL;
}

/* All bytes of the file and one spare byte, by doubling, so that pipes can be read too. */
static bool slurp(ag__reader *r, FILE *file) {
    int64_t used = 0;
    for (int64_t room = 1 << 16;; room *= 2) {
        char *text = ag__scratch(r->tape, AG_BOOL, 1, room);
        if (!text) return false;
        if (used) memcpy(text, r->at, (size_t)used);
        r->at = text;
        used += (int64_t)fread(text + used, 1, (size_t)(room - 1 - used), file);
        r->end = text + used;
        if (ferror(file)) return ag_tape_fail(r->tape, AG_ERR_IO, where, "%s: %s", r->path, strerror(errno)) != NULL;
        if (used < room - 1) return true;
    }
}

/* Is the line [p, end) empty? */
static bool is_blank(const char *p, const char *end) { return p == end || (p + 1 == end && *p == '\r'); }

static bool measure(ag__reader *r) {
    bool quoted = false;
    int64_t separators = 0;
    const char *start = r->at;
    for (const char *p = r->at; p < r->end; p++) {
        if (*p == '"') quoted = !quoted;
        if (quoted) continue;
        if (*p == r->separator && r->records == 0) separators++;
        if (*p == '\n') {
            r->records += !is_blank(start, p);
            start = p + 1;
        }
    }
    r->records += !is_blank(start, r->end);
    if (separators >= INT_MAX) return ag__reader_fail(r, 1, 1, "the first line has too many fields");
    r->width = (int)separators + 1;
    return true;
}

bool ag__reader_open(ag__reader *r, ag_tape *t, const char *path, char separator) {
    *r = (ag__reader){.tape = t, .path = path, .separator = separator, .line = 1};
    FILE *file = fopen(path, "rb");
    if (!file) return ag_tape_fail(t, AG_ERR_IO, where, "%s: %s", path, strerror(errno)) != NULL;
    bool ok = slurp(r, file);
    fclose(file);
    if (!ok) return false;
    if (r->end - r->at >= 3 && !memcmp(r->at, "\xEF\xBB\xBF", 3)) r->at += 3;
    r->line_start = r->at;
    if (!measure(r)) return false;
    if (!r->records) return ag__reader_fail(r, 1, 1, "the file is empty");
    r->field = ag__scratch(t, AG_I64, r->width, (sizeof(ag__field) + sizeof(int64_t) - 1) / sizeof(int64_t));
    return r->field != NULL;
}

static void next_line(ag__reader *r, char *start) {
    r->line++;
    r->line_start = start;
}

static int64_t column(const ag__reader *r, const char *p) { return p - r->line_start + 1; }

static bool fail_nul(ag__reader *r, const char *p) {
    return ag__reader_fail(r, r->line, column(r, p), "a NUL byte: this is not a text file, or not in UTF-8");
}

/* Both read a field from r->at up to what ends it, and leave the end of its decoded text in *out. */
static bool read_plain(ag__reader *r, char **out) {
    char *p = r->at;
    for (; p < r->end && *p != r->separator && *p != '\n'; p++) {
        if (*p == '"')
            return ag__reader_fail(r, r->line, column(r, p),
                                   "a quote inside a field: put the field in quotes, and double this one");
        if (!*p) return fail_nul(r, p);
    }
    bool line_ends = p == r->end || *p == '\n';
    *out = line_ends && p > r->at && p[-1] == '\r' ? p - 1 : p;
    r->at = p;
    return true;
}

static bool read_quoted(ag__reader *r, const ag__field *f, char **out) {
    char *to = r->at, *p = r->at + 1;
    for (;; p++) {
        if (p == r->end) return ag__reader_fail(r, f->line, f->column, "the quote that opens here is never closed");
        if (!*p) return fail_nul(r, p);
        if (*p == '"' && *++p != '"') break;
        if (*p == '\n') next_line(r, p + 1);
        *to++ = *p;
    }
    char *after = p;
    if (p < r->end && *p == '\r') p++;
    if (p < r->end && *p != '\n' && (*p != r->separator || p > after)) {
        return ag__reader_fail(r, r->line, column(r, after),
                               "text behind a closing quote: a quote inside quotes is written twice");
    }
    *out = to;
    r->at = p;
    return true;
}

/* One field; *more tells whether another follows in the record. */
static bool read_field(ag__reader *r, ag__field *f, bool *more) {
    char *end = r->at;
    *f = (ag__field){.text = r->at, .line = r->line, .column = column(r, r->at)};
    if (!(r->at < r->end && *r->at == '"' ? read_quoted(r, f, &end) : read_plain(r, &end))) return false;
    *more = r->at < r->end && *r->at == r->separator;
    if (r->at < r->end && *r->at++ == '\n') next_line(r, r->at);
    *end = '\0';
    return true;
}

static bool skip_blank(ag__reader *r) {
    while (r->at < r->end) {
        char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
        if (!is_blank(r->at, newline ? newline : r->end)) return true;
        r->at = newline ? newline + 1 : r->end;
        next_line(r, r->at);
    }
    return false;
}

bool ag__reader_next(ag__reader *r) {
    if (!skip_blank(r)) return false;
    int64_t line = r->line, n = 0;
    for (bool more = true; more; n++) {
        ag__field extra;
        if (!read_field(r, n < r->width ? &r->field[n] : &extra, &more)) return false;
    }
    if (n == r->width) return true;
    return ag__reader_fail(r, line, 1, "%lld field%s where the first line has %d", (long long)n, n == 1 ? "" : "s",
                           r->width);
}
