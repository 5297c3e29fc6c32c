/* reverse.h: one run of the reverse loop. Private to reverse.c, which is the loop, and backward.c, which starts it. */
#ifndef AUTOGRAD_REVERSE_H
#define AUTOGRAD_REVERSE_H

#include "autograd/node.h"

typedef struct ag__pass {
    ag_tape *t;
    ag__region *r; /* of the nodes visited */
    bool record;   /* ag_gradients: slots point to nodes on the tape; else to cells */
    bool inner;    /* over a composition: ends at its stand-ins */
    int64_t floor; /* nodes before it belong to the loop whose rule called this one */
    int64_t live;  /* nodes whose slot waits to be visited */
} ag__pass;

bool ag__arrive(ag__pass *p, ag_tensor *x, ag_tensor *d); /* x.slot += d */
bool ag__reverse(ag__pass *p, int64_t lo, int64_t hi);    /* visits [lo, hi) from the end, while slots wait */
void ag__clear_slot(const ag__pass *p, ag_tensor *x);
void ag__mark_paths(const ag__region *r, int64_t lo, int64_t hi); /* what depends differentiably on a marked node */

#endif
