/* distance.c: distances and angles of vectors.
 *
 *     |v|_p = (Σ |v|ᵖ)^(1/p)      p = 0: how many are not 0; p = ∞: the largest
 *
 * Gradients are 0 where a distance is 0, as PyTorch's: what would be infinite there is put aside before roots and powers. */
#include <math.h>

#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static ag_tensor *length(ag_tensor *v, double p, int axis, bool keepdim) {
    return v ? ag_norm(v, p, AG_AXES(axis), keepdim) : NULL;
}

typedef struct pair_attrs {
    double p, eps;
    bool keepdim;
} pair_attrs;

static const ag_attr_field pair_fields[] = {{"p", AG_ATTR_F64, offsetof(pair_attrs, p), "2"},
                                            {"eps", AG_ATTR_F64, offsetof(pair_attrs, eps), "1e-6"},
                                            {"keepdim", AG_ATTR_BOOL, offsetof(pair_attrs, keepdim), "false"},
                                            {0}};

/* |a − b + eps|_p along the last axis */
static ag_tensor *pairwise_distance(ag_tensor *y) {
    const pair_attrs *a = ag_attrs(y);
    ag_shape s;
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_broadcast_inputs(y, &s)) return NULL;
    if (!ag_need_axis(y, -1, s.rank, &(int){0})) return NULL;
    return length(ag_add_scalar(ag_sub(ag_in(y, 0), ag_in(y, 1)), a->eps), a->p, -1, a->keepdim);
}

AG__COMPOSED(pairwise_distance, 2, pair_attrs, pair_fields, "|a − b + eps|ₚ along the last axis", pairwise_distance);

ag_tensor *ag_pairwise_distance(ag_tensor *a, ag_tensor *b, double p, double eps, bool keepdim) {
    return ag_apply(&ag__op_pairwise_distance, (ag_tensor *[]){a, b}, 2, &(pair_attrs){p, eps, keepdim});
}

typedef struct cdist_attrs {
    double p;
} cdist_attrs;

static const ag_attr_field cdist_fields[] = {{"p", AG_ATTR_F64, offsetof(cdist_attrs, p), "2"}, {0}};

/* (…, m, k), (…, n, k) → (…, m, n), of the differences themselves: the expanded square cancels for near points */
static ag_tensor *cdist(ag_tensor *y) {
    double p = ((const cdist_attrs *)ag_attrs(y))->p;
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1);
    char as[AG__TEXT], bs[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    if (!(p >= 0)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "p is %g; it must not be less than 0", p);
        return NULL;
    }
    if (!ag_need_rank(y, 0, 2, AG_MAX_RANK - 1) || !ag_need_rank(y, 1, 2, AG_MAX_RANK - 1)) return NULL;
    if (ag_dim(a, -1) != ag_dim(b, -1)) {
        ag_op_fail(y, AG_ERR_SHAPE, "the last axes of %s and %s differ", ag_shape_text(a, as, sizeof as),
                   ag_shape_text(b, bs, sizeof bs));
        return NULL;
    }
    ag_tensor *v = ag_sub(ag_unsqueeze(a, -2), ag_unsqueeze(b, -3));
    return v && ag_dim(v, -1) == 0 ? ag_sum(v, AG_AXES(-1), false) : length(v, p, -1, false);
}

AG__COMPOSED(cdist, 2, cdist_attrs, cdist_fields, "|a[i] − b[j]|ₚ for every i and j", cdist);

ag_tensor *ag_cdist(ag_tensor *a, ag_tensor *b, double p) {
    return ag_apply(&ag__op_cdist, (ag_tensor *[]){a, b}, 2, &(cdist_attrs){p});
}

/* Of cdist(x, x) what is above its diagonal */
static ag_tensor *pdist(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 2, 2)) return NULL;
    int64_t n = ag_dim(x, 0), pairs = n % 2 ? n * ((n - 1) / 2) : n / 2 * (n - 1);
    ag_tensor *all = ag_cdist(x, x, ((const cdist_attrs *)ag_attrs(y))->p);
    ag_tensor *above = ag_triu(ag_full(ag_tape_of(x), AG_I64, AG_SHAPE(n, n), 1), 1);
    return ag_take(ag_reshape(all, AG_SHAPE(-1)), ag_flatnonzero(above, n > 1 ? pairs : 0), 0);
}

AG__COMPOSED(pdist, 1, cdist_attrs, cdist_fields, "|x[i] − x[j]|ₚ for every i < j, row by row", pdist);

ag_tensor *ag_pdist(ag_tensor *x, double p) { return ag_apply(&ag__op_pdist, &x, 1, &(cdist_attrs){p}); }

typedef struct along_attrs {
    double p;
    int axis;
    double eps;
} along_attrs;

static const ag_attr_field normalize_fields[] = {{"p", AG_ATTR_F64, offsetof(along_attrs, p), "2"},
                                                 {"axis", AG_ATTR_INT, offsetof(along_attrs, axis), "1"},
                                                 {"eps", AG_ATTR_F64, offsetof(along_attrs, eps), "1e-12"},
                                                 {0}};

/* v, but at least eps > 0; at the bound all of the gradient is v's, as clamp's. */
static ag_tensor *at_least(ag_tensor *v, double eps) {
    ag_tensor *least = ag__constant(v, eps);
    return v ? ag_where(ag_lt(v, least), least, v) : NULL;
}

static ag_tensor *normalize(ag_tensor *y) {
    const along_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    int axis;
    if (!ag_need_float(y, 0) || !ag__need_line(y, a->axis, ag_rank(x), &axis)) return NULL;
    if (ag_size(x) == 0) return ag_alias(x);
    return ag_div(x, at_least(length(x, a->p, axis, true), a->eps));
}

AG__COMPOSED(normalize, 1, along_attrs, normalize_fields, "x / max(|x|ₚ, eps) along axis", normalize);

ag_tensor *ag_normalize(ag_tensor *x, double p, int axis, double eps) {
    return ag_apply(&ag__op_normalize, &x, 1, &(along_attrs){p, axis, eps});
}

typedef struct cosine_attrs {
    int axis;
    double eps;
} cosine_attrs;

static const ag_attr_field cosine_fields[] = {{"axis", AG_ATTR_INT, offsetof(cosine_attrs, axis), "1"},
                                              {"eps", AG_ATTR_F64, offsetof(cosine_attrs, eps), "1e-8"},
                                              {0}};

static ag_tensor *cosine_similarity(ag_tensor *y) {
    const cosine_attrs *c = ag_attrs(y);
    ag_tensor *unit[2];
    ag_shape s;
    int axis;
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_broadcast_inputs(y, &s)) return NULL;
    if (!ag__need_line(y, c->axis, s.rank, &axis)) return NULL;
    for (int i = 0; i < 2; i++) {
        ag_tensor *x = ag_expand(ag_in(y, i), s);
        unit[i] = ag_div(x, at_least(length(x, 2, axis, true), c->eps));
    }
    return ag_sum(ag_mul(unit[0], unit[1]), AG_AXES(axis), false);
}

AG__COMPOSED(cosine_similarity, 2, cosine_attrs, cosine_fields, "Σ a b / (max(|a|, eps) max(|b|, eps)) along axis",
             cosine_similarity);

ag_tensor *ag_cosine_similarity(ag_tensor *a, ag_tensor *b, int axis, double eps) {
    return ag_apply(&ag__op_cosine_similarity, (ag_tensor *[]){a, b}, 2, &(cosine_attrs){axis, eps});
}
