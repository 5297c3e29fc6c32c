/* bend.h: derivatives that take more than a line: third ones of the smooth activations, for the rule of activation_bend, gelu's
 * second, those of the gamma density, for standard_gamma_grad, and of Φ. */
#ifndef AUTOGRAD_OPS_BEND_H
#define AUTOGRAD_OPS_BEND_H

#include "autograd/op.h"

ag_tensor *ag__bend_slope(ag_tensor *x, double which); /* as activation_bend counts them */
ag_tensor *ag__gelu_bend(ag_tensor *x);                /* gelu's second */
ag_tensor *ag__gamma_bend(ag_tensor *a, ag_tensor *x, double n);
ag_tensor *ag__log_ndtr_slope(ag_tensor *x, ag_tensor *y); /* of y = log_ndtr(x) */
ag_tensor *ag__ndtri_slope(ag_tensor *x, ag_tensor *y);    /* of y = ndtri(x) */

#endif
