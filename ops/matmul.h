/* matmul.h: the product as another op's run uses it. */
#ifndef AUTOGRAD_OPS_MATMUL_H
#define AUTOGRAD_OPS_MATMUL_H

#include "autograd/op.h"
#include "ops/kernels/gemm.h"

/* In run: y = a b of its inputs 0 and 1, a bᵀ if turned; added to what y holds, if said. False: the tape's error says why. */
bool ag__matmul_into(ag_tensor *y, bool turned, bool add);

/* The same of i64. */
bool ag__matmul_i64(ag_tensor *y, bool turned, bool add);

/* Can the planned product be shared along k, and that; `work` in the units of ag__parallel_lanes. */
bool ag__product_splits(const ag__product *p);
bool ag__product_split(ag_tensor *y, const ag__gemm *gemm, const ag__product *p, double work);

#endif
