/* dot.c: products of vectors and matrices that are one or two calls of matmul, mul and sum: each checks what its name
 * promises of its operands. */
#include "ops/compose.h"
#include "ops/loss.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

/* Both numbers, of one dtype and of these ranks. */
static bool need_pair(ag_tensor *y, int i, int rank, int j, int other) {
    return ag__need_number(y, i) && ag_need_same_dtype(y, i, j) && ag_need_rank(y, i, rank, rank) &&
           ag_need_rank(y, j, other, other);
}

/* Inputs i and i + 1 as a product of matrices (rank 2), of batches of them (3), or of a matrix and a vector (1). */
static ag_tensor *multiply(ag_tensor *y, int i, int rank, int other) {
    ag_tensor *a = ag_in(y, i), *b = ag_in(y, i + 1);
    char left[AG__TEXT], right[AG__TEXT];
    if (!need_pair(y, i, rank, i + 1, other)) return NULL;
    bool batched = rank == 3 && ag_dim(a, 0) != ag_dim(b, 0);
    if (batched || ag_dim(a, -1) != ag_dim(b, other == 1 ? 0 : -2)) {
        ag_op_fail(y, AG_ERR_SHAPE, batched ? "numbers of matrices differ: %s · %s" : "inner sizes differ: %s · %s",
                   ag_shape_text(a, left, sizeof left), ag_shape_text(b, right, sizeof right));
        return NULL;
    }
    return ag_matmul(a, b);
}

static ag_tensor *mm(ag_tensor *y) { return multiply(y, 0, 2, 2); }
static ag_tensor *bmm(ag_tensor *y) { return multiply(y, 0, 3, 3); }
static ag_tensor *mv(ag_tensor *y) { return multiply(y, 0, 2, 1); }

AG__COMPOSED_BARE(mm, 2, "a b, matrices", mm);
AG__COMPOSED_BARE(bmm, 2, "a b for each of a batch of matrices", bmm);
AG__COMPOSED_BARE(mv, 2, "a b, a matrix and a vector", mv);

ag_tensor *ag_mm(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_mm, (ag_tensor *[]){a, b}, 2, NULL); }
ag_tensor *ag_bmm(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_bmm, (ag_tensor *[]){a, b}, 2, NULL); }
ag_tensor *ag_mv(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_mv, (ag_tensor *[]){a, b}, 2, NULL); }

/* beta x + alpha a b */

typedef struct add_attrs {
    double beta, alpha;
} add_attrs;

static const ag_attr_field add_fields[] = {
    {"beta", AG_ATTR_F64, offsetof(add_attrs, beta), "1"}, {"alpha", AG_ATTR_F64, offsetof(add_attrs, alpha), "1"}, {0}};

static ag_tensor *scaled(ag_tensor *x, double a) {
    return a == 1 ? x : ag_dtype_of(x) == AG_I64 ? ag_mul(x, ag__constant(x, a)) : ag_scale(x, a);
}

/* With beta = 0, x is not looked at: its NaN does not pass. */
static ag_tensor *add_product(ag_tensor *y, int rank, int other) {
    const add_attrs *a = ag_attrs(y);
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    if (!ag__need_factor(y, "beta", a->beta) || !ag__need_factor(y, "alpha", a->alpha)) return NULL;
    ag_tensor *p = multiply(y, 1, rank, other), *x = p ? ag_expand(ag_in(y, 0), ag_shape_of(p)) : NULL;
    if (!x) return NULL;
    p = scaled(p, a->alpha);
    return a->beta == 0 ? p : ag_add(scaled(x, a->beta), p);
}

static ag_tensor *addmm(ag_tensor *y) { return add_product(y, 2, 2); }
static ag_tensor *addmv(ag_tensor *y) { return add_product(y, 2, 1); }
static ag_tensor *baddbmm(ag_tensor *y) { return add_product(y, 3, 3); }

AG__COMPOSED(addmm, 3, add_attrs, add_fields, "beta x + alpha a b, matrices", addmm, .inputs = "x a b");
AG__COMPOSED(addmv, 3, add_attrs, add_fields, "beta x + alpha a b, a matrix and a vector", addmv, .inputs = "x a b");
AG__COMPOSED(baddbmm, 3, add_attrs, add_fields, "beta x + alpha a b for each of a batch of matrices", baddbmm,
             .inputs = "x a b");

ag_tensor *ag_addmm(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta, double alpha) {
    return ag_apply(&ag__op_addmm, (ag_tensor *[]){x, a, b}, 3, &(add_attrs){beta, alpha});
}

ag_tensor *ag_addmv(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta, double alpha) {
    return ag_apply(&ag__op_addmv, (ag_tensor *[]){x, a, b}, 3, &(add_attrs){beta, alpha});
}

ag_tensor *ag_baddbmm(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta, double alpha) {
    return ag_apply(&ag__op_baddbmm, (ag_tensor *[]){x, a, b}, 3, &(add_attrs){beta, alpha});
}

/* Vectors */

static ag_tensor *dot(ag_tensor *y) {
    return need_pair(y, 0, 1, 1, 1) && ag_need_same_shape(y, 0, 1) ? ag_matmul(ag_in(y, 0), ag_in(y, 1)) : NULL;
}

static ag_tensor *outer(ag_tensor *y) {
    ag_tensor *a = ag_in(y, 0);
    return need_pair(y, 0, 1, 1, 1) ? ag_matmul(ag_reshape(a, AG_SHAPE(ag_dim(a, 0), 1)), ag_unsqueeze(ag_in(y, 1), 0))
                                    : NULL;
}

static ag_tensor *vdot(ag_tensor *y) { return dot(y); }

AG__COMPOSED_BARE(dot, 2, "Σ a b, vectors", dot);
AG__COMPOSED_BARE(vdot, 2, "Σ a b, vectors: dot, of real numbers", vdot);
AG__COMPOSED_BARE(outer, 2, "a[i] b[j], vectors", outer);

ag_tensor *ag_dot(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_dot, (ag_tensor *[]){a, b}, 2, NULL); }
ag_tensor *ag_vdot(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_vdot, (ag_tensor *[]){a, b}, 2, NULL); }
ag_tensor *ag_outer(ag_tensor *a, ag_tensor *b) { return ag_apply(&ag__op_outer, (ag_tensor *[]){a, b}, 2, NULL); }

/* Both operands in their common shape, and the axis in it. */
static bool align(ag_tensor *y, ag_tensor *out[2], int *axis) {
    ag_shape s;
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_broadcast_inputs(y, &s)) return false;
    if (!ag_need_axis(y, ag__axis_of(y), s.rank, axis)) return false;
    for (int i = 0; i < 2; i++) {
        ag_tensor *x = ag_in(y, i);
        out[i] = ag__same_shape(ag_shape_of(x), s) ? x : ag_expand(x, s);
    }
    return out[0] && out[1];
}

static ag_tensor *vecdot(ag_tensor *y) {
    ag_tensor *v[2];
    int axis;
    return align(y, v, &axis) ? ag_sum(ag_mul(v[0], v[1]), AG_AXES(axis), false) : NULL;
}

/* x[1], x[2], x[0] along the axis. */
static ag_tensor *rotate(ag_tensor *x, int axis) {
    ag_tensor *last = ag_slice(x, axis, 1, AG_END, 1), *first = ag_slice(x, axis, 0, 1, 1);
    return last && first ? ag_concat((ag_tensor *[]){last, first}, 2, axis) : NULL;
}

/* y[i] = a[i+1] b[i+2] − a[i+2] b[i+1], so that with r = rotate: y = r(a r(b) − r(a) b), one rotation fewer */
static ag_tensor *cross(ag_tensor *y) {
    ag_tensor *v[2];
    int axis;
    if (!align(y, v, &axis)) return NULL;
    if (ag_dim(v[0], axis) != 3) {
        ag_op_fail(y, AG_ERR_SHAPE, "axis %d has %lld elements; vectors of 3 are needed", axis,
                   (long long)ag_dim(v[0], axis));
        return NULL;
    }
    ag_tensor *inner = ag_sub(ag_mul(v[0], rotate(v[1], axis)), ag_mul(rotate(v[0], axis), v[1]));
    return inner ? rotate(inner, axis) : NULL;
}

AG__COMPOSED(vecdot, 2, ag__axis_attrs, ag__axis_last, "Σ a b along axis", vecdot);
AG__COMPOSED(cross, 2, ag__axis_attrs, ag__axis_last, "a × b along axis, of 3 elements", cross);

ag_tensor *ag_vecdot(ag_tensor *a, ag_tensor *b, int axis) {
    return ag_apply(&ag__op_vecdot, (ag_tensor *[]){a, b}, 2, &(ag__axis_attrs){axis});
}

ag_tensor *ag_cross(ag_tensor *a, ag_tensor *b, int axis) {
    return ag_apply(&ag__op_cross, (ag_tensor *[]){a, b}, 2, &(ag__axis_attrs){axis});
}
