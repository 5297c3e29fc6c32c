/* reference_conv.c: convolution and its two gradients as one sum over seven indices, of which each op accumulates
 * another part.
 *
 *     y[n][o][p][q] ~ Σ x[n][c][p s − pad + i dil][…] · w[o][c within the group][i][j] */
#include <string.h>

#include "ops/reference.h"

typedef struct conv {
    int64_t stride[2], padding[2], dilation[2], groups;
} conv;

static void pair(const problem *p, const char *name, int64_t preset, int64_t out[2]) {
    int64_t list[AG_MAX_RANK] = {preset, preset};
    int n = reference_list(p, name, list);
    out[0] = list[0];
    out[1] = n == 1 ? list[0] : list[1];
}

static conv conv_of(const problem *p) {
    conv c = {.groups = (int64_t)reference_number(p, "groups", 1)};
    pair(p, "stride", 1, c.stride);
    if (!strstr(p->s->attributes, "padding=same") && !strstr(p->s->attributes, "padding=valid"))
        pair(p, "padding", 0, c.padding);
    pair(p, "dilation", 1, c.dilation);
    return c;
}

static double *element(const array *x, int64_t a, int64_t b, int64_t i, int64_t j) {
    return &x->v[reference_index(x->shape, (const int64_t[AG_MAX_RANK]){a, b, i, j})];
}

/* One kernel tap at one output pixel: of y, x and w, the one in `wanted` gets the product of the two others. */
static void tap(const conv *c, const array *x, const array *w, const array *y, const array *wanted, const int64_t at[4],
                const int64_t k[3]) {
    int64_t per_group = w->shape.dim[1], outputs = w->shape.dim[0] / c->groups,
            channel = at[1] / outputs * per_group + k[0];
    int64_t row = at[2] * c->stride[0] - c->padding[0] + k[1] * c->dilation[0];
    int64_t col = at[3] * c->stride[1] - c->padding[1] + k[2] * c->dilation[1];
    if (row < 0 || row >= x->shape.dim[2] || col < 0 || col >= x->shape.dim[3]) return;
    double *px = element(x, at[0], channel, row, col), *pw = element(w, at[1], k[0], k[1], k[2]);
    double *py = element(y, at[0], at[1], at[2], at[3]);
    if (wanted == y) *py += *px * *pw;
    if (wanted == x) *px += *py * *pw;
    if (wanted == w) *pw += *px * *py;
}

static void accumulate(const conv *c, const array *x, const array *w, const array *y, const array *wanted) {
    for (int64_t i = 0; i < y->size; i++) {
        int64_t at[AG_MAX_RANK], k[3];
        reference_place(y->shape, i, at);
        for (k[0] = 0; k[0] < w->shape.dim[1]; k[0]++) {
            for (k[1] = 0; k[1] < w->shape.dim[2]; k[1]++) {
                for (k[2] = 0; k[2] < w->shape.dim[3]; k[2]++) tap(c, x, w, y, wanted, at, k);
            }
        }
    }
}

/* How often the kernel fits: counted, not divided. */
static int64_t places(int64_t n, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
    int64_t count = 0;
    for (int64_t at = -padding; at + dilation * (kernel - 1) < n + padding; at += stride) count++;
    return count;
}

/* Inserts an axis of extent 1. */
static array with_axis(array x, int axis) {
    for (int k = x.shape.rank++; k > axis; k--) x.shape.dim[k] = x.shape.dim[k - 1];
    x.shape.dim[axis] = 1;
    return x;
}

/* Images and kernel of one or two axes, alone or several, as (n,c,h,w); of one axis h is 1, and so are its numbers. */
static void as_images(const problem *p, int axes, conv *c, array *x, array *w) {
    *c = conv_of(p);
    *x = p->in[0], *w = p->in[1];
    if (x->shape.rank == axes + 1) *x = with_axis(*x, 0);
    if (axes == 2) return;
    *x = with_axis(*x, 2), *w = with_axis(*w, 2);
    c->stride[0] = c->dilation[0] = 1, c->padding[0] = 0;
}

/* Adds the bias to output 0, images of shape s, and takes away the axes that the inputs lack. */
static void finish(problem *p, int axes, ag_shape s) {
    array *y = &p->out[0];
    for (int64_t i = 0; i < y->size && p->n > 2; i++) y->v[i] += p->in[2].v[i / (s.dim[2] * s.dim[3]) % s.dim[1]];
    y->shape = (ag_shape){0};
    for (int k = p->in[0].shape.rank == axes + 1; k < 4; k++) {
        if (k != 2 || axes == 2) y->shape.dim[y->shape.rank++] = s.dim[k];
    }
}

static void forward(problem *p, int axes) {
    array images, kernel, *x = &images, *w = &kernel;
    conv c;
    as_images(p, axes, &c, x, w);
    ag_shape s = {4, {x->shape.dim[0], w->shape.dim[0]}};
    for (int k = 0; k < 2; k++) {
        if (strstr(p->s->attributes, "padding=same")) {
            c.padding[k] = c.dilation[k] * (w->shape.dim[2 + k] - 1) / 2;
            s.dim[2 + k] = x->shape.dim[2 + k];
            continue;
        }
        s.dim[2 + k] = places(x->shape.dim[2 + k], w->shape.dim[2 + k], c.stride[k], c.padding[k], c.dilation[k]);
    }
    reference_out(p, 0, p->dtype, s);
    accumulate(&c, x, w, &p->out[0], &p->out[0]);
    finish(p, axes, s);
}

static void conv2d(problem *p) { forward(p, 2); }
static void conv1d(problem *p) { forward(p, 1); }

static void transposed(problem *p, int axes) {
    array y, w;
    conv c;
    int64_t more[2];
    as_images(p, axes, &c, &y, &w);
    pair(p, "output_padding", 0, more);
    if (axes == 1) more[0] = 0;
    ag_shape s = {4, {y.shape.dim[0], w.shape.dim[1] * c.groups}};
    for (int k = 0; k < 2; k++) {
        int64_t n = y.shape.dim[2 + k], kernel = w.shape.dim[2 + k];
        s.dim[2 + k] = (n - 1) * c.stride[k] + c.dilation[k] * (kernel - 1) + 1 - 2 * c.padding[k] + more[k];
    }
    reference_out(p, 0, p->dtype, s);
    accumulate(&c, &p->out[0], &w, &y, &p->out[0]);
    finish(p, axes, s);
}

static void conv_transpose1d(problem *p) { transposed(p, 1); }
static void conv_transpose2d(problem *p) { transposed(p, 2); }

static void conv2d_input(problem *p) {
    conv c = conv_of(p);
    reference_out(p, 0, p->dtype, reference_shape(p, "shape"));
    accumulate(&c, &p->out[0], &p->in[1], &p->in[0], &p->out[0]);
}

static void conv2d_weight(problem *p) {
    conv c = conv_of(p);
    reference_out(p, 0, p->dtype, reference_shape(p, "shape"));
    accumulate(&c, &p->in[1], &p->out[0], &p->in[0], &p->out[0]);
}

/* The columns (n, c, kh, kw, oh, ow) of images (n, c, h, w). */
static ag_shape patches_of(const problem *p, ag_shape image) {
    int64_t kernel[2], dilation[2], padding[2], stride[2];
    pair(p, "kernel_size", 0, kernel);
    pair(p, "dilation", 1, dilation);
    pair(p, "padding", 0, padding);
    pair(p, "stride", 1, stride);
    ag_shape s = {6, {image.dim[0], image.dim[1], kernel[0], kernel[1]}};
    for (int i = 0; i < 2; i++)
        s.dim[4 + i] = (image.dim[2 + i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
    return s;
}

/* Each element of the columns y and the pixel of the images x that it stands for: copied, or added to it. */
static void patches(const problem *p, ag_shape image, double *y, double *x, bool adds) {
    int64_t dilation[2], padding[2], stride[2], h = image.dim[2], w = image.dim[3];
    pair(p, "dilation", 1, dilation);
    pair(p, "padding", 0, padding);
    pair(p, "stride", 1, stride);
    ag_shape all = patches_of(p, image);
    for (int64_t i = 0; i < sample_size(all); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(all, i, at);
        int64_t row = at[4] * stride[0] + at[2] * dilation[0] - padding[0];
        int64_t column = at[5] * stride[1] + at[3] * dilation[1] - padding[1];
        if (row < 0 || row >= h || column < 0 || column >= w) continue;
        double *pixel = &x[((at[0] * image.dim[1] + at[1]) * h + row) * w + column];
        if (adds) *pixel += y[i];
        else y[i] = *pixel;
    }
}

static ag_shape with_batch(ag_shape s, int rank) {
    if (s.rank == rank) return s;
    for (int k = s.rank++; k > 0; k--) s.dim[k] = s.dim[k - 1];
    s.dim[0] = 1;
    return s;
}

static void im2col(problem *p) {
    const array *x = &p->in[0];
    ag_shape image = with_batch(x->shape, 4), all = patches_of(p, image);
    ag_shape s = {3, {all.dim[0], all.dim[1] * all.dim[2] * all.dim[3], all.dim[4] * all.dim[5]}};
    ag_shape own = x->shape.rank == 4 ? s : (ag_shape){2, {s.dim[1], s.dim[2]}};
    patches(p, image, reference_out(p, 0, x->dtype, own), x->v, false);
}

static void col2im(problem *p) {
    int64_t size[2], kernel[2];
    pair(p, "output_size", 0, size);
    pair(p, "kernel_size", 0, kernel);
    ag_shape x = with_batch(p->in[0].shape, 3), s = {4, {x.dim[0], x.dim[1] / (kernel[0] * kernel[1]), size[0], size[1]}};
    ag_shape own = p->in[0].shape.rank == 3 ? s : (ag_shape){3, {s.dim[1], s.dim[2], s.dim[3]}};
    patches(p, s, p->in[0].v, reference_out(p, 0, p->in[0].dtype, own), true);
}

const reference references_conv[] = {
    {"im2col", im2col, true, NULL, NULL},
    {"col2im", col2im, false, NULL, NULL},
    {"conv2d", conv2d, false, NULL, NULL},
    {"conv1d", conv1d, false, NULL, NULL},
    {"conv_transpose1d", conv_transpose1d, false, NULL, NULL},
    {"conv_transpose2d", conv_transpose2d, false, NULL, NULL},
    {"conv2d_input", conv2d_input, false, NULL, NULL},
    {"conv2d_weight", conv2d_weight, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
