/* rows.c: the records and public functions of the rows in elementwise.def, each in one expansion. */
#include <math.h>

#include "autograd/op.h"
#include "ops/bend.h"
#include "ops/kernels/rows.h"
#include "ops/map.h"
#include "ops/ops.h"
#include "ops/table.h"

#define ZERO(like) CONST(like, 0)
#define ONE(like) CONST(like, 1)
#define CONST(like, v) ag_scalar(ag_tape_of(like), ag_dtype_of(like), v)
#define UNUSED __attribute__((unused))

/* Rules */
#define NONE NULL
#define RULE(name, first, second, third, expression)                                                     \
    static ag_tensor *name(UNUSED ag_tensor *first, UNUSED ag_tensor *second, UNUSED ag_tensor *third,   \
                           UNUSED ag_tensor *y, UNUSED ag_tensor *g, UNUSED double p, UNUSED double q) { \
        return expression;                                                                               \
    }
#define F1(name, value, rule, ...) RULE(name##_rule, x, in1, in2, rule)
#define N1(name, value, integer, rule, ...) RULE(name##_rule, x, in1, in2, rule)
#define P1(name, attribute, preset, other, value, rule, ...) RULE(name##_rule, x, in1, in2, rule)
#define Q1(name, first, preset, other, second, preset2, other2, value, rule, ...) RULE(name##_rule, x, in1, in2, rule)
#define F2(name, value, rule_a, rule_b, ...) \
    RULE(name##_rule_a, a, b, in2, rule_a) RULE(name##_rule_b, a, b, in2, rule_b)
#define N2(name, value, integer, ...) F2(name, value, __VA_ARGS__)
#define P2(name, attribute, preset, other, ...) F2(name, __VA_ARGS__)
#define Q2(name, first, preset, other, second, preset2, other2, ...) F2(name, __VA_ARGS__)
#define X1(name, function, n, rule, ...) RULE(name##_rule, x, in1, in2, rule)
#define Y1 P1
#define X2(name, function, n, ...) F2(name, function, __VA_ARGS__)
#define Y2 P2
#define S1(...)
#define B1(...)
#define I1(...)
#define S2(...)
#define C2(...)
#define I2(...)
#define J2(...)
#define F3(name, value, rule_c, rule_a, rule_b, ...) \
    RULE(name##_rule_c, c, a, b, rule_c) W3(name, value, rule_a, rule_b, )
#define W3(name, value, rule_a, rule_b, ...) RULE(name##_rule_a, c, a, b, rule_a) RULE(name##_rule_b, c, a, b, rule_b)
#include "ops/elementwise.def"
#undef NONE

/* Records. Scalar attributes are doubles. FIELDS: their descriptions. */
#define RECORD(op, arguments, flag, low, high, text, kind, fields, bytes, ...) \
    static const ag_map op##_map = {AG__ROW_##op, {__VA_ARGS__}, kind};        \
    const ag_op ag__op_##op = {.size = sizeof(ag_op),                          \
                               .name = #op,                                    \
                               .arity = arguments,                             \
                               .inputs = (arguments) == 3 ? "c a b" : NULL,    \
                               .flags = AG_MAP | (flag),                       \
                               .attr_size = bytes,                             \
                               .attrs = fields,                                \
                               .formula = text,                                \
                               .lo = low,                                      \
                               .hi = high,                                     \
                               .shape = ag__map_shape,                         \
                               .run = ag__map_run,                             \
                               .grad = (flag)&AG_FLAT ? NULL : ag__map_grad,   \
                               .map = &op##_map};
#define FIELDS(op, ...) static const ag_attr_field op##_attrs[] = {__VA_ARGS__{0}};
#define ONE_FIELD(attribute, preset) {#attribute, AG_ATTR_F64, 0, preset},
#define TWO_FIELDS(first, preset, second, preset2) \
    {#first, AG_ATTR_F64, 0, preset}, {#second, AG_ATTR_F64, sizeof(double), preset2},
#define F1(op, value, rule, lo, hi, text) RECORD(op, 1, 0, lo, hi, text, 0, NULL, 0, op##_rule)
#define N1(op, value, integer, rule, lo, hi, text) F1(op, value, rule, lo, hi, text)
#define P1(op, attribute, preset, other, value, rule, lo, hi, text) \
    FIELDS(op, ONE_FIELD(attribute, preset)) RECORD(op, 1, 0, lo, hi, text, 0, op##_attrs, sizeof(double), op##_rule)
#define Q1(op, first, preset, other, second, preset2, other2, value, rule, lo, hi, text) \
    FIELDS(op, TWO_FIELDS(first, preset, second, preset2))                               \
    RECORD(op, 1, 0, lo, hi, text, 0, op##_attrs, 2 * sizeof(double), op##_rule)
#define S1(op, value, integer, lo, hi, text) RECORD(op, 1, AG_FLAT, lo, hi, text, 0, NULL, 0, NULL)
#define B1(op, value, integer, boolean, text) RECORD(op, 1, AG_FLAT, -2, 2, text, AG__MAP_TO_BOOL, NULL, 0, NULL)
#define I1(op, integer, boolean, text) RECORD(op, 1, AG_FLAT, -2, 2, text, 0, NULL, 0, NULL)
#define F2(op, value, rule_a, rule_b, lo, hi, text) RECORD(op, 2, 0, lo, hi, text, 0, NULL, 0, op##_rule_a, op##_rule_b)
#define N2(op, value, integer, rule_a, rule_b, lo, hi, text) F2(op, value, rule_a, rule_b, lo, hi, text)
#define P2(op, attribute, preset, other, value, rule_a, rule_b, lo, hi, text) \
    FIELDS(op, ONE_FIELD(attribute, preset))                                  \
    RECORD(op, 2, 0, lo, hi, text, 0, op##_attrs, sizeof(double), op##_rule_a, op##_rule_b)
#define Q2(op, first, preset, other, second, preset2, other2, value, rule_a, rule_b, lo, hi, text) \
    FIELDS(op, TWO_FIELDS(first, preset, second, preset2))                                         \
    RECORD(op, 2, 0, lo, hi, text, 0, op##_attrs, 2 * sizeof(double), op##_rule_a, op##_rule_b)
#define S2(op, value, integer, lo, hi, text) RECORD(op, 2, AG_FLAT, lo, hi, text, 0, NULL, 0, NULL)
#define C2(op, value, text) RECORD(op, 2, AG_FLAT, -2, 2, text, AG__MAP_TO_BOOL, NULL, 0, NULL)
#define I2(op, integer, boolean, text) RECORD(op, 2, AG_FLAT, -2, 2, text, 0, NULL, 0, NULL)
#define J2(op, integer, text) RECORD(op, 2, AG_FLAT, -2, 2, text, 0, NULL, 0, NULL)
#define F3(op, value, rule_c, rule_a, rule_b, lo, hi, text) \
    RECORD(op, 3, 0, lo, hi, text, 0, NULL, 0, op##_rule_c, op##_rule_a, op##_rule_b)
#define X1(op, function, n, rule, lo, hi, text) F1(op, function, rule, lo, hi, text)
#define Y1 P1
#define X2(op, function, n, rule_a, rule_b, lo, hi, text) F2(op, function, rule_a, rule_b, lo, hi, text)
#define Y2 P2
#define W3(op, value, rule_a, rule_b, lo, hi, text) \
    RECORD(op, 3, 0, lo, hi, text, AG__MAP_CHOOSES, NULL, 0, NULL, op##_rule_a, op##_rule_b)
#include "ops/elementwise.def"

/* Public functions */
#define F1(op, ...) \
    ag_tensor *ag_##op(ag_tensor *x) { return ag_apply(&ag__op_##op, &x, 1, NULL); }
#define N1 F1
#define S1 F1
#define B1 F1
#define I1 F1
#define P1(op, ...) \
    ag_tensor *ag_##op(ag_tensor *x, double p) { return ag_apply(&ag__op_##op, &x, 1, &p); }
#define Q1(op, ...)                                                   \
    ag_tensor *ag_##op(ag_tensor *x, double p, double q) {            \
        return ag_apply(&ag__op_##op, &x, 1, (const double[]){p, q}); \
    }
#define F2(op, ...) \
    ag_tensor *ag_##op(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_##op, (ag_tensor *[]){a, b}, 2, NULL); }
#define N2 F2
#define S2 F2
#define C2 F2
#define I2 F2
#define J2 F2
#define P2(op, ...)                                                  \
    ag_tensor *ag_##op(ag_tensor *a, ag_tensor *b, double p) {       \
        return ag_apply(&ag__op_##op, (ag_tensor *[]){a, b}, 2, &p); \
    }
#define Q2(op, ...)                                                                      \
    ag_tensor *ag_##op(ag_tensor *a, ag_tensor *b, double p, double q) {                 \
        return ag_apply(&ag__op_##op, (ag_tensor *[]){a, b}, 2, (const double[]){p, q}); \
    }
#define W3(op, ...)                                                       \
    ag_tensor *ag_##op(ag_tensor *c, ag_tensor *a, ag_tensor *b) {        \
        return ag_apply(&ag__op_##op, (ag_tensor *[]){c, a, b}, 3, NULL); \
    }
#define F3 W3
#define X1 F1
#define Y1 P1
#define X2 F2
#define Y2 P2
#include "ops/elementwise.def"
