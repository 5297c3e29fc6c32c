/* value.c: bindings, from text and from files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autograd/op.h"
#include "nn/nn.h"
#include "value.h"

enum { COLUMNS = 256 };

char *file_read(const char *path, size_t *size, fault *f) {
    FILE *in = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    size_t used = 0, room = 1 << 16;
    char *bytes = in ? malloc(room) : NULL;
    if (!in) {
        fault_say(f, EXIT_FILE, "%s: %s", path, strerror(errno));
        return NULL;
    }
    while (bytes) {
        used += fread(bytes + used, 1, room - 1 - used, in);
        if (used < room - 1) break;
        char *moved = room <= SIZE_MAX / 4 ? realloc(bytes, 2 * room) : NULL;
        if (!moved) free(bytes);
        bytes = moved;
        room *= 2;
    }
    bool broken = ferror(in);
    if (!bytes) fault_memory(f);
    else if (broken) fault_say(f, EXIT_FILE, "%s: %s", path, strerror(errno));
    if (in != stdin) fclose(in);
    if (bytes && broken) {
        free(bytes);
        return NULL;
    }
    if (bytes) bytes[used] = '\0';
    *size = used;
    return bytes;
}

/* CSV */

/* Does the first line hold anything but numbers? */
static bool has_header(const char *bytes) {
    const char *p = bytes;
    if (!strncmp(p, "\xEF\xBB\xBF", 3)) p += 3;
    p += strspn(p, "\r\n");
    for (;;) {
        char *end;
        p += strspn(p, " \t\"");
        strtod(p, &end);
        if (end == p) return true;
        end += strspn(end, " \t\"\r");
        if (*end == '\n' || *end == '\0') return false;
        if (*end != ',') return true;
        p = end + 1;
    }
}

/* Bytes in a file of their own, for a reader that opens files; the name is written to path. */
static bool spool(const char *bytes, size_t size, char path[64], fault *f) {
    strcpy(path, "/tmp/autograd-XXXXXX");
    int fd = mkstemp(path);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");
    bool good = out && fwrite(bytes, 1, size, out) == size;
    good = out && !fclose(out) && good;
    if (good) return true;
    if (fd >= 0) unlink(path);
    return fault_say(f, EXIT_FILE, "%s: %s", path, strerror(errno));
}

static ag_tensor *read_table(evaluator *e, const char *path, const ag_csv_options *o) {
    const ag_table *table = ag_csv_read(e->tape, path, o);
    if (table && o->label && !o->columns) return table->label;
    return table ? table->x : NULL;
}

/* columns: "a,b", or NULL for all; is cut up. A single column of words is read as labels. */
static ag_tensor *csv_read(evaluator *e, const char *path, bool header, char *columns, fault *f) {
    const char *name[COLUMNS];
    ag_csv_options o = ag_csv_defaults();
    o.header = header;
    o.dtype = e->dtype;
    for (char *p = columns, *next; p; p = next) {
        next = strchr(p, ',');
        if (next) *next++ = '\0';
        if (o.column_count == COLUMNS) {
            fault_say(f, EXIT_USAGE, "more than %d columns are named", COLUMNS);
            return NULL;
        }
        name[o.column_count++] = p;
        o.columns = name;
    }
    ag_tensor *x = read_table(e, path, &o);
    if (!x && o.column_count == 1 && ag_tape_status(e->tape) == AG_ERR_VALUE) {
        char first[512];
        snprintf(first, sizeof first, "%s", ag_tape_message(e->tape));
        ag_tape_clear(e->tape);
        o.label = name[0];
        o.columns = NULL;
        o.column_count = 0;
        x = read_table(e, path, &o);
        if (!x) ag_tape_clear(e->tape);
        if (!x) ag_tape_fail(e->tape, AG_ERR_VALUE, NULL, "%s", first);
    }
    if (!x) {
        fault_library(f, EXIT_FILE, ag_tape_message(e->tape));
        ag_tape_clear(e->tape);
    }
    return x;
}

/* The table's tensor is the tape's already; what the user bound gets a leaf of its own, with a name. */
static ag_tensor *copy_leaf(evaluator *e, const ag_tensor *x, fault *f) {
    ag_dtype dtype = ag_dtype_of(x);
    size_t bytes = (size_t)ag_size(x) * ag_dtype_size(dtype);
    void *data = malloc(bytes + 1);
    bool is_float = dtype == AG_F32 || dtype == AG_F64;
    ag_tensor *y = NULL;
    if (data && ag_read(x, data)) y = ag_leaf(e->tape, dtype, data, ag_shape_of(x), is_float ? AG_REQUIRES_GRAD : 0);
    free(data);
    if (!y) fault_say(f, EXIT_MEMORY, "%s", ag_tape_status(e->tape) ? ag_tape_message(e->tape) : "out of memory");
    return y;
}

static ag_tensor *from_file(evaluator *e, const char *where, fault *f) {
    struct stat about;
    char path[4096], temporary[64], *columns = NULL;
    size_t size = 0;
    if (snprintf(path, sizeof path, "%s", where) >= (int)sizeof path) {
        fault_say(f, EXIT_FILE, "%s: the path is too long", where);
        return NULL;
    }
    if (strcmp(path, "-") && stat(path, &about) && (columns = strrchr(path, ':')) != NULL) *columns++ = '\0';
    char *bytes = file_read(path, &size, f);
    if (!bytes) return NULL;
    ag_tensor *x = NULL;
    if (npy_recognised(bytes, size)) {
        x = npy_read(e->tape, e->dtype, path, bytes, size, f);
    } else if (memchr(bytes, '\0', size)) {
        fault_say(f, EXIT_FILE, "%s: neither text nor a .npy file", path);
    } else if (strcmp(path, "-") && !stat(path, &about) && S_ISREG(about.st_mode)) {
        x = csv_read(e, path, columns || has_header(bytes), columns, f);
    } else if (spool(bytes, size, temporary, f)) {
        x = csv_read(e, temporary, columns || has_header(bytes), columns, f);
        unlink(temporary);
    }
    free(bytes);
    return x ? copy_leaf(e, x, f) : NULL;
}

static ag_tensor *from_text(const evaluator *e, const char *name, const char *typed, fault *f) {
    evaluator numbers = {.tape = e->tape, .dtype = e->dtype};
    source in = {name, typed, strlen(typed)};
    program p;
    ag_tensor *x = NULL;
    if (!*typed)
        fault_say(f, EXIT_USAGE, "%s= has no value; write %s=2, %s='[1, 2]' or %s=@file.csv", name, name, name, name);
    else if (program_parse(&p, &in, f) && (x = eval_program(&numbers, &p, &in, f)) != NULL)
        x = copy_leaf(&numbers, x, f);
    if (*typed) program_free(&p);
    return x;
}

ag_tensor *value_read(evaluator *e, const char *name, const char *typed, fault *f) {
    if (typed[0] == '@' && !typed[1]) {
        fault_say(f, EXIT_USAGE, "%s=@ names no file; write %s=@points.csv", name, name);
        return NULL;
    }
    if (typed[0] == '@') return from_file(e, typed + 1, f);
    return strcmp(typed, "-") ? from_text(e, name, typed, f) : from_file(e, typed, f);
}

static size_t name_length(const char *s) {
    size_t n = 0;
    while ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') || s[n] == '_' || (n && s[n] >= '0' && s[n] <= '9'))
        n++;
    return n;
}

bool value_is_pair(const char *argument) {
    size_t n = name_length(argument);
    return n && argument[n] == '=' && argument[n + 1] != '=';
}

bool value_bind(evaluator *e, const char *pair, fault *f) {
    size_t n = name_length(pair);
    binding *moved = realloc(e->bindings, ((size_t)e->count + 1) * sizeof *moved);
    if (!moved) return fault_memory(f);
    e->bindings = moved;
    binding *b = &moved[e->count];
    *b = (binding){.name = strndup(pair, n)};
    if (!b->name) return fault_memory(f);
    e->count++;
    for (int i = 0; i + 1 < e->count; i++) {
        if (!strcmp(e->bindings[i].name, b->name))
            return fault_say(f, EXIT_USAGE, "'%s' is given a value twice", b->name);
    }
    if (!strcmp(b->name, "let")) return fault_say(f, EXIT_USAGE, "'let' is a word of the language, not a name");
    b->from = (source){b->name, pair + n + 1, strlen(pair + n + 1)};
    b->x = value_read(e, b->name, pair + n + 1, f);
    if (b->x) ag_set_name(b->x, b->name);
    return b->x != NULL;
}

void value_free(evaluator *e) {
    for (int i = 0; i < e->count; i++) free(e->bindings[i].name);
    free(e->bindings);
    e->bindings = NULL;
    e->count = 0;
}
