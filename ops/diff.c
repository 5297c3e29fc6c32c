/* diff.c: differences of neighbours along an axis, n times over; what `before` and `after` hold is joined on first, unless n is
 * 0, which is x itself: NumPy's and PyTorch's choice. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct diff_attrs {
    int64_t n;
    int axis;
} diff_attrs;

static const ag_attr_field diff_fields[] = {
    {"n", AG_ATTR_I64, offsetof(diff_attrs, n), "1"}, {"axis", AG_ATTR_INT, offsetof(diff_attrs, axis), "-1"}, {0}};

static ag_tensor *diff(ag_tensor *y) {
    const diff_attrs *a = ag_attrs(y);
    ag_tensor *part[3];
    int count = 0, axis;
    if (a->n < 0) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "n is %lld: how many times differences are taken", (long long)a->n);
        return NULL;
    }
    if (!ag_need_axis(y, a->axis, ag_rank(ag_in(y, 0)), &axis)) return NULL;
    const int places[3] = {1, 0, 2};
    for (int i = 0; i < 3 && a->n > 0; i++) {
        ag_tensor *x = ag_in(y, places[i]);
        if (x) part[count++] = x;
    }
    ag_tensor *x = count > 1 ? ag_concat(part, count, axis) : ag_alias(ag_in(y, 0));
    if (!x || a->n == 0 || !ag__need_number(y, 0)) return a->n == 0 ? x : NULL;
    int64_t left = ag_dim(x, axis) > a->n ? ag_dim(x, axis) - a->n : 0;
    if (left == 0 || ag_size(x) == 0) return ag_slice(x, axis, 0, left, 1); /* nothing, at once */
    for (int64_t i = 0; i < a->n && x; i++) x = ag_sub(ag_slice(x, axis, 1, AG_END, 1), ag_slice(x, axis, 0, -1, 1));
    return x;
}

AG__COMPOSED(diff, 1, diff_attrs, diff_fields, "x[k+1] − x[k] along axis, n times", diff, .optional = 2,
             .inputs = "x before after");

ag_tensor *ag_diff(ag_tensor *x, int64_t n, int axis, ag_tensor *before, ag_tensor *after) {
    return ag_apply(&ag__op_diff, (ag_tensor *[]){x, before, after}, 3, &(diff_attrs){n, axis});
}
