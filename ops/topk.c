/* topk.c: the k largest or smallest along an axis, in order, with the places they come from.
 *
 * A few: the k best so far stand in a heap with the worst of them on top:
 *
 *     the next element loses to the top: passed over;  else it takes the top's place and sinks
 *
 * which in the end gives them up worst first: O(n log k). Many: the line is sorted. The gradient goes to the places. */
#include <stddef.h>

#include "ops/order.h"
#include "ops/ops.h"
#include "ops/table.h"

/* Does element i come after element j? */
static bool after(const uint64_t *key, int64_t i, int64_t j) { return key[i] != key[j] ? key[i] > key[j] : i > j; }

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

/* best[0..k): the places of the first k of n keys, in order. */
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
    bool largest, sorted; /* they are always sorted: the attribute may be given, as in PyTorch */
} topk_attrs;

static const ag_attr_field topk_fields[] = {{"k", AG_ATTR_I64, offsetof(topk_attrs, k), NULL},
                                            {"axis", AG_ATTR_INT, offsetof(topk_attrs, axis), "-1"},
                                            {"largest", AG_ATTR_BOOL, offsetof(topk_attrs, largest), "true"},
                                            {"sorted", AG_ATTR_BOOL, offsetof(topk_attrs, sorted), "true"},
                                            {0}};

static bool topk_shape(ag_tensor *y) {
    const topk_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_shape s = ag_shape_of(x);
    int axis;
    if (!ag__need_number(y, 0) || !ag__need_line(y, a->axis, s.rank, &axis)) return false;
    int64_t n = s.rank ? s.dim[axis] : 1;
    if (a->k < 0 || a->k > n) {
        char text[AG__TEXT];
        return ag_op_fail(y, AG_ERR_ARGUMENT, "k is %lld, but axis %d of %s has %lld elements", (long long)a->k, axis,
                          ag_shape_text(x, text, sizeof text), (long long)n);
    }
    if (s.rank) s.dim[axis] = a->k;
    return ag_out_shape(y, 0, ag_dtype_of(x), s) && ag_out_shape(y, 1, AG_I64, s);
}

typedef struct job {
    const char *x;
    char *value;
    int64_t *index, k;
    ag_dtype dtype;
    size_t element, working; /* bytes: of an element; of scratch in front of the places */
    ag__along s;
    bool descending, few;
} job;

static void best_of_line(void *context, int64_t line, void *scratch) {
    const job *j = context;
    int64_t outer = line / j->s.inner, column = line % j->s.inner, step = j->s.inner;
    int64_t *best = (int64_t *)((char *)scratch + j->working);
    const char *x = j->x + (size_t)(outer * j->s.n * step + column) * j->element;
    if (j->few) {
        ag__order_keys(x, j->dtype, j->s.n, step, j->descending, scratch);
        select_best(scratch, j->s.n, j->k, best);
    } else {
        ag__order_sort(x, j->dtype, j->s.n, step, j->descending, scratch, best);
    }
    for (int64_t i = 0; i < j->k; i++) {
        int64_t to = (outer * j->k + i) * step + column;
        j->index[to] = best[i];
        ag__copy_slab(j->value + (size_t)to * j->element, x + (size_t)(best[i] * step) * j->element, j->element);
    }
}

static bool topk_run(ag_tensor *y) {
    enum { FEW = 16 }; /* and a hundredth of the line, but not most of a short one */
    const topk_attrs *a = ag_attrs(y);
    ag_tensor *in = ag_in(y, 0);
    int axis;
    if (ag_size(ag_out(y, 0)) == 0) return true;
    if (!ag__need_line(y, a->axis, ag_rank(in), &axis)) return false;
    job j = {.x = ag_op_dense(y, 0),
             .value = ag_out_data(y, 0),
             .index = ag_out_data(y, 1),
             .k = ag_rank(in) ? a->k : 1, /* a scalar stays one, for k = 0 too, as in PyTorch */
             .dtype = ag_dtype_of(in),
             .element = ag_dtype_size(ag_dtype_of(in)),
             .s = ag__along_axis(ag_shape_of(in), axis),
             .descending = a->largest};
    if (!j.x) return false;
    j.few = j.k <= FEW + j.s.n / 100 && j.k <= j.s.n / 4;
    j.working = j.few ? (size_t)j.s.n * sizeof(uint64_t) : ag__order_bytes(j.dtype, j.s.n);
    size_t places = (size_t)(j.few ? j.k : j.s.n) * sizeof(int64_t);
    return ag__each_line(y, j.s.outer * j.s.inner, j.s.n, j.working + places, best_of_line, &j);
}

static bool topk_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    return ag__to_places(y, g[0], ((const topk_attrs *)ag_attrs(y))->axis, true, d);
}

static bool topk_jvp(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]) {
    return ag__from_places(y, tangent[0], ((const topk_attrs *)ag_attrs(y))->axis, true, out);
}

const ag_op ag__op_topk = {
    .size = sizeof(ag_op),
    .name = "topk",
    .arity = 1,
    .nout = 2,
    .attr_size = sizeof(topk_attrs),
    .attrs = topk_fields,
    .formula = "the k largest or smallest along axis, and their indices",
    .shape = topk_shape,
    .run = topk_run,
    .grad = topk_grad,
    .jvp = topk_jvp,
};

ag_tensor *ag_topk_with(ag_tensor *x, int64_t k, int axis, bool largest, bool sorted, ag_tensor **index) {
    return ag__parts(ag_apply(&ag__op_topk, &x, 1, &(topk_attrs){k, axis, largest, sorted}), index);
}

ag_tensor *ag_topk(ag_tensor *x, int64_t k, int axis, ag_tensor **index) {
    return ag_topk_with(x, k, axis, true, true, index);
}
