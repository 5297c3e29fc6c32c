/* scatter_reduce.c: single elements combined with what stands where they are put: added, multiplied, averaged, or the largest or
 * smallest of them chosen.
 *
 *     axis 0:   y = x, then y[index[i][j]][j] = y[…] ∘ src[i][j], in row-major order of the index
 *               include_self false: where something is put, x itself does not count
 *
 * Extremes are chosen here, and share their gradient by scatter_share. Sum and mean are made of scatter_add, a product is what
 * scatter_scan ends with. */
#include <math.h>
#include <stddef.h>

#include "ops/lines.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct reduce_attrs {
    int axis, reduce;
    bool include_self;
} reduce_attrs;

static const ag_attr_field fields[] = {{"axis", AG_ATTR_INT, offsetof(reduce_attrs, axis), NULL},
                                       {"reduce", AG_ATTR_CHOICE, offsetof(reduce_attrs, reduce), "sum|prod|mean|amax|amin"},
                                       {"include_self", AG_ATTR_BOOL, offsetof(reduce_attrs, include_self), "true"},
                                       {0}};

static bool chooses(const reduce_attrs *a) { return a->reduce == AG_REDUCE_AMAX || a->reduce == AG_REDUCE_AMIN; }

static bool plain(const ag_tensor *y) {
    return chooses(ag_attrs(y)) && ag__same_shape(ag_shape_of(ag_in(y, 1)), ag_shape_of(ag_in(y, 2)));
}

/* How many elements are put at each place of x, in x's dtype. */
static ag_tensor *count_of(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *index = ag_in(y, 1);
    ag_tensor *ones = ag_full(ag_tape_of(y), ag_dtype_of(x), ag_shape_of(index), 1);
    return ag_gather_add(ones, ((const reduce_attrs *)ag_attrs(y))->axis, index, ag_shape_of(x));
}

/* What is not plain: sums, means and products, and a src larger than the index, which is used as far as that goes. */
static ag_tensor *compose(ag_tensor *y) {
    const reduce_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *index = ag_in(y, 1), *src = ag_in(y, 2), *product = NULL;
    int axis;
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 2) || !ag__need_index(y, 1, ag_shape_of(x), a->axis, &axis))
        return NULL;
    if (!(src = ag__line_source(y, index, src))) return NULL;
    if (chooses(a)) return ag_apply(&ag__op_scatter_reduce, (ag_tensor *[]){x, index, src}, 3, a);
    if (!a->include_self) x = ag_scatter_value(x, a->axis, index, a->reduce == AG_REDUCE_PROD);
    if (a->reduce == AG_REDUCE_PROD)
        return ag_scatter_scan(x, a->axis, index, src, NULL, false, &product) ? product : NULL;
    ag_tensor *sum = ag_scatter_add(x, a->axis, index, src);
    if (a->reduce == AG_REDUCE_SUM) return sum;
    ag_tensor *count = count_of(y), *one = ag_scalar(ag_tape_of(y), ag_dtype_of(x), 1);
    count = a->include_self ? ag_add(count, one) : ag_maximum(count, one);
    return ag_dtype_of(x) == AG_I64 ? ag_floor_divide(sum, count) : ag_div(sum, count);
}

static bool reduce_shape(ag_tensor *y) {
    const reduce_attrs *a = ag_attrs(y);
    int axis;
    return ag__need_number(y, 0) && ag_need_same_dtype(y, 0, 2) && ag_need_same_shape(y, 1, 2) &&
           ag__need_index(y, 1, ag_shape_of(ag_in(y, 0)), a->axis, &axis) && ag_out_like(y, 0, ag_in(y, 0));
}

#define LARGER(y, v) ((v) > (y) ? (v) : (y))
#define SMALLER(y, v) ((v) < (y) ? (v) : (y))
#define LARGER_OR_NAN(y, v) ((v) > (y) || (v) != (v) ? (v) : (y))
#define SMALLER_OR_NAN(y, v) ((v) < (y) || (v) != (v) ? (v) : (y))

#define COMBINE(NAME, T, OF)                                                                              \
    static void NAME(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base) { \
        const ag__move *m = context;                                                                      \
        T *y = m->to;                                                                                     \
        const T *src = (const T *)m->from + at;                                                           \
        for (int64_t j = 0; j < l->length; j++) {                                                         \
            T *best = y + ag__line_at(l, index, base, j);                                                 \
            *best = OF(*best, src[j]);                                                                    \
        }                                                                                                 \
    }
COMBINE(amax_f32, float, LARGER_OR_NAN)
COMBINE(amax_f64, double, LARGER_OR_NAN)
COMBINE(amax_i64, int64_t, LARGER)
COMBINE(amin_f32, float, SMALLER_OR_NAN)
COMBINE(amin_f64, double, SMALLER_OR_NAN)
COMBINE(amin_i64, int64_t, SMALLER)

/* The number that every other replaces, as bytes of the dtype. */
static const void *neutral(bool largest, ag_dtype dtype) {
    static const float f32[2] = {(float)INFINITY, -(float)INFINITY};
    static const double f64[2] = {(double)INFINITY, -(double)INFINITY};
    static const int64_t i64[2] = {INT64_MAX, INT64_MIN};
    return dtype == AG_F32   ? (const void *)&f32[largest]
           : dtype == AG_F64 ? (const void *)&f64[largest]
                             : &i64[largest];
}

static bool reduce_run(ag_tensor *y) {
    static ag__line_fn *const most[] = {amax_f32, amax_f64, amax_i64}, *const least[] = {amin_f32, amin_f64, amin_i64};
    const reduce_attrs *a = ag_attrs(y);
    ag_dtype dtype = ag_dtype_of(y);
    bool largest = a->reduce == AG_REDUCE_AMAX;
    ag__move m = {ag_out_data(y, 0), neutral(largest, dtype)};
    int axis;
    ag__lines l;
    if (!ag__need_index(y, 1, ag_shape_of(y), a->axis, &axis) || !ag__lines_start(y, 1, ag_shape_of(y), axis, &l) ||
        !ag_read(ag_in(y, 0), m.to)) {
        return false;
    }
    if (!a->include_self) ag__lines_walk(&l, AG__FORWARDS, ag__line_fill(dtype), &m);
    m.from = ag_op_dense(y, 2);
    if (!m.from && l.count) return false;
    ag__lines_walk(&l, AG__FORWARDS, (largest ? most : least)[dtype], &m);
    return true;
}

static bool reduce_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const reduce_attrs *a = ag_attrs(y);
    d[0] = ag_scatter_share(g[0], ag_in(y, 0), ag_in(y, 2), a->axis, ag_in(y, 1), a->reduce == AG_REDUCE_AMAX,
                            a->include_self, &d[2]);
    return d[0] != NULL;
}

static double reduce_flops(const ag_tensor *y) { return (double)ag_size(ag_in(y, 2)); }

const ag_op ag__op_scatter_reduce = {
    .size = sizeof(ag_op),
    .name = "scatter_reduce",
    .arity = 3,
    .inputs = "x index src",
    .attr_size = sizeof(reduce_attrs),
    .attrs = fields,
    .formula = "x combined with src at index[i][j], j (axis 0)",
    .shape = reduce_shape,
    .run = reduce_run,
    .grad = reduce_grad,
    .compose = compose,
    .plain = plain,
    .flops = reduce_flops,
};

ag_tensor *ag_scatter_reduce(ag_tensor *x, int axis, ag_tensor *index, ag_tensor *src, ag_reduce reduce, bool include_self) {
    reduce_attrs a = {axis, (int)reduce, include_self};
    return ag_apply(&ag__op_scatter_reduce, (ag_tensor *[]){x, index, src}, 3, &a);
}
