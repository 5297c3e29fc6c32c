/* pairs.c: means with squared deviations, and sums of exponentials with their scale, merged pair by pair.
 *
 *     moments: mean = Σ w a / Σ w,  M = Σ b + w (a − mean)²      (Chan, Golub, LeVeque 1983: exact for whatever the parts are)
 *     log_sum: m = max a,           s = Σ b e^(a − m)            s is at least 1 where m is finite: never over- nor underflows */
#include "ops/kernels/kernels.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "ops/kernels/math_f64.h"

enum { TILE = AG__PAIR_TILE, LANES = 8 };

/* Σ x of neighbours, in lanes. */
static double row_sum(const double *x, int64_t n) {
    double lane[LANES] = {0}, all = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) lane[k] += x[i + k];
    }
    for (int k = 0; k < LANES; k++) all += lane[k];
    for (; i < n; i++) all += x[i];
    return all;
}

static double row_squares(const double *x, int64_t n, double mean) {
    double lane[LANES] = {0}, all = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) lane[k] += (x[i + k] - mean) * (x[i + k] - mean);
    }
    for (int k = 0; k < LANES; k++) all += lane[k];
    for (; i < n; i++) all += (x[i] - mean) * (x[i] - mean);
    return all;
}

/* Of columns side by side; a width that is known keeps their sums in registers. */
INLINE void column_moments(const double *a, const double *b, int64_t n, int64_t stride, int64_t width, double count,
                           double last, double *ra, double *rb) {
    double mean[TILE] = {0}, squares[TILE] = {0}, total = (double)(n - 1) * count + last;
    for (int64_t i = 0; i < n; i++) {
        double w = i + 1 < n ? count : last;
        for (int64_t j = 0; j < width; j++) mean[j] += w * a[i * stride + j];
    }
    for (int64_t j = 0; j < width; j++) mean[j] /= n ? total : 0;
    for (int64_t i = 0; i < n; i++) {
        double w = i + 1 < n ? count : last;
        for (int64_t j = 0; j < width; j++) {
            double d = a[i * stride + j] - mean[j];
            squares[j] += w * d * d + (b ? b[i * stride + j] : 0);
        }
    }
    for (int64_t j = 0; j < width; j++) {
        ra[j] = mean[j];
        rb[j] = squares[j];
    }
}

static void moments(const double *a, const double *b, int64_t n, int64_t stride, int64_t width, double count,
                    double last, double *ra, double *rb) {
    if (!b && stride == 1) {
        ra[0] = row_sum(a, n) / (double)n;
        rb[0] = row_squares(a, n, ra[0]);
    } else if (!b && width == TILE) {
        column_moments(a, NULL, n, stride, TILE, count, last, ra, rb);
    } else {
        column_moments(a, b, n, stride, width, count, last, ra, rb);
    }
}

static void log_sum(const double *a, const double *b, int64_t n, int64_t stride, int64_t width, double count,
                    double last, double *ra, double *rb) {
    double most[TILE], base[TILE], sum[TILE] = {0};
    (void)count;
    (void)last;
    for (int64_t j = 0; j < width; j++) most[j] = (double)-INFINITY;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < width; j++) most[j] = a[i * stride + j] > most[j] ? a[i * stride + j] : most[j];
    }
    for (int64_t j = 0; j < width; j++) base[j] = most[j] - most[j] == 0 ? most[j] : 0;
    for (int64_t i = 0; i < n; i++) {
        double e[TILE];
        for (int64_t j = 0; j < width; j++) e[j] = m_exp(a[i * stride + j] - base[j]);
        for (int64_t j = 0; j < width; j++) sum[j] += (b ? b[i * stride + j] : 1) * e[j];
    }
    for (int64_t j = 0; j < width; j++) {
        ra[j] = most[j];
        rb[j] = sum[j];
    }
}

const ag__pairs TABLE(pairs) = {.moments = moments, .log_sum = log_sum};
