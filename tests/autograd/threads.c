/* The pool: every piece once, wherever it runs; results that do not depend on it; tapes in several threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "autograd/op.h"
#include "make.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

static const int counts[] = {1, 2, 3, 4, 8};

/* ag_parallel_for */

enum { MOST = 100000 };

typedef struct cover {
    atomic_uchar *seen;
    int64_t grain, n;
    atomic_int wrong, pieces;
} cover;

static void visit(void *context, int64_t begin, int64_t end) {
    cover *c = context;
    bool sound = 0 <= begin && begin < end && end <= c->n && (end - begin >= c->grain || c->n < c->grain);
    if (!sound) atomic_fetch_add(&c->wrong, 1);
    atomic_fetch_add(&c->pieces, 1);
    for (int64_t i = begin; i < end; i++) atomic_fetch_add_explicit(&c->seen[i], 1, memory_order_relaxed);
}

Test(threads, every_index_is_visited_once) {
    static const int64_t sizes[] = {0, 1, 2, 3, 7, 255, 256, 257, 1000, 4096, 65537, MOST},
                         grains[] = {0, 1, 2, 3, 100, 1000, 1 << 20};
    atomic_uchar *seen = malloc(MOST);
    for (int k = 0; k < COUNT_OF(counts); k++) {
        ag_set_threads(counts[k]);
        cr_assert_eq(ag_threads(), counts[k]);
        for (int i = 0; i < COUNT_OF(sizes); i++) {
            for (int g = 0; g < COUNT_OF(grains); g++) {
                memset((void *)seen, 0, MOST);
                cover c = {.seen = seen, .grain = grains[g], .n = sizes[i]};
                ag_parallel_for(sizes[i], grains[g], visit, &c);
                cr_assert_eq(c.wrong, 0, "n %ld, grain %ld", (long)sizes[i], (long)grains[g]);
                for (int64_t j = 0; j < MOST; j++) {
                    if (seen[j] != (j < sizes[i]))
                        cr_assert_fail("n %ld, grain %ld: %ld seen %d times", (long)sizes[i], (long)grains[g], (long)j,
                                       seen[j]);
                }
            }
        }
    }
    ag_parallel_for(-5, 1, visit, NULL);
    free((void *)seen);
}

/* Pieces depend on n and grain alone. */
typedef struct cuts {
    atomic_llong hash;
} cuts;

static void cut(void *context, int64_t begin, int64_t end) {
    atomic_fetch_add(&((cuts *)context)->hash, (long long)((begin * 2654435761 + end) % 1000003));
}

Test(threads, pieces_do_not_depend_on_their_number) {
    for (int64_t n = 1; n < 5000; n = n * 3 + 1) {
        long long first = 0;
        for (int k = 0; k < COUNT_OF(counts); k++) {
            ag_set_threads(counts[k]);
            cuts c = {0};
            ag_parallel_for(n, 7, cut, &c);
            if (k == 0) first = c.hash;
            cr_assert_eq(c.hash, first, "n %ld, %d threads", (long)n, counts[k]);
        }
    }
}

static void inner(void *context, int64_t begin, int64_t end) { atomic_fetch_add((atomic_llong *)context, end - begin); }
static void outer(void *context, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) ag_parallel_for(100, 1, inner, context);
}

Test(threads, loops_may_nest) {
    for (int k = 0; k < COUNT_OF(counts); k++) {
        ag_set_threads(counts[k]);
        atomic_llong total = 0;
        ag_parallel_for(50, 1, outer, &total);
        cr_assert_eq(total, 5000);
    }
}

static void *loop_often(void *total) {
    for (int i = 0; i < 300; i++) ag_parallel_for(1000, 1, inner, total);
    return NULL;
}

Test(threads, several_threads_may_loop_at_once) {
    enum { N = 4 };
    ag_set_threads(3);
    atomic_llong total = 0;
    pthread_t thread[N];
    for (int i = 0; i < N; i++) cr_assert_eq(pthread_create(&thread[i], NULL, loop_often, &total), 0);
    loop_often(&total);
    for (int i = 0; i < N; i++) pthread_join(thread[i], NULL);
    cr_assert_eq(total, 5 * 300 * 1000);
}

Test(threads, their_number_is_held_in_bounds) {
    static const int asked[][2] = {{0, 1}, {-7, 1}, {1, 1}, {64, 64}, {65, 64}, {1000000, 64}};
    for (int i = 0; i < COUNT_OF(asked); i++) {
        ag_set_threads(asked[i][0]);
        cr_assert_eq(ag_threads(), asked[i][1]);
    }
    ag_set_threads(2);
}

/* A forked child makes workers of its own. */
Test(process_threads, a_forked_child_loops_too) {
    ag_set_threads(4);
    atomic_llong total = 0;
    ag_parallel_for(1000, 1, inner, &total);
    for (int generation = 0; generation < 3; generation++) {
        pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            total = 0;
            for (int i = 0; i < 100; i++) ag_parallel_for(1000, 1, inner, &total);
            _exit(total == 100000 ? 0 : 1);
        }
        int status = -1;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
        ag_parallel_for(1000, 1, inner, &total);
    }
    cr_assert_eq(total, 4000);
}

/* Values */

/* A step through every kind of kernel, large enough to be cut into pieces. Returns w's gradient and the loss, as bits. */
static ag_tensor *large_step(ag_tape *t, ag_tensor **grad) {
    uint64_t state = 11;
    ag_tensor *x = check_leaf(t, AG_F32, AG_SHAPE(300, 250), 0, -1, 1, &state);
    ag_tensor *w = check_leaf(t, AG_F32, AG_SHAPE(250, 300), AG_REQUIRES_GRAD, -0.1, 0.1, &state);
    ag_tensor *h = ag_dropout(ag_gelu(ag_matmul(x, w)), 0.1);
    ag_tensor *c = ag_full(t, AG_F32, AG_SHAPE(300), 1), *zero = ag_full(t, AG_F32, AG_SHAPE(300), 0);
    h = ag_batch_norm(h, c, zero, NULL, NULL, true, 0.1, 1e-5);
    h = ag_add(ag_softmax(h, 1), ag_transpose(ag_log_softmax(h, 0), 0, 1));
    ag_tensor *y = ag_add(ag_mean(ag_square(h), AG_ALL, false), SUM(ag_max(h, AG_AXES(0), false)));
    cr_assert(ag_backward(y), "%s", ag_tape_message(t));
    *grad = ag_grad(w);
    return y;
}

Test(threads, values_do_not_depend_on_them) {
    ag_tape *t[COUNT_OF(counts)];
    ag_tensor *loss[COUNT_OF(counts)], *grad[COUNT_OF(counts)];
    for (int k = 0; k < COUNT_OF(counts); k++) {
        ag_set_threads(counts[k]);
        t[k] = ag_tape_new();
        loss[k] = large_step(t[k], &grad[k]);
        assert_same(loss[k], loss[0]);
        assert_same(grad[k], grad[0]);
    }
    for (int k = 0; k < COUNT_OF(counts); k++) ag_tape_free(t[k]);
}

/* Long sums and small results, which threads share along k; long enough, some of them, to be worth waking a thread. */
static const struct {
    int64_t m, k, n;
    bool ta, tb; /* stored transposed */
} products[] = {{32, 20000, 32, false, false}, {32, 20000, 32, true, false},  {7, 40001, 3, false, true},
                {1, 100003, 1, false, true},   {100, 3001, 10, false, false}, {5, 9000, 130, true, true},
                {64, 7000, 64, false, true},   {3, 5000, 200, false, false}};

static ag_tensor *leaf_of(ag_tape *t, ag_dtype dtype, int64_t rows, int64_t columns, bool turned) {
    uint64_t state = 5;
    ag_tensor *x = check_leaf(t, dtype, turned ? AG_SHAPE(columns, rows) : AG_SHAPE(rows, columns), 0, -1, 1, &state);
    return turned ? ag_transpose(x, 0, 1) : x;
}

Test(threads, products_do_not_depend_on_them) {
    for (int i = 0; i < 2 * COUNT_OF(products); i++) {
        ag_tape *t = ag_tape_new();
        ag_dtype dtype = i % 2 ? AG_F64 : AG_F32;
        int64_t m = products[i / 2].m, k = products[i / 2].k, n = products[i / 2].n;
        ag_tensor *a = leaf_of(t, dtype, m, k, products[i / 2].ta), *b = leaf_of(t, dtype, k, n, products[i / 2].tb);
        ag_tensor *bias = ag_full(t, dtype, AG_SHAPE(n), 0.1), *one = NULL, *added = NULL;
        for (int c = 0; c < COUNT_OF(counts); c++) {
            ag_set_threads(counts[c]);
            for (int again = 0; again < 3; again++) {
                ag_tensor *y = ag_matmul(a, b), *z = ag_linear(a, ag_transpose(b, 0, 1), bias);
                if (!one) one = y, added = z;
                assert_same(y, one);
                assert_same(z, added);
            }
        }
        ag_tape_free(t);
    }
}

/* One model, several threads: each has a tape of its own and borrows the parameters */

enum { WORKERS = 3, STEPS = 5 };

typedef struct worker {
    ag_module *model; /* the owner's */
    pthread_barrier_t *begin, *end;
    double loss[STEPS];
    double *gradient; /* of the first parameter, [24] */
    bool done;
} worker;

static ag_tensor *loss_of(ag_tape *t, ag_module *m, double shift) {
    ag_tensor *x = ag_full(t, AG_F32, AG_SHAPE(8, 3), 0.25 + shift);
    return ag_mean(ag_square(ag_module_forward(m, x)), AG_ALL, false);
}

static void *work(void *argument) {
    worker *w = argument;
    ag_tape *t = ag_tape_new();
    ag_module *m = ag_module_share(t, w->model);
    ag_tensor *const *params = ag_module_parameters(m);
    ag_mark mark = ag_tape_mark(t);
    w->done = m && params;
    for (int i = 0; i < STEPS; i++) {
        pthread_barrier_wait(w->begin);
        ag_tensor *loss = loss_of(t, m, 0);
        for (int k = 0; k < ag_module_parameter_count(m); k++) ag_zero_grad(params[k]);
        w->done = w->done && ag_backward(loss);
        w->loss[i] = ag_item(loss);
        for (int k = 0; k < 24; k++) w->gradient[k] = ag_at(ag_grad(params[0]), k);
        w->done = w->done && ag_tape_rewind(t, mark);
        pthread_barrier_wait(w->end);
    }
    ag_tape_free(t);
    return NULL;
}

Test(threads, share_parameters) {
    ag_set_threads(2);
    ag_tape *t = ag_tape_new();
    ag_module *m = ag_nn_sequential(t, NULL, 0);
    ag_nn_append(m, ag_nn_linear(t, 3, 8, true));
    ag_nn_append(m, ag_nn_tanh(t));
    ag_nn_append(m, ag_nn_linear(t, 8, 2, true));
    ag_tensor *const *params = ag_module_parameters(m);
    pthread_barrier_t begin, end;
    pthread_barrier_init(&begin, NULL, WORKERS + 1);
    pthread_barrier_init(&end, NULL, WORKERS + 1);
    worker w[WORKERS];
    double gradient[WORKERS][24], loss[STEPS];
    pthread_t thread[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        w[i] = (worker){.model = m, .begin = &begin, .end = &end, .gradient = gradient[i]};
        cr_assert_eq(pthread_create(&thread[i], NULL, work, &w[i]), 0);
    }
    ag_mark mark = ag_tape_mark(t);
    for (int i = 0; i < STEPS; i++) { /* between the barriers all read; outside, the owner writes */
        pthread_barrier_wait(&begin);
        loss[i] = ag_item(loss_of(t, m, 0));
        pthread_barrier_wait(&end);
        for (int k = 0; k < WORKERS; k++) {
            cr_assert_eq(memcmp(gradient[k], gradient[0], sizeof gradient[0]), 0, "all workers find the same gradient");
            assert_close(w[k].loss[i], loss[i], 0);
        }
        ag_tensor *d = ag_from_f64(t, gradient[0], AG_SHAPE(8, 3));
        cr_assert_not_null(ag_assign(params[0], ag_sub(params[0], ag_cast(ag_scale(d, 0.5), AG_F32))));
        cr_assert(ag_tape_rewind(t, mark));
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(thread[i], NULL);
        cr_assert(w[i].done);
    }
    cr_assert_lt(loss[STEPS - 1], loss[0]);
    pthread_barrier_destroy(&begin);
    pthread_barrier_destroy(&end);
    ag_tape_free(t);
}

/* Tapes of their own, nothing shared: training in each thread gives what it gives alone. */
static void *train(void *out) {
    ag_tape *t = ag_tape_new();
    ag_seed(t, 4);
    ag_tensor *w = ag_param(t, AG_F32, AG_SHAPE(40, 40));
    ag_fill_normal(w, 0, 0.2);
    ag_optimizer *adam = ag_optim_adam(t, &w, 1, NULL);
    ag_mark m = ag_tape_mark(t);
    for (int i = 0; i < 20; i++) {
        ag_optim_zero_grad(adam);
        ag_tensor *loss = ag_mean(ag_square(ag_dropout(ag_matmul(w, ag_tanh(w)), 0.5)), AG_ALL, false);
        if (!ag_backward(loss) || !ag_optim_step(adam)) break;
        *(double *)out = ag_item(loss);
        ag_tape_rewind(t, m);
    }
    if (ag_tape_status(t)) *(double *)out = -1;
    ag_tape_free(t);
    return NULL;
}

Test(threads, train_on_tapes_of_their_own) {
    enum { N = 4 };
    double alone, loss[N];
    ag_set_threads(2);
    train(&alone);
    cr_assert_gt(alone, 0);
    pthread_t thread[N];
    for (int i = 0; i < N; i++) cr_assert_eq(pthread_create(&thread[i], NULL, train, &loss[i]), 0);
    for (int i = 0; i < N; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < N; i++) assert_close(loss[i], alone, 0);
}
