/* cross_entropy.c: the usual call of cross-entropy, at once: logits x (n, c), labels (n), the mean.
 *
 *     value       1/m Σ_i (ln Σ_j e^x[i][j] − x[i][label[i]])       over the m rows whose label is not ignore_index
 *     gradient    (softmax(x) − one_hot(label)) g / m               a fast op of its own
 *
 * which has a rule of its own, like softmax's. Weights, smoothing, soft targets, more axes and other reductions are composed
 * (label.c). */
#include <stddef.h>

#include "ops/isa.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/table.h"

/* Input i is x, input i + 1 the labels. */
static bool need_logits(ag_tensor *y, int i) {
    ag_tensor *x = ag_in(y, i), *label = ag_in(y, i + 1);
    if (!ag_need_float(y, i) || !ag_need_rank(y, i, 2, 2)) return false;
    if (!ag_need_dtype(y, i + 1, AG_I64) || !ag_need_rank(y, i + 1, 1, 1)) return false;
    if (ag_dim(x, 0) == ag_dim(label, 0)) return true;
    char rows[AG__TEXT], labels[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "%s needs one label per row, not %s", ag_shape_text(x, rows, sizeof rows),
                      ag_shape_text(label, labels, sizeof labels));
}

typedef struct loss_attrs {
    int reduction;
    int64_t ignore_index;
    double label_smoothing;
} loss_attrs;

static const ag_attr_field loss_fields[] = {AG__REDUCTION(loss_attrs),
                                            {"ignore_index", AG_ATTR_I64, offsetof(loss_attrs, ignore_index), "-100"},
                                            {"label_smoothing", AG_ATTR_F64, offsetof(loss_attrs, label_smoothing), "0"},
                                            {0}};

typedef struct grad_attrs {
    int64_t ignore_index;
} grad_attrs;

static const ag_attr_field grad_fields[] = {{"ignore_index", AG_ATTR_I64, offsetof(grad_attrs, ignore_index), "-100"}, {0}};

/* The labels of input i, row-major, each known to be one of c classes or ignored; counts those that are not. */
static const int64_t *labels_of(ag_tensor *y, int i, int64_t c, int64_t ignored, int64_t *counted) {
    int64_t n = ag_size(ag_in(y, i));
    const int64_t *label = ag_op_dense(y, i);
    *counted = n;
    for (int64_t k = 0; label && k < n; k++) {
        if (label[k] == ignored) --*counted;
        if ((label[k] >= 0 && label[k] < c) || label[k] == ignored) continue;
        ag_op_fail(y, AG_ERR_VALUE, "label %lld at row %lld is not in [0, %lld)", (long long)label[k], (long long)k,
                   (long long)c);
        return NULL;
    }
    return label;
}

typedef struct job {
    const char *x;
    const int64_t *label;
    int64_t c, ignored;
    ag_dtype dtype;
    double *loss; /* one per row */
    double scale;
    char *d;
} job;

static size_t row_bytes(const job *w) { return (size_t)w->c * ag_dtype_size(w->dtype); }

/* At least as many rows as are worth a thread's while. */
static int64_t grain_of(const job *w) { return 1 + 8192 / w->c; }

static void loss_rows(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    ag__loss_fn *loss = ag__kernel()->softmax->loss[w->dtype];
    loss(w->x + (size_t)begin * row_bytes(w), end - begin, w->c, w->label + begin, w->ignored, w->loss + begin);
}

static bool cross_entropy_shape(ag_tensor *y) {
    return need_logits(y, 0) && ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), ag_shape_list((int64_t[]){0}, 1));
}

static bool cross_entropy_run(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    int64_t n = ag_dim(x, 0), counted = 0;
    double total = 0;
    if (n) {
        job w = {.c = ag_dim(x, 1), .dtype = ag_dtype_of(x)};
        w.ignored = ((const loss_attrs *)ag_attrs(y))->ignore_index;
        w.label = labels_of(y, 1, w.c, w.ignored, &counted);
        w.x = w.label ? ag_op_dense(y, 0) : NULL;
        w.loss = w.x ? ag_op_workspace(y, (size_t)n * sizeof *w.loss) : NULL;
        if (!w.loss) return false;
        if (counted) ag_parallel_for(n, grain_of(&w), loss_rows, &w);
        for (int64_t i = 0; counted && i < n; i++) total += w.loss[i];
    }
    if (ag_dtype_of(y) == AG_F32) {
        *(float *)ag_out_data(y, 0) = (float)(total / (double)counted);
    } else {
        *(double *)ag_out_data(y, 0) = total / (double)counted;
    }
    return true;
}

static bool cross_entropy_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_cross_entropy_grad(g[0], ag_in(y, 0), ag_in(y, 1), ((const loss_attrs *)ag_attrs(y))->ignore_index)) !=
           NULL;
}

/* Labels of rows, unweighted, the mean: what the kernel does. */
static bool cross_entropy_plain(const ag_tensor *y) {
    const loss_attrs *a = ag_attrs(y);
    return ag_in_count(y) == 2 && a->reduction == AG_MEAN && a->label_smoothing == 0 && ag_rank(ag_in(y, 0)) == 2 &&
           ag_dtype_of(ag_in(y, 1)) == AG_I64;
}

static ag_tensor *cross_entropy_compose(ag_tensor *y) {
    const loss_attrs *a = ag_attrs(y);
    ag_cross_entropy_options o = ag_cross_entropy_defaults();
    o.reduction = (ag_reduction)a->reduction;
    o.ignore_index = a->ignore_index;
    o.label_smoothing = a->label_smoothing;
    return ag__cross_entropy_compose(y, &o);
}

const ag_op ag__op_cross_entropy = {
    .size = sizeof(ag_op),
    .name = "cross_entropy",
    .arity = 2,
    .inputs = "x target weight",
    .optional = 1,
    .attr_size = sizeof(loss_attrs),
    .attrs = loss_fields,
    .formula = "−log_softmax(x)[label]",
    .shape = cross_entropy_shape,
    .run = cross_entropy_run,
    .grad = cross_entropy_rule,
    .compose = cross_entropy_compose,
    .plain = cross_entropy_plain,
    .flops = ag__reduce_flops,
};

ag_cross_entropy_options ag_cross_entropy_defaults(void) {
    return (ag_cross_entropy_options){.size = sizeof(ag_cross_entropy_options), .ignore_index = -100};
}

ag_tensor *ag_cross_entropy(ag_tensor *x, ag_tensor *label) {
    return ag_apply(&ag__op_cross_entropy, (ag_tensor *[]){x, label}, 2, &(loss_attrs){AG_MEAN, -100, 0});
}

ag_tensor *ag_cross_entropy_with(ag_tensor *x, ag_tensor *target, ag_tensor *weight,
                                 const ag_cross_entropy_options *options) {
    ag_cross_entropy_options o = ag_cross_entropy_defaults();
    if (!ag__take_options(x, "cross_entropy", &o, sizeof o, options)) return NULL;
    loss_attrs a = {(int)o.reduction, o.ignore_index, o.label_smoothing};
    return ag_apply(&ag__op_cross_entropy, (ag_tensor *[]){x, target, weight}, 3, &a);
}

static bool cross_entropy_grad_shape(ag_tensor *y) {
    return need_logits(y, 1) && ag_need_same_dtype(y, 0, 1) && ag_need_rank(y, 0, 0, 0) && ag_out_like(y, 0, ag_in(y, 1));
}

static void grad_rows(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    ag__loss_grad_fn *grad = ag__kernel()->softmax->loss_grad[w->dtype];
    size_t at = (size_t)begin * row_bytes(w);
    grad(w->x + at, end - begin, w->c, w->label + begin, w->ignored, w->scale, w->d + at);
}

static bool cross_entropy_grad_run(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 1);
    int64_t n = ag_dim(x, 0), counted;
    if (n == 0) return true;
    job w = {.c = ag_dim(x, 1), .dtype = ag_dtype_of(x), .ignored = ((const grad_attrs *)ag_attrs(y))->ignore_index};
    w.d = ag_out_data(y, 0);
    w.label = labels_of(y, 2, w.c, w.ignored, &counted);
    w.scale = ag_item(ag_in(y, 0)) / (double)counted;
    w.x = w.label ? ag_op_dense(y, 1) : NULL;
    if (!w.x) return false;
    if (w.c) ag_parallel_for(n, grain_of(&w), grad_rows, &w); /* without classes every row is ignored */
    return true;
}

/* Of cross_entropy_grad: which rows count, their labels (else 0), and how many there are, at least 1: where none counts, all is 0. */
static ag_tensor *counted_rows(ag_tensor *y, ag_tensor **label, ag_tensor **count) {
    ag_tensor *x = ag_in(y, 1), *counts = ag__labels_count(ag_in(y, 2), ((const grad_attrs *)ag_attrs(y))->ignore_index);
    *label = ag__labels_in_range(ag_in(y, 2), counts);
    *count = ag_maximum(ag_sum(ag_cast(counts, ag_dtype_of(x)), AG_ALL, false), ag__constant(x, 1));
    return ag_unsqueeze(counts, 1);
}

static ag_tensor *cross_entropy_grad_compose(ag_tensor *y) {
    if (ag_size(ag_in(y, 1)) == 0) return ag_alias(ag_in(y, 1)); /* there may be labels, all ignored */
    ag_tensor *g = ag_in(y, 0), *x = ag_in(y, 1), *label, *count, *counts = counted_rows(y, &label, &count);
    ag_tensor *rest = ag_sub(ag_softmax(x, 1), ag_one_hot(label, ag_dim(x, 1), ag_dtype_of(x)));
    return ag_mul(ag_where(counts, rest, ag__constant(x, 0)), ag_div(g, count));
}

/* With u for what arrives and p = softmax(x), in the rows that count:  ∂g = (Σ u p − Σ u[label]) / n,
 * ∂x = p (v − Σ v p), v = u g / n */
static bool cross_entropy_grad_rule(ag_tensor *y, ag_tensor *const up[], ag_tensor *d[]) {
    if (ag_size(y) == 0) return true;
    ag_tensor *x = ag_in(y, 1), *label, *count, *counts = counted_rows(y, &label, &count), *zero = ag__constant(x, 0);
    ag_tensor *u = ag_where(counts, up[0], zero), *p = ag_softmax(ag_where(counts, x, zero), 1);
    if (ag_wants(y, 0)) {
        ag_tensor *chosen = ag_gather(u, 1, ag_unsqueeze(label, 1));
        d[0] = ag_div(ag_sub(ag_sum(ag_mul(u, p), AG_ALL, false), ag_sum(chosen, AG_ALL, false)), count);
    }
    if (ag_wants(y, 1)) d[1] = ag_softmax_grad(ag_mul(u, ag_div(ag_in(y, 0), count)), p, 1);
    return (!ag_wants(y, 0) || d[0]) && (!ag_wants(y, 1) || d[1]);
}

const ag_op ag__op_cross_entropy_grad = {
    .size = sizeof(ag_op),
    .name = "cross_entropy_grad",
    .arity = 3,
    .inputs = "g x label",
    .attr_size = sizeof(grad_attrs),
    .attrs = grad_fields,
    .formula = "(softmax(x) − one_hot(label)) g / n",
    .shape = cross_entropy_grad_shape,
    .run = cross_entropy_grad_run,
    .grad = cross_entropy_grad_rule,
    .compose = cross_entropy_grad_compose,
};

ag_tensor *ag_cross_entropy_grad(ag_tensor *g, ag_tensor *x, ag_tensor *label, int64_t ignore_index) {
    return ag_apply(&ag__op_cross_entropy_grad, (ag_tensor *[]){g, x, label}, 3, &(grad_attrs){ignore_index});
}
