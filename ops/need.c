/* need.c: checks that several operations share, beyond those of op.h. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "ops/need.h"

#define AXIS(preset)                                                         \
    {                                                                        \
        {"axis", AG_ATTR_INT, offsetof(ag__axis_attrs, axis), preset}, { 0 } \
    }
const ag_attr_field ag__axis_given[] = AXIS(NULL), ag__axis_last[] = AXIS("-1"), ag__axis_first[] = AXIS("0");

bool ag__need_number(ag_tensor *y, int i) {
    if (ag_dtype_of(ag_in(y, i)) != AG_BOOL) return true;
    char text[AG__TEXT];
    return ag_op_fail(y, AG_ERR_DTYPE, "%s is bool; f32, f64 or i64 is needed: ag_cast it",
                      ag_shape_text(ag_in(y, i), text, sizeof text));
}

bool ag__need_factor(ag_tensor *y, const char *attribute, double value) {
    if (ag_dtype_of(ag_in(y, 0)) != AG_I64 || value == rint(value)) return true;
    return ag_op_fail(y, AG_ERR_ARGUMENT, "%s is %g; for i64 it must be a whole number", attribute, value);
}

bool ag__need_line(ag_tensor *y, int axis, int rank, int *out) { return ag_need_axis(y, axis, rank ? rank : 1, out); }

bool ag__need_shape(ag_tensor *y, ag_shape s) {
    if (s.rank < 0 || s.rank > AG_MAX_RANK) {
        return ag_op_fail(y, AG_ERR_SHAPE, "shape has more than %d axes", AG_MAX_RANK);
    }
    char text[AG__TEXT];
    int64_t product = 1;
    bool fits = true;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] < 0) {
            return ag_op_fail(y, AG_ERR_SHAPE, "shape %s has the negative extent %lld at axis %d",
                              ag__dims_text(s, text), (long long)s.dim[i], i);
        }
        fits = fits && (s.dim[i] == 0 || !__builtin_mul_overflow(product, s.dim[i], &product));
    }
    return (fits && product <= INT64_MAX / 16) ||
           ag_op_fail(y, AG_ERR_SHAPE, "shape %s has more elements than memory has bytes", ag__dims_text(s, text));
}

bool ag__need_square(ag_tensor *y, int i) {
    const ag_tensor *a = ag_in(y, i);
    char text[AG__TEXT];
    if (!ag_need_rank(y, i, 2, AG_MAX_RANK)) return false;
    return ag_dim(a, -1) == ag_dim(a, -2) ||
           ag_op_fail(y, AG_ERR_SHAPE, "needs square matrices on the last two axes, not %s",
                      ag_shape_text(a, text, sizeof text));
}

bool ag__need_pair(ag_tensor *y, const char *name, const ag_shape *list, int64_t least, int64_t pair[2]) {
    if (list->rank != 1 && list->rank != 2)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%s takes one or two numbers, not %d", name, list->rank);
    for (int i = 0; i < 2; i++) {
        pair[i] = list->dim[list->rank == 1 ? 0 : i];
        if (pair[i] < least || pair[i] > AG__MOST_PIXELS)
            return ag_op_fail(y, AG_ERR_ARGUMENT, "%s is %lld; it must be at least %lld and at most 2^31", name,
                              (long long)pair[i], (long long)least);
    }
    return true;
}

bool ag__dense(ag_tensor *y, int i, const void **data) {
    *data = ag_in(y, i) ? ag_op_dense(y, i) : NULL;
    return *data || !ag_in(y, i);
}

bool ag__same_shape(ag_shape a, ag_shape b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++) {
        if (a.dim[i] != b.dim[i]) return false;
    }
    return true;
}

bool ag__complete_shape(ag_shape *s, int64_t size) {
    int64_t product = 1;
    int open = -1;
    if (s->rank < 0 || s->rank > AG_MAX_RANK) return false;
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] == -1 && open < 0) {
            open = i;
        } else if (s->dim[i] < 0 || __builtin_mul_overflow(product, s->dim[i], &product)) {
            return false;
        }
    }
    if (open < 0) return product == size;
    if (product == 0 || size % product) return false;
    s->dim[open] = size / product;
    return true;
}

bool ag__take_options(const ag_tensor *x, const char *name, void *to, size_t size, const void *options) {
    size_t own = size;
    if (options) memcpy(&own, options, sizeof own);
    if (options) memcpy(to, options, own < size ? own : size);
    return own || ag_tape_fail(x ? ag_tape_of(x) : NULL, AG_ERR_ARGUMENT, name,
                               "the options have size 0: begin with ag_%s_defaults()", name) != NULL;
}

ag_tensor *ag__parts(ag_tensor *y, ag_tensor **second) {
    if (second) *second = ag_part(y, 1);
    return ag_part(y, 0);
}

const char *ag__dims_text(ag_shape s, char *out) {
    int used = snprintf(out, AG__TEXT, "(");
    for (int i = 0; i < s.rank && i < AG_MAX_RANK; i++) {
        used += snprintf(out + used, (size_t)(AG__TEXT - used), i ? ",%lld" : "%lld", (long long)s.dim[i]);
    }
    snprintf(out + used, (size_t)(AG__TEXT - used), s.rank > AG_MAX_RANK ? ",...)" : ")");
    return out;
}
