/* isa.c: how the kernels are chosen, and that switching them changes what runs. */
#include "ops/isa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static char said[400];

static void listen(void *context, const char *line) {
    (void)context;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}

/* Chooses anew under AG_ISA=wish. */
static const char *chosen(const char *wish) {
    *said = '\0';
    ag_set_log(listen, NULL);
    atomic_store(&ag__kernel_chosen, NULL);
    if (wish) {
        setenv("AG_ISA", wish, 1);
    } else {
        unsetenv("AG_ISA");
    }
    const char *name = ag_isa();
    ag_set_log(NULL, NULL);
    return name;
}

Test(process_isa, the_environment_asks) {
    const char *best = chosen(NULL), *name;
    cr_assert_str_eq(best, ag__isa_at(0));
    cr_assert_str_eq(chosen(""), best);
    for (int i = 0; (name = ag__isa_at(i)) != NULL; i++) cr_assert_str_eq(chosen(name), name);
    cr_assert_str_empty(said);
    cr_assert_str_eq(chosen("sse9"), best);
    cr_assert(strstr(said, "AG_ISA=sse9 is not available here (there are: "), "%s", said);
    cr_assert(strstr(said, best), "%s", said);
    *said = '\0';
    ag_isa();
    cr_assert_str_empty(said);
}

Test(isa, names) {
    const char *name;
    int n = 0;
    for (; (name = ag__isa_at(n)) != NULL; n++) {
        cr_assert(ag__isa_use(name));
        cr_assert_str_eq(ag_isa(), name);
        for (int k = 0; k < n; k++) cr_assert_str_neq(name, ag__isa_at(k));
    }
    cr_assert_gt(n, 0);
    cr_assert(!ag__isa_use("sse9") && !ag__isa_use(""));
    cr_assert_str_eq(ag_isa(), ag__isa_at(n - 1));
    const ag__kernels *last = ag__kernel();
    ag__isa_use(ag__isa_at(0));
    cr_assert(n == 1 || ag__kernel() != last);
}
