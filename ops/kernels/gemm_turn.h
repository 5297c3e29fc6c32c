/* gemm_turn.h: a block of up to LANES × LANES elements is turned: out[q][r] = in[r][q].
 *
 *     step h = 1, 2, 4, …: rows r and r + h, r without the bit h, trade their blocks of h lanes:
 *
 *         r      a0 a1 a2 a3          a0 b0 a2 b2          a0 b0 c0 d0
 *         r + 1  b0 b1 b2 b3   h = 1  a1 b1 a3 b3   h = 2  a1 b1 c1 d1
 *                …                    …                    …                   so that lane l of row r ends in lane r of row l */
#if LANES_LOG == 1
#define LOW_1 0, 2
#define HIGH_1 1, 3
#elif LANES_LOG == 2
#define LOW_1 0, 4, 2, 6
#define HIGH_1 1, 5, 3, 7
#define LOW_2 0, 1, 4, 5
#define HIGH_2 2, 3, 6, 7
#elif LANES_LOG == 3
#define LOW_1 0, 8, 2, 10, 4, 12, 6, 14
#define HIGH_1 1, 9, 3, 11, 5, 13, 7, 15
#define LOW_2 0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_2 2, 3, 10, 11, 6, 7, 14, 15
#define LOW_4 0, 1, 2, 3, 8, 9, 10, 11
#define HIGH_4 4, 5, 6, 7, 12, 13, 14, 15
#else
#define LOW_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define LOW_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#endif

/* X(r) for every row, X(h, r, r + h) for every pair that trades in step h */
#if LANES_LOG == 1
#define LINES(X) X(0) X(1)
#define STEP_1(X) X(1, 0, 1)
#define STEPS(X) STEP_1(X)
#elif LANES_LOG == 2
#define LINES(X) X(0) X(1) X(2) X(3)
#define STEP_1(X) X(1, 0, 1) X(1, 2, 3)
#define STEP_2(X) X(2, 0, 2) X(2, 1, 3)
#define STEPS(X) STEP_1(X) STEP_2(X)
#elif LANES_LOG == 3
#define LINES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define STEP_1(X) X(1, 0, 1) X(1, 2, 3) X(1, 4, 5) X(1, 6, 7)
#define STEP_2(X) X(2, 0, 2) X(2, 1, 3) X(2, 4, 6) X(2, 5, 7)
#define STEP_4(X) X(4, 0, 4) X(4, 1, 5) X(4, 2, 6) X(4, 3, 7)
#define STEPS(X) STEP_1(X) STEP_2(X) STEP_4(X)
#else
#define LINES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define STEP_1(X) X(1, 0, 1) X(1, 2, 3) X(1, 4, 5) X(1, 6, 7) X(1, 8, 9) X(1, 10, 11) X(1, 12, 13) X(1, 14, 15)
#define STEP_2(X) X(2, 0, 2) X(2, 1, 3) X(2, 4, 6) X(2, 5, 7) X(2, 8, 10) X(2, 9, 11) X(2, 12, 14) X(2, 13, 15)
#define STEP_4(X) X(4, 0, 4) X(4, 1, 5) X(4, 2, 6) X(4, 3, 7) X(4, 8, 12) X(4, 9, 13) X(4, 10, 14) X(4, 11, 15)
#define STEP_8(X) X(8, 0, 8) X(8, 1, 9) X(8, 2, 10) X(8, 3, 11) X(8, 4, 12) X(8, 5, 13) X(8, 6, 14) X(8, 7, 15)
#define STEPS(X) STEP_1(X) STEP_2(X) STEP_4(X) STEP_8(X)
#endif
#define TRADE(h, r, s)                                                      \
    t = line_##r, line_##r = __builtin_shufflevector(t, line_##s, LOW_##h), \
    line_##s = __builtin_shufflevector(t, line_##s, HIGH_##h);
#define FETCH(r) \
    vec line_##r = in_rows > r ? whole ? load(in + r * in_row) : load_part(in + r * in_row, cols) : (vec){0};
#define LAY(r)                                    \
    if (r < in_cols) {                            \
        REAL *to = out + r * out_row;             \
        if (add) line_##r += load_part(to, part); \
        if (MASKS || !full) {                     \
            store_part(to, part, line_##r);       \
        } else {                                  \
            store(to, line_##r);                  \
        }                                         \
    }

/* Of each row of `out` the first `width` lanes are written, or with `add` added; zeros where `in` has fewer rows. Never
 * inlined: it is long, and its constants would be loaded where nothing is turned. */
static __attribute__((noinline)) void turn(REAL *out, int64_t out_row, const REAL *in, int64_t in_row, int64_t in_rows,
                                           int64_t in_cols, int64_t width, bool add) {
    const bool whole = in_cols >= LANES, full = width >= LANES;
    const mask cols = first(whole ? LANES : in_cols), part = first(full ? LANES : width);
    vec t;
    LINES(FETCH)
    STEPS(TRADE)
    LINES(LAY)
}
