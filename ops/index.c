/* index.c: whole slabs picked by an index tensor, and their adjoint.
 *
 *     x seen as outer × n × inner:    y[o][k] = x[o][index[k]]         take; embedding is take along axis 0
 *                                     y[o][index[k]] += g[o][k]        take_add, in order of k: the same sum at every run
 *
 * Indices are checked before anything is written. take and take_add are each other's gradients. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static void out_of_range(ag_tensor *y, ag_shape s, int64_t k, int64_t value, int64_t n) {
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
}

const int64_t *ag__indices(ag_tensor *y, int i, int64_t n) {
    ag_tensor *index = ag_in(y, i);
    int64_t size = ag_size(index);
    int64_t *resolved = ag_op_workspace(y, (size_t)size * sizeof *resolved);
    const int64_t *given = ag_op_dense(y, i);
    if (!resolved || (!given && size)) return NULL;
    for (int64_t k = 0; k < size; k++) {
        if (given[k] < -n || given[k] >= n) {
            out_of_range(y, ag_shape_of(index), k, given[k], n);
            return NULL;
        }
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
    int axis;
} take_attrs;

static const ag_attr_field take_fields[] = {{"axis", AG_ATTR_INT, offsetof(take_attrs, axis), "0"}, {0}};

static bool take_shape(ag_tensor *y) {
    const take_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    ag_shape s;
    return ag_need_dtype(y, 1, AG_I64) && ag_need_axis(y, a->axis, ag_rank(x), &axis) &&
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
    if (!ag_need_axis(y, a->axis, ag_rank(x), &axis)) return false;
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
    return (d[0] = ag_take_add(g[0], ag_in(y, 1), ag_shape_of(ag_in(y, 0)), a->axis)) != NULL;
}

const ag_op ag__op_take = {
    .size = sizeof(ag_op),
    .name = "take",
    .arity = 2,
    .flags = AG_LINEAR,
    .attr_size = sizeof(take_attrs),
    .attrs = take_fields,
    .formula = "x[index] along axis",
    .shape = take_shape,
    .run = take_run,
    .grad = take_grad,
};

ag_tensor *ag_take(ag_tensor *x, ag_tensor *index, int axis) {
    take_attrs a = {axis};
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

static ag_tensor *embedding(ag_tensor *y) {
    return ag_need_rank(y, 0, 2, 2) && ag_need_dtype(y, 1, AG_I64) ? ag_take(ag_in(y, 0), ag_in(y, 1), 0) : NULL;
}

const ag_op ag__op_embedding = {
    .size = sizeof(ag_op),
    .name = "embedding",
    .arity = 2,
    .formula = "weight[index]",
    .compose = embedding,
};

ag_tensor *ag_embedding(ag_tensor *weight, ag_tensor *index) {
    return ag_apply(&ag__op_embedding, (ag_tensor *[]){weight, index}, 2, NULL);
}

typedef struct one_hot_attrs {
    int64_t classes;
    ag_dtype dtype;
} one_hot_attrs;

static const ag_attr_field one_hot_fields[] = {{"classes", AG_ATTR_I64, offsetof(one_hot_attrs, classes), NULL},
                                               {"dtype", AG_ATTR_DTYPE, offsetof(one_hot_attrs, dtype), "f32"},
                                               {0}};

static bool one_hot_shape(ag_tensor *y) {
    const one_hot_attrs *a = ag_attrs(y);
    ag_shape s = ag_shape_of(ag_in(y, 0));
    if (!ag_need_dtype(y, 0, AG_I64) || !ag_need_rank(y, 0, 0, AG_MAX_RANK - 1)) return false;
    if (a->classes < 0) return ag_op_fail(y, AG_ERR_ARGUMENT, "classes is %lld", (long long)a->classes);
    if (ag_dtype_size(a->dtype) == 0) return ag_op_fail(y, AG_ERR_DTYPE, "no dtype has the number %d", (int)a->dtype);
    s.dim[s.rank++] = a->classes;
    return ag_out_shape(y, 0, a->dtype, s);
}

static bool one_hot_run(ag_tensor *y) {
    static const float f32 = 1;
    static const double f64 = 1;
    static const int64_t i64 = 1;
    static const bool yes = true;
    static const void *const one[AG_DTYPE_COUNT] = {&f32, &f64, &i64, &yes};
    const one_hot_attrs *a = ag_attrs(y);
    size_t element = ag_dtype_size(a->dtype);
    const int64_t *index = ag__indices(y, 0, a->classes);
    if (!index) return false;
    char *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * element);
    int64_t count = ag_size(ag_in(y, 0));
    for (int64_t k = 0; k < count; k++) {
        ag__copy_slab(out + (size_t)(k * a->classes + index[k]) * element, one[a->dtype], element);
    }
    return true;
}

const ag_op ag__op_one_hot = {
    .size = sizeof(ag_op),
    .name = "one_hot",
    .arity = 1,
    .flags = AG_FLAT,
    .attr_size = sizeof(one_hot_attrs),
    .attrs = one_hot_fields,
    .formula = "1 at index, else 0, along a new last axis",
    .shape = one_hot_shape,
    .run = one_hot_run,
};

ag_tensor *ag_one_hot(ag_tensor *index, int64_t classes, ag_dtype dtype) {
    one_hot_attrs a = {classes, dtype};
    return ag_apply(&ag__op_one_hot, &index, 1, &a);
}
