/* Shapes at the edges of what can be said: rank 8 and 9, negative and enormous extents, nothing at all. */
#include <stdio.h>
#include <string.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

#define BIG (INT64_C(1) << 62)

static const struct {
    ag_shape shape;
    bool valid;
    int64_t size;
    const char *part;
} shapes[] = {
    {{.rank = 0}, true, 1, ""},
    {{.rank = 8, .dim = {1, 2, 1, 2, 1, 2, 1, 2}}, true, 16, ""},
    {{.rank = 9}, false, 0, "at most 8 axes"},
    {{.rank = -1}, false, 0, "at most 8 axes"},
    {{.rank = 1000}, false, 0, "at most 8 axes"},
    {{.rank = 2, .dim = {2, -1}}, false, 0, "axis 1 of a shape has the negative extent -1"},
    {{.rank = 2, .dim = {INT64_MIN, 0}}, false, 0, "negative extent"},
    {{.rank = 3, .dim = {4194305, 4194305, 211106198978564}}, false, 0, "more elements than memory has bytes"}, /* wraps to 4 */
    {{.rank = 2, .dim = {BIG, 4}}, false, 0, "more elements"},
    {{.rank = 2, .dim = {BIG, BIG}}, false, 0, "more elements"},
    {{.rank = 1, .dim = {INT64_MAX}}, false, 0, "more elements"},
    {{.rank = 3, .dim = {0, BIG, BIG}}, false, 0, "more elements"}, /* its strides could not be said */
    {{.rank = 2, .dim = {0, INT64_C(1) << 40}}, true, 0, ""},
    {{.rank = 3, .dim = {3, 0, 5}}, true, 0, ""},
    {{.rank = 8, .dim = {0, 0, 0, 0, 0, 0, 0, 0}}, true, 0, ""},
    {{.rank = 2, .dim = {INT64_C(1) << 29, INT64_C(1) << 29}}, true, INT64_C(1) << 58, ""},
};

static ag_tensor *of_full(ag_tape *t, ag_shape s) { return ag_full(t, AG_F64, s, 1); }
static ag_tensor *of_wrap(ag_tape *t, ag_shape s) {
    static double anything;
    return ag_wrap(t, AG_F64, &anything, s, NULL, NULL);
}

Test(tape, shapes_are_checked_once_and_everywhere) {
    static ag_tensor *(*const make[])(ag_tape * t, ag_shape s) = {of_full, of_wrap};
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        for (int k = 0; k < COUNT_OF(make); k++) {
            ag_tape *t = ag_tape_new();
            ag_tensor *x = make[k](t, shapes[i].shape);
            if (shapes[i].valid) {
                cr_assert_not_null(x, "row %d: %s", i, ag_tape_message(t));
                cr_assert_eq(ag_size(x), shapes[i].size, "row %d", i);
                cr_assert_eq(ag_rank(x), shapes[i].shape.rank, "row %d", i);
            } else {
                char text[CHECK_TEXT];
                cr_assert_null(x, "row %d", i);
                cr_assert(check_error(t, AG_ERR_SHAPE, shapes[i].part, text), "row %d: %s", i, text);
            }
            ag_tape_free(t);
        }
    }
}

Test(tape, a_shape_that_memory_cannot_hold_is_an_error) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_full(t, AG_F64, AG_SHAPE(INT64_C(1) << 29, INT64_C(1) << 29), 1);
    cr_assert_null(ag_neg(x));
    assert_error(t, AG_ERR_MEMORY, "out of memory");
    cr_assert_null(ag_param(t, AG_F64, AG_SHAPE(INT64_C(1) << 58)));
    assert_error(t, AG_ERR_MEMORY, "out of memory");
    cr_assert_null(ag_reshape(x, AG_SHAPE(INT64_C(1) << 30, INT64_C(1) << 30)));
    assert_error(t, AG_ERR_SHAPE, "reshape");
    cr_assert_null(ag_expand(x, AG_SHAPE(1 << 20, INT64_C(1) << 29, INT64_C(1) << 29)));
    assert_error(t, AG_ERR_SHAPE, "more elements");
    ag_tensor *tall = ag_full(t, AG_F32, AG_SHAPE(INT64_C(1) << 40, 1), 1),
              *wide = ag_full(t, AG_F32, AG_SHAPE(INT64_C(1) << 40), 1);
    cr_assert_null(ag_add(tall, wide));
    assert_error(t, AG_ERR_SHAPE, "more elements");
    assert_values(ag_neg(DATA(t, 1)), 0, -1);
    ag_tape_free(t);
}

Test(tape, macros_of_shapes_and_axes) {
    ag_shape none = AG_SHAPE(), two = AG_SHAPE(2, 3);
    cr_assert_eq(none.rank, 0);
    cr_assert(two.rank == 2 && two.dim[0] == 2 && two.dim[1] == 3 && two.dim[2] == 0);
    ag_axes no_axes = AG_AXES(), some = AG_AXES(0, -1), all = AG_ALL;
    cr_assert(no_axes.count == 0 && some.count == 2 && some.axis[1] == -1 && all.count == -1);
    ag_tape *t = ag_tape_new();
    cr_assert_null(ag_buffer(t, AG_F32, AG_SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1)));
    assert_error(t, AG_ERR_SHAPE, "at most 8 axes");
    cr_assert_null(ag_buffer(t, AG_F32, AG_SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)));
    assert_error(t, AG_ERR_SHAPE, "at most 8 axes");
    assert_values(ag_sum(DATA(t, 1, 2), AG_AXES(), false), 0, 1, 2);
    ag_tape_free(t);
}

/* Nothing has a value, a sum and a gradient, too. */
Test(tape, empty_tensors_pass_everywhere) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = ag_param(t, AG_F64, AG_SHAPE(3, 0)), *d, *copy;
    ag_tensor *y = SUM(ag_mul(ag_tanh(ag_transpose(w, 0, 1)), ag_full(t, AG_F64, AG_SHAPE(0, 3), 2)));
    assert_values(y, 0, 0);
    cr_assert(ag_backward(y) && ag_backward(y));
    assert_shape(ag_grad(w), 3, 0);
    cr_assert(ag_gradients(&y, NULL, 1, &w, 1, &d));
    assert_shape(d, 3, 0);
    cr_assert(ag_jvp(&y, 1, &w, &d, 1, &copy));
    assert_values(copy, 0, 0);
    cr_assert(ag_replay(t));
    cr_assert(ag_clone(other, &y, 1, AG_F32, 0, &copy));
    assert_values(copy, 0, 0);
    cr_assert(ag_read(w, (char[1]){0}));
    cr_assert(ag_write(w, (char[1]){0}));
    cr_assert(ag_fill(w, 1) && ag_fill_uniform(w, 0, 1) && ag_fill_normal(w, 0, 1));
    cr_assert_not_null(ag_data(w));
    cr_assert(ag_is_contiguous(w));
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(tape, extents_and_strides_by_axis) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_permute(ag_full(t, AG_F32, AG_SHAPE(2, 3, 4), 1), AG_AXES(2, 0, 1)), *y = ag_contiguous(x);
    cr_assert(ag_dim(x, 0) == 4 && ag_dim(x, -1) == 3 && ag_dim(x, 3) == -1 && ag_dim(x, -4) == -1);
    cr_assert(ag_stride(y, 0) == 6 && ag_stride(y, -1) == 1 && ag_stride(y, 7) == 0);
    cr_assert(ag_rank(NULL) == -1 && ag_dim(NULL, 0) == -1 && ag_stride(NULL, 0) == 0 && ag_size(NULL) == 0);
    cr_assert(ag_shape_of(NULL).rank == 0 && !ag_is_contiguous(NULL) && ag_dtype_of(NULL) == AG_DTYPE_COUNT);
    static const size_t bytes[] = {4, 8, 8, 1, 0};
    static const char *const name[] = {"f32", "f64", "i64", "bool", "no dtype"};
    for (int d = 0; d <= AG_DTYPE_COUNT; d++) {
        cr_assert_eq(ag_dtype_size((ag_dtype)d), bytes[d]);
        cr_assert_str_eq(ag_dtype_name((ag_dtype)d), name[d]);
    }
    char text[12];
    cr_assert_str_eq(ag_shape_text(y, text, sizeof text), "(4,2,3)");
    cr_assert_str_eq(ag_shape_text(y, text, 5), "(4,2");
    cr_assert_eq(ag_shape_text(y, NULL, 0), NULL);
    ag_tape_free(t);
}
