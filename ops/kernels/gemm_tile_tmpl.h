/* gemm_tile_tmpl.h: one micro-kernel, HIGH rows by BROAD vectors of c, over p = 0 … k − 1:
 *
 *     x = a[i][p] ──▶  s_i_0, s_i_1, … += x · b[p][0 … BROAD)      for each of the HIGH rows i
 *
 * The sums have names: an array of them would live in memory, in gcc and in clang. The last vector of c is the first lanes
 * of one, or all of it; PART: that of b too. COPY: the rows of b go to t->panel as well, for the tiles below this one.
 * On the way the lines of c that will be written are asked for, and then those that t->ahead names. */
#define SUM_1(i) vec s_##i##_0 = {0};
#define SUM_2(i) SUM_1(i) vec s_##i##_1 = {0};
#define SUM_3(i) SUM_2(i) vec s_##i##_2 = {0};
#define MULTIPLY_1(i) x = AT_##i, s_##i##_0 = axpy(s_##i##_0, x, b0);
#define MULTIPLY_2(i) MULTIPLY_1(i) s_##i##_1 = axpy(s_##i##_1, x, b1);
#define MULTIPLY_3(i) MULTIPLY_2(i) s_##i##_2 = axpy(s_##i##_2, x, b2);
#if MASKS
#define GET(p, last) (last ? load_part(p, part) : load(p))
#define PUT(p, v, last) (last ? store_part(p, part, v) : store(p, v))
#else
#define GET(p, last) (last && !whole ? load_part(p, part) : load(p))
#define PUT(p, v, last) (last && !whole ? store_part(p, part, v) : store(p, v))
#endif
/* b is never read beyond its columns, or is a panel filled up with zeros. */
#if PART
#define B_GET(p, last) (last ? load_part(p, part) : load(p))
#else
#define B_GET(p, last) load(p)
#endif
#define ADD_1(i) s_##i##_0 += GET(c + i * c_row, BROAD == 1);
#define ADD_2(i) ADD_1(i) s_##i##_1 += GET(c + i * c_row + LANES, BROAD == 2);
#define ADD_3(i) ADD_2(i) s_##i##_2 += GET(c + i * c_row + 2 * LANES, BROAD == 3);
#define KEEP_1(i) PUT(c + i * c_row, s_##i##_0, BROAD == 1);
#define KEEP_2(i) KEEP_1(i) PUT(c + i * c_row + LANES, s_##i##_1, BROAD == 2);
#define KEEP_3(i) KEEP_2(i) PUT(c + i * c_row + 2 * LANES, s_##i##_2, BROAD == 3);

static void TILE(const block *t) {
    const int64_t row = t->a_row, col = t->a_col, b_row = t->b_row, c_row = t->c_row;
    const REAL *a = t->a, *a4 = a + 4 * row, *b = t->b;
    REAL *c = t->c;
    const mask part = t->part;
#if !MASKS
    const bool whole = LOADS_PART ? !PART : t->whole;
#endif
#if COPY
    REAL *panel = t->panel;
#endif
    EACH(CAT(SUM_, BROAD))
    const char *want = (const char *)c;
    int64_t stride = LINE, left = t->k, row_of_c = left < DEEP ? HIGH : 0;
    while (left > 0) {
        int64_t steps = 4;
        if (row_of_c < HIGH) {
            want = (const char *)(c + row_of_c++ * c_row);
        } else if (row_of_c++ == HIGH && t->ahead_rows > 0) {
            want = t->ahead, stride = t->ahead_row, steps = t->ahead_rows;
        } else {
            stride = 0, steps = left;
        }
        if (steps > left) steps = left;
        left -= steps;
        for (; steps > 0; steps--) {
            __builtin_prefetch(want);
            want += stride;
            REAL x;
            const vec b0 = B_GET(b, BROAD == 1);
#if BROAD > 1
            const vec b1 = B_GET(b + LANES, BROAD == 2);
#endif
#if BROAD > 2
            const vec b2 = B_GET(b + 2 * LANES, BROAD == 3);
#endif
#if COPY
            store(panel, b0);
#if BROAD > 1
            store(panel + LANES, b1);
#endif
#if BROAD > 2
            store(panel + 2 * LANES, b2);
#endif
            panel += BROAD * LANES;
#endif
            EACH(CAT(MULTIPLY_, BROAD))
            a += col, a4 += col, b += b_row;
        }
    }
    if (t->add) { EACH(CAT(ADD_, BROAD)) }
    EACH(CAT(KEEP_, BROAD))
}
#undef SUM_1
#undef SUM_2
#undef SUM_3
#undef MULTIPLY_1
#undef MULTIPLY_2
#undef MULTIPLY_3
#undef GET
#undef PUT
#undef B_GET
#undef ADD_1
#undef ADD_2
#undef ADD_3
#undef KEEP_1
#undef KEEP_2
#undef KEEP_3
