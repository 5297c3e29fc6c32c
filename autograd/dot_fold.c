/* dot_fold.c: where each node of a drawing belongs, and which scopes are folded to one node.
 *
 *     settle    each node gets the scope it was made in; a parameter moves to where it is used
 *     stack     in a graph too large to draw, of scopes that repeat only the first is drawn (dot_repeat.c)
 *     fold      scopes from a certain depth on are one node each: as asked for, or as deep as keeps the picture readable
 *     group     what is left is hung into a tree of clusters
 *
 * Everything is linear in nodes and edges. A scope's number is larger than its parent's, so that passes over scopes go up or
 * down by counting. */
#include <string.h>

#include "autograd/dot.h"

enum { NOTHING = 3, BEARABLE = 4 };

static int parent_of(const ag__dot *g, int s) { return ag_scope_parent(g->tape, s); }

/* Settling */

/* The innermost scope around both. */
static int common(const ag__dot *g, int a, int b) {
    while (a != b) {
        if (a > b) {
            a = parent_of(g, a);
        } else {
            b = parent_of(g, b);
        }
    }
    return a;
}

/* A parameter, made before the layers run, is at home in the innermost scope around its uses, those of the backward
 * pass aside; its own if that is not around them. */
static void settle(ag__dot *g) {
    for (int64_t i = 0; i < g->count; i++) g->home[i] = AG__DOT_NONE;
    for (int64_t i = 0; i < g->count; i++) {
        const ag_tensor *y = g->node[i];
        for (int k = 0; k < ag_input_count(y); k++) {
            int64_t j = ag__dot_number_of(g, ag_input(y, k));
            int user = ag_scope_of(y);
            if (j == AG__DOT_NONE || ag_index(y) >= g->back) continue;
            g->home[j] = g->home[j] == AG__DOT_NONE ? user : common(g, g->home[j], user);
        }
    }
    for (int64_t i = 0; i < g->count; i++) {
        int own = ag_scope_of(g->node[i]), uses = g->home[i];
        bool moves =
            ag__dot_kind_of(g, g->node[i]) == AG__DOT_PARAMETER && uses != AG__DOT_NONE && common(g, own, uses) == own;
        if (!moves) g->home[i] = own;
    }
}

/* Folding */

/* The depth from which on scopes are folded, so that at most `most` nodes are drawn, or failing that as few as can be;
 * but rather some more than a picture that shows nothing. here[d], scopes[d]: nodes and filled scopes at depth d, so
 * that folding from L on draws Σ_{d<L} here[d] + scopes[L]. */
static int level_for(const int64_t *here, const int64_t *scopes, int deepest, int64_t most) {
    int64_t open = here[0], drawn = here[0] + scopes[1];
    int level = 1;
    for (int d = 2; d <= deepest + 1; d++) {
        open += here[d - 1];
        int64_t then = open + (d <= deepest ? scopes[d] : 0);
        if (then > most && (drawn > NOTHING || then > BEARABLE * most)) continue;
        level = d;
        drawn = then;
    }
    return level;
}

static int measure_depths(ag__dot *g, int count) {
    int deepest = 0;
    for (int s = 1; s < count; s++) {
        g->scopes[s].depth = g->scopes[parent_of(g, s)].depth + 1;
        if (g->scopes[s].depth > deepest) deepest = g->scopes[s].depth;
    }
    return deepest;
}

static bool level(ag__dot *g, int count, int deepest, int *found) {
    int64_t most = g->options->most_nodes, shown = 0;
    *found = g->options->depth > 0 ? g->options->depth : deepest + 1;
    for (int64_t i = 0; i < g->count; i++) shown += g->stand[i] == i;
    if (most <= 0 || shown <= most || !deepest) return true;
    int64_t *here = ag__temp(g->tape, 2 * (size_t)(deepest + 1) * sizeof *here), *scopes = here + deepest + 1;
    if (!here) return false;
    memset(here, 0, 2 * (size_t)(deepest + 1) * sizeof *here);
    for (int64_t i = 0; i < g->count; i++) {
        if (g->stand[i] != i) continue;
        here[g->scopes[g->home[i]].depth]++;
        g->scopes[g->home[i]].nodes = 1;
    }
    for (int s = count - 1; s > 0; s--) {
        if (!g->scopes[s].nodes) continue;
        scopes[g->scopes[s].depth]++;
        g->scopes[parent_of(g, s)].nodes = 1;
    }
    int bearable = level_for(here, scopes, deepest, most);
    if (bearable < *found) *found = bearable;
    ag__temp_free(g->tape, here);
    return true;
}

void ag__dot_fold(ag__dot *g, int from, int to) {
    int count = ag_scope_count(g->tape);
    for (int s = 1; s < count; s++) {
        ag__dot_scope *scope = &g->scopes[s];
        int outer = g->scopes[parent_of(g, s)].into;
        bool folds = scope->depth >= from && scope->depth <= to && s != g->keep;
        scope->into = outer ? outer : folds ? s : 0;
        scope->member = scope->into;
        scope->copies = scope->stack ? scope->stack : 1;
        scope->last = scope->stack ? scope->stack_last : s;
        scope->nodes = scope->ops = scope->parameters = 0;
        scope->structure = 0;
    }
}

/* Grouping */

static void show(ag__dot_scope *s, int side, const ag_tensor *x) {
    int shown = s->sides[side] < AG__DOT_SHOWN ? s->sides[side] : AG__DOT_SHOWN;
    for (int i = 0; i < shown; i++) {
        if (s->side[side][i]->shape == x->shape && s->side[side][i]->dtype == x->dtype) return;
    }
    if (shown < AG__DOT_SHOWN) s->side[side][shown] = x;
    s->sides[side]++;
}

/* What crosses the border of a folded scope. */
static void border(ag__dot *g) {
    int root = ag__dot_owner(g, 0);
    if (root && !(g->node[0]->flags & AG__TUPLE)) show(&g->scopes[root], 1, g->node[0]);
    for (int64_t i = 0; i < g->count; i++) {
        for (int k = 0; k < ag_input_count(g->node[i]); k++) {
            const ag_tensor *x = ag_input(g->node[i], k);
            int64_t j = ag__dot_number_of(g, x);
            if (j == AG__DOT_NONE || x->flags & AG__TUPLE || ag__dot_inside(g, j, i)) continue;
            int from = ag__dot_owner(g, j), to = ag__dot_owner(g, i);
            if (from == to) continue;
            if (from) show(&g->scopes[from], 1, x);
            if (to && ag__dot_kind_of(g, x) != AG__DOT_PARAMETER) show(&g->scopes[to], 0, x);
        }
    }
}

/* Hangs scope s and those around it into the tree, unless they are there. */
static void hang(ag__dot *g, int s) {
    while (s && !g->scopes[s].drawn) {
        int parent = parent_of(g, s);
        ag__dot_scope *outer = &g->scopes[parent];
        if (!outer->child) {
            outer->child = s;
        } else {
            g->scopes[outer->youngest].next = s;
        }
        outer->youngest = s;
        g->scopes[s].drawn = true;
        s = parent;
    }
}

/* Scopes are listed as the numbering meets them. Nodes are listed so, from left to right, and the other way round from
 * top to bottom: then dot keeps inputs in order, layers side by side in the order in which they run, and edges short.
 * */
static void group(ag__dot *g) {
    int folded = 0;
    for (int64_t i = 0; i < g->count; i++) {
        int s = ag__dot_owner(g, i);
        if (g->stand[i] != i) continue;
        if (!s || !g->scopes[s].drawn) g->drawn++;
        if (s && !g->scopes[s].drawn) g->scopes[s].number = folded++;
        hang(g, s ? s : g->home[i]);
    }
    for (int64_t k = 0; k < g->count; k++) {
        int64_t i = g->count - 1 - k;
        if (ag__dot_owner(g, i) || g->stand[i] != i) continue;
        g->next[i] = g->scopes[g->home[i]].first;
        g->scopes[g->home[i]].first = i;
    }
}

/* Numbers fall along most edges, so that few passes suffice; as many as the rise may have always do. */
static void climb(ag__dot *g) {
    memset(g->rise, 0, (size_t)g->count);
    bool changed = true;
    for (int pass = 0; changed && pass < AG__DOT_RISE; pass++) {
        changed = false;
        for (int64_t i = g->count; i-- > 0;) {
            for (int k = 0; g->stand[i] == i && g->home[i] && k < ag_input_count(g->node[i]); k++) {
                int64_t j = ag__dot_number_of(g, ag_input(g->node[i], k));
                if (j == AG__DOT_NONE || g->stand[j] != j || g->home[j] != g->home[i]) continue;
                if (g->rise[i] > g->rise[j] || g->rise[j] >= AG__DOT_RISE) continue;
                g->rise[i] = (uint8_t)(g->rise[j] + 1);
                changed = true;
            }
        }
    }
}

bool ag__dot_arrange(ag__dot *g) {
    int count = ag_scope_count(g->tape), from;
    size_t n = (size_t)g->count;
    g->next = ag__temp(g->tape, n * sizeof *g->next);
    g->home = ag__temp(g->tape, n * sizeof *g->home);
    g->stand = ag__temp(g->tape, n * sizeof *g->stand);
    g->rise = ag__temp(g->tape, n);
    g->scopes = ag__temp(g->tape, (size_t)count * sizeof *g->scopes);
    if (!g->next || !g->home || !g->stand || !g->rise || !g->scopes) return false;
    for (int s = 0; s < count; s++) g->scopes[s] = (ag__dot_scope){.first = AG__DOT_NONE};
    for (int64_t i = 0; i < g->count; i++) g->stand[i] = i;
    settle(g);
    int deepest = measure_depths(g, count);
    bool large = g->options->most_nodes > 0 && g->count > g->options->most_nodes && !g->options->depth;
    if (large && !ag__dot_stack(g, deepest)) return false;
    if (!level(g, count, deepest, &from)) return false;
    ag__dot_fold(g, from, deepest);
    ag__dot_repeat(g, g->next);
    border(g);
    group(g);
    climb(g);
    return true;
}
