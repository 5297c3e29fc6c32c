/* cross_entropy.c: the rows of cross_entropy.h for f32 and f64, from cross_entropy_tmpl.h. */
#include "ops/kernels/kernels.h"

#include <stddef.h>

#include "ops/kernels/math_f32.h"

#define T float
#define NAME(x) x##_f32
#define F(fn) m_##fn##f
#include "ops/kernels/cross_entropy_tmpl.h"
#define T double
#define NAME(x) x##_f64
#define F(fn) m_##fn
#include "ops/kernels/cross_entropy_tmpl.h"

const ag__cross_entropy TABLE(cross_entropy) = {{loss_f32, loss_f64}, {loss_grad_f32, loss_grad_f64}};
