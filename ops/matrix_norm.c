/* matrix_norm.c: norms of matrices, and the condition numbers that they make.
 *
 *     ±1: the largest, smallest Σ |x| of a column       ±inf: of a row       fro: √ Σ x²
 *     ±2: the largest, smallest singular value          nuc: Σ of them       cond: |a| |a⁻¹| */
#include <math.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct norm_attrs {
    char ord[AG_TEXT_SIZE];
    ag_axes axes; /* AG_ALL: the last two, of a line its one */
    bool keepdim;
} norm_attrs;

static const ag_attr_field norm_fields[] = {{"ord", AG_ATTR_TEXT, offsetof(norm_attrs, ord), "fro"},
                                            {"axes", AG_ATTR_AXES, offsetof(norm_attrs, axes), "all"},
                                            {"keepdim", AG_ATTR_BOOL, offsetof(norm_attrs, keepdim), "false"},
                                            {0}};

static void *refused(ag_tensor *y, bool matrix) {
    ag_op_fail(y, AG_ERR_ARGUMENT,
               matrix ? "ord is %.20s; of matrices there are fro, nuc, 1, -1, 2, -2, inf and -inf"
                      : "ord is %.20s; of vectors it must be a number",
               ((const norm_attrs *)ag_attrs(y))->ord);
    return NULL;
}

/* What is left of a line of singular values of the matrices on two axes; p 0: their sum. */
static ag_tensor *of_values(ag_tensor *x, ag_axes axes, double p, bool keepdim) {
    ag_tensor *s = ag_svdvals(ag_movedim(x, axes, AG_AXES(-2, -1)));
    ag_axes line = AG_AXES(-1);
    s = p == 0 ? ag_sum(s, line, false) : p > 0 ? ag_max(s, line, false) : ag_min(s, line, false);
    int a = axes.axis[0], b = axes.axis[1];
    if (a < 0) a += ag_rank(x);
    if (b < 0) b += ag_rank(x);
    return keepdim ? ag_unsqueeze(ag_unsqueeze(s, a < b ? a : b), a < b ? b : a) : s;
}

static ag_tensor *matrix_norm(ag_tensor *y) {
    const norm_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    ag_axes axes = a->axes;
    bool chosen[AG_MAX_RANK];
    double p = 0;
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 1, AG_MAX_RANK)) return NULL;
    if (axes.count < 0) axes = ag_rank(x) == 1 ? AG_AXES(0) : AG_AXES(-2, -1);
    bool number = ag__number_parse(a->ord, &p);
    if (axes.count == 1) return number ? ag_norm(x, p, axes, a->keepdim) : refused(y, false);
    if (!ag_need_axes(y, axes, ag_rank(x), chosen)) return NULL;
    if (axes.count != 2) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "axes are those of a vector or a matrix, one or two, not %d", axes.count);
        return NULL;
    }
    if (!strcmp(a->ord, "fro")) return ag_norm(x, 2, axes, a->keepdim);
    bool nuclear = !strcmp(a->ord, "nuc");
    if (!nuclear && (!number || (fabs(p) != 1 && fabs(p) != 2 && !isinf(p)))) return refused(y, true);
    if (nuclear || fabs(p) == 2) return of_values(x, axes, nuclear ? 0 : p, a->keepdim);
    int of = isinf(p) ? 1 : 0; /* the sums are along that one of the two */
    ag_tensor *sum = ag_sum(ag_abs(x), AG_AXES(axes.axis[of]), true);
    ag_tensor *extreme = p > 0 ? ag_max(sum, AG_AXES(axes.axis[!of]), true) : ag_min(sum, AG_AXES(axes.axis[!of]), true);
    return a->keepdim ? extreme : ag_squeeze(extreme, axes);
}

AG__COMPOSED(matrix_norm, 1, norm_attrs, norm_fields,
             "fro: √ Σ x²; ±1, ±inf: the extreme Σ |x| of columns, of rows; ±2, nuc: the extreme, Σ of singular values",
             matrix_norm);

static const ag_attr_field cond_fields[] = {{"p", AG_ATTR_TEXT, offsetof(norm_attrs, ord), "2"}, {0}};

static ag_tensor *cond(ag_tensor *y) {
    const char *ord = ((const norm_attrs *)ag_attrs(y))->ord;
    ag_tensor *a = ag_in(y, 0);
    double p = 0;
    if (!ag_need_float(y, 0) || !ag_need_rank(y, 0, 2, AG_MAX_RANK)) return NULL;
    if (!ag__number_parse(ord, &p) || fabs(p) != 2)
        return ag_mul(ag_matrix_norm(a, ord, AG_ALL, false), ag_matrix_norm(ag_inv(a), ord, AG_ALL, false));
    ag_tensor *s = ag_svdvals(a), *most = ag_max(s, AG_AXES(-1), false), *least = ag_min(s, AG_AXES(-1), false);
    return p > 0 ? ag_div(most, least) : ag_div(least, most);
}

AG__COMPOSED(cond, 1, norm_attrs, cond_fields, "|a| |a⁻¹|, 2: by singular values", cond, .inputs = "a");

static ag_tensor *with_ord(const ag_op *op, ag_tensor *x, const char *ord, ag_axes axes, bool keepdim) {
    norm_attrs a = {.axes = axes, .keepdim = keepdim};
    size_t n = ord ? strlen(ord) : 0;
    if (!ord || n >= sizeof a.ord)
        return ag_tape_fail(ag_tape_of(x), AG_ERR_ARGUMENT, op->name, ord ? "ord is too long" : "ord is NULL");
    memcpy(a.ord, ord, n + 1);
    return ag_apply(op, &x, 1, &a);
}

ag_tensor *ag_matrix_norm(ag_tensor *x, const char *ord, ag_axes axes, bool keepdim) {
    return with_ord(&ag__op_matrix_norm, x, ord, axes, keepdim);
}

ag_tensor *ag_cond(ag_tensor *a, const char *p) { return with_ord(&ag__op_cond, a, p, AG_ALL, false); }
