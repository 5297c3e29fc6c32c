/* formula.h: recorded nodes as formulas, and the rule of one node alone.
 *
 * A gradient rule is made of operations, so it can be read off the tape: run it on aliases of the inputs, with g for
 * the gradient that arrives, and write down what it recorded, simplified. Nothing here knows a derivative:
 *
 *     tanh     sub(g, mul(g, square(y))) at g = 1    →    1 - y^2
 */
#ifndef CLI_FORMULA_H
#define CLI_FORMULA_H

#include "autograd/autograd.h"
#include "text.h"

typedef struct named { /* where a formula stops */
    const ag_tensor *x;
    const char *name; /* "1" stands for the number */
} named;

/* Writes x in terms of the named tensors. `tight`: in brackets if it is a sum. False when memory is short or the
 * formula is longer than `longest` bytes; nothing is written then. Numbers and other constants are written as such; a choice
 * that falls the same way for all elements is written as what was chosen. */
enum { FORMULA_LINE = 160, FORMULA_PAGE = 640 };
bool formula_put(text *out, ag_tensor *x, const named *names, int n, bool tight, size_t longest);
/* x as its operation on its inputs, each of which has a name. */
bool formula_put_step(text *out, ag_tensor *x, const named *inputs);

/* The node that made x, and which of its outputs x is: x itself but for operations with several outputs. */
ag_tensor *formula_maker(ag_tensor *x, int *output);

enum { RULE_INPUTS = 64 };
typedef struct rule {
    int n;
    ag_tensor *in[RULE_INPUTS]; /* stand-ins for the inputs */
    ag_tensor *y, *g;           /* x again, and what arrives at it */
    ag_tensor *d[RULE_INPUTS];  /* what goes to input i; NULL for inputs that are not float */
} rule;
/* Runs x's rule at g (NULL: ones). All is recorded: mark the tape before, rewind it after. False: see the tape's
 * status; when that is AG_OK, the operation has more than RULE_INPUTS inputs. */
bool rule_run(rule *r, ag_tensor *x, ag_tensor *g);

#endif
