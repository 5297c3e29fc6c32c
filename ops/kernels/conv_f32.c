/* conv_f32.c: the table of conv.h for f32, from conv_tmpl.h. */
#include "ops/kernels/kernels.h"

#define REAL float
#include "ops/kernels/conv_tmpl.h"

const ag__conv TABLE(conv_f32) = {unfold, fold};
