/* gemm_tmpl.h: the matrix product for elements of BITS bits.
 *
 *                 j
 *           ┌───┬───┬───┐     For each block of k, a column of tiles after the other:
 *         p │   │ b │   │     its panel of b, depth × WIDE, is made by the first tile on the way or turned before,
 *           └───┴───┴───┘     and stays in the nearest cache while all rows of a meet it.
 *   ┌───┐   ┌───┬───┬───┐
 * i │ a │   │   │ c │   │     The rows of a are read where they lie, or from strips, one for each tile's rows.
 *   └───┘   └───┴───┴───┘ */
#include <stddef.h>

#include "ops/kernels/gemm_vector.h"
#include "ops/kernels/gemm_tiles.h"
#include "ops/kernels/gemm_dots.h"
#include "ops/kernels/gemm_turn.h"
#include "ops/kernels/gemm_pack.h"
#include "ops/kernels/gemm_plan.h"

enum { TURNED_ROWS = (ROWS + LANES - 1) / LANES * LANES };

/* A rectangle of c and the memory that is its own. */
typedef struct area {
    int64_t top, bottom, left, right;
    REAL *panel, *strips;
} area;

/* How many vectors of the `left` the next panel takes: rather 2 + 2 than 3 + 1. */
static int64_t broad_of(int64_t left) { return VECS > 2 && left == VECS + 1 ? 2 : least(left, VECS); }

/* How many rows of the `left` the next tile takes: rather 5 + 4 than 8 + 1. */
static int64_t high_of(int64_t left) { return left > ROWS && left < ROWS + 3 ? (left + 1) / 2 : least(left, ROWS); }

/* The next tiles read b from row p and column j on: their lines are asked for by the tiles of this column, a few each. */
static void look_ahead(const ag__product *p, block *t, int64_t from, int64_t j) {
    const REAL *b = (const REAL *)p->b.data + from * p->b.row + j * p->b.col;
    int64_t depth = least(p->depth, p->k - from), cols = least(WIDE, p->n - j);
    bool across = p->b.col == 1;
    t->ahead = (const char *)b;
    t->ahead_row = (across ? p->b.row : p->b.col) * (int64_t)sizeof(REAL);
    t->ahead_rows = across ? depth : cols;
    t->ahead_lines = parts((across ? cols : depth) * (int64_t)sizeof(REAL), LINE) + 1;
}

/* One column of tiles, cols ≤ WIDE. t knows b, and what to ask for. The first tile of all ROWS copies; before one, b is read
 * where it lies. */
static void column(const ag__product *p, const area *r, block *t, int64_t from, int64_t j, int64_t cols, bool copies) {
    int64_t broad = parts(cols, LANES), high;
    bool add = p->add || from > 0;
    REAL aside[TURNED_ROWS * WIDE];
    t->part = first(cols - (broad - 1) * LANES), t->whole = cols == broad * LANES;
    kernel *const(*kernels)[VECS] = t->whole ? plain_kernels : part_kernels;
    for (int64_t i = r->top; i < r->bottom; i += high) {
        high = high_of(r->bottom - i);
        if (p->strips) t->a = r->strips + (i - r->top) * t->k, t->a_row = 1, t->a_col = high;
        else t->a = (const REAL *)p->a.data + i * p->a.row + from * p->a.col;
        if (p->turned) t->c = aside, t->c_row = WIDE, t->add = false;
        else t->c = (REAL *)p->c + i * p->c_row + j, t->c_row = p->c_row, t->add = add;
        if (copies && high == ROWS) {
            copy_kernels[broad - 1](t);
            t->b = r->panel, t->b_row = broad * LANES;
            copies = false;
        } else {
            kernels[high - 1][broad - 1](t);
            if (--t->ahead_lines > 0) t->ahead += LINE;
            else t->ahead_rows = 0;
        }
        if (p->turned) lay_turned((REAL *)p->c + j * p->c_row + i, p->c_row, aside, high, cols, add);
    }
}

/* Few columns of a at a time, for each line of theirs has parts of several strips. */
static void pack_strips(const ag__product *p, const area *r, int64_t from, int64_t depth) {
    for (int64_t q = 0, cols; q < depth; q += cols) {
        cols = least(8, depth - q);
        for (int64_t i = r->top, high; i < r->bottom; i += high) {
            high = high_of(r->bottom - i);
            const REAL *a = (const REAL *)p->a.data + i * p->a.row + (from + q) * p->a.col;
            pack_a(r->strips + (i - r->top) * depth + q * high, high, cols, a, p->a.row, p->a.col);
        }
    }
}

static void rectangle(const ag__product *p, const area *r) {
    block t;
    for (int64_t from = 0, depth; from < p->k || (from == 0 && !p->add); from += depth) {
        depth = least(p->depth, p->k - from);
        t.a_row = p->a.row, t.a_col = p->a.col, t.k = depth;
        if (p->strips) pack_strips(p, r, from, depth);
        for (int64_t j = r->left, cols; j < r->right; j += cols) {
            cols = least(broad_of(parts(r->right - j, LANES)) * LANES, r->right - j);
            const REAL *b = (const REAL *)p->b.data + from * p->b.row + j * p->b.col;
            bool here = p->b.col == 1 && (cols % LANES == 0 || (p->direct ? LOADS_PART : MASKS));
            t.b = b, t.b_row = p->b.row, t.panel = r->panel;
            t.ahead_lines = t.ahead_rows = 0;
            if (!p->direct && j + cols < r->right) look_ahead(p, &t, from, j + cols);
            else if (!p->direct && from + depth < p->k) look_ahead(p, &t, from + depth, r->left);
            if (!here) {
                t.b = r->panel, t.b_row = round_up(cols, LANES);
                pack_b(r->panel, t.b_row, depth, cols, b, p->b.row, p->b.col);
            }
            column(p, r, &t, from, j, cols, here && !p->direct);
        }
        if (depth == 0) break;
    }
}

/* sum[i] += a[0] b[0][i] + … for `rows` rows, 1 or 4, in turn. */
INLINE void stream(REAL *sum, int64_t cols, const REAL *a, int64_t a_col, const REAL *b, int64_t row, int rows) {
    const REAL a0 = a[0], a1 = rows > 1 ? a[a_col] : 0, a2 = rows > 1 ? a[2 * a_col] : 0, a3 = rows > 1 ? a[3 * a_col] : 0;
    int64_t i = 0;
    for (; i + LANES <= cols; i += LANES, b += LANES) {
        vec s = axpy(load(sum + i), a0, load(b));
        if (rows > 1) s = axpy(axpy(axpy(s, a1, load(b + row)), a2, load(b + 2 * row)), a3, load(b + 3 * row));
        store(sum + i, s);
    }
    if (i == cols) return;
    const mask part = first(cols - i);
    vec s = axpy(load(sum + i), a0, load_part(b, part));
    if (rows > 1) {
        s = axpy(axpy(s, a1, load_part(b + row, part)), a2, load_part(b + 2 * row, part));
        s = axpy(s, a3, load_part(b + 3 * row, part));
    }
    store(sum + i, s);
}

/* A single row, wide: four rows of b at a time stream past, and the sums of `depth` of them wait in the nearest cache. */
static void single_row(const ag__product *p, const area *r) {
    enum { ACROSS = SMALL / sizeof(REAL) };
    REAL *sum = r->panel;
    for (int64_t j = r->left, cols; j < r->right; j += cols) {
        cols = least(ACROSS, r->right - j);
        REAL *c = (REAL *)p->c + j;
        for (int64_t from = 0, depth; from < p->k || (from == 0 && !p->add); from += depth) {
            depth = least(p->depth, p->k - from);
            const REAL *a = (const REAL *)p->a.data + from * p->a.col;
            const REAL *b = (const REAL *)p->b.data + from * p->b.row + j;
            memset(sum, 0, SMALL);
            int64_t q = 0;
            for (; q + 4 <= depth; q += 4) stream(sum, cols, a + q * p->a.col, p->a.col, b + q * p->b.row, p->b.row, 4);
            for (; q < depth; q++) stream(sum, cols, a + q * p->a.col, p->a.col, b + q * p->b.row, p->b.row, 1);
            for (int64_t i = 0; i < cols; i++) c[i] = p->add || from > 0 ? c[i] + sum[i] : sum[i];
            if (depth == 0) return;
        }
    }
}

static void scalar_products(const ag__product *p, const area *r) {
    for (int64_t i = r->top, high; i < r->bottom; i += high) {
        high = least(DOT_ROWS, r->bottom - i);
        for (int64_t j = r->left, broad; j < r->right; j += broad) {
            broad = least(DOT_COLS, r->right - j);
            block t = {.a_row = p->a.row, .b_row = p->b.col, .c = (REAL *)p->c + i * p->c_row + j, .c_row = p->c_row};
            for (int64_t from = 0; from < p->k; from += t.k) {
                t.a = (const REAL *)p->a.data + i * p->a.row + from;
                t.b = (const REAL *)p->b.data + j * p->b.col + from;
                t.k = least(p->depth, p->k - from);
                t.add = p->add || from > 0;
                dots[high - 1][broad - 1](&t);
            }
        }
    }
}

static void run(const ag__product *p, int64_t begin, int64_t end, void *work) {
    _Alignas(LINE) REAL near[SMALL / sizeof(REAL)];
    area r = {.strips = p->work ? work : near};
    r.panel = r.strips + strips_size(p);
    for (int64_t i = begin; i < end; i++) {
        int64_t down = i ? i / p->across : 0; /* a small product is one tile, and would wait for the division */
        r.top = down * p->rows, r.bottom = least(r.top + p->rows, p->m);
        r.left = (i - down * p->across) * p->cols, r.right = least(r.left + p->cols, p->n);
        if (p->dots) scalar_products(p, &r);
        else if (p->row) single_row(p, &r);
        else rectangle(p, &r);
    }
}
