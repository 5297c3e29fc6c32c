/* gemm_pack.h: parts of a and b are copied to where the micro-kernels read one row after the other. */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }
static int64_t round_up(int64_t n, int64_t to) { return parts(n, to) * to; }

/* panel[p][j] = b[p][j] for p < k, j < cols, and 0 for the columns up to `width`. */
static void pack_b(REAL *panel, int64_t width, int64_t k, int64_t cols, const REAL *b, int64_t row, int64_t col) {
    if (row == 1) {
        for (int64_t p = 0; p < k; p += LANES) {
            for (int64_t j = 0; j < width; j += LANES) {
                turn(panel + p * width + j, width, b + j * col + p, col, cols - j, k - p, LANES, false);
            }
        }
        return;
    }
    for (int64_t p = 0; p < k; p++) {
        REAL *to = panel + p * width;
        if (col == 1) memcpy(to, b + p * row, (size_t)cols * sizeof(REAL));
        for (int64_t j = 0; j < cols && col != 1; j++) to[j] = b[p * row + j * col];
        for (int64_t j = cols; j < width; j++) to[j] = 0;
    }
}

/* strip[p][i] = a[i][p] for p < k, i < rows ≤ ROWS; the columns of a are not neighbours. */
static void pack_a(REAL *strip, int64_t rows, int64_t k, const REAL *a, int64_t row, int64_t col) {
    if (row == 1 && rows == ROWS) {
        for (int64_t p = 0; p < k; p++) memcpy(strip + p * ROWS, a + p * col, ROWS * sizeof(REAL));
        return;
    }
    for (int64_t p = 0; p < k; p++) {
        for (int64_t i = 0; i < rows; i++) strip[p * rows + i] = a[i * row + p * col];
    }
}

/* c[j][i] = or += tile[i][j] for i < rows, j < cols. */
static void lay_turned(REAL *c, int64_t c_row, const REAL *tile, int64_t rows, int64_t cols, bool add) {
    for (int64_t i = 0; i < rows; i += LANES) {
        for (int64_t j = 0; j < cols; j += LANES) {
            turn(c + j * c_row + i, c_row, tile + i * WIDE + j, WIDE, rows - i, cols - j, rows - i, add);
        }
    }
}
