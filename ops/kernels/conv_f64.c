/* conv_f64.c: ag__conv_f64, from conv_tmpl.h. */
#include "ops/kernels/conv.h"

#define REAL double
#define CONV ag__conv_f64
#include "ops/kernels/conv_tmpl.h"
