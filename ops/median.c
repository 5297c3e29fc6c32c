/* median.c: the k-th smallest along an axis, and the median, which is the lower one of two in the middle.
 *
 *     x 4 1 3 2:   kthvalue 3 ─▶ 3     median ─▶ 2      with NaN among them: the first NaN; nanmedian passes over it
 *
 * The gradient goes to the element chosen, of equal ones that which sorting puts there. A median of all elements shares it among
 * those that equal it, as PyTorch's does. */
#include <math.h>
#include <stddef.h>

#include "autograd/node.h"
#include "ops/order.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

typedef struct job {
    const char *x;
    char *value;
    int64_t *index, k; /* k: which in order; −1: the median */
    ag_dtype dtype;
    size_t element;
    ag__along s;
    bool passes_nan;
} job;

/* Which of n keys in order is the median; −1: the first NaN is. */
static int64_t middle(const uint64_t *key, int64_t n, ag_dtype dtype, bool passes_nan) {
    int64_t nans = 0;
    for (int64_t i = 0; i < n && dtype <= AG_F64; i++) nans += key[i] == AG__KEY_NAN;
    if (nans == n) return 0;
    return passes_nan ? (n - nans - 1) / 2 : nans ? n - nans : (n - 1) / 2;
}

static void choose(void *context, int64_t line, void *scratch) {
    const job *j = context;
    int64_t n = j->s.n, step = j->s.inner, k = j->k;
    const char *x = j->x + (size_t)(line / step * n * step + line % step) * j->element;
    uint64_t *key = scratch;
    ag__order_keys(x, j->dtype, n, step, false, key);
    if (k < 0) k = middle(key, n, j->dtype, j->passes_nan);
    int64_t place = j->index[line] = ag__order_select(key, n, k, key + n);
    ag__copy_slab(j->value + (size_t)line * j->element, x + (size_t)(place * step) * j->element, j->element);
}

static bool run(ag_tensor *y, ag__along s, int64_t k, bool passes_nan) {
    ag_tensor *in = ag_in(y, 0);
    ag_dtype dtype = ag_dtype_of(in);
    if (ag_size(ag_out(y, 0)) == 0) return true;
    job j = {ag_op_dense(y, 0), ag_out_data(y, 0), ag_out_data(y, 1), k, dtype, ag_dtype_size(dtype), s, passes_nan};
    if (!j.x) return false;
    return ag__each_line(y, s.outer * s.inner, s.n, 2 * (size_t)s.n * sizeof(uint64_t), choose, &j);
}

typedef struct kth_attrs {
    int64_t k;
    int axis;
    bool keepdim;
} kth_attrs;

static const ag_attr_field kth_fields[] = {{"k", AG_ATTR_I64, offsetof(kth_attrs, k), NULL},
                                           {"axis", AG_ATTR_INT, offsetof(kth_attrs, axis), "-1"},
                                           {"keepdim", AG_ATTR_BOOL, offsetof(kth_attrs, keepdim), "false"},
                                           {0}};

static bool kth_shape(ag_tensor *y) {
    const kth_attrs *a = ag_attrs(y);
    ag_shape x = ag_shape_of(ag_in(y, 0));
    int axis;
    if (!ag__need_number(y, 0) || !ag__need_line(y, a->axis, x.rank, &axis)) return false;
    int64_t n = x.rank ? x.dim[axis] : 1;
    if (a->k < 1 || a->k > n) {
        char text[AG__TEXT];
        return ag_op_fail(y, AG_ERR_ARGUMENT, "k is %lld; it counts the %lld elements of axis %d of %s from 1",
                          (long long)a->k, (long long)n, axis, ag_shape_text(ag_in(y, 0), text, sizeof text));
    }
    return ag__chosen_shape(y, a->axis, a->keepdim);
}

static bool kth_run(ag_tensor *y) {
    const kth_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    return ag__need_line(y, a->axis, ag_rank(x), &axis) && run(y, ag__along_axis(ag_shape_of(x), axis), a->k - 1, false);
}

static bool kth_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const kth_attrs *a = ag_attrs(y);
    return ag__to_places(y, g[0], a->axis, a->keepdim, d);
}

static bool kth_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const kth_attrs *a = ag_attrs(y);
    return ag__from_places(y, tangent[0], a->axis, a->keepdim, out);
}

const ag_op ag__op_kthvalue = {
    .size = sizeof(ag_op),
    .name = "kthvalue",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(kth_attrs),
    .attrs = kth_fields,
    .formula = "the k-th smallest along axis, and its place",
    .shape = kth_shape,
    .run = kth_run,
    .grad = kth_grad,
    .jvp = kth_jvp,
};

ag_tensor *ag_kthvalue(ag_tensor *x, int64_t k, int axis, bool keepdim, ag_tensor **index) {
    return ag__parts(ag_apply(&ag__op_kthvalue, &x, 1, &(kth_attrs){k, axis, keepdim}), index);
}

/* Of no elements at all the median is NaN, at no place; of none along an axis there is nothing to choose. */
static bool of_nothing(const ag_tensor *y) {
    const ag__over *a = ag_attrs(y);
    return a->axes.count < 0 && ag_size(ag_in(y, 0)) == 0 && ag_dtype_of(ag_in(y, 0)) != AG_I64;
}

static bool median_shape(ag_tensor *y) {
    return ag__reduce_one_axis(y) && ag__reduce_shape(y) && (of_nothing(y) || ag__reduce_needs_some(y)) &&
           ag_out_shape(y, 1, AG_I64, ag_shape_of(ag_out(y, 0)));
}

static bool median(ag_tensor *y, bool passes_nan) {
    const ag__over *a = ag_attrs(y);
    const ag_tensor *x = ag_in(y, 0);
    int axis;
    if (of_nothing(y)) {
        ag__store_value(ag_out_data(y, 0), (int)ag_dtype_of(x), (double)NAN);
        *(int64_t *)ag_out_data(y, 1) = -1;
        return true;
    }
    if (a->axes.count < 0) return run(y, (ag__along){1, ag_size(x), 1}, -1, passes_nan);
    return ag__need_line(y, a->axes.axis[0], ag_rank(x), &axis) &&
           run(y, ag__along_axis(ag_shape_of(x), axis), -1, passes_nan);
}

static bool median_run(ag_tensor *y) { return median(y, false); }
static bool nanmedian_run(ag_tensor *y) { return median(y, true); }

/* v shared among those that are the median of all; NaN is NaN's equal. */
static ag_tensor *share(ag_tensor *y, ag_tensor *v) {
    ag_tensor *x = ag_in(y, 0), *m = ag_out(y, 0);
    return ag__share_ties(y, ag_same(x, m), v);
}

static bool median_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const ag__over *a = ag_attrs(y);
    if (a->axes.count >= 0) return ag__to_places(y, g[0], a->axes.axis[0], a->keepdim, d);
    return !g[0] || (d[0] = share(y, g[0])) != NULL;
}

static bool median_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const ag__over *a = ag_attrs(y);
    if (a->axes.count >= 0) return ag__from_places(y, tangent[0], a->axes.axis[0], a->keepdim, out);
    return (out[0] = ag_sum(share(y, tangent[0]), AG_ALL, a->keepdim)) != NULL;
}

/* A key of each element, and about three passes of a selection */
static double median_flops(const ag_tensor *y) { return 8 * ag__reduce_flops(y); }

#define RECORD(op, text, run_fn)                              \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),         \
                               .name = #op,                   \
                               .arity = 1,                    \
                               .nout = 2,                     \
                               .attr_size = sizeof(ag__over), \
                               .attrs = ag__over_fields,      \
                               .formula = text,               \
                               .shape = median_shape,         \
                               .run = run_fn,                 \
                               .grad = median_grad,           \
                               .jvp = median_jvp,             \
                               .flops = median_flops};
RECORD(median, "the lower median along one axis or of all, and its place", median_run)
RECORD(nanmedian, "the lower median of what is not NaN, and its place", nanmedian_run)

ag_tensor *ag_median(ag_tensor *x, ag_axes axis, bool keepdim, ag_tensor **index) {
    return ag__parts(ag_apply(&ag__op_median, &x, 1, &(ag__over){axis, keepdim}), index);
}

ag_tensor *ag_nanmedian(ag_tensor *x, ag_axes axis, bool keepdim, ag_tensor **index) {
    return ag__parts(ag_apply(&ag__op_nanmedian, &x, 1, &(ag__over){axis, keepdim}), index);
}
