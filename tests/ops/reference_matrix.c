/* reference_matrix.c: determinants by expansion, inverses by cofactors, and what is said of several numbers at once: covariances,
 * norms of matrices, distances, memberships. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* By the first row (Laplace) */
static double determinant(const double *a, int64_t n) {
    double sum = n == 0, *minor = reference_scratch(n * n + 1);
    for (int64_t k = 0; k < n; k++) {
        for (int64_t i = 1; i < n; i++) {
            for (int64_t j = 0, to = 0; j < n; j++) {
                if (j != k) minor[(i - 1) * (n - 1) + to++] = a[i * n + j];
            }
        }
        sum += (k % 2 ? -1 : 1) * a[k] * determinant(minor, n - 1);
    }
    return sum;
}

/* out = a⁻¹, each element the determinant of a with a unit row, by that of a */
static void inverse(const double *a, int64_t n, double *out) {
    double *changed = reference_scratch(n * n + 1), whole = determinant(a, n);
    for (int64_t k = 0; k < n * n; k++) {
        int64_t row = k % n, col = k / n; /* of the cofactor */
        memcpy(changed, a, (size_t)(n * n) * sizeof *a);
        for (int64_t j = 0; j < n; j++) changed[row * n + j] = j == col;
        out[k] = determinant(changed, n) / whole;
    }
}

static int64_t side(const array *a) { return a->shape.dim[a->shape.rank - 1]; }

static int64_t matrices(const array *a) { return side(a) ? a->size / (side(a) * side(a)) : 0; }

static void inv(problem *p) {
    const array *a = &p->in[0];
    int64_t n = side(a);
    double *y = reference_out(p, 0, p->dtype, a->shape);
    for (int64_t i = 0; i < matrices(a); i++) inverse(a->v + i * n * n, n, y + i * n * n);
}

static ag_shape without_matrices(const array *a) {
    ag_shape s = a->shape;
    s.rank -= 2;
    return s;
}

static void det(problem *p) {
    const array *a = &p->in[0];
    double *y = reference_out(p, 0, p->dtype, without_matrices(a));
    for (int64_t i = 0; i < matrices(a); i++) y[i] = determinant(a->v + i * side(a) * side(a), side(a));
}

static void slogdet(problem *p) {
    const array *a = &p->in[0];
    double *sign = reference_out(p, 0, p->dtype, without_matrices(a)),
           *size = reference_out(p, 1, p->dtype, without_matrices(a));
    for (int64_t i = 0; i < matrices(a); i++) {
        double d = determinant(a->v + i * side(a) * side(a), side(a));
        sign[i] = (d > 0) - (d < 0);
        size[i] = log(fabs(d));
    }
}

static void logdet(problem *p) {
    const array *a = &p->in[0];
    double *y = reference_out(p, 0, p->dtype, without_matrices(a));
    for (int64_t i = 0; i < matrices(a); i++) y[i] = log(determinant(a->v + i * side(a) * side(a), side(a)));
}

/* The determinant of a with rows r, and q unless that is r too, in place of which stand unit rows at columns c and p */
static double minor(const double *a, int64_t n, int64_t r, int64_t c, int64_t q, int64_t p) {
    double *changed = reference_scratch(n * n + 1);
    memcpy(changed, a, (size_t)(n * n) * sizeof *a);
    for (int64_t j = 0; j < n; j++) changed[r * n + j] = j == c;
    for (int64_t j = 0; j < n && q != r; j++) changed[q * n + j] = j == p;
    return determinant(changed, n);
}

static void det_grad(problem *p) {
    const array *a = &p->in[1];
    int64_t n = side(a);
    double *y = reference_out(p, 0, p->dtype, a->shape);
    for (int64_t i = 0; i < a->size; i++) {
        int64_t m = i / (n * n), at = i % (n * n);
        y[i] = p->in[0].v[m] * minor(a->v + m * n * n, n, at / n, at % n, at / n, 0);
    }
}

/* Σ of k, at other rows and columns, times what the determinant has there as well */
static void det_bend(problem *p) {
    const array *a = &p->in[0];
    int64_t n = side(a);
    double *y = reference_out(p, 0, p->dtype, a->shape);
    for (int64_t i = 0; i < a->size; i++) {
        int64_t m = i / (n * n), at = i % (n * n);
        for (int64_t k = 0; k < n * n; k++) {
            if (k / n == at / n || k % n == at % n) continue;
            y[i] += p->in[1].v[m * n * n + k] * minor(a->v + m * n * n, n, at / n, at % n, k / n, k % n);
        }
    }
}

static void slogdet_grad(problem *p) {
    const array *a = &p->in[1];
    int64_t n = side(a);
    double *y = reference_out(p, 0, p->dtype, a->shape), *back = reference_scratch(n * n + 1);
    for (int64_t m = 0; m < matrices(a); m++) {
        inverse(a->v + m * n * n, n, back);
        for (int64_t k = 0; k < n * n; k++) y[m * n * n + k] = p->in[0].v[m] * back[k % n * n + k / n];
    }
}

/* Each column, or vector, of b by the inverse of its matrix */
static void solve(problem *p) {
    const array *a = &p->in[0], *b = &p->in[1];
    int64_t n = side(a);
    ag_shape lead = a->shape, right = b->shape;
    lead.rank--;
    bool vectors = right.rank == 1 ||
                   (right.rank == lead.rank && memcmp(right.dim, lead.dim, (size_t)lead.rank * sizeof *lead.dim) == 0);
    lead.rank--;
    right.rank -= vectors ? 1 : 2;
    ag_shape s = reference_broadcast(lead, right), outer = s;
    s.dim[s.rank++] = n;
    int64_t m = vectors ? 1 : b->shape.dim[b->shape.rank - 1];
    if (!vectors) s.dim[s.rank++] = m;
    double *y = reference_out(p, 0, p->dtype, s), *back = reference_scratch(n * n + 1);
    for (int64_t i = 0; i < sample_size(outer); i++) {
        int64_t at[AG_MAX_RANK];
        array as = {.shape = lead}, bs = {.shape = right};
        reference_place(outer, i, at);
        double *places = reference_scratch(sample_size(lead) + 1), *others = reference_scratch(sample_size(right) + 1);
        for (int64_t k = 0; k < sample_size(lead); k++) places[k] = (double)k;
        for (int64_t k = 0; k < sample_size(right); k++) others[k] = (double)k;
        as.v = places, bs.v = others;
        inverse(a->v + (int64_t)reference_at(&as, at, outer.rank) * n * n, n, back);
        const double *from = b->v + (int64_t)reference_at(&bs, at, outer.rank) * n * m;
        for (int64_t k = 0; k < n * m; k++) {
            for (int64_t j = 0; j < n; j++) y[i * n * m + k] += back[k / m * n + j] * from[j * m + k % m];
        }
    }
}

static void cov(problem *p) {
    const array *x = &p->in[0], *times = p->n > 1 ? &p->in[1] : NULL, *shares = p->n > 2 ? &p->in[2] : NULL;
    int64_t n = x->shape.dim[x->shape.rank - 1], m = x->size / n;
    double correction = reference_number(p, "correction", 1), total = 0, square = 0, *w = reference_scratch(n),
           *mean = reference_scratch(m);
    double *y = reference_out(p, 0, p->dtype, x->shape.rank < 2 ? (ag_shape){0} : (ag_shape){2, {m, m}});
    for (int64_t k = 0; k < n; k++) {
        w[k] = (times ? times->v[k] : 1) * (shares ? shares->v[k] : 1);
        total += w[k];
        square += w[k] * (shares ? shares->v[k] : 1);
    }
    for (int64_t i = 0; i < m * n; i++) mean[i / n] += w[i % n] * x->v[i] / total;
    for (int64_t i = 0; i < m * m; i++) {
        for (int64_t k = 0; k < n; k++)
            y[i] += w[k] * (x->v[i / m * n + k] - mean[i / m]) * (x->v[i % m * n + k] - mean[i % m]);
        y[i] /= total - correction * square / total;
    }
}

static void corrcoef(problem *p) {
    cov(p);
    int64_t m = p->out[0].shape.rank ? p->out[0].shape.dim[0] : 1;
    double *y = p->out[0].v, *deviation = reference_scratch(m);
    for (int64_t i = 0; i < m; i++) deviation[i] = sqrt(y[i * m + i]);
    for (int64_t i = 0; i < m * m; i++) y[i] /= deviation[i / m] * deviation[i % m];
}

static void pdist(problem *p) {
    const array *x = &p->in[0];
    int64_t n = x->shape.dim[0], width = x->shape.dim[1], row = 0;
    double power = reference_number(p, "p", 2);
    double *y = reference_out(p, 0, p->dtype, (ag_shape){1, {n > 0 ? n * (n - 1) / 2 : 0}});
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i + 1; j < n; j++, row++) {
            for (int64_t k = 0; k < width; k++) {
                double v = fabs(x->v[i * width + k] - x->v[j * width + k]);
                y[row] = isinf(power) ? fmax(y[row], v) : y[row] + pow(v, power);
            }
            if (!isinf(power)) y[row] = pow(y[row], 1 / power);
        }
    }
}

static void isin(problem *p) {
    double *y = reference_out(p, 0, AG_BOOL, p->in[0].shape);
    for (int64_t i = 0; i < p->in[0].size; i++) {
        bool found = false;
        for (int64_t k = 0; k < p->in[1].size; k++) found = found || p->in[0].v[i] == p->in[1].v[k];
        y[i] = found != reference_flag(p, "invert");
    }
}

static void allclose(problem *p) {
    ag_shape s = reference_broadcast(p->in[0].shape, p->in[1].shape);
    double *y = reference_out(p, 0, AG_BOOL, (ag_shape){0}), rtol = reference_number(p, "rtol", 1e-5);
    *y = 1;
    for (int64_t i = 0; i < sample_size(s); i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        double a = reference_at(&p->in[0], at, s.rank), b = reference_at(&p->in[1], at, s.rank);
        *y = *y != 0 && fabs(a - b) <= reference_number(p, "atol", 1e-8) + rtol * fabs(b);
    }
}

/* Along which of the axes a matrix or vector lies; without axes= the last two, or one. */
static int chosen_axes(const problem *p, int rank, int64_t axis[]) {
    int n = reference_list(p, "axes", axis);
    if (n < 0) {
        n = rank == 1 ? 1 : 2;
        for (int i = 0; i < n; i++) axis[i] = rank - n + i;
    }
    for (int i = 0; i < n; i++) axis[i] += axis[i] < 0 ? rank : 0;
    return n;
}

/* Of the matrices on two axes, one for each place of the others. */
static void by_values(problem *p, ag_shape kept, ag_shape s, const int64_t axis[2], const char *ord) {
    ag_shape x = p->in[0].shape;
    double *y = reference_out(p, 0, p->dtype, s);
    int64_t stride[AG_MAX_RANK], step = 1;
    for (int k = x.rank - 1; k >= 0; k--) {
        stride[k] = step;
        step *= x.dim[k];
    }
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(kept, i, at);
        y[i] = reference_singular_norm(p->in[0].v + reference_index(x, at), (int)x.dim[axis[0]], (int)x.dim[axis[1]],
                                       stride[axis[0]], stride[axis[1]], ord);
    }
}

static void matrix_norm(problem *p) {
    const array *x = &p->in[0];
    int64_t axis[AG_MAX_RANK];
    int n = chosen_axes(p, x->shape.rank, axis);
    char ord[SAMPLE_TEXT] = "fro";
    if (strstr(p->s->attributes, "ord=")) reference_text(p, "ord", ord);
    double power = strcmp(ord, "fro") == 0 ? 2 : strtod(ord, NULL);
    bool sums = n == 2 && strcmp(ord, "fro") != 0, keep = reference_flag(p, "keepdim");
    int over = sums ? (int)axis[isinf(power) ? 1 : 0] : 0, best = sums ? (int)axis[isinf(power) ? 0 : 1] : 0;
    ag_shape kept = x->shape, s = {0};
    for (int i = 0; i < n; i++) kept.dim[axis[i]] = 1;
    for (int k = 0; k < kept.rank; k++) {
        bool gone = false;
        for (int i = 0; i < n; i++) gone = gone || axis[i] == k;
        if (!gone || keep) s.dim[s.rank++] = kept.dim[k];
    }
    if (n == 2 && (fabs(power) == 2 || strcmp(ord, "nuc") == 0) && strcmp(ord, "fro") != 0) {
        by_values(p, kept, s, axis, ord);
        return;
    }
    double *y = reference_out(p, 0, p->dtype, s), *sum = reference_scratch(x->size + 1),
           *seen = reference_scratch(p->out[0].size + 1);
    ag_shape lines = x->shape;
    lines.dim[over] = 1;
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK], own[AG_MAX_RANK];
        reference_place(x->shape, i, at);
        memcpy(own, at, sizeof own);
        for (int k = 0; k < n; k++) own[axis[k]] = 0;
        if (!sums) y[reference_index(kept, own)] += pow(fabs(x->v[i]), power);
        at[over] = 0;
        sum[reference_index(lines, at)] += fabs(x->v[i]);
    }
    for (int64_t i = 0; i < sample_size(lines) && sums; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(lines, i, at);
        at[best] = 0;
        int64_t to = reference_index(kept, at);
        y[to] = seen[to]++ > 0 ? (power > 0 ? fmax(y[to], sum[i]) : fmin(y[to], sum[i])) : sum[i];
    }
    for (int64_t i = 0; i < p->out[0].size && !sums; i++) y[i] = pow(y[i], 1 / power);
}

static void logspace(problem *p) {
    int64_t n = (int64_t)reference_number(p, "steps", 0);
    double start = reference_number(p, "start", 0), end = reference_number(p, "end", 0);
    double *y = reference_out(p, 0, reference_dtype(p, "dtype", AG_F32), (ag_shape){1, {n}});
    for (int64_t i = 0; i < n; i++)
        y[i] = pow(reference_number(p, "base", 10), start + (end - start) * (double)i / (double)(n - 1));
}

static void triangle(problem *p, bool lower) {
    int64_t rows = (int64_t)reference_number(p, "row", 0), cols = (int64_t)reference_number(p, "col", 0), n = 0;
    int64_t offset = (int64_t)reference_number(p, "offset", 0);
    double *kept = reference_scratch(rows * cols + 1);
    for (int64_t i = 0; i < rows * cols; i++) {
        int64_t apart = i % cols - i / cols;
        if (lower ? apart <= offset : apart >= offset) kept[n++] = (double)i;
    }
    double *y = reference_out(p, 0, AG_I64, (ag_shape){2, {2, n}});
    for (int64_t k = 0; k < n; k++) {
        y[k] = floor(kept[k] / (double)cols);
        y[n + k] = fmod(kept[k], (double)cols);
    }
}

static void tril_indices(problem *p) { triangle(p, true); }
static void triu_indices(problem *p) { triangle(p, false); }

static double ndtr(const double v[], double a, double b) {
    (void)a, (void)b;
    return (double)(erfcl(-(long double)v[0] / sqrtl(2)) / 2);
}

static double mvlgamma(const double v[], double order, double b) {
    (void)b;
    double sum = order * (order - 1) / 4 * log(acos(-1));
    for (int k = 0; k < (int)order; k++) sum += lgamma(v[0] - k / 2.0);
    return sum;
}

static double angle(const double v[], double a, double b) {
    (void)a, (void)b;
    return isnan(v[0]) ? v[0] : v[0] < 0 ? acos(-1) : 0;
}

static void frexp_of(problem *p) {
    double *y = reference_out(p, 0, p->dtype, p->in[0].shape), *exponent = reference_out(p, 1, AG_I64, p->in[0].shape);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        for (y[i] = p->in[0].v[i]; fabs(y[i]) >= 1; exponent[i]++) y[i] /= 2;
        for (; fabs(y[i]) < 0.5 && y[i] != 0; exponent[i]--) y[i] *= 2;
    }
}

static void ldexp_of(problem *p) {
    ag_shape s = reference_broadcast(p->in[0].shape, p->in[1].shape);
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        y[i] = reference_at(&p->in[0], at, s.rank) * exp2(reference_at(&p->in[1], at, s.rank));
    }
}

#define ENTRY(name, exact) \
    { #name, name, exact, NULL, NULL }
const reference references_matrix[] = {
    ENTRY(solve, false),
    ENTRY(inv, false),
    ENTRY(det, false),
    ENTRY(slogdet, false),
    ENTRY(det_grad, false),
    ENTRY(det_bend, false),
    ENTRY(slogdet_grad, false),
    ENTRY(logdet, false),
    ENTRY(cov, false),
    ENTRY(corrcoef, false),
    ENTRY(pdist, false),
    ENTRY(isin, true),
    ENTRY(allclose, true),
    ENTRY(matrix_norm, false),
    ENTRY(logspace, false),
    ENTRY(tril_indices, true),
    ENTRY(triu_indices, true),
    {"frexp", frexp_of, true, NULL, NULL},
    {"ldexp", ldexp_of, false, NULL, NULL},
    {"ndtr", NULL, false, ndtr, NULL},
    {"mvlgamma", NULL, false, mvlgamma, "p"},
    {"angle", NULL, false, angle, NULL},
    {NULL, NULL, false, NULL, NULL},
};
