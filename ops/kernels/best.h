/* best.h: where the largest or smallest elements are, on raw memory. */
#ifndef OPS_KERNELS_BEST_H
#define OPS_KERNELS_BEST_H

#include <stdint.h>

enum { AG__BEST_TILE = 256 };

/* By dtype: f32, f64, i64. n rows, `step` elements apart, of `width` ≤ AG__BEST_TILE columns. */
typedef struct ag__best {
    void (*place[3])(const void *x, int64_t n, int64_t step, int64_t width, int64_t *place);
    void (*running[3])(const void *x, int64_t n, int64_t step, int64_t width, void *value, int64_t *place);
    int64_t (*find[3])(const void *x, int64_t n, const void *wanted);
} ag__best;

/* Largest and smallest. */
typedef struct ag__bests {
    ag__best most, least;
} ag__bests;

#endif
