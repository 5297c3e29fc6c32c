/* linalg_tmpl.h: cholesky and solve for elements of type REAL.
 *
 * Both loops subtract multiples of whole rows: contiguous, and each element in one fixed order. */
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
