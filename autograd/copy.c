/* copy.c: the elements of a strided tensor, row-major, copied or added to what is there.
 *
 * Axes that are stepped through as one are merged; what is left is rows × run:
 *
 *     the run has step 1           each row is a slab
 *     an outer axis has step 1     planes are transposed in strips: turn.c
 *     neither                      element by element
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

enum {
    GRAIN = 1 << 16,  /* elements worth a thread's while */
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
    int plane;                        /* transposing: the axis with step 1 */
    int64_t rows, strips, wide, line; /* of a strip; strips along the last axis; extent of the plane's, its step in the result */
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

/* Strip s of all planes. A plane is a row of the axes that are neither the last nor its own. */
static ag__strip strip_of(const job *w, int64_t s) {
    const axes *a = &w->a;
    int64_t at[AG_MAX_RANK], first = s % w->strips * w->rows, to = first, size = w->run, left = w->run - first;
    int64_t offset = seek(a, s / w->strips, w->plane, at) + first * w->step, element = (int64_t)w->element;
    for (int i = a->rank - 2; i >= 0; i--) {
        if (i != w->plane) to += at[i] * size;
        size *= a->dim[i];
    }
    return (ag__strip){.from = w->from + offset * element,
                       .to = w->to + to * element,
                       .step = w->step * element,
                       .line = w->line * element,
                       .rows = left < w->rows ? left : w->rows,
                       .wide = w->wide,
                       .element = w->element,
                       .large = w->stream};
}

static void run_strips(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    ag__strip strip = strip_of(w, begin);
    for (int64_t s = begin; s < end; s++) {
        ag__strip next = s + 1 < end ? strip_of(w, s + 1) : strip;
        for (int64_t i = ag__turn(&strip, next.from); i < w->wide; i++)
            copy_run(strip.from + i * (int64_t)w->element, w->step, strip.rows, strip.to + i * strip.line, w->element);
        strip = next;
    }
#if defined(__SSE2__)
    if (w->stream) _mm_sfence(); /* streamed lines before whatever says that they are there */
#endif
}

/* Is there an axis that had better be read along than the last? */
static bool plan_planes(job *w, int64_t size) {
    const axes *a = &w->a;
    w->line = w->run;
    if (w->add || w->element < 4 || w->step == 0 || w->step == 1) return false;
    w->rows = AG__STRIP / (int64_t)w->element;
    if (w->run < w->rows) return false;
    for (w->plane = a->rank - 2; w->plane >= 0; w->plane--) {
        if (a->step[w->plane] == 1 && a->dim[w->plane] >= 4) break;
        w->line *= a->dim[w->plane];
    }
    if (w->plane < 0) return false;
    w->wide = a->dim[w->plane];
    w->strips = (w->run + w->rows - 1) / w->rows;
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
        share(size / w.run / w.wide * w.strips, w.rows * w.wide, run_strips, &w);
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
