/* replay.c: runs what is recorded again, on the leaves' present values. Nodes keep their memory, so views and pointers to
 * results stay good; random nodes draw the same numbers, because key and draw are an input and an attribute. */
#include "autograd/node.h"

/* What a replay that failed did not reach holds values of old inputs: they count as overwritten. */
static bool stop_at(ag_tape *t, int64_t i) {
    for (; i < t->recorded.count; i++) ag__node(&t->recorded, i)->ran = 0;
    return false;
}

bool ag_replay(ag_tape *t) {
    if (!t) return ag__fail(NULL, AG_ERR_ARGUMENT, "replay: the tape is NULL") != NULL;
    if (t->status) return false;
    if (ag__inside(t)) return ag__fail(t, AG_ERR_STATE, "replay: called inside a gradient rule or hook") != NULL;
    for (int64_t i = 0; i < t->recorded.count; i++) {
        ag_tensor *y = ag__node(&t->recorded, i);
        if (!y->op || y->op->flags & AG_EFFECT) continue;
        for (uint32_t k = 0; k < y->nin; k++) {
            ag__storage *s = ag__in(y)[k]->store;
            if (s && s->kind == AG__BORROWED) ag__borrow_refresh(t, s);
        }
        if (!ag__run(y)) return stop_at(t, i);
    }
    return true;
}
