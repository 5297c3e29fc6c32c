/* eval.h: a program's value, recorded on a tape.
 *
 * Names are looked up among the lets before it, then the bindings, then the constants pi, e, inf, nan. Each node of
 * the tree becomes at most a few nodes of the tape; arithmetic on plain numbers is done at once, in f64.
 *
 * Dtypes. Numbers are floats of one dtype, that of the evaluator. Where arithmetic meets i64 or bool it converts
 * them, to the wider of both; where an operation wants indices or a condition, whole numbers that were written or
 * bound are made i64 or bool. Results of operations are never converted back to integers.
 */
#ifndef CLI_EVAL_H
#define CLI_EVAL_H

#include "autograd/inspect.h"
#include "syntax.h"

typedef struct binding {
    char *name;
    source from;  /* what was typed */
    ag_tensor *x; /* a leaf */
    bool used;
} binding;

typedef struct value { /* of a node */
    enum { VALUE_NONE, VALUE_NUMBER, VALUE_TENSOR, VALUE_WORD /* of an attribute: true, f32, all */ } kind;
    double number;
    const char *word;
    ag_tensor *x;
} value;

typedef struct evaluator {
    ag_tape *tape;
    ag_dtype dtype; /* AG_F64, or AG_F32 */
    binding *bindings;
    int count;
    /* while a program runs */
    const program *p;
    const source *in;
    fault *f;
    value *v; /* [nodes] */
    unsigned char *skip;
    int *let; /* ids of the lets so far */
    int lets;
    fault odd; /* its result is not finite: which part of it made that of finite values; code 0: none */
} evaluator;

/* The value of the last statement, or NULL after a fault. */
ag_tensor *eval_program(evaluator *e, const program *p, const source *in, fault *f);

/* A leaf of dtype f32, f64, i64 or bool from f64 values. NULL: see the tape's status; when that is AG_OK, memory is
 * short. */
ag_tensor *eval_leaf(ag_tape *tape, ag_dtype dtype, const double *data, ag_shape shape, unsigned flags);

/* Between the files of the evaluator: e->v of the children is there; each returns false after a fault. */

/* ops by name and their attributes (call.c) */
bool eval_call(evaluator *e, int id);
bool eval_plan_call(evaluator *e, int id); /* before evaluation: checks the op's name, marks attributes */
/* lists and indices (list.c) */
bool eval_list(evaluator *e, int id);
bool eval_index(evaluator *e, int id);

/* ag_call; matrix products also of vectors, which ag_matmul alone takes */
ag_tensor *eval_apply(evaluator *e, const char *op, ag_tensor *const in[], int n, const char *attributes);

/* The child as a tensor of dtype, converted if need be; AG_DTYPE_COUNT: as it is. NULL after a fault at node `id`. */
ag_tensor *eval_tensor(evaluator *e, int id, ag_dtype dtype);
/* Stores x as the value of node id; NULL: the tape's error becomes a fault there. */
bool eval_store(evaluator *e, int id, ag_tensor *x);
/* The sentence without the node's number, which nobody sees here */
const char *eval_origin(ag_origin *o);
bool eval_whole(double v); /* an integer that f64 holds exactly */
/* How a node's subtree is to be treated: evaluated, an attribute (numbers and words), or not at all */
enum { SKIP_NOTHING, SKIP_ATTRIBUTE, SKIP_NODE };

#endif
