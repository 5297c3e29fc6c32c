/* pool.h: what pooling and resizing of images share: lists of sizes for 1 to 3 axes of pixels. */
#ifndef OPS_POOL_H
#define OPS_POOL_H

#include "autograd/op.h"

enum { AG__PIXEL_AXES = 3 };

/* x (n, c, pixels…) or (c, pixels…), a float, with `axes` axes of pixels. */
bool ag__need_image(ag_tensor *y, int axes);
/* A list of one number for all axes of pixels or one for each, from least to 2^31. */
bool ag__need_sizes(ag_tensor *y, const char *name, const ag_shape *list, int axes, int64_t least,
                    int64_t out[AG__PIXEL_AXES]);
bool ag__need_pixels(ag_tensor *y, int axes); /* x has some along each of them */
/* Along `axis`, of n elements, the means of n_out windows that cover them evenly: from ⌊i n / n_out⌋ to ⌈(i + 1) n / n_out⌉. */
ag_tensor *ag__even_means(ag_tensor *x, int axis, int64_t n_out);

#endif
