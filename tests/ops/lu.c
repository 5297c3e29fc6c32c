/* lu.c: systems too large for the reference, by what is left of them: a x − b. No pivot stands on the diagonal to begin with. */
#include <math.h>

#include "ops/ops.h"
#include "check.h"

Test(ops, solve_leaves_nothing_of_larger_systems) {
    enum { N = 67, M = 5, BATCH = 3 };
    ag_tape *t = ag_tape_new();
    uint64_t random = 5;
    ag_tensor *a = check_leaf(t, AG_F64, AG_SHAPE(BATCH, N, N), 0, -1, 1, &random);
    ag_tensor *b = check_leaf(t, AG_F64, AG_SHAPE(BATCH, N, M), 0, -1, 1, &random);
    a = ag_sub(a, ag_mul(a, ag_eye(t, AG_F64, N, -1)));
    ag_tensor *x = ag_solve(a, b), *rest = ag_max(ag_abs(ag_sub(ag_matmul(a, x), b)), AG_ALL, false);
    ag_tensor *size = ag_max(ag_abs(x), AG_ALL, false);
    cr_assert(ag_item(rest) <= 1e-13 * (1 + ag_item(size)), "a x - b is %g, x %g: %s", ag_item(rest), ag_item(size),
              ag_tape_message(t));
    ag_tape_free(t);
}
