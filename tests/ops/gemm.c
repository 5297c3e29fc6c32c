/* gemm.c: the matrix product against plain loops, as netlib's tester measures it: |c − ref| < 16 ε (|A||B|) for sizes around
 * every edge of tiles, panels and blocks, all transpositions, strides of any sign, every instruction set; the bits of a tile do
 * not depend on the tiles beside it; NaN and Inf go where loops take them; nothing beside c is written. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "every_isa.h"
#include "ops/caches.h"

enum { GUARD = 77, EXTENT = 420 * 420 * 3 };

typedef struct sizes {
    int64_t m, n, k;
} sizes;

static double noise(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*state >> 33) / (1u << 30) - 1;
}

static double get(const void *x, bool wide, int64_t i) {
    return wide ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void set(void *x, bool wide, int64_t i, double value) {
    if (wide) ((double *)x)[i] = value;
    else ((float *)x)[i] = (float)value;
}

/* Ways in which a matrix of `rows` × `cols` may lie; the element (0, 0) is at *start. */
enum { PLAIN, TRANSPOSED, BACKWARDS, SPARSE, SPARSE_TRANSPOSED, ROW_AGAIN, COL_AGAIN, PAGES_APART, LAYOUTS };

static ag__matrix lay(void *data, bool wide, int64_t rows, int64_t cols, int layout) {
    ag__matrix x = {data, cols, 1};
    int64_t start = 0, element = wide ? sizeof(double) : sizeof(float);
    switch (layout) {
    case TRANSPOSED: x.row = 1, x.col = rows + 1; break;
    case BACKWARDS: x.row = -cols, x.col = -1, start = rows * cols; break;
    case SPARSE: x.row = 2 * cols + 1, x.col = 2; break;
    case SPARSE_TRANSPOSED: x.row = 2, x.col = -2 * rows - 1, start = (2 * rows + 1) * cols; break;
    case ROW_AGAIN: x.row = 0; break;
    case COL_AGAIN: x.row = 1, x.col = 0; break;
    case PAGES_APART: x.row = 1, x.col = 1024; break; /* for at most 516 columns of 1024 rows */
    default: break;
    }
    x.data = (char *)data + start * element;
    return x;
}

typedef struct bench {
    const ag__gemm *gemm;
    const ag__caches *caches;
    bool wide;
    void *a, *b, *c, *again, *work;
} bench;

static bench bench_new(bool wide) {
    size_t element = wide ? sizeof(double) : sizeof(float);
    bench w = {.gemm = wide ? ag__kernel()->gemm_f64 : ag__kernel()->gemm_f32, .wide = wide};
    w.caches = ag__caches_here();
    w.a = malloc(EXTENT * element), w.b = malloc(EXTENT * element);
    w.c = malloc(EXTENT * element), w.again = malloc(EXTENT * element);
    w.work = aligned_alloc(64, 4 << 20);
    uint64_t state = 5;
    for (int64_t i = 0; i < EXTENT; i++) set(w.a, wide, i, noise(&state)), set(w.b, wide, i, noise(&state));
    return w;
}

static void bench_free(bench *w) { free(w->a), free(w->b), free(w->c), free(w->again), free(w->work); }

static void fill(bench *w, void *c, int64_t n) {
    for (int64_t i = 0; i < n; i++) set(c, w->wide, i, (double)(i % 7));
}

static ag__product product_of(bench *w, sizes s, ag__matrix a, ag__matrix b, void *c, bool add) {
    ag__product p = {.m = s.m, .n = s.n, .k = s.k, .a = a, .b = b, .c_row = s.n + 3, .add = add};
    w->gemm->plan(&p, w->caches);
    cr_assert(p.work <= 4 << 20);
    size_t element = w->wide ? sizeof(double) : sizeof(float);
    ag__product_set(&p, a.data, b.data, (char *)c + GUARD * element);
    return p;
}

/* *sum + term, and what rounding took off it onto *lost (Neumaier): the plain loop shall be the better one for f64 too, and
 * not need a long double, which valgrind has no more digits for than for a double. */
static void add_exactly(double *sum, double *lost, double term) {
    double next = *sum + term;
    *lost += fabs(*sum) >= fabs(term) ? (*sum - next) + term : (term - next) + *sum;
    *sum = next;
}

static void check_element(bench *w, sizes s, ag__matrix a, ag__matrix b, bool add, int64_t i, int64_t j) {
    int64_t at = GUARD + i * (s.n + 3) + j;
    double sum = add ? (double)(at % 7) : 0, size = sum, lost = 0;
    for (int64_t p = 0; p < s.k; p++) {
        double term = get(a.data, w->wide, i * a.row + p * a.col) * get(b.data, w->wide, p * b.row + j * b.col);
        add_exactly(&sum, &lost, term);
        size += fabs(term);
    }
    if (isfinite(sum)) sum += lost;
    double c = get(w->c, w->wide, at), unit = w->wide ? DBL_EPSILON : (double)FLT_EPSILON;
    bool right = fabs(c - sum) < 16 * unit * size || (isnan(sum) && isnan(c)) || c == sum;
    cr_assert(right, "%s f%d %dx%dx%d strides (%d,%d)(%d,%d) add %d: c[%d][%d] is %.17g, not %.17g", ag_isa(),
              w->wide ? 64 : 32, (int)s.m, (int)s.k, (int)s.n, (int)a.row, (int)a.col, (int)b.row, (int)b.col, add,
              (int)i, (int)j, c, sum);
}

static void check(bench *w, sizes s, ag__matrix a, ag__matrix b, bool add) {
    int64_t size = 2 * GUARD + s.m * (s.n + 3);
    size_t element = w->wide ? sizeof(double) : sizeof(float);
    fill(w, w->c, size), fill(w, w->again, size);
    ag__product p = product_of(w, s, a, b, w->c, add);
    w->gemm->run(&p, 0, p.tiles, w->work);
    for (int64_t i = 0; i < s.m; i++) {
        for (int64_t j = 0; j < s.n; j++) check_element(w, s, a, b, add, i, j);
    }
    for (int64_t at = 0; at < size; at++) {
        int64_t place = at - GUARD, row = place / (s.n + 3);
        bool inside = place >= 0 && row < s.m && place % (s.n + 3) < s.n;
        cr_assert(inside || get(w->c, w->wide, at) == (double)(at % 7), "%dx%dx%d: element %d beside c was written",
                  (int)s.m, (int)s.k, (int)s.n, (int)place);
    }
    p = product_of(w, s, a, b, w->again, add);
    for (int64_t i = p.tiles - 1; i >= 0; i--) w->gemm->run(&p, i, i + 1, w->work);
    cr_assert(!memcmp(w->c, w->again, (size_t)size * element), "%dx%dx%d: other bits tile by tile", (int)s.m, (int)s.k,
              (int)s.n);
}

static void check_layouts(bench *w, sizes s, int from, int to) {
    for (int i = from; i < to; i++) {
        ag__matrix a = lay(w->a, w->wide, s.m, s.k, i % LAYOUTS), b = lay(w->b, w->wide, s.k, s.n, i / LAYOUTS);
        check(w, s, a, b, i & 1);
    }
}

/* Of such caches products of a few rows and columns take several blocks and tiles, and panels. */
static const ag__caches small = {4096, 1};

static const int64_t edges[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 13, 15, 16, 17,
                                24, 25, 31, 32, 33, 47, 48, 49, 50, 63, 64, 65, 97};
enum { EDGES = sizeof edges / sizeof *edges };

/* Every edge in every place, beside two others that walk through all edges, and through the layouts. */
TestEveryISA(gemm, edges) {
    for (int wide = 0; wide < 2; wide++) {
        bench w = bench_new(wide);
        for (int i = 0; i < EDGES; i++) {
            for (int j = 0; j < EDGES; j++) {
                w.caches = (i + j) % 2 ? &small : ag__caches_here();
                int64_t k = edges[(5 * i + 11 * j) % EDGES];
                int one = (3 * i + j) % (LAYOUTS * LAYOUTS);
                check_layouts(&w, (sizes){edges[i], edges[j], k}, one, one + 1);
                check_layouts(&w, (sizes){k, edges[i], edges[j]}, 0, 2);
                check_layouts(&w, (sizes){edges[i], k, edges[j]}, LAYOUTS, LAYOUTS + 2);
            }
        }
        bench_free(&w);
    }
}

/* Blocks of k, several tiles, scalar products, packed strips, few rows and few columns. */
TestEveryISA(gemm, layouts) {
    static const sizes s[] = {{17, 35, 9}, {3, 50, 70},  {50, 2, 70},   {1, 33, 40},   {1, 100, 40},
                              {33, 1, 40}, {9, 100, 65}, {20, 110, 21}, {100, 120, 19}};
    for (int wide = 0; wide < 2; wide++) {
        bench w = bench_new(wide);
        for (size_t i = 0; i < sizeof s / sizeof *s; i++) check_layouts(&w, s[i], 0, LAYOUTS * LAYOUTS);
        bench_free(&w);
    }
}

TestEveryISA(gemm, blocks) {
    static const sizes s[] = {{131, 133, 130}, {70, 300, 130}, {300, 70, 130},  {9, 50, 1000}, {50, 9, 1000},
                              {4, 3, 9000},    {2, 300, 520},  {300, 2, 520},   {1, 400, 520}, {400, 1, 520},
                              {1, 1100, 30},   {1100, 1, 30},  {128, 128, 520}, {30, 400, 513}};
    static const int pairs[] = {PLAIN, TRANSPOSED, PLAIN + LAYOUTS * TRANSPOSED, TRANSPOSED + LAYOUTS * TRANSPOSED,
                                SPARSE + LAYOUTS * SPARSE_TRANSPOSED};
    for (int i = 0; i < 4; i++) {
        bench w = bench_new(i & 1);
        if (i & 2) w.caches = &small;
        for (size_t j = 0; j < sizeof s / sizeof *s; j++) {
            for (size_t l = 0; l < sizeof pairs / sizeof *pairs; l++) check_layouts(&w, s[j], pairs[l], pairs[l] + 1);
        }
        bench_free(&w);
    }
}

/* Threads' tiles of 64 rows, and what is left for the last one: 1 row and 7. */
TestEveryISA(gemm, few_rows_left) {
    static const sizes s[] = {{577, 48, 70}, {601, 48, 70}};
    for (int wide = 0; wide < 2; wide++) {
        bench w = bench_new(wide);
        w.caches = &small;
        for (size_t i = 0; i < sizeof s / sizeof *s; i++) check_layouts(&w, s[i], 0, 2);
        bench_free(&w);
    }
}

/* A sum of nothing is nothing: c is cleared, or stays. */
TestEveryISA(gemm, empty) {
    for (int wide = 0; wide < 2; wide++) {
        bench w = bench_new(wide);
        for (int64_t m = 0; m < 70; m += 23) {
            for (int64_t n = 0; n < 70; n += 23) {
                check_layouts(&w, (sizes){m, n, 0}, 0, 2);
                check_layouts(&w, (sizes){m, n, 5 * (m == 0 || n == 0)}, LAYOUTS, LAYOUTS + 2);
            }
        }
        bench_free(&w);
    }
}

/* Inf · 0 is NaN, also where tiles are filled up; and no zero is skipped. */
TestEveryISA(gemm, infinite) {
    static const int pairs[] = {PLAIN, TRANSPOSED, LAYOUTS * TRANSPOSED, TRANSPOSED + LAYOUTS * TRANSPOSED, SPARSE};
    static const sizes s[] = {{5, 7, 3},   {9, 17, 33}, {33, 50, 40}, {2, 3, 70},
                              {70, 1, 40}, {1, 70, 40}, {30, 120, 10}};
    for (int wide = 0; wide < 2; wide++) {
        bench w = bench_new(wide);
        for (int64_t i = 0; i < EXTENT; i += 61) {
            set(w.a, wide, i, i % 3 ? 0 : i % 2 ? (double)INFINITY : (double)NAN);
            set(w.b, wide, i + 7, i % 2 ? 0 : (double)-INFINITY);
        }
        for (size_t i = 0; i < sizeof s / sizeof *s; i++) {
            for (size_t j = 0; j < sizeof pairs / sizeof *pairs; j++) check_layouts(&w, s[i], pairs[j], pairs[j] + 1);
        }
        bench_free(&w);
    }
}
