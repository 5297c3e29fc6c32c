/* dot.h: what the files of the drawing share. Private to the library.
 *
 *     render.c      options, the program `dot`, AG_DOT
 *     dot.c         the graph that leads to y: collected, numbered, written
 *     dot_fold.c      which scopes are clusters, which are folded to one node
 *     dot_slope.c     local derivatives and the gradients that flow along the edges
 *     dot_back.c      the graph together with that of its backward pass
 *     dot_label.c     what stands in a node and on an edge
 *     dot_text.c        names and numbers as Graphviz wants them
 *     dot_look.c      palettes and the legend
 */
#ifndef AUTOGRAD_DOT_H
#define AUTOGRAD_DOT_H

#include <stdio.h>

#include "autograd/inspect.h"
#include "autograd/node.h"

enum { AG__DOT_NONE = -1, AG__DOT_RISE = 6 };

typedef enum ag__dot_kind {
    AG__DOT_PARAMETER,
    AG__DOT_INPUT,
    AG__DOT_CONSTANT, /* a recorded leaf without a name, of one value: ag_scalar, ag_full */
    AG__DOT_OP,
    AG__DOT_ADJOINT, /* recorded by the backward pass */
    AG__DOT_SCOPE,   /* a folded scope */
    AG__DOT_OUTPUT,  /* y itself */
    AG__DOT_KINDS
} ag__dot_kind;

typedef enum ag__dot_mood { AG__DOT_PASSES, AG__DOT_LIMITED, AG__DOT_FAILS, AG__DOT_MOODS } ag__dot_mood;

typedef struct ag__dot_palette {
    const char *ground, *ink, *muted, *gradient; /* gradient: its numbers */
    const char *edge, *pale;                     /* pale: an edge that carries no gradient */
    const char *cluster, *rim, *panel;           /* fill and line of a cluster; behind a matrix */
    struct {
        const char *fill, *line;
    } kind[AG__DOT_KINDS];
    const char *mood[AG__DOT_MOODS];
} ag__dot_palette;

enum { AG__DOT_SHOWN = 3 }; /* shapes listed on each side of a folded scope */

/* A scope holds lists of nodes and of inner scopes. Scope 0 is the drawing itself. */
typedef struct ag__dot_scope {
    int64_t first;             /* AG__DOT_NONE: no node */
    int child, youngest, next; /* 0: no scope */
    int depth;
    int into; /* 0: open; the scope whose node it is part of: itself, one around it, or the first of its repetitions */
    bool drawn;
    /* of a scope that is drawn as one node: */
    int member;       /* into, before repetitions were joined */
    int number;       /* as the numbering meets them */
    int copies, last; /* repetitions, and the one made last */
    int64_t nodes, ops, parameters;
    uint64_t structure;                      /* equal: the same operations in the same order */
    const ag_tensor *side[2][AG__DOT_SHOWN]; /* what comes in, what goes out; one for each shape */
    int sides[2];                            /* how many shapes that are */
    /* of a scope that is drawn, open or not, for its repetitions too: */
    int stack, stack_last; /* copies and last of these; 0: of itself alone */
    int64_t start;
    int within; /* the stack around it or itself; 0: none */
} ag__dot_scope;

typedef struct ag__dot {
    ag_tape *tape;
    const ag_dot_options *options;
    const ag__dot_palette *palette;
    int64_t count, capacity, slots;
    ag_tensor **node; /* by number; node[0] is y */
    uint32_t *slot;   /* hash table of number + 1; 0: empty */
    int64_t *next;    /* by number: the next node of the same scope */
    int *home;        /* by number: the scope it belongs to */
    int64_t *stand;   /* by number: itself, or the node that is drawn in its place */
    uint8_t *rise;    /* by number: the longest way to it inside its scope, at most AG__DOT_RISE */
    ag__dot_scope *scopes;
    int64_t back;                        /* place on the tape from which on the backward pass recorded */
    int keep;                            /* a scope that is never folded; 0: none */
    int64_t drawn;                       /* nodes drawn, folded scopes among them */
    bool kinds[AG__DOT_KINDS];           /* which occur */
    bool scalar;                         /* no tensor has more than one element */
    bool across;                         /* drawn from left to right, not from top to bottom */
    bool slopes, flows, repeats, sparks; /* what the legend must explain */
    int64_t row[AG_CHECK_ROWS];          /* of options->report: the number of the node it speaks of */
} ag__dot;

/* dot.c */
/* Writes the graph to out. False when memory is short (the tape's error is set) or when out failed (ferror). */
bool ag__dot_graph(FILE *out, ag_tensor *y, const ag_dot_options *options);
/* The same of ys[0..n); what was recorded from place `back` on is the backward pass, in scope `keep`. */
bool ag__dot_graphs(FILE *out, ag_tensor *const ys[], int n, int64_t back, int keep, const ag_dot_options *options);
ag__dot_kind ag__dot_kind_of(const ag__dot *g, const ag_tensor *x);
int64_t ag__dot_number_of(const ag__dot *g, const ag_tensor *x); /* AG__DOT_NONE: not in the graph */
/* The folded scope that node i is drawn as; 0: it is drawn itself. */
static inline int ag__dot_owner(const ag__dot *g, int64_t i) { return g->scopes[g->home[i]].into; }

/* Does this edge lie inside a stack, in or between scopes that are not drawn? */
static inline bool ag__dot_inside(const ag__dot *g, int64_t from, int64_t to) {
    int stack = g->scopes[g->home[to]].within;
    return stack && stack == g->scopes[g->home[from]].within && (g->stand[from] != from || g->stand[to] != to);
}

/* dot_fold.c: fills home, next, stand, rise, scopes, drawn and repeats. */
bool ag__dot_arrange(ag__dot *g);
void ag__dot_fold(ag__dot *g, int from, int to); /* marks the scopes that are folded: at depths from … to, and inside those */

/* dot_repeat.c */
void ag__dot_repeat(ag__dot *g, int64_t *rank); /* joins folded scopes; fills rank, by number */
bool ag__dot_stack(ag__dot *g, int deepest);    /* finds stacks */

/* dot_slope.c */
enum { AG__DOT_INPUTS = 8 }; /* of a node whose edges are labelled */
typedef struct ag__dot_flow {
    bool known, flows;
    double slope; /* ∂y/∂x, if known: both have one element */
    double flow;  /* what flows to x, if flows: the norm for tensors, signed for scalars */
} ag__dot_flow;
/* Of the edges that enter y, through its rule on a tape aside; what cannot be told stays false. */
void ag__dot_flows(ag_tape *aside, ag_tensor *y, ag__dot_flow flow[AG__DOT_INPUTS]);

/* dot_back.c: options->backward. */
bool ag__dot_backward(FILE *out, ag_tensor *y, const ag_dot_options *options);

/* dot_label.c: each writes <…>, an HTML-like label; of an edge label=<…>. */
void ag__dot_label(FILE *out, const ag__dot *g, int64_t i, ag__dot_kind kind);
void ag__dot_scope_name(FILE *out, const ag__dot *g, int scope); /* without < and > */
void ag__dot_scope_label(FILE *out, const ag__dot *g, int scope);
void ag__dot_edge_label(FILE *out, const ag__dot *g, const ag__dot_flow *f);

/* dot_text.c */
/* Writes text so that it may stand in such a label, whatever its bytes; of more than `limit` characters the first and "…". */
void ag__dot_text(FILE *out, const char *text, int limit);
void ag__dot_value(FILE *out, double v, int digits);
void ag__dot_shape(FILE *out, const ag_tensor *x);                     /* "(5, 3) f32" */
void ag__dot_content(FILE *out, const ag__dot *g, const ag_tensor *x); /* the elements, or what they are like */
/* ▁ is an empty bin, █ the fullest; any element at all raises its bin above the floor. False: there is nothing to show.
 * out NULL: asks only. */
bool ag__dot_histogram(FILE *out, const ag_tensor *x);
bool ag__dot_fits(const ag_tensor *x, int64_t *rows); /* is it shown whole, as a matrix? */

/* dot_look.c */
extern const char *const ag__dot_shapes[AG__DOT_KINDS]; /* attributes of a node of that kind */
const ag__dot_palette *ag__dot_palette_of(const ag_dot_options *options);
void ag__dot_legend(FILE *out, const ag__dot *g);
/* The row of the report on node i, or on a node of the folded scope; NULL: none. */
const ag_check_row *ag__dot_verdict(const ag__dot *g, int64_t i, int scope);
ag__dot_mood ag__dot_mood_of(ag_verdict verdict);

#endif
