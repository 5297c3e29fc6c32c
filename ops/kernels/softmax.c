/* softmax.c: the lines and rows of softmax.h for f32 and f64, which share the sums of exp_sum_tmpl.h. */
#include "ops/kernels/kernels.h"

#include <stddef.h>

#include "ops/kernels/math_f32.h"

#define T float
#define NAME(x) x##_f32
#define F(fn) m_##fn##f
#include "ops/kernels/exp_sum_tmpl.h"
#include "ops/kernels/softmax_tmpl.h"
#include "ops/kernels/cross_entropy_tmpl.h"
#define T double
#define NAME(x) x##_f64
#define F(fn) m_##fn
#include "ops/kernels/exp_sum_tmpl.h"
#include "ops/kernels/softmax_tmpl.h"
#include "ops/kernels/cross_entropy_tmpl.h"

const ag__softmax TABLE(softmax) = {
    .log_sum = {log_sum_f32, log_sum_f64},
    .softmax = {softmax_f32, softmax_f64},
    .log_softmax = {log_softmax_f32, log_softmax_f64},
    .softmax_grad = {softmax_grad_f32, softmax_grad_f64},
    .log_softmax_grad = {log_softmax_grad_f32, log_softmax_grad_f64},
    .loss = {loss_f32, loss_f64},
    .loss_grad = {loss_grad_f32, loss_grad_f64},
};
