/* best.c: the functions of best.h for each dtype, from best_tmpl.h. */
#include "ops/kernels/kernels.h"

#define T float
#define NAME(x) x##_most_f32
#define IS_NAN(x) ((x) != (x))
#define BETTER(x, m) ((x) > (m) || (IS_NAN(x) && !IS_NAN(m)))
#include "ops/kernels/best_tmpl.h"
#define T double
#define NAME(x) x##_most_f64
#define IS_NAN(x) ((x) != (x))
#define BETTER(x, m) ((x) > (m) || (IS_NAN(x) && !IS_NAN(m)))
#include "ops/kernels/best_tmpl.h"
#define T int64_t
#define NAME(x) x##_most_i64
#define IS_NAN(x) 0
#define BETTER(x, m) ((x) > (m))
#include "ops/kernels/best_tmpl.h"
#define T float
#define NAME(x) x##_least_f32
#define IS_NAN(x) ((x) != (x))
#define BETTER(x, m) ((x) < (m) || (IS_NAN(x) && !IS_NAN(m)))
#include "ops/kernels/best_tmpl.h"
#define T double
#define NAME(x) x##_least_f64
#define IS_NAN(x) ((x) != (x))
#define BETTER(x, m) ((x) < (m) || (IS_NAN(x) && !IS_NAN(m)))
#include "ops/kernels/best_tmpl.h"
#define T int64_t
#define NAME(x) x##_least_i64
#define IS_NAN(x) 0
#define BETTER(x, m) ((x) < (m))
#include "ops/kernels/best_tmpl.h"

const ag__bests TABLE(best) = {
    .most = {.place = {place_most_f32, place_most_f64, place_most_i64},
             .running = {running_most_f32, running_most_f64, running_most_i64},
             .find = {find_most_f32, find_most_f64, find_most_i64}},
    .least = {.place = {place_least_f32, place_least_f64, place_least_i64},
              .running = {running_least_f32, running_least_f64, running_least_i64},
              .find = {find_least_f32, find_least_f64, find_least_i64}},
};
