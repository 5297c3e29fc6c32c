/* A graph may be as deep as memory allows: nothing recurses on it. A thread with a small stack proves it. */
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "make.h"
#include "ops/ops.h"

#ifdef AG_POISON
enum { DEPTH = 100000 }; /* every node is an allocation of its own */
#else
enum { DEPTH = 1000000 };
#endif

typedef struct report {
    ag_status status;
    double backward, gradient, tangent, copied, replayed;
    bool done;
} report;

/* y = x + DEPTH, and everything that walks a graph. */
static void *walk(void *out) {
    report *r = out;
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *x = number(t, 1), *y = x, *one = ag_scalar(t, AG_F64, 1), *d = NULL;
    for (int i = 0; i < DEPTH; i++) y = i % 2 ? ag_add_scalar(y, 2) : ag_neg(y); /* −y + 2, over and over: back to x */
    r->done = ag_backward(y);
    r->backward = ag_item(ag_grad(x));
    ag_mark m = ag_tape_mark(t);
    r->done = r->done && ag_gradients(&y, NULL, 1, &x, 1, &d);
    r->gradient = ag_item(d);
    r->done = r->done && ag_tape_rewind(t, m) && ag_jvp(&y, 1, &x, &one, 1, &d);
    r->tangent = ag_item(d);
    r->done = r->done && ag_tape_rewind(t, m) && ag_fill(x, 4) && ag_replay(t);
    r->replayed = ag_item(y);
    r->done = r->done && ag_clone(other, &y, 1, AG_F32, 0, &d);
    r->copied = ag_item(d);
    r->status = ag_tape_status(t);
    ag_tape_free(t);
    ag_tape_free(other);
    return NULL;
}

Test(tape, a_million_nodes_deep_on_a_small_stack, .timeout = 300) {
    long least = sysconf(_SC_THREAD_STACK_MIN);
    size_t stack = 64 << 10;
    if (least > 0 && (size_t)least > stack) stack = (size_t)least;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    cr_assert_eq(pthread_attr_setstacksize(&attributes, stack), 0);
    pthread_t thread;
    report r = {.done = false};
    cr_assert_eq(pthread_create(&thread, &attributes, walk, &r), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    cr_assert_eq(r.status, AG_OK);
    cr_assert(r.done);
    double sign = DEPTH / 2 % 2 ? -1 : 1;
    assert_close(r.backward, sign, 0);
    assert_close(r.gradient, sign, 0);
    assert_close(r.tangent, sign, 0);
    assert_close(r.replayed, 4, 0);
    assert_close(r.copied, 4, 0);
}

/* Nodes do not move while a tape grows, and are found by their place. */
Test(tape, nodes_stay_where_they_are) {
    enum { N = 70000 };
    ag_tape *t = ag_tape_new();
    static ag_tensor *node[N];
    ag_tensor *y = number(t, 0);
    for (int i = 0; i < N; i++) node[i] = y = ag_add_scalar(y, 1);
    cr_assert_eq(ag_tape_size(t), N);
    for (int i = 0; i < N; i++) {
        if (ag_tape_node(t, i) != node[i] || ag_index(node[i]) != i || ag_item(node[i]) != i + 1)
            cr_assert_fail("node %d", i);
    }
    cr_assert_null(ag_tape_node(t, N));
    cr_assert_null(ag_tape_node(t, -1));
    ag_tape_free(t);
}

/* Tapes are cheap: many may live at once, and one may die before another. */
Test(tape, many_tapes) {
    enum { N = 200 };
    ag_tape *t[N];
    for (int i = 0; i < N; i++) {
        t[i] = ag_tape_new();
        ag_tensor *w = PARAM(t[i], i, 1);
        cr_assert(ag_backward(SUM(ag_square(w))));
        assert_values(ag_grad(w), 0, 2 * i, 2);
    }
    for (int i = 0; i < N; i++) ag_tape_free(t[(i * 77) % N]);
}
