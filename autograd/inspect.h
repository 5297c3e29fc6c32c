/* inspect.h: look at a graph: draw it.
 *
 *     ag_backward(loss);
 *     ag_dot_write(loss, "graph.dot", NULL);       Graphviz text
 *     ag_dot_render(loss, "graph.svg", NULL);      through the program `dot`: svg, png or pdf by the file's suffix
 *
 * Any program draws its first backward pass, gradients kept, when the environment says AG_DOT=file.
 */
#ifndef AUTOGRAD_INSPECT_H
#define AUTOGRAD_INSPECT_H

#include "autograd/autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ag_dot_options {
    size_t size;       /* set by ag_dot_defaults */
    bool values;       /* values on the nodes: the number of a scalar, a small matrix whole, else mean and range */
    bool gradients;    /* gradients likewise, where a backward pass left them */
    bool constants;    /* draw constant leaves too */
    const char *title; /* NULL: none */
} ag_dot_options;
AG_API ag_dot_options ag_dot_defaults(void);

/* Writes the graph that leads to y as Graphviz text. Parameters, other leaves, operations and y itself have shapes of
 * their own; scopes are clusters. options NULL: the defaults. */
AG_API bool ag_dot_write(ag_tensor *y, const char *path, const ag_dot_options *options);
/* The same through the program `dot`, without a shell; path ends in .svg, .png or .pdf (.dot: as ag_dot_write). */
AG_API bool ag_dot_render(ag_tensor *y, const char *path, const ag_dot_options *options);

#ifdef __cplusplus
}
#endif
#endif
