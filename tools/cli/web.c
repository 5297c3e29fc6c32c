/* web.c: sums over all paths, and the largest of them.
 *
 * The search keeps partial paths in a heap. A partial path's bound is that of its parent times the share of the best
 * that the arc taken keeps; along the best arc that share is exactly 1, so once a bound is on top, the search follows
 * it straight to w: ties, of which there may be exponentially many, cost nothing. Of equal bounds the latest goes
 * first, for the same reason. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "web.h"

bool web_add(web *g, int from, int to, int slot, double d) {
    if (g->arcs == g->arc_room) {
        int room = g->arc_room ? 2 * g->arc_room : 64;
        arc *moved = room > g->arcs ? realloc(g->arc, (size_t)room * sizeof *moved) : NULL;
        if (!moved) return false;
        g->arc = moved;
        g->arc_room = room;
    }
    g->arc[g->arcs++] = (arc){from, to, slot, d};
    return true;
}

static double size_of(double d) {
    return isnan(d) ? (double)INFINITY : fabs(d);
} /* NaN is what one wants to see first */

bool web_close(web *g, int nodes) {
    g->nodes = nodes;
    g->first = calloc((size_t)nodes + 1, sizeof *g->first);
    g->best = calloc((size_t)nodes + 1, sizeof *g->best);
    if (!g->first || !g->best) return false;
    for (int i = 0; i < g->arcs; i++) g->first[g->arc[i].from + 1]++;
    for (int i = 0; i < nodes; i++) g->first[i + 1] += g->first[i];
    g->best[nodes - 1] = 1;
    for (int i = g->arcs; i-- > 0;) {
        const arc *a = &g->arc[i];
        double way = size_of(size_of(a->d) * g->best[a->to]);
        if (way > g->best[a->from]) g->best[a->from] = way;
    }
    return true;
}

bool web_sums(const web *g, web_sum *sum) {
    web_sum *s = calloc((size_t)g->nodes, sizeof *s);
    if (!s) return false;
    s[g->nodes - 1] = (web_sum){1, 1, 1};
    for (int i = g->arcs; i-- > 0;) {
        const arc *a = &g->arc[i];
        s[a->from].count += s[a->to].count;
        s[a->from].total += a->d * s[a->to].total;
        s[a->from].magnitude += fabs(a->d) * s[a->to].magnitude;
    }
    *sum = s[0];
    free(s);
    return true;
}

typedef struct state {
    int node, arc, parent, length; /* arc that led here, −1 at the start; parent: the state before */
    double bound;
} state;

typedef struct search {
    state *state;
    int *heap; /* states, the largest bound on top */
    int states, state_room, heaped, heap_room;
} search;

static bool before(const search *s, int a, int b) {
    return s->state[a].bound > s->state[b].bound || (s->state[a].bound == s->state[b].bound && a > b);
}

static bool push(search *s, state next) {
    if (s->states == s->state_room) {
        int room = s->state_room ? 2 * s->state_room : 256;
        state *moved = room > s->states ? realloc(s->state, (size_t)room * sizeof *moved) : NULL;
        if (!moved) return false;
        s->state = moved;
        s->state_room = room;
    }
    if (s->heaped == s->heap_room) {
        int room = s->heap_room ? 2 * s->heap_room : 256;
        int *moved = realloc(s->heap, (size_t)room * sizeof *moved);
        if (!moved) return false;
        s->heap = moved;
        s->heap_room = room;
    }
    int id = s->states++, i = s->heaped++;
    s->state[id] = next;
    for (; i > 0 && before(s, id, s->heap[(i - 1) / 2]); i = (i - 1) / 2) s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = id;
    return true;
}

static int pop(search *s) {
    int top = s->heap[0], last = s->heap[--s->heaped], i = 0;
    for (int k; (k = 2 * i + 1) < s->heaped; i = k) {
        if (k + 1 < s->heaped && before(s, s->heap[k + 1], s->heap[k])) k++;
        if (!before(s, s->heap[k], last)) break;
        s->heap[i] = s->heap[k];
    }
    if (s->heaped) s->heap[i] = last;
    return top;
}

static bool expand(const web *g, search *s, int id) {
    state here = s->state[id];
    for (int i = g->first[here.node + 1]; i-- > g->first[here.node];) {
        const arc *a = &g->arc[i];
        double way = size_of(size_of(a->d) * g->best[a->to]), best = g->best[here.node];
        double share = way == best ? 1 : best > 0 && isfinite(best) ? way / best : 0;
        if (!push(s, (state){a->to, i, id, here.length + 1, here.bound * share})) return false;
    }
    return true;
}

static bool take(const web *g, const search *s, int id, path *p) {
    const state *end = &s->state[id];
    p->length = end->length;
    p->product = 1;
    p->arc = malloc((size_t)end->length * sizeof *p->arc + 1);
    if (!p->arc) return false;
    for (int i = end->length; i-- > 0; end = &s->state[end->parent]) p->arc[i] = end->arc;
    for (int i = 0; i < p->length; i++) p->product *= g->arc[p->arc[i]].d;
    return true;
}

static int larger(const void *a, const void *b) {
    double x = size_of(((const path *)a)->product), y = size_of(((const path *)b)->product);
    return (x < y) - (x > y);
}

bool web_largest(const web *g, int k, path **paths, int *count) {
    search s = {0};
    path *found = calloc((size_t)k + 1, sizeof *found);
    bool good = found && push(&s, (state){0, -1, -1, 0, g->best[0]});
    *count = 0;
    while (good && *count < k && s.heaped) {
        int id = pop(&s);
        if (s.state[id].node == g->nodes - 1) good = take(g, &s, id, &found[(*count)++]);
        else good = expand(g, &s, id);
    }
    free(s.state);
    free(s.heap);
    if (good) qsort(found, (size_t)*count, sizeof *found, larger);
    *paths = found;
    return good;
}

void web_free_paths(path *paths, int count) {
    for (int i = 0; paths && i < count; i++) free(paths[i].arc);
    free(paths);
}

void web_free(web *g) {
    free(g->arc);
    free(g->first);
    free(g->best);
    *g = (web){0};
}
