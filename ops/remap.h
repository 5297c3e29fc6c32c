/* remap.h: every axis has a table that says where each place of it comes from; −1 is nowhere.
 *
 *     y[i, j] = x[source[0][i], source[1][j]], or a fill            pad 1,2 with zeros:  −1 0 1 2 −1 −1
 *                                                                   roll by 1:            2 0 1
 *
 * The last axis is moved in runs, wherever its table counts up. The adjoint adds in row-major order of y. */
#ifndef OPS_REMAP_H
#define OPS_REMAP_H

#include "ops/need.h"

typedef struct ag__remap {
    int rank;
    int64_t dim[AG_MAX_RANK];     /* of y */
    int64_t stride[AG_MAX_RANK];  /* of x, which is row-major */
    int64_t *source[AG_MAX_RANK]; /* places of x along the axis, or −1 */
    int64_t *run;                 /* of the last axis: elements from here on that move together */
    bool still;                   /* axis 0 of several stays as it is: parts of it are apart from each other */
} ag__remap;

/* Where place i of an axis comes from. */
typedef int64_t ag__source_fn(const void *context, int axis, int64_t i);

/* In run. x's shape and y's have the same rank; a scalar is a line. False: out of memory. */
bool ag__remap_start(ag_tensor *node, ag_shape x, ag_shape y, ag__source_fn *source, const void *context, ag__remap *m);
/* y from x; where it comes from nowhere, the element at `fill`. */
void ag__remap_copy(const ag__remap *m, const void *x, void *y, size_t element, const void *fill);
/* x += the adjoint of y; dtype is a number's. */
void ag__remap_add(const ag__remap *m, const void *y, void *x, ag_dtype dtype);

#endif
