/* margin.c: losses that are 0 once something is better than something else by a margin.
 *
 *     hinge:   max(0, margin − how much better)      gradient at the corner: as PyTorch's, 1 where it clamps, 0 where it
 *                                                    compares (the multi-class ones) */
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct margin_attrs {
    int reduction;
    double margin;
} margin_attrs;

static const ag_attr_field unit_fields[] = {
    AG__REDUCTION(margin_attrs), {"margin", AG_ATTR_F64, offsetof(margin_attrs, margin), "1"}, {0}};
static const ag_attr_field zero_fields[] = {
    AG__REDUCTION(margin_attrs), {"margin", AG_ATTR_F64, offsetof(margin_attrs, margin), "0"}, {0}};

/* x where t is not −1, plus max(0, margin − x) where t is not 1 */
static ag_tensor *hinge_embedding_loss(ag_tensor *y) {
    const margin_attrs *a = ag_attrs(y);
    if (!ag__need_targets(y)) return NULL;
    ag_tensor *x = ag_in(y, 0), *t = ag_in(y, 1), *zero = ag__constant(x, 0);
    ag_tensor *far = ag__positive_part(ag_add_scalar(ag_neg(x), a->margin));
    ag_tensor *each =
        ag_add(ag_where(ag_ne(t, ag__constant(x, 1)), far, zero), ag_where(ag_ne(t, ag__constant(x, -1)), x, zero));
    return ag__loss_reduce(each, a->reduction);
}

/* max(0, −t (a − b) + margin) */
static ag_tensor *margin_ranking_loss(ag_tensor *y) {
    const margin_attrs *a = ag_attrs(y);
    ag_shape s;
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2)) return NULL;
    if (!ag_broadcast_inputs(y, &s)) return NULL;
    ag_tensor *worse = ag_mul(ag_neg(ag_in(y, 2)), ag_sub(ag_in(y, 0), ag_in(y, 1)));
    return ag__loss_reduce(ag__positive_part(ag_add_scalar(worse, a->margin)), a->reduction);
}

AG__COMPOSED(hinge_embedding_loss, 2, margin_attrs, unit_fields, "x where t = 1, max(0, margin − x) where t = −1",
             hinge_embedding_loss, .inputs = "x target");
AG__COMPOSED(margin_ranking_loss, 3, margin_attrs, zero_fields, "max(0, −t (a − b) + margin)", margin_ranking_loss,
             .inputs = "a b target");

ag_tensor *ag_hinge_embedding_loss(ag_tensor *x, ag_tensor *target, ag_reduction reduction, double margin) {
    return ag_apply(&ag__op_hinge_embedding_loss, (ag_tensor *[]){x, target}, 2, &(margin_attrs){(int)reduction, margin});
}

ag_tensor *ag_margin_ranking_loss(ag_tensor *a, ag_tensor *b, ag_tensor *target, ag_reduction reduction, double margin) {
    return ag_apply(&ag__op_margin_ranking_loss, (ag_tensor *[]){a, b, target}, 3, &(margin_attrs){(int)reduction, margin});
}

/* Several classes */

typedef struct multi_attrs {
    int reduction, p;
    double margin;
} multi_attrs;

static const ag_attr_field multi_fields[] = {AG__REDUCTION(multi_attrs),
                                             {"p", AG_ATTR_INT, offsetof(multi_attrs, p), "1"},
                                             {"margin", AG_ATTR_F64, offsetof(multi_attrs, margin), "1"},
                                             {0}};

static bool need_scores(ag_tensor *y) {
    return ag_need_float(y, 0) && ag_need_rank(y, 0, 0, 2) && ag_need_dtype(y, 1, AG_I64);
}

/* x as (n, c): a scalar is one class, a line one row. */
static ag_tensor *rows_of(ag_tensor *x) {
    return ag_rank(x) == 2 ? x : ag_reshape(x, AG_SHAPE(1, ag_rank(x) ? ag_dim(x, 0) : 1));
}

/* Labels one for each row, as a list; of one row also a scalar. */
static ag_tensor *labels_of(ag_tensor *y, ag_tensor *x) {
    ag_tensor *label = ag_in(y, 1);
    char xs[AG__TEXT], ls[AG__TEXT];
    if (!x) return NULL;
    if (ag_rank(label) <= 1 && ag_size(label) == ag_dim(x, 0)) return ag_reshape(label, AG_SHAPE(ag_dim(x, 0)));
    ag_op_fail(y, AG_ERR_SHAPE, "%s needs a label for each of its %lld rows, not %s",
               ag_shape_text(ag_in(y, 0), xs, sizeof xs), (long long)ag_dim(x, 0), ag_shape_text(label, ls, sizeof ls));
    return NULL;
}

/* Σ over j ≠ label of max(0, margin − x[label] + x[j])ᵖ · weight[label] / c; labels are checked by nll_pick */
static ag_tensor *multi_margin_loss(ag_tensor *y) {
    const multi_attrs *a = ag_attrs(y);
    if (!need_scores(y)) return NULL;
    if (a->p != 1 && a->p != 2) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "p is %d; it must be 1 or 2", a->p);
        return NULL;
    }
    ag_tensor *x = rows_of(ag_in(y, 0)), *label = labels_of(y, x), *w = ag_in(y, 2);
    if (!label || (ag_rank(ag_in(y, 0)) > 0 && !ag__need_class_weight(y, 2))) return NULL;
    ag_tensor *own = ag_unsqueeze(ag_nll_pick(x, label, INT64_MIN), -1); /* −x[label] */
    ag_tensor *far = ag_relu(ag_add_scalar(ag_add(x, own), a->margin));
    if (!own || !far) return NULL;
    int64_t classes = ag_dim(x, -1);
    ag_tensor *others = ag_eq(ag_one_hot(label, classes, AG_I64), ag_full(ag_tape_of(x), AG_I64, AG_SHAPE(), 0));
    ag_tensor *each = ag_where(others, a->p == 2 ? ag_square(far) : far, ag__constant(x, 0));
    each = ag_scale(ag_sum(each, AG_AXES(-1), false), 1 / (double)classes);
    if (w) each = ag_mul(each, ag_take(w, label, 0));
    return ag__loss_reduce(ag_reshape(each, ag_shape_of(ag_in(y, 1))), a->reduction);
}

AG__COMPOSED(multi_margin_loss, 2, multi_attrs, multi_fields,
             "weight[label] / c Σ over j ≠ label of max(0, margin − x[label] + x[j])ᵖ", multi_margin_loss,
             .optional = 1, .inputs = "x label weight");

ag_multi_margin_loss_options ag_multi_margin_loss_defaults(void) {
    return (ag_multi_margin_loss_options){.size = sizeof(ag_multi_margin_loss_options), .p = 1, .margin = 1};
}

ag_tensor *ag_multi_margin_loss(ag_tensor *x, ag_tensor *label, ag_tensor *weight,
                                const ag_multi_margin_loss_options *options) {
    ag_multi_margin_loss_options o = ag_multi_margin_loss_defaults();
    if (!ag__take_options(x, "multi_margin_loss", &o, sizeof o, options)) return NULL;
    multi_attrs a = {(int)o.reduction, o.p, o.margin};
    return ag_apply(&ag__op_multi_margin_loss, (ag_tensor *[]){x, label, weight}, 3, &a);
}

/* Labels up to the first negative one belong to the row: Σ over them and all classes j that do not of
 * max(0, 1 − x[label] + x[j]) / c. As an array (…, labels, classes). */
static ag_tensor *multilabel_margin_loss(ag_tensor *y) {
    if (!need_scores(y) || !ag_need_same_shape(y, 0, 1)) return NULL;
    ag_tensor *x = ag_in(y, 0), *label = ag_in(y, 1), *none = ag_full(ag_tape_of(x), AG_I64, AG_SHAPE(), 0);
    if (ag_rank(x) == 0) x = ag_unsqueeze(x, 0), label = ag_unsqueeze(label, 0);
    int64_t classes = ag_dim(x, -1);
    ag_tensor *valid = ag_cumprod(ag_cast(ag_ge(label, none), AG_I64), -1), *at = ag_mul(label, valid);
    ag_tensor *own = ag_gather(x, -1, at);
    if (!own) return NULL;
    ag_tensor *hits = ag_mul(ag_one_hot(at, classes, AG_I64), ag_unsqueeze(valid, -1)); /* (…, labels, classes) */
    ag_tensor *member = ag_ne(ag_sum(hits, AG_AXES(-2), true), none);
    ag_tensor *far = ag_relu(ag_add_scalar(ag_sub(ag_unsqueeze(x, -2), ag_unsqueeze(own, -1)), 1));
    ag_tensor *zero = ag__constant(x, 0), *each = ag_where(member, zero, far);
    each = ag_where(ag_ne(ag_unsqueeze(valid, -1), none), each, zero);
    each = ag_scale(ag_sum(each, AG_AXES(-1, -2), false), 1 / (double)classes);
    return ag__loss_reduce(each, ((const ag__reduced *)ag_attrs(y))->reduction);
}

AG__COMPOSED(multilabel_margin_loss, 2, ag__reduced, ag__reduced_fields,
             "1 / c Σ over labels k and other classes j of max(0, 1 − x[k] + x[j])", multilabel_margin_loss,
             .inputs = "x labels");

ag_tensor *ag_multilabel_margin_loss(ag_tensor *x, ag_tensor *labels, ag_reduction reduction) {
    return ag_apply(&ag__op_multilabel_margin_loss, (ag_tensor *[]){x, labels}, 2, &(ag__reduced){(int)reduction});
}

/* Embeddings: vectors on the last axis */

/* With c = Σ a b / √((Σ a² + 1e-12) (Σ b² + 1e-12)):  1 − c where t = 1, max(0, c − margin) where t = −1 */
static ag_tensor *cosine_embedding_loss(ag_tensor *y) {
    const margin_attrs *m = ag_attrs(y);
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2)) return NULL;
    if (!ag_need_rank(y, 0, 1, 2) || !ag_need_same_shape(y, 0, 1)) return NULL;
    if (!ag_need_rank(y, 2, ag_rank(ag_in(y, 0)) - 1, ag_rank(ag_in(y, 0)) - 1)) return NULL;
    ag_tensor *a = ag_in(y, 0), *b = ag_in(y, 1), *t = ag_in(y, 2), *zero = ag__constant(a, 0);
    ag_tensor *aa = ag_add_scalar(ag_vecdot(a, a, -1), 1e-12), *bb = ag_add_scalar(ag_vecdot(b, b, -1), 1e-12);
    ag_tensor *c = ag_div(ag_vecdot(a, b, -1), ag_sqrt(ag_mul(aa, bb)));
    ag_tensor *near = ag_where(ag_eq(t, ag__constant(a, 1)), ag_add_scalar(ag_neg(c), 1), zero);
    ag_tensor *far = ag_where(ag_eq(t, ag__constant(a, -1)), ag__positive_part(ag_add_scalar(c, -m->margin)), zero);
    return ag__loss_reduce(ag_add(near, far), m->reduction);
}

AG__COMPOSED(cosine_embedding_loss, 3, margin_attrs, zero_fields,
             "1 − cos(a, b) where t = 1, max(0, cos(a, b) − margin) where t = −1", cosine_embedding_loss,
             .inputs = "a b target");

ag_tensor *ag_cosine_embedding_loss(ag_tensor *a, ag_tensor *b, ag_tensor *target, ag_reduction reduction, double margin) {
    return ag_apply(&ag__op_cosine_embedding_loss, (ag_tensor *[]){a, b, target}, 3,
                    &(margin_attrs){(int)reduction, margin});
}

typedef struct triplet_attrs {
    int reduction;
    double margin, p, eps;
    bool swap;
} triplet_attrs;

static const ag_attr_field triplet_fields[] = {AG__REDUCTION(triplet_attrs),
                                               {"margin", AG_ATTR_F64, offsetof(triplet_attrs, margin), "1"},
                                               {"p", AG_ATTR_F64, offsetof(triplet_attrs, p), "2"},
                                               {"eps", AG_ATTR_F64, offsetof(triplet_attrs, eps), "1e-6"},
                                               {"swap", AG_ATTR_BOOL, offsetof(triplet_attrs, swap), "false"},
                                               {0}};

static ag_tensor *triplet_margin_loss(ag_tensor *y) {
    const triplet_attrs *a = ag_attrs(y);
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2)) return NULL;
    ag_tensor *anchor = ag_in(y, 0), *same = ag_in(y, 1), *other = ag_in(y, 2);
    ag_tensor *near = ag_pairwise_distance(anchor, same, a->p, a->eps, false);
    ag_tensor *far = near ? ag_pairwise_distance(anchor, other, a->p, a->eps, false) : NULL;
    if (far && a->swap) far = ag_minimum(far, ag_pairwise_distance(same, other, a->p, a->eps, false));
    return far ? ag__loss_reduce(ag__positive_part(ag_add_scalar(ag_sub(near, far), a->margin)), a->reduction) : NULL;
}

AG__COMPOSED(triplet_margin_loss, 3, triplet_attrs, triplet_fields,
             "max(0, |anchor − positive| − |anchor − negative| + margin)", triplet_margin_loss,
             .inputs = "anchor positive negative");

ag_triplet_margin_loss_options ag_triplet_margin_loss_defaults(void) {
    return (ag_triplet_margin_loss_options){.size = sizeof(ag_triplet_margin_loss_options), .margin = 1, .p = 2, .eps = 1e-6};
}

ag_tensor *ag_triplet_margin_loss(ag_tensor *anchor, ag_tensor *positive, ag_tensor *negative,
                                  const ag_triplet_margin_loss_options *options) {
    ag_triplet_margin_loss_options o = ag_triplet_margin_loss_defaults();
    if (!ag__take_options(anchor, "triplet_margin_loss", &o, sizeof o, options)) return NULL;
    triplet_attrs a = {(int)o.reduction, o.margin, o.p, o.eps, o.swap};
    return ag_apply(&ag__op_triplet_margin_loss, (ag_tensor *[]){anchor, positive, negative}, 3, &a);
}
