/* row_norm_f64.c: the functions of row_norm.h for f64, from row_norm_tmpl.h. */
#include "ops/kernels/kernels.h"

#define BITS 64
#include "ops/kernels/row_norm_tmpl.h"

const ag__row_norm TABLE(row_norm_f64) = {forward, backward};
