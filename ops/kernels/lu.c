/* lu.c: the table of lu.h. What is subtracted is kept with its sign turned, as the product of matrices, which does the rest, adds. */
#include <math.h>

#include "ops/kernels/kernels.h"

#define BITS 64
#include "ops/kernels/gemm_vector.h"

enum { NARROW = AG__LU_NARROW, MOST = 8 /* vectors */ };

/* The row of the largest element of column k in rows k to n. */
static int64_t largest(const double *t, int64_t n, int64_t row, int64_t k) {
    int64_t best = k;
    double most = fabs(t[k * row + k]);
    for (int64_t i = k + 1; i < n; i++) {
        double v = fabs(t[i * row + k]);
        if (v > most) best = i, most = v;
    }
    return best;
}

static int64_t panel(double *t, int64_t n, int64_t row, int64_t from, int64_t *order, bool *odd) {
    int64_t end = from + NARROW < n ? from + NARROW : n, reached = end;
    for (int64_t k = from; k < end; k++) {
        int64_t best = largest(t, n, row, k);
        double *p = t + k * row, *other = t + best * row, pivot, rest[NARROW];
        if (best != k) {
            int64_t place = order[k];
            order[k] = order[best], order[best] = place;
            INDEPENDENT
            for (int64_t j = 0; j < n; j++) {
                double v = p[j];
                p[j] = other[j], other[j] = v;
            }
            *odd = !*odd;
        }
        pivot = p[k];
        if (pivot == 0) {
            if (reached == end) reached = k;
            continue;
        }
        for (int64_t i = k + 1; i < n && n < NARROW; i++) { /* too few for vectors */
            double *x = t + i * row, f = x[k] = -x[k] / pivot;
            for (int64_t j = k + 1; j < n; j++) x[j] = FMA(f, p[j], x[j]);
        }
        if (n < NARROW) continue;
        for (int64_t j = 0; j < NARROW; j++) rest[j] = from + j > k && from + j < end ? p[from + j] : 0;
        for (int64_t i = k + 1; i < n; i++) {
            double *x = t + i * row + from, f = -x[k - from] / pivot;
#pragma GCC unroll 8
            for (int64_t j = 0; j < NARROW; j += LANES) store(x + j, axpy(load(x + j), f, load(rest + j)));
            x[k - from] = f;
        }
    }
    return reached;
}

/* `vecs` vectors of columns, or the first few of a single one. */
INLINE void columns(int64_t n, int vecs, const mask *part, const double *t, int64_t row, bool upper, double *x,
                    int64_t x_row) {
    for (int64_t s = 0; s < n; s++) {
        int64_t i = upper ? n - 1 - s : s, from = upper ? i + 1 : 0;
        double *to = x + i * x_row;
        vec sum[MOST];
#pragma GCC unroll 8
        for (int j = 0; j < vecs; j++) sum[j] = part ? load_part(to, *part) : load(to + j * LANES);
        for (int64_t k = from; k < from + s; k++) {
            const double f = t[i * row + k], *p = x + k * x_row;
#pragma GCC unroll 8
            for (int j = 0; j < vecs; j++) sum[j] = axpy(sum[j], f, part ? load_part(p, *part) : load(p + j * LANES));
        }
#pragma GCC unroll 8
        for (int j = 0; j < vecs; j++) {
            if (upper) sum[j] /= t[i * row + i];
            if (part) store_part(to, *part, sum[j]);
            else store(to + j * LANES, sum[j]);
        }
    }
}

static void triangle(int64_t n, int64_t m, const double *t, int64_t row, bool upper, double *x, int64_t x_row) {
    for (; m >= MOST * LANES; m -= MOST * LANES, x += MOST * LANES) columns(n, MOST, NULL, t, row, upper, x, x_row);
    for (; m >= LANES; m -= LANES, x += LANES) columns(n, 1, NULL, t, row, upper, x, x_row);
    const mask part = first(m);
    if (m) columns(n, 1, &part, t, row, upper, x, x_row);
}

const ag__lu TABLE(lu) = {panel, triangle};
