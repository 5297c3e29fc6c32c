/* conv_f64.c: the table of conv.h for f64, from conv_tmpl.h. */
#include "ops/kernels/kernels.h"

#define REAL double
#include "ops/kernels/conv_tmpl.h"

const ag__conv TABLE(conv_f64) = {unfold, fold};
