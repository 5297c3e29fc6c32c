/* All four header folders are reached through one include root, and the library links and runs. */
#include "autograd/autograd.h"
#include "autograd/inspect.h"
#include "autograd/op.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

int main(void) {
    ag_tape *t = ag_tape_new();
    double three = 3;
    ag_tensor *x = ag_leaf(t, AG_F64, &three, AG_SHAPE(), AG_REQUIRES_GRAD);
    bool ok = ag_backward(ag_mul(x, x)) && ag_item(ag_grad(x)) > 5.99 && ag_item(ag_grad(x)) < 6.01;
    ag_tape_free(t);
    return ok ? 0 : 1;
}
