/* gemm_vector.h: vectors of REAL, as wide as the instruction set has them, for the templates of the matrix product.
 *
 * BITS is 32 or 64. LANES = 1 << LANES_LOG elements make a vec; ROWS × VECS vectors of c fit the registers beside what they
 * are computed from, and are WIDE elements across. axpy(s, x, v) is s + x v of a number x, muladd of a vector, rounded once
 * where the instruction set can. load_part and store_part touch the lanes of first(n) alone, 0 < n ≤ LANES; the others read
 * as zero. MASKS: both cost no more than whole ones; LOADS_PART: a load in an inner loop costs a tenth more, and still less
 * than to make a panel first. */
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#if BITS == 32
#define REAL float
#define WORD int32_t
#define PASTE_TYPE(f) f##s
#else
#define REAL double
#define WORD int64_t
#define PASTE_TYPE(f) f##d
#endif

#if defined(__AVX512F__)
#define VECTOR 64
#define ROWS 8
#define VECS 3
#elif defined(__AVX2__) && defined(__FMA__)
#define VECTOR 32
#define ROWS 6
#define VECS 2
#elif defined(__ARM_NEON)
#define VECTOR 16
#define ROWS 8
#define VECS 3
#elif defined(__OPTIMIZE_SIZE__) /* each height and width is a kernel: few */
#define VECTOR 16
#define ROWS 4
#define VECS 1
#else
#define VECTOR 16
#define ROWS 6
#define VECS 2
#endif
#if VECTOR * 8 / BITS == 16
#define LANES_LOG 4
#elif VECTOR * 8 / BITS == 8
#define LANES_LOG 3
#elif VECTOR * 8 / BITS == 4
#define LANES_LOG 2
#else
#define LANES_LOG 1
#endif
enum { LANES = VECTOR / sizeof(REAL), WIDE = VECS * LANES };

typedef REAL vec __attribute__((vector_size(VECTOR)));
typedef REAL loose __attribute__((vector_size(VECTOR), aligned(sizeof(REAL)), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const REAL *p) { return *(const loose *)p; }
INLINE void store(REAL *p, vec v) { *(loose *)p = v; }

#if defined(__AVX512F__)
#define MASKS 1
#define LOADS_PART 1
#if BITS == 32
typedef __mmask16 mask;
INLINE mask first(int64_t n) { return (mask)(0xFFFFu >> (16 - n)); }
#else
typedef __mmask8 mask;
INLINE mask first(int64_t n) { return (mask)(0xFFu >> (8 - n)); }
#endif
INLINE vec axpy(vec s, REAL x, vec v) { return PASTE_TYPE(_mm512_fmadd_p)(PASTE_TYPE(_mm512_set1_p)(x), v, s); }
INLINE vec muladd(vec s, vec x, vec v) { return PASTE_TYPE(_mm512_fmadd_p)(x, v, s); }
INLINE vec load_part(const REAL *p, mask m) { return PASTE_TYPE(_mm512_maskz_loadu_p)(m, p); }
INLINE void store_part(REAL *p, mask m, vec v) { PASTE_TYPE(_mm512_mask_storeu_p)(p, m, v); }

#elif defined(__AVX2__) && defined(__FMA__)
#define MASKS 0
#define LOADS_PART 1
typedef __m256i mask;
/* The lanes from 8 − n on of eight ones and eight zeros. */
INLINE mask first(int64_t n) {
    static const WORD ones[2 * LANES] = {
        -1,
        -1,
        -1,
        -1,
#if BITS == 32
        -1,
        -1,
        -1,
        -1,
#endif
    };
    return _mm256_loadu_si256((const __m256i *)(const void *)(ones + LANES - n));
}
INLINE vec axpy(vec s, REAL x, vec v) { return PASTE_TYPE(_mm256_fmadd_p)(PASTE_TYPE(_mm256_set1_p)(x), v, s); }
INLINE vec muladd(vec s, vec x, vec v) { return PASTE_TYPE(_mm256_fmadd_p)(x, v, s); }
INLINE vec load_part(const REAL *p, mask m) { return PASTE_TYPE(_mm256_maskload_p)(p, m); }
INLINE void store_part(REAL *p, mask m, vec v) { PASTE_TYPE(_mm256_maskstore_p)(p, m, v); }

#else
#define MASKS 0
#define LOADS_PART 0
typedef int64_t mask;
INLINE mask first(int64_t n) { return n; }
INLINE vec splat(REAL x) { return x - (vec){0}; }
#if defined(__ARM_NEON) && BITS == 32
INLINE vec muladd(vec s, vec x, vec v) { return vfmaq_f32(s, x, v); }
#elif defined(__ARM_NEON)
INLINE vec muladd(vec s, vec x, vec v) { return vfmaq_f64(s, x, v); }
#else
INLINE vec muladd(vec s, vec x, vec v) { return s + x * v; }
#endif
INLINE vec axpy(vec s, REAL x, vec v) { return muladd(s, splat(x), v); }
INLINE vec load_part(const REAL *p, mask n) {
    vec v = {0};
    for (int64_t i = 0; i < n; i++) v[i] = p[i];
    return v;
}
INLINE void store_part(REAL *p, mask n, vec v) {
    for (int64_t i = 0; i < n; i++) p[i] = v[i];
}
#endif
