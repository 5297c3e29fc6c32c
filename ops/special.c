/* special.c: special functions that others make, to the last digits: the normal distribution function, products of gammas,
 * and the angle of a real number. */
#include <math.h>
#include <stddef.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

/* Φ(x) = erfc(−x / √2) / 2, accurate below as above 0 */
static ag_tensor *ndtr(ag_tensor *y) {
    if (!ag_need_float(y, 0)) return NULL;
    return ag_scale(ag_erfc(ag_scale(ag_in(y, 0), -0.70710678118654752440)), 0.5);
}

AG__COMPOSED_BARE(ndtr, 1, "erfc(−x / √2) / 2", ndtr);

ag_tensor *ag_ndtr(ag_tensor *x) { return ag_apply(&ag__op_ndtr, &x, 1, NULL); }

typedef struct order_attrs {
    int64_t p;
} order_attrs;

static const ag_attr_field order_fields[] = {{"p", AG_ATTR_I64, offsetof(order_attrs, p), NULL}, {0}};

/* ln Γₚ(x) = p (p − 1) / 4 ln π + Σ ln Γ(x − k / 2), k = 0, …, p − 1 */
static ag_tensor *mvlgamma(ag_tensor *y) {
    enum { MOST = 1 << 16 };
    int64_t p = ((const order_attrs *)ag_attrs(y))->p;
    ag_tensor *x = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 0, AG_MAX_RANK - 1)) return NULL;
    if (p < 1 || p > MOST) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "p is %lld; it must be at least 1 and at most %d", (long long)p, MOST);
        return NULL;
    }
    double lnpi = 1.14472988584940017414;
    ag_tensor *half = ag_arange(ag_tape_of(x), ag_dtype_of(x), 0, (double)p / 2, 0.5);
    ag_tensor *each = ag_lgamma(ag_sub(ag_unsqueeze(x, -1), half));
    return ag_add_scalar(ag_sum(each, AG_AXES(-1), false), (double)p * (double)(p - 1) / 4 * lnpi);
}

AG__COMPOSED_ON(mvlgamma, 1, order_attrs, order_fields, "p (p − 1) / 4 ln π + Σ ln Γ(x − k / 2), k < p", mvlgamma, 2.2, 5);

ag_tensor *ag_mvlgamma(ag_tensor *x, int64_t p) { return ag_apply(&ag__op_mvlgamma, &x, 1, &(order_attrs){p}); }

static ag_tensor *angle(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    if (!ag_need_float(y, 0)) return NULL;
    ag_tensor *half = ag_where(ag_lt(x, ag__constant(x, 0)), ag__constant(x, 3.14159265358979323846), ag__constant(x, 0));
    return ag_detach(ag_where(ag_isnan(x), x, half));
}

AG__COMPOSED_FLAT(angle, 1, 0, NULL, "π where x < 0, else 0; NaN stays", angle);

ag_tensor *ag_angle(ag_tensor *x) { return ag_apply(&ag__op_angle, &x, 1, NULL); }
