/* random.c: dropout. The mask is a node of its own, so that its gradient is nothing but multiplication.
 *
 *     element i keeps its value if word i % 4 of Philox(key, counter (draw, i / 4)), seen as a number in [0, 1), is ≥ p
 *
 * so the mask depends on key, draw and place alone: not on threads, not on the dtype. */
#include <stddef.h>

#include "autograd/rng.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct mask_attrs {
    int64_t draw; /* which of the tape's sequences; −1: the next unused one */
    ag_dtype dtype;
    ag_shape shape;
    double p;
} mask_attrs;

static const ag_attr_field mask_fields[] = {{"draw", AG_ATTR_I64, offsetof(mask_attrs, draw), "-1"},
                                            {"dtype", AG_ATTR_DTYPE, offsetof(mask_attrs, dtype), "f32"},
                                            {"shape", AG_ATTR_SHAPE, offsetof(mask_attrs, shape), NULL},
                                            {"p", AG_ATTR_F64, offsetof(mask_attrs, p), "0.5"},
                                            {0}};

static bool need_probability(ag_tensor *y, double p) {
    return (p >= 0 && p < 1) || ag_op_fail(y, AG_ERR_ARGUMENT, "p is %g; it must be at least 0 and less than 1", p);
}

static bool mask_shape(ag_tensor *y) {
    const mask_attrs *a = ag_attrs(y);
    if (!need_probability(y, a->p) || !ag__need_shape(y, a->shape) || !ag_need_dtype(y, 0, AG_I64)) return false;
    if (ag_size(ag_in(y, 0)) != 1) return ag_op_fail(y, AG_ERR_SHAPE, "the key must have one element");
    if (a->dtype != AG_F32 && a->dtype != AG_F64) return ag_op_fail(y, AG_ERR_DTYPE, "the dtype must be f32 or f64");
    return ag_out_shape(y, 0, a->dtype, a->shape);
}

typedef struct job {
    const mask_attrs *a;
    uint64_t key;
    int64_t n;
    float *f32;  /* the output, */
    double *f64; /* or this */
} job;

static void fill_blocks(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    double kept = 1 / (1 - w->a->p);
    for (int64_t block = begin; block < end; block++) {
        uint32_t word[4];
        ag__philox(w->key, (uint64_t)w->a->draw, (uint64_t)block, word);
        for (int64_t i = 4 * block; i < w->n && i < 4 * block + 4; i++) {
            double value = ag__uniform32(word[i % 4]) >= w->a->p ? kept : 0;
            if (w->f32) {
                w->f32[i] = (float)value;
            } else {
                w->f64[i] = value;
            }
        }
    }
}

static bool mask_run(ag_tensor *y) {
    const mask_attrs *a = ag_attrs(y);
    const int64_t *key = ag_op_dense(y, 0);
    if (!key) return false;
    job w = {.a = a, .key = (uint64_t)*key, .n = ag_size(y)};
    if (a->dtype == AG_F32) {
        w.f32 = ag_out_data(y, 0);
    } else {
        w.f64 = ag_out_data(y, 0);
    }
    ag_parallel_for(w.n / 4 + (w.n % 4 != 0), 2048, fill_blocks, &w);
    return true;
}

const ag_op ag__op_dropout_mask = {
    .size = sizeof(ag_op),
    .name = "dropout_mask",
    .arity = 1,
    .flags = AG_RANDOM | AG_FLAT,
    .attr_size = sizeof(mask_attrs),
    .attrs = mask_fields,
    .formula = "1/(1−p) with probability 1−p, else 0",
    .shape = mask_shape,
    .run = mask_run,
};

ag_tensor *ag_dropout_mask(ag_tape *tape, ag_dtype dtype, ag_shape shape, double p) {
    mask_attrs a = {-1, dtype, shape, p};
    return ag_apply_on(tape, &ag__op_dropout_mask, NULL, 0, &a);
}

typedef struct dropout_attrs {
    double p;
} dropout_attrs;

static const ag_attr_field dropout_fields[] = {{"p", AG_ATTR_F64, offsetof(dropout_attrs, p), "0.5"}, {0}};

static ag_tensor *dropout(ag_tensor *y) {
    const dropout_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !need_probability(y, a->p)) return NULL;
    return ag_mul(x, ag_dropout_mask(ag_tape_of(x), ag_dtype_of(x), ag_shape_of(x), a->p));
}

const ag_op ag__op_dropout = {
    .size = sizeof(ag_op),
    .name = "dropout",
    .arity = 1,
    .attr_size = sizeof(dropout_attrs),
    .attrs = dropout_fields,
    .formula = "x · dropout_mask",
    .compose = dropout,
};

ag_tensor *ag_dropout(ag_tensor *x, double p) {
    dropout_attrs a = {p};
    return ag_apply(&ag__op_dropout, &x, 1, &a);
}
