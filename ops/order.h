/* order.h: the elements of a line in order, by keys: unsigned numbers that sort as the elements do, NaN above all, −0 equal to 0.
 *
 *     x 3 1 NaN 1     in order: 1 1 3 NaN   places 1 3 0 2        descending: NaN 3 1 1   places 2 0 1 3
 *
 * Equal elements stay in order of their places, both ways. */
#ifndef OPS_ORDER_H
#define OPS_ORDER_H

#include "ops/need.h"

/* Keys of n elements `stride` apart, of any dtype; descending: keys that sort the other way round. */
void ag__order_keys(const void *x, ag_dtype dtype, int64_t n, int64_t stride, bool descending, uint64_t *key);
/* The key of NaN, ascending; no number of a float has it. */
#define AG__KEY_NAN UINT64_MAX

/* place[k]: which of n elements is the k-th in order. scratch holds ag__order_bytes. */
void ag__order_sort(const void *x, ag_dtype dtype, int64_t n, int64_t stride, bool descending, void *scratch,
                    int64_t *place);
size_t ag__order_bytes(ag_dtype dtype, int64_t n);
/* The place of the k-th of n keys in order, in O(n). scratch holds n keys. */
int64_t ag__order_select(const uint64_t *key, int64_t n, int64_t k, uint64_t *scratch);

/* In shape, of an op that chooses an element of each line along axis: declares it and its place. */
bool ag__chosen_shape(ag_tensor *y, int axis, bool keepdim);
/* For grad and jvp of an op whose output 1 is the places along axis that output 0 comes from; keepdim false: the axis is gone from
 * both. What arrives at output 0 goes to those places, and tangents come from there. */
bool ag__to_places(ag_tensor *y, ag_tensor *g, int axis, bool keepdim, ag_tensor *d[]);
bool ag__from_places(ag_tensor *y, ag_tensor *tangent, int axis, bool keepdim, ag_tensor *out[]);

/* Runs body for each of `lines` lines, of n elements, in parallel, with `bytes` of scratch that is its own meanwhile. */
typedef void ag__line_body(void *context, int64_t line, void *scratch);
bool ag__each_line(ag_tensor *y, int64_t lines, int64_t n, size_t bytes, ag__line_body *body, void *context);

#endif
