/* lines.h: elements of a large tensor named along one axis by an index of the same rank, a line of them at a time.
 *
 *     axis 0:   element (i, j) of the index belongs to (index[i][j], j) of the large tensor
 *
 * In general a line is a row of the index, along its last axis. An index that is expanded along every other axis than `axis`
 * names whole slabs: then only one number for each is looked at, and a line is a slab, contiguous in both.
 *
 *     index (3) → (1,3,1) → expanded (2,3,5):   outer 2 │ 3 slabs │ inner 5 */
#ifndef OPS_LINES_H
#define OPS_LINES_H

#include "ops/need.h"

typedef struct ag__lines {
    const int64_t *index; /* what counts from the end resolved: of each element, or of each slab */
    bool slabs;
    int64_t length, count; /* elements of a line; lines */
    int64_t group; /* this many lines in turn lie in one outer part of the large tensor, apart from the others' */
    int64_t n, by_index, step;   /* the large tensor's extent along axis; strides in it along axis and along a line */
    ag_shape shape;              /* of the index */
    int64_t stride[AG_MAX_RANK]; /* in the large tensor, 0 along axis */
} ag__lines;

/* One line: moves between `line` and the places of `large` that belong to it, which start at element `base`. */
typedef void ag__line_fn(const ag__lines *l, void *to, const void *from, const int64_t *index, int64_t base);

/* In shape: input i is an index that fits the large shape, the axis aside. A scalar counts as a tensor of one axis. */
bool ag__need_index(ag_tensor *y, int i, ag_shape large, int wanted, int *axis);
/* src as far as the index goes, which must not be larger; NULL after an error. */
ag_tensor *ag__line_source(ag_tensor *y, ag_tensor *index, ag_tensor *src);
/* In run: false after an error, such as an index out of range. */
bool ag__lines_start(ag_tensor *y, int i, ag_shape large, int axis, ag__lines *l);
/* Every line in order, groups in parallel: from the large tensor to row-major lines of elements of `bytes`, … */
void ag__lines_pick(const ag__lines *l, ag__line_fn *move, void *lines, const void *large, size_t bytes);
/* … or from the lines to it; bytes 0: all lines are the one element at `lines`. */
void ag__lines_put(const ag__lines *l, ag__line_fn *move, void *large, const void *lines, size_t bytes);

/* Copies both ways, by the size of an element: 1, 4 or 8 bytes. */
ag__line_fn *ag__line_get(size_t bytes), *ag__line_set(size_t bytes);
/* For put of one element: it stands at every place named. */
ag__line_fn *ag__line_fill(ag_dtype dtype);

#endif
