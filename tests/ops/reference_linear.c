/* reference_linear.c: products and linear algebra by the schoolbook: three loops, and Gauss's elimination. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* The matrix at leading coordinates `at` of a shape of this rank, leading axes broadcast. */
static const double *matrix_at(const array *x, const int64_t at[], int rank) {
    int64_t own[AG_MAX_RANK] = {0};
    int lead = rank - x->shape.rank;
    for (int k = 0; k < x->shape.rank - 2; k++) own[k] = x->shape.dim[k] == 1 ? 0 : at[lead + k];
    return x->v + reference_index(x->shape, own);
}

/* a's and b's leading axes broadcast, followed by rows and cols. */
static ag_shape result_shape(const array *a, const array *b, int64_t rows, int64_t cols) {
    ag_shape x = a->shape, y = b->shape;
    x.rank -= 2;
    y.rank -= 2;
    ag_shape s = reference_broadcast(x, y);
    s.dim[s.rank++] = rows;
    s.dim[s.rank++] = cols;
    return s;
}

/* A 1-d operand with its axis of 1, before or behind. */
static array promoted(array x, bool row) {
    if (x.shape.rank == 1) {
        int64_t n = x.shape.dim[0];
        x.shape = row ? AG_SHAPE(1, n) : AG_SHAPE(n, 1);
    }
    return x;
}

static void matmul(problem *p) {
    array a = promoted(p->in[0], true), b = promoted(p->in[1], false);
    int64_t m = a.shape.dim[a.shape.rank - 2], k = a.shape.dim[a.shape.rank - 1], n = b.shape.dim[b.shape.rank - 1];
    ag_shape s = result_shape(&a, &b, m, n), out = s;
    out.rank -= 2;
    if (p->in[0].shape.rank > 1) out.dim[out.rank++] = m;
    if (p->in[1].shape.rank > 1) out.dim[out.rank++] = n;
    double *y = reference_out(p, 0, p->dtype, out);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        const double *left = matrix_at(&a, at, s.rank), *right = matrix_at(&b, at, s.rank);
        int64_t row = at[s.rank - 2], col = at[s.rank - 1];
        for (int64_t l = 0; l < k; l++) y[i] += left[row * k + l] * right[l * n + col];
    }
}

static void tril(problem *p) {
    const array *x = &p->in[0];
    double diagonal = reference_number(p, "diagonal", 0), *y = reference_out(p, 0, x->dtype, x->shape);
    for (int64_t i = 0; i < x->size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(x->shape, i, at);
        double row = (double)at[x->shape.rank - 2], col = (double)at[x->shape.rank - 1];
        y[i] = col <= row + diagonal ? x->v[i] : 0;
    }
}

/* L from Σ_k L[i][k] L[j][k] = ½ (a[i][j] + a[j][i]), one element after the other. */
static void cholesky(problem *p) {
    const array *x = &p->in[0];
    int64_t n = x->shape.dim[x->shape.rank - 1];
    double *out = reference_out(p, 0, p->dtype, x->shape);
    for (int64_t m = 0; m < x->size; m += n * n) {
        const double *a = x->v + m;
        double *l = out + m;
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j <= i; j++) {
                double rest = 0.5 * (a[i * n + j] + a[j * n + i]);
                for (int64_t k = 0; k < j; k++) rest -= l[i * n + k] * l[j * n + k];
                l[i * n + j] = i == j ? sqrt(rest) : rest / l[j * n + j];
            }
        }
        for (int64_t i = 0; i < n * n && reference_flag(p, "upper"); i++) {
            if (i / n >= i % n) continue;
            l[i] = l[i % n * n + i / n];
            l[i % n * n + i / n] = 0;
        }
    }
}

/* ½ M (Φ + Φᵀ) Mᵀ with M = L⁻ᵀ, one sum for each element. */
static void cholesky_grad(problem *p) {
    const array *x = &p->in[1];
    enum { MOST = 64 };
    static double inverse[MOST][MOST], both[MOST][MOST];
    int64_t n = x->shape.dim[x->shape.rank - 1];
    double *out = reference_out(p, 0, p->dtype, x->shape);
    cr_assert_leq(n, MOST);
    for (int64_t m = 0; m < x->size; m += n * n) {
        const double *l = x->v + m, *g = p->in[0].v + m;
        for (int64_t j = 0; j < n; j++) {
            for (int64_t i = 0; i < n; i++) {
                double rest = i == j;
                for (int64_t k = j; k < i; k++) rest -= l[i * n + k] * inverse[k][j];
                inverse[i][j] = i < j ? 0 : rest / l[i * n + i];
                double sum = 0; /* (Lᵀ tril g)[a][b], a ≥ b */
                int64_t a = i > j ? i : j, b = i > j ? j : i;
                for (int64_t k = a; k < n; k++) sum += l[k * n + a] * g[k * n + b];
                both[i][j] = sum;
            }
        }
        for (int64_t i = 0; i < n * n; i++) {
            out[m + i] = 0;
            for (int64_t a = i / n; a < n; a++) {
                for (int64_t b = i % n; b < n; b++)
                    out[m + i] += 0.5 * inverse[a][i / n] * both[a][b] * inverse[b][i % n];
            }
        }
    }
}

/* Solves t x = b for one column, by elimination with pivoting: t need not be triangular here. Overwrites t and b. */
static void eliminate(int64_t n, double *t, double *b) {
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k; i < n; i++) best = fabs(t[i * n + k]) > fabs(t[best * n + k]) ? i : best;
        for (int64_t j = 0; j < n; j++) {
            double v = t[k * n + j];
            t[k * n + j] = t[best * n + j];
            t[best * n + j] = v;
        }
        double v = b[k];
        b[k] = b[best];
        b[best] = v;
        for (int64_t i = 0; i < n; i++) {
            double f = i == k ? 0 : t[i * n + k] / t[k * n + k];
            for (int64_t j = 0; j < n; j++) t[i * n + j] -= f * t[k * n + j];
            b[i] -= f * b[k];
        }
    }
    for (int64_t k = 0; k < n; k++) b[k] /= t[k * n + k];
}

/* The matrices of x turned over. */
static void turn(array *x) {
    int64_t n = x->shape.dim[x->shape.rank - 2], m = x->shape.dim[x->shape.rank - 1];
    double *v = reference_scratch(x->size);
    for (int64_t i = 0; i < x->size; i++) v[i / (n * m) * n * m + i % m * n + i / m % n] = x->v[i];
    memcpy(x->v, v, (size_t)x->size * sizeof *v);
    x->shape.dim[x->shape.rank - 2] = m;
    x->shape.dim[x->shape.rank - 1] = n;
}

static void solve_triangular(problem *p) {
    const array *a = &p->in[0], *b = &p->in[1];
    bool turned = strstr(p->s->attributes, "left=false") != NULL, unit = reference_flag(p, "unitriangular");
    bool upper = reference_flag(p, "upper"), transpose = reference_flag(p, "transpose") != turned;
    if (turned) turn(&p->in[1]);
    int64_t n = a->shape.dim[a->shape.rank - 1], m = b->shape.dim[b->shape.rank - 1];
    ag_shape s = result_shape(a, b, n, m);
    double *x = reference_out(p, 0, p->dtype, s), *t = reference_scratch(n * n), *column = reference_scratch(n);
    for (int64_t i = 0; i < p->out[0].size; i += n * m) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        const double *left = matrix_at(a, at, s.rank), *right = matrix_at(b, at, s.rank);
        for (int64_t c = 0; c < m; c++) {
            for (int64_t k = 0; k < n * n; k++) {
                int64_t row = transpose ? k % n : k / n, col = transpose ? k / n : k % n;
                t[k] = (upper ? col >= row : col <= row) ? left[row * n + col] : 0;
                if (unit && row == col) t[k] = 1;
            }
            for (int64_t k = 0; k < n; k++) column[k] = right[k * m + c];
            eliminate(n, t, column);
            for (int64_t k = 0; k < n; k++) x[i + k * m + c] = column[k];
        }
    }
    if (turned) turn(&p->out[0]);
}

const reference references_linear[] = {
    {"matmul", matmul, false, NULL, NULL},
    {"tril", tril, true, NULL, NULL},
    {"cholesky", cholesky, false, NULL, NULL},
    {"cholesky_grad", cholesky_grad, false, NULL, NULL},
    {"solve_triangular", solve_triangular, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
