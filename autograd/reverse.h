/* reverse.h: one run of the reverse loop. Private to reverse.c, which is the loop, backward.c, which starts
 * it, and lend.c, which says where a leaf's gradient is computed. */
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
bool ag__touch(ag_tensor *leaf);                                  /* puts it on tape.touched */
void ag__mark_paths(const ag__region *r, int64_t lo, int64_t hi); /* what depends differentiably on a marked node */

/* lend.c */
bool ag__lend(ag_tensor *leaf);                              /* if nobody can see it; false: memory is short */
bool ag__lent_to(const ag_tensor *leaf);                     /* is its handle's memory lent? */
bool ag__at_home(const ag_tensor *d, const ag_tensor *leaf); /* does d, of its shape, lie there as the handle does? */
ag_tensor *ag__move_out(ag_tape *t, const ag_tensor *d);     /* a cell with a copy of d */
void ag__lend_end(ag_tensor *leaf, bool filled);             /* the pass has ended, its handle filled or not */

enum { AG__LEND_LEAST = 4096 /* elements: fewer are copied as fast as this is decided */ };
static inline bool ag__lendable(const ag_tensor *x) {
    const unsigned needed = AG__LEAF | AG__PERSISTENT;
    return (x->flags & (needed | AG__HAS_GRAD)) == needed && !x->slot && x->shape->size >= AG__LEND_LEAST &&
           !x->tape->hooked;
}

#endif
