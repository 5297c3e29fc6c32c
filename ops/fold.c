/* fold.c: many elements into one, over any axes: sums, products, extremes, and whether any or all are true.
 *
 * Axes of the row-major input that lie side by side and share a fate are merged, which leaves kept and reduced runs in turn;
 * each reduced run, innermost first, is folded seen as outer × n × inner:
 *
 *     n > 1024 (inner = 1) or n > 64:   pieces of that length ─▶ partial results ─▶ folded again, until one is left
 *
 * The tree of operations depends on the shape alone, not on threads; f32 is folded in f32. The rounding error of n terms is
 * at most about 15 ε per factor of 1024 in n (11 ε per factor of 64 across rows) times Σ|x|. Where elements are not taken
 * as they are (|x|² for a norm, x ≠ 0 for a count), the first pass loads pieces into a block of 512 and folds that. An input that
 * a gradient rule has left pending is computed in such pieces, too, by the same tree, and never stored. */
#include <string.h>

#include "autograd/node.h"
#include "ops/fold.h"
#include "ops/isa.h"

/* One pass: (outer, n, inner) ─▶ (outer, pieces, inner). A task is one piece of one tile of columns. */
typedef struct pass {
    ag__fold_fn *fold;
    ag__load_fn *load; /* NULL: elements as they are */
    double p;
    const void *chain; /* NULL: x lies in memory */
    char *blocks; /* for elements of a chain, in each share of the tasks, which has `grain` or more: a piece of a tile */
    int64_t grain, block; /* elements of one */
    const char *x;
    char *out;
    size_t from, to; /* bytes of an element of x, of out */
    int64_t n, inner, length, pieces, tile, tiles;
} pass;

enum { ROW = 1024, ROWS = 64, TILE = 1024, GRAIN = 32768 };
enum { BLOCK = 512, BLOCK_ROWS = 32 }; /* of loaded elements: 4 KB at most */
enum { LONG = 64, SHARES = 64 };       /* of a chain: elements side by side that are worth a call; blocks */
enum { EIGHT = 8 };                    /* rows that a fold takes at once */

static int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0); }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Rows of a piece side by side in a block that stays in the nearest cache. */
static void fold_loaded(const pass *p, const char *x, int64_t rows, int64_t width, void *out) {
    _Alignas(64) double block[BLOCK];
    if (p->inner == 1) {
        p->load(x, rows, p->p, block);
    } else {
        for (int64_t i = 0; i < rows; i++) {
            p->load(x + (size_t)(i * p->inner) * p->from, width, p->p, (char *)block + (size_t)(i * width) * p->to);
        }
    }
    p->fold(block, rows, width, width, out);
}

/* Rows of a piece of a chain, from element `at` on: all at once where they are short, else eight at a time, and what is left one
 * by one, as the fold itself goes about it:
 *
 *     block   eight rows ─▶ partial ─┐
 *             out so far ────────────┴─▶ out */
static void fold_chain(const pass *p, int64_t at, int64_t rows, int64_t width, char *block, char *out) {
    size_t row = (size_t)p->tile * p->from;
    char *sofar = block + EIGHT * row, *partial = sofar + row;
    if (p->inner <= LONG) {
        ag__chain_read(p->chain, at, rows * width, block);
        p->fold(block, rows, width, width, out);
        return;
    }
    for (int64_t i = 0, some; i < rows; i += some) {
        some = rows - i < EIGHT ? 1 : EIGHT;
        int64_t runs = width == p->inner ? 1 : some;
        for (int64_t k = 0; k < runs; k++)
            ag__chain_read(p->chain, at + (i + k) * p->inner, some / runs * width, block + (size_t)k * row);
        p->fold(block, some, p->tile, width, i ? partial : out);
        if (i == 0) continue;
        memcpy(sofar, out, (size_t)width * p->from);
        p->fold(sofar, 2, p->tile, width, out);
    }
}

static void run_tasks(void *context, int64_t begin, int64_t end) {
    const pass *p = context;
    int64_t tile = begin % p->tiles, piece = begin / p->tiles % p->pieces, o = begin / p->tiles / p->pieces;
    char *block = p->chain ? p->blocks + (size_t)(begin / p->grain * p->block) * p->from : NULL;
    for (int64_t task = begin; task < end; task++) {
        int64_t first = piece * p->length, column = tile * p->tile;
        int64_t rows = least(p->length, p->n - first), width = least(p->tile, p->inner - column);
        int64_t at = (o * p->n + first) * p->inner + column;
        const char *x = p->chain ? NULL : p->x + (size_t)at * p->from;
        char *out = p->out + (size_t)((o * p->pieces + piece) * p->inner + column) * p->to;
        if (p->chain) {
            fold_chain(p, at, rows, width, block, out);
        } else if (p->load) {
            fold_loaded(p, x, rows, width, out);
        } else {
            p->fold(x, rows, p->inner, width, out);
        }
        if (++tile < p->tiles) continue;
        tile = 0;
        if (++piece < p->pieces) continue;
        piece = 0;
        o++;
    }
}

static bool run_pass(ag_tensor *y, pass *p, int64_t outer) {
    int64_t cost = least(p->n, p->length) * least(p->inner, p->tile);
    p->tiles = ceil_div(p->inner, p->tile);
    int64_t tasks = outer * p->pieces * p->tiles;
    p->grain = ceil_div(GRAIN, cost);
    if (p->chain) {
        if (p->grain < ceil_div(tasks, SHARES)) p->grain = ceil_div(tasks, SHARES);
        p->block = p->tile * (p->inner > LONG ? EIGHT + 2 : p->length);
        p->blocks = ag_op_workspace(y, (size_t)(ceil_div(tasks, p->grain) * p->block) * p->from);
        if (!p->blocks) return false;
    }
    ag_parallel_for(tasks, p->grain, run_tasks, p);
    return true;
}

ag__runs ag__runs_of(ag_shape s, const bool reduced[]) {
    ag__runs r = {0};
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] == 1) continue;
        if (r.count && r.folded[r.count - 1] == reduced[i]) {
            r.extent[r.count - 1] *= s.dim[i];
        } else {
            r.folds += reduced[i];
            r.folded[r.count] = reduced[i];
            r.extent[r.count++] = s.dim[i];
        }
    }
    return r;
}

/* Where nothing is folded: elements as they are, or loaded. */
static void copy_elements(const pass *p, int64_t size, void *out) {
    if (p->load) {
        p->load(p->x, size, p->p, out);
    } else {
        memcpy(out, p->x, (size_t)size * p->to);
    }
}

/* How many neighbours a piece of x has; across rows, of one step alone: two are as well stored for who else needs them. */
static int64_t side_by_side(const ag_tensor *x, const ag__runs *r) {
    int last = r->count - 1;
    if (r->folded[last]) return r->extent[last];
    return x->out > 1 ? 0 : r->extent[last] * least(r->extent[last - 1], ROWS);
}

/* Where the first pass finds its elements: in memory, or in a chain where it folds many side by side. */
static bool reach(ag_tensor *y, const ag__runs *r, pass *p) {
    ag_tensor *x = ag_in(y, 0);
    if (x->flags & AG__PENDING && !p->load && r->folds && side_by_side(x, r) >= LONG) {
        void *chain = ag_op_workspace(y, ag__chain_bytes);
        if (!chain) return false;
        p->chain = ag__chain_open(x, chain) ? chain : NULL;
        if (p->chain) return true;
    }
    if (!ag__settle(x)) return false;
    p->x = ag_op_dense(y, 0);
    return p->x != NULL;
}

static bool fold_axes(ag_tensor *y, const bool reduced[], pass p, void *out) {
    ag_tensor *in = ag_in(y, 0);
    int64_t size = ag_size(ag_out(y, 0));
    if (size == 0) return true;
    if (ag_size(in) == 0) {
        p.fold(out, 0, 0, size, out);
        return true;
    }
    int64_t outer = ag_size(in);
    ag__runs r = ag__runs_of(ag_shape_of(in), reduced);
    if (!reach(y, &r, &p)) return false;
    if (r.folds == 0) copy_elements(&p, size, out);
    p.inner = 1;
    for (int i = r.count - 1; i >= 0; i--) {
        outer /= r.extent[i];
        if (!r.folded[i]) p.inner *= r.extent[i];
        for (p.n = r.folded[i] ? r.extent[i] : 1; p.n > 1; p.n = p.pieces) {
            p.length = p.inner == 1 ? (p.load ? BLOCK : ROW) : (p.load ? BLOCK_ROWS : ROWS);
            p.tile = p.load ? BLOCK / BLOCK_ROWS : p.chain ? least(p.inner, TILE) : TILE;
            p.pieces = ceil_div(p.n, p.length);
            if (p.pieces == 1) r.folds--;
            p.out = p.pieces > 1 || r.folds ? ag_op_workspace(y, (size_t)(outer * p.pieces * p.inner) * p.to) : out;
            if (!p.out) return false;
            if (!run_pass(y, &p, outer)) return false;
            p.x = p.out;
            p.from = p.to;
            p.load = NULL;
            p.chain = NULL;
        }
    }
    return true;
}

bool ag__fold(ag_tensor *y, const bool reduced[], ag__fold_kind kind) {
    ag_dtype dtype = ag_dtype_of(ag_in(y, 0));
    size_t element = ag_dtype_size(dtype);
    return fold_axes(y, reduced, (pass){.fold = ag__kernel()->reduce->fold[kind][dtype], .from = element, .to = element},
                     ag_out_data(y, 0));
}

bool ag__fold_loaded(ag_tensor *y, const bool reduced[], ag__fold_kind kind, ag_dtype dtype, ag__load_fn *load,
                     double p, void *out) {
    pass first = {.fold = ag__kernel()->reduce->fold[kind][dtype],
                  .load = load,
                  .p = p,
                  .from = ag_dtype_size(ag_dtype_of(ag_in(y, 0))),
                  .to = ag_dtype_size(dtype)};
    return fold_axes(y, reduced, first, out);
}
