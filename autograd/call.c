/* call.c: operations called by name. A name may stand for several operations, as in PyTorch: the one of that name, and forms of
 * it that further attributes or inputs choose (ops/names.def).
 *
 *     add  a b               add              clamp  x          clamp            sum  x              sum
 *     add  a b | alpha=2     add_scaled       clamp  x lo hi    clamp_between    sum  x | dtype=f64  cast, then sum
 *                                                                                  sum  x mask         masked_fill, then sum */
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"

/* Do the attributes, or n inputs, more than op takes, ask for that form? */
static bool asks_for(const ag__op_form *f, ag_tensor *const in[], int n, const char *attributes) {
    const ag_op *op = f->op, *form = f->form;
    char value[8];
    if (f->attribute)
        return ag__attrs_take(attributes, f->attribute, NULL, value, sizeof value) && (!f->word || !strcmp(value, f->word));
    if (n <= op->arity + op->optional) return false;
    if (form && !form->attr_size) return (!attributes || !*attributes) && n <= form->arity + form->optional;
    return n == op->arity + 1 && ag_dtype_of(in[op->arity]) == AG_BOOL; /* a mask */
}

static const ag__op_form *form_of(const ag_op *op, ag_tensor *const in[], int n, const char *attributes) {
    for (const ag__op_form *f = ag__op_forms; f->op; f++) {
        if (f->op == op && asks_for(f, in, n, attributes)) return f;
    }
    return NULL;
}

static ag_tensor *call(ag_tape *t, const ag_op *op, ag_tensor *const in[], int n, const char *attributes) {
    void *attrs = op->attr_size ? ag__temp(t, op->attr_size) : NULL;
    if (op->attr_size && !attrs) return NULL;
    ag_tensor *y = NULL;
    static const ag_attr_field none[] = {{0}};
    ag_op bare = {.name = op->name, .attrs = none};
    if (op->attr_size ? ag__attrs_parse(t, op, attributes, attrs) : ag__attrs_parse(t, &bare, attributes, &bare)) {
        y = ag_apply_on(t, op, in, n, attrs);
    }
    ag__temp_free(t, attrs);
    return y;
}

/* The op of its one input as another dtype; `name` says which. Inputs that cannot be are left for the op to refuse. */
static ag_tensor *call_cast(ag_tape *t, const ag_op *op, ag_tensor *const in[], int n, const char *name,
                            const char *attributes) {
    char value[16], *rest = ag__temp(t, strlen(attributes) + 1);
    ag_dtype dtype;
    ag_tensor *x = NULL, *y = NULL;
    if (!rest) return NULL;
    ag__attrs_take(attributes, name, rest, value, sizeof value);
    if (!ag__dtype_parse(value, &dtype)) {
        ag__fail(t, AG_ERR_ARGUMENT, "%s: %s='%s': expected f32, f64, i64 or bool", op->name, name, value);
    } else if (n != 1 || !in[0] || in[0]->tape != t || in[0]->flags & AG__TUPLE) {
        y = call(t, op, in, n, rest);
    } else {
        x = dtype == ag_dtype_of(in[0]) ? in[0] : ag_cast(in[0], dtype);
        if (x) y = call(t, op, &x, 1, rest);
    }
    ag__temp_free(t, rest);
    return y;
}

/* The op of its input with the neutral number where the mask, the input behind it, is not set. */
static ag_tensor *call_masked(ag_tape *t, const ag_op *op, ag_tensor *const in[], double neutral, const char *attributes) {
    if (!in[0] || in[0]->tape != t || in[1]->tape != t || in[0]->flags & AG__TUPLE)
        return call(t, op, in, 1, attributes);
    ag_tensor *x = ag_masked_fill(in[0], ag_logical_not(in[1]), neutral);
    if (x) return ag_call(t, op->name, &x, 1, attributes);
    ag__fail_within(t, op->name);
    return NULL;
}

ag_tensor *ag_call(ag_tape *t, const char *name, ag_tensor *const in[], int n, const char *attributes) {
    if (!t) return ag__fail(NULL, AG_ERR_ARGUMENT, "call: the tape is NULL");
    if (t->status) return NULL;
    const ag_op *op = ag_find_op(name);
    if (!op) {
        const char *near = name ? ag__nearest_op(name) : NULL;
        if (near) return ag__fail(t, AG_ERR_ARGUMENT, "unknown op '%s'; did you mean '%s'?", name, near);
        return ag__fail(t, AG_ERR_ARGUMENT, "unknown op '%s'", name ? name : "NULL");
    }
    if (n < 0 || (n > 0 && !in)) return ag__fail(t, AG_ERR_ARGUMENT, "%s: the inputs are NULL", name);
    const ag__op_form *f = form_of(op, in, n, attributes);
    if (f && f->form) return call(t, f->form, in, n, attributes);
    if (f && !f->attribute) return call_masked(t, op, in, f->neutral, attributes);
    if (f) return call_cast(t, op, in, n, f->attribute, attributes);
    return call(t, op, in, n, attributes);
}
