/* integral.h: special functions that are integrals, in doubles: the nodes of one make vectors. */
#ifndef OPS_KERNELS_INTEGRAL_H
#define OPS_KERNELS_INTEGRAL_H

#include "ops/kernels/special.h"

typedef struct ag__integral {
    ag__special2 *gamma_slope;
    ag__special2 *gamma_density;
    ag__special2 *gamma_tail; /* igamma, igammac for n = 1 */
} ag__integral;

#endif
