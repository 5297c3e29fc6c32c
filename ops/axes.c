/* axes.c: axes moved, merged, split, dropped and added: permutations and reshapes by another name, so views.
 *
 *     x (2,1,3):   squeeze (2,3)   flatten (6)   movedim 0 → −1: (1,3,2)   unsqueeze 0: (1,2,1,3)
 *
 * As in PyTorch a scalar may be spoken to as if it had one axis. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static bool need_axis(ag_tensor *y, int axis, int *out) {
    int rank = ag_rank(ag_in(y, 0));
    return ag_need_axis(y, axis, rank ? rank : 1, out);
}

static ag_tensor *swapped(ag_tensor *y, int first, int second) {
    ag_axes axes = {.count = ag_rank(ag_in(y, 0))};
    int i, j;
    if (!need_axis(y, first, &i) || !need_axis(y, second, &j)) return NULL;
    for (int k = 0; k < axes.count; k++) axes.axis[k] = k == i ? j : k == j ? i : k;
    return ag_permute(ag_in(y, 0), axes);
}

typedef struct pair_attrs {
    int i, j;
} pair_attrs;

static const ag_attr_field transpose_fields[] = {
    {"axis0", AG_ATTR_INT, offsetof(pair_attrs, i), "-2"}, {"axis1", AG_ATTR_INT, offsetof(pair_attrs, j), "-1"}, {0}};

static const ag_attr_field swapaxes_fields[] = {
    {"axis0", AG_ATTR_INT, offsetof(pair_attrs, i), NULL}, {"axis1", AG_ATTR_INT, offsetof(pair_attrs, j), NULL}, {0}};

static ag_tensor *transpose(ag_tensor *y) {
    const pair_attrs *a = ag_attrs(y);
    return swapped(y, a->i, a->j);
}

AG__COMPOSED(transpose, 1, pair_attrs, transpose_fields, "x with the axes axis0 and axis1 swapped", transpose);
AG__COMPOSED(swapaxes, 1, pair_attrs, swapaxes_fields, "x with the axes axis0 and axis1 swapped", transpose);

ag_tensor *ag_transpose(ag_tensor *x, int axis0, int axis1) {
    return ag_apply(&ag__op_transpose, &x, 1, &(pair_attrs){axis0, axis1});
}

ag_tensor *ag_swapaxes(ag_tensor *x, int axis0, int axis1) {
    return ag_apply(&ag__op_swapaxes, &x, 1, &(pair_attrs){axis0, axis1});
}

typedef struct movedim_attrs {
    ag_axes source, destination;
} movedim_attrs;

static const ag_attr_field movedim_fields[] = {{"source", AG_ATTR_AXES, offsetof(movedim_attrs, source), NULL},
                                               {"destination", AG_ATTR_AXES, offsetof(movedim_attrs, destination), NULL},
                                               {0}};

static ag_tensor *movedim(ag_tensor *y) {
    const movedim_attrs *a = ag_attrs(y);
    int rank = ag_rank(ag_in(y, 0)), line = rank ? rank : 1, left = 0;
    bool moves[AG_MAX_RANK], taken[AG_MAX_RANK];
    ag_axes axes = {.count = rank};
    if (!ag_need_axes(y, a->source, line, moves) || !ag_need_axes(y, a->destination, line, taken)) return NULL;
    if (a->source.count != a->destination.count) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "source names %d axes and destination %d", a->source.count, a->destination.count);
        return NULL;
    }
    if (a->source.count < 0 || rank == 0) return ag_alias(ag_in(y, 0));
    for (int i = 0; i < rank; i++) {
        if (taken[i]) continue;
        while (moves[left]) left++;
        axes.axis[i] = left++;
    }
    for (int k = 0; k < a->source.count; k++) {
        int to = a->destination.axis[k];
        axes.axis[to < 0 ? to + rank : to] = a->source.axis[k];
    }
    return ag_permute(ag_in(y, 0), axes);
}

AG__COMPOSED(movedim, 1, movedim_attrs, movedim_fields, "axes source[k] of x at destination[k], the others in order",
             movedim);

ag_tensor *ag_movedim(ag_tensor *x, ag_axes source, ag_axes destination) {
    return ag_apply(&ag__op_movedim, &x, 1, &(movedim_attrs){source, destination});
}

typedef struct squeeze_attrs {
    ag_axes axes;
} squeeze_attrs;

static const ag_attr_field squeeze_fields[] = {{"axes", AG_ATTR_AXES, offsetof(squeeze_attrs, axes), "all"}, {0}};

static ag_tensor *squeeze(ag_tensor *y) {
    const squeeze_attrs *a = ag_attrs(y);
    ag_shape s = ag_shape_of(ag_in(y, 0)), left = {0};
    bool chosen[AG_MAX_RANK];
    if (!ag_need_axes(y, a->axes, s.rank ? s.rank : 1, chosen)) return NULL;
    for (int i = 0; i < s.rank; i++) {
        if (!chosen[i] || s.dim[i] != 1) left.dim[left.rank++] = s.dim[i];
    }
    return ag_reshape(ag_in(y, 0), left);
}

AG__COMPOSED(squeeze, 1, squeeze_attrs, squeeze_fields, "x without those of the axes that have extent 1", squeeze);

ag_tensor *ag_squeeze(ag_tensor *x, ag_axes axes) { return ag_apply(&ag__op_squeeze, &x, 1, &(squeeze_attrs){axes}); }

static ag_tensor *unsqueeze(ag_tensor *y) {
    ag_shape s = ag_shape_of(ag_in(y, 0));
    int axis;
    if (!ag_need_rank(y, 0, 0, AG_MAX_RANK - 1)) return NULL;
    if (!ag_need_axis(y, ag__axis_of(y), s.rank + 1, &axis)) return NULL;
    for (int i = s.rank++; i > axis; i--) s.dim[i] = s.dim[i - 1];
    s.dim[axis] = 1;
    return ag_reshape(ag_in(y, 0), s);
}

AG__COMPOSED(unsqueeze, 1, ag__axis_attrs, ag__axis_given, "x with a new axis of extent 1", unsqueeze);

ag_tensor *ag_unsqueeze(ag_tensor *x, int axis) { return ag_apply(&ag__op_unsqueeze, &x, 1, &(ag__axis_attrs){axis}); }

static const ag_attr_field flatten_fields[] = {{"start_axis", AG_ATTR_INT, offsetof(pair_attrs, i), "0"},
                                               {"end_axis", AG_ATTR_INT, offsetof(pair_attrs, j), "-1"},
                                               {0}};

static ag_tensor *flatten(ag_tensor *y) {
    const pair_attrs *a = ag_attrs(y);
    ag_shape s = ag_shape_of(ag_in(y, 0)), merged = {.rank = 1, .dim = {1}};
    int start, end;
    if (!need_axis(y, a->i, &start) || !need_axis(y, a->j, &end)) return NULL;
    if (start > end) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "start_axis %d comes after end_axis %d", start, end);
        return NULL;
    }
    if (s.rank == 0) return ag_reshape(ag_in(y, 0), merged);
    merged = s;
    merged.rank = s.rank - (end - start);
    for (int i = start + 1; i <= end; i++) merged.dim[start] *= s.dim[i];
    for (int i = end + 1; i < s.rank; i++) merged.dim[i - (end - start)] = s.dim[i];
    return ag_reshape(ag_in(y, 0), merged);
}

AG__COMPOSED(flatten, 1, pair_attrs, flatten_fields, "x with the axes from start_axis to end_axis merged", flatten);

ag_tensor *ag_flatten(ag_tensor *x, int start_axis, int end_axis) {
    return ag_apply(&ag__op_flatten, &x, 1, &(pair_attrs){start_axis, end_axis});
}

typedef struct unflatten_attrs {
    int axis;
    ag_shape sizes;
} unflatten_attrs;

static const ag_attr_field unflatten_fields[] = {{"axis", AG_ATTR_INT, offsetof(unflatten_attrs, axis), NULL},
                                                 {"sizes", AG_ATTR_SHAPE, offsetof(unflatten_attrs, sizes), NULL},
                                                 {0}};

static ag_tensor *unflatten(ag_tensor *y) {
    const unflatten_attrs *a = ag_attrs(y);
    ag_shape s = ag_shape_of(ag_in(y, 0)), sizes = a->sizes, split = {0};
    char from[AG__TEXT], to[AG__TEXT];
    int axis;
    if (!ag_need_axis(y, a->axis, s.rank, &axis)) return NULL;
    if (sizes.rank < 1 || s.rank - 1 + sizes.rank > AG_MAX_RANK) {
        ag_op_fail(y, AG_ERR_SHAPE, "sizes has %d extents; the result can have at most %d axes, and needs one for axis %d",
                   sizes.rank, AG_MAX_RANK, axis);
        return NULL;
    }
    if (!ag__complete_shape(&sizes, s.dim[axis])) {
        ag_op_fail(y, AG_ERR_SHAPE, "axis %d of %s does not split into %s", axis,
                   ag_shape_text(ag_in(y, 0), from, sizeof from), ag__dims_text(a->sizes, to));
        return NULL;
    }
    for (int i = 0; i < axis; i++) split.dim[split.rank++] = s.dim[i];
    for (int i = 0; i < sizes.rank; i++) split.dim[split.rank++] = sizes.dim[i];
    for (int i = axis + 1; i < s.rank; i++) split.dim[split.rank++] = s.dim[i];
    return ag_reshape(ag_in(y, 0), split);
}

AG__COMPOSED(unflatten, 1, unflatten_attrs, unflatten_fields, "x with an axis split into sizes", unflatten);

ag_tensor *ag_unflatten(ag_tensor *x, int axis, ag_shape sizes) {
    return ag_apply(&ag__op_unflatten, &x, 1, &(unflatten_attrs){axis, sizes});
}

typedef struct shape_attrs {
    ag_shape shape;
} shape_attrs;

static const ag_attr_field shape_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(shape_attrs, shape), NULL}, {0}};

static ag_tensor *broadcast_to(ag_tensor *y) {
    return ag_expand(ag_in(y, 0), ((const shape_attrs *)ag_attrs(y))->shape);
}

AG__COMPOSED(broadcast_to, 1, shape_attrs, shape_fields, "x repeated to a shape it broadcasts to", broadcast_to);

ag_tensor *ag_broadcast_to(ag_tensor *x, ag_shape shape) {
    return ag_apply(&ag__op_broadcast_to, &x, 1, &(shape_attrs){shape});
}
