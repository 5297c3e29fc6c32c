/* unpool.c: what max_pool took put back at its places, zeros elsewhere.
 *
 *     x (n, c, h', w'), places in h × w  ─scatter─▶  (n, c, h, w) */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/pool.h"
#include "ops/table.h"

enum { MOST = AG__PIXEL_AXES };

typedef struct unpool_attrs {
    ag_shape kernel_size, stride, padding;
    ag_shape output_size; /* the pixels, perhaps behind the leading axes; (): the least there can have been */
} unpool_attrs;

static const ag_attr_field unpool_fields[] = {{"kernel_size", AG_ATTR_SHAPE, offsetof(unpool_attrs, kernel_size), NULL},
                                              {"stride", AG_ATTR_SHAPE, offsetof(unpool_attrs, stride), "()"},
                                              {"padding", AG_ATTR_SHAPE, offsetof(unpool_attrs, padding), "0"},
                                              {"output_size", AG_ATTR_SHAPE, offsetof(unpool_attrs, output_size), "()"},
                                              {0}};

/* The shape with pixels as they were before pooling. */
static bool unpooled_shape(ag_tensor *y, int axes, ag_shape *s) {
    const unpool_attrs *a = ag_attrs(y);
    int64_t size[MOST], step[MOST], before[MOST], out[MOST];
    ag_shape list = a->output_size;
    if (!ag__need_sizes(y, "kernel_size", &a->kernel_size, axes, 1, size) ||
        !ag__need_sizes(y, "stride", a->stride.rank ? &a->stride : &a->kernel_size, axes, 1, step) ||
        !ag__need_sizes(y, "padding", &a->padding, axes, 0, before))
        return false;
    if (list.rank == s->rank) {
        for (int i = 0; i < axes; i++) list.dim[i] = list.dim[s->rank - axes + i];
        list.rank = axes;
    }
    for (int i = 0; i < axes && a->output_size.rank == 0; i++)
        list.dim[i] = (s->dim[s->rank - axes + i] - 1) * step[i] - 2 * before[i] + size[i];
    if (a->output_size.rank == 0) list.rank = axes;
    if (!ag__need_sizes(y, "output_size", &list, axes, 1, out)) return false;
    for (int i = 0; i < axes; i++) s->dim[s->rank - axes + i] = out[i];
    return ag__need_shape(y, *s);
}

/* Zeros but for x at the places that it came from. */
static ag_tensor *max_unpool(ag_tensor *y, int axes) {
    ag_tensor *x = ag_in(y, 0), *place = ag_in(y, 1);
    ag_shape s = ag_shape_of(x), from = s, to;
    if (!ag__need_image(y, axes) || !ag_need_dtype(y, 1, AG_I64) || !ag_need_same_shape(y, 0, 1) ||
        !unpooled_shape(y, axes, &s))
        return NULL;
    to = s;
    from.rank = to.rank = s.rank - axes + 1;
    for (int i = from.rank; i < s.rank; i++) {
        from.dim[from.rank - 1] *= from.dim[i];
        to.dim[to.rank - 1] *= to.dim[i];
    }
    ag_tensor *zeros = ag_full(ag_tape_of(x), ag_dtype_of(x), to, 0);
    return ag_reshape(ag_scatter(zeros, -1, ag_reshape(place, from), ag_reshape(x, from)), s);
}

static ag_tensor *unpool1d(ag_tensor *y) { return max_unpool(y, 1); }
static ag_tensor *unpool2d(ag_tensor *y) { return max_unpool(y, 2); }
static ag_tensor *unpool3d(ag_tensor *y) { return max_unpool(y, 3); }

AG__COMPOSED(max_unpool1d, 2, unpool_attrs, unpool_fields, "zeros with x at the places that it came from", unpool1d,
             .inputs = "x indices");
AG__COMPOSED(max_unpool2d, 2, unpool_attrs, unpool_fields, "zeros with x at the places that it came from", unpool2d,
             .inputs = "x indices");
AG__COMPOSED(max_unpool3d, 2, unpool_attrs, unpool_fields, "zeros with x at the places that it came from", unpool3d,
             .inputs = "x indices");

static ag_tensor *unpool(const ag_op *op, ag_tensor *x, ag_tensor *indices, ag_shape kernel_size,
                         const ag_pool_options *options, ag_shape output_size) {
    ag_pool_options o = ag_pool_defaults();
    if (!ag__take_options(x, "pool", &o, sizeof o, options)) return NULL;
    unpool_attrs a = {kernel_size, o.stride, o.padding, output_size};
    return ag_apply(op, (ag_tensor *[]){x, indices}, 2, &a);
}

ag_tensor *ag_max_unpool1d(ag_tensor *x, ag_tensor *indices, ag_shape kernel_size, const ag_pool_options *options,
                           ag_shape output_size) {
    return unpool(&ag__op_max_unpool1d, x, indices, kernel_size, options, output_size);
}
ag_tensor *ag_max_unpool2d(ag_tensor *x, ag_tensor *indices, ag_shape kernel_size, const ag_pool_options *options,
                           ag_shape output_size) {
    return unpool(&ag__op_max_unpool2d, x, indices, kernel_size, options, output_size);
}
ag_tensor *ag_max_unpool3d(ag_tensor *x, ag_tensor *indices, ag_shape kernel_size, const ag_pool_options *options,
                           ag_shape output_size) {
    return unpool(&ag__op_max_unpool3d, x, indices, kernel_size, options, output_size);
}
