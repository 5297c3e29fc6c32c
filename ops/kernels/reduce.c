/* reduce.c: sums and maxima for each dtype, from reduce_tmpl.h. */
#include "ops/kernels/kernels.h"

#include <math.h>

#define T float
#define NAME(x) x##_sum_f32
#define IDENTITY 0
#define COMBINE(a, b) ((a) + (b))
#include "ops/kernels/reduce_tmpl.h"
#define T double
#define NAME(x) x##_sum_f64
#define IDENTITY 0
#define COMBINE(a, b) ((a) + (b))
#include "ops/kernels/reduce_tmpl.h"
#define T uint64_t /* i64: wraps */
#define NAME(x) x##_sum_i64
#define IDENTITY 0
#define COMBINE(a, b) ((a) + (b))
#include "ops/kernels/reduce_tmpl.h"

/* NaN if either is. Two selects rather than one condition, so that gcc makes vectors of them. */
static inline float max_f32(float a, float b) {
    float m = a > b ? a : b;
    return a != a ? a : m;
}
static inline double max_f64(double a, double b) {
    double m = a > b ? a : b;
    return a != a ? a : m;
}
static inline int64_t max_i64(int64_t a, int64_t b) { return a > b ? a : b; }

#define T float
#define NAME(x) x##_max_f32
#define IDENTITY (-INFINITY)
#define COMBINE(a, b) max_f32(a, b)
#include "ops/kernels/reduce_tmpl.h"
#define T double
#define NAME(x) x##_max_f64
#define IDENTITY ((double)-INFINITY)
#define COMBINE(a, b) max_f64(a, b)
#include "ops/kernels/reduce_tmpl.h"
#define T int64_t
#define NAME(x) x##_max_i64
#define IDENTITY INT64_MIN
#define COMBINE(a, b) max_i64(a, b)
#include "ops/kernels/reduce_tmpl.h"

const ag__reduce TABLE(reduce) = {
    .sum = {fold_sum_f32, fold_sum_f64, fold_sum_i64},
    .max = {fold_max_f32, fold_max_f64, fold_max_i64},
};
