/* csv.c: a CSV file as tensors.
 *
 *     sepal,petal,species            x (2,2) = 5.1 1.4     label (2) = 0     classes: setosa, virginica
 *     5.1,1.4,setosa        ⟶                  6.3 6.0                 1
 *     6.3,6.0,virginica
 *
 * Everything is gathered in scratch memory first and becomes persistent only when the whole file has proved good: an
 * error leaves nothing behind. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "nn/nn.h"
#include "nn/reader.h"

static const char where[] = "csv_read";

typedef struct class_set { /* texts met so far, numbered; open addressing */
    const char **text;     /* [count] */
    int64_t *slot;         /* [mask + 1]: number + 1, 0: free */
    int64_t mask;
    int count;
} class_set;

typedef struct plan { /* what goes where */
    ag_csv_options options;
    const char **name; /* [reader.width], of the file's columns */
    int columns;
    int *source; /* [columns]: the file's column of each number column */
    int label;   /* likewise of the label; −1: none */
    int64_t rows;
    void *x;    /* (rows, columns) */
    int64_t *y; /* (rows) */
    class_set classes;
} plan;

ag_csv_options ag_csv_defaults(void) {
    return (ag_csv_options){.size = sizeof(ag_csv_options), .separator = ',', .header = true, .dtype = AG_F32};
}

/* Room for n pointers or other items of at most 8 bytes. */
static void *items(ag_tape *t, int64_t n) { return ag__scratch(t, AG_I64, 1, n); }

/* Columns */

static bool name_columns(ag__reader *r, plan *p) {
    p->name = items(r->tape, r->width);
    if (!p->name) return false;
    if (p->options.header) {
        if (!ag__reader_next(r)) return false;
        for (int i = 0; i < r->width; i++) p->name[i] = r->field[i].text;
        return true;
    }
    enum { DIGITS = 12 };
    char *text = ag__scratch(r->tape, AG_BOOL, r->width, DIGITS);
    for (int i = 0; text && i < r->width; i++, text += DIGITS) {
        snprintf(text, DIGITS, "%d", i + 1);
        p->name[i] = text;
    }
    return text != NULL;
}

/* The number of the column called `name`; −1 after an error. */
static int find_column(ag__reader *r, const plan *p, const char *name) {
    int found = -1;
    for (int i = 0; name && i < r->width; i++) {
        if (strcmp(p->name[i], name)) continue;
        if (found >= 0) {
            ag_tape_fail(r->tape, AG_ERR_VALUE, where, "%s: two columns are called '%s'", r->path, name);
            return -1;
        }
        found = i;
    }
    if (found >= 0) return found;
    char known[200] = "";
    size_t used = 0;
    for (int i = 0; i < r->width && used < sizeof known; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s'%s'", i ? ", " : "", p->name[i]);
    }
    ag_tape_fail(r->tape, AG_ERR_ARGUMENT, where, "%s: no column is called '%s'; there are %s%s", r->path,
                 name ? name : "(NULL)", known, used < sizeof known ? "" : " …");
    return -1;
}

static bool choose_columns(ag__reader *r, plan *p) {
    const ag_csv_options *o = &p->options;
    p->label = o->label ? find_column(r, p, o->label) : -1;
    if (o->label && p->label < 0) return false;
    p->source = items(r->tape, o->columns ? o->column_count : r->width);
    if (!p->source) return false;
    if (!o->columns) {
        for (int i = 0; i < r->width; i++) {
            if (i != p->label) p->source[p->columns++] = i;
        }
        return true;
    }
    for (; p->columns < o->column_count; p->columns++) {
        int i = find_column(r, p, o->columns[p->columns]);
        if (i < 0) return false;
        p->source[p->columns] = i;
    }
    return true;
}

/* Values */

/* A field as it may be shown: short, in one line. */
static const char *shown(const char *text, char out[48]) {
    size_t n = strlen(text), keep = n < 40 ? n : 40;
    while (keep < n && keep && ((unsigned char)text[keep] & 0xC0) == 0x80) keep--; /* not inside a character */
    for (size_t i = 0; i < keep; i++) out[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7F ? '?' : text[i];
    strcpy(out + keep, keep < n ? "…" : "");
    return out;
}

/* Stores a number; the thread's locale is "C" here. strtof and strtod round to the nearest, each for its own type. */
static bool read_number(ag__reader *r, const plan *p, const ag__field *f, int column, int64_t at) {
    char text[48], *end = f->text;
    double value = 0;
    errno = 0;
    if (!strpbrk(f->text, "xX(")) { /* hexadecimal and nan(…) are C's, not CSV's */
        value = p->options.dtype == AG_F32 ? (double)strtof(f->text, &end) : strtod(f->text, &end);
    }
    bool any = end != f->text;
    end += strspn(end, " \t");
    if (!*f->text) return ag__reader_fail(r, f->line, f->column, "the field of column %s is empty", p->name[column]);
    if (!any || *end) {
        return ag__reader_fail(r, f->line, f->column, "'%s' in column %s is not a number", shown(f->text, text),
                               p->name[column]);
    }
    if (errno == ERANGE && isinf(value)) {
        return ag__reader_fail(r, f->line, f->column, "'%s' in column %s is too large for %s", shown(f->text, text),
                               p->name[column], ag_dtype_name(p->options.dtype));
    }
    if (p->options.dtype == AG_F32) ((float *)p->x)[at] = (float)value;
    else ((double *)p->x)[at] = value;
    return true;
}

static bool read_class(ag__reader *r, plan *p, const ag__field *f, int64_t row) {
    if (!*f->text) return ag__reader_fail(r, f->line, f->column, "the label in column %s is empty", p->name[p->label]);
    class_set *c = &p->classes;
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (const char *s = f->text; *s; s++) hash = (hash ^ (unsigned char)*s) * 0x100000001b3;
    int64_t i = (int64_t)(hash ^ hash >> 32) & c->mask;
    while (c->slot[i] && strcmp(c->text[c->slot[i] - 1], f->text)) i = (i + 1) & c->mask;
    if (!c->slot[i]) {
        c->text[c->count] = f->text;
        c->slot[i] = ++c->count;
    }
    p->y[row] = c->slot[i] - 1;
    return true;
}

static bool read_values(ag__reader *r, plan *p) {
    ag_tape *t = r->tape;
    p->rows = r->records - p->options.header;
    p->x = ag__scratch(t, p->options.dtype, p->rows, p->columns);
    if (p->label >= 0) {
        int64_t slots = 16;
        while (slots < 2 * p->rows) slots *= 2;
        p->y = items(t, p->rows);
        p->classes.text = items(t, p->rows);
        p->classes.slot = items(t, slots);
        p->classes.mask = slots - 1;
    }
    for (int64_t row = 0; ag_tape_status(t) == AG_OK && ag__reader_next(r); row++) {
        for (int j = 0; j < p->columns; j++) {
            int column = p->source[j];
            if (!read_number(r, p, &r->field[column], column, row * p->columns + j)) return false;
        }
        if (p->label >= 0 && !read_class(r, p, &r->field[p->label], row)) return false;
    }
    return ag_tape_status(t) == AG_OK;
}

/* The table */

/* Persistent copies of n texts; text[i] is from[index[i]], or from[i] without an index. */
static const char *const *keep_texts(ag_tape *t, const char **from, const int *index, int n) {
    const char **kept = ag_tape_alloc(t, ((size_t)n + 1) * sizeof *kept);
    for (int i = 0; kept && i < n; i++) {
        const char *text = from[index ? index[i] : i];
        char *copy = ag_tape_alloc(t, strlen(text) + 1);
        if (!copy) return NULL;
        kept[i] = strcpy(copy, text);
    }
    return kept;
}

static const ag_table *keep(ag_tape *t, plan *p) {
    ag_table *table = ag_tape_alloc(t, sizeof *table);
    if (!table) return NULL;
    table->rows = p->rows;
    table->columns = p->columns;
    table->column_name = keep_texts(t, p->name, p->source, p->columns);
    table->x = ag_leaf(t, p->options.dtype, p->x, AG_SHAPE(p->rows, p->columns), 0);
    if (p->label >= 0) {
        table->label = ag_leaf(t, AG_I64, p->y, AG_SHAPE(p->rows), 0);
        ag_set_name(table->label, p->name[p->label]);
        table->classes = p->classes.count;
        table->class_name = keep_texts(t, p->classes.text, NULL, p->classes.count);
    }
    return ag_tape_status(t) == AG_OK ? table : NULL;
}

static bool options_ok(ag_tape *t, const char *path, const ag_csv_options *o) {
    if (!path) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the path is NULL") != NULL;
    if (!o->size)
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the options were not made by ag_csv_defaults") != NULL;
    if (o->dtype != AG_F32 && o->dtype != AG_F64) {
        return ag_tape_fail(t, AG_ERR_DTYPE, where, "numbers are read as f32 or f64, not %s", ag_dtype_name(o->dtype)) !=
               NULL;
    }
    if (!o->separator || strchr("\"\r\n", o->separator)) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the separator may not be a quote, a line's end or NUL") != NULL;
    }
    if (o->columns && o->column_count < 0) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the column count is %d", o->column_count) != NULL;
    }
    return true;
}

const ag_table *ag_csv_read(ag_tape *t, const char *path, const ag_csv_options *options) {
    if (!t) return ag_tape_fail(NULL, AG_ERR_ARGUMENT, where, "the tape is NULL");
    plan p = {.options = ag_csv_defaults()};
    size_t known = options ? options->size : 0, size = sizeof p.options;
    if (options) memcpy(&p.options, options, known && known < size ? known : size); /* size 0 is reported below */
    if (!options_ok(t, path, &p.options)) return NULL;
    ag_mark before = ag_tape_mark(t);
    if (!before.serial) return NULL;
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!c) return ag_tape_fail(t, AG_ERR_MEMORY, where, "the C locale: %s", strerror(errno));
    locale_t callers = uselocale(c);
    ag__reader r;
    bool ok = ag__reader_open(&r, t, path, p.options.separator) && name_columns(&r, &p) && choose_columns(&r, &p) &&
              read_values(&r, &p);
    const ag_table *table = ok ? keep(t, &p) : NULL;
    uselocale(callers);
    freelocale(c);
    ag_tape_rewind(t, before);
    return table;
}
