/* manual.h: what ops/ops.h says of each operation, as a table that manual.awk makes of it when the command is built. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stddef.h>

typedef struct manual_row {
    const char *name, *group, *text; /* "abs", "Steps and pieces", "|x|; gradient 0 at 0" */
} manual_row;
extern const manual_row manual[]; /* in the manual's order, ended by a NULL name */

/* NULL: the manual does not know it. */
const manual_row *manual_of(const char *name);
/* The group whose name begins with `word`, whatever its case; NULL: none. */
const char *manual_group(const char *word);

#endif
