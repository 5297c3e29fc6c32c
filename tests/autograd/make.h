/* make.h: what the tests of autograd/ make their graphs from. */
#ifndef TESTS_AUTOGRAD_MAKE_H
#define TESTS_AUTOGRAD_MAKE_H

#include "check.h"

/* f64 leaves of rank 1 holding the values listed: with a gradient, without, and one that the next rewind drops. */
#define COUNT(...) ((int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))
#define LEAF(t, flags, ...) ag_leaf(t, AG_F64, (const double[]){__VA_ARGS__}, AG_SHAPE(COUNT(__VA_ARGS__)), flags)
#define PARAM(t, ...) LEAF(t, AG_REQUIRES_GRAD, __VA_ARGS__)
#define DATA(t, ...) LEAF(t, 0, __VA_ARGS__)
#define BATCH(t, ...) LEAF(t, AG_RECORDED, __VA_ARGS__)

/* A scalar parameter. */
static inline ag_tensor *number(ag_tape *t, double value) {
    return ag_leaf(t, AG_F64, &value, AG_SHAPE(), AG_REQUIRES_GRAD);
}

#define SUM(x) ag_sum(x, AG_ALL, false)
#define COUNT_OF(table) ((int)(sizeof(table) / sizeof *(table)))

#endif
