/* rng.h: random numbers without state. Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011) scrambles a 128-bit counter under a 64-bit key into four words, so any number can be had in any order.
 *
 * Here the key is the tape's seed, the counter's upper half the number of the draw, its lower half the block in it. */
#ifndef AUTOGRAD_RNG_H
#define AUTOGRAD_RNG_H

#include <stdint.h>

void ag__philox(uint64_t key, uint64_t hi, uint64_t lo, uint32_t out[4]);

/* In [0, 1), multiples of 2⁻³² and of 2⁻⁵³. */
static inline double ag__uniform32(uint32_t word) { return word * 0x1p-32; }
static inline double ag__uniform64(uint32_t low, uint32_t high) {
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

#endif
