/* conv.h: the geometry that the three convolution ops share, and their computation. */
#ifndef OPS_CONV_H
#define OPS_CONV_H

#include "autograd/op.h"
#include "ops/kernels/conv.h"

/* x (n, groups·c, h, w), w (groups·o, c, kh, kw), y (n, groups·o, oh, ow) */
typedef struct ag__conv2d {
    ag__window window;
    int64_t n, groups, c, o;
} ag__conv2d;

/* padding=same, as a list of numbers: x with zeros around it, so that a kernel with these last axes and this dilation gives as
 * many pixels as x has; of an odd number the last zero stands behind. NULL after an error. */
bool ag__conv_same(const ag_shape *padding);
ag_tensor *ag__conv_pad_same(ag_tensor *y, ag_tensor *x, const ag_tensor *w, const int64_t stride[2],
                             const int64_t dilation[2]);

/* In run: of x, w and y, row-major and of node's dtype, the one that is NULL is computed into node's output. */
bool ag__conv2d_run(ag_tensor *node, const ag__conv2d *s, const void *x, const void *w, const void *y);

#endif
