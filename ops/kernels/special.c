/* special.c: the table of special.h. */
#include "ops/kernels/kernels.h"

#include "ops/kernels/math_f64.h"
#include "ops/kernels/special_bessel.h"
#include "ops/kernels/special_erfinv.h"
#include "ops/kernels/special_gamma.h"
#include "ops/kernels/special_quantile.h"

const ag__special TABLE(special) = {m_digamma, m_polygamma, m_iv, m_ive, m_spherical_jn, m_erfinv, m_gamma_slope};
