/* batch.h: two operands whose last two axes are matrices and whose leading axes broadcast.
 *
 *     a (2,1,m,k), b (3,k,n):  6 pairs of matrices, pair i at a + 0·…, b + …   where a broadcast axis has stride 0 */
#ifndef OPS_BATCH_H
#define OPS_BATCH_H

#include "autograd/op.h"

typedef struct ag__batch {
    int rank; /* leading axes of more than one matrix */
    int64_t count;
    int64_t dim[AG_MAX_RANK], a[AG_MAX_RANK], b[AG_MAX_RANK]; /* strides in elements */
} ag__batch;

/* In shape: both inputs of rank `least` (1 or 2) or more, numbers and of one dtype; out gets the leading axes and two more, which
 * the caller sets. */
bool ag__batch_shape(ag_tensor *y, int least, ag_shape *out);
/* In run, where `out` has the broadcast leading axes, the first `leading` of its own. */
void ag__batch_start(ag__batch *s, const ag_tensor *a, const ag_tensor *b, const ag_tensor *out, int leading);
/* a's matrices, each with that part of b which has the same leading axes; NULL: b is one for all. */
void ag__batch_same(ag__batch *s, const ag_tensor *a, const ag_tensor *b);
/* Where pair i starts, in elements. */
void ag__batch_at(const ag__batch *s, int64_t i, int64_t *a, int64_t *b);

#endif
