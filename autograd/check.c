/* check.c: what the functions of an op record may ask of their node, and the checks that shape functions share. */
#include <string.h>

#include "autograd/text.h"

inline ag_tensor *ag_in(const ag_tensor *y, int i) { return i < (int)y->nin ? ag__in(y)[i] : NULL; }
int ag_in_count(const ag_tensor *y) { return (int)y->nin; }
const void *ag_attrs(const ag_tensor *y) { return y->attrs; }

ag_tensor *ag_out(const ag_tensor *y, int i) {
    if (y->flags & AG__TUPLE) return y->part[i];
    const ag_tensor *self = y;
    ag_tensor *out;
    memcpy(&out, &self, sizeof out);
    return out;
}

bool ag_wants(const ag_tensor *y, int i) { return ag__wants(y, (uint32_t)i); }

static bool declare(ag_tensor *y, int i, int dtype, const ag__shape *shape) {
    if (!shape) return false;
    ag_tensor *out = ag_out(y, i);
    out->dtype = (uint8_t)dtype;
    out->shape = shape;
    if (i == 0) {
        y->dtype = (uint8_t)dtype;
        y->shape = shape;
    }
    return true;
}

bool ag_out_shape(ag_tensor *y, int i, ag_dtype dtype, ag_shape shape) {
    return declare(y, i, (int)dtype, ag__shape_intern(y->tape, &shape, y->op->name));
}

bool ag_out_like(ag_tensor *y, int i, const ag_tensor *x) { return declare(y, i, x->dtype, x->shape); }

bool ag_out_view(ag_tensor *y, ag_shape shape, const int64_t *strides, int64_t offset) {
    ag_tensor *x = ag__in(y)[0];
    if (!declare(y, 0, x->dtype, ag__shape_intern(y->tape, &shape, y->op->name))) return false;
    if (strides && memcmp(strides, y->shape->stride, (size_t)shape.rank * sizeof *strides) != 0) {
        int64_t *own = ag__bump(y->tape, y->tape->region, (size_t)shape.rank * sizeof *own);
        if (!own) return false;
        memcpy(own, strides, (size_t)shape.rank * sizeof *own);
        y->strides = own;
    }
    y->data = (char *)x->data + offset * (int64_t)ag__dtype_bytes[x->dtype];
    y->store = x->store;
    if (x->store) x->store->refs++;
    y->flags |= x->flags & AG__BORROWS;
    return true;
}

void *ag_out_data(ag_tensor *y, int i) { return ag_out(y, i)->data; }
void *ag_op_write(ag_tensor *y, int i) { return ag__in(y)[i]->data; }

void *ag_op_workspace(ag_tensor *y, size_t bytes) {
    ag_tape *t = y->tape;
    ag__storage *s = ag__storage_new(t, bytes);
    if (!s) return NULL;
    s->next = t->work;
    t->work = s;
    return s->base;
}

const void *ag_op_dense(ag_tensor *y, int i) {
    const ag_tensor *x = ag__in(y)[i];
    if (ag__contiguous(x)) return x->data;
    void *copy = ag_op_workspace(y, (size_t)x->shape->size * ag__dtype_bytes[x->dtype]);
    if (copy) ag__gather(x, copy);
    return copy;
}

bool ag_need_float(ag_tensor *y, int i) {
    const ag_tensor *x = ag__in(y)[i];
    char text[160];
    if (ag__is_float(x->dtype)) return true;
    return ag_op_fail(y, AG_ERR_DTYPE, "needs f32 or f64, but %s is %s; ag_cast converts",
                      ag__label(x, text, sizeof text), ag_dtype_name((ag_dtype)x->dtype));
}

bool ag_need_dtype(ag_tensor *y, int i, ag_dtype dtype) {
    const ag_tensor *x = ag__in(y)[i];
    char text[160];
    if (x->dtype == dtype) return true;
    return ag_op_fail(y, AG_ERR_DTYPE, "needs %s, but %s is %s; ag_cast converts", ag_dtype_name(dtype),
                      ag__label(x, text, sizeof text), ag_dtype_name((ag_dtype)x->dtype));
}

bool ag_need_same_dtype(ag_tensor *y, int i, int j) {
    const ag_tensor *a = ag__in(y)[i], *b = ag__in(y)[j];
    char left[160], right[160];
    if (a->dtype == b->dtype) return true;
    return ag_op_fail(y, AG_ERR_DTYPE, "dtypes differ: %s is %s, %s is %s; ag_cast converts",
                      ag__label(a, left, sizeof left), ag_dtype_name((ag_dtype)a->dtype),
                      ag__label(b, right, sizeof right), ag_dtype_name((ag_dtype)b->dtype));
}

bool ag_need_same_shape(ag_tensor *y, int i, int j) {
    const ag_tensor *a = ag__in(y)[i], *b = ag__in(y)[j];
    char left[160], right[160];
    if (a->shape == b->shape) return true;
    return ag_op_fail(y, AG_ERR_SHAPE, "shapes differ: %s and %s", ag__label(a, left, sizeof left),
                      ag__label(b, right, sizeof right));
}

bool ag_need_rank(ag_tensor *y, int i, int least, int most) {
    const ag_tensor *x = ag__in(y)[i];
    char text[160];
    int rank = x->shape->rank;
    if (rank >= least && rank <= most) return true;
    ag__label(x, text, sizeof text);
    if (least == most) return ag_op_fail(y, AG_ERR_SHAPE, "needs %d axes, but %s has %d", least, text, rank);
    if (most >= AG_MAX_RANK)
        return ag_op_fail(y, AG_ERR_SHAPE, "needs at least %d axes, but %s has %d", least, text, rank);
    return ag_op_fail(y, AG_ERR_SHAPE, "needs %d to %d axes, but %s has %d", least, most, text, rank);
}

/* ", of x (2,3), index (4)": the operands, without a random key; "" if there are none. */
static const char *operands(const ag_tensor *y, char *out, size_t size) {
    char text[160];
    ag__text w = ag__text_in(out, size);
    for (uint32_t i = 0; i + !!(y->op->flags & AG_RANDOM) < y->nin; i++) {
        const ag_tensor *x = ag__in(y)[i];
        if (x) ag__text_put(&w, i ? ", %s" : ", of %s", ag__label(x, text, sizeof text));
    }
    return out;
}

AG__COLD static bool fail_axis(ag_tensor *y, int axis, int rank) {
    char of[256];
    operands(y, of, sizeof of);
    if (!rank) return ag_op_fail(y, AG_ERR_ARGUMENT, "axis %d: a scalar has no axes%s", axis, of);
    return ag_op_fail(y, AG_ERR_ARGUMENT, "axis %d is out of range for %d axes: -%d to %d%s", axis, rank, rank,
                      rank - 1, of);
}

bool ag_need_axis(ag_tensor *y, int axis, int rank, int *out) {
    int resolved = axis < 0 ? axis + rank : axis;
    if (resolved < 0 || resolved >= rank) return fail_axis(y, axis, rank);
    *out = resolved;
    return true;
}

bool ag_need_axes(ag_tensor *y, ag_axes axes, int rank, bool chosen[AG_MAX_RANK]) {
    for (int i = 0; i < AG_MAX_RANK; i++) chosen[i] = axes.count < 0 && i < rank;
    if (axes.count > AG_MAX_RANK)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%d axes were given; there are at most %d", axes.count, AG_MAX_RANK);
    for (int i = 0; i < axes.count; i++) {
        int axis = 0;
        if (!ag_need_axis(y, axes.axis[i], rank, &axis)) return false;
        if (chosen[axis]) return ag_op_fail(y, AG_ERR_ARGUMENT, "axis %d is named twice", axis);
        chosen[axis] = true;
    }
    return true;
}

/* Broadcasts x's shape into *out; false: they do not go together. */
static bool merge(ag_shape *out, const ag_tensor *x) {
    const ag__shape *s = x->shape;
    for (; out->rank < s->rank; out->rank++) {
        memmove(out->dim + 1, out->dim, (size_t)out->rank * sizeof *out->dim);
        out->dim[0] = 1;
    }
    for (int i = 1; i <= s->rank; i++) {
        int64_t *m = &out->dim[out->rank - i], n = s->dim[s->rank - i];
        if (*m != n && *m != 1 && n != 1) return false;
        if (*m == 1) *m = n;
    }
    return true;
}

AG__COLD static bool fail_broadcast(ag_tensor *y, const ag_tensor *a, const ag_tensor *b) {
    char left[160], right[160];
    return ag_op_fail(y, AG_ERR_SHAPE, "shapes do not broadcast: %s and %s", ag__label(a, left, sizeof left),
                      ag__label(b, right, sizeof right));
}

bool ag_broadcast(ag_tensor *y, const ag_tensor *a, const ag_tensor *b, ag_shape *out) {
    *out = ag_shape_of(a);
    return merge(out, b) || fail_broadcast(y, a, b);
}

bool ag_broadcast_inputs(ag_tensor *y, ag_shape *out) {
    *out = (ag_shape){0};
    for (uint32_t i = 0; i < y->nin; i++) {
        if (!merge(out, ag__in(y)[i])) return fail_broadcast(y, ag__in(y)[0], ag__in(y)[i]);
    }
    return true;
}
