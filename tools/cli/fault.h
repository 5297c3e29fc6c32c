/* fault.h: what went wrong, and where in the text that was typed.
 *
 *     expression:1:6: unknown op 'sofmax'; did you mean 'softmax'?
 *         mean(sofmax(x, axis=1))
 *              ^~~~~~
 *
 * The first fault sticks; later ones are its echoes and are dropped. Functions that fail return false after fault_set.
 */
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "autograd/autograd.h"

/* Exit codes of the program */
enum {
    EXIT_FINE = 0,
    EXIT_GRADIENT = 1, /* a gradient failed its check */
    EXIT_USAGE = 2,    /* the command line or the expression cannot be read */
    EXIT_VALUE = 3,    /* it can be read, but not evaluated: shapes, dtypes, values */
    EXIT_FILE = 4,     /* a file, or the program dot */
    EXIT_MEMORY = 5
};

/* A text that was typed or read: the expression, a value on the command line. Owned elsewhere. */
typedef struct source {
    const char *name; /* "expression", "w" */
    const char *text;
    size_t size;
} source;

typedef struct span {
    size_t start, end; /* bytes of the source */
} span;

typedef struct fault {
    int code; /* EXIT_…; 0: none */
    char message[768];
    source in; /* text NULL: no place to point at */
    span at;
} fault;

/* Both return false. `in` NULL: about no particular text. */
__attribute__((__format__(__printf__, 5, 6))) bool fault_set(fault *f, int code, const source *in, span at,
                                                             const char *format, ...);
__attribute__((__format__(__printf__, 3, 4))) bool fault_say(fault *f, int code, const char *format, ...);
bool fault_memory(fault *f);
/* A message of the library, less the name of the function that it begins with */
bool fault_library(fault *f, int code, const char *message);
/* The tape's error, at this place; clears the tape. */
bool fault_tape(fault *f, ag_tape *tape, const source *in, span at);

void fault_print(const fault *f, FILE *out);

/* The nearest of the names to `word`: nearest_try each one, best is NULL if none is near enough to be meant. */
typedef struct nearest {
    const char *word, *best;
    int distance;
} nearest;
nearest nearest_begin(const char *word);
void nearest_try(nearest *n, const char *name);

#endif
