/* einsum_order.c: in which order operands are multiplied, two at a time.
 *
 *     ij,jk,kl->il     (ij,jk),kl  costs ijk + ikl multiplications,  ij,(jk,kl)  costs jkl + ijl
 *
 * What a product of a set S of operands keeps are the labels that the output or an operand outside S has, so its cost and
 * size depend on S alone. For few operands every split of every S is tried (3^n steps); beyond, the pair whose product
 * needs the least more memory than its factors is taken, again and again (Smith, Gray 2018). A product of more than 8 axes
 * has no tensor and is avoided. */
#include <math.h>

#include "ops/einsum.h"

enum { FEW = 8, SETS = 1 << FEW };

static double size_of(uint64_t labels, const int64_t extent[]) {
    double n = 1;
    for (; labels; labels &= labels - 1) n *= (double)extent[__builtin_ctzll(labels)];
    return n;
}

static bool has_tensor(uint64_t labels) { return __builtin_popcountll(labels) <= AG_MAX_RANK; }

typedef struct table {
    uint64_t labels[SETS]; /* what the product of a set keeps */
    double cost[SETS];
    unsigned char split[SETS]; /* the part that has the set's lowest operand */
} table;

/* Splits of a set into `part`, with its lowest operand, and the rest. */
static void best_split(table *t, unsigned set, const int64_t extent[]) {
    unsigned low = set & -set;
    t->cost[set] = (double)INFINITY;
    t->split[set] = (unsigned char)low;
    for (unsigned part = (set - 1) & set; part; part = (part - 1) & set) {
        unsigned rest = set ^ part;
        if (!(part & low)) continue;
        double cost = t->cost[part] + t->cost[rest] + size_of(t->labels[part] | t->labels[rest], extent);
        if (!has_tensor(t->labels[set])) cost = (double)INFINITY;
        if (cost >= t->cost[set]) continue;
        t->cost[set] = cost;
        t->split[set] = (unsigned char)part;
    }
}

/* Appends the products that make `set`; returns the place of the result. */
static unsigned char unroll(const table *t, unsigned set, ag__pair **next) {
    unsigned char lowest = (unsigned char)__builtin_ctz(set);
    if (!(set & (set - 1))) return lowest;
    unsigned char a = unroll(t, t->split[set], next), b = unroll(t, set ^ t->split[set], next);
    *(*next)++ = (ag__pair){a, b};
    return a;
}

static void optimal(const uint64_t labels[], int n, uint64_t out, const int64_t extent[], ag__pair *steps) {
    table t;
    unsigned all = (1u << n) - 1;
    for (unsigned set = 1; set <= all; set++) {
        uint64_t inside = 0, outside = out;
        for (int i = 0; i < n; i++) *(set >> i & 1 ? &inside : &outside) |= labels[i];
        t.labels[set] = inside & outside;
        t.cost[set] = 0;
        if (set & (set - 1)) best_split(&t, set, extent);
    }
    unroll(&t, all, &steps);
}

/* What the product of a and b among the living keeps. */
static uint64_t kept(const uint64_t labels[], int n, int a, int b, uint64_t out) {
    for (int i = 0; i < n; i++) {
        if (i != a && i != b) out |= labels[i];
    }
    return (labels[a] | labels[b]) & out;
}

static void greedy(const uint64_t given[], int n, uint64_t out, const int64_t extent[], ag__pair *steps) {
    uint64_t labels[AG__EINSUM_MOST];
    bool gone[AG__EINSUM_MOST] = {false};
    for (int i = 0; i < n; i++) labels[i] = given[i];
    for (int left = n; left > 1; left--) {
        ag__pair best = {0, 0};
        double least = (double)INFINITY, least_work = (double)INFINITY;
        for (int a = 0; a < n; a++) {
            for (int b = a + 1; b < n && !gone[a]; b++) {
                if (gone[b]) continue;
                uint64_t result = kept(labels, n, a, b, out);
                double more = size_of(result, extent) - size_of(labels[a], extent) - size_of(labels[b], extent);
                double work = size_of(labels[a] | labels[b], extent);
                if (!has_tensor(result)) more = work = (double)INFINITY;
                bool first = best.a == best.b, better = more < least || (more == least && work < least_work);
                if (!first && !better) continue;
                best = (ag__pair){(unsigned char)a, (unsigned char)b};
                least = more;
                least_work = work;
            }
        }
        labels[best.a] = kept(labels, n, best.a, best.b, out);
        labels[best.b] = 0;
        gone[best.b] = true;
        *steps++ = best;
    }
}

void ag__einsum_order(const uint64_t labels[], int n, uint64_t out, const int64_t extent[], ag__pair steps[]) {
    if (n <= FEW) {
        if (n > 1) optimal(labels, n, out, extent, steps);
    } else {
        greedy(labels, n, out, extent, steps);
    }
}
