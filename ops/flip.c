/* flip.c: axes walked backwards, and quarter turns: views, since a slice may have the step −1.
 *
 *     1 2 3     flip 1: 3 2 1     rot90: 3 6     of the axes (0,1): flip 1, then swap
 *     4 5 6             6 5 4            2 5
 *                                        1 4 */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static ag_tensor *backwards(ag_tensor *x, int axis) { return ag_slice(x, axis, AG_END, AG_END, -1); }

typedef struct flip_attrs {
    ag_axes axes;
} flip_attrs;

static const ag_attr_field flip_fields[] = {{"axes", AG_ATTR_AXES, offsetof(flip_attrs, axes), "all"}, {0}};

static ag_tensor *flip(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    int rank = ag_rank(x);
    bool chosen[AG_MAX_RANK];
    if (!ag_need_axes(y, ((const flip_attrs *)ag_attrs(y))->axes, rank ? rank : 1, chosen)) return NULL;
    for (int i = 0; i < rank; i++) x = chosen[i] ? backwards(x, i) : x;
    return x == ag_in(y, 0) ? ag_alias(x) : x;
}

static ag_tensor *fliplr(ag_tensor *y) { return ag_need_rank(y, 0, 2, AG_MAX_RANK) ? backwards(ag_in(y, 0), 1) : NULL; }
static ag_tensor *flipud(ag_tensor *y) { return ag_need_rank(y, 0, 1, AG_MAX_RANK) ? backwards(ag_in(y, 0), 0) : NULL; }

AG__COMPOSED(flip, 1, flip_attrs, flip_fields, "x with the axes backwards", flip);
AG__COMPOSED_BARE(fliplr, 1, "x with axis 1 backwards", fliplr);
AG__COMPOSED_BARE(flipud, 1, "x with axis 0 backwards", flipud);

ag_tensor *ag_flip(ag_tensor *x, ag_axes axes) { return ag_apply(&ag__op_flip, &x, 1, &(flip_attrs){axes}); }
ag_tensor *ag_fliplr(ag_tensor *x) { return ag_apply(&ag__op_fliplr, &x, 1, NULL); }
ag_tensor *ag_flipud(ag_tensor *x) { return ag_apply(&ag__op_flipud, &x, 1, NULL); }

typedef struct rot90_attrs {
    int64_t k;
    ag_axes axes;
} rot90_attrs;

static const ag_attr_field rot90_fields[] = {
    {"k", AG_ATTR_I64, offsetof(rot90_attrs, k), "1"}, {"axes", AG_ATTR_AXES, offsetof(rot90_attrs, axes), "0,1"}, {0}};

static ag_tensor *rot90(ag_tensor *y) {
    const rot90_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    bool chosen[AG_MAX_RANK];
    if (!ag_need_axes(y, a->axes, ag_rank(x), chosen)) return NULL;
    if (a->axes.count != 2) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "axes must name two axes, the plane of the turn");
        return NULL;
    }
    int i = a->axes.axis[0], j = a->axes.axis[1], k = (int)((a->k % 4 + 4) % 4);
    switch (k) {
    case 1: return ag_transpose(backwards(x, j), i, j);
    case 2: return backwards(backwards(x, i), j);
    case 3: return ag_transpose(backwards(x, i), i, j);
    default: return ag_alias(x);
    }
}

AG__COMPOSED(rot90, 1, rot90_attrs, rot90_fields, "x turned k times by 90 degrees, from the first axis to the second",
             rot90);

ag_tensor *ag_rot90(ag_tensor *x, int64_t k, ag_axes axes) {
    return ag_apply(&ag__op_rot90, &x, 1, &(rot90_attrs){k, axes});
}
