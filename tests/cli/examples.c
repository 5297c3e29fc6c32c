/* examples.c: `autograd ops NAME` tries an operation on small inputs until a call works, and shows that: for every operation. */
#include <string.h>

#include "autograd/op.h"
#include "check.h"
#include "tools/cli/ops.h"

Test(examples, every_operation_has_one) {
    const ag_op *op;
    int count = 0;
    for (int i = 0; (op = ag_op_at(i)) != NULL; i++) {
        ag_tape *t = ag_tape_new();
        trial c;
        /* of counts the sum has to be said */
        const char *given = strcmp(op->name, "repeat_index") ? "" : "output_size=3";
        cr_assert(ops_try(t, op, given, true, &c), "%s has no example", op->name);
        ag_tape_free(t);
        count++;
    }
    cr_assert_gt(count, 380);
}
