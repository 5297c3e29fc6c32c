/* turn.c: a strip of a plane, transposed.
 *
 *     ┌──64──┬──64──┬ 8 lines ┬─ bytes        ┌────128────┐
 *     32     │      │         │               │           │     16 elements make a cache line, which is written at once, and
 *     rows   │      │         │      ──▶      wide        │     past the caches if the result is larger than they are
 *     └──────┴──────┴─────────┴─              └───────────┘
 *
 * Rows are often a power of two apart: then few of their lines find room in the nearest cache together, and each is in another
 * page of memory. So while 8 lines of all rows are turned, the next 8 are asked for, row by row, to the second cache. */
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "autograd/node.h"

typedef uint32_t __attribute__((vector_size(16), may_alias, aligned(4))) quad;
#define INLINE static inline __attribute__((always_inline))

enum { LINE = 64, AHEAD = 8, SECOND = 2 /* of a prefetch: the second cache */ };

/* out[i][k] = from[k][i] for i, k < 4; rows of from are `step` bytes apart. */
INLINE void flip4(const char *from, int64_t step, quad out[4]) {
    quad a = *(const quad *)(const void *)from, b = *(const quad *)(const void *)(from + step);
    quad c = *(const quad *)(const void *)(from + 2 * step), d = *(const quad *)(const void *)(from + 3 * step);
    quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    quad hi_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7), hi_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    out[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    out[1] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    out[2] = __builtin_shufflevector(hi_ab, hi_cd, 0, 1, 4, 5);
    out[3] = __builtin_shufflevector(hi_ab, hi_cd, 2, 3, 6, 7);
}

/* The same of words of 64 bits, i, k < 2. */
INLINE void flip2(const char *from, int64_t step, quad out[2]) {
    quad a = *(const quad *)(const void *)from, b = *(const quad *)(const void *)(from + step);
    out[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    out[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
}

INLINE void put(char *to, quad v, bool stream) {
#if defined(__SSE2__)
    if (stream) {
        _mm_stream_si128((__m128i *)(void *)to, (__m128i)v);
        return;
    }
#endif
    (void)stream;
    *(quad *)(void *)to = v;
}

/* The columns that lie in 16 bytes, of as many rows as make a LINE of the result. */
INLINE void turn_line(const char *from, int64_t step, size_t element, char *to, int64_t line, bool stream) {
    quad out[4][4];
#pragma GCC unroll 4
    for (int p = 0; p < 4; p++) {
        if (element == 4) {
            flip4(from + 4 * p * step, step, out[p]);
        } else {
            flip2(from + 2 * p * step, step, out[p]);
        }
    }
    const size_t columns = 16 / element;
#pragma GCC unroll 4
    for (size_t i = 0; i < columns; i++, to += line) {
#pragma GCC unroll 4
        for (int p = 0; p < 4; p++) put(to + 16 * p, out[p][i], stream);
    }
}

/* Lines n and so many more as 16 bytes have elements, of the AHEAD of each row. */
INLINE void ask(const char *next, int64_t step, size_t element, int64_t n) {
    const int64_t end = n + (int64_t)(16 / element);
#pragma GCC unroll 4
    for (int64_t i = n; i < end; i++) __builtin_prefetch(next + i / AHEAD * step + i % AHEAD * LINE, 0, SECOND);
}

/* A line of a large result that is not streamed is fetched before it is written: then both that are neighbours at once. */
INLINE int64_t turn(const ag__strip *s, const char *then, size_t element, bool stream) {
    const int64_t step = s->step, line = s->line, many = LINE / (int64_t)element, lines = s->wide / many;
    const bool pairs = s->large && !stream;
    const char *from = s->from, *next = then;
    char *to = s->to;
    for (int64_t l = 0; l < lines; l++, from += LINE, to += many * line) {
        if (l % AHEAD == 0) next = l + AHEAD < lines ? from + AHEAD * LINE : then;
        for (int64_t t = 0; t < AG__STRIP / 16; t++) {
            int64_t k = pairs ? t % 2 : t / 4, i = pairs ? t / 2 : t % 4;
            ask(next, step, element, (l % AHEAD * (AG__STRIP / 16) + t) * (int64_t)(16 / element));
            turn_line(from + k * many * step + 16 * i, step, element, to + i * 16 / (int64_t)element * line + k * LINE,
                      line, stream);
        }
    }
    return lines * many;
}

int64_t ag__turn(const ag__strip *s, const char *next) {
    bool stream = s->large && (((uintptr_t)s->to | (uintptr_t)s->line) & 15) == 0;
    if (s->rows * (int64_t)s->element < AG__STRIP) return 0;
    if (s->element == 4) return stream ? turn(s, next, 4, true) : turn(s, next, 4, false);
    return stream ? turn(s, next, 8, true) : turn(s, next, 8, false);
}
