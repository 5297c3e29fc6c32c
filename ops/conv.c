/* conv.c: two-dimensional convolution (as everywhere in learning: cross-correlation) and its two gradients.
 *
 *     x (n, c, h, w)             conv2d         x, w ─▶ y     y[n,o,i,j] = Σ_c,r,s w[o,c,r,s] x[n, c, row(i,r), column(j,s)]
 *     w (o, c/groups, kh, kw)    conv2d_input   y, w ─▶ x     row(i,r) = i stride + r dilation − padding
 *     y (n, o, h', w')           conv2d_weight  y, x ─▶ w
 *
 * The number ⟨y, conv2d(x, w)⟩ is linear in each of x, w and y, and each op is its gradient in one of them. So the gradients
 * of one op are the two others, to every order. What inputs leave open (many h give the same h') is the attribute `shape`. */
#include <stddef.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/conv.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct conv_attrs {
    ag_shape stride, padding, dilation; /* lists of two numbers; of one: for both axes */
    int64_t groups;
    ag_shape shape; /* of the result; conv2d has no use for it */
} conv_attrs;

static const ag_attr_field fields[] = {
    {"shape", AG_ATTR_SHAPE, offsetof(conv_attrs, shape), NULL}, /* conv2d's table begins behind it */
    {"stride", AG_ATTR_SHAPE, offsetof(conv_attrs, stride), "1,1"},
    {"padding", AG_ATTR_SHAPE, offsetof(conv_attrs, padding), "0,0"},
    {"dilation", AG_ATTR_SHAPE, offsetof(conv_attrs, dilation), "1,1"},
    {"groups", AG_ATTR_I64, offsetof(conv_attrs, groups), "1"},
    {0},
};

/* What fits together */

/* x, w or y: a tensor, or the shape of the result. */
typedef struct operand {
    const ag_tensor *tensor;
    ag_shape shape;
} operand;

static operand given(const ag_tensor *x) { return (operand){x, ag_shape_of(x)}; }
static operand wanted(ag_shape shape) { return (operand){NULL, shape}; }

static const char *text_of(operand x, char *out) {
    return x.tensor ? ag_shape_text(x.tensor, out, AG__TEXT) : ag__dims_text(x.shape, out);
}

static bool take_window(ag_tensor *y, operand x, operand w, ag__window *s) {
    const conv_attrs *a = ag_attrs(y);
    char image[AG__TEXT], kernel[AG__TEXT];
    int64_t out[2];
    if (!ag__need_pair(y, "stride", &a->stride, 1, s->stride) || !ag__need_pair(y, "padding", &a->padding, 0, s->padding) ||
        !ag__need_pair(y, "dilation", &a->dilation, 1, s->dilation)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        int64_t n = x.shape.dim[i + 2], k = w.shape.dim[i + 2];
        if (n > AG__MOST_PIXELS || k > AG__MOST_PIXELS || k < 1) {
            return ag_op_fail(
                y, AG_ERR_SHAPE, "image %s and kernel %s must have at most 2^31 pixels on an axis, the kernel at least one",
                text_of(x, image), text_of(w, kernel));
        }
        int64_t room = n + 2 * s->padding[i], reach = s->dilation[i] * (k - 1) + 1;
        if (reach > room) {
            return ag_op_fail(y, AG_ERR_SHAPE, "kernel %s spans %lld pixels on axis %d, where %s has %lld with its padding",
                              text_of(w, kernel), (long long)reach, i + 2, text_of(x, image), (long long)room);
        }
        out[i] = (room - reach) / s->stride[i] + 1;
    }
    s->h = x.shape.dim[2], s->w = x.shape.dim[3], s->kh = w.shape.dim[2], s->kw = w.shape.dim[3];
    s->oh = out[0], s->ow = out[1];
    return true;
}

/* Fills s from x, w and the attributes of node y, and checks the gradient g, if the node has one, against them. */
static bool check(ag_tensor *y, operand x, operand w, const ag_tensor *g, ag__conv2d *s) {
    const conv_attrs *a = ag_attrs(y);
    char image[AG__TEXT], kernel[AG__TEXT], have[AG__TEXT], want[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1)) return false;
    if (x.shape.rank != 4 || w.shape.rank != 4) {
        return ag_op_fail(y, AG_ERR_SHAPE, "takes x (n,c,h,w) and w (o,c/groups,kh,kw), not %s and %s",
                          text_of(x, image), text_of(w, kernel));
    }
    int64_t c = x.shape.dim[1], o = w.shape.dim[0];
    if (a->groups < 1 || c % a->groups || o % a->groups) {
        return ag_op_fail(y, AG_ERR_ARGUMENT, "groups is %lld; it must divide axis 1 of %s and axis 0 of kernel %s",
                          (long long)a->groups, text_of(x, image), text_of(w, kernel));
    }
    if (w.shape.dim[1] != c / a->groups) {
        return ag_op_fail(y, AG_ERR_SHAPE, "%s has %lld channels in each of %lld group(s), where kernel %s takes %lld",
                          text_of(x, image), (long long)(c / a->groups), (long long)a->groups, text_of(w, kernel),
                          (long long)w.shape.dim[1]);
    }
    if (!take_window(y, x, w, &s->window)) return false;
    s->n = x.shape.dim[0], s->groups = a->groups, s->c = c / a->groups, s->o = o / a->groups;
    ag_shape out = {4, {s->n, o, s->window.oh, s->window.ow}};
    if (!g || ag__same_shape(ag_shape_of(g), out)) return true;
    return ag_op_fail(y, AG_ERR_SHAPE, "the gradient is %s, where conv2d of %s and kernel %s is %s",
                      ag_shape_text(g, have, sizeof have), text_of(x, image), text_of(w, kernel), ag__dims_text(out, want));
}

/* Inputs p and q as row-major data; with no element in one of them the sum is empty, and the result 0. */
static bool operands(ag_tensor *y, const void **p, const void **q) {
    size_t bytes = (size_t)ag_size(y) * ag_dtype_size(ag_dtype_of(y));
    *p = *q = NULL;
    if (ag_size(ag_in(y, 0)) == 0 || ag_size(ag_in(y, 1)) == 0) {
        if (bytes) memset(ag_out_data(y, 0), 0, bytes);
        return true;
    }
    *p = ag_op_dense(y, 0);
    *q = ag_op_dense(y, 1);
    return *p && *q;
}

/* The rules */

static ag_tensor *convolve(const ag_op *op, ag_tensor *p, ag_tensor *q, const conv_attrs *attrs, ag_shape shape) {
    conv_attrs a = *attrs;
    a.shape = shape;
    return ag_apply(op, (ag_tensor *[]){p, q}, 2, &a);
}

static ag_tensor *y_of(ag_tensor *x, ag_tensor *w, const conv_attrs *a) {
    return convolve(&ag__op_conv2d, x, w, a, (ag_shape){0});
}
static ag_tensor *x_of(ag_tensor *y, ag_tensor *w, const conv_attrs *a, const ag_tensor *x) {
    return convolve(&ag__op_conv2d_input, y, w, a, ag_shape_of(x));
}
static ag_tensor *w_of(ag_tensor *y, ag_tensor *x, const conv_attrs *a, const ag_tensor *w) {
    return convolve(&ag__op_conv2d_weight, y, x, a, ag_shape_of(w));
}

bool ag__conv_same(const ag_shape *padding) { return padding->rank == 1 && padding->dim[0] == AG__SAME; }

ag_tensor *ag__conv_pad_same(ag_tensor *y, ag_tensor *x, const ag_tensor *w, const int64_t stride[2],
                             const int64_t dilation[2]) {
    ag_shape pad = {.rank = 4};
    for (int i = 0; i < 2; i++) {
        int64_t zeros = ag_rank(w) == 4 ? dilation[i] * (ag_dim(w, 2 + i) - 1) : 0;
        if (stride[i] != 1) {
            ag_op_fail(y, AG_ERR_ARGUMENT, "padding=same goes with stride 1, not %lld", (long long)stride[i]);
            return NULL;
        }
        pad.dim[2 - 2 * i] = zeros / 2;
        pad.dim[3 - 2 * i] = zeros - zeros / 2;
    }
    return ag_pad(x, pad, AG_PAD_CONSTANT, 0);
}

/* With neither a bias nor an image alone, (c,h,w), nor padding=same */
static bool conv2d_plain(const ag_tensor *y) {
    return !ag_in(y, 2) && ag_rank(ag_in(y, 0)) != 3 && !ag__conv_same(&((const conv_attrs *)ag_attrs(y))->padding);
}

static ag_tensor *conv2d_compose(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *w = ag_in(y, 1), *bias = ag_in(y, 2);
    bool alone = ag_rank(x) == 3;
    char kernel[AG__TEXT], text[AG__TEXT];
    if (bias && (ag_rank(w) < 1 || ag_rank(bias) != 1 || ag_dim(bias, 0) != ag_dim(w, 0))) {
        ag_op_fail(y, AG_ERR_SHAPE, "the bias %s must hold one value for each of the channels that kernel %s makes",
                   ag_shape_text(bias, text, sizeof text), ag_shape_text(w, kernel, sizeof kernel));
        return NULL;
    }
    conv_attrs a = *(const conv_attrs *)ag_attrs(y);
    int64_t stride[2], dilation[2];
    if (alone && !(x = ag_unsqueeze(x, 0))) return NULL;
    if (ag__conv_same(&a.padding)) {
        a.padding = AG_SHAPE(0);
        if (!ag__need_pair(y, "stride", &a.stride, 1, stride) || !ag__need_pair(y, "dilation", &a.dilation, 1, dilation) ||
            !(x = ag__conv_pad_same(y, x, w, stride, dilation)))
            return NULL;
    }
    ag_tensor *out = y_of(x, w, &a);
    if (bias && out) out = ag_add(out, ag_reshape(bias, AG_SHAPE(ag_dim(bias, 0), 1, 1)));
    return alone && out ? ag_select(out, 0, 0) : out;
}

static bool conv2d_shape(ag_tensor *y) {
    ag__conv2d s;
    operand x = given(ag_in(y, 0)), w = given(ag_in(y, 1));
    if (!check(y, x, w, NULL, &s)) return false;
    return ag_out_shape(y, 0, ag_dtype_of(x.tensor), (ag_shape){4, {s.n, w.shape.dim[0], s.window.oh, s.window.ow}});
}

static bool conv2d_run(ag_tensor *y) {
    ag__conv2d s;
    const void *x, *w;
    if (!check(y, given(ag_in(y, 0)), given(ag_in(y, 1)), NULL, &s) || !operands(y, &x, &w)) return false;
    return !x || ag__conv2d_run(y, &s, x, w, NULL);
}

static bool conv2d_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0), *w = ag_in(y, 1);
    if (ag_wants(y, 0) && !(d[0] = x_of(g[0], w, ag_attrs(y), x))) return false;
    if (ag_wants(y, 1) && !(d[1] = w_of(g[0], x, ag_attrs(y), w))) return false;
    return true;
}

static bool input_shape(ag_tensor *y) {
    const conv_attrs *a = ag_attrs(y);
    ag__conv2d s;
    if (!ag__need_shape(y, a->shape) || !check(y, wanted(a->shape), given(ag_in(y, 1)), ag_in(y, 0), &s)) return false;
    return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), a->shape);
}

static bool input_run(ag_tensor *y) {
    const conv_attrs *a = ag_attrs(y);
    ag__conv2d s;
    const void *g, *w;
    if (!check(y, wanted(a->shape), given(ag_in(y, 1)), ag_in(y, 0), &s) || !operands(y, &g, &w)) return false;
    return !g || ag__conv2d_run(y, &s, NULL, w, g);
}

static bool input_grad(ag_tensor *y, ag_tensor *const u[], ag_tensor *d[]) {
    ag_tensor *g = ag_in(y, 0), *w = ag_in(y, 1);
    if (ag_wants(y, 0) && !(d[0] = y_of(u[0], w, ag_attrs(y)))) return false;
    if (ag_wants(y, 1) && !(d[1] = w_of(g, u[0], ag_attrs(y), w))) return false;
    return true;
}

static bool weight_shape(ag_tensor *y) {
    const conv_attrs *a = ag_attrs(y);
    ag__conv2d s;
    if (!ag__need_shape(y, a->shape) || !check(y, given(ag_in(y, 1)), wanted(a->shape), ag_in(y, 0), &s)) return false;
    return ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), a->shape);
}

static bool weight_run(ag_tensor *y) {
    const conv_attrs *a = ag_attrs(y);
    ag__conv2d s;
    const void *g, *x;
    if (!check(y, given(ag_in(y, 1)), wanted(a->shape), ag_in(y, 0), &s) || !operands(y, &g, &x)) return false;
    return !g || ag__conv2d_run(y, &s, x, NULL, g);
}

static bool weight_grad(ag_tensor *y, ag_tensor *const u[], ag_tensor *d[]) {
    ag_tensor *g = ag_in(y, 0), *x = ag_in(y, 1);
    if (ag_wants(y, 0) && !(d[0] = y_of(x, u[0], ag_attrs(y)))) return false;
    if (ag_wants(y, 1) && !(d[1] = x_of(g, u[0], ag_attrs(y), x))) return false;
    return true;
}

/* Each element of the output, or of its gradient, meets one kernel: (o, c/groups, kh, kw). */
static double flops_of(const ag_tensor *out, const ag_tensor *kernel) {
    return 2 * (double)ag_size(out) * (double)ag_dim(kernel, 1) * (double)ag_dim(kernel, 2) * (double)ag_dim(kernel, 3);
}
static double conv2d_flops(const ag_tensor *y) { return flops_of(y, ag_in(y, 1)); }
static double input_flops(const ag_tensor *y) { return flops_of(ag_in(y, 0), ag_in(y, 1)); }
static double weight_flops(const ag_tensor *y) { return flops_of(ag_in(y, 0), y); }

const ag_op ag__op_conv2d = {
    .size = sizeof(ag_op),
    .name = "conv2d",
    .arity = 2,
    .optional = 1,
    .inputs = "x w bias",
    .flags = AG_MULTILINEAR,
    .attr_size = sizeof(conv_attrs),
    .attrs = fields + 1,
    .formula = "Σ over channels and taps of w · x, + bias",
    .compose = conv2d_compose,
    .plain = conv2d_plain,
    .shape = conv2d_shape,
    .run = conv2d_run,
    .grad = conv2d_grad,
    .flops = conv2d_flops,
};

const ag_op ag__op_conv2d_input = {
    .size = sizeof(ag_op),
    .name = "conv2d_input",
    .arity = 2,
    .inputs = "g w",
    .flags = AG_MULTILINEAR,
    .attr_size = sizeof(conv_attrs),
    .attrs = fields,
    .formula = "∂/∂x ⟨g, conv2d(x, w)⟩",
    .shape = input_shape,
    .run = input_run,
    .grad = input_grad,
    .flops = input_flops,
};

const ag_op ag__op_conv2d_weight = {
    .size = sizeof(ag_op),
    .name = "conv2d_weight",
    .arity = 2,
    .inputs = "g x",
    .flags = AG_MULTILINEAR,
    .attr_size = sizeof(conv_attrs),
    .attrs = fields,
    .formula = "∂/∂w ⟨g, conv2d(x, w)⟩",
    .shape = weight_shape,
    .run = weight_run,
    .grad = weight_grad,
    .flops = weight_flops,
};

ag_conv2d_options ag_conv2d_defaults(void) {
    return (ag_conv2d_options){.size = sizeof(ag_conv2d_options), .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
}

static bool take_attrs(const ag_tensor *x, const ag_conv2d_options *options, conv_attrs *a) {
    ag_conv2d_options o = ag_conv2d_defaults();
    if (!ag__take_options(x, "conv2d", &o, sizeof o, options)) return false;
    *a = (conv_attrs){.stride = {2, {o.stride[0], o.stride[1]}}, .groups = o.groups};
    a->padding = (ag_shape){2, {o.padding[0], o.padding[1]}};
    a->dilation = (ag_shape){2, {o.dilation[0], o.dilation[1]}};
    return true;
}

ag_tensor *ag_conv2d(ag_tensor *x, ag_tensor *w, const ag_conv2d_options *options) {
    conv_attrs a;
    return take_attrs(x, options, &a) ? convolve(&ag__op_conv2d, x, w, &a, (ag_shape){0}) : NULL;
}

ag_tensor *ag_conv2d_bias(ag_tensor *x, ag_tensor *w, ag_tensor *bias, const ag_conv2d_options *options) {
    conv_attrs a;
    return take_attrs(x, options, &a) ? ag_apply(&ag__op_conv2d, (ag_tensor *[]){x, w, bias}, 3, &a) : NULL;
}

ag_tensor *ag_conv2d_input(ag_tensor *g, ag_tensor *w, ag_shape x, const ag_conv2d_options *options) {
    conv_attrs a;
    return take_attrs(g, options, &a) ? convolve(&ag__op_conv2d_input, g, w, &a, x) : NULL;
}

ag_tensor *ag_conv2d_weight(ag_tensor *g, ag_tensor *x, ag_shape w, const ag_conv2d_options *options) {
    conv_attrs a;
    return take_attrs(g, options, &a) ? convolve(&ag__op_conv2d_weight, g, x, &a, w) : NULL;
}
