/* kron_tmpl.h: a block (rows, cols) of kron.c, rows along p and columns along q. Given: T, NAME, and PRODUCT of two of them; WHOLE:
 * no gradient. */

static void NAME(multiply)(int64_t rows, int64_t cols, const void *left, const void *right, void *block) {
    const T *p = left, *q = right;
    T *y = block;
    for (int64_t i = 0; i < rows; i++, y += cols) {
        for (int64_t j = 0; j < cols; j++) y[j] = PRODUCT(p[i], q[j]);
    }
}

#ifndef WHOLE
/* What g, which arrived at the block, owes to p and q is added to dp and dq. */
static void NAME(pass_back)(int64_t rows, int64_t cols, const void *arrived, const void *left, const void *right,
                            double *dp, double *dq) {
    const T *g = arrived, *p = left, *q = right;
    for (int64_t i = 0; i < rows; i++, g += cols) {
        double f = (double)p[i], sum[4] = {0};
        for (int64_t j = 0; j < cols; j++) dq[j] += (double)g[j] * f;
        int64_t j = 0;
        for (; j + 4 <= cols; j += 4) {
            for (int k = 0; k < 4; k++) sum[k] += (double)g[j + k] * (double)q[j + k];
        }
        for (; j < cols; j++) sum[0] += (double)g[j] * (double)q[j];
        dp[i] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

#endif

#undef T
#undef NAME
#undef PRODUCT
