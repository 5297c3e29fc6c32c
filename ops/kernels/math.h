/* math.h: what math_f32.h and math_f64.h are made of.
 *
 * Every function there is one straight line of arithmetic and selects on a scalar: no branch, no call, no table, so that the
 * compiler makes vectors of any loop that holds it. The same operations on a scalar give the same bits: a result depends on
 * neither its place in an array nor the array's length. Steps that libm takes as branches are selects between values
 * computed for every element; clamps are written so that NaN passes. */
#ifndef OPS_KERNELS_MATH_H
#define OPS_KERNELS_MATH_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ops/kernels/kernels.h"

#ifdef __OPTIMIZE_SIZE__ /* loops are no vectors, and may call */
#define INLINE static __attribute__((unused))
#else
#define INLINE static inline __attribute__((always_inline, unused))
#endif

#define INF_F64 ((double)INFINITY)
#define NAN_F64 ((double)NAN)

INLINE uint32_t f32_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
INLINE float f32_from(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
INLINE uint64_t f64_bits(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
INLINE double f64_from(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* |x| with the sign of s; x ^ s where x ≥ 0 */
INLINE float f32_sign(float x, float s) { return f32_from((f32_bits(x) & 0x7fffffff) | (f32_bits(s) & 0x80000000)); }
INLINE double f64_sign(double x, double s) {
    return f64_from((f64_bits(x) & ~(UINT64_C(1) << 63)) | (f64_bits(s) & UINT64_C(1) << 63));
}

INLINE float f32_mad(float a, float b, float c) { return FMA(a, b, c); }
INLINE double f64_mad(double a, double b, double c) { return FMA(a, b, c); }

/* What every instruction set has, and what the first lacks. */
#define BASICS(T, s)                                         \
    INLINE T m_fabs##s(T x) { return __builtin_fabs##s(x); } \
    INLINE T m_sqrt##s(T x) { return __builtin_sqrt##s(x); } \
    INLINE T m_copysign##s(T x, T y) { return __builtin_copysign##s(x, y); }
BASICS(float, f)
BASICS(double, )
#undef BASICS

#if defined(__SSE2__) && !defined(__SSE4_1__) /* adding and taking away 2^bits rounds to a whole number */
#define ROUNDING(T, s, big)                          \
    INLINE T m_rint##s(T x) {                        \
        T a = m_fabs##s(x), y = (a + (big)) - (big); \
        return m_copysign##s(a < (big) ? y : a, x);  \
    }                                                \
    INLINE T m_floor##s(T x) {                       \
        T y = m_rint##s(x);                          \
        return m_copysign##s(y > x ? y - 1 : y, x);  \
    }                                                \
    INLINE T m_ceil##s(T x) {                        \
        T y = m_rint##s(x);                          \
        return m_copysign##s(y < x ? y + 1 : y, x);  \
    }                                                \
    INLINE T m_trunc##s(T x) { return m_copysign##s(m_floor##s(m_fabs##s(x)), x); }
#else
#define ROUNDING(T, s, big)                                    \
    INLINE T m_rint##s(T x) { return __builtin_rint##s(x); }   \
    INLINE T m_floor##s(T x) { return __builtin_floor##s(x); } \
    INLINE T m_ceil##s(T x) { return __builtin_ceil##s(x); }   \
    INLINE T m_trunc##s(T x) { return __builtin_trunc##s(x); }
#endif
ROUNDING(float, f, 0x1p23f)
ROUNDING(double, , 0x1p52)
#undef ROUNDING

/* libm's: no row needs it in vectors. */
INLINE double m_fmod(double a, double b) { return fmod(a, b); }
INLINE float m_fmodf(float a, float b) { return fmodf(a, b); }

/* lgamma would write the global signgam, which threads share. */
INLINE double m_lgamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}
INLINE float m_lgammaf(float x) {
    int sign;
    return lgammaf_r(x, &sign);
}

/* a + b z + …: POLY2(mad, z, a, b, c) = a + b z + c z² */
#define POLY1(mad, z, a, b) mad(b, z, a)
#define POLY2(mad, z, a, ...) mad(POLY1(mad, z, __VA_ARGS__), z, a)
#define POLY3(mad, z, a, ...) mad(POLY2(mad, z, __VA_ARGS__), z, a)
#define POLY4(mad, z, a, ...) mad(POLY3(mad, z, __VA_ARGS__), z, a)
#define POLY5(mad, z, a, ...) mad(POLY4(mad, z, __VA_ARGS__), z, a)
#define POLY6(mad, z, a, ...) mad(POLY5(mad, z, __VA_ARGS__), z, a)
#define POLY7(mad, z, a, ...) mad(POLY6(mad, z, __VA_ARGS__), z, a)
#define POLY8(mad, z, a, ...) mad(POLY7(mad, z, __VA_ARGS__), z, a)
#define POLY9(mad, z, a, ...) mad(POLY8(mad, z, __VA_ARGS__), z, a)
#define POLY10(mad, z, a, ...) mad(POLY9(mad, z, __VA_ARGS__), z, a)
#define POLY11(mad, z, a, ...) mad(POLY10(mad, z, __VA_ARGS__), z, a)
#define POLY12(mad, z, a, ...) mad(POLY11(mad, z, __VA_ARGS__), z, a)
#define POLY13(mad, z, a, ...) mad(POLY12(mad, z, __VA_ARGS__), z, a)
#define POLY14(mad, z, a, ...) mad(POLY13(mad, z, __VA_ARGS__), z, a)
#define POLY15(mad, z, a, ...) mad(POLY14(mad, z, __VA_ARGS__), z, a)
#define POLY16(mad, z, a, ...) mad(POLY15(mad, z, __VA_ARGS__), z, a)
#define POLY17(mad, z, a, ...) mad(POLY16(mad, z, __VA_ARGS__), z, a)
#define POLY18(mad, z, a, ...) mad(POLY17(mad, z, __VA_ARGS__), z, a)
#define POLY19(mad, z, a, ...) mad(POLY18(mad, z, __VA_ARGS__), z, a)
#define POLY20(mad, z, a, ...) mad(POLY19(mad, z, __VA_ARGS__), z, a)
#define POLY21(mad, z, a, ...) mad(POLY20(mad, z, __VA_ARGS__), z, a)
#define POLY22(mad, z, a, ...) mad(POLY21(mad, z, __VA_ARGS__), z, a)

#endif
