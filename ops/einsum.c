/* einsum.c: sums of products over labelled axes, made of permute, reshape, matmul, mul and sum.
 *
 *     y[out] = Σ_{labels not in out} Π_i x_i[labels of x_i]
 *
 * Each operand loses its repeated labels (a diagonal), its extents of 1 (they broadcast) and what it alone has to sum. Then,
 * two at a time in the order of einsum_order.c, a (batch, left, inner) times b (batch, inner, right) is a batched matrix
 * product, and one without an inner label is a broadcast one. No rule of its own: gradients of all orders are those of what
 * it is made of. */
#include <string.h>

#include "ops/compose.h"
#include "ops/einsum.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct part {
    ag_tensor *x; /* NULL: an error stands */
    ag__term t;
} part;

static uint64_t bit(int label) { return (uint64_t)1 << label; }

static uint64_t set_of(const ag__term *t) {
    uint64_t set = 0;
    for (int i = 0; i < t->rank; i++) set |= bit(t->label[i]);
    return set;
}

/* Appends those labels of `from` that are in the set. */
static void append(ag__term *to, const ag__term *from, uint64_t set) {
    for (int i = 0; i < from->rank; i++) {
        if (set & bit(from->label[i]) && to->rank < AG_MAX_RANK) to->label[to->rank++] = from->label[i];
    }
}

static int place_of(const ag__term *t, int label) {
    int i = 0;
    while (i < t->rank && t->label[i] != label) i++;
    return i;
}

/* The axes of p in the order of `to`, which has the same labels. */
static void turn(part *p, const ag__term *to) {
    ag_axes axes = {.count = to->rank};
    bool same = true;
    for (int i = 0; i < to->rank; i++) {
        axes.axis[i] = place_of(&p->t, to->label[i]);
        same = same && axes.axis[i] == i;
    }
    if (!same) p->x = ag_permute(p->x, axes);
    p->t = *to;
}

static ag_tensor *shaped(ag_tensor *x, ag_shape s) {
    return x && !ag__same_shape(ag_shape_of(x), s) ? ag_reshape(x, s) : x;
}

/* x[…, i, …, i, …]: both axes go last, and of the n² elements every (n + 1)-th is on the diagonal. */
static void take_diagonals(part *p) {
    for (int j = 1; j < p->t.rank && p->x; j++) {
        int i = place_of(&p->t, p->t.label[j]);
        if (i == j) continue;
        ag_axes axes = {0};
        ag__term rest = {0};
        ag_shape s = {0};
        for (int k = 0; k < p->t.rank; k++) {
            if (k == i || k == j) continue;
            axes.axis[axes.count++] = k;
            rest.label[rest.rank++] = p->t.label[k];
            s.dim[s.rank++] = ag_dim(p->x, k);
        }
        int64_t n = ag_dim(p->x, j);
        axes.axis[axes.count++] = i;
        axes.axis[axes.count++] = j;
        s.dim[s.rank++] = n * n;
        rest.label[rest.rank++] = p->t.label[j];
        p->x = ag_slice(ag_reshape(ag_permute(p->x, axes), s), -1, 0, AG_END, n + 1);
        p->t = rest;
        j = 0;
    }
}

static void drop_ones(part *p) {
    ag__term rest = {0};
    ag_shape s = {0};
    for (int i = 0; i < p->t.rank && p->x; i++) {
        if (ag_dim(p->x, i) == 1) continue;
        rest.label[rest.rank++] = p->t.label[i];
        s.dim[s.rank++] = ag_dim(p->x, i);
    }
    p->x = shaped(p->x, s);
    p->t = rest;
}

static void sum_over(part *p, uint64_t set) {
    ag__term rest = {0};
    ag_axes axes = {0};
    for (int i = 0; i < p->t.rank; i++) {
        if (set & bit(p->t.label[i])) axes.axis[axes.count++] = i;
    }
    append(&rest, &p->t, ~set);
    if (axes.count) p->x = ag_sum(p->x, axes, false);
    p->t = rest;
}

/* No label is summed: a (…, 1…) · b with 1 for what it lacks. */
static ag_tensor *broadcast_product(part *a, part *b, const ag__term *out, const int64_t extent[]) {
    part *both[2] = {a, b};
    for (int k = 0; k < 2; k++) {
        ag__term own = {0};
        ag_shape s = {.rank = out->rank};
        uint64_t set = set_of(&both[k]->t);
        append(&own, out, set);
        turn(both[k], &own);
        for (int i = 0; i < out->rank; i++) s.dim[i] = set & bit(out->label[i]) ? extent[out->label[i]] : 1;
        while (s.rank && s.dim[0] == 1) memmove(s.dim, s.dim + 1, (size_t)--s.rank * sizeof *s.dim);
        both[k]->x = shaped(both[k]->x, s);
    }
    return ag_mul(a->x, b->x);
}

/* Appends the extents of t's labels, or one for all: then they are of one tensor, and their product fits. */
static void extents(ag_shape *s, const ag__term *t, const int64_t extent[], bool one) {
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++) {
        if (one) n *= extent[t->label[i]];
        else s->dim[s->rank++] = extent[t->label[i]];
    }
    if (one) s->dim[s->rank++] = n;
}

/* p as a matrix for each batch label: rows and cols are sets, each merged into one axis. */
static ag_tensor *as_matrix(part *p, const ag__term *batch, const ag__term *rows, const ag__term *cols,
                            const int64_t extent[]) {
    ag__term order = *batch;
    ag_shape s = {0};
    append(&order, rows, ~(uint64_t)0);
    append(&order, cols, ~(uint64_t)0);
    turn(p, &order);
    extents(&s, batch, extent, batch->rank > AG_MAX_RANK - 2);
    extents(&s, rows, extent, true);
    extents(&s, cols, extent, true);
    return shaped(p->x, s);
}

/* a ← a · b, summed over what they share and is not kept. */
static bool contract(ag_tensor *y, part *a, part *b, uint64_t keep, const ag__term *wish, const int64_t extent[]) {
    uint64_t in_a = set_of(&a->t), in_b = set_of(&b->t), shared = in_a & in_b, result = (in_a | in_b) & keep;
    if (!a->x || !b->x) return false;
    if (__builtin_popcountll(result) > AG_MAX_RANK) {
        return ag_op_fail(y, AG_ERR_SHAPE, "a product of two operands would have more than %d axes", AG_MAX_RANK);
    }
    for (int i = 0; i < wish->rank; i++) { /* whose labels come first in the output is on the left */
        uint64_t label = bit(wish->label[i]);
        if (shared & label || !(result & label)) continue;
        part swap = *a;
        if (in_b & label) *a = *b, *b = swap;
        break;
    }
    in_a = set_of(&a->t), in_b = set_of(&b->t);
    ag__term batch = {0}, inner = {0}, left = {0}, right = {0}, out;
    append(&batch, wish, shared & keep);
    append(&batch, &a->t, shared & keep & ~set_of(&batch));
    append(&inner, &a->t, shared & ~keep);
    append(&left, &a->t, in_a & ~shared);
    append(&right, &b->t, in_b & ~shared);
    out = batch;
    append(&out, &left, keep);
    append(&out, &right, keep);
    if (inner.rank == 0) {
        a->x = broadcast_product(a, b, &out, extent);
    } else {
        ag_shape s = {0};
        extents(&s, &out, extent, false);
        a->x =
            shaped(ag_matmul(as_matrix(a, &batch, &left, &inner, extent), as_matrix(b, &batch, &inner, &right, extent)), s);
    }
    a->t = out;
    return a->x != NULL;
}

/* The last tensor: its axes as the output has them, with the extents of 1 that were left out. */
static ag_tensor *finish(ag_tensor *y, part *p, const ag__einsum *e) {
    ag__term order = {0};
    ag_shape s = {.rank = e->out.rank};
    append(&order, &e->out, set_of(&p->t));
    turn(p, &order);
    for (int i = 0; i < s.rank; i++) s.dim[i] = e->extent[e->out.label[i]];
    ag_tensor *x = shaped(p->x, s);
    return x == ag_in(y, 0) ? ag_alias(x) : x;
}

typedef struct einsum_attrs {
    char equation[AG_TEXT_SIZE];
} einsum_attrs;

static const ag_attr_field einsum_fields[] = {{"equation", AG_ATTR_TEXT, offsetof(einsum_attrs, equation), NULL}, {0}};

static ag_tensor *einsum(ag_tensor *y) {
    ag__einsum e;
    part p[AG__EINSUM_MOST];
    uint64_t sets[AG__EINSUM_MOST], out;
    ag__pair steps[AG__EINSUM_MOST];
    for (int i = 0; i < ag_in_count(y); i++) {
        if (!ag__need_number(y, i) || !ag_need_same_dtype(y, 0, i)) return NULL;
    }
    if (!ag__einsum_read(y, ((const einsum_attrs *)ag_attrs(y))->equation, &e)) return NULL;
    for (int i = 0; i < e.n; i++) {
        p[i] = (part){ag_in(y, i), e.in[i]};
        take_diagonals(&p[i]);
        drop_ones(&p[i]);
        if (!p[i].x) return NULL;
    }
    out = set_of(&e.out);
    for (int i = 0; i < e.n; i++) {
        uint64_t others = out;
        for (int k = 0; k < e.n; k++) others |= k == i ? 0 : set_of(&p[k].t);
        sum_over(&p[i], ~others);
        sets[i] = set_of(&p[i].t);
    }
    ag__einsum_order(sets, e.n, out, e.extent, steps);
    for (int k = 0; k + 1 < e.n; k++) {
        part *a = &p[steps[k].a], *b = &p[steps[k].b];
        uint64_t keep = out;
        sets[steps[k].a] = sets[steps[k].b] = 0;
        for (int i = 0; i < e.n; i++) keep |= sets[i];
        if (!contract(y, a, b, keep, &e.out, e.extent)) return NULL;
        sets[steps[k].a] = set_of(&a->t);
    }
    return finish(y, &p[e.n > 1 ? steps[e.n - 2].a : 0], &e);
}

AG__COMPOSED(einsum, -1, einsum_attrs, einsum_fields, "Σ Π over the labels that the output lacks", einsum);

ag_tensor *ag_einsum(const char *equation, ag_tensor *const xs[], int n) {
    einsum_attrs a = {{0}};
    ag_tape *t = n > 0 && xs && xs[0] ? ag_tape_of(xs[0]) : NULL;
    size_t length = equation ? strlen(equation) : sizeof a.equation;
    if (length >= sizeof a.equation) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, "einsum", "the equation is NULL or longer than %d bytes", AG_TEXT_SIZE - 1);
    }
    if (!xs || n < 1) return ag_tape_fail(NULL, AG_ERR_ARGUMENT, "einsum", "takes one input or more");
    memcpy(a.equation, equation, length);
    return ag_apply(&ag__op_einsum, xs, n, &a);
}
