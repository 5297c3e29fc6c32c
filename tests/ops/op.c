/* op.c: the generated tests: every property, for every sample, for every operation of ops.def, and what depends on
 * kernels again for every other instruction set of this machine. One test an operation. */
#include <string.h>

#include "ops/isa.h"
#include "ops/property.h"
#include "ops/reference.h"
#include <criterion/parameterized.h>

typedef void property(const sample *s);

static property *const of_samples[] = {values, composition, gradients, forward_mode, single_precision,
                                       views,  clones,      replays,   attributes};
static property *const of_kernels[] = {values, gradients, single_precision, views};
static property *const of_ops[] = {record, wrong_input};

enum { MOST = 1024 }; /* operations; the test of records sees to it */

ParameterizedTestParameters(ops, op) {
    static int index[MOST];
    int n = listed_op_count() < MOST ? listed_op_count() : MOST;
    for (int i = 0; i < n; i++) index[i] = i;
    return cr_make_param_array(int, index, (size_t)n);
}

static void every_property(const sample *s) {
    for (size_t k = 0; k < sizeof of_samples / sizeof *of_samples; k++) of_samples[k](s);
    for (int i = 1; ag__isa_at(i); i++) {
        cr_assert(ag__isa_use(ag__isa_at(i)));
        for (size_t k = 0; k < sizeof of_kernels / sizeof *of_kernels; k++) of_kernels[k](s);
    }
    ag__isa_use(ag__isa_at(0));
}

ParameterizedTest(int *index, ops, op) {
    const listed_op *op = &listed_ops[*index];
    sample s;
    int count = 0;
    for (const char *rest = op->samples; (rest = sample_next(rest, op->name, &s)) != NULL; count++) {
        for (size_t k = 0; count == 0 && k < sizeof of_ops / sizeof *of_ops; k++) of_ops[k](&s);
        every_property(&s);
    }
    cr_assert_gt(count, 0, "%s has no samples", op->name);
}

/* What deserves every property and is too odd for a line of ops.def: indices that count from the end or repeat, lines
 * that wrap, extents of 1, eight axes. */
static const listed_op more[] = {
    {"take", "f(4,3) i(3)=-1,0,-4 | axis=0 ; f(4,3) i(2,2)=-1,0,-12,5 ; f(0,3) i(0)<1 ; f(2,4,3) i(2,2)=-1,-1,2,-4 | "
             "axis=-2 ; f(1,1) i(4)=0,0,-1,0 | axis=1"},
    {"take_add", "f(3,3) i(3)=-1,3,-4 | shape=4,3 ; f(2,2,2,3) i(2,2)=-1,-1,2,-4 | shape=2,4,3 axis=1"},
    {"embedding", "f(4,3) i(2,2)=-1,3,0,-4"},
    {"scatter", "f(4,3,2) i(2,3,2)<4 f(2,3,2) | axis=0 ; f(3) i(5)=-1,0,-1,2,2 f(5) | axis=0"},
    {"index_copy", "f(1,2,1,2,1,2,1,2) i(3)=-1,0,1 f(1,2,1,3,1,2,1,2) | axis=3"},
    {"gather", "f(4,3,2) i(2,3,2)<4 | axis=0 ; f(3,4,5) i(2,3,6)<5 | axis=2 ; f(2,4,3) "
               "i(1,5,2)=-1,-4,3,0,-2,1,1,1,-1,0 | axis=1"},
    {"gather_add", "f(2,3,2) i(2,3,2)<4 | shape=4,3,2 axis=0 ; f(2,3,6) i(2,3,6)<5 | shape=3,4,5 axis=2 ; f(3) "
                   "i(3)=-1,0,-1 | shape=4 axis=0"},
    {"one_hot", "i(4)=-1,0,2,-3 | num_classes=3"},
    {"slice", "f(5) | axis=0 start=-9 stop=9 ; f(5) | axis=0 start=9 stop=-9 step=-3 ; f(2,3) | axis=1 "
              "step=-9223372036854775808 start=end"},
    {"permute", "f(1,2,1,2,1,2,1,2) | axes=7,0,6,1,5,2,4,3"},
    {"reshape", "f(1,2,1,3) | shape=2,1,1,3 ; f(2,2,2) | shape=1,-1,2,1,2,1"},
    {"sum", "f(2,1,3,1,2) | axes=1,2 keepdim=true ; f(1,2,1,2,1,2,1,2) | axes=1,3,5 ; f(3,4) | axes=()"},
    {"mean", "f(2,1,3,1,2) | axes=-1,0 ; f(3,4) | axes=()"},
    {"max", "f(3,4) | axes=() ; f(2,1,3,1,2) | axes=1,2,-1 ; f(1,1) | axes=0"},
    {"expand", "f(1,1,2) | shape=3,1,4,2 ; f(1) | shape=0 ; f(2,1,3) | shape=4,-1,5,-1"},
    {"matmul", "f(3,0) f(0,2) ; f(2,1,2,3) f(1,4,3,2) ; f(0,2,3) f(3,2) ; f(2,3) f(4,1,3,1)"},
    {"mul", "f(1,3,1) f(2,1,4) ; f(2,1,2,1,2,1,2,1) f(1,2,1,2,1,2)"},
    {"conv2d", "f(1,1,1,1) f(1,1,3,3) | padding=1 ; f(2,4,6,5) f(4,1,2,2) | groups=4 stride=3 dilation=2,1 padding=2"},
    {"unslice", "f(1) | shape=4 axis=0 start=2 stop=3 ; f(2,1) | shape=2,3 axis=1 start=-1"},
    {"conv2d_weight", "f(3,2,2,2) f(3,2,3,3) | shape=2,2,2,2 ; f(2,2,1,1) f(2,1,2,2) | shape=2,1,2,2"},
    {"standard_gamma_grad", "f(2,3) f(3) | n=1 ; f(70) f() | n=1 ; f(5) f(5) | n=2"},
    {NULL, NULL},
};

Test(ops, more_samples) {
    for (const listed_op *op = more; op->name; op++) {
        sample s;
        for (const char *rest = op->samples; (rest = sample_next(rest, op->name, &s)) != NULL;) every_property(&s);
    }
}

Test(ops, every_record_is_listed) {
    cr_assert_leq(listed_op_count(), MOST);
    for (int i = 0; i < listed_op_count(); i++) {
        cr_assert_str_eq(ag_op_at(i)->name, listed_ops[i].name);
        for (int j = 0; j < i; j++) cr_assert_str_neq(ag_op_at(i)->name, ag_op_at(j)->name);
        cr_assert_eq(ag_find_op(ag_op_at(i)->name), ag_op_at(i));
    }
}
