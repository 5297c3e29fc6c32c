/* table.h: the built-in op records by name: ag__op_add, …, one for each line of ops.def. */
#ifndef AUTOGRAD_OPS_TABLE_H
#define AUTOGRAD_OPS_TABLE_H

#include "autograd/op.h"

#define AG_OP(name, samples) extern const ag_op ag__op_##name;
#include "ops/ops.def"
#undef AG_OP

#endif
