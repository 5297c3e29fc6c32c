/* shape.c: shapes and strides.
 *
 * Each tape keeps one record per distinct shape, so that "same shape" is one pointer comparison, and every extent product is
 * checked for overflow once, here. */
#include <stdio.h>
#include <string.h>

#include "autograd/node.h"

ag_shape ag_shape_list(const int64_t *dims, size_t count) {
    ag_shape s = {0};
    s.rank = count > AG_MAX_RANK + 1 ? AG_MAX_RANK + 1 : (int)count - 1;
    for (int i = 0; i < s.rank && i < AG_MAX_RANK; i++) s.dim[i] = dims[i + 1];
    return s;
}

ag_axes ag_axes_list(const int *axes, size_t count) {
    ag_axes a = {.count = -1};
    if (!axes) return a;
    a.count = count > AG_MAX_RANK + 1 ? AG_MAX_RANK + 1 : (int)count - 1;
    for (int i = 0; i < a.count && i < AG_MAX_RANK; i++) a.axis[i] = axes[i + 1];
    return a;
}

static uint64_t hash_of(const ag_shape *s) {
    uint64_t h = (uint64_t)s->rank + 0x9E3779B97F4A7C15u;
    for (int i = 0; i < s->rank; i++) h = (h ^ (uint64_t)s->dim[i]) * 0xD6E8FEB86659FD93u;
    return h ^ h >> 32;
}

/* Fills size and strides; false when a product of the extents that are not 0 does not fit the address space. */
static bool lay_out(ag__shape *s) {
    int64_t product = 1;
    bool empty = false;
    for (int i = s->rank - 1; i >= 0; i--) {
        s->stride[i] = product;
        if (s->dim[i] == 0) {
            empty = true;
        } else if (__builtin_mul_overflow(product, s->dim[i], &product) || product > INT64_MAX / 16) {
            return false;
        }
    }
    s->size = empty ? 0 : product;
    return true;
}

const ag__shape *ag__shape_intern(ag_tape *t, const ag_shape *shape, const char *what) {
    if (shape->rank < 0 || shape->rank > AG_MAX_RANK) {
        return ag__fail(t, AG_ERR_SHAPE, "%s: a shape has at most %d axes", what, AG_MAX_RANK);
    }
    size_t bytes = (size_t)shape->rank * sizeof(int64_t);
    ag__shape **bucket = &t->shapes[hash_of(shape) % AG__SHAPE_BUCKETS];
    for (ag__shape *s = *bucket; s; s = s->next) {
        if (s->rank == shape->rank && !memcmp(s->dim, shape->dim, bytes)) return s;
    }
    ag__shape made = {.rank = shape->rank};
    memcpy(made.dim, shape->dim, bytes);
    for (int i = 0; i < made.rank; i++) {
        if (made.dim[i] < 0) {
            return ag__fail(t, AG_ERR_SHAPE, "%s: axis %d of a shape has the negative extent %lld", what, i,
                            (long long)made.dim[i]);
        }
    }
    if (!lay_out(&made))
        return ag__fail(t, AG_ERR_SHAPE, "%s: a shape of %d axes has more elements than memory has bytes", what, made.rank);
    ag__shape *s = ag__bump(t, &t->persistent, sizeof *s);
    if (!s) return NULL;
    made.next = *bucket;
    *s = made;
    *bucket = s;
    return s;
}

int64_t ag__stride(const ag_tensor *x, int axis) { return (x->strides ? x->strides : x->shape->stride)[axis]; }

bool ag__contiguous(const ag_tensor *x) {
    if (!x->strides || x->shape->size <= 1) return true;
    for (int i = 0; i < x->shape->rank; i++) {
        if (x->shape->dim[i] != 1 && x->strides[i] != x->shape->stride[i]) return false;
    }
    return true;
}

const char *ag_shape_text(const ag_tensor *x, char *out, size_t size) {
    size_t used = 0;
    const char *name = x ? ag_name(x) : "NULL";
    if (size) out[0] = '\0';
    for (int i = -1; x && i <= x->shape->rank && used < size; i++) {
        int n;
        if (i < 0) {
            n = snprintf(out, size, "%s%s(", name, *name ? " " : "");
        } else if (i < x->shape->rank) {
            n = snprintf(out + used, size - used, "%s%lld", i ? "," : "", (long long)x->shape->dim[i]);
        } else {
            n = snprintf(out + used, size - used, ")");
        }
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}
