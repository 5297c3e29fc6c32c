/* Every allocation of saving, loading, asking and measuring is made to fail, one at a time, once or from there on: no crash,
 * nothing leaked, the error where there is one to tell, and the same answer on the same tape afterwards. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "count.h"
#include "ops/ops.h"

#define SUM(x) ag_sum(x, AG_ALL, false)

static char path[] = "/dev/shm/autograd-alloc-XXXXXX";

/* Small, but with scopes, names, a tuple, a constant, random numbers and a large leaf. */
static ag_tensor *model(ag_tape *t, ag_tensor **w) {
    double values[600];
    for (int i = 0; i < 600; i++) values[i] = sin(i + 1);
    *w = ag_set_name(ag_leaf(t, AG_F64, values, AG_SHAPE(20, 30), AG_REQUIRES_GRAD), "weight");
    if (!*w || !ag_scope_push(t, "net")) return NULL;
    ag_tensor *h = ag_dropout(ag_tanh(ag_matmul(*w, ag_transpose(*w, 0, 1))), 0.5);
    ag_scope_push(t, "best");
    ag_tensor *best = ag_topk(h, 3, 1, NULL);
    ag_scope_pop(t);
    ag_scope_pop(t);
    return SUM(ag_mul(best, ag_full(t, AG_F64, AG_SHAPE(20, 3), 0.5)));
}

static bool saved_and_loaded(ag_tape *t, double *result) {
    ag_tensor *w, *y = model(t, &w), *ys[] = {y, w}, *out[2];
    ag_mark here = ag_tape_mark(t);
    if (!y || !here.serial || !ag_graph_save(ys, 2, path)) return false;
    if (ag_graph_load(t, path, out, 2) != 2 || !ag_backward(out[0])) return false;
    *result = ag_item(out[0]) + ag_at(ag_grad(out[1]), 7);
    return ag_tape_rewind(t, here);
}

static bool profiled(ag_tape *t, double *result) {
    static char text[1 << 14];
    ag_tensor *w, *y;
    if (!ag_profile_start(t)) return false;
    bool done = (y = model(t, &w)) != NULL && ag_backward(y);
    if (!ag_profile_stop(t) || !done) return false;
    ag_profile_text(t, text, sizeof text);
    *result = ag_at(ag_grad(w), 7);
    return ag_zero_grad(w) && strstr(text, "matmul") && ag_profile_trace(t, path);
}

static ag_tensor *scaled(void *context, ag_tensor *x, ag_tensor *g) {
    (void)context, (void)x;
    return ag_scale(g, 0.5);
}

static bool hooked(ag_tape *t, double *result) {
    ag_tensor *w, *y = model(t, &w);
    if (!y || !ag_hook_grad(w, scaled, NULL) || !ag_hook_grad(y, scaled, NULL) || !ag_backward(y)) return false;
    *result = ag_at(ag_grad(w), 7);
    return true;
}

/* The questions below set no error: with memory short they answer less. */
static bool asked_why(ag_tape *t, double *result) {
    char text[400];
    ag_tensor *w = ag_param(t, AG_F64, AG_SHAPE(50)), *y = w ? SUM(ag_relu(w)) : NULL;
    if (!y || !ag_backward(y)) return false;
    *result = strstr(ag_why_no_grad(w, text, sizeof text), "saturated") ? 1 : 0;
    cr_assert(strlen(text) > 10, "there is an answer: %s", text);
    return ag_tape_status(t) == AG_OK;
}

static bool asked_where(ag_tape *t, double *result) {
    ag_origin o;
    ag_tensor *w = ag_param(t, AG_F64, AG_SHAPE(50)), *y = w ? SUM(ag_sqrt(w)) : NULL;
    if (!y) return false;
    *result = ag_find_nonfinite(y, &o) && o.backward ? 1 : 0;
    return ag_tape_status(t) == AG_OK;
}

static const struct {
    const char *name;
    bool (*run)(ag_tape *t, double *result);
    bool lenient; /* may go on without the memory, and then the result may be less */
} parts[] = {{"saved and loaded", saved_and_loaded, false},
             {"profiled", profiled, true},
             {"hooked", hooked, false},
             {"asked why", asked_why, true},
             {"asked where", asked_where, true}};

/* Runs part i with its k-th allocation refused. Returns false when it has fewer. */
static bool refuse_one(int i, long k, bool after, double expected) {
    long live = memory.live;
    double result = NAN;
    memory.after = after;
    memory.failed = false;
    memory.fail_at = k;
    ag_tape *t = ag_tape_new();
    bool done = t && parts[i].run(t, &result);
    bool refused = memory.failed;
    memory.fail_at = 0;
    memory.failed = false;
    const char *name = parts[i].name, *when = after ? "from there on" : "once";
    if (!refused) cr_assert(done && result == expected, "%s: %.17g: %s", name, result, ag_tape_message(t));
    if (refused && t) {
        cr_assert(!done || parts[i].lenient, "%s: allocation %ld failed %s, and nobody said so", name, k, when);
        cr_assert_eq(ag_tape_status(t), done ? AG_OK : AG_ERR_MEMORY, "%s, allocation %ld %s: %s", name, k, when,
                     ag_tape_message(t));
        ag_tape_clear(t);
        if (!done) ag_seed(t, 0);
        cr_assert(parts[i].run(t, &result), "%s, again after allocation %ld failed %s: %s", name, k, when,
                  ag_tape_message(t));
        if (!done) cr_assert_eq(result, expected, "%s, again after allocation %ld failed %s", name, k, when);
    }
    ag_tape_free(t);
    cr_assert_eq(memory.live, live, "%s, allocation %ld %s: %ld blocks leaked", name, k, when, memory.live - live);
    return refused;
}

Test(alloc, every_one_of_an_inspection_may_fail, .timeout = 600) {
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    ag_set_threads(1);
    for (int i = 0; i < (int)(sizeof parts / sizeof *parts); i++) {
        double expected;
        ag_tape *t = ag_tape_new();
        cr_assert(parts[i].run(t, &expected), "%s: %s", parts[i].name, ag_tape_message(t));
        ag_tape_free(t);
        for (int after = 0; after < 2; after++) {
            long k = 1;
            while (refuse_one(i, k, after, expected)) k++;
            cr_assert_gt(k, 5, "%s: only %ld allocations", parts[i].name, k - 1);
        }
    }
    unlink(path);
}
