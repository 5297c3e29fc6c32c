/* gradcheck_models.h: four models, small but whole, in which any one call of an op can be replaced.
 *
 *     model_mlp  model_convnet  model_recurrent  model_attention  ─▶ a one-element f32 loss
 *
 * The models call each op by name. With a `plant`, the given call of that op (counted from 0) is made with another record. */
#ifndef TESTS_AUTOGRAD_GRADCHECK_MODELS_H
#define TESTS_AUTOGRAD_GRADCHECK_MODELS_H

#include "autograd/op.h"

typedef struct plant {
    const char *op; /* NULL: nothing is planted */
    int call;       /* which call of op */
    const ag_op *record;
    ag_tensor *node; /* out: what was made with it */
    int seen;
} plant;

typedef struct model {
    const char *name;
    ag_tensor *(*loss)(ag_tape *t, plant *p);
} model;

enum { MLP, CONVNET, RECURRENT, ATTENTION, MODELS };
extern const model models[MODELS];

/* f32 parameters and data, named, from fixed random numbers. */
ag_tensor *model_loss(const model *m, ag_tape *t, plant *p);

#endif
