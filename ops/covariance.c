/* covariance.c: how variables vary together: rows of x (m, n), n observations of m variables; a line is one variable.
 *
 *     cov = Σ w (x − mean)(x − mean)ᵀ / divisor       w = fweights aweights, mean = Σ w x / Σ w
 *     divisor = Σ w − correction Σ w aweights / Σ w, at least 0: without aweights Σ w − correction */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct cov_attrs {
    double correction;
} cov_attrs;

static const ag_attr_field cov_fields[] = {{"correction", AG_ATTR_F64, offsetof(cov_attrs, correction), "1"}, {0}};

/* Input i, if given: numbers, one for each of n observations, in x's dtype; whole numbers and probabilities come in their own. */
static bool take_weights(ag_tensor *y, int i, int64_t n, ag_tensor **w) {
    ag_tensor *x = ag_in(y, 0), *given = ag_in(y, i);
    char ws[AG__TEXT], xs[AG__TEXT];
    *w = NULL;
    if (!given) return true;
    if (!ag__need_number(y, i)) return false;
    if (ag_rank(given) != 1 || ag_size(given) != n)
        return ag_op_fail(y, AG_ERR_SHAPE, "%s of %s needs a number for each of the %lld observations",
                          ag_shape_text(given, ws, sizeof ws), ag_shape_text(x, xs, sizeof xs), (long long)n);
    *w = ag_dtype_of(given) == ag_dtype_of(x) ? given : ag_cast(given, ag_dtype_of(x));
    return *w != NULL;
}

static ag_tensor *total(ag_tensor *w) { return ag_sum(w, AG_ALL, false); }

/* Σ w, and what the sum of squares is divided by, as scalars */
static ag_tensor *divisor_of(ag_tensor *w, ag_tensor *aweights, double correction, ag_tensor **all) {
    *all = total(w);
    ag_tensor *less = ag__constant(w, correction);
    if (aweights && correction != 0) less = ag_mul(less, ag_div(total(ag_mul(w, aweights)), *all));
    return ag_maximum(ag_sub(*all, less), ag__constant(w, 0));
}

static ag_tensor *mean_of(ag_tensor *x, ag_tensor *w, ag_tensor *all) {
    return ag_div(ag_sum(ag_mul(x, w), AG_AXES(1), true), all);
}

static ag_tensor *cov(ag_tensor *y) {
    double correction = ((const cov_attrs *)ag_attrs(y))->correction;
    ag_tensor *x = ag_in(y, 0), *times, *shares, *all;
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 0, 2)) return NULL;
    int rank = ag_rank(x);
    x = rank < 2 ? ag_reshape(x, AG_SHAPE(1, ag_size(x))) : x;
    int64_t n = ag_dim(x, 1);
    if (!take_weights(y, 1, n, &times) || !take_weights(y, 2, n, &shares)) return NULL;
    ag_tensor *w = times && shares ? ag_mul(times, shares) : times ? times : shares;
    if (!w) w = ag_full(ag_tape_of(x), ag_dtype_of(x), AG_SHAPE(n), 1);
    ag_tensor *divisor = divisor_of(w, shares, correction, &all);
    ag_tensor *from_mean = ag_sub(x, mean_of(x, w, all));
    from_mean = ag_sub(from_mean, ag_detach(mean_of(from_mean, w, all))); /* 0, but for what rounding the mean was off by */
    ag_tensor *c = ag_div(ag_matmul(from_mean, ag_transpose(ag_mul(from_mean, w), 0, 1)), divisor);
    return ag_dim(x, 0) == 1 ? ag_reshape(c, AG_SHAPE()) : c;
}

AG__COMPOSED(cov, 1, cov_attrs, cov_fields, "Σ w (x − mean)(x − mean)ᵀ / (Σ w − correction)", cov, .optional = 2,
             .inputs = "x fweights aweights");

ag_tensor *ag_cov(ag_tensor *x, double correction, ag_tensor *fweights, ag_tensor *aweights) {
    return ag_apply(&ag__op_cov, (ag_tensor *[]){x, fweights, aweights}, 3, &(cov_attrs){correction});
}

static ag_tensor *corrcoef(ag_tensor *y) {
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 0, 2)) return NULL;
    ag_tensor *c = ag_cov(ag_in(y, 0), 1, NULL, NULL);
    if (ag_rank(c) == 0) return ag_div(c, c);
    ag_tensor *deviation = ag_sqrt(ag_diagonal(c, 0, 0, 1));
    return ag_clamp(ag_div(ag_div(c, ag_unsqueeze(deviation, 1)), deviation), -1, 1);
}

AG__COMPOSED_BARE(corrcoef, 1, "cov[i][j] / √(cov[i][i] cov[j][j])", corrcoef);

ag_tensor *ag_corrcoef(ag_tensor *x) { return ag_apply(&ag__op_corrcoef, &x, 1, NULL); }
