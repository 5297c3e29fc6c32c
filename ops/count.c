/* count.c: how many numbers fall into each of so many bins.
 *
 *     bincount  0 2 2 | minlength=4  ─▶  1 0 2 0         histc  bins of one width from min to max, the last with max
 *
 * How many bins there are is said, not read from the numbers: no shape depends on values. */
#include <string.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct count_attrs {
    int64_t bins;
} count_attrs;

static const ag_attr_field count_fields[] = {{"minlength", AG_ATTR_I64, offsetof(count_attrs, bins), NULL}, {0}};

static bool shape(ag_tensor *y) {
    int64_t bins = ((const count_attrs *)ag_attrs(y))->bins;
    const ag_tensor *weights = ag_in(y, 1);
    if (!ag_need_dtype(y, 0, AG_I64) || !ag_need_rank(y, 0, 1, 1)) return false;
    if (weights && (!ag__need_number(y, 1) || !ag_need_same_shape(y, 0, 1))) return false;
    return ag__need_shape(y, AG_SHAPE(bins)) && ag_out_shape(y, 0, weights ? ag_dtype_of(weights) : AG_I64, AG_SHAPE(bins));
}

static bool run(ag_tensor *y) {
    int64_t n = ag_size(ag_in(y, 0)), bins = ag_size(y), *count = ag_out_data(y, 0);
    const int64_t *index = ag_op_dense(y, 0);
    const void *weight = NULL;
    if (!index || !ag__dense(y, 1, &weight)) return false;
    memset(count, 0, (size_t)bins * ag_dtype_size(ag_dtype_of(y)));
    for (int64_t k = 0; k < n; k++) {
        int64_t i = index[k];
        if (i < 0 || i >= bins)
            return ag_op_fail(y, AG_ERR_VALUE, "x[%lld] is %lld; minlength says that there are bins from 0 to %lld",
                              (long long)k, (long long)i, (long long)bins - 1);
        if (ag_dtype_of(y) == AG_I64) count[i] += weight ? ((const int64_t *)weight)[k] : 1;
        else if (ag_dtype_of(y) == AG_F64) ((double *)(void *)count)[i] += ((const double *)weight)[k];
        else ((float *)(void *)count)[i] += ((const float *)weight)[k];
    }
    return true;
}

static bool grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[1] = ag_take(g[0], ag_in(y, 0), 0)) != NULL;
}

const ag_op ag__op_bincount = {
    .size = sizeof(ag_op),
    .name = "bincount",
    .arity = 1,
    .optional = 1,
    .inputs = "x weights",
    .flags = AG_LINEAR,
    .attr_size = sizeof(count_attrs),
    .attrs = count_fields,
    .formula = "how many x are 0, 1, …, or their weights added up",
    .shape = shape,
    .run = run,
    .grad = grad,
};

ag_tensor *ag_bincount(ag_tensor *x, ag_tensor *weights, int64_t minlength) {
    return ag_apply(&ag__op_bincount, (ag_tensor *[]){x, weights}, weights ? 2 : 1, &(count_attrs){minlength});
}

typedef struct histc_attrs {
    int64_t bins;
    double min, max;
} histc_attrs;

static const ag_attr_field histc_fields[] = {{"bins", AG_ATTR_I64, offsetof(histc_attrs, bins), "100"},
                                             {"min", AG_ATTR_F64, offsetof(histc_attrs, min), "0"},
                                             {"max", AG_ATTR_F64, offsetof(histc_attrs, max), "0"},
                                             {0}};

static ag_tensor *histc(ag_tensor *y) {
    const histc_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *low, *high;
    if (!ag_need_float(y, 0)) return NULL;
    if (a->bins < 1 || !(a->min <= a->max)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "%lld bins from %g to %g: there is at least one, and min is at most max",
                   (long long)a->bins, a->min, a->max);
        return NULL;
    }
    low = ag__constant(x, a->min), high = ag__constant(x, a->max);
    if (a->min == a->max && ag_size(x)) low = ag_min(x, AG_ALL, false), high = ag_max(x, AG_ALL, false);
    ag_tensor *none = ag_cast(ag_eq(low, high), ag_dtype_of(x)); /* then one more on either side */
    low = ag_sub(low, none), high = ag_add(high, none);
    ag_tensor *in = ag_logical_and(ag_ge(x, low), ag_le(x, high)), *bins = ag__constant(x, (double)a->bins);
    ag_tensor *at = ag_floor(ag_div(ag_mul(ag_sub(x, low), bins), ag_sub(high, low)));
    at = ag_where(in, ag_minimum(at, ag_sub(bins, ag__constant(x, 1))), ag__constant(x, 0));
    ag_shape line = AG_SHAPE(ag_size(x));
    ag_tensor *counts = ag_bincount(ag_cast(ag_reshape(at, line), AG_I64), ag_cast(ag_reshape(in, line), AG_I64), a->bins);
    return ag_cast(counts, ag_dtype_of(x));
}

AG__COMPOSED_FLAT(histc, 1, sizeof(histc_attrs), histc_fields, "how many x are in each of equal bins from min to max",
                  histc);

ag_tensor *ag_histc(ag_tensor *x, int64_t bins, double min, double max) {
    return ag_apply(&ag__op_histc, &x, 1, &(histc_attrs){bins, min, max});
}
