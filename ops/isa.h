/* isa.h: the kernels that fit this machine, chosen at the first call from any thread.
 *
 *     ag__kernel()->gemm_f32->run(…)
 *
 * The best instruction set that both the processor and the system support, by features and never by model; AG_ISA=name asks for
 * another. */
#ifndef AUTOGRAD_OPS_ISA_H
#define AUTOGRAD_OPS_ISA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "ops/kernels/kernels.h"

extern const ag__kernels *_Atomic ag__kernel_chosen; /* NULL: not yet */
const ag__kernels *ag__kernel_choose(void);

/* Cheap enough for every call of an op. */
static inline const ag__kernels *ag__kernel(void) {
    const ag__kernels *k = atomic_load_explicit(&ag__kernel_chosen, memory_order_relaxed); /* all it points to is constant */
    return k ? k : ag__kernel_choose();
}

/* For tests: the instruction sets that this machine runs, best first, NULL past the end; and a change of mind for the whole
 * process, false if the name is none of these. */
const char *ag__isa_at(int i);
bool ag__isa_use(const char *name);

#endif
