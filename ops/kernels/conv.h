/* conv.h: the pixels that a convolution's window sees, laid out as a matrix, and the way back; raw memory, one thread.
 *
 *     plane (h,w), padded          columns (channels·kh·kw, pixels)
 *     · · · · · ·                  ┌ p0 p1 p2 … ┐  channel 0, tap (0,0)
 *     · ▓ ░ ▓ ░ ·                  │ ░  ▓  ░  … │  channel 0, tap (0,1)        conv2d = weights (o, channels·kh·kw) · columns
 *     · ░ ▓ ░ ▓ ·     ─unfold─▶    └ ⋮          ┘  …
 *     · · · · · ·     ◀──fold──    adds every entry back to the pixel it came from */
#ifndef OPS_KERNELS_CONV_H
#define OPS_KERNELS_CONV_H

#include <stdint.h>

/* Output pixel (i,j) and tap (r,s) meet input pixel (i stride + r dilation − padding, likewise along the row). */
typedef struct ag__window {
    int64_t h, w, kh, kw, oh, ow;
    int64_t stride[2], padding[2], dilation[2];
} ag__window;

/* Output pixels first ≤ p < last, numbered row by row; columns is (channels·kh·kw, last − first). Padding is 0. */
typedef struct ag__conv {
    void (*unfold)(const ag__window *s, int64_t channels, const void *x, int64_t first, int64_t last, void *columns);
    void (*fold)(const ag__window *s, int64_t channels, const void *columns, int64_t first, int64_t last, void *x);
} ag__conv;

#endif
