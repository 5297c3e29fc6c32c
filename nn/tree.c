/* tree.c: what goes through a module and all below it: names, lists, modes, freezing, casting, sharing.
 *
 * These walks recurse on the nesting of modules, which is a handful, never on the depth of a graph. */
#include <stdio.h>
#include <string.h>

#include "autograd/op.h"
#include "nn/module.h"

/* Names */

/* Writes "encoder.0." for module encoder.0; a root's is "". Returns its length, or one too large for out. */
static size_t prefix(const ag_module *m, char *out, size_t size) {
    if (!m->parent) return 0;
    size_t n = prefix(m->parent, out, size), length = strlen(m->name) + 1;
    if (n + length < size) {
        memcpy(out + n, m->name, length - 1);
        out[n + length - 1] = '.';
    }
    return n + length;
}

bool ag__module_rename(ag_module *m) {
    char name[256];
    size_t n = prefix(m, name, sizeof name);
    for (const ag__slot *s = m->slot; s; s = s->next) {
        size_t length = strlen(s->name) + 1;
        if (n + length > sizeof name) {
            return ag_tape_fail(m->tape, AG_ERR_ARGUMENT, "module", "the dotted name of '%s' is longer than %zu bytes",
                                s->name, sizeof name - 1) != NULL;
        }
        memcpy(name + n, s->name, length);
        if (!ag_set_name(s->tensor, name)) return false;
    }
    for (ag_module *c = m->child; c; c = c->next) {
        if (!ag__module_rename(c)) return false;
    }
    return true;
}

/* The part of `name` after "child.", or NULL if it does not begin so. */
static const char *below(const char *name, const char *child) {
    size_t n = strlen(child);
    return !strncmp(name, child, n) && name[n] == '.' ? name + n + 1 : NULL;
}

ag_tensor *ag_module_find(ag_module *m, const char *name) {
    static const char where[] = "module_find";
    if (!ag__module_ok(m, where)) return NULL;
    if (!name) return ag_tape_fail(m->tape, AG_ERR_ARGUMENT, where, "the name is NULL");
    const char *rest = name;
    for (const ag_module *at = m; at;) {
        for (const ag__slot *s = at->slot; s; s = s->next) {
            if (!strcmp(s->name, rest)) return s->tensor;
        }
        const ag_module *c = at->child;
        while (c && !below(rest, c->name)) c = c->next;
        if (c) rest = below(rest, c->name);
        at = c;
    }
    return ag_tape_fail(m->tape, AG_ERR_ARGUMENT, where, "the %s has no parameter or buffer '%s'", m->kind, name);
}

/* Lists */

static int slots_below(const ag_module *m) {
    int n = 0;
    for (const ag__slot *s = m->slot; s; s = s->next) n++;
    for (const ag_module *c = m->child; c; c = c->next) n += slots_below(c);
    return n;
}

static void collect(const ag_module *m, ag__list list[AG__SLOT_KINDS]) {
    for (const ag__slot *s = m->slot; s; s = s->next) {
        ag__list *l = &list[s->kind];
        bool seen = false;
        for (int i = 0; i < l->count && !seen; i++) seen = l->tensor[i] == s->tensor;
        if (!seen) l->tensor[l->count++] = s->tensor;
    }
    for (const ag_module *c = m->child; c; c = c->next) collect(c, list);
}

static const ag__list *listed(ag_module *m, ag__slot_kind kind, const char *where) {
    if (!ag__module_ok(m, where)) return NULL;
    if (!m->listed) {
        size_t bytes = ((size_t)slots_below(m) + 1) * sizeof(ag_tensor *);
        ag__list fresh[AG__SLOT_KINDS] = {{0}};
        for (int k = 0; k < AG__SLOT_KINDS; k++) {
            fresh[k].tensor = ag_tape_alloc(m->tape, bytes);
            if (!fresh[k].tensor) return NULL;
        }
        collect(m, fresh);
        memcpy(m->list, fresh, sizeof fresh);
        m->listed = true;
    }
    return &m->list[kind];
}

ag_tensor *const *ag_module_parameters(ag_module *m) {
    const ag__list *l = listed(m, AG__PARAMETER, "module_parameters");
    return l ? l->tensor : NULL;
}

int ag_module_parameter_count(ag_module *m) {
    const ag__list *l = listed(m, AG__PARAMETER, "module_parameter_count");
    return l ? l->count : 0;
}

ag_tensor *const *ag_module_buffers(ag_module *m) {
    const ag__list *l = listed(m, AG__BUFFER, "module_buffers");
    return l ? l->tensor : NULL;
}

int ag_module_buffer_count(ag_module *m) {
    const ag__list *l = listed(m, AG__BUFFER, "module_buffer_count");
    return l ? l->count : 0;
}

/* Modes */

static void train(ag_module *m, bool training) {
    m->training = training;
    for (ag_module *c = m->child; c; c = c->next) train(c, training);
}

bool ag_module_train(ag_module *m, bool training) {
    if (!ag__module_ok(m, "module_train")) return false;
    train(m, training);
    return true;
}

bool ag_module_freeze(ag_module *m, bool frozen) {
    const ag__list *l = listed(m, AG__PARAMETER, "module_freeze");
    bool ok = l != NULL;
    for (int i = 0; ok && i < l->count; i++) ok = ag_set_requires_grad(l->tensor[i], !frozen);
    return ok;
}

/* Casting */

static ag_tensor *converted(ag_tensor *x, ag_dtype dtype) {
    ag_tensor *y = ag_leaf(ag_tape_of(x), dtype, NULL, ag_shape_of(x), ag_requires_grad(x) ? AG_REQUIRES_GRAD : 0);
    void *to = y ? ag_mutable(y) : NULL;
    if (!to) return NULL;
    for (int64_t i = 0; i < ag_size(x); i++) {
        if (dtype == AG_F32) ((float *)to)[i] = (float)ag_at(x, i);
        else ((double *)to)[i] = ag_at(x, i);
    }
    return ag_set_name(y, ag_name(x));
}

static void replace(ag_module *m, const ag_tensor *old, ag_tensor *fresh) {
    m->listed = false;
    for (ag__slot *s = m->slot; s; s = s->next) {
        if (s->tensor == old) s->tensor = fresh;
    }
    for (ag_module *c = m->child; c; c = c->next) replace(c, old, fresh);
}

bool ag_module_cast(ag_module *m, ag_dtype dtype) {
    static const char where[] = "module_cast";
    if (!ag__module_ok(m, where)) return false;
    if (dtype != AG_F32 && dtype != AG_F64) {
        return ag_tape_fail(m->tape, AG_ERR_DTYPE, where, "modules are f32 or f64, not %s", ag_dtype_name(dtype)) != NULL;
    }
    for (int k = 0; k < AG__SLOT_KINDS; k++) {
        const ag__list *l = listed(m, (ag__slot_kind)k, where);
        for (int i = 0; l && i < l->count; i++) {
            ag_tensor *x = l->tensor[i];
            if (ag_dtype_of(x) == dtype || ag_dtype_of(x) > AG_F64) continue;
            ag_tensor *y = converted(x, dtype);
            if (!y) return false;
            replace(m, x, y);
        }
    }
    for (ag_module *a = m->parent; a; a = a->parent) a->listed = false;
    return ag_tape_status(m->tape) == AG_OK;
}

/* Sharing */

/* What tensor x of the tree `from` became in its copy `to`, as far as that has been built; NULL: nothing yet. */
static ag_tensor *counterpart(const ag_module *from, const ag_module *to, const ag_tensor *x) {
    const ag__slot *s = from->slot, *r = to->slot;
    for (; s && r; s = s->next, r = r->next) {
        if (s->tensor == x) return r->tensor;
    }
    const ag_module *a = from->child, *b = to->child;
    for (; a && b; a = a->next, b = b->next) {
        ag_tensor *y = counterpart(a, b, x);
        if (y) return y;
    }
    return NULL;
}

typedef struct pair {
    const ag_module *from, *to;
} pair;

static bool share_into(const ag_module *m, ag_module *copy, pair root) {
    for (const ag__slot *s = m->slot; s; s = s->next) {
        ag_tensor *x = counterpart(root.from, root.to, s->tensor);
        if (!x) x = ag_share(copy->tape, s->tensor);
        bool is_parameter = s->kind == AG__PARAMETER;
        if (!(is_parameter ? ag_module_add_parameter : ag_module_add_buffer)(copy, s->name, x)) return false;
    }
    for (ag_module *c = m->child; c; c = c->next) {
        ag_module *below = ag_module_new(copy->tape, c->kind, c->forward, c->fields, c->field_bytes);
        if (!below) return false;
        below->training = c->training;
        if (!ag_module_add_child(copy, c->name, below) || !share_into(c, below, root)) return false;
    }
    return true;
}

ag_module *ag_module_share(ag_tape *t, ag_module *m) {
    static const char where[] = "module_share";
    if (!t) return ag_tape_fail(NULL, AG_ERR_ARGUMENT, where, "the tape is NULL");
    if (!m) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the module is NULL");
    ag_module *copy = ag_module_new(t, m->kind, m->forward, m->fields, m->field_bytes);
    if (!copy) return NULL;
    copy->training = m->training;
    return share_into(m, copy, (pair){m, copy}) ? copy : NULL;
}
