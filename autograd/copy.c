/* copy.c: the elements of a strided tensor, row-major, copied or added to what is there.
 *
 * Axes that are stepped through as one are merged; what is left is rows × run:
 *
 *     the run has step 1           each row is a slab
 *     an outer axis has step 1     planes are transposed in blocks, as below
 *     neither                      element by element
 *
 *     from, step 1 ─▶              to, step 1 ─▶
 *     ┌──16──┐                     ┌────32────┐
 *     32     │  4 × 4 in registers 16         │   whole lines at once; past the caches when the result is larger than
 *     └──────┘  ─▶ a tile in L1 ─▶ └──────────┘   they are
 *
 * Elements are moved as words of their size, whatever they are. Large tensors are shared among threads by rows of the result. */
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "autograd/node.h"

typedef uint64_t __attribute__((may_alias)) word64;
typedef uint32_t __attribute__((may_alias)) word32;
typedef uint32_t __attribute__((vector_size(16), may_alias, aligned(4))) quad;

enum {
    GRAIN = 1 << 16,  /* elements worth a thread's while */
    LONG = 32,        /* of a tile: neighbours in the result */
    WIDE = 64,        /* bytes of a tile that are neighbours in the source: a cache line */
    STREAM = 8 << 20, /* bytes from which a result is written past the caches */
    SHARE = 1 << 18   /* bytes worth a thread's while, when all there is to do is move them */
};

typedef struct axes {
    int rank;
    int64_t dim[AG_MAX_RANK], step[AG_MAX_RANK]; /* in elements */
} axes;

typedef struct job {
    axes a;
    const char *from;
    char *to;
    size_t element;
    int64_t run, step; /* of the last axis */
    bool add, f64;
    int plane;                  /* transposing: the axis with step 1 */
    int64_t strips, wide, line; /* tiles of LONG along the last axis, extent of the plane's axis, its step in the result */
    bool stream;
} job;

static axes merged(const ag_tensor *x) {
    const int64_t *strides = x->strides ? x->strides : x->shape->stride;
    axes a = {0};
    for (int i = 0; i < x->shape->rank; i++) {
        int64_t n = x->shape->dim[i];
        if (n == 1) continue;
        if (a.rank && a.step[a.rank - 1] == n * strides[i]) {
            a.dim[a.rank - 1] *= n;
        } else {
            a.dim[a.rank++] = n;
        }
        a.step[a.rank - 1] = strides[i];
    }
    return a;
}

/* Where row r of the outer axes begins, skipping axis `but`; at[] is its place. */
static int64_t seek(const axes *a, int64_t r, int but, int64_t at[AG_MAX_RANK]) {
    int64_t offset = 0;
    for (int i = a->rank - 2; i >= 0; i--) {
        if (i == but) continue;
        at[i] = r % a->dim[i];
        r /= a->dim[i];
        offset += at[i] * a->step[i];
    }
    return offset;
}

/* The next row's offset. */
static int64_t advance(const axes *a, int64_t at[AG_MAX_RANK], int64_t offset) {
    for (int i = a->rank - 2; i >= 0; i--) {
        offset += a->step[i];
        if (++at[i] < a->dim[i]) break;
        offset -= at[i] * a->step[i];
        at[i] = 0;
    }
    return offset;
}

#define EACH(T, put, by) \
    for (int64_t i = 0; i < n; i++) ((T *)to)[i] put((const T *)from)[i * (by)];

/* Neighbours, and one value repeated, have loops of their own, which the compiler makes vectors of. */
static void copy_run(const void *from, int64_t step, int64_t n, void *to, size_t element) {
    if (step == 1) {
        memcpy(to, from, element * (size_t)n);
    } else if (element == 8) {
        if (step == 0) {
            const word64 one = *(const word64 *)from;
            for (int64_t i = 0; i < n; i++) ((word64 *)to)[i] = one;
        } else {
            EACH(word64, =, step)
        }
    } else if (element == 4) {
        if (step == 0) {
            const word32 one = *(const word32 *)from;
            for (int64_t i = 0; i < n; i++) ((word32 *)to)[i] = one;
        } else {
            EACH(word32, =, step)
        }
    } else {
        EACH(unsigned char, =, step)
    }
}

static inline void add_run(const void *from, int64_t step, int64_t n, void *to, bool f64) {
    if (f64) {
        if (step == 1) {
            EACH(double, +=, 1)
        } else {
            EACH(double, +=, step)
        }
    } else if (step == 1) {
        EACH(float, +=, 1)
    } else {
        EACH(float, +=, step)
    }
}

static void run_rows(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    int64_t at[AG_MAX_RANK] = {0}, offset = seek(&w->a, begin, -1, at);
    char *to = w->to + (size_t)(begin * w->run) * w->element;
    for (int64_t r = begin; r < end; r++) {
        const char *from = w->from + offset * (int64_t)w->element;
        if (w->add) {
            add_run(from, w->step, w->run, to, w->f64);
        } else {
            copy_run(from, w->step, w->run, to, w->element);
        }
        to += (size_t)w->run * w->element;
        offset = advance(&w->a, at, offset);
    }
}

/* out[i][k] = from[k][i] for i, k < 4; rows of from are `step` bytes apart. */
static inline void flip4(const char *from, int64_t step, quad out[4]) {
    quad a = *(const quad *)(const void *)from, b = *(const quad *)(const void *)(from + step);
    quad c = *(const quad *)(const void *)(from + 2 * step), d = *(const quad *)(const void *)(from + 3 * step);
    quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    quad hi_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7), hi_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    out[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    out[1] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    out[2] = __builtin_shufflevector(hi_ab, hi_cd, 0, 1, 4, 5);
    out[3] = __builtin_shufflevector(hi_ab, hi_cd, 2, 3, 6, 7);
}

/* A full tile, transposed: LONG rows of WIDE bytes, `step` bytes apart, to lines of LONG elements. */
static void flip_tile(const char *from, int64_t step, size_t element, char tile[WIDE * LONG]) {
    if (element == 4) {
        enum { N = WIDE / 4 };
        for (int k = 0; k < LONG; k += 4) {
            for (int i = 0; i < N; i += 4) {
                quad out[4];
                flip4(from + k * step + 4 * i, step, out);
                for (int q = 0; q < 4; q++) *(quad *)(void *)(tile + ((i + q) * LONG + k) * 4) = out[q];
            }
        }
    } else {
        for (int k = 0; k < LONG; k++) {
            for (int i = 0; i < WIDE / 8; i++) {
                ((word64 *)(void *)tile)[i * LONG + k] = ((const word64 *)(const void *)(from + k * step))[i];
            }
        }
    }
}

static void write_line(const char *tile, char *to, size_t bytes, bool stream) {
#if defined(__SSE2__)
    if (stream && ((uintptr_t)to & 15) == 0) {
        for (size_t i = 0; i < bytes; i += 16)
            _mm_stream_si128((__m128i *)(void *)(to + i), *(const __m128i *)(const void *)(tile + i));
        return;
    }
#endif
    (void)stream;
    memcpy(to, tile, bytes);
}

/* One strip of a plane: up to LONG of the last axis, all of the plane's. */
static void flip_strip(const job *w, const char *from, char *to, int64_t n) {
    _Alignas(64) char tile[WIDE * LONG];
    int64_t step = w->step * (int64_t)w->element, line = w->line * (int64_t)w->element;
    int64_t many = WIDE / (int64_t)w->element, i = 0;
    for (; n == LONG && i + many <= w->wide; i += many) {
        const char *at = from + i * (int64_t)w->element;
        for (int k = 0; k < LONG; k++) __builtin_prefetch(at + k * step + WIDE);
        flip_tile(at, step, w->element, tile);
        for (int64_t k = 0; k < many; k++)
            write_line(tile + (size_t)(k * LONG) * w->element, to + (i + k) * line, LONG * w->element, w->stream);
    }
    for (; i < w->wide; i++) copy_run(from + i * (int64_t)w->element, w->step, n, to + i * line, w->element);
}

/* Strips [begin, end) of all planes. A plane is a row of the axes that are neither the last nor the plane's. */
static void run_strips(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    const axes *a = &w->a;
    for (int64_t s = begin; s < end; s++) {
        int64_t at[AG_MAX_RANK], first = s % w->strips * LONG, to = first, size = w->run;
        int64_t offset = seek(a, s / w->strips, w->plane, at) + first * w->step;
        for (int i = a->rank - 2; i >= 0; i--) {
            if (i != w->plane) to += at[i] * size;
            size *= a->dim[i];
        }
        flip_strip(w, w->from + offset * (int64_t)w->element, w->to + (size_t)to * w->element,
                   w->run - first < LONG ? w->run - first : LONG);
    }
#if defined(__SSE2__)
    if (w->stream) _mm_sfence(); /* streamed lines before whatever says that they are there */
#endif
}

/* Is there an axis that had better be read along than the last? */
static bool plan_planes(job *w, int64_t size) {
    const axes *a = &w->a;
    w->line = w->run;
    if (w->add || w->element < 4 || w->step == 0 || w->step == 1 || w->run < LONG) return false;
    for (w->plane = a->rank - 2; w->plane >= 0; w->plane--) {
        if (a->step[w->plane] == 1 && a->dim[w->plane] >= 4) break;
        w->line *= a->dim[w->plane];
    }
    if (w->plane < 0) return false;
    w->wide = a->dim[w->plane];
    w->strips = (w->run + LONG - 1) / LONG;
    w->stream = (size_t)size * w->element >= STREAM;
    return true;
}

static void share(int64_t n, int64_t elements, void (*body)(void *context, int64_t begin, int64_t end), job *w) {
    if (n * elements < 2 * GRAIN) {
        body(w, 0, n);
    } else {
        ag_parallel_for(n, elements < GRAIN ? GRAIN / elements : 1, body, w);
    }
}

static void move(const ag_tensor *x, void *to, bool add) {
    int64_t size = x->shape->size;
    if (size == 0) return;
    job w = {.a = merged(x), .from = x->data, .to = to, .element = ag__dtype_bytes[x->dtype], .run = 1, .add = add};
    w.f64 = x->dtype == AG_F64;
    if (w.a.rank) {
        w.run = w.a.dim[w.a.rank - 1];
        w.step = w.a.step[w.a.rank - 1];
    }
    if (w.a.rank == 1 && w.step == 1) { /* in pieces, for threads to share */
        w.run = size % 4096 == 0 ? 4096 : size;
        w.a = (axes){2, {size / w.run, w.run}, {w.run, 1}};
    }
    if (plan_planes(&w, size)) {
        share(size / w.run / w.wide * w.strips, LONG * w.wide, run_strips, &w);
    } else {
        share(size / w.run, w.run, run_rows, &w);
    }
}

/* Bytes, in blocks that threads share. */
typedef struct blocks {
    char *to;
    const char *from; /* NULL: zeros */
    size_t bytes;
} blocks;

static void run_blocks(void *context, int64_t begin, int64_t end) {
    const blocks *w = context;
    size_t first = (size_t)begin * SHARE, last = (size_t)end * SHARE < w->bytes ? (size_t)end * SHARE : w->bytes;
    if (w->from) {
        memcpy(w->to + first, w->from + first, last - first);
    } else {
        memset(w->to + first, 0, last - first);
    }
}

void ag__zero(void *out, size_t bytes) {
    if (bytes < 2 * SHARE) {
        memset(out, 0, bytes);
    } else {
        ag_parallel_for((int64_t)((bytes + SHARE - 1) / SHARE), 1, run_blocks, &(blocks){out, NULL, bytes});
    }
}

void ag__gather(const ag_tensor *x, void *out) {
    size_t bytes = ag__dtype_bytes[x->dtype] * (size_t)x->shape->size;
    const char *from = x->data, *to = out;
    if (!ag__contiguous(x)) {
        move(x, out, false);
    } else if (bytes < 2 * SHARE || (to < from + bytes && from < to + bytes)) {
        memmove(out, from, bytes); /* out may be x's own memory */
    } else {
        ag_parallel_for((int64_t)((bytes + SHARE - 1) / SHARE), 1, run_blocks, &(blocks){out, from, bytes});
    }
}

void ag__accumulate(const ag_tensor *x, void *out) {
    if (x->shape->size < GRAIN && ag__contiguous(x)) {
        add_run(x->data, 1, x->shape->size, out, x->dtype == AG_F64);
    } else {
        move(x, out, true);
    }
}
