/* profile.c: what every run of an op cost, between ag_profile_start and ag_profile_stop.
 *
 *     ag__run ── AG__WATCH_PROFILE ──▶ tallies by op and by scope, exact however long it lasts    the table
 *                                 └──▶ events, the first 2^20 of them                              the trace
 *
 * A chain of elementwise ops in one pass (ops/chain.c) is a run of each of them, with an equal share of its time and of the
 * bytes that it moved. A run inside a reverse loop counts as backward, and for the scope of the node whose rule it serves: that
 * is tape.visited.
 * Profiles take memory outside the tape's count and never stop a program: where it cannot be had, events are left out and
 * counted. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/profile.h"
#include "autograd/text.h"

enum { EVENTS = 1 << 20, PATH = 200 };

typedef ag__tally tally;
typedef ag__account account;
typedef ag__event event;

/* What a run costs */

double ag__op_flops(const ag_tensor *y) {
    const ag_op *op = y->op;
    if (AG__OP_HAS(op, flops)) {
        double n = op->flops(y);
        return n > 0 && isfinite(n) ? n : 0;
    }
    if (op->flags & AG_VIEW && !(op->flags & AG_EFFECT)) return 0;
    double n = 0;
    for (int o = 0; o < (y->flags & AG__TUPLE ? op->nout : 1); o++) n += (double)ag_out(y, o)->shape->size;
    return n;
}

/* Elements as a loop may see them: an axis of no extent stops no loop around it. */
static double breadth(const ag_tensor *x) {
    double n = 1;
    for (int i = 0; i < x->shape->rank; i++) n *= x->shape->dim[i] > 1 ? (double)x->shape->dim[i] : 1;
    return n;
}

bool ag__work_take(ag_tensor *y) {
    double *left = &y->tape->allowance, cost = ag__op_flops(y);
    for (uint32_t i = 0; i < y->nin; i++) cost += breadth(ag__in(y)[i]);
    for (int o = 0; o < (y->flags & AG__TUPLE ? y->op->nout : 1); o++) cost += breadth(ag_out(y, o));
    if (cost > *left)
        return ag_op_fail(y, AG_ERR_VALUE, "takes %.2g operations, of which %.2g are allowed", cost, *left);
    *left -= cost;
    return true;
}

double ag__bytes_of(const ag_tensor *x) {
    double n = (double)ag__dtype_bytes[x->dtype];
    for (int i = 0; i < x->shape->rank; i++) n *= ag__stride(x, i) || !x->shape->dim[i] ? (double)x->shape->dim[i] : 1;
    return n;
}

double ag__op_bytes(const ag_tensor *y) {
    double n = 0;
    bool view = y->op->flags & AG_VIEW && !(y->op->flags & AG_EFFECT);
    if (view && y->store == ag__in(y)[0]->store) return 0; /* else it copied: a reshape of what is strided */
    for (uint32_t i = 0; i < y->nin; i++) n += ag__in(y)[i]->flags & AG__PENDING ? 0 : ag__bytes_of(ag__in(y)[i]);
    for (int o = 0; o < (y->flags & AG__TUPLE ? y->op->nout : 1); o++) n += ag__bytes_of(ag_out(y, o));
    return n;
}

/* Recording */

static account *account_of(ag__profile *p, const ag_op *op) {
    size_t at = (size_t)((uintptr_t)op / 16 * 0x9E3779B97F4A7C15u >> 40);
    for (int i = 0; i < AG__OPS; i++) {
        account *a = &p->ops[(at + (size_t)i) % AG__OPS];
        if (!a->op) a->op = op;
        if (a->op == op) return a;
    }
    return &p->ops[AG__OPS];
}

static account *scope_of(ag__profile *p, int scope) {
    while (p->scope_count <= scope) {
        account *grown = ag__grow(NULL, p->scopes, sizeof *grown, p->scope_count, &p->scope_capacity);
        if (!grown) return NULL;
        p->scopes = grown;
        p->scopes[p->scope_count++] = (account){0};
    }
    return &p->scopes[scope];
}

static void add(tally *to, const event *e) {
    to->runs++;
    to->seconds += e->seconds;
    to->bytes += e->bytes;
    to->flops += e->flops;
}

void ag__profile_ran(const ag_tensor *y, double bytes, double start, double seconds) {
    const ag_tape *t = y->tape;
    ag__profile *p = t->profile;
    const ag_tensor *of = t->visited ? t->visited : y;
    event e = {
        .op = y->op, .shape = ag_out(y, 0)->shape, .start = start, .seconds = seconds, .bytes = bytes, .scope = of->scope};
    e.flops = ag__op_flops(y);
    e.direction = t->visited ? AG__BACKWARD : AG__FORWARD;
    e.dtype = ag_out(y, 0)->dtype;
    add(&account_of(p, e.op)->of[e.direction], &e);
    account *scope = scope_of(p, e.scope);
    if (scope) add(&scope->of[e.direction], &e);
    event *events = p->event_count < EVENTS ? ag__grow(NULL, p->events, sizeof e, p->event_count, &p->event_capacity) : NULL;
    if (events) {
        p->events = events;
        p->events[p->event_count++] = e;
    } else {
        p->left_out++;
    }
}

static void forget(ag__profile *p) {
    ag__give(NULL, p->scopes, (size_t)p->scope_capacity * sizeof *p->scopes);
    ag__give(NULL, p->events, (size_t)p->event_capacity * sizeof *p->events);
    memset(p, 0, sizeof *p);
}

void ag__profile_free(ag_tape *t) {
    if (!t->profile) return;
    forget(t->profile);
    ag__give(NULL, t->profile, sizeof *t->profile);
    t->profile = NULL;
}

bool ag_profile_start(ag_tape *t) {
    if (!t) return ag__fail(NULL, AG_ERR_ARGUMENT, "profile_start: the tape is NULL") != NULL;
    if (t->status) return false;
    if (!t->profile) {
        t->profile = ag__get(NULL, sizeof *t->profile, 64);
        if (!t->profile) return ag__fail(t, AG_ERR_MEMORY, "profile_start: out of memory") != NULL;
        memset(t->profile, 0, sizeof *t->profile);
    }
    forget(t->profile);
    t->profile->on = true;
    t->profile->start = ag__now();
    t->watch |= AG__WATCH_PROFILE;
    t->attend |= AG__ATTEND_VISIT;
    return true;
}

bool ag_profile_stop(ag_tape *t) {
    if (!t || !t->profile || !t->profile->on) {
        return ag__fail(t, AG_ERR_STATE, "profile_stop: no profile was started on this tape") != NULL;
    }
    t->profile->on = false;
    t->profile->stop = ag__now();
    t->watch = (uint8_t)(t->watch & ~AG__WATCH_PROFILE);
    t->attend = (uint8_t)(t->attend & ~AG__ATTEND_VISIT);
    return true;
}

/* The table */

typedef struct table {
    ag__text w;
    const ag_tape *t;
    double total; /* seconds */
    bool small;   /* times in µs, else in ms */
} table;

static void put_bar(ag__text *w, double share) {
    static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int n = (int)(share * 80 + 0.5);
    if (n) ag__text_put(w, " ");
    for (int i = 0; i < n / 8; i++) ag__text_put(w, "█");
    ag__text_put(w, "%s\n", eighth[n % 8]);
}

static void put_rate(ag__text *w, double amount, double seconds) {
    if (amount > 0 && seconds > 0) {
        ag__text_put(w, " %9.2f", 1e-9 * amount / seconds);
    } else {
        ag__text_put(w, "         –");
    }
}

static void put_row(table *b, const char *name, const account *a) {
    const tally *forward = &a->of[AG__FORWARD], *backward = &a->of[AG__BACKWARD];
    double seconds = forward->seconds + backward->seconds, share = b->total > 0 ? seconds / b->total : 0;
    double unit = b->small ? 1e6 : 1e3;
    int pad = 28 - ag__text_width(name);
    ag__text_put(&b->w, "%s%*s %8lld %11.3f %11.3f", name, pad > 0 ? pad : 0, "",
                 (long long)(forward->runs + backward->runs), unit * forward->seconds, unit * backward->seconds);
    put_rate(&b->w, forward->bytes + backward->bytes, seconds);
    put_rate(&b->w, forward->flops + backward->flops, seconds);
    ag__text_put(&b->w, " %5.1f %%", 100 * share);
    put_bar(&b->w, share);
}

static double cost(const account *a) { return a->of[AG__FORWARD].seconds + a->of[AG__BACKWARD].seconds; }
static int64_t runs(const account *a) { return a->of[AG__FORWARD].runs + a->of[AG__BACKWARD].runs; }

/* The dearest account behind `last` in the order of cost, then of place; −1: none. */
static int64_t next_dearest(const account *list, int64_t n, int64_t last) {
    int64_t best = -1;
    for (int64_t i = 0; i < n; i++) {
        if (!runs(&list[i])) continue;
        if (last >= 0 && (cost(&list[i]) > cost(&list[last]) || (cost(&list[i]) == cost(&list[last]) && i <= last)))
            continue;
        if (best < 0 || cost(&list[i]) > cost(&list[best])) best = i;
    }
    return best;
}

static void put_accounts(table *b, const char *title, const account *list, int64_t n) {
    enum { MOST = 40 };
    char path[PATH];
    int64_t shown = 0, all = 0;
    for (int64_t i = 0; i < n; i++) all += runs(&list[i]) != 0;
    ag__text_put(&b->w, "\n%-28s     runs  forward %s backward %s      GB/s   GFLOP/s   share\n", title,
                 b->small ? "µs" : "ms", b->small ? "µs" : "ms");
    for (int64_t i = next_dearest(list, n, -1); i >= 0 && shown < MOST; i = next_dearest(list, n, i), shown++) {
        const char *name = list[i].op                   ? list[i].op->name
                           : list == b->t->profile->ops ? "(others)"
                           : i == 0                     ? "(no scope)"
                                                        : ag__scope_path(b->t, (int)i, path, sizeof path);
        put_row(b, name, &list[i]);
    }
    if (all > shown) ag__text_put(&b->w, "… and %lld more\n", (long long)(all - shown));
}

static void sum(tally *to, const tally *x) {
    to->runs += x->runs;
    to->seconds += x->seconds;
    to->bytes += x->bytes;
    to->flops += x->flops;
}

/* Scopes with what lies inside them; outer ones have smaller numbers. */
static void put_scopes(table *b) {
    const ag__profile *p = b->t->profile;
    size_t bytes = (size_t)p->scope_count * sizeof(account);
    account *whole = p->scope_count > 1 ? ag__get(NULL, bytes, 64) : NULL;
    if (!whole) return;
    memcpy(whole, p->scopes, bytes);
    for (int64_t s = p->scope_count; s-- > 1;) {
        int parent = b->t->scopes[s].parent;
        for (int d = 0; parent && d < AG__DIRECTIONS; d++) sum(&whole[parent].of[d], &whole[s].of[d]);
    }
    put_accounts(b, "scope, inner ones included", whole, p->scope_count);
    ag__give(NULL, whole, bytes);
}

const char *ag_profile_text(const ag_tape *t, char *out, size_t size) {
    if (!out || !size) return out;
    table b = {.w = ag__text_in(out, size), .t = t};
    const ag__profile *p = t ? t->profile : NULL;
    if (!p) {
        ag__text_put(&b.w, "no profile: ag_profile_start was not called on this tape\n");
        return out;
    }
    account all = {0};
    for (int i = 0; i <= AG__OPS; i++) {
        for (int d = 0; d < AG__DIRECTIONS; d++) sum(&all.of[d], &p->ops[i].of[d]);
    }
    b.total = cost(&all);
    b.small = b.total < 1e-2;
    double wall = (p->on ? ag__now() : p->stop) - p->start;
    ag__text_put(&b.w, "%lld runs of operations took %.3f ms of the %.3f ms profiled\n", (long long)runs(&all),
                 1e3 * b.total, 1e3 * wall);
    if (p->left_out) ag__text_put(&b.w, "the trace lacks the last %lld of them\n", (long long)p->left_out);
    put_accounts(&b, "op", p->ops, AG__OPS + 1);
    put_row(&b, "all", &all);
    put_scopes(&b);
    return out;
}
