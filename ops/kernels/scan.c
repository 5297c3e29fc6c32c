/* scan.c: the scans of scan.h for each dtype, from scan_tmpl.h and others_tmpl.h. */
#include "ops/kernels/kernels.h"

#include <math.h>

enum { SCAN_TILE = AG__SCAN_TILE };

/* ln(eˢ + eˣ): the larger, and what the smaller adds to it. Two infinities of one sign are themselves. */
static double log_add(double s, double x) {
    double d = -fabs(s - x);
    if (isnan(d)) return s == x ? s : s + x;
    return (s > x ? s : x) + log1p(exp(d));
}

#define T float
#define NAME sum_f32
#define STATE double
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (s) + (STATE)(x)
#include "ops/kernels/scan_tmpl.h"
#define T double
#define NAME sum_f64
#define STATE double
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (s) + (STATE)(x)
#include "ops/kernels/scan_tmpl.h"
#define T int64_t
#define NAME sum_i64
#define STATE uint64_t
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (s) + (STATE)(x)
#include "ops/kernels/scan_tmpl.h"
#define T float
#define NAME product_f32
#define STATE double
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (s) * (STATE)(x)
#include "ops/kernels/scan_tmpl.h"
#define T double
#define NAME product_f64
#define STATE double
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (s) * (STATE)(x)
#include "ops/kernels/scan_tmpl.h"
#define T int64_t
#define NAME product_i64
#define STATE uint64_t
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (s) * (STATE)(x)
#include "ops/kernels/scan_tmpl.h"
#define T float
#define NAME log_sum_f32
#define STATE double
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) log_add(s, (double)(x))
#include "ops/kernels/scan_tmpl.h"
#define T double
#define NAME log_sum_f64
#define STATE double
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) log_add(s, (double)(x))
#include "ops/kernels/scan_tmpl.h"
#define T float
#define NAME linear_f32
#define STATE double
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (STATE)(a) * (s) + (STATE)(x)
#include "ops/kernels/scan_tmpl.h"
#define T double
#define NAME linear_f64
#define STATE double
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (STATE)(a) * (s) + (STATE)(x)
#include "ops/kernels/scan_tmpl.h"
#define T int64_t
#define NAME linear_i64
#define STATE uint64_t
#define FIRST(x) (STATE)(x)
#define NEXT(s, a, x) (STATE)(a) * (s) + (STATE)(x)
#include "ops/kernels/scan_tmpl.h"

#define T float
#define STATE double
#define NAME others_f32
#include "ops/kernels/others_tmpl.h"
#define T double
#define STATE double
#define NAME others_f64
#include "ops/kernels/others_tmpl.h"
#define T int64_t
#define STATE uint64_t
#define NAME others_i64
#include "ops/kernels/others_tmpl.h"

const ag__scan TABLE(scan) = {
    .sum = {sum_f32, sum_f64, sum_i64},
    .product = {product_f32, product_f64, product_i64},
    .log_sum = {log_sum_f32, log_sum_f64},
    .linear = {linear_f32, linear_f64, linear_i64},
    .others = {others_f32, others_f64, others_i64},
};
