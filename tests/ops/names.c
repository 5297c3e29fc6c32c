/* names.c: other names of operations and attributes: each finds what names.def says, none hides an operation. */
#include <math.h>
#include <string.h>

#include "autograd/node.h"
#include "check.h"
#include "ops/ops.h"

Test(names, other_names_find_their_operations) {
    int count = 0;
    for (const ag__op_name *n = ag__op_names; n->other; n++, count++) {
        cr_assert(ag_find_op(n->other) == n->op, "%s", n->other);
        cr_assert(ag_find_op(n->op->name) == n->op, "%s", n->op->name);
        for (int i = 0; ag_op_at(i); i++) cr_assert(strcmp(ag_op_at(i)->name, n->other), "%s is an op", n->other);
        for (const ag__op_name *m = n + 1; m->other; m++) cr_assert(strcmp(n->other, m->other), "%s twice", n->other);
    }
    cr_assert_gt(count, 30);
}

typedef struct spelled {
    const char *op, *attributes, *own;
} spelled;

/* Each names an attribute in another way; the node says its own. */
Test(names, attributes_have_other_names) {
    static const spelled rows[] = {
        {"softmax", "dim=0", "axis=0"},
        {"argmax", "axis=0 keepdims=true", "axes=0 keepdim=true"},
        {"sum", "dim=(0,1)", "axes=(0,1) keepdim=false"},
        {"sum", "axis=1", "axes=1 keepdim=false"},
        {"one_hot", "classes=9 dtype=i64", "num_classes=9 dtype=i64"},
        {"var", "dim=0 unbiased=false", "axes=0 keepdim=false correction=0"},
        {"var", "dim=0 ddof=0", "axes=0 keepdim=false correction=0"},
        {"slice", "dim=1 start=1 end=3", "axis=1 start=1 stop=3 step=1"},
    };
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_buffer(t, AG_F64, AG_SHAPE(2, 3)), *index = ag_buffer(t, AG_I64, AG_SHAPE(2));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[96];
        ag_tensor *y = ag_call(t, rows[i].op, strcmp(rows[i].op, "one_hot") ? &x : &index, 1, rows[i].attributes);
        cr_assert(y, "%s: %s", rows[i].attributes, ag_tape_message(t));
        ag_attr_text(y, text, sizeof text);
        cr_assert_str_eq(text, rows[i].own);
    }
    cr_assert_null(ag_call(t, "softmax", &x, 1, "axis=0 dim=1"));
    assert_error(t, AG_ERR_ARGUMENT, "softmax: 'axis' is given twice");
    cr_assert_null(ag_call(t, "softmax", &x, 1, "dims=1"));
    assert_error(t, AG_ERR_ARGUMENT, "softmax has no attribute 'dims'; it has axis");
    ag_tape_free(t);
}

/* A word in the place of norm's order means a norm of matrices. */
Test(names, norms_by_a_word) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){3, 0, 0, -4}, AG_SHAPE(2, 2));
    assert_values(ag_call(t, "norm", &x, 1, "p=fro"), 1e-15, 5);
    assert_values(ag_call(t, "norm", &x, 1, "p=inf"), 0, 4);
    assert_values(ag_call(t, "norm", &x, 1, "p=-inf"), 0, 0);
    assert_values(ag_call(t, "full", NULL, 0, "size=2 fill_value=1.5"), 0, 1.5, 1.5);
    cr_assert_null(ag_call(t, "norm", &x, 1, "p=frob"));
    assert_error(t, AG_ERR_ARGUMENT, "norm: p='frob': expected a number");
    ag_tape_free(t);
}

Test(names, joined_under_other_names) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){1, -2}, AG_SHAPE(1, 2)), *pair[2] = {x, x};
    assert_values(ag_call(t, "cat", pair, 2, "dim=1"), 0, 1, -2, 1, -2);
    assert_values(ag_call(t, "swapdims", &x, 1, "dim0=0 dim1=1"), 0, 1, -2);
    assert_values(ag_call(t, "absolute", &x, 1, ""), 0, 1, 2);
    cr_assert_str_eq(ag_op_name(ag_call(t, "absolute", &x, 1, "")), "abs");
    assert_values(ag_call(t, "transpose", &x, 1, "i=0 j=1"), 0, 1, -2);
    assert_values(ag_call(t, "trace", &x, 1, "i=1 j=0 offset=-1"), 0, -2);
    ag_tape_free(t);
}

/* One name, several operations: the attributes and the inputs choose. */
Test(names, forms_are_chosen) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){1, -2.75}, AG_SHAPE(2)), *half = ag_scalar(t, AG_F64, 0.5);
    ag_tensor *yes = ag_from_bool(t, (const bool[]){true, true, false}, AG_SHAPE(3)), *pair[2] = {x, half},
              *most[3] = {x, NULL, half};
    assert_values(ag_call(t, "add", pair, 2, "alpha=3"), 0, 2.5, -1.25);
    cr_assert_str_eq(ag_op_name(ag_call(t, "add", pair, 2, "")), "add");
    assert_values(ag_call(t, "sub", pair, 2, "alpha=3"), 0, -0.5, -4.25);
    assert_values(ag_call(t, "div", pair, 2, "rounding_mode=trunc"), 0, 2, -5);
    assert_values(ag_call(t, "divide", pair, 2, "rounding_mode=floor"), 0, 2, -6);
    assert_values(ag_call(t, "round", &x, 1, "decimals=1"), 0, 1, -2.8);
    assert_values(ag_call(t, "clip", pair, 2, ""), 0, 1, 0.5);
    assert_values(ag_call(t, "clamp", most, 3, ""), 0, 0.5, -2.75);
    assert_same(ag_call(t, "gelu", &x, 1, "approximate=tanh"), ag_gelu_tanh(x));
    assert_values(ag_call(t, "max", pair, 2, ""), 0, 1, 0.5);
    assert_values(ag_call(t, "min", pair, 2, ""), 0, 0.5, -2.75);
    assert_values(ag_call(t, "max", &x, 1, ""), 0, 1);
    assert_values(ag_call(t, "arange", NULL, 0, "stop=2 dtype=f64"), 0, 0, 1);
    assert_values(ag_call(t, "tensordot", (ag_tensor *[]){x, x}, 2, "dims=1"), 0, 8.5625);
    assert_values(ag_call(t, "split", &x, 1, "split_size_or_sections=1 part=1"), 0, -2.75);
    assert_values(ag_call(t, "array_split", &x, 1, "indices_or_sections=2"), 0, 1);
    assert_values(ag_call(t, "unfold", (ag_tensor *[]){ag_reshape(x, AG_SHAPE(1, 1, 2))}, 1, "kernel_size=(1,2)"), 0, 1,
                  -2.75);
    cr_assert_eq(ag_dtype_of(ag_call(t, "rand_like", &x, 1, "dtype=f32")), AG_F32);
    cr_assert_eq(ag_dtype_of(ag_call(t, "randint_like", &x, 1, "high=3 dtype=i64")), AG_I64);
    assert_values(ag_call(t, "sum", &yes, 1, "dtype=i64"), 0, 2);
    assert_values(ag_call(t, "mean", &yes, 1, "dtype=f32 keepdim=true axes=0"), 1e-7, 2. / 3);
    assert_values(ag_call(t, "sum", &x, 1, "axes=0 dtype=f64"), 0, -1.75);
    cr_assert_eq(ag_dtype_of(ag_call(t, "zeros_like", &x, 1, "dtype=bool")), AG_BOOL);
    ag_tape_free(t);
}

/* What is wrong is said of the operation that was called, not of the attribute that chose its form. */
Test(names, forms_refuse_bad_inputs_by_name) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *x = ag_scalar(t, AG_F32, 2), *far = ag_scalar(other, AG_F32, 2), *missing = NULL, *pair[2] = {x, x};
    ag_tensor *whole = ag_apply(ag_find_op("aminmax"), &x, 1, NULL);
    cr_assert_null(ag_call(t, "sum", &missing, 1, "dtype=f64"));
    assert_error(t, AG_ERR_ARGUMENT, "sum: input 0, x, is NULL");
    cr_assert_null(ag_call(t, "sum", &far, 1, "dtype=f64"));
    assert_error(t, AG_ERR_ARGUMENT, "sum: input 0, a leaf (), is on another tape");
    cr_assert_null(ag_call(t, "sum", &whole, 1, "dtype=f64"));
    assert_error(t, AG_ERR_ARGUMENT, "sum: input 0 is the whole of aminmax, which has 2 outputs");
    cr_assert_null(ag_call(t, "sum", pair, 2, "dtype=f64"));
    assert_error(t, AG_ERR_ARGUMENT, "sum: takes 1 input(s), not 2");
    cr_assert_null(ag_call(t, "sum", &missing, 1, "dtype=f16"));
    assert_error(t, AG_ERR_ARGUMENT, "sum: dtype='f16': expected f32, f64, i64 or bool");
    cr_assert_null(ag_call(t, "sum", &missing, 1, "axes=0 dtype=f64 keepdim=2"));
    assert_error(t, AG_ERR_ARGUMENT, "sum: keepdim='2'");
    ag_tape_free(t);
    ag_tape_free(other);
}

/* A mask behind x leaves out what it does not set: as if that were not there, or counted as nothing. */
Test(names, reductions_take_masks) {
    static const struct {
        const char *op, *attributes;
        double value;
    } rows[] = {
        {"sum", "", 1 + 5 + 2},
        {"prod", "", 10},
        {"amax", "", 5},
        {"amin", "", 1},
        {"argmax", "", 3},
        {"argmin", "", 0},
        {"logsumexp", "", 5.065883903757429},
        {"mean", "dim=0", 8 / 3.},
        {"var", "unbiased=false", (25 + 49 + 4) / 27.},
        {"var", "correction=1", (25 + 49 + 4) / 18.},
        {"vector_norm", "ord=1", 8},
        {"vector_norm", "ord=-inf", 1},
    };
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){1, -9, 99, 5, 2}, AG_SHAPE(5)),
              *mask = ag_buffer(t, AG_BOOL, AG_SHAPE(5));
    static const bool set[] = {true, false, false, true, true};
    cr_assert(ag_write(mask, set));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ag_tensor *y = ag_call(t, rows[i].op, (ag_tensor *[]){x, mask}, 2, rows[i].attributes);
        cr_assert(y, "%s: %s", rows[i].op, ag_tape_message(t));
        assert_values(y, 1e-12, rows[i].value);
    }
    assert_values(ag_call(t, "cumsum", (ag_tensor *[]){x, mask}, 2, "axis=0"), 0, 1, 1, 1, 6, 8);
    assert_values(ag_call(t, "cumprod", (ag_tensor *[]){x, mask}, 2, "axis=0"), 0, 1, 1, 1, 5, 10);
    double a = exp(1 - 5), b = exp(2 - 5);
    assert_values(ag_call(t, "softmax", (ag_tensor *[]){x, mask}, 2, ""), 1e-15, a / (1 + a + b), 0, 0, 1 / (1 + a + b),
                  b / (1 + a + b));
    ag_tensor *whole = ag_cast(x, AG_I64);
    assert_values(ag_call(t, "amin", (ag_tensor *[]){whole, ag_logical_not(mask)}, 2, ""), 0, -9);
    assert_values(ag_call(t, "sum", (ag_tensor *[]){whole, mask}, 2, "dtype=f64"), 0, 8);
    ag_tensor *empty = ag_logical_and(mask, ag_logical_not(mask));
    assert_values(ag_masked_mean(x, empty, AG_ALL, false), 0, (double)NAN);
    assert_values(ag_call(t, "prod", (ag_tensor *[]){x, empty}, 2, ""), 0, 1);
    cr_assert_null(ag_call(t, "sum", (ag_tensor *[]){NULL, mask}, 2, ""));
    assert_error(t, AG_ERR_ARGUMENT, "sum: input 0");
    ag_tape_free(t);
}
