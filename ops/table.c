/* table.c: the list of the built-in operations, in the order of ops.def, and their other names. */
#include "ops/table.h"

#include "autograd/node.h"

const ag_op *const ag__ops[] = {
#define AG_OP(name, samples) &ag__op_##name,
#include "ops/ops.def"
    NULL,
};

const ag__op_name ag__op_names[] = {
#define AG_OP_NAME(other, op) {#other, &ag__op_##op},
#define AG_ATTRIBUTE_NAME(other, own)
#include "ops/names.def"
    {0},
};

const ag__attribute_name ag__attribute_names[] = {
#define AG_OP_NAME(other, op)
#define AG_ATTRIBUTE_NAME(other, own) {#other, #own},
#include "ops/names.def"
    {0},
};
