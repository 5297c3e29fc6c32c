/* ops.c: operations are tried on small inputs until one call works. What shapes an operation takes is not in its
 * record, but a call says. */
#include <stdlib.h>
#include <string.h>

#include "eval.h"
#include "ops.h"

enum { MOST = TRIAL_INPUTS };

const ag_attr_field *ops_fields(const ag_op *op) {
    static const ag_attr_field none[] = {{0}};
    return op->attr_size && op->attrs ? op->attrs + !!(op->flags & AG_RANDOM) : none;
}

int ops_inputs(const ag_op *op) { return op->arity < 0 ? -1 : op->arity - !!(op->flags & AG_RANDOM); }

static void put_input(const ag_op *op, int i, const char *before, const char *after, text *out) {
    char name[32];
    text_printf(out, "%s%s%s", before, ag_op_input_name(op, i, name, sizeof name), after);
}

int ops_default_length(const ag_attr_field *f) {
    return !f->preset ? 0 : (int)(f->type == AG_ATTR_CHOICE ? strcspn(f->preset, "|") : strlen(f->preset));
}

void ops_put_call(const ag_op *op, text *out) {
    int n = ops_inputs(op);
    text_printf(out, "%s(", op->name);
    for (int i = 0; i < n; i++) put_input(op, i, i ? ", " : "", "", out);
    for (int i = n; i < n + op->optional; i++) put_input(op, i, n ? "[, " : "[", n ? "]" : ", ]", out);
    if (n < 0) text_put(out, "a, b, …");
    for (const ag_attr_field *f = ops_fields(op); f->name; f++) {
        bool list = f->preset && strchr(f->preset, ',');
        text_printf(out, "%s%s%s%s%.*s%s", n || f != ops_fields(op) ? ", " : "", f->name, f->preset ? "=" : "",
                    list ? "[" : "", ops_default_length(f), f->preset ? f->preset : "", list ? "]" : "");
    }
    text_put(out, ")");
}

enum { EXTENTS = 4 };

/* "axis=1": what stands in `given`, then a guess for each required attribute that does not; k: the k-th guess of
 * extents and counts, the last one with guesses for what is NaN unless given, too */
static void guess(const ag_op *op, const char *given, int k, char *out, size_t size) {
    static const char *const extents[EXTENTS] = {"3,4", "2", "1,2,5,5", "3,2,3,3"};
    static const char *const guesses[] = {
        [AG_ATTR_BOOL] = "true", [AG_ATTR_INT] = "0",    [AG_ATTR_I64] = "2",  [AG_ATTR_F64] = "2",
        [AG_ATTR_DTYPE] = "f64", [AG_ATTR_SHAPE] = NULL, [AG_ATTR_AXES] = "0", [AG_ATTR_TEXT] = "ij,ij->ij"};
    int used = snprintf(out, size, "%s", given);
    for (const ag_attr_field *f = ops_fields(op); f->name && used >= 0 && (size_t)used < size; f++) {
        char key[64];
        const char *typed = f->type == AG_ATTR_SHAPE      ? extents[k]
                            : k && f->type == AG_ATTR_I64 ? "3"
                                                          : guesses[f->type];
        snprintf(key, sizeof key, "%s=", f->name);
        bool open = !f->preset || (k == EXTENTS - 1 && !strcmp(f->preset, "nan"));
        if (open && !strstr(given, key)) used += snprintf(out + used, size - (size_t)used, " %s%s", key, typed);
    }
}

/* Values spread over [lo, hi]; square matrices become symmetric and dominated by their diagonal. */
static ag_tensor *sample(ag_tape *t, const ag_op *op, ag_dtype dtype, ag_shape shape, int input) {
    double data[256], lo = op->lo < op->hi ? op->lo : -2, hi = op->lo < op->hi ? op->hi : 2;
    int64_t n = 1, columns = shape.rank ? shape.dim[shape.rank - 1] : 1;
    bool square = shape.rank == 2 && shape.dim[0] == columns;
    for (int i = 0; i < shape.rank; i++) n *= shape.dim[i];
    for (int64_t i = 0; i < n && i < 256; i++) {
        int64_t r = i / columns, c = i % columns, k = square && r > c ? c * columns + r : i;
        double at = (double)((k * 37 + 11 + 17 * input) % 101) / 100;
        bool indices = dtype == AG_I64 || dtype == AG_BOOL;
        data[i] = indices ? (double)((i + input) % (dtype == AG_I64 ? 3 : 2))
                          : lo + (hi - lo) * at + (square && r == c ? 6 : 0);
    }
    return n <= 256 ? eval_leaf(t, dtype, data, shape, 0) : NULL;
}

static ag_tensor *call(ag_tape *t, const ag_op *op, trial *c) {
    for (int i = 0; i < c->n; i++) {
        c->in[i] = sample(t, op, c->dtype[i], c->shape[i], i);
        if (!c->in[i]) return NULL;
        char name[32];
        ag_set_name(c->in[i], ag_op_input_name(op, i, name, sizeof name));
    }
    ag_tensor *y = ag_call(t, op->name, c->in, c->n, c->attributes);
    ag_tape_clear(t);
    return y;
}

/* What is tried, of input 0, of those between, of the last */
#define S(...)                                                                     \
    {                                                                              \
        sizeof((int64_t[]){0, __VA_ARGS__}) / sizeof(int64_t) - 1, { __VA_ARGS__ } \
    }
static const ag_shape shapes[][3] = {
    {S(3, 4), S(3, 4), S(3, 4)},
    {S(3, 3), S(3, 3), S(3, 3)},
    {S(3, 4), S(3, 4), S(3)},
    {S(3, 4), S(3, 4), S(4)},
    {S(3, 4), S(3), S(4)},
    {S(3, 4), S(4), S(4)},
    {S(3, 4), S(3), S(3)},
    {S(4), S(4), S(4)},
    {{0}, {0}, {0}},
    {{0}, S(3, 4), S(3, 4)},
    {{0}, S(3, 4), S(3)},
    {S(3, 4), S(3, 4), {0}},
    {S(1, 2, 5, 5), S(3, 2, 3, 3), S(3, 2, 3, 3)},
    {S(1, 3, 3, 3), S(3, 2, 3, 3), S(3, 2, 3, 3)},
    {S(1, 3, 3, 3), S(1, 2, 5, 5), S(1, 2, 5, 5)},
    {S(2, 3, 4), S(2, 3, 4), S(2, 3, 4)},
    {S(2, 3, 4), S(2, 4, 5), S(2, 4, 5)},
    {S(2, 3, 5), S(2, 3, 4), S(2, 4, 5)},
    {S(3), S(3, 4), S(4)},
    {S(3, 4), S(3, 4), S(2, 4, 4)},
    {S(7), S(7), S(7)},
    {S(12), S(12), S(12)},
    {S(1, 4, 2), S(1, 4, 2), S(1, 4, 2)},
    {S(3, 11), S(3, 11), S(3, 11)},
    {S(1, 12, 1), S(1, 12, 1), S(1, 12, 1)},
    {S(1, 4, 2, 6), S(1, 4, 2, 6), S(1, 4, 2, 6)},
    {S(2, 3, 4), S(3, 2, 3), S(2)},
    {S(2, 3, 4), S(3, 2, 3), S(3, 2, 3)},
    {S(3, 5), S(2, 3, 4), S(2, 4, 5)},
    {{0}, S(3, 3), S(3, 3)},
};
#undef S
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Mixed ones first: what takes labels or indices shall be shown with them. */
static const ag_dtype dtypes[][3] = {
    {AG_F64, AG_F64, AG_I64},   {AG_F64, AG_I64, AG_F64},  {AG_F64, AG_F64, AG_F64}, {AG_BOOL, AG_F64, AG_F64},
    {AG_F64, AG_BOOL, AG_BOOL}, {AG_F64, AG_BOOL, AG_F64}, {AG_I64, AG_I64, AG_I64}, {AG_BOOL, AG_BOOL, AG_BOOL},
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

static bool try_inputs(ag_tape *t, const ag_op *op, const char *given, int n, trial *out) {
    *out = (trial){.n = n};
    for (int k = 0; k < EXTENTS * DTYPES * SHAPES; k++) {
        guess(op, given, k / (DTYPES * SHAPES), out->attributes, sizeof out->attributes);
        for (int i = 0; i < n; i++) {
            int which = i == 0 ? 0 : i < n - 1 ? 1 : 2;
            out->shape[i] = shapes[k % SHAPES][which];
            out->dtype[i] = dtypes[k / SHAPES % DTYPES][which];
        }
        out->y = call(t, op, out);
        if (out->y) return true;
    }
    return false;
}

bool ops_try(ag_tape *t, const ag_op *op, const char *given, bool optional, trial *out) {
    if (ops_inputs(op) < 0) return try_inputs(t, op, given, 2, out) || try_inputs(t, op, given, 3, out);
    int least = ops_inputs(op), most = optional ? least + op->optional : least;
    for (int n = most < MOST ? most : MOST; n >= least; n--) {
        if (try_inputs(t, op, given, n, out)) return true;
    }
    return false;
}

ag_tensor *ops_try_dtypes(ag_tape *t, const ag_op *op, const trial *like, const ag_dtype dtype[TRIAL_INPUTS]) {
    trial other = *like;
    memcpy(other.dtype, dtype, sizeof other.dtype);
    return call(t, op, &other);
}
