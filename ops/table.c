/* table.c: the list of the built-in operations, in the order of ops.def. */
#include "ops/table.h"

#include "autograd/node.h"

const ag_op *const ag__ops[] = {
#define AG_OP(name, samples) &ag__op_##name,
#include "ops/ops.def"
    NULL,
};
