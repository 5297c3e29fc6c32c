/* checkpoint.c: a segment of the graph as one node, whose inner nodes are made again when they are needed.
 *
 *     first call    fn in scratch ─▶ values of the outputs kept, inner nodes dropped; then the node, which takes the values
 *     run again     (replay, clone) the same without effects, drawing the numbers of the first time
 *     gradient      expand: fn recorded where the gradient rule records, differentiated there like any composition
 *
 * What fn does must be told by its inputs: then a clone, in another dtype or on another tape, is the same call on other inputs.
 * So the first call looks for tensors from elsewhere, and the key is an input where random numbers were drawn. */
#include <stddef.h>

#include "autograd/node.h"
#include "ops/ops.h"

enum { OUTPUTS = AG_CHECKPOINT_OUTPUTS };

typedef struct segment {
    ag_segment_fn *fn;
    void *context;
    uint64_t draw; /* the first of the segment */
    int m;
    bool keyed;         /* the last input of the node is the key */
    ag_tensor **values; /* on the way from the first call into the node; NULL: run computes them */
    ag_dtype dtype[OUTPUTS];
    ag_shape shape[OUTPUTS];
} segment;

/* Inputs that fn sees: views of its own, so that ag_gradients inside fn ends at them. Leaves without a gradient stay, since
 * effects write leaves. */
static ag_tensor *lend(ag_tape *t, ag_tensor *x) {
    bool own = ag_index(x) >= t->own - 1 && t->own && x->index < t->region->count && ag__node(t->region, x->index) == x;
    bool plain = !ag__is_float(x->dtype) || (x->flags & AG__LEAF && !(x->flags & AG__GRAD));
    return own || plain ? x : ag_alias(x);
}

static bool call(ag_tape *t, const segment *s, ag_tensor *const in[], int n, ag_tensor *out[]) {
    ag_tensor **lent = ag__temp(t, (size_t)n * sizeof *lent);
    bool done = lent != NULL;
    for (int i = 0; i < n && done; i++) done = (lent[i] = lend(t, in[i])) != NULL;
    for (int o = 0; o < s->m; o++) out[o] = NULL;
    done = done && s->fn(s->context, lent, n, out, s->m);
    ag__temp_free(t, lent);
    if (!done && !t->status) ag__fail(t, AG_ERR_STATE, "checkpoint: its function failed without saying why");
    return done && !t->status;
}

/* Runs fn the way it ran first: same numbers, no effects. */
static bool repeat(ag_tape *t, const segment *s, ag_tensor *const in[], int n, ag_tensor *out[]) {
    uint64_t draws = t->draws;
    uint8_t watch = t->watch;
    ag_tensor *key = t->key;
    t->draws = s->draw;
    t->watch |= AG__WATCH_REPEAT;
    if (s->keyed) t->key = in[n - 1];
    bool done = call(t, s, in, s->keyed ? n - 1 : n, out);
    t->draws = draws;
    t->watch = (uint8_t)((t->watch & ~AG__WATCH_REPEAT) | (watch & AG__WATCH_REPEAT));
    if (s->keyed) t->key = key;
    return done;
}

static bool among(const ag_tensor *x, ag_tensor *const list[], int n) {
    for (int i = 0; i < n; i++) {
        if (list[i] == x) return true;
    }
    return false;
}

static bool made_here(const ag_tape *t, int64_t lo, const ag_tensor *x) {
    return !(x->flags & (AG__PERSISTENT | AG__CELL)) && x->index >= lo && x->index < t->region->count &&
           ag__node(t->region, x->index) == x;
}

/* Is everything since node lo made of the inputs, and are the outputs? */
static bool closed(ag_tape *t, int64_t lo, ag_tensor *const in[], int n, ag_tensor *const out[], int m) {
    char text[160];
    for (int64_t i = lo; i < t->region->count; i++) {
        const ag_tensor *y = ag__node(t->region, i);
        for (uint32_t k = 0; k < y->nin; k++) {
            const ag_tensor *x = ag__in(y)[k];
            if (made_here(t, lo, x) || x == t->key || among(x, in, n)) continue;
            return ag__fail(t, AG_ERR_ARGUMENT, "checkpoint: its function uses %s, which is not among its inputs",
                            ag__label(x, text, sizeof text)) != NULL;
        }
    }
    for (int o = 0; o < m; o++) {
        const ag_tensor *x = out[o];
        if (!x || x->tape != t || x->flags & AG__TUPLE)
            return ag__fail(t, AG_ERR_ARGUMENT, "checkpoint: output %d is NULL, a tuple or on another tape", o) != NULL;
        if (made_here(t, lo, x) || among(x, in, n)) continue;
        return ag__fail(t, AG_ERR_ARGUMENT, "checkpoint: output %d, %s, is not made of its inputs", o,
                        ag__label(x, text, sizeof text)) != NULL;
    }
    return true;
}

/* Calls fn in scratch and keeps the values of its outputs in cells. in has room for the key behind the n inputs. */
static bool evaluate(ag_tape *t, const segment *s, ag_tensor *const in[], int n, bool again, ag_tensor *cell[]) {
    ag__region *region = t->region;
    int64_t own = t->own;
    bool recording = t->recording;
    ag__place before = ag__place_of(&t->scratch);
    ag_tensor *out[OUTPUTS];
    t->region = &t->scratch;
    t->own = before.count + 1;
    t->recording = true;
    bool done = again ? repeat(t, s, in, n, out) : call(t, s, in, n, out) && closed(t, before.count, in, n, out, s->m);
    for (int o = 0; o < s->m; o++) {
        cell[o] = done ? ag__cell_keep(t, out[o]) : NULL;
        done = done && cell[o];
    }
    ag__region_cut(t, &t->scratch, &before);
    t->region = region;
    t->own = own;
    t->recording = recording;
    return done;
}

static void drop(ag_tape *t, ag_tensor *cell[], int m) {
    for (int o = 0; o < m; o++) {
        if (cell[o]) ag__cell_drop(t, cell[o]);
    }
}

/* The record */

static bool checkpoint_shape(ag_tensor *y) {
    const segment *s = ag_attrs(y);
    for (int o = 0; o < s->m; o++) {
        if (!ag_out_shape(y, o, s->dtype[o], s->shape[o])) return false;
    }
    return true;
}

static bool same_outputs(ag_tensor *y, ag_tensor *const out[], int m) {
    char text[160], other[160];
    for (int o = 0; o < m; o++) {
        const ag_tensor *was = ag_out(y, o);
        if (out[o] && out[o]->tape == y->tape && out[o]->shape == was->shape && out[o]->dtype == was->dtype) continue;
        return ag_op_fail(y, AG_ERR_SHAPE, "its function made %s of output %d, %s",
                          out[o] ? ag__label(out[o], text, sizeof text) : "NULL", o, ag__label(was, other, sizeof other));
    }
    return true;
}

static bool checkpoint_run(ag_tensor *y) {
    ag_tape *t = y->tape;
    segment *s = y->attrs;
    ag_tensor *own[OUTPUTS] = {NULL}, **cell = s->values ? s->values : own;
    bool done = s->values || evaluate(t, s, ag__in(y), (int)y->nin, true, own);
    s->values = NULL;
    done = done && same_outputs(y, cell, s->m);
    for (int o = 0; o < s->m && done; o++) ag__gather(cell[o], ag_out_data(y, o));
    drop(t, own, s->m);
    return done;
}

static bool checkpoint_expand(ag_tensor *y, ag_tensor *out[]) {
    const segment *s = ag_attrs(y);
    return repeat(y->tape, s, ag__in(y), (int)y->nin, out) && same_outputs(y, out, s->m);
}

/* What a clone in another dtype converts; the m last are those of m outputs. */
#define DTYPE(o) \
    { "dtype" #o, AG_ATTR_DTYPE, offsetof(segment, dtype) + o * sizeof(ag_dtype), "f32" }
static const ag_attr_field fields[] = {DTYPE(7), DTYPE(6), DTYPE(5), DTYPE(4), DTYPE(3),
                                       DTYPE(2), DTYPE(1), DTYPE(0), {0}};

#define RECORD(outputs)                                                                                          \
    {                                                                                                            \
        .size = sizeof(ag_op), .name = "checkpoint", .arity = -1, .nout = outputs, .attr_size = sizeof(segment), \
        .attrs = fields + (OUTPUTS - outputs), .formula = "a segment, computed again by gradients",              \
        .shape = checkpoint_shape, .run = checkpoint_run, .expand = checkpoint_expand                            \
    }
static const ag_op records[] = {RECORD(1), RECORD(2), RECORD(3), RECORD(4), RECORD(5), RECORD(6), RECORD(7), RECORD(8)};
_Static_assert(sizeof records / sizeof *records == OUTPUTS, "a record for each number of outputs");

/* The node of an evaluated segment; cell holds the values. */
static bool record(ag_tape *t, segment *s, ag_tensor **in, int n, ag_tensor *cell[], ag_tensor *outputs[]) {
    for (int o = 0; o < s->m; o++) {
        s->dtype[o] = (ag_dtype)cell[o]->dtype;
        s->shape[o] = ag_shape_of(cell[o]);
    }
    s->keyed = t->draws != s->draw;
    s->values = cell;
    if (s->keyed) in[n++] = t->key;
    ag_tensor *y = ag_apply_on(t, &records[s->m - 1], in, n, s);
    for (int o = 0; o < s->m && y; o++) outputs[o] = ag_out(y, o);
    return y != NULL;
}

static bool usable(ag_tape *t, ag_tensor *const in[], int n) {
    char text[160];
    for (int i = 0; i < n; i++) {
        if (!in[i]) return ag__fail(t, AG_ERR_ARGUMENT, "checkpoint: input %d is NULL", i) != NULL;
        if (in[i]->tape == t && !(in[i]->flags & AG__TUPLE)) continue;
        return ag__fail(t, AG_ERR_ARGUMENT, "checkpoint: input %d, %s, is on another tape or has several outputs", i,
                        ag__label(in[i], text, sizeof text)) != NULL;
    }
    return true;
}

bool ag_checkpoint(ag_tape *t, ag_segment_fn *fn, void *context, ag_tensor *const inputs[], int n, ag_tensor *outputs[],
                   int m) {
    if (!t || t->status) return t ? false : ag__fail(NULL, AG_ERR_ARGUMENT, "checkpoint: the tape is NULL") != NULL;
    if (!fn || !inputs || !outputs || n < 1) {
        return ag__fail(t, AG_ERR_ARGUMENT, "checkpoint: needs a function, inputs and outputs") != NULL;
    }
    if (m < 1 || m > OUTPUTS)
        return ag__fail(t, AG_ERR_ARGUMENT, "checkpoint: has 1 to %d outputs, not %d", OUTPUTS, m) != NULL;
    if (!usable(t, inputs, n)) return false;
    ag_tensor **in = ag__temp(t, ((size_t)n + 1) * sizeof *in), *cell[OUTPUTS] = {NULL};
    if (!in) return false;
    for (int i = 0; i < n; i++) in[i] = inputs[i];
    for (int o = 0; o < m; o++) outputs[o] = NULL;
    segment s = {.fn = fn, .context = context, .draw = t->draws, .m = m};
    bool done = evaluate(t, &s, in, n, false, cell) && record(t, &s, in, n, cell, outputs);
    drop(t, cell, m);
    ag__temp_free(t, in);
    return done;
}
