/* loss.c: losses, each the mean over a batch.
 *
 *     cross-entropy of logits x (n, c) and labels (n):   1/n Σ_i (ln Σ_j e^x[i][j] − x[i][label[i]])
 *     its gradient:                                       (softmax(x) − one_hot(label)) g / n       a fast op of its own
 *
 * which, like softmax's, is differentiated through its compose. */
#include <stddef.h>

#include "ops/isa.h"
#include "ops/need.h"
#include "ops/ops.h"
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

/* The labels of input i, row-major, each known to be one of c classes. */
static const int64_t *labels_of(ag_tensor *y, int i, int64_t c) {
    int64_t n = ag_size(ag_in(y, i));
    const int64_t *label = ag_op_dense(y, i);
    for (int64_t k = 0; label && k < n; k++) {
        if (label[k] >= 0 && label[k] < c) continue;
        ag_op_fail(y, AG_ERR_VALUE, "label %lld at row %lld is not in [0, %lld)", (long long)label[k], (long long)k,
                   (long long)c);
        return NULL;
    }
    return label;
}

typedef struct job {
    const char *x;
    const int64_t *label;
    int64_t c;
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
    ag__loss_fn *loss = ag__kernel()->cross_entropy->loss[w->dtype];
    for (int64_t i = begin; i < end; i++) { w->loss[i] = loss(w->x + (size_t)i * row_bytes(w), w->c, w->label[i]); }
}

static bool cross_entropy_shape(ag_tensor *y) {
    return need_logits(y, 0) && ag_out_shape(y, 0, ag_dtype_of(ag_in(y, 0)), ag_shape_list((int64_t[]){0}, 1));
}

static bool cross_entropy_run(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0);
    int64_t n = ag_dim(x, 0);
    double total = 0;
    if (n) {
        job w = {.c = ag_dim(x, 1), .dtype = ag_dtype_of(x)};
        w.label = labels_of(y, 1, w.c);
        w.x = w.label ? ag_op_dense(y, 0) : NULL;
        w.loss = w.x ? ag_op_workspace(y, (size_t)n * sizeof *w.loss) : NULL;
        if (!w.loss) return false;
        ag_parallel_for(n, grain_of(&w), loss_rows, &w);
        for (int64_t i = 0; i < n; i++) total += w.loss[i];
    }
    if (ag_dtype_of(y) == AG_F32) {
        *(float *)ag_out_data(y, 0) = (float)(total / (double)n);
    } else {
        *(double *)ag_out_data(y, 0) = total / (double)n;
    }
    return true;
}

static bool cross_entropy_rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_cross_entropy_grad(g[0], ag_in(y, 0), ag_in(y, 1))) != NULL;
}

const ag_op ag__op_cross_entropy = {
    .size = sizeof(ag_op),
    .name = "cross_entropy",
    .arity = 2,
    .formula = "mean of −log_softmax(x)[label]",
    .shape = cross_entropy_shape,
    .run = cross_entropy_run,
    .grad = cross_entropy_rule,
};

ag_tensor *ag_cross_entropy(ag_tensor *x, ag_tensor *label) {
    return ag_apply(&ag__op_cross_entropy, (ag_tensor *[]){x, label}, 2, NULL);
}

static bool cross_entropy_grad_shape(ag_tensor *y) {
    return need_logits(y, 1) && ag_need_same_dtype(y, 0, 1) && ag_need_rank(y, 0, 0, 0) && ag_out_like(y, 0, ag_in(y, 1));
}

static void grad_rows(void *context, int64_t begin, int64_t end) {
    const job *w = context;
    ag__loss_grad_fn *grad = ag__kernel()->cross_entropy->grad[w->dtype];
    for (int64_t i = begin; i < end; i++) {
        size_t at = (size_t)i * row_bytes(w);
        grad(w->x + at, w->c, w->label[i], w->scale, w->d + at);
    }
}

static bool cross_entropy_grad_run(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 1);
    int64_t n = ag_dim(x, 0);
    if (n == 0) return true;
    job w = {.c = ag_dim(x, 1), .dtype = ag_dtype_of(x), .scale = ag_item(ag_in(y, 0)) / (double)n};
    w.d = ag_out_data(y, 0);
    w.label = labels_of(y, 2, w.c);
    w.x = w.label ? ag_op_dense(y, 1) : NULL;
    if (!w.x) return false;
    ag_parallel_for(n, grain_of(&w), grad_rows, &w);
    return true;
}

static ag_tensor *cross_entropy_grad_compose(ag_tensor *y) {
    ag_tensor *g = ag_in(y, 0), *x = ag_in(y, 1);
    ag_tensor *p = ag_softmax(x, 1), *target = ag_one_hot(ag_in(y, 2), ag_dim(x, 1), ag_dtype_of(x));
    return ag_mul(ag_scale(ag_sub(p, target), 1 / (double)ag_dim(x, 0)), g); /* n = 0: ∞ meets no element */
}

const ag_op ag__op_cross_entropy_grad = {
    .size = sizeof(ag_op),
    .name = "cross_entropy_grad",
    .arity = 3,
    .formula = "(softmax(x) − one_hot(label)) g / n",
    .shape = cross_entropy_grad_shape,
    .run = cross_entropy_grad_run,
    .compose = cross_entropy_grad_compose,
};

ag_tensor *ag_cross_entropy_grad(ag_tensor *g, ag_tensor *x, ag_tensor *label) {
    return ag_apply(&ag__op_cross_entropy_grad, (ag_tensor *[]){g, x, label}, 3, NULL);
}

static ag_tensor *mse_loss(ag_tensor *y) {
    if (!ag_need_float(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_shape(y, 0, 1)) return NULL;
    return ag_mean(ag_square(ag_sub(ag_in(y, 0), ag_in(y, 1))), AG_ALL, false);
}

const ag_op ag__op_mse_loss = {
    .size = sizeof(ag_op),
    .name = "mse_loss",
    .arity = 2,
    .formula = "mean of (x − target)²",
    .compose = mse_loss,
};

ag_tensor *ag_mse_loss(ag_tensor *x, ag_tensor *target) {
    return ag_apply(&ag__op_mse_loss, (ag_tensor *[]){x, target}, 2, NULL);
}
