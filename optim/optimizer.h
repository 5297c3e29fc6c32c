/* optimizer.h: what the optimizers share. Private to optim.
 *
 * A step operation has the inputs  w, g, η, states like w …, and last, if it counts, the number k of steps before.
 */
#ifndef OPTIM_OPTIMIZER_H
#define OPTIM_OPTIMIZER_H

#include "autograd/op.h"
#include "optim/optim.h"

enum { AG__W, AG__G, AG__LR, AG__STATE, AG__GRAIN = 1 << 14 /* elements a thread takes at least */ };

/* Checks the inputs of a step with `like` states like w, and with or without a count; y becomes a view of w. */
bool ag__step_shape(ag_tensor *y, int like, bool counts);
/* The count's value, and its successor written back. */
double ag__step_count(const ag_tensor *y);
void ag__step_count_up(ag_tensor *y);

/* Copies the caller's options, of which an older program may know fewer, over the defaults in `to`. */
bool ag__options_take(ag_tape *tape, const char *where, void *to, size_t size, const void *from);
/* Reports an option that is not in its interval. Returns ok. */
bool ag__option_check(ag_tape *tape, const char *where, bool ok, const char *name, double value, const char *interval);

#endif
