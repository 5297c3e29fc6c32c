/* Leaves of every kind: recorded ones, constants, and those on memory of the caller, of a file, of another tape. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "make.h"
#include "ops/ops.h"

/* Recorded leaves and constants */

Test(lifetime, recorded_ones_go_with_the_rewind) {
    ag_tape *t = ag_tape_new();
    ag_mark m = ag_tape_mark(t);
    double values[64] = {3};
    for (int n = 0; n <= 64; n += n < 3 ? 1 : 61) { /* none, in the node, in a block */
        ag_tensor *x = ag_leaf(t, AG_F64, values, AG_SHAPE(n), AG_RECORDED | AG_REQUIRES_GRAD);
        cr_assert_eq(ag_index(x), 0);
        cr_assert(ag_is_leaf(x));
        cr_assert(ag_backward(SUM(ag_scale(x, 2))));
        for (int i = 0; i < n; i++) assert_close(ag_at(ag_grad(x), i), 2, 0);
        cr_assert(!ag_write(x, values));
        assert_error(t, AG_ERR_ARGUMENT, "not a persistent leaf");
        cr_assert(ag_tape_rewind(t, m));
        cr_assert_eq(ag_tape_size(t), 0);
    }
    ag_tape_free(t);
}

Test(lifetime, full_takes_no_memory) {
    ag_tape *t = ag_tape_new();
    ag_full(t, AG_F32, AG_SHAPE(2), 1);
    size_t bytes = ag_tape_bytes(t);
    ag_tensor *x = ag_full(t, AG_F64, AG_SHAPE(1 << 20, 1 << 20), 2.5);
    cr_assert_leq(ag_tape_bytes(t), bytes + 4096);
    cr_assert_eq(ag_size(x), INT64_C(1) << 40);
    cr_assert_eq(ag_stride(x, 0), 0);
    cr_assert(!ag_is_contiguous(x));
    assert_close(ag_at(x, ag_size(x) - 1), 2.5, 0);
    ag_tensor *corner = ag_slice(ag_slice(x, 0, -2, AG_END, 1), 1, 3, 5, 1);
    assert_values(ag_scale(corner, 2), 0, 5, 5, 5, 5);
    assert_close(ag_item(ag_scalar(t, AG_I64, -3)), -3, 0);
    assert_ok(t);
    ag_tape_free(t);
}

/* What ag_fill and ag_full write for a double, by dtype. */
Test(lifetime, fill_converts) {
    static const struct {
        double value, f32, i64, boolean;
    } rows[] = {{0, 0, 0, 0},
                {-1.75, -1.75, -1, 1},
                {1e300, (double)INFINITY, 9223372036854775807., 1},
                {-1e300, -(double)INFINITY, -9223372036854775808., 1},
                {0x1p63, 0x1p63, 9223372036854775807., 1}};
    ag_tape *t = ag_tape_new();
    for (int i = 0; i < COUNT_OF(rows); i++) {
        const double expected[] = {rows[i].f32, rows[i].value, rows[i].i64, rows[i].boolean};
        for (int d = 0; d < AG_DTYPE_COUNT; d++) {
            ag_tensor *x = ag_buffer(t, (ag_dtype)d, AG_SHAPE(3));
            cr_assert(ag_fill(x, rows[i].value));
            assert_values(x, 0, expected[d], expected[d], expected[d]);
            assert_values(ag_full(t, (ag_dtype)d, AG_SHAPE(1, 2), rows[i].value), 0, expected[d], expected[d]);
        }
    }
    ag_tape_free(t);
}

/* Elements of every size are gathered from strided views. */
Test(lifetime, views_are_read_in_every_dtype) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_i64(t, (int64_t[]){0, 1, 2, 3, 4, 0}, AG_SHAPE(2, 3));
    for (int d = 0; d < AG_DTYPE_COUNT; d++) {
        ag_tensor *y = ag_slice(ag_permute(ag_cast(x, (ag_dtype)d), AG_AXES(1, 0)), 0, AG_END, AG_END, -1);
        unsigned char raw[6 * 8];
        cr_assert(ag_read(y, raw));
        ag_tensor *dense = ag_leaf(t, (ag_dtype)d, raw, AG_SHAPE(3, 2), 0);
        assert_same(dense, y);
        double most = d == AG_BOOL ? 1 : 9;
        assert_values(dense, 0, fmin(2, most), 0, 1, fmin(4, most), 0, fmin(3, most));
    }
    ag_tape_free(t);
}

/* Memory of the caller */

static void count_release(void *context, void *data) {
    (void)data;
    ++*(int *)context;
}

Test(lifetime, wrapped_memory_is_released_once) {
    double memory[4] = {1, 2, 3, 4};
    int released = 0;
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_wrap(t, AG_F64, memory, AG_SHAPE(4), count_release, &released);
    cr_assert_eq(ag_data(x), (const void *)memory, "not copied");
    ag_mark m = ag_tape_mark(t);
    ag_tensor *y = ag_neg(ag_reshape(x, AG_SHAPE(2, 2)));
    assert_values(y, 0, -1, -2, -3, -4);
    cr_assert(ag_tape_rewind(t, m));
    ag_fill(x, 9);
    assert_close(memory[3], 9, 0);
    cr_assert_eq(released, 0);
    ag_tape_free(t);
    cr_assert_eq(released, 1);
}

Test(lifetime, a_failed_wrap_releases_at_once) {
    double memory[4] = {0};
    static const struct {
        ag_dtype dtype;
        ag_shape shape;
        size_t offset;
        ag_status status;
    } rows[] = {{AG_F64, {.rank = 9}, 0, AG_ERR_SHAPE},
                {AG_F64, {.rank = 1, .dim = {-1}}, 0, AG_ERR_SHAPE},
                {(ag_dtype)77, {.rank = 0}, 0, AG_ERR_DTYPE},
                {AG_F64, {.rank = 1, .dim = {2}}, 4, AG_ERR_ARGUMENT},
                {AG_I64, {.rank = 2, .dim = {4194305, 4398042316799}}, 0, AG_ERR_SHAPE}};
    for (int i = 0; i < COUNT_OF(rows); i++) {
        int released = 0;
        ag_tape *t = ag_tape_new();
        char *data = (char *)memory + rows[i].offset;
        cr_assert_null(ag_wrap(t, rows[i].dtype, data, rows[i].shape, count_release, &released), "row %d", i);
        cr_assert_eq(released, 1, "row %d", i);
        cr_assert_eq(ag_tape_status(t), rows[i].status, "row %d: %s", i, ag_tape_message(t));
        cr_assert_null(ag_wrap(t, AG_F64, memory, AG_SHAPE(4), count_release, &released));
        cr_assert_eq(released, 2, "also while an error stands");
        ag_tape_free(t);
        cr_assert_eq(released, 2);
    }
    int released = 0;
    cr_assert_null(ag_wrap(NULL, AG_F64, memory, AG_SHAPE(4), count_release, &released));
    cr_assert_eq(released, 1);
    ag_tape *t = ag_tape_new();
    cr_assert_null(ag_wrap(t, AG_F64, NULL, AG_SHAPE(4), count_release, &released));
    assert_error(t, AG_ERR_ARGUMENT, "data is NULL");
    cr_assert_eq(released, 2);
    cr_assert_not_null(ag_wrap(t, AG_F64, NULL, AG_SHAPE(0, 4), NULL, NULL), "nothing to point to");
    ag_tape_free(t);
}

Test(lifetime, touch_makes_uses_stale) {
    double memory[2] = {1, 2};
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_set_name(ag_wrap(t, AG_F64, memory, AG_SHAPE(2), NULL, NULL), "signal");
    ag_set_requires_grad(x, true);
    ag_tensor *y = SUM(ag_square(x));
    memory[0] = 5;
    ag_touch(x);
    cr_assert(!ag_backward(y));
    assert_error(t, AG_ERR_STATE, "signal (2) was overwritten after square used it");
    cr_assert(ag_replay(t));
    cr_assert(ag_backward(y));
    assert_values(ag_grad(x), 0, 10, 4);
    ag_tape_free(t);
}

/* Memory of a file */

static void write_file(char path[], const void *bytes, size_t size) {
    strcpy(path, "/tmp/autograd-leaf-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

Test(lifetime, a_file_is_mapped) {
    enum { N = 3000 };
    double values[N];
    char path[64];
    for (int i = 0; i < N; i++) values[i] = i;
    write_file(path, values, sizeof values);
    ag_tape *t = ag_tape_new();
    ag_tensor *all = ag_map_file(t, AG_F64, path, 0, AG_SHAPE(30, 100));
    ag_tensor *rest = ag_map_file(t, AG_F64, path, 4096 + 8, AG_SHAPE(N - 513)); /* not at a page */
    ag_tensor *none = ag_map_file(t, AG_F64, path, sizeof values, AG_SHAPE(0, 7));
    unlink(path);
    assert_close(ag_at(all, N - 1), N - 1, 0);
    assert_close(ag_at(rest, 0), 513, 0);
    assert_close(ag_at(rest, N - 514), N - 1, 0);
    cr_assert_eq(ag_size(none), 0);
    assert_close(ag_item(SUM(all)), N * (N - 1) / 2., 1e-12);
    cr_assert_null(ag_mutable(all));
    assert_error(t, AG_ERR_ARGUMENT, "read-only: it is a mapped file");
    cr_assert_null(ag_assign(rest, ag_neg(rest)));
    assert_error(t, AG_ERR_ARGUMENT, "read-only");
    cr_assert_eq(ag_index(all), -1);
    ag_tape_free(t);
}

Test(lifetime, a_file_that_does_not_fit_is_an_error) {
    char path[64];
    write_file(path, "0123456789abcdef0123", 20);
    const struct {
        const char *path;
        int64_t offset;
        ag_shape shape;
        ag_status status;
        const char *part;
    } rows[] = {{path, 0, AG_SHAPE(3), AG_ERR_IO, "20 bytes; 24 bytes from byte 0 were asked for"},
                {path, 16, AG_SHAPE(1), AG_ERR_IO, "20 bytes"},
                {path, 24, AG_SHAPE(0), AG_ERR_IO, "20 bytes"},
                {path, -8, AG_SHAPE(1), AG_ERR_IO, "byte -8"},
                {path, INT64_MAX, AG_SHAPE(1), AG_ERR_IO, "20 bytes"},
                {path, 4, AG_SHAPE(1), AG_ERR_ARGUMENT, "not a multiple of the element's size"},
                {"/tmp/autograd-no-such-file", 0, AG_SHAPE(1), AG_ERR_IO, "No such file"},
                {"/tmp", 0, AG_SHAPE(1), AG_ERR_IO, "/tmp"},
                {NULL, 0, AG_SHAPE(1), AG_ERR_ARGUMENT, "path is NULL"}};
    ag_tape *t = ag_tape_new();
    for (int i = 0; i < COUNT_OF(rows); i++) {
        char text[CHECK_TEXT];
        cr_assert_null(ag_map_file(t, AG_F64, rows[i].path, rows[i].offset, rows[i].shape), "row %d", i);
        cr_assert(check_error(t, rows[i].status, rows[i].part, text), "row %d: %s", i, text);
        ag_tape_clear(t);
    }
    cr_assert_not_null(ag_map_file(t, AG_F64, path, 8, AG_SHAPE(1)));
    unlink(path);
    ag_tape_free(t);
}

/* Memory of another tape */

Test(lifetime, a_shared_leaf_borrows) {
    ag_tape *owner = ag_tape_new(), *t = ag_tape_new();
    ag_tensor *w = ag_set_name(PARAM(owner, 1, 2, 3), "w");
    ag_tensor *s = ag_share(t, w), *again = ag_share(t, s), *frozen = ag_share(t, DATA(owner, 1));
    cr_assert_eq(ag_data(s), ag_data(w));
    cr_assert_eq(ag_data(again), ag_data(w));
    cr_assert_eq(ag_tape_of(s), t);
    cr_assert_str_eq(ag_name(s), "w");
    cr_assert(ag_requires_grad(s));
    cr_assert(!ag_requires_grad(frozen));
    cr_assert(ag_backward(SUM(ag_square(s))));
    assert_values(ag_grad(s), 0, 2, 4, 6);
    cr_assert(!ag_has_grad(w), "gradients are not shared");
    cr_assert_null(ag_mutable(s));
    assert_error(t, AG_ERR_ARGUMENT, "borrows the memory of another tape");
    cr_assert_null(ag_assign(s, ag_neg(s)));
    assert_error(t, AG_ERR_ARGUMENT, "read-only");
    cr_assert_null(ag_share(t, ag_neg(w)));
    assert_error(t, AG_ERR_ARGUMENT, "not a persistent leaf");
    cr_assert_null(ag_share(t, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "NULL");
    ag_tape_free(t);
    assert_values(w, 0, 1, 2, 3);
    ag_tape_free(owner);
}

/* The owner writes between forward and backward of the borrower: by each way that a leaf can be written. */
static void by_write(ag_tensor *w) { ag_write(w, (double[]){4, 5, 6}); }
static void by_fill(ag_tensor *w) { ag_fill(w, 4); }
static void by_touch(ag_tensor *w) { ag_touch(w); }
static void by_assign(ag_tensor *w) { ag_assign(w, ag_neg(w)); }
static void by_random(ag_tensor *w) { ag_fill_uniform(w, 0, 1); }

Test(lifetime, what_the_owner_writes_makes_uses_of_borrowers_stale) {
    static void (*const writes[])(ag_tensor * w) = {by_write, by_fill, by_touch, by_assign, by_random};
    for (int i = 0; i < COUNT_OF(writes); i++) {
        for (int twice = 0; twice < 2; twice++) {
            ag_tape *owner = ag_tape_new(), *between = ag_tape_new(), *t = ag_tape_new();
            ag_tensor *w = PARAM(owner, 1, 2, 3);
            ag_tensor *s = ag_share(t, twice ? ag_share(between, w) : w);
            ag_tensor *y = SUM(ag_square(ag_reshape(s, AG_SHAPE(3, 1))));
            writes[i](w);
            cr_assert(!ag_backward(y), "row %d", i);
            assert_error(t, AG_ERR_STATE, "was overwritten");
            cr_assert(!ag_has_grad(s));
            cr_assert(ag_replay(t));
            cr_assert(ag_backward(y), "fresh again: %s", ag_tape_message(t));
            for (int k = 0; k < 3; k++) assert_close(ag_at(ag_grad(s), k), 2 * ag_at(w, k), 1e-15);
            ag_tape_free(t);
            ag_tape_free(between);
            ag_tape_free(owner);
        }
    }
}

/* The loop that sharing is for: borrowers compute, the owner steps, borrowers rewind. */
Test(lifetime, a_loop_of_steps_and_rewinds_is_never_stale) {
    ag_tape *owner = ag_tape_new(), *t = ag_tape_new();
    ag_tensor *w = PARAM(owner, 1, -2, 4), *s = ag_share(t, w);
    ag_mark m = ag_tape_mark(t), o = ag_tape_mark(owner);
    for (int i = 0; i < 10; i++) {
        cr_assert(ag_backward(SUM(ag_square(s))));
        double g[3], v[3];
        cr_assert(ag_read(ag_grad(s), g) && ag_read(w, v));
        for (int k = 0; k < 3; k++) v[k] -= 0.25 * g[k]; /* w ← w / 2 */
        cr_assert(ag_write(w, v));
        cr_assert(ag_zero_grad(s));
        cr_assert(ag_tape_rewind(t, m) && ag_tape_rewind(owner, o));
    }
    assert_values(s, 0, 0x1p-10, -0x1p-9, 0x1p-8);
    ag_tape_free(t);
    ag_tape_free(owner);
}
