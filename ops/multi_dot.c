/* multi_dot.c: the product of a chain of matrices in the order that costs the fewest multiplications.
 *
 *     matrix i is p[i] × p[i+1]:   cost(i, j) = min over k of cost(i, k) + cost(k+1, j) + p[i] p[k+1] p[j+1]
 *
 * (Godbole 1973: O(n³) steps, once for each call). A vector at either end is a row or a column, as in matmul. */
#include <math.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { MOST = 32 };

typedef struct chain {
    ag_tensor *y;
    unsigned char split[MOST][MOST]; /* (i, j) is (i, split) times (split + 1, j) */
} chain;

static void order(chain *c, const double p[], int n) {
    float cost[MOST][MOST]; /* rounded: it only compares */
    for (int i = 0; i < n; i++) cost[i][i] = 0;
    for (int length = 1; length < n; length++) {
        for (int i = 0; i + length < n; i++) {
            int j = i + length;
            cost[i][j] = INFINITY;
            for (int k = i; k < j; k++) {
                float v = cost[i][k] + cost[k + 1][j] + (float)(p[i] * p[k + 1] * p[j + 1]);
                if (v >= cost[i][j]) continue;
                cost[i][j] = v;
                c->split[i][j] = (unsigned char)k;
            }
        }
    }
}

static ag_tensor *multiply(const chain *c, int i, int j) {
    if (i == j) return ag_in(c->y, i);
    ag_tensor *a = multiply(c, i, c->split[i][j]), *b = a ? multiply(c, c->split[i][j] + 1, j) : NULL;
    return b ? ag_matmul(a, b) : NULL;
}

/* Matrices; vectors too at the ends, if they may be. */
static bool need_chain(ag_tensor *y, bool vectors) {
    int n = ag_in_count(y);
    if (n > MOST) return ag_op_fail(y, AG_ERR_ARGUMENT, "takes at most %d matrices", MOST);
    for (int i = 0; i < n; i++) {
        bool end = vectors && n > 1 && (i == 0 || i == n - 1);
        if (!ag__need_number(y, i) || !ag_need_same_dtype(y, 0, i) || !ag_need_rank(y, i, end ? 1 : 2, 2)) return false;
        if (i == 0 || ag_dim(ag_in(y, i - 1), -1) == ag_dim(ag_in(y, i), 0)) continue;
        char left[AG__TEXT], right[AG__TEXT];
        return ag_op_fail(y, AG_ERR_SHAPE, "inner sizes differ: %s · %s", ag_shape_text(ag_in(y, i - 1), left, sizeof left),
                          ag_shape_text(ag_in(y, i), right, sizeof right));
    }
    return true;
}

static ag_tensor *chain_product(ag_tensor *y) {
    chain c = {.y = y};
    double p[MOST + 1];
    int n = ag_in_count(y);
    if (n == 1) return ag_alias(ag_in(y, 0));
    p[0] = ag_rank(ag_in(y, 0)) == 1 ? 1 : (double)ag_dim(ag_in(y, 0), 0);
    for (int i = 1; i < n; i++) p[i] = (double)ag_dim(ag_in(y, i), 0);
    p[n] = ag_rank(ag_in(y, n - 1)) == 1 ? 1 : (double)ag_dim(ag_in(y, n - 1), 1);
    order(&c, p, n);
    return multiply(&c, 0, n - 1);
}

static ag_tensor *multi_dot(ag_tensor *y) { return need_chain(y, true) ? chain_product(y) : NULL; }
static ag_tensor *chain_matmul(ag_tensor *y) { return need_chain(y, false) ? chain_product(y) : NULL; }

AG__COMPOSED_BARE(multi_dot, -1, "a b c …, in the cheapest order; vectors at the ends", multi_dot);
AG__COMPOSED_BARE(chain_matmul, -1, "a b c …, in the cheapest order", chain_matmul);

static ag_tensor *apply(const ag_op *op, ag_tensor *const xs[], int n) {
    if (!xs || n < 1) return ag_tape_fail(NULL, AG_ERR_ARGUMENT, op->name, "takes one input or more");
    return ag_apply(op, xs, n, NULL);
}

ag_tensor *ag_multi_dot(ag_tensor *const xs[], int n) { return apply(&ag__op_multi_dot, xs, n); }
ag_tensor *ag_chain_matmul(ag_tensor *const xs[], int n) { return apply(&ag__op_chain_matmul, xs, n); }
