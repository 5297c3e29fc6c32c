/* resize.c: images of another size, one axis of pixels after the other, by elements interpolated between pixels.
 *
 *     pixel i of `out` lies at ratio (i + ½) − ½ of the n there were */
#include <math.h>
#include <stddef.h>

#include "autograd/node.h"
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/pool.h"
#include "ops/table.h"

enum { MOST = AG__PIXEL_AXES };

bool ag__need_pixels(ag_tensor *y, int axes) {
    char text[AG__TEXT];
    for (int i = 1; i <= axes; i++) {
        if (ag_dim(ag_in(y, 0), -i) == 0)
            return ag_op_fail(y, AG_ERR_SHAPE, "%s has no pixels", ag_shape_text(ag_in(y, 0), text, sizeof text));
    }
    return true;
}

typedef struct resize_attrs {
    ag_shape size;
    double scale_factor; /* NaN: size says it */
    int mode;            /* an ag_interpolate_mode */
    bool align_corners;
} resize_attrs;

static const ag_attr_field resize_fields[] = {
    {"size", AG_ATTR_SHAPE, offsetof(resize_attrs, size), "()"},
    {"scale_factor", AG_ATTR_F64, offsetof(resize_attrs, scale_factor), "nan"},
    {"mode", AG_ATTR_CHOICE, offsetof(resize_attrs, mode), "nearest|linear|bilinear|bicubic|trilinear|area"},
    {"align_corners", AG_ATTR_BOOL, offsetof(resize_attrs, align_corners), "false"},
    {0}};

/* One axis: pixel i of the result lies at ratio i, or, unless corners are aligned, at ratio (i + ½) − ½. */
typedef struct line {
    int axis;
    int64_t n, out;
    double ratio;
    bool corners;
} line;

/* Pixel i + by, or the nearest there is; `i` are whole floats. */
static ag_tensor *pixels(ag_tensor *x, const line *l, ag_tensor *i, double by) {
    ag_tensor *index = ag_clamp(ag_add_scalar(i, by), 0, (double)(l->n - 1));
    return ag_take(x, ag_cast(index, AG_I64), l->axis);
}

/* w, one number for each pixel of the result along the axis, beside x. */
static ag_tensor *beside(ag_tensor *w, const ag_tensor *x, const line *l) {
    ag_shape s = {.rank = ag_rank(x) - l->axis, .dim = {l->out, 1, 1}};
    return ag_reshape(w, s);
}

static ag_tensor *counted(const ag_tensor *x, const line *l) {
    return ag_arange(ag_tape_of(x), ag_dtype_of(x), 0, (double)l->out, 1);
}

static ag_tensor *source(const ag_tensor *x, const line *l) {
    ag_tensor *i = counted(x, l);
    if (l->corners) return ag_scale(i, l->ratio);
    return ag_add_scalar(ag_scale(ag_add_scalar(i, 0.5), l->ratio), -0.5);
}

static ag_tensor *nearest(ag_tensor *x, const line *l) {
    return pixels(x, l, ag_floor(ag_scale(counted(x, l), l->ratio)), 0);
}

static ag_tensor *linear(ag_tensor *x, const line *l) {
    ag_tensor *at = ag_clamp(source(x, l), 0, (double)INFINITY), *i = ag_floor(at), *t = beside(ag_sub(at, i), x, l);
    ag_tensor *left = ag_mul(pixels(x, l, i, 0), ag_add_scalar(ag_neg(t), 1));
    return ag_add(left, ag_mul(pixels(x, l, i, 1), t));
}

/* The convolution of cubics with a = −¾ (Keys 1981): |t| ≤ 1: (a + 2) |t|³ − (a + 3) t² + 1; |t| ≤ 2: a (|t|³ − 5 t² + 8 |t| − 4) */
static ag_tensor *cubic_weight(ag_tensor *t, bool near) {
    const double a = -0.75;
    const double c3 = near ? a + 2 : a, c2 = near ? -(a + 3) : -5 * a, c1 = near ? 0 : 8 * a, c0 = near ? 1 : -4 * a;
    ag_tensor *y = ag_add_scalar(ag_scale(t, c3), c2);
    y = ag_add_scalar(ag_mul(y, t), c1);
    return ag_add_scalar(ag_mul(y, t), c0);
}

static ag_tensor *cubic(ag_tensor *x, const line *l) {
    ag_tensor *at = source(x, l), *i = ag_floor(at), *t = ag_sub(at, i), *sum = NULL;
    for (int k = -1; k <= 2; k++) {
        ag_tensor *apart = k <= 0 ? ag_add_scalar(t, -(double)k) : ag_add_scalar(ag_neg(t), (double)k);
        ag_tensor *term = ag_mul(pixels(x, l, i, k), beside(cubic_weight(apart, k == 0 || k == 1), x, l));
        sum = sum ? ag_add(sum, term) : term;
    }
    return sum;
}

static ag_tensor *area(ag_tensor *x, const line *l) { return ag__even_means(x, l->axis, l->out); }

static bool need_mode(ag_tensor *y, int axes) {
    static const int needs[] = {0, 1, 2, 2, 3, 0};
    const resize_attrs *a = ag_attrs(y);
    if (needs[a->mode] && needs[a->mode] != axes)
        return ag_op_fail(y, AG_ERR_SHAPE, "this mode is for %d axes of pixels behind (n, c), not %d", needs[a->mode], axes);
    if (a->align_corners && !needs[a->mode])
        return ag_op_fail(y, AG_ERR_ARGUMENT, "align_corners is for linear, bilinear, bicubic and trilinear");
    if (isnan(a->scale_factor) == (a->size.rank == 0))
        return ag_op_fail(y, AG_ERR_ARGUMENT, "give either size or scale_factor");
    return true;
}

static bool lines_of(ag_tensor *y, int axes, line l[MOST]) {
    const resize_attrs *a = ag_attrs(y);
    ag_shape size = a->size;
    int64_t out[MOST];
    if (!need_mode(y, axes) || !ag__need_pixels(y, axes)) return false;
    for (int i = 0; i < axes; i++) {
        l[i] = (line){i + 2, ag_dim(ag_in(y, 0), i + 2), 0, 0, a->align_corners};
        double most = floor((double)l[i].n * a->scale_factor);
        if (a->size.rank == 0) size.dim[i] = most >= 1 && most <= (double)AG__MOST_PIXELS ? (int64_t)most : 0;
    }
    if (a->size.rank == 0) size.rank = axes;
    if (!ag__need_sizes(y, "size", &size, axes, 1, out)) return false;
    for (int i = 0; i < axes; i++) {
        l[i].out = out[i];
        l[i].ratio = isnan(a->scale_factor) ? (double)l[i].n / (double)out[i] : 1 / a->scale_factor;
        if (a->align_corners) l[i].ratio = out[i] > 1 ? (double)(l[i].n - 1) / (double)(out[i] - 1) : 0;
    }
    return true;
}

static ag_tensor *interpolate(ag_tensor *y) {
    static ag_tensor *(*const along[])(ag_tensor * x, const line *l) = {nearest, linear, linear, cubic, linear, area};
    ag_tensor *x = ag_in(y, 0);
    int axes = ag_rank(x) - 2;
    line l[MOST];
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 3, 2 + MOST) || !lines_of(y, axes, l)) return NULL;
    for (int i = 0; i < axes; i++) x = along[((const resize_attrs *)ag_attrs(y))->mode](x, &l[i]);
    return x == ag_in(y, 0) ? ag_alias(x) : x;
}

AG__COMPOSED(interpolate, 1, resize_attrs, resize_fields, "x with axes of pixels of other sizes", interpolate);

ag_tensor *ag_interpolate(ag_tensor *x, ag_shape size, double scale_factor, ag_interpolate_mode mode, bool align_corners) {
    return ag_apply(&ag__op_interpolate, &x, 1, &(resize_attrs){size, scale_factor, (int)mode, align_corners});
}
