/* dot.c: a graph as Graphviz text.
 *
 *     collect   breadth first from y, inputs in order: node[0] is y; the list is its own queue, so depth costs no stack
 *     group     each scope that holds nodes becomes a cluster inside its parent's
 *     write     nodes, cluster by cluster; then edges, in the direction of the computation
 *
 * Invariant: the text depends on the graph alone, not on addresses nor on the order of recording (C leaves open in which
 * order the arguments of a call are evaluated): equal graphs give equal pictures. */
#include <inttypes.h>
#include <string.h>

#include "autograd/dot.h"
#include "autograd/node.h"

enum { NAME_LIMIT = 60, TITLE_LIMIT = 160, DEEPEST_INDENT = 16, LARGE = 250 };
enum { NONE = -1 };

#define CLUSTER \
    "style=\"rounded,filled\", fillcolor=\"#00000008\", color=\"#B4BDC5\", margin=10, labeljust=l, fontsize=11, "
#define FONT "fontname=\"Helvetica,Arial,sans-serif\", fontcolor=\"" AG__DOT_INK "\""

/* The lists of nodes and of inner scopes that a scope holds. Scope 0 is the drawing itself. */
typedef struct scope {
    int64_t first;             /* NONE: no node */
    int child, youngest, next; /* 0: no scope */
    bool drawn;
} scope;

typedef struct graph {
    ag_tape *tape;
    const ag_dot_options *options;
    int64_t count, capacity, slots;
    ag_tensor **node; /* by number */
    uint32_t *slot;   /* hash table of number + 1; 0: empty */
    int64_t *next;    /* by number: the next node of the same scope */
    int *home;        /* by number: the scope it is drawn in */
    scope *scopes;
    bool kinds[AG__DOT_KINDS]; /* which occur */
    bool scalar;               /* no tensor has more than one element */
} graph;

/* ---- Kinds ------------------------------------------------------------------------------------------------------ */

/* Hues of Okabe and Ito's palette, which colour-blind people tell apart; the shapes differ too. */
static const struct look {
    const char *name, *mark, *style, *fill, *line;
} looks[AG__DOT_KINDS] = {
    [AG__DOT_PARAMETER] = {"parameter", "■", "shape=box, style=filled, penwidth=2.4", "#FDF0D0", "#C88A00"},
    [AG__DOT_INPUT] = {"input", "■", "shape=note, style=filled", "#E1F1FA", "#0072B2"},
    [AG__DOT_CONSTANT] = {"constant", "□", "shape=box, style=dashed", "#FFFFFF", "#5F6B76"},
    [AG__DOT_OP] = {"operation", "■", "shape=box, style=\"rounded,filled\"", "#F3F4F5", "#5F6B76"},
    [AG__DOT_OUTPUT] = {"output", "■", "shape=box, style=\"rounded,filled\", peripheries=2", "#DCF2EA", "#009E73"},
};

static bool is_constant(const ag_tensor *x) {
    if (!ag_is_leaf(x) || ag_index(x) < 0 || ag_requires_grad(x) || *ag_name(x) || !ag_size(x)) return false;
    for (int i = 0; i < ag_rank(x); i++) {
        if (ag_dim(x, i) != 1 && ag_stride(x, i) != 0) return false;
    }
    return true;
}

static ag__dot_kind kind_of(const graph *g, const ag_tensor *x) {
    if (!ag_is_leaf(x)) return x == g->node[0] ? AG__DOT_OUTPUT : AG__DOT_OP;
    if (is_constant(x)) return AG__DOT_CONSTANT;
    return ag_requires_grad(x) ? AG__DOT_PARAMETER : AG__DOT_INPUT;
}

/* ---- Collecting ------------------------------------------------------------------------------------------------- */

/* The slot that holds x's number + 1, or the empty one where it belongs. Addresses decide nothing but the place in it. */
static uint32_t *slot_of(const graph *g, const ag_tensor *x) {
    uint64_t h = (uint64_t)(uintptr_t)x / sizeof *x * 0x9E3779B97F4A7C15u;
    int64_t mask = g->slots - 1, i = (int64_t)(h >> 20) & mask;
    while (g->slot[i] && g->node[g->slot[i] - 1] != x) i = (i + 1) & mask;
    return &g->slot[i];
}

/* -1: not in the graph. */
static int64_t number_of(const graph *g, const ag_tensor *x) { return (int64_t)*slot_of(g, x) - 1; }

/* Room for one more: at most half of the slots are used. */
static bool make_room(graph *g) {
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

static bool add(graph *g, ag_tensor *x) {
    if (g->count && !g->options->constants && is_constant(x)) return true;
    if (!make_room(g)) return false;
    uint32_t *slot = slot_of(g, x);
    if (*slot) return true;
    g->node[g->count++] = x;
    *slot = (uint32_t)g->count;
    return true;
}

static bool collect(graph *g, ag_tensor *y) {
    if (!add(g, y)) return false;
    for (int64_t i = 0; i < g->count; i++) {
        ag_tensor *x = g->node[i];
        for (int k = 0; k < ag_input_count(x); k++) {
            if (!add(g, ag_input(x, k))) return false;
        }
        g->kinds[kind_of(g, x)] = true;
        if (x->flags & AG__TUPLE || ag_size(x) != 1) g->scalar = false;
    }
    return true;
}

/* ---- Scopes ----------------------------------------------------------------------------------------------------- */

/* The innermost scope around both. A scope's number is larger than its parent's. */
static int common(const ag_tape *t, int a, int b) {
    while (a != b) {
        if (a > b) a = ag_scope_parent(t, a);
        else b = ag_scope_parent(t, b);
    }
    return a;
}

/* Each node is at home in its scope; a parameter, made before the layers run, in the innermost scope around its uses. */
static void settle(graph *g) {
    for (int64_t i = 0; i < g->count; i++) g->home[i] = NONE;
    for (int64_t i = 0; i < g->count; i++) {
        for (int k = 0; k < ag_input_count(g->node[i]); k++) {
            ag_tensor *in = ag_input(g->node[i], k);
            int64_t j = number_of(g, in);
            int user = ag_scope_of(g->node[i]);
            if (j != NONE) g->home[j] = g->home[j] == NONE ? user : common(g->tape, g->home[j], user);
        }
    }
    for (int64_t i = 0; i < g->count; i++) {
        int own = ag_scope_of(g->node[i]), uses = g->home[i];
        bool moves = kind_of(g, g->node[i]) == AG__DOT_PARAMETER && uses != NONE && common(g->tape, own, uses) == own;
        if (!moves) g->home[i] = own;
    }
}

/* Hangs scope s and those around it into the tree, unless they are there. */
static void hang(graph *g, int s) {
    while (s && !g->scopes[s].drawn) {
        int parent = ag_scope_parent(g->tape, s);
        scope *outer = &g->scopes[parent];
        if (!outer->child) outer->child = s;
        else g->scopes[outer->youngest].next = s;
        outer->youngest = s;
        g->scopes[s].drawn = true;
        s = parent;
    }
}

/* Scopes are listed as the numbering meets them. Nodes are listed so, from left to right, and the other way round from top
 * to bottom: then dot keeps inputs in order, layers side by side in the order in which they run, and edges short. */
static void group(graph *g) {
    for (int64_t i = 0; i < g->count; i++) hang(g, g->home[i]);
    for (int64_t k = 0; k < g->count; k++) {
        int64_t i = g->scalar ? g->count - 1 - k : k;
        g->next[i] = g->scopes[g->home[i]].first;
        g->scopes[g->home[i]].first = i;
    }
}

static bool arrange(graph *g) {
    int scopes = ag_scope_count(g->tape);
    g->next = ag__temp(g->tape, (size_t)g->count * sizeof *g->next);
    g->home = ag__temp(g->tape, (size_t)g->count * sizeof *g->home);
    g->scopes = ag__temp(g->tape, (size_t)scopes * sizeof *g->scopes);
    if (!g->next || !g->home || !g->scopes) return false;
    for (int s = 0; s < scopes; s++) g->scopes[s] = (scope){.first = NONE};
    settle(g);
    group(g);
    return true;
}

/* ---- Writing ---------------------------------------------------------------------------------------------------- */

/* One line of text, since the cells of a table would stretch to a title's width. */
static void write_legend(FILE *out, const graph *g) {
    const ag_tensor *y = g->node[0];
    bool loss = !(y->flags & AG__TUPLE) && ag_size(y) == 1 && ag_requires_grad(y);
    fputs("<tr><td>", out);
    for (int k = 0; k < AG__DOT_KINDS; k++) {
        if (!g->kinds[k]) continue;
        const char *name = k == AG__DOT_OUTPUT && loss ? "loss" : looks[k].name;
        fprintf(out, "<font color='%s'>%s</font> %s &#160; ", looks[k].line, looks[k].mark, name);
    }
    if (!g->scalar) fputs("<font color='" AG__DOT_MUTED "'>large tensors: mean [min, max]</font>", out);
    fputs("</td></tr>", out);
}

/* Scalar graphs run from left to right, as formulas do; tensors, wide as their nodes are, from top to bottom. nslimit ends
 * dot's search for shorter edges, which can take hours where one leaf has hundreds of uses; 1 changes no ordinary graph. */
static void write_head(FILE *out, const graph *g) {
    const ag_dot_options *o = g->options;
    fprintf(out, "digraph autograd {\n    graph [rankdir=%s, nslimit=%s,\n", g->scalar ? "LR" : "TB",
            g->count <= LARGE ? "1" : "0.1");
    fputs("           bgcolor=\"#FFFFFF\", pad=0.2, nodesep=0.25, ranksep=0.32, " FONT ", fontsize=10, labelloc=t,\n"
          "           label=<<table border='0' cellborder='0' cellspacing='4'>",
          out);
    if (o->title && *o->title) {
        fputs("<tr><td><font point-size='16'>", out);
        ag__dot_text(out, o->title, TITLE_LIMIT);
        fputs("</font></td></tr>", out);
    }
    write_legend(out, g);
    fputs("</table>>];\n"
          "    node [" FONT ", fontsize=11, margin=\"0.08,0.04\", height=0.3, width=0.3, penwidth=1.1];\n"
          "    edge [color=\"#3C4650\", arrowsize=0.7, penwidth=1.1];\n",
          out);
}

static int indent_of(int depth) { return 4 * (depth < DEEPEST_INDENT ? depth : DEEPEST_INDENT); }

static void write_node(FILE *out, const graph *g, int64_t i, int depth) {
    ag__dot_kind kind = kind_of(g, g->node[i]);
    const struct look *k = &looks[kind];
    fprintf(out, "%*sn%" PRId64 " [%s, fillcolor=\"%s\", color=\"%s\", label=", indent_of(depth), "", i, k->style,
            k->fill, k->line);
    ag__dot_label(out, g->node[i], kind, g->options);
    fputs("];\n", out);
}

static void open_cluster(FILE *out, const graph *g, int s, int depth, int cluster) {
    fprintf(out, "%*ssubgraph cluster_%d {\n", indent_of(depth), "", cluster);
    fprintf(out, "%*sgraph [" CLUSTER "fontcolor=\"" AG__DOT_MUTED "\", label=<", indent_of(depth + 1), "");
    ag__dot_text(out, ag_scope_name(g->tape, s), NAME_LIMIT);
    fputs(">];\n", out);
}

/* Down into the first inner scope, on to the next, back to the outer: scopes may nest as deep as they like. */
static void write_nodes(FILE *out, const graph *g) {
    int s = 0, depth = 1, clusters = 0;
    for (;;) {
        for (int64_t i = g->scopes[s].first; i != NONE && !ferror(out); i = g->next[i]) write_node(out, g, i, depth);
        int to = g->scopes[s].child;
        while (s && !to) {
            fprintf(out, "%*s}\n", indent_of(--depth), "");
            to = g->scopes[s].next;
            s = ag_scope_parent(g->tape, s);
        }
        if (!to) return;
        open_cluster(out, g, to, depth++, clusters++);
        s = to;
    }
}

static void write_edges(FILE *out, const graph *g) {
    for (int64_t i = 0; i < g->count && !ferror(out); i++) {
        for (int k = 0; k < ag_input_count(g->node[i]); k++) {
            const ag_tensor *in = ag_input(g->node[i], k);
            int64_t j = number_of(g, in);
            const char *look = ag_requires_grad(in) ? "" : " [color=\"#9AA4AD\"]";
            if (j != NONE) fprintf(out, "    n%" PRId64 " -> n%" PRId64 "%s;\n", j, i, look);
        }
    }
}

bool ag__dot_graph(FILE *out, ag_tensor *y, const ag_dot_options *options) {
    graph g = {.tape = ag_tape_of(y), .options = options, .scalar = true};
    bool done = collect(&g, y) && arrange(&g);
    if (done) {
        write_head(out, &g);
        write_nodes(out, &g);
        write_edges(out, &g);
        fputs("}\n", out);
    }
    ag__temp_free(g.tape, g.scopes);
    ag__temp_free(g.tape, g.home);
    ag__temp_free(g.tape, g.next);
    ag__temp_free(g.tape, g.slot);
    ag__give(g.tape, g.node, (size_t)g.capacity * sizeof *g.node);
    return done && !ferror(out);
}
