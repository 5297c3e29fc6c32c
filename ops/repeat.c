/* repeat.c: a tensor, or each of its slabs, several times over: an expanded view made solid.
 *
 *     x (3) = a b c:   tile 2: a b c a b c         (3) → (1,3) expanded (2,3) → (6)
 *                      repeat_interleave 2: a a b b c c   (3) → (3,1) expanded (3,2) → (6)
 *                      counts 2 0 1: a a c         taken at 0 0 2, which repeat_index makes of the counts */
#include <string.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct tile_attrs {
    ag_shape repeats;
} tile_attrs;

static const ag_attr_field tile_fields[] = {{"reps", AG_ATTR_SHAPE, offsetof(tile_attrs, repeats), NULL}, {0}};
static const ag_attr_field repeat_fields[] = {{"repeats", AG_ATTR_SHAPE, offsetof(tile_attrs, repeats), NULL}, {0}};

/* The extents of x, with 1s in front up to reps' axes, and the times of each; false: too large a result. */
static bool times_of(ag_tensor *y, ag_shape reps, ag_shape *from, ag_shape *times) {
    ag_shape s = ag_shape_of(ag_in(y, 0));
    int64_t size = 1;
    bool fits = true;
    if (!ag__need_shape(y, reps)) return false;
    from->rank = times->rank = reps.rank > s.rank ? reps.rank : s.rank;
    for (int i = 0; i < from->rank; i++) {
        int own = i - (from->rank - s.rank), asked = i - (from->rank - reps.rank);
        from->dim[i] = own < 0 ? 1 : s.dim[own];
        times->dim[i] = asked < 0 ? 1 : reps.dim[asked];
        int64_t n = from->dim[i] ? from->dim[i] : 1, by = times->dim[i] ? times->dim[i] : 1;
        fits = fits && !__builtin_mul_overflow(size, n, &size) && !__builtin_mul_overflow(size, by, &size);
    }
    if (fits && size < INT64_MAX / 16) return true;
    char text[AG__TEXT], list[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "%s times %s has more elements than memory has bytes",
                      ag_shape_text(ag_in(y, 0), text, sizeof text), ag__dims_text(reps, list));
}

/* At once where no more than AG_MAX_RANK axes are needed; else an axis at a time from the last: seen as outer × inner, each inner
 * run `times` over. */
static ag_tensor *tile(ag_tensor *y) {
    ag_shape from, times, lined = {0}, spread = {0};
    if (!times_of(y, ((const tile_attrs *)ag_attrs(y))->repeats, &from, &times)) return NULL;
    ag_shape to = from;
    int axes = from.rank;
    for (int i = 0; i < from.rank; i++) axes += times.dim[i] != 1;
    ag_tensor *x = ag_reshape(ag_in(y, 0), from);
    for (int i = 0; i < from.rank && axes <= AG_MAX_RANK; i++) {
        if (times.dim[i] != 1) {
            lined.dim[lined.rank++] = 1;
            spread.dim[spread.rank++] = times.dim[i];
        }
        lined.dim[lined.rank++] = spread.dim[spread.rank++] = from.dim[i];
        to.dim[i] = from.dim[i] * times.dim[i];
    }
    if (axes <= AG_MAX_RANK) return ag_reshape(ag_expand(ag_reshape(x, lined), spread), to);
    for (int i = from.rank - 1; i >= 0 && x; i--) {
        if (times.dim[i] == 1) continue;
        to.dim[i] = from.dim[i] * times.dim[i];
        ag__along run = ag__along_axis(to, i);
        lined = (ag_shape){.rank = 3, .dim = {run.outer, 1, from.dim[i] * run.inner}};
        spread = (ag_shape){.rank = 3, .dim = {run.outer, times.dim[i], from.dim[i] * run.inner}};
        x = ag_reshape(ag_expand(ag_reshape(x, lined), spread), to);
    }
    return x;
}

static ag_tensor *repeat(ag_tensor *y) {
    int asked = ((const tile_attrs *)ag_attrs(y))->repeats.rank, rank = ag_rank(ag_in(y, 0));
    if (asked >= rank) return tile(y);
    char text[AG__TEXT];
    ag_op_fail(y, AG_ERR_ARGUMENT, "repeats names %d axes of %s, which has %d; ag_tile takes the others as 1", asked,
               ag_shape_text(ag_in(y, 0), text, sizeof text), rank);
    return NULL;
}

AG__COMPOSED(tile, 1, tile_attrs, tile_fields, "x reps times over along each axis, counted from the last", tile);
AG__COMPOSED(repeat, 1, tile_attrs, repeat_fields, "x repeats times over along each axis", repeat);

ag_tensor *ag_tile(ag_tensor *x, ag_shape reps) { return ag_apply(&ag__op_tile, &x, 1, &(tile_attrs){reps}); }
ag_tensor *ag_repeat(ag_tensor *x, ag_shape repeats) { return ag_apply(&ag__op_repeat, &x, 1, &(tile_attrs){repeats}); }

typedef struct size_attrs {
    int64_t output_size;
} size_attrs;

static const ag_attr_field size_fields[] = {{"output_size", AG_ATTR_I64, offsetof(size_attrs, output_size), NULL}, {0}};

static bool index_shape(ag_tensor *y) {
    int64_t size = ((const size_attrs *)ag_attrs(y))->output_size;
    if (!ag_need_dtype(y, 0, AG_I64) || !ag_need_rank(y, 0, 1, 1)) return false;
    if (size < 0) return ag_op_fail(y, AG_ERR_ARGUMENT, "output_size is %lld", (long long)size);
    return ag_out_shape(y, 0, AG_I64, AG_SHAPE(size));
}

static bool index_run(ag_tensor *y) {
    int64_t left = ag_size(y), *out = ag_out_data(y, 0), n = ag_size(ag_in(y, 0));
    const int64_t *count = ag_op_dense(y, 0);
    if (!count && n) return false;
    for (int64_t i = 0; i < n; i++) {
        if (count[i] < 0) {
            return ag_op_fail(y, AG_ERR_VALUE, "count[%lld] is %lld", (long long)i, (long long)count[i]);
        }
        if (count[i] > left) {
            return ag_op_fail(y, AG_ERR_VALUE, "the counts up to [%lld] add up to more than output_size %lld",
                              (long long)i, (long long)ag_size(y));
        }
        for (int64_t k = 0; k < count[i]; k++) *out++ = i;
        left -= count[i];
    }
    return left == 0 || ag_op_fail(y, AG_ERR_VALUE, "the counts add up to %lld, not to output_size %lld",
                                   (long long)(ag_size(y) - left), (long long)ag_size(y));
}

const ag_op ag__op_repeat_index = {
    .size = sizeof(ag_op),
    .name = "repeat_index",
    .arity = 1,
    .inputs = "counts",
    .flags = AG_FLAT,
    .attr_size = sizeof(size_attrs),
    .attrs = size_fields,
    .formula = "0 count[0] times, 1 count[1] times, …",
    .shape = index_shape,
    .run = index_run,
};

ag_tensor *ag_repeat_index(ag_tensor *counts, int64_t output_size) {
    return ag_apply(&ag__op_repeat_index, &counts, 1, &(size_attrs){output_size});
}

typedef struct interleave_attrs {
    int64_t repeats;
    ag_axes axis; /* one; all: of x as one line */
    int64_t output_size;
} interleave_attrs;

static const ag_attr_field interleave_fields[] = {{"repeats", AG_ATTR_I64, offsetof(interleave_attrs, repeats), "1"},
                                                  {"axis", AG_ATTR_AXES, offsetof(interleave_attrs, axis), "all"},
                                                  {"output_size", AG_ATTR_I64, offsetof(interleave_attrs, output_size), "end"},
                                                  {0}};

/* Each slab counts[k] times over; a single count is that of all. */
static ag_tensor *interleave_counts(ag_tensor *y, ag_tensor *x, int axis) {
    ag_tensor *counts = ag_in(y, 1);
    int64_t size = ((const interleave_attrs *)ag_attrs(y))->output_size;
    if (!ag_need_dtype(y, 1, AG_I64) || !ag_need_rank(y, 1, 0, 1)) return NULL;
    if (((const interleave_attrs *)ag_attrs(y))->repeats != 1) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "give repeats either as counts or as a number");
        return NULL;
    }
    if (ag_size(counts) == 1) counts = ag_expand(ag_reshape(counts, AG_SHAPE(1)), AG_SHAPE(ag_dim(x, axis)));
    if (size == AG_END || (counts && ag_size(counts) != ag_dim(x, axis))) {
        ag_op_fail(y, AG_ERR_ARGUMENT,
                   size == AG_END ? "counts need output_size, their sum: no shape depends on values"
                                  : "needs one count for each of the %lld slabs along axis %d",
                   (long long)ag_dim(x, axis), axis);
        return NULL;
    }
    return ag_take(x, ag_repeat_index(counts, size), axis);
}

static ag_tensor *repeat_interleave(ag_tensor *y) {
    const interleave_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis = 0;
    if (a->axis.count != 1 && a->axis.count >= 0) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "axis must be one axis, or all");
        return NULL;
    }
    if (a->axis.count < 0) x = ag_flatten(x, 0, -1);
    if (!x || (a->axis.count == 1 && !ag_need_axis(y, a->axis.axis[0], ag_rank(x), &axis))) return NULL;
    if (ag_in(y, 1)) return interleave_counts(y, x, axis);
    if (a->repeats < 0) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "repeats is %lld", (long long)a->repeats);
        return NULL;
    }
    ag_shape s = ag_shape_of(x);
    ag__along all = ag__along_axis(s, axis);
    if (__builtin_mul_overflow(s.dim[axis], a->repeats, &s.dim[axis])) {
        ag_op_fail(y, AG_ERR_SHAPE, "axis %d grows beyond what an index can count", axis);
        return NULL;
    }
    if (a->output_size != AG_END && a->output_size != s.dim[axis]) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "output_size is %lld, where the result has %lld slabs along axis %d",
                   (long long)a->output_size, (long long)s.dim[axis], axis);
        return NULL;
    }
    ag_shape lined = {.rank = 3, .dim = {all.outer * all.n, 1, all.inner}}, spread = lined;
    spread.dim[1] = a->repeats;
    return ag_reshape(ag_expand(ag_reshape(x, lined), spread), s);
}

AG__COMPOSED(repeat_interleave, 1, interleave_attrs, interleave_fields,
             "each slab of x along axis repeats, or counts[k], times over", repeat_interleave, .optional = 1,
             .inputs = "x counts");

ag_tensor *ag_repeat_interleave(ag_tensor *x, int64_t repeats, ag_axes axis) {
    return ag_apply(&ag__op_repeat_interleave, &x, 1, &(interleave_attrs){repeats, axis, AG_END});
}

ag_tensor *ag_repeat_interleave_counts(ag_tensor *x, ag_tensor *counts, ag_axes axis, int64_t output_size) {
    interleave_attrs a = {1, axis, output_size};
    if (!counts) return ag_tape_fail(x ? ag_tape_of(x) : NULL, AG_ERR_ARGUMENT, "repeat_interleave", "counts is NULL");
    return ag_apply(&ag__op_repeat_interleave, (ag_tensor *[]){x, counts}, 2, &a);
}
