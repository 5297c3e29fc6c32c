/* fold.c: many elements into one, over any axes, for sums and maxima.
 *
 * Axes of the row-major input that lie side by side and share a fate are merged, which leaves kept and reduced runs in turn;
 * each reduced run, innermost first, is folded seen as outer × n × inner:
 *
 *     n > 1024 (inner = 1) or n > 64:   pieces of that length ─▶ partial results ─▶ folded again, until one is left
 *
 * The tree of additions depends on the shape alone, not on threads; f32 is summed in f32. The rounding error of n terms is
 * at most about 15 ε per factor of 1024 in n (11 ε per factor of 64 across rows) times Σ|x|. */
#include <string.h>

#include "ops/fold.h"
#include "ops/isa.h"

/* One pass: (outer, n, inner) ─▶ (outer, pieces, inner). A task is one piece of one tile of columns. */
typedef struct pass {
    ag__fold_fn *fold;
    const char *x;
    char *out;
    size_t element;
    int64_t n, inner, length, pieces, tiles;
} pass;

enum { ROW = 1024, ROWS = 64, TILE = 1024, GRAIN = 32768 };

static int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0); }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void run_tasks(void *context, int64_t begin, int64_t end) {
    const pass *p = context;
    int64_t tile = begin % p->tiles, piece = begin / p->tiles % p->pieces, o = begin / p->tiles / p->pieces;
    for (int64_t task = begin; task < end; task++) {
        int64_t first = piece * p->length, column = tile * TILE;
        const char *x = p->x + (size_t)((o * p->n + first) * p->inner + column) * p->element;
        char *out = p->out + (size_t)((o * p->pieces + piece) * p->inner + column) * p->element;
        p->fold(x, least(p->length, p->n - first), p->inner, least(TILE, p->inner - column), out);
        if (++tile < p->tiles) continue;
        tile = 0;
        if (++piece < p->pieces) continue;
        piece = 0;
        o++;
    }
}

static void run_pass(pass *p, int64_t outer) {
    int64_t cost = least(p->n, p->length) * least(p->inner, TILE);
    ag_parallel_for(outer * p->pieces * p->tiles, ceil_div(GRAIN, cost), run_tasks, p);
}

/* The runs of kept and reduced axes; those of extent 1 belong to any. Returns how many, and how many are reduced. */
static int merge(ag_shape s, const bool reduced[], int64_t extent[], bool fold[], int *folds) {
    int runs = 0;
    *folds = 0;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] == 1) continue;
        if (runs && fold[runs - 1] == reduced[i]) {
            extent[runs - 1] *= s.dim[i];
        } else {
            *folds += reduced[i];
            fold[runs] = reduced[i];
            extent[runs++] = s.dim[i];
        }
    }
    return runs;
}

static bool fold_axes(ag_tensor *y, const bool reduced[], ag__fold_fn *const kernel[]) {
    ag_tensor *in = ag_in(y, 0);
    ag__fold_fn *fold = kernel[ag_dtype_of(in)];
    size_t element = ag_dtype_size(ag_dtype_of(in));
    void *out = ag_out_data(y, 0);
    if (ag_size(y) == 0) return true;
    if (ag_size(in) == 0) {
        fold(out, 0, 0, ag_size(y), out);
        return true;
    }
    const void *x = ag_op_dense(y, 0);
    if (!x) return false;
    int64_t extent[AG_MAX_RANK], outer = ag_size(in), inner = 1;
    bool folded[AG_MAX_RANK];
    int folds, runs = merge(ag_shape_of(in), reduced, extent, folded, &folds);
    if (folds == 0) memcpy(out, x, (size_t)ag_size(y) * element);
    for (int i = runs - 1; i >= 0; i--) {
        outer /= extent[i];
        if (!folded[i]) inner *= extent[i];
        for (int64_t n = folded[i] ? extent[i] : 1; n > 1;) {
            pass p = {fold, x, out, element, .n = n, .inner = inner, .length = inner == 1 ? ROW : ROWS};
            p.pieces = ceil_div(n, p.length);
            p.tiles = ceil_div(inner, TILE);
            if (p.pieces == 1) folds--;
            if (p.pieces > 1 || folds) p.out = ag_op_workspace(y, (size_t)(outer * p.pieces * inner) * element);
            if (!p.out) return false;
            run_pass(&p, outer);
            x = p.out;
            n = p.pieces;
        }
    }
    return true;
}

bool ag__fold_sum(ag_tensor *y, const bool reduced[]) { return fold_axes(y, reduced, ag__kernel()->reduce->sum); }
bool ag__fold_max(ag_tensor *y, const bool reduced[]) { return fold_axes(y, reduced, ag__kernel()->reduce->max); }
