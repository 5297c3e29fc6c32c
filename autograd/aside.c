/* aside.c: which nodes a question concerns, and a backward pass on a copy; see aside.h. */
#include <math.h>
#include <limits.h>
#include <string.h>

#include "autograd/aside.h"

/* Reach */

static unsigned char *flags_of(const ag__reach *r, const ag_tensor *x) {
    if (x->flags & AG__CELL) return NULL;
    if (x->flags & AG__PERSISTENT) return x->index < r->leaves ? &r->persistent[x->index] : NULL;
    return x->index < r->past ? &r->recorded[x->index] : NULL;
}

unsigned ag__reach_of(const ag__reach *r, const ag_tensor *x) {
    const unsigned char *flags = flags_of(r, x);
    return flags ? *flags : 0;
}

static void raise(const ag__reach *r, const ag_tensor *x, unsigned flags) {
    unsigned char *at = flags_of(r, x);
    if (at) *at |= (unsigned char)flags;
}

/* Would ag_backward send x a gradient? */
static bool takes(const ag_tensor *x) {
    return x->flags & AG__GRAD && (x->flags & AG__TUPLE || ag__is_float(x->dtype));
}

static unsigned char *zeros(int64_t n) {
    void *p = ag__get(NULL, (size_t)n + 1, 64);
    return p ? memset(p, 0, (size_t)n + 1) : NULL;
}

bool ag__reach_open(ag__reach *r, ag_tensor *const ys[], int64_t n) {
    *r = (ag__reach){.t = ys[0]->tape, .leaves = ys[0]->tape->persistent.count};
    for (int64_t i = 0; i < n; i++) r->past = ag__end(ys[i]) > r->past ? ag__end(ys[i]) : r->past;
    r->recorded = zeros(r->past);
    r->persistent = zeros(r->leaves);
    if (!r->recorded || !r->persistent) return false;
    for (int64_t i = 0; i < n; i++) raise(r, ys[i], takes(ys[i]) ? AG__LEADS | AG__FLOWS : AG__LEADS);
    for (int64_t i = r->past; i-- > 0;) {
        const ag_tensor *y = ag__node(&r->t->recorded, i);
        unsigned flags = r->recorded[i];
        for (uint32_t k = 0; flags && k < y->nin; k++) {
            const ag_tensor *x = ag__in(y)[k];
            raise(r, x, takes(x) ? flags : flags & AG__LEADS);
        }
    }
    return true;
}

void ag__reach_from(ag__reach *r, const ag_tensor *x) {
    raise(r, x, AG__DEPENDS);
    for (int64_t i = 0; i < r->past; i++) {
        const ag_tensor *y = ag__node(&r->t->recorded, i);
        for (uint32_t k = 0; k < y->nin; k++) {
            if (ag__reach_of(r, ag__in(y)[k]) & AG__DEPENDS) r->recorded[i] |= AG__DEPENDS;
        }
    }
}

void ag__reach_close(ag__reach *r) {
    if (r->recorded) ag__give(NULL, r->recorded, (size_t)r->past + 1);
    if (r->persistent) ag__give(NULL, r->persistent, (size_t)r->leaves + 1);
}

/* Aside */

static int64_t collect(const ag__reach *r, ag_tensor **list) {
    int64_t count = 0;
    for (int64_t i = 0; i < r->leaves + r->past; i++) {
        ag_tensor *x = i < r->leaves ? ag__node(&r->t->persistent, i) : ag__node(&r->t->recorded, i - r->leaves);
        if (!(ag__reach_of(r, x) & AG__FLOWS) || x->flags & AG__PART) continue;
        if (list) list[count] = x;
        count++;
    }
    return count;
}

bool ag__aside_open(ag__aside *a, const ag__reach *r, ag_tensor *const ys[], int64_t n) {
    *a = (ag__aside){.count = collect(r, NULL)};
    if (a->count + n > INT_MAX || r->t->region == &r->t->scratch) return false; /* the copy would need slots in use */
    a->room = a->count + n;
    a->node = ag__get(NULL, (size_t)a->room * sizeof *a->node, 64);
    a->copy = ag__get(NULL, (size_t)a->room * sizeof *a->copy, 64);
    a->tape = ag_tape_new();
    if (!a->node || !a->copy || !a->tape) return false;
    collect(r, a->node);
    int ends = 0;
    for (int64_t i = 0; i < n; i++) {
        if (ag__reach_of(r, ys[i]) & AG__FLOWS) a->node[a->count + ends++] = ys[i];
    }
    if (!ends || !ag_clone(a->tape, a->node, (int)a->count + ends, AG_DTYPE_COUNT, 0, a->copy)) return false;
    ag_tape_retain_grads(a->tape, true);
    return ag_backward_from(a->copy + a->count, NULL, ends);
}

void ag__aside_close(ag__aside *a) {
    ag_tape_free(a->tape);
    ag__give(NULL, a->node, (size_t)a->room * sizeof *a->node);
    ag__give(NULL, a->copy, (size_t)a->room * sizeof *a->copy);
}

ag_tensor *ag__kept(ag_tensor *copy, int out) {
    ag_tensor *x = ag_out(copy, out);
    return x->flags & AG__HAS_GRAD ? x->meta->grad : NULL;
}

bool ag__aside_rule(ag_tensor *y, ag_tensor *d[]) {
    ag_tensor *g[UINT8_MAX];
    for (int o = 0; o < (y->flags & AG__TUPLE ? y->op->nout : 1); o++) g[o] = ag__kept(y, o);
    for (uint32_t i = 0; i < y->nin; i++) d[i] = NULL;
    return ag__rule(y, g, d);
}

/* Values */

static bool bad(double x) { return !isfinite(x); }
static bool nonzero(double x) { return x != 0; }

static int64_t first(const ag_tensor *x, bool (*is)(double)) {
    size_t element = ag__dtype_bytes[x->dtype];
    bool contiguous = ag__contiguous(x);
    for (int64_t i = 0; i < x->shape->size; i++) {
        if (is(contiguous ? ag__load((const char *)x->data + (size_t)i * element, x->dtype) : ag_at(x, i))) return i;
    }
    return -1;
}

int64_t ag__first_nonfinite(const ag_tensor *x) { return first(x, bad); }
int64_t ag__first_nonzero(const ag_tensor *x) { return first(x, nonzero); }
