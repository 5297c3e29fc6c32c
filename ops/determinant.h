/* determinant.h: what determinants and their gradients share. */
#ifndef OPS_DETERMINANT_H
#define OPS_DETERMINANT_H

#include "ops/batch.h"
#include "ops/factor.h"

/* v 2^e: a product that may leave the range of doubles on the way */
typedef struct ag__scaled {
    double v;
    int64_t e;
} ag__scaled;

ag__scaled ag__scaled_times(ag__scaled a, double b);
double ag__scaled_value(ag__scaled a);
void ag__scaled_powers(ag__scaled a, double p[2]); /* 2^e as two doubles: x p[0] p[1] is right for any x */

typedef struct ag__determining {
    const ag_tensor *a, *g; /* g: of each matrix, or, for the second derivative, in a's shape */
    void *out[2];
    bool f64, logarithm;
    ag__batch batch;
} ag__determining;

static inline void ag__determinant_put(const ag__determining *d, int i, int64_t at, double v) {
    if (d->f64) ((double *)d->out[i])[at] = v;
    else ((float *)d->out[i])[at] = (float)v;
}

/* Matrix i of a, or its transpose; returns where g's part for it is, in elements. */
int64_t ag__determinant_load(const ag__determining *d, ag__factors *f, int64_t i, bool turned);
/* In run: d has a, and g if there is one. `work`: multiplications of one matrix, in n³. */
bool ag__determinant_run(ag_tensor *y, ag__determining *d, ag__factors f, double work,
                         bool (*one)(const void *context, ag__factors *f, int64_t i));
ag__scaled ag__determinant_of(const ag__factors *f);

#endif
