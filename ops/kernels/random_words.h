/* random_words.h: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) of 16
 * counters side by side, in lanes of 64 bits: a round multiplies the lower halves, and what its operands hold above them never
 * matters.
 *
 *     (c0, c1, c2, c3) ← (hi(M₁ c2) ⊕ c1 ⊕ k0, lo(M₁ c2), hi(M₀ c0) ⊕ c3 ⊕ k1, lo(M₀ c0)) */
#ifndef OPS_KERNELS_RANDOM_WORDS_H
#define OPS_KERNELS_RANDOM_WORDS_H

#include <string.h>

#include "ops/kernels/random.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 8 };
#define LOW_PRODUCT(a, b) (lanes) _mm512_mul_epu32((__m512i)(a), (__m512i)(b))
#elif defined(__AVX2__)
enum { LANES = 4 };
#define LOW_PRODUCT(a, b) (lanes) _mm256_mul_epu32((__m256i)(a), (__m256i)(b))
#elif defined(__SSE2__)
enum { LANES = 2 };
#define LOW_PRODUCT(a, b) (lanes) _mm_mul_epu32((__m128i)(a), (__m128i)(b))
#else
enum { LANES = 2 };
#define LOW_PRODUCT(a, b) (((a)&UINT32_MAX) * (b))
#endif

typedef uint64_t lanes __attribute__((vector_size(8 * LANES)));

enum { GROUP = AG__DRAW_GROUP, BLOCKS = GROUP / 4 };

/* The words of 16 blocks from counter (draw, first) on: word 0 of all, then word 1 of all, … */
static inline __attribute__((always_inline)) void block_words(const ag__draw *d, uint64_t first, uint32_t word[GROUP]) {
    static const uint64_t place[BLOCKS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int at = 0; at < BLOCKS; at += LANES) {
        lanes c0, zero = {0};
        memcpy(&c0, place + at, sizeof c0);
        c0 += first;
        lanes c1 = c0 >> 32, c2 = zero + d->draw, c3 = c2 >> 32, m0 = zero + 0xD2511F53, m1 = zero + 0xCD9E8D57;
        uint32_t k0 = (uint32_t)d->key, k1 = (uint32_t)(d->key >> 32);
#pragma GCC unroll 10
        for (int round = 0; round < 10; round++) {
            const lanes a = LOW_PRODUCT(c0, m0), b = LOW_PRODUCT(c2, m1);
            c0 = (b >> 32) ^ c1 ^ (zero + k0);
            c2 = (a >> 32) ^ c3 ^ (zero + k1);
            c1 = b;
            c3 = a;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        for (int i = 0; i < LANES; i++) {
            word[at + i] = (uint32_t)c0[i];
            word[at + i + BLOCKS] = (uint32_t)c1[i];
            word[at + i + 2 * BLOCKS] = (uint32_t)c2[i];
            word[at + i + 3 * BLOCKS] = (uint32_t)c3[i];
        }
    }
}

static inline __attribute__((always_inline)) void group_words(const ag__draw *d, int64_t group, uint32_t word[GROUP]) {
    block_words(d, (uint64_t)group * BLOCKS, word);
}

/* The same words above, as many more below. */
static inline __attribute__((always_inline)) void group_long_words(const ag__draw *d, int64_t group, uint64_t word[GROUP]) {
    uint32_t high[GROUP], low[GROUP];
    block_words(d, (uint64_t)group * BLOCKS, high);
    block_words(d, (uint64_t)group * BLOCKS | UINT64_C(1) << 63, low);
    for (int i = 0; i < GROUP; i++) word[i] = (uint64_t)high[i] << 32 | low[i];
}

#endif
