/* dot.c: a graph as Graphviz text.
 *
 *     collect   breadth first from y, inputs in order: node[0] is y; the list is its own queue, so depth costs no stack
 *     arrange   each scope that holds nodes becomes a cluster inside its parent's, or one node (dot_fold.c)
 *     write     nodes, cluster by cluster; then edges, in the direction of the computation
 *
 * Invariant: the text depends on the graph alone, not on addresses nor on the order of recording (C leaves open in which
 * order the arguments of a call are evaluated): equal graphs give equal pictures. */
#include <inttypes.h>
#include <string.h>

#include "autograd/dot.h"

enum { NAME_LIMIT = 60, TITLE_LIMIT = 160, DEEPEST_INDENT = 16, LARGE = 250, LABELLED = 120, ACROSS = 5 };

#define FONT "fontname=\"Helvetica,Arial,sans-serif\""

/* Kinds */

static bool is_constant(const ag_tensor *x) {
    if (!ag_is_leaf(x) || ag_index(x) < 0 || ag_requires_grad(x) || *ag_name(x) || !ag_size(x)) return false;
    for (int i = 0; i < ag_rank(x); i++) {
        if (ag_dim(x, i) != 1 && ag_stride(x, i) != 0) return false;
    }
    return true;
}

ag__dot_kind ag__dot_kind_of(const ag__dot *g, const ag_tensor *x) {
    if (x == g->node[0] && !ag_is_leaf(x)) return AG__DOT_OUTPUT;
    if (!ag_is_leaf(x)) return ag_index(x) >= g->back ? AG__DOT_ADJOINT : AG__DOT_OP;
    if (is_constant(x)) return AG__DOT_CONSTANT;
    return ag_requires_grad(x) ? AG__DOT_PARAMETER : AG__DOT_INPUT;
}

/* Collecting */

/* The slot that holds x's number + 1, or the empty one where it belongs. Addresses decide nothing but the place in it.
 * */
static uint32_t *slot_of(const ag__dot *g, const ag_tensor *x) {
    uint64_t h = (uint64_t)(uintptr_t)x / sizeof *x * 0x9E3779B97F4A7C15u;
    int64_t mask = g->slots - 1, i = (int64_t)(h >> 20) & mask;
    while (g->slot[i] && g->node[g->slot[i] - 1] != x) i = (i + 1) & mask;
    return &g->slot[i];
}

int64_t ag__dot_number_of(const ag__dot *g, const ag_tensor *x) { return (int64_t)*slot_of(g, x) - 1; }

/* Room for one more: at most half of the slots are used. */
static bool make_room(ag__dot *g) {
    ag_tensor **node = ag__grow(g->tape, g->node, sizeof *node, g->count, &g->capacity);
    if (!node) return false;
    g->node = node;
    if (2 * (g->count + 1) <= g->slots) return true;
    int64_t slots = g->slots ? 2 * g->slots : 64;
    ag__temp_free(g->tape, g->slot);
    g->slots = slots;
    g->slot = ag__temp(g->tape, (size_t)slots * sizeof *g->slot);
    if (!g->slot) return false;
    memset(g->slot, 0, (size_t)slots * sizeof *g->slot);
    for (int64_t i = 0; i < g->count; i++) *slot_of(g, node[i]) = (uint32_t)i + 1;
    return true;
}

static bool add(ag__dot *g, ag_tensor *x) {
    if (g->count && !g->options->constants && is_constant(x)) return true;
    if (!make_room(g)) return false;
    uint32_t *slot = slot_of(g, x);
    if (*slot) return true;
    g->node[g->count++] = x;
    *slot = (uint32_t)g->count;
    return true;
}

static void note(ag__dot *g, ag_tensor *x) {
    ag__dot_kind kind = ag__dot_kind_of(g, x);
    int64_t rows;
    if (x->flags & AG__TUPLE || ag_size(x) != 1) g->scalar = false;
    if (x->flags & AG__TUPLE || kind == AG__DOT_CONSTANT || !g->options->values) return;
    if (ag_size(x) > 1 && !ag__dot_fits(x, &rows)) g->sparks = true;
}

static bool collect(ag__dot *g, ag_tensor *const ys[], int n) {
    for (int i = 0; i < n; i++) {
        if (!add(g, ys[i])) return false;
    }
    int64_t levels = 0, level = 0; /* where the next one begins */
    for (int64_t i = 0; i < g->count; i++) {
        ag_tensor *x = g->node[i];
        if (i == level) {
            level = g->count;
            levels++;
        }
        for (int k = 0; k < ag_input_count(x); k++) {
            if (!add(g, ag_input(x, k))) return false;
        }
        note(g, x);
    }
    g->across = g->scalar && levels <= ACROSS;
    return true;
}

/* Writing */

/* Labels take ranks of their own, for which dot needs minutes in large graphs. */
static bool labelled(const ag__dot *g) {
    return g->options->derivatives && g->drawn <= LABELLED && g->back == INT64_MAX;
}

/* What the legend explains is what occurs in nodes that are drawn. */
static void explain(ag__dot *g) {
    for (int64_t i = 0; i < g->count; i++) {
        const ag_tensor *x = g->node[i];
        if (g->stand[i] != i) continue;
        if (ag__dot_owner(g, i)) {
            g->kinds[AG__DOT_SCOPE] = true;
            continue;
        }
        g->kinds[ag__dot_kind_of(g, x)] = true;
        if (!labelled(g) || ag_is_leaf(x) || !ag_requires_grad(x)) continue;
        g->slopes = g->slopes || g->scalar;
        g->flows = g->flows || (g->options->gradients && ag_has_grad(x));
    }
}

/* Short scalar graphs run from left to right, as formulas do; longer ones, which a page would shrink until nobody can read
 * them, and tensors, wide as their nodes are, from top to bottom. nslimit
 * ends dot's search for shorter edges, which can take hours where one leaf has hundreds of uses; 1 changes no ordinary
 * graph. */
static void write_head(FILE *out, const ag__dot *g) {
    const ag_dot_options *o = g->options;
    const ag__dot_palette *p = g->palette;
    fprintf(out, "digraph autograd {\n    graph [rankdir=%s, nslimit=%s,\n", g->across ? "LR" : "TB",
            g->drawn <= LARGE ? "1" : "0.1");
    fprintf(out,
            "           bgcolor=\"%s\", pad=0.2, nodesep=0.25, ranksep=%s, " FONT ", fontcolor=\"%s\", fontsize=10,\n"
            "           labelloc=t, label=<<table border='0' cellborder='0' cellspacing='4'>",
            p->ground, g->flows && !g->across ? "0.2" : "0.32", p->ink); /* labels take room of their own */
    if (o->title && *o->title) {
        fputs("<tr><td><font point-size='16'>", out);
        ag__dot_text(out, o->title, TITLE_LIMIT);
        fputs("</font></td></tr>", out);
    }
    ag__dot_legend(out, g);
    fprintf(out,
            "</table>>];\n"
            "    node [" FONT ", fontcolor=\"%s\", fontsize=11, margin=\"0.08,0.04\", height=0.3, width=0.3, "
            "penwidth=1.1];\n"
            "    edge [" FONT ", fontsize=9, color=\"%s\", arrowsize=0.7, penwidth=1.1];\n",
            p->ink, p->edge);
}

static int indent_of(int depth) { return 4 * (depth < DEEPEST_INDENT ? depth : DEEPEST_INDENT); }

/* A verdict outlines its node. */
static void write_look(FILE *out, const ag__dot *g, ag__dot_kind kind, const ag_check_row *row) {
    const ag__dot_palette *p = g->palette;
    fprintf(out, " [%s, fillcolor=\"%s\", color=\"%s\"%s, label=", ag__dot_shapes[kind], p->kind[kind].fill,
            row ? p->mood[ag__dot_mood_of(row->verdict)] : p->kind[kind].line, row ? ", penwidth=3" : "");
}

static void write_node(FILE *out, const ag__dot *g, int64_t i, int depth) {
    ag__dot_kind kind = ag__dot_kind_of(g, g->node[i]);
    fprintf(out, "%*sn%" PRId64, indent_of(depth), "", i);
    write_look(out, g, kind, ag__dot_verdict(g, i, 0));
    ag__dot_label(out, g, i, kind);
    fputs("];\n", out);
}

static void write_folded(FILE *out, const ag__dot *g, int s, int depth) {
    fprintf(out, "%*ss%d", indent_of(depth), "", g->scopes[s].number);
    write_look(out, g, AG__DOT_SCOPE, ag__dot_verdict(g, AG__DOT_NONE, s));
    ag__dot_scope_label(out, g, s);
    fputs("];\n", out);
}

static void open_cluster(FILE *out, const ag__dot *g, int s, int depth, int cluster) {
    const ag__dot_palette *p = g->palette;
    fprintf(out, "%*ssubgraph cluster_%d {\n", indent_of(depth), "", cluster);
    fprintf(out,
            "%*sgraph [style=\"rounded,filled\", fillcolor=\"%s\", color=\"%s\", "
            "fontcolor=\"%s\", margin=10, labeljust=l, "
            "fontsize=11, label=<",
            indent_of(depth + 1), "", p->cluster, p->rim, p->muted);
    ag__dot_scope_name(out, g, s);
    fputs(">];\n", out);
}

/* Down into the first inner scope, on to the next, back to the outer: scopes may nest as deep as they like. */
static void write_nodes(FILE *out, const ag__dot *g) {
    int s = 0, depth = 1, clusters = 0;
    for (;;) {
        if (g->scopes[s].into) write_folded(out, g, s, --depth);
        for (int64_t i = g->scopes[s].first; i != AG__DOT_NONE && !ferror(out); i = g->next[i])
            write_node(out, g, i, depth);
        int to = g->scopes[s].child;
        while (s && !to) {
            if (!g->scopes[s].into) fprintf(out, "%*s}\n", indent_of(--depth), "");
            to = g->scopes[s].next;
            s = ag_scope_parent(g->tape, s);
        }
        if (!to) return;
        if (!g->scopes[to].into) open_cluster(out, g, to, depth, clusters++);
        depth++;
        s = to;
    }
}

static void write_end(FILE *out, const ag__dot *g, int64_t i) {
    int s = ag__dot_owner(g, i);
    if (s) {
        fprintf(out, "s%d", g->scopes[s].number);
    } else {
        fprintf(out, "n%" PRId64, g->stand[i]);
    }
}

/* An edge that enters a cluster is so long that the whole cluster lies below where it comes from. */
static int length_of(const ag__dot *g, int64_t from, int64_t to) {
    bool enters = g->home[from] != g->home[to] && !ag_is_leaf(g->node[from]) && !ag__dot_owner(g, to);
    return !g->across && enters ? 1 + g->rise[to] : 1;
}

static void write_edge(FILE *out, const ag__dot *g, int64_t from, int64_t to, const ag__dot_flow *f) {
    bool pale = !ag_requires_grad(g->node[from]);
    int least = length_of(g, from, to);
    fputs("    ", out);
    write_end(out, g, from);
    fputs(" -> ", out);
    write_end(out, g, to);
    if (!pale && least == 1 && !f) {
        fputs(";\n", out);
        return;
    }
    fputs(" [", out);
    if (pale) fprintf(out, "color=\"%s\" ", g->palette->pale);
    if (least > 1) fprintf(out, "minlen=%d ", least);
    if (f) ag__dot_edge_label(out, g, f);
    fputs("];\n", out);
}

/* A pair of ends, one of them a folded scope or a stand-in, is joined by one arrow, however many tensors go that way. */
typedef struct pairs {
    uint64_t *slot; /* hash table, 0: empty */
    int64_t slots;
} pairs;

static uint64_t end_of(const ag__dot *g, int64_t i) {
    int s = ag__dot_owner(g, i);
    return s ? (uint64_t)s << 1 | 1 : (uint64_t)g->stand[i] << 1;
}

/* True: it is new. Room for all edges is there. */
static bool insert(pairs *p, uint64_t a, uint64_t b) {
    uint64_t key = (a << 32 | b) + 1, mask = (uint64_t)p->slots - 1, i = (key * 0x9E3779B97F4A7C15u >> 20) & mask;
    while (p->slot[i] && p->slot[i] != key) i = (i + 1) & mask;
    bool fresh = !p->slot[i];
    p->slot[i] = key;
    return fresh;
}

/* Both ends are nodes of their own: such an edge is drawn as often as it is there. */
static bool is_single(const ag__dot *g, int64_t from, int64_t to) {
    return !((end_of(g, from) | end_of(g, to)) & 1) && g->stand[from] == from && g->stand[to] == to;
}

/* Those are there from the start, so that no edge of another scope doubles them. */
static bool make_pairs(const ag__dot *g, pairs *p) {
    int64_t edges = 0;
    if (!g->kinds[AG__DOT_SCOPE] && !g->repeats) return true;
    for (int64_t i = 0; i < g->count; i++) edges += ag_input_count(g->node[i]);
    for (p->slots = 64; p->slots < 2 * edges;) p->slots *= 2;
    p->slot = ag__temp(g->tape, (size_t)p->slots * sizeof *p->slot);
    if (!p->slot) return false;
    memset(p->slot, 0, (size_t)p->slots * sizeof *p->slot);
    for (int64_t i = 0; i < g->count; i++) {
        for (int k = 0; k < ag_input_count(g->node[i]); k++) {
            int64_t j = ag__dot_number_of(g, ag_input(g->node[i], k));
            if (j != AG__DOT_NONE && is_single(g, j, i)) insert(p, end_of(g, j), end_of(g, i));
        }
    }
    return true;
}

static void write_edges(FILE *out, const ag__dot *g, pairs *p, ag_tape *aside) {
    ag__dot_flow flow[AG__DOT_INPUTS];
    for (int64_t i = 0; i < g->count && !ferror(out); i++) {
        ag_tensor *y = g->node[i];
        bool shown = !ag__dot_owner(g, i) && g->stand[i] == i;
        if (aside && shown) ag__dot_flows(aside, y, flow);
        for (int k = 0; k < ag_input_count(y); k++) {
            int64_t j = ag__dot_number_of(g, ag_input(y, k));
            if (j == AG__DOT_NONE || ag__dot_inside(g, j, i)) continue;
            const ag__dot_flow *f = aside && shown && k < AG__DOT_INPUTS ? &flow[k] : NULL;
            if (f && !f->known && !f->flows) f = NULL;
            uint64_t from = end_of(g, j), to = end_of(g, i);
            if (is_single(g, j, i) || (from != to && insert(p, from, to))) write_edge(out, g, j, i, f);
        }
    }
}

static bool write(FILE *out, ag__dot *g) {
    pairs p = {0};
    explain(g);
    if (!make_pairs(g, &p)) return false;
    ag_tape *aside = labelled(g) ? ag_tape_new() : NULL; /* without it, no labels */
    write_head(out, g);
    write_nodes(out, g);
    write_edges(out, g, &p, aside);
    fputs("}\n", out);
    ag_tape_free(aside);
    ag__temp_free(g->tape, p.slot);
    return true;
}

static void find_rows(ag__dot *g) {
    const ag_check_report *r = g->options->report;
    for (int k = 0; r && k < r->rows && k < AG_CHECK_ROWS; k++) {
        const ag_tensor *x = r->row[k].node ? r->row[k].node : r->row[k].x;
        int64_t i = x ? ag__dot_number_of(g, x) : AG__DOT_NONE;
        g->row[k] = i == AG__DOT_NONE ? i : g->stand[i];
    }
}

bool ag__dot_graphs(FILE *out, ag_tensor *const ys[], int n, int64_t back, int keep, const ag_dot_options *options) {
    ag__dot g = {.tape = ag_tape_of(ys[0]),
                 .options = options,
                 .palette = ag__dot_palette_of(options),
                 .back = back,
                 .keep = keep,
                 .scalar = true};
    bool done = collect(&g, ys, n) && ag__dot_arrange(&g);
    if (done) find_rows(&g);
    done = done && write(out, &g);
    ag__temp_free(g.tape, g.rise);
    ag__temp_free(g.tape, g.stand);
    ag__temp_free(g.tape, g.scopes);
    ag__temp_free(g.tape, g.home);
    ag__temp_free(g.tape, g.next);
    ag__temp_free(g.tape, g.slot);
    ag__give(g.tape, g.node, (size_t)g.capacity * sizeof *g.node);
    return done && !ferror(out);
}

bool ag__dot_graph(FILE *out, ag_tensor *y, const ag_dot_options *options) {
    return options->backward ? ag__dot_backward(out, y, options) : ag__dot_graphs(out, &y, 1, INT64_MAX, 0, options);
}
