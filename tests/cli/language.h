/* language.h: random programs for the tests of the command's language. */
#ifndef TESTS_CLI_LANGUAGE_H
#define TESTS_CLI_LANGUAGE_H

#include "tools/cli/syntax.h"

/* A tree of any kind of node, made without the parser; `most` nodes or so. */
bool language_random_program(program *p, int most, uint64_t *state);
/* The text of a smooth formula of x, y, z that stays finite where they are in [−1, 1], some parts used twice. */
void language_random_formula(text *out, uint64_t *state);

#endif
