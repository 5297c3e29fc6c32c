/* rows_turn.h: rows that are other rows, of b and a. */
#ifndef OPS_KERNELS_ROWS_TURN_H
#define OPS_KERNELS_ROWS_TURN_H

#include "ops/kernels/rows.h"

/* Apart, or the compiler would copy the other row's loop. */
static __attribute__((noinline)) void in_turn(int64_t n, const void *const in[], void *out, ag__row_fn *row) {
    const void *const turned[] = {in[1], in[0]};
    row(n, turned, out, 0, 0);
}

#define IN_TURN(name, row)                                                               \
    static void name(int64_t n, const void *const in[], void *out, double p, double q) { \
        (void)p, (void)q;                                                                \
        in_turn(n, in, out, row);                                                        \
    }

#endif
