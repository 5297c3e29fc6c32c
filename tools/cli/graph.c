/* graph.c: one loop down the tape, which is in topological order. */
#include <stdlib.h>

#include "graph.h"

bool *graph_below(ag_tensor *y) {
    ag_tape *t = ag_tape_of(y);
    int64_t n = ag_tape_size(t);
    bool *below = calloc((size_t)n + 1, 1);
    if (!below || ag_index(y) < 0) return below;
    below[ag_index(y)] = true;
    for (int64_t i = ag_index(y); i >= 0; i--) {
        const ag_tensor *x = ag_tape_node(t, i);
        for (int k = 0; below[i] && k < ag_input_count(x); k++) {
            int64_t at = ag_index(ag_input(x, k));
            if (at >= 0) below[at] = true;
        }
    }
    return below;
}

bool graph_uses(ag_tensor *y, const ag_tensor *x) {
    bool *below = graph_below(y), found = x == y;
    for (int64_t i = ag_index(y); below && i >= 0 && !found; i--) {
        const ag_tensor *node = ag_tape_node(ag_tape_of(y), i);
        for (int k = 0; below[i] && k < ag_input_count(node); k++) found = found || ag_input(node, k) == x;
    }
    free(below);
    return found;
}
