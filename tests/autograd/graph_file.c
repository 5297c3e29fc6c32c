/* ag_graph_save and ag_graph_load: what is saved comes back, to the last bit; how each kind of tensor is written. */
#include "graph_file.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "nn/nn.h"
#include "ops/ops.h"
#include "ops/sample.h"
#include "optim/optim.h"

/* Files */

char *file_begin(char path[64]) {
    strcpy(path, "/dev/shm/autograd-graph-XXXXXX"); /* where a rename need not wait for a disk; Criterion needs it too */
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && close(fd) == 0);
    return path;
}

void file_end(const char *path) { cr_assert_eq(unlink(path), 0); }

size_t file_read(const char *path, unsigned char bytes[FILE_MOST]) {
    FILE *in = fopen(path, "rb");
    cr_assert(in, "%s cannot be read", path);
    size_t n = fread(bytes, 1, FILE_MOST, in);
    fclose(in);
    return n;
}

void file_write(const char *path, const void *bytes, size_t n) {
    FILE *out = fopen(path, "wb");
    cr_assert(out && fwrite(bytes, 1, n, out) == n && fclose(out) == 0);
}

/* Graphs compared */

/* Scopes, outermost first: "/net/layer1". */
static const char *scopes_of(const ag_tensor *x, char *out, size_t size) {
    size_t at = size - 1;
    out[at] = '\0';
    for (int s = ag_scope_of(x); s; s = ag_scope_parent(ag_tape_of(x), s)) {
        const char *name = ag_scope_name(ag_tape_of(x), s);
        at -= strlen(name) + 1;
        out[at] = '/';
        memcpy(out + at + 1, name, strlen(name));
    }
    return out + at;
}

static void same_node(const ag_tensor *x, const ag_tensor *y) {
    char a[512], b[512];
    cr_assert_str_eq(ag_op_name(x), ag_op_name(y));
    cr_assert_str_eq(ag_name(x), ag_name(y));
    cr_assert_str_eq(scopes_of(x, a, sizeof a), scopes_of(y, b, sizeof b));
    ag_attr_text(x, a, sizeof a);
    ag_attr_text(y, b, sizeof b);
    cr_assert_str_eq(a, b);
    cr_assert_eq(ag_index(x) < 0, ag_index(y) < 0, "persistent stays so");
    cr_assert_eq(ag_requires_grad(x), ag_requires_grad(y), "%s: gradients flow alike", ag_op_name(x));
    cr_assert_eq(ag_is_leaf(x), ag_is_leaf(y));
    if (!ag_op_of(x) || ag_op_of(x)->nout <= 1) assert_same(x, y);
}

/* Compares what leads to x and to y, from there down. The graphs of these tests are small. */
static void same_graph(const ag_tensor *x, const ag_tensor *y) {
    if (ag_op_of(x) && ag_op_of(x)->flags & AG_EFFECT) { /* a leaf that holds its result */
        assert_same(x, y);
        return;
    }
    same_node(x, y);
    cr_assert_eq(ag_input_count(x), ag_input_count(y));
    for (int i = 0; i < ag_input_count(x); i++) same_graph(ag_input(x, i), ag_input(y, i));
}

void file_round_trip(ag_tensor *const ys[], int n, ag_tape *other, ag_tensor *out[]) {
    static unsigned char first[FILE_MOST], second[FILE_MOST];
    char path[64];
    ag_tape *t = ag_tape_of(ys[0]);
    int64_t size = ag_tape_size(t);
    cr_assert(ag_graph_save(ys, n, file_begin(path)), "%s", ag_tape_message(t));
    cr_assert_eq(ag_tape_size(t), size, "saving records nothing");
    cr_assert_eq(ag_graph_load(other, path, out, n), n, "%s", ag_tape_message(other));
    size_t bytes = file_read(path, first);
    cr_assert(ag_graph_save(out, n, path), "%s", ag_tape_message(other));
    cr_assert_eq(file_read(path, second), bytes, "saved again, the file has the same length");
    cr_assert_eq(memcmp(first, second, bytes), 0, "saved again, the file is the same");
    for (int i = 0; i < n; i++) same_graph(ys[i], out[i]);
    file_end(path);
}

/* Gradients of every leaf of the two graphs, after a backward pass of each. */
static void same_gradients(ag_tensor *const ys[], ag_tensor *const out[], int n) {
    cr_assert(ag_backward_from(ys, NULL, n), "%s", ag_tape_message(ag_tape_of(ys[0])));
    cr_assert(ag_backward_from(out, NULL, n), "%s", ag_tape_message(ag_tape_of(out[0])));
}

static void same_gradient(ag_tensor *w, ag_tensor *v) {
    cr_assert(ag_has_grad(w) && ag_has_grad(v));
    assert_same(ag_grad(w), ag_grad(v));
}

/* Every op */

static void sample_comes_back(const sample *s, ag_dtype dtype) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *in[SAMPLE_INPUTS], *ys[2 * SAMPLE_INPUTS], *out[2 * SAMPLE_INPUTS], *flows[SAMPLE_INPUTS],
        *again[SAMPLE_INPUTS];
    cr_assert(sample_tensors(s, t, dtype, AG_REQUIRES_GRAD, in));
    ag_scope_push(t, "net");
    ag_tensor *y = sample_call(s, t, in);
    ag_scope_pop(t);
    need(s, y, "%s", ag_tape_message(t));
    int outputs = sample_outputs(y, ys, SAMPLE_INPUTS), n = outputs, count = 0;
    bool effect = ag_op_of(y) && ag_op_of(y)->flags & AG_EFFECT;
    for (int i = 0; i < s->n && !effect; i++) ys[n++] = in[i];
    file_round_trip(ys, n, other, out);
    for (int i = 0; i < outputs; i++) {
        if (!ag_requires_grad(ys[i])) continue;
        flows[count] = ys[i];
        again[count++] = out[i];
    }
    if (count) same_gradients(flows, again, count);
    for (int i = outputs; i < n && count; i++) {
        need(s, ag_has_grad(ys[i]) == ag_has_grad(out[i]), "input %d", i - outputs);
        if (ag_has_grad(ys[i])) same_gradient(ys[i], out[i]);
    }
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph_file, every_op_comes_back) {
    for (int i = 0; i < listed_op_count(); i++) {
        sample s;
        for (const char *rest = sample_next(listed_ops[i].samples, listed_ops[i].name, &s); rest;
             rest = sample_next(rest, listed_ops[i].name, &s)) {
            sample_comes_back(&s, AG_F32);
            sample_comes_back(&s, AG_F64);
        }
    }
}

/* Models */

static ag_tensor *mlp(ag_tape *t, ag_tensor **w) {
    uint64_t state = 1;
    ag_tensor *x = ag_set_name(check_leaf(t, AG_F32, AG_SHAPE(5, 4), 0, -1, 1, &state), "x");
    ag_scope_push(t, "net");
    *w = ag_set_name(check_leaf(t, AG_F32, AG_SHAPE(4, 3), AG_REQUIRES_GRAD, -1, 1, &state), "weight");
    ag_scope_push(t, "hidden");
    ag_tensor *h = ag_set_name(ag_tanh(ag_matmul(x, *w)), "h");
    ag_scope_pop(t);
    ag_scope_pop(t);
    return ag_cross_entropy(h, ag_from_i64(t, (int64_t[]){0, 1, 2, 1, 0}, AG_SHAPE(5)));
}

static ag_tensor *conv_net(ag_tape *t, ag_tensor **w) {
    uint64_t state = 2;
    ag_tensor *x = check_leaf(t, AG_F32, AG_SHAPE(2, 3, 6, 5), 0, -1, 1, &state);
    *w = check_leaf(t, AG_F32, AG_SHAPE(4, 3, 3, 3), AG_REQUIRES_GRAD, -1, 1, &state);
    ag_conv2d_options o = ag_conv2d_defaults();
    o.stride[1] = 2;
    o.padding[0] = 1;
    ag_tensor *y = ag_relu(ag_conv2d(x, *w, &o));
    return ag_mean(ag_square(ag_max(ag_slice(y, 2, 0, AG_END, 2), AG_AXES(-1), true)), AG_ALL, false);
}

static ag_tensor *dropout_and_topk(ag_tape *t, ag_tensor **w) {
    uint64_t state = 3;
    ag_seed(t, 42);
    *w = check_leaf(t, AG_F64, AG_SHAPE(6, 8), AG_REQUIRES_GRAD, -1, 1, &state);
    ag_tensor *index, *best = ag_topk(ag_dropout(ag_dropout(*w, 0.25), 0.5), 3, 1, &index);
    ag_set_name(index, "which");
    return SUM(ag_mul(best, ag_take(ag_from_f64(t, (double[]){1, 2, 3, 4, 5, 6, 7, 8}, AG_SHAPE(8)), index, 0)));
}

static ag_tensor *batch_norm(ag_tape *t, ag_tensor **w) {
    uint64_t state = 4;
    ag_tensor *x = check_leaf(t, AG_F32, AG_SHAPE(6, 3), 0, -1, 1, &state);
    *w = check_leaf(t, AG_F32, AG_SHAPE(3), AG_REQUIRES_GRAD, -1, 1, &state);
    ag_tensor *mean = ag_buffer(t, AG_F32, AG_SHAPE(3)), *var = ag_buffer(t, AG_F32, AG_SHAPE(3));
    ag_tensor *y = ag_batch_norm(x, *w, ag_detach(*w), mean, var, true, 0.1, 1e-5);
    return SUM(ag_mul(y, ag_add(x, mean)));
}

static ag_tensor *with_a_gradient_inside(ag_tape *t, ag_tensor **w) {
    uint64_t state = 5;
    *w = check_leaf(t, AG_F64, AG_SHAPE(4), AG_REQUIRES_GRAD, -1, 1, &state);
    ag_tensor *y = SUM(ag_exp(*w)), *g;
    cr_assert(ag_gradients(&y, NULL, 1, w, 1, &g));
    return SUM(ag_mul(g, ag_sin(*w)));
}

static ag_tensor *(*const models[])(ag_tape *t, ag_tensor **w) = {mlp, conv_net, dropout_and_topk, batch_norm,
                                                                  with_a_gradient_inside};

Test(graph_file, models_come_back_with_their_gradients) {
    for (int i = 0; i < COUNT_OF(models); i++) {
        ag_tape *t = ag_tape_new(), *other = ag_tape_new();
        ag_tensor *w, *ys[2], *out[2];
        ys[0] = models[i](t, &w);
        ys[1] = w;
        assert_ok(t);
        file_round_trip(ys, 2, other, out);
        same_gradients(ys, out, 1);
        same_gradient(w, out[1]);
        cr_assert(ag_fill(out[1], 0.5) && ag_fill(w, 0.5) && ag_replay(t) && ag_replay(other));
        assert_same(ys[0], out[0]);
        ag_tape_free(t);
        ag_tape_free(other);
    }
}

/* Kinds of tensors */

Test(graph_file, leaves_come_back_as_they_were) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    int64_t large[] = {INT64_MAX, INT64_MIN, (INT64_C(1) << 53) + 1, -1};
    uint64_t nan_bits = 0xFFF8000000001234;
    double nan_value;
    memcpy(&nan_value, &nan_bits, sizeof nan_value);
    double odd[] = {nan_value, -0.0, INFINITY, 5e-324};
    static float own[6] = {1, 2, 3, 4, 5, 6};
    ag_tensor *frozen = ag_set_name(ag_param(t, AG_F32, AG_SHAPE(2)), "frozen");
    ag_set_requires_grad(frozen, false);
    ag_scope_push(t, "a \"scope\"\n\\ of \xFF");
    ag_tensor *ys[] = {ag_from_i64(t, large, AG_SHAPE(4)),
                       ag_set_name(ag_from_f64(t, odd, AG_SHAPE(2, 2)), "\"quoted\"\t\x01 and ünïcode"),
                       ag_from_bool(t, (bool[]){true, false, true}, AG_SHAPE(3)),
                       ag_buffer(t, AG_F32, AG_SHAPE(0, 3)),
                       ag_full(t, AG_F32, AG_SHAPE(1000, 1000), nan_value),
                       ag_full(t, AG_I64, AG_SHAPE(2, 0), 7),
                       ag_scalar(t, AG_BOOL, 1),
                       ag_leaf(t, AG_F32, NULL, AG_SHAPE(2), AG_RECORDED | AG_REQUIRES_GRAD),
                       ag_wrap(t, AG_F32, own, AG_SHAPE(3, 2), NULL, NULL),
                       frozen};
    enum { N = COUNT_OF(ys) };
    ag_scope_pop(t);
    ag_tensor *out[N];
    assert_ok(t);
    file_round_trip(ys, N, other, out);
    cr_assert_eq(ag_stride(out[4], 0), 0, "a constant takes no memory");
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph_file, recorded_and_not_recorded_nodes_come_back) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2, 3), *out[4];
    ag_set_recording(t, false);
    ag_tensor *cut = ag_exp(w);
    ag_set_recording(t, true);
    ag_tensor *ys[] = {SUM(ag_mul(cut, ag_square(w))), w, cut, w};
    file_round_trip(ys, 4, other, out);
    cr_assert_eq(out[1], out[3], "the same tensor twice");
    same_gradients(ys, out, 1);
    same_gradient(w, out[1]);
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph_file, tuples_and_their_parts_come_back) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 3, 1, 2), *out[3];
    ag_tensor *index, *best = ag_topk(w, 2, 0, &index), *whole = ag_input(best, 0);
    ag_set_name(best, "best");
    ag_set_name(index, "index");
    ag_tensor *ys[] = {index, whole, best};
    file_round_trip(ys, 3, other, out);
    cr_assert_eq(ag_part(out[1], 0), out[2]);
    cr_assert_eq(ag_part(out[1], 1), out[0]);
    assert_values(out[0], 0, 0, 2);
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph_file, effects_are_left_out) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = DATA(t, 1, 2, 3), *out[2];
    ag_tensor *written = ag_assign(w, ag_add_scalar(w, 1)), *ys[] = {ag_exp(written), w};
    char path[64];
    cr_assert(ag_graph_save(ys, 2, file_begin(path)), "%s", ag_tape_message(t));
    cr_assert_eq(ag_graph_load(other, path, out, 2), 2, "%s", ag_tape_message(other));
    assert_same(out[0], ys[0]);
    assert_values(out[1], 0, 2, 3, 4);
    cr_assert(ag_is_leaf(ag_input(out[0], 0)), "its result is a leaf that holds the value");
    cr_assert_neq(ag_input(out[0], 0), out[1]);
    file_end(path);
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph_file, kept_gradients_may_be_inputs) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2, 3), *h = ag_square(w), *loss = SUM(ag_square(h)), *out[3];
    cr_assert(ag_retain_grad(h) && ag_backward(loss));
    ag_tensor *ys[] = {ag_mul(ag_grad(h), h), ag_add(ag_grad(h), ag_grad(w)), w};
    char path[64];
    cr_assert(ag_graph_save(ys, 3, file_begin(path)), "%s", ag_tape_message(t));
    cr_assert_eq(ag_graph_load(other, path, out, 3), 3, "%s", ag_tape_message(other));
    for (int i = 0; i < 3; i++) assert_same(out[i], ys[i]);
    file_end(path);
    ag_tape_free(t);
    ag_tape_free(other);
}

/* Random numbers */

Test(graph_file, random_numbers_go_on_where_they_stopped) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new(), *third = ag_tape_new();
    ag_seed(t, 11);
    ag_tensor *mask = ag_dropout_mask(t, AG_F32, AG_SHAPE(64), 0.5), *out;
    char path[64];
    cr_assert(ag_graph_save(&mask, 1, file_begin(path)));
    cr_assert_eq(ag_graph_load(other, path, &out, 1), 1);
    ag_tensor *second = ag_dropout_mask(t, AG_F32, AG_SHAPE(64), 0.5);
    assert_same(second, ag_dropout_mask(other, AG_F32, AG_SHAPE(64), 0.5));
    ag_tape *same = ag_tape_new();
    ag_seed(same, 11);
    cr_assert_eq(ag_graph_load(same, path, &out, 1), 1);
    ag_tensor *next = ag_dropout_mask(same, AG_F32, AG_SHAPE(64), 0.5);
    cr_assert_eq(ag_input(next, 0), ag_input(out, 0), "the same key is the same leaf");
    assert_same(next, second);
    ag_tape_free(same);
    ag_seed(third, 12);
    ag_tensor *before = ag_dropout_mask(third, AG_F32, AG_SHAPE(64), 0.5);
    cr_assert_eq(ag_graph_load(third, path, &out, 1), 1);
    assert_same(out, mask);
    cr_assert(ag_replay(third));
    assert_same(out, mask);
    ag_tensor *after = ag_dropout_mask(third, AG_F32, AG_SHAPE(64), 0.5);
    cr_assert_neq(ag_input(after, 0), ag_input(out, 0), "a tape keeps the key it has");
    cr_assert_eq(ag_input(after, 0), ag_input(before, 0));
    file_end(path);
    ag_tape_free(t);
    ag_tape_free(other);
    ag_tape_free(third);
}

/* Where a graph is loaded */

Test(graph_file, loads_into_the_open_scope_and_leaves_it_open) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w, *loss = mlp(t, &w), *ys[] = {loss, w}, *out[2];
    char path[64], text[64];
    cr_assert(ag_graph_save(ys, 2, file_begin(path)));
    ag_scope_push(other, "outer");
    ag_tensor *before = ag_scalar(other, AG_F32, 1);
    cr_assert_eq(ag_graph_load(other, path, NULL, 0), 2, "how many there are can be asked first");
    cr_assert_eq(ag_graph_load(other, path, out, 1), 2);
    cr_assert_str_eq(scopes_of(ag_input(ag_input(out[0], 0), 0), text, sizeof text), "/outer/net/hidden");
    cr_assert_eq(ag_scope_of(ag_scalar(other, AG_F32, 1)), ag_scope_of(before));
    file_end(path);
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph_file, loads_without_recording_where_that_is_off) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w, *loss = mlp(t, &w), *out;
    char path[64];
    cr_assert(ag_graph_save(&loss, 1, file_begin(path)));
    ag_set_recording(other, false);
    cr_assert_eq(ag_graph_load(other, path, &out, 1), 1);
    cr_assert_not(ag_requires_grad(out));
    cr_assert_not(ag_set_recording(other, true), "it is still off");
    assert_same(out, loss);
    file_end(path);
    ag_tape_free(t);
    ag_tape_free(other);
}

/* A loaded model trains: persistent leaves survive the rewind, and the steps are those of the model saved. */
Test(graph_file, a_loaded_model_can_be_rewound_and_used) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w, *loss = mlp(t, &w), *ys[] = {loss, w}, *out[2];
    char path[64];
    ag_tape *other = ag_tape_new();
    ag_mark here = ag_tape_mark(other);
    cr_assert(ag_graph_save(ys, 2, file_begin(path)));
    cr_assert_eq(ag_graph_load(other, path, out, 2), 2);
    ag_tensor *loaded = out[1];
    cr_assert(ag_tape_rewind(other, here));
    assert_same(loaded, w);
    cr_assert_eq(ag_tape_size(other), 0);
    file_end(path);
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph_file, a_deep_graph_needs_no_stack) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = number(t, 0.5), *y = w, *ys[2], *out[2];
    for (int i = 0; i < 300000; i++) y = ag_add_scalar(y, 1e-3);
    char path[64];
    ys[0] = y;
    ys[1] = w;
    cr_assert(ag_graph_save(ys, 2, file_begin(path)), "%s", ag_tape_message(t));
    cr_assert_eq(ag_graph_load(other, path, out, 2), 2, "%s", ag_tape_message(other));
    assert_same(out[0], y);
    cr_assert(ag_backward(out[0]));
    assert_close(ag_item(ag_grad(out[1])), 1, 0);
    file_end(path);
    ag_tape_free(t);
    ag_tape_free(other);
}

/* Writing */

Test(graph_file, is_text_that_people_can_read) {
    static unsigned char bytes[FILE_MOST];
    ag_tape *t = ag_tape_new();
    ag_scope_push(t, "net");
    ag_tensor *w = ag_set_name(PARAM(t, 1, 2, 3), "w"), *y = ag_sum(ag_scale(w, 0.1), AG_AXES(0), true);
    char path[64];
    cr_assert(ag_graph_save(&y, 1, file_begin(path)));
    size_t n = file_read(path, bytes);
    const char *expected = "scope 0 \"net\"\n"
                           "%0 = leaf f64 (3) persistent grad scope 1 \"w\"\n"
                           "%1 = scale %0 scope 1 : factor=0.1\n"
                           "%2 = sum %1 scope 1 : axes=0 keepdim=true\n"
                           "out %2\n"
                           "data\n";
    cr_assert_eq(n % 8, 0);
    cr_assert_eq(memcmp(bytes, "aggraph 1 ", 10), 0);
    cr_assert_eq(memcmp(bytes + 27, expected, strlen(expected)), 0, "%.*s", (int)n - 24, (char *)bytes + 27);
    double values[3];
    memcpy(values, bytes + n - sizeof values, sizeof values);
    cr_assert_eq(values[2], 3);
    file_end(path);
    ag_tape_free(t);
}

Test(graph_file, what_cannot_be_saved_is_an_error) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1), *ys[] = {w, PARAM(other, 1)};
    cr_assert_not(ag_graph_save(NULL, 1, "/tmp/x"));
    cr_assert_not(ag_graph_save(ys, 2, "/tmp/x"));
    assert_error(t, AG_ERR_ARGUMENT, "graph_save: tensor 1 is NULL, dropped, or on another tape than tensor 0");
    cr_assert_not(ag_graph_save(&w, 1, NULL));
    assert_error(t, AG_ERR_ARGUMENT, "graph_save: the path is NULL");
    cr_assert_not(ag_graph_save(&w, 1, "/tmp/autograd-no-such-folder/x"));
    assert_error(t, AG_ERR_IO, "graph_save: cannot write '/tmp/autograd-no-such-folder/x': No such file or directory");
    cr_assert_not(ag_graph_save(&w, 1, "/tmp"));
    assert_error(t, AG_ERR_IO, "graph_save: cannot write '/tmp'");
    ag_tape_free(t);
    ag_tape_free(other);
}

/* A disk that is full: the file that stood there stands there still, and no draft stays. */
Test(graph_file, a_failed_write_leaves_the_old_file) {
    static unsigned char bytes[FILE_MOST];
    ag_tape *t = ag_tape_new();
    ag_tensor *w = ag_buffer(t, AG_F64, AG_SHAPE(10000));
    char folder[] = "/tmp/autograd-graph-XXXXXX", path[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model.aggraph", folder);
    file_write(path, "old", 3);
    struct rlimit before, small;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    bool saved = ag_graph_save(&w, 1, path);
    setrlimit(RLIMIT_FSIZE, &before);
    cr_assert_not(saved);
    assert_error(t, AG_ERR_IO, "File too large");
    cr_assert_eq(file_read(path, bytes), 3);
    cr_assert(ag_graph_save(&w, 1, path));
    cr_assert(unlink(path) == 0 && rmdir(folder) == 0, "the folder holds nothing else");
    ag_tape_free(t);
}

/* A user's op */

static bool triple_run(ag_tensor *y) {
    const double *x = ag_op_dense(y, 0);
    double *out = ag_out_data(y, 0);
    for (int64_t i = 0; x && i < ag_size(y); i++) out[i] = 3 * x[i];
    return x != NULL;
}
static bool triple_shape(ag_tensor *y) { return ag_out_like(y, 0, ag_in(y, 0)); }
static bool triple_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    return (d[0] = ag_scale(g[0], 3)) != NULL;
}
static const ag_op triple = {
    .size = sizeof(ag_op), .name = "test: triple", .arity = 1, .shape = triple_shape, .run = triple_run, .grad = triple_grad};

Test(graph_file, an_unknown_op_says_how_to_make_it_known) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *y = ag_apply(&triple, &w, 1, NULL), *ys[] = {SUM(y), w}, *out[2];
    char path[64];
    cr_assert(ag_graph_save(ys, 2, file_begin(path)), "%s", ag_tape_message(t));
    cr_assert_eq(ag_graph_load(other, path, out, 2), -1);
    assert_error(other, AG_ERR_IO, "line 3: unknown op 'test: triple'; make it known with ag_op_register before loading");
    cr_assert(ag_op_register(&triple));
    file_round_trip(ys, 2, other, out);
    same_gradients(ys, out, 1);
    same_gradient(w, out[1]);
    file_end(path);
    ag_tape_free(t);
    ag_tape_free(other);
}
