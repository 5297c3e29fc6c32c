/* call.c: operations called by name. A name may stand for several operations, as in PyTorch: the one of that name, and forms of
 * it that further attributes or inputs choose (ops/names.def).
 *
 *     add  a b               add              clamp  x          clamp            sum  x              sum
 *     add  a b | alpha=2     add_scaled       clamp  x lo hi    clamp_between    sum  x | dtype=f64  cast, then sum */
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"

static const ag__op_form *form_of(const ag_op *op, int n, const char *attributes) {
    char value[2];
    for (const ag__op_form *f = ag__op_forms; f->op; f++) {
        if (f->op != op) continue;
        if (f->attribute && ag__attrs_take(attributes, f->attribute, NULL, value, sizeof value)) return f;
        bool more = n > op->arity + op->optional && (!attributes || !*attributes);
        if (!f->attribute && more && n <= f->form->arity + f->form->optional) return f;
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
    const ag__op_form *f = form_of(op, n, attributes);
    if (f && f->form) return call(t, f->form, in, n, attributes);
    if (f) return call_cast(t, op, in, n, f->attribute, attributes);
    return call(t, op, in, n, attributes);
}
