/* depth.c: a chain of n calls of an op, each on the result of the one before, runs operations backward in proportion to n. */
#include <stdio.h>

#include "autograd/node.h"
#include "ops/property.h"

/* Ops run in backward by a chain of n calls, each on the result of the one before; −1 where the op makes no such chain. */
static int64_t executed(const sample *s, int n) {
    ag_tape *t = ag_tape_new();
    ag_tensor *in[SAMPLE_INPUTS];
    int64_t count = -1;
    bool chain = sample_tensors(s, t, AG_F64, AG_REQUIRES_GRAD, in) && s->n > 0 && sample_is_float(s, 0);
    for (int i = 0; i < n && chain; i++) {
        ag_tensor *y = sample_call(s, t, in);
        chain = y && sample_outputs(y, in, 1) >= 1 && ag_requires_grad(in[0]) && in[0]->dtype == AG_F64 &&
                ag_size(in[0]) < 1 << 12; /* what grows from call to call is no chain of equals */
    }
    if (chain) {
        ag_tensor *loss = ag_call(t, "sum", in, 1, "");
        int64_t before = t->executed;
        need(s, loss && ag_backward(loss), "%s", ag_tape_message(t));
        count = t->executed - before;
    }
    ag_tape_free(t);
    return count;
}

Test(depth, backward_grows_linearly) {
    sample s;
    int chains = 0;
    for (const listed_op *op = listed_ops; op->name; op++) {
        if (!sample_next(op->samples, op->name, &s) || s.op->flags & (AG_FLAT | AG_EFFECT)) continue;
        int64_t a = executed(&s, 8), b = a < 0 ? -1 : executed(&s, 16), c = b < 0 ? -1 : executed(&s, 32);
        if (c < 0) continue;
        chains++;
        need(&s, c - b == 2 * (b - a), "chains of 8, 16 and 32 run %d, %d and %d operations backward", (int)a, (int)b,
             (int)c);
    }
    cr_assert_gt(chains, 40, "only %d chains were looked at", chains);
}
