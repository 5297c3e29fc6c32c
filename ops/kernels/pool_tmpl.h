/* pool_tmpl.h: the largest pixels of windows, for one type. Given: T and NAME(x).
 *
 * All windows of a tile take their pixel k of a row together: what they read is `stride` apart, and their bests stand side by side. */
#ifndef OPS_KERNELS_POOL_TMPL_H
#define OPS_KERNELS_POOL_TMPL_H
enum { POOL_TILE = 256, POOL_VECTOR = 8 };
#endif

/* n windows look at a pixel each: x[0], x[stride], …, elements at, at + stride, … of the image. A place below 0: none yet. */
static inline __attribute__((always_inline)) void NAME(look)(const T *x, int32_t n, int64_t stride, int64_t at, T *best,
                                                             int32_t *place) {
    int32_t first = (int32_t)at, step = (int32_t)stride;
    for (int32_t j = 0; j < n; j++) {
        T v = x[j * stride];
        int better = (place[j] < 0) | (v > best[j]) | ((v != v) & (best[j] == best[j]));
        best[j] = better ? v : best[j];
        place[j] = better ? first + j * step : place[j];
    }
}

/* The same in whole vectors, the last of which ends with the last window: who looks twice changes nothing. */
static inline __attribute__((always_inline)) void NAME(look_all)(const T *x, int64_t n, int64_t stride, int64_t at,
                                                                 T *best, int32_t *place) {
    int64_t last = n - POOL_VECTOR;
    NAME(look)(x, (int32_t)(last < 0 ? n : n / POOL_VECTOR * POOL_VECTOR), stride, at, best, place);
    if (last >= 0 && n % POOL_VECTOR)
        NAME(look)(x + last * stride, POOL_VECTOR, stride, at + last * stride, best + last, place + last);
}

/* Windows [from, from + n) of the line. */
static void NAME(tile)(const ag__window_line *w, const T *image, int64_t from, int64_t n, T *value, int64_t *places) {
    T best[POOL_TILE];
    int32_t place[POOL_TILE];
    for (int64_t j = 0; j < n; j++) {
        best[j] = 0;
        place[j] = -1;
    }
    for (int64_t r = 0; r < w->rows; r++) {
        for (int64_t k = 0; k < w->size; k++) {
            int64_t pixel = from * w->stride - w->before + k * w->dilation; /* of the first window */
            int64_t lo = pixel < 0 ? (w->stride - 1 - pixel) / w->stride : 0, left = w->pixels - 1 - pixel;
            int64_t hi = left < 0 ? 0 : left / w->stride + 1;
            hi = hi < n ? hi : n;
            if (lo >= hi) continue;
            int64_t at = w->row[r] + pixel + lo * w->stride;
            const T *x = image + at;
            if (w->stride == 1) NAME(look_all)(x, hi - lo, 1, at, best + lo, place + lo);
            else if (w->stride == 2) NAME(look_all)(x, hi - lo, 2, at, best + lo, place + lo);
            else NAME(look_all)(x, hi - lo, w->stride, at, best + lo, place + lo);
        }
    }
    for (int64_t j = 0; j < n; j++) {
        value[j] = best[j];
        places[j] = place[j];
    }
}

static void NAME(largest)(const ag__window_line *w, const void *image, void *value, int64_t *place) {
    for (int64_t from = 0; from < w->count; from += POOL_TILE) {
        int64_t left = w->count - from;
        NAME(tile)(w, image, from, left < POOL_TILE ? left : POOL_TILE, (T *)value + from, place + from);
    }
}

#undef T
#undef NAME
