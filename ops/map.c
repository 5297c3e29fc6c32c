/* map.c: the loop every elementwise op runs through.
 *
 * Row loops see runs of contiguous memory. The driver merges axes that all operands step through alike, then walks
 *
 *     rows × inner, inner in tiles of 256:   stride 1 ─▶ the operand itself
 *                                            stride 0 ─▶ a tile filled with the one value
 *                                            other    ─▶ a tile gathered
 *
 * The output is row-major and new, so pieces of it may be computed by several threads in any order. */
#include "ops/map.h"

#include <stdio.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/isa.h"

enum { TILE = 256, INPUTS = 3, GRAIN = 16384 };

typedef uint64_t __attribute__((may_alias)) word64;
typedef uint32_t __attribute__((may_alias)) word32;

typedef struct operand {
    const char *data;
    int64_t stride[AG_MAX_RANK]; /* bytes */
    size_t element;
} operand;

typedef struct loop {
    operand in[INPUTS];
    int arity, rank;
    int64_t dim[AG_MAX_RANK];
    int64_t rows, inner;
    char *out;
    size_t out_element;
    ag__row_fn *run;
    double p, q;
} loop;

static const ag__row *row_of(const ag_tensor *y) { return &ag__kernel()->rows->row[y->op->map->row]; }

AG__COLD static bool fail_dtype(ag_tensor *y, const ag_tensor *x) {
    char text[160], needed[64] = "";
    const ag__row *row = row_of(y);
    int count = 0, left = 0;
    for (int d = 0; d < AG_DTYPE_COUNT; d++) left += row->loop[d] != NULL;
    for (int d = 0; d < AG_DTYPE_COUNT; d++) {
        size_t used = strlen(needed);
        if (!row->loop[d]) continue;
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
    const ag_map *map = y->op->map;
    uint32_t n = y->nin;
    const ag_tensor *x = y->in[n - 1];
    if (!row_of(y)->loop[x->dtype]) return fail_dtype(y, x);
    uint32_t first = map->kind & AG__MAP_CHOOSES ? 1 : 0;
    for (uint32_t i = n - 1; i-- > first;) {
        if (y->in[i]->dtype != x->dtype) return ag_need_same_dtype(y, (int)i, (int)n - 1);
    }
    if (first && !ag_need_dtype(y, 0, AG_BOOL)) return false;
    y->dtype = map->kind & AG__MAP_TO_BOOL ? AG_BOOL : x->dtype;
    y->shape = x->shape;
    return (y->in[0]->shape == x->shape && (n < 3 || y->in[1]->shape == x->shape)) || broadcast(y);
}

static void gather_run(const operand *x, const char *from, int64_t step, int64_t n, void *tile) {
    if (x->element == 8) {
        for (int64_t i = 0; i < n; i++) ((word64 *)tile)[i] = *(const word64 *)(const void *)(from + i * step);
    } else if (x->element == 4) {
        for (int64_t i = 0; i < n; i++) ((word32 *)tile)[i] = *(const word32 *)(const void *)(from + i * step);
    } else {
        for (int64_t i = 0; i < n; i++) ((char *)tile)[i] = from[i * step];
    }
}

/* Rows [begin, end) of the domain. */
static void run_rows(void *context, int64_t begin, int64_t end) {
    const loop *l = context;
    _Alignas(64) char tile[INPUTS][TILE * sizeof(double)];
    int inner_axis = l->rank - 1;
    for (int64_t row = begin; row < end; row++) {
        const char *at[INPUTS];
        int64_t rest = row;
        for (int k = 0; k < l->arity; k++) at[k] = l->in[k].data;
        for (int i = inner_axis - 1; i >= 0; i--) {
            int64_t index = rest % l->dim[i];
            rest /= l->dim[i];
            for (int k = 0; k < l->arity; k++) at[k] += index * l->in[k].stride[i];
        }
        char *out = l->out + (size_t)(row * l->inner) * l->out_element;
        for (int64_t done = 0; done < l->inner; done += TILE) {
            int64_t n = l->inner - done < TILE ? l->inner - done : TILE;
            const void *in[INPUTS];
            for (int k = 0; k < l->arity; k++) {
                const operand *x = &l->in[k];
                int64_t step = x->stride[inner_axis];
                in[k] = at[k] + done * step;
                if (step == (int64_t)x->element) continue;
                if (step != 0 || done == 0)
                    gather_run(x, in[k], step, n, tile[k]); /* one value: the tile stays filled */
                in[k] = tile[k];
            }
            l->run(n, in, out + (size_t)done * l->out_element, l->p, l->q);
        }
    }
}

/* Elements [begin, end) of operands that all are contiguous. */
static void run_flat(void *context, int64_t begin, int64_t end) {
    const loop *l = context;
    const void *in[INPUTS];
    for (int k = 0; k < l->arity; k++) in[k] = l->in[k].data + (size_t)begin * l->in[k].element;
    l->run(end - begin, in, l->out + (size_t)begin * l->out_element, l->p, l->q);
}

/* Axes of the output, those of extent 1 left out and those that all operands step through as one merged. */
static void plan(loop *l, const ag_tensor *y) {
    const ag__shape *s = y->shape;
    for (int axis = 0; axis < s->rank; axis++) {
        if (s->dim[axis] == 1) continue;
        int64_t step[INPUTS];
        bool merges = l->rank > 0;
        for (int k = 0; k < l->arity; k++) {
            const ag_tensor *x = y->in[k];
            int own = axis - (s->rank - x->shape->rank);
            step[k] = own < 0 || x->shape->dim[own] == 1 ? 0 : ag__stride(x, own) * (int64_t)l->in[k].element;
            merges = merges && l->in[k].stride[l->rank - 1] == step[k] * s->dim[axis];
        }
        int to = merges ? l->rank - 1 : l->rank++;
        l->dim[to] = merges ? l->dim[to] * s->dim[axis] : s->dim[axis];
        for (int k = 0; k < l->arity; k++) l->in[k].stride[to] = step[k];
    }
    if (l->rank == 0) {
        l->dim[0] = 1;
        l->rank = 1;
        for (int k = 0; k < l->arity; k++) l->in[k].stride[0] = (int64_t)l->in[k].element;
    }
    l->inner = l->dim[l->rank - 1];
    l->rows = s->size / l->inner;
}

__attribute__((noinline)) static void run_large(ag_tensor *y, ag__row_fn *run, double p, double q) {
    int64_t size = y->shape->size;
    loop l = {.arity = (int)y->nin, .out = y->data, .out_element = ag__dtype_bytes[y->dtype], .run = run, .p = p, .q = q};
    bool flat = true;
    for (uint32_t k = 0; k < y->nin; k++) {
        const ag_tensor *x = y->in[k];
        l.in[k].data = x->data;
        l.in[k].element = ag__dtype_bytes[x->dtype];
        flat = flat && x->shape == y->shape && !x->strides;
    }
    if (!flat) plan(&l, y);
    if (flat && size < 2 * GRAIN) {
        run_flat(&l, 0, size);
    } else if (flat) {
        ag_parallel_for(size, GRAIN, run_flat, &l);
    } else if (size < 2 * GRAIN || l.rows == 1) {
        run_rows(&l, 0, l.rows);
    } else {
        ag_parallel_for(l.rows, l.inner < GRAIN ? GRAIN / l.inner : 1, run_rows, &l);
    }
}

/* Scalar attribute i; 0 where the op has none. */
static double attribute(const ag_tensor *y, size_t i) {
    return y->op->attr_size > i * sizeof(double) ? ((const double *)y->attrs)[i] : 0;
}

bool ag__map_run(ag_tensor *y) {
    double p = attribute(y, 0), q = attribute(y, 1);
    ag__row_fn *run = row_of(y)->loop[y->in[y->nin - 1]->dtype];
    if (y->shape->size > 1) {
        run_large(y, run, p, q);
    } else if (y->shape->size == 1) { /* so has every operand */
        const void *in[INPUTS] = {y->in[0]->data, y->nin > 1 ? y->in[1]->data : NULL, y->nin > 2 ? y->in[2]->data : NULL};
        run(1, in, y->data, p, q);
    }
    return true;
}

bool ag__map_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const ag_map *map = y->op->map;
    double p = attribute(y, 0), q = attribute(y, 1);
    for (uint32_t i = 0; i < y->nin; i++) {
        if (!map->rule[i] || !ag__wants(y, i)) continue;
        d[i] = map->rule[i](y->in[0], y->in[1], y->in[2], y, g[0], p, q);
        if (!d[i] && y->tape->status) return false; /* NULL alone: no gradient flows there */
    }
    return true;
}
