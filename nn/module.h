/* module.h: how a module lies in memory. Private to nn.
 *
 *   sequential ── child ─▶ "0" linear ── next ─▶ "1" tanh ── next ─▶ "2" linear
 *                           │ slot                                    │ slot
 *                           ▼                                         ▼
 *                          "weight" ─▶ "bias"                        "weight" ─▶ "bias"
 *
 * Invariants. A module has one parent at most, on its own tape, so modules form trees and walking them ends. The name
 * of a tensor (ag_name) is the path from the root, by dots. `listed` is false whenever a module was changed at or
 * below this one.
 */
#ifndef NN_MODULE_H
#define NN_MODULE_H

#include "nn/nn.h"

typedef enum ag__slot_kind { AG__PARAMETER, AG__BUFFER, AG__SLOT_KINDS } ag__slot_kind;

typedef struct ag__slot {
    struct ag__slot *next;
    const char *name;
    ag_tensor *tensor;
    ag__slot_kind kind;
} ag__slot;

typedef struct ag__list {
    ag_tensor **tensor;
    int count;
} ag__list;

struct ag_module {
    ag_tape *tape;
    const char *kind;
    const char *name;  /* in the parent; "" for a root */
    const char *scope; /* what forward records stands in it; NULL: in the caller's, for a module without contents */
    ag_forward_fn *forward;
    void *fields;
    size_t field_bytes;
    ag__slot *slot, **last_slot;
    ag_module *parent, *next, *child, **last_child;
    ag__list list[AG__SLOT_KINDS]; /* of this tree, each tensor once */
    bool listed, training;
};

/* Gives every tensor of this tree its dotted name from the root. */
bool ag__module_rename(ag_module *m);
/* Can m be worked with? Not when it is NULL, which is reported, nor when its tape has an error. */
bool ag__module_ok(const ag_module *m, const char *where);

#endif
