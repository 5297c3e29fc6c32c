/* table.c: the list of the built-in operations, in the order of ops.def, and their other names. */
#include <math.h>

#include "ops/table.h"

#include "autograd/node.h"

const ag_op *const ag__ops[] = {
#define AG_OP(name, samples) &ag__op_##name,
#include "ops/ops.def"
    NULL,
};
const int ag__op_count = sizeof ag__ops / sizeof *ag__ops - 1;

/* Each list takes some of the rows of names.def. */
#define AG_OP_NAME(other, op) {#other, &ag__op_##op},
#define AG_ATTRIBUTE_NAME(other, own)
#define AG_OP_FORM(op, attribute, form)
#define AG_OP_WORD(op, attribute, word, form)
#define AG_OP_MORE(op, form)
#define AG_OP_MASK(op, neutral)
#define AG_OP_DTYPE(op)
const ag__op_name ag__op_names[] = {
#include "ops/names.def"
    {0},
};

#define AG_OP_NAME(other, op)
#define AG_ATTRIBUTE_NAME(other, own) {#other, #own},
#define AG_OP_FORM(op, attribute, form)
#define AG_OP_WORD(op, attribute, word, form)
#define AG_OP_MORE(op, form)
#define AG_OP_MASK(op, neutral)
#define AG_OP_DTYPE(op)
const ag__attribute_name ag__attribute_names[] = {
#include "ops/names.def"
    {0},
};

#define AG_OP_NAME(other, op)
#define AG_ATTRIBUTE_NAME(other, own)
#define AG_OP_FORM(op, attribute, form) {&ag__op_##op, &ag__op_##form, #attribute, NULL, 0},
#define AG_OP_WORD(op, attribute, word, form) {&ag__op_##op, &ag__op_##form, #attribute, #word, 0},
#define AG_OP_MORE(op, form) {&ag__op_##op, &ag__op_##form, NULL, NULL, 0},
#define AG_OP_MASK(op, neutral) {&ag__op_##op, NULL, NULL, NULL, neutral},
#define AG_OP_DTYPE(op) {&ag__op_##op, NULL, "dtype", NULL, 0},
const ag__op_form ag__op_forms[] = {
#include "ops/names.def"
    {0},
};
