/* text.h: text written into a buffer of fixed size, cut where that ends. Private to the library. */
#ifndef AUTOGRAD_TEXT_H
#define AUTOGRAD_TEXT_H

#include "autograd/node.h"

typedef struct ag__text {
    char *out;
    size_t size, used; /* used may be more than size: what there would be room for is what was written */
} ag__text;

/* Begins with an empty text; size 0: nothing is ever written. */
ag__text ag__text_in(char *out, size_t size);
void ag__text_put(ag__text *w, const char *format, ...) AG_PRINTF(2, 3);

/* Columns as people see them: bytes that continue a UTF-8 character take none. */
int ag__text_width(const char *text);

/* "outer/inner", of a path that does not fit its inner end; "" outside every scope. Returns a part of out. */
const char *ag__scope_path(const ag_tape *t, int scope, char *out, size_t size);
/* " [in outer/inner]", or nothing. */
void ag__text_scope(ag__text *w, const ag_tape *t, int scope);

/* The values of x: "0.5" of one element, else "between -1 and 2". NaN is left out. */
void ag__text_range(ag__text *w, const ag_tensor *x);

/* "relu at 'h' [in net/layer1]", "relu at #5"; of a leaf "'w' (4,3)". */
void ag__text_node(ag__text *w, const ag_tensor *x);

#endif
