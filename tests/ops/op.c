/* op.c: the generated tests: every property, for every sample, for every operation of ops.def. One test an operation. */
#include <string.h>

#include "ops/property.h"
#include "ops/reference.h"
#include <criterion/parameterized.h>

typedef void property(const sample *s);

static property *const of_samples[] = {values, composition, gradients, forward_mode, single_precision, views, clones, replays, attributes};
static property *const of_ops[] = {record, wrong_input};

ParameterizedTestParameters(ops, op) {
    enum { MOST = 512 };
    static int index[MOST];
    int n = listed_op_count();
    for (int i = 0; i < n && i < MOST; i++) index[i] = i;
    return cr_make_param_array(int, index, (size_t)n);
}

ParameterizedTest(int *index, ops, op) {
    const listed_op *op = &listed_ops[*index];
    sample s;
    int count = 0;
    for (const char *rest = op->samples; (rest = sample_next(rest, op->name, &s)) != NULL; count++) {
        for (size_t k = 0; count == 0 && k < sizeof of_ops / sizeof *of_ops; k++) of_ops[k](&s);
        for (size_t k = 0; k < sizeof of_samples / sizeof *of_samples; k++) of_samples[k](&s);
    }
    cr_assert_gt(count, 0, "%s has no samples", op->name);
}

Test(ops, every_record_is_listed) {
    for (int i = 0; i < listed_op_count(); i++) {
        cr_assert_str_eq(ag_op_at(i)->name, listed_ops[i].name);
        for (int j = 0; j < i; j++) cr_assert_str_neq(ag_op_at(i)->name, ag_op_at(j)->name);
        cr_assert_eq(ag_find_op(ag_op_at(i)->name), ag_op_at(i));
    }
}
