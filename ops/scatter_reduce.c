/* scatter_reduce.c: single elements combined with what stands where they are put: added, multiplied, averaged, or the largest or
 * smallest of them chosen.
 *
 *     axis 0:   y = x, then y[index[i][j]][j] = y[…] ∘ src[i][j], in row-major order of the index
 *               include_self false: where something is put, x itself does not count
 *
 * Of the largest, those that tie share the gradient, x among them. A product's gradient is that of the others' product, taken
 * without dividing by 0; it is exact to second order with any number of zeros. Sum and mean are made of scatter_add. */
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

static bool chooses_or_multiplies(const reduce_attrs *a) {
    return a->reduce != AG_REDUCE_SUM && a->reduce != AG_REDUCE_MEAN;
}

static bool plain(const ag_tensor *y) {
    return chooses_or_multiplies(ag_attrs(y)) && ag__same_shape(ag_shape_of(ag_in(y, 1)), ag_shape_of(ag_in(y, 2)));
}

static ag_tensor *number(const ag_tensor *like, double v) { return ag_scalar(ag_tape_of(like), ag_dtype_of(like), v); }

/* How many elements are put at each place of x, in x's dtype. */
static ag_tensor *count_of(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *index = ag_in(y, 1);
    ag_tensor *ones = ag_full(ag_tape_of(y), ag_dtype_of(x), ag_shape_of(index), 1);
    return ag_gather_add(ones, ((const reduce_attrs *)ag_attrs(y))->axis, index, ag_shape_of(x));
}

/* What is not plain: sums and means, and a src larger than the index, which is used as far as that goes. */
static ag_tensor *compose(ag_tensor *y) {
    const reduce_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *index = ag_in(y, 1), *src = ag_in(y, 2);
    int axis;
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 2) || !ag__need_index(y, 1, ag_shape_of(x), a->axis, &axis))
        return NULL;
    if (!(src = ag__line_source(y, index, src))) return NULL;
    if (chooses_or_multiplies(a)) return ag_apply(&ag__op_scatter_reduce, (ag_tensor *[]){x, index, src}, 3, a);
    ag_tensor *sum = ag_scatter_add(a->include_self ? x : ag_scatter_value(x, a->axis, index, 0), a->axis, index, src);
    if (a->reduce == AG_REDUCE_SUM) return sum;
    ag_tensor *count = count_of(y), *one = number(x, 1);
    count = a->include_self ? ag_add(count, one) : ag_maximum(count, one);
    return ag_dtype_of(x) == AG_I64 ? ag_floor_divide(sum, count) : ag_div(sum, count);
}

static bool reduce_shape(ag_tensor *y) {
    const reduce_attrs *a = ag_attrs(y);
    int axis;
    return ag__need_number(y, 0) && ag_need_same_dtype(y, 0, 2) && ag_need_same_shape(y, 1, 2) &&
           ag__need_index(y, 1, ag_shape_of(ag_in(y, 0)), a->axis, &axis) && ag_out_like(y, 0, ag_in(y, 0));
}

#define MULTIPLY(y, v) ((y) * (v))
#define LARGER(y, v) ((v) > (y) ? (v) : (y))
#define SMALLER(y, v) ((v) < (y) ? (v) : (y))
#define LARGER_OR_NAN(y, v) ((v) > (y) || (v) != (v) ? (v) : (y))
#define SMALLER_OR_NAN(y, v) ((v) < (y) || (v) != (v) ? (v) : (y))

#define COMBINE(NAME, T, OF)                                                                               \
    static void NAME(const ag__lines *l, void *to, const void *from, const int64_t *index, int64_t base) { \
        T *y = (T *)to + base;                                                                             \
        const T *src = from;                                                                               \
        for (int64_t j = 0; j < l->length; j++) {                                                          \
            T *at = l->slabs ? y + j : y + index[j] * l->by_index + j * l->step;                           \
            *at = OF(*at, src[j]);                                                                         \
        }                                                                                                  \
    }
COMBINE(prod_f32, float, MULTIPLY)
COMBINE(prod_f64, double, MULTIPLY)
COMBINE(prod_i64, uint64_t, MULTIPLY)
COMBINE(amax_f32, float, LARGER_OR_NAN)
COMBINE(amax_f64, double, LARGER_OR_NAN)
COMBINE(amax_i64, int64_t, LARGER)
COMBINE(amin_f32, float, SMALLER_OR_NAN)
COMBINE(amin_f64, double, SMALLER_OR_NAN)
COMBINE(amin_i64, int64_t, SMALLER)

/* The number that changes nothing, as bytes of the dtype. */
static const void *neutral(int reduce, ag_dtype dtype) {
    static const float f32[3] = {1, -(float)INFINITY, (float)INFINITY};
    static const double f64[3] = {1, -(double)INFINITY, (double)INFINITY};
    static const int64_t i64[3] = {1, INT64_MIN, INT64_MAX};
    int k = reduce == AG_REDUCE_PROD ? 0 : reduce == AG_REDUCE_AMAX ? 1 : 2;
    return dtype == AG_F32 ? (const void *)&f32[k] : dtype == AG_F64 ? (const void *)&f64[k] : (const void *)&i64[k];
}

static bool reduce_run(ag_tensor *y) {
    static ag__line_fn *const prods[] = {prod_f32, prod_f64, prod_i64}, *const most[] = {amax_f32, amax_f64, amax_i64},
                              *const least[] = {amin_f32, amin_f64, amin_i64};
    const reduce_attrs *a = ag_attrs(y);
    ag_dtype dtype = ag_dtype_of(y);
    void *out = ag_out_data(y, 0);
    int axis;
    ag__lines l;
    if (!ag__need_index(y, 1, ag_shape_of(y), a->axis, &axis) || !ag__lines_start(y, 1, ag_shape_of(y), axis, &l) ||
        !ag_read(ag_in(y, 0), out)) {
        return false;
    }
    const void *src = ag_op_dense(y, 2);
    if (!src && l.count) return false;
    if (!a->include_self) ag__lines_put(&l, ag__line_fill(dtype), out, neutral(a->reduce, dtype), 0);
    ag__line_fn *combine = (a->reduce == AG_REDUCE_PROD ? prods : a->reduce == AG_REDUCE_AMAX ? most : least)[dtype];
    ag__lines_put(&l, combine, out, src, ag_dtype_size(dtype));
    return true;
}

/* What the gradients of one node are made of. */
typedef struct backward {
    ag_tensor *y, *x, *index, *src, *g, *zero, *one;
    ag_tensor *untouched; /* bool: nothing is put there, y is x */
    int axis;
    bool include_self;
} backward;

static ag_tensor *at_index(const backward *b, ag_tensor *v) { return ag_gather(v, b->axis, b->index); }
static ag_tensor *summed(const backward *b, ag_tensor *v) {
    return ag_gather_add(v, b->axis, b->index, ag_shape_of(b->x));
}
static ag_tensor *counted(const backward *b, ag_tensor *yes) { return ag_cast(yes, ag_dtype_of(b->x)); }

/* Those that are as large as y share g equally. */
static bool of_extreme(const backward *b, ag_tensor *y, ag_tensor *d[]) {
    ag_tensor *own = ag_eq(b->x, y), *tied = ag_eq(b->src, at_index(b, y)), *count = summed(b, counted(b, tied));
    if (b->include_self) count = ag_add(count, counted(b, own));
    ag_tensor *each = ag_div(b->g, ag_maximum(count, b->one));
    d[0] = ag_where(b->untouched, b->g, b->include_self ? ag_where(own, each, b->zero) : b->zero);
    d[2] = ag_where(tied, at_index(b, each), b->zero);
    return d[0] && d[2];
}

/* Of the elements that meet at one place: y their product, rest that of those ≠ 0, zeros how many = 0, sum the sum of these:
 * 0, but each has the derivative 1 in it. */
typedef struct meeting {
    ag_tensor *y, *rest, *zeros, *sum;
} meeting;

static ag_tensor *is_zero(const backward *b, ag_tensor *v) { return ag_eq(v, b->zero); }
static ag_tensor *safe(const backward *b, ag_tensor *v) { return ag_where(is_zero(b, v), b->one, v); }
static ag_tensor *only_zeros(const backward *b, ag_tensor *v) { return ag_where(is_zero(b, v), v, b->zero); }

/* The product of all that meets v, but for v:  y / v where v ≠ 0; else rest if v is the only zero, and beside one other zero
 * rest (sum − v), that other zero; beside more it is 0, with all its first derivatives. */
static ag_tensor *others(const backward *b, ag_tensor *v, meeting m) {
    ag_tensor *two = number(b->x, 2), *with_one = ag_mul(m.rest, ag_sub(m.sum, v));
    ag_tensor *of_zero = ag_where(ag_eq(m.zeros, b->one), m.rest, ag_where(ag_eq(m.zeros, two), with_one, b->zero));
    return ag_where(is_zero(b, v), of_zero, ag_div(m.y, safe(b, v)));
}

static bool of_product(const backward *b, ag_tensor *y, ag_tensor *d[]) {
    const reduce_attrs *a = ag_attrs(b->y);
    ag_tensor *rest[3] = {safe(b, b->x), b->index, safe(b, b->src)};
    meeting m = {y, ag_apply(&ag__op_scatter_reduce, rest, 3, a), summed(b, counted(b, is_zero(b, b->src))),
                 summed(b, only_zeros(b, b->src))};
    if (b->include_self) {
        m.zeros = ag_add(m.zeros, counted(b, is_zero(b, b->x)));
        m.sum = ag_add(m.sum, only_zeros(b, b->x));
    }
    meeting of_src = {at_index(b, m.y), at_index(b, m.rest), at_index(b, m.zeros), at_index(b, m.sum)};
    ag_tensor *by_x = b->include_self ? ag_mul(b->g, others(b, b->x, m)) : b->zero;
    d[0] = ag_where(b->untouched, b->g, by_x);
    d[2] = ag_mul(at_index(b, b->g), others(b, b->src, of_src));
    return d[0] && d[2];
}

static bool reduce_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const reduce_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *zero = number(x, 0);
    backward b = {
        y, x, ag_in(y, 1), ag_in(y, 2), g[0], zero, number(x, 1), ag_eq(count_of(y), zero), a->axis, a->include_self};
    return a->reduce == AG_REDUCE_PROD ? of_product(&b, y, d) : of_extreme(&b, y, d);
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
