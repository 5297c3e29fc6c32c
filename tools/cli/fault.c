/* fault.c: one line of message, one line of source, one line of caret. */
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "fault.h"
#include "text.h"

enum { EXCERPT = 100 /* columns of source shown */, BEFORE = 60 /* of them left of the caret */ };

static bool set(fault *f, int code, const source *in, span at, const char *format, va_list args) {
    if (f->code) return false;
    f->code = code;
    if (in) f->in = *in;
    f->at = at;
    if (vsnprintf(f->message, sizeof f->message, format, args) < 0) f->message[0] = '\0';
    return false;
}

bool fault_set(fault *f, int code, const source *in, span at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    set(f, code, in, at, format, args);
    va_end(args);
    return false;
}

bool fault_say(fault *f, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    set(f, code, NULL, (span){0, 0}, format, args);
    va_end(args);
    return false;
}

bool fault_library(fault *f, int code, const char *message) {
    static const char *const callers[] = {"csv_read: ", "dot_render: ", "dot: ", "graph_load: "};
    for (size_t i = 0; i < sizeof callers / sizeof *callers; i++) { /* names of functions mean nothing on a command line */
        if (!strncmp(message, callers[i], strlen(callers[i]))) message += strlen(callers[i]);
    }
    return fault_say(f, code, "%s", message);
}

bool fault_memory(fault *f) { return fault_say(f, EXIT_MEMORY, "out of memory"); }

bool fault_tape(fault *f, ag_tape *tape, const source *in, span at) {
    ag_status status = ag_tape_status(tape);
    int code = status == AG_ERR_MEMORY ? EXIT_MEMORY : status == AG_ERR_IO ? EXIT_FILE : EXIT_VALUE;
    fault_set(f, code, in, at, "%s", status ? ag_tape_message(tape) : "failed without saying why");
    ag_tape_clear(tape);
    return false;
}

/* Characters in s[from, to) */
static int characters(const char *s, size_t from, size_t to) {
    int n = 0;
    for (size_t i = from; i < to; i++) n += ((unsigned char)s[i] & 0xC0) != 0x80;
    return n;
}

/* Moves by n characters from `at`, staying in [lo, hi]. */
static size_t step(const char *s, size_t at, int n, size_t lo, size_t hi) {
    for (; n > 0 && at < hi; n--) {
        do at++;
        while (at < hi && ((unsigned char)s[at] & 0xC0) == 0x80);
    }
    for (; n < 0 && at > lo; n++) {
        do at--;
        while (at > lo && ((unsigned char)s[at] & 0xC0) == 0x80);
    }
    return at;
}

static void print_excerpt(const fault *f, size_t line, size_t end, FILE *out) {
    const char *s = f->in.text;
    size_t from = line, to = end, start = f->at.start > end ? end : f->at.start;
    if (characters(s, line, end) > EXCERPT) {
        from = step(s, start, -BEFORE, line, end);
        to = step(s, from, EXCERPT, line, end);
    }
    text shown = {0};
    text_put(&shown, from > line ? "    …" : "    ");
    text_line(&shown, s + from, to - from);
    text_put(&shown, to < end ? "…\n    " : "\n    ");
    text_repeat(&shown, ' ', characters(s, from, start) + (from > line));
    size_t stop = f->at.end < to ? f->at.end : to;
    text_put(&shown, "^");
    text_repeat(&shown, '~', stop > start ? characters(s, start, stop) - 1 : 0);
    text_put(&shown, "\n");
    fputs(text_of(&shown), out);
    text_free(&shown);
}

void fault_print(const fault *f, FILE *out) {
    if (!f->in.text) {
        fprintf(out, "autograd: %s\n", f->message);
        return;
    }
    size_t line = 0, number = 1, size = f->in.size, at = f->at.start > size ? size : f->at.start;
    if (at == size) { /* what is missing at the end is missing in the last line that has something */
        while (size && f->in.text[size - 1] == '\n') size--;
        at = size;
    }
    for (size_t i = 0; i < at; i++) {
        if (f->in.text[i] != '\n') continue;
        line = i + 1;
        number++;
    }
    size_t end = line;
    while (end < size && f->in.text[end] != '\n') end++;
    fprintf(out, "%s:%zu:%d: %s\n", f->in.name, number, characters(f->in.text, line, at) + 1, f->message);
    if (size) print_excerpt(f, line, end, out);
}

/* Edits from a to b: a letter added, dropped, replaced, or two swapped (Damerau 1964). Case does not count. */
static int distance(const char *a, const char *b) {
    enum { LONGEST = 40 };
    int row[3][LONGEST + 1];
    size_t m = strlen(a), n = strlen(b);
    if (m > LONGEST || n > LONGEST) return LONGEST;
    for (size_t i = 0; i <= m; i++) {
        int *now = row[i % 3], *above = row[(i + 2) % 3], *higher = row[(i + 1) % 3];
        for (size_t j = 0; j <= n; j++) {
            if (!i || !j) {
                now[j] = (int)(i + j);
                continue;
            }
            bool same = !strncasecmp(a + i - 1, b + j - 1, 1);
            int least = above[j - 1] + !same;
            if (above[j] + 1 < least) least = above[j] + 1;
            if (now[j - 1] + 1 < least) least = now[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && higher[j - 2] + 1 < least) least = higher[j - 2] + 1;
            now[j] = least;
        }
    }
    return row[m % 3][n];
}

nearest nearest_begin(const char *word) {
    size_t n = strlen(word);
    return (nearest){.word = word, .distance = n < 3 ? 2 : n < 6 ? 3 : 4}; /* less than this is near */
}

void nearest_try(nearest *n, const char *name) {
    int d = distance(n->word, name);
    if (d >= n->distance || d >= (int)strlen(n->word)) return;
    if (d > 1 && strlen(name) < strlen(n->word)) return; /* ne for nope: nobody types letters too many twice */
    n->distance = d;
    n->best = name;
}
