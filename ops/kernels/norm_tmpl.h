/* norm_tmpl.h: batch_norm for elements of type REAL.
 *
 *     inner > 1                        inner = 1
 *     channel j: ▒▒▒▒▒····▒▒▒▒▒····    x (n, c): ▒▒▒▒····     LANES sums side by side: over a run of one channel,
 *                n runs, c·inner apart           ▒▒▒▒····     or over as many channels in one row
 *
 * Two passes, mean before variance: nothing cancels, whatever the mean. */
#include <math.h>

enum { LANES = 16 };

/* s[i % LANES] += (x[i] − center[i % LANES])^power, power 1 or 2 */
static inline void add_run(int64_t n, const REAL *x, const double *center, int power, double *s) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++) {
            double d = (double)x[i + l] - center[l];
            s[l] += power == 1 ? d : d * d;
        }
    }
    for (int l = 0; i + l < n; l++) {
        double d = (double)x[i + l] - center[l];
        s[l] += power == 1 ? d : d * d;
    }
}

/* Every lane becomes the mean of all of them: `count` elements were added. */
static void merge(double *s, int64_t count) {
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int l = 0; l < width; l++) s[l] += s[l + width];
    }
    for (int l = LANES - 1; l >= 0; l--) s[l] = s[0] / (double)count;
}

/* Mean and variance of `width` channels of one element a row (inner = 1), or of one channel in runs of `inner`. */
static void moments(int64_t n, int64_t step, int64_t inner, int64_t width, const REAL *x, double *mean, double *var) {
    const double zero[LANES] = {0};
    int64_t run = inner == 1 ? width : inner;
    for (int l = 0; l < LANES; l++) mean[l] = var[l] = 0;
    if (n * inner == 0) return;
    for (int pass = 1; pass <= 2; pass++) {
        double *s = pass == 1 ? mean : var;
        for (int64_t i = 0; i < n; i++) add_run(run, x + i * step, pass == 1 ? zero : mean, pass, s);
        if (inner > 1) merge(s, n * inner);
        for (int l = 0; inner == 1 && l < LANES; l++) s[l] /= (double)n;
    }
}

static void batch_norm(int64_t n, int64_t c, int64_t inner, int64_t first, int64_t last, const void *input,
                       const void *weight, const void *bias, double eps, void *output, void *means, void *vars) {
    const REAL *w = weight, *b = bias;
    REAL *mean = means, *var = vars;
    double m[LANES], v[LANES];
    for (int64_t j = first, width; j < last; j += width) {
        width = inner > 1 ? 1 : last - j < LANES ? last - j : LANES;
        const REAL *x = (const REAL *)input + j * inner;
        REAL *y = (REAL *)output + j * inner, scale[LANES];
        moments(n, c * inner, inner, width, x, m, v);
        for (int64_t l = 0; l < width; l++) {
            mean[j + l] = (REAL)m[l];
            var[j + l] = (REAL)v[l];
            scale[l] = (REAL)((w ? (double)w[j + l] : 1) / sqrt(v[l] + eps));
        }
        for (int64_t i = 0; i < n; i++, x += c * inner, y += c * inner) {
            for (int64_t l = 0; l < width; l++) {
                for (int64_t q = l * inner; q < (l + 1) * inner; q++)
                    y[q] = (REAL)((double)x[q] - m[l]) * scale[l] + (b ? b[j + l] : 0);
            }
        }
    }
}
