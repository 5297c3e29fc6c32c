/* graph_format.h: what writer and reader of .aggraph files share. docs/aggraph.md describes the format.
 *
 *     aggraph 1 3c5f0a9b17d2e468      what, which version, checksum of all that follows
 *     %0 = leaf f32 (3) persistent grad "w"
 *     %1 = scale %0 : factor=2
 *     out %1
 *     data                            zero bytes up to a multiple of 8, then the values of the leaves
 */
#ifndef AUTOGRAD_GRAPH_FORMAT_H
#define AUTOGRAD_GRAPH_FORMAT_H

#include <string.h>

#include "autograd/node.h"

#define AG__GRAPH_MAGIC "aggraph "
enum { AG__GRAPH_VERSION = 1, AG__GRAPH_FIRST = 27 /* bytes of the first line */ };

static inline uint64_t ag__little(uint64_t x) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* Values lie in the file lowest byte first: turns n elements between that and the machine's order. */
static inline void ag__graph_turn(void *data, size_t element, int64_t n) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    unsigned char *p = data;
    for (int64_t i = 0; i < n; i++, p += element) {
        for (size_t k = 0; k < element / 2; k++) {
            unsigned char byte = p[k];
            p[k] = p[element - 1 - k];
            p[element - 1 - k] = byte;
        }
    }
#else
    (void)data, (void)element, (void)n;
#endif
}

/* The checksum takes words of 8 bytes, the last filled with zeros, and then the number of bytes. Each step is a bijection of the
 * state for a given word, and of the word for a given state: two files that differ in one word never have the same sum. */
typedef struct ag__sum {
    uint64_t state, word;
    uint64_t bytes;
} ag__sum;

static inline void ag__sum_word(ag__sum *s, uint64_t word) {
    uint64_t x = (s->state ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    s->state = x ^ x >> 32;
}

static inline void ag__sum_add(ag__sum *s, const void *data, size_t n) {
    const unsigned char *p = data;
    for (; n && s->bytes % 8; n--, p++) {
        s->word |= (uint64_t)*p << 8 * (s->bytes++ % 8);
        if (s->bytes % 8) continue;
        ag__sum_word(s, s->word);
        s->word = 0;
    }
    for (; n >= 8; n -= 8, p += 8, s->bytes += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        ag__sum_word(s, ag__little(word));
    }
    for (; n; n--, p++) s->word |= (uint64_t)*p << 8 * (s->bytes++ % 8);
}

static inline uint64_t ag__sum_end(ag__sum s) {
    ag__sum_word(&s, s.word);
    ag__sum_word(&s, s.bytes);
    return s.state;
}

#endif
