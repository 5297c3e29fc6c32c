/* draw.h: what random ops share. Their first attribute is the number of the draw, their last input the tape's key; the numbers
 * are functions of the two and of the place: ops/kernels/random.h. */
#ifndef AUTOGRAD_OPS_DRAW_H
#define AUTOGRAD_OPS_DRAW_H

#include "autograd/op.h"
#include "ops/kernels/random.h"

/* The attributes of an op that makes floats of a shape, or how they begin. */
typedef struct ag__fill_attrs {
    int64_t draw; /* which of the tape's sequences; −1: the next unused one */
    ag_dtype dtype;
    ag_shape shape;
    double a, b;
} ag__fill_attrs;

/* The fields of draw, dtype and shape. */
#define AG__FILL_FIELDS                                                     \
    {"draw", AG_ATTR_I64, offsetof(ag__fill_attrs, draw), "-1"},            \
        {"dtype", AG_ATTR_DTYPE, offsetof(ag__fill_attrs, dtype), "f32"}, { \
        "shape", AG_ATTR_SHAPE, offsetof(ag__fill_attrs, shape), NULL       \
    }

/* In shape: the last input is a key, one i64. */
bool ag__need_key(ag_tensor *y);
/* In shape, of attributes that begin as ag__fill_attrs: declares the output. */
bool ag__fill_shape(ag_tensor *y);
/* In run: of which draw; false after an error. */
bool ag__draw_of(ag_tensor *y, ag__draw *d);
/* In run: a whole output from one kernel. */
bool ag__fill_run(ag_tensor *y, ag__draw_fn *const fill[2], double a, double b);
/* In run: each place by the element of `in` there, of the output's dtype and row-major. */
bool ag__fill_each(ag_tensor *y, ag__draw_each_fn *const fill[2], const void *in);
/* n elements, by all threads. */
void ag__fill_memory(const ag__draw *d, ag__draw_fn *fill, double a, double b, int64_t n, size_t element, void *out);

/* The same from other words of this place, until one is not one too many. */
uint64_t ag__draw_again(const ag__draw *d, int64_t place, uint64_t n);

__extension__ typedef unsigned __int128 ag__wide;

/* An integer in [0, n), each equally likely, from a place and its 64-bit word: Lemire, "Fast random integer generation in an
 * interval" (2019): the upper half of word · n, drawn anew where the lower half says that this value has one word more than others. */
static inline uint64_t ag__draw_below(const ag__draw *d, int64_t place, uint64_t word, uint64_t n) {
    ag__wide product = (ag__wide)word * n;
    uint64_t low = (uint64_t)product;
    return low >= n || low >= (0 - n) % n ? (uint64_t)(product >> 64) : ag__draw_again(d, place, n);
}

#endif
