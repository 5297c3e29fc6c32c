/* max_windows.c: the largest of each window of an image, and its place.
 *
 *     x (…, l), an image of l pixels a line ─▶ y (…, l'), place (…, l') of l' windows
 *
 * What max_pool of 1, 2 or 3 axes does once it knows how its windows lie. The gradient goes to the places. A line of windows along
 * the image's last axis is the kernel's; lines are shared among threads. */
#include <stddef.h>

#include "autograd/node.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/order.h"
#include "ops/pool.h"
#include "ops/table.h"

enum { MOST = AG__PIXEL_AXES };

typedef struct windows_attrs { /* a number for each axis of the image */
    ag_shape image, kernel_size, stride, padding, dilation, output_size;
} windows_attrs;

static const ag_attr_field fields[] = {{"image", AG_ATTR_SHAPE, offsetof(windows_attrs, image), NULL},
                                       {"kernel_size", AG_ATTR_SHAPE, offsetof(windows_attrs, kernel_size), NULL},
                                       {"stride", AG_ATTR_SHAPE, offsetof(windows_attrs, stride), NULL},
                                       {"padding", AG_ATTR_SHAPE, offsetof(windows_attrs, padding), NULL},
                                       {"dilation", AG_ATTR_SHAPE, offsetof(windows_attrs, dilation), NULL},
                                       {"output_size", AG_ATTR_SHAPE, offsetof(windows_attrs, output_size), NULL},
                                       {0}};

static bool within(int64_t v, int64_t least) { return v >= least && v <= INT32_MAX; }

/* Has each window along axis i a pixel of the image? The first looks furthest back, the last begins furthest on. */
static bool fits(const windows_attrs *a, int i) {
    int64_t n = a->image.dim[i], size = a->kernel_size.dim[i], stride = a->stride.dim[i], before = a->padding.dim[i];
    int64_t dilation = a->dilation.dim[i], count = a->output_size.dim[i];
    if (!within(n, 1) || !within(size, 1) || !within(stride, 1) || !within(before, 0)) return false;
    if (!within(dilation, 1) || !within(count, 0)) return false;
    return before <= (size - 1) * dilation && (before == 0 || n >= dilation) && (count - 1) * stride - before < n;
}

static bool shape(ag_tensor *y) {
    const windows_attrs *a = ag_attrs(y);
    const ag_shape *lists[] = {&a->kernel_size, &a->stride, &a->padding, &a->dilation, &a->output_size};
    int axes = a->image.rank;
    int64_t pixels = 1, windows = 1;
    char text[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 1, AG_MAX_RANK)) return false;
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
        if (axes < 1 || axes > MOST || lists[k]->rank != axes)
            return ag_op_fail(y, AG_ERR_ARGUMENT, "image and all other lists have one number for each of 1 to %d axes",
                              MOST);
    }
    for (int i = 0; i < axes; i++) {
        if (!fits(a, i))
            return ag_op_fail(y, AG_ERR_ARGUMENT, "a window along axis %d of the image has none of its %lld pixels", i,
                              (long long)a->image.dim[i]);
        if (__builtin_mul_overflow(pixels, a->image.dim[i], &pixels) || pixels > INT32_MAX ||
            __builtin_mul_overflow(windows, a->output_size.dim[i], &windows))
            return ag_op_fail(y, AG_ERR_SHAPE, "an image has at most 2^31 - 1 pixels");
    }
    ag_shape s = ag_shape_of(ag_in(y, 0));
    if (s.dim[s.rank - 1] != pixels)
        return ag_op_fail(y, AG_ERR_SHAPE, "the last axis of %s is not the %lld pixels of an image",
                          ag_shape_text(ag_in(y, 0), text, sizeof text), (long long)pixels);
    s.dim[s.rank - 1] = windows;
    return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s) && ag_out_shape(y, 1, AG_I64, s);
}

typedef struct job {
    ag__window_line line;
    void (*largest)(const ag__window_line *w, const void *image, void *value, int64_t *place);
    const windows_attrs *a;
    const char *x;
    char *value;
    int64_t *place, pixels, lines; /* of an image; lines of windows along its last axis */
    size_t element;
} job;

/* The rows of the image that line `line` of its windows looks at. Returns how many. */
static int64_t rows_of(const windows_attrs *a, int64_t line, int64_t *row) {
    int last = a->image.rank - 1;
    int64_t count = 1, scale = a->image.dim[last];
    row[0] = 0;
    for (int i = last - 1; i >= 0; i--) {
        int64_t at = line % a->output_size.dim[i] * a->stride.dim[i] - a->padding.dim[i], n = a->image.dim[i];
        int64_t dilation = a->dilation.dim[i], first = at < 0 ? (dilation - 1 - at) / dilation : 0;
        int64_t end = (n - 1 - at) / dilation + 1;
        if (end > a->kernel_size.dim[i]) end = a->kernel_size.dim[i];
        for (int64_t k = end - 1; k >= first; k--) { /* row[0..count) are read until k = first overwrites them */
            for (int64_t r = 0; r < count; r++) row[(k - first) * count + r] = row[r] + (at + k * dilation) * scale;
        }
        count *= end - first;
        line /= a->output_size.dim[i];
        scale *= n;
    }
    return count;
}

static void run_line(void *context, int64_t line, void *scratch) {
    const job *j = context;
    ag__window_line w = j->line;
    const char *image = j->x + (size_t)(line / j->lines * j->pixels) * j->element;
    int64_t at = line * w.count;
    w.rows = rows_of(j->a, line % j->lines, scratch);
    w.row = scratch;
    j->largest(&w, image, j->value + (size_t)at * j->element, j->place + at);
}

static bool run(ag_tensor *y) {
    const windows_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int last = a->image.rank - 1;
    int64_t rows = 1, windows = ag_size(ag_out(y, 0)), count = a->output_size.dim[last];
    if (windows == 0) return true;
    for (int i = 0; i < last; i++)
        rows *= a->kernel_size.dim[i] < a->image.dim[i] ? a->kernel_size.dim[i] : a->image.dim[i];
    job j = {.line = {.count = count,
                      .stride = a->stride.dim[last],
                      .before = a->padding.dim[last],
                      .size = a->kernel_size.dim[last],
                      .dilation = a->dilation.dim[last],
                      .pixels = a->image.dim[last]},
             .largest = ag__kernel()->pool->largest[ag_dtype_of(x)],
             .a = a,
             .x = ag_op_dense(y, 0),
             .value = ag_out_data(y, 0),
             .place = ag_out_data(y, 1),
             .pixels = ag_dim(x, -1),
             .lines = ag_dim(ag_out(y, 0), -1) / count,
             .element = ag_dtype_size(ag_dtype_of(x))};
    if (!j.x) return false;
    return ag__each_line(y, windows / count, count * rows, (size_t)rows * sizeof *j.line.row, run_line, &j);
}

static bool grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return ag__to_places(y, g[0], -1, true, d); }

static bool jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    return ag__from_places(y, tangent[0], -1, true, out);
}

const ag_op ag__op_max_windows = {
    .size = sizeof(ag_op),
    .name = "max_windows",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(windows_attrs),
    .attrs = fields,
    .formula = "the largest pixel of each window of the images in x's last axis, and its place",
    .shape = shape,
    .run = run,
    .grad = grad,
    .jvp = jvp,
};

ag_tensor *ag_max_windows(ag_tensor *x, ag_shape image, ag_shape kernel_size, ag_shape stride, ag_shape padding,
                          ag_shape dilation, ag_shape output_size, ag_tensor **index) {
    windows_attrs a = {image, kernel_size, stride, padding, dilation, output_size};
    return ag__parts(ag_apply(&ag__op_max_windows, &x, 1, &a), index);
}
