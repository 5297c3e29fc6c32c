/* pairs.c: the folds of fold.c for two numbers an element, in f64 whatever the dtype of x.
 *
 *     x ─ pieces of 512, or of 32 rows × 16 columns ─▶ pairs ─ pieces of those ─▶ … ─▶ one pair for each result
 *     x ─ or, by a kernel made for it, 2048, or 64 rows × 256 columns ─▶ pairs ─ …
 *
 * Each piece is gone through twice while it is in the nearest cache, memory only once. Pieces depend on the shape alone. */
#include "ops/pairs.h"

#include "ops/fold.h"

enum { BLOCK = 512, TILE = AG__PAIR_TILE, ROWS = BLOCK / TILE, GRAIN = 16384 };
enum { FIRST_BLOCK = 2048, FIRST_TILE = AG__LOG_SUM_TILE, FIRST_ROWS = 64 };

typedef struct pass {
    ag__pair_fn *fold;
    ag__log_sum_fn *first; /* not NULL: makes pairs of the elements at x */
    const char *x;         /* elements that have not been loaded yet, else NULL */
    size_t element;        /* bytes of one */
    const double *a, *b;
    double *ra, *rb;
    int64_t n, inner, length, pieces, tile, tiles;
    double count, last; /* elements that a pair stands for, and one in the last row */
} pass;

static int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0); }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void fold_f32(const pass *p, const float *x, int64_t rows, int64_t width, double *ra, double *rb) {
    _Alignas(64) double block[BLOCK];
    if (p->inner == width) {
        for (int64_t i = 0; i < rows * width; i++) block[i] = (double)x[i];
    } else {
        for (int64_t i = 0; i < rows; i++) {
            for (int64_t j = 0; j < width; j++) block[i * width + j] = (double)x[i * p->inner + j];
        }
    }
    p->fold(block, NULL, rows, width, width, p->count, p->last, ra, rb);
}

static void run_tasks(void *context, int64_t begin, int64_t end) {
    const pass *p = context;
    for (int64_t task = begin; task < end; task++) {
        int64_t column = task % p->tiles * p->tile, piece = task / p->tiles % p->pieces, o = task / p->tiles / p->pieces;
        int64_t first = piece * p->length, from = (o * p->n + first) * p->inner + column;
        int64_t rows = least(p->length, p->n - first), width = least(p->tile, p->inner - column);
        int64_t to = (o * p->pieces + piece) * p->inner + column;
        if (p->x && p->first) {
            p->first(p->x + (size_t)from * p->element, rows, p->inner, width, p->ra + to, p->rb + to);
            continue;
        }
        if (p->x) {
            fold_f32(p, (const float *)(const void *)p->x + from, rows, width, p->ra + to, p->rb + to);
            continue;
        }
        p->fold(p->a + from, p->b ? p->b + from : NULL, rows, p->inner, width, p->count,
                piece + 1 < p->pieces ? p->count : p->last, p->ra + to, p->rb + to);
    }
}

/* (outer, n, inner) ─▶ (outer, pieces, inner), whose pairs the next pass starts from. */
static bool run_pass(ag_tensor *y, pass *p, int64_t outer) {
    bool first = p->x && p->first;
    p->length = p->inner == 1 ? (first ? FIRST_BLOCK : BLOCK) : (first ? FIRST_ROWS : ROWS);
    p->pieces = ceil_div(p->n, p->length);
    p->tile = first ? FIRST_TILE : TILE;
    p->tiles = ceil_div(p->inner, p->tile);
    size_t bytes = (size_t)(outer * p->pieces * p->inner) * sizeof(double);
    p->ra = ag_op_workspace(y, bytes);
    p->rb = ag_op_workspace(y, bytes);
    if (!p->ra || !p->rb) return false;
    int64_t cost = least(p->n, p->length) * least(p->inner, p->tile);
    ag_parallel_for(outer * p->pieces * p->tiles, ceil_div(GRAIN, cost), run_tasks, p);
    p->last = (double)(p->n - (p->pieces - 1) * p->length - 1) * p->count + p->last;
    p->count = p->pieces == 1 ? p->last : (double)p->length * p->count;
    p->x = NULL;
    p->a = p->ra;
    p->b = p->rb;
    p->n = p->pieces;
    return true;
}

/* Results of nothing. */
static bool fold_nothing(ag_tensor *y, pass *p) {
    int64_t size = ag_size(ag_out(y, 0));
    p->ra = ag_op_workspace(y, (size_t)size * sizeof(double));
    p->rb = ag_op_workspace(y, (size_t)size * sizeof(double));
    if (!p->ra || !p->rb) return false;
    for (int64_t i = 0; i < size; i += TILE)
        p->fold(NULL, NULL, 0, 0, least(TILE, size - i), 1, 1, p->ra + i, p->rb + i);
    return true;
}

bool ag__fold_pairs(ag_tensor *y, const bool reduced[], ag__pair_fn *fold, ag__log_sum_fn *first, double **a, double **b) {
    ag_tensor *in = ag_in(y, 0);
    pass p = {.fold = fold, .first = first, .inner = 1, .count = 1, .last = 1};
    int64_t outer = ag_size(in);
    if (outer == 0) {
        if (!fold_nothing(y, &p)) return false;
    } else {
        const void *x = ag_op_dense(y, 0);
        if (!x) return false;
        p.element = ag_dtype_size(ag_dtype_of(in));
        p.x = first || ag_dtype_of(in) == AG_F32 ? x : NULL;
        p.a = p.x ? NULL : x;
        ag__runs r = ag__runs_of(ag_shape_of(in), reduced);
        if (r.folds == 0) {
            p.n = 1;
            p.inner = outer;
            if (!run_pass(y, &p, 1)) return false;
        }
        for (int i = r.folds ? r.count - 1 : -1; i >= 0; i--) {
            outer /= r.extent[i];
            if (!r.folded[i]) p.inner *= r.extent[i];
            for (p.n = r.folded[i] ? r.extent[i] : 1; p.n > 1;) {
                if (!run_pass(y, &p, outer)) return false;
            }
        }
    }
    *a = p.ra;
    *b = p.rb;
    return true;
}

void ag__put_doubles(ag_tensor *y, int o, const double *values) {
    int64_t size = ag_size(ag_out(y, o));
    double *f64 = ag_out_data(y, o);
    float *f32 = ag_out_data(y, o);
    if (ag_dtype_of(ag_out(y, o)) == AG_F32) {
        for (int64_t i = 0; i < size; i++) f32[i] = (float)values[i];
    } else {
        for (int64_t i = 0; i < size; i++) f64[i] = values[i];
    }
}
