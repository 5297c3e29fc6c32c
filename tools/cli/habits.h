/* habits.h: what people write who come from another language, and how it is written here. */
#ifndef CLI_HABITS_H
#define CLI_HABITS_H

#include "fault.h"

/* The hint for an operation that the library does not know, or for a bare word; NULL: none. */
const char *habit_of_op(const char *name);
const char *habit_of_word(const char *name, size_t n);
/* The i-th name with a hint for an operation, NULL beyond the last: a test sees that none of them exists. */
const char *habit_op_at(int i);

/* Two operands beside each other, the first ending at `end`, the second at `at`: what was meant? Writes "; …". listed: what
 * they are if a comma is missing between them, "elements" or "arguments"; NULL outside of brackets. */
void habit_between(const source *in, size_t end, span at, const char *listed, char *out, size_t size);
/* A point that belongs to no number: np.exp(x), x.sum(), points.csv. "": nothing is known of it. */
void habit_of_point(const source *in, size_t at, char *out, size_t size);

#endif
