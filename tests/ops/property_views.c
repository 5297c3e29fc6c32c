/* property_views.c: an input that is a view, whatever its strides, is as good as a contiguous copy.
 *
 *     turned      stored with its axes in reverse, permuted back
 *     backwards   stored last to first along every axis, sliced with step −1
 *     sparse      every second element of every axis of something larger, from the second on
 *     still       one slab, expanded along the first axis: stride 0; compared with the op on a copy of that */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/ops.h"
#include "ops/property.h"

typedef ag_tensor *make_view(ag_tape *t, ag_dtype dtype, ag_shape shape, const double *values);

/* Row-major place i of `shape`, its axes stored in reverse. */
static int64_t turned_place(ag_shape s, int64_t i) {
    int64_t at[AG_MAX_RANK], to = 0;
    for (int k = s.rank - 1; k >= 0; k--) {
        at[k] = i % s.dim[k];
        i /= s.dim[k];
    }
    for (int k = s.rank - 1; k >= 0; k--) to = to * s.dim[k] + at[k];
    return to;
}

static ag_tensor *turned(ag_tape *t, ag_dtype dtype, ag_shape s, const double *values) {
    static double stored[SAMPLE_ELEMENTS];
    ag_shape reverse = {.rank = s.rank};
    ag_axes axes = {.count = s.rank};
    for (int64_t i = 0; i < sample_size(s); i++) stored[turned_place(s, i)] = values[i];
    for (int k = 0; k < s.rank; k++) {
        reverse.dim[k] = s.dim[s.rank - 1 - k];
        axes.axis[k] = s.rank - 1 - k;
    }
    return ag_permute(sample_leaf(t, dtype, reverse, AG_REQUIRES_GRAD, stored), axes);
}

static ag_tensor *backwards(ag_tape *t, ag_dtype dtype, ag_shape s, const double *values) {
    static double stored[SAMPLE_ELEMENTS];
    int64_t n = sample_size(s);
    for (int64_t i = 0; i < n; i++) stored[n - 1 - i] = values[i];
    ag_tensor *x = sample_leaf(t, dtype, s, AG_REQUIRES_GRAD, stored);
    for (int k = 0; k < s.rank; k++) x = ag_slice(x, k, AG_END, AG_END, -1);
    return x;
}

/* Row-major place in a tensor of extents 2n + 1 of element i, which lies at the odd coordinates. */
static int64_t sparse_place(ag_shape s, int64_t i) {
    int64_t to = 0, step = 1;
    for (int k = s.rank - 1; k >= 0; k--) {
        to += (2 * (i % s.dim[k]) + 1) * step;
        i /= s.dim[k];
        step *= 2 * s.dim[k] + 1;
    }
    return to;
}

static ag_tensor *sparse(ag_tape *t, ag_dtype dtype, ag_shape s, const double *values) {
    static double stored[SAMPLE_ELEMENTS];
    ag_shape large = s;
    for (int k = 0; k < s.rank; k++) large.dim[k] = 2 * s.dim[k] + 1;
    if (sample_size(large) > SAMPLE_ELEMENTS) return sample_leaf(t, dtype, s, AG_REQUIRES_GRAD, values);
    memset(stored, 0, (size_t)sample_size(large) * sizeof *stored);
    for (int64_t i = 0; i < sample_size(s); i++) stored[sparse_place(s, i)] = values[i];
    ag_tensor *x = sample_leaf(t, dtype, large, AG_REQUIRES_GRAD, stored);
    for (int k = 0; k < s.rank; k++) x = ag_slice(x, k, 1, AG_END, 2);
    return x;
}

static ag_tensor *still(ag_tape *t, ag_dtype dtype, ag_shape s, const double *values) {
    ag_shape slab = s;
    if (s.rank == 0 || s.dim[0] == 0) return sample_leaf(t, dtype, s, AG_REQUIRES_GRAD, values);
    slab.dim[0] = 1;
    return ag_expand(sample_leaf(t, dtype, slab, AG_REQUIRES_GRAD, values), s);
}

/* The op's outputs on these inputs, and its gradients with respect to the inputs themselves, views or not. */
static int results(const sample *s, ag_tape *t, ag_tensor *const in[], ag_tensor *out[]) {
    ag_tensor *y[3], *w[3], *x[SAMPLE_INPUTS], *made = sample_call(s, t, in);
    if (!made) return 0;
    int count = sample_outputs(made, out, 3), m = 0, n = 0;
    uint64_t random = 11;
    for (int i = 0; i < count; i++) {
        if (ag_dtype_of(out[i]) > AG_F64) continue;
        w[m] = check_leaf(t, ag_dtype_of(out[i]), ag_shape_of(out[i]), 0, -1, 1, &random);
        y[m++] = out[i];
    }
    for (int i = 0; i < s->n; i++) {
        if (sample_is_float(s, i)) x[n++] = in[i];
    }
    if (n == 0 || m == 0 || s->op->flags & (AG_FLAT | AG_EFFECT)) return count;
    if (ag_gradients(y, w, m, x, n, out + count)) return count + n;
    /* a matrix of equal rows has a determinant, but no inverse for its gradient */
    need(s, strstr(ag_tape_message(t), "is singular"), "%s", ag_tape_message(t));
    ag_tape_clear(t);
    return count;
}

/* How many products make an element of y, 0 if it is no product. One long row that lies side by side is multiplied as it lies, one
 * that does not is packed: the sums run in other orders, and beyond ten terms their rounding shows. */
static double terms(const ag_tensor *y) {
    bool product = y->op && (y->op->flags & AG_MULTILINEAR || !strcmp(y->op->name, "linear"));
    return product && ag_size(y) ? ag__op_flops(y) / 2 / (double)ag_size(y) : 0;
}

/* The same draw for both runs of a random op: each on a tape of its own, from the same seed. */
static void same_on_views(const sample *s, ag_dtype dtype, make_view *view, const char *name, bool must_work) {
    static double values[SAMPLE_ELEMENTS];
    char text[CHECK_TEXT];
    double tolerance = dtype == AG_F32 ? 1e-6 : 1e-14;
    ag_tape *t = ag_tape_new(), *u = ag_tape_new();
    ag_tensor *in[SAMPLE_INPUTS], *copy[SAMPLE_INPUTS], *out[3 + SAMPLE_INPUTS], *expected[3 + SAMPLE_INPUTS];
    for (int i = 0; i < s->n; i++) {
        ag_dtype d = sample_dtype(s, i, dtype);
        bool written = s->op->writes >> i & 1;
        sample_values(s, i, values);
        in[i] = written ? sample_leaf(t, d, s->in[i].shape, 0, values) : view(t, d, s->in[i].shape, values);
        need(s, in[i] != NULL, "%s: %s", name, ag_tape_message(t));
        for (int64_t k = 0; k < ag_size(in[i]); k++) values[k] = ag_at(in[i], k);
        copy[i] = sample_leaf(u, d, s->in[i].shape, AG_REQUIRES_GRAD * !written, values);
    }
    int n = results(s, t, in, out), m = results(s, u, copy, expected);
    if (n > 0) tolerance *= fmax(1, terms(out[0]) / 10);
    need(s, n == m && (n > 0 || !must_work), "%s: %d results, %d on copies; %s%s", name, n, m, ag_tape_message(t),
         ag_tape_message(u));
    for (int k = 0; k < n; k++) {
        bool same = check_same(out[k], expected[k], text);
        need(s, same || check_near(out[k], expected[k], tolerance, text), "%s, %s, tensor %d: %s", name,
             ag_dtype_name(dtype), k, text);
    }
    ag_tape_free(t);
    ag_tape_free(u);
}

void views(const sample *s) {
    for (ag_dtype dtype = AG_F32; dtype <= AG_F64; dtype++) {
        same_on_views(s, dtype, turned, "turned", true);
        same_on_views(s, dtype, backwards, "backwards", true);
        same_on_views(s, dtype, sparse, "sparse", true);
        same_on_views(s, dtype, still, "still", false);
    }
}
