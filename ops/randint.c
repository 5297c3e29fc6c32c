/* randint.c: random integers and permutations. A place's 64-bit word times n, of which the upper half is kept (draw.c). */
#include <stddef.h>
#include <string.h>

#include "ops/compose.h"
#include "ops/draw.h"
#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { WORDS = 8 * AG__DRAW_GROUP }; /* at a time */

typedef struct randint_attrs {
    int64_t draw;
    ag_dtype dtype;
    ag_shape shape;
    int64_t low, high;
} randint_attrs;

static const ag_attr_field randint_fields[] = {{"draw", AG_ATTR_I64, offsetof(randint_attrs, draw), "-1"},
                                               {"dtype", AG_ATTR_DTYPE, offsetof(randint_attrs, dtype), "i64"},
                                               {"shape", AG_ATTR_SHAPE, offsetof(randint_attrs, shape), NULL},
                                               {"low", AG_ATTR_I64, offsetof(randint_attrs, low), "0"},
                                               {"high", AG_ATTR_I64, offsetof(randint_attrs, high), NULL},
                                               {0}};

static bool randint_shape(ag_tensor *y) {
    const randint_attrs *a = ag_attrs(y);
    int64_t exact = a->dtype == AG_F32 ? INT64_C(1) << 24 : a->dtype == AG_F64 ? INT64_C(1) << 53 : INT64_MAX;
    if (!ag__need_shape(y, a->shape) || !ag__need_key(y)) return false;
    if (a->dtype != AG_I64 && a->dtype != AG_F32 && a->dtype != AG_F64)
        return ag_op_fail(y, AG_ERR_DTYPE, "the dtype must be i64, f32 or f64");
    if (a->low >= a->high) {
        return ag_op_fail(y, AG_ERR_ARGUMENT, "low is %lld and high %lld; there is no integer from low to below high",
                          (long long)a->low, (long long)a->high);
    }
    if (a->high > exact || (a->dtype != AG_I64 && a->low < -exact)) {
        return ag_op_fail(y, AG_ERR_ARGUMENT, "%s does not hold every integer from low %lld to below high %lld",
                          ag_dtype_name(a->dtype), (long long)a->low, (long long)a->high);
    }
    return ag_out_shape(y, 0, a->dtype, a->shape);
}

typedef struct integers {
    ag__draw d;
    void *out;
    ag_dtype dtype;
    uint64_t low, n;
    int64_t size;
} integers;

static void store(const integers *w, int64_t at, int64_t count, const int64_t *v) {
    for (int64_t i = 0; i < count && w->dtype == AG_F32; i++) ((float *)w->out)[at + i] = (float)v[i];
    for (int64_t i = 0; i < count && w->dtype == AG_F64; i++) ((double *)w->out)[at + i] = (double)v[i];
    if (w->dtype == AG_I64) memcpy((int64_t *)w->out + at, v, (size_t)count * sizeof *v);
}

static void fill_integers(void *context, int64_t begin, int64_t end) {
    const integers *w = context;
    for (int64_t group = begin; group < end; group++) {
        uint64_t word[AG__DRAW_GROUP];
        int64_t at = group * AG__DRAW_GROUP, v[AG__DRAW_GROUP], left = w->size - at;
        ag__kernel()->random->words(&w->d, group, 1, word);
        for (int i = 0; i < AG__DRAW_GROUP; i++)
            v[i] = (int64_t)(w->low + ag__draw_below(&w->d, at + i, word[i], w->n));
        store(w, at, left < AG__DRAW_GROUP ? left : AG__DRAW_GROUP, v);
    }
}

static bool randint_run(ag_tensor *y) {
    const randint_attrs *a = ag_attrs(y);
    integers w = {.out = ag_out_data(y, 0), .dtype = a->dtype, .low = (uint64_t)a->low, .size = ag_size(y)};
    w.n = (uint64_t)a->high - w.low;
    if (!ag__draw_of(y, &w.d)) return false;
    ag_parallel_for(w.size / AG__DRAW_GROUP + (w.size % AG__DRAW_GROUP != 0), 64, fill_integers, &w);
    return true;
}

const ag_op ag__op_randint = {
    .size = sizeof(ag_op),
    .name = "randint",
    .arity = 1,
    .flags = AG_RANDOM | AG_FLAT,
    .attr_size = sizeof(randint_attrs),
    .attrs = randint_fields,
    .formula = "integers from low to high - 1, each equally likely",
    .shape = randint_shape,
    .run = randint_run,
};

ag_tensor *ag_randint(ag_tape *tape, int64_t low, int64_t high, ag_shape shape) {
    return ag_apply_on(tape, &ag__op_randint, NULL, 0, &(randint_attrs){-1, AG_I64, shape, low, high});
}

typedef struct bounds {
    int64_t low, high;
} bounds;

static const ag_attr_field bounds_fields[] = {
    {"low", AG_ATTR_I64, offsetof(bounds, low), "0"}, {"high", AG_ATTR_I64, offsetof(bounds, high), NULL}, {0}};

static ag_tensor *randint_like(ag_tensor *y) {
    const bounds *b = ag_attrs(y);
    const ag_tensor *x = ag_in(y, 0);
    randint_attrs a = {-1, ag_dtype_of(x), ag_shape_of(x), b->low, b->high};
    return ag__need_number(y, 0) ? ag_apply_on(ag_tape_of(x), &ag__op_randint, NULL, 0, &a) : NULL;
}

AG__COMPOSED_FLAT(randint_like, 1, sizeof(bounds), bounds_fields, "randint in x's shape and dtype", randint_like);

ag_tensor *ag_randint_like(ag_tensor *x, int64_t low, int64_t high) {
    return ag_apply(&ag__op_randint_like, &x, 1, &(bounds){low, high});
}

typedef struct randperm_attrs {
    int64_t draw, n;
} randperm_attrs;

static const ag_attr_field randperm_fields[] = {{"draw", AG_ATTR_I64, offsetof(randperm_attrs, draw), "-1"},
                                                {"n", AG_ATTR_I64, offsetof(randperm_attrs, n), NULL},
                                                {0}};

static bool randperm_shape(ag_tensor *y) {
    const randperm_attrs *a = ag_attrs(y);
    if (a->n < 0) return ag_op_fail(y, AG_ERR_ARGUMENT, "n is %lld; it must not be negative", (long long)a->n);
    return ag__need_key(y) && ag_out_shape(y, 0, AG_I64, AG_SHAPE(a->n));
}

/* Fisher and Yates, as Durstenfeld (1964) puts it: place i changes with one of 0 … i. */
static bool randperm_run(ag_tensor *y) {
    ag__draw d;
    uint64_t word[WORDS];
    int64_t *out = ag_out_data(y, 0);
    if (!ag__draw_of(y, &d)) return false;
    for (int64_t i = 0; i < ag_size(y); i++) {
        if (i % WORDS == 0) ag__kernel()->random->words(&d, i / AG__DRAW_GROUP, WORDS / AG__DRAW_GROUP, word);
        int64_t j = (int64_t)ag__draw_below(&d, i, word[i % WORDS], (uint64_t)i + 1);
        if (j < i) out[i] = out[j];
        out[j] = i;
    }
    return true;
}

const ag_op ag__op_randperm = {
    .size = sizeof(ag_op),
    .name = "randperm",
    .arity = 1,
    .flags = AG_RANDOM | AG_FLAT,
    .attr_size = sizeof(randperm_attrs),
    .attrs = randperm_fields,
    .formula = "0 … n-1 in random order",
    .shape = randperm_shape,
    .run = randperm_run,
};

ag_tensor *ag_randperm(ag_tape *tape, int64_t n) {
    return ag_apply_on(tape, &ag__op_randperm, NULL, 0, &(randperm_attrs){-1, n});
}
