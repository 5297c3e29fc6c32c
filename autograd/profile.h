/* profile.h: what a profile holds, for its table (profile.c) and its trace (trace.c). Private to the library. */
#ifndef AUTOGRAD_PROFILE_H
#define AUTOGRAD_PROFILE_H

#include "autograd/node.h"

typedef struct ag__tally {
    int64_t runs;
    double seconds, bytes, flops;
} ag__tally;

typedef enum ag__direction { AG__FORWARD, AG__BACKWARD, AG__DIRECTIONS } ag__direction;

typedef struct ag__account {
    const ag_op *op; /* NULL: of a scope; in the table of ops: free, or of all that found no room */
    ag__tally of[AG__DIRECTIONS];
} ag__account;

typedef struct ag__event {
    const ag_op *op;
    const ag__shape *shape; /* of output 0; as old as the tape */
    double start, seconds, bytes, flops;
    uint16_t scope;
    uint8_t direction, dtype;
} ag__event;

enum { AG__OPS = 512 };
struct ag__profile {
    bool on;
    double start, stop;
    ag__account ops[AG__OPS + 1]; /* by hash of the record's address; the last: what found no room */
    ag__account *scopes;          /* by scope, inner ones not included */
    ag__event *events;
    int64_t scope_count, scope_capacity, event_count, event_capacity, left_out;
};

#endif
