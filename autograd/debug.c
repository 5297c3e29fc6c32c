/* debug.c: what AG_DEBUG asks for, read when a tape is made.
 *
 *   1  once: version, instruction set, threads; at the tape's end its peak bytes
 *   2  and the time of each op
 *   3  and each op as it is recorded, with shapes and attributes
 *   4  also checks: the first NaN or infinity made from finite inputs is an error naming the node; dropped memory is poisoned */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "autograd/node.h"

double ag__now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void ag__debug_start(ag_tape *t) {
    const char *level = getenv("AG_DEBUG");
    long n = level ? strtol(level, NULL, 10) : 0;
    t->debug = (uint8_t)(n < 0 ? 0 : n > 4 ? 4 : n);
    t->watch = t->debug ? AG__WATCH_DEBUG : 0;
#ifdef AG_POISON
    t->poison = true;
#endif
    if (t->debug >= 4) t->poison = true;
    if (t->debug) {
        ag__log("autograd %d.%d.%d: %s, %d threads%s", AG_VERSION_MAJOR, AG_VERSION_MINOR, AG_VERSION_PATCH, ag_isa(),
                ag_threads(), t->poison ? ", dropped memory is poisoned" : "");
    }
}

bool ag__dot_wanted(bool claim) {
    static int state; /* 0: not known yet, 1: no, or drawn */
    if (__atomic_load_n(&state, __ATOMIC_RELAXED)) return false;
    const char *path = getenv("AG_DOT");
    bool wanted = path && *path;
    if (wanted && !claim) return true;
    return !__atomic_exchange_n(&state, 1, __ATOMIC_RELAXED) && wanted;
}

void ag__debug_end(const ag_tape *t) {
    if (t->debug) ag__log("autograd: %zu bytes at the peak, %lld ops run", t->peak, (long long)t->executed);
}

void ag__debug_ran(ag_tensor *y, double seconds) {
    const ag_tape *t = y->tape;
    if (t->debug < 2) return;
    char shape[160], attrs[200];
    ag_shape_text(y->flags & AG__TUPLE ? y->part[0] : y, shape, sizeof shape);
    ag_attr_text(y, attrs, sizeof attrs);
    const char *where = t->region == &t->scratch ? "∂ " : "";
    if (t->debug < 3) {
        ag__log("%s%-16s %-20s %10.3f µs", where, y->op->name, shape, 1e6 * seconds);
        return;
    }
    char line[512];
    size_t used = 0;
    line[0] = '\0';
    for (uint32_t i = 0; i < y->nin && used + 160 < sizeof line; i++) {
        char text[150];
        ag__label(ag__in(y)[i], text, sizeof text);
        for (const char *p = i ? ", " : ""; *p; p++) line[used++] = *p;
        for (const char *p = text; *p; p++) line[used++] = *p;
        line[used] = '\0';
    }
    ag__log("%s%u %s(%s)%s%s → %s %s %10.3f µs", where, (unsigned)y->index, y->op->name, line, *attrs ? " " : "", attrs,
            shape, ag_dtype_name((ag_dtype)y->dtype), 1e6 * seconds);
}

/* Row-major place of the first value that is not finite; −1: none. */
static int64_t first_bad(const ag_tensor *x) {
    if (x->flags & AG__TUPLE || !ag__is_float(x->dtype)) return -1;
    for (int64_t i = 0; i < x->shape->size; i++) {
        if (!isfinite(ag_at(x, i))) return i;
    }
    return -1;
}

bool ag__debug_check(ag_tensor *y) {
    if (y->tape->debug < 4) return true;
    int outputs = y->flags & AG__TUPLE ? y->op->nout : 1;
    for (int o = 0; o < outputs; o++) {
        const ag_tensor *out = ag_out(y, o);
        int64_t bad = first_bad(out);
        if (bad < 0) continue;
        for (uint32_t i = 0; i < y->nin; i++) {
            if (first_bad(ag__in(y)[i]) >= 0) return true; /* it came in; its maker was the place to stop */
        }
        char text[160];
        return ag_op_fail(y, AG_ERR_VALUE, "element %lld of %s is %g, though all inputs are finite", (long long)bad,
                          ag__label(out, text, sizeof text), isnan(ag_at(out, bad)) ? (double)NAN : ag_at(out, bad));
    }
    return true;
}
