/* factor.c: triangles of square matrices, found and applied in blocks of columns, so that nearly all is products of matrices.
 *
 *        k   e                  panel: the columns k to e are eliminated, 8 at a time
 *     ┌──┬───┬───────┐          step:  the rows k to e of what is to the right are solved by T's block at k, and what they
 *     │  ├───┼───────┤ k               give is added to the rows below: x[e…] += T[e…, k…e] · x[k…e]
 *     │  │ T │   x   │ e
 *     │  │   │       │          A triangle is applied to any other x by the same steps, an upper one from the last to the first.
 *     └──┴───┴───────┘
 *
 * Threads share stripes of x, whose width is fixed: the result has the same bits for any number of them. Golub and Van Loan
 * (2013), Matrix Computations, 3.2.11. */
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/caches.h"
#include "ops/factor.h"
#include "ops/isa.h"
#include "ops/need.h"

enum { NARROW = AG__LU_NARROW, BLOCK = 64, STRIPE = 256, GRAIN = 1 << 18 /* multiplications worth another thread */ };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* From one row to the next: of long ones an odd number of cache lines, or those of a column would push each other out of the
 * cache. */
static int64_t row_of(int64_t n) { return n > BLOCK ? ((n + 7) / 8 | 1) * 8 : n; }

static int64_t panels_of(int64_t n) { return n < NARROW ? n : (n + NARROW - 1) / NARROW * NARROW; }

/* Lanes */

typedef struct job {
    const ag__factors *first; /* of lane 0 */
    int64_t count, chunk;     /* matrices; how many a lane takes at once */
    size_t doubles;           /* from one lane's memory to the next one's */
    bool (*one)(const void *context, ag__factors *f, int64_t i);
    const void *context;
    atomic_llong next;     /* first matrix that no lane has taken */
    atomic_llong singular; /* n times the first such matrix, and its pivot */
} job;

static void run_one(job *j, ag__factors *f, int64_t i) {
    if (j->one(j->context, f, i)) return;
    long long at = i * f->n + f->reached, first = atomic_load(&j->singular);
    while (at < first && !atomic_compare_exchange_weak(&j->singular, &first, at)) {}
}

static void run_lanes(void *context, int64_t begin, int64_t end) {
    job *j = context;
    for (int64_t lane = begin; lane < end; lane++) {
        ag__factors f = *j->first;
        size_t past = (size_t)lane * j->doubles;
        f.t += past, f.other += past, f.x += past, f.d += past, f.rows += past, f.cols += past,
            f.work += past * sizeof(double);
        for (int64_t i; (i = atomic_fetch_add_explicit(&j->next, j->chunk, memory_order_relaxed)) < j->count;) {
            for (int64_t k = i; k < least(i + j->chunk, j->count); k++) run_one(j, &f, k);
        }
    }
}

static size_t lines_of(int64_t doubles) { return (size_t)(doubles + 7) / 8 * 8; }

static bool fail_singular(ag_tensor *y, const ag_tensor *a, int64_t count, int64_t at) {
    char text[AG__TEXT], which[48] = "";
    if (count > 1) snprintf(which, sizeof which, "matrix %lld of ", (long long)(at / ag_dim(a, -1)));
    return ag_op_fail(y, AG_ERR_VALUE, "%s%s is singular: pivot %lld is 0", which, ag_shape_text(a, text, sizeof text),
                      (long long)(at % ag_dim(a, -1)));
}

bool ag__factor_each(ag_tensor *y, const ag_tensor *a, int64_t count, ag__factors f, double work,
                     bool (*one)(const void *context, ag__factors *f, int64_t i), const void *context) {
    enum { START = 100 }; /* what a small matrix costs beside its multiplications */
    job j = {.first = &f, .count = count, .one = one, .context = context};
    j.chunk = (int64_t)(GRAIN / (work + START)) + 1;
    int64_t lanes = least(ag_threads(), (count - 1) / j.chunk + 1);
    f.row = row_of(panels_of(f.n)), f.x_row = row_of(f.m);
    f.lanes = count > 1 ? 1 : ag_threads();
    size_t t = lines_of(f.n * f.row), x = lines_of(f.n * f.x_row), line = lines_of(f.n);
    size_t own = f.n > NARROW ? (size_t)ag__caches_here()->l1 * 2 / sizeof(double) : 0; /* a lean product's */
    size_t other = f.another ? t : 0;
    j.doubles = t + other + x + 4 * line + own * (size_t)f.lanes;
    if (!(f.t = ag_op_workspace(y, ((size_t)lanes * j.doubles + 1) * sizeof(double)))) return false;
    f.other = f.t + t, f.x = f.other + other, f.d = f.x + x, f.rows = (int64_t *)(void *)(f.d + 2 * line),
    f.cols = f.rows + line;
    f.work = (char *)(f.cols + line);
    atomic_init(&j.next, 0);
    atomic_init(&j.singular, LLONG_MAX);
    ag__parallel_lanes((int)lanes, (work + START) * (double)count / GRAIN, run_lanes, &j);
    int64_t at = atomic_load(&j.singular);
    return at == LLONG_MAX || fail_singular(y, a, count, at);
}

/* Tiles, as one of the two may lie by columns. */
void ag__factor_load(ag__factors *f, const ag_tensor *x, int64_t at, int64_t row, int64_t col) {
    enum { TILE = 16 };
    bool f64 = ag_dtype_of(x) == AG_F64;
    const float *single = ag_data(x);
    const double *twice = ag_data(x);
    for (int64_t top = 0; top < f->n; top += TILE) {
        for (int64_t left = 0; left < f->n; left += TILE) {
            for (int64_t i = top; i < least(top + TILE, f->n); i++) {
                double *to = f->t + i * f->row;
                for (int64_t j = left; j < least(left + TILE, f->n); j++) {
                    int64_t from = at + i * row + j * col;
                    to[j] = f64 ? twice[from] : (double)single[from];
                }
            }
        }
    }
    int64_t rest = panels_of(f->n) - f->n; /* columns that the last panel looks at */
    for (int64_t i = 0; i < f->n && rest; i++) memset(f->t + i * f->row + f->n, 0, (size_t)rest * sizeof(double));
}

/* Steps */

typedef struct stepping {
    const ag__factors *f;
    int64_t k, e; /* the block, or the whole of T */
    double *x;    /* m columns */
    int64_t row, m;
    bool upper, all, identity; /* all: every block, not that at k alone */
    atomic_llong next;         /* first stripe that no lane has taken */
} stepping;

/* The rows [low, high) of x get what its rows [k, e) give. */
static void add_product(const ag__factors *f, int64_t k, int64_t e, int64_t low, int64_t high, double *x, int64_t row,
                        int64_t m, void *work) {
    const ag__gemm *gemm = ag__kernel()->gemm_f64;
    ag__product p = {.m = high - low, .n = m, .k = e - k, .c_row = row, .add = true, .lean = true};
    p.a = (ag__matrix){f->t + low * f->row + k, f->row, 1}, p.b = (ag__matrix){x + k * row, row, 1}, p.c = x + low * row;
    gemm->plan(&p, ag__caches_here());
    gemm->run(&p, 0, p.tiles, work);
}

static void step(const ag__factors *f, int64_t k, int64_t e, bool upper, double *x, int64_t row, int64_t m, void *work) {
    ag__kernel()->lu->triangle(e - k, m, f->t + k * f->row + k, f->row, upper, x + k * row, row);
    if (upper && k > 0) add_product(f, k, e, 0, k, x, row, m, work);
    if (!upper && e < f->n) add_product(f, k, e, e, f->n, x, row, m, work);
}

static void run_stripe(const stepping *s, int64_t left, int64_t right, void *work) {
    const ag__factors *f = s->f;
    int64_t blocks = (f->n - 1) / BLOCK + 1;
    if (!s->all) step(f, s->k, s->e, false, s->x + left, s->row, right - left, work);
    for (int64_t b = 0; b < blocks && s->all; b++) {
        int64_t k = (s->upper ? blocks - 1 - b : b) * BLOCK, e = least(k + BLOCK, f->n);
        int64_t end = s->identity ? least(right, e) : right; /* beyond, rows k to e are 0 */
        if (end > left) step(f, k, e, s->upper, s->x + left, s->row, end - left, work);
    }
}

static void step_lanes(void *context, int64_t begin, int64_t end) {
    stepping *s = context;
    for (int64_t lane = begin; lane < end; lane++) {
        char *work = s->f->work + (size_t)lane * (size_t)ag__caches_here()->l1 * 2;
        for (int64_t i; (i = atomic_fetch_add_explicit(&s->next, STRIPE, memory_order_relaxed)) < s->m;)
            run_stripe(s, i, least(i + STRIPE, s->m), work);
    }
}

static void share(stepping *s) {
    int64_t stripes = (s->m - 1) / STRIPE + 1;
    double work = (double)(s->f->n - s->k) * (double)(s->e - s->k) * (double)s->m;
    if (stripes == 1) {
        run_stripe(s, 0, s->m, s->f->work);
        return;
    }
    atomic_init(&s->next, 0);
    ag__parallel_lanes((int)least(s->f->lanes, stripes), work / GRAIN, step_lanes, s);
}

void ag__factor(ag__factors *f) {
    const ag__lu *kernel = ag__kernel()->lu;
    f->reached = f->n, f->odd = false;
    for (int64_t i = 0; i < f->n; i++) f->rows[i] = f->cols[i] = i;
    for (int64_t from = 0; from < f->n; from += BLOCK) {
        int64_t to = least(from + BLOCK, f->n);
        for (int64_t k = from; k < to; k += NARROW) {
            int64_t e = least(k + NARROW, to), reached = kernel->panel(f->t, f->n, f->row, k, f->rows, &f->odd);
            if (reached < e && f->reached == f->n) f->reached = reached;
            if (e < to) step(f, k, e, false, f->t + e, f->row, to - e, f->work);
        }
        if (to < f->n) share(&(stepping){.f = f, .k = from, .e = to, .x = f->t + to, .row = f->row, .m = f->n - to});
    }
}

void ag__factor_turn(ag__factors *f) {
    for (int64_t i = 0; i < f->n; i++) {
        for (int64_t j = i + 1; j < f->n; j++) f->t[i * f->row + j] = -f->t[i * f->row + j];
    }
}

void ag__factor_apply(const ag__factors *f, bool upper, bool identity) {
    if (f->m == 0) return;
    share(&(stepping){
        .f = f, .e = f->n, .x = f->x, .row = f->x_row, .m = f->m, .upper = upper, .all = true, .identity = identity});
}

void ag__factor_identity(ag__factors *f) {
    for (int64_t i = 0; i < f->n; i++) {
        memset(f->x + i * f->x_row, 0, (size_t)f->n * sizeof(double));
        f->x[i * f->x_row + i] = 1;
    }
}

/* Complete pivoting */

static void trade(int64_t *order, int64_t i, int64_t j, bool *odd) {
    int64_t place = order[i];
    order[i] = order[j], order[j] = place;
    *odd = *odd != (i != j);
}

void ag__factor_split(ag__factors *f) {
    for (int64_t i = 0; i < f->n; i++) {
        double *t = f->t + i * f->row;
        f->d[i] = t[i];
        for (int64_t j = i + 1; j < f->n; j++) t[j] = t[i] == 0 ? 0 : -(t[j] / t[i]);
        t[i] = 1;
    }
}

void ag__factor_fully(ag__factors *f) {
    int64_t n = f->n, row = f->row;
    f->odd = false;
    for (int64_t i = 0; i < n; i++) f->rows[i] = f->cols[i] = i;
    for (int64_t k = 0; k < n; k++) {
        double highest = 0;
        int64_t at = k, across = k;
        for (int64_t i = k; i < n; i++) {
            for (int64_t j = k; j < n; j++) {
                double v = fabs(f->t[i * row + j]);
                if (v > highest) highest = v, at = i, across = j;
            }
        }
        trade(f->rows, k, at, &f->odd);
        trade(f->cols, k, across, &f->odd);
        for (int64_t j = 0; j < n; j++) {
            double v = f->t[k * row + j];
            f->t[k * row + j] = f->t[at * row + j], f->t[at * row + j] = v;
        }
        for (int64_t i = 0; i < n; i++) {
            double v = f->t[i * row + k];
            f->t[i * row + k] = f->t[i * row + across], f->t[i * row + across] = v;
        }
        const double *pivot = f->t + k * row;
        for (int64_t i = k + 1; i < n && highest > 0; i++) {
            double *t = f->t + i * row, by = -t[k] / pivot[k];
            for (int64_t j = k + 1; j < n; j++) t[j] += by * pivot[j];
            t[k] = by;
        }
    }
    ag__factor_split(f);
}
