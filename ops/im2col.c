/* im2col.c: the patches of images as columns, and their adjoint, which adds columns up to images: torch.nn.functional's unfold
 * and fold, made of windows along both axes.
 *
 *     x (n,c,h,w) ─ pad ─ unfold h ─ unfold w ─▶ (n,c,oh,ow,kh,kw) ─ permute ─▶ y (n, c kh kw, oh ow)
 *
 * The windows are views; the last step copies once. A window reaches over dilation (k − 1) + 1 pixels. An x without n gives
 * a y without n. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct patch_attrs {
    ag_shape output_size; /* of col2im */
    ag_shape kernel_size, dilation, padding, stride;
} patch_attrs;

static const ag_attr_field fields[] = {
    {"output_size", AG_ATTR_SHAPE, offsetof(patch_attrs, output_size), NULL}, /* im2col's table begins behind it */
    {"kernel_size", AG_ATTR_SHAPE, offsetof(patch_attrs, kernel_size), NULL},
    {"dilation", AG_ATTR_SHAPE, offsetof(patch_attrs, dilation), "1"},
    {"padding", AG_ATTR_SHAPE, offsetof(patch_attrs, padding), "0"},
    {"stride", AG_ATTR_SHAPE, offsetof(patch_attrs, stride), "1"},
    {0},
};

/* Of each axis: extent, padded extent; kernel, what it reaches over, its step; how many windows. */
typedef struct grid {
    int64_t size[2], padded[2], kernel[2], dilation[2], reach[2], padding[2], stride[2], count[2];
} grid;

static bool take_grid(ag_tensor *y, const char *name, ag_shape size, grid *w) {
    const patch_attrs *a = ag_attrs(y);
    if (!ag__need_pair(y, name, &size, 0, w->size) || !ag__need_pair(y, "kernel_size", &a->kernel_size, 1, w->kernel) ||
        !ag__need_pair(y, "dilation", &a->dilation, 1, w->dilation) ||
        !ag__need_pair(y, "padding", &a->padding, 0, w->padding) || !ag__need_pair(y, "stride", &a->stride, 1, w->stride))
        return false;
    for (int i = 0; i < 2; i++) {
        w->padded[i] = w->size[i] + 2 * w->padding[i];
        w->reach[i] = w->dilation[i] * (w->kernel[i] - 1) + 1;
        if (w->reach[i] > w->padded[i])
            return ag_op_fail(y, AG_ERR_SHAPE,
                              "the kernel reaches over %lld pixels of an axis that has %lld with its padding",
                              (long long)w->reach[i], (long long)w->padded[i]);
        w->count[i] = (w->padded[i] - w->reach[i]) / w->stride[i] + 1;
    }
    return true;
}

/* v without its first axis if the input had `least` axes, which is one less. */
static ag_tensor *like_input(ag_tensor *y, int least, ag_tensor *v) {
    return ag_rank(ag_in(y, 0)) > least ? v : ag_squeeze(v, AG_AXES(0));
}

static ag_tensor *im2col(ag_tensor *y) {
    grid w;
    if (!ag__need_number(y, 0) || !ag_need_rank(y, 0, 3, 4)) return NULL;
    ag_tensor *x = ag_rank(ag_in(y, 0)) == 3 ? ag_unsqueeze(ag_in(y, 0), 0) : ag_in(y, 0);
    if (!x || !take_grid(y, "the size of an image", (ag_shape){2, {ag_dim(x, 2), ag_dim(x, 3)}}, &w)) return NULL;
    ag_shape columns = {3, {ag_dim(x, 0), ag_dim(x, 1), w.count[0]}};
    if (__builtin_mul_overflow(columns.dim[1], w.kernel[0] * w.kernel[1], &columns.dim[1]) ||
        __builtin_mul_overflow(w.count[0], w.count[1], &columns.dim[2])) {
        ag_op_fail(y, AG_ERR_SHAPE, "the columns would have too many elements");
        return NULL;
    }
    int64_t ph = w.padding[0], pw = w.padding[1];
    if (ph || pw) x = ag_pad(x, AG_SHAPE(pw, pw, ph, ph), AG_PAD_CONSTANT, 0);
    for (int i = 0; i < 2; i++) x = ag_unfold_dilated(x, 2 + i, w.kernel[i], w.stride[i], w.dilation[i]);
    return like_input(y, 3, ag_reshape(ag_permute(x, AG_AXES(0, 1, 4, 5, 2, 3)), columns));
}

/* Windows (…, count, …, kernel) along an axis, added up to its padded extent. */
static ag_tensor *add_windows(ag_tensor *x, int axis, const grid *w, int i) {
    if (!x) return NULL;
    ag_shape whole = ag_shape_of(x);
    whole.dim[axis] = w->padded[i];
    whole.rank--;
    return ag_unfold_add_dilated(x, whole, axis, w->kernel[i], w->stride[i], w->dilation[i]);
}

static ag_tensor *col2im(ag_tensor *y) {
    const patch_attrs *a = ag_attrs(y);
    grid w;
    if (!ag__need_number(y, 0) || !ag_need_rank(y, 0, 2, 3) || !take_grid(y, "output_size", a->output_size, &w))
        return NULL;
    ag_tensor *x = ag_rank(ag_in(y, 0)) == 2 ? ag_unsqueeze(ag_in(y, 0), 0) : ag_in(y, 0);
    int64_t patch = w.kernel[0] * w.kernel[1], count = 0;
    bool fits = !__builtin_mul_overflow(w.count[0], w.count[1], &count);
    if (!x || !fits || ag_dim(x, 1) % patch || ag_dim(x, 2) != count) {
        char text[AG__TEXT];
        if (x)
            ag_op_fail(y, AG_ERR_SHAPE, "%s should have columns of c times %lld elements, and %lld by %lld of them",
                       ag_shape_text(ag_in(y, 0), text, sizeof text), (long long)patch, (long long)w.count[0],
                       (long long)w.count[1]);
        return NULL;
    }
    ag_shape parts = {6, {ag_dim(x, 0), ag_dim(x, 1) / patch, w.kernel[0], w.kernel[1], w.count[0], w.count[1]}};
    x = ag_permute(ag_reshape(x, parts), AG_AXES(0, 1, 4, 5, 2, 3));
    for (int i = 1; i >= 0; i--) x = add_windows(x, 2 + i, &w, i);
    for (int i = 0; i < 2; i++) {
        if (w.padding[i]) x = ag_narrow(x, 2 + i, w.padding[i], w.size[i]);
    }
    return like_input(y, 2, x);
}

AG__COMPOSED(im2col, 1, patch_attrs, fields + 1, "the patches of images (n,c,h,w) as columns", im2col);
AG__COMPOSED(col2im, 1, patch_attrs, fields, "columns added up to the images they are patches of", col2im);

ag_tensor *ag_im2col(ag_tensor *x, ag_shape kernel_size, ag_shape dilation, ag_shape padding, ag_shape stride) {
    return ag_apply(&ag__op_im2col, &x, 1, &(patch_attrs){{0}, kernel_size, dilation, padding, stride});
}

ag_tensor *ag_col2im(ag_tensor *x, ag_shape output_size, ag_shape kernel_size, ag_shape dilation, ag_shape padding,
                     ag_shape stride) {
    return ag_apply(&ag__op_col2im, &x, 1, &(patch_attrs){output_size, kernel_size, dilation, padding, stride});
}
