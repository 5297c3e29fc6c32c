/* every_isa.h: a test whose body runs once for every instruction set of this machine, the best first and again at the end. */
#ifndef TESTS_OPS_EVERY_ISA_H
#define TESTS_OPS_EVERY_ISA_H

#include "check.h"
#include "ops/isa.h"

#define TestEveryISA(suite, name)                                     \
    static void name##_on_one_isa(void);                              \
    Test(suite, name) {                                               \
        for (int isa_index = 0; ag__isa_at(isa_index); isa_index++) { \
            cr_assert(ag__isa_use(ag__isa_at(isa_index)));            \
            name##_on_one_isa();                                      \
        }                                                             \
        ag__isa_use(ag__isa_at(0));                                   \
    }                                                                 \
    static void name##_on_one_isa(void)

#endif
