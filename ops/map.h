/* map.h: what an elementwise op adds to its record, and the shape and run that all of them share. */
#ifndef AUTOGRAD_OPS_MAP_H
#define AUTOGRAD_OPS_MAP_H

#include "autograd/op.h"
#include "ops/kernels/rows.h"

/* The gradient of one input; inputs in order, then the output, the gradient that arrives, the scalar attributes. */
typedef ag_tensor *ag__rule_fn(ag_tensor *in0, ag_tensor *in1, ag_tensor *in2, ag_tensor *y, ag_tensor *g, double p,
                               double q);

enum {
    AG__MAP_TO_BOOL = 1, /* the output is bool */
    AG__MAP_CHOOSES = 2  /* input 0 is bool, whatever the others are */
};

typedef struct ag_map {
    int row;              /* AG__ROW_… */
    ag__rule_fn *rule[3]; /* NULL: none flows there */
    int kind;
} ag_map;

bool ag__map_shape(ag_tensor *y);
bool ag__map_run(ag_tensor *y);
bool ag__map_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]);

/* The loop of a row, AG__ROW_add …, for a dtype; NULL: not for this one. */
ag__row_fn *ag__row_loop(int row, int dtype);
/* The one that computes y, and its scalar attributes. */
ag__row_fn *ag__map_loop(const ag_tensor *y);
void ag__map_scalars(const ag_tensor *y, double *p, double *q);

#endif
