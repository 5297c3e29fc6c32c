/* gemm_dot_step.h: LANES products of each of HIGH × BROAD elements. */
vec x;
const vec b0 = GET(b);
#if BROAD > 1
const vec b1 = GET(b + col);
#endif
EACH(CAT(STEP_, BROAD))
