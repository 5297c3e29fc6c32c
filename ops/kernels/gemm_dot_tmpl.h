/* gemm_dot_tmpl.h: HIGH × BROAD elements of c as scalar products: both operands are contiguous along p.
 *
 *     s_i_j += a[i][p … p + LANES) · b[j][p … p + LANES)      lane by lane; the lanes are added in the end */
#define ROW_1(i) vec s_##i##_0 = {0};
#define ROW_2(i) ROW_1(i) vec s_##i##_1 = {0};
#define STEP_1(i) x = GET(a + i * row), s_##i##_0 = muladd(s_##i##_0, x, b0);
#define STEP_2(i) STEP_1(i) s_##i##_1 = muladd(s_##i##_1, x, b1);
#define KEEP(i, j) c[i * c_row + j] = (add ? c[i * c_row + j] : 0) + lanes_of(s_##i##_##j);
#define KEEP_1(i) KEEP(i, 0)
#define KEEP_2(i) KEEP_1(i) KEEP(i, 1)

static void TILE(const block *t) {
    const int64_t row = t->a_row, c_row = t->c_row, k = t->k;
    const REAL *a = t->a, *b = t->b;
    const bool add = t->add;
    REAL *c = t->c;
    EACH(CAT(ROW_, BROAD))
#if BROAD > 1
    const int64_t col = t->b_row;
#endif
#define GET(p) load(p)
    int64_t p = 0;
    for (; p + LANES <= k; p += LANES, a += LANES, b += LANES) {
#include "ops/kernels/gemm_dot_step.h"
    }
#undef GET
#define GET(p) load_part(p, part)
    if (p < k) {
        const mask part = first(k - p);
#include "ops/kernels/gemm_dot_step.h"
    }
#undef GET
    EACH(CAT(KEEP_, BROAD))
}
#undef ROW_1
#undef ROW_2
#undef STEP_1
#undef STEP_2
#undef KEEP
#undef KEEP_1
#undef KEEP_2
