/* module.c: making a module, adding to it, and running it. What goes through a whole tree of modules is in tree.c. */
#include <stdio.h>
#include <string.h>

#include "autograd/op.h"
#include "nn/module.h"

bool ag__module_ok(const ag_module *m, const char *where) {
    if (!m) return ag_tape_fail(NULL, AG_ERR_ARGUMENT, where, "the module is NULL") != NULL;
    return ag_tape_status(m->tape) == AG_OK;
}

static char *copy_text(ag_tape *t, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = ag_tape_alloc(t, bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

/* Modules that hold something have a scope: "residual" as a root, "0 linear" as a child. */
static bool set_scope(ag_module *m) {
    if (!m->slot && !m->child) return true;
    size_t bytes = strlen(m->name) + 1 + strlen(m->kind) + 1;
    char *scope = ag_tape_alloc(m->tape, bytes);
    if (!scope) return false;
    snprintf(scope, bytes, "%s%s%s", m->name, *m->name ? " " : "", m->kind);
    m->scope = scope;
    return true;
}

static void changed(ag_module *m) {
    for (; m; m = m->parent) m->listed = false;
}

ag_module *ag_module_new(ag_tape *t, const char *kind, ag_forward_fn *forward, const void *fields, size_t size) {
    if (!kind) return ag_tape_fail(t, AG_ERR_ARGUMENT, "module_new", "the kind is NULL");
    ag_module *m = ag_tape_alloc(t, sizeof *m);
    void *copy = m ? ag_tape_alloc(t, size) : NULL;
    char *name = copy ? copy_text(t, kind) : NULL;
    if (!name) return NULL;
    if (fields && size) memcpy(copy, fields, size);
    *m = (ag_module){
        .tape = t, .kind = name, .name = "", .forward = forward, .fields = copy, .field_bytes = size, .training = true};
    m->last_slot = &m->slot;
    m->last_child = &m->child;
    return m;
}

/* May `name` be added to m? */
static bool name_ok(const ag_module *m, const char *name, const char *where) {
    if (!name || !*name) return ag_tape_fail(m->tape, AG_ERR_ARGUMENT, where, "the name is empty") != NULL;
    if (strchr(name, '.')) {
        return ag_tape_fail(m->tape, AG_ERR_ARGUMENT, where, "the name '%s' has a dot, which separates modules", name) !=
               NULL;
    }
    bool taken = false;
    for (const ag__slot *s = m->slot; s; s = s->next) taken |= !strcmp(s->name, name);
    for (const ag_module *c = m->child; c; c = c->next) taken |= !strcmp(c->name, name);
    if (!taken) return true;
    return ag_tape_fail(m->tape, AG_ERR_ARGUMENT, where, "the %s already has a '%s'", m->kind, name) != NULL;
}

static ag_module *add_tensor(ag_module *m, const char *name, ag_tensor *leaf, ag__slot_kind kind, const char *where) {
    if (!ag__module_ok(m, where) || !name_ok(m, name, where)) return NULL;
    ag_tape *t = m->tape;
    char shape[160];
    if (!leaf) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the leaf '%s' is NULL", name);
    if (ag_tape_of(leaf) != t)
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "'%s' is on another tape than the %s", name, m->kind);
    if (!ag_is_leaf(leaf) || ag_index(leaf) >= 0) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where,
                            "'%s' is not a persistent leaf: make it with ag_param or ag_buffer", name);
    }
    if (kind == AG__PARAMETER && ag_dtype_of(leaf) > AG_F64) {
        return ag_tape_fail(t, AG_ERR_DTYPE, where, "'%s' %s is %s; parameters are f32 or f64", name,
                            ag_shape_text(leaf, shape, sizeof shape), ag_dtype_name(ag_dtype_of(leaf)));
    }
    ag__slot *s = ag_tape_alloc(t, sizeof *s);
    char *copy = s ? copy_text(t, name) : NULL;
    if (!copy) return NULL;
    *s = (ag__slot){.name = copy, .tensor = leaf, .kind = kind};
    *m->last_slot = s;
    m->last_slot = &s->next;
    changed(m);
    return (m->scope || set_scope(m)) && ag__module_rename(m) ? m : NULL;
}

ag_module *ag_module_add_parameter(ag_module *m, const char *name, ag_tensor *leaf) {
    return add_tensor(m, name, leaf, AG__PARAMETER, "module_add_parameter");
}

ag_module *ag_module_add_buffer(ag_module *m, const char *name, ag_tensor *leaf) {
    return add_tensor(m, name, leaf, AG__BUFFER, "module_add_buffer");
}

ag_module *ag_module_add_child(ag_module *m, const char *name, ag_module *child) {
    static const char where[] = "module_add_child";
    if (!ag__module_ok(m, where) || !name_ok(m, name, where)) return NULL;
    ag_tape *t = m->tape;
    if (!child) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the child '%s' is NULL", name);
    if (child->tape != t) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the child '%s' is on another tape; ag_module_share lends it", name);
    }
    if (child->parent) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the child '%s' already is '%s' of a %s", name, child->name,
                            child->parent->kind);
    }
    for (const ag_module *a = m; a; a = a->parent) {
        if (a == child) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "'%s' would hold itself", name);
    }
    char *copy = copy_text(t, name);
    if (!copy) return NULL;
    child->name = copy;
    child->parent = m;
    *m->last_child = child;
    m->last_child = &child->next;
    changed(m);
    return (m->scope || set_scope(m)) && set_scope(child) && ag__module_rename(child) ? m : NULL;
}

ag_tensor *ag_module_forward(ag_module *m, ag_tensor *x) {
    static const char where[] = "module_forward";
    if (!ag__module_ok(m, where)) return NULL;
    ag_tape *t = m->tape;
    if (!x) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the input of the %s is NULL", m->kind);
    if (ag_tape_of(x) != t) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where,
                            "the input is on another tape than the %s; ag_module_share lends it", m->kind);
    }
    if (!m->forward) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "a %s has no forward function", m->kind);
    if (!m->scope) return m->forward(m, x);
    if (!ag_scope_push(t, m->scope)) return NULL;
    ag_tensor *y = m->forward(m, x);
    ag_scope_pop(t);
    return y;
}

ag_tape *ag_module_tape(const ag_module *m) { return m ? m->tape : NULL; }
void *ag_module_fields(ag_module *m) { return m ? m->fields : NULL; }
const char *ag_module_kind(const ag_module *m) { return m ? m->kind : ""; }
const char *ag_module_name(const ag_module *m) { return m ? m->name : ""; }
bool ag_module_training(const ag_module *m) { return m && m->training; }

ag_tensor *ag_module_tensor(const ag_module *m, int i) {
    const ag__slot *s = m && i >= 0 ? m->slot : NULL;
    while (s && i-- > 0) s = s->next;
    return s ? s->tensor : NULL;
}

ag_module *ag_module_child(const ag_module *m, int i) {
    ag_module *c = m && i >= 0 ? m->child : NULL;
    while (c && i-- > 0) c = c->next;
    return c;
}

int ag_module_child_count(const ag_module *m) {
    int n = 0;
    for (const ag_module *c = m ? m->child : NULL; c; c = c->next) n++;
    return n;
}
