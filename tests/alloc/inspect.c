/* Every allocation of saving, loading, asking and measuring is made to fail, one at a time, once or from there on: no crash,
 * nothing leaked, the error where there is one to tell, and the same answer on the same tape afterwards. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "refuse.h"
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

static const part parts[] = {{"saved and loaded", saved_and_loaded, false},
                             {"profiled", profiled, true},
                             {"hooked", hooked, false},
                             {"asked why", asked_why, true},
                             {"asked where", asked_where, true}};

Test(alloc, every_one_of_an_inspection_may_fail, .timeout = 600) {
    refuse_all(parts, sizeof parts / sizeof *parts, path);
}
