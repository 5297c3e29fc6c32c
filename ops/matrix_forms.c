/* matrix_forms.c: what products and triangular systems make of matrices: sums of products with an addend, powers, and
 * systems whose Cholesky factor is known. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct blend_attrs {
    double beta, alpha;
} blend_attrs;

static const ag_attr_field blend_fields[] = {{"beta", AG_ATTR_F64, offsetof(blend_attrs, beta), "1"},
                                             {"alpha", AG_ATTR_F64, offsetof(blend_attrs, alpha), "1"},
                                             {0}};

/* Σ over matrices of a b is one product: (b,m,k) as (m, b k), (b,k,n) as (b k, n). */
static ag_tensor *addbmm(ag_tensor *y) {
    const blend_attrs *s = ag_attrs(y);
    ag_tensor *a = ag_in(y, 1), *b = ag_in(y, 2);
    char as[AG__TEXT], bs[AG__TEXT];
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2) ||
        !ag_need_rank(y, 1, 3, 3) || !ag_need_rank(y, 2, 3, 3))
        return NULL;
    if (ag_dim(a, 0) != ag_dim(b, 0) || ag_dim(a, 2) != ag_dim(b, 1)) {
        ag_op_fail(y, AG_ERR_SHAPE, "numbers of matrices or inner sizes differ: %s · %s",
                   ag_shape_text(a, as, sizeof as), ag_shape_text(b, bs, sizeof bs));
        return NULL;
    }
    int64_t inner = ag_dim(a, 0) * ag_dim(a, 2);
    ag_tensor *rows = ag_reshape(ag_permute(a, AG_AXES(1, 0, 2)), AG_SHAPE(ag_dim(a, 1), inner));
    return ag_addmm(ag_in(y, 0), rows, ag_reshape(b, AG_SHAPE(inner, ag_dim(b, 2))), s->beta, s->alpha);
}

static ag_tensor *addr(ag_tensor *y) {
    const blend_attrs *s = ag_attrs(y);
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_same_dtype(y, 0, 2) ||
        !ag_need_rank(y, 1, 1, 1) || !ag_need_rank(y, 2, 1, 1))
        return NULL;
    return ag_addmm(ag_in(y, 0), ag_unsqueeze(ag_in(y, 1), 1), ag_unsqueeze(ag_in(y, 2), 0), s->beta, s->alpha);
}

AG__COMPOSED(addbmm, 3, blend_attrs, blend_fields, "beta x + alpha Σ a b over matrices", addbmm, .inputs = "x a b");
AG__COMPOSED(addr, 3, blend_attrs, blend_fields, "beta x + alpha a bᵀ", addr, .inputs = "x a b");

ag_tensor *ag_addbmm(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta, double alpha) {
    return ag_apply(&ag__op_addbmm, (ag_tensor *[]){x, a, b}, 3, &(blend_attrs){beta, alpha});
}
ag_tensor *ag_addr(ag_tensor *x, ag_tensor *a, ag_tensor *b, double beta, double alpha) {
    return ag_apply(&ag__op_addr, (ag_tensor *[]){x, a, b}, 3, &(blend_attrs){beta, alpha});
}

typedef struct power_attrs {
    int64_t n;
} power_attrs;

static const ag_attr_field power_fields[] = {{"n", AG_ATTR_I64, offsetof(power_attrs, n), NULL}, {0}};

/* By squaring: about log₂ n products; n < 0: of the inverse */
static ag_tensor *matrix_power(ag_tensor *y) {
    int64_t given = ((const power_attrs *)ag_attrs(y))->n;
    uint64_t n = given < 0 ? 0 - (uint64_t)given : (uint64_t)given;
    ag_tensor *x = ag_in(y, 0), *power = NULL;
    if (!ag__need_number(y, 0) || !ag__need_square(y, 0)) return NULL;
    if (given < 0) x = ag_need_float(y, 0) ? ag_inv(x) : NULL;
    if (!x) return NULL;
    if (n == 0) return ag_expand(ag_eye(ag_tape_of(x), ag_dtype_of(x), ag_dim(x, -1), -1), ag_shape_of(x));
    if (n == 1) return ag_alias(x);
    for (; n && x; n /= 2) {
        if (n % 2) power = power ? ag_matmul(power, x) : x;
        if (n > 1) x = ag_matmul(x, x);
    }
    return x ? power : NULL;
}

AG__COMPOSED(matrix_power, 1, power_attrs, power_fields, "x x … x, n times", matrix_power);

ag_tensor *ag_matrix_power(ag_tensor *x, int64_t n) { return ag_apply(&ag__op_matrix_power, &x, 1, &(power_attrs){n}); }

typedef struct factor_attrs {
    bool upper;
} factor_attrs;

static const ag_attr_field factor_fields[] = {{"upper", AG_ATTR_BOOL, offsetof(factor_attrs, upper), "false"}, {0}};

/* L Lᵀ x = b, or Uᵀ U x = b */
static ag_tensor *factored(ag_tensor *b, ag_tensor *l, bool upper) {
    ag_tensor *half = ag_solve_triangular(l, b, upper, upper);
    return half ? ag_solve_triangular(l, half, upper, !upper) : NULL;
}

static ag_tensor *cholesky_solve(ag_tensor *y) {
    if (!ag_need_float(y, 1) || !ag__need_square(y, 1) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    return factored(ag_in(y, 0), ag_in(y, 1), ((const factor_attrs *)ag_attrs(y))->upper);
}

static ag_tensor *cholesky_inverse(ag_tensor *y) {
    ag_tensor *l = ag_in(y, 0);
    if (!ag_need_float(y, 0) || !ag__need_square(y, 0)) return NULL;
    return factored(ag_eye(ag_tape_of(l), ag_dtype_of(l), ag_dim(l, -1), -1), l, ((const factor_attrs *)ag_attrs(y))->upper);
}

AG__COMPOSED(cholesky_solve, 2, factor_attrs, factor_fields, "x with L Lᵀ x = b, L the triangle of the factor",
             cholesky_solve, .inputs = "b l");
AG__COMPOSED(cholesky_inverse, 1, factor_attrs, factor_fields, "(L Lᵀ)⁻¹, L the triangle of the factor",
             cholesky_inverse, .inputs = "l");

ag_tensor *ag_cholesky_solve(ag_tensor *b, ag_tensor *l, bool upper) {
    return ag_apply(&ag__op_cholesky_solve, (ag_tensor *[]){b, l}, 2, &(factor_attrs){upper});
}
ag_tensor *ag_cholesky_inverse(ag_tensor *l, bool upper) {
    return ag_apply(&ag__op_cholesky_inverse, &l, 1, &(factor_attrs){upper});
}
