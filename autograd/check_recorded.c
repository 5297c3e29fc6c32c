/* check_recorded.c: the gradient of the graph as it was recorded, in its own dtypes, to stand beside that of the f64 copy.
 *
 * It is taken on one more copy, not read from ag_grad, where the gradients of several losses may have added up, or those of
 * a step ago may stand. Where this cannot be done the column stays empty: it is no part of the verdict. */
#include <math.h>

#include "autograd/gradcheck.h"

static bool take(ag__trial *t, ag_tape *copy, ag_tensor *loss) {
    ag_tensor **from = ag__temp(copy, 2 * ((size_t)t->n + 1) * sizeof *from), **to = from ? from + t->n + 1 : NULL;
    if (!from) return false;
    from[0] = loss;
    for (int j = 0; j < t->n; j++) from[j + 1] = t->x[j].source;
    bool done = ag_clone(copy, from, t->n + 1, AG_DTYPE_COUNT, AG_CLONE_HOLD, to) &&
                ag_gradients(to, NULL, 1, to + 1, t->n, to + 1);
    for (int j = 0; j < t->n && done; j++) {
        ag__moved *x = &t->x[j];
        const ag_tensor *g = to[j + 1];
        x->recorded = ag__bump(t->tape, &t->tape->recorded, (size_t)g->shape->size * sizeof *x->recorded);
        if (!x->recorded) return false;
        double most = 0;
        for (int64_t i = 0; i < g->shape->size; i++) {
            x->recorded[i] = ag_at(g, i);
            most = fmax(most, fabs(x->recorded[i]));
        }
        x->ulp = g->dtype == AG_F32 ? (double)(nextafterf((float)most, INFINITY) - (float)most)
                                    : nextafter(most, (double)INFINITY) - most;
    }
    ag__temp_free(copy, from);
    return done;
}

/* False: the trial's tape is in an error. */
bool ag__check_recorded(ag__trial *t, ag_tensor *loss) {
    ag_tape *copy = ag_tape_new();
    if (!copy) return true;
    copy->debug = 0;
    take(t, copy, loss);
    ag_tape_free(copy);
    return !t->tape->status;
}
