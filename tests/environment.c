/* environment.c: whatever the shell has set for the library, tests start without it; those that are about a variable set
 * it themselves. Linked into every test program; ctest does the same for programs and scripts that are not ours to link. */
#include <stdlib.h>

__attribute__((constructor)) static void forget(void) {
    static const char *const variables[] = {"AG_DEBUG", "AG_DOT", "AG_ISA", "AG_THREADS"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) unsetenv(variables[i]);
}
