/* null.h: calls of public functions with NULL in the place of a tensor. x is a tensor of t. */
#ifndef TESTS_OPS_NULL_H
#define TESTS_OPS_NULL_H

#include "check.h"

/* Fails the test unless y is NULL and there is a reason; clears it, and remembers the function's name. */
void null_refused(ag_tape *t, const void *y, const char *call);

#define REFUSED(call) null_refused(t, call, #call)
#define ONE(f) REFUSED(f(NULL))
#define TWO(f) REFUSED(f(NULL, NULL)), REFUSED(f(x, NULL)), REFUSED(f(NULL, x))

/* Forms that further attributes or inputs choose, reductions, scans and functions of several results. */
void null_forms(ag_tape *t, ag_tensor *x);

#endif
