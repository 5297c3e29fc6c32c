/* draw.c: keys, fills by all threads, and integers without bias.
 *
 *     groups of 64   │────────│────────│────────│──────  │      whole ones by the kernel straight into the output,
 *                     thread 1  thread 2 …         last          the last into a buffer of which the beginning is taken */
#include "ops/draw.h"

#include <string.h>

#include "autograd/rng.h"
#include "ops/need.h"

bool ag__need_key(ag_tensor *y) {
    int last = ag_in_count(y) - 1;
    if (!ag_need_dtype(y, last, AG_I64)) return false;
    return ag_size(ag_in(y, last)) == 1 || ag_op_fail(y, AG_ERR_SHAPE, "the key must have one element");
}

bool ag__fill_shape(ag_tensor *y) {
    const ag__fill_attrs *a = ag_attrs(y);
    if (!ag__need_shape(y, a->shape) || !ag__need_key(y)) return false;
    if (a->dtype != AG_F32 && a->dtype != AG_F64) return ag_op_fail(y, AG_ERR_DTYPE, "the dtype must be f32 or f64");
    return ag_out_shape(y, 0, a->dtype, a->shape);
}

bool ag__draw_of(ag_tensor *y, ag__draw *d) {
    const int64_t *key = ag_op_dense(y, ag_in_count(y) - 1), *draw = ag_attrs(y);
    if (key) *d = (ag__draw){(uint64_t)*key, (uint64_t)*draw};
    return key != NULL;
}

typedef struct fill {
    const ag__draw *d;
    ag__draw_fn *run;
    double a, b;
    int64_t n;
    size_t element;
    char *out;
} fill;

static void fill_groups(void *context, int64_t begin, int64_t end) {
    const fill *f = context;
    int64_t whole = f->n / AG__DRAW_GROUP < end ? f->n / AG__DRAW_GROUP : end;
    f->run(f->d, begin, whole - begin, f->a, f->b, f->out + (size_t)begin * AG__DRAW_GROUP * f->element);
    if (whole == end) return;
    double last[AG__DRAW_GROUP];
    f->run(f->d, whole, 1, f->a, f->b, last);
    memcpy(f->out + (size_t)whole * AG__DRAW_GROUP * f->element, last, (size_t)(f->n % AG__DRAW_GROUP) * f->element);
}

void ag__fill_memory(const ag__draw *d, ag__draw_fn *run, double a, double b, int64_t n, size_t element, void *out) {
    fill f = {d, run, a, b, n, element, out};
    ag_parallel_for(n / AG__DRAW_GROUP + (n % AG__DRAW_GROUP != 0), 128, fill_groups, &f);
}

bool ag__fill_run(ag_tensor *y, ag__draw_fn *const run[2], double a, double b) {
    ag__draw d;
    if (!ag__draw_of(y, &d)) return false;
    ag_dtype dtype = ag_dtype_of(y);
    ag__fill_memory(&d, run[dtype], a, b, ag_size(y), ag_dtype_size(dtype), ag_out_data(y, 0));
    return true;
}

typedef struct fill_each {
    ag__draw d;
    ag__draw_each_fn *run;
    int64_t n;
    size_t element;
    const char *in;
    char *out;
} fill_each;

/* The last group's input is continued by its last element. */
static void fill_each_group(void *context, int64_t begin, int64_t end) {
    const fill_each *f = context;
    size_t group = AG__DRAW_GROUP * f->element, at = (size_t)begin * group;
    int64_t whole = f->n / AG__DRAW_GROUP < end ? f->n / AG__DRAW_GROUP : end, left = f->n % AG__DRAW_GROUP;
    f->run(&f->d, begin, whole - begin, f->in + at, f->out + at);
    if (whole == end) return;
    double in[AG__DRAW_GROUP], out[AG__DRAW_GROUP];
    const char *from = f->in + (size_t)whole * group;
    for (int64_t i = 0; i < AG__DRAW_GROUP; i++)
        memcpy((char *)in + (size_t)i * f->element, from + (size_t)(i < left ? i : left - 1) * f->element, f->element);
    f->run(&f->d, whole, 1, in, out);
    memcpy(f->out + (size_t)whole * group, out, (size_t)left * f->element);
}

bool ag__fill_each(ag_tensor *y, ag__draw_each_fn *const run[2], const void *in) {
    ag_dtype dtype = ag_dtype_of(y);
    fill_each f = {.run = run[dtype], .n = ag_size(y), .element = ag_dtype_size(dtype), .in = in, .out = ag_out_data(y, 0)};
    if (!ag__draw_of(y, &f.d)) return false;
    ag_parallel_for(f.n / AG__DRAW_GROUP + (f.n % AG__DRAW_GROUP != 0), 16, fill_each_group, &f);
    return true;
}

uint64_t ag__draw_again(const ag__draw *d, int64_t place, uint64_t n) {
    ag__wide product = 0;
    uint64_t least = (0 - n) % n;
    for (uint64_t try = 0; (uint64_t)product < least; try++) {
        uint32_t word[4]; /* of counters that no fill uses */
        ag__philox(d->key, d->draw, UINT64_C(1) << 62 | try << 48 | (uint64_t)place, word);
        product = (ag__wide)((uint64_t)word[0] << 32 | word[1]) * n;
    }
    return (uint64_t)(product >> 64);
}
