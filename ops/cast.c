/* cast.c: conversion between dtypes, the only place where one becomes another.
 *
 * Floats round to nearest; float → i64 truncates, saturates, and takes NaN to 0; → bool asks x ≠ 0. Between floats the gradient
 * is cast back; what passes through i64 or bool has none. */
#include <math.h>
#include <stddef.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static int64_t truncated(double x) {
    if (isnan(x)) return 0;
    return x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

typedef void cast_fn(const void *in, void *out, int64_t n);

#define CAST(FROM, FROM_T, TO, TO_T, VALUE)                         \
    static void FROM##_##TO(const void *in, void *out, int64_t n) { \
        for (int64_t i = 0; i < n; i++) {                           \
            FROM_T x = ((const FROM_T *)in)[i];                     \
            ((TO_T *)out)[i] = VALUE;                               \
        }                                                           \
    }
CAST(f32, float, f32, float, x)
CAST(f32, float, f64, double, (double)x)
CAST(f32, float, i64, int64_t, truncated((double)x))
CAST(f32, float, bool, bool, x != 0)
CAST(f64, double, f32, float, (float)x)
CAST(f64, double, f64, double, x)
CAST(f64, double, i64, int64_t, truncated(x))
CAST(f64, double, bool, bool, x != 0)
CAST(i64, int64_t, f32, float, (float)x)
CAST(i64, int64_t, f64, double, (double)x)
CAST(i64, int64_t, i64, int64_t, x)
CAST(i64, int64_t, bool, bool, x != 0)
/* a bool of foreign memory may be any byte */
CAST(bool, unsigned char, f32, float, x ? 1 : 0)
CAST(bool, unsigned char, f64, double, x ? 1 : 0)
CAST(bool, unsigned char, i64, int64_t, x ? 1 : 0)
CAST(bool, unsigned char, bool, bool, x != 0)

static cast_fn *const casts[AG_DTYPE_COUNT][AG_DTYPE_COUNT] = {
    {f32_f32, f32_f64, f32_i64, f32_bool},
    {f64_f32, f64_f64, f64_i64, f64_bool},
    {i64_f32, i64_f64, i64_i64, i64_bool},
    {bool_f32, bool_f64, bool_i64, bool_bool},
};

typedef struct cast_attrs {
    ag_dtype dtype;
} cast_attrs;

static const ag_attr_field cast_fields[] = {{"dtype", AG_ATTR_DTYPE, offsetof(cast_attrs, dtype), NULL}, {0}};

static bool cast_shape(ag_tensor *y) {
    const cast_attrs *a = ag_attrs(y);
    if (ag_dtype_size(a->dtype) == 0) return ag_op_fail(y, AG_ERR_DTYPE, "no dtype has the number %d", (int)a->dtype);
    return ag_out_shape(y, 0, a->dtype, ag_shape_of(ag_in(y, 0)));
}

static bool cast_run(ag_tensor *y) {
    if (ag_size(y) == 0) return true;
    const void *x = ag_op_dense(y, 0);
    if (!x) return false;
    casts[ag_dtype_of(ag_in(y, 0))][ag_dtype_of(y)](x, ag_out_data(y, 0), ag_size(y));
    return true;
}

static bool cast_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_cast(g[0], ag_dtype_of(ag_in(y, 0)))) != NULL;
}

const ag_op ag__op_cast = {
    .size = sizeof(ag_op),
    .name = "cast",
    .arity = 1,
    .flags = AG_LINEAR,
    .attr_size = sizeof(cast_attrs),
    .attrs = cast_fields,
    .formula = "x as another dtype",
    .shape = cast_shape,
    .run = cast_run,
    .grad = cast_grad,
};

ag_tensor *ag_cast(ag_tensor *x, ag_dtype dtype) {
    cast_attrs a = {dtype};
    return ag_apply(&ag__op_cast, &x, 1, &a);
}
