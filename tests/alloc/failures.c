/* Every allocation of a program part is made to fail, one at a time, once or from there on: each time an error and no crash,
 * nothing leaked, and after ag_tape_clear the same tape computes what it should. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "refuse.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

#define SUM(x) ag_sum(x, AG_ALL, false)

static char path[] = "/tmp/autograd-alloc-XXXXXX"; /* a file of 16 doubles, then one of comma-separated values */

static void write_file(const char *bytes, size_t size) {
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(bytes, 1, size, file) == size);
    fclose(file);
}

static ag_tensor *ramp(ag_tape *t, ag_shape shape, unsigned flags) {
    double values[64];
    for (int i = 0; i < 64; i++) values[i] = sin(i + 1);
    return ag_leaf(t, AG_F64, values, shape, flags);
}

static ag_tensor *param(ag_tape *t, int64_t rows, int64_t columns) {
    return ramp(t, AG_SHAPE(rows, columns), AG_REQUIRES_GRAD);
}

/* Program parts: each returns whether all of it worked, and one number that depends on all of it */

static int released;
static void count_release(void *context, void *data) {
    (void)context, (void)data;
    released++;
}

static bool leaves(ag_tape *t, double *result) {
    static double own[16] = {1};
    double data[16] = {2};
    int before = released;
    write_file((const char *)data, sizeof data);
    ag_tensor *x[] = {ag_param(t, AG_F64, AG_SHAPE(4, 4)),
                      ag_buffer(t, AG_F64, AG_SHAPE(4, 4)),
                      ag_from_f64(t, data, AG_SHAPE(4, 4)),
                      ag_leaf(t, AG_F64, data, AG_SHAPE(4, 4), AG_RECORDED),
                      ag_full(t, AG_F64, AG_SHAPE(4, 4), 3),
                      ag_scalar(t, AG_F64, 4),
                      ag_wrap(t, AG_F64, own, AG_SHAPE(4, 4), count_release, NULL),
                      ag_map_file(t, AG_F64, path, 0, AG_SHAPE(4, 4))};
    ag_tensor *total = x[0];
    bool done = ag_fill_uniform(x[0], 1, 1) && ag_scope_push(t, "sum") &&
                ag_set_name(x[1], "a name that is rather long, longer than any block of the smallest size");
    for (int i = 1; i < 8; i++) total = ag_add(total, x[i]);
    ag_scope_pop(t);
    cr_assert(x[6] ? released == before : released == before + 1, "released at once if and only if it failed");
    if (!done || !total) return false;
    *result = ag_item(SUM(total));
    return ag_tape_status(t) == AG_OK;
}

static bool shared(ag_tape *t, double *result) {
    ag_tensor *w = ag_set_name(param(t, 3, 4), "w");
    ag_tape *other = ag_tape_new();
    if (!other) return ag_tape_fail(t, AG_ERR_MEMORY, "other tape", "out of memory") != NULL;
    ag_tensor *s = w ? ag_share(other, w) : NULL, *y = s ? SUM(ag_square(s)) : NULL;
    bool done = y && ag_backward(y);
    if (done) *result = ag_at(ag_grad(s), 5);
    if (!done && w) ag_tape_fail(t, ag_tape_status(other), "other tape", "%s", ag_tape_message(other));
    ag_tape_free(other);
    return done;
}

static ag_tensor *train_once(ag_tape *t, bool adam) {
    ag_seed(t, 5);
    ag_module *m = ag_nn_sequential(t, NULL, 0);
    ag_nn_append(m, ag_nn_linear(t, 4, 8, true));
    ag_nn_append(m, ag_nn_gelu(t));
    ag_nn_append(m, ag_nn_dropout(t, 0.25));
    ag_nn_append(m, ag_nn_linear(t, 8, 3, true));
    if (!m || !ag_module_cast(m, AG_F64)) return NULL;
    ag_tensor *const *params = ag_module_parameters(m);
    int n = ag_module_parameter_count(m);
    ag_sgd_options o = ag_sgd_defaults();
    o.momentum = 0.9;
    ag_optimizer *optimizer = adam ? ag_optim_adam(t, params, n, NULL) : ag_optim_sgd(t, params, n, &o);
    ag_tensor *x = ramp(t, AG_SHAPE(6, 4), AG_RECORDED),
              *label = ag_from_i64(t, (int64_t[]){0, 1, 2, 0, 1, 2}, AG_SHAPE(6));
    for (int i = 0; i < 2; i++) {
        if (!ag_optim_zero_grad(optimizer) || !ag_backward(ag_cross_entropy(ag_module_forward(m, x), label)))
            return NULL;
        if (!ag_optim_step(optimizer)) return NULL;
    }
    return params[0];
}

static bool adam(ag_tape *t, double *result) {
    ag_tensor *w = train_once(t, true);
    *result = w ? ag_at(w, 3) : 0;
    return w != NULL;
}

static bool momentum(ag_tape *t, double *result) {
    ag_tensor *w = train_once(t, false);
    *result = w ? ag_at(w, 3) : 0;
    return w != NULL;
}

static bool batch_norm(ag_tape *t, double *result) {
    ag_tensor *w = param(t, 6, 4), *gain = ramp(t, AG_SHAPE(4), AG_REQUIRES_GRAD),
              *bias = ag_buffer(t, AG_F64, AG_SHAPE(4));
    ag_tensor *mean = ag_buffer(t, AG_F64, AG_SHAPE(4)), *var = ag_buffer(t, AG_F64, AG_SHAPE(4));
    ag_tensor *y = ag_batch_norm(w, gain, bias, mean, var, true, 0.1, 1e-5);
    ag_tape_retain_grads(t, true);
    bool done = ag_backward(SUM(ag_mul(ag_square(y), ag_softmax(w, 1))));
    ag_tape_retain_grads(t, false);
    if (done)
        *result = ag_at(ag_grad(w), 5) + ag_at(ag_grad(gain), 1) + ag_at(mean, 2) + ag_at(var, 3) + ag_at(ag_grad(y), 7);
    return done;
}

static bool second_order(ag_tape *t, double *result) {
    ag_tensor *x[] = {param(t, 3, 4), param(t, 4, 5)}, *d[2], *dd[2];
    ag_tensor *y = SUM(ag_square(ag_log_softmax(ag_matmul(ag_tanh(x[0]), x[1]), 1)));
    if (!y || !ag_gradients(&y, NULL, 1, x, 2, d)) return false;
    ag_tensor *s = ag_add(SUM(ag_square(d[0])), SUM(ag_exp(d[1])));
    if (!s || !ag_gradients(&s, NULL, 1, x, 2, dd) || !ag_backward(ag_add(s, SUM(dd[0])))) return false;
    *result = ag_at(dd[0], 3) + ag_at(dd[1], 7) + ag_at(ag_grad(x[0]), 5);
    return true;
}

static bool forward_mode(ag_tape *t, double *result) {
    ag_tensor *x[] = {param(t, 3, 4), param(t, 4, 5)}, *u[] = {ramp(t, AG_SHAPE(3, 4), 0), NULL}, *d, *dd;
    ag_tensor *many[12];
    for (int i = 0; i < 12; i++) many[i] = ag_scale(x[0], i);
    ag_tensor *y = SUM(ag_square(ag_softmax(
        ag_matmul(ag_sum(ag_reshape(ag_concat(many, 12, 0), AG_SHAPE(12, 3, 4)), AG_AXES(0), false), x[1]), 1)));
    if (!y || !ag_jvp(&y, 1, x, u, 2, &d) || !ag_gradients(&d, NULL, 1, x, 1, &dd)) return false;
    *result = ag_item(d) + ag_at(dd, 3);
    return true;
}

static bool replayed(ag_tape *t, double *result) {
    ag_seed(t, 2);
    ag_tensor *x = param(t, 4, 4), *b = ag_transpose(x, 0, 1),
              *y = SUM(ag_dropout(ag_matmul(b, ag_slice(b, 0, AG_END, AG_END, -1)), 0.5));
    if (!y || !ag_fill(x, 0.5) || !ag_replay(t)) return false;
    *result = ag_item(y);
    return true;
}

static bool cloned(ag_tape *t, double *result) {
    ag_tape *source = ag_tape_new();
    if (!source) return ag_tape_fail(t, AG_ERR_MEMORY, "source", "out of memory") != NULL;
    ag_seed(source, 9);
    ag_scope_push(source, "layer");
    ag_tensor *x = ag_set_name(param(source, 4, 4), "w"), *index;
    ag_tensor *top = ag_topk(ag_add(ag_dropout(x, 0.5), ag_full(source, AG_F64, AG_SHAPE(4, 4), 1)), 2, 1, &index),
              *out[2];
    ag_tensor *y = ag_set_name(SUM(ag_add(top, ag_detach(ag_cast(index, AG_F64)))), "total");
    bool done = y && ag_clone(t, (ag_tensor *[]){y, x}, 2, AG_F32, 0, out);
    if (done) *result = ag_item(out[0]) + ag_at(out[1], 3);
    if (!y) ag_tape_fail(t, ag_tape_status(source), "source", "%s", ag_tape_message(source));
    if (y && !done && !memory.after) cr_assert(ag_backward(y), "the source is as it was: %s", ag_tape_message(source));
    ag_tape_free(source);
    return done;
}

static bool draw(ag_tape *t, bool derivatives) {
    ag_scope_push(t, "layer");
    ag_tensor *w = ag_set_name(derivatives ? ramp(t, AG_SHAPE(), AG_REQUIRES_GRAD) : param(t, 4, 4), "w"), *y = ag_tanh(w);
    for (int i = 0; i < (derivatives ? 8 : 60); i++) y = ag_add_scalar(y, 1);
    ag_scope_pop(t);
    y = SUM(y);
    ag_dot_options o = ag_dot_defaults();
    o.derivatives = derivatives;
    return ag_backward(y) && ag_dot_write(y, path, &o);
}

static bool drawn(ag_tape *t, double *result) {
    *result = 1;
    return draw(t, false);
}

static bool explained(ag_tape *t, double *result) {
    *result = 1;
    return draw(t, true);
}

static bool table(ag_tape *t, double *result) {
    static const char text[] =
        "length,width,kind\n1.5,2,ring\n-3,\"4\",\"a long name, quoted, to outgrow what was there before\"\n5,6,ring\n";
    write_file(text, sizeof text - 1);
    ag_csv_options o = ag_csv_defaults();
    o.label = "kind";
    o.dtype = AG_F64;
    const ag_table *data = ag_csv_read(t, path, &o);
    if (data) *result = ag_at(data->x, 3) + ag_at(data->label, 1) + (double)data->rows + data->classes;
    return data != NULL;
}

static bool kernels(ag_tape *t, double *result) {
    ag_tensor *x = ramp(t, AG_SHAPE(1, 2, 5, 4), AG_REQUIRES_GRAD),
              *w = ramp(t, AG_SHAPE(3, 2, 3, 3), AG_REQUIRES_GRAD), *index;
    ag_tensor *c = ag_conv2d(x, w, NULL), *a = param(t, 4, 4);
    ag_tensor *l = ag_cholesky(ag_add(ag_matmul(a, ag_transpose(a, 0, 1)),
                                      ag_cast(ag_tril(ag_full(t, AG_I64, AG_SHAPE(4, 4), 2), 0), AG_F64)));
    ag_tensor *s = ag_solve_triangular(l, ag_transpose(a, 0, 1), false, false), *top = ag_topk(s, 2, 0, &index);
    ag_tensor *taken = ag_take_add(ag_take(a, ag_from_i64(t, (int64_t[]){3, 0}, AG_SHAPE(2)), 0),
                                   ag_from_i64(t, (int64_t[]){1, 1}, AG_SHAPE(2)), AG_SHAPE(2, 4), 0);
    ag_tensor *y = ag_add(ag_add(SUM(ag_square(c)), SUM(top)),
                          ag_add(SUM(ag_max(taken, AG_AXES(0), false)), SUM(ag_gather(s, 1, index))));
    if (!y || !ag_backward(y)) return false;
    *result = ag_at(ag_grad(x), 3) + ag_at(ag_grad(w), 5) + ag_at(ag_grad(a), 6);
    return true;
}

static bool by_name(ag_tape *t, double *result) {
    ag_tensor *a = param(t, 3, 4), *many[] = {a, a, a, a}, *c = ag_call(t, "concat", many, 4, "axis=0");
    ag_tensor *y = ag_call(t, "sum", &c, 1, "axes=(0,1) keepdim=true");
    *result = y ? ag_item(y) : 0;
    return y && ag_backward(y);
}

static const part parts[] = {{"leaves", leaves, false},
                             {"shared", shared, false},
                             {"adam", adam, false},
                             {"momentum", momentum, false},
                             {"batch norm", batch_norm, false},
                             {"order two", second_order, false},
                             {"forward mode", forward_mode, false},
                             {"replayed", replayed, false},
                             {"cloned", cloned, false},
                             {"drawn", drawn, false},
                             {"drawn with derivatives", explained, true},
                             {"csv", table, false},
                             {"kernels", kernels, false},
                             {"by name", by_name, false}};

Test(alloc, every_one_may_fail, .timeout = 600) { refuse_all(parts, sizeof parts / sizeof *parts, path); }
