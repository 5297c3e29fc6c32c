/* reader.h: the fields of a CSV file, one record after the other. Private to nn.
 *
 * The text is taken apart in place: each field is decoded where it lies and ended by a NUL, which never needs more
 * room than the field had, because a separator, a line's end or the spare byte behind the text follows it.
 *
 *     5.1,"a ""b""",x⏎     ⟶     5.1␀a "b"␀…␀x␀
 *
 * All memory is scratch: recorded leaves, which the caller drops by a rewind.
 */
#ifndef NN_READER_H
#define NN_READER_H

#include "autograd/autograd.h"

typedef struct ag__field {
    char *text;
    int64_t line, column; /* where it begins, from 1; column in bytes */
} ag__field;

typedef struct ag__reader {
    ag_tape *tape;
    const char *path;
    char separator;
    char *at, *end; /* what is left; *end is spare */
    char *line_start;
    int64_t line;
    int64_t records;  /* that the file has, if it is well formed; the header is one */
    int width;        /* fields of the first record, and so of every one */
    ag__field *field; /* [width], of the record read last */
} ag__reader;

/* Reads the file and measures it. */
bool ag__reader_open(ag__reader *r, ag_tape *tape, const char *path, char separator);
/* The next record into r->field; false at the end of the file and on an error. */
bool ag__reader_next(ag__reader *r);
/* An error at a place of the file. Returns false. */
bool ag__reader_fail(ag__reader *r, int64_t line, int64_t column, const char *format, ...);
/* Writable memory of rows·columns elements, zeroed; NULL with the tape's error set. */
void *ag__scratch(ag_tape *tape, ag_dtype dtype, int64_t rows, int64_t columns);

#endif
