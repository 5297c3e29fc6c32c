/* dot_repeat.c: scopes of one parent and one structure, each feeding the next, as the layers of a network do.
 *
 *     folded:   ┌ layer 0 … layer 11  × 12 ┐      joined to one node
 *     open:     the first is drawn, in a cluster that says "× 12"; a node of another one is drawn as that with the same
 *               rank in the first, its stand-in
 *
 * Scopes repeat when equal numberings of their nodes give equal operations, attributes, shapes and edges inside: 64 bits
 * of hash of these are taken for the whole. */
#include <string.h>

#include "autograd/dot.h"

enum { WORTH = 3 /* repetitions before the others are left out */, LEVELS = 8 /* looked through for them */ };

static void mix(uint64_t *h, uint64_t v) {
    *h = (*h ^ v) * 0x9E3779B97F4A7C15u;
    *h ^= *h >> 29;
}

static void mix_text(uint64_t *h, const char *s) {
    for (; *s; s++) mix(h, (unsigned char)*s);
    mix(h, 256);
}

/* Op, attributes (the place in the sequence of random numbers aside), dtype, shape; inputs by their rank in the scope. */
static uint64_t structure_of(const ag__dot *g, int64_t i, const int64_t *rank) {
    char attrs[256];
    const ag_tensor *y = g->node[i];
    uint64_t h = (uint64_t)ag__dot_kind_of(g, y) + 1;
    mix_text(&h, ag_op_name(y));
    if (y->op && !(y->op->flags & AG_RANDOM)) {
        ag_attr_text(y, attrs, sizeof attrs);
        mix_text(&h, attrs);
    }
    if (!(y->flags & AG__TUPLE)) {
        mix(&h, y->dtype);
        mix(&h, (uint64_t)(uintptr_t)y->shape); /* one record for each shape */
    }
    for (int k = 0; k < ag_input_count(y); k++) {
        int64_t j = ag__dot_number_of(g, ag_input(y, k));
        bool inside = j != AG__DOT_NONE && ag__dot_owner(g, j) == ag__dot_owner(g, i);
        mix(&h, inside ? (uint64_t)rank[j] : UINT64_MAX);
    }
    return h;
}

static void measure(ag__dot *g, int64_t *rank) {
    for (int64_t i = 0; i < g->count; i++) {
        int s = ag__dot_owner(g, i);
        if (s && g->stand[i] == i) rank[i] = g->scopes[s].nodes++;
    }
    for (int64_t i = 0; i < g->count; i++) {
        int s = ag__dot_owner(g, i);
        const ag_tensor *x = g->node[i];
        if (!s || g->stand[i] != i) continue;
        if (!ag_is_leaf(x)) g->scopes[s].ops++;
        if (ag__dot_kind_of(g, x) == AG__DOT_PARAMETER) g->scopes[s].parameters += ag_size(x);
        mix(&g->scopes[s].structure, structure_of(g, i, rank));
    }
}

/* The representative of folded scope s; halves the way to it. */
static int first_of(ag__dot *g, int s) {
    while (g->scopes[s].into != s) {
        int to = g->scopes[s].into;
        g->scopes[s].into = g->scopes[to].into;
        s = to;
    }
    return s;
}

static bool alike(const ag__dot *g, int a, int b) {
    const ag__dot_scope *x = &g->scopes[a], *y = &g->scopes[b];
    bool siblings = a != b && ag_scope_parent(g->tape, a) == ag_scope_parent(g->tape, b);
    return siblings && x->structure == y->structure && x->ops && !x->stack && !y->stack;
}

/* The one made first stands for all. */
static void join(ag__dot *g, int a, int b) {
    ag__dot_scope *first = &g->scopes[a < b ? a : b], *other = &g->scopes[a < b ? b : a];
    other->into = a < b ? a : b;
    first->copies += other->copies;
    if (other->last > first->last) first->last = other->last;
    g->repeats = true;
}

void ag__dot_repeat(ag__dot *g, int64_t *rank) {
    int count = ag_scope_count(g->tape);
    measure(g, rank);
    for (int64_t i = 0; i < g->count; i++) {
        if (!ag__dot_owner(g, i)) continue;
        for (int k = 0; k < ag_input_count(g->node[i]); k++) {
            int64_t j = ag__dot_number_of(g, ag_input(g->node[i], k));
            if (j == AG__DOT_NONE || !ag__dot_owner(g, j)) continue;
            int from = first_of(g, g->home[j]), to = first_of(g, g->home[i]);
            if (alike(g, from, to)) join(g, from, to);
        }
    }
    for (int s = 1; s < count; s++) { /* what s goes into was made before, and is settled */
        int to = g->scopes[s].into;
        if (to) g->scopes[s].into = g->scopes[to].into;
    }
}

/* Stacks */

static bool worth_it(const ag__dot *g) {
    for (int s = 1; s < ag_scope_count(g->tape); s++) {
        if (g->scopes[s].into == s && g->scopes[s].copies >= WORTH) return true;
    }
    return false;
}

/* at[start of the first + rank]: its nodes. */
static void stand_in(ag__dot *g, const int64_t *rank, int64_t *at) {
    int64_t start = 0;
    for (int s = 1; s < ag_scope_count(g->tape); s++) {
        ag__dot_scope *scope = &g->scopes[s];
        if (scope->into != s || scope->copies < WORTH) continue;
        scope->stack = scope->copies;
        scope->stack_last = scope->last;
        scope->start = start;
        start += scope->nodes;
    }
    for (int64_t i = 0; i < g->count; i++) {
        const ag__dot_scope *home = &g->scopes[g->home[i]], *first = &g->scopes[home->into];
        if (home->into && first->stack && home->member == home->into) at[first->start + rank[i]] = i;
    }
    for (int64_t i = 0; i < g->count; i++) {
        const ag__dot_scope *home = &g->scopes[g->home[i]], *first = &g->scopes[home->into];
        if (!home->into || !first->stack || home->member == home->into) continue;
        g->stand[i] = at[first->start + rank[i]];
        g->home[i] = g->home[g->stand[i]];
    }
}

/* The outermost scopes that repeat often enough. */
bool ag__dot_stack(ag__dot *g, int deepest) {
    bool found = false;
    for (int d = 1; d <= deepest && d <= LEVELS && !found; d++) {
        ag__dot_fold(g, d, d);
        ag__dot_repeat(g, g->next);
        found = worth_it(g);
    }
    g->repeats = found;
    if (!found) return true;
    int64_t *at = ag__temp(g->tape, (size_t)g->count * sizeof *at);
    if (!at) return false;
    stand_in(g, g->next, at);
    ag__temp_free(g->tape, at);
    for (int s = 1; s < ag_scope_count(g->tape); s++) {
        int outer = ag_scope_parent(g->tape, s);
        g->scopes[s].within = g->scopes[s].stack ? s : g->scopes[outer].within;
    }
    return true;
}
