/* pool.h: the largest pixels of windows, on raw memory. */
#ifndef OPS_KERNELS_POOL_H
#define OPS_KERNELS_POOL_H

#include <stdint.h>

/* A line of `count` windows, `stride` pixels apart, the first at pixel −before of its row. They look at `rows` rows of the image,
 * which begin at its elements row[0], row[1], …, and in each at `size` pixels, `dilation` apart, those outside [0, pixels) not
 * counted: every window has one that counts. The image has at most INT32_MAX elements. */
typedef struct ag__window_line {
    int64_t count, stride, before, size, dilation, pixels, rows;
    const int64_t *row;
} ag__window_line;

/* By dtype: f32, f64. The largest of each window and the element that it is: the first of those that tie; NaN is largest. */
typedef struct ag__pool {
    void (*largest[2])(const ag__window_line *w, const void *image, void *value, int64_t *place);
} ag__pool;

#endif
