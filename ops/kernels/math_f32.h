/* math_f32.h: the functions of libm by which rows are written, F(name) of a float, as the row loops need them: static, inline. */
#ifndef OPS_KERNELS_MATH_F32_H
#define OPS_KERNELS_MATH_F32_H

#include <math.h>

#define LIBM1(fn) \
    static inline float m_##fn(float x) { return fn(x); }
#define LIBM2(fn) \
    static inline float m_##fn(float a, float b) { return fn(a, b); }
LIBM1(expf)
LIBM1(exp2f)
LIBM1(expm1f)
LIBM1(logf)
LIBM1(log2f)
LIBM1(log10f)
LIBM1(log1pf)
LIBM1(sqrtf)
LIBM1(cbrtf)
LIBM1(sinf)
LIBM1(cosf)
LIBM1(tanf)
LIBM1(sinhf)
LIBM1(coshf)
LIBM1(tanhf)
LIBM1(asinf)
LIBM1(acosf)
LIBM1(atanf)
LIBM1(asinhf)
LIBM1(acoshf)
LIBM1(atanhf)
LIBM1(erff)
LIBM1(erfcf)
LIBM1(floorf)
LIBM1(ceilf)
LIBM1(rintf)
LIBM1(truncf)
LIBM1(roundf)
LIBM1(fabsf)
LIBM1(lgammaf)
LIBM1(tgammaf)
LIBM2(powf)
LIBM2(atan2f)
LIBM2(hypotf)
LIBM2(fmodf)
LIBM2(remainderf)
LIBM2(copysignf)
LIBM2(fminf)
LIBM2(fmaxf)
LIBM2(fdimf)
LIBM2(nextafterf)
#undef LIBM1
#undef LIBM2

#endif
