/* gemm_plan.h: how a product is computed follows from its shape and strides, and from the caches. */
enum { SMALL = 4096, MOST_TILES = 16, MILLION = 1 << 20, MOST_DEPTH = BITS == 32 ? 512 : 384, FEW = 4 };
enum { DOT_DEPTH = 4096, PAGE = 4096 };

/* Elements: strips come first in the memory of a tile, then the panel, both in whole cache lines. */
static int64_t strips_size(const ag__product *p) {
    return p->strips ? round_up(p->rows * p->depth, LINE / sizeof(REAL)) : 0;
}
static int64_t panel_size(const ag__product *p) { return p->depth * least(round_up(p->n, LANES), WIDE); }

/* k in equal blocks of at most `limit`. */
static int64_t depth_of(int64_t k, int64_t limit) {
    return k > limit ? round_up(parts(k, parts(k, limit)), 8) : most(k, 1);
}

/* Cycles, about: what the tiles take, and what turning costs where the rows of b, or of c, do not lie along a vector. */
static int64_t cost(int64_t m, int64_t n, int64_t k, int64_t col, bool turned) {
    return m * round_up(n, LANES) / (2 * LANES) * k + (col == 1 ? 0 : n * k / 4) + (turned ? m * n / 4 : 0);
}

static void turn_product(ag__product *p) {
    ag__matrix a = p->a;
    int64_t m = p->m;
    p->a = (ag__matrix){p->b.data, p->b.col, p->b.row}, p->b = (ag__matrix){a.data, a.col, a.row};
    p->m = p->n, p->n = m;
    p->turned = true;
}

/* c is cut into tiles for threads: by columns, which costs nothing, and by rows, of which 64 repay a panel of their own. A
 * tile is no higher than what of a stays in the second cache. */
static void cut(ag__product *p, const ag__caches *caches) {
    double work = (double)p->m * (double)p->n * (double)p->k / MILLION;
    int64_t line = p->depth * (int64_t)sizeof(REAL), near = caches->l2 / 2, wide = p->strips ? 512 : 2 * WIDE;
    if (p->b.col != 1) near = caches->l2 * 2 / 3;
    p->down = p->across = 1, p->rows = p->m, p->cols = p->n;
    if (work >= 0.4 || (p->m > 64 && p->m > near / line)) {
        int64_t high = most(near / line, 64);
        int64_t tiles = work < 4 ? 2 : (int64_t)(4 + least((int64_t)(work / 32), MOST_TILES - 4)) & ~1;
        p->down = parts(p->m, high);
        p->across = most(1, least(parts(tiles, p->down), p->n / wide));
        if (p->down * p->across < tiles) p->down = most(p->down, least(parts(tiles, p->across), p->m / 64));
        if (p->down * p->across == 1 && p->n >= 4 * LANES) p->across = 2; /* narrow ones are better than none */
        p->rows = round_up(parts(p->m, p->down), ROWS), p->cols = round_up(parts(p->n, p->across), LANES);
        p->down = parts(p->m, p->rows), p->across = parts(p->n, p->cols);
    }
    p->tiles = p->down * p->across;
}

/* The panel fills the nearest cache twice: it streams from the second one as well. */
static int64_t depth_limit(const ag__product *p, const ag__caches *caches) {
    return p->dots ? DOT_DEPTH : least(caches->l1 / (4 * WIDE * (int64_t)sizeof(REAL)) * 8, MOST_DEPTH);
}

/* Bytes from the first row of b to the last within which it is read where it lies. Rows far apart would push each other out
 * of the nearest cache; a panel of few vectors stays there, and soon repays what it costs. */
static int64_t direct_limit(const ag__product *p, const ag__caches *caches) {
    if (p->b.row * (int64_t)sizeof(REAL) > PAGE / 2) return caches->l1 / 3;
    return VECS > 2 ? caches->l2 / 2 : caches->l2 / 8;
}

/* Strips repay where no stride of a is one, and where its columns lie whole pages apart: these would all have the same few
 * places in a cache, and push each other out. */
static bool needs_strips(const ag__product *p) {
    if (p->dots || p->row || p->lean || p->a.col == 1 || p->n <= 2 * WIDE) return false;
    return p->a.row != 1 || (p->m > ROWS && p->a.col != 0 && p->a.col * (int64_t)sizeof(REAL) % PAGE == 0);
}

static void plan(ag__product *p, const ag__caches *caches) {
    const int64_t size = sizeof(REAL);
    if (p->m == 1) p->a.row = 1;
    if (p->n == 1) p->b.col = 1;
    p->turned = false;
    p->dots = p->a.col == 1 && p->b.row == 1 && p->k >= 2 * LANES && least(p->m, p->n) <= FEW;
    bool fits = p->b.col == 1 && p->n % LANES == 0; /* as it lies, nothing costs less */
    if (!p->dots && !fits && cost(p->n, p->m, p->k, p->a.row, true) < cost(p->m, p->n, p->k, p->b.col, false))
        turn_product(p);
    p->row = !p->dots && p->m == 1 && p->b.col == 1 && p->n > 2 * WIDE && (!p->turned || p->c_row == 1);
    p->depth = depth_of(p->k, depth_limit(p, caches));
    p->direct = p->m <= 2 * ROWS || p->k * p->b.row * size <= direct_limit(p, caches);
    p->strips = needs_strips(p);
    cut(p, caches);
    p->work = 0;
    bool reads = p->dots || p->row || (p->direct && p->b.col == 1 && (LOADS_PART || p->n % LANES == 0));
    if (!reads) p->work += panel_size(p) * size;
    if (p->strips) p->work += strips_size(p) * size;
    if (p->work <= SMALL) p->work = 0;
}
