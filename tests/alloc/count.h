/* count.h: malloc and its kin, counted and made to fail on demand. A program that includes this, once, is linked with
 * --wrap=malloc and so on: its own calls and the library's come here, those of libc and Criterion do not. */
#ifndef TESTS_ALLOC_COUNT_H
#define TESTS_ALLOC_COUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static struct {
    atomic_long calls;   /* that ask for memory */
    atomic_long live;    /* blocks */
    atomic_long fail_at; /* the n-th call from now gets nothing; 0: none */
    atomic_bool after;   /* nor do all later ones */
    atomic_bool failed;
} memory;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **block, size_t alignment, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);
void __wrap_free(void *block);

static bool refuse(void) {
    memory.calls++;
    if (memory.fail_at == 0) return memory.failed && memory.after;
    if (--memory.fail_at > 0) return false;
    memory.failed = true;
    return true;
}

static void *counted(void *block) {
    if (block) memory.live++;
    return block;
}

void *__wrap_malloc(size_t size) { return refuse() ? NULL : counted(__real_malloc(size)); }
void *__wrap_calloc(size_t n, size_t size) { return refuse() ? NULL : counted(__real_calloc(n, size)); }
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return refuse() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void *__wrap_realloc(void *block, size_t size) {
    if (refuse()) return NULL;
    void *grown = __real_realloc(block, size);
    return block ? grown : counted(grown);
}

int __wrap_posix_memalign(void **block, size_t alignment, size_t size) {
    if (refuse()) return 12; /* ENOMEM */
    int error = __real_posix_memalign(block, alignment, size);
    if (!error) memory.live++;
    return error;
}

void __wrap_free(void *block) {
    if (block) memory.live--;
    __real_free(block);
}

#endif
