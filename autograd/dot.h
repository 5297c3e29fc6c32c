/* dot.h: what the files of the drawing share. Private to the library.
 *
 *     dot.c        the graph that leads to y: collected, numbered, laid into clusters
 *     dot_label.c  what stands in one node
 *     render.c     files that appear whole or not at all, the program `dot`, AG_DOT
 */
#ifndef AUTOGRAD_DOT_H
#define AUTOGRAD_DOT_H

#include <stdio.h>

#include "autograd/inspect.h"

/* Writes the graph to out. False when memory is short (the tape's error is set) or when out failed (ferror). */
bool ag__dot_graph(FILE *out, ag_tensor *y, const ag_dot_options *options);

typedef enum ag__dot_kind {
    AG__DOT_PARAMETER,
    AG__DOT_INPUT,
    AG__DOT_CONSTANT, /* a recorded leaf without a name, of one value: ag_scalar, ag_full */
    AG__DOT_OP,
    AG__DOT_OUTPUT, /* y itself */
    AG__DOT_KINDS
} ag__dot_kind;

/* Writes <…>, an HTML-like label. */
void ag__dot_label(FILE *out, ag_tensor *x, ag__dot_kind kind, const ag_dot_options *options);
/* Writes text so that it may stand in such a label, whatever its bytes; of more than `limit` characters the first and "…". */
void ag__dot_text(FILE *out, const char *text, int limit);

#define AG__DOT_INK "#1A1A1A"
#define AG__DOT_MUTED "#5F6B76"    /* small print */
#define AG__DOT_GRADIENT "#B84300" /* vermilion of Okabe and Ito's palette, darkened until it reads as text */

#endif
