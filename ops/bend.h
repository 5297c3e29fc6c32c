/* bend.h: derivatives that take more than a line: second ones of the smooth activations, for the rules of silu_grad, mish_grad and
 * gelu_tanh_grad, and those of the gamma density, for standard_gamma_grad's. */
#ifndef AUTOGRAD_OPS_BEND_H
#define AUTOGRAD_OPS_BEND_H

#include "autograd/op.h"

ag_tensor *ag__silu_bend(ag_tensor *x);
ag_tensor *ag__mish_bend(ag_tensor *x);
ag_tensor *ag__gelu_tanh_bend(ag_tensor *x);
ag_tensor *ag__gamma_bend(ag_tensor *a, ag_tensor *x, double n);

#endif
