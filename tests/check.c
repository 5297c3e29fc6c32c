/* check.c: the predicates behind the assertions of check.h. */
#include "check.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

AG_PRINTF(2, 3) static bool no(char *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (text) vsnprintf(text, CHECK_TEXT, format, args);
    va_end(args);
    return false;
}

static bool close_enough(double a, double b, double tolerance) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    if (isinf(a) || isinf(b)) return a == b;
    return fabs(a - b) <= tolerance * fmax(1, fabs(b));
}

bool check_close(double actual, double expected, double tolerance, char *text) {
    if (close_enough(actual, expected, tolerance)) return true;
    return no(text, "%.17g is not close to %.17g (off by %.3g, allowed %.3g)", actual, expected, actual - expected,
              tolerance * fmax(1, fabs(expected)));
}

static bool same_class(double a, double b) {
    return isnan(a) == isnan(b) && isinf(a) == isinf(b) && (isnan(a) || signbit(a) == signbit(b));
}

/* Distance of two patterns whose sign is equal; zeros of two signs are one step apart. */
static bool check_steps(double a, double b, uint64_t i, uint64_t j, int64_t most, char *text) {
    if (isnan(a) && isnan(b)) return true;
    if (a == 0 && b == 0) return signbit(a) == signbit(b) || most > 0 || no(text, "%g is not %g", a, b);
    uint64_t steps = i > j ? i - j : j - i;
    if (same_class(a, b) && steps <= (uint64_t)most) return true;
    if (!same_class(a, b)) return no(text, "%.17g is not %.17g", a, b);
    return no(text, "%.17g is %" PRIu64 " ulps from %.17g, allowed %" PRId64, a, steps, b, most);
}

bool check_ulps(double actual, double expected, int64_t most, char *text) {
    uint64_t i, j;
    memcpy(&i, &actual, sizeof i);
    memcpy(&j, &expected, sizeof j);
    return check_steps(actual, expected, i, j, most, text);
}

bool check_ulps_f32(float actual, float expected, int64_t most, char *text) {
    uint32_t i, j;
    memcpy(&i, &actual, sizeof i);
    memcpy(&j, &expected, sizeof j);
    return check_steps((double)actual, (double)expected, i, j, most, text);
}

/* "x (2,3)" and the message of its tape, or what is known of a NULL. */
static bool fail_null(const char *which, char *text) {
    return no(text, "%s is NULL; the last error was: %s", which, ag_last_message());
}

/* Writes "[1,0,2]", the place of element i. */
static void place(ag_shape s, int64_t i, char out[96]) {
    int64_t at[AG_MAX_RANK];
    int used = snprintf(out, 96, "[");
    for (int k = s.rank - 1; k >= 0; k--) {
        at[k] = i % s.dim[k];
        i /= s.dim[k];
    }
    for (int k = 0; k < s.rank && used < 80; k++) {
        used += snprintf(out + used, (size_t)(96 - used), k ? ",%" PRId64 : "%" PRId64, at[k]);
    }
    snprintf(out + used, (size_t)(96 - used), "]");
}

bool check_values(const ag_tensor *x, const double *expected, int64_t n, double tolerance, char *text) {
    char at[96], reason[CHECK_TEXT - 128];
    if (!x) return fail_null("the tensor", text);
    if (ag_size(x) != n) return no(text, "has %" PRId64 " elements, not %" PRId64, ag_size(x), n);
    for (int64_t i = 0; i < n; i++) {
        double v = ag_at(x, i);
        if (close_enough(v, expected[i], tolerance)) continue;
        place(ag_shape_of(x), i, at);
        snprintf(reason, sizeof reason, "%.17g, not %.17g (off by %.3g)", v, expected[i], v - expected[i]);
        return no(text, "element %s is %s", at, reason);
    }
    return true;
}

static void dims(ag_shape s, char out[96]) {
    int used = snprintf(out, 96, "(");
    for (int i = 0; i < s.rank && used < 80; i++) {
        used += snprintf(out + used, (size_t)(96 - used), i ? ",%" PRId64 : "%" PRId64, s.dim[i]);
    }
    snprintf(out + used, (size_t)(96 - used), ")");
}

bool check_shape(const ag_tensor *x, ag_shape expected, char *text) {
    char have[96], want[96];
    if (!x) return fail_null("the tensor", text);
    ag_shape s = ag_shape_of(x);
    bool same = s.rank == expected.rank;
    for (int i = 0; same && i < s.rank; i++) same = s.dim[i] == expected.dim[i];
    if (same) return true;
    dims(s, have);
    dims(expected, want);
    return no(text, "has the shape %s, not %s", have, want);
}

bool check_near(const ag_tensor *actual, const ag_tensor *expected, double tolerance, char *text) {
    char at[96];
    if (!actual) return fail_null("the tensor", text);
    if (!expected) return fail_null("what it is compared with", text);
    if (!check_shape(actual, ag_shape_of(expected), text)) return false;
    for (int64_t i = 0; i < ag_size(actual); i++) {
        double a = ag_at(actual, i), b = ag_at(expected, i);
        if (close_enough(a, b, tolerance)) continue;
        place(ag_shape_of(actual), i, at);
        return no(text, "element %s is %.17g, not %.17g (off by %.3g)", at, a, b, a - b);
    }
    return true;
}

bool check_same(const ag_tensor *x, const ag_tensor *y, char *text) {
    if (!x) return fail_null("the tensor", text);
    if (!y) return fail_null("what it is compared with", text);
    if (ag_dtype_of(x) != ag_dtype_of(y)) {
        return no(text, "is %s, not %s", ag_dtype_name(ag_dtype_of(x)), ag_dtype_name(ag_dtype_of(y)));
    }
    if (!check_shape(x, ag_shape_of(y), text)) return false;
    size_t element = ag_dtype_size(ag_dtype_of(x)), bytes = (size_t)ag_size(x) * element;
    char *a = malloc(2 * bytes + 1), *b = a + bytes;
    bool read = a && ag_read(x, a) && ag_read(y, b), same = read && memcmp(a, b, bytes) == 0;
    int64_t i = 0;
    while (read && !same && memcmp(a + (size_t)i * element, b + (size_t)i * element, element) == 0) i++;
    free(a);
    if (same) return true;
    if (!read) return no(text, "cannot be read: %s", ag_last_message());
    char at[96];
    place(ag_shape_of(x), i, at);
    return no(text, "element %s is %.17g, not %.17g: different bits", at, ag_at(x, i), ag_at(y, i));
}

bool check_error(const ag_tape *t, ag_status status, const char *part, char *text) {
    if (!t) return fail_null("the tape", text);
    ag_status have = ag_tape_status(t);
    if (have != status) {
        return no(text, "the status is %s, not %s: %s", ag_status_name(have), ag_status_name(status), ag_tape_message(t));
    }
    return strstr(ag_tape_message(t), part) || no(text, "'%s' does not contain '%s'", ag_tape_message(t), part);
}

double check_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

ag_tensor *check_leaf(ag_tape *t, ag_dtype dtype, ag_shape shape, unsigned flags, double lo, double hi, uint64_t *state) {
    ag_tensor *x = ag_leaf(t, dtype, NULL, shape, flags);
    void *data = x ? ag_mutable(x) : NULL;
    for (int64_t i = 0; data && i < ag_size(x); i++) {
        double v = lo + (hi - lo) * check_random(state);
        switch (dtype) {
        case AG_F32: ((float *)data)[i] = (float)v; break;
        case AG_F64: ((double *)data)[i] = v; break;
        case AG_I64: ((int64_t *)data)[i] = (int64_t)floor(v); break;
        default: ((bool *)data)[i] = check_random(state) < 0.5; break;
        }
    }
    return x;
}
