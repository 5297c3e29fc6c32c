/* check.h: assertions about numbers and tensors, and a few makers, shared by all tests.
 *
 * Criterion's own float assertions evaluate their arguments twice, fail for inf == inf and take INF for DBL_MAX. These
 * evaluate once, and a failure says the element, both values and their distance. They stop the test.
 *
 *     assert_close(ag_item(y), 0.25, 1e-12);
 *     assert_values(y, 1e-6, 1, 2, 3, 4);                     all elements, row-major
 *     assert_same(ag_add(a, b), ag_add(b, a));                dtype, shape and bits
 *     assert_error(t, AG_ERR_SHAPE, "matmul: inner sizes");   status, part of the message; clears it
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <criterion/criterion.h>

#include "autograd/autograd.h"

enum { CHECK_TEXT = 640 }; /* room for what went wrong */

/* Predicates: true, or false with the reason in text (CHECK_TEXT bytes; may be NULL) */

/* |actual − expected| ≤ tolerance · max(1, |expected|). NaN is close to NaN; an infinity only to itself. */
bool check_close(double actual, double expected, double tolerance, char *text);

/* Of one class and sign, and at most `most` representable numbers apart; zeros of either sign are
 * equal only for most > 0. */
bool check_ulps(double actual, double expected, int64_t most, char *text);
bool check_ulps_f32(float actual, float expected, int64_t most, char *text);

/* x has n elements, each close to its expected one. x may have any dtype and strides. */
bool check_values(const ag_tensor *x, const double *expected, int64_t n, double tolerance, char *text);

/* Equal dtype, shape and bits; strides do not matter. */
bool check_same(const ag_tensor *x, const ag_tensor *y, char *text);

/* Equal shape, and elements close; dtypes may differ. */
bool check_near(const ag_tensor *actual, const ag_tensor *expected, double tolerance, char *text);
bool check_shape(const ag_tensor *x, ag_shape expected, char *text);

/* The tape is in this error, its message contains `part` ("": any). */
bool check_error(const ag_tape *t, ag_status status, const char *part, char *text);

/* Assertions */

#define CHECK(what, predicate, ...)                             \
    do {                                                        \
        char check_text[CHECK_TEXT] = "";                       \
        bool check_passed = predicate(__VA_ARGS__, check_text); \
        cr_assert(check_passed, "%s: %s", what, check_text);    \
    } while (0)

#define assert_close(actual, expected, tolerance) CHECK(#actual, check_close, actual, expected, tolerance)
#define assert_ulps(actual, expected, most) CHECK(#actual, check_ulps, actual, expected, most)
#define assert_ulps_f32(actual, expected, most) CHECK(#actual, check_ulps_f32, actual, expected, most)
#define assert_values(x, tolerance, ...)                        \
    CHECK(#x, check_values, x, ((const double[]){__VA_ARGS__}), \
          sizeof((const double[]){__VA_ARGS__}) / sizeof(double), tolerance)
#define assert_same(x, y) CHECK(#x, check_same, x, y)
#define assert_near(actual, expected, tolerance) CHECK(#actual, check_near, actual, expected, tolerance)
#define assert_shape(x, ...) CHECK(#x, check_shape, x, AG_SHAPE(__VA_ARGS__))
#define assert_ok(tape) CHECK(#tape, check_error, tape, AG_OK, "")
#define assert_error(tape, status, part)                     \
    do {                                                     \
        ag_tape *check_tape = (tape);                        \
        CHECK(#tape, check_error, check_tape, status, part); \
        ag_tape_clear(check_tape);                           \
    } while (0)

/* Makers */

/* The next of a fixed sequence of numbers in [0, 1): SplitMix64 (Steele, Lea, Flood 2014). state begins anywhere. */
double check_random(uint64_t *state);

/* A persistent leaf with random elements in [lo, hi), rounded down for i64; bools are true half the time. */
ag_tensor *check_leaf(ag_tape *t, ag_dtype dtype, ag_shape shape, unsigned flags, double lo, double hi, uint64_t *state);

#endif
