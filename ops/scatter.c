/* scatter.c: x with single elements replaced along one axis, and what of a gradient belongs to the new ones.
 *
 *     axis 0:   y = x, then y[index[i][j]][j] = src[i][j], in row-major order of the index: the last one stays
 *               y[i][j] = g[index[i][j]][j], or 0 where a later (i, j) names the same place       scatter_pick
 *
 * So d/dx = g with zeros put at the index, and d/dsrc = scatter_pick, exact also where places repeat. */
#include <stddef.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/lines.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct scatter_attrs {
    int axis;
    double value;
    int reduce; /* 0: put; 1: add; 2: multiply */
} scatter_attrs;

static const ag_attr_field scatter_fields[] = {
    {"axis", AG_ATTR_INT, offsetof(scatter_attrs, axis), NULL},
    {"value", AG_ATTR_F64, offsetof(scatter_attrs, value), "0"},
    {"reduce", AG_ATTR_CHOICE, offsetof(scatter_attrs, reduce), "none|add|multiply"},
    {0}};

static bool has_src(const ag_tensor *y) { return ag_in(y, 2) != NULL; }

static bool plain(const ag_tensor *y) {
    return ((const scatter_attrs *)ag_attrs(y))->reduce == 0 &&
           (!has_src(y) || ag__same_shape(ag_shape_of(ag_in(y, 1)), ag_shape_of(ag_in(y, 2))));
}

/* src, or value, added to what is there, or multiplied with it */
static ag_tensor *combined(ag_tensor *y) {
    const scatter_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *index = ag_in(y, 1), *src = ag_in(y, 2);
    if (!ag__need_number(y, 0) || (src && !ag_need_same_dtype(y, 0, 2)) || !ag_need_dtype(y, 1, AG_I64)) return NULL;
    if (src && a->value != 0) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "give src or value, not both");
        return NULL;
    }
    if (!src) src = ag_full(ag_tape_of(x), ag_dtype_of(x), ag_shape_of(index), a->value);
    return ag_scatter_reduce(x, a->axis, index, src, a->reduce == 1 ? AG_REDUCE_SUM : AG_REDUCE_PROD, true);
}

/* A src larger than the index is used as far as the index goes. */
static ag_tensor *corner(ag_tensor *y) {
    ag_tensor *index = ag_in(y, 1), *src = ag_in(y, 2);
    if (((const scatter_attrs *)ag_attrs(y))->reduce) return combined(y);
    if (src && !(src = ag__line_source(y, index, src))) return NULL;
    return ag_apply(&ag__op_scatter, (ag_tensor *[]){ag_in(y, 0), index, src}, 3, ag_attrs(y));
}

static bool scatter_shape(ag_tensor *y) {
    const scatter_attrs *a = ag_attrs(y);
    int axis;
    if (has_src(y) && (!ag_need_same_dtype(y, 0, 2) || !ag_need_same_shape(y, 1, 2))) return false;
    if (has_src(y) && a->value != 0) return ag_op_fail(y, AG_ERR_ARGUMENT, "give src or value, not both");
    return ag__need_index(y, 1, ag_shape_of(ag_in(y, 0)), a->axis, &axis) && ag_out_like(y, 0, ag_in(y, 0));
}

static bool scatter_run(ag_tensor *y) {
    const scatter_attrs *a = ag_attrs(y);
    ag_dtype dtype = ag_dtype_of(y);
    int axis;
    ag__lines l;
    if (!ag__need_index(y, 1, ag_shape_of(y), a->axis, &axis) || !ag__lines_start(y, 1, ag_shape_of(y), axis, &l) ||
        !ag_read(ag_in(y, 0), ag_out_data(y, 0))) {
        return false;
    }
    if (!has_src(y)) {
        double value;
        ag__store_value(&value, (int)dtype, a->value);
        ag__lines_walk(&l, AG__FORWARDS, ag__line_fill(dtype), &(ag__move){ag_out_data(y, 0), &value});
        return true;
    }
    const void *src = ag_op_dense(y, 2);
    if (!src && l.count) return false;
    ag__lines_walk(&l, AG__FORWARDS, ag__line_set(ag_dtype_size(dtype)), &(ag__move){ag_out_data(y, 0), src});
    return true;
}

static bool scatter_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const scatter_attrs *a = ag_attrs(y);
    if (ag_wants(y, 0) && !(d[0] = ag_scatter_value(g[0], a->axis, ag_in(y, 1), 0))) return false;
    return !has_src(y) || !ag_wants(y, 2) || (d[2] = ag_scatter_pick(g[0], a->axis, ag_in(y, 1))) != NULL;
}

static bool scatter_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const scatter_attrs *a = ag_attrs(y);
    ag_tensor *x = tangent[0], *src = has_src(y) ? tangent[2] : NULL;
    if (!x) x = ag_full(ag_tape_of(y), ag_dtype_of(y), ag_shape_of(y), 0);
    out[0] = src ? ag_scatter(x, a->axis, ag_in(y, 1), src) : ag_scatter_value(x, a->axis, ag_in(y, 1), 0);
    return out[0] != NULL;
}

const ag_op ag__op_scatter = {
    .size = sizeof(ag_op),
    .name = "scatter",
    .arity = 2,
    .inputs = "x index src",
    .optional = 1,
    .attr_size = sizeof(scatter_attrs),
    .attrs = scatter_fields,
    .formula = "x with src, or value, at index[i][j], j (axis 0)",
    .shape = scatter_shape,
    .run = scatter_run,
    .grad = scatter_grad,
    .jvp = scatter_jvp,
    .compose = corner,
    .plain = plain,
};

ag_tensor *ag_scatter(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *src) {
    scatter_attrs a = {axis, 0, 0};
    if (!src)
        return ag_tape_fail(x ? ag_tape_of(x) : NULL, AG_ERR_ARGUMENT, "scatter",
                            "src is NULL; ag_scatter_value puts a number");
    return ag_apply(&ag__op_scatter, (ag_tensor *[]){x, index, src}, 3, &a);
}

ag_tensor *ag_scatter_value(ag_tensor *x, int axis, ag_tensor *index, double value) {
    scatter_attrs a = {axis, value, 0};
    return ag_apply(&ag__op_scatter, (ag_tensor *[]){x, index}, 2, &a);
}

static bool pick_shape(ag_tensor *y) {
    ag_tensor *g = ag_in(y, 0);
    int axis;
    return ag__need_index(y, 1, ag_shape_of(g), ag__axis_of(y), &axis) &&
           ag_out_shape(y, 0, ag_dtype_of(g), ag_shape_of(ag_in(y, 1)));
}

/* The last number that names each slab stays; where it is not k, slab k of every outer part is cleared. */
static bool clear_slabs(ag_tensor *y, const ag__lines *l, char *out, size_t slab) {
    int64_t *last = ag_op_workspace(y, (size_t)l->n * sizeof *last);
    if (!last) return false;
    for (int64_t k = 0; k < l->group; k++) last[l->index[k]] = k;
    for (int64_t i = 0, k = 0; i < l->count; i++, k = k + 1 < l->group ? k + 1 : 0) {
        if (last[l->index[k]] != k) memset(out + (size_t)i * slab, 0, slab);
    }
    return true;
}

/* The same for single elements: every element writes its number to its place, and looks whether it is still there. */
static bool clear_elements(ag_tensor *y, const ag__lines *l, char *out, size_t element) {
    int64_t size = ag_size(y);
    int64_t *mine = ag_op_workspace(y, (size_t)size * sizeof *mine);
    int64_t *last = ag_op_workspace(y, (size_t)ag_size(ag_in(y, 0)) * sizeof *last);
    if (!mine || !last) return false;
    for (int64_t i = 0; i < size; i++) mine[i] = i;
    ag__lines_walk(l, AG__FORWARDS, ag__line_set(sizeof *mine), &(ag__move){last, mine});
    ag__lines_walk(l, AG__ANY_ORDER, ag__line_get(sizeof *mine), &(ag__move){mine, last});
    for (int64_t i = 0; i < size; i++) {
        if (mine[i] != i) memset(out + (size_t)i * element, 0, element);
    }
    return true;
}

static bool pick_run(ag_tensor *y) {
    ag_shape large = ag_shape_of(ag_in(y, 0));
    size_t element = ag_dtype_size(ag_dtype_of(y));
    char *out = ag_out_data(y, 0);
    int axis;
    ag__lines l;
    if (!ag__need_index(y, 1, large, ag__axis_of(y), &axis) || !ag__lines_start(y, 1, large, axis, &l)) return false;
    if (l.count == 0) return true;
    const void *g = ag_op_dense(y, 0);
    if (!g) return false;
    ag__lines_walk(&l, AG__ANY_ORDER, ag__line_get(element), &(ag__move){out, g});
    return l.slabs ? clear_slabs(y, &l, out, (size_t)l.length * element) : clear_elements(y, &l, out, element);
}

static bool pick_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0), *zeros = ag_full(ag_tape_of(y), ag_dtype_of(x), ag_shape_of(x), 0);
    return (d[0] = ag_scatter(zeros, ag__axis_of(y), ag_in(y, 1), g[0])) != NULL;
}

const ag_op ag__op_scatter_pick = {
    .size = sizeof(ag_op),
    .name = "scatter_pick",
    .arity = 2,
    .inputs = "g index",
    .flags = AG_LINEAR,
    .attr_size = sizeof(ag__axis_attrs),
    .attrs = ag__axis_given,
    .formula = "g[index[i][j]][j], 0 where a later place is the same (axis 0)",
    .shape = pick_shape,
    .run = pick_run,
    .grad = pick_grad,
};

ag_tensor *ag_scatter_pick(ag_tensor *g, int axis, ag_tensor *index) {
    return ag_apply(&ag__op_scatter_pick, (ag_tensor *[]){g, index}, 2, &(ag__axis_attrs){axis});
}
