/* gemm_dot_step.h: LANES products of each of HIGH × BROAD elements. */
vec x;
const vec b0 = GET(b);
#if BROAD > 1
const vec b1 = GET(b + col);
#endif
#if BROAD > 2
const vec b2 = GET(b + 2 * col), b3 = GET(b + 3 * col);
#endif
EACH(CAT(STEP_, BROAD))
