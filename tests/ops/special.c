/* special.c: NaN, infinities, signed zeros, subnormal and huge numbers through every elementwise op, and the few that
 * other ops make promises about in ops.h. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "every_isa.h"
#include "ops/ops.h"
#include "ops/property.h"
#include "ops/reference.h"

static const double specials[] = {
    NAN,  INFINITY, -INFINITY, 0.0,      -0.0,      1,       -1,       0.5,  -0.5,  2,      -2,
    3,    -3,       1e-3,      -1e-3,    20,        -20,     88,       -100, 700,   -720,   1e4,
    -1e4, FLT_MIN,  -FLT_MIN,  0x1p-149, -0x1p-149, FLT_MAX, -FLT_MAX, 1e30, 1e-30, 0x1p24, 0.9999999,
};
enum { SPECIALS = sizeof specials / sizeof *specials };

/* What the type T makes of x: overflow to infinity, rounding among subnormal numbers. */
static double as(ag_dtype dtype, double x) { return dtype == AG_F32 ? (double)(float)x : x; }

static bool agree(ag_dtype dtype, double a, double e) {
    double relative = dtype == AG_F32 ? 4e-6 : 1e-13, quantum = dtype == AG_F32 ? 0x1p-148 : 0x1p-1073;
    e = as(dtype, e);
    if (isnan(a) || isnan(e)) return isnan(a) && isnan(e);
    if (isinf(a) || isinf(e))
        return a == e || fabs(isinf(a) ? e : a) > (dtype == AG_F32 ? (double)FLT_MAX : DBL_MAX) * 0.999;
    return fabs(a - e) <= relative * fabs(e) + quantum;
}

/* With a factor that underflows in f32 where the reference's does not: digits are lost, and infinity times it may be NaN. */
static const char underflowing[] =
    " elu_grad celu_grad gelu gelu_grad gelu_tanh gelu_tanh_grad silu silu_grad mish mish_grad activation_bend ";

/* All pairs of specials: a (S,1), b (S). Sign of zero is checked where the reference has a formula for it. */
static void row_at_specials(const reference *r, ag_dtype dtype) {
    static double column[SPECIALS], reversed[SPECIALS], out[SPECIALS * SPECIALS];
    ag_tape *t = ag_tape_new();
    const ag_op *op = ag_find_op(r->name);
    char attributes[96] = "";
    for (int i = 0; i < SPECIALS; i++) column[i] = as(dtype, specials[i]);
    for (int i = 0; i < SPECIALS; i++) reversed[i] = column[SPECIALS - 1 - i];
    char name[2][32] = {"", ""};
    if (r->attributes) sscanf(r->attributes, "%31s %31s", name[0], name[1]);
    if (*name[0]) snprintf(attributes, sizeof attributes, *name[1] ? "%s=0.75 %s=3" : "%s=3", name[0], name[1]);
    ag_tensor *in[3] = {sample_leaf(t, dtype, AG_SHAPE(SPECIALS, 1), 0, column),
                        sample_leaf(t, dtype, AG_SHAPE(SPECIALS), 0, column),
                        sample_leaf(t, dtype, AG_SHAPE(SPECIALS, 1), 0, reversed)};
    ag_tensor *y = ag_call(t, r->name, in, op->arity, attributes);
    cr_assert(y, "%s: %s", r->name, ag_tape_message(t));
    for (int64_t i = 0; i < ag_size(y); i++) {
        bool one = op->arity == 1;
        double v[3] = {column[one ? i : i / SPECIALS], one ? 0 : column[i % SPECIALS], one ? 0 : reversed[i / SPECIALS]};
        if (dtype == AG_F32 && (isinf(v[0]) || v[one ? 0 : 1] < -80) && listed(underflowing, r->name)) continue;
        out[i] = *name[1] ? r->value(v, 0.75, 3) : r->value(v, 3, 0);
        cr_assert(agree(dtype, ag_at(y, i), out[i]), "%s(%g, %g) in %s is %.17g, not %.17g", r->name, v[0], v[1],
                  ag_dtype_name(dtype), ag_at(y, i), out[i]);
        bool zeros = listed(" neg sqrt sin tanh erf reciprocal mul add sub div scale add_scalar abs square pow ", r->name);
        cr_assert(!zeros || out[i] != 0 || signbit(ag_at(y, i)) == signbit(out[i]), "%s(%g, %g) in %s is %g, not %g",
                  r->name, v[0], v[1], ag_dtype_name(dtype), ag_at(y, i), out[i]);
    }
    ag_tape_free(t);
}

TestEveryISA(digits_ops, rows_at_special_values) {
    static const reference *const tables[] = {references_rows, references_smooth, references_special};
    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++) {
        for (const reference *r = tables[k]; r->name; r++) {
            if (listed(" where bitwise_not bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift"
                       " gcd lcm bce bce_logits mix bessel_j0 bessel_j1 jv bessel_y0 bessel_y1 yv ",
                       r->name))
                continue; /* where, mix, integers: below; bce…: losses.c; Bessel functions: special_functions.c */
            row_at_specials(r, AG_F64);
            row_at_specials(r, AG_F32);
        }
    }
}

#define F64(t, ...) \
    ag_from_f64(t, (const double[]){__VA_ARGS__}, AG_SHAPE(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))
#define I64(t, ...) \
    ag_from_i64(t, (const int64_t[]){__VA_ARGS__}, AG_SHAPE(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

TestEveryISA(ops, where_picks_anything) {
    ag_tape *t = ag_tape_new();
    ag_tensor *yes = ag_from_bool(t, (const bool[]){true, false, true, false}, AG_SHAPE(4));
    assert_values(ag_where(yes, F64(t, NAN, NAN, INFINITY, 1), F64(t, 1, 2, NAN, -INFINITY)), 0, NAN, 2, INFINITY,
                  -INFINITY);
    ag_tape_free(t);
}

TestEveryISA(ops, lerp_ends_exactly) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = F64(t, 0.1, 1e16, INFINITY, 1, NAN), *b = F64(t, 0.7, 1, 1, INFINITY, 1), *n = F64(t, 0, 0, 0, 0, 0);
    assert_values(ag_lerp(a, b, n), 0, 0.1, 1e16, NAN, NAN, NAN);
    assert_values(ag_lerp_scalar(a, b, 1), 0, 0.7, 1, NAN, NAN, NAN);
    assert_values(ag_lerp_scalar(a, b, 0.25), 1e-15, 0.25, 0.75e16, NAN, INFINITY, NAN);
    assert_values(ag_lerp_scalar(a, b, (double)NAN), 0, NAN, NAN, NAN, NAN, NAN);
    ag_tape_free(t);
}

TestEveryISA(ops, numbers_for_what_is_not_finite) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, NAN, INFINITY, -INFINITY, -DBL_MAX, -NAN, -0.0), *f = ag_cast(x, AG_F32);
    assert_values(ag_call(t, "nan_to_num", &x, 1, ""), 0, 0, DBL_MAX, -DBL_MAX, -DBL_MAX, 0, 0);
    assert_values(ag_call(t, "nan_to_num", &f, 1, ""), 0, 0, (double)FLT_MAX, -(double)FLT_MAX, -(double)FLT_MAX, 0, 0);
    assert_values(ag_nan_to_num(x, 0.5, 3, -4), 0, 0.5, 3, -4, -DBL_MAX, 0.5, 0);
    assert_values(ag_nan_to_num(x, INFINITY, INFINITY, -INFINITY), 0, INFINITY, INFINITY, -INFINITY, -DBL_MAX, INFINITY, 0);
    ag_tape_free(t);
}

TestEveryISA(ops, bounds_that_are_not_numbers) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, NAN, 1, INFINITY, 2), *least = F64(t, 1, NAN, 1, 4), *most = F64(t, 2, 2, NAN, 3);
    assert_values(ag_clamp_between(x, least, NULL), 0, NAN, NAN, INFINITY, 4);
    assert_values(ag_clamp_between(x, NULL, most), 0, NAN, 1, NAN, 2);
    assert_values(ag_clamp_between(x, least, most), 0, NAN, NAN, NAN, 3);
    assert_values(ag_clamp_min(x, (double)NAN), 0, NAN, NAN, NAN, NAN);
    assert_values(ag_clamp_max(ag_cast(x, AG_F32), (double)NAN), 0, NAN, NAN, NAN, NAN);
    cr_assert_null(ag_clamp_max(I64(t, 1, 2), (double)NAN));
    assert_error(t, AG_ERR_ARGUMENT, "clamp_max: max is nan; for i64 it must be a whole number");
    assert_values(ag_round_decimals(F64(t, 2.675, -0.05, NAN, INFINITY, 1250), 2), 1e-15, 2.68, -0.05, NAN, INFINITY, 1250);
    assert_values(ag_round_decimals(F64(t, 250, -150, 49), -2), 0, 200, -200, 0);
    ag_tape_free(t);
}

TestEveryISA(ops, no_power_is_the_unit_matrix) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_from_f64(t, (const double[]){NAN, 1, 2, INFINITY, 1, 2, 3, 4}, AG_SHAPE(2, 2, 2));
    assert_values(ag_matrix_power(x, 0), 0, 1, 0, 0, 1, 1, 0, 0, 1);
    ag_tape_free(t);
}

TestEveryISA(ops, what_is_close_to_infinity_and_nan) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = F64(t, NAN, INFINITY, -INFINITY, INFINITY, 0, 1), *b = F64(t, NAN, INFINITY, INFINITY, 1, 0, NAN);
    assert_values(ag_isclose(a, b, 1e-5, 1e-8, false), 0, 0, 1, 0, 0, 1, 0);
    assert_values(ag_isclose(a, b, 1e-5, 1e-8, true), 0, 1, 1, 0, 0, 1, 0);
    ag_tape_free(t);
}

/* As integers, which f64 does not hold: 2⁵³ + 1 is 2⁵³ there. */
TestEveryISA(ops, large_integers_that_are_close) {
    ag_tape *t = ag_tape_new();
    const int64_t large = INT64_C(1) << 53;
    ag_tensor *a = I64(t, large + 1, large, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN + 1),
              *b = I64(t, large, large + 1, INT64_MIN, INT64_MAX, INT64_MAX - 1, INT64_MIN);
    assert_values(ag_isclose(a, b, 0, 0, true), 0, 0, 0, 0, 0, 0, 0);
    assert_values(ag_isclose(a, b, 0, 1, false), 0, 1, 1, 0, 0, 1, 1);
    assert_values(ag_isclose(a, b, 0, 0x1p64, false), 0, 1, 1, 1, 1, 1, 1);
    assert_values(ag_isclose(a, b, 1.5, 0, false), 0, 1, 1, 0, 0, 1, 1);
    assert_values(ag_isclose(a, b, 2.5, 0, false), 0, 1, 1, 1, 1, 1, 1);
    ag_tape_free(t);
}

TestEveryISA(ops, integer_quotients_are_rounded) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = I64(t, 7, -7, 7, -7, 5, INT64_MIN), *b = I64(t, 2, 2, -2, -2, 0, 3);
    assert_same(ag_div_rounded(a, b, AG_ROUND_TRUNC), I64(t, 3, -3, -3, 3, 0, INT64_MIN / 3));
    assert_same(ag_div_rounded(a, b, AG_ROUND_FLOOR), I64(t, 3, -4, -4, 3, 0, INT64_MIN / 3 - 1));
    ag_tape_free(t);
}

TestEveryISA(ops, integers_wrap_around) {
    ag_tape *t = ag_tape_new();
    ag_tensor *most = I64(t, INT64_MAX), *least = I64(t, INT64_MIN), *one = I64(t, 1), *two = I64(t, 2);
    assert_same(ag_add(most, one), least);
    assert_same(ag_sub(least, one), most);
    assert_same(ag_mul(most, two), I64(t, -2));
    assert_same(ag_neg(least), least);
    assert_same(ag_abs(least), least);
    assert_same(ag_sign(least), I64(t, -1));
    assert_same(ag_maximum(least, most), most);
    assert_same(ag_sum(I64(t, INT64_MAX, 1), AG_AXES(0), true), least);
    assert_same(ag_take_add(I64(t, INT64_MAX, 1), I64(t, 0, 0), AG_SHAPE(1), 0), least);
    assert_same(ag_gather_add(I64(t, INT64_MAX, 1), 0, I64(t, 0, 0), AG_SHAPE(1)), least);
    assert_same(ag_gt(I64(t, INT64_MAX), I64(t, INT64_MAX - 1)),
                ag_from_bool(t, (const bool[]){true}, AG_SHAPE(1))); /* not as doubles */
    ag_tape_free(t);
}

TestEveryISA(ops, numbers_taken_apart) {
    ag_tape *t = ag_tape_new();
    ag_tensor *e, *x = F64(t, 1, -0.75, 5e-324, DBL_MAX, -DBL_MIN, 0.0, -0.0, INFINITY, -INFINITY, NAN),
                  *m = ag_frexp(x, &e);
    assert_values(m, 0, 0.5, -0.75, 0.5, 1 - DBL_EPSILON / 2, -0.5, 0, -0.0, INFINITY, -INFINITY, NAN);
    assert_same(e, I64(t, 1, 0, -1073, 1024, -1021, 0, 0, 0, 0, 0));
    assert_same(ag_ldexp(m, e), x);
    x = ag_from_f32(t, (const float[]){0x1p-149F, -FLT_MAX, 3, -FLT_MIN, -INFINITY}, AG_SHAPE(5));
    m = ag_frexp(x, &e);
    assert_same(e, I64(t, -148, 128, 2, -125, 0));
    assert_same(ag_ldexp(m, e), x);
    x = F64(t, 0, 0x1p-1074, 0x1.8p1000, 1, 1e-308);
    assert_values(ag_ldexp(x, F64(t, 1e9, 2000, -2000, -1074, INFINITY)), 0, 0, 0x1p926, 0x1.8p-1000, 0x1p-1074, INFINITY);
    ag_tape_free(t);
}

TestEveryISA(ops, shifts_by_any_number) {
    ag_tape *t = ag_tape_new();
    ag_tensor *by = I64(t, 0, 1, 62, 63, 64, 65, -1, INT64_MAX, INT64_MIN);
    assert_same(ag_bitwise_left_shift(I64(t, -3), by), I64(t, -3, -6, INT64_C(1) << 62, INT64_MIN, 0, 0, 0, 0, 0));
    assert_same(ag_bitwise_right_shift(I64(t, -3), by), I64(t, -3, -2, -1, -1, -1, -1, -1, -1, -1));
    assert_same(ag_bitwise_right_shift(I64(t, INT64_MIN), by),
                I64(t, INT64_MIN, INT64_MIN / 2, -2, -1, -1, -1, -1, -1, -1));
    assert_same(ag_bitwise_right_shift(I64(t, INT64_MAX), by), I64(t, INT64_MAX, INT64_MAX / 2, 1, 0, 0, 0, 0, 0, 0));
    ag_tape_free(t);
}

TestEveryISA(ops, divisors_of_any_numbers) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = I64(t, 12, -12, 0, 0, 7, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MAX, -1);
    ag_tensor *b = I64(t, 18, 18, -5, 0, 0, 0, -1, 6, INT64_MIN, INT64_MIN);
    assert_same(ag_gcd(a, b), I64(t, 6, 6, 5, 0, 7, INT64_MIN, 1, 2, 1, 1));
    assert_same(ag_lcm(a, b), I64(t, 36, 36, 0, 0, 0, 0, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN));
    ag_tape_free(t);
}

TestEveryISA(ops, neighbours_in_either_type) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = F64(t, 0.0, -0.0, 1, 1, 5e-324, DBL_MAX, -INFINITY, 2, NAN, 1);
    ag_tensor *b = F64(t, 1, -1, 2, -INFINITY, 0, INFINITY, 0, 2, 1, NAN);
    ag_tensor *y = ag_nextafter(a, b), *zero = ag_nextafter(F64(t, 0.0), F64(t, -0.0));
    assert_values(y, 0, 5e-324, -5e-324, 1 + DBL_EPSILON, 1 - DBL_EPSILON / 2, 0, INFINITY, -DBL_MAX, 2, NAN, NAN);
    cr_assert(signbit(ag_item(zero)), "b where a = b");
    a = ag_from_f32(t, (const float[]){0, 1, 1, FLT_MAX, 0x1p-149F}, AG_SHAPE(5));
    b = ag_from_f32(t, (const float[]){-1, 2, 0, INFINITY, 0}, AG_SHAPE(5));
    assert_values(ag_nextafter(a, b), 0, -0x1p-149, 1 + 0x1p-23, 1 - 0x1p-24, INFINITY, 0);
    ag_tape_free(t);
}

TestEveryISA(ops, casts_saturate) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, NAN, INFINITY, -INFINITY, 1e300, -1e300, 0.9, -0.9, 0x1p63, -0x1p63, -0.0);
    assert_same(ag_cast(x, AG_I64), I64(t, 0, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, 0, 0, INT64_MAX, INT64_MIN, 0));
    assert_values(ag_cast(x, AG_BOOL), 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0);
    assert_values(ag_cast(x, AG_F32), 0, NAN, INFINITY, -INFINITY, INFINITY, -INFINITY, (double)0.9f, (double)-0.9f,
                  0x1p63, -0x1p63, 0);
    assert_same(ag_cast(ag_cast(F64(t, NAN, 0x1p63, -0x1p63), AG_F32), AG_I64), I64(t, 0, INT64_MAX, INT64_MIN));
    assert_values(ag_cast(I64(t, INT64_MAX, 3), AG_F64), 0, 0x1p63, 3);
    assert_values(ag_cast(I64(t, 2, 0, -1), AG_BOOL), 0, 1, 0, 1);
    ag_tape_free(t);
}

TestEveryISA(ops, reductions_of_special_values) {
    ag_tape *t = ag_tape_new();
    ag_tensor *none = ag_buffer(t, AG_F64, AG_SHAPE(0, 2));
    assert_values(ag_max(F64(t, 1, NAN, 3), AG_ALL, false), 0, NAN);
    assert_values(ag_max(F64(t, -INFINITY, -INFINITY), AG_ALL, false), 0, -INFINITY);
    assert_values(ag_sum(F64(t, INFINITY, -INFINITY), AG_ALL, false), 0, NAN);
    assert_values(ag_sum(none, AG_AXES(0), false), 0, 0, 0);
    assert_values(ag_mean(none, AG_AXES(0), false), 0, NAN, NAN);
    assert_values(ag_mse_loss(none, none), 0, NAN);
    ag_tensor *index, *best = ag_topk(F64(t, 2, NAN, INFINITY, 2, NAN, -INFINITY), 5, 0, &index);
    assert_values(best, 0, NAN, NAN, INFINITY, 2, 2);
    assert_values(index, 0, 1, 4, 2, 0, 3);
    best = ag_topk(F64(t, 1, -NAN, INFINITY), 1, 0, &index);
    assert_values(index, 0, 1); /* of either sign */
    best = ag_topk(F64(t, -0.0, 0.0, -0.0), 3, 0, &index);
    assert_values(index, 0, 0, 1, 2); /* zeros are equal: in order of index */
    ag_tape_free(t);
}

TestEveryISA(ops, softmax_does_not_overflow) {
    ag_tape *t = ag_tape_new();
    assert_values(ag_softmax(F64(t, 1e300, 1e300, -1e300), 0), 1e-15, 0.5, 0.5, 0);
    assert_values(ag_softmax(F64(t, -INFINITY, 0, 0), 0), 1e-15, 0, 0.5, 0.5);
    assert_values(ag_softmax(F64(t, -INFINITY, -INFINITY), 0), 0, NAN, NAN);
    assert_values(ag_softmax(F64(t, NAN, 0), 0), 0, NAN, NAN);
    assert_values(ag_log_softmax(F64(t, 1000, 0), 0), 1e-15, 0, -1000);
    assert_values(ag_log_softmax(F64(t, -INFINITY, 0), 0), 0, -INFINITY, 0);
    ag_tensor *x = ag_from_f64(t, (const double[]){-INFINITY, 0, 1000, 0, 0, -1e300}, AG_SHAPE(2, 3));
    assert_values(ag_cross_entropy(x, I64(t, 2, 1)), 1e-15, log(2) / 2);
    assert_values(ag_cross_entropy(x, I64(t, 0, 1)), 0, INFINITY);
    assert_values(ag_cross_entropy(ag_buffer(t, AG_F32, AG_SHAPE(0, 3)), ag_buffer(t, AG_I64, AG_SHAPE(0))), 0, NAN);
    assert_values(ag_sigmoid(F64(t, 1000, -1000)), 0, 1, 0);
    ag_tape_free(t);
}

/* gelu = x Φ(x) and gelu' = Φ(x) + x φ(x) far below 0, where Φ by 1 + erf would lose its digits, and erfc of a rounded
 * argument hundreds of units in the last place; and so near to 0 that x times a power that is small would be 0 */
TestEveryISA(digits_ops, gelu_keeps_its_digits_far_below_zero) {
    ag_tape *t = ag_tape_new();
    const double at[] = {3e-38, -3e-38, -1.3, -1.9, -3, -6, -10, -12.6, -13.8, -20, -27.3, -34.7, -37.1, -37.5};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        for (ag_dtype dtype = AG_F32; dtype <= AG_F64; dtype++) {
            long double least = (long double)(dtype == AG_F32 ? FLT_MIN : DBL_MIN);
            long double epsilon = (long double)(dtype == AG_F32 ? FLT_EPSILON : DBL_EPSILON);
            ag_tensor *x = ag_param(t, dtype, AG_SHAPE()), *y = NULL;
            cr_assert(ag_fill(x, at[i]) && (y = ag_gelu(x)) && ag_backward(y), "%s", ag_tape_message(t));
            long double z = ag_item(x), tail = 0.5L * erfcl(-z * 0.70710678118654752440084436210485L);
            long double value = z * tail, slope = tail + z * expl(-z * z / 2) * 0.39894228040143267793994605993438L;
            if (fabsl(value) < least) continue; /* digits are lost among subnormal numbers */
            long double off[2] = {(long double)ag_item(y) / value - 1, (long double)ag_item(ag_grad(x)) / slope - 1};
            cr_assert(fabsl(off[0]) <= 8 * epsilon, "at %g: value off by %Lg", at[i], off[0]);
            cr_assert(fabsl(off[1]) <= 8 * epsilon || fabsl(slope) < 100 * least, "at %g: gradient off by %Lg", at[i],
                      off[1]);
        }
    }
    ag_tape_free(t);
}

TestEveryISA(ops, gelu_and_erfc_at_the_ends) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = F64(t, -INFINITY, INFINITY, NAN, -1e30, 1e30, -0.0, 0.0), *f = ag_cast(x, AG_F32);
    for (int i = 0; i < 2; i++, x = f) {
        assert_values(ag_gelu(x), 0, NAN, INFINITY, NAN, 0, (double)(i ? 1e30f : 1e30), 0, 0);
        assert_values(ag_gelu_grad(ag_ones_like(x), x), 0, NAN, NAN, NAN, 0, 1, 0.5, 0.5);
        assert_values(ag_erfc(x), 0, 2, 0, NAN, 2, 0, 1, 1);
        cr_assert(signbit(ag_at(ag_gelu(x), 3)) && signbit(ag_at(ag_gelu(x), 5)) && !signbit(ag_at(ag_gelu(x), 6)));
    }
    ag_tape_free(t);
}
