/* draft.h: a file that appears whole or not at all. Private to the library.
 *
 *     ag__draft d = {.tape = t, .what = "graph_save", .path = path};
 *     bool good = ag__draft_open(&d) && … write to d.fd …;
 *     return ag__draft_close(&d, good);
 */
#ifndef AUTOGRAD_DRAFT_H
#define AUTOGRAD_DRAFT_H

#include <stdio.h>

#include "autograd/node.h"

typedef struct ag__draft {
    ag_tape *tape;
    const char *what; /* begins the messages */
    const char *path; /* as the user wrote it */
    char *target;     /* the same with links followed, so that the rename keeps them */
    char *name;       /* of the draft; empty: the target is a device or a pipe and is written in place */
    int fd;
} ag__draft;

bool ag__draft_open(ag__draft *d);
/* Ends the draft: gives it the target's name if `good` and all was written, else drops it. */
bool ag__draft_close(ag__draft *d, bool good);
bool ag__draft_fail(const ag__draft *d, const char *why); /* "what: cannot write 'path': why"; returns false */
/* A file beside the draft that is gone when it is closed; −1, and errno. */
int ag__draft_scratch(const ag__draft *d);
/* Lets `write` write to fd, d->fd or a scratch file, through stdio. False when it says so or not all could be written. */
bool ag__draft_write(const ag__draft *d, int fd, bool (*write)(FILE *out, const void *context), const void *context);

#endif
