/* call.c: an operation by name.
 *
 *     softmax(x, axis=1)      as many inputs as the op's record says, then attributes by name,
 *     softmax(x, 1)           or in the record's order,
 *     reshape(x, 2, 3)        a last list of integers also one by one
 *
 * What an op takes is read from its record, so operations registered later work the same. */
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "eval.h"
#include "habits.h"
#include "ops.h"
#include "ops/ops.h"

enum { FEW = 64 };

static bool unknown_op(const evaluator *e, int id) {
    const char *name = e->p->node[id].name;
    span at = {e->p->node[id].at.start, e->p->node[id].at.start + strlen(name)};
    for (int i = 0; i < e->count; i++) {
        if (!strcmp(e->bindings[i].name, name)) {
            return fault_set(e->f, EXIT_USAGE, e->in, at, "'%s' is a value, not an operation; to multiply write %s*(…)",
                             name, name);
        }
    }
    const char *hint = habit_of_op(name);
    if (hint) return fault_set(e->f, EXIT_USAGE, e->in, at, "unknown op '%s'; %s", name, hint);
    nearest near = nearest_begin(name);
    const ag_op *op;
    for (int i = 0; (op = ag_op_at(i)) != NULL; i++) nearest_try(&near, op->name);
    if (near.best) {
        return fault_set(e->f, EXIT_USAGE, e->in, at, "unknown op '%s'; did you mean '%s'?", name, near.best);
    }
    return fault_set(e->f, EXIT_USAGE, e->in, at, "unknown op '%s'; 'autograd ops' lists them", name);
}

/* The record's first attribute to the user: a random op's draw is its own affair. */
static const ag_attr_field *fields_of(const ag_op *op) {
    static const ag_attr_field none[] = {{0}};
    return op->attr_size && op->attrs ? op->attrs + !!(op->flags & AG_RANDOM) : none;
}

static int inputs_of(const ag_op *op) { return op->arity < 0 ? -1 : op->arity - !!(op->flags & AG_RANDOM); }

/* How many of the call's arguments are inputs: optional ones come before attributes. */
static int inputs_given(const evaluator *e, int id, const ag_op *op) {
    const node *n = &e->p->node[id];
    int most = inputs_of(op) + op->optional, given = 0;
    while (given < n->count && e->p->node[child_of(e->p, id, given)].kind != NODE_NAMED) given++;
    return given < most || op->arity < 0 ? given : most;
}

/* A draw is no attribute to the user. */
static const ag_attr_field *field_named(const ag_op *op, const char *name) {
    const ag_attr_field *f = ag_find_attr(op, name);
    return f && f >= fields_of(op) ? f : NULL;
}

static bool unknown_attribute(const evaluator *e, const ag_op *op, int argument) {
    const char *name = e->p->node[argument].name;
    span at = {e->p->node[argument].at.start, e->p->node[argument].at.start + strlen(name)};
    text known = {0};
    nearest near = nearest_begin(name);
    for (const ag_attr_field *f = fields_of(op); f->name; f++) {
        text_printf(&known, "%s%s", known.size ? ", " : "", f->name);
        nearest_try(&near, f->name);
    }
    if (near.best) {
        fault_set(e->f, EXIT_USAGE, e->in, at, "%s has no attribute '%s'; did you mean '%s'?", op->name, name, near.best);
    } else if (known.size) {
        fault_set(e->f, EXIT_USAGE, e->in, at, "%s has no attribute '%s'; it has %s", op->name, name, text_of(&known));
    } else {
        fault_set(e->f, EXIT_USAGE, e->in, at, "%s has no attributes", op->name);
    }
    text_free(&known);
    return false;
}

static void skip(evaluator *e, int id, unsigned char how) {
    for (int i = e->p->node[id].low; i <= id; i++) e->skip[i] = how;
}

static bool is_named(const evaluator *e, int id) { return e->p->node[id].kind == NODE_NAMED; }

/* concat([a, b]) is concat(a, b): the list itself is not evaluated. */
static int spread(const evaluator *e, int id, const ag_op *op) {
    const node *n = &e->p->node[id];
    if (op->arity >= 0 || !n->count || (n->count > 1 && !is_named(e, child_of(e->p, id, 1)))) return -1;
    int first = child_of(e->p, id, 0);
    return e->p->node[first].kind == NODE_LIST ? first : -1;
}

bool eval_plan_call(evaluator *e, int id) {
    const node *n = &e->p->node[id];
    const ag_op *op = ag_find_op(n->name);
    if (!op) return unknown_op(e, id);
    int inputs = inputs_of(op), given = 0;
    bool named = false;
    if (spread(e, id, op) >= 0) e->skip[spread(e, id, op)] = SKIP_NODE;
    for (int i = 0; i < n->count; i++) {
        int argument = child_of(e->p, id, i);
        if (is_named(e, argument)) {
            if (!field_named(op, e->p->node[argument].name)) return unknown_attribute(e, op, argument);
            skip(e, argument, SKIP_ATTRIBUTE);
            named = true;
        } else if (named) {
            return fault_set(e->f, EXIT_USAGE, e->in, e->p->node[argument].at,
                             "this follows an attribute given by name; a list is written axes=[0, 1]");
        } else if (inputs >= 0 && ++given > inputs + op->optional) {
            skip(e, argument, SKIP_ATTRIBUTE);
        }
    }
    if (inputs < 0 || given >= inputs) return true;
    text form = {0};
    ops_put_call(op, &form);
    char name[32];
    fault_set(e->f, EXIT_USAGE, e->in, n->at, "%s: input %d, %s, is missing: %s", op->name, given,
              ag_op_input_name(op, given, name, sizeof name), text_of(&form));
    text_free(&form);
    return false;
}

/* Attributes, as the text that ag_call reads */

static bool attribute_number(text *out, const value *v) {
    if (v->kind != VALUE_NUMBER) return false;
    if (eval_whole(v->number)) text_printf(out, "%lld", (long long)v->number);
    else text_number(out, v->number, EXACT);
    return true;
}

static bool attribute_value(const evaluator *e, int id, text *out) {
    const node *n = &e->p->node[id];
    const value *v = &e->v[id];
    if (n->kind == NODE_LIST) {
        text_put(out, "[");
        for (int i = 0; i < n->count; i++) {
            if (i) text_put(out, ",");
            if (!attribute_number(out, &e->v[child_of(e->p, id, i)])) return false;
        }
        text_put(out, "]");
        return true;
    }
    if (v->kind == VALUE_WORD) text_put(out, v->word);
    return v->kind == VALUE_WORD || attribute_number(out, v);
}

static bool put_attribute(const evaluator *e, const ag_op *op, const ag_attr_field *f, int argument, text *out) {
    text_printf(out, "%s%s=", out->size ? " " : "", f->name);
    if (attribute_value(e, argument, out)) return true;
    const char *hint = f->type == AG_ATTR_F64     ? "; to use a tensor, write the formula with operators"
                       : !strcmp(op->name, "max") ? "; the larger of two is maximum(a, b)"
                       : !strcmp(op->name, "min") ? "; the smaller of two is minimum(a, b)"
                                                  : "";
    return fault_set(e->f, EXIT_USAGE, e->in, e->p->node[argument].at,
                     "'%s' of %s is an attribute: a number or a list written out%s", f->name, op->name, hint);
}

static bool is_list_type(const ag_attr_field *f) { return f->type == AG_ATTR_SHAPE || f->type == AG_ATTR_AXES; }

/* Positional attributes: arguments from `from` to the first named one. */
static bool put_positional(const evaluator *e, int id, const ag_op *op, int from, uint64_t *given, text *out) {
    const node *n = &e->p->node[id];
    const ag_attr_field *fields = fields_of(op);
    int count = 0, known = 0;
    while (from + count < n->count && !is_named(e, child_of(e->p, id, from + count))) count++;
    while (fields[known].name) known++;
    if (known && count > known && is_list_type(&fields[known - 1]) && known == 1) { /* reshape(x, 2, 3) */
        text_printf(out, "%s%s=[", out->size ? " " : "", fields[0].name);
        for (int i = 0; i < count; i++) {
            int argument = child_of(e->p, id, from + i);
            if (i) text_put(out, ",");
            if (!attribute_number(out, &e->v[argument]))
                return fault_set(e->f, EXIT_USAGE, e->in, e->p->node[argument].at, "expected an integer of '%s'",
                                 fields[0].name);
        }
        text_put(out, "]");
        *given |= 1;
        return true;
    }
    int required = 0, skipped = 0, last_list = -1;
    for (int i = 0; i < known; i++) {
        required += !fields[i].preset;
        if (is_list_type(&fields[i])) last_list = i;
    }
    for (int i = 0; i < count; i++) {
        int argument = child_of(e->p, id, from + i);
        while (count == required && i + skipped < known && fields[i + skipped].preset)
            skipped++; /* arange(3): its end */
        while (e->p->node[argument].kind == NODE_LIST && i + skipped < last_list && !is_list_type(&fields[i + skipped]))
            skipped++; /* tensor_split(x, [1, 2]): its indices */
        if (i >= known) {
            text form = {0};
            ops_put_call(op, &form);
            fault_set(e->f, EXIT_USAGE, e->in, e->p->node[argument].at, "this is one more than %s takes: %s", op->name,
                      text_of(&form));
            text_free(&form);
            return false;
        }
        *given |= (uint64_t)1 << (i + skipped);
        if (!put_attribute(e, op, &fields[i + skipped], argument, out)) return false;
    }
    return true;
}

static bool put_attributes(const evaluator *e, int id, const ag_op *op, text *out) {
    const node *n = &e->p->node[id];
    const ag_attr_field *fields = fields_of(op);
    uint64_t given = 0;
    if (op->arity >= 0 && !put_positional(e, id, op, inputs_given(e, id, op), &given, out)) return false;
    for (int i = 0; i < n->count; i++) {
        int argument = child_of(e->p, id, i);
        if (!is_named(e, argument)) continue;
        const ag_attr_field *f = field_named(op, e->p->node[argument].name);
        if (given >> (f - fields) & 1) {
            return fault_set(e->f, EXIT_USAGE, e->in, e->p->node[argument].at, "'%s' is given twice", f->name);
        }
        given |= (uint64_t)1 << (f - fields);
        if (!put_attribute(e, op, f, child_of(e->p, argument, 0), out)) return false;
    }
    for (const ag_attr_field *f = fields; f->name; f++) { /* a float result is of the evaluator's dtype unless told */
        bool other = f->type == AG_ATTR_DTYPE && f->preset && !strcmp(f->preset, "f32") && !(given >> (f - fields) & 1);
        if (other) text_printf(out, "%s%s=%s", out->size ? " " : "", f->name, ag_dtype_name(e->dtype));
    }
    return true;
}

/* Conversions */

typedef struct call {
    evaluator *e;
    const ag_op *op;
    ag_tensor **in;
    int n;
    const char *attributes;
} call;

/* Calls; on a complaint about dtypes the error is put aside, so that another try is possible. */
static ag_tensor *attempt(const call *c, bool *dtypes) {
    ag_tensor *y = eval_apply(c->e, c->op->name, c->in, c->n, c->attributes);
    *dtypes = !y && ag_tape_status(c->e->tape) == AG_ERR_DTYPE;
    return y;
}

/* A leaf of whole numbers as one of i64 or bool; NULL when x is none. */
static ag_tensor *as_whole(ag_tape *t, ag_tensor *x, ag_dtype dtype) {
    if (!ag_is_leaf(x) || ag_dtype_of(x) == dtype) return NULL;
    int64_t n = ag_size(x);
    double *data = malloc(((size_t)n + 1) * sizeof *data);
    bool whole = data != NULL;
    for (int64_t i = 0; i < n && whole; i++) {
        data[i] = ag_at(x, i);
        whole = eval_whole(data[i]);
    }
    ag_tensor *y = whole ? eval_leaf(t, dtype, data, ag_shape_of(x), 0) : NULL;
    free(data);
    return y && *ag_name(x) ? ag_set_name(y, ag_name(x)) : y;
}

/* Tries with every i64 and bool input made float, then with one input, the last first, made i64 or bool. */
static ag_tensor *convert(const call *c) {
    ag_tape *t = c->e->tape;
    char first[768];
    bool dtypes = false;
    snprintf(first, sizeof first, "%s", ag_tape_message(t));
    ag_tape_clear(t);
    ag_tensor *few[FEW], **in = c->n <= FEW ? few : malloc((size_t)c->n * sizeof *in), *y = NULL;
    if (!in) return ag_tape_fail(t, AG_ERR_MEMORY, c->op->name, "out of memory");
    for (int i = 0; i < c->n; i++) {
        ag_dtype d = ag_dtype_of(c->in[i]);
        in[i] = d == AG_I64 || d == AG_BOOL ? ag_cast(c->in[i], c->e->dtype) : c->in[i];
    }
    call other = *c;
    other.in = in;
    y = attempt(&other, &dtypes);
    for (int k = 2 * c->n; dtypes && k-- > 0;) {
        int i = k % c->n;
        memcpy(in, c->in, (size_t)c->n * sizeof *in);
        ag_tape_clear(t);
        ag_tensor *whole = as_whole(t, in[i], k >= c->n ? AG_I64 : AG_BOOL);
        if (!whole) continue;
        in[i] = whole;
        y = attempt(&other, &dtypes);
    }
    if (in != few) free(in);
    if (y || !dtypes) return y;
    ag_tape_clear(t);
    return ag_tape_fail(t, AG_ERR_DTYPE, NULL, "%s", first);
}

static bool gather_inputs(evaluator *e, int id, const ag_op *op, ag_tensor **in, int n) {
    int list = spread(e, id, op), from = list >= 0 ? list : id;
    ag_dtype dtype = AG_DTYPE_COUNT;
    bool floats = false, integers = false;
    for (int i = 0; i < n; i++) { /* plain numbers take the dtype of the tensors beside them */
        const value *v = &e->v[child_of(e->p, from, i)];
        if (v->kind != VALUE_TENSOR) continue;
        ag_dtype d = ag_dtype_of(v->x);
        floats = floats || d == AG_F32 || d == AG_F64;
        integers = integers || d == AG_I64;
        if (d == AG_F32 || d == AG_F64) dtype = d;
    }
    for (int i = 0; i < n; i++) {
        int argument = child_of(e->p, from, i);
        const value *v = &e->v[argument];
        bool number = v->kind == VALUE_NUMBER, whole = number && integers && !floats && eval_whole(v->number);
        in[i] = eval_tensor(e, argument, !number ? AG_DTYPE_COUNT : whole ? AG_I64 : dtype);
        if (!in[i]) return false;
    }
    return true;
}

bool eval_call(evaluator *e, int id) {
    const ag_op *op = ag_find_op(e->p->node[id].name);
    int list = spread(e, id, op), n = list >= 0 ? e->p->node[list].count : inputs_given(e, id, op);
    ag_tensor *few[FEW], **in = n <= FEW ? few : malloc((size_t)n * sizeof *in), *y = NULL;
    text attributes = {0};
    if (!in) return fault_memory(e->f);
    if (gather_inputs(e, id, op, in, n) && put_attributes(e, id, op, &attributes)) {
        call c = {e, op, in, n, text_of(&attributes)};
        bool dtypes = false;
        y = attempt(&c, &dtypes);
        if (dtypes) y = convert(&c);
        eval_store(e, id, y);
    }
    if (in != few) free(in);
    text_free(&attributes);
    return !e->f->code;
}
