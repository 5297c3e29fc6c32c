/* explain_tensor.c: the chain rule of a graph of tensors, path by path.
 *
 * A path's share of the gradient is a tensor of w's shape: the gradient of f carried along this path alone, one rule
 * after another. The shares of all paths add up to the gradient. Depth first, with what was recorded for an arc
 * dropped when the walk comes back over it, so memory is that of one path. How much a path will contribute is not
 * known before it is walked: up to WALKED paths all are, and the largest are shown; of more, those first met on the
 * way of the larger gradients. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "explain.h"
#include "show.h"

enum { WALKED = 1000 };

typedef struct share { /* one path, walked */
    int *arc;
    double *norm; /* of what arrives behind each arc */
    int length;
    double size; /* ‖share‖ */
    double *value;
} share;

typedef struct level { /* of the walk */
    int node;
    int arc, arcs_left;
    ag_tensor *g; /* that arrived here */
    ag_mark mark; /* before its rule ran */
    rule *r;
} level;

typedef struct walk {
    story *t;
    level *level;
    int depth;
    int64_t walked, size; /* elements of w */
    share *top;
    int count, k;
    double *sum; /* of all shares walked */
    rule *rules; /* [nodes] */
} walk;

static double norm_of(const ag_tensor *x) {
    double s = 0;
    for (int64_t i = 0; i < ag_size(x); i++) s += ag_at(x, i) * ag_at(x, i);
    return sqrt(s);
}

static void free_share(share *s) {
    free(s->arc);
    free(s->norm);
    free(s->value);
}

/* The walk stands at w: keep this path if it is among the largest. */
static bool arrive(walk *k, const ag_tensor *g) {
    double size = norm_of(g);
    k->walked++;
    for (int64_t i = 0; i < k->size; i++) k->sum[i] += ag_at(g, i);
    int place = k->count;
    while (place > 0 && (size > k->top[place - 1].size || isnan(size))) place--;
    if (place >= k->k) return true;
    size_t n = (size_t)k->depth;
    share s = {malloc(n * sizeof(int) + 1), malloc(n * sizeof(double) + 1), k->depth - 1, size,
               malloc((size_t)k->size * sizeof(double) + 1)};
    if (!s.arc || !s.norm || !s.value) {
        free_share(&s);
        return false;
    }
    for (int i = 0; i < s.length; i++) {
        s.arc[i] = k->level[i].arc;
        s.norm[i] = i + 1 < s.length ? norm_of(k->level[i + 1].g) : size;
    }
    for (int64_t i = 0; i < k->size; i++) s.value[i] = ag_at(g, i);
    if (k->count == k->k) free_share(&k->top[--k->count]);
    memmove(&k->top[place + 1], &k->top[place], (size_t)(k->count - place) * sizeof s);
    k->top[place] = s;
    k->count++;
    return true;
}

/* Steps onto a node with the gradient that arrives there. */
static bool enter(walk *k, int to, ag_tensor *g) {
    story *t = k->t;
    level *l = &k->level[k->depth++];
    *l = (level){.node = to, .g = g, .arc = t->web.first[to] - 1};
    if (to == t->nodes - 1) return arrive(k, g) || fault_memory(&t->s->f);
    l->mark = ag_tape_mark(t->s->e.tape);
    l->arcs_left = t->web.first[to + 1] - t->web.first[to];
    l->r = &k->rules[to];
    return rule_run(l->r, t->node[to], g) || session_failed(t->s);
}

static bool step(walk *k) {
    level *l = &k->level[k->depth - 1];
    if (!l->arcs_left || k->walked >= WALKED) {
        if (l->r) ag_tape_rewind(k->t->s->e.tape, l->mark);
        k->depth--;
        return true;
    }
    l->arcs_left--;
    const arc *a = &k->t->web.arc[++l->arc];
    return enter(k, a->to, l->r->d[a->slot]);
}

static bool walk_all(walk *k) {
    story *t = k->t;
    ag_mark here = ag_tape_mark(t->s->e.tape);
    ag_tensor *one = ag_full(t->s->e.tape, ag_dtype_of(t->y), ag_shape_of(t->y), 1);
    bool good = one ? enter(k, 0, one) : session_failed(t->s);
    while (good && k->depth) good = step(k);
    ag_tape_rewind(t->s->e.tape, here);
    return good;
}

static void put_share(walk *k, const share *s, text *out) {
    story *t = k->t;
    text rows = {0};
    text_printf(&rows, "from\tto\tthe gradient %s becomes\t>norm\t\n", t->g);
    for (int i = 0; i < s->length; i++) {
        const arc *a = &t->web.arc[s->arc[i]];
        text_printf(&rows, "%s\t%s\t", story_name(t, t->node[a->from]), story_name(t, t->node[a->to]));
        story_symbol(t, a, &rows);
        text_put(&rows, "\t>");
        text_number(&rows, s->norm[i], 6);
        text_put(&rows, "\t\n");
    }
    text_table(out, text_of(&rows), "    ");
    text_put(out, "\n");
    text_free(&rows);
}

static void put_tensor(walk *k, const double *data, const char *lead, text *out) {
    ag_tensor *x = ag_leaf(k->t->s->e.tape, AG_F64, data, ag_shape_of(k->t->w), AG_RECORDED);
    text_put(out, lead);
    if (x) show_tensor(out, x, text_width(lead));
    text_put(out, "\n");
}

/* rest = what the shown paths leave of the gradient */
static double remainder_of(const walk *k, double *rest) {
    double size = 0;
    for (int64_t i = 0; i < k->size; i++) {
        rest[i] = ag_at(k->t->gradient, i);
        for (int p = 0; p < k->count; p++) rest[i] -= k->top[p].value[i];
        size += rest[i] * rest[i];
    }
    return sqrt(size);
}

static void tell(walk *k, double total, double *rest) {
    story *t = k->t;
    text *out = &t->s->out;
    char number[NUMBER_ROOM];
    double left = remainder_of(k, rest);
    story_put_partial(t, t->y, t->w, out);
    text_printf(out, ": %s path%s", number_text(total, total < 1e15 ? 15 : 3, number), total == 1 ? "" : "s");
    if (total > WALKED) text_printf(out, ", of which %d were walked", WALKED);
    text_put(out, total > k->count ? ", the largest first\n\n" : "\n\n");
    for (int i = 0; i < k->count; i++) {
        put_share(k, &k->top[i], out);
        put_tensor(k, k->top[i].value, "    share     ", out);
        text_put(out, "\n");
    }
    if (total > k->count) {
        text_put(out, "    the rest, by difference: norm ");
        text_number(out, left, 6);
        text_put(out, "\n");
    }
    text_put(out, "    gradient  ");
    show_tensor(out, t->gradient, 14);
    text_put(out, "\n");
}

static void tell_json(walk *k, double total, double *rest) {
    story *t = k->t;
    text *out = &t->s->out;
    text_put(out, "{\"wrt\": ");
    text_json_string(out, story_name(t, t->w));
    text_put(out, ", \"gradient\": ");
    show_json(out, t->gradient);
    text_put(out, ", \"count\": ");
    text_json_number(out, total);
    text_put(out, ", \"paths\": [");
    for (int p = 0; p < k->count; p++) {
        const share *s = &k->top[p];
        text_printf(out, "%s{\"nodes\": [", p ? ", " : "");
        text_json_string(out, story_name(t, t->y));
        for (int i = 0; i < s->length; i++) {
            text_put(out, ", ");
            text_json_string(out, story_name(t, t->node[t->web.arc[s->arc[i]].to]));
        }
        text_put(out, "], \"norm\": ");
        text_json_number(out, s->size);
        text_put(out, "}");
    }
    text_put(out, "], \"remainder\": ");
    text_json_number(out, total > k->count ? remainder_of(k, rest) : 0);
    text_put(out, "}");
}

/* When every path was walked, their sum must be the gradient. */
static void check(const walk *k, double total) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < k->size; i++) {
        worst = fmax(worst, fabs(k->sum[i] - ag_at(k->t->gradient, i)));
        largest = fmax(largest, fabs(k->sum[i]));
    }
    for (int p = 0; p < k->count; p++) largest = fmax(largest, k->top[p].size);
    if (total > WALKED || !(worst > (k->t->s->o->f32 ? 1e-4 : 1e-12) * largest)) return;
    k->t->s->code = EXIT_GRADIENT;
    fprintf(stderr, "autograd: the paths do not add up to the gradient\n");
}

bool story_tell_tensors(story *t) {
    walk k = {.t = t, .size = ag_size(t->w), .k = t->s->o->k > WALKED ? WALKED : (int)t->s->o->k};
    size_t nodes = (size_t)t->nodes + 1;
    k.level = calloc(nodes, sizeof *k.level);
    k.rules = calloc(nodes, sizeof *k.rules);
    k.top = calloc((size_t)k.k + 2, sizeof *k.top);
    k.sum = calloc((size_t)k.size + 1, sizeof *k.sum);
    double *rest = calloc((size_t)k.size + 1, sizeof *rest);
    web_sum sum = {0};
    bool good = (k.level && k.rules && k.top && k.sum && rest && web_sums(&t->web, &sum)) || fault_memory(&t->s->f);
    good = good && walk_all(&k);
    if (good && t->s->o->json) tell_json(&k, sum.count, rest);
    else if (good) tell(&k, sum.count, rest);
    if (good) check(&k, sum.count);
    for (int i = 0; k.top && i < k.count; i++) free_share(&k.top[i]);
    free(k.level);
    free(k.rules);
    free(k.top);
    free(k.sum);
    free(rest);
    return good;
}
