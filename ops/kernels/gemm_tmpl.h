/* gemm_tmpl.h: gemm for elements of type REAL.
 *
 *                   j                DEPTH rows and WIDE columns of b are copied into a contiguous panel on the stack;
 *           ┌──────┬───┬─────┐       then ROWS rows of a at a time meet it in one tile of c, held in registers:
 *         p │      │ b │     │
 *           └──────┴───┴─────┘           tile += a[i … i + ROWS)[p] ⊗ panel[p][0 … WIDE)      for p = 0, 1, …
 *   ┌───┐   ┌──────┬───┬─────┐
 * i │ a │   │      │ c │     │       a is read where it lies: ROWS streams are few enough for any cache. Where c ends
 *   ├───┤   ├──────┼───┼─────┤       inside a tile, the panel is filled up with zeros and the tile computed aside, so
 *   │   │   │      │   │     │       that products of zeros with Inf or NaN never reach c. */
#include <string.h>

#if defined(__AVX512F__)
#define VECTOR 64
#elif defined(__AVX__)
#define VECTOR 32
#else
#define VECTOR 16
#endif

typedef REAL vec __attribute__((vector_size(VECTOR), aligned(sizeof(REAL)), may_alias));

enum { ROWS = 4, LANES = VECTOR / sizeof(REAL), WIDE = 2 * LANES, DEPTH = 6144 / (WIDE * sizeof(REAL)), TINY = 32 };

#define INLINE static inline __attribute__((always_inline))

/* rows is a constant at each call, so that the sums become registers. */
INLINE void tile(int rows, int64_t k, const REAL *a, int64_t a_row, int64_t a_col, const REAL *b, int64_t b_row,
                 REAL *c, int64_t c_row, bool add) {
    vec s[ROWS][2] = {{{0}}};
    for (int i = 0; add && i < rows; i++) {
        s[i][0] = *(const vec *)(c + i * c_row);
        s[i][1] = *(const vec *)(c + i * c_row + LANES);
    }
    for (int64_t p = 0; p < k; p++) {
        vec b0 = *(const vec *)b, b1 = *(const vec *)(b + LANES);
        for (int i = 0; i < rows; i++) {
            REAL x = a[i * a_row];
            s[i][0] += x * b0;
            s[i][1] += x * b1;
        }
        a += a_col;
        b += b_row;
    }
    for (int i = 0; i < rows; i++) {
        *(vec *)(c + i * c_row) = s[i][0];
        *(vec *)(c + i * c_row + LANES) = s[i][1];
    }
}

static void any_tile(int64_t rows, int64_t k, const REAL *a, int64_t a_row, int64_t a_col, const REAL *b, int64_t b_row,
                     REAL *c, int64_t c_row, bool add) {
    switch (rows) {
    case 1: tile(1, k, a, a_row, a_col, b, b_row, c, c_row, add); break;
    case 2: tile(2, k, a, a_row, a_col, b, b_row, c, c_row, add); break;
    case 3: tile(3, k, a, a_row, a_col, b, b_row, c, c_row, add); break;
    default: tile(4, k, a, a_row, a_col, b, b_row, c, c_row, add); break;
    }
}

/* The same where c has fewer than WIDE columns left. */
static void narrow_tile(int64_t rows, int64_t cols, int64_t k, const REAL *a, int64_t a_row, int64_t a_col,
                        const REAL *b, REAL *c, int64_t c_row, bool add) {
    REAL aside[ROWS * WIDE];
    for (int64_t i = 0; add && i < rows; i++) {
        for (int64_t j = 0; j < WIDE; j++) aside[i * WIDE + j] = j < cols ? c[i * c_row + j] : 0;
    }
    any_tile(rows, k, a, a_row, a_col, b, WIDE, aside, WIDE, add);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++) c[i * c_row + j] = aside[i * WIDE + j];
    }
}

/* panel[p][j] = b[p][j] for j < cols, 0 for the others. */
static void pack(REAL *panel, int64_t k, int64_t cols, const REAL *b, int64_t row, int64_t col) {
    if (col == 1 && cols == WIDE) {
        for (int64_t p = 0; p < k; p++) memcpy(panel + p * WIDE, b + p * row, WIDE * sizeof(REAL));
        return;
    }
    for (int64_t j = 0; j < WIDE; j++) {
        for (int64_t p = 0; p < k; p++) panel[p * WIDE + j] = j < cols ? b[p * row + j * col] : 0;
    }
}

/* For the smallest, setting up a panel would cost more than the product. */
static void tiny(int64_t m, int64_t n, int64_t k, ag__matrix a, ag__matrix b, REAL *c, int64_t c_row, bool add) {
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            const REAL *left = (const REAL *)a.data + i * a.row, *right = (const REAL *)b.data + j * b.col;
            REAL sum = add ? c[i * c_row + j] : 0;
            for (int64_t p = 0; p < k; p++) sum += left[p * a.col] * right[p * b.row];
            c[i * c_row + j] = sum;
        }
    }
}

static void gemm(int64_t m, int64_t n, int64_t k, ag__matrix a, ag__matrix b, void *out, int64_t c_row, bool add) {
    if (m <= 8 && n <= 8 && k <= 8 && m * n * k <= TINY) {
        tiny(m, n, k, a, b, out, c_row, add);
        return;
    }
    REAL panel[DEPTH * WIDE];
    for (int64_t p = 0; p < k || (p == 0 && !add); p += DEPTH, add = true) {
        int64_t depth = k - p < DEPTH ? k - p : DEPTH;
        for (int64_t j = 0; j < n; j += WIDE) {
            int64_t cols = n - j < WIDE ? n - j : WIDE;
            const REAL *right = (const REAL *)b.data + p * b.row + j * b.col;
            int64_t right_row = b.row;
            if (cols < WIDE || b.col != 1 || m > 2 * ROWS) { /* fewer rows would not repay the copy */
                pack(panel, depth, cols, right, b.row, b.col);
                right = panel;
                right_row = WIDE;
            }
            for (int64_t i = 0; i < m; i += ROWS) {
                int64_t rows = m - i < ROWS ? m - i : ROWS;
                const REAL *left = (const REAL *)a.data + i * a.row + p * a.col;
                REAL *c = (REAL *)out + i * c_row + j;
                if (cols < WIDE) {
                    narrow_tile(rows, cols, depth, left, a.row, a.col, right, c, c_row, add);
                } else {
                    any_tile(rows, depth, left, a.row, a.col, right, right_row, c, c_row, add);
                }
            }
        }
    }
}
