/* adaptive.c: pooling to a size: as many windows as are asked for cover an axis of pixels evenly, and may share pixels.
 *
 *     7 ─adaptive 3─▶ [0 1 2] [2 3 4] [4 5 6]        window i of n' begins at ⌊i n / n'⌋ and ends before ⌈(i + 1) n / n'⌉
 *
 * Means go one axis after the other. The largest is looked for in whole windows, so that its place is the first of those that tie. */
#include <stddef.h>

#include "autograd/node.h"
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/pool.h"
#include "ops/table.h"

enum { MOST = AG__PIXEL_AXES };

ag_tensor *ag__even_means(ag_tensor *x, int axis, int64_t n_out) {
    int64_t n = ag_dim(x, axis), size = n / n_out;
    if (!x || n == n_out) return x;
    if (size * n_out == n) return ag_mean(ag_unfold(x, axis, size, size), AG_AXES(-1), false);
    ag_tensor **mean = ag__temp(ag_tape_of(x), (size_t)n_out * sizeof *mean), *joined = NULL;
    for (int64_t i = 0; mean && i < n_out; i++) { /* i n / n_out without overflow */
        int64_t start = i * size + i * (n % n_out) / n_out,
                end = (i + 1) * size + ((i + 1) * (n % n_out) + n_out - 1) / n_out;
        mean[i] = ag_mean(ag_slice(x, axis, start, end, 1), AG_AXES(axis), true);
    }
    if (mean) joined = ag_concat(mean, (int)n_out, axis);
    ag__temp_free(ag_tape_of(x), mean);
    return joined;
}

typedef struct adaptive_attrs {
    ag_shape output_size; /* −1: as it is */
    bool return_indices;
    int64_t part; /* 1: the places of the largest */
} adaptive_attrs;

static const ag_attr_field mean_fields[] = {{"output_size", AG_ATTR_SHAPE, offsetof(adaptive_attrs, output_size), NULL},
                                            {0}};
static const ag_attr_field max_fields[] = {{"output_size", AG_ATTR_SHAPE, offsetof(adaptive_attrs, output_size), NULL},
                                           {"return_indices", AG_ATTR_BOOL, offsetof(adaptive_attrs, return_indices), "false"},
                                           {"part", AG_ATTR_I64, offsetof(adaptive_attrs, part), "0"},
                                           {0}};

/* How many windows there are along each axis of pixels. */
static bool counts(ag_tensor *y, int axes, int64_t out[MOST]) {
    ag_shape list = ((const adaptive_attrs *)ag_attrs(y))->output_size;
    if (!ag__need_image(y, axes) || !ag__need_pixels(y, axes)) return false;
    if (list.rank == 1) {
        for (list.rank = 1; list.rank < axes; list.rank++) list.dim[list.rank] = list.dim[0];
    }
    for (int i = 0; i < axes && i < list.rank; i++) {
        if (list.dim[i] == -1) list.dim[i] = ag_dim(ag_in(y, 0), i - axes);
    }
    return ag__need_sizes(y, "output_size", &list, axes, 1, out);
}

static ag_tensor *means(ag_tensor *y, int axes) {
    ag_tensor *x = ag_in(y, 0);
    int64_t out[MOST];
    if (!counts(y, axes, out)) return NULL;
    for (int i = 0; i < axes; i++) x = ag__even_means(x, ag_rank(ag_in(y, 0)) - axes + i, out[i]);
    return x == ag_in(y, 0) ? ag_alias(x) : x;
}

static ag_tensor *whole(ag_tensor *y, int64_t v) { return ag_scalar(ag_tape_of(y), AG_I64, (double)v); }

/* (out, size): the pixels of the windows along one axis of n; a shorter window has its last pixel more than once. The longest has
 * ⌊n / out⌋ and those that it shares: with r = n mod out, one, unless every multiple of out / r is a whole number. */
static ag_tensor *pixels(ag_tensor *y, int64_t n, int64_t out) {
    int64_t more = n % out, size = n / out + (more > 0) + (more > 0 && out % more > 0);
    ag_tensor *i = ag_unsqueeze(ag_arange(ag_tape_of(y), AG_I64, 0, (double)out, 1), -1);
    ag_tensor *start = ag_floor_divide(ag_mul(i, whole(y, n)), whole(y, out));
    ag_tensor *end = ag_floor_divide(ag_add(ag_mul(i, whole(y, n)), whole(y, n - 1)), whole(y, out));
    return ag_minimum(ag_add(start, ag_arange(ag_tape_of(y), AG_I64, 0, (double)size, 1)), end);
}

/* (windows, pixels of one), row-major places in an image: those of the axes before this one, and then of it. */
static ag_tensor *crossed(ag_tensor *before, ag_tensor *axis, ag_tensor *n) {
    if (!before) return axis;
    ag_tensor *all = ag_add(ag_unsqueeze(ag_unsqueeze(ag_mul(before, n), 1), -1), ag_unsqueeze(ag_unsqueeze(axis, 0), 2));
    return ag_reshape(all, AG_SHAPE(ag_dim(before, 0) * ag_dim(axis, 0), ag_dim(before, 1) * ag_dim(axis, 1)));
}

/* x (…, pixels of an image) → (…, windows): where in the image the largest pixel of each window is. */
static ag_tensor *places(ag_tensor *x, ag_tensor *window) {
    int64_t count = ag_dim(window, 0), size = ag_dim(window, 1);
    ag_tensor *which = ag_argmax(ag_take(x, window, -1), AG_AXES(-1), false);
    ag_tensor *first = ag_arange(ag_tape_of(x), AG_I64, 0, (double)(count * size), (double)size);
    return ag_take(ag_flatten(window, 0, 1), ag_add(which, first), 0);
}

/* x (…, pixels): the largest of each window, or its place in the image. */
static ag_tensor *in_windows(ag_tensor *y, ag_tensor *x, ag_shape image, ag_shape out, bool place) {
    ag_shape size = image, zero = {.rank = image.rank}, one = {.rank = image.rank, .dim = {1, 1, 1}};
    ag_tensor *window = NULL, *index = NULL;
    bool even = true;
    for (int i = 0; i < image.rank; i++) {
        size.dim[i] = image.dim[i] / out.dim[i];
        even = even && size.dim[i] * out.dim[i] == image.dim[i];
    }
    if (even) {
        ag_tensor *value = ag_max_windows(x, image, size, size, zero, one, out, &index);
        return place ? index : value;
    }
    for (int i = 0; i < image.rank; i++)
        window = crossed(window, pixels(y, image.dim[i], out.dim[i]), whole(y, image.dim[i]));
    index = places(ag_detach(x), window);
    return place ? index : ag_gather(x, -1, index);
}

static ag_tensor *largest(ag_tensor *y, int axes) {
    int64_t part = ((const adaptive_attrs *)ag_attrs(y))->part;
    ag_shape s = ag_shape_of(ag_in(y, 0)), image = {.rank = axes}, out = image;
    if (part < 0 || part > 1) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "part is %lld: 0 is the result, 1 the places", (long long)part);
        return NULL;
    }
    if (!counts(y, axes, out.dim)) return NULL;
    for (int i = 0; i < axes; i++) {
        image.dim[i] = s.dim[s.rank - axes + i];
        s.dim[s.rank - axes + i] = out.dim[i];
    }
    return ag_reshape(in_windows(y, ag_flatten(ag_in(y, 0), -axes, -1), image, out, part), s);
}

static ag_tensor *adaptive_avg_pool1d(ag_tensor *y) { return means(y, 1); }
static ag_tensor *adaptive_avg_pool2d(ag_tensor *y) { return means(y, 2); }
static ag_tensor *adaptive_avg_pool3d(ag_tensor *y) { return means(y, 3); }
static ag_tensor *adaptive_max_pool1d(ag_tensor *y) { return largest(y, 1); }
static ag_tensor *adaptive_max_pool2d(ag_tensor *y) { return largest(y, 2); }
static ag_tensor *adaptive_max_pool3d(ag_tensor *y) { return largest(y, 3); }

#define MEAN "means of windows that cover x evenly"
#define LARGEST "the largest of each of the windows that cover x evenly"
AG__COMPOSED(adaptive_avg_pool1d, 1, adaptive_attrs, mean_fields, MEAN, adaptive_avg_pool1d);
AG__COMPOSED(adaptive_avg_pool2d, 1, adaptive_attrs, mean_fields, MEAN, adaptive_avg_pool2d);
AG__COMPOSED(adaptive_avg_pool3d, 1, adaptive_attrs, mean_fields, MEAN, adaptive_avg_pool3d);
AG__COMPOSED(adaptive_max_pool1d, 1, adaptive_attrs, max_fields, LARGEST, adaptive_max_pool1d);
AG__COMPOSED(adaptive_max_pool2d, 1, adaptive_attrs, max_fields, LARGEST, adaptive_max_pool2d);
AG__COMPOSED(adaptive_max_pool3d, 1, adaptive_attrs, max_fields, LARGEST, adaptive_max_pool3d);

ag_tensor *ag_adaptive_avg_pool1d(ag_tensor *x, ag_shape output_size) {
    return ag_apply(&ag__op_adaptive_avg_pool1d, &x, 1, &(adaptive_attrs){.output_size = output_size});
}
ag_tensor *ag_adaptive_avg_pool2d(ag_tensor *x, ag_shape output_size) {
    return ag_apply(&ag__op_adaptive_avg_pool2d, &x, 1, &(adaptive_attrs){.output_size = output_size});
}
ag_tensor *ag_adaptive_avg_pool3d(ag_tensor *x, ag_shape output_size) {
    return ag_apply(&ag__op_adaptive_avg_pool3d, &x, 1, &(adaptive_attrs){.output_size = output_size});
}

/* The places are found once for both. */
static ag_tensor *with_indices(const ag_op *op, ag_tensor *x, ag_shape output_size, ag_tensor **indices, int axes) {
    ag_tensor *found = ag_apply(op, &x, 1, &(adaptive_attrs){output_size, false, indices != NULL});
    if (!indices || !(*indices = found)) return found;
    return ag_reshape(ag_gather(ag_flatten(x, -axes, -1), -1, ag_flatten(found, -axes, -1)), ag_shape_of(found));
}

ag_tensor *ag_adaptive_max_pool1d(ag_tensor *x, ag_shape output_size, ag_tensor **indices) {
    return with_indices(&ag__op_adaptive_max_pool1d, x, output_size, indices, 1);
}
ag_tensor *ag_adaptive_max_pool2d(ag_tensor *x, ag_shape output_size, ag_tensor **indices) {
    return with_indices(&ag__op_adaptive_max_pool2d, x, output_size, indices, 2);
}
ag_tensor *ag_adaptive_max_pool3d(ag_tensor *x, ag_shape output_size, ag_tensor **indices) {
    return with_indices(&ag__op_adaptive_max_pool3d, x, output_size, indices, 3);
}
