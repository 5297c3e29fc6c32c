/* drawing.h: a folder of its own for each test, what a drawing says there, and two graphs to draw. */
#ifndef TESTS_AUTOGRAD_DRAWING_H
#define TESTS_AUTOGRAD_DRAWING_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "make.h"
#include "nn/nn.h"
#include "ops/ops.h"

/* A folder of its own for each test */

static char folder[64];

static inline const char *in_folder(const char *name) {
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static inline void make_folder(void) {
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/ag-dot-XXXXXX", parent && strlen(parent) < 40 ? parent : "/tmp");
    cr_assert(mkdtemp(folder));
}

/* The names in the folder, each followed by a space, in the order of the alphabet. */
static inline const char *listing(void) {
    static char text[1024];
    struct dirent **entry;
    int n = scandir(folder, &entry, NULL, alphasort);
    cr_assert_geq(n, 0);
    text[0] = '\0';
    for (int i = 0; i < n; i++) {
        bool self = !strcmp(entry[i]->d_name, ".") || !strcmp(entry[i]->d_name, "..");
        size_t used = strlen(text);
        if (!self) snprintf(text + used, sizeof text - used, "%s ", entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return text;
}

static inline void remove_folder(void) {
    char *at = strdup(listing());
    for (char *rest = at, *name; (name = strtok_r(rest, " ", &rest));) remove(in_folder(name));
    free(at);
    rmdir(folder);
}

static inline char *text_of(const char *path) {
    static char *text;
    FILE *in = fopen(path, "rb");
    cr_assert(in, "%s is missing", path);
    fseek(in, 0, SEEK_END);
    long size = ftell(in);
    rewind(in);
    free(text);
    text = calloc(1, (size_t)size + 1);
    cr_assert_eq(fread(text, 1, (size_t)size, in), (size_t)size);
    fclose(in);
    return text;
}

static inline void write_file(const char *path, const char *text, mode_t mode) {
    FILE *out = fopen(path, "w");
    cr_assert(out && fputs(text, out) >= 0 && !fclose(out) && !chmod(path, mode));
}

static inline char *drawn(ag_tensor *y, const ag_dot_options *o) {
    cr_assert(y, "%s", ag_last_message());
    cr_assert(ag_dot_write(y, in_folder("graph.dot"), o), "%s", ag_last_message());
    return text_of(in_folder("graph.dot"));
}

#define assert_shows(text, part) cr_assert(strstr(text, part), "no '%s' in:\n%s", part, text)
#define assert_hides(text, part) cr_assert(!strstr(text, part), "'%s' in:\n%s", part, text)

/* The bones of a drawing: a line per node, cluster and edge, labels as plain text */

static inline void put_label(FILE *out, const char *s) {
    bool blank = true;
    for (; *s && strncmp(s, ">];", 3); s++) {
        if (*s == '<') {
            blank = blank || !strncmp(s, "<td", 3) || !strncmp(s, "<br", 3);
            s += strcspn(s, ">");
        } else if (*s == ' ' || !strncmp(s, "&#160;", 6)) {
            blank = true;
            s += *s == '&' ? 5 : 0;
        } else {
            fprintf(out, "%s%c", blank ? " " : "", *s);
            blank = false;
        }
    }
}

static inline const char *bones(char *text) {
    static char *found;
    size_t size;
    free(found);
    FILE *out = open_memstream(&found, &size);
    char *rest = strstr(text, "edge ["), *line;
    strtok_r(rest, "\n", &rest);
    while ((line = strtok_r(rest, "\n", &rest))) {
        const char *label = strstr(line, "label=<");
        line += strspn(line, " ");
        if (!strncmp(line, "subgraph", 8)) continue;
        if (label) {
            bool edge = strstr(line, " -> ") && strstr(line, " -> ") < label;
            fprintf(out, "%.*s", (int)strcspn(line, edge ? "[" : " [") - edge, line);
            put_label(out, label + strlen("label=<"));
            fputs(*line == 'g' ? " {\n" : "\n", out);
        } else {
            size_t n = strcspn(line, ";[");
            fprintf(out, "%.*s\n", (int)(n - (n && line[n - 1] == ' ')), line);
        }
    }
    fclose(out);
    return found;
}

/* Graphs */

static inline ag_tensor *constant(ag_tape *t, const char *name, double value) {
    return ag_set_name(ag_leaf(t, AG_F64, &value, AG_SHAPE(), 0), name);
}

static inline ag_tensor *named(ag_tape *t, const char *name, double value) {
    return ag_set_name(number(t, value), name);
}

/* log(1 + exp(−y (w x + b))) */
static inline ag_tensor *logistic(ag_tape *t) {
    ag_tensor *w = named(t, "w", 0.5), *b = named(t, "b", -1), *x = constant(t, "x", 2), *y = constant(t, "y", 1);
    ag_tensor *one = ag_scalar(t, AG_F64, 1);
    ag_tensor *margin = ag_mul(ag_neg(y), ag_add(ag_mul(w, x), b));
    return ag_set_name(ag_log(ag_add(one, ag_exp(margin))), "loss");
}

static inline ag_tensor *network(ag_tape *t) {
    ag_module *net = ag_nn_sequential(t, NULL, 0);
    ag_nn_append(net, ag_nn_linear(t, 4, 16, true));
    ag_nn_append(net, ag_nn_tanh(t));
    ag_nn_append(net, ag_nn_linear(t, 16, 3, true));
    int64_t label[5] = {0, 1, 2, 0, 1};
    ag_tensor *x = ag_set_name(ag_buffer(t, AG_F32, AG_SHAPE(5, 4)), "x"), *y = ag_from_i64(t, label, AG_SHAPE(5));
    return ag_set_name(ag_cross_entropy(ag_module_forward(net, x), y), "loss");
}

#endif
