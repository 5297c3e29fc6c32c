/* algebra.h: trees that simplify themselves as they are built: 1·x is x, −(−x) is x, −y + 1 is 1 − y, numbers meet
 * numbers.
 *
 * Each function returns a node of a.p, or −1 once something failed. Numbers are rounded to six digits: trees made
 * here are for reading. */
#ifndef CLI_ALGEBRA_H
#define CLI_ALGEBRA_H

#include "syntax.h"

typedef struct algebra {
    program p;
    bool failed; /* memory ran out */
} algebra;

int algebra_node(algebra *w, node_kind kind, const int *children, int count);
int algebra_name(algebra *w, node_kind kind, const char *name, const int *children, int count);
int algebra_number(algebra *w, double v);
bool algebra_value(const algebra *w, int id, double *out); /* is it a number? */

int algebra_negated(algebra *w, int a);
int algebra_total(algebra *w, int a, int b);
int algebra_product(algebra *w, int a, int b);
int algebra_quotient(algebra *w, int a, int b);
int algebra_power(algebra *w, int a, int b);
int algebra_binary(algebra *w, symbol s, int a, int b);  /* as it is */
int algebra_combine(algebra *w, symbol s, int a, int b); /* simplified */

#endif
