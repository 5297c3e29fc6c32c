/* row_norm_tmpl.h: normalised rows, and their gradients, for elements of BITS bits.
 *
 *     moments about some s ─▶ out          two passes over a row, which is in the nearest cache for the second
 *
 * s is x[0], or, where that lies far out (which is rare), nearly the mean. With d = x − s, accurate to a rounding whatever
 * the mean, and δ = Σ d / n, which s lacks to be the mean,
 *
 *     var = Σ d² / n − δ²,  r = 1 / √(var + eps),  x̂ = (d − δ) r,  y = x̂ w + b
 *     h = g w:  ∂x = r (h − Σ h / n) − x̂ r Σ h x̂ / n,   ∂w += g x̂,  ∂b += g
 *
 * where δ² is at most a few times var: nothing cancels. */
#include <math.h>

#include "ops/kernels/gemm_vector.h"

enum { BLOCK = 64 * LANES, FLUSH = 64 };

/* A row as its moments say it is. wide: REAL is too narrow for its squares. */
typedef struct row {
    REAL s, lack, r;
    bool wide;
} row;

/* Σ d, Σ d², Σ h, Σ h d, each with the error of its additions. */
typedef struct sums {
    double s[4], lost[4];
} sums;

INLINE void add_one(sums *a, int k, double v) {
    double old = a->s[k], now = old + v, part = now - old;
    a->lost[k] += (old - (now - part)) + (v - part);
    a->s[k] = now;
}

/* Never inlined: it ends each block of a row, and there are many places. Four numbers, since an array would go through memory. */
static __attribute__((noinline)) void add(sums *a, double d, double q, double g, double h) {
    add_one(a, 0, d);
    add_one(a, 1, q);
    add_one(a, 2, g);
    add_one(a, 3, h);
}

static void settle(sums *a) {
    for (int k = 0; k < 4; k++) {
        a->s[k] += isfinite(a->lost[k]) ? a->lost[k] : 0;
        a->lost[k] = 0;
    }
}

/* Σ over the lanes: each is added to the one whose number differs in one bit, for every bit. */
#define TURN1(bit) 0 ^ (bit), 1 ^ (bit)
#define TURN2(bit) TURN1(bit), 2 ^ (bit), 3 ^ (bit)
#define TURN3(bit) TURN2(bit), 4 ^ (bit), 5 ^ (bit), 6 ^ (bit), 7 ^ (bit)
#define TURN4(bit) \
    TURN3(bit), 8 ^ (bit), 9 ^ (bit), 10 ^ (bit), 11 ^ (bit), 12 ^ (bit), 13 ^ (bit), 14 ^ (bit), 15 ^ (bit)
#if LANES_LOG == 4
#define TURNED(v, bit) __builtin_shufflevector(v, v, TURN4(bit))
#elif LANES_LOG == 3
#define TURNED(v, bit) __builtin_shufflevector(v, v, TURN3(bit))
#elif LANES_LOG == 2
#define TURNED(v, bit) __builtin_shufflevector(v, v, TURN2(bit))
#else
#define TURNED(v, bit) __builtin_shufflevector(v, v, TURN1(bit))
#endif

INLINE double across(vec v) {
#if LANES_LOG > 3
    v += TURNED(v, 8);
#endif
#if LANES_LOG > 2
    v += TURNED(v, 4);
#endif
#if LANES_LOG > 1
    v += TURNED(v, 2);
#endif
    v += TURNED(v, 1);
    return (double)v[0];
}

/* Four sums in lanes. */
typedef struct four {
    vec d, q, g, h;
} four;

/* One vector's worth; g: Σ h and Σ h d too, h = g w, or g without w. */
INLINE void step(const REAL *x, const REAL *g, const REAL *w, REAL s, four *a) {
    vec d = load(x) - s;
    a->d += d;
    a->q = muladd(a->q, d, d);
    if (!g) return;
    vec h = w ? load(g) * load(w) : load(g);
    a->g += h;
    a->h = muladd(a->h, h, d);
}

/* Adds the moments of n neighbours about s. */
INLINE void add_moments(const REAL *x, const REAL *g, const REAL *w, int64_t n, REAL s, sums *a) {
    for (int64_t i = 0, end; i < n; i = end) {
        four even = {{0}, {0}, {0}, {0}}, odd = even;
        double rest[4] = {0};
        end = n - i < BLOCK ? n : i + BLOCK;
        for (; i + 2 * LANES <= end; i += 2 * LANES) {
            step(x + i, g ? g + i : NULL, w ? w + i : NULL, s, &even);
            step(x + i + LANES, g ? g + i + LANES : NULL, w ? w + i + LANES : NULL, s, &odd);
        }
        if (i + LANES <= end) {
            step(x + i, g ? g + i : NULL, w ? w + i : NULL, s, &even);
            i += LANES;
        }
        for (; i < end; i++) {
            REAL d = x[i] - s, h = g ? (w ? g[i] * w[i] : g[i]) : 0;
            rest[0] += (double)d;
            rest[1] += (double)d * (double)d;
            rest[2] += (double)h;
            rest[3] += (double)h * (double)d;
        }
        add(a, across(even.d + odd.d) + rest[0], across(even.q + odd.q) + rest[1],
            g ? across(even.g + odd.g) + rest[2] : 0, g ? across(even.h + odd.h) + rest[3] : 0);
    }
}

/* From Σ d and Σ d² about s. True: s is too far from the mean, which is nearly *next. */
static bool far_out(const ag__row_norm_job *j, REAL s, sums *a, row *r, REAL *next) {
    if (j->n > BLOCK) settle(a);
    double per = 1 / (double)j->n, lack = j->centred ? a->s[0] * per : 0, var = a->s[1] * per - lack * lack;
    bool fits = a->s[1] <= 1e37 && isfinite(a->s[2]) && isfinite(a->s[3]) && (var > 1e-30 || j->eps > 1e-20);
    *r = (row){s, (REAL)lack, (REAL)(1 / sqrt((var < 0 ? 0 : var) + j->eps)), BITS == 32 && !fits};
    *next = (REAL)((double)s + lack);
    return lack * lack > 4 * var;
}

/* In double: rare, and short rather than fast */
#define RARE static __attribute__((noinline, cold))

RARE void wide_row(const ag__row_norm_job *j, const REAL *x, double *mean, double *r) {
    double sum = 0, squares = 0, n = (double)j->n;
    for (int64_t i = 0; j->centred && i < j->n; i++) sum += (double)x[i];
    *mean = sum / n;
    for (int64_t i = 0; i < j->n; i++) squares += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *r = 1 / sqrt(squares / n + j->eps);
}

/* w and b: the row's own, or NULL */
RARE void wide_forward(const ag__row_norm_job *j, const REAL *x, const REAL *w, const REAL *b, REAL *y) {
    double mean, r;
    wide_row(j, x, &mean, &r);
    for (int64_t i = 0; i < j->n; i++) {
        int64_t c = i / j->inner;
        y[i] = (REAL)(((double)x[i] - mean) * r * (w ? (double)w[c] : 1) + (b ? (double)b[c] : 0));
    }
}

RARE void wide_backward(const ag__row_norm_job *j, const REAL *x, const REAL *g, const REAL *w, REAL *d, double *dw,
                        double *db) {
    double mean, r, sum = 0, moment = 0, n = (double)j->n;
    wide_row(j, x, &mean, &r);
    for (int64_t i = 0; i < j->n; i++) {
        int64_t c = i / j->inner;
        double h = (double)g[i] * (w ? (double)w[c] : 1), hat = ((double)x[i] - mean) * r;
        sum += j->centred ? h : 0;
        moment += h * hat;
        if (dw) dw[c] += (double)g[i] * hat;
        if (db) db[c] += (double)g[i];
    }
    for (int64_t i = 0; i < j->n; i++) {
        double h = (double)g[i] * (w ? (double)w[i / j->inner] : 1), hat = ((double)x[i] - mean) * r;
        d[i] = (REAL)(r * (h - sum / n - hat * moment / n));
    }
}

/* Forward */

/* n neighbours of a row, their weights and biases side by side (in order: one each). */
INLINE void put(const REAL *x, const REAL *w, const REAL *b, bool in_order, int64_t n, row r, REAL *y) {
    int64_t i = 0;
    REAL move = -r.lack * r.r;
    vec scale = (vec){0} + r.r, shift = (vec){0} + move;
    vec w0 = (vec){0} + (w ? w[0] : 1), b0 = (vec){0} + (b ? b[0] : 0);
    for (; i + LANES <= n; i += LANES) {
        vec hat = muladd(shift, load(x + i) - r.s, scale);
        if (w || b) hat = muladd(b && in_order ? load(b + i) : b0, hat, w && in_order ? load(w + i) : w0);
        store(y + i, hat);
    }
    for (; i < n; i++) {
        REAL hat = FMA(x[i] - r.s, r.r, move), wi = w ? w[in_order ? i : 0] : 1, bi = b ? b[in_order ? i : 0] : 0;
        y[i] = w || b ? FMA(hat, wi, bi) : hat;
    }
}

static row row_of(const ag__row_norm_job *j, const REAL *x) {
    REAL s = j->centred ? x[0] : 0;
    row r;
    for (int pass = 0; pass < 2; pass++) {
        sums a = {{0}, {0}};
        add_moments(x, NULL, NULL, j->n, s, &a);
        if (!far_out(j, s, &a, &r, &s)) break;
    }
    return r;
}

static void forward(const ag__row_norm_job *j, int64_t first, int64_t last) {
    int64_t n = j->n, k = n / j->inner;
    for (int64_t i = first; i < last; i++) {
        int64_t at = i % j->period * k;
        const REAL *x = (const REAL *)j->x + i * n, *w = j->weight ? (const REAL *)j->weight + at : NULL;
        const REAL *b = j->bias ? (const REAL *)j->bias + at : NULL;
        REAL *y = (REAL *)j->out + i * n;
        row r = row_of(j, x);
        if (BITS == 32 && r.wide) {
            wide_forward(j, x, w, b, y);
        } else if (j->inner == 1) {
            put(x, w, b, true, n, r, y);
        } else {
            for (int64_t c = 0, run = 0; c < k; c++, run += j->inner)
                put(x + run, w ? w + c : NULL, b ? b + c : NULL, false, j->inner, r, y + run);
        }
    }
}

/* Backward */

/* ∂x = a (h − mean h) + b d + c, with the row's sums */
typedef struct slope {
    REAL a, mean, b, c;
} slope;

static slope slope_of(const ag__row_norm_job *j, row r, const sums *a) {
    double n = (double)j->n, rr = (double)r.r, moment = rr * (a->s[3] - (double)r.lack * a->s[2]) / n;
    return (slope){r.r, (REAL)(j->centred ? a->s[2] / n : 0), (REAL)(-rr * rr * moment),
                   (REAL)(rr * rr * moment * (double)r.lack)};
}

/* n neighbours of a row; dw and db: what they are added to, or NULL. */
INLINE void put_back(const REAL *x, const REAL *g, const REAL *w, bool in_order, int64_t n, row r, slope s, REAL *d,
                     REAL *dw, REAL *db) {
    int64_t i = 0;
    REAL move = -r.lack * r.r;
    vec w0 = (vec){0} + (w ? w[0] : 1), a = (vec){0} + s.a, b = (vec){0} + s.b, c = (vec){0} + s.c;
    for (; i + LANES <= n; i += LANES) {
        vec gi = load(g + i), di = load(x + i) - r.s, h = gi * (w && in_order ? load(w + i) : w0);
        store(d + i, muladd(muladd(c, di, b), h - s.mean, a));
        if (!dw) continue;
        store(dw + i, muladd(load(dw + i), gi, muladd((vec){0} + move, di, (vec){0} + r.r)));
        store(db + i, load(db + i) + gi);
    }
    for (; i < n; i++) {
        REAL gi = g[i], di = x[i] - r.s, h = w ? gi * w[in_order ? i : 0] : gi;
        d[i] = FMA(h - s.mean, s.a, FMA(di, s.b, s.c));
        if (!dw) continue;
        dw[i] = FMA(gi, FMA(di, r.r, move), dw[i]);
        db[i] += gi;
    }
}

/* A row of weights one an element. */
static void back_row(const ag__row_norm_job *j, int64_t i, int64_t at, REAL *dw, REAL *db) {
    int64_t n = j->n;
    const REAL *x = (const REAL *)j->x + i * n, *g = (const REAL *)j->g + i * n;
    const REAL *w = j->weight ? (const REAL *)j->weight + at : NULL;
    REAL *d = (REAL *)j->out + i * n, s = j->centred ? x[0] : 0;
    row r;
    slope back;
    for (int pass = 0; pass < 2; pass++) {
        sums a = {{0}, {0}};
        if (w) {
            add_moments(x, g, w, n, s, &a);
        } else {
            add_moments(x, g, NULL, n, s, &a);
        }
        bool far = far_out(j, s, &a, &r, &s);
        back = slope_of(j, r, &a);
        if (!far) break;
    }
    if (BITS == 32 && r.wide) {
        wide_backward(j, x, g, w, d, j->dweight ? j->dweight + at : NULL, j->dbias ? j->dbias + at : NULL);
    } else if (dw) {
        put_back(x, g, w, true, n, r, back, d, dw + at, db + at);
    } else {
        put_back(x, g, w, true, n, r, back, d, NULL, NULL);
    }
}

/* Σ over a row of what its k runs have: a run's Σ g and Σ g d, with which scratch is filled too, serve ∂x, ∂w and ∂b. */
static void add_runs(const ag__row_norm_job *j, const REAL *x, const REAL *g, const REAL *w, REAL s, sums *all) {
    for (int64_t c = 0, run = 0; run < j->n; c++, run += j->inner) {
        sums a = {{0}, {0}};
        double wc = w ? (double)w[c] : 1;
        add_moments(x + run, g + run, NULL, j->inner, s, &a);
        settle(&a);
        add(all, a.s[0], a.s[1], wc * a.s[2], wc * a.s[3]);
        if (!j->dweight) continue;
        j->scratch[2 * c] = a.s[2];
        j->scratch[2 * c + 1] = a.s[3];
    }
    settle(all);
}

/* A row of weights one a run. */
static void back_runs(const ag__row_norm_job *j, int64_t i, int64_t at) {
    int64_t n = j->n;
    const REAL *x = (const REAL *)j->x + i * n, *g = (const REAL *)j->g + i * n;
    const REAL *w = j->weight ? (const REAL *)j->weight + at : NULL;
    REAL *d = (REAL *)j->out + i * n, s = j->centred ? x[0] : 0;
    double *dw = j->dweight ? j->dweight + at : NULL, *db = j->dbias ? j->dbias + at : NULL;
    row r;
    slope back;
    for (int pass = 0; pass < 2; pass++) {
        sums all = {{0}, {0}};
        add_runs(j, x, g, w, s, &all);
        bool far = far_out(j, s, &all, &r, &s);
        back = slope_of(j, r, &all);
        if (!far) break;
    }
    if (BITS == 32 && r.wide) {
        wide_backward(j, x, g, w, d, dw, db);
        return;
    }
    for (int64_t c = 0, run = 0; run < n; c++, run += j->inner) {
        put_back(x + run, g + run, w ? w + c : NULL, false, j->inner, r, back, d + run, NULL, NULL);
        if (!dw) continue;
        db[c] += j->scratch[2 * c];
        dw[c] += (double)r.r * (j->scratch[2 * c + 1] - (double)r.lack * j->scratch[2 * c]);
    }
}

static void flush(REAL *from, double *to, int64_t n) {
    for (int64_t i = 0; i < n; i++) to[i] += (double)from[i];
    memset(from, 0, (size_t)n * sizeof *from);
}

static void backward(const ag__row_norm_job *j, int64_t first, int64_t last) {
    int64_t k = j->n / j->inner, columns = k * j->period;
    REAL *dw = j->dweight && j->inner == 1 ? (REAL *)(void *)j->scratch : NULL, *db = dw ? dw + columns : NULL;
    if (dw) memset(dw, 0, (size_t)(2 * columns) * sizeof *dw);
    for (int64_t i = first; i < last; i++) {
        if (j->inner > 1) {
            back_runs(j, i, i % j->period * k);
            continue;
        }
        back_row(j, i, i % j->period * k, dw, db);
        if (!dw || (i + 1 < last && (i + 1 - first) % (FLUSH * j->period))) continue;
        flush(dw, j->dweight, columns);
        flush(db, j->dbias, columns);
    }
}
