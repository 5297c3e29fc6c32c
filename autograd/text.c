/* text.c: sentences about tapes and nodes; see text.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/text.h"

ag__text ag__text_in(char *out, size_t size) {
    if (size) out[0] = '\0';
    return (ag__text){out, size, 0};
}

void ag__text_put(ag__text *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t room = w->used < w->size ? w->size - w->used : 0;
    int n = vsnprintf(room ? w->out + w->used : NULL, room, format, args);
    va_end(args);
    if (n > 0) w->used += (size_t)n;
}

int ag__text_width(const char *text) {
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

const char *ag__scope_path(const ag_tape *t, int scope, char *out, size_t size) {
    size_t at = size - 1;
    out[at] = '\0';
    for (int s = scope; s; s = t->scopes[s].parent) {
        bool outer = s != scope;
        size_t n = strlen(t->scopes[s].name);
        if (n + outer > at) break;
        if (outer) out[--at] = '/';
        at -= n;
        memcpy(out + at, t->scopes[s].name, n);
    }
    return out + at;
}

void ag__text_scope(ag__text *w, const ag_tape *t, int scope) {
    char path[160];
    if (scope) ag__text_put(w, " [in %s]", ag__scope_path(t, scope, path, sizeof path));
}

void ag__text_range(ag__text *w, const ag_tensor *x) {
    double least = HUGE_VAL, most = -HUGE_VAL;
    for (int64_t i = 0; i < x->shape->size; i++) {
        double v = ag_at(x, i);
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    if (x->shape->size == 1) {
        ag__text_put(w, "%g", ag_at(x, 0));
    } else if (x->shape->size == 0) {
        ag__text_put(w, "without elements");
    } else if (least < most) {
        ag__text_put(w, "between %g and %g", least, most);
    } else {
        ag__text_put(w, "%g everywhere", least);
    }
}

void ag__text_node(ag__text *w, const ag_tensor *x) {
    const char *name = ag_name(x);
    if (x->flags & AG__LEAF) {
        char extents[160];
        ag_tensor bare = *x;
        bare.meta = NULL;
        ag_shape_text(&bare, extents, sizeof extents);
        if (*name) {
            ag__text_put(w, "'%s' %s", name, extents);
        } else {
            ag__text_put(w, "a leaf %s", extents);
        }
        return;
    }
    const ag_tensor *y = x->flags & AG__PART ? x->in[0] : x;
    if (*name) {
        ag__text_put(w, "%s at '%s'", y->op->name, name);
    } else {
        ag__text_put(w, "%s at #%u", y->op->name, (unsigned)y->index);
    }
    ag__text_scope(w, x->tape, x->scope);
}
