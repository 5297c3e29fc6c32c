/* graph_file.h: what the tests of .aggraph files share: files of a test's own, and graphs compared to the last bit. */
#ifndef TESTS_AUTOGRAD_GRAPH_FILE_H
#define TESTS_AUTOGRAD_GRAPH_FILE_H

#include <stdlib.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"

enum { FILE_MOST = 1 << 16 };

/* An empty file with a name of its own, removed by file_end. Returns path. */
char *file_begin(char path[64]);
void file_end(const char *path);
size_t file_read(const char *path, unsigned char bytes[FILE_MOST]);
void file_write(const char *path, const void *bytes, size_t n);

/* Saves the ys, loads them onto `other`, and asserts that the graphs are the same: all nodes in order, with ops, attributes,
 * names, scopes, flags and bits. out are the loaded ys. */
void file_round_trip(ag_tensor *const ys[], int n, ag_tape *other, ag_tensor *out[]);

#endif
