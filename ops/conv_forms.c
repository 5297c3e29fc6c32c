/* conv_forms.c: convolutions that conv2d and its gradients make: along one axis, and transposed.
 *
 *     conv1d            x (n,c,l) is an image of one row, (n,c,1,l)
 *     conv_transpose2d  y = conv2d's gradient to its input at x: each pixel of x, times the kernel, is added where it reads from
 *
 *     w (c, o/groups, kh, kw): y (n, o, h', w'),  h' = (h − 1) stride − 2 padding + dilation (kh − 1) + 1 + output_padding
 *
 * x without its axis n is one image alone; a bias holds one value for each channel of y. */
#include "ops/compose.h"
#include "ops/conv.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct form_attrs {
    ag_shape stride, padding, output_padding; /* lists; of one number: for every axis */
    int64_t groups;
    ag_shape dilation;
} form_attrs;

static const ag_attr_field conv1d_fields[] = {{"stride", AG_ATTR_SHAPE, offsetof(form_attrs, stride), "1"},
                                              {"padding", AG_ATTR_SHAPE, offsetof(form_attrs, padding), "0"},
                                              {"dilation", AG_ATTR_SHAPE, offsetof(form_attrs, dilation), "1"},
                                              {"groups", AG_ATTR_I64, offsetof(form_attrs, groups), "1"},
                                              {0}};
static const ag_attr_field transpose_fields[] = {{"stride", AG_ATTR_SHAPE, offsetof(form_attrs, stride), "1"},
                                                 {"padding", AG_ATTR_SHAPE, offsetof(form_attrs, padding), "0"},
                                                 {"output_padding", AG_ATTR_SHAPE, offsetof(form_attrs, output_padding), "0"},
                                                 {"groups", AG_ATTR_I64, offsetof(form_attrs, groups), "1"},
                                                 {"dilation", AG_ATTR_SHAPE, offsetof(form_attrs, dilation), "1"},
                                                 {0}};

enum { AXES = 2 };

/* The numbers for h and w of a list for the last `axes` axes; what h is not asked for is `other`. */
static bool take(ag_tensor *y, const char *name, const ag_shape *list, int axes, int64_t other, int64_t out[AXES]) {
    if (axes == 1 && list->rank != 1)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%s takes one number, not %d", name, list->rank);
    if (!ag__need_pair(y, name, list, 0, out)) return false;
    if (axes == 1) out[0] = other;
    return true;
}

typedef struct form {
    ag_conv2d_options options;
    int64_t more[AXES]; /* output_padding */
    ag_tensor *x, *w;   /* (n,c,h,w), of one axis h = 1 */
    bool alone;
} form;

/* Reads attributes, and inputs as images: `axes` is 1 or 2. */
static bool form_of(ag_tensor *y, int axes, form *f) {
    const form_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *w = ag_in(y, 1);
    f->options = ag_conv2d_defaults();
    f->options.groups = a->groups;
    f->alone = ag_rank(x) == axes + 1;
    bool same = ag__conv_same(&a->padding);
    const ag_shape none = AG_SHAPE(0);
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_rank(y, 0, axes + 1, axes + 2) ||
        !ag_need_rank(y, 1, axes + 2, axes + 2) || !take(y, "stride", &a->stride, axes, 1, f->options.stride) ||
        !take(y, "padding", same ? &none : &a->padding, axes, 0, f->options.padding) ||
        !take(y, "dilation", &a->dilation, axes, 1, f->options.dilation) ||
        (a->output_padding.rank && !take(y, "output_padding", &a->output_padding, axes, 0, f->more))) {
        return false;
    }
    if (f->alone) x = ag_unsqueeze(x, 0);
    f->x = axes == 1 ? ag_unsqueeze(x, -2) : x;
    f->w = axes == 1 ? ag_unsqueeze(w, -2) : w;
    if (same && f->x && f->w) f->x = ag__conv_pad_same(y, f->x, f->w, f->options.stride, f->options.dilation);
    return f->x && f->w;
}

/* The result as the caller's images are: with the bias, without the axes that were added. */
static ag_tensor *finish(ag_tensor *y, const form *f, int axes, ag_tensor *out) {
    ag_tensor *bias = ag_in(y, 2);
    char text[AG__TEXT];
    if (!out) return NULL;
    if (bias && (ag_rank(bias) != 1 || ag_dim(bias, 0) != ag_dim(out, 1))) {
        ag_op_fail(y, AG_ERR_SHAPE, "the bias %s must hold one value for each of %lld channels",
                   ag_shape_text(bias, text, sizeof text), (long long)ag_dim(out, 1));
        return NULL;
    }
    if (bias) out = ag_add(out, ag_reshape(bias, AG_SHAPE(ag_dim(bias, 0), 1, 1)));
    if (axes == 1) out = ag_select(out, -2, 0);
    return f->alone ? ag_select(out, 0, 0) : out;
}

/* conv2d says so of images; here it is said of what was given. Longer lines and more channels are left to it. */
static bool reaches(ag_tensor *y, const form *f) {
    char x[AG__TEXT], w[AG__TEXT];
    double n = (double)ag_dim(f->x, 3) + 2 * (double)f->options.padding[1];
    double reach = (double)f->options.dilation[1] * ((double)ag_dim(f->w, 3) - 1) + 1;
    return reach <= n ||
           ag_op_fail(y, AG_ERR_SHAPE, "kernel %s spans %.0f elements on axis 2, where %s has %.0f with its padding",
                      ag_shape_text(ag_in(y, 1), w, sizeof w), reach, ag_shape_text(ag_in(y, 0), x, sizeof x), n);
}

static ag_tensor *conv1d(ag_tensor *y) {
    form f = {0};
    return form_of(y, 1, &f) && reaches(y, &f) ? finish(y, &f, 1, ag_conv2d(f.x, f.w, &f.options)) : NULL;
}

/* x (n,c,h,w) and w (c, o/groups, kh, kw) go together; *o is how many channels they make. */
static bool fits_transposed(ag_tensor *y, const form *f, int64_t *o) {
    const int64_t groups = f->options.groups;
    char x[AG__TEXT], w[AG__TEXT];
    ag_shape_text(ag_in(y, 0), x, sizeof x), ag_shape_text(ag_in(y, 1), w, sizeof w);
    if (groups < 1 || ag_dim(f->x, 1) != ag_dim(f->w, 0) || ag_dim(f->w, 0) % groups) {
        return ag_op_fail(y, AG_ERR_SHAPE,
                          "x %s needs as many channels as axis 0 of the kernel %s has, a multiple of groups %lld", x, w,
                          (long long)groups);
    }
    if (__builtin_mul_overflow(ag_dim(f->w, 1), groups, o)) { /* of no channels there may be any number of groups */
        return ag_op_fail(y, AG_ERR_SHAPE, "kernel %s makes more channels in %lld groups than an index can count", w,
                          (long long)groups);
    }
    for (int i = 2; i < 4; i++) {
        if (ag_dim(f->x, i) > AG__MOST_PIXELS || ag_dim(f->w, i) > AG__MOST_PIXELS) {
            return ag_op_fail(y, AG_ERR_SHAPE, "x %s and kernel %s must have at most 2^31 pixels on an axis", x, w);
        }
    }
    return true;
}

static ag_tensor *transposed(ag_tensor *y, int axes) {
    form f = {0};
    if (ag__conv_same(&((const form_attrs *)ag_attrs(y))->padding)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "padding=same goes with conv1d and conv2d; here it is a number");
        return NULL;
    }
    if (!form_of(y, axes, &f)) return NULL;
    const ag_conv2d_options *o = &f.options;
    ag_shape s = {4, {ag_dim(f.x, 0)}}, pad = {.rank = 4};
    bool beyond = false; /* more pixels than conv2d would leave unread */
    if (!fits_transposed(y, &f, &s.dim[1])) return NULL;
    for (int i = 0; i < AXES; i++) {
        int64_t n = ag_dim(f.x, 2 + i), reach = o->dilation[i] * (ag_dim(f.w, 2 + i) - 1) + 1;
        if (f.more[i] >= (o->stride[i] > o->dilation[i] ? o->stride[i] : o->dilation[i]) && f.more[i]) {
            ag_op_fail(y, AG_ERR_ARGUMENT, "output_padding %lld must be smaller than stride or dilation",
                       (long long)f.more[i]);
            return NULL;
        }
        s.dim[2 + i] = (n - 1) * o->stride[i] + reach;
        pad.dim[2 - 2 * i] = -o->padding[i];
        pad.dim[3 - 2 * i] = f.more[i] - o->padding[i];
        beyond = beyond || f.more[i] >= o->stride[i];
    }
    if (!beyond) {
        for (int i = 0; i < AXES; i++) s.dim[2 + i] += pad.dim[2 - 2 * i] + pad.dim[3 - 2 * i];
        return finish(y, &f, axes, ag_conv2d_input(f.x, f.w, s, o));
    }
    f.options.padding[0] = f.options.padding[1] = 0;
    return finish(y, &f, axes, ag_pad(ag_conv2d_input(f.x, f.w, s, o), pad, AG_PAD_CONSTANT, 0));
}

static ag_tensor *conv_transpose1d(ag_tensor *y) { return transposed(y, 1); }
static ag_tensor *conv_transpose2d(ag_tensor *y) { return transposed(y, 2); }

AG__COMPOSED(conv1d, 2, form_attrs, conv1d_fields, "Σ over channels and taps of w · x along one axis, + bias", conv1d,
             .optional = 1, .inputs = "x w bias");
AG__COMPOSED(conv_transpose1d, 2, form_attrs, transpose_fields,
             "each element of x times w, added along one axis where conv1d reads, + bias", conv_transpose1d,
             .optional = 1, .inputs = "x w bias");
AG__COMPOSED(conv_transpose2d, 2, form_attrs, transpose_fields, "each pixel of x times w, added where conv2d reads, + bias",
             conv_transpose2d, .optional = 1, .inputs = "x w bias");

ag_tensor *ag_conv1d(ag_tensor *x, ag_tensor *w, ag_tensor *bias, int64_t stride, int64_t padding, int64_t dilation,
                     int64_t groups) {
    form_attrs a = {
        .stride = AG_SHAPE(stride), .padding = AG_SHAPE(padding), .dilation = AG_SHAPE(dilation), .groups = groups};
    return ag_apply(&ag__op_conv1d, (ag_tensor *[]){x, w, bias}, 3, &a);
}

/* Each a list of `axes` numbers, the first of each pair where that is one. */
static bool transposed_attrs(const ag_tensor *x, int axes, const ag_conv_transpose_options *options, form_attrs *a) {
    ag_conv_transpose_options o = ag_conv_transpose_defaults();
    if (!ag__take_options(x, "conv_transpose", &o, sizeof o, options)) return false;
    *a = (form_attrs){.stride = {axes, {o.stride[0], o.stride[1]}}, .groups = o.groups};
    a->padding = (ag_shape){axes, {o.padding[0], o.padding[1]}};
    a->output_padding = (ag_shape){axes, {o.output_padding[0], o.output_padding[1]}};
    a->dilation = (ag_shape){axes, {o.dilation[0], o.dilation[1]}};
    return true;
}

ag_conv_transpose_options ag_conv_transpose_defaults(void) {
    return (ag_conv_transpose_options){
        .size = sizeof(ag_conv_transpose_options), .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
}

ag_tensor *ag_conv_transpose2d(ag_tensor *x, ag_tensor *w, ag_tensor *bias, const ag_conv_transpose_options *options) {
    form_attrs a;
    return transposed_attrs(x, 2, options, &a) ? ag_apply(&ag__op_conv_transpose2d, (ag_tensor *[]){x, w, bias}, 3, &a)
                                               : NULL;
}

ag_tensor *ag_conv_transpose1d(ag_tensor *x, ag_tensor *w, ag_tensor *bias, const ag_conv_transpose_options *options) {
    form_attrs a;
    return transposed_attrs(x, 1, options, &a) ? ag_apply(&ag__op_conv_transpose1d, (ag_tensor *[]){x, w, bias}, 3, &a)
                                               : NULL;
}
