/* sort.c: the k largest along an axis, with their indices.
 *
 * Elements of every dtype become unsigned keys that sort as they do (NaN above all, −0 equal to 0). A row's k best so far stand
 * in a heap with the worst of them on top:
 *
 *     the next element loses to the top: passed over;  else it takes the top's place and sinks
 *
 * which in the end gives them up worst first: O(n log k) per row. The gradient goes to the places the indices name. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static uint64_t key_i64(int64_t x) { return (uint64_t)x ^ (uint64_t)1 << 63; }

static uint64_t key_f64(double x) {
    uint64_t bits;
    if (isnan(x)) return UINT64_MAX;
    x += 0.0; /* −0 becomes 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static void keys_of(const void *x, ag_dtype dtype, int64_t n, int64_t stride, uint64_t *key) {
    if (dtype == AG_F32) {
        for (int64_t i = 0; i < n; i++) key[i] = key_f64((double)((const float *)x)[i * stride]);
    } else if (dtype == AG_F64) {
        for (int64_t i = 0; i < n; i++) key[i] = key_f64(((const double *)x)[i * stride]);
    } else {
        for (int64_t i = 0; i < n; i++) key[i] = key_i64(((const int64_t *)x)[i * stride]);
    }
}

/* Does element i come after element j, in descending order? */
static bool after(const uint64_t *key, int64_t i, int64_t j) { return key[i] != key[j] ? key[i] < key[j] : i > j; }

/* Puts i on top of the heap of k and lets it sink below all that come after it. */
static void sink(const uint64_t *key, int64_t *heap, int64_t k, int64_t i) {
    int64_t at = 0;
    for (int64_t child = 1; child < k; child = 2 * at + 1) {
        if (child + 1 < k && after(key, heap[child + 1], heap[child])) child++;
        if (!after(key, heap[child], i)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = i;
}

static void rise(const uint64_t *key, int64_t *heap, int64_t at, int64_t i) {
    for (; at > 0 && after(key, i, heap[(at - 1) / 2]); at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = i;
}

/* best[0..k): the indices of the k largest of n keys, in descending order. */
static void select_best(const uint64_t *key, int64_t n, int64_t k, int64_t *best) {
    if (k == 0) return;
    for (int64_t i = 0; i < k; i++) rise(key, best, i, i);
    for (int64_t i = k; i < n; i++) {
        if (after(key, best[0], i)) sink(key, best, k, i);
    }
    for (int64_t left = k - 1; left > 0; left--) {
        int64_t worst = best[0];
        sink(key, best, left, best[left]);
        best[left] = worst;
    }
}

typedef struct topk_attrs {
    int64_t k;
    int axis;
} topk_attrs;

static const ag_attr_field topk_fields[] = {
    {"k", AG_ATTR_I64, offsetof(topk_attrs, k), NULL}, {"axis", AG_ATTR_INT, offsetof(topk_attrs, axis), "-1"}, {0}};

static bool topk_shape(ag_tensor *y) {
    const topk_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_shape s = ag_shape_of(x);
    int axis;
    if (!ag__need_number(y, 0) || !ag_need_axis(y, a->axis, s.rank, &axis)) return false;
    if (a->k < 0 || a->k > s.dim[axis]) {
        char text[AG__TEXT];
        return ag_op_fail(y, AG_ERR_ARGUMENT, "k is %lld, but axis %d of %s has %lld elements", (long long)a->k, axis,
                          ag_shape_text(x, text, sizeof text), (long long)s.dim[axis]);
    }
    s.dim[axis] = a->k;
    return ag_out_shape(y, 0, ag_dtype_of(x), s) && ag_out_shape(y, 1, AG_I64, s);
}

static bool topk_run(ag_tensor *y) {
    const topk_attrs *a = ag_attrs(y);
    ag_tensor *in = ag_in(y, 0);
    size_t element = ag_dtype_size(ag_dtype_of(in));
    int axis;
    if (ag_size(ag_out(y, 0)) == 0) return true;
    if (!ag_need_axis(y, a->axis, ag_rank(in), &axis)) return false;
    ag__along s = ag__along_axis(ag_shape_of(in), axis);
    const char *x = ag_op_dense(y, 0);
    uint64_t *key = ag_op_workspace(y, (size_t)s.n * sizeof *key);
    int64_t *best = ag_op_workspace(y, (size_t)a->k * sizeof *best);
    char *value = ag_out_data(y, 0);
    int64_t *index = ag_out_data(y, 1);
    if (!x || !key || !best) return false;
    for (int64_t line = 0; line < s.outer * s.inner; line++) {
        int64_t o = line / s.inner, j = line % s.inner;
        const char *from = x + (size_t)(o * s.n * s.inner + j) * element;
        keys_of(from, ag_dtype_of(in), s.n, s.inner, key);
        select_best(key, s.n, a->k, best);
        for (int64_t i = 0; i < a->k; i++) {
            int64_t to = (o * a->k + i) * s.inner + j;
            index[to] = best[i];
            ag__copy_slab(value + (size_t)to * element, from + (size_t)(best[i] * s.inner) * element, element);
        }
    }
    return true;
}

static bool topk_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const topk_attrs *a = ag_attrs(y);
    if (!g[0]) return true;
    return (d[0] = ag_gather_add(g[0], a->axis, ag_out(y, 1), ag_shape_of(ag_in(y, 0)))) != NULL;
}

static bool topk_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    const topk_attrs *a = ag_attrs(y);
    return (out[0] = ag_gather(tangent[0], a->axis, ag_out(y, 1))) != NULL;
}

const ag_op ag__op_topk = {
    .size = sizeof(ag_op),
    .name = "topk",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(topk_attrs),
    .attrs = topk_fields,
    .formula = "the k largest along axis, and their indices",
    .shape = topk_shape,
    .run = topk_run,
    .grad = topk_grad,
    .jvp = topk_jvp,
};

ag_tensor *ag_topk(ag_tensor *x, int64_t k, int axis, ag_tensor **index) {
    topk_attrs a = {k, axis};
    ag_tensor *y = ag_apply(&ag__op_topk, &x, 1, &a);
    if (index) *index = y ? ag_part(y, 1) : NULL;
    return y ? ag_part(y, 0) : NULL;
}
