/* truth.c: what is not zero: whether any or all elements are, and how many; and sums that pass over NaN. */
#include "ops/compose.h"
#include "ops/fold.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

/* x ≠ 0 as a bool or as an i64; NaN is not 0. Bools of foreign memory may be any byte. */
#define LOAD(NAME, T, R)                                                   \
    static void NAME(const void *x, int64_t n, double unused, void *out) { \
        const T *in = x;                                                   \
        R *is = out;                                                       \
        (void)unused;                                                      \
        for (int64_t i = 0; i < n; i++) is[i] = (R)(in[i] != 0);           \
    }
LOAD(truth_f32, float, unsigned char)
LOAD(truth_f64, double, unsigned char)
LOAD(truth_i64, int64_t, unsigned char)
LOAD(truth_bool, unsigned char, unsigned char)
LOAD(one_f32, float, int64_t)
LOAD(one_f64, double, int64_t)
LOAD(one_i64, int64_t, int64_t)
LOAD(one_bool, unsigned char, int64_t)

static bool bool_shape(ag_tensor *y) { return ag__reduce_shape_to(y, AG_BOOL); }

static bool run(ag_tensor *y, ag__fold_kind kind) {
    static ag__load_fn *const truth[AG_DTYPE_COUNT] = {truth_f32, truth_f64, truth_i64, truth_bool};
    bool reduced[AG_MAX_RANK];
    return ag__reduced_axes(y, reduced) &&
           ag__fold_loaded(y, reduced, kind, AG_BOOL, truth[ag_dtype_of(ag_in(y, 0))], 0, ag_out_data(y, 0));
}

static bool any_run(ag_tensor *y) { return run(y, AG__ANY); }
static bool all_run(ag_tensor *y) { return run(y, AG__ALL); }

const ag_op ag__op_any = {
    .size = sizeof(ag_op),
    .name = "any",
    .arity = 1,
    .flags = AG_FLAT,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "is any x not 0, over axes",
    .shape = bool_shape,
    .run = any_run,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_any(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_any, &x, 1, &(ag__over){axes, keepdim});
}

const ag_op ag__op_all = {
    .size = sizeof(ag_op),
    .name = "all",
    .arity = 1,
    .flags = AG_FLAT,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "is no x 0, over axes",
    .shape = bool_shape,
    .run = all_run,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_all(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_all, &x, 1, &(ag__over){axes, keepdim});
}

static bool count_shape(ag_tensor *y) { return ag__reduce_shape_to(y, AG_I64); }

static bool count_run(ag_tensor *y) {
    static ag__load_fn *const one[AG_DTYPE_COUNT] = {one_f32, one_f64, one_i64, one_bool};
    bool reduced[AG_MAX_RANK];
    return ag__reduced_axes(y, reduced) &&
           ag__fold_loaded(y, reduced, AG__SUM, AG_I64, one[ag_dtype_of(ag_in(y, 0))], 0, ag_out_data(y, 0));
}

const ag_op ag__op_count_nonzero = {
    .size = sizeof(ag_op),
    .name = "count_nonzero",
    .arity = 1,
    .flags = AG_FLAT,
    .attr_size = sizeof(ag__over),
    .attrs = ag__over_fields,
    .formula = "how many x are not 0, over axes",
    .shape = count_shape,
    .run = count_run,
    .flops = ag__reduce_flops,
};

ag_tensor *ag_count_nonzero(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_count_nonzero, &x, 1, &(ag__over){axes, keepdim});
}

/* x where it is a number, else 0: no gradient flows to a NaN. */
static ag_tensor *numbers(ag_tensor *x) {
    return x ? ag_where(ag_eq(x, x), x, ag_scalar(ag_tape_of(x), ag_dtype_of(x), 0)) : NULL;
}

static ag_tensor *nansum_compose(ag_tensor *y) {
    const ag__over *a = ag_attrs(y);
    return ag_sum(numbers(ag_in(y, 0)), a->axes, a->keepdim);
}

AG__COMPOSED(nansum, 1, ag__over, ag__over_fields, "sum of the x that are not NaN, over axes", nansum_compose);

ag_tensor *ag_nansum(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_nansum, &x, 1, &(ag__over){axes, keepdim});
}

static ag_tensor *nanmean_compose(ag_tensor *y) {
    const ag__over *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_tensor *count = ag_count_nonzero(ag_eq(x, x), a->axes, a->keepdim);
    return ag_div(ag_nansum(x, a->axes, a->keepdim), ag_cast(count, ag_dtype_of(x)));
}

AG__COMPOSED(nanmean, 1, ag__over, ag__over_fields, "mean of the x that are not NaN, over axes", nanmean_compose);

ag_tensor *ag_nanmean(ag_tensor *x, ag_axes axes, bool keepdim) {
    return ag_apply(&ag__op_nanmean, &x, 1, &(ag__over){axes, keepdim});
}
