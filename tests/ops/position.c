/* position.c: a row's result depends on neither an element's place in the array nor on how many there are: whole vectors, the
 * elements left over and single ones give the same bits. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "every_isa.h"
#include "ops/map.h"
#include "ops/ops.h"

enum { MOST = 150 };

static const double odd[] = {0,     -0.0, (double)NAN, HUGE_VAL, -HUGE_VAL, 1e-40, -1e-40, 1e30,
                             -1e30, 2e6,  88.8,        -104,     1,         -1,    3e7};

static double value(int i, int salt) {
    unsigned u = (unsigned)(i + 1) * 2654435761u + (unsigned)salt * 40503u;
    if (i % 7 == 3) return odd[u % (sizeof odd / sizeof *odd)];
    return (double)(u >> 8) / 0x1p24 * 8 - 4;
}

/* Row-major bits of element i, NaN of any kind made one. */
static uint64_t bits_at(const void *from, int i, bool to_bool, bool single) {
    uint64_t u = 0;
    if (to_bool) return ((const unsigned char *)from)[i];
    if (single) {
        float x = ((const float *)from)[i];
        if (isnan(x)) return UINT64_MAX;
        memcpy(&u, &x, sizeof x);
    } else {
        double x = ((const double *)from)[i];
        if (isnan(x)) return UINT64_MAX;
        memcpy(&u, &x, sizeof x);
    }
    return u;
}

/* Element i of input k of a row: bool where it chooses, else of the row's dtype. */
static void fill(const ag_op *op, bool single, int k, char *x) {
    bool chooses = op->map->kind & AG__MAP_CHOOSES && k == 0;
    for (int i = 0; i < MOST; i++) {
        if (chooses) {
            ((bool *)(void *)x)[i] = value(i, k) > 0;
        } else if (single) {
            ((float *)(void *)x)[i] = (float)value(i, k);
        } else {
            ((double *)(void *)x)[i] = value(i, k);
        }
    }
}

static void need_same(const ag_op *op, ag_dtype dtype) {
    ag__row_fn *loop = ag__kernel()->rows->row[op->map->row].loop[dtype];
    bool single = dtype == AG_F32;
    static double storage[3][MOST + 1], whole[MOST], one[1];
    size_t element = single ? sizeof(float) : sizeof(double), size[3] = {element, element, element};
    if (!loop) return;
    cr_assert_leq(op->arity, 3);
    if (op->map->kind & AG__MAP_CHOOSES) size[0] = sizeof(bool);
    for (int offset = 0; offset < 2; offset++) {
        char *x[3];
        for (int k = 0; k < 3; k++) {
            x[k] = (char *)storage[k] + (size_t)offset * size[k];
            fill(op, single, k, x[k]);
        }
        for (int n = 1; n <= MOST; n += n < 40 ? 1 : 37) {
            loop(n, (const void *[]){x[0], x[1], x[2]}, whole, 0.5, 2);
            for (int i = n > 8 ? n - 8 : 0; i < n; i++) {
                size_t at = (size_t)i;
                loop(1, (const void *[]){x[0] + at * size[0], x[1] + at * size[1], x[2] + at * size[2]}, one, 0.5, 2);
                cr_assert_eq(bits_at(whole, i, op->map->kind & AG__MAP_TO_BOOL, single),
                             bits_at(one, 0, op->map->kind & AG__MAP_TO_BOOL, single),
                             "%s, %s, %s: element %d of %d is not what it is alone", op->name, ag_isa(),
                             ag_dtype_name(dtype), i, n);
            }
        }
    }
}

TestEveryISA(ops, rows_do_not_depend_on_position) {
    const ag_op *op;
    for (int i = 0; (op = ag_op_at(i)) != NULL; i++) {
        if (!(op->flags & AG_MAP)) continue;
        need_same(op, AG_F32);
        need_same(op, AG_F64);
    }
}
