/* conv_f32.c: ag__conv_f32, from conv_tmpl.h. */
#include "ops/kernels/conv.h"

#define REAL float
#define CONV ag__conv_f32
#include "ops/kernels/conv_tmpl.h"
