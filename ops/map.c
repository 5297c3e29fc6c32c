/* map.c: what elementwise ops share: their shape, their run, their gradient. The loop itself: chain.c. */
#include "ops/map.h"

#include <stdio.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/isa.h"

enum { SMALL = 32768 };

inline ag__row_fn *ag__row_loop(int row, int dtype) {
    const ag__kernels *k = ag__kernel();
    return dtype < AG_I64 ? k->rows->row[row].loop[dtype] : k->rows_whole->row[row].loop[dtype - AG_I64];
}

AG__COLD static bool fail_dtype(ag_tensor *y, const ag_tensor *x) {
    char text[160], needed[64] = "";
    int count = 0, left = 0, row = y->op->map->row;
    for (int d = 0; d < AG_DTYPE_COUNT; d++) left += ag__row_loop(row, d) != NULL;
    for (int d = 0; d < AG_DTYPE_COUNT; d++) {
        size_t used = strlen(needed);
        if (!ag__row_loop(row, d)) continue;
        const char *between = count++ == 0 ? "" : --left == 1 ? " or " : ", ";
        snprintf(needed + used, sizeof needed - used, "%s%s", between, ag_dtype_name((ag_dtype)d));
    }
    return ag_op_fail(y, AG_ERR_DTYPE, "needs %s, but %s is %s; ag_cast converts", needed,
                      ag__label(x, text, sizeof text), ag_dtype_name((ag_dtype)x->dtype));
}

/* The inputs' shapes are not all one. */
__attribute__((noinline)) static bool broadcast(ag_tensor *y) {
    ag_shape shape;
    if (!ag_broadcast_inputs(y, &shape)) return false;
    y->shape = ag__shape_intern(y->tape, &shape, y->op->name);
    return y->shape != NULL;
}

bool ag__map_shape(ag_tensor *y) {
    uint32_t n = y->nin;
    int kind = y->op->map->kind;
    const ag_tensor *a = y->in[0], *x = y->in[n - 1], *b = n > 2 ? y->in[1] : x;
    if (!ag__row_loop(y->op->map->row, x->dtype)) return fail_dtype(y, x);
    if (b->dtype != x->dtype) return ag_need_same_dtype(y, 1, 2);
    if (kind & AG__MAP_CHOOSES) {
        if (!ag_need_dtype(y, 0, AG_BOOL)) return false;
    } else if (a->dtype != x->dtype) {
        return ag_need_same_dtype(y, 0, (int)n - 1);
    }
    y->dtype = kind & AG__MAP_TO_BOOL ? AG_BOOL : x->dtype;
    y->shape = x->shape;
    return (a->shape == x->shape && b->shape == x->shape) || broadcast(y);
}

/* Scalar attribute i; 0 where the op has none. */
static double attribute(const ag_tensor *y, size_t i) {
    return y->op->attr_size > i * sizeof(double) ? ((const double *)y->attrs)[i] : 0;
}

void ag__map_scalars(const ag_tensor *y, double *p, double *q) {
    *p = attribute(y, 0);
    *q = attribute(y, 1);
}

inline ag__row_fn *ag__map_loop(const ag_tensor *y) { return ag__row_loop(y->op->map->row, y->in[y->nin - 1]->dtype); }

/* Few elements, and every operand as y lies in memory. */
static bool plain(const ag_tensor *y) {
    if (y->shape->size <= 1) return true;
    bool same = y->shape->size < SMALL;
    for (uint32_t k = 0; k < y->nin; k++) same = same && y->in[k]->shape == y->shape && !y->in[k]->strides;
    return same;
}

bool ag__map_run(ag_tensor *y) {
    if (!plain(y)) return ag__chain_run(y, NULL);
    const void *in[] = {y->in[0]->data, y->nin > 1 ? y->in[1]->data : NULL, y->nin > 2 ? y->in[2]->data : NULL};
    ag__map_loop(y)(y->shape->size, in, y->data, attribute(y, 0), attribute(y, 1));
    return true;
}

bool ag__map_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const ag_map *map = y->op->map;
    double p = attribute(y, 0), q = attribute(y, 1);
    for (uint32_t i = 0; i < y->nin; i++) {
        if (!map->rule[i] || !ag__wanted(y->in[i], i)) continue;
        d[i] = map->rule[i](y->in[0], y->in[1], y->in[2], y, g[0], p, q);
        if (!d[i] && y->tape->status) return false; /* NULL alone: no gradient flows there */
    }
    return true;
}
