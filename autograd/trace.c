/* trace.c: a profile as trace-event JSON, which Perfetto and chrome://tracing draw.
 *
 *     │ net                              │ backward                       │    a slice around what ran in a scope,
 *     │ layer1          │ layer2         │ net                            │    one around the backward pass,
 *     │ matmul │ add │  │ matmul │ …     │ layer2       │ layer1          │    and one of each run
 *
 * Invariant: every "B" has its "E", and slices nest, because runs of one tape follow each other. Times are whole nanoseconds
 * written as microseconds with three decimals, in every locale. */
#include <string.h>

#include "autograd/draft.h"
#include "autograd/profile.h"

typedef struct tracing {
    const ag_tape *t;
    FILE *out;
    int scope;     /* innermost open */
    bool backward; /* the slice of the backward pass is open */
    bool more;     /* an event stands before */
} tracing;

/* Length of the UTF-8 character at s; 0: none is there. */
static int character(const unsigned char *s) {
    if (s[0] < 0x80) return 1;
    int n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4) return 0;
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
    }
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] >= 0xA0, beyond = s[0] == 0xF4 && s[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : n;
}

static void put_string(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        int n = character(s);
        if (n == 0) {
            fputs("\\ufffd", out);
        } else if (*s == '"' || *s == '\\') {
            fprintf(out, "\\%c", *s);
        } else if (*s < 0x20 || *s == 0x7F) {
            fprintf(out, "\\u%04x", *s);
        } else {
            fwrite(s, 1, (size_t)n, out);
        }
        s += n ? n : 1;
    }
    fputc('"', out);
}

static int64_t nanoseconds(const tracing *w, double time) {
    return (int64_t)(1e9 * (time - w->t->profile->start) + 0.5);
}

static void put_time(FILE *out, const char *key, int64_t ns) {
    if (ns < 0) ns = 0;
    fprintf(out, ",\"%s\":%lld.%03lld", key, (long long)(ns / 1000), (long long)(ns % 1000));
}

/* The beginning that all events share; the caller closes the brace. */
static void begin(tracing *w, const char *phase, const char *name, int64_t ns) {
    fputs(w->more ? ",\n{\"name\":" : "\n{\"name\":", w->out);
    put_string(w->out, name);
    fprintf(w->out, ",\"ph\":\"%s\",\"pid\":1,\"tid\":1", phase);
    put_time(w->out, "ts", ns);
    w->more = true;
}

static void open_slice(tracing *w, const char *name, int64_t ns) {
    begin(w, "B", name, ns);
    fputs(",\"cat\":\"scope\"}", w->out);
}

static void close_slice(tracing *w, const char *name, int64_t ns) {
    begin(w, "E", name, ns);
    fputc('}', w->out);
}

static int depth(const ag_tape *t, int scope) {
    int n = 0;
    for (; scope; scope = t->scopes[scope].parent) n++;
    return n;
}

static void leave_to(tracing *w, int scope, int64_t ns) {
    for (; w->scope != scope; w->scope = w->t->scopes[w->scope].parent) close_slice(w, w->t->scopes[w->scope].name, ns);
}

/* Closes and opens slices until exactly those around `scope` are open. An outer scope has a smaller number. */
static void move_to(tracing *w, int scope, int64_t end, int64_t start) {
    const ag__scope *scopes = w->t->scopes;
    int a = w->scope, b = scope;
    while (a != b) {
        if (a > b) {
            a = scopes[a].parent;
        } else {
            b = scopes[b].parent;
        }
    }
    leave_to(w, a, end);
    for (int more = depth(w->t, scope) - depth(w->t, a); more-- > 0;) {
        int s = scope;
        for (int i = 0; i < more; i++) s = scopes[s].parent;
        open_slice(w, scopes[s].name, start);
        w->scope = s;
    }
}

static void turn(tracing *w, bool backward, int64_t end, int64_t start) {
    if (w->backward == backward) return;
    leave_to(w, 0, end);
    if (w->backward) close_slice(w, "backward", end);
    if (backward) open_slice(w, "backward", start);
    w->backward = backward;
}

static void put_event(tracing *w, const ag__event *e, int64_t ns) {
    begin(w, "X", e->op->name, ns);
    put_time(w->out, "dur", nanoseconds(w, e->start + e->seconds) - ns);
    fprintf(w->out, ",\"cat\":\"%s\",\"args\":{\"result\":\"%s (",
            e->direction == AG__BACKWARD ? "backward" : "forward", ag_dtype_name((ag_dtype)e->dtype));
    for (int i = 0; i < e->shape->rank; i++) fprintf(w->out, "%s%lld", i ? "," : "", (long long)e->shape->dim[i]);
    fprintf(w->out, ")\",\"bytes\":%.0f,\"flops\":%.0f}}", e->bytes, e->flops);
}

static bool write_trace(FILE *out, const void *context) {
    const ag_tape *t = context;
    const ag__profile *p = t->profile;
    tracing w = {.t = t, .out = out};
    int64_t end = 0;
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
    for (int64_t i = 0; i < p->event_count; i++) {
        const ag__event *e = &p->events[i];
        int64_t start = nanoseconds(&w, e->start);
        turn(&w, e->direction == AG__BACKWARD, end, start);
        move_to(&w, e->scope, end, start);
        put_event(&w, e, start);
        end = nanoseconds(&w, e->start + e->seconds);
    }
    turn(&w, false, end, end);
    leave_to(&w, 0, end);
    fprintf(out, "\n],\"otherData\":{\"left_out\":%lld}}\n", (long long)p->left_out);
    return true;
}

bool ag_profile_trace(ag_tape *t, const char *path) {
    if (!t || !t->profile)
        return ag__fail(t, AG_ERR_STATE, "profile_trace: no profile was started on this tape") != NULL;
    if (t->status) return false;
    if (!path) return ag__fail(t, AG_ERR_ARGUMENT, "profile_trace: the path is NULL") != NULL;
    ag__draft d = {.tape = t, .what = "profile_trace", .path = path};
    bool good = ag__draft_open(&d) && ag__draft_write(&d, d.fd, write_trace, t);
    return ag__draft_close(&d, good);
}
