/* label.c: negative log-likelihoods of labels.
 *
 *     x (n, c, …), label (n, …)  ─ nll_pick ─▶  −x[i, label[i, …], …], 0 where the label is ignore_index
 *
 * Its gradient puts −g back in those places, which gather_add does. */
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct pick_attrs {
    int64_t ignore_index;
} pick_attrs;

static const ag_attr_field pick_fields[] = {{"ignore_index", AG_ATTR_I64, offsetof(pick_attrs, ignore_index), "-100"}, {0}};

static int class_axis(const ag_tensor *x) { return ag_rank(x) > 1; }

static bool pick_shape(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *label = ag_in(y, 1);
    char xs[AG__TEXT], labels[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 1, AG_MAX_RANK) || !ag_need_dtype(y, 1, AG_I64)) return false;
    ag_shape s = {0};
    for (int i = 0; i < ag_rank(x); i++) {
        if (i != class_axis(x)) s.dim[s.rank++] = ag_dim(x, i);
    }
    if (ag__same_shape(s, ag_shape_of(label))) return ag_out_shape(y, 0, ag_dtype_of(x), s);
    return ag_op_fail(y, AG_ERR_SHAPE, "%s needs labels in its shape without the classes on axis %d, not %s",
                      ag_shape_text(x, xs, sizeof xs), class_axis(x), ag_shape_text(label, labels, sizeof labels));
}

static bool pick_run(ag_tensor *y) {
    const ag_tensor *x = ag_in(y, 0);
    ag__along s = ag__along_axis(ag_shape_of(x), class_axis(x));
    int64_t ignored = ((const pick_attrs *)ag_attrs(y))->ignore_index;
    bool single = ag_dtype_of(x) == AG_F32;
    const float *f32 = ag_op_dense(y, 0);
    const double *f64 = (const void *)f32;
    const int64_t *label = ag_op_dense(y, 1);
    if (!f32 || !label) return false;
    for (int64_t i = 0; i < ag_size(y); i++) {
        bool skip = label[i] == ignored;
        if (!skip && (label[i] < 0 || label[i] >= s.n))
            return ag_op_fail(y, AG_ERR_VALUE, "label %lld at %lld is not in [0, %lld)", (long long)label[i],
                              (long long)i, (long long)s.n);
        int64_t at = skip ? 0 : (i / s.inner * s.n + label[i]) * s.inner + i % s.inner;
        if (single) {
            ((float *)ag_out_data(y, 0))[i] = skip ? 0 : -f32[at];
        } else {
            ((double *)ag_out_data(y, 0))[i] = skip ? 0 : -f64[at];
        }
    }
    return true;
}

ag_tensor *ag__labels_count(ag_tensor *label, int64_t ignored) {
    return ag_ne(label, ag_leaf(ag_tape_of(label), AG_I64, &ignored, AG_SHAPE(), AG_RECORDED));
}

ag_tensor *ag__labels_in_range(ag_tensor *label, ag_tensor *counts) {
    return ag_where(counts, label, ag_full(ag_tape_of(label), AG_I64, AG_SHAPE(), 0));
}

static bool pick_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0), *label = ag_in(y, 1),
              *counts = ag__labels_count(label, ((const pick_attrs *)ag_attrs(y))->ignore_index);
    if (!counts) return false;
    if (ag_size(x) == 0) return true; /* there may be labels, all ignored */
    int axis = class_axis(x);
    ag_tensor *back = ag_where(counts, ag_neg(g[0]), ag__constant(g[0], 0));
    d[0] = ag_gather_add(ag_unsqueeze(back, axis), axis, ag_unsqueeze(ag__labels_in_range(label, counts), axis),
                         ag_shape_of(x));
    return d[0] != NULL;
}

const ag_op ag__op_nll_pick = {
    .size = sizeof(ag_op),
    .name = "nll_pick",
    .arity = 2,
    .inputs = "x label",
    .flags = AG_LINEAR,
    .attr_size = sizeof(pick_attrs),
    .attrs = pick_fields,
    .formula = "−x[label] over the classes on axis 1, 0 where label is ignore_index",
    .shape = pick_shape,
    .run = pick_run,
    .grad = pick_grad,
};

ag_tensor *ag_nll_pick(ag_tensor *x, ag_tensor *label, int64_t ignore_index) {
    return ag_apply(&ag__op_nll_pick, (ag_tensor *[]){x, label}, 2, &(pick_attrs){ignore_index});
}

/* (c) as (c, 1, …), beside x (n, c, …). */
static ag_tensor *beside(ag_tensor *w, const ag_tensor *x) {
    ag_shape s = {.rank = ag_rank(x) - class_axis(x), .dim = {ag_dim(w, 0), 1, 1, 1, 1, 1, 1, 1}};
    return ag_reshape(w, s);
}

/* Σ_c weight_c x_c, x log-probabilities. */
static ag_tensor *over_classes(ag_tensor *x, ag_tensor *w) {
    return ag_sum(w ? ag_mul(x, beside(w, x)) : x, AG_AXES(class_axis(x)), false);
}

static ag_tensor *nll_of(ag_tensor *x, ag_tensor *label, ag_tensor *w, int64_t ignored, double smoothing, int reduction) {
    ag_tensor *each = ag_nll_pick(x, label, ignored), *counts = each ? ag__labels_count(label, ignored) : NULL;
    if (!counts) return NULL;
    if (ag_size(x) == 0) w = NULL; /* there may be labels, all ignored, and no class's weight for them */
    ag_tensor *zero = ag__constant(x, 0), *own = w ? ag_take(w, ag__labels_in_range(label, counts), 0) : NULL;
    if (w) each = ag_mul(each, own);
    if (smoothing > 0) { /* (1 − ε) of the label's, ε/c of each class's */
        ag_tensor *rest = ag_where(counts, ag_neg(over_classes(x, w)), zero);
        each = ag_add(ag_scale(each, 1 - smoothing), ag_scale(rest, smoothing / (double)ag_dim(x, class_axis(x))));
    }
    if (reduction != AG_MEAN) return ag__loss_reduce(each, reduction);
    ag_tensor *mass = w ? ag_where(counts, own, zero) : ag_cast(counts, ag_dtype_of(x));
    return ag_div(ag_sum(each, AG_ALL, false), ag_sum(mass, AG_ALL, false));
}

typedef struct nll_attrs {
    int reduction;
    int64_t ignore_index;
} nll_attrs;

static const ag_attr_field nll_fields[] = {
    AG__REDUCTION(nll_attrs), {"ignore_index", AG_ATTR_I64, offsetof(nll_attrs, ignore_index), "-100"}, {0}};

bool ag__need_class_weight(ag_tensor *y, int i) {
    const ag_tensor *x = ag_in(y, 0), *w = ag_in(y, i);
    char xs[AG__TEXT], ws[AG__TEXT];
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 1, AG_MAX_RANK)) return false;
    if (!w) return true;
    if (!ag_need_same_dtype(y, 0, i)) return false;
    if (ag_rank(w) == 1 && ag_dim(w, 0) == ag_dim(x, class_axis(x))) return true;
    return ag_op_fail(y, AG_ERR_SHAPE, "the weight %s must hold one value for each class on axis %d of %s",
                      ag_shape_text(w, ws, sizeof ws), class_axis(x), ag_shape_text(x, xs, sizeof xs));
}

static ag_tensor *nll_loss(ag_tensor *y) {
    const nll_attrs *a = ag_attrs(y);
    if (!ag__need_class_weight(y, 2)) return NULL;
    return nll_of(ag_in(y, 0), ag_in(y, 1), ag_in(y, 2), a->ignore_index, 0, a->reduction);
}

AG__COMPOSED(nll_loss, 2, nll_attrs, nll_fields, "−weight[label] x[label]", nll_loss, .optional = 1,
             .inputs = "x label weight");

ag_tensor *ag_nll_loss(ag_tensor *x, ag_tensor *label, ag_tensor *weight, ag_reduction reduction, int64_t ignore_index) {
    return ag_apply(&ag__op_nll_loss, (ag_tensor *[]){x, label, weight}, 3, &(nll_attrs){reduction, ignore_index});
}

/* Class probabilities q of x's shape: −Σ_c w_c ((1 − ε) q_c + ε/c) log p_c; the mean is over the distributions. */
static ag_tensor *soft_targets(ag_tensor *log_p, ag_tensor *q, ag_tensor *w, double smoothing, int reduction) {
    double classes = (double)ag_dim(log_p, class_axis(log_p));
    if (smoothing > 0) q = ag_add_scalar(ag_scale(q, 1 - smoothing), smoothing / classes);
    ag_tensor *each = ag_neg(over_classes(ag_mul(q, log_p), w));
    return ag__loss_reduce(each, reduction);
}

ag_tensor *ag__cross_entropy_compose(ag_tensor *y, const ag_cross_entropy_options *o) {
    ag_tensor *x = ag_in(y, 0), *target = ag_in(y, 1), *w = ag_in(y, 2);
    if (!ag__need_class_weight(y, 2)) return NULL;
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "label_smoothing is %g; it must lie between 0 and 1", o->label_smoothing);
        return NULL;
    }
    bool soft = ag_dtype_of(target) == AG_F32 || ag_dtype_of(target) == AG_F64;
    if (soft && !ag__same_shape(ag_shape_of(x), ag_shape_of(target))) {
        char xs[AG__TEXT], ts[AG__TEXT];
        ag_op_fail(y, AG_ERR_DTYPE, "%s is %s: labels are i64, class probabilities have the shape of %s",
                   ag_shape_text(target, ts, sizeof ts), ag_dtype_name(ag_dtype_of(target)),
                   ag_shape_text(x, xs, sizeof xs));
        return NULL;
    }
    if (soft && !ag_need_same_dtype(y, 0, 1)) return NULL;
    if (soft && o->ignore_index >= 0) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "ignore_index is %lld, but class probabilities have no labels to ignore",
                   (long long)o->ignore_index);
        return NULL;
    }
    ag_tensor *log_p = ag_log_softmax(x, class_axis(x));
    if (!log_p) return NULL;
    if (soft) return soft_targets(log_p, target, w, o->label_smoothing, (int)o->reduction);
    return nll_of(log_p, target, w, o->ignore_index, o->label_smoothing, (int)o->reduction);
}
