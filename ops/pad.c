/* pad.c: more, or less, at both ends of axes, and the adjoint.
 *
 *     x = 0 1 2 3, pad 2,1:   constant  c c 0 1 2 3 c     replicate  0 0 0 1 2 3 3
 *                             reflect   2 1 0 1 2 3 2     circular   2 3 0 1 2 3 0       a negative pad crops
 *
 * unpad adds to each place of x what was read from it; pad and unpad are each other's gradients. Constant padding is its own
 * adjoint with the signs of the pads turned. */
#include <stddef.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"
#include "ops/remap.h"
#include "ops/table.h"

#define MODES "constant|reflect|replicate|circular"

typedef struct pad_attrs {
    ag_shape pad; /* before and after the last axis, before and after the one before it, … */
    int mode;
    double value;
} pad_attrs;

static const ag_attr_field pad_fields[] = {{"pad", AG_ATTR_SHAPE, offsetof(pad_attrs, pad), NULL},
                                           {"mode", AG_ATTR_CHOICE, offsetof(pad_attrs, mode), MODES},
                                           {"value", AG_ATTR_F64, offsetof(pad_attrs, value), "0"},
                                           {0}};

typedef struct edges {
    int mode;
    int64_t n[AG_MAX_RANK], before[AG_MAX_RANK], after[AG_MAX_RANK];
} edges;

static int64_t negative_part(int64_t i) { return i < 0 ? i : 0; }

/* The extent that axis i gets; −1 after an error. */
static int64_t padded(ag_tensor *y, const edges *e, int i) {
    static const char *const name[] = {"constant", "reflect", "replicate", "circular"};
    int64_t n = e->n[i], least = e->before[i] < e->after[i] ? e->before[i] : e->after[i], total;
    int64_t most = e->before[i] > e->after[i] ? e->before[i] : e->after[i];
    bool fits = !__builtin_add_overflow(e->before[i], e->after[i], &total) && !__builtin_add_overflow(n, total, &total);
    int64_t left = n + negative_part(least); /* circular: what cropping leaves */
    int64_t limit = e->mode == AG_PAD_REFLECT ? n - 1 : e->mode == AG_PAD_CIRCULAR ? left : INT64_MAX;
    bool source = e->mode == AG_PAD_CONSTANT || n > 0;
    if (fits && total >= 0 && (most <= 0 || (most <= limit && source))) return total;
    ag_op_fail(y, AG_ERR_SHAPE, "%s padding of axis %d, of %lld element(s), by %lld and %lld: %s", name[e->mode], i,
               (long long)n, (long long)e->before[i], (long long)e->after[i],
               fits && total < 0 ? "less than nothing is left" : "there are not enough elements to read from");
    return -1;
}

/* The shape that x's becomes. */
static bool edges_of(ag_tensor *y, ag_shape x, ag_shape pad, int mode, edges *e, ag_shape *out) {
    *e = (edges){.mode = mode, .n = {1}}; /* a scalar is a line of one element */
    *out = x;
    if (mode < AG_PAD_CONSTANT || mode > AG_PAD_CIRCULAR)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "no mode has the number %d", mode);
    if (pad.rank < 0 || pad.rank > AG_MAX_RANK || pad.rank % 2 || pad.rank / 2 > x.rank) {
        char text[AG__TEXT];
        return ag_op_fail(y, AG_ERR_ARGUMENT, "pad has %d numbers; it needs two for each of the last axes of %s",
                          pad.rank, ag__dims_text(x, text));
    }
    for (int i = 0; i < x.rank; i++) {
        int k = 2 * (x.rank - 1 - i);
        e->n[i] = x.dim[i];
        e->before[i] = k < pad.rank ? pad.dim[k] : 0;
        e->after[i] = k < pad.rank ? pad.dim[k + 1] : 0;
        if ((out->dim[i] = padded(y, e, i)) < 0) return false;
    }
    return true;
}

static int64_t source_of(const void *context, int axis, int64_t i) {
    const edges *e = context;
    int64_t n = e->n[axis], at = i - e->before[axis];
    if (e->mode == AG_PAD_CIRCULAR) { /* what cropping leaves, over and over */
        int64_t first = -negative_part(e->before[axis]), left = n - first + negative_part(e->after[axis]);
        at = (at - first) % left;
        return first + (at < 0 ? at + left : at);
    }
    if (at >= 0 && at < n) return at;
    if (e->mode == AG_PAD_REFLECT) return at < 0 ? -at : 2 * (n - 1) - at;
    return e->mode == AG_PAD_CONSTANT ? -1 : at < 0 ? 0 : n - 1;
}

static bool pad_shape(ag_tensor *y) {
    const pad_attrs *a = ag_attrs(y);
    edges e;
    ag_shape s;
    if (a->mode != AG_PAD_CONSTANT && a->value != 0)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "value is %g; only constant padding takes one", a->value);
    return edges_of(y, ag_shape_of(ag_in(y, 0)), a->pad, a->mode, &e, &s) &&
           ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), s);
}

static bool pad_run(ag_tensor *y) {
    const pad_attrs *a = ag_attrs(y);
    ag_shape x = ag_shape_of(ag_in(y, 0)), s;
    double value;
    edges e;
    ag__remap m;
    if (ag_size(y) == 0) return true;
    if (!edges_of(y, x, a->pad, a->mode, &e, &s) || !ag__remap_start(y, x, s, source_of, &e, &m)) return false;
    const void *data = ag_op_dense(y, 0);
    if (!data && ag_size(ag_in(y, 0))) return false;
    ag__store_value(&value, (int)ag_dtype_of(y), a->value);
    ag__remap_copy(&m, data, ag_out_data(y, 0), ag_dtype_size(ag_dtype_of(y)), &value);
    return true;
}

/* Where nothing was cropped, a view; else zeros where it was. */
static ag_tensor *cropped(ag_tensor *g, const edges *e, ag_shape pad) {
    bool grows = true;
    for (int i = 0; i < pad.rank; i++) {
        grows = grows && pad.dim[i] >= 0;
        pad.dim[i] = -pad.dim[i];
    }
    if (!grows) return ag_pad(g, pad, AG_PAD_CONSTANT, 0);
    for (int i = 0; i < ag_rank(g); i++) {
        if (e->before[i] || e->after[i]) g = ag_slice(g, i, e->before[i], e->before[i] + e->n[i], 1);
    }
    return g;
}

static bool pad_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const pad_attrs *a = ag_attrs(y);
    ag_shape x = ag_shape_of(ag_in(y, 0)), s;
    edges e;
    if (a->mode != AG_PAD_CONSTANT) return (d[0] = ag_unpad(g[0], x, a->pad, (ag_pad_mode)a->mode)) != NULL;
    return edges_of(y, x, a->pad, a->mode, &e, &s) && (d[0] = cropped(g[0], &e, a->pad)) != NULL;
}

static bool pad_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const pad_attrs *a = ag_attrs(y);
    return (out[0] = ag_pad(tangent[0], a->pad, (ag_pad_mode)a->mode, 0)) != NULL;
}

const ag_op ag__op_pad = {
    .size = sizeof(ag_op),
    .name = "pad",
    .arity = 1,
    .attr_size = sizeof(pad_attrs),
    .attrs = pad_fields,
    .formula = "x with more at both ends of its last axes",
    .shape = pad_shape,
    .run = pad_run,
    .grad = pad_grad,
    .jvp = pad_jvp,
};

ag_tensor *ag_pad(ag_tensor *x, ag_shape pad, ag_pad_mode mode, double value) {
    return ag_apply(&ag__op_pad, &x, 1, &(pad_attrs){pad, (int)mode, value});
}

typedef struct unpad_attrs {
    ag_shape shape, pad;
    int mode;
} unpad_attrs;

static const ag_attr_field unpad_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(unpad_attrs, shape), NULL},
                                             {"pad", AG_ATTR_SHAPE, offsetof(unpad_attrs, pad), NULL},
                                             {"mode", AG_ATTR_CHOICE, offsetof(unpad_attrs, mode), MODES},
                                             {0}};

static bool unpad_shape(ag_tensor *y) {
    const unpad_attrs *a = ag_attrs(y);
    const ag_tensor *g = ag_in(y, 0);
    edges e;
    ag_shape s;
    if (!ag__need_number(y, 0) || !ag__need_shape(y, a->shape) || !edges_of(y, a->shape, a->pad, a->mode, &e, &s))
        return false;
    if (ag__same_shape(s, ag_shape_of(g))) return ag_out_shape(y, 0, ag_dtype_of(g), a->shape);
    char have[AG__TEXT], want[AG__TEXT], whole[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "%s does not fit: %s padded is %s", ag_shape_text(g, have, sizeof have),
                      ag__dims_text(a->shape, whole), ag__dims_text(s, want));
}

static bool unpad_run(ag_tensor *y) {
    const unpad_attrs *a = ag_attrs(y);
    void *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * ag_dtype_size(ag_dtype_of(y)));
    edges e;
    ag_shape s;
    ag__remap m;
    if (ag_size(ag_in(y, 0)) == 0 || ag_size(y) == 0) return true;
    if (!edges_of(y, a->shape, a->pad, a->mode, &e, &s) || !ag__remap_start(y, a->shape, s, source_of, &e, &m))
        return false;
    const void *g = ag_op_dense(y, 0);
    if (!g) return false;
    ag__remap_add(&m, g, out, ag_dtype_of(y));
    return true;
}

static bool unpad_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const unpad_attrs *a = ag_attrs(y);
    return (d[0] = ag_pad(g[0], a->pad, (ag_pad_mode)a->mode, 0)) != NULL;
}

const ag_op ag__op_unpad = {
    .size = sizeof(ag_op),
    .name = "unpad",
    .arity = 1,
    .inputs = "g",
    .flags = AG_LINEAR,
    .attr_size = sizeof(unpad_attrs),
    .attrs = unpad_fields,
    .formula = "zeros with g added where padding read from",
    .shape = unpad_shape,
    .run = unpad_run,
    .grad = unpad_grad,
};

ag_tensor *ag_unpad(ag_tensor *g, ag_shape shape, ag_shape pad, ag_pad_mode mode) {
    return ag_apply(&ag__op_unpad, &g, 1, &(unpad_attrs){shape, pad, (int)mode});
}
