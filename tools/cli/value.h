/* value.h: name=value on the command line, as leaves of a tape.
 *
 *     x=2   x=-1e-3   w='[0.5; -1]'   t='2*pi/3'    an expression of numbers
 *     X=@points.csv                                  comma-separated values: (rows, columns), or a column (rows, 1)
 *     X=@iris.csv:petal_length,petal_width           some columns of it, by name
 *     y=@iris.csv:species                            a column of words: 0, 1, … in order of appearance, (rows) i64
 *     y=@y.npy                                       NumPy's format: f4, f8, i4, i8 or bool
 *     X=-                                            either of them from standard input
 *
 * Whether the first line of a CSV file names the columns is seen from it: a line of numbers does not.
 */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include "eval.h"

/* "x=2" → a leaf named x on e's tape that requires a gradient if it is float; false after a fault. */
bool value_bind(evaluator *e, const char *pair, fault *f);
/* Is this argument a pair, name=value (and not a comparison)? */
bool value_is_pair(const char *argument);
/* The leaf of a value alone, unnamed: what stands behind '='. */
ag_tensor *value_read(evaluator *e, const char *name, const char *typed, fault *f);
void value_free(evaluator *e);

/* All bytes of a file, "-" for standard input, NUL behind them; freed by the caller. NULL after a fault. */
char *file_read(const char *path, size_t *size, fault *f);

/* A .npy file in memory as a leaf; floats become dtype. NULL after a fault. */
bool npy_recognised(const char *bytes, size_t size);
ag_tensor *npy_read(ag_tape *tape, ag_dtype dtype, const char *path, const char *bytes, size_t size, fault *f);

#endif
