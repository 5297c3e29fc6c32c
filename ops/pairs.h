/* pairs.h: reductions that need two numbers for each result. */
#ifndef AUTOGRAD_OPS_PAIRS_H
#define AUTOGRAD_OPS_PAIRS_H

#include "autograd/op.h"
#include "ops/kernels/pairs.h"
#include "ops/kernels/softmax.h"

/* Inside run: folds input 0, a float, over the marked axes into as many pairs as output 0 has elements, in workspace. `first`
 * makes pairs of its elements as they are, if there are any; NULL: fold does, of elements as doubles. */
bool ag__fold_pairs(ag_tensor *y, const bool reduced[], ag__pair_fn *fold, ag__log_sum_fn *first, double **a, double **b);
/* values[i] as elements of output o. */
void ag__put_doubles(ag_tensor *y, int o, const double *values);

#endif
