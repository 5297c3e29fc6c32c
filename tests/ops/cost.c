/* cost.c: the gradient of an operation costs at most three times the operation, whatever its order of magnitude.
 *
 * Nothing is timed. Work is counted where it is done, by the library's profile, at about 2^14 elements, all gradients wanted:
 *
 *     cost = words moved + arithmetic
 *
 * A word is four bytes read from or written to memory; an operand that is broadcast counts once. A chain of elementwise
 * steps that ag_backward runs in one pass moves what it reads and writes, not what lies between. Arithmetic is what the op's
 * record states for a profile: one for each element of a row, 2mnk of a product, none of what only moves elements; where a
 * function is evaluated, 8 more, and more yet for those that take longer: about what they take beside a word in cache, by the
 * clock, in f32. A view moves nothing, but its gradient must write all of what it looks at: so the cost of a call is at least that
 * of reading its inputs and writing its outputs once.
 *
 * Each op is measured at its first sample in ops.def with larger extents, and at others with which nothing is broadcast; what a
 * sum over a broadcast axis adds is the reverse loop's and no rule's. Samples that cannot grow, and modes worth a look, have
 * larger ones here. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/profile.h"
#include "ops/property.h"

enum { ELEMENTS = 1 << 14, MOST = 3 };

/* Gradients themselves, and second derivatives, differentiated for yet higher ones only: that goes through a composition of
 * other ops, and may cost more. Each is declared beside its record. */
static const char excepted[] = " activation_bend cholesky_grad prod_others row_norm_grad row_norm_input ";

static const struct sized {
    const char *op, *samples;
} sized[] = {
    {"bincount", "i(12800)<128 f(12800) | minlength=128"},
    {"broadcast_to", "f(128) | shape=100,128"},
    {"cast", "f(100,128) | dtype=f64"},
    {"clamp_between", "f(100,128) f(100,128) f(100,128)"},
    {"col2im", "f(2,27,196) | output_size=16 kernel_size=3"},
    {"conv2d_input", "f(2,8,14,14) f(8,6,3,3) | shape=2,6,16,16"},
    {"conv2d_weight", "f(2,8,14,14) f(2,6,16,16) | shape=8,6,3,3"},
    {"cross", "f(4000,3) f(4000,3)"},
    {"expand", "f(128) | shape=100,128"},
    {"gather_add", "f(100,128) i(100,128)<80 | axis=0 shape=80,128"},
    {"index_reduce",
     "f(100,64) i(150)<100 f(150,64) | axis=0 reduce=prod ; f(100,64) i(150)<100 f(150,64) | axis=0 reduce=amax ;"
     "f(100,64) i(150)<100 f(150,64) | axis=0 reduce=prod include_self=false ;"
     "f(100,64) i(150)<100 f(150,64) | axis=0 reduce=mean"},
    {"index_put", "f(30,20,64) i(15,1)<30 i(20)<20 f(15,20,64)"},
    {"layer_norm", "f(64,256) f(256) f(256) | normalized_shape=256 ; f(64,256) | normalized_shape=256"},
    {"masked_fill", "f(100,128) b(100,128) | value=3"},
    {"masked_fill_tensor", "f(100,128) b(100,128) f()"},
    {"masked_mean", "f(100,128) b(100,128) | axes=1"},
    {"masked_std", "f(100,128) b(100,128) | axes=1"},
    {"masked_var", "f(100,128) b(100,128) | axes=1"},
    {"masked_scatter", "f(6000,2) b(2)=0,1 f(6000)"},
    {"masked_select", "f(6000,2) b(2)=0,1 | count=6000"},
    {"max_windows", "f(16,900) | image=30,30 kernel_size=3,3 stride=2,2 padding=1,1 dilation=1,1 output_size=15,15 ;"
                    "f(16,900) | image=30,30 kernel_size=2,2 stride=1,1 padding=0,0 dilation=1,1 output_size=29,29"},
    {"max_unpool1d", "f(64,256) i(64,256)<512 | kernel_size=2"},
    {"max_unpool2d", "f(16,32,32) i(16,32,32)<4096 | kernel_size=2"},
    {"max_unpool3d", "f(4,16,16,16) i(4,16,16,16)<32768 | kernel_size=2"},
    {"multilabel_margin_loss", "f(64,64) i(64,64)<64"},
    {"nanquantile", "f(100,128) f(2)=0.15,0.5 | axes=1"},
    {"put", "f(100,128) i(100,128)<12800 f(100,128)"},
    {"quantile", "f(100,128) f(2)=0.15,0.5 | axes=1"},
    {"reshape", "f(100,128) | shape=128,100"},
    {"rms_norm", "f(64,256) f(256) | normalized_shape=256 ; f(64,256) | normalized_shape=256"},
    {"scatter_reduce", "f(100,64) i(150,64)<100 f(150,64) | axis=0 reduce=prod ;"
                       "f(100,64) i(150,64)<100 f(150,64) | axis=0 reduce=prod include_self=false ;"
                       "f(100,64) i(150,64)<100 f(150,64) | axis=0 reduce=amax ;"
                       "f(100,64) i(150,64)<100 f(150,64) | axis=0 reduce=amin include_self=false ;"
                       "f(100,64) i(150,64)<100 f(150,64) | axis=0 reduce=mean"},
    {"split_with_sizes", "f(100,128) | split_sizes=40,60 part=1"},
    {"sum_to", "f(100,128) | shape=128"},
    {"take_add", "f(200,64) i(200)<100 | shape=100,64 axis=0"},
    {"undiagonal", "f(100) | shape=100,120"},
    {"unflatten", "f(96,128) | axis=0 sizes=8,12"},
    {"unfold_add", "f(49,128,3) | shape=99,128 axis=0 size=3 step=2"},
    {"unpad", "f(102,130) | shape=100,128 pad=1,1,1,1 mode=reflect"},
    {"unslice", "f(100,64) | shape=202,64 axis=0 start=1 stop=201 step=2"},
};

/* Arithmetic */

/* What a row computes, as elementwise.def says it. */
static const struct row {
    const char *op, *value;
} rows[] = {
#define F1(name, value, ...) {#name, #value},
#define P1(name, attribute, preset, other, value, ...) {#name, #value},
#define Q1(name, first, preset, other, second, preset2, other2, value, ...) {#name, #value},
#define X1(name, function, ...) {#name, #function},
#define Y1(name, attribute, preset, other, function, ...) {#name, #function},
#define N1 F1
#define S1 F1
#define B1 F1
#define I1 F1
#define F2 F1
#define N2 F1
#define S2 F1
#define C2 F1
#define I2 F1
#define J2 F1
#define F3 F1
#define W3 F1
#define P2 P1
#define Q2 Q1
#define X2 X1
#define Y2 Y1
#include "ops/elementwise.def"
};

/* Functions that kernels evaluate for each of the operations that their record states. */
static const struct kernel {
    const char *op;
    double functions;
} kernels[] = {{"softmax", 1},      {"log_softmax", 1},     {"log_softmax_grad", 1},
               {"logsumexp", 1},    {"cross_entropy", 1},   {"cross_entropy_grad", 1},
               {"logcumsumexp", 2}, {"standard_gamma", 64}, {"frexp", 1}};

/* By the name in F(exp), NAME(logistic) and ONCE(iv); 8 where it is not listed. */
static const struct evaluated {
    const char *name;
    double cost;
} functions[] = {{"fabs", 0},         {"floor", 0},         {"ceil", 0},
                 {"rint", 0},         {"trunc", 0},         {"copysign", 0},
                 {"sqrt", 0},         {"pow", 32},          {"atan2", 32},
                 {"log_sum", 16},     {"log2_sum", 16},     {"softplus1", 16},
                 {"normal_tail", 16}, {"lgamma", 128},      {"ierfcx", 128},
                 {"log_ndtr", 128},   {"ndtri", 256},       {"digamma", 128},
                 {"iv", 128},         {"ive", 128},         {"spherical_jn", 128},
                 {"jv", 128},         {"yv", 128},          {"sine_ratio", 128},
                 {"polygamma", 128},  {"gamma_slope", 512}, {"gamma_density", 128},
                 {"gamma_tail", 512}};

static double function_cost(const char *name) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        size_t n = strlen(functions[i].name);
        if (!strncmp(name, functions[i].name, n) && name[n] == ')') return functions[i].cost;
    }
    return 8;
}

/* Of one operation that op's record states. */
static double operation_cost(const ag_op *op) {
    static const char moves[] =
        " concat contiguous flip gather pad roll scatter scatter_pick take tril unslice undiagonal ";
    double cost = listed(moves, op->name) ? 0 : 1;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (!strcmp(kernels[i].op, op->name)) cost += 8 * kernels[i].functions;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].op, op->name)) continue;
        for (const char *p = rows[i].value; (p = strpbrk(p, "FHNO")); p++) {
            if (!strncmp(p, "F(", 2)) cost += function_cost(p + 2);
            if (!strncmp(p, "NAME(", 5) || !strncmp(p, "ONCE(", 5) || !strncmp(p, "HALF(", 5))
                cost += function_cost(p + 5);
        }
    }
    return cost;
}

/* Costs */

static double cost_of(const ag_tape *t, ag__direction direction) {
    double cost = 0;
    for (int i = 0; i < AG__OPS; i++) {
        const ag__account *a = &t->profile->ops[i];
        if (a->op) cost += a->of[direction].bytes / 4 + a->of[direction].flops * operation_cost(a->op);
    }
    return cost;
}

static double words_of(ag_tensor *const x[], int n) {
    double bytes = 0;
    for (int i = 0; i < n; i++) bytes += (double)ag_size(x[i]) * (double)ag_dtype_size(ag_dtype_of(x[i]));
    return bytes / 4;
}

/* Backward over forward; −1 where the sample is not one of the op, 0 where there is nothing to differentiate. */
static double ratio(const sample *s) {
    ag_tape *t = ag_tape_new();
    ag_tensor *in[SAMPLE_INPUTS], *out[3], *y[3], *g[3];
    uint64_t random = 3;
    int m = 0;
    double result = -1;
    cr_assert(sample_tensors(s, t, AG_F32, AG_REQUIRES_GRAD, in) && ag_profile_start(t));
    ag_tensor *made = sample_call(s, t, in);
    if (made) {
        cr_assert(ag_profile_stop(t));
        int n = sample_outputs(made, out, 3);
        double forward = fmax(cost_of(t, AG__FORWARD), words_of(in, s->n) + words_of(out, n));
        for (int i = 0; i < n; i++) {
            if (!ag_requires_grad(out[i])) continue;
            g[m] = check_leaf(t, ag_dtype_of(out[i]), ag_shape_of(out[i]), 0, -1, 1, &random);
            y[m++] = out[i];
        }
        need(s, m == 0 || (ag_profile_start(t) && ag_backward_from(y, g, m)), "%s", ag_tape_message(t));
        result = m ? cost_of(t, AG__BACKWARD) / forward : 0;
    }
    ag_tape_free(t);
    return result;
}

/* Samples */

static int axes_of(ag_shape s) {
    int n = 0;
    for (int k = 0; k < s.rank; k++) n += s.dim[k] > 1;
    return n;
}

/* Makes every extent but 1 as many times as large as lets the largest tensor have about ELEMENTS. */
static bool enlarge(sample *s) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x[SAMPLE_INPUTS + 3];
    int n = s->n, axes = 1;
    int64_t most = 1;
    bool fits = sample_tensors(s, t, AG_F32, 0, x);
    ag_tensor *y = fits ? sample_call(s, t, x) : NULL;
    if (y) n += sample_outputs(y, x + n, 3);
    for (int i = 0; i < n && y; i++) {
        axes = axes_of(ag_shape_of(x[i])) > axes ? axes_of(ag_shape_of(x[i])) : axes;
        most = ag_size(x[i]) > most ? ag_size(x[i]) : most;
        fits = fits && ag_size(x[i]) > 0 && (i >= s->n || !s->in[i].given);
    }
    ag_tape_free(t);
    int64_t by = (int64_t)pow((double)ELEMENTS / (double)most, 1. / axes);
    for (int i = 0; i < s->n; i++) {
        ag_shape *shape = &s->in[i].shape;
        for (int k = 0; k < shape->rank; k++) shape->dim[k] *= shape->dim[k] > 1 ? by : 1;
        s->in[i].limit *= s->in[i].limit > 1 ? by : 1;
    }
    return y && fits && most > 1;
}

/* Have all operands one shape, so that nothing is broadcast? */
static bool alike(const sample *s) {
    for (int i = 1; i < s->n; i++) {
        ag_shape a = s->in[0].shape, b = s->in[i].shape;
        if (a.rank != b.rank || memcmp(a.dim, b.dim, (size_t)a.rank * sizeof *a.dim) != 0) return false;
    }
    return true;
}

/* The largest ratio of an op's samples, and its sample; −1: none could be measured. */
static double worst(const listed_op *op, sample *at) {
    const char *list = op->samples;
    double most = -1;
    bool given = false;
    for (size_t i = 0; i < sizeof sized / sizeof *sized; i++) {
        given = given || !strcmp(sized[i].op, op->name);
        if (!strcmp(sized[i].op, op->name)) list = sized[i].samples;
    }
    sample s;
    for (const char *p = list; (p = sample_next(p, op->name, &s));) {
        if (!given && ((most >= 0 && !alike(&s)) || !enlarge(&s))) continue;
        double r = ratio(&s);
        need(&s, r >= 0 || !given, "is no sample");
        if (r > most) {
            most = r;
            *at = s;
        }
    }
    return most;
}

Test(cost, of_gradients_is_at_most_three_times_the_op) {
    for (const listed_op *op = listed_ops; op->name; op++) {
        sample s;
        const ag_op *record = ag_find_op(op->name);
        if (record->flags & (AG_FLAT | AG_EFFECT) || record->arity == 0) continue;
        double r = worst(op, &s);
        cr_assert_geq(r, 0, "%s: none of its samples grows; list a larger one", op->name);
        bool dear = listed(excepted, op->name); /* a constant operand is a word or two: 1e-3 */
        need(&s, dear || r <= MOST + 1e-3, "backward costs %.2f times forward", r);
        need(&s, !dear || r > MOST + 1e-3, "backward costs %.2f times forward: strike it from the list", r);
    }
}
