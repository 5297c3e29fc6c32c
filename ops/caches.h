/* caches.h: the sizes that the kernels cut their work by, asked for once. */
#ifndef OPS_CACHES_H
#define OPS_CACHES_H

#include "ops/kernels/gemm.h"

const ag__caches *ag__caches_here(void);

#endif
