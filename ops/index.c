/* index.c: whole slabs picked by an index tensor, and their adjoint.
 *
 *     x seen as outer × n × inner:    y[o][k] = x[o][index[k]]         take
 *                                     y[o][index[k]] += g[o][k]        take_add, in order of k: the same sum at every run
 *
 * Indices are checked before anything is written. take and take_add are each other's gradients. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

const int64_t *ag__index_fail(ag_tensor *y, ag_shape s, int64_t k, int64_t value, int64_t n) {
    char at[AG__TEXT] = "";
    int64_t place[AG_MAX_RANK];
    int used = 0;
    for (int i = s.rank - 1; i >= 0; i--) {
        place[i] = k % s.dim[i];
        k /= s.dim[i];
    }
    for (int i = 0; i < s.rank; i++) {
        used += snprintf(at + used, sizeof at - (size_t)used, "%s%lld%s", i ? "," : "[", (long long)place[i],
                         i + 1 < s.rank ? "" : "]");
    }
    ag_op_fail(y, AG_ERR_VALUE, "index%s = %lld is not in [%lld, %lld)", at, (long long)value, (long long)-n, (long long)n);
    return NULL;
}

const int64_t *ag__indices(ag_tensor *y, int i, int64_t n) {
    static const int64_t none;
    ag_tensor *index = ag_in(y, i);
    int64_t size = ag_size(index);
    uint64_t signs = 0; /* a loop that runs in vectors of every ISA */
    const int64_t *given = size ? ag_op_dense(y, i) : &none;
    if (!given) return NULL;
    for (int64_t k = 0; k < size; k++) signs |= (uint64_t)given[k] | ((uint64_t)n - 1 - (uint64_t)given[k]);
    if (signs >> 63 == 0) return given;
    int64_t *resolved = ag_op_workspace(y, (size_t)size * sizeof *resolved);
    if (!resolved) return NULL;
    for (int64_t k = 0; k < size; k++) {
        if (given[k] < -n || given[k] >= n) return ag__index_fail(y, ag_shape_of(index), k, given[k], n);
        resolved[k] = given[k] < 0 ? given[k] + n : given[k];
    }
    return resolved;
}

/* s with the axis replaced by those of the index. */
static bool taken_shape(ag_tensor *y, ag_shape s, int axis, ag_shape *out) {
    ag_shape index = ag_shape_of(ag_in(y, 1));
    *out = (ag_shape){.rank = s.rank - 1 + index.rank};
    if (out->rank > AG_MAX_RANK) {
        return ag_op_fail(y, AG_ERR_SHAPE, "the result would have %d axes; at most %d are possible", out->rank, AG_MAX_RANK);
    }
    for (int i = 0; i < axis; i++) out->dim[i] = s.dim[i];
    for (int i = 0; i < index.rank; i++) out->dim[axis + i] = index.dim[i];
    for (int i = axis + 1; i < s.rank; i++) out->dim[i - 1 + index.rank] = s.dim[i];
    return true;
}

typedef struct take_attrs {
    ag_axes axis; /* one; all: of x seen as one line */
} take_attrs;

static const ag_attr_field take_fields[] = {{"axis", AG_ATTR_AXES, offsetof(take_attrs, axis), "all"}, {0}};

static bool along_one(const ag_tensor *y) { return ((const take_attrs *)ag_attrs(y))->axis.count == 1; }

static ag_tensor *take_any(ag_tensor *y) {
    const take_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    if (along_one(y)) return ag_take(x, ag_in(y, 1), a->axis.axis[0]);
    if (a->axis.count < 0) return ag_take(ag_reshape(x, AG_SHAPE(ag_size(x))), ag_in(y, 1), 0);
    ag_op_fail(y, AG_ERR_ARGUMENT, "axis must be one axis, or all");
    return NULL;
}

static bool take_shape(ag_tensor *y) {
    const take_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    ag_shape s;
    return ag_need_dtype(y, 1, AG_I64) && ag_need_axis(y, a->axis.axis[0], ag_rank(x), &axis) &&
           taken_shape(y, ag_shape_of(x), axis, &s) && ag_out_shape(y, 0, ag_dtype_of(x), s);
}

typedef struct copy {
    const char *x;
    char *out;
    const int64_t *index;
    int64_t n, count;
    size_t slab;
} copy;

static void copy_slabs(void *context, int64_t begin, int64_t end) {
    const copy *c = context;
    int64_t k = begin % c->count, o = begin / c->count;
    for (int64_t i = begin; i < end; i++) {
        ag__copy_slab(c->out + (size_t)i * c->slab, c->x + (size_t)(o * c->n + c->index[k]) * c->slab, c->slab);
        if (++k < c->count) continue;
        k = 0;
        o++;
    }
}

static bool take_run(ag_tensor *y) {
    const take_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    if (!ag_need_axis(y, a->axis.axis[0], ag_rank(x), &axis)) return false;
    ag__along s = ag__along_axis(ag_shape_of(x), axis);
    const int64_t *index = ag__indices(y, 1, s.n);
    if (!index) return false;
    if (ag_size(y) == 0) return true;
    copy c = {ag_op_dense(y, 0),
              ag_out_data(y, 0),
              index,
              s.n,
              ag_size(ag_in(y, 1)),
              (size_t)s.inner * ag_dtype_size(ag_dtype_of(x))};
    if (!c.x) return false;
    ag_parallel_for(s.outer * c.count, 1 + (int64_t)(131072 / c.slab), copy_slabs, &c);
    return true;
}

static bool take_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const take_attrs *a = ag_attrs(y);
    return (d[0] = ag_take_add(g[0], ag_in(y, 1), ag_shape_of(ag_in(y, 0)), a->axis.axis[0])) != NULL;
}

const ag_op ag__op_take = {
    .size = sizeof(ag_op),
    .name = "take",
    .arity = 2,
    .inputs = "x index",
    .flags = AG_LINEAR,
    .attr_size = sizeof(take_attrs),
    .attrs = take_fields,
    .formula = "x[index] along axis",
    .shape = take_shape,
    .run = take_run,
    .grad = take_grad,
    .compose = take_any,
    .plain = along_one,
};

ag_tensor *ag_take(ag_tensor *x, ag_tensor *index, int axis) {
    take_attrs a = {{.count = 1, .axis = {axis}}};
    return ag_apply(&ag__op_take, (ag_tensor *[]){x, index}, 2, &a);
}

typedef struct take_add_attrs {
    ag_shape shape;
    int axis;
} take_add_attrs;

static const ag_attr_field take_add_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(take_add_attrs, shape), NULL},
                                                {"axis", AG_ATTR_INT, offsetof(take_add_attrs, axis), "0"},
                                                {0}};

static bool take_add_shape(ag_tensor *y) {
    const take_add_attrs *a = ag_attrs(y);
    ag_tensor *g = ag_in(y, 0);
    int axis;
    ag_shape s;
    if (!ag__need_number(y, 0) || !ag_need_dtype(y, 1, AG_I64) || !ag__need_shape(y, a->shape)) return false;
    if (!ag_need_axis(y, a->axis, a->shape.rank, &axis) || !taken_shape(y, a->shape, axis, &s)) return false;
    if (ag__same_shape(s, ag_shape_of(g))) return ag_out_shape(y, 0, ag_dtype_of(g), a->shape);
    char have[AG__TEXT], index[AG__TEXT], want[AG__TEXT], whole[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "%s does not fit: taking %s along axis %d of %s gives %s",
                      ag_shape_text(g, have, sizeof have), ag_shape_text(ag_in(y, 1), index, sizeof index), axis,
                      ag__dims_text(a->shape, whole), ag__dims_text(s, want));
}

typedef void add_fn(void *out, const void *x, int64_t n);

#define ADD(NAME, T)                                                        \
    static void NAME(void *out, const void *x, int64_t n) {                 \
        for (int64_t i = 0; i < n; i++) ((T *)out)[i] += ((const T *)x)[i]; \
    }
ADD(add_f32, float)
ADD(add_f64, double)
ADD(add_i64, uint64_t)

static bool take_add_run(ag_tensor *y) {
    static add_fn *const adds[AG_DTYPE_COUNT] = {add_f32, add_f64, add_i64};
    const take_add_attrs *a = ag_attrs(y);
    add_fn *add = adds[ag_dtype_of(y)];
    size_t element = ag_dtype_size(ag_dtype_of(y));
    int axis;
    if (!ag_need_axis(y, a->axis, a->shape.rank, &axis)) return false;
    ag__along s = ag__along_axis(a->shape, axis);
    const int64_t *index = ag__indices(y, 1, s.n);
    if (!index) return false;
    char *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * element);
    if (ag_size(ag_in(y, 0)) == 0) return true;
    const char *g = ag_op_dense(y, 0);
    if (!g) return false;
    int64_t count = ag_size(ag_in(y, 1));
    size_t slab = (size_t)s.inner * element;
    for (int64_t o = 0; o < s.outer; o++) {
        for (int64_t k = 0; k < count; k++, g += slab) add(out + (size_t)(o * s.n + index[k]) * slab, g, s.inner);
    }
    return true;
}

static bool take_add_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const take_add_attrs *a = ag_attrs(y);
    return (d[0] = ag_take(g[0], ag_in(y, 1), a->axis)) != NULL;
}

const ag_op ag__op_take_add = {
    .size = sizeof(ag_op),
    .name = "take_add",
    .arity = 2,
    .inputs = "g index",
    .flags = AG_LINEAR,
    .attr_size = sizeof(take_add_attrs),
    .attrs = take_add_fields,
    .formula = "zeros with g added at index along axis",
    .shape = take_add_shape,
    .run = take_add_run,
    .grad = take_add_grad,
};

ag_tensor *ag_take_add(ag_tensor *g, ag_tensor *index, ag_shape shape, int axis) {
    take_add_attrs a = {shape, axis};
    return ag_apply(&ag__op_take_add, (ag_tensor *[]){g, index}, 2, &a);
}
