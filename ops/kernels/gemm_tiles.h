/* gemm_tiles.h: the micro-kernels of every height and width, from gemm_tile_tmpl.h, in one table. */

/* A tile of c, HIGH × BROAD vectors, and what is multiplied into it. */
typedef struct block {
    const REAL *a, *b;
    int64_t a_row, b_row, a_col;
    REAL *c;
    int64_t c_row, k;
    REAL *panel;       /* COPY: where b goes */
    const char *ahead; /* memory to ask for on the way, a line for each of so many rows */
    int64_t ahead_row, ahead_rows, ahead_lines;
    mask part;  /* the lanes of the last vector */
    bool whole; /* are all of them */
    bool add;
} block;

enum { LINE = 64, DEEP = 128 }; /* bytes of a cache line; a product less deep is done before c arrives */

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define TILE_NAME_(kind, high, broad) kind##_##high##_##broad
#define TILE_NAME(kind, high, broad) TILE_NAME_(kind, high, broad)

/* X for each row of a tile. */
#define ROWS_1(X) X(0)
#define ROWS_2(X) ROWS_1(X) X(1)
#define ROWS_3(X) ROWS_2(X) X(2)
#define ROWS_4(X) ROWS_3(X) X(3)
#define ROWS_5(X) ROWS_4(X) X(4)
#define ROWS_6(X) ROWS_5(X) X(5)
#define ROWS_7(X) ROWS_6(X) X(6)
#define ROWS_8(X) ROWS_7(X) X(7)
#define EACH(X) CAT(ROWS_, HIGH)(X)

/* Row i of a: two addresses and three strides serve eight rows. */
#define AT_0 a[0]
#define AT_1 a[row]
#define AT_2 a[2 * row]
#define AT_3 a[3 * row]
#define AT_4 a4[0]
#define AT_5 a4[row]
#define AT_6 a4[2 * row]
#define AT_7 a4[3 * row]

#define HIGH 1
#include "ops/kernels/gemm_row_tmpl.h"
#define HIGH 2
#include "ops/kernels/gemm_row_tmpl.h"
#define HIGH 3
#include "ops/kernels/gemm_row_tmpl.h"
#define HIGH 4
#include "ops/kernels/gemm_row_tmpl.h"
#if ROWS > 4
#define HIGH 5
#include "ops/kernels/gemm_row_tmpl.h"
#define HIGH 6
#include "ops/kernels/gemm_row_tmpl.h"
#endif
#if ROWS > 6
#define HIGH 7
#include "ops/kernels/gemm_row_tmpl.h"
#define HIGH 8
#include "ops/kernels/gemm_row_tmpl.h"
#endif

typedef void kernel(const block *t);

#if VECS == 3
#define WIDTHS(kind, high) \
    { kind##_##high##_1, kind##_##high##_2, kind##_##high##_3 }
#elif VECS == 2
#define WIDTHS(kind, high) \
    { kind##_##high##_1, kind##_##high##_2 }
#else
#define WIDTHS(kind, high) \
    { kind##_##high##_1 }
#endif
#if ROWS == 8
#define HEIGHTS(kind)                                                                                         \
    {                                                                                                         \
        WIDTHS(kind, 1), WIDTHS(kind, 2), WIDTHS(kind, 3), WIDTHS(kind, 4), WIDTHS(kind, 5), WIDTHS(kind, 6), \
            WIDTHS(kind, 7), WIDTHS(kind, 8)                                                                  \
    }
#elif ROWS == 6
#define HEIGHTS(kind) \
    { WIDTHS(kind, 1), WIDTHS(kind, 2), WIDTHS(kind, 3), WIDTHS(kind, 4), WIDTHS(kind, 5), WIDTHS(kind, 6) }
#else
#define HEIGHTS(kind) \
    { WIDTHS(kind, 1), WIDTHS(kind, 2), WIDTHS(kind, 3), WIDTHS(kind, 4) }
#endif

static kernel *const plain_kernels[ROWS][VECS] = HEIGHTS(plain);
#if LOADS_PART && !MASKS
static kernel *const part_kernels[ROWS][VECS] = HEIGHTS(part);
#else
#define part_kernels plain_kernels
#endif
#if ROWS == 8
static kernel *const copy_kernels[VECS] = WIDTHS(copy, 8);
#elif ROWS == 6
static kernel *const copy_kernels[VECS] = WIDTHS(copy, 6);
#else
static kernel *const copy_kernels[VECS] = WIDTHS(copy, 4);
#endif
