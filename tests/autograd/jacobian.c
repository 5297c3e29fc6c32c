/* Jacobians, Hessians and their products with vectors: against closed forms, and one mode against the other. */
#include <math.h>
#include <stdlib.h>

#include "make.h"
#include "ops/ops.h"

/* Rows of a random matrix are what both modes must find: wide takes the reverse, tall the forward passes. */
Test(jacobian, of_a_linear_map_is_its_matrix) {
    static const int64_t rows[] = {2, 5, 3, 1, 4}, columns[] = {5, 2, 3, 4, 1};
    for (int k = 0; k < COUNT_OF(rows); k++) {
        ag_tape *t = ag_tape_new();
        uint64_t random = (uint64_t)k;
        ag_tensor *a = check_leaf(t, AG_F64, AG_SHAPE(rows[k], columns[k]), 0, -1, 1, &random);
        ag_tensor *x = check_leaf(t, AG_F64, AG_SHAPE(columns[k]), AG_REQUIRES_GRAD, -1, 1, &random), *j;
        ag_tensor *y = ag_matmul(a, x);
        cr_assert(ag_jacobian(&y, 1, &x, 1, &j), "%s", ag_tape_message(t));
        assert_shape(j, rows[k], columns[k]);
        assert_near(j, a, 0);
        ag_tape_free(t);
    }
}

/* y = x ⊗ x has ∂y[a][b]/∂x[c] = δac x[b] + δbc x[a]; z = Σ x³ w, shared with another input; several of each. */
Test(jacobian, of_several_outputs_to_several_inputs) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 2, 3), *w = number(t, 5), *unused = PARAM(t, 1, 2, 3), *j[6];
    ag_tensor *ys[] = {ag_mul(ag_reshape(x, AG_SHAPE(2, 1)), x), ag_mul(w, SUM(ag_mul(x, ag_square(x))))};
    ag_tensor *xs[] = {x, w, unused};
    cr_assert(ag_jacobian(ys, 2, xs, 3, j), "%s", ag_tape_message(t));
    assert_shape(j[0], 2, 2, 2);
    assert_values(j[0], 1e-15, 4, 0, 3, 2, 3, 2, 0, 6);
    assert_shape(j[1], 2, 2);
    assert_values(j[1], 0, 0, 0, 0, 0);
    assert_shape(j[2], 2, 2, 3);
    assert_values(j[3], 1e-15, 60, 135);
    cr_assert_eq(ag_rank(j[4]), 0);
    assert_values(j[4], 1e-15, 35);
    assert_values(j[5], 0, 0, 0, 0);
    /* and again: ∂j[3]/∂w = 3 x² */
    ag_tensor *second;
    cr_assert(ag_jacobian(&j[3], 1, &w, 1, &second), "%s", ag_tape_message(t));
    assert_values(second, 1e-14, 12, 27);
    ag_tape_free(t);
}

static ag_tensor *rosenbrock(ag_tensor *x) {
    ag_tensor *a = ag_slice(x, 0, 0, 1, 1), *b = ag_slice(x, 0, 1, 2, 1);
    ag_tensor *first = ag_square(ag_add_scalar(ag_neg(a), 1));
    return SUM(ag_add(first, ag_scale(ag_square(ag_sub(b, ag_square(a))), 100)));
}

/* H = [1200 a² − 400 b + 2, −400 a; −400 a, 200]. */
Test(hessian, of_rosenbrocks_function) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 1.5, -0.5), *v = DATA(t, 3, -2), *h, *hv, *vh, *third;
    ag_tensor *loss = rosenbrock(x);
    cr_assert(ag_hessian(loss, &x, 1, &h), "%s", ag_tape_message(t));
    assert_values(h, 1e-13, 1200 * 2.25 + 200 + 2, -600, -600, 200);
    cr_assert(ag_hvp(loss, &x, &v, 1, &hv) && ag_vhp(loss, &x, &v, 1, &vh), "%s", ag_tape_message(t));
    assert_values(hv, 1e-13, 3 * 2902. + 1200, -1800 - 400.);
    assert_near(vh, hv, 1e-14);
    /* d H[0][0] / da = 2400 a, d/db = −400 */
    ag_tensor *corner = ag_slice(ag_slice(h, 0, 0, 1, 1), 1, 0, 1, 1);
    cr_assert(ag_gradients(&corner, NULL, 1, &x, 1, &third), "%s", ag_tape_message(t));
    assert_values(third, 1e-13, 3600, -400);
    /* and through the products: ∂⟨1, H v⟩/∂x = Σ v ∂H */
    cr_assert(ag_gradients(&hv, NULL, 1, &x, 1, &third), "%s", ag_tape_message(t));
    assert_values(third, 1e-13, 3 * 3600. - 3 * 400 + 2 * 400, -3 * 400.);
    ag_tape_free(t);
}

/* Blocks of two inputs, of different shapes, against products with every unit vector. */
Test(hessian, blocks_agree_with_products) {
    ag_tape *t = ag_tape_new();
    uint64_t random = 4;
    ag_tensor *w = check_leaf(t, AG_F64, AG_SHAPE(2, 3), AG_REQUIRES_GRAD, -1, 1, &random);
    ag_tensor *b = check_leaf(t, AG_F64, AG_SHAPE(2), AG_REQUIRES_GRAD, -1, 1, &random);
    ag_tensor *x = check_leaf(t, AG_F64, AG_SHAPE(3), 0, -1, 1, &random);
    ag_tensor *loss = SUM(ag_square(ag_tanh(ag_add(ag_matmul(w, x), b)))), *xs[] = {w, b}, *h[4];
    cr_assert(ag_hessian(loss, xs, 2, h), "%s", ag_tape_message(t));
    assert_shape(h[0], 2, 3, 2, 3);
    assert_shape(h[1], 2, 3, 2);
    assert_shape(h[2], 2, 2, 3);
    assert_shape(h[3], 2, 2);
    assert_near(ag_reshape(h[0], AG_SHAPE(6, 6)), ag_transpose(ag_reshape(h[0], AG_SHAPE(6, 6)), 0, 1), 1e-13);
    assert_near(ag_reshape(h[1], AG_SHAPE(6, 2)), ag_transpose(ag_reshape(h[2], AG_SHAPE(2, 6)), 0, 1), 1e-13);
    ag_tensor *v[] = {check_leaf(t, AG_F64, AG_SHAPE(2, 3), 0, -1, 1, &random),
                      check_leaf(t, AG_F64, AG_SHAPE(2), 0, -1, 1, &random)};
    ag_tensor *hv[2], *vh[2], *flat = ag_reshape(v[0], AG_SHAPE(6));
    cr_assert(ag_hvp(loss, xs, v, 2, hv) && ag_vhp(loss, xs, v, 2, vh), "%s", ag_tape_message(t));
    ag_tensor *first =
        ag_add(ag_matmul(ag_reshape(h[0], AG_SHAPE(6, 6)), flat), ag_matmul(ag_reshape(h[1], AG_SHAPE(6, 2)), v[1]));
    assert_near(ag_reshape(hv[0], AG_SHAPE(6)), first, 1e-13);
    for (int i = 0; i < 2; i++) assert_near(hv[i], vh[i], 1e-13);
    ag_tape_free(t);
}

/* Few inputs: the nodes recorded grow with the columns alone, not with the rows; and the other way round. */
Test(jacobian, takes_the_cheaper_mode) {
    int64_t executed[2];
    for (int wide = 0; wide < 2; wide++) {
        ag_tape *t = ag_tape_new();
        ag_tensor *x = ag_param(t, AG_F64, AG_SHAPE(wide ? 300 : 2)), *j;
        ag_tensor *y = ag_exp(wide ? ag_slice(x, 0, 0, 2, 1) : ag_expand(ag_slice(x, 0, 0, 1, 1), AG_SHAPE(300)));
        int64_t before = ag_tape_size(t);
        cr_assert(ag_jacobian(&y, 1, &x, 1, &j), "%s", ag_tape_message(t));
        executed[wide] = ag_tape_size(t) - before;
        cr_assert_lt(executed[wide], 60, "%d nodes for two passes", (int)executed[wide]);
        ag_tape_free(t);
    }
}

Test(jacobian, of_empty_and_of_mixed_dtypes) {
    ag_tape *t = ag_tape_new();
    ag_tensor *none = ag_param(t, AG_F64, AG_SHAPE(0, 2)), *x = PARAM(t, 1, 2),
              *single = ag_param(t, AG_F32, AG_SHAPE(3)), *j;
    ag_tensor *y = ag_exp(none);
    cr_assert(ag_jacobian(&y, 1, &x, 1, &j), "%s", ag_tape_message(t));
    assert_shape(j, 0, 2, 2);
    cr_assert(ag_jacobian(&x, 1, &none, 1, &j), "%s", ag_tape_message(t));
    assert_shape(j, 2, 0, 2);
    cr_assert(ag_jacobian(&x, 1, &x, 1, &j), "%s", ag_tape_message(t));
    assert_values(j, 0, 1, 0, 0, 1);
    ag_tensor *wide = ag_cast(single, AG_F64), *ys[] = {ag_exp(ag_concat((ag_tensor *[]){wide, wide}, 2, 0)), SUM(wide)};
    for (int k = 0; k < 2; k++) {
        cr_assert(ag_jacobian(&ys[k], 1, &single, 1, &j), "%s", ag_tape_message(t));
        cr_assert_eq(ag_dtype_of(j), AG_F32, "in the dtype of x, by either mode");
    }
    ag_tape_free(t);
}

/* Without recording, the derivatives are right and depend on nothing. */
Test(jacobian, outside_recording) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 2, 3), *loss = SUM(ag_mul(x, ag_square(x))), *h, *hv, *zero;
    ag_tensor *v = DATA(t, 1, 1);
    cr_assert(ag_set_recording(t, false));
    cr_assert(ag_hessian(loss, &x, 1, &h) && ag_hvp(loss, &x, &v, 1, &hv), "%s", ag_tape_message(t));
    cr_assert(!ag_set_recording(t, true));
    assert_values(h, 1e-14, 12, 0, 0, 18);
    assert_values(hv, 1e-14, 12, 18);
    cr_assert(!ag_requires_grad(h) && !ag_requires_grad(hv));
    cr_assert(ag_gradients(&hv, NULL, 1, &x, 1, &zero), "%s", ag_tape_message(t));
    assert_values(zero, 0, 0, 0);
    ag_tape_free(t);
}

Test(jacobian, bad_arguments_are_errors) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *x = PARAM(t, 2, 3), *whole = ag_from_i64(t, (const int64_t[]){1}, AG_SHAPE(1)), *out[2];
    ag_tensor *deep = ag_param(t, AG_F64, AG_SHAPE(1, 1, 1, 1, 1, 1, 1, 2)), *far = PARAM(other, 1, 2),
              *loss = SUM(ag_square(x));
    ag_tensor *none = NULL, *y = ag_square(x), *v = DATA(t, 1, 2, 3);
    cr_assert(!ag_jacobian(NULL, 1, &x, 1, out) && !ag_jacobian(&none, 1, &x, 1, out) && !ag_hessian(NULL, &x, 1, out));
    cr_assert(!ag_jacobian(&y, 1, &none, 1, out));
    assert_error(t, AG_ERR_ARGUMENT, "jacobian: tensor 0 is NULL");
    cr_assert(!ag_jacobian(&y, 1, &far, 1, out));
    assert_error(t, AG_ERR_ARGUMENT, "another tape");
    cr_assert(!ag_jacobian(&whole, 1, &x, 1, out));
    assert_error(t, AG_ERR_DTYPE, "is not a float tensor");
    cr_assert(!ag_jacobian(&y, 1, &deep, 1, out));
    assert_error(t, AG_ERR_SHAPE, "together are more than 8");
    cr_assert(!ag_hessian(y, &x, 1, out));
    assert_error(t, AG_ERR_SHAPE, "hessian: the loss");
    cr_assert(!ag_hvp(loss, &x, &v, 1, out));
    assert_error(t, AG_ERR_SHAPE, "hvp: the vector");
    cr_assert(!ag_vhp(loss, &x, &none, 1, out));
    assert_error(t, AG_ERR_ARGUMENT, "vhp: vector 0 is NULL");
    cr_assert(ag_hessian(loss, &x, 1, out), "the tape goes on");
    ag_tape_free(t);
    ag_tape_free(other);
}
