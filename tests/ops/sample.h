/* sample.h: the samples of ops.def, and the tensors made of them.
 *
 *     "f(4,3) i(5)<4 | axis=0"  ─ sample_next ─▶  two operands, attributes "axis=0"  ─ sample_tensors ─▶  leaves on a
 * tape
 *
 * The language is that of ops.def; tests may also say the values themselves: i(3)=0,2,-1 or f(2)=1,nan.
 * A sample's values depend on its text alone, so that the same numbers can be had twice, in either float dtype. */
#ifndef TESTS_OPS_SAMPLE_H
#define TESTS_OPS_SAMPLE_H

#include "autograd/op.h"
#include "check.h"

enum { SAMPLE_INPUTS = 8, SAMPLE_TEXT = 256, SAMPLE_GIVEN = 24, SAMPLE_ELEMENTS = 1 << 17 };

typedef struct operand {
    char kind; /* f, i, b, d, s as in ops.def */
    ag_shape shape;
    int64_t limit; /* i: values from 0 to limit − 1 */
    int given;     /* how many values the sample says itself; 0: none */
    double value[SAMPLE_GIVEN];
} operand;

typedef struct sample {
    const ag_op *op;
    int n;
    operand in[SAMPLE_INPUTS];
    char attributes[SAMPLE_TEXT], text[SAMPLE_TEXT];
} sample;

/* The built-in operations, in the order of ops.def, ended by a NULL name. */
typedef struct listed_op {
    const char *name, *samples;
} listed_op;
extern const listed_op listed_ops[];
int listed_op_count(void);

/* Reads the first sample of a list and returns what follows it; NULL at the list's end. A fault fails the test. */
const char *sample_next(const char *list, const char *op, sample *out);

/* The values of operand i, row-major: exact in f32. Floats lie in the op's [lo, hi]. */
void sample_values(const sample *s, int i, double *out);
/* The same as integers, for ops that take i64 where they take floats. */
void sample_integers(const sample *s, int i, double *out);

/* Persistent leaves on t, floats in `dtype` (AG_I64: sample_integers); flags are for the floats. */
bool sample_tensors(const sample *s, ag_tape *t, ag_dtype dtype, unsigned flags, ag_tensor *in[]);
ag_tensor *sample_leaf(ag_tape *t, ag_dtype dtype, ag_shape shape, unsigned flags, const double *values);

/* Floats in the dtype that a run is made in, else the operand's own. */
ag_dtype sample_dtype(const sample *s, int i, ag_dtype dtype);
int64_t sample_size(ag_shape shape);
bool sample_is_float(const sample *s, int i);

/* The sample's call on these inputs. */
ag_tensor *sample_call(const sample *s, ag_tape *t, ag_tensor *const in[]);
/* y itself, or the parts of a tuple, in ys; returns how many. */
int sample_outputs(ag_tensor *y, ag_tensor *ys[], int most);

/* Fails the test, naming op, sample and property, unless the condition holds. */
#define need(s, condition, ...)                                                                               \
    do {                                                                                                      \
        char need_text[CHECK_TEXT] = "";                                                                      \
        bool need_holds = (condition);                                                                        \
        if (!need_holds) snprintf(need_text, sizeof need_text, __VA_ARGS__);                                  \
        cr_assert(need_holds, "%s, %s: %s, %s: %s", (s)->op->name, (s)->text, __func__, ag_isa(), need_text); \
    } while (0)

#endif
