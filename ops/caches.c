/* caches.c: how large the caches of one core are, as the system says. Where it does not, or says what cannot be, sizes are
 * taken that hardly any processor falls below. */
#include "ops/caches.h"

#include <pthread.h>
#include <unistd.h>

static ag__caches found;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int64_t within(long size, int64_t lowest, int64_t highest, int64_t preset) {
    return size < lowest || size > highest ? preset : size;
}

static void find(void) {
    long l1 = 0, l2 = 0;
#if defined(_SC_LEVEL1_DCACHE_SIZE) && defined(_SC_LEVEL2_CACHE_SIZE)
    l1 = sysconf(_SC_LEVEL1_DCACHE_SIZE), l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    found.l1 = within(l1, 16 << 10, 256 << 10, 32 << 10);
    found.l2 = within(l2, 128 << 10, 16 << 20, 256 << 10);
}

const ag__caches *ag__caches_here(void) {
    pthread_once(&once, find);
    return &found;
}
