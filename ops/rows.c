/* rows.c: the records and public functions of the rows in elementwise.def, each in one expansion. */
#include "autograd/op.h"
#include "ops/kernels/rows.h"
#include "ops/map.h"
#include "ops/ops.h"
#include "ops/table.h"

#define ZERO(like) ag_scalar(ag_tape_of(like), ag_dtype_of(like), 0)
#define ONE(like) ag_scalar(ag_tape_of(like), ag_dtype_of(like), 1)
#define UNUSED __attribute__((unused))

/* Rules */
#define NONE NULL
#define RULE(name, first, second, third, expression)                                                   \
    static ag_tensor *name(UNUSED ag_tensor *first, UNUSED ag_tensor *second, UNUSED ag_tensor *third, \
                           UNUSED ag_tensor *y, UNUSED ag_tensor *g, UNUSED double p) {                \
        return expression;                                                                             \
    }
#define F1(name, value, rule, ...) RULE(name##_rule, x, in1, in2, rule)
#define N1(name, value, integer, rule, ...) RULE(name##_rule, x, in1, in2, rule)
#define P1(name, attribute, value, rule, ...) RULE(name##_rule, x, in1, in2, rule)
#define F2(name, value, rule_a, rule_b, ...) \
    RULE(name##_rule_a, a, b, in2, rule_a) RULE(name##_rule_b, a, b, in2, rule_b)
#define N2(name, value, integer, ...) F2(name, value, __VA_ARGS__)
#define S1(...)
#define C2(...)
#define W3(name, value, rule_a, rule_b, ...) RULE(name##_rule_a, c, a, b, rule_a) RULE(name##_rule_b, c, a, b, rule_b)
#include "ops/elementwise.def"
#undef NONE

/* Records. A scalar attribute is one double. */
#define RECORD(op, inputs, flag, low, high, text, to_bool, attribute, bytes, ...)       \
    static const ag_map op##_map = {AG__ROW_##op, {__VA_ARGS__}, to_bool};              \
    static const ag_attr_field op##_attrs[] = {{attribute, AG_ATTR_F64, 0, NULL}, {0}}; \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),                                   \
                               .name = #op,                                             \
                               .arity = inputs,                                         \
                               .flags = AG_MAP | (flag),                                \
                               .attr_size = bytes,                                      \
                               .attrs = op##_attrs,                                     \
                               .formula = text,                                         \
                               .lo = low,                                               \
                               .hi = high,                                              \
                               .shape = ag__map_shape,                                  \
                               .run = ag__map_run,                                      \
                               .grad = (flag)&AG_FLAT ? NULL : ag__map_grad,            \
                               .map = &op##_map};
#define F1(op, value, rule, lo, hi, text) RECORD(op, 1, 0, lo, hi, text, false, NULL, 0, op##_rule)
#define N1(op, value, integer, rule, lo, hi, text) RECORD(op, 1, 0, lo, hi, text, false, NULL, 0, op##_rule)
#define P1(op, attribute, value, rule, lo, hi, text) \
    RECORD(op, 1, 0, lo, hi, text, false, #attribute, sizeof(double), op##_rule)
#define F2(op, value, rule_a, rule_b, lo, hi, text) \
    RECORD(op, 2, 0, lo, hi, text, false, NULL, 0, op##_rule_a, op##_rule_b)
#define N2(op, value, integer, rule_a, rule_b, lo, hi, text) F2(op, value, rule_a, rule_b, lo, hi, text)
#define S1(op, value, integer, lo, hi, text) RECORD(op, 1, AG_FLAT, lo, hi, text, false, NULL, 0, NULL)
#define C2(op, value, text) RECORD(op, 2, AG_FLAT, -2, 2, text, true, NULL, 0, NULL)
#define W3(op, value, rule_a, rule_b, lo, hi, text) \
    RECORD(op, 3, 0, lo, hi, text, false, NULL, 0, NULL, op##_rule_a, op##_rule_b)
#include "ops/elementwise.def"

/* Public functions */
#define F1(op, ...) \
    ag_tensor *ag_##op(ag_tensor *x) { return ag_apply(&ag__op_##op, &x, 1, NULL); }
#define N1 F1
#define S1 F1
#define P1(op, ...) \
    ag_tensor *ag_##op(ag_tensor *x, double p) { return ag_apply(&ag__op_##op, &x, 1, &p); }
#define F2(op, ...) \
    ag_tensor *ag_##op(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_##op, (ag_tensor *[]){a, b}, 2, NULL); }
#define N2 F2
#define C2 F2
#define W3(op, ...)                                                       \
    ag_tensor *ag_##op(ag_tensor *c, ag_tensor *a, ag_tensor *b) {        \
        return ag_apply(&ag__op_##op, (ag_tensor *[]){c, a, b}, 3, NULL); \
    }
#include "ops/elementwise.def"
