/* public.h: the C functions of ops.h against the same calls by name. */
#ifndef TESTS_OPS_PUBLIC_H
#define TESTS_OPS_PUBLIC_H

#include "check.h"

/* Fails the test unless y is what the op makes of in[0..n) with these attributes; remembers the op. */
void public_same(ag_tape *t, const char *name, ag_tensor *y, ag_tensor *const in[], int n, const char *attributes);

/* SAME(op, the function's result, the attributes as text, inputs…) */
#define SAME(name, result, attributes, ...)                          \
    public_same(t, #name, result, (ag_tensor *const[]){__VA_ARGS__}, \
                sizeof((ag_tensor *const[]){__VA_ARGS__}) / sizeof(void *), attributes)

typedef struct operands {
    ag_tensor *x, *y, *cube, *positive, *yes, *index, *label, *matrix, *definite, *scalar;
} operands;

operands public_operands(ag_tape *t);

/* Of one input or elementwise, with attributes. */
void public_attributes(ag_tape *t, operands o);

#endif
