/* rng.h: random numbers without state. Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011) scrambles a 128-bit counter under a 64-bit key into four words, so any number can be had in any order.
 *
 * Here the key is the tape's seed, the counter's upper half the number of the draw, its lower half the block in it. */
#ifndef AUTOGRAD_RNG_H
#define AUTOGRAD_RNG_H

#include <stdint.h>

void ag__philox(uint64_t key, uint64_t hi, uint64_t lo, uint32_t out[4]);

#endif
