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

enum { GROUP = AG__DRAW_GROUP, BLOCKS = GROUP / 4, BATCH = 4 };

/* The words of `groups` groups, of 16 blocks from counter (draw, first) on: word 0 of all, then word 1 of all, … */
static __attribute__((noinline)) void block_words(const ag__draw *d, uint64_t first, int64_t groups, uint32_t *word) {
    static const uint64_t place[BLOCKS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const lanes zero = {0}, m0 = zero + 0xD2511F53, m1 = zero + 0xCD9E8D57;
    for (int64_t at = 0; at < groups * BLOCKS; at += LANES) {
        lanes c0;
        memcpy(&c0, place + at % BLOCKS, sizeof c0);
        c0 += first + (uint64_t)(at - at % BLOCKS);
        lanes c1 = c0 >> 32, c2 = zero + d->draw, c3 = c2 >> 32;
        uint32_t k0 = (uint32_t)d->key, k1 = (uint32_t)(d->key >> 32), *out = word + at / BLOCKS * GROUP + at % BLOCKS;
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
            out[i] = (uint32_t)c0[i];
            out[i + BLOCKS] = (uint32_t)c1[i];
            out[i + 2 * BLOCKS] = (uint32_t)c2[i];
            out[i + 3 * BLOCKS] = (uint32_t)c3[i];
        }
    }
}

/* The words of the first of `groups` groups, as many as a batch holds; returns of how many. */
static inline int64_t batch_words(const ag__draw *d, int64_t first, int64_t groups, uint32_t word[BATCH * GROUP]) {
    const int64_t some = groups < BATCH ? groups : BATCH;
    block_words(d, (uint64_t)first * BLOCKS, some, word);
    return some;
}

/* The same words above, as many more below. */
static __attribute__((noinline)) int64_t batch_long_words(const ag__draw *d, int64_t first, int64_t groups,
                                                          uint64_t word[BATCH * GROUP]) {
    uint32_t high[BATCH * GROUP], low[BATCH * GROUP];
    const int64_t some = batch_words(d, first, groups, high);
    block_words(d, (uint64_t)first * BLOCKS | UINT64_C(1) << 63, some, low);
    for (int64_t i = 0; i < some * GROUP; i++) word[i] = (uint64_t)high[i] << 32 | low[i];
    return some;
}

#endif
