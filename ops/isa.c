/* isa.c: which build of the kernels this machine runs. AG__ISAS lists the builds there are, best first, as ISA(name) each. */
#include "ops/isa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/node.h"

#define DECLARE(isa, file, type) extern const type AG__TABLE_1(file, isa);
#define ISA(isa) AG__KERNEL_FILES(DECLARE, isa)
AG__ISAS
#undef ISA

#define ENTRY(isa, file, type) &AG__TABLE_1(file, isa),
#define ISA(isa) {#isa, {AG__KERNEL_FILES(ENTRY, isa)}},
static const struct build {
    const char *name;
    ag__kernels kernels;
} builds[] = {AG__ISAS};
#undef ISA

enum { BUILDS = sizeof builds / sizeof *builds };

const ag__kernels *_Atomic ag__kernel_chosen;

/* The features that a build was compiled for, as far as the system saves the registers they need. The last always runs. */
static bool runs(const char *isa) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!strcmp(isa, "avx2")) return avx2;
    if (!strcmp(isa, "avx512"))
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    (void)isa;
#endif
    return true;
}

static const struct build *find(const char *name) {
    for (int i = 0; i < BUILDS; i++) {
        if (!strcmp(builds[i].name, name) && runs(name)) return &builds[i];
    }
    return NULL;
}

static const struct build *best(void) {
    int i = 0;
    while (i < BUILDS - 1 && !runs(builds[i].name)) i++;
    return &builds[i];
}

static void complain(const char *wish, const char *used) {
    char list[128] = "";
    size_t length = 0;
    const char *name;
    for (int i = 0; (name = ag__isa_at(i)) != NULL && length < sizeof list; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", name);
    ag__log("AG_ISA=%.40s is not available here (there are: %s); %s is used", wish, list, used);
}

const ag__kernels *ag__kernel_choose(void) {
    const char *wish = getenv("AG_ISA");
    bool asked = wish && *wish;
    const struct build *wished = asked ? find(wish) : NULL, *chosen = wished ? wished : best();
    const ag__kernels *before = NULL;
    /* Of several threads one chooses, and speaks. */
    if (!atomic_compare_exchange_strong(&ag__kernel_chosen, &before, &chosen->kernels)) return before;
    if (asked && !wished) complain(wish, chosen->name);
    return &chosen->kernels;
}

const char *ag__isa_at(int i) {
    for (int k = 0; k < BUILDS; k++) {
        if (runs(builds[k].name) && i-- == 0) return builds[k].name;
    }
    return NULL;
}

bool ag__isa_use(const char *name) {
    const struct build *b = find(name);
    if (b) atomic_store(&ag__kernel_chosen, &b->kernels);
    return b != NULL;
}

const char *ag_isa(void) {
    const ag__kernels *chosen = ag__kernel();
    int i = 0;
    while (&builds[i].kernels != chosen) i++;
    return builds[i].name;
}
