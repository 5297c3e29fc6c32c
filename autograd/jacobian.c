/* jacobian.c: whole matrices of derivatives, and their products with vectors, from the two modes there are.
 *
 *     J = ∂ys/∂xs   forward   ag_jvp at e₁, e₂, …: one column of J each, as many as the xs have elements
 *                   reverse   ag_gradients at e₁, e₂, …: one row each, as many as the ys have elements
 *     H = ∂g/∂xs    of g = ∂loss/∂xs, likewise;   H v = ag_jvp of g along v;   vᵀ H = ag_gradients of g at v
 *
 * eᵢ are rows of one identity matrix, so a column or row costs no memory but its own. All is recorded, whether or not the tape
 * records: what it records is cut off at the end instead, because a derivative of a derivative has to see the first one. */
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"

typedef struct family { /* tensors seen as one long vector */
    ag_tensor *const *of;
    int n;
    int64_t size;
} family;

static bool measure(ag_tape *t, ag_tensor *const of[], int n, const char *what, family *f) {
    char text[160];
    *f = (family){of, n, 0};
    for (int i = 0; i < n; i++) {
        const ag_tensor *x = of[i];
        if (!x || x->tape != t)
            return ag__fail(t, AG_ERR_ARGUMENT, "%s: tensor %d is NULL or on another tape", what, i) != NULL;
        if (x->flags & AG__TUPLE || !ag__is_float(x->dtype)) {
            return ag__fail(t, AG_ERR_DTYPE, "%s: %s is not a float tensor", what, ag__label(x, text, sizeof text)) != NULL;
        }
        f->size += x->shape->size;
    }
    return true;
}

/* The shape y.shape + x.shape of a block of J. */
static bool block_shape(const ag_tensor *y, const ag_tensor *x, const char *what, ag_shape *out) {
    char text[160], other[160];
    ag_shape a = ag_shape_of(y), b = ag_shape_of(x);
    if (a.rank + b.rank > AG_MAX_RANK) {
        return ag__fail(y->tape, AG_ERR_SHAPE, "%s: the axes of %s and %s together are more than %d", what,
                        ag__label(y, text, sizeof text), ag__label(x, other, sizeof other), AG_MAX_RANK) != NULL;
    }
    *out = a;
    for (int k = 0; k < b.rank; k++) out->dim[out->rank++] = b.dim[k];
    return true;
}

static ag_tensor *identity(ag_tape *t, ag_dtype dtype, int64_t n) {
    ag_tensor *eye = ag_leaf(t, dtype, NULL, AG_SHAPE(n, n), AG_RECORDED);
    for (int64_t i = 0; eye && i < n; i++)
        ag__store_value((char *)eye->data + (size_t)(i * n + i) * ag__dtype_bytes[dtype], dtype, 1);
    return eye;
}

static ag_tensor *row(ag_tensor *eye, int64_t k, const ag_tensor *like) {
    ag_tensor *e = ag_slice(eye, 0, k, k + 1, 1);
    return e ? ag_reshape(e, ag_shape_of(like)) : NULL;
}

/* Puts the n lines of one block together: rows one below the other, or columns side by side. They came of an n × n matrix, so
 * n is an int. */
static ag_tensor *join(ag_tensor *const line[], int64_t n, int axis, ag_dtype dtype, ag_shape shape) {
    ag_tensor *all = n == 1 ? line[0] : ag_concat(line, (int)n, axis);
    all = all ? ag_reshape(all, shape) : NULL;
    return all && (ag_dtype)all->dtype != dtype ? ag_cast(all, dtype) : all;
}

typedef struct sweep {
    ag_tape *t;
    family y, x;
    const char *what;
    ag_tensor **line;  /* the passes of one y (reverse) or x (forward), block after block */
    ag_tensor **found; /* what one pass gives */
    ag_tensor **out;   /* J, block (i, j) at i · x.n + j */
} sweep;

/* The lines of blocks (i, 0 … x.n) by reverse mode: one pass an element of ys[i]. */
static bool rows_of(sweep *s, int i) {
    ag_tensor *y = s->y.of[i], *eye = identity(s->t, (ag_dtype)y->dtype, y->shape->size);
    int64_t n = y->shape->size;
    if (!eye) return false;
    for (int64_t k = 0; k < n; k++) {
        ag_tensor *e = row(eye, k, y);
        if (!e || !ag_gradients(&y, &e, 1, s->x.of, s->x.n, s->found)) return false;
        for (int j = 0; j < s->x.n; j++) {
            s->line[j * n + k] = ag_reshape(s->found[j], AG_SHAPE(1, s->x.of[j]->shape->size));
            if (!s->line[j * n + k]) return false;
        }
    }
    return true;
}

/* The lines of blocks (0 … y.n, j) by forward mode: one pass an element of xs[j]. */
static bool columns_of(sweep *s, int j) {
    ag_tensor *x = s->x.of[j], *eye = identity(s->t, (ag_dtype)x->dtype, x->shape->size);
    int64_t n = x->shape->size;
    if (!eye) return false;
    for (int64_t k = 0; k < n; k++) {
        ag_tensor *e = row(eye, k, x);
        if (!e || !ag_jvp(s->y.of, s->y.n, &x, &e, 1, s->found)) return false;
        for (int i = 0; i < s->y.n; i++) {
            s->line[i * n + k] = ag_reshape(s->found[i], AG_SHAPE(s->y.of[i]->shape->size, 1));
            if (!s->line[i * n + k]) return false;
        }
    }
    return true;
}

static bool fill(sweep *s, bool forward) {
    const family *outer = forward ? &s->x : &s->y, *inner = forward ? &s->y : &s->x;
    for (int a = 0; a < outer->n; a++) {
        int64_t n = outer->of[a]->shape->size;
        if (n > 0 && !(forward ? columns_of(s, a) : rows_of(s, a))) return false;
        for (int b = 0; b < inner->n; b++) {
            int i = forward ? b : a, j = forward ? a : b;
            ag_tensor **to = &s->out[i * s->x.n + j];
            const ag_tensor *x = s->x.of[j];
            ag_shape shape;
            if (!block_shape(s->y.of[i], x, s->what, &shape)) return false;
            bool empty = !n || !inner->of[b]->shape->size;
            *to = empty ? ag_full(s->t, (ag_dtype)x->dtype, shape, 0)
                        : join(s->line + b * n, n, forward ? 1 : 0, (ag_dtype)x->dtype, shape);
            if (!*to) return false;
        }
    }
    return true;
}

static int64_t longest(const family *f) {
    int64_t most = 1;
    for (int i = 0; i < f->n; i++) most = f->of[i]->shape->size > most ? f->of[i]->shape->size : most;
    return most;
}

/* Recording goes on, for what follows to see it; afterwards it is cut off if the tape was not recording. */
static bool finish(ag_tape *t, bool recording, int64_t before, bool done) {
    t->recording = recording;
    if (!recording) ag__cut(t, before);
    return done;
}

static bool jacobian(ag_tape *t, family y, family x, const char *what, ag_tensor *out[]) {
    ag_shape ignored;
    for (int i = 0; i < y.n; i++) {
        for (int j = 0; j < x.n; j++) {
            if (!block_shape(y.of[i], x.of[j], what, &ignored)) return false;
        }
    }
    bool forward = x.size < y.size && !ag__inside(t);
    const family *outer = forward ? &x : &y, *inner = forward ? &y : &x;
    size_t lines = (size_t)longest(outer) * (size_t)inner->n, blocks = (size_t)y.n * (size_t)x.n;
    sweep s = {.t = t, .y = y, .x = x, .what = what};
    s.line = ag__temp(t, (lines + (size_t)inner->n + blocks + 1) * sizeof *s.line);
    if (!s.line) return false;
    s.found = s.line + lines;
    s.out = s.found + inner->n;
    bool done = fill(&s, forward);
    for (size_t k = 0; k < blocks; k++) out[k] = done ? s.out[k] : NULL;
    ag__temp_free(t, s.line);
    return done;
}

bool ag_jacobian(ag_tensor *const ys[], int n, ag_tensor *const xs[], int m, ag_tensor *out[]) {
    family y, x;
    if (!ys || !xs || !out || n < 1 || m < 0 || !ys[0])
        return ag__fail(NULL, AG_ERR_ARGUMENT, "jacobian: a tensor is NULL") != NULL;
    ag_tape *t = ys[0]->tape;
    if (t->status || !measure(t, ys, n, "jacobian", &y) || !measure(t, xs, m, "jacobian", &x)) return false;
    bool recording = ag_set_recording(t, true);
    int64_t before = t->region->count;
    return finish(t, recording, before, jacobian(t, y, x, "jacobian", out));
}

/* The checks of a second derivative, and the first. vs may be NULL. */
static bool gradient_of(ag_tensor *loss, family *x, ag_tensor *const vs[], const char *what, ag_tensor *g[]) {
    char text[160], other[160];
    ag_tape *t = loss->tape;
    if (loss->flags & AG__TUPLE || loss->shape->size != 1) {
        return ag__fail(t, AG_ERR_SHAPE, "%s: the loss %s must have one element", what,
                        ag__label(loss, text, sizeof text)) != NULL;
    }
    for (int j = 0; vs && j < x->n; j++) {
        const ag_tensor *v = vs[j], *of = x->of[j];
        if (v && v->tape == t && !(v->flags & AG__TUPLE) && v->shape == of->shape && v->dtype == of->dtype) continue;
        if (!v) return ag__fail(t, AG_ERR_ARGUMENT, "%s: vector %d is NULL", what, j) != NULL;
        return ag__fail(t, AG_ERR_SHAPE, "%s: the vector %s given for %s must have its tape, shape and dtype", what,
                        ag__label(v, text, sizeof text), ag__label(of, other, sizeof other)) != NULL;
    }
    return ag_gradients(&loss, NULL, 1, x->of, x->n, g);
}

enum second { HESSIAN, HVP, VHP };

static bool second(ag_tensor *loss, ag_tensor *const xs[], ag_tensor *const vs[], int m, ag_tensor *out[],
                   enum second which) {
    static const char *const names[] = {"hessian", "hvp", "vhp"};
    const char *what = names[which];
    family x, y;
    if (!loss || !xs || !out || m < 0 || (!vs && which != HESSIAN))
        return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: a tensor is NULL", what) != NULL;
    ag_tape *t = loss->tape;
    if (t->status || !measure(t, xs, m, what, &x) || m == 0) return !t->status;
    ag_tensor **g = ag__temp(t, (size_t)m * sizeof *g);
    if (!g) return false;
    bool recording = ag_set_recording(t, true);
    int64_t before = t->region->count;
    bool done = gradient_of(loss, &x, vs, what, g) && measure(t, g, m, what, &y);
    if (done && which == HESSIAN) done = jacobian(t, y, x, what, out);
    if (done && which == HVP) done = ag_jvp(g, m, xs, vs, m, out);
    if (done && which == VHP) done = ag_gradients(g, vs, m, xs, m, out);
    ag__temp_free(t, g);
    return finish(t, recording, before, done);
}

bool ag_hessian(ag_tensor *loss, ag_tensor *const xs[], int m, ag_tensor *out[]) {
    return second(loss, xs, NULL, m, out, HESSIAN);
}

bool ag_hvp(ag_tensor *loss, ag_tensor *const xs[], ag_tensor *const vs[], int m, ag_tensor *out[]) {
    return second(loss, xs, vs, m, out, HVP);
}

bool ag_vhp(ag_tensor *loss, ag_tensor *const xs[], ag_tensor *const vs[], int m, ag_tensor *out[]) {
    return second(loss, xs, vs, m, out, VHP);
}
