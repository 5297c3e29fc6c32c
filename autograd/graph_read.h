/* graph_read.h: an .aggraph file in memory, its lines and words. Private to the library. */
#ifndef AUTOGRAD_GRAPH_READ_H
#define AUTOGRAD_GRAPH_READ_H

#include "autograd/graph_format.h"

typedef struct ag__graph_file {
    ag_tape *tape;
    const char *path;
    char *bytes; /* behind the first line; lines are cut and names decoded where they stand */
    size_t size, capacity;
    char *at, *end;              /* of the text: where the next line begins, and behind the line "data" */
    const char *data, *data_end; /* values not yet taken */
    int64_t line;                /* for messages; 0: before the first */
} ag__graph_file;

/* Reads the file, compares its checksum and finds its parts. The tape's memory limit holds for what it reads. */
bool ag__graph_open(ag__graph_file *r, ag_tape *t, const char *path);
void ag__graph_close(ag__graph_file *r);

/* Sets the tape's error: graph_load, the place in the file, the message. Returns false. */
bool ag__graph_fault(const ag__graph_file *r, ag_status status, const char *format, ...) AG_PRINTF(3, 4);

char *ag__graph_line(ag__graph_file *r); /* the next one, ended by '\0'; NULL: none is left */
/* n elements of the values, in the machine's byte order; NULL with an error: they are not there. */
const void *ag__graph_data(ag__graph_file *r, ag_dtype dtype, int64_t n);

/* Words: each moves *p behind what it took, and returns false where the line says something else. */
bool ag__graph_skip(char **p, const char *word);
bool ag__graph_number(char **p, int64_t *out);
bool ag__graph_quoted(char **p, char **out);
bool ag__graph_word(char **p, char *out, size_t size); /* a bare or a quoted one */

#endif
