/* derivative.h: what `autograd grad` does beyond gradients. */
#ifndef CLI_DERIVATIVE_H
#define CLI_DERIVATIVE_H

#include "cli.h"

enum { SIDE = 9 /* digits of numbers that stand side by side: what five-point differences get right */ };

void derivative_value(session *s); /* "value  0.5" and an empty line */
/* --hessian: the matrix of second derivatives by the elements of one input, and its check */
bool derivative_hessian(session *s, ag_tensor *const *xs, int n);
/* --jvp: how the result moves when the inputs move along the given tangents, by forward mode and by differences */
bool derivative_jvp(session *s);

#endif
