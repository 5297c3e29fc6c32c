/* manual_of.c: looking things up in the manual. */
#include <string.h>
#include <strings.h>

#include "manual.h"

const manual_row *manual_of(const char *name) {
    for (const manual_row *row = manual; row->name; row++) {
        if (!strcmp(row->name, name)) return row;
    }
    return NULL;
}

const char *manual_group(const char *word) {
    for (const manual_row *row = manual; *word && row->name; row++) {
        if (!strncasecmp(row->group, word, strlen(word))) return row->group;
    }
    return NULL;
}
