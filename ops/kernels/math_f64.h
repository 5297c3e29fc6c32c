/* math_f64.h: the functions of libm by which rows are written, F(name) of a double, as the row loops need them: static, inline. */
#ifndef OPS_KERNELS_MATH_F64_H
#define OPS_KERNELS_MATH_F64_H

#include <math.h>

#define LIBM1(fn) \
    static inline double m_##fn(double x) { return fn(x); }
#define LIBM2(fn) \
    static inline double m_##fn(double a, double b) { return fn(a, b); }
LIBM1(exp)
LIBM1(exp2)
LIBM1(expm1)
LIBM1(log)
LIBM1(log2)
LIBM1(log10)
LIBM1(log1p)
LIBM1(sqrt)
LIBM1(cbrt)
LIBM1(sin)
LIBM1(cos)
LIBM1(tan)
LIBM1(sinh)
LIBM1(cosh)
LIBM1(tanh)
LIBM1(asin)
LIBM1(acos)
LIBM1(atan)
LIBM1(asinh)
LIBM1(acosh)
LIBM1(atanh)
LIBM1(erf)
LIBM1(erfc)
LIBM1(floor)
LIBM1(ceil)
LIBM1(rint)
LIBM1(trunc)
LIBM1(round)
LIBM1(fabs)
LIBM1(lgamma)
LIBM1(tgamma)
LIBM2(pow)
LIBM2(atan2)
LIBM2(hypot)
LIBM2(fmod)
LIBM2(remainder)
LIBM2(copysign)
LIBM2(fmin)
LIBM2(fmax)
LIBM2(fdim)
LIBM2(nextafter)
#undef LIBM1
#undef LIBM2

#endif
