/* batch.c: pairs of matrices under broadcast leading axes; see batch.h. */
#include "ops/batch.h"
#include "ops/need.h"

/* Extent of leading axis i of `rank` ones, counted in the output; 1 where x has no such axis. */
static int64_t leading(const ag_tensor *x, int i, int rank) {
    int at = i - (rank - (ag_rank(x) - 2));
    return at < 0 ? 1 : ag_dim(x, at);
}

static int64_t leading_stride(const ag_tensor *x, int i, int rank) {
    int at = i - (rank - (ag_rank(x) - 2));
    return at < 0 || ag_dim(x, at) == 1 ? 0 : ag_stride(x, at);
}

bool ag__batch_shape(ag_tensor *y, int least, ag_shape *out) {
    const ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    char left[AG__TEXT], right[AG__TEXT];
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1)) return false;
    if (!ag_need_rank(y, 0, least, AG_MAX_RANK) || !ag_need_rank(y, 1, least, AG_MAX_RANK)) return false;
    out->rank = ag_rank(ag_rank(a) > ag_rank(b) ? a : b);
    if (out->rank < 2) out->rank = 2;
    for (int i = 0; i < out->rank - 2; i++) {
        int64_t p = leading(a, i, out->rank - 2), q = leading(b, i, out->rank - 2);
        if (p != q && p != 1 && q != 1) {
            return ag_op_fail(y, AG_ERR_SHAPE, "leading axes do not broadcast: %s · %s",
                              ag_shape_text(a, left, sizeof left), ag_shape_text(b, right, sizeof right));
        }
        out->dim[i] = p == 1 ? q : p;
    }
    return true;
}

void ag__batch_start(ag__batch *s, const ag_tensor *a, const ag_tensor *b, const ag_tensor *out, int rank) {
    s->rank = 0;
    s->count = 1;
    for (int i = 0; i < rank; i++) {
        int64_t n = ag_dim(out, i);
        s->count *= n;
        if (n == 1) continue;
        s->dim[s->rank] = n;
        s->a[s->rank] = leading_stride(a, i, rank);
        s->b[s->rank++] = leading_stride(b, i, rank);
    }
}

void ag__batch_same(ag__batch *s, const ag_tensor *a, const ag_tensor *b) {
    *s = (ag__batch){.rank = ag_rank(a) - 2, .count = 1};
    for (int i = 0; i < s->rank; i++) {
        s->dim[i] = ag_dim(a, i);
        s->a[i] = ag_stride(a, i);
        s->b[i] = b ? ag_stride(b, i) : 0;
        s->count *= s->dim[i];
    }
}

void ag__batch_at(const ag__batch *s, int64_t i, int64_t *a, int64_t *b) {
    *a = *b = 0;
    for (int axis = s->rank - 1; axis >= 0; axis--) {
        int64_t at = i % s->dim[axis];
        *a += at * s->a[axis];
        *b += at * s->b[axis];
        i /= s->dim[axis];
    }
}
