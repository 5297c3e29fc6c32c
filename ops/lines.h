/* lines.h: elements of a large tensor named along one axis by an index of the same rank, a line of them at a time.
 *
 *     axis 0:   element (i, j) of the index belongs to (index[i][j], j) of the large tensor
 *
 * In general a line is a row of the index, along its last axis. An index that is expanded along every other axis than `axis`
 * names whole slabs: then only one number for each is looked at, and a line is a slab, contiguous in both.
 *
 *     index (3) → (1,3,1) → expanded (2,3,5):   outer 2 │ 3 slabs │ inner 5
 *
 * Parts never meet: threads share them, so that what happens at one place happens in the index's order whoever does it. Where
 * the large tensor is only read, they share lines and what lies within. */
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

/* One line, or some neighbouring columns of it, l->length elements. The first is element `at` of what has the index's shape
 * (slabs: were it expanded); its places in the large tensor start at element `base`, which `index` adds to (slabs: NULL). */
typedef void ag__line_fn(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base);

/* In shape: input i is an index that fits the large shape, the axis aside. A scalar counts as a tensor of one axis. */
bool ag__need_index(ag_tensor *y, int i, ag_shape large, int wanted, int *axis);
/* src as far as the index goes, which must not be larger; NULL after an error. */
ag_tensor *ag__line_source(ag_tensor *y, ag_tensor *index, ag_tensor *src);
/* In run: false after an error, such as an index out of range. */
bool ag__lines_start(ag_tensor *y, int i, ag_shape large, int axis, ag__lines *l);
/* Calls `line` for all of them: in any order, where none writes to the large tensor, or in the index's, or backwards. */
typedef enum ag__order { AG__ANY_ORDER, AG__FORWARDS, AG__BACKWARDS } ag__order;
void ag__lines_walk(const ag__lines *l, ag__order order, ag__line_fn *line, void *context);
/* Where element j of a line lies in the large tensor. */
static inline int64_t ag__line_at(const ag__lines *l, const int64_t *index, int64_t base, int64_t j) {
    return l->slabs ? base + j : base + index[j] * l->by_index + j * l->step;
}

/* Lines for walks with an ag__move as context: elements of 1, 4 or 8 bytes from the large tensor (get), to it (set), and one
 * at all its places (fill). */
typedef struct ag__move {
    void *to;
    const void *from;
} ag__move;
ag__line_fn *ag__line_get(size_t bytes), *ag__line_set(size_t bytes), *ag__line_fill(ag_dtype dtype);

#endif
