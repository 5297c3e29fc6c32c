/* graph_load.c: runs an .aggraph file onto a tape.
 *
 *     file ─▶ memory ─ checksum ─▶ lines ─▶ scope          entered on the tape
 *                                      ├──▶ %n = leaf …     a leaf with the next of the values behind the text
 *                                      ├──▶ %n = op %i %j   ag_apply_on, as if the program had called the op now
 *                                      └──▶ out %n …        the tensors that were saved
 *
 * A file is believed in nothing: each size is compared with the bytes that are there before memory is asked for, each number
 * with the tensors that exist, and what the ops may take of memory and arithmetic is bounded by the size of the file.
 * Invariant: after a failure the tape holds what it held before, and one sentence. */
#include <limits.h>
#include <unistd.h>

#include "autograd/graph_read.h"

/* What a file of n bytes may cost to run: base + rate · n. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
static const double work_base = 0x1p20, work_rate = 0x1p8, memory_base = 0x1p24, memory_rate = 0x1p6;
#else
static const double work_base = 0x1p34, work_rate = 0x1p20, memory_base = 0x1p30, memory_rate = 0x1p12;
#endif

enum { OP_NAME = 128, KNOWN = 64 };

typedef struct loading {
    ag_tape *t;
    ag__graph_file r;
    ag_tensor **value, **in;
    int64_t values, value_capacity, in_capacity;
    int *scope; /* of the tape, by the file's number */
    int64_t scopes, scope_capacity;
    bool recording;            /* the tape's, when loading began */
    const ag_op *known[KNOWN]; /* by hash of their name */
    int outs;
} loading;

#define fault(l, ...) ag__graph_fault(&(l)->r, AG_ERR_IO, __VA_ARGS__)

/* Puts the place in the file in front of the error the tape is in. */
static bool located(const loading *l) {
    char text[AG__MESSAGE] = "it failed without saying why";
    ag_status status = l->t->status ? l->t->status : AG_ERR_STATE;
    if (l->t->status) memcpy(text, l->t->message, sizeof text);
    l->t->status = AG_OK;
    return ag__graph_fault(&l->r, status, "%s", text);
}

/* "%3" or "%3.1" */
static ag_tensor *take_tensor(loading *l, char **p) {
    int64_t i, part = 0;
    if (!ag__graph_skip(p, "%") || !ag__graph_number(p, &i) || i >= l->values) return NULL;
    ag_tensor *x = l->value[i];
    if (!ag__graph_skip(p, ".")) return x;
    if (!ag__graph_number(p, &part) || !(x->flags & AG__TUPLE) || part >= x->op->nout) return NULL;
    return x->part[part];
}

/* [scope n] ["name"], what every tensor's line may say */
static bool take_place(loading *l, char **p, int *scope, char **name) {
    int64_t i = 0;
    if (ag__graph_skip(p, " scope ") && (!ag__graph_number(p, &i) || i < 1 || i >= l->scopes))
        return fault(l, "no such scope");
    *scope = l->scope[i];
    *name = NULL;
    if (strncmp(*p, " \"", 2) != 0) return true;
    ++*p;
    return ag__graph_quoted(p, name) || fault(l, "a name does not end, or holds a bad escape");
}

static bool add_value(loading *l, ag_tensor *x) {
    ag_tensor **list = x ? ag__grow(l->t, l->value, sizeof *list, l->values, &l->value_capacity) : NULL;
    if (!list) return located(l);
    l->value = list;
    l->value[l->values++] = x;
    return true;
}

/* Lines */

static bool load_scope(loading *l, char *p) {
    ag_tape *t = l->t;
    int64_t parent;
    char *name;
    if (!ag__graph_number(&p, &parent) || parent >= l->scopes || !ag__graph_skip(&p, " ") ||
        !ag__graph_quoted(&p, &name) || *p)
        return fault(l, "expected scope, the number of an earlier one, and a name in quotes");
    t->scope = (uint16_t)l->scope[parent];
    int *list = ag__grow(t, l->scope, sizeof *list, l->scopes, &l->scope_capacity);
    if (!list) return located(l);
    l->scope = list;
    if (!ag_scope_push(t, name)) return located(l);
    l->scope[l->scopes++] = t->scope;
    return true;
}

typedef struct leaf {
    ag_dtype dtype;
    ag_shape shape;
    bool full, persistent, grad, key;
    int64_t draws;
    int scope;
    char *name;
} leaf;

static bool take_leaf(loading *l, char *p, leaf *x) {
    bool found = false;
    for (int d = 0; d < AG_DTYPE_COUNT && !found; d++) {
        x->dtype = (ag_dtype)d;
        found = ag__graph_skip(&p, ag_dtype_name(x->dtype));
    }
    if (!found || !ag__graph_skip(&p, " (")) return fault(l, "expected leaf, a dtype and a shape like f32 (2,3)");
    while (!ag__graph_skip(&p, ")")) {
        bool another = x->shape.rank == 0 || ag__graph_skip(&p, ",");
        if (!another || x->shape.rank == AG_MAX_RANK || !ag__graph_number(&p, &x->shape.dim[x->shape.rank++]))
            return fault(l, "a shape is at most %d extents in parentheses, like (2,3)", AG_MAX_RANK);
    }
    x->full = ag__graph_skip(&p, " full");
    x->persistent = ag__graph_skip(&p, " persistent");
    x->grad = ag__graph_skip(&p, " grad");
    x->key = ag__graph_skip(&p, " key ");
    if (x->key && (!ag__graph_number(&p, &x->draws) || x->draws > INT64_MAX / 2 || !x->persistent ||
                   x->dtype != AG_I64 || x->shape.rank)) {
        return fault(l, "a key is a persistent i64 () with a count of draws");
    }
    if (x->full && x->persistent) return fault(l, "a leaf is full or persistent, not both");
    if (!take_place(l, &p, &x->scope, &x->name)) return false;
    return !*p || fault(l, "'%.20s' does not belong to a leaf", p);
}

static ag_tensor *make_leaf(loading *l, const leaf *x, const void *data) {
    ag_tape *t = l->t;
    if (!x->full) return ag_leaf(t, x->dtype, data, x->shape, x->persistent ? 0 : AG_RECORDED);
    ag_tensor *y = ag_full(t, x->dtype, x->shape, 0);
    if (y) memcpy(&y->scalar, data, ag__dtype_bytes[x->dtype]);
    return y;
}

static bool load_leaf(loading *l, char *p) {
    ag_tape *t = l->t;
    leaf x = {0};
    if (!take_leaf(l, p, &x)) return false;
    const ag__shape *shape = ag__shape_intern(t, &x.shape, "leaf");
    if (!shape) return located(l);
    const void *data = ag__graph_data(&l->r, x.dtype, x.full ? 1 : shape->size);
    if (!data) return false;
    if (x.key && t->key && !memcmp(t->key->data, data, sizeof(int64_t))) {
        if ((uint64_t)x.draws > t->draws) t->draws = (uint64_t)x.draws;
        return add_value(l, t->key);
    }
    t->scope = (uint16_t)x.scope;
    ag_tensor *y = make_leaf(l, &x, data);
    if (!y || (x.grad && !ag_set_requires_grad(y, true)) || (x.name && !ag_set_name(y, x.name))) return located(l);
    if (x.key && !t->key) {
        t->key = y;
        t->draws = (uint64_t)x.draws;
    }
    return add_value(l, y);
}

static const ag_op *find_op(loading *l, const char *name) {
    unsigned h = 0;
    for (const char *c = name; *c; c++) h = 31 * h + (unsigned char)*c;
    const ag_op **known = &l->known[h % KNOWN];
    if (!*known || strcmp((*known)->name, name) != 0) *known = ag_find_op(name);
    return *known;
}

static bool take_inputs(loading *l, char **p, int *n) {
    while ((*p)[0] == ' ' && (*p)[1] == '%') {
        ++*p;
        ag_tensor **list = ag__grow(l->t, l->in, sizeof *list, *n, &l->in_capacity);
        if (!list) return located(l);
        l->in = list;
        l->in[*n] = take_tensor(l, p);
        if (!l->in[*n] || *n == INT_MAX / 2) return fault(l, "input %d is no tensor of an earlier line", *n);
        ++*n;
    }
    return true;
}

static bool run_op(loading *l, const ag_op *op, int n, const char *attributes, char *name) {
    ag_tape *t = l->t;
    void *attrs = op->attr_size ? ag__temp(t, op->attr_size) : NULL;
    ag_tensor *y = NULL;
    if (!op->attr_size || (attrs && ag__attrs_parse(t, op, attributes, attrs))) y = ag_apply_on(t, op, l->in, n, attrs);
    ag__temp_free(t, attrs);
    if (!y || (name && !ag_set_name(y, name))) return located(l);
    return add_value(l, y);
}

static bool load_node(loading *l, char *p) {
    char op_name[OP_NAME], *name;
    int n = 0, scope;
    if (!ag__graph_word(&p, op_name, sizeof op_name)) return fault(l, "expected the name of an op");
    const ag_op *op = find_op(l, op_name);
    if (!op) return fault(l, "unknown op '%s'; make it known with ag_op_register before loading", op_name);
    if (op->flags & AG_EFFECT) return fault(l, "%s writes leaves; effects have no place in a graph file", op_name);
    if (!take_inputs(l, &p, &n)) return false;
    bool cut = ag__graph_skip(&p, " cut");
    if (!take_place(l, &p, &scope, &name)) return false;
    const char *attributes = ag__graph_skip(&p, " : ") ? p : "";
    if (*p && attributes != p) return fault(l, "'%.20s' does not belong to an op", p);
    if (*attributes && !op->attr_size) return fault(l, "%s has no attributes", op_name);
    l->t->scope = (uint16_t)scope;
    l->t->recording = l->recording && !cut;
    return run_op(l, op, n, attributes, name);
}

/* %n = leaf …, %n = op …, or the name of a part: %n.i "name" */
static bool load_tensor(loading *l, char *line) {
    char *p = line + 1, *name;
    int64_t i;
    if (ag__graph_number(&p, &i) && *p == '.') {
        ag_tensor *x = take_tensor(l, &line);
        if (!x || !ag__graph_skip(&line, " ") || !ag__graph_quoted(&line, &name) || *line)
            return fault(l, "expected a part like %%3.1 of an earlier line, and its name in quotes");
        return ag_set_name(x, name) || located(l);
    }
    if (i != l->values || !ag__graph_skip(&p, " = ")) return fault(l, "expected %%%lld = …", (long long)l->values);
    return ag__graph_skip(&p, "leaf ") ? load_leaf(l, p) : load_node(l, p);
}

static bool load_out(loading *l, char *p, ag_tensor *out[], int capacity) {
    while (ag__graph_skip(&p, " ")) {
        ag_tensor *x = take_tensor(l, &p);
        if (!x || l->outs == INT_MAX) return fault(l, "an out is no tensor of an earlier line");
        if (l->outs < capacity) out[l->outs] = x;
        l->outs++;
    }
    if (*p || !l->outs) return fault(l, "expected out %%n …");
    char *line = ag__graph_line(&l->r);
    if (!line || strcmp(line, "data") != 0) return fault(l, "expected the line data, and nothing else, after out");
    if (l->r.data != l->r.data_end) return fault(l, "%lld bytes are left over", (long long)(l->r.data_end - l->r.data));
    return true;
}

static bool load_text(loading *l, ag_tensor *out[], int capacity) {
    char *line;
    int *list = ag__grow(l->t, l->scope, sizeof *list, 0, &l->scope_capacity);
    if (!list) return false;
    l->scope = list;
    l->scope[l->scopes++] = l->t->scope;
    while ((line = ag__graph_line(&l->r)) != NULL) {
        if (ag__graph_skip(&line, "out")) return load_out(l, line, out, capacity);
        bool good = *line == '%'                      ? load_tensor(l, line)
                    : ag__graph_skip(&line, "scope ") ? load_scope(l, line)
                                                      : fault(l, "expected scope, %%n or out");
        if (!good) return false;
    }
    return fault(l, "the text ends without out");
}

/* Loading */

static double machine_bytes(void) {
#ifdef _SC_PHYS_PAGES
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    if (bytes > 0) return bytes;
#endif
    return 0x1p62;
}

static bool run_bounded(loading *l, ag_tensor *out[], int capacity) {
    ag_tape *t = l->t;
    size_t limit = t->limit;
    double memory = memory_base + memory_rate * (double)l->r.size, machine = machine_bytes();
    if (memory > machine) memory = machine;
    if ((double)limit - (double)t->bytes > memory) t->limit = t->bytes + (size_t)memory;
    t->allowance = work_base + work_rate * (double)l->r.size;
    t->watch |= AG__WATCH_WORK;
    bool good = load_text(l, out, capacity);
    t->watch = (uint8_t)(t->watch & ~AG__WATCH_WORK);
    t->limit = limit;
    return good;
}

static bool load(loading *l, const char *path, ag_tensor *out[], int capacity) {
    ag_tape *t = l->t;
    ag__place recorded = ag__place_of(&t->recorded);
    int64_t leaves = t->persistent.count;
    int scope_count = t->scope_count;
    uint32_t skipped = t->scope_skipped;
    uint16_t scope = t->scope;
    uint64_t draws = t->draws;
    ag_tensor *key = t->key;
    bool good = ag__graph_open(&l->r, t, path) && run_bounded(l, out, capacity);
    t->scope = scope;
    t->scope_skipped = skipped;
    t->recording = l->recording;
    if (good) return true;
    ag__place persistent = ag__place_of(&t->persistent); /* shapes are kept there too: the nodes go, the bytes stay */
    persistent.count = leaves;
    ag__region_cut(t, &t->recorded, &recorded);
    ag__region_cut(t, &t->persistent, &persistent);
    t->scope_count = scope_count;
    t->draws = draws;
    t->key = key;
    return false;
}

int ag_graph_load(ag_tape *t, const char *path, ag_tensor *out[], int capacity) {
    if (!t) return ag__fail(NULL, AG_ERR_ARGUMENT, "graph_load: the tape is NULL"), -1;
    for (int i = 0; out && i < capacity; i++) out[i] = NULL;
    if (t->status) return -1;
    if (!path || (!out && capacity > 0)) return ag__fail(t, AG_ERR_ARGUMENT, "graph_load: path or out is NULL"), -1;
    if (t->region == &t->scratch)
        return ag__fail(t, AG_ERR_STATE, "graph_load: called inside a gradient rule or hook"), -1;
    loading l = {.t = t, .recording = t->recording};
    bool good = load(&l, path, out, capacity);
    for (int i = 0; !good && i < capacity; i++) out[i] = NULL;
    ag__give(t, l.scope, (size_t)l.scope_capacity * sizeof *l.scope);
    ag__give(t, l.in, (size_t)l.in_capacity * sizeof *l.in);
    ag__give(t, l.value, (size_t)l.value_capacity * sizeof *l.value);
    ag__graph_close(&l.r);
    return good ? l.outs : -1;
}
