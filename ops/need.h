/* need.h: what several operations share: two more checks, and a tensor as seen along one of its axes.
 *
 *     shape (2,3,4,5) along axis 2:  outer = 2·3 │ n = 4 │ inner = 5,  element (o, i, j) at (o n + i) inner + j */
#ifndef AUTOGRAD_OPS_NEED_H
#define AUTOGRAD_OPS_NEED_H

#include <string.h>

#include "autograd/op.h"

typedef struct ag__along {
    int64_t outer, n, inner;
} ag__along;

/* Of a shape that a tensor has, so that the products are known to fit. */
static inline ag__along ag__along_axis(ag_shape s, int axis) {
    ag__along a = {1, s.rank ? s.dim[axis] : 1, 1};
    for (int i = 0; i < axis; i++) a.outer *= s.dim[i];
    for (int i = axis + 1; i < s.rank; i++) a.inner *= s.dim[i];
    return a;
}

/* memcpy of a slab, which is often a single element: then without a call. */
static inline void ag__copy_slab(void *to, const void *from, size_t bytes) {
    if (bytes == 4) {
        memcpy(to, from, 4);
    } else if (bytes == 8) {
        memcpy(to, from, 8);
    } else {
        memcpy(to, from, bytes);
    }
}

/* Attributes of an op along one axis: axis= must be given, is the last axis unless given, or the first. */
typedef struct ag__axis_attrs {
    int axis;
} ag__axis_attrs;
extern const ag_attr_field ag__axis_given[], ag__axis_last[], ag__axis_first[];

static inline int ag__axis_of(const ag_tensor *y) { return ((const ag__axis_attrs *)ag_attrs(y))->axis; }

enum { AG__TEXT = 192 }; /* room for a shape of eight axes and a name in a message */

bool ag__need_number(ag_tensor *y, int i);                               /* f32, f64 or i64 */
bool ag__need_factor(ag_tensor *y, const char *attribute, double value); /* of input 0: for i64 a whole number */
/* ag_need_axis of an op that may run along any one axis: a scalar counts as the one element of a line, as in PyTorch. */
bool ag__need_line(ag_tensor *y, int axis, int rank, int *out);
bool ag__need_shape(ag_tensor *y, ag_shape s); /* a shape given as an attribute: that a tensor can have it */
bool ag__need_square(ag_tensor *y, int i);     /* matrices on the last two axes */
#define AG__MOST_PIXELS (INT64_C(1) << 31)     /* along an axis of an image: keeps sums of products from overflowing */
/* A list of numbers for the height and the width of images, or of one for both, each from least to as many. */
bool ag__need_pair(ag_tensor *y, const char *name, const ag_shape *list, int64_t least, int64_t pair[2]);
/* In run: input i row-major, NULL if it was not given; false after an error. */
bool ag__dense(ag_tensor *y, int i, const void **data);
/* In run: input i, an index into n things, with what counts from the end resolved; NULL after an error. In index.c. */
const int64_t *ag__indices(ag_tensor *y, int i, int64_t n);
/* Says so, at the row-major place k of an index of shape s, and returns NULL. In index.c. */
const int64_t *ag__index_fail(ag_tensor *y, ag_shape s, int64_t k, int64_t value, int64_t n);
bool ag__same_shape(ag_shape a, ag_shape b);
/* Replaces an extent of −1 by what `size` elements leave over. False: no shape with that many elements. */
bool ag__complete_shape(ag_shape *s, int64_t size);
/* The caller's options over the defaults in `to`, as far as the caller's struct goes, which an older header may have made smaller;
 * NULL changes nothing. False for a size of 0: ag_…_defaults, which `name` begins, did not make it. x, if any, says the tape. */
bool ag__take_options(const ag_tensor *x, const char *name, void *to, size_t size, const void *options);
/* Output 0 of y and, if it is asked for, output 1 in *second; both NULL where y is. */
ag_tensor *ag__parts(ag_tensor *y, ag_tensor **second);
const char *ag__dims_text(ag_shape s, char *out); /* "(2,3)"; out holds AG__TEXT bytes */

#endif
