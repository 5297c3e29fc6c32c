/* matmul.h: the product as another op's run uses it. */
#ifndef AUTOGRAD_OPS_MATMUL_H
#define AUTOGRAD_OPS_MATMUL_H

#include "autograd/op.h"

/* In run: y = a b of its inputs 0 and 1, a bᵀ if turned; added to what y holds, if said. False: the tape's error says why. */
bool ag__matmul_into(ag_tensor *y, bool turned, bool add);

#endif
