/* linalg_tmpl.h: cholesky, its gradient, and solve for elements of type REAL.
 *
 * All of them subtract multiples of whole rows: contiguous, and each element in one fixed order. */
#include <math.h>

/* x −= f y */
static void subtract(int64_t n, REAL f, const REAL *restrict y, REAL *restrict x) {
    for (int64_t i = 0; i < n; i++) x[i] -= f * y[i];
}

/* The factor is found as u = lᵀ, row by row: u[j][j…] = (a[j][j…] − Σ_{p<j} u[p][j] u[p][j…]) / √(the same at j). */
static int64_t cholesky(int64_t n, const void *matrix, void *factor) {
    const REAL *a = matrix;
    REAL *u = factor;
    for (int64_t j = 0; j < n; j++) {
        REAL *row = u + j * n;
        for (int64_t q = j; q < n; q++) row[q] = (REAL)0.5 * (a[j * n + q] + a[q * n + j]);
        for (int64_t p = 0; p < j; p++) subtract(n - j, u[p * n + j], u + p * n + j, row + j);
        if (!(row[j] > 0)) return j; /* NaN too */
        row[j] = SQRT(row[j]);
        for (int64_t q = j + 1; q < n; q++) row[q] /= row[j];
    }
    for (int64_t j = 0; j < n; j++) {
        for (int64_t q = j + 1; q < n; q++) {
            u[q * n + j] = u[j * n + q];
            u[j * n + q] = 0;
        }
    }
    return n;
}

/* Smith's rule (1995): f, the gradient to the lower triangle of a, column by column from the last. Kept is s = f + fᵀ, so that
 * row k of it takes from the rows below it what both of their triangles owe. */
static void cholesky_back(int64_t n, const void *factor, const void *arriving, void *gradient) {
    const REAL *l = factor, *g = arriving;
    REAL *s = gradient;
    for (int64_t k = n; k-- > 0;) {
        REAL *row = s + k * n, pivot = l[k * n + k];
        for (int64_t i = k; i < n; i++) row[i] = g[i * n + k];
        for (int64_t i = k + 1; i < n; i++) subtract(n - k - 1, l[i * n + k], s + i * n + k + 1, row + k + 1);
        for (int64_t i = k + 1; i < n; i++) {
            row[i] /= pivot;
            row[k] -= l[i * n + k] * row[i];
            s[i * n + k] = row[i];
        }
        row[k] /= pivot;
    }
    for (int64_t i = 0; i < n * n; i++) s[i] *= (REAL)0.5;
}

/* Row i of x, once the rows it depends on are solved: those above it for a lower triangle, those below for an upper one. */
static void solve(int64_t n, int64_t m, const void *matrix, int64_t row, int64_t col, bool upper, void *solution) {
    const REAL *a = matrix;
    REAL *x = solution;
    for (int64_t step = 0; step < n; step++) {
        int64_t i = upper ? n - 1 - step : step;
        for (int64_t s = 0; s < step; s++) {
            int64_t p = upper ? n - 1 - s : s;
            subtract(m, a[i * row + p * col], x + p * m, x + i * m);
        }
        for (int64_t j = 0; j < m; j++) x[i * m + j] /= a[i * row + i * col];
    }
}
