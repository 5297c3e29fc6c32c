/* Random programs: graphs that nobody thought of, on a tape that lives through all of them. For each
 *
 *     ag_backward  =  ag_gradients                     two ways through the reverse loop
 *     ⟨u, J v⟩     =  ⟨Jᵀ u, v⟩                        forward and reverse mode
 *     H v forward over reverse  =  reverse over reverse
 *     replay and clone give the same bits
 *
 * and afterwards the tape is rewound, so what one program leaves behind would spoil the next. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

enum { LEAVES = 4, NODES = 24 };

typedef struct program {
    ag_tape *t;
    ag_tensor *node[LEAVES + NODES]; /* of shapes that broadcast to (2,3) */
    int count;
    uint64_t state;
} program;

static int pick(program *p, int n) { return (int)(check_random(&p->state) * n); }

/* Mostly one of the last, so that graphs grow deep; sometimes any, so that they grow wide. */
static ag_tensor *operand(program *p) {
    int back = pick(p, 3) ? pick(p, 4) : pick(p, p->count);
    return p->node[p->count - 1 - (back < p->count ? back : 0)];
}

static ag_tensor *whole(ag_tensor *x) { return ag_expand(x, AG_SHAPE(2, 3)); }

/* Sines keep values and derivatives near one. */
static ag_tensor *apply(program *p) {
    ag_tensor *a = operand(p), *b = operand(p), *w;
    switch (pick(p, 19)) {
    case 0: return ag_add(a, b);
    case 1: return ag_sub(ag_sin(a), b);
    case 2: return ag_sin(ag_mul(a, b));
    case 3: return ag_tanh(a);
    case 4: return ag_sigmoid(a);
    case 5: return ag_sin(ag_square(a));
    case 6: return ag_div(ag_sin(a), ag_add_scalar(ag_square(ag_sin(b)), 1));
    case 7: return ag_sum(ag_sin(whole(a)), AG_AXES(0), true);
    case 8: return ag_mean(whole(a), AG_AXES(1), true);
    case 9: return ag_sin(SUM(a));
    case 10: return ag_slice(whole(a), 1, AG_END, AG_END, -1);
    case 11: return ag_concat((ag_tensor *[]){ag_slice(whole(a), 1, 1, 3, 1), ag_slice(whole(b), 1, 0, 1, 1)}, 2, 1);
    case 12: return ag_softmax(whole(a), pick(p, 2));
    case 13: return ag_where(ag_gt(a, b), ag_sin(a), ag_cos(b));
    case 14: return ag_scale(ag_log_softmax(whole(a), 1), 0.3);
    case 15: w = whole(a); return ag_sin(SUM(ag_matmul(w, ag_transpose(whole(b), 0, 1))));
    case 16: return ag_topk(whole(a), 3, 1, NULL);
    case 17: return ag_mul(ag_detach(ag_sin(a)), ag_dropout(b, 0.3));
    default: return ag_reshape(ag_permute(ag_reshape(whole(a), AG_SHAPE(3, 2)), AG_AXES(1, 0)), AG_SHAPE(2, 3));
    }
}

/* Now and then something goes wrong and is forgotten. */
static void stumble(program *p) {
    ag_tensor *x = operand(p);
    cr_assert_null(ag_reshape(ag_sin(x), AG_SHAPE(99)));
    ag_tape_clear(p->t);
}

static double dot(ag_tensor *const a[], ag_tensor *const b[], int n) {
    double total = 0;
    for (int i = 0; i < n; i++) {
        for (int64_t k = 0; k < ag_size(a[i]); k++) total += ag_at(a[i], k) * ag_at(b[i], k);
    }
    return total;
}

static ag_tensor *noise(program *p, const ag_tensor *like) {
    double v[6];
    for (int i = 0; i < 6; i++) v[i] = 2 * check_random(&p->state) - 1;
    return ag_leaf(p->t, AG_F64, v, ag_shape_of(like), AG_RECORDED);
}

static void expect_near(double a, double b, double scale, const char *what, int run) {
    cr_assert_leq(fabs(a - b), 1e-11 * (scale + fabs(a) + fabs(b)), "program %d, %s: %.17g and %.17g", run, what, a, b);
}

/* Two outputs, all leaves: values, first and second derivatives, by every way there is. */
static void check_program(program *p, int run) {
    ag_tensor *ys[] = {p->node[p->count - 1], operand(p)}, *const *xs = p->node, *us[2], *vs[LEAVES], *d[LEAVES], *jv[2];
    for (int i = 0; i < 2; i++) us[i] = noise(p, ys[i]);
    for (int i = 0; i < LEAVES; i++) vs[i] = noise(p, xs[i]);
    ag_tensor *loss = ag_add(SUM(ag_mul(ys[0], us[0])), SUM(ag_mul(ys[1], us[1])));
    cr_assert(ag_gradients(ys, us, 2, xs, LEAVES, d), "program %d: %s", run, ag_tape_message(p->t));
    cr_assert(ag_jvp(ys, 2, xs, vs, LEAVES, jv), "program %d: %s", run, ag_tape_message(p->t));
    expect_near(dot(us, jv, 2), dot(d, vs, LEAVES), 1, "adjoint", run);
    if (ag_requires_grad(loss)) {
        cr_assert(ag_backward(loss), "program %d: %s", run, ag_tape_message(p->t));
        for (int i = 0; i < LEAVES; i++) {
            for (int64_t k = 0; k < ag_size(xs[i]); k++)
                expect_near(ag_at(ag_grad(xs[i]), k), ag_at(d[i], k), 1, "gradient", run);
            ag_zero_grad(xs[i]);
        }
    }
    ag_tensor *inner = ag_scalar(p->t, AG_F64, 0), *hv[LEAVES], *forward[LEAVES];
    for (int i = 0; i < LEAVES; i++) inner = ag_add(inner, SUM(ag_mul(d[i], vs[i])));
    cr_assert(ag_gradients(&inner, NULL, 1, xs, LEAVES, hv), "program %d: %s", run, ag_tape_message(p->t));
    cr_assert(ag_jvp(d, LEAVES, xs, vs, LEAVES, forward), "program %d: %s", run, ag_tape_message(p->t));
    double scale = sqrt(dot(hv, hv, LEAVES));
    for (int i = 0; i < LEAVES; i++) {
        for (int64_t k = 0; k < ag_size(xs[i]); k++)
            expect_near(ag_at(forward[i], k), ag_at(hv[i], k), 1 + scale, "Hessian", run);
    }
    ag_tape *other = ag_tape_new();
    ag_tensor *results[] = {loss, inner, d[0], hv[LEAVES - 1]}, *copies[4];
    cr_assert(ag_clone(other, results, 4, AG_DTYPE_COUNT, (unsigned)pick(p, 2), copies), "%s", ag_tape_message(other));
    for (int i = 0; i < 4; i++) assert_same(copies[i], results[i]);
    cr_assert(ag_replay(p->t));
    for (int i = 0; i < 4; i++) assert_same(results[i], copies[i]);
    ag_tape_free(other);
}

Test(tape, random_programs, .timeout = 300) {
    enum { PROGRAMS = 300 };
    static const ag_shape shapes[LEAVES] = {
        {.rank = 0}, {.rank = 1, .dim = {3}}, {.rank = 2, .dim = {2, 1}}, {.rank = 2, .dim = {2, 3}}};
    program p = {.t = ag_tape_new(), .state = 20};
    for (int i = 0; i < LEAVES; i++) p.node[i] = check_leaf(p.t, AG_F64, shapes[i], AG_REQUIRES_GRAD, -1, 1, &p.state);
    ag_mark start = ag_tape_mark(p.t);
    for (int run = 0; run < PROGRAMS; run++) {
        p.count = LEAVES;
        for (int i = 0; i < NODES; i++) {
            if (pick(&p, 20) == 0) stumble(&p);
            ag_tensor *y = apply(&p);
            cr_assert_not_null(y, "program %d: %s", run, ag_tape_message(p.t));
            p.node[p.count++] = y;
        }
        check_program(&p, run);
        assert_ok(p.t);
        cr_assert(ag_tape_rewind(p.t, start));
    }
    ag_tape_free(p.t);
}
