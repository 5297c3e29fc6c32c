/* random_ops.c: whether random ops are distributed as they say, and what they depend on. Seeds are fixed, so that a test that
 * passes once always does; a bound of five deviations fails for about one seed of a million. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/every_isa.h"
#include "ops/ops.h"

enum { N = 200000 };

static double at(const ag_tensor *x, int64_t i) {
    return ag_dtype_of(x) == AG_F32 ? (double)ag_f32(x)[i] : ag_f64(x)[i];
}

/* Kolmogorov and Smirnov: the largest distance of the empirical distribution from F, times √n: above 2.2 for one seed of 8000,
 * above 3 for one of 30 million */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double distance(const ag_tensor *x, double (*cdf)(double)) {
    static double v[N];
    int64_t n = ag_size(x);
    double most = 0;
    for (int64_t i = 0; i < n; i++) v[i] = at(x, i);
    qsort(v, (size_t)n, sizeof *v, ascending);
    for (int64_t i = 0; i < n; i++) {
        double f = cdf(v[i]);
        most = fmax(most, fmax((double)(i + 1) / (double)n - f, f - (double)i / (double)n));
    }
    return most * sqrt((double)n);
}

static double uniform_cdf(double x) { return fmin(fmax((x + 3) / 8, 0), 1); }
static double normal_cdf(double x) { return 0.5 * erfc(-(x - 2) / 0.5 * 0.70710678118654752); }
static double exponential_cdf(double x) { return -expm1(-2.5 * x); }

static ag_tensor *uniform(ag_tape *t, ag_dtype d) { return ag_uniform(t, d, AG_SHAPE(N), -3, 5); }
static ag_tensor *normal(ag_tape *t, ag_dtype d) { return ag_normal(t, d, AG_SHAPE(N), 2, 0.5); }
static ag_tensor *exponential(ag_tape *t, ag_dtype d) { return ag_exponential(t, d, AG_SHAPE(N), 2.5); }

/* Of each the raw moments about its mean, in units of its deviation: skewness and kurtosis, and what the fourth moment's own
 * deviation needs, the eighth */
static const struct continuous {
    const char *name;
    ag_tensor *(*make)(ag_tape *t, ag_dtype d);
    double (*cdf)(double);
    double mean, deviation, skew, kurtosis, sixth, eighth;
} continuous[] = {
    {"uniform", uniform, uniform_cdf, 1, 2.3094010767585029, 0, 1.8, 27. / 7, 9},
    {"normal", normal, normal_cdf, 2, 0.5, 0, 3, 15, 105},
    {"exponential", exponential, exponential_cdf, 0.4, 0.4, 2, 9, 265, 14833},
};

enum { CONTINUOUS = sizeof continuous / sizeof *continuous };

Test(slow_random_ops, continuous_distributions) {
    for (int k = 0; k < CONTINUOUS; k++) {
        const struct continuous *c = &continuous[k];
        for (int d = AG_F32; d <= AG_F64; d++) {
            ag_tape *t = ag_tape_new();
            ag_tensor *x = c->make(t, (ag_dtype)d);
            double m[4] = {0}, ks = distance(x, c->cdf);
            for (int64_t i = 0; i < N; i++) {
                double v = (at(x, i) - c->mean) / c->deviation;
                for (int j = 0; j < 4; j++) m[j] += pow(v, j + 1) / N;
            }
            cr_assert_lt(ks, 2.2, "%s: Kolmogorov and Smirnov's distance is %g", c->name, ks);
            assert_close(m[0], 0, 5 / sqrt(N));
            assert_close(m[1], 1, 5 * sqrt((c->kurtosis - 1) / N));
            assert_close(m[2], c->skew, 5 * sqrt(c->sixth / N));
            cr_assert_leq(fabs(m[3] - c->kurtosis), 5 * sqrt(c->eighth / N), "%s: kurtosis %g", c->name, m[3]);
            ag_tape_free(t);
        }
    }
}

/* The distance sees an error of one part in a hundred. */
static double shifted(double x) { return normal_cdf(x + 0.01); }

Test(random_ops, the_distance_tells_distributions_apart) {
    ag_tape *t = ag_tape_new();
    cr_assert_gt(distance(normal(t, AG_F64), shifted), 3);
    cr_assert_gt(distance(ag_normal(t, AG_F64, AG_SHAPE(N), 2, 0.53), normal_cdf), 3);
    ag_tape_free(t);
}

/* Tails: as many numbers beyond z as the distribution says */
Test(slow_random_ops, tails) {
    ag_tape *t = ag_tape_new();
    for (int d = AG_F32; d <= AG_F64; d++) {
        double beyond[3] = {0}, rate[3] = {0.0013498980316300946, 3.1671241833119921e-5, 4.2483542552915890e-18}; /* 3, 4, 8.6 */
        for (int k = 0; k < 20; k++) {
            ag_tensor *x = ag_randn(t, (ag_dtype)d, AG_SHAPE(N));
            for (int64_t i = 0; i < N; i++) {
                beyond[0] += fabs(at(x, i)) > 3;
                beyond[1] += fabs(at(x, i)) > 4;
                beyond[2] += !(fabs(at(x, i)) < 8.6);
            }
        }
        for (int j = 0; j < 3; j++) {
            double expected = 2 * rate[j] * 20 * N;
            cr_assert_leq(fabs(beyond[j] - expected), 5 * sqrt(expected), "tail %d: %g, not %g", j, beyond[j], expected);
        }
    }
    ag_tape_free(t);
}

/* Neighbours at every distance up to a block and across groups, two draws and two keys have nothing to do with each other. */
static double correlation(const double *a, const double *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum / sqrt(n); /* standard normal, for independent numbers of mean 0 and variance 1 */
}

Test(random_ops, numbers_are_independent) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_seed(other, 1);
    ag_tensor *x[2] = {ag_randn(t, AG_F64, AG_SHAPE(N)), ag_randn(t, AG_F32, AG_SHAPE(N))};
    const double *a = ag_f64(x[0]), *b = ag_f64(ag_cast(x[1], AG_F64)), *c = ag_f64(ag_randn(other, AG_F64, AG_SHAPE(N)));
    for (int lag = 0; lag <= 130; lag++) {
        double r[3] = {lag ? correlation(a, a + lag, N - lag) : 0, correlation(a, b + lag, N - lag),
                       correlation(a, c + lag, N - lag)};
        for (int k = 0; k < 3; k++) cr_assert_lt(fabs(r[k]), 5, "at a distance of %d, pair %d: %g", lag, k, r[k]);
    }
    ag_tape_free(t);
    ag_tape_free(other);
}

/* Squares too: pairs of Box and Muller share their radius, and must not show it. */
Test(random_ops, radii_are_independent) {
    ag_tape *t = ag_tape_new();
    static double s[N];
    const double *a = ag_f64(ag_randn(t, AG_F64, AG_SHAPE(N)));
    for (int i = 0; i < N; i++) s[i] = (a[i] * a[i] - 1) / sqrt(2);
    for (int lag = 1; lag <= 80; lag++) {
        double r = correlation(s, s + lag, N - lag);
        cr_assert_lt(fabs(r), 5, "squares at a distance of %d: %g", lag, r);
    }
    ag_tape_free(t);
}

/* The number of a place is the same however long the tensor, however many threads, on every instruction set; in f64 it has more
 * digits. */
static ag_tensor *make_rand(ag_tape *t, ag_dtype d, int64_t n) { return ag_rand(t, d, AG_SHAPE(n)); }
static ag_tensor *make_uniform(ag_tape *t, ag_dtype d, int64_t n) { return ag_uniform(t, d, AG_SHAPE(n), -1, 2); }
static ag_tensor *make_normal(ag_tape *t, ag_dtype d, int64_t n) { return ag_normal(t, d, AG_SHAPE(n), 3, 2); }
static ag_tensor *make_exponential(ag_tape *t, ag_dtype d, int64_t n) { return ag_exponential(t, d, AG_SHAPE(n), 2); }
static ag_tensor *make_mask(ag_tape *t, ag_dtype d, int64_t n) { return ag_dropout_mask(t, d, AG_SHAPE(n), 0.3); }
static ag_tensor *make_randint(ag_tape *t, ag_dtype d, int64_t n) {
    return ag_randint_like(ag_full(t, d, AG_SHAPE(n), 0), -7, 9);
}
static ag_tensor *(*const makers[])(ag_tape *t, ag_dtype d, int64_t n) = {
    make_rand, make_uniform, make_normal, make_exponential, make_mask, make_randint,
};

Test(random_ops, a_number_depends_on_its_place_alone) {
    for (size_t k = 0; k < sizeof makers / sizeof *makers; k++) {
        for (int d = AG_F32; d <= AG_F64; d++) {
            ag_tape *t = ag_tape_new();
            ag_tensor *long_one = makers[k](t, (ag_dtype)d, 70001);
            static const int64_t lengths[] = {1, 15, 63, 64, 65, 8192, 8193};
            for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
                ag_seed(t, 0);
                ag_tensor *x = makers[k](t, (ag_dtype)d, lengths[j]);
                assert_same(x, ag_slice(long_one, 0, 0, lengths[j], 1));
            }
            for (int threads = 1; threads <= 5; threads += 2) {
                ag_set_threads(threads);
                ag_seed(t, 0);
                assert_same(makers[k](t, (ag_dtype)d, 70001), long_one);
            }
            for (int i = 0; ag__isa_at(i); i++) {
                cr_assert(ag__isa_use(ag__isa_at(i)));
                ag_seed(t, 0);
                assert_same(makers[k](t, (ag_dtype)d, 70001), long_one);
            }
            ag__isa_use(ag__isa_at(0));
            ag_tape_free(t);
        }
        ag_tape *t = ag_tape_new();
        ag_tensor *single = makers[k](t, AG_F32, 70001);
        ag_seed(t, 0);
        assert_near(single, makers[k](t, AG_F64, 70001), 1e-4);
        ag_tape_free(t);
    }
}

TestEveryISA(slow_random_ops, ends_of_intervals) {
    static const double ends[][2] = {{0, 1},           {1, 1}, {-1e-30, 1e-30}, {1, 1.0000001}, {16777216, 16777218},
                                     {-3.4e38, 3.4e38}};
    ag_tape *t = ag_tape_new();
    for (int d = AG_F32; d <= AG_F64; d++) {
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
            double low = ends[k][0], high = ends[k][1];
            ag_tensor *x = ag_uniform(t, (ag_dtype)d, AG_SHAPE(N), low, high);
            for (int64_t i = 0; i < N; i++) {
                double v = at(x, i);
                bool inside = (d == AG_F32 ? v >= (double)(float)low : v >= low) && (v < high || low == high);
                cr_assert(inside && (low < high || v == low), "%.17g is not in [%.17g, %.17g)", v, low, high);
            }
        }
        ag_tensor *e = ag_exponential(t, (ag_dtype)d, AG_SHAPE(N), 1);
        for (int64_t i = 0; i < N; i++) cr_assert(at(e, i) > 0 && at(e, i) < 40);
    }
    ag_tape_free(t);
}

/* Integers: χ² of counts in k classes has mean k − 1 and variance 2 (k − 1). */

static void equally_often(const double *count, int classes, double total, const char *what) {
    double sum = 0, expected = total / classes;
    for (int i = 0; i < classes; i++) sum += (count[i] - expected) * (count[i] - expected) / expected;
    double off = (sum - (classes - 1)) / sqrt(2. * (classes - 1));
    cr_assert(fabs(off) < 6, "%s: χ² is %g for %d classes", what, sum, classes);
}

TestEveryISA(random_ops, integers_are_equally_likely) {
    static const int64_t low[] = {0, -5, -3, 0}, high[] = {2, 6, 1000, 97};
    ag_tape *t = ag_tape_new();
    for (int k = 0; k < 4; k++) {
        static double count[1024];
        const int64_t *x = ag_i64(ag_randint(t, low[k], high[k], AG_SHAPE(N)));
        memset(count, 0, sizeof count);
        for (int64_t i = 0; i < N; i++) {
            cr_assert(x[i] >= low[k] && x[i] < high[k]);
            count[x[i] - low[k]]++;
        }
        equally_often(count, (int)(high[k] - low[k]), N, "randint");
    }
    ag_tape_free(t);
}

/* Of 3 · 2⁶² values a word alone would make every third twice as likely: some words are drawn again. */
Test(random_ops, wide_intervals_have_no_bias) {
    ag_tape *t = ag_tape_new();
    const int64_t *x = ag_i64(ag_randint(t, INT64_MIN, INT64_C(1) << 62, AG_SHAPE(N)));
    double count[3] = {0}, odd = 0;
    for (int64_t i = 0; i < N; i++) {
        uint64_t v = (uint64_t)x[i] - (uint64_t)INT64_MIN;
        cr_assert_lt(v, UINT64_C(3) << 62);
        count[v % 3]++;
        odd += v % 2 != 0;
    }
    equally_often(count, 3, N, "remainders of 3");
    cr_assert_lt(fabs(odd - N / 2.), 5 * sqrt(N / 4.));
    ag_tape_free(t);
}

Test(random_ops, permutations_are_equally_likely) {
    enum { DRAWS = 24000 };
    ag_tape *t = ag_tape_new();
    double count[24] = {0};
    for (int k = 0; k < DRAWS; k++) {
        const int64_t *p = ag_i64(ag_randperm(t, 4));
        int rank = 0, seen = 0;
        for (int i = 0; i < 4; i++) {
            int smaller = 0;
            for (int j = i + 1; j < 4; j++) smaller += p[j] < p[i];
            rank = rank * (4 - i) + smaller; /* in the factorials' number system */
            seen |= 1 << p[i];
        }
        cr_assert_eq(seen, 15);
        count[rank]++;
    }
    equally_often(count, 24, DRAWS, "permutations of 4");
    const int64_t *p = ag_i64(ag_randperm(t, 5000));
    static bool met[5000];
    for (int i = 0; i < 5000; i++) {
        cr_assert(p[i] >= 0 && p[i] < 5000 && !met[p[i]]);
        met[p[i]] = true;
    }
    ag_tape_free(t);
}

/* Public functions pass on what they are given. */
Test(random_ops, functions_are_calls) {
    ag_tape *t = ag_tape_new(), *u = ag_tape_new();
    ag_tensor *x = ag_from_f64(u, (const double[]){1, -2, 3}, AG_SHAPE(3)),
              *y = ag_from_f64(u, (const double[]){2, 4, 1}, AG_SHAPE(3));
    ag_tensor *x1 = ag_from_f64(t, (const double[]){1, -2, 3}, AG_SHAPE(3)),
              *y1 = ag_from_f64(t, (const double[]){2, 4, 1}, AG_SHAPE(3));
    const struct {
        ag_tensor *made;
        const char *op, *attributes;
        ag_tensor *in[2];
        int n;
    } rows[] = {
        {ag_rand(t, AG_F64, AG_SHAPE(9)), "rand", "size=9 dtype=f64", {0}, 0},
        {ag_uniform(t, AG_F64, AG_SHAPE(9), 2, 3), "uniform", "shape=9 dtype=f64 from=2 to=3", {0}, 0},
        {ag_randn(t, AG_F32, AG_SHAPE(3, 3)), "randn", "shape=3,3", {0}, 0},
        {ag_normal(t, AG_F64, AG_SHAPE(9), 2, 3), "normal", "shape=9 dtype=f64 mean=2 std=3", {0}, 0},
        {ag_normal_with(x1, y1), "normal", "", {x, y}, 2},
        {ag_normal_with(x1, NULL), "normal", "", {x, NULL}, 2},
        {ag_normal_with(NULL, y1), "normal", "mean=0", {NULL, y}, 2},
        {ag_exponential(t, AG_F64, AG_SHAPE(9), 2), "exponential", "shape=9 dtype=f64 lambd=2", {0}, 0},
        {ag_standard_gamma(y1), "_standard_gamma", "", {y}, 1},
        {ag_gamma(y1, y1), "gamma", "", {y, y}, 2},
        {ag_bernoulli(ag_scale(y1, 0.25)), "bernoulli", "", {ag_scale(y, 0.25)}, 1},
        {ag_bernoulli_scalar(x1, 0.25), "bernoulli", "p=0.25", {x}, 1},
        {ag_gumbel_softmax(x1, 0.5, true, 0), "gumbel_softmax", "tau=0.5 hard=true dim=0", {x}, 1},
        {ag_multinomial(y1, 2, false), "multinomial", "num_samples=2", {y}, 1},
        {ag_multinomial(y1, 9, true), "multinomial", "num_samples=9 replacement=true", {y}, 1},
        {ag_rand_like(x1), "rand_like", "", {x}, 1},
        {ag_randn_like(x1), "randn_like", "", {x}, 1},
        {ag_randint(t, -2, 9, AG_SHAPE(5)), "randint", "low=-2 high=9 shape=5", {0}, 0},
        {ag_randint_like(x1, -2, 9), "randint_like", "low=-2 high=9", {x}, 1},
        {ag_randperm(t, 9), "randperm", "n=9", {0}, 0},
        {ag_dropout_mask(t, AG_F64, AG_SHAPE(9), 0.25), "dropout_mask", "shape=9 p=0.25 dtype=f64", {0}, 0},
        {ag_dropout(x1, 0.25), "dropout", "p=0.25", {x}, 1},
        {ag_dropout1d(ag_reshape(x1, AG_SHAPE(3, 1)), 0.25), "dropout1d", "p=0.25", {ag_reshape(x, AG_SHAPE(3, 1))}, 1},
        {ag_dropout2d(ag_reshape(x1, AG_SHAPE(3, 1)), 0.25), "feature_dropout", "p=0.25", {ag_reshape(x, AG_SHAPE(3, 1))}, 1},
        {ag_dropout3d(x1, 0.25), "dropout3d", "p=0.25", {x}, 1},
        {ag_alpha_dropout(x1, 0.25), "alpha_dropout", "p=0.25", {x}, 1},
        {ag_feature_alpha_dropout(ag_reshape(x1, AG_SHAPE(3, 1)), 0.25),
         "feature_alpha_dropout",
         "p=0.25",
         {ag_reshape(x, AG_SHAPE(3, 1))},
         1},
        {ag_rrelu(x1, 0.25, 0.5, true), "rrelu", "lower=0.25 upper=0.5 training=true", {x}, 1},
        {ag_rrelu(x1, 0.25, 0.75, false), "rrelu", "lower=0.25 upper=0.75", {x}, 1},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        ag_tensor *y2 = ag_call(u, rows[k].op, rows[k].in, rows[k].n, rows[k].attributes);
        cr_assert(y2 && rows[k].made, "%s: %s", rows[k].op, ag_tape_message(y2 ? t : u));
        assert_same(y2, rows[k].made);
    }
    ag_tape_free(t);
    ag_tape_free(u);
}

/* Mean and variance of what SELU makes of normal numbers stay 0 and 1. */
Test(random_ops, alpha_dropout_keeps_mean_and_variance) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_alpha_dropout(ag_selu(ag_randn(t, AG_F64, AG_SHAPE(N))), 0.3);
    double mean = 0, square = 0;
    for (int64_t i = 0; i < N; i++) mean += at(x, i) / N, square += at(x, i) * at(x, i) / N;
    assert_close(mean, 0, 5 / sqrt(N));
    assert_close(square, 1, 20 / sqrt(N));
    ag_tape_free(t);
}

/* Whole channels, each with probability p */
Test(random_ops, channels_are_left_out_whole) {
    ag_tape *t = ag_tape_new();
    const struct {
        const char *op;
        ag_shape shape;
        int64_t channels;
    } rows[] = {{"dropout1d", AG_SHAPE(40, 25, 3), 1000},
                {"dropout1d", AG_SHAPE(1000, 7), 1000},
                {"dropout2d", AG_SHAPE(40, 25, 2, 2), 1000},
                {"dropout3d", AG_SHAPE(40, 25, 1, 3, 2), 1000},
                {"dropout3d", AG_SHAPE(1000, 1, 3, 2), 1000}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        ag_tensor *x = ag_full(t, AG_F32, rows[k].shape, 1), *y = ag_call(t, rows[k].op, &x, 1, "p=0.2");
        cr_assert(y, "%s", ag_tape_message(t));
        int64_t inner = ag_size(y) / rows[k].channels;
        double out = 0;
        for (int64_t c = 0; c < rows[k].channels; c++) {
            const float *v = ag_f32(y) + c * inner;
            cr_assert(v[0] == 0 || v[0] == 1.25F);
            for (int64_t i = 1; i < inner; i++) cr_assert_eq(v[i], v[0]);
            out += v[0] == 0;
        }
        cr_assert_lt(fabs(out - 200), 5 * sqrt(160), "%s: %g of 1000", rows[k].op, out);
    }
    ag_tape_free(t);
}
