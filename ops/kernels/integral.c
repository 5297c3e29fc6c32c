/* integral.c: the table of integral.h. */
#include "ops/kernels/kernels.h"

#include "ops/kernels/special_igamma.h"

const ag__integral TABLE(integral) = {m_gamma_slope, m_gamma_density, m_gamma_tail};
