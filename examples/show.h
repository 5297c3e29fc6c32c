/* show.h: what the examples have in common and what is not about learning: options, printing, the picture. */
#ifndef EXAMPLES_SHOW_H
#define EXAMPLES_SHOW_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "autograd/autograd.h"
#include "autograd/inspect.h"

static bool quiet;          /* with --check only the last line is printed */
static const char *picture; /* where to draw the graph */

#define SAY(...) (quiet ? (void)0 : (void)printf(__VA_ARGS__))

/* Reads the options; on −1 the program goes on, else it ends with this code. `draws`: does it know -o? */
static inline int options(int argc, char **argv, const char *about, bool draws) {
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--check")) {
            quiet = true;
        } else if (draws && !strcmp(argv[i], "-o") && i + 1 < argc) {
            picture = argv[++i];
        } else {
            printf("usage: %s [--check]%s\n%s\n", argv[0], draws ? " [-o PICTURE.svg|.png|.pdf|.dot]" : "", about);
            printf("--check: print one line, and end with an error if the result is not as it should be\n");
            return strcmp(argv[i], "--help") != 0;
        }
    }
    return -1;
}

/* The width that printf needs for text to fill `columns`, as it counts the bytes of letters such as λ. */
static inline int width(const char *text, int columns) {
    for (; *text; text++) columns += ((unsigned char)*text & 0xC0) == 0x80;
    return columns;
}

/* Shape, mean and size of the elements, in one line */
static inline void describe(const char *prefix, const char *name, const ag_tensor *x) {
    char shape[32] = "";
    double sum = 0, square = 0, n = (double)ag_size(x);
    for (int64_t i = 0; i < ag_size(x); i++) {
        sum += ag_at(x, i);
        square += ag_at(x, i) * ag_at(x, i);
    }
    int used = snprintf(shape, sizeof shape, "%lld", (long long)ag_dim(x, 0));
    if (ag_rank(x) > 1) snprintf(shape + used, sizeof shape - (size_t)used, " × %lld", (long long)ag_dim(x, 1));
    SAY("     %s%-10s %-*s   mean %8.4f   root mean square %7.4f\n", prefix, name, width(shape, 7), shape, sum / n,
        sqrt(square / n));
}

/* The first rows of a matrix, under the names of its columns */
static inline void show_rows(const ag_tensor *x, const char *what, int64_t rows, const char *const *column) {
    SAY("              ");
    for (int64_t k = 0; k < ag_dim(x, 1); k++) SAY("%14s", column[k]);
    SAY("\n");
    for (int64_t i = 0; i < rows; i++) {
        SAY("     %s %lld ", what, (long long)i + 1);
        for (int64_t k = 0; k < ag_dim(x, 1); k++) SAY("%14.4f", ag_at(x, i * ag_dim(x, 1) + k));
        SAY("\n");
    }
}

static inline void draw(ag_tensor *y, const char *path) {
    if (ag_dot_render(y, path, NULL)) {
        SAY("The graph is drawn in %s.\n", path);
        return;
    }
    char text[512];
    ag_tape *t = ag_tape_of(y);
    SAY("No picture: %s.\n", ag_tape_message(t));
    ag_tape_clear(t);
    snprintf(text, sizeof text, "%s.dot", path);
    if (ag_dot_write(y, text, NULL)) SAY("The graph is described in %s, for Graphviz to draw.\n", text);
}

/* The last line, and the end of the tape. Returns the exit code. */
static inline int finish(ag_tape *t, const char *name, bool good, const char *format, ...) {
    if (ag_tape_status(t)) fprintf(stderr, "%s: %s\n", name, ag_tape_message(t));
    good = good && ag_tape_status(t) == AG_OK;
    printf("%s%s: %s, ", quiet ? "" : "\n", name, good ? "ok" : "FAILED");
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    ag_tape_free(t);
    return !good;
}

#endif
