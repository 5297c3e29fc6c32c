/* special.h: functions that branch, count and call libm for each number, in doubles: special_….h say how. Rows have no vectors of
 * them, and call these for floats, too, by each1 and each2: y[i] = f(x[i], n), f(a[i], b[i], n). */
#ifndef OPS_KERNELS_SPECIAL_H
#define OPS_KERNELS_SPECIAL_H

#include <stdint.h>

typedef double ag__special1(double x, double n); /* of some functions n is no matter */
typedef double ag__special2(double a, double b, double n);
typedef void ag__each1(int64_t count, const void *const in[], void *out, double n, ag__special1 *f);
typedef void ag__each2(int64_t count, const void *const in[], void *out, double n, ag__special2 *f);

typedef struct ag__special {
    ag__each1 *each1_f32, *each1_f64;
    ag__each2 *each2_f32, *each2_f64;
    ag__special1 *digamma;
    ag__special1 *polygamma;
    ag__special1 *lgamma;
    ag__special1 *iv;
    ag__special1 *ive;
    ag__special1 *spherical_jn;
    ag__special1 *jv;
    ag__special1 *yv;
    ag__special1 *erfinv;
    ag__special1 *ierfcx;
    ag__special1 *log_ndtr;
    ag__special1 *ndtri;
    ag__special2 *neighbour; /* n: bytes of a number */
} ag__special;

#endif
