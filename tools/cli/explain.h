/* explain.h: the part of a graph that lies between a result f and an input w, with names for all of it. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "cli.h"
#include "formula.h"
#include "web.h"

typedef struct story {
    session *s;
    ag_tensor *y, *w;
    int64_t n;         /* nodes on the tape when it began */
    bool *below;       /* [n] does y depend on it? */
    bool *between;     /* [n] does it depend on w, differentiably, and y on it? */
    const char **name; /* [n] "v3" */
    const char *g;     /* what arrives at a node of tensors: "g" */
    program names;     /* owns them */
    ag_tensor **node;  /* [nodes] those between, y first, w last */
    int nodes;
    int *number; /* [n] its place among them; −1 */
    bool scalar; /* they have one element each */
    web web;     /* scalar: with numbers; else d is unused */
    ag_tensor *gradient;
} story;

/* Fills the story of t->s, t->y, t->w; nodes is 0 when no path leads from y to w. False after a fault. */
bool story_begin(story *t);
void story_end(story *t);

/* The name of a tensor, or the text of a constant: "v3", "x", "0.5" */
const char *story_name(story *t, const ag_tensor *x);
/* Local derivative of one arc, in symbols; "∂v3/∂v2" when there is no short formula */
void story_symbol(story *t, const arc *a, text *out);
/* What leads to y, line by line: v1 = w*x */
bool story_put_steps(story *t, text *out);

/* Tensors: paths one by one (explain_tensor.c) */
bool story_tell_tensors(story *t);
/* "∂f/∂w" */
void story_put_partial(story *t, const ag_tensor *f, const ag_tensor *x, text *out);

#endif
