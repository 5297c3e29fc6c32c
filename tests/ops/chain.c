/* chain.c: gradients whose elementwise parts run as chains have the bits of those that run op by op, as they do while work is
 * counted. */
#include <math.h>

#include "autograd/profile.h"
#include "check.h"
#include "ops/isa.h"
#include "ops/ops.h"

enum { LEAVES = 4 };

typedef ag_tensor *expression(ag_tensor *const x[]);

/* Operands of one shape, a row, a column and a scalar, in chains of every length. */
static ag_tensor *smooth(ag_tensor *const x[]) {
    return ag_mul(ag_tanh(ag_add(ag_mul(x[0], x[1]), x[2])), ag_sigmoid(x[0]));
}
static ag_tensor *used_often(ag_tensor *const x[]) {
    return ag_div(ag_mul(x[0], x[0]), ag_add_scalar(ag_square(ag_sub(x[0], x[3])), 1));
}
static ag_tensor *powers(ag_tensor *const x[]) { return ag_pow(ag_add_scalar(ag_abs(x[0]), 0.5), ag_mul(x[1], x[2])); }
static ag_tensor *choices(ag_tensor *const x[]) {
    return ag_where(ag_lt(x[0], x[1]), ag_maximum(x[0], x[2]), ag_gelu(x[3]));
}
static ag_tensor *turned(ag_tensor *const x[]) {
    return ag_exp(ag_mul(ag_transpose(ag_mul(x[0], x[3]), 0, 1), ag_transpose(ag_sub(x[0], x[1]), 0, 1)));
}
static ag_tensor *deep(ag_tensor *const x[]) {
    ag_tensor *y = x[0];
    for (int i = 0; i < 6; i++) y = ag_atan2(ag_add_scalar(ag_mul(y, x[i % 3 + 1]), 2), ag_add_scalar(ag_square(y), 1));
    return y;
}
static expression *const expressions[] = {smooth, used_often, powers, choices, turned, deep};
enum { EXPRESSIONS = sizeof expressions / sizeof *expressions };

/* Rows of 7, of which a tile holds many, of 257, which it does not hold, and of more than a fold takes side by side. */
static const int64_t extents[][2] = {{5001, 7}, {130, 257}, {13, 1100}};
enum { EXTENTS = sizeof extents / sizeof *extents };

static void gradients_of(expression *f, ag_dtype dtype, int shape, bool singly, ag_tape *t, ag_tensor *g[LEAVES]) {
    int64_t m = extents[shape][0], n = extents[shape][1];
    const ag_shape shapes[LEAVES] = {AG_SHAPE(m, n), AG_SHAPE(n), AG_SHAPE(m, 1), AG_SHAPE()};
    ag_tensor *x[LEAVES];
    uint64_t random = 5;
    for (int i = 0; i < LEAVES; i++) x[i] = check_leaf(t, dtype, shapes[i], AG_REQUIRES_GRAD, -1, 1, &random);
    t->watch = singly ? AG__WATCH_WORK : 0;
    t->allowance = (double)INFINITY;
    for (int twice = 0; twice < 2; twice++)
        cr_assert(ag_backward(ag_sum(f(x), AG_ALL, false)), "%s", ag_tape_message(t));
    for (int i = 0; i < LEAVES; i++) g[i] = ag_requires_grad(x[i]) ? ag_grad(x[i]) : NULL;
}

static void same_bits(int which, ag_dtype dtype, int shape, const char *isa) {
    ag_tape *t = ag_tape_new(), *u = ag_tape_new();
    ag_tensor *g[LEAVES], *h[LEAVES];
    gradients_of(expressions[which], dtype, shape, false, t, g);
    gradients_of(expressions[which], dtype, shape, true, u, h);
    for (int i = 0; i < LEAVES; i++) {
        char text[CHECK_TEXT];
        cr_assert(check_same(g[i], h[i], text), "expression %d, %s, rows of %d, %s, %d threads, leaf %d: %s", which,
                  ag_dtype_name(dtype), (int)extents[shape][1], isa, ag_threads(), i, text);
    }
    ag_tape_free(t);
    ag_tape_free(u);
}

Test(chain, has_the_bits_of_single_ops) {
    const char *before = ag_isa(), *isa;
    for (int k = 0; (isa = ag__isa_at(k)) != NULL; k++) {
        cr_assert(ag__isa_use(isa));
        for (int threads = 1; threads <= 3; threads++) {
            ag_set_threads(threads);
            for (int i = 0; i < EXTENTS * EXPRESSIONS; i++) {
                same_bits(i / EXTENTS, AG_F32, i % EXTENTS, isa);
                same_bits(i / EXTENTS, AG_F64, i % EXTENTS, isa);
            }
        }
    }
    ag__isa_use(before);
}

/* A hook may look at what it makes, and hand it on uncomputed. */
static ag_tensor *look(void *context, ag_tensor *x, ag_tensor *g) {
    ag_tensor *half = ag_scale(g, 0.5), *d = ag_sub(g, half);
    (void)x;
    *(double *)context = ag_at(half, 7);
    return ag_read(half, NULL) ? NULL : (ag_tape_clear(ag_tape_of(g)), ag_mul(d, ag_add_scalar(half, 1)));
}

Test(chain, is_computed_when_a_hook_looks) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_param(t, AG_F64, AG_SHAPE(5000)), *y = ag_scale(x, 3);
    double seen = 0;
    cr_assert(ag_hook_grad(y, look, &seen) && ag_backward(ag_sum(y, AG_ALL, false)), "%s", ag_tape_message(t));
    cr_assert_eq(seen, 0.5);
    cr_assert_eq(ag_at(ag_grad(x), 4999), 3 * (0.5 * 1.5));
    ag_tape_free(t);
}

static ag_tensor *profile_from_here(void *context, ag_tensor *x, ag_tensor *g) {
    (void)x;
    (void)context;
    ag_tensor *pending = ag_scale(g, 2);
    ag_profile_start(ag_tape_of(g));
    return ag_scale(pending, 2);
}

Test(chain, may_be_begun_before_a_profile) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_param(t, AG_F32, AG_SHAPE(5000)), *y = ag_scale(x, 1);
    cr_assert(ag_hook_grad(y, profile_from_here, NULL) && ag_backward(ag_sum(y, AG_ALL, false)), "%s", ag_tape_message(t));
    cr_assert_eq(ag_at(ag_grad(x), 17), 4);
    ag_tape_free(t);
}

/* Bytes that backward has read and written since the profile began; how many ops it ran. */
static double moved(const ag_tape *t, int64_t *runs) {
    double bytes = 0;
    *runs = 0;
    for (int i = 0; i < AG__OPS; i++) {
        bytes += t->profile->ops[i].of[AG__BACKWARD].bytes;
        *runs += t->profile->ops[i].of[AG__BACKWARD].runs;
    }
    return bytes;
}

/* d = g (1 − y²) reads g and y and writes d, whatever lies between; what is added to reads its place, too. */
Test(chain, moves_what_it_reads_and_writes_by_its_profile) {
    enum { N = 5000 };
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_param(t, AG_F32, AG_SHAPE(N)), *g = ag_full(t, AG_F32, AG_SHAPE(N), 2),
              *y[2] = {ag_tanh(x), ag_tanh(x)};
    int64_t runs;
    cr_assert(ag_profile_start(t) && ag_backward_from(y, (ag_tensor *[]){g, g}, 2) && ag_profile_stop(t));
    double bytes = moved(t, &runs);
    cr_assert_eq(runs, 2 * 3, "sub, mul and square, twice: %d", (int)runs);
    cr_assert_float_eq(bytes, 4 * N * (3 + 4), 1, "%g bytes", bytes);
    ag_tape_free(t);
}

/* ∂(x w)/∂w = Σ g x of one w, or of one for each column, reads g and x, and stores no product. */
static void sum_without_storing(ag_shape shape, ag_shape weights) {
    ag_tape *t = ag_tape_new();
    uint64_t random = 1;
    ag_tensor *x = check_leaf(t, AG_F32, shape, 0, 3, 3, &random), *g = ag_full(t, AG_F32, shape, 2);
    ag_tensor *w = ag_param(t, AG_F32, weights), *y = ag_mul(x, w);
    double n = (double)ag_size(x), m = (double)ag_size(w);
    int64_t runs;
    cr_assert(ag_profile_start(t) && ag_backward_from(&y, &g, 1) && ag_profile_stop(t));
    double bytes = moved(t, &runs);
    for (int64_t i = 0; i < ag_size(w); i++) cr_assert_eq(ag_at(ag_grad(w), i), 6 * n / m);
    cr_assert_eq(runs, 2, "mul and sum_to: %d", (int)runs);
    cr_assert_float_eq(bytes, 4 * (2 * n + m), 1, "%g bytes", bytes);
    ag_tape_free(t);
}

Test(chain, is_summed_without_being_stored) {
    sum_without_storing(AG_SHAPE(5000), AG_SHAPE());
    sum_without_storing(AG_SHAPE(1000, 5), AG_SHAPE(5));
    sum_without_storing(AG_SHAPE(61, 257), AG_SHAPE(257));
    sum_without_storing(AG_SHAPE(5, 1500), AG_SHAPE(1500));
}
