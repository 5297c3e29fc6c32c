/* reference_random.c: random ops with their own Philox, one place at a time: the words, and functions of them by libm. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "ops/reference.h"

/* Philox4x32-10, from the paper's round (Salmon et al. 2011) */
static void philox(uint64_t key, const uint32_t in[4], uint32_t out[4]) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    memcpy(out, in, 4 * sizeof *out);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53 * out[0], b = (uint64_t)0xCD9E8D57 * out[2];
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ out[1] ^ k0, (uint32_t)b, (uint32_t)(a >> 32) ^ out[3] ^ k1, (uint32_t)a};
        memcpy(out, next, sizeof next);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
}

typedef struct source {
    uint64_t key, draw;
} source;

/* The random node that y is made of: y itself, or one among the inputs. */
static const ag_tensor *random_node(const ag_tensor *y) {
    if (!ag_op_of(y) || ag_op_of(y)->flags & AG_RANDOM) return ag_op_of(y) ? y : NULL;
    for (int i = 0; i < ag_input_count(y); i++) {
        const ag_tensor *found = random_node(ag_input(y, i));
        if (found) return found;
    }
    return NULL;
}

static source source_of(const problem *p) {
    char text[SAMPLE_TEXT];
    const ag_tensor *made = random_node(p->y);
    cr_assert(made, "%s: nothing random", p->s->text);
    ag_attr_text(made, text, sizeof text);
    cr_assert(strncmp(text, "draw=", 5) == 0, "a random op's first attribute is its draw, not '%s'", text);
    return (source){(uint64_t)ag_i64(ag_input(made, ag_input_count(made) - 1))[0], (uint64_t)strtoll(text + 5, NULL, 10)};
}

/* Groups of 64 places: 16 counters, of which first all the words 0 are used, then all the words 1, … */
static uint32_t half_word(const source *s, int64_t i, uint32_t side) {
    int64_t counter = i / 64 * 16 + i % 16;
    uint32_t out[4],
        in[4] = {(uint32_t)counter, (uint32_t)(counter >> 32) | side, (uint32_t)s->draw, (uint32_t)(s->draw >> 32)};
    philox(s->key, in, out);
    return out[i % 64 / 16];
}

static uint32_t word(const source *s, int64_t i) { return half_word(s, i, 0); }
static uint64_t long_word(const source *s, int64_t i) {
    return (uint64_t)word(s, i) << 32 | half_word(s, i, UINT32_C(1) << 31);
}

/* In [0, 1), and in the middles of the intervals of (0, 1) */
static double unit(const source *s, int64_t i, ag_dtype dtype) {
    return dtype == AG_F32 ? (double)(word(s, i) >> 8) * 0x1p-24 : (double)(long_word(s, i) >> 11) * 0x1p-53;
}
static double middle(const source *s, int64_t i, ag_dtype dtype) {
    return dtype == AG_F32 ? ((double)(word(s, i) >> 1) + 0.5) * 0x1p-31 : ((double)(long_word(s, i) >> 12) + 0.5) * 0x1p-52;
}

static double z(const source *s, int64_t i, ag_dtype dtype) {
    int64_t first = i % 32 < 16 ? i : i - 16;
    double v = dtype == AG_F32 ? (double)word(s, first + 16) * 0x1p-32 : (double)long_word(s, first + 16) * 0x1p-64;
    double r = sqrt(-2 * log(middle(s, first, dtype))), phi = 6.28318530717958648 * v;
    return first == i ? r * cos(phi) : r * sin(phi);
}

static double kept(const source *s, int64_t i, double p) { return (double)word(s, i) * 0x1p-32 >= p ? 1 / (1 - p) : 0; }

/* A shape alone */

static double *created(problem *p) {
    return reference_out(p, 0, reference_dtype(p, "dtype", AG_F32), reference_shape(p, "shape"));
}

static void uniform(problem *p) {
    double *y = created(p), low = reference_number(p, "low", 0), high = reference_number(p, "high", 1);
    source s = source_of(p);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = low + (high - low) * unit(&s, i, p->out[0].dtype);
}

static void randn(problem *p) {
    double *y = created(p), mean = reference_number(p, "mean", 0), std = reference_number(p, "std", 1);
    source s = source_of(p);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = mean + std * z(&s, i, p->out[0].dtype);
}

static void exponential(problem *p) {
    double *y = created(p), lambd = reference_number(p, "lambd", 1);
    source s = source_of(p);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = -log(middle(&s, i, p->out[0].dtype)) / lambd;
}

static void dropout_mask(problem *p) {
    double *y = created(p);
    source s = source_of(p);
    for (int64_t i = 0; i < p->out[0].size; i++) y[i] = kept(&s, i, reference_number(p, "p", 0.5));
}

__extension__ typedef unsigned __int128 wide;

static void integers(problem *p, double *y) {
    int64_t low = (int64_t)reference_number(p, "low", 0), high = (int64_t)reference_number(p, "high", (double)NAN);
    source s = source_of(p);
    for (int64_t i = 0; i < p->out[0].size; i++)
        y[i] = (double)(low + (int64_t)((wide)long_word(&s, i) * (uint64_t)(high - low) >> 64));
}

static void randint(problem *p) {
    integers(p, reference_out(p, 0, reference_dtype(p, "dtype", AG_I64), reference_shape(p, "shape")));
}
static void randint_like(problem *p) { integers(p, reference_out(p, 0, p->in[0].dtype, p->in[0].shape)); }

static void randperm(problem *p) {
    int64_t n = (int64_t)reference_number(p, "n", (double)NAN);
    double *y = reference_out(p, 0, AG_I64, AG_SHAPE(n));
    source s = source_of(p);
    for (int64_t i = 0; i < n; i++) {
        int64_t j = (int64_t)((wide)long_word(&s, i) * (uint64_t)(i + 1) >> 64);
        y[i] = y[j];
        y[j] = (double)i;
    }
}

/* Of tensors */

static void rand_like(problem *p) {
    double *y = reference_out(p, 0, p->dtype, p->in[0].shape);
    source s = source_of(p);
    for (int64_t i = 0; i < p->in[0].size; i++) y[i] = unit(&s, i, p->dtype);
}

static void randn_like(problem *p) {
    double *y = reference_out(p, 0, p->dtype, p->in[0].shape);
    source s = source_of(p);
    for (int64_t i = 0; i < p->in[0].size; i++) y[i] = z(&s, i, p->dtype);
}

static void normal(problem *p) {
    if (p->n == 0) {
        randn(p);
        return;
    }
    ag_shape shape = p->n > 1 ? reference_broadcast(p->in[0].shape, p->in[1].shape) : p->in[0].shape;
    double *y = reference_out(p, 0, p->dtype, shape);
    source s = source_of(p);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(shape, i, at);
        double std = p->n > 1 ? reference_at(&p->in[1], at, shape.rank) : reference_number(p, "std", 1);
        y[i] = reference_at(&p->in[0], at, shape.rank) + std * z(&s, i, p->dtype);
    }
}

/* Dropouts: which number of the mask an element has */

static bool training(const problem *p) {
    char text[SAMPLE_TEXT];
    return !strstr(p->s->attributes, "training=") || strcmp(reference_text(p, "training", text), "true") == 0;
}

static void drop(problem *p, int axes, bool alpha) {
    const array *x = &p->in[0];
    double chance = reference_number(p, "p", 0.5), *y = reference_out(p, 0, p->dtype, x->shape);
    int64_t inner = 1;
    for (int k = axes; k < x->shape.rank; k++) inner *= x->shape.dim[k];
    bool plain = !training(p) || chance == 0;
    source s = plain || (alpha && chance == 1) ? (source){0, 0} : source_of(p);
    for (int64_t i = 0; i < x->size; i++) {
        double m = plain ? 1 : chance == 1 ? 0 : kept(&s, i / inner, chance);
        y[i] = x->v[i] * m;
        if (!alpha || plain || chance == 1) continue;
        double low = -1.7580993408473766, q = 1 - chance,
               v = m != 0 ? x->v[i] : low; /* of mean q 0 + p low, variance q + p q low² */
        y[i] = (v - chance * low) / sqrt(q + chance * q * low * low);
    }
}

static void dropout(problem *p) { drop(p, p->in[0].shape.rank, false); }
static void dropout1d(problem *p) { drop(p, p->in[0].shape.rank - 1, false); }
static void dropout2d(problem *p) { drop(p, 2, false); }
static void dropout3d(problem *p) { drop(p, p->in[0].shape.rank == 5 ? 2 : 1, false); }
static void alpha_dropout(problem *p) { drop(p, p->in[0].shape.rank, true); }
static void feature_alpha_dropout(problem *p) { drop(p, 2, true); }

static void rrelu(problem *p) {
    const array *x = &p->in[0];
    double *y = reference_out(p, 0, p->dtype, x->shape), lower = reference_number(p, "lower", 1. / 8),
           upper = reference_number(p, "upper", 1. / 3);
    bool draws = reference_flag(p, "training");
    source s = draws ? source_of(p) : (source){0, 0};
    for (int64_t i = 0; i < x->size; i++) {
        double a = draws ? lower + (upper - lower) * unit(&s, i, p->dtype) : (lower + upper) / 2;
        y[i] = x->v[i] > 0 ? x->v[i] : a * x->v[i];
    }
}

static void bernoulli(problem *p) {
    const array *x = &p->in[0];
    double *y = reference_out(p, 0, p->dtype, x->shape);
    source s = source_of(p);
    for (int64_t i = 0; i < x->size; i++) y[i] = (double)word(&s, i) * 0x1p-32 < reference_number(p, "p", x->v[i]);
}

/* ∫₀ˣ of the gamma distribution's density, by its series */
static long double gamma_cdf(long double a, long double x) {
    long double term = 1 / a, sum = term;
    for (int k = 1; k < 10000 && term > sum * 1e-22L; k++) sum += term *= x / (a + k);
    return sum * expl(a * logl(x) - x - lgammal(a));
}

/* Quantiles by halving */
static double gamma_quantile(double a, double u) {
    long double lo = 0, hi = 4000;
    for (int i = 0; i < 200; i++) {
        long double x = (lo + hi) / 2;
        if (gamma_cdf((long double)a, x) < (long double)u) lo = x;
        else hi = x;
    }
    return (double)lo;
}

/* −∂ⁿF/∂aⁿ / f for n 1 or 2, by seven points */
static double gamma_slope(const double v[], double n, double unused) {
    static const long double weights[2][4] = {{0, 0.75L, -0.15L, 1 / 60.L}, {-49 / 18.L, 1.5L, -0.15L, 1 / 90.L}};
    const long double a = v[0], x = v[1], h = 0.004L, *w = weights[(int)n - 1];
    long double sum = w[0] * gamma_cdf(a, x);
    (void)unused;
    for (int k = 1; k < 4; k++) sum += w[k] * (gamma_cdf(a + k * h, x) + (n > 1 ? 1 : -1) * gamma_cdf(a - k * h, x));
    return (double)(-sum / (n > 1 ? h * h : h) / expl((a - 1) * logl(x) - x - lgammal(a)));
}

static double gamma_density(const double v[], double p, double q) {
    (void)p, (void)q;
    return (double)expl((v[0] - 1) * logl(v[1]) - v[1] - lgammal(v[0]));
}

static double igamma(const double v[], double p, double q) { return (void)p, (void)q, (double)gamma_cdf(v[0], v[1]); }
static double igammac(const double v[], double p, double q) {
    return (void)p, (void)q, (double)(1 - gamma_cdf(v[0], v[1]));
}

static void standard_gamma(problem *p) {
    const array *x = &p->in[0];
    double *y = reference_out(p, 0, p->dtype, x->shape);
    source s = source_of(p);
    for (int64_t i = 0; i < x->size; i++) y[i] = gamma_quantile(x->v[i], middle(&s, i, AG_F64));
}

static void gamma_of_two(problem *p) {
    ag_shape shape = reference_broadcast(p->in[0].shape, p->in[1].shape);
    double *y = reference_out(p, 0, p->dtype, shape);
    source s = source_of(p);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(shape, i, at);
        y[i] = gamma_quantile(reference_at(&p->in[0], at, shape.rank), middle(&s, i, AG_F64)) /
               reference_at(&p->in[1], at, shape.rank);
    }
}

static void gumbel_softmax(problem *p) {
    const array *x = &p->in[0];
    int axis = x->shape.rank ? reference_axis(p, "axis", -1, x->shape.rank) : 0;
    double *y = reference_out(p, 0, p->dtype, x->shape), tau = reference_number(p, "tau", 1);
    double *e = reference_scratch(x->size);
    int64_t n = reference_extent(x->shape, axis), inner = 1;
    source s = source_of(p);
    for (int k = axis + 1; k < x->shape.rank; k++) inner *= x->shape.dim[k];
    for (int64_t i = 0; i < x->size; i++) e[i] = exp((x->v[i] - log(-log(middle(&s, i, p->dtype)))) / tau);
    for (int64_t i = 0; i < x->size; i++) {
        double sum = 0;
        int64_t first = i - i / inner % n * inner;
        for (int64_t j = 0; j < n; j++) sum += e[first + j * inner];
        y[i] = e[i] / sum;
    }
}

static void multinomial(problem *p) {
    const array *x = &p->in[0];
    ag_shape shape = x->shape;
    int64_t c = shape.dim[shape.rank - 1], count = (int64_t)reference_number(p, "num_samples", (double)NAN);
    bool again = reference_flag(p, "replacement");
    shape.dim[shape.rank - 1] = count;
    double *y = reference_out(p, 0, AG_I64, shape), *key = reference_scratch(c);
    source s = source_of(p);
    for (int64_t row = 0; row < p->out[0].size / count; row++) {
        const double *w = x->v + row * c;
        for (int64_t i = 0; i < c; i++) key[i] = -log(middle(&s, row * c + i, AG_F64)) / w[i];
        for (int64_t k = 0; k < count; k++) {
            int64_t best = 0;
            double total = 0, sum = 0;
            for (int64_t i = 0; i < c; i++) {
                total += w[i];
                if (key[i] < key[best]) best = i;
            }
            double t = unit(&s, row * count + k, AG_F64) * total;
            for (int64_t i = 0; again && i < c && sum <= t; i++) sum += w[best = i];
            y[row * count + k] = (double)best;
            key[best] = INFINITY;
        }
    }
}

const reference references_random[] = {
    {"bernoulli", bernoulli, true, NULL, NULL},
    {"standard_gamma", standard_gamma, false, NULL, NULL},
    {"standard_gamma_grad", NULL, false, gamma_slope, "n"},
    {"gamma_density", NULL, false, gamma_density, NULL},
    {"igamma", NULL, false, igamma, NULL},
    {"igammac", NULL, false, igammac, NULL},
    {"gamma", gamma_of_two, false, NULL, NULL},
    {"gumbel_softmax", gumbel_softmax, false, NULL, NULL},
    {"multinomial", multinomial, true, NULL, NULL},
    {"rand", uniform, false, NULL, NULL},
    {"uniform", uniform, false, NULL, NULL},
    {"randn", randn, false, NULL, NULL},
    {"normal", normal, false, NULL, NULL},
    {"exponential", exponential, false, NULL, NULL},
    {"rand_like", rand_like, true, NULL, NULL},
    {"randn_like", randn_like, false, NULL, NULL},
    {"randint", randint, true, NULL, NULL},
    {"randint_like", randint_like, true, NULL, NULL},
    {"randperm", randperm, true, NULL, NULL},
    {"dropout_mask", dropout_mask, false, NULL, NULL},
    {"dropout", dropout, false, NULL, NULL},
    {"dropout1d", dropout1d, false, NULL, NULL},
    {"dropout2d", dropout2d, false, NULL, NULL},
    {"dropout3d", dropout3d, false, NULL, NULL},
    {"alpha_dropout", alpha_dropout, false, NULL, NULL},
    {"feature_alpha_dropout", feature_alpha_dropout, false, NULL, NULL},
    {"rrelu", rrelu, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
