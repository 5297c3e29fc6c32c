/* pool.c: windows of images, each reduced to its mean or its largest element. Windows are views (unfold); beyond the image lie
 * zeros for a mean, and nothing for the largest.
 *
 *     x (n, c, h, w) ─pad─unfold─▶ (n, c, h', w', kh, kw) ─▶ mean, or the place of the largest ─gather─▶ (n, c, h', w')
 *
 * The largest is taken from x by its place, so that its gradient goes there and to no element that ties with it. */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/pool.h"
#include "ops/table.h"

enum { MOST = AG__PIXEL_AXES };

typedef struct pool_attrs {
    ag_shape kernel_size, stride, padding, dilation; /* stride (): the kernel's size */
    bool ceil_mode, count_include_pad, return_indices;
    int64_t divisor_override, part; /* 0: none; part 1: the places of the largest */
} pool_attrs;

static const ag_attr_field avg_fields[] = {
    {"kernel_size", AG_ATTR_SHAPE, offsetof(pool_attrs, kernel_size), NULL},
    {"stride", AG_ATTR_SHAPE, offsetof(pool_attrs, stride), "()"},
    {"padding", AG_ATTR_SHAPE, offsetof(pool_attrs, padding), "0"},
    {"ceil_mode", AG_ATTR_BOOL, offsetof(pool_attrs, ceil_mode), "false"},
    {"count_include_pad", AG_ATTR_BOOL, offsetof(pool_attrs, count_include_pad), "true"},
    {"divisor_override", AG_ATTR_I64, offsetof(pool_attrs, divisor_override), "0"},
    {0}};
static const ag_attr_field max_fields[] = {{"kernel_size", AG_ATTR_SHAPE, offsetof(pool_attrs, kernel_size), NULL},
                                           {"stride", AG_ATTR_SHAPE, offsetof(pool_attrs, stride), "()"},
                                           {"padding", AG_ATTR_SHAPE, offsetof(pool_attrs, padding), "0"},
                                           {"dilation", AG_ATTR_SHAPE, offsetof(pool_attrs, dilation), "1"},
                                           {"ceil_mode", AG_ATTR_BOOL, offsetof(pool_attrs, ceil_mode), "false"},
                                           {"return_indices", AG_ATTR_BOOL, offsetof(pool_attrs, return_indices), "false"},
                                           {"part", AG_ATTR_I64, offsetof(pool_attrs, part), "0"},
                                           {0}};

typedef struct lp_attrs {
    double norm_type;
    ag_shape kernel_size, stride;
    bool ceil_mode;
} lp_attrs;

static const ag_attr_field lp_fields[] = {{"norm_type", AG_ATTR_F64, offsetof(lp_attrs, norm_type), NULL},
                                          {"kernel_size", AG_ATTR_SHAPE, offsetof(lp_attrs, kernel_size), NULL},
                                          {"stride", AG_ATTR_SHAPE, offsetof(lp_attrs, stride), "()"},
                                          {"ceil_mode", AG_ATTR_BOOL, offsetof(lp_attrs, ceil_mode), "false"},
                                          {0}};

bool ag__need_image(ag_tensor *y, int axes) { return ag_need_float(y, 0) && ag_need_rank(y, 0, axes + 1, axes + 2); }

bool ag__need_sizes(ag_tensor *y, const char *name, const ag_shape *list, int axes, int64_t least, int64_t out[MOST]) {
    if (list->rank != 1 && list->rank != axes)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%s takes one number, or %d, not %d", name, axes, list->rank);
    for (int i = 0; i < axes; i++) {
        out[i] = list->dim[list->rank == 1 ? 0 : i];
        if (out[i] < least || out[i] > AG__MOST_PIXELS)
            return ag_op_fail(y, AG_ERR_ARGUMENT, "%s is %lld; it must be at least %lld and at most 2^31", name,
                              (long long)out[i], (long long)least);
    }
    return true;
}

/* How windows lie along each axis of pixels: `out` of them, at −before + step i, each reaching over `reach`. */
typedef struct windows {
    int axes;
    int64_t n[MOST], size[MOST], step[MOST], before[MOST], dilation[MOST], out[MOST], reach[MOST], after[MOST];
} windows;

/* The last window may stick out where ceil is asked for, but must begin in the image or the padding before it. */
static bool lay_out(ag_tensor *y, windows *w, int i, bool ceil) {
    int64_t room = w->n[i] + 2 * w->before[i] - w->reach[i] + (ceil ? w->step[i] - 1 : 0);
    char text[AG__TEXT];
    if (w->n[i] == 0 || room < 0 || (w->before[i] > 0 && w->n[i] < w->dilation[i]))
        return ag_op_fail(y, AG_ERR_SHAPE, "no window of %lld pixels fits into axis %d of %s", (long long)w->reach[i],
                          ag_rank(ag_in(y, 0)) - w->axes + i, ag_shape_text(ag_in(y, 0), text, sizeof text));
    if (w->before[i] > w->size[i] / 2)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "padding is %lld; it must be at most half of kernel_size, %lld",
                          (long long)w->before[i], (long long)w->size[i]);
    w->out[i] = room / w->step[i] + 1;
    if (ceil && (w->out[i] - 1) * w->step[i] >= w->n[i] + w->before[i]) w->out[i]--;
    w->after[i] = (w->out[i] - 1) * w->step[i] + w->reach[i] - w->n[i] - w->before[i];
    if (w->after[i] < 0) w->after[i] = 0;
    return true;
}

static bool windows_of(ag_tensor *y, int axes, const ag_shape *dilation, windows *w) {
    const pool_attrs *a = ag_attrs(y);
    w->axes = axes;
    if (!ag__need_image(y, axes)) return false;
    if (!ag__need_sizes(y, "kernel_size", &a->kernel_size, axes, 1, w->size) ||
        !ag__need_sizes(y, "stride", a->stride.rank ? &a->stride : &a->kernel_size, axes, 1, w->step) ||
        !ag__need_sizes(y, "padding", &a->padding, axes, 0, w->before) ||
        !ag__need_sizes(y, "dilation", dilation, axes, 1, w->dilation))
        return false;
    for (int i = 0; i < axes; i++) {
        w->n[i] = ag_dim(ag_in(y, 0), i - axes);
        w->reach[i] = w->dilation[i] * (w->size[i] - 1) + 1;
        if (!lay_out(y, w, i, a->ceil_mode)) return false;
    }
    return true;
}

/* (…, h', w', kh, kw), with zeros outside of x. */
static ag_tensor *unfolded(ag_tensor *x, const windows *w) {
    ag_shape pad = {.rank = 2 * w->axes};
    bool padded = false;
    for (int i = 0; i < w->axes; i++) {
        int64_t *two = pad.dim + 2 * (w->axes - 1 - i);
        two[0] = w->before[i], two[1] = w->after[i];
        padded = padded || two[0] || two[1];
    }
    int first = ag_rank(x) - w->axes;
    if (padded) x = ag_pad(x, pad, AG_PAD_CONSTANT, 0);
    for (int i = 0; i < w->axes; i++) x = ag_unfold(x, first + i, w->reach[i], w->step[i]);
    return x;
}

/* v, one number for each window along axis i, beside the windows (…, h', w'). */
static ag_tensor *beside(ag_tensor *v, const windows *w, int i) {
    ag_shape s = {.rank = w->axes - i, .dim = {w->out[i], 1, 1}};
    return ag_reshape(v, s);
}

/* Where windows begin along axis i */
static ag_tensor *starts(ag_tensor *x, ag_dtype dtype, const windows *w, int i) {
    double start = -(double)w->before[i];
    return ag_arange(ag_tape_of(x), dtype, start, start + (double)w->step[i] * (double)w->out[i], (double)w->step[i]);
}

/* sum, divided by how many pixels of each window lie in the image, or in it and the padding. */
static ag_tensor *divided(ag_tensor *sum, const windows *w, bool padding) {
    for (int i = 0; i < w->axes; i++) {
        ag_tensor *start = starts(sum, ag_dtype_of(sum), w, i), *end = ag_add_scalar(start, (double)w->size[i]);
        end = ag_minimum(end, ag__constant(sum, (double)(w->n[i] + (padding ? w->before[i] : 0))));
        if (!padding) start = ag_maximum(start, ag__constant(sum, 0));
        sum = ag_div(sum, beside(ag_sub(end, start), w, i));
    }
    return sum;
}

/* Σ of each window, or the mean of its pixels. Windows side by side are cut from x as blocks: (…, h', kh, w', kw). */
static ag_tensor *summed(ag_tensor *x, const windows *w, bool mean) {
    int first = ag_rank(x) - w->axes;
    ag_shape s = ag_shape_of(x);
    ag_axes axes = {.count = w->axes};
    bool blocks = true;
    for (int i = 0; i < w->axes; i++) blocks = blocks && w->step[i] == w->size[i] && !w->before[i] && !w->after[i];
    for (int i = 0; i < w->axes; i++) axes.axis[i] = blocks ? first + 2 * i + 1 : -1 - i;
    s.rank = first + 2 * w->axes;
    for (int i = 0; i < w->axes && blocks; i++) {
        s.dim[first + 2 * i] = w->out[i], s.dim[first + 2 * i + 1] = w->size[i];
        if (w->out[i] * w->size[i] != w->n[i]) x = ag_slice(x, first + i, 0, w->out[i] * w->size[i], 1);
    }
    x = blocks ? ag_reshape(x, s) : unfolded(x, w);
    return mean ? ag_mean(x, axes, false) : ag_sum(x, axes, false);
}

static ag_tensor *avg_pool(ag_tensor *y, int axes) {
    const pool_attrs *a = ag_attrs(y);
    bool whole = true;
    windows w;
    if (!windows_of(y, axes, &(ag_shape){1, {1}}, &w)) return NULL;
    for (int i = 0; i < axes; i++) {
        whole = whole && (a->count_include_pad ? w.after[i] <= w.before[i] : !w.before[i] && !w.after[i]);
    }
    if (!a->divisor_override && whole) return summed(ag_in(y, 0), &w, true);
    ag_tensor *sum = summed(ag_in(y, 0), &w, false);
    if (a->divisor_override) return ag_div(sum, ag__constant(sum, (double)a->divisor_override));
    return divided(sum, &w, a->count_include_pad);
}

/* The shape with its last axes as one; false: it would have more elements than an index can count, as only an empty one can. */
static bool lined(ag_shape *s, int axes) {
    int64_t n = 1;
    for (int i = 0; i < axes; i++) {
        if (__builtin_mul_overflow(n, s->dim[s->rank - 1 - i], &n)) return false;
    }
    s->rank -= axes - 1;
    s->dim[s->rank - 1] = n;
    return true;
}

static ag_shape listed(const int64_t number[], int axes) {
    ag_shape s = {.rank = axes};
    for (int i = 0; i < axes; i++) s.dim[i] = number[i];
    return s;
}

static ag_tensor *max_pool(ag_tensor *y, int axes) {
    const pool_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    windows w;
    if (a->part < 0 || a->part > 1) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "part is %lld: 0 is the result, 1 the places", (long long)a->part);
        return NULL;
    }
    if (!windows_of(y, axes, &a->dilation, &w)) return NULL;
    ag_shape lines = ag_shape_of(x), out = lines;
    ag_shape n = listed(w.n, axes), count = listed(w.out, axes);
    for (int i = 0; i < axes; i++) out.dim[out.rank - axes + i] = w.out[i];
    if (!lined(&lines, axes)) {
        ag_op_fail(y, AG_ERR_SHAPE, "the pixels of an image are more than an index can count");
        return NULL;
    }
    ag_tensor *index = NULL, *value = ag_max_windows(ag_reshape(x, lines), n, listed(w.size, axes), listed(w.step, axes),
                                                     listed(w.before, axes), listed(w.dilation, axes), count, &index);
    return ag_reshape(a->part ? index : value, out);
}

/* (Σ xᵖ)^(1/p), from the mean of what of a window lies in x, as in PyTorch; the sum goes through |·| and relu, so that where it is 0
 * no gradient flows. */
static ag_tensor *lp_pool(ag_tensor *y, int axes) {
    const lp_attrs *a = ag_attrs(y);
    int64_t size[MOST];
    double pixels = 1;
    ag_pool_options o = ag_pool_defaults();
    o.stride = a->stride, o.ceil_mode = a->ceil_mode;
    if (!ag__need_image(y, axes) || !ag__need_sizes(y, "kernel_size", &a->kernel_size, axes, 1, size)) return NULL;
    for (int i = 0; i < axes; i++) pixels *= (double)size[i];
    ag_tensor *x = ag_pow_scalar(ag_in(y, 0), a->norm_type);
    ag_tensor *mean = axes == 1 ? ag_avg_pool1d(x, a->kernel_size, &o) : ag_avg_pool2d(x, a->kernel_size, &o);
    ag_tensor *sum = ag_scale(ag_mul(ag_sign(mean), ag_relu(ag_abs(mean))), pixels);
    return ag_pow_scalar(sum, 1 / a->norm_type);
}

static ag_tensor *lp_pool1d(ag_tensor *y) { return lp_pool(y, 1); }
static ag_tensor *lp_pool2d(ag_tensor *y) { return lp_pool(y, 2); }
static ag_tensor *avg_pool1d(ag_tensor *y) { return avg_pool(y, 1); }
static ag_tensor *avg_pool2d(ag_tensor *y) { return avg_pool(y, 2); }
static ag_tensor *avg_pool3d(ag_tensor *y) { return avg_pool(y, 3); }
static ag_tensor *max_pool1d(ag_tensor *y) { return max_pool(y, 1); }
static ag_tensor *max_pool2d(ag_tensor *y) { return max_pool(y, 2); }
static ag_tensor *max_pool3d(ag_tensor *y) { return max_pool(y, 3); }

AG__COMPOSED(avg_pool1d, 1, pool_attrs, avg_fields, "the mean of each window", avg_pool1d);
AG__COMPOSED(avg_pool2d, 1, pool_attrs, avg_fields, "the mean of each window", avg_pool2d);
AG__COMPOSED(avg_pool3d, 1, pool_attrs, avg_fields, "the mean of each window", avg_pool3d);
AG__COMPOSED(lp_pool1d, 1, lp_attrs, lp_fields, "(Σ xᵖ)^(1/p) of each window", lp_pool1d);
AG__COMPOSED(lp_pool2d, 1, lp_attrs, lp_fields, "(Σ xᵖ)^(1/p) of each window", lp_pool2d);
AG__COMPOSED(max_pool1d, 1, pool_attrs, max_fields, "the largest of each window", max_pool1d);
AG__COMPOSED(max_pool2d, 1, pool_attrs, max_fields, "the largest of each window", max_pool2d);
AG__COMPOSED(max_pool3d, 1, pool_attrs, max_fields, "the largest of each window", max_pool3d);

ag_pool_options ag_pool_defaults(void) {
    return (ag_pool_options){
        .size = sizeof(ag_pool_options), .padding = {1, {0}}, .dilation = {1, {1}}, .count_include_pad = true};
}

static ag_tensor *pool(const ag_op *op, ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options, int64_t part) {
    ag_pool_options o = ag_pool_defaults();
    if (!ag__take_options(x, "pool", &o, sizeof o, options)) return NULL;
    pool_attrs a = {kernel_size,         o.stride, o.padding,          o.dilation, o.ceil_mode,
                    o.count_include_pad, false,    o.divisor_override, part};
    return ag_apply(op, &x, 1, &a);
}

ag_tensor *ag_avg_pool1d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options) {
    return pool(&ag__op_avg_pool1d, x, kernel_size, options, 0);
}
ag_tensor *ag_avg_pool2d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options) {
    return pool(&ag__op_avg_pool2d, x, kernel_size, options, 0);
}
ag_tensor *ag_avg_pool3d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options) {
    return pool(&ag__op_avg_pool3d, x, kernel_size, options, 0);
}

/* The places are found once for both. */
static ag_tensor *with_indices(const ag_op *op, ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options,
                               ag_tensor **indices, int axes) {
    if (!indices) return pool(op, x, kernel_size, options, 0);
    *indices = pool(op, x, kernel_size, options, 1);
    ag_shape pixels = ag_shape_of(x), out = ag_shape_of(*indices), flat = out;
    if (!*indices || !lined(&pixels, axes) || !lined(&flat, axes)) return NULL;
    return ag_reshape(ag_gather(ag_reshape(x, pixels), -1, ag_reshape(*indices, flat)), out);
}

ag_tensor *ag_max_pool1d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options, ag_tensor **indices) {
    return with_indices(&ag__op_max_pool1d, x, kernel_size, options, indices, 1);
}
ag_tensor *ag_max_pool2d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options, ag_tensor **indices) {
    return with_indices(&ag__op_max_pool2d, x, kernel_size, options, indices, 2);
}
ag_tensor *ag_max_pool3d(ag_tensor *x, ag_shape kernel_size, const ag_pool_options *options, ag_tensor **indices) {
    return with_indices(&ag__op_max_pool3d, x, kernel_size, options, indices, 3);
}

ag_tensor *ag_lp_pool1d(ag_tensor *x, double norm_type, ag_shape kernel_size, ag_shape stride, bool ceil_mode) {
    return ag_apply(&ag__op_lp_pool1d, &x, 1, &(lp_attrs){norm_type, kernel_size, stride, ceil_mode});
}
ag_tensor *ag_lp_pool2d(ag_tensor *x, double norm_type, ag_shape kernel_size, ag_shape stride, bool ceil_mode) {
    return ag_apply(&ag__op_lp_pool2d, &x, 1, &(lp_attrs){norm_type, kernel_size, stride, ceil_mode});
}
