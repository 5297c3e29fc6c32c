/* reduce.c: sums, products, extremes and truth values for each dtype, from reduce_tmpl.h. */
#include "ops/kernels/kernels.h"

#include <math.h>
#include <stddef.h>

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

static inline float min_f32(float a, float b) {
    float m = a < b ? a : b;
    return a != a ? a : m;
}
static inline double min_f64(double a, double b) {
    double m = a < b ? a : b;
    return a != a ? a : m;
}
static inline int64_t min_i64(int64_t a, int64_t b) { return a < b ? a : b; }

#define T float
#define NAME(x) x##_min_f32
#define IDENTITY INFINITY
#define COMBINE(a, b) min_f32(a, b)
#include "ops/kernels/reduce_tmpl.h"
#define T double
#define NAME(x) x##_min_f64
#define IDENTITY ((double)INFINITY)
#define COMBINE(a, b) min_f64(a, b)
#include "ops/kernels/reduce_tmpl.h"
#define T int64_t
#define NAME(x) x##_min_i64
#define IDENTITY INT64_MAX
#define COMBINE(a, b) min_i64(a, b)
#include "ops/kernels/reduce_tmpl.h"

#define T float
#define NAME(x) x##_prod_f32
#define IDENTITY 1
#define COMBINE(a, b) ((a) * (b))
#include "ops/kernels/reduce_tmpl.h"
#define T double
#define NAME(x) x##_prod_f64
#define IDENTITY 1
#define COMBINE(a, b) ((a) * (b))
#include "ops/kernels/reduce_tmpl.h"
#define T uint64_t
#define NAME(x) x##_prod_i64
#define IDENTITY 1
#define COMBINE(a, b) ((a) * (b))
#include "ops/kernels/reduce_tmpl.h"

#define T unsigned char
#define NAME(x) x##_any
#define IDENTITY 0
#define COMBINE(a, b) ((unsigned char)((a) | (b)))
#include "ops/kernels/reduce_tmpl.h"
#define T unsigned char
#define NAME(x) x##_all
#define IDENTITY 1
#define COMBINE(a, b) ((unsigned char)((a) & (b)))
#include "ops/kernels/reduce_tmpl.h"

const ag__reduce TABLE(reduce) = {{
    [AG__SUM] = {fold_sum_f32, fold_sum_f64, fold_sum_i64},
    [AG__MAX] = {fold_max_f32, fold_max_f64, fold_max_i64},
    [AG__MIN] = {fold_min_f32, fold_min_f64, fold_min_i64},
    [AG__PROD] = {fold_prod_f32, fold_prod_f64, fold_prod_i64},
    [AG__ANY] = {NULL, NULL, NULL, fold_any},
    [AG__ALL] = {NULL, NULL, NULL, fold_all},
}};
