/* roll.c: elements shifted along axes, what leaves at one end coming in at the other.
 *
 *     x = 0 1 2 3 4, shift 2:   3 4 0 1 2        its gradient: g shifted back */
#include <stddef.h>

#include "ops/ops.h"
#include "ops/remap.h"
#include "ops/table.h"

typedef struct roll_attrs {
    ag_shape shifts;
    ag_axes axes; /* one for each shift; all: of x as one line */
} roll_attrs;

static const ag_attr_field roll_fields[] = {{"shifts", AG_ATTR_SHAPE, offsetof(roll_attrs, shifts), NULL},
                                            {"axes", AG_ATTR_AXES, offsetof(roll_attrs, axes), "all"},
                                            {0}};

typedef struct turn {
    int64_t n[AG_MAX_RANK], shift[AG_MAX_RANK]; /* 0 ≤ shift < n */
} turn;

static int64_t source_of(const void *context, int axis, int64_t i) {
    const turn *t = context;
    int64_t from = i - t->shift[axis];
    return from < 0 ? from + t->n[axis] : from;
}

/* Shifts by axis. An axis may be named again: the shifts add up. */
static bool turn_of(ag_tensor *y, turn *t) {
    const roll_attrs *a = ag_attrs(y);
    ag_shape x = ag_shape_of(ag_in(y, 0));
    *t = (turn){{0}, {0}};
    if (a->shifts.rank < 1 || a->shifts.rank != a->axes.count) {
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%d shift(s) for %d axes; each axis needs its own", a->shifts.rank,
                          a->axes.count);
    }
    for (int i = 0; i < x.rank; i++) t->n[i] = x.dim[i];
    for (int k = 0; k < a->axes.count; k++) {
        int axis;
        if (!ag_need_axis(y, a->axes.axis[k], x.rank, &axis)) return false;
        int64_t n = t->n[axis];
        if (n == 0) continue;
        int64_t shift = a->shifts.dim[k] % n;
        shift += shift < 0 ? n : 0;
        t->shift[axis] = t->shift[axis] >= n - shift ? t->shift[axis] - (n - shift) : t->shift[axis] + shift;
    }
    return true;
}

static bool plain(const ag_tensor *y) { return ((const roll_attrs *)ag_attrs(y))->axes.count >= 0; }

/* All axes: of the line that x is, row-major. */
static ag_tensor *roll_any(ag_tensor *y) {
    const roll_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    if (plain(y)) return ag_roll(x, a->shifts, a->axes);
    return ag_reshape(ag_roll(ag_flatten(x, 0, -1), a->shifts, AG_AXES(0)), ag_shape_of(x));
}

static bool roll_shape(ag_tensor *y) {
    turn t;
    return turn_of(y, &t) && ag_out_like(y, 0, ag_in(y, 0));
}

static bool roll_run(ag_tensor *y) {
    ag_shape s = ag_shape_of(y);
    turn t;
    ag__remap m;
    if (ag_size(y) == 0) return true;
    if (!turn_of(y, &t) || !ag__remap_start(y, s, s, source_of, &t, &m)) return false;
    const void *x = ag_op_dense(y, 0);
    if (!x) return false;
    ag__remap_copy(&m, x, ag_out_data(y, 0), ag_dtype_size(ag_dtype_of(y)), NULL);
    return true;
}

static bool roll_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    roll_attrs a = *(const roll_attrs *)ag_attrs(y);
    for (int k = 0; k < a.shifts.rank; k++) {
        int64_t n = ag_dim(y, a.axes.axis[k]); /* of an empty axis 0, and then no shift matters */
        a.shifts.dim[k] = n ? -(a.shifts.dim[k] % n) : 0;
    }
    return (d[0] = ag_roll(g[0], a.shifts, a.axes)) != NULL;
}

const ag_op ag__op_roll = {
    .size = sizeof(ag_op),
    .name = "roll",
    .arity = 1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(roll_attrs),
    .attrs = roll_fields,
    .formula = "x[(i − shift) mod n] along each of axes",
    .shape = roll_shape,
    .run = roll_run,
    .grad = roll_grad,
    .compose = roll_any,
    .plain = plain,
};

ag_tensor *ag_roll(ag_tensor *x, ag_shape shifts, ag_axes axes) {
    return ag_apply(&ag__op_roll, &x, 1, &(roll_attrs){shifts, axes});
}
