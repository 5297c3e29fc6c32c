/* aside.h: what the questions about a graph share: which nodes are concerned, and a backward pass run on a copy. Private.
 *
 *     reach   a byte of flags for each tensor of the tape, beside it
 *     aside   a copy of the graph on a tape of its own, with the gradient of every node kept; single rules can be run on it
 *
 * The tape that is asked about is not changed, nor is its error. */
#ifndef AUTOGRAD_ASIDE_H
#define AUTOGRAD_ASIDE_H

#include "autograd/node.h"

enum {
    AG__LEADS = 1 /* to the ys */,
    AG__FLOWS = 2 /* a gradient arrives */,
    AG__DEPENDS = 4 /* on the x asked about */
};

typedef struct ag__reach {
    ag_tape *t;
    int64_t past; /* recorded nodes before this one are looked at */
    int64_t leaves;
    unsigned char *recorded, *persistent;
} ag__reach;

bool ag__reach_open(ag__reach *r, ag_tensor *const ys[], int64_t n); /* AG__LEADS, AG__FLOWS. False: memory is short */
void ag__reach_from(ag__reach *r, const ag_tensor *x);               /* AG__DEPENDS, for x itself too */
unsigned ag__reach_of(const ag__reach *r, const ag_tensor *x);
void ag__reach_close(ag__reach *r);

typedef struct ag__aside {
    ag_tape *tape;
    ag_tensor **node, **copy; /* what gradients flow through, in execution order, persistent leaves first; tuples whole */
    int64_t count, room;      /* nodes, and what their lists have room for */
} ag__aside;

/* False: it could not be done; the reason is in the tape of the copy, or memory is short. Close it in any case. */
bool ag__aside_open(ag__aside *a, const ag__reach *r, ag_tensor *const ys[], int64_t n);
/* Runs the rule of a copy alone, on the gradients that arrived at it: d[i] for each input, NULL where it gives none. */
bool ag__aside_rule(ag_tensor *copy, ag_tensor *d[]);
void ag__aside_close(ag__aside *a);

/* Row-major place of the first element that is not finite, not zero; −1: none. x is a float tensor. */
int64_t ag__first_nonfinite(const ag_tensor *x);
int64_t ag__first_nonzero(const ag_tensor *x);
/* The gradient kept at an output of a copy; NULL: none arrived. */
ag_tensor *ag__kept(ag_tensor *copy, int out);

#endif
