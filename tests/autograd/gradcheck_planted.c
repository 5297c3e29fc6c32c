/* gradcheck_planted.c: is the gradient checker any good? Faults are planted into whole models, each into one call of one op: a
 * copy of the built-in record with another rule, or another run. The check of the whole must fail, the check of the nodes must
 * name that node and no other; and nothing may be found where nothing is planted. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/inspect.h"
#include "check.h"
#include "gradcheck_models.h"
#include "ops/ops.h"

typedef bool rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]);
enum { COUNT_FAULTS_AT_LEAST = 40 };

static struct {
    const ag_op *original;
    ag_op record;
    int input; /* whose gradient is spoilt */
} now;

static bool right(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return now.original->grad(y, g, d); }

/* Spoils d[now.input]. */
static bool spoil(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[], ag_tensor *(*how)(ag_tensor *y, ag_tensor *d)) {
    if (!right(y, g, d)) return false;
    if (d[now.input]) d[now.input] = how(y, d[now.input]);
    return !ag_tape_status(ag_tape_of(y));
}

static ag_tensor *negated(ag_tensor *y, ag_tensor *d) { return (void)y, ag_neg(d); }
static ag_tensor *scaled(ag_tensor *y, ag_tensor *d) { return (void)y, ag_scale(d, 1.01); }
static ag_tensor *infinite(ag_tensor *y, ag_tensor *d) { return (void)y, ag_scale(d, (double)INFINITY); }
static ag_tensor *dropped(ag_tensor *y, ag_tensor *d) { return (void)y, (void)d, NULL; }

/* One element of each axis that was broadcast, instead of the sum along it. */
static ag_tensor *unsummed(ag_tensor *y, ag_tensor *d) {
    ag_shape s = ag_shape_of(ag_in(y, now.input));
    for (int i = 1; i <= ag_rank(d); i++) {
        int64_t extent = i <= s.rank ? s.dim[s.rank - i] : 1;
        if (extent == 1) d = ag_slice(d, -i, 0, 1, 1);
    }
    return ag_reshape(d, s);
}

/* Five times what it should be where the input is 0. */
static ag_tensor *bad_at_zero(ag_tensor *y, ag_tensor *d) {
    ag_tensor *x = ag_in(y, now.input), *zero = ag_scalar(ag_tape_of(y), ag_dtype_of(x), 0);
    return ag_where(ag_eq(x, zero), ag_add_scalar(ag_scale(d, 5), 3), d);
}

static bool sign(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return spoil(y, g, d, negated); }
static bool scale(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return spoil(y, g, d, scaled); }
static bool inf(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return spoil(y, g, d, infinite); }
static bool drop(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return spoil(y, g, d, dropped); }
static bool unbroadcast(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return spoil(y, g, d, unsummed); }
static bool at_kink(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return spoil(y, g, d, bad_at_zero); }

static bool swap(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    if (!right(y, g, d)) return false;
    ag_tensor *first = d[0];
    d[0] = d[1];
    d[1] = first;
    return true;
}

/* Rules that lack a term. tanh: g − g y²; sigmoid: g y − g y²; gelu: g Φ(x) + g x φ(x); softmax: g y − y Σ g y;
 * log_softmax: g − eʸ Σ g; cross_entropy: (softmax(x) − one_hot) g / n */
static bool lacks_tanh(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return (void)y, d[0] = g[0], true; }
static bool lacks_sigmoid(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_mul(g[0], y)) != NULL;
}
static bool lacks_gelu(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *phi = ag_scale(ag_add_scalar(ag_erf(ag_scale(ag_in(y, 0), sqrt(0.5))), 1), 0.5);
    return (d[0] = ag_mul(g[0], phi)) != NULL;
}
static bool lacks_softmax(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return (d[0] = ag_mul(g[0], y)) != NULL;
}
static bool lacks_log_softmax(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) { return (void)y, d[0] = g[0], true; }
static bool lacks_cross_entropy(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0);
    return (d[0] = ag_scale(ag_mul(g[0], ag_softmax(x, 1)), 1 / (double)ag_dim(x, 0))) != NULL;
}

/* The first value is NaN. */
static bool nan_run(ag_tensor *y) {
    if (!now.original->run(y)) return false;
    if (ag_dtype_of(y) == AG_F64) {
        *(double *)ag_out_data(y, 0) = (double)NAN;
    } else {
        *(float *)ag_out_data(y, 0) = NAN;
    }
    return true;
}

static const struct fault {
    int model;
    const char *op;
    int call, input;
    rule *rule;  /* NULL: NaN in the forward pass */
    int verdict; /* of the node; −1: any */
} faults[] = {
    {MLP, "matmul", 0, 1, sign, AG_WRONG_SIGN},
    {MLP, "tanh", 0, 0, scale, AG_WRONG_SCALE},
    {MLP, "gelu", 0, 0, lacks_gelu, -1},
    {MLP, "log_softmax", 0, 0, lacks_log_softmax, -1},
    {MLP, "mul", 0, 0, swap, -1},
    {MLP, "maximum", 0, 0, swap, -1},
    {MLP, "add", 1, 1, unbroadcast, -1},
    {MLP, "relu", 0, 0, at_kink, -1},
    {MLP, "abs", 0, 0, at_kink, -1},
    {MLP, "gelu", 0, 0, NULL, AG_NOT_FINITE},
    {MLP, "sigmoid", 0, 0, inf, AG_NOT_FINITE},
    {CONVNET, "conv2d", 0, 1, sign, AG_WRONG_SIGN},
    {CONVNET, "conv2d", 1, 0, scale, AG_WRONG_SCALE},
    {CONVNET, "conv2d", 1, 1, drop, AG_MISSING_TERM},
    {CONVNET, "sub", 0, 0, swap, -1},
    {CONVNET, "add", 2, 1, unbroadcast, -1},
    {CONVNET, "mul", 0, 1, unbroadcast, -1},
    {CONVNET, "relu", 0, 0, at_kink, -1},
    {CONVNET, "max", 0, 0, at_kink, -1},
    {CONVNET, "conv2d", 1, 0, NULL, AG_NOT_FINITE},
    {CONVNET, "sqrt", 0, 0, inf, AG_NOT_FINITE},
    {CONVNET, "square", 0, 0, scale, AG_WRONG_SCALE},
    {CONVNET, "cross_entropy", 0, 0, lacks_cross_entropy, -1},
    {RECURRENT, "tanh", 2, 0, sign, AG_WRONG_SIGN},
    {RECURRENT, "scale", 1, 0, scale, AG_WRONG_SCALE},
    {RECURRENT, "tanh", 3, 0, lacks_tanh, -1},
    {RECURRENT, "sigmoid", 1, 0, lacks_sigmoid, -1},
    {RECURRENT, "sub", 1, 1, drop, AG_MISSING_TERM},
    {RECURRENT, "mul", 2, 0, swap, -1},
    {RECURRENT, "add", 2, 1, unbroadcast, -1},
    {RECURRENT, "abs", 0, 0, at_kink, -1},
    {RECURRENT, "matmul", 9, 0, NULL, AG_NOT_FINITE},
    {RECURRENT, "exp", 1, 0, inf, AG_NOT_FINITE},
    {RECURRENT, "div", 2, 1, sign, AG_WRONG_SIGN},
    {ATTENTION, "matmul", 3, 0, sign, AG_WRONG_SIGN},
    {ATTENTION, "softmax", 0, 0, scale, AG_WRONG_SCALE},
    {ATTENTION, "softmax", 0, 0, lacks_softmax, -1},
    {ATTENTION, "matmul", 4, 0, drop, AG_MISSING_TERM},
    {ATTENTION, "div", 0, 0, swap, -1},
    {ATTENTION, "sub", 1, 0, scale, AG_WRONG_SCALE},
    {ATTENTION, "mul", 0, 1, unbroadcast, -1},
    {ATTENTION, "relu", 0, 0, at_kink, -1},
    {ATTENTION, "softmax", 0, 0, NULL, AG_NOT_FINITE},
    {ATTENTION, "sqrt", 0, 0, inf, AG_NOT_FINITE},
    {ATTENTION, "permute", 0, 0, sign, AG_WRONG_SIGN},
};
enum { FAULTS = sizeof faults / sizeof *faults };
_Static_assert((int)FAULTS >= (int)COUNT_FAULTS_AT_LEAST, "as many faults as were promised");

static plant plant_of(const struct fault *f) {
    now.original = ag_find_op(f->op);
    cr_assert(now.original, "no op is called %s", f->op);
    now.record = *now.original;
    now.input = f->input;
    if (f->rule) {
        now.record.grad = f->rule;
    } else {
        now.record.run = nan_run;
    }
    return (plant){.op = f->op, .call = f->call, .record = &now.record};
}

static void describe(const struct fault *f, int i, char out[96]) {
    snprintf(out, 96, "fault %d, %s call %d of %s", i, f->op, f->call, models[f->model].name);
}

static void expect_named(const struct fault *f, const plant *p, const ag_check_report *r, const char *what) {
    static char text[8192];
    ag_check_text(r, text, sizeof text);
    cr_assert_gt(r->failed, 0, "%s: not found in the nodes", what);
    for (int k = 0; k < r->rows; k++) {
        const ag_check_row *row = &r->row[k];
        if (ag_verdict_passes(row->verdict)) break;
        cr_assert_eq(row->node, p->node, "%s: node #%d was to be named: %s", what, (int)ag_index(p->node), text);
        cr_assert(f->verdict < 0 || row->index < 0 || (int)row->verdict == f->verdict, "%s: verdict %s: %s", what,
                  ag_verdict_name(row->verdict), text);
    }
}

static void check_fault(int i, const ag_check_options *o) {
    const struct fault *f = &faults[i];
    char what[96];
    ag_check_report r;
    ag_tape *t = ag_tape_new();
    plant p = plant_of(f);
    ag_tensor *loss = model_loss(&models[f->model], t, &p);
    describe(f, i, what);
    cr_assert(loss && ag_op_of(p.node) == &now.record, "%s: not planted: %s", what, ag_tape_message(t));
    cr_assert(!ag_gradcheck(loss, NULL, 0, o, &r), "%s: the check of the whole passed", what);
    cr_assert(!ag_tape_status(t), "%s: %s", what, ag_tape_message(t));
    cr_assert_gt(r.failed, 0, "%s: the check of the whole passed", what);
    cr_assert(!ag_gradcheck_nodes(loss, o, &r), "%s: the check of the nodes passed", what);
    cr_assert(!ag_tape_status(t), "%s: %s", what, ag_tape_message(t));
    expect_named(f, &p, &r, what);
    ag_tape_free(t);
}

Test(slow_gradcheck_planted, every_fault_is_found_and_named) {
    for (int i = 0; i < FAULTS; i++) check_fault(i, NULL);
}

Test(slow_gradcheck_planted, also_by_samples) {
    ag_check_options o = ag_check_defaults();
    o.mode = AG_CHECK_SAMPLES;
    o.samples = 40;
    for (int i = 0; i < FAULTS; i++) check_fault(i, &o);
}

/* One direction through everything, then one for each tensor. */
Test(slow_gradcheck_planted, also_by_a_direction) {
    ag_check_options o = ag_check_defaults();
    o.mode = AG_CHECK_DIRECTIONAL;
    for (int i = 0; i < FAULTS; i++) check_fault(i, &o);
}

Test(slow_gradcheck_planted, nothing_is_found_where_nothing_is_planted) {
    static char text[8192];
    for (int m = 0; m < MODELS; m++) {
        for (int k = 0; k < 8; k++) {
            ag_check_options o = ag_check_defaults();
            o.order = 1 + k % 2;
            o.mode = (ag_check_mode)(k / 2);
            ag_tape *t = ag_tape_new();
            ag_tensor *loss = model_loss(&models[m], t, NULL);
            ag_check_report r;
            cr_assert(ag_gradcheck(loss, NULL, 0, &o, &r), "%s, mode %d: %s%s", models[m].name, k, ag_tape_message(t),
                      ag_check_text(&r, text, sizeof text));
            cr_assert(ag_gradcheck_nodes(loss, &o, &r), "%s, mode %d: %s%s", models[m].name, k, ag_tape_message(t),
                      ag_check_text(&r, text, sizeof text));
            ag_tape_free(t);
        }
    }
}
