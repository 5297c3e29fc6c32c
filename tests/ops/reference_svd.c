/* reference_svd.c: singular values as square roots of the eigenvalues of aᵀ a, by rotations of rows and columns in long double. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/reference.h"

enum { MOST = 8 };
typedef long double square[MOST][MOST];

/* b = v diag(b) vᵀ, v the identity to begin with */
static void diagonalise(square b, square v, int n) {
    for (int turn = 0; turn < 60 * n * n; turn++) {
        int p = turn % (n * n) / n, q = turn % n;
        if (p >= q || b[p][q] == 0) continue;
        long double zeta = (b[q][q] - b[p][p]) / (2 * b[p][q]);
        long double t = (zeta < 0 ? -1 : 1) / (fabsl(zeta) + sqrtl(1 + zeta * zeta)), c = 1 / sqrtl(1 + t * t), s = c * t;
        for (int i = 0; i < n; i++) {
            long double x = b[i][p], y = b[i][q];
            b[i][p] = c * x - s * y, b[i][q] = s * x + c * y;
            x = v[i][p], y = v[i][q];
            v[i][p] = c * x - s * y, v[i][q] = s * x + c * y;
        }
        for (int i = 0; i < n; i++) {
            long double x = b[p][i], y = b[q][i];
            b[p][i] = c * x - s * y, b[q][i] = s * x + c * y;
        }
        b[p][q] = b[q][p] = 0;
    }
}

/* a (m,n), element (i, j) at i row + j column; columns of u and v, descending s; the largest component of a column of u positive. */
static void singular(const double *a, int m, int n, int64_t row, int64_t column, square u, double s[], square v) {
    square b = {{0}}, e = {{0}};
    int k = m < n ? m : n, order[MOST];
    if (m < n) {
        singular(a, n, m, column, row, v, s, u);
    } else {
        for (int i = 0; i < n; i++) {
            e[i][i] = 1;
            for (int j = 0; j < n; j++) {
                for (int l = 0; l < m; l++)
                    b[i][j] += (long double)a[l * row + i * column] * (long double)a[l * row + j * column];
            }
        }
        diagonalise(b, e, n);
        for (int c = 0; c < n; c++) {
            int at = c;
            for (; at > 0 && b[order[at - 1]][order[at - 1]] < b[c][c]; at--) order[at] = order[at - 1];
            order[at] = c;
        }
        for (int c = 0; c < n; c++) {
            long double length = sqrtl(fmaxl(b[order[c]][order[c]], 0));
            s[c] = (double)length;
            for (int i = 0; i < n; i++) v[i][c] = e[i][order[c]];
            for (int i = 0; i < m; i++) {
                u[i][c] = 0;
                for (int l = 0; l < n; l++) u[i][c] += (long double)a[i * row + l * column] * v[l][c] / length;
            }
        }
    }
    for (int c = 0; c < k; c++) {
        int most = 0;
        for (int i = 1; i < m; i++) most = fabsl(u[i][c]) > fabsl(u[most][c]) ? i : most;
        if (u[most][c] >= 0) continue;
        for (int i = 0; i < m; i++) u[i][c] = -u[i][c];
        for (int i = 0; i < n; i++) v[i][c] = -v[i][c];
    }
}

static int last(ag_shape s, int i) { return (int)s.dim[s.rank - i]; }

static void svd(problem *p) {
    ag_shape a = p->in[0].shape, u = a, s = a, v = a;
    int m = last(a, 2), n = last(a, 1), k = m < n ? m : n;
    u.dim[a.rank - 1] = s.dim[a.rank - 2] = v.dim[a.rank - 2] = k;
    s.rank--;
    double *us = reference_out(p, 0, p->dtype, u), *ss = reference_out(p, 1, p->dtype, s),
           *vs = reference_out(p, 2, p->dtype, v);
    for (int64_t i = 0; k && i < p->out[1].size / k; i++) {
        square left, right;
        singular(p->in[0].v + i * m * n, m, n, n, 1, left, ss + i * k, right);
        for (int l = 0; l < m * k; l++) us[i * m * k + l] = (double)left[l / k][l % k];
        for (int l = 0; l < k * n; l++) vs[i * k * n + l] = (double)right[l % n][l / n];
    }
}

/* Values of matrix i of x, of its last two axes. */
static int values_of(const array *x, int64_t i, double s[]) {
    square u, v;
    int m = last(x->shape, 2), n = last(x->shape, 1);
    if (m > 0 && n > 0) singular(x->v + i * m * n, m, n, n, 1, u, s, v);
    return m < n ? m : n;
}

static void svdvals(problem *p) {
    ag_shape s = p->in[0].shape;
    int k = last(s, 1) < last(s, 2) ? last(s, 1) : last(s, 2);
    s.dim[--s.rank - 1] = k;
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; k && i < p->out[0].size / k; i++) values_of(&p->in[0], i, y + i * k);
}

static void matrix_rank(problem *p) {
    const array *x = &p->in[0];
    ag_shape s = x->shape;
    s.rank -= 2;
    double *y = reference_out(p, 0, AG_I64, s), atol = reference_number(p, "atol", NAN), value[MOST];
    double eps = p->dtype == AG_F32 ? FLT_EPSILON : DBL_EPSILON, most = fmax(last(x->shape, 1), last(x->shape, 2));
    double rtol = reference_number(p, "rtol", isnan(atol) ? most * eps : 0);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int k = values_of(x, i, value);
        for (int l = 0; l < k; l++) y[i] += value[l] > fmax(isnan(atol) ? 0 : atol, rtol * value[0]);
    }
}

static void cond(problem *p) {
    ag_shape s = p->in[0].shape;
    s.rank -= 2;
    double *y = reference_out(p, 0, p->dtype, s), value[MOST];
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int k = values_of(&p->in[0], i, value);
        y[i] = reference_number(p, "p", 2) > 0 ? value[0] / value[k - 1] : value[k - 1] / value[0];
    }
}

double reference_singular_norm(const double *a, int m, int n, int64_t row, int64_t column, const char *ord) {
    square u, v;
    double s[MOST], sum = 0;
    singular(a, m, n, row, column, u, s, v);
    for (int l = 0; l < m && l < n; l++) sum += s[l];
    return !strcmp(ord, "nuc") ? sum : strtod(ord, NULL) > 0 ? s[0] : s[(m < n ? m : n) - 1];
}

#define ENTRY(name, exact) \
    { #name, name, exact, NULL, NULL }
const reference references_svd[] = {
    ENTRY(svd, false),  ENTRY(svdvals, false),           ENTRY(matrix_rank, true),
    ENTRY(cond, false), {NULL, NULL, false, NULL, NULL},
};
