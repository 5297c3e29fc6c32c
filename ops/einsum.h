/* einsum.h: an equation of einsum, read, and the order in which its operands are multiplied.
 *
 *     "bij,bjk->bik" ─ read ─▶ labels of every axis, extents ─ order ─▶ pairs ─ contract (einsum.c) ─▶ one tensor
 *
 * A label is a number: A…Z are 0…25, a…z 26…51, so that order by number is the order of an implicit output, and the axes
 * of an ellipsis are 52, 53, … from the last one backwards, so that they broadcast as NumPy's. */
#ifndef OPS_EINSUM_H
#define OPS_EINSUM_H

#include "autograd/op.h"

enum { AG__EINSUM_MOST = 64, AG__LETTERS = 52, AG__LABELS = AG__LETTERS + AG_MAX_RANK };

typedef struct ag__term {
    int rank;
    unsigned char label[AG_MAX_RANK]; /* of each axis */
} ag__term;

typedef struct ag__einsum {
    int n;
    ag__term in[AG__EINSUM_MOST], out;
    int64_t extent[AG__LABELS]; /* what operands' extents broadcast to */
} ag__einsum;

typedef struct ag__pair {
    unsigned char a, b; /* numbers of two operands; their product takes the place of a */
} ag__pair;

/* Reads the equation for the inputs of y; false after ag_op_fail. */
bool ag__einsum_read(ag_tensor *y, const char *equation, ag__einsum *e);

/* n − 1 products that make one of n operands, given as sets of labels; the cheapest for few operands, else a good order. */
void ag__einsum_order(const uint64_t labels[], int n, uint64_t out, const int64_t extent[], ag__pair steps[]);

#endif
