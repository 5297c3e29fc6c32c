/* graph.h: walks over a recorded graph, without recursion. */
#ifndef CLI_GRAPH_H
#define CLI_GRAPH_H

#include "autograd/autograd.h"

/* below[i]: does tape node i lead to y (y itself does)? [ag_tape_size], freed by the caller; NULL when memory is
 * short. */
bool *graph_below(ag_tensor *y);
/* Does y depend on x, through whatever ops? */
bool graph_uses(ag_tensor *y, const ag_tensor *x);

#endif
