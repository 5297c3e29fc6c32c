/* integral.c: the table of integral.h. */
#include "ops/kernels/kernels.h"

#include "ops/kernels/special_quantile.h"

const ag__integral TABLE(integral) = {m_gamma_slope};
