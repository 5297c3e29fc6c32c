/* fold.h: inside run, fills output 0 with input 0 folded over the axes that are marked; of f32, f64 or i64. */
#ifndef AUTOGRAD_OPS_FOLD_H
#define AUTOGRAD_OPS_FOLD_H

#include "autograd/op.h"

bool ag__fold_sum(ag_tensor *y, const bool reduced[]); /* 0 where there is nothing to add; i64 wraps */
bool ag__fold_max(ag_tensor *y, const bool reduced[]); /* NaN if any is; needs an element for each result */

#endif
