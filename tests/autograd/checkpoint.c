/* Checkpoints: the same gradients to the bit as without, at every order, for less memory. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/inspect.h"
#include "make.h"
#include "ops/ops.h"

static int calls; /* of a segment's function */

/* Segments, called plainly or through a checkpoint */

/* x, w, b: tanh(x w + b) x, x used twice inside and the layer's weights by several layers. */
static bool layer(void *context, ag_tensor *const in[], int n, ag_tensor *out[], int m) {
    (void)context, (void)n, (void)m;
    calls++;
    out[0] = ag_mul(ag_tanh(ag_add(ag_matmul(in[0], in[1]), in[2])), in[0]);
    return out[0] != NULL;
}

/* The same with dropout and two results. */
static bool noisy(void *context, ag_tensor *const in[], int n, ag_tensor *out[], int m) {
    (void)context, (void)n, (void)m;
    calls++;
    ag_tensor *h = ag_dropout(ag_tanh(ag_matmul(in[0], in[1])), 0.5);
    out[0] = ag_add(h, in[2]);
    out[1] = ag_dropout(ag_square(h), 0.25);
    return out[0] && out[1];
}

/* Two layers, each a checkpoint. */
static bool nested(void *context, ag_tensor *const in[], int n, ag_tensor *out[], int m) {
    ag_tensor *h;
    if (!ag_checkpoint(ag_tape_of(in[0]), layer, context, in, n, &h, 1)) return false;
    return ag_checkpoint(ag_tape_of(h), layer, context, (ag_tensor *[]){h, in[1], in[2]}, n, out, m);
}

/* The gradient of a function, inside: x, w ↦ ∂Σtanh(x w)/∂x. */
static bool slope(void *context, ag_tensor *const in[], int n, ag_tensor *out[], int m) {
    (void)context, (void)n, (void)m;
    ag_tensor *y = SUM(ag_tanh(ag_matmul(in[0], in[1])));
    ag_tensor *x = in[0];
    return y && ag_gradients(&y, NULL, 1, &x, 1, out);
}

typedef struct model {
    const char *name;
    ag_segment_fn *fn;
    int inputs, outputs;
} model;
static const model models[] = {
    {"layer", layer, 3, 1}, {"noisy", noisy, 3, 2}, {"nested", nested, 3, 1}, {"slope", slope, 2, 1}};

typedef struct net {
    ag_tape *t;
    ag_tensor *w[3], *loss; /* x, weight and bias */
} net;

/* Three segments in a row on the same weights, which the loss uses as well. */
static net make(const model *of, ag_dtype dtype, bool checkpointed) {
    net n = {.t = ag_tape_new()};
    uint64_t random = 11;
    n.w[0] = check_leaf(n.t, dtype, AG_SHAPE(4, 3), AG_REQUIRES_GRAD, -1, 1, &random);
    n.w[1] = check_leaf(n.t, dtype, AG_SHAPE(3, 3), AG_REQUIRES_GRAD, -1, 1, &random);
    n.w[2] = check_leaf(n.t, dtype, AG_SHAPE(3), AG_REQUIRES_GRAD, -1, 1, &random);
    ag_tensor *h = n.w[0], *extra = NULL;
    for (int k = 0; k < 3; k++) {
        ag_tensor *in[] = {h, n.w[1], n.w[2]}, *out[2] = {NULL};
        bool done = checkpointed ? ag_checkpoint(n.t, of->fn, NULL, in, of->inputs, out, of->outputs)
                                 : of->fn(NULL, in, of->inputs, out, of->outputs);
        cr_assert(done, "%s: %s", of->name, ag_tape_message(n.t));
        h = out[0];
        if (out[1]) extra = extra ? ag_add(extra, SUM(out[1])) : SUM(out[1]);
    }
    n.loss = ag_add(SUM(ag_square(h)), SUM(ag_mul(n.w[1], ag_square(n.w[1]))));
    if (extra) n.loss = ag_add(n.loss, extra);
    cr_assert(n.loss, "%s: %s", of->name, ag_tape_message(n.t));
    return n;
}

#define EACH_MODEL(of) for (const model *of = models; of < models + COUNT_OF(models); of++)

Test(checkpoint, gradients_are_the_same_to_the_bit) {
    EACH_MODEL(of) {
        for (ag_dtype dtype = AG_F32; dtype <= AG_F64; dtype++) {
            net a = make(of, dtype, false), b = make(of, dtype, true);
            assert_same(a.loss, b.loss);
            cr_assert_lt(ag_tape_size(b.t), ag_tape_size(a.t), "%s: fewer nodes", of->name);
            for (int twice = 0; twice < 2; twice++) {
                cr_assert(ag_backward(a.loss) && ag_backward(b.loss), "%s: %s", of->name, ag_tape_message(b.t));
                for (int i = 0; i < of->inputs; i++) assert_same(ag_grad(a.w[i]), ag_grad(b.w[i]));
            }
            ag_tape_free(a.t);
            ag_tape_free(b.t);
        }
    }
}

Test(checkpoint, pure_gradients_of_orders_one_and_two) {
    EACH_MODEL(of) {
        net a = make(of, AG_F64, false), b = make(of, AG_F64, true);
        ag_tensor *g[2][3], *h[2][3];
        for (int k = 0; k < 2; k++) {
            net *n = k ? &b : &a;
            cr_assert(ag_gradients(&n->loss, NULL, 1, n->w, of->inputs, g[k]), "%s: %s", of->name, ag_tape_message(n->t));
            cr_assert(ag_gradients(g[k], NULL, of->inputs, n->w, of->inputs, h[k]), "%s: %s", of->name,
                      ag_tape_message(n->t));
        }
        for (int i = 0; i < of->inputs; i++) {
            assert_same(g[0][i], g[1][i]);
            assert_near(h[0][i], h[1][i], 1e-13);
        }
        ag_tape_free(a.t);
        ag_tape_free(b.t);
    }
}

Test(checkpoint, forward_mode_and_hessian_products) {
    EACH_MODEL(of) {
        net a = make(of, AG_F64, false), b = make(of, AG_F64, true);
        ag_tensor *ju[2], *hv[2][3];
        for (int k = 0; k < 2; k++) {
            net *n = k ? &b : &a;
            uint64_t random = 5;
            ag_tensor *u[3];
            for (int i = 0; i < 3; i++) u[i] = check_leaf(n->t, AG_F64, ag_shape_of(n->w[i]), 0, -1, 1, &random);
            cr_assert(ag_jvp(&n->loss, 1, n->w, u, of->inputs, &ju[k]), "%s: %s", of->name, ag_tape_message(n->t));
            cr_assert(ag_hvp(n->loss, n->w, u, of->inputs, hv[k]), "%s: %s", of->name, ag_tape_message(n->t));
        }
        assert_near(ju[0], ju[1], 1e-14);
        for (int i = 0; i < of->inputs; i++) assert_near(hv[0][i], hv[1][i], 1e-13);
        ag_tape_free(a.t);
        ag_tape_free(b.t);
    }
}

/* A replay on other leaves, and a clone in another dtype, are those of the plain graph, random numbers included. */
Test(checkpoint, replays_and_clones) {
    EACH_MODEL(of) {
        net a = make(of, AG_F64, false), b = make(of, AG_F64, true);
        for (int k = 0; k < 2; k++) {
            net *n = k ? &b : &a;
            uint64_t random = 23;
            double *w = ag_mutable(n->w[1]);
            for (int i = 0; i < 9; i++) w[i] = check_random(&random);
            cr_assert(ag_replay(n->t), "%s: %s", of->name, ag_tape_message(n->t));
            cr_assert(ag_backward(n->loss), "%s: %s", of->name, ag_tape_message(n->t));
        }
        assert_same(a.loss, b.loss);
        for (int i = 0; i < of->inputs; i++) assert_same(ag_grad(a.w[i]), ag_grad(b.w[i]));
        ag_tensor *ca[4], *cb[4];
        ag_tape *ta = ag_tape_new(), *tb = ag_tape_new();
        ag_tensor *ya[] = {a.loss, a.w[0], a.w[1]}, *yb[] = {b.loss, b.w[0], b.w[1]};
        cr_assert(ag_clone(ta, ya, 3, AG_F32, 0, ca), "%s: %s", of->name, ag_tape_message(ta));
        cr_assert(ag_clone(tb, yb, 3, AG_F32, 0, cb), "%s: %s", of->name, ag_tape_message(tb));
        ag_tape_free(a.t);
        ag_tape_free(b.t);
        assert_same(ca[0], cb[0]);
        cr_assert(ag_backward(ca[0]) && ag_backward(cb[0]), "%s: %s", of->name, ag_tape_message(tb));
        for (int i = 1; i < 3; i++) assert_same(ag_grad(ca[i]), ag_grad(cb[i]));
        ag_tape_free(ta);
        ag_tape_free(tb);
    }
}

Test(checkpoint, gradcheck_looks_into_it) {
    EACH_MODEL(of) {
        net b = make(of, AG_F64, true);
        ag_check_report report;
        cr_assert(ag_gradcheck(b.loss, NULL, 0, NULL, &report), "%s: %s", of->name, ag_tape_message(b.t));
        cr_assert(ag_gradcheck_nodes(b.loss, NULL, &report), "%s: %s", of->name, ag_tape_message(b.t));
        ag_tape_free(b.t);
    }
}

/* A counter moves once: not again in backward, replay or clone. */
static bool counting(void *context, ag_tensor *const in[], int n, ag_tensor *out[], int m) {
    (void)context, (void)n, (void)m;
    if (!ag_assign(in[1], ag_add_scalar(in[1], 1))) return false;
    out[0] = ag_square(in[0]);
    return out[0] != NULL;
}

Test(checkpoint, effects_happen_once) {
    ag_tape *t = ag_tape_new(), *u = ag_tape_new();
    ag_tensor *x = PARAM(t, 2, 3), *counter = DATA(t, 0), *y, *copy;
    cr_assert(ag_checkpoint(t, counting, NULL, (ag_tensor *[]){x, counter}, 2, &y, 1), "%s", ag_tape_message(t));
    assert_values(counter, 0, 1);
    cr_assert(ag_replay(t), "%s", ag_tape_message(t));
    ag_tensor *loss = SUM(y);
    cr_assert(ag_backward(loss), "%s", ag_tape_message(t));
    assert_values(ag_grad(x), 0, 4, 6);
    assert_values(counter, 0, 1);
    cr_assert(ag_clone(u, &y, 1, AG_DTYPE_COUNT, 0, &copy), "%s", ag_tape_message(u));
    assert_values(copy, 0, 4, 9);
    assert_values(counter, 0, 1);
    ag_tape_free(t);
    ag_tape_free(u);
}

/* Deep and wide */

enum { DEPTH = 64, PIECE = 8, WIDTH = 4096 };

static bool piece(void *context, ag_tensor *const in[], int n, ag_tensor *out[], int m) {
    (void)context, (void)n, (void)m;
    calls++;
    out[0] = in[0];
    for (int i = 0; i < PIECE; i++) out[0] = ag_sin(ag_mul(out[0], in[1]));
    return out[0] != NULL;
}

/* √64 pieces of √64 layers keep 8 outputs and one piece: 8 + 2 · 8 · 2 tensors and a few gradients instead of 128. */
Test(checkpoint, peak_bytes_are_far_below) {
    size_t peak[2];
    for (int checkpointed = 0; checkpointed < 2; checkpointed++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *w = ag_param(t, AG_F32, AG_SHAPE(WIDTH)), *x = ag_param(t, AG_F32, AG_SHAPE(16, WIDTH)), *h = x;
        cr_assert(ag_fill(w, 1) && ag_fill(x, 0.5));
        for (int k = 0; k < DEPTH / PIECE; k++) {
            ag_tensor *in[] = {h, w};
            cr_assert(checkpointed ? ag_checkpoint(t, piece, NULL, in, 2, &h, 1) : piece(NULL, in, 2, &h, 1));
        }
        cr_assert(ag_backward(SUM(h)), "%s", ag_tape_message(t));
        peak[checkpointed] = ag_tape_peak_bytes(t);
        ag_tape_free(t);
    }
    cr_assert_lt(3 * peak[1], peak[0], "%zu bytes with checkpoints, %zu without", peak[1], peak[0]);
}

/* Forward calls each function once, backward once more, and rewinding begins anew without growing. */
Test(checkpoint, steps_repeat_in_the_same_memory) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_param(t, AG_F32, AG_SHAPE(64)), *x = ag_buffer(t, AG_F32, AG_SHAPE(64));
    cr_assert(ag_fill(w, 1) && ag_fill(x, 0.5));
    ag_mark here = ag_tape_mark(t);
    size_t bytes = 0;
    for (int step = 0; step < 1100; step++) {
        ag_tensor *in[] = {x, w}, *y;
        calls = 0;
        cr_assert(ag_checkpoint(t, piece, NULL, in, 2, &y, 1) && calls == 1);
        cr_assert(ag_backward(SUM(y)) && calls == 2, "%d calls: %s", calls, ag_tape_message(t));
        cr_assert(ag_tape_rewind(t, here));
        if (step == 1000) bytes = ag_tape_bytes(t); /* the quarantine of a poisoning tape is full */
    }
    cr_assert_eq(ag_tape_bytes(t), bytes);
    ag_tape_free(t);
}

/* Errors */

static ag_tensor *stranger;
static int mode;
enum { FAILS, SAYS_NOTHING, RETURNS_NOTHING, USES_ANOTHER, RETURNS_ANOTHER, REWINDS, GOES_BACK, MODES };

static bool wrong(void *context, ag_tensor *const in[], int n, ag_tensor *out[], int m) {
    (void)context, (void)n, (void)m;
    ag_tape *t = ag_tape_of(in[0]);
    out[0] = ag_square(in[0]);
    switch (mode) {
    case FAILS: return ag_matmul(in[0], ag_reshape(in[0], AG_SHAPE(1, 2))) != NULL;
    case SAYS_NOTHING: return false;
    case RETURNS_NOTHING: out[0] = NULL; return true;
    case USES_ANOTHER: out[0] = ag_mul(out[0], stranger); return true;
    case RETURNS_ANOTHER: out[0] = stranger; return true;
    case REWINDS: return ag_tape_rewind(t, ag_tape_mark(t));
    case GOES_BACK: return ag_backward(SUM(out[0]));
    default: return out[0] != NULL;
    }
}

Test(checkpoint, errors_inside_leave_no_trace) {
    static const struct {
        ag_status status;
        const char *part;
    } expected[MODES] = {{AG_ERR_SHAPE, "matmul"},
                         {AG_ERR_STATE, "failed without saying why"},
                         {AG_ERR_ARGUMENT, "output 0 is NULL"},
                         {AG_ERR_ARGUMENT, "uses stranger (2), which is not among its inputs"},
                         {AG_ERR_ARGUMENT, "is not made of its inputs"},
                         {AG_ERR_STATE, "rewind: called inside"},
                         {AG_ERR_STATE, "backward: called inside"}};
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 2, 3), *y;
    stranger = ag_set_name(PARAM(t, 1, 1), "stranger");
    for (mode = 0; mode < MODES; mode++) {
        int64_t size = ag_tape_size(t);
        y = x;
        cr_assert(!ag_checkpoint(t, wrong, NULL, &x, 1, &y, 1), "mode %d", mode);
        cr_assert_null(y);
        assert_error(t, expected[mode].status, expected[mode].part);
        cr_assert_eq(ag_tape_size(t), size, "mode %d", mode);
    }
    cr_assert(ag_checkpoint(t, wrong, NULL, &x, 1, &y, 1), "the tape goes on: %s", ag_tape_message(t));
    ag_tensor *loss = SUM(ag_mul(y, stranger));
    for (mode = 0; mode <= RETURNS_NOTHING; mode++) { /* now only in backward */
        cr_assert(!ag_backward(loss));
        ag_tape_clear(t);
        cr_assert(!ag_has_grad(x) && !ag_has_grad(stranger), "all or none");
    }
    mode = MODES;
    cr_assert(ag_backward(loss), "%s", ag_tape_message(t));
    assert_values(ag_grad(x), 0, 4, 6);
    ag_tape_free(t);
}

Test(checkpoint, overwritten_inputs_are_told) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 2, 3), *y;
    mode = MODES;
    cr_assert(ag_checkpoint(t, wrong, NULL, &x, 1, &y, 1));
    ag_tensor *loss = SUM(y);
    cr_assert(ag_fill(x, 1));
    cr_assert(!ag_backward(loss));
    assert_error(t, AG_ERR_STATE, "was overwritten after checkpoint used it");
    cr_assert(ag_replay(t) && ag_backward(loss), "%s", ag_tape_message(t));
    assert_values(ag_grad(x), 0, 2, 2);
    ag_tape_free(t);
}

Test(checkpoint, bad_arguments_are_errors) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *x = PARAM(t, 1, 2), *far = PARAM(other, 1, 2), *none = NULL, *y[9];
    cr_assert(!ag_checkpoint(NULL, wrong, NULL, &x, 1, y, 1));
    cr_assert(!ag_checkpoint(t, NULL, NULL, &x, 1, y, 1));
    assert_error(t, AG_ERR_ARGUMENT, "needs a function");
    cr_assert(!ag_checkpoint(t, wrong, NULL, &x, 0, y, 1));
    assert_error(t, AG_ERR_ARGUMENT, "needs a function");
    cr_assert(!ag_checkpoint(t, wrong, NULL, &x, 1, y, 9));
    assert_error(t, AG_ERR_ARGUMENT, "has 1 to 8 outputs, not 9");
    cr_assert(!ag_checkpoint(t, wrong, NULL, &none, 1, y, 1));
    assert_error(t, AG_ERR_ARGUMENT, "input 0 is NULL");
    cr_assert(!ag_checkpoint(t, wrong, NULL, &far, 1, y, 1));
    assert_error(t, AG_ERR_ARGUMENT, "another tape");
    mode = MODES;
    cr_assert(ag_checkpoint(t, wrong, NULL, &x, 1, y, 1));
    cr_assert(!ag_graph_save(y, 1, "/dev/null"));
    assert_error(t, AG_ERR_ARGUMENT, "graph_save: checkpoint is a function of this program");
    ag_tape_free(t);
    ag_tape_free(other);
}
