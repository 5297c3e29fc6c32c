/* matrix_power.c: exponents at the ends of their range, of a rotation by a quarter, whose fourth power is the identity. */
#include "ops/ops.h"
#include "check.h"

Test(ops, matrix_power_of_the_least_and_largest_exponent) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){0, -1, 1, 0}, AG_SHAPE(2, 2));
    assert_values(ag_matrix_power(x, INT64_MIN), 0, 1, 0, 0, 1);
    assert_values(ag_matrix_power(x, INT64_MAX), 0, 0, 1, -1, 0);
    assert_values(ag_matrix_power(x, -1), 0, 0, 1, -1, 0);
    ag_tape_free(t);
}
