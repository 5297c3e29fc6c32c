/* constant.c: tensors made of attributes alone: ranges, unit matrices, and one number in another's shape.
 *
 *     arange 1,7,2: 1 3 5      linspace 0,1,5: 0 .25 .5 .75 1      eye 2,3: 1 0 0
 *                                                                           0 1 0 */
#include <math.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct range_attrs {
    double start, end, step; /* linspace: step unused */
    int64_t steps;           /* linspace */
    ag_dtype dtype;
} range_attrs;

static const ag_attr_field arange_fields[] = {{"start", AG_ATTR_F64, offsetof(range_attrs, start), "0"},
                                              {"end", AG_ATTR_F64, offsetof(range_attrs, end), NULL},
                                              {"step", AG_ATTR_F64, offsetof(range_attrs, step), "1"},
                                              {"dtype", AG_ATTR_DTYPE, offsetof(range_attrs, dtype), "f32"},
                                              {0}};
static const ag_attr_field linspace_fields[] = {{"start", AG_ATTR_F64, offsetof(range_attrs, start), NULL},
                                                {"end", AG_ATTR_F64, offsetof(range_attrs, end), NULL},
                                                {"steps", AG_ATTR_I64, offsetof(range_attrs, steps), NULL},
                                                {"dtype", AG_ATTR_DTYPE, offsetof(range_attrs, dtype), "f32"},
                                                {0}};

static bool need_known(ag_tensor *y, ag_dtype dtype) {
    return ag_dtype_size(dtype) > 0 || ag_op_fail(y, AG_ERR_DTYPE, "no dtype has the number %d", (int)dtype);
}

static bool arange_shape(ag_tensor *y) {
    const range_attrs *a = ag_attrs(y);
    double n = ceil((a->end - a->start) / a->step);
    if (!need_known(y, a->dtype)) return false;
    if (a->dtype == AG_BOOL) return ag_op_fail(y, AG_ERR_DTYPE, "counts numbers; dtype is bool");
    if (!(n >= 0 && n < 0x1p62)) {
        return ag_op_fail(y, AG_ERR_ARGUMENT, "from %g to %g by steps of %g there is no number of elements", a->start,
                          a->end, a->step);
    }
    return ag_out_shape(y, 0, a->dtype, AG_SHAPE((int64_t)n));
}

static bool arange_run(ag_tensor *y) {
    const range_attrs *a = ag_attrs(y);
    char *out = ag_out_data(y, 0);
    size_t element = ag_dtype_size(a->dtype);
    for (int64_t i = 0; i < ag_size(y); i++)
        ag__store_value(out + (size_t)i * element, (int)a->dtype, a->start + (double)i * a->step);
    return true;
}

static bool linspace_shape(ag_tensor *y) {
    const range_attrs *a = ag_attrs(y);
    if (!need_known(y, a->dtype)) return false;
    if (a->dtype == AG_BOOL) return ag_op_fail(y, AG_ERR_DTYPE, "counts numbers; dtype is bool");
    if (a->steps < 0) return ag_op_fail(y, AG_ERR_ARGUMENT, "steps is %lld", (long long)a->steps);
    return ag_out_shape(y, 0, a->dtype, AG_SHAPE(a->steps));
}

/* From both ends, so that both are exact. */
static bool linspace_run(ag_tensor *y) {
    const range_attrs *a = ag_attrs(y);
    char *out = ag_out_data(y, 0);
    size_t element = ag_dtype_size(a->dtype);
    int64_t n = ag_size(y);
    double step = n > 1 ? (a->end - a->start) / (double)(n - 1) : 0;
    for (int64_t i = 0; i < n; i++) {
        double v = 2 * i < n ? a->start + step * (double)i : a->end - step * (double)(n - 1 - i);
        ag__store_value(out + (size_t)i * element, (int)a->dtype, v);
    }
    return true;
}

const ag_op ag__op_arange = {
    .size = sizeof(ag_op),
    .name = "arange",
    .flags = AG_FLAT,
    .attr_size = sizeof(range_attrs),
    .attrs = arange_fields,
    .formula = "start, start + step, … before end",
    .shape = arange_shape,
    .run = arange_run,
};

const ag_op ag__op_linspace = {
    .size = sizeof(ag_op),
    .name = "linspace",
    .flags = AG_FLAT,
    .attr_size = sizeof(range_attrs),
    .attrs = linspace_fields,
    .formula = "steps numbers from start to end, both included",
    .shape = linspace_shape,
    .run = linspace_run,
};

ag_tensor *ag_arange(ag_tape *tape, ag_dtype dtype, double start, double end, double step) {
    return ag_apply_on(tape, &ag__op_arange, NULL, 0, &(range_attrs){start, end, step, 0, dtype});
}

ag_tensor *ag_linspace(ag_tape *tape, ag_dtype dtype, double start, double end, int64_t steps) {
    return ag_apply_on(tape, &ag__op_linspace, NULL, 0, &(range_attrs){start, end, 0, steps, dtype});
}

typedef struct powers_attrs {
    double start, end, base;
    int64_t steps;
    ag_dtype dtype;
} powers_attrs;

static const ag_attr_field logspace_fields[] = {{"start", AG_ATTR_F64, offsetof(powers_attrs, start), NULL},
                                                {"end", AG_ATTR_F64, offsetof(powers_attrs, end), NULL},
                                                {"steps", AG_ATTR_I64, offsetof(powers_attrs, steps), NULL},
                                                {"base", AG_ATTR_F64, offsetof(powers_attrs, base), "10"},
                                                {"dtype", AG_ATTR_DTYPE, offsetof(powers_attrs, dtype), "f32"},
                                                {0}};

/* In f64, rounded once */
static ag_tensor *logspace(ag_tensor *y) {
    const powers_attrs *a = ag_attrs(y);
    if (!need_known(y, a->dtype)) return NULL;
    ag_tensor *power = ag_linspace(ag_tape_of(y), AG_F64, a->start, a->end, a->steps);
    ag_tensor *v = ag_pow(ag_scalar(ag_tape_of(y), AG_F64, a->base), power);
    return a->dtype == AG_F64 ? v : ag_cast(v, a->dtype);
}

AG__COMPOSED_FLAT(logspace, 0, sizeof(powers_attrs), logspace_fields, "base to the power of linspace", logspace);

ag_tensor *ag_logspace(ag_tape *tape, ag_dtype dtype, double start, double end, int64_t steps, double base) {
    return ag_apply_on(tape, &ag__op_logspace, NULL, 0, &(powers_attrs){start, end, base, steps, dtype});
}

typedef struct triangle_attrs {
    int64_t row, col, offset;
    ag_dtype dtype;
} triangle_attrs;

static const ag_attr_field triangle_fields[] = {{"row", AG_ATTR_I64, offsetof(triangle_attrs, row), NULL},
                                                {"col", AG_ATTR_I64, offsetof(triangle_attrs, col), NULL},
                                                {"offset", AG_ATTR_I64, offsetof(triangle_attrs, offset), "0"},
                                                {"dtype", AG_ATTR_DTYPE, offsetof(triangle_attrs, dtype), "i64"},
                                                {0}};

/* How many elements of (row,col) lie on or below a diagonal: none of the rows before `from`, all of those from `full` on. */
static int64_t below(int64_t row, int64_t col, int64_t offset) {
    int64_t from = offset < 0 ? -offset : 0, full = col - offset > 0 ? col - offset : 0;
    if (from > row) from = row;
    if (full > row) full = row;
    if (full < from) full = from;
    int64_t first = from + offset + 1, last = full + offset, n = full - from;
    int64_t partly = (first + last) % 2 ? n / 2 * (first + last) : (first + last) / 2 * n;
    return (n ? partly : 0) + (row - full) * col;
}

static ag_tensor *triangle(ag_tensor *y, bool lower) {
    const triangle_attrs *a = ag_attrs(y);
    if (!ag__need_shape(y, (ag_shape){2, {a->row, a->col}})) return NULL;
    int64_t offset = a->offset < -a->row ? -a->row : a->offset > a->col ? a->col : a->offset;
    int64_t count = lower ? below(a->row, a->col, offset) : a->row * a->col - below(a->row, a->col, offset - 1);
    ag_tensor *all = ag_full(ag_tape_of(y), AG_I64, AG_SHAPE(a->row, a->col), 1);
    ag_tensor *at = ag_transpose(ag_nonzero(lower ? ag_tril(all, offset) : ag_triu(all, offset), count), 0, 1);
    return a->dtype == AG_I64 ? at : ag_cast(at, a->dtype);
}

static ag_tensor *tril_indices(ag_tensor *y) { return triangle(y, true); }
static ag_tensor *triu_indices(ag_tensor *y) { return triangle(y, false); }

AG__COMPOSED_FLAT(tril_indices, 0, sizeof(triangle_attrs), triangle_fields, "rows and columns of where tril keeps",
                  tril_indices);
AG__COMPOSED_FLAT(triu_indices, 0, sizeof(triangle_attrs), triangle_fields, "rows and columns of where triu keeps",
                  triu_indices);

ag_tensor *ag_tril_indices(ag_tape *tape, int64_t row, int64_t col, int64_t offset) {
    return ag_apply_on(tape, &ag__op_tril_indices, NULL, 0, &(triangle_attrs){row, col, offset, AG_I64});
}
ag_tensor *ag_triu_indices(ag_tape *tape, int64_t row, int64_t col, int64_t offset) {
    return ag_apply_on(tape, &ag__op_triu_indices, NULL, 0, &(triangle_attrs){row, col, offset, AG_I64});
}

typedef struct eye_attrs {
    int64_t n, m;
    ag_dtype dtype;
} eye_attrs;

static const ag_attr_field eye_fields[] = {{"n", AG_ATTR_I64, offsetof(eye_attrs, n), NULL},
                                           {"m", AG_ATTR_I64, offsetof(eye_attrs, m), "-1"},
                                           {"dtype", AG_ATTR_DTYPE, offsetof(eye_attrs, dtype), "f32"},
                                           {0}};

static bool eye_shape(ag_tensor *y) {
    const eye_attrs *a = ag_attrs(y);
    if (!need_known(y, a->dtype)) return false;
    if (a->n < 0 || a->m < -1)
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%lld by %lld is no matrix", (long long)a->n, (long long)a->m);
    return ag_out_shape(y, 0, a->dtype, AG_SHAPE(a->n, a->m < 0 ? a->n : a->m));
}

static bool eye_run(ag_tensor *y) {
    ag_dtype dtype = ag_dtype_of(y);
    size_t element = ag_dtype_size(dtype);
    int64_t rows = ag_dim(y, 0), cols = ag_dim(y, 1);
    char *out = memset(ag_out_data(y, 0), 0, (size_t)ag_size(y) * element);
    for (int64_t i = 0; i < rows && i < cols; i++)
        ag__store_value(out + (size_t)(i * (cols + 1)) * element, (int)dtype, 1);
    return true;
}

const ag_op ag__op_eye = {
    .size = sizeof(ag_op),
    .name = "eye",
    .flags = AG_FLAT,
    .attr_size = sizeof(eye_attrs),
    .attrs = eye_fields,
    .formula = "1 where i = j, else 0",
    .shape = eye_shape,
    .run = eye_run,
};

ag_tensor *ag_eye(ag_tape *tape, ag_dtype dtype, int64_t n, int64_t m) {
    return ag_apply_on(tape, &ag__op_eye, NULL, 0, &(eye_attrs){n, m, dtype});
}

typedef struct full_attrs {
    double value;
} full_attrs;

static const ag_attr_field full_fields[] = {{"fill_value", AG_ATTR_F64, offsetof(full_attrs, value), NULL}, {0}};

static ag_tensor *filled(const ag_tensor *x, double value) {
    return ag_full(ag_tape_of(x), ag_dtype_of(x), ag_shape_of(x), value);
}

static ag_tensor *full_like(ag_tensor *y) { return filled(ag_in(y, 0), ((const full_attrs *)ag_attrs(y))->value); }
static ag_tensor *zeros_like(ag_tensor *y) { return filled(ag_in(y, 0), 0); }
static ag_tensor *ones_like(ag_tensor *y) { return filled(ag_in(y, 0), 1); }

AG__COMPOSED_FLAT(full_like, 1, sizeof(full_attrs), full_fields, "fill_value in x's shape and dtype", full_like);
AG__COMPOSED_FLAT(zeros_like, 1, 0, NULL, "zeros in x's shape and dtype", zeros_like);
AG__COMPOSED_FLAT(ones_like, 1, 0, NULL, "ones in x's shape and dtype", ones_like);

ag_tensor *ag_full_like(ag_tensor *x, double fill_value) {
    return ag_apply(&ag__op_full_like, &x, 1, &(full_attrs){fill_value});
}
ag_tensor *ag_zeros_like(ag_tensor *x) { return ag_apply(&ag__op_zeros_like, &x, 1, NULL); }
ag_tensor *ag_ones_like(ag_tensor *x) { return ag_apply(&ag__op_ones_like, &x, 1, NULL); }

typedef struct made_attrs {
    ag_shape shape;
    int dtype; /* 0: x's, f32 without one; else 1 + the dtype */
    double value;
} made_attrs;

static const ag_attr_field shaped_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(made_attrs, shape), NULL},
                                              {"fill_value", AG_ATTR_F64, offsetof(made_attrs, value), NULL},
                                              {"dtype", AG_ATTR_CHOICE, offsetof(made_attrs, dtype), "like|f32|f64|i64|bool"},
                                              {0}};
static const ag_attr_field made_fields[] = {{"shape", AG_ATTR_SHAPE, offsetof(made_attrs, shape), NULL},
                                            {"dtype", AG_ATTR_CHOICE, offsetof(made_attrs, dtype), "like|f32|f64|i64|bool"},
                                            {0}};

static ag_tensor *made(ag_tensor *y, double value) {
    const made_attrs *a = ag_attrs(y);
    ag_dtype dtype = a->dtype ? (ag_dtype)(a->dtype - 1) : ag_in_count(y) ? ag_dtype_of(ag_in(y, 0)) : AG_F32;
    return ag__need_shape(y, a->shape) ? ag_full(ag_tape_of(y), dtype, a->shape, value) : NULL;
}

static ag_tensor *new_full(ag_tensor *y) { return made(y, ((const made_attrs *)ag_attrs(y))->value); }
static ag_tensor *zeros(ag_tensor *y) { return made(y, 0); }
static ag_tensor *ones(ag_tensor *y) { return made(y, 1); }

AG__COMPOSED_FLAT(new_full, 0, sizeof(made_attrs), shaped_fields, "fill_value in that shape", new_full, .optional = 1,
                  .inputs = "x");
AG__COMPOSED_FLAT(zeros, 0, sizeof(made_attrs), made_fields, "zeros of that shape", zeros, .optional = 1, .inputs = "x");
AG__COMPOSED_FLAT(ones, 0, sizeof(made_attrs), made_fields, "ones of that shape", ones, .optional = 1, .inputs = "x");

ag_tensor *ag_zeros(ag_tape *tape, ag_dtype dtype, ag_shape shape) {
    return ag_apply_on(tape, &ag__op_zeros, NULL, 0, &(made_attrs){shape, 1 + (int)dtype, 0});
}
ag_tensor *ag_ones(ag_tape *tape, ag_dtype dtype, ag_shape shape) {
    return ag_apply_on(tape, &ag__op_ones, NULL, 0, &(made_attrs){shape, 1 + (int)dtype, 0});
}
ag_tensor *ag_new_full(ag_tensor *x, ag_shape shape, double fill_value) {
    return ag_apply(&ag__op_new_full, &x, 1, &(made_attrs){shape, 0, fill_value});
}
