/* random.h: random numbers as functions of (key, draw, place), on raw memory.
 *
 *     place of a draw        group = place / 64 of 16 blocks of Philox, whose counters are (draw, 16 group … 16 group + 15)
 *     (place mod 64)         0 … 15          16 … 31         32 … 47         48 … 63
 *     its word               0 of block 0 …  1 of block 0 …  2 of block 0 …  3 of block 0 … 15
 *
 * An f64 has as many bits more from a second word, of the counter whose uppermost bit is set: the number of a place is the same in
 * both dtypes but for its last digits. Nothing depends on threads or instruction set: no product is contracted with a sum. */
#ifndef OPS_KERNELS_RANDOM_H
#define OPS_KERNELS_RANDOM_H

#include <stdint.h>

enum { AG__DRAW_GROUP = 64 };

typedef struct ag__draw {
    uint64_t key, draw;
} ag__draw;

/* out: `groups` whole groups from group `first` on. */
typedef void ag__draw_fn(const ag__draw *d, int64_t first, int64_t groups, double a, double b, void *out);

/* in: an element for each place of those groups. */
typedef void ag__draw_each_fn(const ag__draw *d, int64_t first, int64_t groups, const void *in, void *out);

/* By dtype: f32, f64. */
typedef struct ag__random {
    ag__draw_fn *uniform[2];     /* a + (b − a) u, below b unless a = b */
    ag__draw_fn *normal[2];      /* a + b z */
    ag__draw_fn *exponential[2]; /* −ln(u) / a */
    ag__draw_fn *mask[2];        /* 0 with probability a, else b */
    ag__draw_fn *yes[2];         /* 1 with probability a, else 0 */
    ag__draw_each_fn *chance[2]; /* 1 with probability in, else 0 */
    ag__draw_each_fn *gamma[2];  /* the gamma distribution's quantile for α = in */
    void (*words)(const ag__draw *d, int64_t first, int64_t groups, uint64_t *out);
} ag__random;

#endif
