/* Random numbers: Philox itself, keys and draws, and whether the numbers are distributed as they say. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/rng.h"
#include "make.h"
#include "ops/ops.h"

/* The authors' known answers (Random123, kat_vectors: philox4x32 10). */
Test(random, philox_gives_the_known_answers) {
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
         {UINT32_MAX, UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < COUNT_OF(rows); i++) {
        const uint32_t *c = rows[i].counter, *k = rows[i].key;
        uint32_t out[4];
        ag__philox((uint64_t)k[1] << 32 | k[0], (uint64_t)c[3] << 32 | c[2], (uint64_t)c[1] << 32 | c[0], out);
        for (int w = 0; w < 4; w++) cr_assert_eq(out[w], rows[i].out[w], "row %d, word %d: %08x", i, w, out[w]);
    }
}

/* Seeds and draws: what each source of numbers gives as its n-th */

static ag_tensor *mask(ag_tape *t) { return ag_dropout_mask(t, AG_F64, AG_SHAPE(64), 0.5); }
static ag_tensor *uniform(ag_tape *t) {
    ag_tensor *x = ag_buffer(t, AG_F64, AG_SHAPE(64));
    return ag_fill_uniform(x, -1, 1) ? x : NULL;
}
static ag_tensor *normal(ag_tape *t) {
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE(64));
    return ag_fill_normal(x, 0, 1) ? x : NULL;
}
static ag_tensor *(*const sources[])(ag_tape *t) = {mask, uniform, normal};

static bool equal(const ag_tensor *x, const ag_tensor *y) { return check_same(x, y, NULL); }

Test(random, the_same_seed_gives_the_same_numbers) {
    for (int i = 0; i < COUNT_OF(sources); i++) {
        ag_tape *t = ag_tape_new(), *other = ag_tape_new(), *unseeded = ag_tape_new();
        ag_seed(t, 7);
        ag_seed(other, 7);
        ag_tensor *first = sources[i](t), *second = sources[i](t);
        cr_assert(!equal(first, second), "source %d: draws differ", i);
        assert_same(sources[i](other), first);
        assert_same(sources[i](other), second);
        ag_seed(t, 7);
        assert_same(sources[i](t), first);
        ag_seed(t, 8);
        cr_assert(!equal(sources[i](t), first), "source %d: seeds differ", i);
        ag_seed(t, UINT64_C(7) << 32);
        cr_assert(!equal(sources[i](t), first), "source %d: all 64 bits of a seed count", i);
        ag_seed(t, 0);
        assert_same(sources[i](t), sources[i](unseeded)); /* a tape begins with seed 0 */
        ag_tape_free(t);
        ag_tape_free(other);
        ag_tape_free(unseeded);
    }
}

/* Rewinding does not give numbers back: each training step draws anew. A replay repeats. */
Test(random, steps_draw_anew_and_replays_repeat) {
    ag_tape *t = ag_tape_new();
    ag_mark m = ag_tape_mark(t);
    double before[64], after[64];
    cr_assert(ag_read(mask(t), before));
    cr_assert(ag_tape_rewind(t, m));
    ag_tensor *x = mask(t);
    cr_assert(ag_read(x, after));
    cr_assert_neq(memcmp(before, after, sizeof before), 0);
    cr_assert(ag_replay(t));
    double again[64];
    cr_assert(ag_read(x, again));
    cr_assert_eq(memcmp(again, after, sizeof after), 0);
    ag_tape_free(t);
}

/* A mask does not depend on its dtype, and a longer one begins with a shorter one. */
Test(random, an_element_depends_on_its_place_alone) {
    ag_tape *t = ag_tape_new();
    ag_tensor *m[3];
    static const int64_t size[] = {1000, 1000, 70001};
    static const ag_dtype dtype[] = {AG_F32, AG_F64, AG_F64};
    for (int i = 0; i < 3; i++) {
        ag_seed(t, 3);
        m[i] = ag_dropout_mask(t, dtype[i], AG_SHAPE(size[i]), 0.25);
    }
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(ag_at(m[0], i) != 0, ag_at(m[1], i) != 0);
        cr_assert_eq(ag_at(m[1], i), ag_at(m[2], i));
    }
    ag_tape_free(t);
}

/* Distributions */

typedef struct moments {
    double mean, variance, skew, kurtosis, least, most;
} moments;

static moments of(const ag_tensor *x, double centre, double scale) {
    moments m = {.least = INFINITY, .most = -(double)INFINITY};
    int64_t n = ag_size(x);
    for (int64_t i = 0; i < n; i++) {
        double raw = ag_at(x, i), v = (raw - centre) / scale;
        m.mean += v / (double)n;
        m.variance += v * v / (double)n;
        m.skew += v * v * v / (double)n;
        m.kurtosis += v * v * v * v / (double)n;
        m.least = fmin(m.least, raw);
        m.most = fmax(m.most, raw);
    }
    return m;
}

/* The k-th moment of n numbers is off by about √(E v²ᵏ / n); five times that is allowed. */
Test(random, numbers_are_distributed_as_they_say) {
    enum { N = 200000 };
    for (int d = AG_F32; d <= AG_F64; d++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = ag_buffer(t, (ag_dtype)d, AG_SHAPE(N));
        cr_assert(ag_fill_uniform(x, -3, 5));
        moments m = of(x, 1, 4); /* v uniform in [−1, 1): E v² = 1/3, E v⁴ = 1/5 */
        cr_assert(m.least >= -3 && m.least < -2.99 && m.most < 5 && m.most > 4.99);
        assert_close(m.mean, 0, 5 * sqrt(1 / 3. / N));
        assert_close(m.variance, 1 / 3., 5 * sqrt(1 / 5. / N));
        assert_close(m.skew, 0, 5 * sqrt(1 / 7. / N));
        assert_close(m.kurtosis, 1 / 5., 5 * sqrt(1 / 9. / N));
        cr_assert(ag_fill_normal(x, 10, 0.5));
        m = of(x, 10, 0.5);
        assert_close(m.mean, 0, 5 * sqrt(1. / N));
        assert_close(m.variance, 1, 5 * sqrt(3. / N));
        assert_close(m.skew, 0, 5 * sqrt(15. / N));
        assert_close(m.kurtosis, 3, 5 * sqrt(105. / N));
        cr_assert(m.least > 10 - 0.5 * 7 && m.most < 10 + 0.5 * 7);
        ag_tensor *kept = ag_dropout_mask(t, (ag_dtype)d, AG_SHAPE(N), 0.2);
        m = of(kept, 0, 1);
        assert_close(m.mean, 1, 5 * sqrt(0.25 / N));
        cr_assert(m.least == 0 && fabs(m.most - 1.25) < 1e-6);
        ag_tape_free(t);
    }
}

/* Neighbours and successive draws have nothing to do with each other: correlations of N pairs are about 1 / √N. */
Test(random, numbers_are_independent) {
    enum { N = 100000 };
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F64, AG_SHAPE(N)), *y = ag_buffer(t, AG_F64, AG_SHAPE(N));
    cr_assert(ag_fill_normal(x, 0, 1) && ag_fill_normal(y, 0, 1));
    const double *a = ag_f64(x), *b = ag_f64(y);
    for (int lag = 0; lag < 5; lag++) {
        double within = 0, between = 0;
        for (int i = 0; i + lag < N; i++) {
            within += a[i] * a[i + lag] / N;
            between += a[i] * b[i + lag] / N;
        }
        assert_close(within, lag ? 0 : 1, 6 / sqrt(N));
        assert_close(between, 0, 5 / sqrt(N));
    }
    ag_tape_free(t);
}

Test(random, intervals_hold_at_their_ends) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE(100000));
    static const double ends[][2] = {{0, 1},           {1, 1}, {-1e-30, 1e-30}, {1, 1.0000001}, {16777216, 16777218},
                                     {-3.4e38, 3.4e38}};
    for (int i = 0; i < COUNT_OF(ends); i++) {
        double lo = ends[i][0], hi = ends[i][1];
        cr_assert(ag_fill_uniform(x, lo, hi), "%s", ag_tape_message(t));
        for (int k = 0; k < 100000; k++) {
            double v = ag_at(x, k);
            if (v < (double)(float)lo || v > hi || (v == hi && lo < hi))
                cr_assert_fail("row %d: %.9g is not in [%.9g, %.9g)", i, v, lo, hi);
        }
    }
    ag_tape_free(t);
}

Test(random, bad_arguments_are_errors) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F32, AG_SHAPE(3)), *integers = ag_buffer(t, AG_I64, AG_SHAPE(3));
    static const double bad[][2] = {{1, 0}, {NAN, 1}, {0, NAN}, {0, INFINITY}, {-1e308, 1e308}};
    for (int i = 0; i < COUNT_OF(bad); i++) {
        cr_assert(!ag_fill_uniform(x, bad[i][0], bad[i][1]), "row %d", i);
        assert_error(t, AG_ERR_ARGUMENT, "fill_uniform");
    }
    cr_assert(!ag_fill_normal(x, 0, -1));
    assert_error(t, AG_ERR_ARGUMENT, "fill_normal");
    cr_assert(!ag_fill_normal(x, INFINITY, 1));
    assert_error(t, AG_ERR_ARGUMENT, "fill_normal");
    cr_assert(!ag_fill_uniform(integers, 0, 1));
    assert_error(t, AG_ERR_DTYPE, "i64");
    cr_assert(!ag_fill_uniform(ag_neg(x), 0, 1));
    assert_error(t, AG_ERR_ARGUMENT, "not a persistent leaf");
    cr_assert(!ag_fill_uniform(NULL, 0, 1) && !ag_fill_normal(NULL, 0, 1) && !ag_fill_uniform(NULL, 1, 0));
    static const double p[] = {-0.1, 1.5, NAN};
    for (int i = 0; i < COUNT_OF(p); i++) {
        cr_assert_null(ag_dropout(x, p[i]));
        assert_error(t, AG_ERR_ARGUMENT, "dropout");
    }
    cr_assert_null(ag_dropout_mask(t, AG_I64, AG_SHAPE(2), 0.5));
    assert_error(t, AG_ERR_DTYPE, "dropout_mask");
    cr_assert_null(ag_dropout_mask(NULL, AG_F32, AG_SHAPE(2), 0.5));
    assert_values(x, 0, 0, 0, 0);
    ag_tape_free(t);
}

/* The gradient of dropout is its mask, and reseeding between forward and backward does not change that. */
Test(random, dropout_scales_its_gradient_alike) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_param(t, AG_F64, AG_SHAPE(50));
    cr_assert(ag_fill(w, 3));
    ag_tensor *y = ag_dropout(w, 0.5);
    ag_seed(t, 77);
    cr_assert(ag_backward(SUM(y)));
    for (int i = 0; i < 50; i++) assert_close(ag_at(ag_grad(w), i), ag_at(y, i) / 3, 1e-15);
    ag_tape_free(t);
}
