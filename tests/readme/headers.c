/* The examples of op.h and nn.h, made a program: the op's gradients are right to second order in both float dtypes and its
 * copies compute the same; the module computes what its formula says. */
#include <stdio.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "nn/nn.h"
#include "ops/ops.h"

#include "nn.c"
#include "op.c"

static bool cube_holds(ag_dtype dtype) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_param(t, dtype, AG_SHAPE(3));
    float *f = ag_mutable(x);
    double *d = ag_mutable(x);
    for (int i = 0; i < 3; i++) {
        if (dtype == AG_F32) f[i] = (float)i - 1.5f;
        else d[i] = i - 1.5;
    }
    ag_tensor *y = ag_apply(&cube, &x, 1, NULL), *loss = ag_sum(ag_sin(y), AG_ALL, false);
    ag_check_options o = ag_check_defaults();
    o.order = 2;
    bool good = y && ag_at(y, 2) == 0.125 && ag_gradcheck(loss, NULL, 0, &o, NULL) && ag_gradcheck_nodes(loss, &o, NULL);
    if (!good) fprintf(stderr, "cube in %s: %s\n", ag_dtype_name(dtype), ag_tape_message(t));
    ag_tape_free(t);
    return good;
}

static bool residual_holds(void) {
    ag_tape *t = ag_tape_new();
    ag_module *m = residual(t, ag_nn_tanh(t));
    ag_tensor *x = ag_full(t, AG_F32, AG_SHAPE(2), 0.5), *y = ag_module_forward(m, x);
    ag_tensor *expected = ag_add(x, ag_tanh(x));
    bool good = y && ag_at(y, 1) == ag_at(expected, 1) && ag_module_find(m, "gain");
    if (!good) fprintf(stderr, "residual: %s\n", ag_tape_message(t));
    ag_tape_free(t);
    return good;
}

int main(void) { return !(cube_holds(AG_F32) && cube_holds(AG_F64) && residual_holds()); }
