/* show.h: tensors as text.
 *
 * For people: numbers to ten digits, matrices with aligned columns, in the language's own notation, so that what is
 * printed can be typed; of more than 1000 elements the corners. As JSON: everything, and every bit of it. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "autograd/autograd.h"
#include "text.h"

/* indent: blanks before every line but the first */
void show_tensor(text *out, const ag_tensor *x, int indent);
/* "f64 (3,4)" */
void show_shape(text *out, const ag_tensor *x);
/* A number, or {"dtype": "f64", "shape": [2], "data": [1, 2]} */
void show_json(text *out, const ag_tensor *x);
/* Nested arrays only */
void show_json_data(text *out, const ag_tensor *x);
/* "w[1,0]": element `index`, row-major; "w" for one of rank 0 */
void show_element(text *out, const char *name, const ag_tensor *x, int64_t index);

#endif
