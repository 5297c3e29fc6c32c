/* special.h: functions that branch, count and call libm for each number, in doubles: special_….h say how. Rows have no vectors of
 * them, and call these for floats, too. */
#ifndef OPS_KERNELS_SPECIAL_H
#define OPS_KERNELS_SPECIAL_H

typedef struct ag__special {
    double (*digamma)(double x);
    double (*polygamma)(double x, double n);
    double (*iv)(double x, double n);
    double (*ive)(double x, double n);
    double (*spherical_jn)(double x, double n);
    double (*erfinv)(double x);
    double (*gamma_slope)(double a, double x, double n);
} ag__special;

#endif
