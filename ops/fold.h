/* fold.h: many elements into one, over the axes that are marked. */
#ifndef AUTOGRAD_OPS_FOLD_H
#define AUTOGRAD_OPS_FOLD_H

#include "autograd/op.h"
#include "ops/kernels/reduce.h"

/* Inside run: fills output 0, of input 0's dtype, from input 0. Numbers, or bools for any and all. */
bool ag__fold(ag_tensor *y, const bool reduced[], ag__fold_kind kind);

/* n neighbours of x into as many elements to fold; p is whatever the op makes of it. */
typedef void ag__load_fn(const void *x, int64_t n, double p, void *out);

/* The same of what `load` makes of input 0, elements of `dtype`, into out: as many as y has. */
bool ag__fold_loaded(ag_tensor *y, const bool reduced[], ag__fold_kind kind, ag_dtype dtype, ag__load_fn *load,
                     double p, void *out);

/* The axes of a shape in runs that share a fate, outermost first; extents of 1 belong to any. */
typedef struct ag__runs {
    int count, folds; /* folds: how many of them are folded */
    int64_t extent[AG_MAX_RANK];
    bool folded[AG_MAX_RANK];
} ag__runs;

ag__runs ag__runs_of(ag_shape s, const bool reduced[]);

#endif
