/* storage.c: counted blocks of memory under tensors.
 *
 *   pooled:   │ ag__storage, 64 bytes │ base: size_class bytes … │     one allocation, kept in pool[size_class] when free
 *   others:   │ ag__storage, base ─▶ memory of the caller, of a file, or of another tape's storage
 *
 * Size classes grow by quarters of a power of two, so at most a fifth of a block is wasted. A block that comes back serves the
 * next request of its class without touching the system: the second training step allocates nothing. */
#include <string.h>
#include <sys/mman.h>

#include "autograd/node.h"

enum { HEADER = 64, SMALLEST = 64, SMALLEST_LOG = 6, BIG = 4 << 20 };

static int class_of(size_t bytes) {
    if (bytes <= SMALLEST) return 0;
    int log = 63 - __builtin_clzll((unsigned long long)(bytes - 1)); /* 2^log < bytes ≤ 2^(log+1) */
    return (log - SMALLEST_LOG) * 4 + (int)((bytes - 1) >> (log - 2) & 3) + 1;
}

static size_t class_bytes(int size_class) {
    if (size_class == 0) return SMALLEST;
    int log = (size_class - 1) / 4 + SMALLEST_LOG;
    return ((size_t)((size_class - 1) % 4) + 5) << (log - 2);
}

static void block_free(ag_tape *t, ag__storage *s) { ag__give(t, s, HEADER + (s->kind == AG__POOL ? s->bytes : 0)); }

static void pool_empty(ag_tape *t) {
    for (int c = 0; c < AG__SIZE_CLASSES; c++) {
        while (t->pool[c]) {
            ag__storage *s = t->pool[c];
            t->pool[c] = s->next;
            block_free(t, s);
        }
    }
}

static ag__storage *block_new(ag_tape *t, size_t bytes, bool recycled) {
    int c = class_of(bytes);
    if (c >= AG__SIZE_CLASSES) return ag__fail(t, AG_ERR_MEMORY, "out of memory: %zu bytes could not be had", bytes);
    ag__storage *s = recycled ? t->pool[c] : NULL;
    if (s) {
        t->pool[c] = s->next;
    } else {
        size_t room = class_bytes(c);
        s = ag__get(t, HEADER + room, room >= BIG ? AG__HUGE_PAGE : 64);
        if (!s) return NULL;
        s->base = (char *)s + HEADER;
        s->bytes = room;
        s->kind = AG__POOL;
        s->size_class = (uint8_t)c;
        s->read_only = s->handle = false;
    }
    s->refs = 1;
    s->stamp = t->clock;
    s->next = NULL;
    return s;
}

ag__storage *ag__storage_new(ag_tape *t, size_t bytes) { return block_new(t, bytes, true); }

/* Not from the pool: what stays would take a block from the steps that made it, and the next step would ask for another. */
ag__storage *ag__storage_lasting(ag_tape *t, size_t bytes) { return block_new(t, bytes, false); }

void ag__storage_drop(ag_tape *t, ag__storage *s) {
    if (--s->refs || s->kind != AG__POOL) return;   /* foreign ones live as long as the tape */
    if (t->poison) memset(s->base, 0xFF, s->bytes); /* reads as NaN, or −1 */
    s->next = t->pool[s->size_class];
    t->pool[s->size_class] = s;
}

void ag__storage_free_all(ag_tape *t) {
    pool_empty(t);
    while (t->foreign) {
        ag__storage *s = t->foreign;
        t->foreign = s->next;
        if (s->kind == AG__EXTERNAL && s->release) s->release(s->context, s->base);
        if (s->kind == AG__MAPPED) munmap(s->context, s->bytes);
        block_free(t, s);
    }
}

ag__storage *ag__storage_foreign(ag_tape *t, ag__kind kind, void *base, size_t bytes) {
    ag__storage *s = ag__get(t, HEADER, 64);
    if (!s) return NULL;
    *s = (ag__storage){.base = base, .bytes = bytes, .kind = (uint8_t)kind, .refs = 1, .next = t->foreign};
    s->stamp = t->clock;
    t->foreign = s;
    return s;
}

void *ag__temp(ag_tape *t, size_t bytes) {
    ag__storage *s = ag__storage_new(t, bytes);
    return s ? s->base : NULL;
}

void ag__temp_free(ag_tape *t, void *block) {
    if (block) ag__storage_drop(t, (ag__storage *)(void *)((char *)block - HEADER));
}

void ag__work_free(ag_tape *t) {
    while (t->work) {
        ag__storage *s = t->work;
        t->work = s->next;
        ag__storage_drop(t, s);
    }
}

void ag__borrow_refresh(ag_tape *t, ag__storage *s) {
    uint64_t stamp = __atomic_load_n(&s->owner->stamp, __ATOMIC_ACQUIRE);
    if (stamp == s->seen) return;
    s->seen = stamp;
    s->stamp = ++t->clock;
}

void ag_tape_trim(ag_tape *t) {
    if (!t) return;
    pool_empty(t);
    ag__region_trim(t, &t->recorded);
    ag__region_trim(t, &t->scratch);
}

size_t ag_tape_bytes(const ag_tape *t) { return t ? t->bytes : 0; }

size_t ag_tape_peak_bytes(const ag_tape *t) { return t ? t->peak : 0; }
