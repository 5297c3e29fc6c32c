/* combine.c: tensors put together in every way: matrices along a diagonal, elements in all their products and combinations.
 *
 *     block_diag (1,2), (2,1):   a a 0      cartesian_prod (2), (2):   a0 b0      combinations (3), 2:   x0 x1
 *                                0 0 b                                 a0 b1                             x0 x2
 *                                0 0 b                                 a1 b0                             x1 x2
 *                                                                      a1 b1 */
#include "autograd/node.h"
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

/* Input k between zeros, as wide as all inputs beside each other; lines and scalars are rows. */
static ag_tensor *block(ag_tensor *y, int k, int64_t before, int64_t width) {
    ag_tensor *row = ag_rank(ag_in(y, k)) < 2 ? ag_atleast_2d(ag_in(y, k)) : ag_in(y, k);
    int64_t after = width - before - ag_dim(row, 1);
    return before || after ? ag_pad(row, AG_SHAPE(before, after), AG_PAD_CONSTANT, 0) : row;
}

static int64_t width_of(const ag_tensor *x) { return ag_rank(x) == 0 ? 1 : ag_dim(x, -1); }

static ag_tensor *block_diag(ag_tensor *y) {
    int n = ag_in_count(y);
    int64_t width = 0, before = 0;
    for (int k = 0; k < n; k++) {
        if (!ag_need_same_dtype(y, 0, k) || !ag_need_rank(y, k, 0, 2)) return NULL;
        if (__builtin_add_overflow(width, width_of(ag_in(y, k)), &width)) {
            ag_op_fail(y, AG_ERR_SHAPE, "the widths add up beyond what an index can count");
            return NULL;
        }
    }
    ag_tensor **rows = ag__temp(ag_tape_of(y), (size_t)n * sizeof *rows), *joined = NULL;
    for (int k = 0; rows && k < n; before += width_of(ag_in(y, k++))) rows[k] = block(y, k, before, width);
    if (rows) joined = ag_concat(rows, n, 0);
    ag__temp_free(ag_tape_of(y), rows);
    return joined;
}

AG__COMPOSED_BARE(block_diag, -1, "x0, x1, … as blocks along the diagonal of zeros", block_diag);

ag_tensor *ag_block_diag(ag_tensor *const xs[], int n) { return ag_apply(&ag__op_block_diag, xs, xs ? n : 0, NULL); }

/* Lines as columns of a matrix, a row for each way to take one element of each. */
static ag_tensor *products(ag_tensor *const line[], int n) {
    ag_tensor *grid[AG_MAX_RANK];
    if (!ag_meshgrid(line, n, AG_IJ, grid)) return NULL;
    for (int k = 0; k < n; k++) grid[k] = ag_reshape(grid[k], AG_SHAPE(-1));
    return ag_stack(grid, n, 1);
}

static ag_tensor *cartesian_prod(ag_tensor *y) {
    int n = ag_in_count(y);
    ag_tensor *line[AG_MAX_RANK];
    if (n > AG_MAX_RANK) {
        ag_op_fail(y, AG_ERR_SHAPE, "%d inputs span more than %d axes", n, AG_MAX_RANK);
        return NULL;
    }
    for (int k = 0; k < n; k++) {
        if (!ag_need_same_dtype(y, 0, k) || !ag_need_rank(y, k, 1, 1)) return NULL;
        line[k] = ag_in(y, k);
    }
    return n == 1 ? ag_alias(line[0]) : products(line, n);
}

AG__COMPOSED_BARE(cartesian_prod, -1, "one element of each of x0, x1, …, in all ways, as rows", cartesian_prod);

ag_tensor *ag_cartesian_prod(ag_tensor *const xs[], int n) {
    return ag_apply(&ag__op_cartesian_prod, xs, xs ? n : 0, NULL);
}

typedef struct choose_attrs {
    int64_t r;
    bool with_replacement;
} choose_attrs;

static const ag_attr_field choose_fields[] = {
    {"r", AG_ATTR_I64, offsetof(choose_attrs, r), "2"},
    {"with_replacement", AG_ATTR_BOOL, offsetof(choose_attrs, with_replacement), "false"},
    {0}};

/* How many ways there are to take r of n, the order aside; −1: more than can be counted. */
static int64_t choices(int64_t n, int64_t r) {
    int64_t count = 1;
    if (n < r) return 0;
    for (int64_t i = 1; i <= r; i++) {
        if (__builtin_mul_overflow(count, n - r + i, &count)) return -1;
        count /= i;
    }
    return count;
}

/* Of all rows of r places those that rise, or do not fall */
static ag_tensor *combinations(ag_tensor *y) {
    const choose_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0), *line[AG_MAX_RANK], *rises = NULL;
    if (!ag_need_rank(y, 0, 1, 1)) return NULL;
    int64_t n = ag_dim(x, 0),
            count = a->r < 1 || a->r > AG_MAX_RANK ? -1 : choices(n + (a->with_replacement ? a->r - 1 : 0), a->r);
    if (count < 0) {
        ag_op_fail(y, AG_ERR_ARGUMENT,
                   "%lld of %lld elements: r is at least 1 and at most %d, and the combinations must be countable",
                   (long long)a->r, (long long)n, AG_MAX_RANK);
        return NULL;
    }
    for (int k = 0; k < a->r; k++) line[k] = ag_arange(ag_tape_of(x), AG_I64, 0, (double)n, 1);
    ag_tensor *place = products(line, (int)a->r);
    if (a->r == 1) return ag_take(x, place, 0);
    ag_tensor *left = ag_narrow(place, 1, 0, a->r - 1), *right = ag_narrow(place, 1, 1, a->r - 1);
    rises = ag_all(a->with_replacement ? ag_le(left, right) : ag_lt(left, right), AG_AXES(1), false);
    return ag_take(x, ag_take(place, ag_flatnonzero(rises, count), 0), 0);
}

AG__COMPOSED(combinations, 1, choose_attrs, choose_fields, "r elements of x, in all ways but for their order, as rows",
             combinations);

ag_tensor *ag_combinations(ag_tensor *x, int64_t r, bool with_replacement) {
    return ag_apply(&ag__op_combinations, &x, 1, &(choose_attrs){r, with_replacement});
}
