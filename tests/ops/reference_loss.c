/* reference_loss.c: losses and distances by their formulas, a loop each, without a thought for overflow. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* "mean" where the sample does not say. */
static bool reduces(const problem *p, const char *how) {
    char text[SAMPLE_TEXT] = "mean";
    if (strstr(p->s->attributes, "reduction=")) reference_text(p, "reduction", text);
    return strcmp(text, how) == 0;
}

/* each, of this shape, as it is, or its sum divided by `count` */
static void reduce(problem *p, const double *each, ag_shape shape, double count) {
    int64_t n = sample_size(shape);
    double *y = reference_out(p, 0, p->dtype, reduces(p, "none") ? shape : (ag_shape){0});
    for (int64_t i = 0; i < n; i++) y[reduces(p, "none") ? i : 0] += each[i];
    if (reduces(p, "mean")) y[0] /= count;
}

static void reduce_all(problem *p, const double *each, ag_shape shape) {
    reduce(p, each, shape, (double)sample_size(shape));
}

/* One element of x, of target and, broadcast, of a third and a fourth input (1 where they are missing). */
typedef double element(const problem *p, double x, double t, double w, double more);

static void elementwise(problem *p, element *f) {
    const array *x = &p->in[0];
    double *each = reference_scratch(x->size);
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(x->shape, i, at);
        double w = p->n > 2 ? reference_at(&p->in[2], at, x->shape.rank) : 1;
        each[i] = f(p, x->v[i], p->in[1].v[i], w, p->n > 3 ? reference_at(&p->in[3], at, x->shape.rank) : 1);
    }
    reduce_all(p, each, x->shape);
}

#define ELEMENT(name, expression)                                                          \
    static double name##_of(const problem *p, double x, double t, double w, double more) { \
        (void)p, (void)w, (void)more;                                                      \
        return (expression);                                                               \
    }                                                                                      \
    static void name(problem *p) { elementwise(p, name##_of); }

static double bend(double d, double at) { return d <= at ? d * d / 2 : at * (d - at / 2); }
static double smooth(double d, double beta) { return d < beta ? d * d / 2 / beta : d - beta / 2; }
static double stirling(double t) { return t > 1 ? t * log(t) - t + log(2 * 3.14159265358979323846 * t) / 2 : 0; }

ELEMENT(mse_loss, (x - t) * (x - t))
ELEMENT(l1_loss, fabs(x - t))
ELEMENT(huber_loss, bend(fabs(x - t), reference_number(p, "delta", 1)))
ELEMENT(smooth_l1_loss, smooth(fabs(x - t), reference_number(p, "beta", 1)))
ELEMENT(binary_cross_entropy, -w *(t *log(x) + (1 - t) * log(1 - x)))
ELEMENT(binary_cross_entropy_with_logits, w *(t *more *log(1 + exp(-x)) + (1 - t) * log(1 + exp(x))))
ELEMENT(soft_margin_loss, log(1 + exp(-t * x)))
ELEMENT(poisson_nll_loss,
        (strstr(p->s->attributes, "log_input=false") ? x - t * log(x + reference_number(p, "eps", 1e-8)) : exp(x) - t * x) +
            (reference_flag(p, "full") ? stirling(t) : 0))
ELEMENT(hinge_embedding_loss, t == 1 ? x : fmax(0, reference_number(p, "margin", 1) - x))

static void kl_div(problem *p) {
    const array *x = &p->in[0];
    double *each = reference_scratch(x->size);
    for (int64_t i = 0; i < x->size; i++) {
        double t = p->in[1].v[i];
        each[i] = reference_flag(p, "log_target") ? exp(t) * (t - x->v[i]) : t * (log(t) - x->v[i]);
    }
    reduce_all(p, each, x->shape);
    if (reduces(p, "batchmean")) p->out[0].v[0] /= (double)x->shape.dim[0];
}

static void gaussian_nll_loss(problem *p) {
    const array *x = &p->in[0];
    array *var = &p->in[2];
    ag_shape s = reference_broadcast(x->shape, p->in[1].shape);
    double *each = reference_scratch(sample_size(s));
    if (var->shape.rank < x->shape.rank) var->shape.dim[var->shape.rank++] = 1;
    for (int64_t i = 0; i < sample_size(s); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        double v = fmax(reference_at(var, at, s.rank), reference_number(p, "eps", 1e-6));
        each[i] = (log(v) + pow(reference_at(x, at, s.rank) - reference_at(&p->in[1], at, s.rank), 2) / v) / 2;
        if (reference_flag(p, "full")) each[i] += log(2 * 3.14159265358979323846) / 2;
    }
    reduce_all(p, each, s);
}

/* Classes on axis 1 of (n, c, …), or 0 of (c): place of class k for element i of the other axes */
typedef struct classes {
    int64_t n, c, inner;
    ag_shape rest;
} classes;

static classes classes_of(const array *x) {
    int axis = x->shape.rank > 1;
    classes k = {.n = 1, .c = reference_extent(x->shape, axis), .inner = 1};
    for (int i = 0; i < x->shape.rank; i++) {
        if (i == axis) continue;
        k.rest.dim[k.rest.rank++] = x->shape.dim[i];
        k.n *= x->shape.dim[i];
        if (i > axis) k.inner *= x->shape.dim[i];
    }
    return k;
}

static int64_t class_at(const classes *k, int64_t i, int64_t class) {
    return (i / k->inner * k->c + class) * k->inner + i % k->inner;
}

/* −Σ_c q_c w_c l_c, q the label's or the given probabilities, smoothed */
static void negative_log(problem *p, const double *l, double smoothing) {
    const array *x = &p->in[0], *target = &p->in[1];
    classes k = classes_of(x);
    double *each = reference_scratch(k.n), mass = 0;
    bool soft = target->dtype != AG_I64;
    for (int64_t i = 0; i < k.n; i++) {
        int64_t label = soft ? 0 : (int64_t)target->v[i];
        if (!soft && label == (int64_t)reference_number(p, "ignore_index", -100)) continue;
        for (int64_t j = 0; j < k.c; j++) {
            double w = p->n > 2 ? p->in[2].v[j] : 1, q = soft ? target->v[class_at(&k, i, j)] : j == label;
            each[i] -= ((1 - smoothing) * q + smoothing / (double)k.c) * w * l[class_at(&k, i, j)];
        }
        mass += soft || p->n <= 2 ? 1 : p->in[2].v[label];
    }
    reduce(p, each, k.rest, mass);
}

static double *log_softmax(const array *x) {
    classes k = classes_of(x);
    double *l = reference_scratch(x->size);
    for (int64_t i = 0; i < k.n; i++) {
        double total = 0;
        for (int64_t j = 0; j < k.c; j++) total += exp(x->v[class_at(&k, i, j)]);
        for (int64_t j = 0; j < k.c; j++) l[class_at(&k, i, j)] = x->v[class_at(&k, i, j)] - log(total);
    }
    return l;
}

static void cross_entropy(problem *p) {
    negative_log(p, log_softmax(&p->in[0]), reference_number(p, "label_smoothing", 0));
}

static void nll_loss(problem *p) { negative_log(p, p->in[0].v, 0); }

static void cross_entropy_grad(problem *p) {
    const array *g = &p->in[0], *x = &p->in[1], *label = &p->in[2];
    double *d = reference_out(p, 0, p->dtype, x->shape), *l = log_softmax(x),
           ignored = reference_number(p, "ignore_index", -100);
    double count = 0;
    for (int64_t i = 0; i < label->size; i++) count += label->v[i] != ignored;
    for (int64_t i = 0; i < x->size; i++) {
        int64_t row = i / x->shape.dim[1], class = i % x->shape.dim[1];
        if (label->v[row] != ignored) d[i] = (exp(l[i]) - ((double)class == label->v[row])) * g->v[0] / count;
    }
}

static void nll_pick(problem *p) {
    classes k = classes_of(&p->in[0]);
    double *y = reference_out(p, 0, p->dtype, k.rest);
    for (int64_t i = 0; i < k.n; i++) {
        double label = p->in[1].v[i];
        if (label != reference_number(p, "ignore_index", -100)) y[i] = -p->in[0].v[class_at(&k, i, (int64_t)label)];
    }
}

static void multi_margin_loss(problem *p) {
    const array *x = &p->in[0];
    classes k = classes_of(x);
    double *each = reference_scratch(k.n), margin = reference_number(p, "margin", 1);
    for (int64_t i = 0; i < k.n; i++) {
        int64_t label = (int64_t)p->in[1].v[i];
        for (int64_t j = 0; j < k.c; j++) {
            double far = margin - x->v[i * k.c + label] + x->v[i * k.c + j];
            if (j != label && far > 0) each[i] += pow(far, reference_number(p, "p", 1)) / (double)k.c;
        }
        if (p->n > 2) each[i] *= p->in[2].v[label];
    }
    reduce_all(p, each, p->in[1].shape);
}

static void multilabel_margin_loss(problem *p) {
    const array *x = &p->in[0];
    classes k = classes_of(x);
    double *each = reference_scratch(k.n);
    for (int64_t i = 0; i < k.n; i++) {
        const double *row = x->v + i * k.c, *label = p->in[1].v + i * k.c;
        int64_t labels = 0;
        while (labels < k.c && label[labels] >= 0) labels++;
        for (int64_t a = 0; a < labels; a++) {
            for (int64_t j = 0; j < k.c; j++) {
                bool member = false;
                for (int64_t b = 0; b < labels; b++) member = member || (int64_t)label[b] == j;
                if (!member) each[i] += fmax(0, 1 - row[(int64_t)label[a]] + row[j]) / (double)k.c;
            }
        }
    }
    reduce_all(p, each, k.rest);
}

/* Rows: all axes but the last */

static ag_shape without_last(ag_shape s) {
    s.rank--;
    return s;
}

static void multilabel_soft_margin_loss(problem *p) {
    const array *x = &p->in[0];
    ag_shape s = without_last(x->shape);
    int64_t c = x->shape.dim[s.rank];
    double *each = reference_scratch(sample_size(s));
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(x->shape, i, at);
        double w = p->n > 2 ? reference_at(&p->in[2], at, x->shape.rank) : 1, t = p->in[1].v[i];
        each[i / c] += w * (t * log(1 + exp(-x->v[i])) + (1 - t) * log(1 + exp(x->v[i]))) / (double)c;
    }
    reduce_all(p, each, s);
}

static void margin_ranking_loss(problem *p) {
    ag_shape s = reference_broadcast(reference_broadcast(p->in[0].shape, p->in[1].shape), p->in[2].shape);
    double *each = reference_scratch(sample_size(s));
    for (int64_t i = 0; i < sample_size(s); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        double apart = reference_at(&p->in[0], at, s.rank) - reference_at(&p->in[1], at, s.rank);
        each[i] = fmax(0, reference_number(p, "margin", 0) - reference_at(&p->in[2], at, s.rank) * apart);
    }
    reduce_all(p, each, s);
}

static void cosine_embedding_loss(problem *p) {
    const array *a = &p->in[0], *b = &p->in[1];
    ag_shape s = without_last(a->shape);
    int64_t n = a->shape.dim[s.rank];
    double *each = reference_scratch(sample_size(s));
    for (int64_t i = 0; i < sample_size(s); i++) {
        double ab = 0, aa = 1e-12, bb = 1e-12;
        for (int64_t j = i * n; j < (i + 1) * n; j++)
            ab += a->v[j] * b->v[j], aa += a->v[j] * a->v[j], bb += b->v[j] * b->v[j];
        double cosine = ab / sqrt(aa * bb);
        each[i] = p->in[2].v[i] == 1 ? 1 - cosine : fmax(0, cosine - reference_number(p, "margin", 0));
    }
    reduce_all(p, each, s);
}

static double length(const double *v, int64_t n, int64_t step, double p) {
    double sum = isinf(p) && p < 0 ? (double)INFINITY : 0;
    for (int64_t k = 0; k < n; k++) {
        double size = fabs(v[k * step]);
        if (isinf(p)) sum = p < 0 ? fmin(sum, size) : fmax(sum, size);
        else sum += p == 0 ? size != 0 : pow(size, p);
    }
    return p == 0 || isinf(p) ? sum : pow(sum, 1 / p);
}

/* |a − b + eps|, broadcast, of each row */
static double *distances(const array *a, const array *b, double p, double eps, ag_shape *s) {
    ag_shape whole = reference_broadcast(a->shape, b->shape);
    *s = without_last(whole);
    int64_t n = whole.dim[s->rank];
    double *v = reference_scratch(sample_size(whole)), *y = reference_scratch(sample_size(*s));
    for (int64_t i = 0; i < sample_size(whole); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(whole, i, at);
        v[i] = reference_at(a, at, whole.rank) - reference_at(b, at, whole.rank) + eps;
    }
    for (int64_t i = 0; i < sample_size(*s); i++) y[i] = length(v + i * n, n, 1, p);
    return y;
}

static void pairwise_distance(problem *p) {
    ag_shape s;
    double *d = distances(&p->in[0], &p->in[1], reference_number(p, "p", 2), reference_number(p, "eps", 1e-6), &s);
    int64_t n = sample_size(s);
    if (reference_flag(p, "keepdim")) s.dim[s.rank++] = 1;
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < n; i++) y[i] = d[i];
}

static void triplet_margin_loss(problem *p) {
    double power = reference_number(p, "p", 2), eps = reference_number(p, "eps", 1e-6),
           margin = reference_number(p, "margin", 1);
    ag_shape s;
    double *near = distances(&p->in[0], &p->in[1], power, eps, &s), *far = distances(&p->in[0], &p->in[2], power, eps, &s);
    double *swapped = distances(&p->in[1], &p->in[2], power, eps, &s), *each = reference_scratch(sample_size(s));
    for (int64_t i = 0; i < sample_size(s); i++) {
        double other = reference_flag(p, "swap") ? fmin(far[i], swapped[i]) : far[i];
        each[i] = fmax(0, near[i] - other + margin);
    }
    reduce_all(p, each, s);
}

static void cdist(problem *p) {
    array a = p->in[0], b = p->in[1];
    int m = a.shape.rank, n = b.shape.rank;
    ag_shape s;
    a.shape.dim[m] = a.shape.dim[m - 1], a.shape.dim[m - 1] = 1, a.shape.rank++; /* (…, m, 1, k) */
    b.shape.dim[n] = b.shape.dim[n - 1], b.shape.dim[n - 1] = b.shape.dim[n - 2], b.shape.dim[n - 2] = 1, b.shape.rank++;
    double *d = distances(&a, &b, reference_number(p, "p", 2), 0, &s), *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = d[i];
}

static void normalize(problem *p) {
    const array *x = &p->in[0];
    int axis = reference_axis(p, "axis", 1, x->shape.rank);
    double *y = reference_out(p, 0, p->dtype, x->shape);
    int64_t n = reference_extent(x->shape, axis), step = 1;
    for (int k = axis + 1; k < x->shape.rank; k++) step *= x->shape.dim[k];
    for (int64_t i = 0; i < x->size; i++) {
        double size = length(x->v + i / (n * step) * n * step + i % step, n, step, reference_number(p, "p", 2));
        y[i] = x->v[i] / fmax(size, reference_number(p, "eps", 1e-12));
    }
}

static void cosine_similarity(problem *p) {
    ag_shape s = reference_broadcast(p->in[0].shape, p->in[1].shape), out = {0};
    int axis = reference_axis(p, "axis", 1, s.rank);
    double eps = reference_number(p, "eps", 1e-8);
    for (int k = 0; k < s.rank; k++) {
        if (k != axis) out.dim[out.rank++] = s.dim[k];
    }
    double *y = reference_out(p, 0, p->dtype, out);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t rest[AG_MAX_RANK], at[AG_MAX_RANK];
        double ab = 0, aa = 0, bb = 0;
        reference_place(out, i, rest);
        for (int64_t j = 0; j < reference_extent(s, axis); j++) {
            for (int k = 0; k < s.rank; k++) at[k] = k == axis ? j : rest[k - (k > axis)];
            double a = reference_at(&p->in[0], at, s.rank), b = reference_at(&p->in[1], at, s.rank);
            ab += a * b, aa += a * a, bb += b * b;
        }
        y[i] = ab / (fmax(sqrt(aa), eps) * fmax(sqrt(bb), eps));
    }
}

#define ENTRY(name) \
    { #name, name, false, NULL, NULL }
const reference references_loss[] = {
    ENTRY(mse_loss),
    ENTRY(l1_loss),
    ENTRY(huber_loss),
    ENTRY(smooth_l1_loss),
    ENTRY(binary_cross_entropy),
    ENTRY(binary_cross_entropy_with_logits),
    ENTRY(soft_margin_loss),
    ENTRY(multilabel_soft_margin_loss),
    ENTRY(poisson_nll_loss),
    ENTRY(hinge_embedding_loss),
    ENTRY(kl_div),
    ENTRY(gaussian_nll_loss),
    ENTRY(cross_entropy),
    ENTRY(cross_entropy_grad),
    ENTRY(nll_loss),
    ENTRY(nll_pick),
    ENTRY(multi_margin_loss),
    ENTRY(multilabel_margin_loss),
    ENTRY(margin_ranking_loss),
    ENTRY(cosine_embedding_loss),
    ENTRY(pairwise_distance),
    ENTRY(triplet_margin_loss),
    ENTRY(cdist),
    ENTRY(normalize),
    ENTRY(cosine_similarity),
    {NULL, NULL, false, NULL, NULL},
};
