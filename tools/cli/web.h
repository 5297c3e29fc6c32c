/* web.h: the chain rule as a sum over paths.
 *
 *     node 0 is the result, the last node is w, every arc leads to a higher node and carries a local derivative d:
 *
 *         0 ──d₀──▶ 1 ──d₂──▶ 3        ∂result/∂w = Σ over paths of Π d along the path = d₀d₂ + d₁d₃
 *         └──d₁──▶ 2 ──d₃──────┘
 *
 * There may be exponentially many paths. Their sum and number come from one loop over the arcs, and so does, for
 * every node, the largest |product| of what is left to go; a best-first search with that exact bound meets the paths
 * in the order of their size, the k largest in about k · length steps.
 */
#ifndef CLI_WEB_H
#define CLI_WEB_H

#include <stdbool.h>

typedef struct arc {
    int from, to;
    int slot; /* which input of `from` */
    double d;
} arc;

typedef struct web {
    int nodes, arcs, arc_room;
    arc *arc;     /* in the order of `from` */
    int *first;   /* [nodes + 1] arcs of node i: first[i] … first[i + 1) − 1; made by web_close */
    double *best; /* [nodes] the largest |product| from here to w */
} web;

typedef struct path {
    int *arc; /* into web.arc; owned by the paths' own block */
    int length;
    double product;
} path;

typedef struct web_sum {
    double count;     /* of paths */
    double total;     /* of the products: the gradient */
    double magnitude; /* of the products' absolute values: what rounding errors are measured by */
} web_sum;

/* All return false when memory is short. */
bool web_add(web *g, int from, int to, int slot, double d); /* `from` must not decrease */
bool web_close(web *g, int nodes);
bool web_sums(const web *g, web_sum *sum);
/* At most k paths, the largest first; *count of them. Freed by web_free_paths. */
bool web_largest(const web *g, int k, path **paths, int *count);
void web_free_paths(path *paths, int count);
void web_free(web *g);

#endif
