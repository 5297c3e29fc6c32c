/* property.h: what must hold for every sample of every operation. Each fails the test, naming op, sample and itself. */
#ifndef TESTS_OPS_PROPERTY_H
#define TESTS_OPS_PROPERTY_H

#include "ops/gradient.h"
#include "ops/sample.h"

/* Of a sample */
void values(const sample *s);      /* equal the reference's, in f64 and f32, and in i64 where ops.h says "number" */
void composition(const sample *s); /* compose(y) equals run's y */
void gradients(const sample *s);   /* five points, orders 1 and 2; ag_backward agrees with ag_gradients */
void forward_mode(const sample *s); /* five points along a direction; ⟨w, Ju⟩ = ⟨Jᵀw, u⟩; forward over reverse */
void single_precision(const sample *s); /* f32 is f64 to 1e-5, values and gradients */
void views(const sample *s);            /* strided inputs give what contiguous ones give, values and gradients */
void clones(const sample *s);           /* a clone has the same values, in its own dtype */
void replays(const sample *s);          /* a replay on new leaves gives what a new call gives */
void attributes(const sample *s);       /* ag_attr_text of a node, read by ag_call, makes the same node */

/* Of an operation; s is its first sample */
void record(const sample *s);      /* complete: gradient, formula, samples, size, a line in a header */
void wrong_input(const sample *s); /* NULL with one clear sentence; the tape goes on after ag_tape_clear */

/* The sample in f64 as a function for gradient_check; false if it has no float input or output. */
bool sample_function(const sample *s, ag_tape *t, function *f);

/* Words of a list that are separated by spaces. */
bool listed(const char *list, const char *word);
extern const char integer_ops[], bool_ops[]; /* ops that take i64, bool where samples have floats */

#endif
