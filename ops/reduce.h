/* reduce.h: what reductions over a set of axes share. Their attributes begin with ag__over.
 *
 *     x (2,3,4) over axes 0, 2:   y (3), kept (1,3,1)        spread: anything of y's shape as (1,3,1), to broadcast with x */
#ifndef AUTOGRAD_OPS_REDUCE_H
#define AUTOGRAD_OPS_REDUCE_H

#include <stddef.h>

#include "autograd/op.h"

typedef struct ag__over {
    ag_axes axes;
    bool keepdim;
} ag__over;

#define AG__OVER_FIELDS                                               \
    {"axes", AG_ATTR_AXES, offsetof(ag__over, axes), "all"}, {        \
        "keepdim", AG_ATTR_BOOL, offsetof(ag__over, keepdim), "false" \
    }
extern const ag_attr_field ag__over_fields[]; /* these two alone */

bool ag__reduced_axes(ag_tensor *y, bool reduced[AG_MAX_RANK]);
bool ag__reduce_shape(ag_tensor *y);                    /* a number to one of its dtype */
bool ag__reduce_shape_to(ag_tensor *y, ag_dtype dtype); /* whatever it is to `dtype` */
bool ag__reduce_needs_some(ag_tensor *y); /* an error where an output would have no element to be made of */
bool ag__reduce_one_axis(ag_tensor *y);   /* an error unless one axis is named, or all are meant */
ag_tensor *ag__spread(ag_tensor *y, ag_tensor *v);
/* how many are set of tied, a bool of x's shape, over the reduced axes, which are kept; a number of x's dtype */
ag_tensor *ag__count_ties(ag_tensor *y, ag_tensor *tied);
/* v where tied, a bool of x's shape, is set, divided by how many of those there are over the reduced axes; else 0 */
ag_tensor *ag__share_ties(ag_tensor *y, ag_tensor *tied, ag_tensor *v);
double ag__reduce_terms(const ag_tensor *y); /* how many elements of x make one of y */
double ag__reduce_flops(const ag_tensor *y); /* one for each element of x */

#endif
