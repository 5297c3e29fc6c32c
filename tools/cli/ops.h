/* ops.h: one operation, as its record and a trial call tell it. */
#ifndef CLI_OPS_H
#define CLI_OPS_H

#include "autograd/op.h"
#include "cli.h"

/* The attributes a user gives: an array ended by a NULL name */
const ag_attr_field *ops_fields(const ag_op *op);
/* How many inputs a user gives; −1: any number */
int ops_inputs(const ag_op *op);
/* The length of the default at the start of f->preset, which for a choice goes on with the others; 0: none */
int ops_default_length(const ag_attr_field *f);
/* softmax(x, axis=-1) */
void ops_put_call(const ag_op *op, text *out);

/* A call that works, found by trying shapes and dtypes. given: attributes as ag_call reads them; required ones that
 * are missing are guessed. */
enum { TRIAL_INPUTS = 6 };
typedef struct trial {
    int n;
    ag_tensor *in[TRIAL_INPUTS], *y;
    ag_shape shape[TRIAL_INPUTS];
    ag_dtype dtype[TRIAL_INPUTS];
    char attributes[256];
} trial;
/* optional: with as many of the optional inputs as can be */
bool ops_try(ag_tape *tape, const ag_op *op, const char *given, bool optional, trial *out);
/* The same call with other dtypes; *y NULL when the operation does not take them. */
ag_tensor *ops_try_dtypes(ag_tape *tape, const ag_op *op, const trial *like, const ag_dtype dtype[TRIAL_INPUTS]);

/* A drawing of an elementwise operation of one input and of its derivative (curve.c). lo < hi: the interval of x */
bool ops_curve(session *s, const ag_op *op, const char *attributes, double lo, double hi, text *svg);

#endif
