/* chain.c: the loop every elementwise op runs through, alone or in a chain that never writes its inner results to memory.
 *
 *     d = g (1 − y²)          sources   steps                 one tile of all of it, then the next
 *                             g, y ─▶   t₀ = square(y)        g ──────────────┐
 *                                       t₁ = mul(g, t₀)       y ─▶ t₀ ─▶ t₁ ─▶ d        t in slots of a few KB
 *                                       d  = sub(g, t₁)
 *
 * A chain is a node and those above it that are pending: recorded, not computed. An op called by itself is the chain of length
 * one, and a step sees the same row loops in both cases, so the values are the same to the last bit.
 *
 * The domain is rows × inner: axes that all sources step through alike are merged, and inner is cut into tiles:
 *
 *     stride 1 ─▶ the source itself;   stride 0 ─▶ a slot filled with the one value;   other ─▶ a slot gathered
 *
 * Rows too short to be worth a call each are taken several at a time, as one run of the output; what does not lie like that is
 * gathered row by row, a row that repeats only once. The output is row-major, so tiles of it may be computed by several threads
 * in any order. */
#include "autograd/node.h"
#include "ops/map.h"

enum {
    SOURCES = 12,
    STEPS = AG__CHAIN + 1, /* and one that adds */
    SLOTS = 7,
    SLOT = 1024, /* bytes: a tile of a step's result */
    GRAIN = 16384,
    OUT = SOURCES + STEPS, /* the register that is the output: what stands there */
    SHORT = 64,            /* elements of a row that is not worth a call */
    NOWHERE = -1
};

typedef uint64_t __attribute__((may_alias)) word64;
typedef uint32_t __attribute__((may_alias)) word32;

typedef struct source {
    const ag_tensor *x;
    int64_t stride[AG_MAX_RANK]; /* bytes */
    size_t element;
    int slot; /* where it is gathered; NOWHERE: read in place */
} source;

typedef struct step {
    ag__row_fn *run;
    double p, q;
    const ag_tensor *y; /* NULL: the one that adds */
    int arity, in[3];   /* registers: sources from 0, results from SOURCES, OUT */
    int slot;           /* of the result; NOWHERE: the output */
} step;

typedef struct chain {
    source source[SOURCES];
    step step[STEPS];
    int sources, steps, rank, slots;
    int64_t dim[AG_MAX_RANK];
    int64_t inner, tile, tiles; /* elements of a row, elements of a tile, tiles of a row */
    int64_t part; /* short rows: the length of one, `inner` being that of all along the axis before; else 0 */
    char *out;
    size_t element; /* of the output */
} chain;

static void gather_run(size_t element, const char *from, int64_t by, int64_t n, void *to) {
    if (element == 8) {
        for (int64_t i = 0; i < n; i++) ((word64 *)to)[i] = *(const word64 *)(const void *)(from + i * by);
    } else if (element == 4) {
        for (int64_t i = 0; i < n; i++) ((word32 *)to)[i] = *(const word32 *)(const void *)(from + i * by);
    } else {
        for (int64_t i = 0; i < n; i++) ((char *)to)[i] = from[i * by];
    }
}

/* Where row `row` of each source begins. */
static void seek(const chain *c, int64_t row, const char *at[SOURCES]) {
    for (int k = 0; k < c->sources; k++) at[k] = c->source[k].x->data;
    for (int i = c->rank - (c->part ? 3 : 2); i >= 0; i--) {
        int64_t index = row % c->dim[i];
        row /= c->dim[i];
        for (int k = 0; k < c->sources; k++) at[k] += index * c->source[k].stride[i];
    }
}

/* Source x, whose row begins at `at`, from element `first` of the row on, n elements; into its slot if it has one. */
static const void *fetch(const chain *c, const source *x, const char *at, int64_t first, int64_t n, bool moved,
                         char slot[]) {
    int64_t by = x->stride[c->rank - 1], across = c->part ? x->stride[c->rank - 2] : 0;
    if (!c->part) {
        at += first * by;
        if (x->slot == NOWHERE) return at;
        if (by || moved) gather_run(x->element, at, by, n, slot);
        return slot;
    }
    if (x->slot == NOWHERE) return at + first * by;
    if (!across && !moved) return slot;
    at += first / c->part * across;
    for (int64_t i = 0; i < n; i += c->part, at += across)
        gather_run(x->element, at, by, c->part, slot + (size_t)i * x->element);
    return slot;
}

/* Where a chain is being run. */
typedef struct place {
    _Alignas(64) char slot[SLOTS][SLOT];
    const char *at[SOURCES]; /* where `row` of each source begins */
    int64_t row;             /* NOWHERE: single values must be spread again, as for any other row */
} place;

/* Elements [first, first + n) of a row, n ≤ tile, to `out`. */
static void run_tile(const chain *c, place *p, int64_t row, int64_t first, int64_t n, char *out) {
    const void *reg[OUT + 1];
    bool moved = row != p->row;
    if (moved) seek(c, row, p->at);
    p->row = row;
    for (int k = 0; k < c->sources; k++) {
        const source *x = &c->source[k];
        reg[k] = fetch(c, x, p->at[k], first, n, moved, p->slot[x->slot == NOWHERE ? 0 : x->slot]);
    }
    reg[OUT] = out;
    for (int k = 0; k < c->steps; k++) {
        const step *s = &c->step[k];
        const void *in[3] = {reg[s->in[0]], reg[s->in[1]], reg[s->in[2]]};
        void *to = s->slot == NOWHERE ? out : p->slot[s->slot];
        s->run(n, in, to, s->p, s->q);
        reg[SOURCES + k] = to;
    }
}

/* Tiles [begin, end) of the domain, counted row by row. */
static void run_tiles(void *context, int64_t begin, int64_t end) {
    const chain *c = context;
    place p;
    int64_t row = begin / c->tiles, first = begin % c->tiles * c->tile;
    p.row = NOWHERE;
    for (int64_t tile = begin; tile < end; tile++) {
        int64_t n = c->inner - first < c->tile ? c->inner - first : c->tile;
        run_tile(c, &p, row, first, n, c->out + (size_t)(row * c->inner + first) * c->element);
        first += c->tile;
        if (first < c->inner) continue;
        first = 0;
        row++;
    }
}

static int source_of(chain *c, const ag_tensor *x) {
    int k = 0;
    while (k < c->sources && c->source[k].x != x) k++;
    if (k == SOURCES) return NOWHERE;
    if (k == c->sources)
        c->source[c->sources++] = (source){.x = x, .element = ag__dtype_bytes[x->dtype], .slot = NOWHERE};
    return k;
}

/* The pending nodes above y and y itself, in the order they were recorded; 0: too many. */
static int collect(ag_tensor *y, ag_tensor *node[STEPS]) {
    int n = 1;
    node[0] = y;
    for (int i = 0; i < n; i++) {
        for (uint32_t k = 0; k < node[i]->nin; k++) {
            ag_tensor *x = node[i]->in[k];
            int j = 0;
            if (!(x->flags & AG__PENDING)) continue;
            while (j < n && node[j] != x) j++;
            if (j < n) continue;
            if (n == AG__CHAIN) return 0;
            node[n++] = x;
        }
    }
    for (int i = 1; i < n; i++) {
        ag_tensor *x = node[i];
        int j = i;
        for (; j > 0 && node[j - 1]->index > x->index; j--) node[j] = node[j - 1];
        node[j] = x;
    }
    return n;
}

static bool add_step(chain *c, ag_tensor *y) {
    step s = {.y = y, .arity = (int)y->nin, .slot = NOWHERE};
    s.run = ag__map_loop(y);
    ag__map_scalars(y, &s.p, &s.q);
    for (int k = 0; k < s.arity; k++) {
        const ag_tensor *x = y->in[k];
        int j = 0;
        while (j < c->steps && c->step[j].y != x) j++;
        s.in[k] = j < c->steps ? SOURCES + j : source_of(c, x);
        if (s.in[k] == NOWHERE) return false;
    }
    c->step[c->steps++] = s;
    return true;
}

/* Axes of the output, those of extent 1 left out and those that all sources step through as one merged. */
static void lay_out(chain *c, const ag__shape *s) {
    for (int axis = 0; axis < s->rank; axis++) {
        if (s->dim[axis] == 1) continue;
        int64_t by[SOURCES];
        bool merges = c->rank > 0;
        for (int k = 0; k < c->sources; k++) {
            const ag_tensor *x = c->source[k].x;
            int own = axis - (s->rank - x->shape->rank);
            by[k] = own < 0 || x->shape->dim[own] == 1 ? 0 : ag__stride(x, own) * (int64_t)c->source[k].element;
            merges = merges && c->source[k].stride[c->rank - 1] == by[k] * s->dim[axis];
        }
        int to = merges ? c->rank - 1 : c->rank++;
        c->dim[to] = merges ? c->dim[to] * s->dim[axis] : s->dim[axis];
        for (int k = 0; k < c->sources; k++) c->source[k].stride[to] = by[k];
    }
    if (c->rank == 0) {
        c->dim[c->rank++] = 1;
        for (int k = 0; k < c->sources; k++) c->source[k].stride[0] = (int64_t)c->source[k].element;
    }
    c->inner = c->dim[c->rank - 1];
    if (c->rank < 2 || c->inner > SHORT) return;
    c->part = c->inner;
    c->inner *= c->dim[c->rank - 2];
}

/* Does x lie in memory as a row of the output does? */
static bool in_place(const chain *c, const source *x) {
    int64_t element = (int64_t)x->element;
    return x->stride[c->rank - 1] == element && (!c->part || x->stride[c->rank - 2] == c->part * element);
}

/* Slots for sources that are not read in place, for good, and for results, until their last use. The output of a step is none
 * of its inputs' slots: elements may differ in size. False: too few. */
static bool give_slots(chain *c) {
    int last[STEPS], owner[SLOTS];
    for (int k = 0; k < SLOTS; k++) owner[k] = NOWHERE;
    for (int k = 0; k < c->sources; k++) {
        source *x = &c->source[k];
        if (in_place(c, x)) continue;
        if (c->slots == SLOTS) return false;
        x->slot = c->slots;
        owner[c->slots++] = STEPS; /* nobody's to take */
    }
    for (int s = 0; s < c->steps; s++) {
        for (int k = 0; k < c->step[s].arity; k++) {
            if (c->step[s].in[k] >= SOURCES && c->step[s].in[k] < OUT) last[c->step[s].in[k] - SOURCES] = s;
        }
    }
    for (int s = 0; s < c->steps - 1; s++) {
        int k = 0;
        while (k < SLOTS && owner[k] != NOWHERE) k++;
        if (k == SLOTS) return false;
        if (k >= c->slots) c->slots = k + 1;
        c->step[s].slot = k;
        owner[k] = s;
        for (k = 0; k < SLOTS; k++) {
            if (owner[k] != NOWHERE && owner[k] != STEPS && owner[k] != s && last[owner[k]] <= s) owner[k] = NOWHERE;
        }
    }
    return true;
}

static bool compile(chain *c, ag_tensor *y, void *onto) {
    ag_tensor *node[STEPS];
    int n = collect(y, node);
    size_t widest = 1;
    if (n == 0) return false;
    for (int i = 0; i < n; i++) {
        if (!add_step(c, node[i])) return false;
    }
    c->element = ag__dtype_bytes[y->dtype];
    c->out = onto ? onto : y->data;
    if (onto) {
        int result = SOURCES + c->steps - 1;
        c->step[c->steps++] =
            (step){.run = ag__row_loop(AG__ROW_add, y->dtype), .arity = 2, .in = {OUT, result}, .slot = NOWHERE};
    }
    lay_out(c, y->shape);
    if (!give_slots(c)) return false;
    for (int i = 0; i < n; i++) {
        for (uint32_t k = 0; k < node[i]->nin; k++) {
            size_t element = ag__dtype_bytes[node[i]->in[k]->dtype];
            widest = element > widest ? element : widest;
        }
    }
    c->tile = c->slots ? SLOT / (int64_t)widest : GRAIN;
    if (c->part) c->tile -= c->tile % c->part;
    c->tiles = (c->inner + c->tile - 1) / c->tile;
    return true;
}

/* A chain in a profile: each node has an equal share of the time and of the bytes, those of the sources and of the output. */
AG__COLD static void profile(const chain *c, const ag_tensor *y, double start) {
    int n = c->steps;
    double bytes = ag__bytes_of(y);
    if (!c->step[n - 1].y) { /* added to what was there */
        bytes *= 2;
        n--;
    }
    for (int k = 0; k < c->sources; k++) bytes += ag__bytes_of(c->source[k].x);
    double seconds = (ag__now() - start) / n;
    for (int k = 0; k < n; k++) ag__profile_ran(c->step[k].y, bytes / n, start + k * seconds, seconds);
}

static void clear(chain *c) { c->sources = c->steps = c->rank = c->slots = 0, c->part = 0; }

bool ag__chain_run(ag_tensor *y, void *onto) {
    chain c;
    clear(&c);
    if (!compile(&c, y, onto)) { /* too long, or too wide: by what is above it first, which leaves one step */
        for (uint32_t k = 0; k < y->nin; k++) {
            if (y->in[k]->flags & AG__PENDING && !ag__settle(y->in[k])) return false;
        }
        clear(&c);
        compile(&c, y, onto);
    }
    bool profiled = y->flags & AG__PENDING && y->tape->watch & AG__WATCH_PROFILE; /* what runs at once, by its caller */
    double start = profiled ? ag__now() : 0;
    int64_t tiles = y->shape->size / c.inner * c.tiles, each = c.inner < c.tile ? c.inner : c.tile;
    if (y->shape->size < 2 * GRAIN || tiles == 1) {
        run_tiles(&c, 0, tiles);
    } else {
        ag_parallel_for(tiles, each < GRAIN ? GRAIN / each : 1, run_tiles, &c);
    }
    if (profiled) profile(&c, y, start);
    return true;
}

/* A chain read piece by piece by what folds it (ops/fold.c) */

const size_t ag__chain_bytes = sizeof(chain);

bool ag__chain_open(ag_tensor *x, void *memory) {
    enum { CHEAP = 3 }; /* steps: who else needs x runs them again */
    chain *c = memory;
    clear(c);
    if (x->out > CHEAP || !compile(c, x, NULL) || c->part) return false;
    double bytes = 0;
    for (int k = 0; k < c->sources; k++) bytes += ag__bytes_of(c->source[k].x);
    for (int k = 0; k < c->steps && x->tape->watch & AG__WATCH_PROFILE; k++)
        ag__profile_ran(c->step[k].y, bytes / c->steps, ag__now(), 0); /* the time is the fold's */
    return true;
}

void ag__chain_read(const void *memory, int64_t begin, int64_t n, char *out) {
    const chain *c = memory;
    place p;
    p.row = NOWHERE;
    for (int64_t row = begin / c->inner, first = begin % c->inner; n > 0; row++, first = 0) {
        for (int64_t k; first < c->inner && n > 0; first += k, n -= k, out += (size_t)k * c->element) {
            k = c->inner - first < c->tile ? c->inner - first : c->tile;
            if (k > n) k = n;
            run_tile(c, &p, row, first, k, out);
        }
    }
}
