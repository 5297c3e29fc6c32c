/* graph_save.c: writes the graph that leads to some tensors as an .aggraph file.
 *
 *     mark     from the ys down the tape: what they are made of; effects are not followed, their values become leaves
 *     number   persistent leaves first, then everything recorded, in the tape's order
 *     write    twice: for the checksum in the first line, then to the file
 *
 * The tape is only read: marks and numbers stand in tables beside it. */
#include <stdio.h>

#include "autograd/draft.h"
#include "autograd/graph_format.h"

enum { MARKED = -1 };

typedef struct held { /* a kept gradient among the inputs: its cell lies in no region */
    ag_tensor *x;
    int64_t number;
} held;

typedef struct saving {
    ag_tape *t;
    ag_tensor *const *ys;
    int n;
    int64_t past;                   /* of the recorded nodes, those before this one are looked at */
    int64_t *recorded, *persistent; /* by index: 0: not in the graph, MARKED, or number + 1 */
    held *cells;
    int64_t cell_count, cell_capacity;
    int *scope; /* by the tape's number: the file's; 0: not used */
} saving;

/* What belongs to the graph */

static int64_t *number_of(const saving *s, const ag_tensor *x) {
    if (!(x->flags & AG__CELL)) return &(x->flags & AG__PERSISTENT ? s->persistent : s->recorded)[x->index];
    for (int64_t i = 0; i < s->cell_count; i++) {
        if (s->cells[i].x == x) return &s->cells[i].number;
    }
    return NULL;
}

static bool mark(saving *s, ag_tensor *x) {
    int64_t *number = number_of(s, x);
    if (number) {
        *number = MARKED;
        return true;
    }
    held *cells = ag__grow(s->t, s->cells, sizeof *cells, s->cell_count, &s->cell_capacity);
    if (!cells) return false;
    s->cells = cells;
    s->cells[s->cell_count++] = (held){x, MARKED};
    return true;
}

static bool is_effect(const ag_tensor *x) { return x->op && x->op->flags & AG_EFFECT; }

/* Is x a line "leaf" in the file? Parts have no line of their own, unless what made them stays out. */
static bool is_leaf(const ag_tensor *x) {
    return x->flags & AG__LEAF || is_effect(x) || (x->flags & AG__PART && is_effect(x->in[0]));
}

static bool is_full(const ag_tensor *x) {
    return x->flags & AG__LEAF && !(x->flags & AG__CELL) && !x->store && x->strides;
}

static bool mark_all(saving *s) {
    for (int i = 0; i < s->n; i++) {
        if (!mark(s, s->ys[i])) return false;
    }
    for (int64_t i = s->past; i-- > 0;) {
        ag_tensor *y = ag__node(&s->t->recorded, i);
        for (uint32_t k = 0; s->recorded[i] && !is_leaf(y) && k < y->nin; k++) {
            if (!mark(s, ag__in(y)[k])) return false;
        }
    }
    return true;
}

/* The i-th tensor that may be in the file, in the file's order; NULL: it is not, or the tensors have ended (*more). */
static ag_tensor *entry(const saving *s, int64_t i, bool *more) {
    int64_t leaves = s->t->persistent.count, cells = s->cell_count;
    *more = i < leaves + cells + s->past;
    if (i < leaves) return s->persistent[i] ? ag__node(&s->t->persistent, i) : NULL;
    if (i < leaves + cells) return s->cells[i - leaves].x;
    return *more && s->recorded[i - leaves - cells] ? ag__node(&s->t->recorded, i - leaves - cells) : NULL;
}

static void number_all(saving *s) {
    int64_t next = 0;
    bool more = true;
    for (int64_t i = 0; more; i++) {
        ag_tensor *x = entry(s, i, &more);
        if (!x) continue;
        if (x->flags & AG__PART && !is_leaf(x)) {
            *number_of(s, x) = *number_of(s, x->in[0]);
        } else {
            *number_of(s, x) = ++next;
        }
        for (int scope = x->scope; scope; scope = s->t->scopes[scope].parent) s->scope[scope] = 1;
    }
    int scopes = 0;
    for (int i = 1; i < s->t->scope_count; i++) s->scope[i] = s->scope[i] ? ++scopes : 0;
}

/* Text */

typedef struct sink {
    FILE *out; /* NULL: only the sum is wanted */
    ag__sum sum;
} sink;

static void put(sink *w, const void *data, size_t n) {
    ag__sum_add(&w->sum, data, n);
    if (w->out) fwrite(data, 1, n, w->out);
}

AG_PRINTF(2, 3) static void print(sink *w, const char *format, ...) {
    char text[256]; /* numbers and words of ours */
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0) put(w, text, (size_t)n);
}

static void print_quoted(sink *w, const char *text) {
    put(w, "\"", 1);
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\') {
            print(w, "\\%c", byte);
        } else if (byte < 0x20 || byte == 0x7F) {
            print(w, "\\x%02x", byte);
        } else {
            put(w, c, 1);
        }
    }
    put(w, "\"", 1);
}

/* An op's name is a bare word, unless its characters, or the word "leaf", need quotes. */
static void print_op(sink *w, const char *name) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
    size_t n = strlen(name);
    if (n && strspn(name, plain) == n && strcmp(name, "leaf")) {
        put(w, name, n);
    } else {
        print_quoted(w, name);
    }
}

static void print_reference(sink *w, const saving *s, const ag_tensor *x) {
    print(w, " %%%lld", (long long)*number_of(s, x) - 1);
    if (x->flags & AG__PART && !is_leaf(x)) print(w, ".%d", x->out);
}

/* Ends a line but for the attributes: scope and name. */
static void print_place(sink *w, const saving *s, const ag_tensor *x) {
    if (x->scope) print(w, " scope %d", s->scope[x->scope]);
    if (!*ag_name(x)) return;
    put(w, " ", 1);
    print_quoted(w, ag_name(x));
}

static void print_leaf(sink *w, const saving *s, const ag_tensor *x) {
    print(w, "%%%lld = leaf %s (", (long long)*number_of(s, x) - 1, ag_dtype_name((ag_dtype)x->dtype));
    for (int i = 0; i < x->shape->rank; i++) print(w, "%s%lld", i ? "," : "", (long long)x->shape->dim[i]);
    print(w, ")%s%s%s", is_full(x) ? " full" : "", x->flags & AG__PERSISTENT ? " persistent" : "",
          x->flags & AG__LEAF && x->flags & AG__GRAD ? " grad" : "");
    if (x == s->t->key) print(w, " key %llu", (unsigned long long)s->t->draws);
    print_place(w, s, x);
    put(w, "\n", 1);
}

static bool print_attributes(sink *w, const saving *s, const ag_tensor *y) {
    size_t n = ag_attr_text(y, NULL, 0);
    if (n == 0) return true;
    char *text = ag__temp(s->t, n + 1);
    if (!text) return false;
    ag_attr_text(y, text, n + 1);
    put(w, " : ", 3);
    put(w, text, n);
    ag__temp_free(s->t, text);
    return true;
}

static bool print_node(sink *w, const saving *s, const ag_tensor *y) {
    if (ag__expands(y->op) && !ag_find_op(y->op->name)) {
        return ag__fail(s->t, AG_ERR_ARGUMENT, "graph_save: %s is a function of this program, which no file can hold",
                        y->op->name) != NULL;
    }
    print(w, "%%%lld = ", (long long)*number_of(s, y) - 1);
    print_op(w, y->op->name);
    for (uint32_t k = 0; k < y->nin; k++) print_reference(w, s, ag__in(y)[k]);
    if (y->flags & AG__CUT) put(w, " cut", 4);
    print_place(w, s, y);
    if (!print_attributes(w, s, y)) return false;
    put(w, "\n", 1);
    for (int o = 0; y->flags & AG__TUPLE && o < y->op->nout; o++) {
        if (!*ag_name(y->part[o])) continue;
        print(w, "%%%lld.%d ", (long long)*number_of(s, y) - 1, o);
        print_quoted(w, ag_name(y->part[o]));
        put(w, "\n", 1);
    }
    return true;
}

static bool print_text(sink *w, const saving *s) {
    for (int i = 1; i < s->t->scope_count; i++) {
        if (!s->scope[i]) continue;
        print(w, "scope %d ", s->scope[s->t->scopes[i].parent]);
        print_quoted(w, s->t->scopes[i].name);
        put(w, "\n", 1);
    }
    bool more = true;
    for (int64_t i = 0; more; i++) {
        const ag_tensor *x = entry(s, i, &more);
        if (!x || (x->flags & AG__PART && !is_leaf(x))) continue;
        if (is_leaf(x)) {
            print_leaf(w, s, x);
        } else if (!print_node(w, s, x)) {
            return false;
        }
    }
    put(w, "out", 3);
    for (int i = 0; i < s->n; i++) print_reference(w, s, s->ys[i]);
    put(w, "\ndata\n", 6);
    return true;
}

/* Values */

static void pad(sink *w) {
    static const char zeros[8];
    put(w, zeros, (size_t)(-(AG__GRAPH_FIRST + w->sum.bytes) % 8));
}

static void put_elements(sink *w, const char *data, size_t element, int64_t n) {
    char piece[4096];
    int64_t most = (int64_t)(sizeof piece / element);
    for (int64_t at = 0; at < n; at += most) {
        int64_t count = n - at < most ? n - at : most;
        size_t bytes = (size_t)count * element;
        memcpy(piece, data + (size_t)at * element, bytes);
        ag__graph_turn(piece, element, count);
        put(w, piece, bytes);
    }
    pad(w);
}

static bool put_values(sink *w, const saving *s, const ag_tensor *x) {
    size_t element = ag__dtype_bytes[x->dtype];
    bool as_is = is_full(x) || ag__contiguous(x);
    void *copy = as_is ? NULL : ag__temp(s->t, (size_t)x->shape->size * element);
    if (!as_is && !copy) return false;
    if (copy) ag__gather(x, copy);
    put_elements(w, copy ? copy : x->data, element, is_full(x) ? 1 : x->shape->size);
    ag__temp_free(s->t, copy);
    return true;
}

static bool put_graph(sink *w, const saving *s) {
    if (!print_text(w, s)) return false;
    pad(w);
    bool more = true;
    for (int64_t i = 0; more; i++) {
        const ag_tensor *x = entry(s, i, &more);
        if (x && is_leaf(x) && !put_values(w, s, x)) return false;
    }
    return true;
}

static bool write_graph(FILE *out, const void *context) {
    const saving *s = context;
    sink sum = {0}, file = {.out = out};
    if (!put_graph(&sum, s)) return false;
    fprintf(out, AG__GRAPH_MAGIC "%d %016llx\n", AG__GRAPH_VERSION, (unsigned long long)ag__sum_end(sum.sum));
    return put_graph(&file, s);
}

/* Saving */

static bool check(ag_tape *t, ag_tensor *const ys[], int n) {
    if (t == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "graph_save: %s", t->message) != NULL;
    if (t->status) return false;
    if (t->region == &t->scratch) {
        return ag__fail(t, AG_ERR_STATE, "graph_save: called inside a gradient rule or hook") != NULL;
    }
    for (int i = 0; i < n; i++) {
        if (ys[i] && ys[i]->tape == t) continue;
        return ag__fail(t, AG_ERR_ARGUMENT, "graph_save: tensor %d is NULL, dropped, or on another tape than tensor 0",
                        i) != NULL;
    }
    return true;
}

static int64_t *zeros(ag_tape *t, int64_t n, size_t element) {
    void *p = ag__temp(t, (size_t)n * element);
    return p ? memset(p, 0, (size_t)n * element) : NULL;
}

bool ag_graph_save(ag_tensor *const ys[], int n, const char *path) {
    if (!ys || n < 1 || !ys[0]) return ag__fail(NULL, AG_ERR_ARGUMENT, "graph_save: the tensor is NULL") != NULL;
    ag_tape *t = ys[0]->tape;
    if (!check(t, ys, n)) return false;
    if (!path) return ag__fail(t, AG_ERR_ARGUMENT, "graph_save: the path is NULL") != NULL;
    saving s = {.t = t, .ys = ys, .n = n};
    for (int i = 0; i < n; i++) s.past = ag__end(ys[i]) > s.past ? ag__end(ys[i]) : s.past;
    s.recorded = zeros(t, s.past, sizeof *s.recorded);
    s.persistent = zeros(t, t->persistent.count, sizeof *s.persistent);
    s.scope = (int *)zeros(t, t->scope_count, sizeof *s.scope);
    bool good = s.recorded && s.persistent && s.scope && mark_all(&s);
    if (good) {
        number_all(&s);
        ag__draft d = {.tape = t, .what = "graph_save", .path = path};
        good = ag__draft_open(&d) && ag__draft_write(&d, d.fd, write_graph, &s);
        good = ag__draft_close(&d, good);
    }
    ag__give(t, s.cells, (size_t)s.cell_capacity * sizeof *s.cells);
    ag__temp_free(t, s.scope);
    ag__temp_free(t, s.persistent);
    ag__temp_free(t, s.recorded);
    return good;
}
